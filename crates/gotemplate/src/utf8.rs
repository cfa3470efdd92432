//! UTF-8 as Go reads it: a byte outside any character counts as one replacement character.

use std::sync::LazyLock;

use regex::Regex;

/// The first character and its length; U+FFFD and 1 for an invalid byte. `bytes` must not be empty.
pub fn decode(bytes: &[u8]) -> (char, usize) {
    let len = match bytes[0] {
        byte @ 0..0x80 => return (char::from(byte), 1),
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let char = bytes.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()?.chars().next());
    char.map_or((char::REPLACEMENT_CHARACTER, 1), |char| (char, len))
}

/// The characters with their lengths; see [`decode`].
pub fn runes(mut bytes: &[u8]) -> impl Iterator<Item = (char, usize)> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (char, len) = decode(bytes);
        bytes = &bytes[len..];
        Some((char, len))
    })
}

pub fn count(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// At most the first `max` characters.
pub fn truncate(bytes: &[u8], max: usize) -> &[u8] {
    &bytes[..runes(bytes).take(max).map(|(_, len)| len).sum()]
}

pub fn push(char: char, out: &mut Vec<u8>) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub fn is_print(char: char) -> bool {
    // The pattern is constant; None if it were invalid, which a test would detect.
    static PRINT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\pL\pM\pN\pP\pS]$").ok());
    if char.is_ascii() { matches!(char, ' '..='~') } else { is_match(&PRINT, char) }
}

/// Characters of names: letters, digits and underscores.
pub fn is_alphanumeric(char: char) -> bool {
    static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\pL\p{Nd}]$").ok());
    if char.is_ascii() { char == '_' || char.is_ascii_alphanumeric() } else { is_match(&WORD, char) }
}

fn is_match(pattern: &Option<Regex>, char: char) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(char.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_no_character_counts_as_one() {
        assert_eq!(decode(b"\xff"), ('\u{fffd}', 1));
        assert_eq!(decode(b"\xe2\x82a"), ('\u{fffd}', 1));
        assert_eq!(decode("é!".as_bytes()), ('é', 2));
        assert_eq!(count(b"a\xe2\x82\xff"), 4);
        assert_eq!(truncate("aé✓b".as_bytes(), 3), "aé✓".as_bytes());
    }

    #[test]
    fn printable_characters() {
        assert!(['a', ' ', 'é', '✓', '😀', '\u{301}'].into_iter().all(is_print));
        assert!(!['\n', '\u{7f}', '\u{a0}', '\u{200b}', '\u{e000}'].into_iter().any(is_print));
        assert!(['_', '9', 'é', '한', '٣'].into_iter().all(is_alphanumeric));
        assert!(!['-', '½', '✓', '\u{fffd}'].into_iter().any(is_alphanumeric));
    }
}
