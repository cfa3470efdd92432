//! The times of records: read as loggers write them, and shown as the time of day.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    event::Instant,
    fields::{Field, Kind},
};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Instant(Instant),
    /// Without a time zone, and perhaps without a date: it is shown as it is.
    Clock {
        day: Option<i64>,
        nanos: i64,
    },
}

/// A time as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970-01-01.
    pub day: Option<i64>,
    /// Of the day.
    nanos: i64,
}

/// Shows instants in a time zone.
pub struct Zone {
    zone: TimeZone,
    /// The last minute, and how far the zone is ahead of UTC in it, in seconds.
    minute: Option<(i64, i64)>,
}

impl Zone {
    pub fn new(zone: TimeZone) -> Zone {
        Zone { zone, minute: None }
    }

    pub fn show(&mut self, written: Written) -> Moment {
        match written {
            Written::Clock { day, nanos } => Moment { day, nanos },
            Written::Instant(instant) => {
                let second = instant.0.div_euclid(SECOND) + self.offset(instant.0.div_euclid(60 * SECOND));
                let nanos = second.rem_euclid(DAY) * SECOND + instant.0.rem_euclid(SECOND);
                Moment { day: Some(second.div_euclid(DAY)), nanos }
            }
        }
    }

    fn offset(&mut self, minute: i64) -> i64 {
        match self.minute {
            Some((last, offset)) if last == minute => offset,
            _ => {
                let time = Timestamp::from_second(minute * 60).unwrap_or_default();
                let offset = self.zone.to_offset(time).seconds().into();
                self.minute = Some((minute, offset));
                offset
            }
        }
    }
}

impl Moment {
    /// `12:00:00.123`
    pub fn write(self, out: &mut Vec<u8>) {
        let millis = self.nanos / (SECOND / 1000);
        let seconds = millis / 1000;
        let mut text = *b"00:00:00.000";
        for (at, number) in
            [(0, seconds / 3600), (3, seconds / 60 % 60), (6, seconds % 60), (10, millis % 100)]
        {
            text[at] += (number / 10) as u8;
            text[at + 1] += (number % 10) as u8;
        }
        text[9] += (millis % 1000 / 100) as u8;
        out.extend_from_slice(&text);
    }
}

/// The date of a day since 1970-01-01.
pub fn date(day: i64) -> Date {
    let time = Timestamp::from_second(day.saturating_mul(DAY)).unwrap_or_default();
    TimeZone::UTC.to_datetime(time).date()
}

/// The time in a field; None: it cannot be understood.
pub fn of_field(field: &Field<'_, '_>) -> Option<Written> {
    match field.kind() {
        Kind::Number => number(field.raw()),
        Kind::String { .. } | Kind::Bare => text(field.raw()).or_else(|| number(field.raw())),
        Kind::Object => of_object(field),
        Kind::Null | Kind::Bool | Kind::Array => None,
    }
}

/// log4j's `{"epochSecond":1,"nanoOfSecond":0}`, MongoDB's `{"$date":…}`
fn of_object(field: &Field<'_, '_>) -> Option<Written> {
    let within = |key: &[u8]| field.fields().find(|field| *field.key() == *key);
    if let Some(date) = within(b"$date") {
        return of_field(&date);
    }
    let seconds = integer(within(b"epochSecond")?.raw())?;
    let nanos = within(b"nanoOfSecond").map_or(Some(0), |nanos| integer(nanos.raw()))?;
    Some(Written::Instant(Instant(seconds.checked_mul(SECOND)?.checked_add(nanos)?)))
}

fn integer(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// Since 1970, in seconds, milliseconds, microseconds or nanoseconds: its size tells. Exact, not by floating point.
fn number(text: &[u8]) -> Option<Written> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[..0]),
    };
    if whole.is_empty() || !text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let whole = integer(whole)?;
    let unit = match whole {
        // Since the start of the program, as a terminal of logrus shows it.
        ..100_000_000 => return None,
        100_000_000..100_000_000_000 => SECOND,
        100_000_000_000..100_000_000_000_000 => SECOND / 1000,
        100_000_000_000_000..100_000_000_000_000_000 => SECOND / 1_000_000,
        100_000_000_000_000_000.. => 1,
    };
    let (nanos, digits) = fraction_of(fraction, unit);
    if digits < fraction.len() {
        return None;
    }
    Some(Written::Instant(Instant(whole.checked_mul(unit)?.checked_add(nanos)?)))
}

