//! Rewrites messages on their way to the sink, behind filters and order, which see lines as they were written.

mod jq;

use jq::Jq;

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
    jq: Option<Jq>,
}

impl Rewriter {
    pub fn new(plan: &Rewrites, summary: Option<Summary>) -> Rewriter {
        Rewriter { summary, jq: plan.jq.as_ref().map(Jq::new) }
    }

    /// Looks at a batch as it came, before filters take lines from it.
    pub fn look(&mut self, _batch: &Batch) {}

    /// Rewrites the lines of an event. The notices are shown before it.
    /// None: the event cannot be rewritten, for the reason that [`over`](Self::over) has.
    pub async fn apply(&mut self, event: Event, _pace: &mut Pace) -> (Option<Event>, Vec<Notice>) {
        if let Some(summary) = &self.summary {
            summary.see(&event);
        }
        let mut notices = Vec::new();
        let event = match &mut self.jq {
            Some(jq) => jq.apply(event, &mut notices).await,
            None => Some(event),
        };
        (event, notices)
    }

    /// The reason why nothing more can be rewritten, so that the run ends.
    pub fn over(&self) -> Option<&str> {
        self.jq.as_ref().and_then(Jq::over)
    }

    /// Whether everything was rewritten.
    pub fn is_whole(&self) -> bool {
        self.jq.as_ref().is_none_or(Jq::is_whole)
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        self.jq.as_mut().map(Jq::last_words).unwrap_or_default()
    }
}
