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
const QUICK: usize = 1 << 32;

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
        let regex = compile(&[pattern.translated()], SIZE_LIMIT);
        Matcher { pattern: pattern.clone(), regex, linear: None }
    }

    #[inline]
    pub fn is_match(&mut self, line: &[u8]) -> Result<bool, Exhausted> {
        match &self.regex {
            Some(regex) if line.len() <= SHORT || self.pattern.size().saturating_mul(line.len()) <= QUICK => {
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
    /// The longest match, if there is a longest. A search never looks further than that.
    reach: Option<usize>,
    /// Made when a line first needs it.
    linear: Option<Option<Box<Linear>>>,
}

impl Finder {
    /// None: the patterns take more than `limit` bytes.
    pub fn new(patterns: &[&str], limit: usize) -> Option<Finder> {
        let regex = compile(patterns, limit)?;
        let reach = |pattern: &&str| {
            let hir = syntax::parse_with(pattern, &as_bytes()).ok()?;
            hir.properties().maximum_len()
        };
        let reach = patterns.iter().map(reach).try_fold(0, |longest, reach| Some(longest.max(reach?)));
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        Some(Finder { regex, patterns, reach, linear: None })
    }

    #[inline]
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }

    /// Gives the matches in the line, in order, up to [`MARKS`]; whether these are all.
    pub fn find_all(&mut self, line: &[u8], mut found: impl FnMut(Range<usize>)) -> bool {
        let (mut at, mut searched) = (0, 0);
        let mut count = 0;
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

    /// The matches behind `at`, where the last one ended.
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
        let (mut last, mut count) = (at, 0);
        while let Some((start, end)) = linear.next(line, at) {
            // As everywhere, an empty match right behind a match is none.
            if start == end && end == last {
                at += 1;
                continue;
            }
            count += 1;
            if count > most {
                return Ok(false);
            }
            found(start..end);
            (at, last) = (end, end);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
