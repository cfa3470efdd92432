//! Numbers, durations and sizes as logs write them, compared exactly: never as floating point.

use std::cmp::Ordering;

/// A decimal number of any length, as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Decimal<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i32,
}

/// No number that is compared has a larger exponent.
const FARTHEST: i32 = 1_000_000;

impl<'t> Decimal<'t> {
    /// None: the text is no number.
    pub fn parse(text: &'t [u8]) -> Option<Decimal<'t>> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            rest => (&[][..], rest),
        };
        let exponent = match rest {
            [] => Some(0),
            [b'e' | b'E', rest @ ..] => exponent(rest),
            _ => None,
        };
        (!whole.is_empty() || !fraction.is_empty()).then_some(())?;
        Some(Decimal { negative, whole, fraction, exponent: exponent? })
    }

    /// The number times this power of ten.
    pub fn shifted(self, by: i32) -> Decimal<'t> {
        Decimal { exponent: self.exponent.saturating_add(by), ..self }
    }

    /// Its digits from the first that is not 0, and the place of the point behind that; None for 0.
    fn significant(&self) -> Option<(i64, impl Iterator<Item = u8> + use<'t>)> {
        let digits = self.whole.iter().chain(self.fraction).copied();
        let zeros = digits.clone().take_while(|digit| *digit == b'0').count();
        let any = zeros < self.whole.len() + self.fraction.len();
        let point = self.whole.len() as i64 - zeros as i64 + i64::from(self.exponent);
        any.then(|| (point, digits.skip(zeros)))
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        let ((point, mut digits), (other_point, mut others)) = match (self.significant(), other.significant())
        {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(this), Some(other)) => (this, other),
        };
        let mut order = point.cmp(&other_point);
        while order.is_eq() {
            order = match (digits.next(), others.next()) {
                (None, None) => break,
                (one, other) => one.unwrap_or(b'0').cmp(&other.unwrap_or(b'0')),
            };
        }
        order
    }

    pub fn compare(&self, other: &Decimal) -> Ordering {
        let is_negative = |number: &Decimal| number.negative && number.significant().is_some();
        match (is_negative(self), is_negative(other)) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let ([_, ..], []) = digits(rest) else { return None };
    let value = rest.iter().fold(0, |value: i32, digit| (value * 10 + i32::from(digit - b'0')).min(FARTHEST));
    Some(if negative { -value } else { value })
}

/// The digits at the start, and what follows them.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Time,
    Bytes,
}

/// Seconds or bytes, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub measure: Measure,
    pub billionths: i128,
}

/// The power of ten of [`Quantity::billionths`].
pub const BILLIONTHS: i32 = -9;

const UNITS_OF_TIME: [(&str, i128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    // The micro sign and the Greek letter.
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 7 * 86_400_000_000_000),
];

const ISO_UNITS: [(&str, i128); 5] = [
    ("D", 86_400_000_000_000),
    ("W", 7 * 86_400_000_000_000),
    ("H", 3_600_000_000_000),
    ("M", 60_000_000_000),
    ("S", 1_000_000_000),
];

