//! Regular expressions as Go understands them, and what is wrong with one in a single line.

use std::cell::Cell;

use goregex::NEST_LIMIT;
use regex::Regex;
use regex_automata::meta;

use crate::search;

/// A pattern compiled may take as much as in Go, and all patterns for lines together no more.
pub const SIZE_LIMIT: usize = 128 << 20;

/// A pattern for lines, which are bytes.
#[derive(Debug, Clone)]
pub struct LinePattern {
    typed: String,
    translated: String,
    sees_invalid: bool,
    size: usize,
    regex: Option<meta::Regex>,
}

/// The room for the patterns for lines.
pub struct Room {
    left: Cell<usize>,
}

/// Compiles a pattern for names. The error is the rest of a sentence that begins with the flag's name.
pub fn name(pattern: &str) -> Result<Regex, String> {
    names(pattern, SIZE_LIMIT, |text| text)
}

/// The same for one of several patterns, which share the room of one.
pub fn name_of(patterns: usize) -> impl Fn(&str) -> Result<Regex, String> {
    move |pattern| names(pattern, SIZE_LIMIT / patterns.max(1), |text| text)
}

/// The same for a pattern that must match the whole name.
pub fn whole_name(pattern: &str) -> Result<Regex, String> {
    names(pattern, SIZE_LIMIT, |text| format!("^(?:{text})$"))
}

fn names(pattern: &str, limit: usize, place: impl Fn(String) -> String) -> Result<Regex, String> {
    let compile = || {
        let text = place(goregex::translate(pattern)?.text);
        let built = regex::RegexBuilder::new(&text).size_limit(limit).nest_limit(NEST_LIMIT).build();
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

impl Room {
    /// The room beside these patterns.
    pub fn beside<'p>(patterns: impl IntoIterator<Item = &'p LinePattern>) -> Room {
        let taken = patterns.into_iter().map(|pattern| pattern.size).sum();
        Room { left: Cell::new(SIZE_LIMIT.saturating_sub(taken)) }
    }

    /// The error is the rest of a sentence that begins with the flag's name.
    pub fn pattern(&self, pattern: &str) -> Result<LinePattern, String> {
        let goregex::Translated { text, sees_invalid } =
            goregex::translate(pattern).map_err(|reason| refusal(pattern, &reason))?;
        let left = self.left.get();
        let regex = search::compile(&[&text], left);
        match regex.filter(|regex| regex.memory_usage() <= left || left == SIZE_LIMIT) {
            Some(regex) => {
                let size = regex.memory_usage();
                self.left.set(left.saturating_sub(size));
                let typed = pattern.to_owned();
                Ok(LinePattern { typed, translated: text, sees_invalid, size, regex: Some(regex) })
            }
            None if left == SIZE_LIMIT => Err(refusal(pattern, &too_large(pattern))),
            None => Err(format!(
                "\"{pattern}\" is too large beside the other patterns: all of --include, --exclude, --where, --highlight, \
                 --until-match and --redact-pattern may take {} MiB together",
                SIZE_LIMIT >> 20
            )),
        }
    }
}

impl LinePattern {
    /// Without others beside it. The error is the rest of a sentence that begins with the flag's name.
    pub fn new(pattern: &str) -> Result<LinePattern, String> {
        Room::beside([]).pattern(pattern)
    }

    /// The pattern with its first group; None: it has no group.
    pub fn first_group(&self) -> Option<meta::Regex> {
        let translated = goregex::translate_with_group(&self.typed).ok()?;
        let regex = search::compile(&[&translated.text], SIZE_LIMIT)?;
        (regex.captures_len() > 1).then_some(regex)
    }

    /// As the user wrote it.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// As the regex crate understands it.
    pub fn translated(&self) -> &str {
        &self.translated
    }

    /// Compiled.
    pub fn regex(&self) -> Option<meta::Regex> {
        self.regex.clone().or_else(|| search::compile(&[&self.translated], SIZE_LIMIT))
    }

    /// The same pattern, which is compiled when it is needed.
    pub fn without_regex(self) -> LinePattern {
        LinePattern { regex: None, ..self }
    }

    /// The bytes that it takes, compiled.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the pattern may match otherwise once bytes that are not UTF-8 are [`Replaced`](goregex::Replaced).
    pub fn sees_invalid(&self) -> bool {
        self.sees_invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Matcher;

    fn matches(pattern: &LinePattern, line: &[u8]) -> bool {
        Matcher::new(pattern).is_match(line).unwrap()
    }

    #[test]
    fn all_patterns_have_one_limit() {
        let room = Room::beside([]);
        let heavy = (0..).find_map(|n| room.pattern(&format!(r"(?i)\pL{{100}}{n}")).err()).unwrap();
        assert!(
            heavy.ends_with(
                "all of --include, --exclude, --where, --highlight, --until-match and --redact-pattern may take 128 MiB together"
            ),
            "{heavy}"
        );
        let pattern = LinePattern::new(r"(?i)\pL{100}").unwrap();
        assert!(Room::beside(&vec![pattern; 100]).pattern(r"(?i)\pL{100}").is_err());
    }

    #[test]
    fn patterns_for_names_share_the_room_of_one() {
        assert!(name_of(1)(r"\pL{100}").is_ok());
        let error = name_of(200)(r"\pL{100}").unwrap_err();
        assert!(error.ends_with(r"expression too large: `\pL{100}`"), "{error}");
        assert!(name_of(200)("(?i)^web-.*-[a-z0-9]{5}$").is_ok());
    }

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
            LinePattern::new(&deep).is_ok_and(|pattern| matches(&pattern, b"a")) && name(&deep).is_ok()
        };
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(compile);
        assert!(thread.unwrap().join().unwrap());
    }

    #[test]
    fn a_pattern_for_lines_takes_an_invalid_byte_for_a_character() {
        let matches = |pattern: &str, line: &[u8]| matches(&LinePattern::new(pattern).unwrap(), line);
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
