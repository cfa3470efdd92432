//! Rewrites messages on their way to the sink, behind filters and order, which see lines as they were written.

use crate::{
    event::{Batch, Event},
    notice::Notice,
    pace::Pace,
    plan::Rewrites,
    summary::Summary,
};

/// Nothing but what comes out of this leaves the program.
pub struct Rewriter {
    /// Counts what is shown.
    summary: Option<Summary>,
}

impl Rewriter {
    pub fn new(_plan: &Rewrites, summary: Option<Summary>) -> Rewriter {
        Rewriter { summary }
    }

    /// Looks at a batch as it came, before filters take lines from it.
    pub fn look(&mut self, _batch: &Batch) {}

    /// Rewrites the lines of an event. The notices are shown before it.
    #[allow(clippy::unused_async, reason = "the stages that rewrite lines are being added")]
    pub async fn apply(&mut self, event: Event, _pace: &mut Pace) -> (Event, Vec<Notice>) {
        if let Some(summary) = &self.summary {
            summary.see(&event);
        }
        (event, Vec::new())
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        Vec::new()
    }
}
