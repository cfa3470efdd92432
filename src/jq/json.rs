//! Values as compact JSON, numbers as jq writes them.

use std::io::{Error, ErrorKind, Result, Write};

use jaq_json::{Num, Val, write};

/// The longest text of a value: a short one may have a very long text, if its parts are shared.
pub const LONGEST: usize = 16 << 20;

/// Appends a value. Err: it is too long.
pub fn append(value: &Val, out: &mut Vec<u8>) -> Result<()> {
    let most = out.len() + LONGEST;
    to(value, &mut Bounded { out, most })
}

struct Bounded<'o> {
    out: &'o mut Vec<u8>,
    most: usize,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.out.len() + bytes.len() > self.most {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn to(value: &Val, out: &mut Bounded) -> Result<()> {
    match value {
        Val::Num(Num::Float(number)) => out.write_all(float(*number).as_bytes()),
        Val::BStr(bytes) => to(&Val::utf8_str(bytes.to_vec()), out),
        Val::Arr(items) => {
            out.write_all(b"[")?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.write_all(b",")?;
                }
                to(item, out)?;
            }
            out.write_all(b"]")
        }
        Val::Obj(map) => {
            out.write_all(b"{")?;
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.write_all(b",")?;
                }
                match key {
                    Val::TStr(_) | Val::BStr(_) => to(key, out)?,
                    key => {
                        let mut text = Vec::new();
                        append(key, &mut text)?;
                        to(&Val::utf8_str(text), out)?;
                    }
                }
                out.write_all(b":")?;
                to(value, out)?;
            }
            out.write_all(b"}")
        }
        value => write::write(out, &write::Pp::<String>::default(), 0, value),
    }
}

/// As jq writes it: `2`, `0.5`, `1e+17`.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "null".to_owned();
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    let text = format!("{:e}", number.abs());
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<isize>().unwrap_or_default() + 1;
    let len = digits.len() as isize;
    if point <= -4 || point > len + 15 {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent_sign = if point > 0 { '+' } else { '-' };
        format!("{sign}{first}{dot}{rest}e{exponent_sign}{:02}", (point - 1).abs())
    } else if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs()))
    } else if point >= len {
        format!("{sign}{digits}{}", "0".repeat((point - len).unsigned_abs()))
    } else {
        let (whole, fraction) = digits.split_at(point.unsigned_abs());
        format!("{sign}{whole}.{fraction}")
    }
}
