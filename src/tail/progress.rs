//! The progress in a log, and the lines that may turn out to be those of the next instance.

use super::{extent::Extent, quota::Quota, reach::Reach, tear::Tear};
use crate::{
    event::{Ending, Instant},
    instance::Life,
    lines::{Position, Seen},
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
    /// How the last answer ended; open before there was one.
    pub answered: Reach,
    /// The line without a newline with which the log ended, and the number of answers that ended within another one.
    unfinished: (Option<Seen>, usize),
}

/// The most times that a log is read again since an answer ended within a line.
const UNFINISHED: usize = 4;

impl Progress {
    pub fn new(position: Position, extent: Extent, reach: Reach) -> Self {
        let unfinished = (None, 0);
        Self {
            position,
            extent,
            reach,
            tear: None,
            next: Position::default(),
            next_from: None,
            answered: Reach::Open,
            unfinished,
        }
    }

    /// Whether a line was read, so that a request continues after it.
    pub fn has_lines(&self) -> bool {
        self.latest().is_some() || self.position.is_untimed()
    }

    /// The instant of the last line that was read.
    pub fn latest(&self) -> Option<Instant> {
        self.position.latest()
    }

    /// An answer ended within this line. Whether it is worth another one: not if the log itself was seen to end like this.
    pub fn ends_anew(&mut self, line: Seen) -> bool {
        let (end, count) = &mut self.unfinished;
        let anew = *end != Some(line) && *count < UNFINISHED;
        *count += usize::from(anew);
        anew
    }

    /// The last line of the log has no newline.
    pub fn ends_within(&mut self, line: Seen) {
        self.unfinished.0 = Some(line);
    }

    pub fn quota(&mut self) -> &mut Quota {
        &mut self.extent.quota
    }

    /// The lines up to here were read before they were recognized, from `behind` on. They may be those of an instance
    /// after this one.
    pub fn begins_behind(&mut self, behind: Option<Instant>, before: Position) {
        let (reach, quota) = (self.reach, self.extent.quota);
        self.tear = Some(Tear { before, behind, incomplete: false, reach, quota, previous: false });
    }

    /// Lines from `behind` on may be those of the next instance. `incomplete`: whether lines were missing before;
    /// `reach`: how the answer before ended; `previous`: whether it is the previous log.
    pub fn mark_tear(&mut self, behind: Option<Instant>, incomplete: bool, reach: Reach, previous: bool) {
        let (before, quota) = (self.position.clone(), self.extent.quota);
        self.tear = Some(Tear { before, behind, incomplete, reach, quota, previous });
    }

    /// The position in the previous log, if its lines since the last tear may have been those of the next instance, although
    /// nothing proves it; and the last line before them.
    pub fn guess(&self, life: &Life) -> Option<(Position, Option<Instant>)> {
        let tear = self.tear.as_ref().filter(|tear| tear.previous && tear.can_be_of_next(life))?;
        Some((self.position.clone(), tear.before.latest()))
    }

    /// The instance is out of reach: how far it was read before the lines since the last tear, if these may be another's.
    pub fn reach_before_tear(&self, life: &Life) -> Option<Reach> {
        self.tear.as_ref().filter(|tear| tear.can_be_of_next(life)).map(|tear| tear.reach)
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
        let Tear { before, behind, incomplete, quota, .. } = self.tear.take()?;
        self.extent.quota = quota;
        self.next_from = behind;
        self.next = std::mem::replace(&mut self.position, before);
        Some(incomplete)
    }

    /// The log is read from its beginning.
    pub fn forget(&mut self) {
        if let Some(Tear { before, quota, .. }) = self.tear.take() {
            (self.position, self.extent.quota) = (before, quota);
        }
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
        progress.mark_tear(Some(Instant(5_000_000_000)), true, Reach::Open, false);
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
