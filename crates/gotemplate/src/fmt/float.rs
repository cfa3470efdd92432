//! Floats as text, by the rules of Go's `strconv.FormatFloat`.

/// More digits than any float has; Rust's formats take at most 65535.
const MAX_DIGITS: usize = 1100;

/// The digits of a number and the position of its point: `0.d1d2d3… × 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    /// From Rust's `d.ddde-x`, without trailing zeros.
    fn new(scientific: &str) -> Decimal {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Decimal { digits, point }
    }

    fn digit(&self, at: i32) -> u8 {
        usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(b'0')
    }

    fn scientific(&self, precision: i32, letter: u8, out: &mut Vec<u8>) {
        out.push(self.digit(0));
        if precision > 0 {
            out.push(b'.');
            out.extend((1..=precision).map(|at| self.digit(at)));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        out.extend_from_slice(&[letter, if exponent < 0 { b'-' } else { b'+' }]);
        out.extend_from_slice(format!("{:02}", exponent.abs()).as_bytes());
    }

    fn positional(&self, precision: i32, out: &mut Vec<u8>) {
        out.extend((0..self.point).map(|at| self.digit(at)));
        if self.point <= 0 {
            out.push(b'0');
        }
        if precision > 0 {
            out.push(b'.');
            out.extend((0..precision).map(|at| self.digit(self.point + at)));
        }
    }
}

/// Appends `value`, with a sign only if negative. `verb` is one of `b e E f g G x X`; `precision` None gives the
/// shortest text that parses to the same number.
pub fn append(value: f64, verb: u8, precision: Option<usize>, out: &mut Vec<u8>) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value < 0.0 { b"-Inf" } else { b"+Inf" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    let wanted = precision.map(|precision| i32::try_from(precision).unwrap_or(i32::MAX));
    match verb {
        b'b' => binary(value, out),
        b'x' | b'X' => hexadecimal(value, precision, verb, out),
        b'e' | b'E' => {
            let decimal = rounded(value, precision);
            let precision = wanted.unwrap_or(decimal.digits.len().max(1) as i32 - 1);
            decimal.scientific(precision, verb, out);
        }
        b'f' => match precision {
            // Rust rounds exactly and half to even, like Go.
            Some(precision) => {
                let known = precision.min(MAX_DIGITS);
                out.extend_from_slice(format!("{value:.known$}").as_bytes());
                out.resize(out.len() + precision - known, b'0');
            }
            None => {
                let decimal = rounded(value, None);
                decimal.positional((decimal.digits.len() as i32 - decimal.point).max(0), out);
            }
        },
        _ => general(value, wanted, verb, out),
    }
}

fn general(value: f64, wanted: Option<i32>, verb: u8, out: &mut Vec<u8>) {
    let wanted = wanted.map(|precision| precision.max(1));
    let decimal = rounded(value, wanted.map(|precision| precision as usize - 1));
    let len = decimal.digits.len() as i32;
    let precision = wanted.unwrap_or(len);
    let mut threshold = precision;
    if threshold > len && len >= decimal.point {
        threshold = len;
    }
    if wanted.is_none() {
        threshold = 6;
    }
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= threshold {
        decimal.scientific(precision.min(len) - 1, verb - (b'g' - b'e'), out);
    } else {
        let precision = if precision > decimal.point { len } else { precision };
        decimal.positional((precision - decimal.point).max(0), out);
    }
}

/// With this many digits after the first, or the fewest that identify the number.
fn rounded(value: f64, after_first: Option<usize>) -> Decimal {
    match after_first {
        Some(precision) => {
            let precision = precision.min(MAX_DIGITS);
            Decimal::new(&format!("{value:.precision$e}"))
        }
        None => Decimal::new(&format!("{value:e}")),
    }
}

/// Mantissa and exponent; the mantissa is an integer.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (exponent, mantissa) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if exponent == 0 { (mantissa, -1074) } else { (mantissa | 1 << 52, exponent - 1075) }
}

/// `4503599627370496p-52`
fn binary(value: f64, out: &mut Vec<u8>) {
    let (mantissa, exponent) = parts(value);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

/// `0x1.8p+00`
fn hexadecimal(value: f64, precision: Option<usize>, verb: u8, out: &mut Vec<u8>) {
    let (mut mantissa, mut exponent) = parts(value);
    exponent = if mantissa == 0 { 0 } else { exponent + 52 };
    // Moves the leading 1 to bit 60, so that 15 digits follow it.
    mantissa <<= 8;
    while mantissa != 0 && mantissa >> 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|&precision| precision < 15) {
        let shift = 60 - precision as u32 * 4;
        let extra = mantissa & ((1 << shift) - 1);
        mantissa >>= shift;
        if extra | (mantissa & 1) > 1 << (shift - 1) {
            mantissa += 1;
        }
        mantissa <<= shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut text = format!("0x{}", mantissa >> 60);
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => {
            let digits = digits.trim_end_matches('0');
            if !digits.is_empty() {
                text += ".";
                text += digits;
            }
        }
        Some(0) => {}
        Some(precision) => {
            text += ".";
            text += &digits[..precision.min(15)];
            text.extend(std::iter::repeat_n('0', precision.saturating_sub(15)));
        }
    }
    text += &format!("p{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    if verb == b'X' {
        text.make_ascii_uppercase();
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_in_go() {
        for (value, verb, precision, expected) in [
            (1700000000.5, b'g', None, "1.7000000005e+09"),
            (3.0, b'g', None, "3"),
            (100000.0, b'g', None, "100000"),
            (1e6, b'g', None, "1e+06"),
            (123456.0, b'g', None, "123456"),
            (0.0001, b'g', None, "0.0001"),
            (0.00001, b'G', None, "1E-05"),
            (0.0, b'g', None, "0"),
            (-0.0, b'e', Some(2), "-0.00e+00"),
            (1e21, b'f', None, "1000000000000000000000"),
            (2.5, b'f', Some(0), "2"),
            (1234.5678, b'g', Some(3), "1.23e+03"),
            (100.0, b'g', Some(3), "100"),
            (1.5, b'b', None, "6755399441055744p-52"),
            (1.5, b'x', None, "0x1.8p+00"),
            (1.999, b'x', Some(1), "0x1.0p+01"),
            (0.1, b'X', Some(3), "0X1.99AP-04"),
            (f64::NAN, b'g', None, "NaN"),
            (f64::NEG_INFINITY, b'f', Some(2), "-Inf"),
        ] {
            let mut out = Vec::new();
            append(value, verb, precision, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{value} {}", char::from(verb));
        }
    }
}
