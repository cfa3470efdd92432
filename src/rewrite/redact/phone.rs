//! Phone numbers with a calling code: `+82 10-1234-5678`.

use std::ops::Range;

use super::{check, number::is_free_behind};

/// Most digits of a number (E.164).
const MOST: usize = 15;

/// With these, a number is whole at a blank behind it.
const ENOUGH: usize = 10;

/// The number whose plus stands at `at`.
pub fn find(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|before| text[before]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.')) {
        return None;
    }
    if !matches!(text.get(at + 1), Some(b'1'..=b'9')) {
        return None;
    }
    let (mut digits, mut end) = (Vec::with_capacity(MOST), at + 1);
    let mut next = at + 1;
    loop {
        let length = text[next..].iter().take(MOST + 1).take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 || digits.len() + length > MOST {
            break;
        }
        // A time or a date may follow a blank.
        let group_end = next + length;
        let is_apart = end < next && matches!(text[end], b' ' | b'+');
        if is_apart && (digits.len() >= ENOUGH || matches!(text[group_end..], [b':' | b'/', b'0'..=b'9', ..]))
        {
            break;
        }
        digits.extend_from_slice(&text[next..group_end]);
        end = group_end;
        next = end + between(&text[end..]);
        if next == end {
            break;
        }
    }
    let is_number = check::calling_code(&digits)?.contains(&national(&digits));
    (is_number && is_free_behind(text, end)).then_some(at..end)
}

/// How many digits count: a zero that is not dialled does not.
fn national(digits: &[u8]) -> usize {
    digits.len() - usize::from(digits.starts_with(b"820"))
}

/// The length of what may stand between two groups.
fn between(text: &[u8]) -> usize {
    match text {
        [b' ' | b'-' | b'+', b'(', digit, ..] | [b')', b' ' | b'-' | b'+', digit, ..]
            if digit.is_ascii_digit() =>
        {
            2
        }
        [b'-' | b' ' | b'.' | b'+' | b'(' | b')', digit, ..] if digit.is_ascii_digit() => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        find(text.as_bytes(), text.find('+').unwrap()).map(|range| &text[range])
    }

    #[test]
    fn numbers_with_a_calling_code_are_found() {
        for number in [
            "+82 10-1234-5678",
            "+821012345678",
            "+82-2-123-4567",
            "+82 (0)10-1234-5678",
            "+1 (415) 555-2671",
            "+14155552671",
            "+49 30 901820",
            "+33 1 42 68 53 00",
            "+44 20 7946 0958",
            "+81-3-1234-5678",
            "+86+138+1234+5678",
            "+1+(766)+613-7856",
        ] {
            for (before, after) in [
                ("", ""),
                ("call ", " now"),
                ("phone=", "&x=1"),
                ("\"", "\""),
                ("", " 12:00:00"),
                ("", "."),
                ("", ": x"),
            ] {
                assert_eq!(
                    found(&format!("{before}{number}{after}")),
                    Some(number),
                    "{before}{number}{after}"
                );
            }
        }
    }

    #[test]
    fn other_uses_of_the_sign_are_none() {
        for text in [
            "2026-01-31T12:00:00+09:00",
            "+0900",
            "+1000 items",
            "v1.2.3+20260131",
            "+12345678901234567",
            "a+14155552671",
            "+1234567",
            "+82 10",
            "+14155552671abc",
            "+1.5e10",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
