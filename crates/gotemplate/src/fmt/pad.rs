//! Text, numbers and characters with the flags, width and precision of a verb.

use super::{
    super::{quote, utf8},
    float,
};

/// The flags between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags {
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%+v`: names of fields.
    pub plus_v: bool,
    /// `%#v`: Go syntax.
    pub sharp_v: bool,
}

impl Flags {
    fn fill(&self, count: usize, out: &mut Vec<u8>) {
        // Zeros are added only on the left.
        let fill = if self.zero && !self.minus { b'0' } else { b' ' };
        out.resize(out.len() + count, fill);
    }

    /// `text` unchanged, padded to the width.
    pub fn pad(&self, text: &[u8], out: &mut Vec<u8>) {
        let missing = self.width.map_or(0, |width| width.saturating_sub(utf8::count(text)));
        if !self.minus {
            self.fill(missing, out);
        }
        out.extend_from_slice(text);
        if self.minus {
            self.fill(missing, out);
        }
    }

    fn pad_with_spaces(&self, text: &[u8], out: &mut Vec<u8>) {
        Flags { zero: false, ..*self }.pad(text, out);
    }

    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        self.precision.map_or(text, |precision| utf8::truncate(text, precision))
    }

    /// `%s`
    pub fn string(&self, text: &[u8], out: &mut Vec<u8>) {
        self.pad(self.truncated(text), out);
    }

    /// `%q`
    pub fn quoted(&self, text: &[u8], out: &mut Vec<u8>) {
        let text = self.truncated(text);
        let mut quoted = Vec::with_capacity(text.len() + 2);
        if self.sharp && quote::can_backquote(text) {
            quoted.push(b'`');
            quoted.extend_from_slice(text);
            quoted.push(b'`');
        } else {
            quote::quote(text, '"', self.plus, &mut quoted);
        }
        self.pad(&quoted, out);
    }

    /// `%x` of text.
    pub fn hex(&self, text: &[u8], upper: bool, out: &mut Vec<u8>) {
        let text = &text[..text.len().min(self.precision.unwrap_or(usize::MAX))];
        let (prefix, digits): (&[u8], &[u8; 16]) =
            if upper { (b"0X", b"0123456789ABCDEF") } else { (b"0x", b"0123456789abcdef") };
        let mut hex = Vec::with_capacity(text.len() * 2);
        for (i, byte) in text.iter().enumerate() {
            if self.space && i > 0 {
                hex.push(b' ');
            }
            if self.sharp && (self.space || i == 0) {
                hex.extend_from_slice(prefix);
            }
            hex.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.pad(&hex, out);
    }

    /// `%c`
    pub fn character(&self, code: u64, out: &mut Vec<u8>) {
        self.pad(rune(code).encode_utf8(&mut [0; 4]).as_bytes(), out);
    }

    /// `%q` of a number.
    pub fn quoted_character(&self, code: u64, out: &mut Vec<u8>) {
        let mut quoted = Vec::new();
        quote::quote(rune(code).encode_utf8(&mut [0; 4]).as_bytes(), '\'', self.plus, &mut quoted);
        self.pad(&quoted, out);
    }

    /// `%U`
    pub fn unicode(&self, code: u64, out: &mut Vec<u8>) {
        let digits = format!("{code:X}");
        let zeros = self.precision.unwrap_or(0).max(4).saturating_sub(digits.len());
        let mut text = format!("U+{}{digits}", "0".repeat(zeros));
        let printable =
            u32::try_from(code).ok().and_then(char::from_u32).filter(|&char| utf8::is_print(char));
        if let Some(char) = printable.filter(|_| self.sharp) {
            text += &format!(" '{char}'");
        }
        self.pad_with_spaces(text.as_bytes(), out);
    }

    /// An integer of this absolute size and sign; `verb` gives base and case.
    pub fn integer(&self, size: u64, negative: bool, verb: char, out: &mut Vec<u8>) {
        if self.precision == Some(0) && size == 0 {
            // No digits, but padded to the width.
            return self.pad_with_spaces(b"", out);
        }
        let digits = match verb {
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            _ => size.to_string(),
        };
        let sign: &[u8] = match () {
            () if negative => b"-",
            () if self.plus => b"+",
            () if self.space => b" ",
            () => b"",
        };
        let least = match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let zeros = least.saturating_sub(digits.len());
        let mut text = sign.to_vec();
        match verb {
            'O' => text.extend_from_slice(if self.sharp && zeros == 0 && size != 0 { b"0o0" } else { b"0o" }),
            _ if !self.sharp => {}
            'b' => text.extend_from_slice(b"0b"),
            'o' if zeros == 0 && size != 0 => text.push(b'0'),
            'x' => text.extend_from_slice(b"0x"),
            'X' => text.extend_from_slice(b"0X"),
            _ => {}
        }
        text.resize(text.len() + zeros, b'0');
        text.extend_from_slice(digits.as_bytes());
        self.pad_with_spaces(&text, out);
    }

    /// A float; `precision` is the verb's default.
    pub fn float(&self, value: f64, verb: u8, precision: Option<usize>, out: &mut Vec<u8>) {
        let precision = self.precision.or(precision);
        let mut text = Vec::new();
        float::append(value, verb, precision, &mut text);
        if !matches!(text[0], b'-' | b'+') {
            text.insert(0, b'+');
        }
        if self.space && text[0] == b'+' && !self.plus {
            text[0] = b' ';
        }
        if !value.is_finite() {
            let signed = value.is_infinite() || self.space || self.plus;
            return self.pad_with_spaces(if signed { &text } else { &text[1..] }, out);
        }
        if self.sharp && verb != b'b' {
            keep_point_and_zeros(&mut text, verb, precision);
        }
        if !self.plus && text[0] == b'+' {
            return self.pad(&text[1..], out);
        }
        let width = self.width.unwrap_or(0);
        if self.zero && !self.minus && width > text.len() {
            // The sign goes before the zeros.
            out.push(text[0]);
            self.fill(width - text.len(), out);
            return out.extend_from_slice(&text[1..]);
        }
        self.pad(&text, out);
    }
}

/// `%#g`: always has a point, and zeros up to the precision.
fn keep_point_and_zeros(text: &mut Vec<u8>, verb: u8, precision: Option<usize>) {
    let mut digits = match verb {
        b'g' | b'G' | b'x' => precision.map_or(6, |precision| precision as i64),
        _ => 0,
    };
    let hex = matches!(verb, b'x' | b'X');
    let tail_at = text
        .iter()
        .position(|byte| matches!(byte, b'p' | b'P') || !hex && matches!(byte, b'e' | b'E'))
        .unwrap_or(text.len());
    let tail = text.split_off(tail_at);
    let mut nonzero = false;
    for &byte in &text[1..] {
        nonzero |= byte != b'.' && byte != b'0';
        if byte != b'.' && nonzero {
            digits -= 1;
        }
    }
    if !text.contains(&b'.') {
        if text[1..] == *b"0" {
            digits -= 1;
        }
        text.push(b'.');
    }
    text.resize(text.len() + usize::try_from(digits).unwrap_or(0), b'0');
    text.extend_from_slice(&tail);
}

fn rune(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
