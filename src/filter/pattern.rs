//! `--include` and `--exclude`: lines that match one of some patterns.

use std::sync::Arc;

use super::Predicate;
use crate::{
    origin::Origin,
    plan::{FilterPlan, LinePattern},
};

/// The patterns are tried one by one: a `RegexSet` gains a little with literals alone (33 ns a line instead of 44 for
/// two) and loses more as soon as one pattern has none (391 instead of 178).
pub struct Pattern {
    include: Vec<LinePattern>,
    exclude: Vec<LinePattern>,
}

impl Pattern {
    /// None where all lines are wanted.
    pub fn new(plan: &FilterPlan) -> Option<Pattern> {
        let any = !plan.include.is_empty() || !plan.exclude.is_empty();
        any.then(|| Pattern { include: plan.include.clone(), exclude: plan.exclude.clone() })
    }
}

impl Predicate for Pattern {
    fn wants(&mut self, _: &Arc<Origin>, message: &[u8]) -> bool {
        let any = |patterns: &[LinePattern]| patterns.iter().any(|pattern| pattern.is_match(message));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}
