//! What stands before a value: its key, or a word.

/// Most bytes of a list before a value.
const LIST: usize = 256;

/// The longest key that is looked at.
const LONGEST: usize = 64;

/// The bytes before a value that name it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Context<'t> {
    pub key: &'t [u8],
    /// The value is a number of JSON; here is the quote that ends its key.
    pub number: Option<usize>,
}

impl<'t> Context<'t> {
    /// Of the value in `start..end`.
    pub fn new(text: &'t [u8], start: usize, end: usize) -> Context<'t> {
        let before = spaces(text, start);
        let quoted = before > 0 && matches!(text[before - 1], b'"' | b'\'');
        let before = if quoted { spaces(text, before - 1) } else { before };
        let before = list(text, before).map_or(before, |list| spaces(text, list));
        let Some(sign) = before.checked_sub(1).filter(|at| matches!(text[*at], b':' | b'=' | b'>')) else {
            let end = if quoted { 0 } else { start };
            return Context { key: word(text, end), number: None };
        };
        let is_arrow = text[..=sign].ends_with(b"=>");
        let sign = if is_arrow { sign - 1 } else { sign };
        let end_of_key = spaces(text, sign);
        let quote = end_of_key.checked_sub(1).filter(|at| matches!(text[*at], b'"' | b'\''));
        let key = name(text, quote.unwrap_or(end_of_key));
        let is_number = !quoted && text[sign] == b':' && ends_value(text, end);
        Context { key, number: quote.filter(|at| is_number && text[*at] == b'"') }
    }
}

/// The start of the list of numbers that a place is in.
fn list(text: &[u8], at: usize) -> Option<usize> {
    let is_item =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'"' | b'\'' | b',' | b' ' | b'-' | b'.');
    let length = text[..at].iter().rev().take(LIST).take_while(|byte| is_item(byte)).count();
    let open = at - length;
    let is_list = text[..open].ends_with(b"[") && (length == 0 || text[..at].ends_with(b","));
    is_list.then(|| open - 1)
}

/// The start of the blanks before `at`.
fn spaces(text: &[u8], at: usize) -> usize {
    let skipped =
        text[..at].iter().rev().take(LONGEST).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at - skipped
}

/// Whether a value of JSON may end here.
pub fn ends_value(text: &[u8], end: usize) -> bool {
    let next = text[end..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(next, Some(b',' | b'}' | b']'))
}

/// The name that ends here.
pub fn name(text: &[u8], end: usize) -> &[u8] {
    let length = text[..end].iter().rev().take(LONGEST).take_while(|byte| is_name(**byte)).count();
    &text[end - length..end]
}

pub fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
}

/// The word before a place, as `order` before `order #12` and `order no. 12`.
fn word(text: &[u8], end: usize) -> &[u8] {
    let is_between = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'#' | b'(' | b'[');
    let between = text[..end].iter().rev().take(LONGEST).take_while(is_between).count();
    let end = end - between;
    if between == 0 {
        return &[];
    }
    let is_word = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'_' || **byte >= 0x80;
    let length = text[..end].iter().rev().take(LONGEST).take_while(is_word).count();
    &text[end - length..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(text: &str) -> (&str, bool) {
        let start = text.find("42").unwrap();
        let context = Context::new(text.as_bytes(), start, start + 2);
        (str::from_utf8(context.key).unwrap(), context.number.is_some())
    }

    #[test]
    fn a_value_is_named_by_its_key_or_by_a_word() {
        for (text, key, is_number) in [
            (r#"{"order_id":42}"#, "order_id", true),
            (r#"{"order_id": "42"}"#, "order_id", false),
            ("id=42 x", "id", false),
            ("card: 42", "card", false),
            (":card=>'42'", "card", false),
            ("order #42", "order", false),
            ("paid 42", "paid", false),
            ("42", "", false),
            ("x,42", "", false),
            ("<rrn>42</rrn>", "rrn", false),
            (r#"{"rrns":["1","42"]}"#, "rrns", false),
            (r#"{"rrns":[1,42]}"#, "rrns", true),
            ("rrn\t42", "rrn", false),
        ] {
            assert_eq!(context(text), (key, is_number), "{text}");
        }
    }
}
