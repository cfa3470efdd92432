//! A point after which lines might belong to the next instance: the first line of a log, and a line before which the
//! last one read is missing.
//!
//! If they do, this tail rewinds to it and the next tail starts after the lines already printed.

use super::{quota::Quota, reach::Reach};
use crate::{
    event::{Ending, Instant},
    instance::Life,
    lines::Position,
};

const SECOND: i64 = 1_000_000_000;

/// The state at that point, to rewind to.
pub struct Tear {
    /// The position in the log.
    pub before: Position,
    /// The time of the first line after it.
    pub behind: Option<Instant>,
    /// The instant from which an instance that starts cannot have written these lines: they came on a stream that was
    /// open before.
    pub opened: Option<Instant>,
    /// Whether lines before it may be missing.
    pub incomplete: bool,
    /// How the answer before it ended.
    pub reach: Reach,
    /// The lines and bytes that could still be shown.
    pub quota: Quota,
}

impl Tear {
    /// Whether the lines after it can be those of the next instance, which the node knew before the apiserver did.
    ///
    /// A status has whole seconds: the last lines of an instance can seem to be those of the next.
    pub fn can_be_of_next(&self, life: &Life) -> bool {
        match life {
            Life::Replaced { started: Some(started), .. } => self.can_be_since(Instant::from(*started)),
            _ => false,
        }
    }

    /// Whether they are: an instance writes nothing once the next one has started.
    pub fn is_of_next(&self, life: &Life) -> bool {
        let Life::Replaced { started: Some(started), .. } = life else { return false };
        self.can_be_of_next(life) && self.behind >= Some(Instant(Instant::from(*started).0 + SECOND))
    }

    fn can_be_since(&self, instant: Instant) -> bool {
        self.behind >= Some(instant) && self.opened.is_none_or(|opened| instant < opened)
    }

    /// Whether that remains possible once the instance has ended like this, and before another is known.
    pub fn can_be_behind(&self, ending: &Ending) -> bool {
        ending.finished.is_some_and(|finished| self.can_be_since(Instant::from(finished)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn lines_from_the_second_of_the_start_on_are_of_the_new_instance() {
        let started = Some(Timestamp::from_second(7).unwrap());
        let replaced = Life::Replaced { ending: Ending::default(), restart_count: 1, started };
        let behind = |second: i64| {
            let behind = Some(Instant(second * 1_000_000_000 + 5));
            Tear {
                before: Position::default(),
                behind,
                opened: None,
                incomplete: false,
                reach: Reach::Open,
                quota: Quota::default(),
            }
        };
        assert!(behind(7).can_be_of_next(&replaced));
        assert!(!behind(6).can_be_of_next(&replaced));
        assert!(!behind(7).is_of_next(&replaced) && behind(8).is_of_next(&replaced));
        assert!(!behind(7).can_be_of_next(&Life::Running));
        let opened = |second: i64| Tear { opened: Some(Instant(second * 1_000_000_000)), ..behind(9) };
        assert!(opened(8).can_be_of_next(&replaced));
        assert!(!opened(6).can_be_of_next(&replaced), "the stream was open before the new instance started");
    }
}
