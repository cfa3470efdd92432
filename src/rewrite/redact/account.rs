//! International account numbers (IBAN), in one piece or in groups of four.

use std::ops::Range;

use super::check;

/// The longest, with its blanks.
const LONGEST: usize = 42;

/// The account number that the digits at `at` are part of.
pub fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_blank = |byte: u8| matches!(byte, b' ' | b'+' | b'-');
    // The place may be anywhere in it; each beginning before it is tried, the nearest first.
    let earliest = at.saturating_sub(LONGEST);
    for start in (earliest..=at).rev() {
        let byte = text[start];
        if !is_part(byte) && !is_blank(byte) {
            return None;
        }
        let is_bounded = start == 0 || !text[start - 1].is_ascii_alphanumeric();
        let [a, b, c, d, ..] = text[start..] else { continue };
        let begins = is_bounded
            && a.is_ascii_uppercase()
            && b.is_ascii_uppercase()
            && c.is_ascii_digit()
            && d.is_ascii_digit();
        if begins && let Some(end) = end(text, start, check::iban_length([a, b])?) {
            return (end > at).then_some(start..end);
        }
    }
    None
}

/// The end of an account number of this length.
fn end(text: &[u8], start: usize, length: usize) -> Option<usize> {
    let mut account = Vec::with_capacity(length);
    let mut at = start;
    let mut blank = None;
    while account.len() < length {
        let byte = *text.get(at)?;
        if matches!(byte, b' ' | b'+' | b'-')
            && account.len() % 4 == 0
            && blank.is_none_or(|blank| blank == byte)
        {
            blank = Some(byte);
        } else if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
            account.push(byte);
        } else {
            return None;
        }
        at += 1;
    }
    let is_bounded = !text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (is_bounded && check::is_iban(&account)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let at = text.find("50").or_else(|| text.find("04")).unwrap();
        find(text.as_bytes(), at).map(|range| &text[range])
    }

    #[test]
    fn account_numbers_are_found_in_one_piece_and_in_groups() {
        for account in [
            "DE44500105175407324931",
            "DE44 5001 0517 5407 3249 31",
            "NL91ABNA0417164300",
            "NL91 ABNA 0417 1643 00",
        ] {
            for (before, after) in [("", ""), ("to ", " now"), ("iban=", "&x"), ("\"", "\""), ("TO ", " EUR")]
            {
                assert_eq!(
                    found(&format!("{before}{account}{after}")),
                    Some(account),
                    "{before}{account}{after}"
                );
            }
        }
    }

    #[test]
    fn others_are_left() {
        for text in
            ["DE45500105175407324931", "xDE44500105175407324931", "DE445001051754073249310", "AB50", "50"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