const UNITS_OF_BYTES: [(&str, i128); 10] = [
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("Ki", 1 << 10),
    ("ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
];

impl Quantity {
    pub fn parse(text: &[u8]) -> Option<Quantity> {
        Quantity::duration(text).or_else(|| Quantity::size(text))
    }

    /// `1h30m`, `-1.5s`, `12 ms`, `PT1.5S`, `P1DT2H`
    pub fn duration(text: &[u8]) -> Option<Quantity> {
        let (sign, rest) = signed(text);
        let billionths = match rest {
            [b'P', b'T', time @ ..] => sum(time, &ISO_UNITS[2..])?,
            [b'P', rest @ ..] => match rest.iter().position(|byte| *byte == b'T') {
                None => sum(rest, &ISO_UNITS[..2])?,
                Some(at) => {
                    sum(&rest[..at], &ISO_UNITS[..2])?.checked_add(sum(&rest[at + 1..], &ISO_UNITS[2..])?)?
                }
            },
            rest => sum(rest, &UNITS_OF_TIME)?,
        };
        Some(Quantity { measure: Measure::Time, billionths: sign * billionths })
    }

    /// `20MB`, `1.5Gi`, `64 KiB`, `100B`
    pub fn size(text: &[u8]) -> Option<Quantity> {
        let (sign, rest) = signed(text);
        let (number, unit) = number(rest)?;
        let scale = match unit {
            b"B" => 1,
            _ => scale(unit.strip_suffix(b"B").unwrap_or(unit), &UNITS_OF_BYTES)?,
        };
        let billionths = number.checked_mul(scale)?;
        Some(Quantity { measure: Measure::Bytes, billionths: sign * billionths })
    }
}

fn signed(text: &[u8]) -> (i128, &[u8]) {
    match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    }
}

