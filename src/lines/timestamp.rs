//! Reads the RFC 3339 timestamp that the kubelet puts before every line.

use crate::event::Instant;

const NANOS: i64 = 1_000_000_000;

/// Parses timestamps in sequence. Neighbours usually share their minute, which is then computed only once.
#[derive(Default)]
pub struct TimestampParser {
    minute: [u8; 16],
    minute_seconds: i64,
}

impl TimestampParser {
    /// The instant at the start of `line`, and the length of its text with the space after it.
    ///
    /// None: the line does not begin with `2006-01-02T15:04:05[.999999999](Z|±07:00) `. The kubelet prints the time
    /// zone that the container runtime stored, so compare the instants, not the texts.
    pub fn parse(&mut self, line: &[u8]) -> Option<(Instant, usize)> {
        let minute = line.first_chunk::<16>()?;
        if *minute != self.minute {
            self.minute_seconds = minute_seconds(minute)?;
            self.minute = *minute;
        }
        if line.get(16) != Some(&b':') {
            return None;
        }
        let second = two_digits(line, 17)?;
        let (fraction, mut at) = fraction(line, 19);
        let offset = match line.get(at)? {
            b'Z' => {
                at += 1;
                0
            }
            sign @ (b'+' | b'-') => {
                let seconds = two_digits(line, at + 1)? * 3600 + two_digits(line, at + 4)? * 60;
                if line.get(at + 3) != Some(&b':') {
                    return None;
                }
                at += 6;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        if second > 60 || line.get(at) != Some(&b' ') {
            return None;
        }
        let seconds = self.minute_seconds + second - offset;
        Some((Instant(seconds.checked_mul(NANOS)?.checked_add(fraction)?), at + 1))
    }
}

/// Seconds from the epoch to `2006-01-02T15:04`, read as UTC.
fn minute_seconds(text: &[u8; 16]) -> Option<i64> {
    let [.., b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _] = text else { return None };
    let year = two_digits(text, 0)? * 100 + two_digits(text, 2)?;
    let (month, day) = (two_digits(text, 5)?, two_digits(text, 8)?);
    let (hour, minute) = (two_digits(text, 11)?, two_digits(text, 14)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let date = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    let days = date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days();
    Some(i64::from(days) * 86_400 + hour * 3600 + minute * 60)
}

fn two_digits(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

/// The nanoseconds of `.999999999` at `at` (any number of digits, including none) and their end.
fn fraction(line: &[u8], at: usize) -> (i64, usize) {
    if line.get(at) != Some(&b'.') {
        return (0, at);
    }
    let digits = line[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut nanos = 0;
    for place in 0..9 {
        let digit = if place < digits { line[at + 1 + place] - b'0' } else { 0 };
        nanos = nanos * 10 + i64::from(digit);
    }
    (nanos, at + 1 + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(i64, usize)> {
        TimestampParser::default().parse(text.as_bytes()).map(|(at, length)| (at.0, length))
    }

    #[test]
    fn nanoseconds_and_length_are_read() {
        assert_eq!(parse("1970-01-02T00:00:01.000000002Z x"), Some((86_401_000_000_002, 31)));
    }

    #[test]
    fn a_fraction_may_be_short_or_absent() {
        assert_eq!(parse("1970-01-01T00:00:00.5Z x"), Some((500_000_000, 23)));
        assert_eq!(parse("1970-01-01T00:00:00Z x"), Some((0, 21)));
    }

    #[test]
    fn a_zone_offset_is_taken_off() {
        assert_eq!(parse("1970-01-01T09:00:00.1+09:00 x"), Some((100_000_000, 28)));
        assert_eq!(parse("1969-12-31T19:30:00-04:30 x"), Some((0, 26)));
    }

    #[test]
    fn an_empty_message_has_its_timestamp() {
        assert_eq!(parse("1970-01-01T00:00:00Z "), Some((0, 21)));
    }

    #[test]
    fn invalid_timestamps_are_refused() {
        for text in [
            "",
            "failed to create fsnotify watcher: too many open files",
            "1970-01-01T00:00:00Z",
            "1970-13-01T00:00:00Z x",
            "1970-02-30T00:00:00Z x",
            "1970-01-01T24:00:00Z x",
            "1970-01-01 00:00:00Z x",
            "1970-01-01T00:00:0Z x",
            "1970-01-01T00:00:00 x",
            "1970-01-01T00:00:00+0900 x",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_remembered_minute_changes_nothing() {
        let mut parser = TimestampParser::default();
        for (text, want) in [
            ("2026-05-31T23:59:59.9Z x", 1_780_271_999_900_000_000),
            ("2026-05-31T23:59:01.0Z x", 1_780_271_941_000_000_000),
            ("2026-06-01T00:00:00Z x", 1_780_272_000_000_000_000),
            ("2026-05-31T23:59:59Z x", 1_780_271_999_000_000_000),
        ] {
            assert_eq!(parser.parse(text.as_bytes()).map(|(at, _)| at.0), Some(want), "{text}");
        }
        assert!(parser.parse(b"2026-05-31T24:59:59Z x").is_none());
        assert!(parser.parse(b"2026-05-31T23:59:59Z x").is_some(), "a refused minute is not remembered");
    }
}
