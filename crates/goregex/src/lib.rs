//! Go's regular expressions (RE2's syntax with Perl's flags), translated to the syntax of the regex crate.
//!
//! The dialects differ in the accepted syntax and in its meaning: in Go, `\w` and `\b` are ASCII, `[a&&b]` is three
//! characters, `\Q…\E` quotes. The crate covers the whole syntax, Go's limits and Go's error messages; captures and
//! their names are omitted. [`Replaced`] shows bytes that are not UTF-8 to a pattern as Go does.
//!
//! ```
//! use goregex::translate;
//!
//! let pattern = regex::Regex::new(&translate(r"^\Qa.b\E\d+$")?.text).unwrap();
//! assert!(pattern.is_match("a.b12"));
//! assert!(!pattern.is_match("a.b٣"), "Go's digits are ASCII");
//!
//! assert_eq!(translate("a(b").unwrap_err(), "missing closing ): `a(b`");
//! # Ok::<(), String>(())
//! ```
#![warn(missing_docs)]

mod class;
mod item;
mod parse;
mod replaced;

pub use self::replaced::Replaced;

/// The regex crate's `nest_limit` for translated patterns: higher than Go's limit, which therefore decides.
pub const NEST_LIMIT: u32 = 4000;

/// A pattern with the same meaning in the regex crate as the original in Go, for valid UTF-8. It can be embedded: it
/// sets no flags for following text and captures nothing.
#[derive(Debug)]
pub struct Translated {
    /// The pattern, in the syntax of the regex crate.
    pub text: String,
    /// Whether it can match or reject an invalid byte, which Go reads as the character U+FFFD. Other patterns give
    /// the same result on bytes that are not UTF-8.
    pub sees_invalid: bool,
}

/// Translates `pattern`. Err: Go's message, with a reason and the faulty part of the pattern.
pub fn translate(pattern: &str) -> Result<Translated, String> {
    parse::Parser::new(pattern).run()
}

/// The same, but the first group of `pattern` captures, if it has one.
pub fn translate_with_group(pattern: &str) -> Result<Translated, String> {
    parse::Parser::new(pattern).with_group().run()
}

#[cfg(test)]
mod tests;
