//! Go's regular expressions (RE2's syntax with Perl's flags), translated to the syntax of the regex crate.
//!
//! The two dialects differ in what they accept and in what the same text means: `\w` and `\b` are ASCII in Go,
//! `[a&&b]` is three characters, `\Q…\E` quotes. The crate covers the whole syntax, Go's limits and Go's error messages;
//! captures and their names are left out. [`Replaced`] shows a pattern bytes that are not UTF-8 as Go does.
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

/// The regex crate's `nest_limit` for translated patterns: beyond what Go accepts, so that Go's limits decide.
pub const NEST_LIMIT: u32 = 4000;

/// A pattern that means to the regex crate what the original means to Go, on valid UTF-8. It is closed in itself:
/// it sets no flag for what follows and captures nothing.
#[derive(Debug)]
pub struct Translated {
    /// The pattern, in the syntax of the regex crate.
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
