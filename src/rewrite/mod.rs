//! Rewrites messages on their way to the sink, behind filters and order, which see lines as they were written.

mod jq;
mod redact;

use crate::{
    event::{Batch, Event},
    notice::Notice,
    pace::Pace,
    plan::Rewrites,
    summary::Summary,
};
use jq::Jq;
use redact::Redactor;

#[cfg(fuzzing)]
pub use redact::fuzz;
pub use redact::mask::masks;

/// Nothing but what comes out of this leaves the program.
pub struct Rewriter {
    redactor: Option<Redactor>,
    /// Counts what is shown.
    summary: Option<Summary>,
    jq: Option<Jq>,
}

impl Rewriter {
    pub fn new(plan: &Rewrites, summary: Option<Summary>) -> Rewriter {
        let redactor = plan.redact.as_ref().map(Redactor::new);
        Rewriter { redactor, summary, jq: plan.jq.as_ref().map(Jq::new) }
    }

    /// Looks at a batch as it came, before filters take lines from it.
    pub fn look(&mut self, batch: &Batch) {
        if let Some(redactor) = &mut self.redactor {
            redactor.look(batch);
        }
    }

    /// Rewrites the lines of an event, and what is shown beside them. The notices are shown before it.
    /// None: the event cannot be rewritten, for the reason that [`over`](Self::over) has.
    pub async fn apply(&mut self, event: Event, pace: &mut Pace) -> (Option<Event>, Vec<Notice>) {
        let (mut event, mut notices) = self.lines(event, pace).await;
        if let Some(redactor) = &mut self.redactor {
            notices.extend(redactor.news());
            if let Some(event) = &mut event {
                redactor.beside(event);
            }
        }
        (event, notices)
    }

    async fn lines(&mut self, event: Event, pace: &mut Pace) -> (Option<Event>, Vec<Notice>) {
        let event = self.redacted(event, pace).await;
        if let Some(summary) = &self.summary {
            summary.see(&event);
        }
        let mut notices = Vec::new();
        let Some(jq) = &mut self.jq else { return (Some(event), notices) };
        match jq.apply(event, &mut notices).await {
            // A program can put together what was hidden in none of its parts.
            Some(event @ (Event::Batch(_) | Event::Merged(_))) => {
                (Some(self.redacted(event, pace).await), notices)
            }
            event => (event, notices),
        }
    }

    /// The reason why nothing more can be rewritten, so that the run ends.
    pub fn over(&self) -> Option<&str> {
        self.jq.as_ref().and_then(Jq::over)
    }

    /// Whether everything was rewritten.
    pub fn is_whole(&self) -> bool {
        self.jq.as_ref().is_none_or(Jq::is_whole)
    }

    /// Hides personal data and secrets.
    async fn redacted(&mut self, event: Event, pace: &mut Pace) -> Event {
        let Some(redactor) = &mut self.redactor else { return event };
        match &event {
            Event::Batch(batch) => redactor.batch(batch, pace).await.map_or(event, Event::Batch),
            Event::Merged(merged) => redactor.merged(merged, pace).await.map_or(event, Event::Merged),
            Event::Closed(..)
            | Event::Expected(_)
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
        let mut words: Vec<_> = self.redactor.iter().map(Redactor::last_words).collect();
        words.extend(self.jq.iter_mut().flat_map(Jq::last_words));
        words
    }
}
