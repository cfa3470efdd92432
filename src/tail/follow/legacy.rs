//! Carries what a tail knows to the next tail of its container.

use jiff::Timestamp;

use crate::{
    event::{self, Ending, Restart},
    tail::progress::Parts,
};

/// The knowledge that the tail of an instance leaves to the next tail of the container.
#[derive(Default)]
pub struct Legacy {
    /// The container ID and the restarts of the instance, and the lines that were shown: it may have another tail.
    pub(super) read: Option<((String, u32), Parts)>,
    /// The instance that was shown last.
    pub(super) shown: Option<Shown>,
    /// The restarts of the last instance that had a tail.
    pub(super) last: Option<u32>,
    /// Whether all of that instance's log is new.
    pub(super) fresh: bool,
    /// Whether no such pod was found since its last answer.
    pub(super) missing: bool,
}

impl Legacy {
    /// Whether the instance with so many restarts was read, and a later one had a tail since.
    pub fn is_behind(&self, restart_count: u32) -> bool {
        let was_read = |shown: &Shown| {
            shown.restart_count > restart_count || shown.restart_count == restart_count && shown.whole
        };
        let is_later = self.read.as_ref().is_some_and(|((_, last), _)| *last > restart_count);
        is_later && self.shown.as_ref().is_some_and(was_read)
    }
}

/// An instance that was shown, as far as a restart is described by it.
#[derive(Clone)]
pub struct Shown {
    pub restart_count: u32,
    pub started: Option<Timestamp>,
    pub ending: Ending,
    /// Whether its last line was read.
    pub whole: bool,
}

impl Shown {
    /// The restart since then; `next` restarts were before the next instance, and it wrote lines from `lines_since` on that
    /// are shown already.
    pub fn restart(&self, next: u32, lines_since: Option<event::Instant>) -> Restart {
        let Shown { restart_count, started, ending, .. } = self;
        let ran = started.zip(ending.finished).map(|(started, finished)| finished.duration_since(started));
        let skipped = next.saturating_sub(restart_count + 1);
        Restart { ending: ending.clone(), ran: ran.filter(|ran| !ran.is_negative()), skipped, lines_since }
    }
}
