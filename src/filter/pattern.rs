//! `--include` and `--exclude`: lines that match any of several patterns.

use std::sync::Arc;

use super::Predicate;
use crate::{
    origin::Origin,
    plan::{FilterPlan, LinePattern},
    search::{Exhausted, Matcher},
};

/// The patterns are tried one by one: a `RegexSet` is a little faster with literals only (33 ns a line instead of 44
/// for two), and slower as soon as one pattern has no literal (391 ns instead of 178).
pub struct Pattern {
    patterns: Vec<Matcher>,
    matches: Matches,
    exhausted: bool,
}

/// The lines that are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matches {
    Included,
    Excluded,
}

impl Pattern {
    /// None if all lines are wanted, as far as `--include` goes.
    pub fn include(plan: &FilterPlan) -> Option<Pattern> {
        Pattern::new(&plan.include, Matches::Included)
    }

    /// The same for `--exclude`.
    pub fn exclude(plan: &FilterPlan) -> Option<Pattern> {
        Pattern::new(&plan.exclude, Matches::Excluded)
    }

    fn new(patterns: &[LinePattern], matches: Matches) -> Option<Pattern> {
        let patterns: Vec<_> = patterns.iter().map(Matcher::new).collect();
        (!patterns.is_empty()).then_some(Pattern { patterns, matches, exhausted: false })
    }
}

impl Predicate for Pattern {
    /// A line that is too hard to search is wanted.
    fn wants(&mut self, _: &Arc<Origin>, message: &[u8]) -> bool {
        let Pattern { patterns, matches, exhausted } = self;
        let included = *matches == Matches::Included;
        let any = patterns.iter_mut().any(|pattern| match pattern.is_match(message) {
            Ok(matches) => matches,
            Err(Exhausted) => {
                *exhausted = true;
                included
            }
        });
        any == included
    }

    fn exhausted(&mut self) -> bool {
        std::mem::take(&mut self.exhausted)
    }
}
