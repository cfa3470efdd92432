//! Number constants: one text, and all types that it can have.

use super::quote;

/// A constant has every type that can hold its value, until it is used for a parameter.
#[derive(Debug, Clone)]
pub struct Number {
    pub text: Box<str>,
    pub int: Option<i64>,
    pub float: Option<f64>,
}

impl Number {
    /// A character constant, quotes included.
    pub fn character(text: &str) -> Result<Number, String> {
        let code = quote::unquote_char(text.as_bytes())?;
        Ok(Number { text: text.into(), int: Some(code.into()), float: Some(code.into()) })
    }

    pub fn parse(text: &str) -> Result<Number, String> {
        if text.ends_with('i') {
            return Err(format!("complex constants are not supported: {}", quote::quoted(text.as_bytes())));
        }
        let mut int = parse_int(text);
        let mut float = int.map(|int| int as f64);
        if int.is_none() && parse_uint(text).is_some() {
            return Err(format!("{text} overflows int"));
        }
        if int.is_none() {
            float = parse_float(text);
            if float.is_some() && !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", quote::quoted(text.as_bytes())));
            }
            int = float.and_then(whole);
        }
        if int.is_none() && float.is_none() {
            return Err(format!("illegal number syntax: {}", quote::quoted(text.as_bytes())));
        }
        Ok(Number { text: text.into(), int, float })
    }

    /// Whether its syntax makes it a float if no other type is required.
    pub fn is_float(&self) -> bool {
        let hex = self.text.len() > 2
            && (self.text.starts_with("0x") || self.text.starts_with("0X"))
            && !self.text.contains(['p', 'P']);
        self.float.is_some()
            && !hex
            && !self.text.starts_with('\'')
            && self.text.contains(['.', 'e', 'E', 'p', 'P'])
    }
}

fn whole(float: f64) -> Option<i64> {
    let fits = (-(2f64.powi(63))..2f64.powi(63)).contains(&float);
    (fits && float.fract() == 0.0).then_some(float as i64)
}

/// Go's `strconv.ParseInt` with the base given by the prefix.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let size = parse_uint(digits)?;
    if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn parse_uint(text: &str) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    let plain = digits.replace('_', "");
    let well_formed = underscores_separate(text) && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if well_formed { u64::from_str_radix(&plain, base).ok() } else { None }
}

/// Underscores must be between digits, or between a prefix and a digit.
fn underscores_separate(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let (_, text) = sign(text);
    let bytes = text.as_bytes();
    let prefixed = matches!(bytes, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let is_digit =
        |i: usize| bytes.get(i).is_some_and(|byte| byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit());
    (0..bytes.len()).filter(|&i| bytes[i] == b'_').all(|i| {
        let before = i > 0 && (is_digit(i - 1) || prefixed && i == 2);
        before && is_digit(i + 1)
    })
}

fn parse_float(text: &str) -> Option<f64> {
    if !underscores_separate(text) {
        return None;
    }
    let plain = text.replace('_', "");
    let (negative, size) = sign(&plain);
    let float = match size.strip_prefix("0x").or_else(|| size.strip_prefix("0X")) {
        Some(hex) => parse_hex(hex)?,
        // Rust would also accept words such as `inf`, but no number begins with a letter here.
        None => size.parse().ok()?,
    };
    f64::is_finite(float).then_some(if negative { -float } else { float })
}

/// `1.8p3`
fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for (i, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let shift = if i < whole.len() { 0 } else { 4 };
        if value >> 59 == 0 {
            value = value << 4 | digit;
            exponent = exponent.checked_sub(shift)?;
        } else {
            // Below the precision; only its effect on rounding counts.
            value |= u64::from(digit != 0);
            exponent = exponent.checked_add(4 - shift)?;
        }
    }
    Some(value as f64 * 2f64.powi(exponent.clamp(-1200, 1200)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_value() {
        for (text, int) in [
            ("0", 0),
            ("-2", -2),
            ("+7", 7),
            ("0x1F", 31),
            ("0b101", 5),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("0x_ff", 255),
            ("1e3", 1000),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(Number::parse(text).unwrap().int, Some(int), "{text}");
        }
        for (text, float) in [("1.5", 1.5), (".5", 0.5), ("1e-3", 0.001), ("0x1.8p1", 3.0), ("-1_0.5", -10.5)]
        {
            assert_eq!(Number::parse(text).unwrap().float, Some(float), "{text}");
        }
    }

    #[test]
    fn the_syntax_decides_which_numbers_are_floats() {
        assert!(["3.0", "1e3", "0x1p4"].iter().all(|text| Number::parse(text).unwrap().is_float()));
        assert!(!["3", "0xe", "0x1E"].iter().any(|text| Number::parse(text).unwrap().is_float()));
        assert!(!Number::character("'e'").unwrap().is_float());
    }

    #[test]
    fn malformed_numbers_are_refused() {
        for text in ["0x", "1__0", "1_", "_1", "0x1.8", "+", "1e400", "0b2", "1e"] {
            assert_eq!(
                Number::parse(text).unwrap_err(),
                format!("illegal number syntax: {text:?}"),
                "{text}"
            );
        }
        assert!(Number::parse("089").unwrap_err().starts_with("integer overflow"));
        assert!(Number::parse("99999999999999999999").unwrap_err().starts_with("integer overflow"));
        assert!(Number::parse("2i").unwrap_err().starts_with("complex"));
    }
}
