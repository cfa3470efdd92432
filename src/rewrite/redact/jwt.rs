//! JSON web tokens.

use std::ops::Range;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The longest head that is read.
const LONGEST: usize = 8 << 10;

/// The token that begins at `at`; nothing before `done` is looked at again.
pub fn find(text: &[u8], at: usize, done: &mut usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if at < *done || at > 0 && is_part(&text[at - 1]) {
        return None;
    }
    let part = |from: usize| text[from..].iter().take_while(|byte| is_part(byte)).count();
    let head = part(at);
    *done = at + head;
    if head > LONGEST || text.get(at + head) != Some(&b'.') || !is_head(&text[at..at + head]) {
        return None;
    }
    let mut end = at + head;
    // A signed one has three parts, an encrypted one five.
    for _ in 0..4 {
        if text.get(end) != Some(&b'.') {
            break;
        }
        end += 1 + part(end + 1);
    }
    // The end of a sentence.
    let end = end - usize::from(text[end - 1] == b'.');
    *done = end;
    (end > at + head).then_some(at..end)
}

/// Whether it is a JSON object that names an algorithm.
fn is_head(text: &[u8]) -> bool {
    // A head that was cut may end anywhere.
    let whole = &text[..text.len() - usize::from(text.len() % 4 == 1)];
    let decoded = URL_SAFE_NO_PAD.decode(whole).unwrap_or_default();
    decoded.first() == Some(&b'{') && memchr::memmem::find(&decoded, b"\"alg\"").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_head_with_an_algorithm() {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let other = URL_SAFE_NO_PAD.encode(r#"{"page":12,"size":50}"#);
        let token = format!("{head}.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl");
        let found = |text: &str| {
            let at = text.find("eyJ").unwrap();
            find(text.as_bytes(), at, &mut 0).map(|range| text[range].to_owned())
        };
        assert_eq!(found(&format!("jwt {token}.")), Some(token.clone()));
        assert_eq!(found(&format!("\"{token}\"")), Some(token));
        assert_eq!(found(&format!("cursor={other}.x")), None);
        assert_eq!(found(&head), None);
    }
}
