//! Sets of characters: ranges and the classes of Perl, POSIX and Unicode, with Go's case folding.

use std::fmt::Write;

use regex_syntax::hir::{Class as HirClass, ClassUnicode, ClassUnicodeRange, HirKind};

/// A pattern for a class without characters.
const NOTHING: &str = "[a&&b]";

#[derive(Debug, Clone)]
pub struct Class(ClassUnicode);

impl Class {
    pub fn empty() -> Class {
        Class(ClassUnicode::empty())
    }

    /// Code points from `low` to `high`. Go's classes may name surrogates, which never occur.
    pub fn range(low: u32, high: u32) -> Class {
        let low = char::from_u32(low).unwrap_or('\u{E000}');
        let high = char::from_u32(high).unwrap_or('\u{D7FF}');
        Class(ClassUnicode::new((low <= high).then(|| ClassUnicodeRange::new(low, high))))
    }

    fn of(ranges: &[(u8, u8)]) -> Class {
        let range = |&(low, high): &(u8, u8)| ClassUnicodeRange::new(low.into(), high.into());
        Class(ClassUnicode::new(ranges.iter().map(range)))
    }

    /// `\d`, `\s`, `\w` and their negations, by letter.
    pub fn perl(letter: char) -> Option<(Class, bool)> {
        let ranges: &[_] = match letter.to_ascii_lowercase() {
            'd' => &[(b'0', b'9')],
            's' => &[(b'\t', b'\n'), (b'\x0C', b'\r'), (b' ', b' ')],
            'w' => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
            _ => return None,
        };
        Some((Class::of(ranges), letter.is_ascii_uppercase()))
    }

    /// By the name in `[:name:]`.
    pub fn posix(name: &str) -> Option<Class> {
        Some(Class::of(match name {
            "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
            "alpha" => &[(b'A', b'Z'), (b'a', b'z')],
            "ascii" => &[(0, 0x7F)],
            "blank" => &[(b'\t', b'\t'), (b' ', b' ')],
            "cntrl" => &[(0, 0x1F), (0x7F, 0x7F)],
            "digit" => &[(b'0', b'9')],
            "graph" => &[(b'!', b'~')],
            "lower" => &[(b'a', b'z')],
            "print" => &[(b' ', b'~')],
            "punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
            "space" => &[(b'\t', b'\r'), (b' ', b' ')],
            "upper" => &[(b'A', b'Z')],
            "word" => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
            "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
            _ => return None,
        }))
    }

    /// By the name of a general category or a script; case, blanks, dashes and underscores are ignored.
    pub fn unicode(name: &str) -> Option<Class> {
        let mut plain: String = name.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect();
        plain.make_ascii_lowercase();
        // The regex crate would accept `IsGreek`.
        if plain.is_empty() || plain.starts_with("is") || !plain.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        // Contains only surrogates.
        if matches!(plain.as_str(), "cs" | "surrogate") {
            return Some(Class::empty());
        }
        Class::property("gc", &plain).or_else(|| {
            // The regex crate accepts four-letter codes of scripts, Go does not.
            let code = plain.len() == 4
                && !["ahom", "cham", "kawi", "lisu", "newa", "thai", "toto"].contains(&plain.as_str());
            if code || plain == "qaac" { None } else { Class::property("sc", &plain) }
        })
    }

    fn property(kind: &str, value: &str) -> Option<Class> {
        match regex_syntax::parse(&format!(r"\p{{{kind}={value}}}")).ok()?.into_kind() {
            HirKind::Class(HirClass::Unicode(class)) => Some(Class(class)),
            _ => None,
        }
    }

    /// Adds all characters that differ only in case.
    pub fn folded(mut self) -> Class {
        self.0.case_fold_simple();
        self
    }

    pub fn negated(mut self) -> Class {
        self.0.negate();
        self
    }

    pub fn add(&mut self, other: &Class) {
        self.0.union(&other.0);
    }

    pub fn contains(&self, c: char) -> bool {
        self.0.iter().any(|range| (range.start()..=range.end()).contains(&c))
    }

    /// As a pattern.
    pub fn text(&self) -> String {
        let ranges = self.0.ranges();
        let mut text = String::new();
        match ranges {
            [] => text.push_str(NOTHING),
            [one] if one.start() == one.end() => match one.start() {
                // These are special only in brackets.
                c @ ('-' | '&' | '~' | '#') => text.push(c),
                c => push(&mut text, c),
            },
            _ => {
                text.push('[');
                for range in ranges {
                    push(&mut text, range.start());
                    if range.end() != range.start() {
                        text.push('-');
                        push(&mut text, range.end());
                    }
                }
                text.push(']');
            }
        }
        text
    }
}

/// Appends a literal character.
fn push(text: &mut String, c: char) {
    if regex_syntax::is_meta_character(c) {
        text.push('\\');
        text.push(c);
    } else if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() {
        text.push(c);
    } else {
        // Writing to a String cannot fail.
        let _ = write!(text, r"\x{{{:X}}}", u32::from(c));
    }
}
