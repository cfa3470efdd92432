//! Texts and values as they are shown: a value bare or as a JSON string, so that it can be read back; no byte of either
//! steers a terminal.

use crate::{render::color::Style, shown::is_hidden};

/// The kinds of bytes, as far as they matter here.
mod class {
    /// Drawn, and needs no quotes.
    pub const PLAIN: u8 = 0;
    /// Drawn, but its value needs quotes.
    pub const QUOTED: u8 = 1;
    /// A backslash: in quotes it needs an escape.
    pub const BACKSLASH: u8 = 2;
    /// Not drawn, or a quote: needs an escape.
    pub const ESCAPED: u8 = 4;
    /// A part of a character that is not ASCII.
    pub const WIDE: u8 = 8;
}

const CLASSES: [u8; 256] = {
    let mut table = [class::PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=0x1f | 0x7f | b'"' => class::ESCAPED,
            b' ' | b'=' | b'[' | b']' | b'{' | b'}' | b',' => class::QUOTED,
            b'\\' => class::BACKSLASH,
            0x80.. => class::WIDE,
            _ => class::PLAIN,
        };
        byte += 1;
    }
    table
};

/// All kinds of bytes in a text.
#[inline]
fn classes(text: &[u8]) -> u8 {
    text.iter().fold(class::PLAIN, |all, byte| all | CLASSES[usize::from(*byte)])
}

/// Whether a text is bare as a value, and ASCII.
#[inline]
pub fn is_plain(text: &[u8]) -> bool {
    classes(text) & !class::BACKSLASH == 0 && !text.is_empty()
}

/// Appends a value: bare, or as a JSON string if it could be misread.
#[inline]
pub fn write_value(text: &[u8], escape: &Style, out: &mut Vec<u8>) {
    if is_plain(text) {
        return out.extend_from_slice(text);
    }
    let classes = classes(text);
    if classes & !class::QUOTED == 0 {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
    if classes & !(class::BACKSLASH | class::WIDE) == 0 && is_bare(text) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    write_escaped(text, Escapes::Json, escape, out);
    out.push(b'"');
}

/// Whether all characters are drawn and none is blank.
fn is_bare(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| !text.chars().any(|c| is_hidden(c) || c.is_whitespace()))
}

/// The forms of characters that are not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// In a JSON string: `\u001b`, `\n`, `\"`.
    Json,
    /// In a text: `\x1b`, `\n`, but tabs and quotes as they are.
    Text,
}

/// Appends a text. Characters that are not drawn are shown escaped; bytes that are not UTF-8 stay.
#[inline]
pub fn write_text(text: &[u8], escape: &Style, out: &mut Vec<u8>) {
    if classes(text) & (class::ESCAPED | class::WIDE) == 0 {
        return out.extend_from_slice(text);
    }
    write_escaped(text, Escapes::Text, escape, out);
}

fn write_escaped(text: &[u8], escapes: Escapes, escape: &Style, out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid();
        let mut plain = 0;
        for (at, c) in valid.char_indices() {
            let is_drawn = match escapes {
                Escapes::Json => !matches!(c, '"' | '\\') && !is_hidden(c),
                Escapes::Text => c == '\t' || !is_hidden(c),
            };
            if is_drawn {
                continue;
            }
            out.extend_from_slice(&valid.as_bytes()[plain..at]);
            plain = at + c.len_utf8();
            write_escape(c, escapes, escape, out);
        }
        out.extend_from_slice(&valid.as_bytes()[plain..]);
        out.extend_from_slice(chunk.invalid());
    }
}

fn write_escape(c: char, escapes: Escapes, style: &Style, out: &mut Vec<u8>) {
    let short = match c {
        '"' => Some(b'"'),
        '\\' => Some(b'\\'),
        '\n' => Some(b'n'),
        '\r' => Some(b'r'),
        '\t' => Some(b't'),
        '\x08' if escapes == Escapes::Json => Some(b'b'),
        '\x0c' if escapes == Escapes::Json => Some(b'f'),
        _ => None,
    };
    if let Some(short) = short {
        return out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(style.open.as_bytes());
    match (u32::from(c), escapes) {
        (code @ ..=0xff, Escapes::Text) => hex(b'x', code, 2, out),
        (code @ ..=0xffff, _) => hex(b'u', code, 4, out),
        (code, Escapes::Text) => hex(b'U', code, 8, out),
        (_, Escapes::Json) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                hex(b'u', (*unit).into(), 4, out);
            }
        }
    }
    out.extend_from_slice(style.close.as_bytes());
}

fn hex(letter: u8, code: u32, digits: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'\\', letter]);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(code >> (4 * digit) & 0xf) as usize]);
    }
}

/// Appends JSON without the blanks between its parts.
pub fn write_compact(json: &[u8], escape: &Style, out: &mut Vec<u8>) {
    let (mut in_string, mut start) = (false, 0);
    let mut flush = |end: usize, start: &mut usize, next: usize| {
        let part = &json[*start..end];
        *start = next;
        if part.is_ascii() && !part.iter().any(u8::is_ascii_control) {
            return out.extend_from_slice(part);
        }
        // Characters that are not drawn can only stand in strings.
        let mut rest = part;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            write_escaped(&rest[..at], Escapes::Json, escape, out);
            out.push(rest[at]);
            rest = &rest[at + 1..];
        }
        write_escaped(rest, Escapes::Json, escape, out);
    };
    let mut at = 0;
    while at < json.len() {
        match json[at] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => flush(at, &mut start, at + 1),
            _ => {}
        }
        at += 1;
    }
    flush(json.len(), &mut start, json.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_value(text, &Style::default(), &mut out);
        out
    }

    #[test]
    fn a_value_is_bare_unless_it_could_be_misread() {
        for (text, shown) in [
            ("A-17", "A-17"),
            ("", r#""""#),
            ("/pay now", r#""/pay now""#),
            ("a=b", r#""a=b""#),
            ("[x]", r#""[x]""#),
            ("a,b", r#""a,b""#),
            (r"C:\dir", r"C:\dir"),
            (r"C:\my dir", r#""C:\\my dir""#),
            ("say \"hi\"", r#""say \"hi\"""#),
            ("a\nb\tc\r\u{8}", r#""a\nb\tc\r\b""#),
            ("\u{1b}[31m", r#""\u001b[31m""#),
            ("주문", "주문"),
            ("주문 1", "\"주문 1\""),
            ("a\u{a0}b", "\"a\u{a0}b\""),
            ("a\u{202e}b\u{9b}\u{7f}", r#""a\u202eb\u009b\u007f""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
        ] {
            assert_eq!(String::from_utf8(value(text.as_bytes())).unwrap(), shown);
        }
        assert_eq!(value(b"\xff"), b"\"\xff\"");
    }

    #[test]
    fn a_text_is_as_it_is_but_for_what_is_not_drawn() {
        let mut out = Vec::new();
        let text = "say \"hi\"\tto = C:\\x\n\u{1b}[2J\u{202e}주";
        write_text(text.as_bytes(), &Style::sgr("2"), &mut out);
        let shown = "say \"hi\"\tto = C:\\x\\n\x1b[2m\\x1b\x1b[22m[2J\x1b[2m\\u202e\x1b[22m주";
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }

    #[test]
    fn compact_json_has_no_blanks_outside_of_strings() {
        let mut out = Vec::new();
        let json = "[ {\"a b\": \"\\\" \u{9b}\", \"c\" : 1.10},\t[ ] ]";
        write_compact(json.as_bytes(), &Style::default(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"[{"a b":"\" \u009b","c":1.10},[]]"#);
    }
}