/// The digits of a fraction as a part of `unit`, and how many there are.
fn fraction_of(digits: &[u8], unit: i64) -> (i64, usize) {
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut part = unit;
    let nanos = digits[..count].iter().fold(0, |nanos, digit| {
        part /= 10;
        nanos + i64::from(digit - b'0') * part
    });
    (nanos, count)
}

/// A date and a time, or one of both, in the forms of loggers.
pub fn text(text: &[u8]) -> Option<Written> {
    iso(text).or_else(|| Words::read(text))
}

/// `2026-01-31T12:00:00.123Z`, and its relatives: the usual form, read at once.
fn iso(text: &[u8]) -> Option<Written> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, d1, m1, m2, d2, n1, n2, sep, h1, h2, c1, i1, i2, c2, s1, s2] = *head;
    let digits = [y1, y2, y3, y4, m1, m2, n1, n2, h1, h2, i1, i2, s1, s2];
    if !digits.iter().all(u8::is_ascii_digit) || c1 != b':' || c2 != b':' || d1 != d2 {
        return None;
    }
    if !matches!(d1, b'-' | b'/') || !matches!(sep, b'T' | b't' | b' ' | b'_') {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let day = day(two(y1, y2) * 100 + two(y3, y4), two(m1, m2), two(n1, n2))?;
    let (nanos, rest) = fraction(rest);
    clock(two(h1, h2), two(i1, i2), two(s1, s2), nanos).and_then(|nanos| with_zone(Some(day), nanos, rest))
}

/// A fraction of a second, in nanoseconds, if there is one, and the rest.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    match text {
        [b'.' | b',', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
            let (nanos, count) = fraction_of(digits, SECOND);
            (nanos, &digits[count..])
        }
        _ => (0, text),
    }
}

fn clock(hour: i64, minute: i64, second: i64, nanos: i64) -> Option<i64> {
    // 60 is a leap second.
    (hour < 24 && minute < 60 && second <= 60)
        .then_some((hour * 3600 + minute * 60 + second) * SECOND + nanos)
}

/// The number of a day since 1970-01-01, by the proleptic Gregorian calendar.
fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // March is the first month, so that a leap day is the last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A date and time of day with what stands behind: an offset, the name of UTC, or nothing.
fn with_zone(day: Option<i64>, nanos: i64, zone: &[u8]) -> Option<Written> {
    let zone = zone.trim_ascii();
    let zone = zone.split(|byte| *byte == b'[').next().unwrap_or_default();
    let offset = match zone {
        b"Z" | b"z" | b"UTC" | b"GMT" => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let digits: Vec<i64> =
                rest.iter().filter(|byte| **byte != b':').map(|byte| i64::from(*byte) - 48).take(5).collect();
            if !digits.iter().all(|digit| (0..10).contains(digit)) {
                return None;
            }
            let minutes = match digits[..] {
                [h1, h2] => (h1 * 10 + h2) * 60,
                [h1, h2, m1, m2] => (h1 * 10 + h2) * 60 + m1 * 10 + m2,
                _ => return None,
            };
            if *sign == b'-' { -minutes * 60 } else { minutes * 60 }
        }
        b"" => return Some(Written::Clock { day, nanos }),
        // The name of a zone, such as KST: many mean several.
        name if name.iter().all(u8::is_ascii_uppercase) && name.len() <= 5 => {
            return Some(Written::Clock { day, nanos });
        }
        _ => return None,
    };
    // Without a date, an offset tells nothing.
    let Some(date) = day else { return Some(Written::Clock { day, nanos }) };
    let seconds = date.checked_mul(DAY)?.checked_sub(offset)?;
    Some(Written::Instant(Instant(seconds.checked_mul(SECOND)?.checked_add(nanos)?)))
}

/// A time that is read part by part: `15/Nov/2024:23:13:12 +0900`, `Sat Jan 31 12:00:00 2026`, `0131 12:00:00.5`.
#[derive(Default)]
struct Words {
    numbers: [Option<i64>; 3],
    month: Option<i64>,
    /// `0131` or `20260131`
    compact: Option<i64>,
    nanos: Option<i64>,
}

