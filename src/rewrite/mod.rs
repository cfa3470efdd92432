//! Rewrites messages on their way to the sink, behind filters and order, which see lines as they were written.

mod redact;

use crate::{
    event::{Batch, Event},
    notice::Notice,
    pace::Pace,
    plan::Rewrites,
    summary::Summary,
};
use redact::Redactor;

pub use redact::mask::masks;

/// Nothing but what comes out of this leaves the program.
pub struct Rewriter {
    redactor: Option<Redactor>,
    /// Counts what is shown.
    summary: Option<Summary>,
}

impl Rewriter {
    pub fn new(plan: &Rewrites, summary: Option<Summary>) -> Rewriter {
        Rewriter { redactor: plan.redact.as_ref().map(Redactor::new), summary }
    }

    /// Looks at a batch as it came, before filters take lines from it.
    pub fn look(&mut self, batch: &Batch) {
        if let Some(redactor) = &mut self.redactor {
            redactor.look(batch);
        }
    }

    /// Rewrites the lines of an event. The notices are shown before it.
    pub async fn apply(&mut self, event: Event, pace: &mut Pace) -> (Event, Vec<Notice>) {
        let event = self.redacted(event, pace).await;
        if let Some(summary) = &self.summary {
            summary.see(&event);
        }
        (event, Vec::new())
    }

    /// Hides personal data and secrets.
    async fn redacted(&mut self, event: Event, pace: &mut Pace) -> Event {
        let Some(redactor) = &mut self.redactor else { return event };
        match &event {
            Event::Batch(batch) => redactor.batch(batch, pace).await.map_or(event, Event::Batch),
            Event::Merged(merged) => redactor.merged(merged, pace).await.map_or(event, Event::Merged),
            Event::Closed(origin, _) => {
                redactor.forget(origin);
                event
            }
            Event::Expected(_)
            | Event::Listed
            | Event::Opened(..)
            | Event::Reached(..)
            | Event::CaughtUp(_)
            | Event::Notice(_)
            | Event::Text(_) => event,
        }
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        self.redactor.iter().map(Redactor::last_words).collect()
    }
}
