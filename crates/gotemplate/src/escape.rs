//! Text for HTML, JavaScript and URLs: Go's `html`, `js` and `urlquery`.

use super::utf8;

pub fn html(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'\0' => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(byte),
        }
    }
}

pub fn js(mut text: &[u8], out: &mut Vec<u8>) {
    while !text.is_empty() {
        let (char, len) = utf8::decode(text);
        match char {
            '\\' | '\'' | '"' => out.extend_from_slice(&[b'\\', text[0]]),
            '<' | '>' | '&' | '=' | '\0'..' ' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes());
            }
            char if char.is_ascii() => out.push(text[0]),
            char if utf8::is_print(char) => out.extend_from_slice(&text[..len]),
            char => out.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes()),
        }
        text = &text[len..];
    }
}

pub fn url_query(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(byte),
            byte if byte.is_ascii_alphanumeric() => out.push(byte),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: fn(&[u8], &mut Vec<u8>), text: &[u8]) -> String {
        let mut out = Vec::new();
        escape(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_has_its_own_escapes() {
        assert_eq!(escaped(html, b"<a href=\"x\">'&\0"), "&lt;a href=&#34;x&#34;&gt;&#39;&amp;\u{fffd}");
        assert_eq!(
            escaped(js, "'\"\\<=&\n é\u{200b}".as_bytes()),
            r#"\'\"\\\u003C\u003D\u0026\u000A é\u200B"#
        );
        assert_eq!(escaped(url_query, "a b&c=é~".as_bytes()), "a+b%26c%3D%C3%A9~");
    }
}
