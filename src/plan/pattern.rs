//! Regular expressions as Go understands them, and what is wrong with one in a single line.

use goregex::{NEST_LIMIT, Replaced};
use regex::Regex;
use regex_automata::meta;

use crate::search;

/// A pattern compiled may take as much as in Go.
const SIZE_LIMIT: usize = 128 << 20;

/// A pattern for lines, which are bytes.
#[derive(Debug, Clone)]
pub struct LinePattern {
    typed: String,
    translated: String,
    regex: meta::Regex,
    sees_invalid: bool,
}

/// Compiles a pattern for names. The error is the rest of a sentence that begins with the flag's name.
pub fn name(pattern: &str) -> Result<Regex, String> {
    names(pattern, |text| text)
}

/// The same for a pattern that must match the whole name.
pub fn whole_name(pattern: &str) -> Result<Regex, String> {
    names(pattern, |text| format!("^(?:{text})$"))
}

fn names(pattern: &str, place: impl Fn(String) -> String) -> Result<Regex, String> {
    let compile = || {
        let text = place(goregex::translate(pattern)?.text);
        let built = regex::RegexBuilder::new(&text).size_limit(SIZE_LIMIT).nest_limit(NEST_LIMIT).build();
        built.map_err(|_| too_large(pattern))
    };
    compile().map_err(|reason| refusal(pattern, &reason))
}

/// The translation reports everything else that is wrong with a pattern.
fn too_large(pattern: &str) -> String {
    format!("expression too large: `{pattern}`")
}

fn refusal(pattern: &str, reason: &str) -> String {
    format!("\"{pattern}\" is not a regular expression: {reason}")
}

impl LinePattern {
    /// The error is the rest of a sentence that begins with the flag's name.
    pub fn new(pattern: &str) -> Result<LinePattern, String> {
        let compile = || {
            let goregex::Translated { text, sees_invalid } = goregex::translate(pattern)?;
            let regex = search::compile(&[&text], SIZE_LIMIT).ok_or_else(|| too_large(pattern))?;
            Ok(LinePattern { typed: pattern.to_owned(), translated: text, regex, sees_invalid })
        };
        compile().map_err(|reason: String| refusal(pattern, &reason))
    }

    /// As the user wrote it.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// As the regex crate understands it.
    pub fn translated(&self) -> &str {
        &self.translated
    }

    /// The bytes that it takes.
    pub fn size(&self) -> usize {
        self.regex.memory_usage()
    }

    /// Whether the pattern may match otherwise once bytes that are not UTF-8 are [`Replaced`].
    pub fn sees_invalid(&self) -> bool {
        self.sees_invalid
    }

    #[inline]
    pub fn is_match(&self, line: &[u8]) -> bool {
        // A match in the line with such bytes is a match without them too.
        self.regex.is_match(line) || self.sees_invalid && self.matches_replaced(line)
    }

    fn matches_replaced(&self, line: &[u8]) -> bool {
        Replaced::new(line).is_some_and(|line| self.regex.is_match(line.text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_gos() {
        for (pattern, reason) in [
            ("(", "missing closing ): `(`"),
            ("[", "missing closing ]: `[`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("(?=x)", "invalid or unsupported Perl syntax: `(?=`"),
            (r"(a)\1", r"invalid escape sequence: `\1`"),
            (r"(\pL{100}){10}\pL{1000}{2}", r"invalid nested repetition operator: `{1000}{2}`"),
        ] {
            let expected = format!("\"{pattern}\" is not a regular expression: {reason}");
            assert_eq!(name(pattern).unwrap_err(), expected);
            assert_eq!(LinePattern::new(pattern).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_deepest_pattern_compiles() {
        // On a stack such as the main thread's.
        let compile = || {
            let deep = "(".repeat(330) + "a" + &"b?)*".repeat(330);
            LinePattern::new(&deep).is_ok_and(|pattern| pattern.is_match(b"a")) && name(&deep).is_ok()
        };
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(compile);
        assert!(thread.unwrap().join().unwrap());
    }

    #[test]
    fn a_pattern_for_lines_takes_an_invalid_byte_for_a_character() {
        let matches = |pattern: &str, line: &[u8]| LinePattern::new(pattern).unwrap().is_match(line);
        assert!(matches("^a.b$", b"a\xE9b"));
        assert!(matches("^a..b$", b"a\xE2\x82b"));
        assert!(matches("[^é]", b"\xC3"));
        assert!(matches(r"\x{FFFD}", b"\xFF"));
        assert!(!matches("^..$", "é".as_bytes()));
        assert!(!matches("[^é]", "é".as_bytes()));
        assert!(!matches(r"\w", b"\xE9"));
        assert!(matches("error", b"\xE9 error"));
    }
}
