//! Text that comes from elsewhere, made fit for people: one line of bounded length for words within messages, and
//! whatever reaches a terminal.

mod characters;
mod escape;
mod terminal;

pub use characters::is_hidden;
pub use escape::{Graphics, Sequences};
pub use terminal::{Escapes, Passes};

/// The most characters that are shown of the words of a server, a kubelet or a plugin.
pub const LONGEST: usize = 1000;

/// One line of at most `most` characters, and an ellipsis if it was cut. Control characters and separators become
/// spaces; invisible characters, which can change the order of others, become U+FFFD.
pub fn one_line(text: &str, most: usize) -> String {
    let (mut line, mut count, mut spaced) = (String::new(), 0, false);
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            spaced = count > 0;
            continue;
        }
        let length = 1 + usize::from(spaced);
        if count + length > most {
            line.push('…');
            break;
        }
        if std::mem::take(&mut spaced) {
            line.push(' ');
        }
        line.push(if is_hidden(c) { char::REPLACEMENT_CHARACTER } else { c });
        count += length;
    }
    line
}

/// `1,204`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same, marked as the words of another.
pub fn quoted(text: &str) -> String {
    match one_line(text, LONGEST) {
        line if line.is_empty() && !text.is_empty() => "“” (control characters only)".to_owned(),
        line => format!("“{line}”"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_is_one_line_that_steers_no_terminal() {
        for (text, line) in [
            ("", ""),
            ("  two\r\n\tlines \n", "two lines"),
            ("\u{1b}[2Ja\u{9b}31m\u{7}b", "[2Ja 31m b"),
            ("me\u{202e}gpj.exe\u{202c}", "me\u{fffd}gpj.exe\u{fffd}"),
            ("a\u{200b}b\u{2028}c\u{e0041}d\u{feff}", "a\u{fffd}b c\u{fffd}d\u{fffd}"),
            ("유니코드 ✓", "유니코드 ✓"),
        ] {
            assert_eq!(one_line(text, LONGEST), line);
        }
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abcd", 3), "abc…");
        assert_eq!(one_line("éé éé", 3), "éé…");
        assert_eq!(one_line(&"\0".repeat(800_000), 3), "");
        assert_eq!(quoted("\0\n"), "“” (control characters only)");
        assert_eq!(quoted(&"x".repeat(8_000_000)).chars().count(), LONGEST + 3);
    }
}
