//! JSON strings of bytes, with the escapes of Go's `encoding/json`, and the text of such strings.

use wide::u8x16;

/// Bytes checked together, in two vectors.
const BLOCK: usize = 32;

/// `\u003c`
const LONGEST_ESCAPE: usize = 6;

/// The first byte of U+2028 and U+2029, which end a line in JavaScript; Go escapes them.
const SEPARATOR_LEAD: u8 = 0xe2;

/// For each byte, the byte after `\` in its escape; `u` means `u00` and two digits, 0 no escape.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = b'u';
        i += 1;
    }
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    // Go's JSON is safe to embed in HTML.
    table[b'<' as usize] = b'u';
    table[b'>' as usize] = b'u';
    table[b'&' as usize] = b'u';
    table
};

/// Appends `text` in quotes; each byte that is not UTF-8 becomes a replacement character.
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    match str::from_utf8(text) {
        Ok(_) => write_escaped(text, out),
        Err(_) => {
            for chunk in text.utf8_chunks() {
                write_escaped(chunk.valid().as_bytes(), out);
                for _ in chunk.invalid() {
                    out.extend_from_slice(b"\\ufffd");
                }
            }
        }
    }
    out.push(b'"');
}

/// Appends UTF-8 `text` with its escapes.
fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        if is_plain(block) {
            out.extend_from_slice(block);
            rest = after;
        } else {
            rest = write_block(rest, out);
        }
    }
    let mut padded = [b' '; BLOCK];
    padded[..rest.len()].copy_from_slice(rest);
    if is_plain(&padded) {
        out.extend_from_slice(rest);
    } else {
        write_block(rest, out);
    }
}

/// Whether a block can be copied unchanged.
#[inline(always)]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let special = |half: [u8; BLOCK / 2]| {
        let bytes = u8x16::from(half);
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
        is_control | is(b'"') | is(b'\\') | is(b'<') | is(b'>') | is(b'&') | is(SEPARATOR_LEAD)
    };
    let (halves, _) = block.as_chunks::<{ BLOCK / 2 }>();
    !halves.iter().fold(u8x16::ZERO, |any, &half| any | special(half)).any()
}

/// Appends the first block of `text` byte by byte, and returns the rest.
fn write_block<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut block = [0; BLOCK * LONGEST_ESCAPE + 1];
    let mut len = 0;
    let mut at = 0;
    while at < text.len().min(BLOCK) {
        let byte = text[at];
        let escape = ESCAPES[usize::from(byte)];
        // Always writes two bytes: a branch on the position of quotes would be unpredictable.
        block[len] = if escape == 0 { byte } else { b'\\' };
        block[len + 1] = escape;
        len += if escape == 0 { 1 } else { 2 };
        at += 1;
        if escape == b'u' {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            block[len..len + 4].copy_from_slice(&[b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            len += 4;
        } else if byte == SEPARATOR_LEAD
            && let [0x80, last @ 0xa8..=0xa9, ..] = text[at..]
        {
            block[len - 1..len + 5].copy_from_slice(if last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
            len += 5;
            at += 2;
        }
    }
    out.extend_from_slice(&block[..len]);
    &text[at..]
}

/// The text of a string given without its quotes; its escapes must be valid. Each byte that is not UTF-8 becomes a
/// replacement character.
pub fn unescape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        push_lossy(&rest[..at], &mut out);
        let escape = &rest[at + 1..];
        rest = escape.get(1..).unwrap_or_default();
        out.push(match escape.first() {
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let (char, len) = code_unit(rest);
                rest = &rest[len..];
                char
            }
            Some(&byte) => char::from(byte),
            None => char::REPLACEMENT_CHARACTER,
        });
    }
    push_lossy(rest, &mut out);
    out
}

/// The character of these four digits, and the bytes it takes: a pair of surrogates makes one character.
fn code_unit(text: &[u8]) -> (char, usize) {
    let unit = |digits: Option<&[u8]>| u32::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok();
    let Some(first) = unit(text.get(..4)) else { return (char::REPLACEMENT_CHARACTER, text.len().min(4)) };
    let second = text.get(4..6).filter(|&escape| escape == b"\\u").and_then(|_| unit(text.get(6..10)));
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

fn push_lossy(text: &[u8], out: &mut String) {
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_gos() {
        for (text, expected) in [
            (&b""[..], r#""""#),
            (b"a/b'c", r#""a/b'c""#),
            (br#"say "hi" \ "#, r#""say \"hi\" \\ ""#),
            (b"\x08\x0c\n\r\t", r#""\b\f\n\r\t""#),
            (b"\0\x01\x1b[31m\x1f\x7f", "\"\\u0000\\u0001\\u001b[31m\\u001f\x7f\""),
            (b"<a>&amp;", r#""\u003ca\u003e\u0026amp;""#),
            ("a\u{2028}b\u{2029}".as_bytes(), r#""a\u2028b\u2029""#),
            ("\u{2027}\u{202a} 유니코드 ✓".as_bytes(), "\"\u{2027}\u{202a} 유니코드 ✓\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn each_byte_that_is_not_utf8_is_replaced() {
        for (text, expected) in [
            (&b"\xff\xfe bad"[..], r#""\ufffd\ufffd bad""#),
            (b"\xed\xa0\x80 surrogate", r#""\ufffd\ufffd\ufffd surrogate""#),
            (b"cut \xe2\x82", r#""cut \ufffd\ufffd""#),
            (b"\xe2\x82a\xf0\x9f\x98", r#""\ufffd\ufffda\ufffd\ufffd\ufffd""#),
            (b"overlong \xc0\xaf", r#""overlong \ufffd\ufffd""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "(?s)(.|[ -~]|[\\x00-\\x1f\"<>&\u{2027}-\u{202a}]){0,80}") {
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(text.as_bytes())).unwrap(), text);
        }

        #[test]
        fn any_bytes_become_a_json_string(text: Vec<u8>) {
            let quoted = quoted(&text);
            let replaced: String = text.utf8_chunks().flat_map(|chunk| {
                chunk.valid().chars().chain(chunk.invalid().iter().map(|_| '\u{fffd}'))
            }).collect();
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), replaced);
            let safe = !quoted.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(safe, "{quoted}");
        }
    }
}
