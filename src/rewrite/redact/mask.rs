//! Pseudonyms: the same value has the same one, and without the key the value cannot be found by trying all.

use std::ops::Range;

use aws_lc_rs::hmac::{Key, sign};
use memchr::memmem;

use crate::plan::redact::Kind;

/// In place of a secret.
pub const SECRET: &str = "‹secret›";

const OPEN: &[u8] = "‹".as_bytes();
const CLOSE: &[u8] = "›".as_bytes();

/// The longest mask, between its quotes.
const LONGEST: usize = 48;

/// Bytes of a pseudonym, each of two digits.
const LENGTH: usize = 4;

/// Appends `‹name:7f3a9c2e›`.
pub fn write(key: &Key, name: &str, normal: &[u8], out: &mut Vec<u8>) {
    let mut text = Vec::with_capacity(name.len() + 1 + normal.len());
    text.extend_from_slice(name.as_bytes());
    text.push(0);
    text.extend_from_slice(normal);
    let tag = sign(key, &text);
    out.extend_from_slice(OPEN);
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    for byte in &tag.as_ref()[..LENGTH] {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.extend_from_slice(CLOSE);
}

/// The masks in a text, in order.
pub fn masks(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memmem::find_iter(text, OPEN).filter_map(|start| Some(start..start + length(&text[start..])?))
}

/// The length of the mask at the start of a text, if there is one.
pub fn length(text: &[u8]) -> Option<usize> {
    if text.starts_with(SECRET.as_bytes()) {
        return Some(SECRET.len());
    }
    let inner = text.strip_prefix(OPEN)?;
    let end = inner.iter().take(LONGEST).position(|byte| *byte == CLOSE[0])?;
    let (name, digits) = inner[..end].split_at_checked(end.checked_sub(2 * LENGTH)?)?;
    let name = name.strip_suffix(b":")?;
    let is_mask = inner[end..].starts_with(CLOSE)
        && !name.is_empty()
        && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_mask.then_some(OPEN.len() + end + CLOSE.len())
}

/// Whether three bytes are a bracket of a mask.
pub fn is_bracket(bytes: &[u8]) -> bool {
    bytes == OPEN || bytes == CLOSE
}

/// How a value is written so that all its spellings are the same.
pub fn normal(kind: Kind, value: &[u8]) -> Vec<u8> {
    match kind {
        Kind::Email | Kind::Ip | Kind::Mac => value.to_ascii_lowercase(),
        Kind::Iban | Kind::Licence | Kind::Passport => {
            value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
        }
        Kind::Phone => phone(value),
        _ => value.iter().filter(|byte| byte.is_ascii_digit()).copied().collect(),
    }
}

/// In international form; a number without calling code is Korean if it looks so.
fn phone(value: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = value.iter().filter(|byte| byte.is_ascii_digit()).copied().collect();
    // Behind the digits that dial abroad, or a plus: others stand for blanks in a URL.
    let is_dialled = digits.starts_with(b"0082");
    if is_dialled {
        digits.drain(..2);
    }
    let is_international =
        value.starts_with(b"+") || is_dialled || digits.len() > 10 && digits.starts_with(b"82");
    if is_international && digits.starts_with(b"820") {
        digits.remove(2);
    } else if !is_international && digits.first() == Some(&b'0') {
        digits.splice(0..1, *b"82");
    }
    digits
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac::HMAC_SHA256;

    use super::*;

    #[test]
    fn a_mask_is_found_and_nothing_else() {
        let mut text = b"x ".to_vec();
        write(&Key::new(HMAC_SHA256, &[7; 32]), "email", b"a@b.co", &mut text);
        let end = text.len();
        text.extend_from_slice("‹secret› ‹a› ‹a:12345678 ‹A:12345678› ‹:12345678› ‹".as_bytes());
        let found: Vec<_> = masks(&text).collect();
        assert_eq!(found, [2..end, end..end + SECRET.len()]);
    }

    #[test]
    fn spellings_of_a_phone_number_are_one() {
        for spelling in [
            "010+1234+5678",
            "(010) 1234-5678",
            "0082-10-1234-5678",
            "82-10-1234-5678",
            "010-1234-5678",
            "+82 10-1234-5678",
            "+82-010-1234-5678",
            "01012345678",
            "+82 (0)10 1234 5678",
        ] {
            assert_eq!(phone(spelling.as_bytes()), b"821012345678", "{spelling}");
        }
        assert_eq!(phone(b"+1 (415) 555-2671"), b"14155552671");
    }
}
