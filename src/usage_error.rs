//! An error in the command line or in the config file: one line with what is wrong, where, and how to fix it.

use crate::shown::is_hidden;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// Line breaks and other characters that are not drawn, which come from the user's input, are escaped.
    pub fn new(text: impl AsRef<str>) -> UsageError {
        let mut line = String::new();
        for c in text.as_ref().chars() {
            if is_hidden(c) { line.extend(c.escape_default()) } else { line.push(c) }
        }
        UsageError(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_was_typed() {
        assert_eq!(UsageError::new("a\nb\u{1b}\u{202e}").to_string(), r"a\nb\u{1b}\u{202e}");
    }
}
