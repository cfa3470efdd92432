//! Compares what happened with what the program promises.

mod ending;
mod leftovers;
mod limits;
mod lines;
mod nodes;
mod order;
mod outages;
mod promptness;
mod reading;
mod record;
pub mod repeat;
#[cfg(test)]
mod testing;
mod troubles;

use std::{fmt, time::Duration};

use crate::story::Story;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A few words, the same for all problems of a kind: a shorter script has to show the same.
    pub kind: &'static str,
    /// `namespace/pod/container`, or a part of it; empty if it is about none.
    pub container: String,
    pub at: Duration,
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { kind, container, at, text } = self;
        write!(f, "{:>8.3} s  {kind}: ", at.as_secs_f64())?;
        if !container.is_empty() {
            write!(f, "{container}: ")?;
        }
        f.write_str(text)
    }
}

/// All that is wrong with a run.
pub fn judge(story: &Story) -> Vec<Problem> {
    let view = limits::View::new(story);
    let mut problems = lines::judge_with(story, |book, problems| promptness::judge(&view, book, problems));
    problems.extend(limits::judge(&view));
    problems.extend(outages::judge(&view));
    problems.extend(nodes::judge(&view));
    problems.extend(ending::judge(story));
    problems.extend(order::judge(story));
    problems.extend(leftovers::judge(story));
    problems
}
