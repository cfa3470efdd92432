//! Durations as Go writes them (`1h30m`, `1.5h`, `300ms`), days and weeks.

use std::time::Duration;

const EXAMPLES: &str = "such as 30s, 10m, 1h30m or 2d";

/// The error is the rest of a sentence that begins with the flag's name.
pub fn parse(text: &str) -> Result<Duration, String> {
    if text.starts_with('-') {
        return Err(format!("\"{text}\" is negative; a duration is {EXAMPLES}"));
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    match nanoseconds(digits) {
        Ok(nanoseconds) => Ok(Duration::from_nanos(nanoseconds)),
        Err(Bad::NoUnit) => Err(format!("\"{text}\" has no unit; a duration is {EXAMPLES}")),
        Err(Bad::TooLong) => Err(format!("\"{text}\" is longer than 292 years; a duration is {EXAMPLES}")),
        Err(Bad::Syntax) => Err(format!("\"{text}\" is not a duration {EXAMPLES}")),
    }
}

/// Whether it is a duration, but for its length.
pub fn is_too_long(text: &str) -> bool {
    matches!(nanoseconds(text.strip_prefix('+').unwrap_or(text)), Err(Bad::TooLong))
}

enum Bad {
    Syntax,
    NoUnit,
    TooLong,
}

fn nanoseconds(text: &str) -> Result<u64, Bad> {
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(Bad::Syntax);
    }
    let mut rest = text;
    let mut total = 0_u128;
    while !rest.is_empty() {
        let (whole, after) = split(rest, |c| c.is_ascii_digit());
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split(after, |c| c.is_ascii_digit()),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(Bad::Syntax);
        }
        let (unit, after) = split(after, |c| c != '.' && !c.is_ascii_digit());
        let scale = match unit {
            "ns" => 1,
            // The micro sign and the Greek letter.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 7 * 86_400_000_000_000,
            "" => return Err(Bad::NoUnit),
            _ => return Err(Bad::Syntax),
        };
        // Beyond these digits a fraction of a day is below a nanosecond.
        let fraction = &fraction[..fraction.len().min(18)];
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Bad::TooLong)? };
        let parts: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| Bad::Syntax)? };
        total += u128::from(whole) * scale + parts * scale / 10_u128.pow(fraction.len() as u32);
        // Go holds durations in an i64; no log is older.
        if total > i64::MAX as u128 {
            return Err(Bad::TooLong);
        }
        rest = after;
    }
    u64::try_from(total).map_err(|_| Bad::TooLong)
}

fn split(text: &str, belongs: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> u128 {
        parse(text).unwrap().as_millis()
    }

    #[test]
    fn takes_what_go_takes() {
        assert_eq!(millis("1h30m"), 5_400_000);
        assert_eq!(millis("1.5h"), 5_400_000);
        assert_eq!(millis("300ms"), 300);
        assert_eq!(millis(".5s"), 500);
        assert_eq!(millis("1.s"), 1_000);
        assert_eq!(millis("+5s"), 5_000);
        assert_eq!(millis("0"), 0);
        assert_eq!(parse("100us").unwrap(), Duration::from_micros(100));
        assert_eq!(parse("100µs").unwrap(), Duration::from_micros(100));
        assert_eq!(parse("100μs").unwrap(), Duration::from_micros(100));
        assert_eq!(parse("7ns").unwrap(), Duration::from_nanos(7));
    }

    #[test]
    fn takes_days_and_weeks() {
        assert_eq!(millis("3d"), 259_200_000);
        assert_eq!(millis("1d12h"), 129_600_000);
        assert_eq!(millis("1w2d"), 777_600_000);
    }

    #[test]
    fn errors_name_the_fault() {
        for (text, word) in [
            ("", "not a duration"),
            ("xyz", "not a duration"),
            (".s", "not a duration"),
            ("1h ", "not a duration"),
            ("5mo", "not a duration"),
            ("1_000s", "not a duration"),
            ("5", "has no unit"),
            ("1h30", "has no unit"),
            ("-5m", "negative"),
            ("300y", "not a duration"),
            ("9999999h", "292 years"),
            ("99999999999999999999s", "292 years"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_long_fraction_does_not_overflow() {
        assert_eq!(parse("0.1234567890123456789012345678901234567890d").unwrap().as_secs(), 10_666);
    }
}
