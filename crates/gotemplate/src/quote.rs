//! Go's quoted strings and characters: writing and parsing.

use super::utf8;

/// Appends `text` between `quote`s with Go's escapes.
pub fn quote(text: &[u8], quote: char, ascii_only: bool, out: &mut Vec<u8>) {
    utf8::push(quote, out);
    let mut rest = text;
    while !rest.is_empty() {
        let (char, len) = utf8::decode(rest);
        if char == char::REPLACEMENT_CHARACTER && len == 1 {
            escape(out, 'x', 2, rest[0].into());
        } else {
            quote_char(char, quote, ascii_only, out);
        }
        rest = &rest[len..];
    }
    utf8::push(quote, out);
}

/// [`quote`] with double quotes, as text for an error.
pub fn quoted(text: &[u8]) -> String {
    let mut out = Vec::new();
    quote(text, '"', false, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn quote_char(char: char, quote: char, ascii_only: bool, out: &mut Vec<u8>) {
    if char == quote || char == '\\' {
        out.push(b'\\');
        return utf8::push(char, out);
    }
    if utf8::is_print(char) && (char.is_ascii() || !ascii_only) {
        return utf8::push(char, out);
    }
    let short = match char {
        '\x07' => b'a',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\x0b' => b'v',
        '\0'..' ' | '\x7f' => return escape(out, 'x', 2, char.into()),
        '\0'..'\u{10000}' => return escape(out, 'u', 4, char.into()),
        _ => return escape(out, 'U', 8, char.into()),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn escape(out: &mut Vec<u8>, letter: char, width: usize, code: u32) {
    out.extend_from_slice(format!("\\{letter}{code:0width$x}").as_bytes());
}

/// Whether `text` can be put between backquotes unchanged.
pub fn can_backquote(text: &[u8]) -> bool {
    utf8::runes(text).all(|(char, len)| match char {
        char::REPLACEMENT_CHARACTER => len > 1,
        '\t' => true,
        '\0'..' ' | '`' | '\x7f' | '\u{feff}' => false,
        _ => true,
    })
}

/// The value of a string constant with its quotes; None if it is malformed.
pub fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let [quote, inner @ .., end] = literal else { return None };
    match quote {
        _ if quote != end => None,
        b'`' => Some(inner.iter().copied().filter(|&byte| byte != b'\r').collect()),
        _ => {
            let mut out = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                let (unit, after) = unquote_one(rest, *quote)?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Char(char) => utf8::push(char, &mut out),
                }
                rest = after;
            }
            Some(out)
        }
    }
}

/// The value of a character constant with its quotes. Err: the reason why it is malformed.
pub fn unquote_char(literal: &[u8]) -> Result<u32, String> {
    let [quote, rest @ ..] = literal else { return Err("invalid syntax".to_owned()) };
    let (unit, tail) = unquote_one(rest, *quote).ok_or("invalid syntax")?;
    if tail != b"'" {
        return Err(format!("malformed character constant: {}", String::from_utf8_lossy(literal)));
    }
    Ok(match unit {
        Unit::Byte(byte) => byte.into(),
        Unit::Char(char) => char.into(),
    })
}

/// An escape may give a byte that is not a character.
enum Unit {
    Byte(u8),
    Char(char),
}

fn unquote_one(text: &[u8], quote: u8) -> Option<(Unit, &[u8])> {
    let (char, len) = utf8::decode(text.split_first().map(|_| text)?);
    match char {
        '\n' => return None,
        _ if char == char::from(quote) => return None,
        '\\' => {}
        _ => return Some((Unit::Char(char), &text[len..])),
    }
    let (&letter, rest) = text[1..].split_first()?;
    let byte = |byte| Some((Unit::Byte(byte), rest));
    match letter {
        b'a' => byte(7),
        b'b' => byte(8),
        b'f' => byte(12),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(11),
        b'\\' => byte(b'\\'),
        b'\'' | b'"' if letter == quote => byte(letter),
        b'x' => digits(rest, 2, 16).and_then(|(code, rest)| Some((Unit::Byte(code.try_into().ok()?), rest))),
        b'u' => digits(rest, 4, 16).and_then(|(code, rest)| Some((Unit::Char(char::from_u32(code)?), rest))),
        b'U' => digits(rest, 8, 16).and_then(|(code, rest)| Some((Unit::Char(char::from_u32(code)?), rest))),
        b'0'..=b'7' => {
            digits(&text[1..], 3, 8).and_then(|(code, rest)| Some((Unit::Byte(code.try_into().ok()?), rest)))
        }
        _ => None,
    }
}

fn digits(text: &[u8], count: usize, base: u32) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let code = digits.iter().try_fold(0u32, |code, &digit| {
        code.checked_mul(base)?.checked_add(char::from(digit).to_digit(base)?)
    })?;
    Some((code, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_with_gos_escapes() {
        for (text, expected) in [
            (&b"a \"b\" \\ 'c'"[..], r#""a \"b\" \\ 'c'""#),
            (b"\x00\x07\t\n\x1b\x7f", r#""\x00\a\t\n\x1b\x7f""#),
            ("é\u{a0}\u{10ffff}😀".as_bytes(), "\"é\\u00a0\\U0010ffff😀\""),
            (b"\xff\xe2\x82", r#""\xff\xe2\x82""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn constants_stand_for_bytes() {
        for (literal, expected) in [
            (r#""tab\there \u00e9 \x41 \"q\" \101 \U0001F600""#, "tab\there é A \"q\" A 😀".as_bytes()),
            (r#""\xff""#, b"\xff"),
            ("`raw\\n\r\n`", b"raw\\n\n"),
        ] {
            assert_eq!(unquote(literal.as_bytes()).as_deref(), Some(expected), "{literal}");
        }
        for literal in [r#""\q""#, r#""\'""#, r#""\x4""#, r#""\ud800""#, r#""\777""#, "\"a\nb\"", "\""] {
            assert_eq!(unquote(literal.as_bytes()), None, "{literal}");
        }
    }

    #[test]
    fn character_constants_are_numbers() {
        assert_eq!(unquote_char("'é'".as_bytes()), Ok(0xe9));
        assert_eq!(unquote_char(br"'\''"), Ok(39));
        assert_eq!(unquote_char(br"'\xff'"), Ok(255));
        assert_eq!(unquote_char(b"''"), Err("invalid syntax".to_owned()));
        assert_eq!(unquote_char(b"'ab'"), Err("malformed character constant: 'ab'".to_owned()));
    }
}