/// Numbers, each with a unit.
fn sum(mut text: &[u8], units: &[(&str, i128)]) -> Option<i128> {
    let mut total = 0_i128;
    loop {
        let (number, rest) = number(text)?;
        let end = rest.iter().position(|byte| *byte == b'.' || byte.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        // In units of seconds: billionths of billionths would have no room for weeks.
        total = total.checked_add(number.checked_mul(scale(unit, units)?)? / 1_000_000_000)?;
        if rest.is_empty() {
            return Some(total);
        }
        text = rest;
    }
}

fn scale(unit: &[u8], units: &[(&str, i128)]) -> Option<i128> {
    units.iter().find(|(name, _)| name.as_bytes() == unit).map(|(_, scale)| *scale)
}

/// A number at the start in billionths, and what follows it and a blank.
fn number(text: &[u8]) -> Option<(i128, &[u8])> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => digits(rest),
        rest => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() || whole.len() > 20 {
        return None;
    }
    let value =
        |digits: &[u8]| digits.iter().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    let fraction = &fraction[..fraction.len().min(9)];
    let billionths = value(fraction) * 10_i128.pow(9 - fraction.len() as u32);
    Some((value(whole) * 1_000_000_000 + billionths, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// The unit that the key of a number names, as `duration_ms` and `bodyBytes` do: the power of ten of its seconds or
/// bytes.
pub fn unit_of(key: &[u8]) -> Option<(Measure, i32)> {
    let last = last_word(key);
    let is = |words: &[&str]| words.iter().any(|word| last.eq_ignore_ascii_case(word.as_bytes()));
    let is_whole = last.len() == key.len();
    let exponent = match () {
        // These alone are other things: a level, a country.
        () if is_whole && is(&["s", "ns", "us"]) => return None,
        () if is(&["ns", "nsec", "nanos", "nanoseconds"]) => -9,
        () if is(&["us", "usec", "micros", "microseconds"]) => -6,
        () if is(&["ms", "msec", "millis", "milliseconds"]) => -3,
        // `durationS` is no usual name, and `isHTTPS` is no duration.
        () if last == b"s" || is(&["sec", "secs", "second", "seconds"]) => 0,
        () if is(&["bytes"]) || has_bytes(key) => return Some((Measure::Bytes, 0)),
        () => return None,
    };
    Some((Measure::Time, exponent))
}

fn last_word(key: &[u8]) -> &[u8] {
    let is_border = |at: usize| match key[at - 1] {
        b'_' | b'-' | b'.' => true,
        before => key[at].is_ascii_uppercase() && !before.is_ascii_uppercase(),
    };
    let start = (1..key.len()).rev().find(|at| is_border(*at)).unwrap_or(0);
    &key[start..]
}

/// `bytes_sent`, `body_bytes_in`
fn has_bytes(key: &[u8]) -> bool {
    key.split(|byte| b"_-.".contains(byte)).any(|word| word == b"bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(one: &str, other: &str) -> Ordering {
        let decimal = |text: &'static str| Decimal::parse(text.as_bytes()).unwrap();
        let leak = |text: &str| &*text.to_owned().leak();
        decimal(leak(one)).compare(&decimal(leak(other)))
    }

    #[test]
    fn numbers_are_compared_as_they_are_written() {
        for equal in [
            ["1", "1.0"],
            ["0", "-0.00"],
            ["1e3", "1000"],
            ["007", "7"],
            [".5", "0.5"],
            ["5.", "5"],
            ["1200E-2", "12"],
            ["0e5", "0"],
        ] {
            assert_eq!(compared(equal[0], equal[1]), Ordering::Equal, "{equal:?}");
        }
        for [small, large] in [
            ["1", "2"],
            ["9", "10"],
            ["-2", "-1"],
            ["-1", "0"],
            ["12345678901234567890123", "12345678901234567890124"],
            ["9007199254740992", "9007199254740993"],
            ["0.1", "0.10000000000000000000001"],
            ["1e999999", "1e1000000"],
            ["1e-5", "1e-4"],
        ] {
            assert_eq!(compared(small, large), Ordering::Less, "{small} {large}");
            assert_eq!(compared(large, small), Ordering::Greater, "{small} {large}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in ["", ".", "-", "1x", "0x10", "1e", "1e+", "1_000", "1,5", "NaN", "--1", " 1", "e5"] {
            assert!(Decimal::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    fn billionths(text: &str) -> Option<i128> {
        Quantity::parse(text.as_bytes()).map(|quantity| quantity.billionths)
    }

    #[test]
    fn durations_are_those_of_go_and_of_iso_8601() {
        let second = 1_000_000_000;
        for (text, duration) in [
            ("1.5s", 3 * second / 2),
            ("12ms", 12_000_000),
            ("12 ms", 12_000_000),
            ("1h30m", 5_400 * second),
            ("2.5µs", 2_500),
            ("-1m", -60 * second),
            ("1d", 86_400 * second),
            ("PT1.5S", 3 * second / 2),
            ("P1DT2H", 93_600 * second),
            ("P2W", 1_209_600 * second),
            ("0s", 0),
        ] {
            assert_eq!(billionths(text), Some(duration), "{text}");
        }
        for text in
            ["", "s", "1", "1.5", "1h30", "12mss", "P", "PT", "1D", "P1M", "1s1", "99999999999999999999999s"]
        {
            assert_eq!(Quantity::duration(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_those_of_kubernetes_with_or_without_b() {
        let byte = 1_000_000_000;
        for (text, size) in [
            ("20MB", 20_000_000 * byte),
            ("20M", 20_000_000 * byte),
            ("1.5Gi", 1_610_612_736 * byte),
            ("64 KiB", 65_536 * byte),
            ("7B", 7 * byte),
            ("0.5B", byte / 2),
        ] {
            assert_eq!(billionths(text), Some(size), "{text}");
        }
        for text in ["", "B", "1", "1BB", "1Mb", "1 B B", "1x"] {
            assert_eq!(Quantity::size(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_key_names_the_unit_of_its_number() {
        for (key, exponent) in [
            ("duration_ms", -3),
            ("durationMs", -3),
            ("elapsed-seconds", 0),
            ("ms", -3),
            ("took_s", 0),
            ("timeNanos", -9),
            ("grpc.time_ms", -3),
            ("latency_us", -6),
        ] {
            assert_eq!(unit_of(key.as_bytes()), Some((Measure::Time, exponent)), "{key}");
        }
        for key in ["response_bytes", "bytes", "bodyBytes", "bytes_sent"] {
            assert_eq!(unit_of(key.as_bytes()), Some((Measure::Bytes, 0)), "{key}");
        }
        for key in ["", "s", "us", "duration", "items", "isHTTPS", "status", "atoms", "_"] {
            assert_eq!(unit_of(key.as_bytes()), None, "{key}");
        }
    }
}
