//! Bytes as a JSON string, with the escapes of Go's `encoding/json`.

/// What to write for each ASCII byte instead of itself: nothing (0), `\` and this, or (`u`) `\u00` and two digits.
const ESCAPES: [u8; 128] = {
    let mut table = [0; 128];
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
    // Go keeps its JSON safe to embed in HTML.
    table[b'<' as usize] = b'u';
    table[b'>' as usize] = b'u';
    table[b'&' as usize] = b'u';
    table
};

/// Appends `text` in quotes.
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_len(rest));
        out.extend_from_slice(plain);
        rest = match special {
            [] => break,
            [byte, rest @ ..] if byte.is_ascii() => {
                write_escape(*byte, out);
                rest
            }
            _ => {
                let len = special.iter().position(u8::is_ascii).unwrap_or(special.len());
                let (run, rest) = special.split_at(len);
                write_non_ascii(run, out);
                rest
            }
        };
    }
    out.push(b'"');
}

/// How many bytes from the start can be copied as they are.
fn plain_len(text: &[u8]) -> usize {
    let (blocks, tail) = text.as_chunks::<16>();
    for (i, block) in blocks.iter().enumerate() {
        let special = u128::from_le_bytes(block.map(|byte| u8::from(is_special(byte))));
        if special != 0 {
            return i * 16 + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = tail.iter().position(|&byte| is_special(byte)).unwrap_or(tail.len());
    blocks.len() * 16 + plain
}

/// Whether a byte needs an escape or, not being ASCII, a closer look. Written without branches, so that the compiler
/// looks at 16 bytes at once.
#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20)
        | (byte >= 0x80)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'&')
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    match ESCAPES[usize::from(byte)] {
        b'u' => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        escape => out.extend_from_slice(&[b'\\', escape]),
    }
}

/// UTF-8 as it is, but for the two separators that end a line in JavaScript; a replacement character for each byte
/// that is not UTF-8.
fn write_non_ascii(run: &[u8], out: &mut Vec<u8>) {
    for chunk in run.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
            let (plain, separator) = rest.split_at(at);
            out.extend_from_slice(plain.as_bytes());
            let escape = if separator.starts_with('\u{2028}') { b"\\u2028" } else { b"\\u2029" };
            out.extend_from_slice(escape);
            rest = &separator['\u{2028}'.len_utf8()..];
        }
        out.extend_from_slice(rest.as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
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
