//! Carries what a tail knows to the next tail of its container.

use jiff::Timestamp;

use crate::{
    event::{self, Ending, Restart},
    instance::Instance,
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
    /// Whether its loss was reported, if nothing of it was read.
    pub(super) reported: bool,
    /// Whether no such pod was found since its last answer.
    pub(super) missing: bool,
}

impl Legacy {
    /// Whether nothing more is wanted of this instance: all that may be shown of it was shown, or it is over, was read,
    /// and a later one had a tail since.
    pub fn has_enough_of(&self, instance: &Instance) -> bool {
        let is_used_up = self.read.as_ref().is_some_and(|((id, restarts), parts)| {
            let is_same = *id == instance.container_id && *restarts == instance.restart_count;
            is_same && parts.quota.is_used_up()
        });
        is_used_up || instance.is_past && self.is_behind(instance.restart_count)
    }

    /// Whether the instance with so many restarts was read, and a later one had a tail since.
    fn is_behind(&self, restart_count: u32) -> bool {
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
    /// Whether its log was read to its end.
    pub whole: bool,
    /// Whether its last line is known, if it wrote one: it may be older than all that was requested.
    pub is_end_known: bool,
}

impl Shown {
    /// The restart since then; `next` restarts were before the next instance, and it wrote lines from `lines_since` on
    /// that are shown already.
    pub fn restart(&self, next: u32, lines_since: Option<event::Instant>) -> Restart {
        let Shown { restart_count, started, ending, .. } = self;
        let ran = started.zip(ending.finished).map(|(started, finished)| finished.duration_since(started));
        let skipped = next.saturating_sub(restart_count + 1);
        Restart { ending: ending.clone(), ran: ran.filter(|ran| !ran.is_negative()), skipped, lines_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lines::Position,
        tail::{early::Early, quota::Quota},
    };

    /// Its last line may have been cut, and is no place to go on from.
    #[test]
    fn an_instance_whose_bytes_are_used_up_is_not_read_again() {
        for (bytes, restart_count, enough) in [(Some(0), 1, true), (Some(1), 1, false), (Some(0), 2, false)] {
            let parts = Parts {
                early: Early::default(),
                own: Position::default(),
                quota: Quota { lines: None, bytes },
                empty: None,
                first: None,
                guessed_from: None,
                latest: None,
                next: None,
                later: None,
            };
            let legacy = Legacy { read: Some((("a".into(), 1), parts)), ..Legacy::default() };
            let instance = Instance { container_id: "a".into(), restart_count, ..Instance::default() };
            assert_eq!(legacy.has_enough_of(&instance), enough, "{bytes:?} {restart_count}");
        }
    }
}
