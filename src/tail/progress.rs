//! The progress in a log, and the lines that may turn out to be those of the next instance.

use jiff::Timestamp;

use super::{early::Early, extent::Extent, quota::Quota, reach::Reach, tear::Tear};
use crate::{
    event::{Ending, Instant, Line},
    instance::Life,
    lines::{Position, Seen},
};

pub struct Progress {
    pub position: Position,
    pub extent: Extent,
    pub reach: Reach,
    /// The lines that were shown before this tail began.
    pub early: Early,
    /// The instant of the first line that was read.
    pub first: Option<Instant>,
    /// The line with which a log begins that was left, since it is another instance's.
    pub left: Option<Seen>,
    /// The first wanted line of the log that was seen, if none was read yet.
    pub begun: Option<Begun>,
    /// The last place where another instance's log may begin.
    tear: Option<Tear>,
    /// The one before.
    earlier: Option<Tear>,
    /// What was read of the next instance's log before it was recognized.
    next: Option<Ahead>,
    /// The same of an instance behind that one.
    later: Option<Ahead>,
    /// How the last answer ended, if there was one.
    pub answered: Option<Reach>,
    /// When a line of the log came last, or its first answer began; None once its end was verified.
    pub heard: Option<tokio::time::Instant>,
    /// The line without a newline with which the log ended, and the number of answers that ended within another one
    /// since new lines came.
    unfinished: (Option<Seen>, usize),
    /// A line that seemed to be sent again at about its own instant, and whether the log has two such lines.
    alike: (Option<Seen>, bool),
    /// The state before the lines that wait for room, which are requested again if they are dropped.
    unsent: Option<(Quota, Option<Begun>)>,
}

/// A line with which the log began.
#[derive(Clone, Copy)]
pub struct Begun {
    time: Instant,
    /// None if it came in part.
    line: Option<Seen>,
}

/// Lines of a later instance that the tail of an earlier one showed.
#[derive(Debug)]
pub struct Ahead {
    pub position: Position,
    /// The instant of the first of them.
    pub from: Option<Instant>,
    /// Whether the answer with them came to its end.
    pub ended: bool,
    /// The bytes of them, if these are counted.
    pub bytes: u64,
}

/// The most times in a row that a log is read again since an answer ended within a line, and brought no other.
const UNFINISHED: usize = 4;

