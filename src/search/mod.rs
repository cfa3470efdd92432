//! Searches lines for patterns, with bounds: a line that somebody else wrote must not stop the program.

mod linear;

use std::ops::Range;

use goregex::{NEST_LIMIT, Replaced};
use regex_automata::{
    meta::{Config, Regex},
    nfa::thompson::{Compiler, Config as NfaConfig, WhichCaptures},
    util::syntax,
};

use linear::Linear;

use crate::plan::{LinePattern, SIZE_LIMIT};
pub use linear::Exhausted;

/// Compiles patterns into one: of several that match at the same position, the first wins. None: it would take more
/// than `limit` bytes, or a pattern is none. They are separate, not one text joined by `|`: two of them may use the
/// same group name.
pub fn compile(patterns: &[&str], limit: usize) -> Option<Regex> {
    let config = Config::new().utf8_empty(false).nfa_size_limit(Some(limit));
    Regex::builder().syntax(as_bytes()).configure(config).build_many(patterns).ok()
}

/// The same, for searches that take no longer than the line is long.
pub fn compile_linear(patterns: &[&str], limit: usize) -> Option<Linear> {
    let config = NfaConfig::new().utf8(false).nfa_size_limit(Some(limit)).which_captures(WhichCaptures::None);
    let nfa = Compiler::new().syntax(as_bytes()).configure(config).build_many(patterns);
    nfa.ok().map(Linear::new)
}

fn as_bytes() -> syntax::Config {
    syntax::Config::new().utf8(false).nest_limit(NEST_LIMIT)
}

/// Searches of shorter lines, and of lines with a smaller product of length and size of the pattern, are quick with
/// any algorithm.
const SHORT: usize = 4 << 10;
const QUICK: usize = 1 << 31;

/// Patterns of less bytes are quick on any line.
const LIGHT: usize = 4 << 10;

/// Whether the search of a line for a pattern of this size is quick.
pub fn is_quick(size: usize, line: &[u8]) -> bool {
    line.len() <= SHORT || size <= LIGHT || size.saturating_mul(line.len()) <= QUICK
}

/// Finds out whether a line matches.
pub struct Matcher {
    pattern: LinePattern,
    /// None: it was compiled before, so it compiles.
    regex: Option<Regex>,
    /// Made when a line first needs it.
    linear: Option<Option<Box<Linear>>>,
}

impl Matcher {
    pub fn new(pattern: &LinePattern) -> Matcher {
        Matcher { pattern: pattern.clone(), regex: pattern.regex(), linear: None }
    }

    #[inline]
    pub fn is_match(&mut self, line: &[u8]) -> Result<bool, Exhausted> {
        match &self.regex {
            Some(regex) if is_quick(self.pattern.size(), line) => {
                let matches = |line: &[u8]| Ok(regex.is_match(line));
                either(line, self.pattern.sees_invalid(), matches)
            }
            _ => self.is_match_linear(line),
        }
    }

    fn is_match_linear(&mut self, line: &[u8]) -> Result<bool, Exhausted> {
        let pattern = &self.pattern;
        let compile = || compile_linear(&[pattern.translated()], SIZE_LIMIT).map(Box::new);
        let linear = self.linear.get_or_insert_with(compile).as_mut().ok_or(Exhausted)?;
        either(line, pattern.sees_invalid(), |line| linear.is_match(line))
    }
}

/// Whether the line matches, or else the line as Go sees it: a match in bytes that are not UTF-8 is one without them
/// too.
#[inline]
fn either(
    line: &[u8],
    sees_invalid: bool,
    mut matches: impl FnMut(&[u8]) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    if matches(line)? {
        return Ok(true);
    }
    let replaced = if sees_invalid { Replaced::new(line) } else { None };
    replaced.map_or(Ok(false), |replaced| matches(replaced.text.as_bytes()))
}

/// Most bytes that are searched in a line again and again; some milliseconds.
const AGAIN: usize = 2 << 20;

/// Most marks in a line.
const MARKS: usize = 10_000;

/// Finds all matches in a line.
pub struct Finder {
    regex: Regex,
    patterns: Vec<String>,
    size: usize,
    /// The longest match, if there is a longest. A search never looks further than that.
    reach: Option<usize>,
    /// Made when a line first needs it.
    linear: Option<Option<Box<Linear>>>,
}

impl Finder {
    /// None: one of them cannot be compiled.
    pub fn new(patterns: &[&LinePattern]) -> Option<Finder> {
        let translated: Vec<&str> = patterns.iter().map(|pattern| pattern.translated()).collect();
        let regex = match patterns {
            [one] => one.regex(),
            // Each was compiled before, so they compile together too.
            _ => compile(&translated, usize::MAX),
        };
        Some(Finder::of(&translated, regex?))
    }

    fn of(patterns: &[&str], regex: Regex) -> Finder {
        let reach = |pattern: &&str| {
            let hir = syntax::parse_with(pattern, &as_bytes()).ok()?;
            hir.properties().maximum_len()
        };
        let reach = patterns.iter().map(reach).try_fold(0, |longest, reach| Some(longest.max(reach?)));
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let size = regex.memory_usage();
        Finder { regex, patterns, size, reach, linear: None }
    }

    /// Whether there may be a match.
    #[inline]
    pub fn may_match(&self, line: &[u8]) -> bool {
        !is_quick(self.size, line) || self.regex.is_match(line)
    }

    /// Gives the matches in the line, in order, up to [`MARKS`]; whether these are all.
    pub fn find_all(&mut self, line: &[u8], mut found: impl FnMut(Range<usize>)) -> bool {
        if !is_quick(self.size, line) {
            return self.find_rest(line, 0, MARKS, found).is_ok_and(|all| all);
        }
        let (mut at, mut searched, mut count) = (0, 0, 0);
        let mut is_over = true;
        for next in self.regex.find_iter(line) {
            count += 1;
            if count > MARKS {
                return false;
            }
            found(next.range());
            let rest = line.len() - at;
            searched += self.reach.map_or(rest, |reach| rest.min(next.end() - at + reach));
            at = next.end();
            if searched > AGAIN + line.len() {
                is_over = false;
                break;
            }
        }
        is_over || self.find_rest(line, at, MARKS - count, found).is_ok_and(|all| all)
    }

    /// The matches behind `at`, where the last one ended, or the line begins.
    fn find_rest(
        &mut self,
        line: &[u8],
        mut at: usize,
        most: usize,
        mut found: impl FnMut(Range<usize>),
    ) -> Result<bool, Exhausted> {
        let linear = self.linear.get_or_insert_with(|| {
            let patterns: Vec<_> = self.patterns.iter().map(String::as_str).collect();
            compile_linear(&patterns, usize::MAX).map(Box::new)
        });
        let linear = linear.as_mut().ok_or(Exhausted)?;
        linear.prepare(line, at)?;
        let (mut last, mut count) = ((at > 0).then_some(at), 0);
        while let Some((start, end)) = linear.next(line, at) {
            // As everywhere, an empty match right behind a match is none.
            if start == end && Some(end) == last {
                at += 1;
                continue;
            }
            count += 1;
            if count > most {
                return Ok(false);
            }
            found(start..end);
            (at, last) = (end, Some(end));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
