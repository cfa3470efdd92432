//! A place in a log where another instance's may begin: its opening, and where the last line that was read is missing.

use super::quota::Quota;
use crate::{
    event::{Ending, Instant},
    instance::Life,
    lines::Position,
};

/// Remembers what it takes to go back behind it.
pub struct Tear {
    /// Where the log was read to.
    pub before: Position,
    /// When the first line behind it was written.
    pub behind: Option<Instant>,
    /// Whether lines may have been missed earlier.
    pub incomplete: bool,
    /// How much might still be shown.
    pub quota: Quota,
}

impl Tear {
    /// Whether what is behind it can be the log of the next instance, which the node knew before the apiserver did.
    ///
    /// A status knows seconds only: what an instance wrote right before its end can seem to be of the next.
    pub fn can_be_of_next(&self, life: &Life) -> bool {
        match life {
            Life::Replaced { started: Some(started), .. } => self.behind >= Some(Instant::from(*started)),
            _ => false,
        }
    }

    /// Whether that cannot be ruled out of an instance that ended like this, before any other is known.
    pub fn can_be_behind(&self, ending: &Ending) -> bool {
        ending.finished.is_some_and(|finished| self.behind >= Some(Instant::from(finished)))
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
            Tear { before: Position::default(), behind, incomplete: false, quota: Quota::default() }
        };
        assert!(behind(7).can_be_of_next(&replaced));
        assert!(!behind(6).can_be_of_next(&replaced));
        assert!(!behind(7).can_be_of_next(&Life::Running));
    }
}
