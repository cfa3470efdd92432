//! The progress in a log, and the lines that may turn out to be those of the next instance.

use super::{extent::Extent, quota::Quota, reach::Reach, tear::Tear};
use crate::{
    event::{Ending, Instant},
    instance::Life,
    lines::Position,
};

pub struct Progress {
    pub position: Position,
    pub extent: Extent,
    pub reach: Reach,
    /// The last place where another instance's log may begin.
    tear: Option<Tear>,
    /// The position in the next instance's log, read before it was recognized, and the instant of its first line.
    next: Position,
    next_from: Option<Instant>,
}

impl Progress {
    pub fn new(position: Position, extent: Extent, reach: Reach) -> Self {
        Self { position, extent, reach, tear: None, next: Position::default(), next_from: None }
    }

    /// Whether a line was read, so that a request continues after it.
    pub fn has_lines(&self) -> bool {
        self.latest().is_some() || self.position.is_untimed()
    }

    /// The instant of the last line that was read.
    pub fn latest(&self) -> Option<Instant> {
        self.position.latest()
    }

    pub fn quota(&mut self) -> &mut Quota {
        &mut self.extent.quota
    }

    /// Lines from `behind` on may be those of the next instance. `incomplete`: whether lines were missing before.
    pub fn mark_tear(&mut self, behind: Option<Instant>, incomplete: bool) {
        let (before, quota) = (self.position.clone(), self.extent.quota);
        self.tear = Some(Tear { before, behind, incomplete, quota });
    }

    /// Whether the lines since the last tear may be those of the instance that replaced this one.
    pub fn may_be_foreign(&self, life: &Life) -> bool {
        self.tear.as_ref().is_some_and(|tear| tear.can_be_of_next(life))
    }

    /// The first line behind the last tear, if the end of the instance does not rule out that it is the next one's.
    pub fn suspect(&self, ending: &Ending) -> Option<Instant> {
        self.tear.as_ref().filter(|tear| tear.can_be_behind(ending)).and_then(|tear| tear.behind)
    }

    /// The last line that is certainly this instance's own, if there is a tear.
    pub fn latest_own(&self) -> Option<Instant> {
        self.tear.as_ref().and_then(|tear| tear.before.latest())
    }

    /// The lines since the last tear are the next instance's: its tail starts after them, and this one rewinds to the
    /// tear. Returns whether lines were missing before the tear, if there is one.
    #[must_use]
    pub fn hand_over(&mut self) -> Option<bool> {
        self.reach.found_whole();
        let Tear { before, behind, incomplete, quota } = self.tear.take()?;
        self.extent.quota = quota;
        self.next_from = behind;
        self.next = std::mem::replace(&mut self.position, before);
        Some(incomplete)
    }

    /// The instant of the first line of the next instance, if it was read before that was recognized.
    pub fn next_from(&self) -> Option<Instant> {
        self.next_from
    }

    /// The positions in this instance's log and the next one's.
    pub fn into_positions(self) -> (Position, Position) {
        (self.position, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(progress: &mut Progress, seconds: i64) {
        progress.position.advance(Some(Instant(seconds * 1_000_000_000)), b"line");
    }

    fn progress() -> Progress {
        Progress::new(Position::default(), Extent::default(), Reach::EndedShort)
    }

    #[test]
    fn lines_behind_a_tear_are_handed_over() {
        let mut progress = progress();
        read(&mut progress, 1);
        progress.mark_tear(Some(Instant(5_000_000_000)), true);
        progress.quota().bytes = Some(7);
        read(&mut progress, 5);
        assert_eq!(progress.latest_own(), Some(Instant(1_000_000_000)));
        assert_eq!(progress.hand_over(), Some(true));
        assert_eq!((progress.latest(), progress.quota().bytes), (Some(Instant(1_000_000_000)), None));
        assert_eq!(progress.reach, Reach::Ended);
        let (own, next) = progress.into_positions();
        assert_eq!(
            (own.latest(), next.latest()),
            (Some(Instant(1_000_000_000)), Some(Instant(5_000_000_000)))
        );
    }

    #[test]
    fn without_a_tear_there_is_nothing_to_hand_over() {
        let mut progress = progress();
        read(&mut progress, 1);
        assert_eq!(progress.hand_over(), None);
        assert!(progress.has_lines() && progress.latest_own().is_none());
    }
}