const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";

impl Words {
    fn read(text: &[u8]) -> Option<Written> {
        let mut words = Words::default();
        let mut rest = text.trim_ascii();
        while let [first, after @ ..] = rest {
            rest = match first {
                b'0'..=b'9' => words.number(rest)?,
                b'+' | b'Z' => break,
                b'-' if words.nanos.is_some() => break,
                b'a'..=b'z' | b'A'..=b'Z' => match words.word(rest)? {
                    Some(rest) => rest,
                    None => break,
                },
                b' ' | b'/' | b'-' | b',' | b':' | b'.' => after,
                _ => return None,
            };
        }
        with_zone(words.day()?, words.nanos?, rest)
    }

    /// A time of day, or a number of a date.
    fn number<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = integer(text.get(..count.min(8))?)?;
        let rest = &text[count..];
        if count <= 2 && self.nanos.is_none() && rest.first() == Some(&b':') {
            return self.clock(number, &rest[1..]);
        }
        if matches!(count, 4 | 8) && rest.first() == Some(&b' ') && self.is_without_date() {
            self.compact = Some(number);
            return Some(rest);
        }
        let free = self.numbers.iter_mut().find(|number| number.is_none());
        *free.filter(|_| matches!(count, 1 | 2 | 4))? = Some(number);
        Some(rest)
    }

    fn is_without_date(&self) -> bool {
        self.numbers[0].is_none() && self.month.is_none() && self.nanos.is_none()
    }

    /// The rest of a time of day, behind its hour.
    fn clock<'t>(&mut self, mut hour: i64, text: &'t [u8]) -> Option<&'t [u8]> {
        let two =
            |text: &[u8]| text.get(..2).filter(|text| text.iter().all(u8::is_ascii_digit)).and_then(integer);
        let minute = two(text)?;
        let mut rest = &text[2..];
        let mut second = 0;
        if let [b':', seconds @ ..] = rest {
            second = two(seconds)?;
            rest = &seconds[2..];
        }
        let (nanos, mut rest) = fraction(rest);
        let half = rest.trim_ascii_start();
        if let [half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', after @ ..] = half {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if half.eq_ignore_ascii_case(&b'p') { 12 } else { 0 };
            rest = after;
        }
        self.nanos = Some(clock(hour, minute, second, nanos)?);
        Some(rest)
    }

    /// The name of a month or of a weekday; the inner None: of a zone.
    fn word<'t>(&mut self, text: &'t [u8]) -> Option<Option<&'t [u8]>> {
        let count = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = text.split_at(count);
        if word == b"T" {
            return Some(Some(rest));
        }
        let name = word.get(..3)?.to_ascii_lowercase();
        if let Some(month) = MONTHS.chunks(3).position(|month| *month == *name) {
            self.month = Some(month as i64 + 1);
        } else if !b"montuewedthufrisatsun".chunks(3).any(|day| *day == *name) {
            return self.nanos.is_some().then_some(None);
        }
        Some(Some(rest))
    }

    /// The inner None: there is no date, or one without a year. The outer: it cannot be one.
    fn day(&self) -> Option<Option<i64>> {
        let date = match (self.compact, self.month, self.numbers) {
            (Some(date @ 10_000..), _, [None, ..]) => (date / 10_000, date / 100 % 100, date % 100),
            (_, None, [None, ..]) | (None, Some(_), [Some(1..=31), None, _]) => {
                return Some(None);
            }
            (None, Some(month), [Some(year @ 1000..), Some(of_month), None]) => (year, month, of_month),
            (None, Some(month), [Some(of_month), Some(year @ 1000..), None]) => (year, month, of_month),
            (None, None, [Some(year @ 1000..), Some(month), Some(of_month)]) => (year, month, of_month),
            _ => return None,
        };
        day(date.0, date.1, date.2).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(time: &str, zone: &str) -> String {
        let written = text(time.as_bytes()).or_else(|| number(time.as_bytes()));
        let Some(written) = written else { return "none".to_owned() };
        let moment = Zone::new(TimeZone::get(zone).unwrap()).show(written);
        let mut out = Vec::new();
        if let Some(day) = moment.day {
            out.extend(format!("{} ", date(day)).bytes());
        }
        moment.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_time_with_a_zone_is_shown_in_the_users() {
        for time in [
            "2026-01-31T12:00:00.123Z",
            "2026-01-31T21:00:00.123456789+09:00",
            "2026-01-31 21:00:00.123+0900",
            "2026-01-31 21:00:00,123 +09",
            "2026/01/31 12:00:00.123 UTC",
            "2026-01-31T12:00:00.123+00:00[UTC]",
            "31/Jan/2026:21:00:00.123 +0900",
            "Sat, 31 Jan 2026 12:00:00.123 GMT",
            "1769860800.123",
            "1769860800123",
            "1769860800123.5",
            "1769860800123456",
            "1769860800123456789",
        ] {
            assert_eq!(shown(time, "America/New_York"), "2026-01-31 07:00:00.123", "{time}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_shown_as_it_is() {
        for (time, expected) in [
            ("2026-01-31T12:00:00", "2026-01-31 12:00:00.000"),
            ("2026-01-31 12:00:00,123", "2026-01-31 12:00:00.123"),
            ("2026/01/31 - 12:00:00", "2026-01-31 12:00:00.000"),
            ("Sat Jan 31 12:00:00.5 2026", "2026-01-31 12:00:00.500"),
            ("31 Jan 2026 12:00:00.123", "2026-01-31 12:00:00.123"),
            ("20260131 12:00:00.123456", "2026-01-31 12:00:00.123"),
            ("2026-01-31 12:00:00.000 KST", "2026-01-31 12:00:00.000"),
            ("0131 12:00:00.123456", "12:00:00.123"),
            ("Jan 31 12:00:00", "12:00:00.000"),
            ("12:00:00.123", "12:00:00.123"),
            ("2:28PM", "14:28:00.000"),
            ("12:05 AM", "00:05:00.000"),
        ] {
            assert_eq!(shown(time, "Asia/Seoul"), expected, "{time}");
        }
    }

    #[test]
    fn a_text_that_is_no_time_is_none() {
        for time in [
            "",
            "soon",
            "12",
            "2026-01-31",
            "2026-13-01T00:00:00Z",
            "25:00:00",
            "1.2.3",
            "-5",
            "12:00:00 x y",
        ] {
            assert_eq!(shown(time, "UTC"), "none", "{time}");
        }
    }

    #[test]
    fn summer_time_begins_between_two_minutes() {
        let mut zone = Zone::new(TimeZone::get("Europe/Berlin").unwrap());
        for (second, hour) in [(1_774_745_999, 1), (1_774_746_000, 3), (1_774_745_999, 1)] {
            assert_eq!(zone.show(Written::Instant(Instant(second * SECOND))).nanos / SECOND / 3600, hour);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(second in 0_i64..9_000_000_000, nanos in 0..SECOND) {
            let time = Timestamp::new(second, nanos as i32).unwrap();
            let written = Written::Instant(Instant(second * SECOND + nanos));
            prop_assert_eq!(text(format!("{time:.9}").as_bytes()), Some(written));
            let before = Timestamp::new(-second, 0).unwrap();
            let written_before = Written::Instant(Instant(-second * SECOND));
            prop_assert_eq!(text(format!("{before}").as_bytes()), Some(written_before));
            let local = time.to_zoned(TimeZone::get("Asia/Kolkata").unwrap());
            let text_of = local.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
            prop_assert_eq!(text(text_of.as_bytes()), Some(written));
            let moment = Zone::new(TimeZone::get("Asia/Kolkata").unwrap()).show(written);
            let mut out = Vec::new();
            moment.write(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), local.strftime("%H:%M:%S.%3f").to_string());
            prop_assert_eq!(moment.day.map(date), Some(local.date()));
        }

        #[test]
        fn any_text_is_read_or_refused(text_of: Vec<u8>, digits in "[0-9T:., /+A-Za-z-]{0,30}") {
            let _ = text(&text_of);
            let _ = text(digits.as_bytes());
            let _ = number(digits.as_bytes());
        }
    }
}