impl Progress {
    pub fn new(position: Position, extent: Extent, reach: Reach, early: Early) -> Self {
        let (unfinished, alike) = ((None, 0), (None, false));
        Self {
            position,
            extent,
            reach,
            early,
            first: None,
            left: None,
            begun: None,
            tear: None,
            earlier: None,
            next: None,
            later: None,
            answered: None,
            heard: None,
            unfinished,
            alike,
            unsent: None,
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

    /// These lines of `data` were read; some of them were shown before.
    pub fn read(&mut self, data: &[u8], lines: &[Line]) {
        for line in lines {
            self.position.advance(line.time, &data[line.start as usize..line.end as usize]);
        }
        self.early.keep();
    }

    /// Lines are chosen, and wait for room after that.
    pub fn choose(&mut self) {
        self.unsent = Some((self.extent.quota, self.begun));
    }

    /// They were sent, or none was.
    pub fn sent(&mut self) {
        self.unsent = None;
    }

    /// Lines that were not sent are requested again.
    pub fn give_back(&mut self) {
        self.early.give_back();
        if let Some((quota, begun)) = self.unsent.take() {
            (self.extent.quota, self.begun) = (quota, begun);
        }
    }

    /// An answer ended within this line; None: within its timestamp. Whether it is worth another one: not if the log
    /// itself was seen to end like this.
    pub fn ends_anew(&mut self, line: Option<Seen>) -> bool {
        let (end, count) = &mut self.unfinished;
        let anew = (line.is_none() || *end != line) && *count < UNFINISHED;
        *count += usize::from(anew);
        anew
    }

    /// Whether the end was verified, and no line came since.
    pub fn is_verified(&self) -> bool {
        self.reach.is_opened() && self.heard.is_none()
    }

    /// An answer brought new lines.
    pub fn came_on(&mut self) {
        self.unfinished.1 = 0;
    }

    /// The last line of the log has no newline.
    pub fn ends_within(&mut self, line: Seen) {
        self.unfinished.0 = Some(line);
    }

    /// Whether a line like one that was read at about the same instant may be the same one: not if the log had two such
    /// lines before.
    pub fn may_come_again(&self) -> bool {
        !self.alike.1
    }

    /// This line seems to come again.
    pub fn comes_again(&mut self, line: Seen) {
        self.alike.0 = Some(line);
    }

    /// An answer goes on with this line behind those that were read before.
    pub fn goes_on_with(&mut self, line: Seen) {
        self.alike.1 |= self.alike.0 == Some(line);
    }

    /// An answer ended within a line of this instant, which is wanted, before any was read.
    pub fn begins_within(&mut self, time: Instant) {
        if self.begun.is_none_or(|begun| time < begun.time) {
            self.begun = Some(Begun { time, line: None });
        }
    }

    /// An answer begins with this line, and may end before it is known whose it is.
    pub fn begins_with(&mut self, line: Seen) {
        if self.begun.is_none_or(|begun| line.time() < begun.time) {
            self.begun = Some(Begun { time: line.time(), line: Some(line) });
        }
    }

    /// The instant of such a line, if it is wanted still.
    pub fn begun(&self) -> Option<Instant> {
        Some(self.wanted_begun()?.time)
    }

    fn wanted_begun(&self) -> Option<Begun> {
        // The last lines of a log are others once it has more.
        let is_wanted = |begun: &Begun| Some(begun.time) >= self.extent.start();
        self.begun.filter(|_| self.extent.tail_lines().is_none()).filter(is_wanted)
    }

    /// The log begins with this line. Whether it lacks such a line before that; once.
    pub fn lacks_begun(&mut self, first: Option<Seen>) -> bool {
        let is_lost = self.wanted_begun().zip(first).is_some_and(|(begun, first)| {
            let is_other = || begun.line.is_some_and(|line| line != first);
            begun.time < first.time() || begun.time == first.time() && is_other()
        });
        self.begun = None;
        is_lost
    }

    pub fn quota(&mut self) -> &mut Quota {
        &mut self.extent.quota
    }

    /// Lines from `behind` on may be those of the next instance. `incomplete`: whether lines were missing before;
    /// `reach`: how the answer before ended; `opened`: see [`Tear::opened`].
    pub fn mark_tear(
        &mut self,
        behind: Option<Instant>,
        incomplete: bool,
        reach: Reach,
        opened: Option<Instant>,
    ) {
        // A line that was only looked at may be the next instance's as well.
        let before = match self.position.is_behind_look() {
            true => Position::midway(),
            false => self.position.clone(),
        };
        let quota = self.extent.quota;
        // The same line may be requested again.
        if self.behind_tear() != behind {
            self.earlier = self.tear.take();
        }
        self.tear = Some(Tear { before, behind, opened, incomplete, reach, quota });
    }

    /// If the status of the next instance shows that its log begins at the tear before the last one, that is the one.
    pub fn reported(&mut self, life: &Life) {
        if let Life::Replaced { started, .. } = life {
            self.extent.is_replaced(*started);
        }
        if let Some(earlier) = self.earlier.take_if(|tear| tear.is_of_next(life)) {
            self.tear = Some(earlier);
        }
    }

    /// How far this instance was read before the last tear.
    pub fn before_tear(&self) -> Option<Reach> {
        self.tear.as_ref().map(|tear| tear.reach)
    }

    /// Whether the lines since the last tear may be those of the instance that replaced this one.
    pub fn may_be_foreign(&self, life: &Life) -> bool {
        self.tear.as_ref().is_some_and(|tear| tear.can_be_of_next(life))
    }

    /// The first line behind the last tear, if the end of the instance does not rule out that it is the next one's.
    pub fn suspect(&self, ending: &Ending) -> Option<Instant> {
        self.tear.as_ref().filter(|tear| tear.can_be_behind(ending)).and_then(|tear| tear.behind)
    }

    /// The first line behind the last tear.
    pub fn behind_tear(&self) -> Option<Instant> {
        self.tear.as_ref()?.behind
    }

    /// The last line that is certainly this instance's own, if there is a tear.
    pub fn latest_own(&self) -> Option<Instant> {
        self.tear.as_ref().and_then(|tear| tear.before.latest())
    }

    /// The lines since the last tear are the next instance's: its tail starts after them, and this one rewinds to the
    /// tear. Returns whether lines were missing before the tear, if there is one.
    ///
    /// `in_doubt`: whether the end of the last answer is no end of their log, since the node went away.
    #[must_use]
    pub fn hand_over(&mut self, in_doubt: bool) -> Option<bool> {
        let ended = self.answered == Some(Reach::Ended) && !in_doubt;
        self.reach.found_whole();
        self.earlier = None;
        let Tear { before, behind, incomplete, quota, .. } = self.tear.take()?;
        let counted = quota.bytes.zip(self.extent.quota.bytes);
        let bytes = counted.map_or(0, |(before, now)| before.saturating_sub(now));
        self.extent.quota = quota;
        let position = std::mem::replace(&mut self.position, before);
        let later = self.next.replace(Ahead { position, from: behind, ended, bytes });
        self.later = later.or(self.later.take());
        Some(incomplete)
    }

    /// The instant of the first line that was handed over.
    pub fn handed_over_from(&self) -> Option<Instant> {
        self.next.as_ref()?.from
    }

    /// Whether a line of that instant is the next instance's, as those that were handed over.
    pub fn is_handed_over(&self, line: Instant) -> bool {
        self.handed_over_from().is_some_and(|from| line >= from)
    }

    /// The instant up to which this instance was shown by the tails before, once one of its lines came again.
    pub fn shown_to(&self) -> Option<Instant> {
        self.early.shown_to().filter(|to| !self.is_handed_over(*to))
    }

    /// The instant of the last line that was handed over.
    pub fn handed_over_to(&self) -> Option<Instant> {
        self.later.iter().chain(&self.next).filter_map(|ahead| ahead.position.latest_read()).max()
    }

    /// The lines that were handed over are this instance's again, and may be another's as before. Returns whether there
    /// were any.
    ///
    /// `incomplete`: see [`Progress::mark_tear`].
    pub fn take_back(&mut self, incomplete: bool) -> bool {
        let Some(Ahead { position, from, bytes, .. }) = self.next.take() else { return false };
        let (before, quota) = (std::mem::replace(&mut self.position, position), self.extent.quota);
        self.tear = Some(Tear { before, behind: from, opened: None, incomplete, reach: self.reach, quota });
        if let Some(left) = &mut self.extent.quota.bytes {
            *left = left.saturating_sub(bytes);
        }
        true
    }

    /// The lines since the last tear are this instance's own after all.
    pub fn close_tear(&mut self) {
        (self.tear, self.earlier) = (None, None);
    }

    /// The knowledge for the tails of later instances.
    pub fn into_parts(self, life: &Life) -> Parts {
        let Self { mut early, first, position, extent, next, later, tear, .. } = self;
        let first = first.filter(|_| position.latest().is_some());
        let is_open = |tear: &Tear| match life {
            // No status reports the end yet; those of a pod that stopped meeting the condition are not read.
            Life::Running | Life::Terminating | Life::Dropped => true,
            life => tear.can_be_of_next(life),
        };
        let tear = tear.filter(|tear| next.is_none() && is_open(tear));
        let (guessed_from, latest) = match tear {
            Some(tear) => (tear.behind, tear.before.latest()),
            None => (None, position.latest()),
        };
        early.forget_until(latest);
        early.is_behind(position.latest());
        early.is_reported_before(first);
        let Extent { quota, empty, .. } = extent;
        Parts { early, own: position, quota, empty, first, guessed_from, latest, next, later }
    }
}

/// The lines that a tail showed.
#[derive(Debug)]
pub struct Parts {
    /// Those that were shown before, and may be in a later log.
    pub early: Early,
    /// Those of this instance.
    pub own: Position,
    /// The lines and bytes that may still be shown of it.
    pub quota: Quota,
    /// When its log had no line, if it had none.
    pub empty: Option<Timestamp>,
    /// The instant of the first one of this instance.
    pub first: Option<Instant>,
    /// The instant from which they may be those of the next one.
    pub guessed_from: Option<Instant>,
    /// The instant of the last one that is certainly this instance's.
    pub latest: Option<Instant>,
    /// Those of a later instance, and of one behind that.
    pub next: Option<Ahead>,
    pub later: Option<Ahead>,
}

impl Parts {
    /// The lines that the next tail leaves out, and if it is of this instance again, its position.
    pub fn into_early(self, again: bool) -> (Early, Option<Position>) {
        let Self { mut early, own, first, guessed_from, next, later, .. } = self;
        if !again {
            early.add(&own, guessed_from);
            early.began_with(first);
        }
        for ahead in [later, next].into_iter().flatten() {
            early.add_foreign(&ahead);
        }
        (early, Some(own).filter(|_| again))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(progress: &mut Progress, seconds: i64) {
        progress.position.advance(Some(Instant(seconds * 1_000_000_000)), b"line");
    }

    fn progress() -> Progress {
        Progress::new(Position::default(), Extent::default(), Reach::EndedShort, Early::default())
    }

    #[test]
    fn lines_behind_a_tear_are_handed_over() {
        let mut progress = progress();
        read(&mut progress, 1);
        progress.mark_tear(Some(Instant(5_000_000_000)), true, Reach::Open, None);
        progress.quota().bytes = Some(7);
        read(&mut progress, 5);
        assert_eq!(progress.latest_own(), Some(Instant(1_000_000_000)));
        assert_eq!(progress.hand_over(false), Some(true));
        assert_eq!((progress.latest(), progress.quota().bytes), (Some(Instant(1_000_000_000)), None));
        assert_eq!(progress.reach, Reach::Ended);
        let Parts { own, next, .. } = progress.into_parts(&Life::Running);
        let Ahead { position: next, from, .. } = next.expect("lines of the next instance");
        assert_eq!(own.latest(), Some(Instant(1_000_000_000)));
        assert_eq!((next.latest(), from), (Some(Instant(5_000_000_000)), Some(Instant(5_000_000_000))));
    }

    #[test]
    fn without_a_tear_there_is_nothing_to_hand_over() {
        let mut progress = progress();
        read(&mut progress, 1);
        assert_eq!(progress.hand_over(false), None);
        assert!(progress.has_lines() && progress.latest_own().is_none());
    }
}
