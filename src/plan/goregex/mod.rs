//! Go's regular expressions (RE2's syntax with Perl's flags), written anew in the syntax of the regex crate.
//!
//! Whoever comes from stern brings patterns along, and the two dialects differ in what they accept and in what the
//! same text means: `\w` and `\b` are ASCII in Go, `[a&&b]` is three characters, `\Q…\E` quotes.

mod class;
mod item;
mod parse;
mod replaced;

pub use self::replaced::Replaced;

/// A pattern that means to the regex crate what the original means to Go, on valid UTF-8. It is closed in itself:
/// it sets no flag for what follows and captures nothing.
#[derive(Debug)]
pub struct Translated {
    pub text: String,
    /// Whether it can tell an invalid byte from nothing: Go takes such a byte for the character U+FFFD. Other patterns
    /// match the same in bytes that are not UTF-8.
    pub sees_invalid: bool,
}

/// The error is Go's: a reason, and the part of the pattern that it is about.
pub fn translate(pattern: &str) -> Result<Translated, String> {
    parse::Parser::new(pattern).run()
}

#[cfg(test)]
mod tests;
