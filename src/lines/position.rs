//! The position of a tail in a log, to find it again in another answer.
//!
//! The kubelet takes `sinceTime` in whole seconds, many lines share an instant, and standard output and standard
//! error are stamped separately, so that instants may go back a little. A position is therefore found by the sequence
//! of lines, not by comparing instants.
//!
//! Some kubelets give no timestamps. Then all lines are remembered, and only their sequence counts.

use std::{collections::VecDeque, hash::Hasher};

use foldhash::fast::FixedState;
use jiff::Timestamp;

use super::{finder::Finder, long, split::SHORTEST_CUT};
use crate::event::Instant;

pub(super) const SECOND: i64 = 1_000_000_000;

/// The most that the stamp of a line is before that of an earlier one, in nanoseconds: standard output and standard
/// error are stamped separately.
pub const BACK: i64 = 20_000_000;

/// Most lines to remember. With more of them in two seconds, only the last ones identify the position.
pub(super) const REMEMBERED: usize = 1 << 16;

/// Room for so many lines is kept, however few there are.
const ROOMY: usize = 256;

/// Lines that come so many times faster than any before are many at once.
const MANY: i64 = 10;

/// The instant of lines without timestamps, in a log that has none.
pub(super) const UNTIMED: Instant = Instant(i64::MIN);

/// One line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    pub(super) time: Instant,
    hash: u64,
}

impl Seen {
    pub fn new(time: Instant, message: &[u8]) -> Self {
        let mut hasher = std::hash::BuildHasher::build_hasher(&FixedState::default());
        hasher.write(message);
        Self { time, hash: hasher.finish() }
    }

    pub fn time(&self) -> Instant {
        self.time
    }
}

/// The end of a line, of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEnd {
    length: usize,
    pub(super) seen: Seen,
}

impl LineEnd {
    /// This line as it was read.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Whether this is the same line, of which perhaps only the last piece was read.
    pub fn is_same(&self, time: Instant, message: &[u8]) -> bool {
        Seen::new(time, message) == self.seen || is_in_pieces(message) && self.is_of(time, message)
    }

    pub(super) fn is_of(&self, time: Instant, message: &[u8]) -> bool {
        self.length > 0 && time == self.seen.time && self.ends(message)
    }

    /// Whether this may be the end of a line that is not as it was read: its pieces have stamps of their own, none
    /// earlier than that of the line, and what is cut cannot be compared.
    pub(super) fn may_be_of(&self, time: Instant, message: &[u8]) -> bool {
        time <= self.seen.time && (is_in_pieces(message) || self.ends(message))
    }

    fn ends(&self, message: &[u8]) -> bool {
        let end = message.len().checked_sub(self.length).map(|start| &message[start..]);
        end.is_some_and(|end| Seen::new(self.seen.time, end) == self.seen)
    }
}

/// Whether the container runtime keeps a line in pieces, however much of it was cut.
fn is_in_pieces(message: &[u8]) -> bool {
    long::length(message) >= SHORTEST_CUT as u64
}

/// The last lines read of one container instance.
#[derive(Debug, Default, Clone)]
pub struct Position {
    recent: VecDeque<Seen>,
    latest: Option<Instant>,
    /// The latest instant of the forgotten lines that may come again.
    forgotten: Option<Instant>,
    /// The latest instant of the lines that are too old to come again, unless an earlier instant is requested.
    old: Option<Instant>,
    /// The earliest instant of the lines behind a much later one: a clock was set back.
    back: Option<Instant>,
    /// Lines without timestamps behind the last one with one.
    behind: usize,
    /// Whether lines before the first one read may appear.
    midway: bool,
    /// Whether the last line was not read, only looked at: of one that the runtime keeps in pieces, that is the last
    /// piece.
    unread: bool,
    /// The line that was only looked at, before all that were read.
    looked_at: Option<Seen>,
    /// The first line, if it was read so: it may be the end of a longer one, of which the runtime keeps pieces.
    end: Option<LineEnd>,
    /// Whether the container runtime keeps the last line in pieces: requesting it again returns only the last piece.
    in_pieces: bool,
}

impl Position {
    /// For a log read only at its end: another answer may have earlier lines.
    pub fn midway() -> Self {
        Self { midway: true, ..Self::default() }
    }

    /// The first answer begins where its log begins: no other one has earlier lines.
    pub fn begins_with_the_log(&mut self) {
        self.midway = false;
    }

    /// Records a line as read. Lines without timestamps identify a position only where there are no others.
    pub fn advance(&mut self, time: Option<Instant>, message: &[u8]) {
        let time = match (time, self.latest) {
            (Some(time), latest) => {
                self.back = match latest {
                    Some(latest) if time.0 < latest.0 - SECOND => {
                        Some(self.back.map_or(time, |back| back.min(time)))
                    }
                    Some(latest) if time < latest => self.back,
                    _ => None,
                };
                (self.latest, self.behind) = (latest.max(Some(time)), 0);
                time
            }
            (None, None) => UNTIMED,
            (None, Some(_)) => {
                self.behind += 1;
                return;
            }
        };
        if let Some(from) = self.from() {
            while let Some(old) = self.recent.front().map(|seen| seen.time).filter(|time| *time < from) {
                self.old = self.old.max(Some(old));
                self.recent.pop_front();
            }
            // A burst leaves no memory behind.
            if self.recent.capacity() > ROOMY && self.recent.len() < self.recent.capacity() / 8 {
                self.recent.shrink_to(ROOMY.max(2 * self.recent.len()));
            }
        }
        if std::mem::take(&mut self.midway) {
            self.forgotten = Some(time);
            self.end = Some(LineEnd { length: message.len(), seen: Seen::new(time, message) });
        }
        if self.recent.len() == REMEMBERED {
            // Instants may go back: the first remembered line can be earlier than the forgotten ones.
            let forgotten = self.recent.pop_front().map(|seen| seen.time);
            self.forgotten = self.forgotten.max(forgotten);
        }
        self.unread = false;
        self.in_pieces = is_in_pieces(message);
        self.recent.push_back(Seen::new(time, message));
    }

    /// Takes `line` as the last one read, if none was read. `old`: whether no new line can have about its instant, so
    /// that those which are stamped later may be before it.
    pub fn go_on_behind(&mut self, line: Seen, old: bool) {
        self.recent.push_back(line);
        (self.latest, self.looked_at) = (Some(line.time), Some(line));
        let forgotten = Instant(line.time.0.saturating_add(if old { BACK } else { 0 }));
        (self.forgotten, self.midway, self.unread) = (Some(forgotten), false, true);
    }

    /// Whether all lines read so far had no timestamp.
    pub fn is_untimed(&self) -> bool {
        self.latest.is_none() && !self.recent.is_empty()
    }

    /// The last lines to request, if a log without timestamps is requested again; None: all of them, so that identical
    /// lines can be counted.
    pub fn lines_again(&self, tail: Option<u64>) -> Option<u64> {
        let all = tail.is_none() && self.recent.len() < REMEMBERED;
        (!all).then_some(self.recent.len() as u64 + tail.unwrap_or(0))
    }

    /// The instant of the last line read.
    pub fn latest(&self) -> Option<Instant> {
        self.latest
    }

    /// The same, unless it was only looked at.
    pub fn latest_read(&self) -> Option<Instant> {
        self.latest.filter(|_| !self.unread)
    }

    /// Whether nothing was read behind a line that was only looked at.
    pub fn is_behind_look(&self) -> bool {
        self.unread
    }

    /// Whether `line`, which is in the log, should have been read by now and was not. If nothing was read, that holds
    /// for all lines from `start` on.
    pub fn misses(&self, line: Seen, start: Option<Instant>) -> bool {
        match self.from() {
            Some(_) if self.in_pieces => false,
            Some(from) => line.time >= from && !self.recent.contains(&line),
            None => Some(line.time) >= start,
        }
    }

    /// Whether `line`, the last one in the log, may be another one than the last one read, which the runtime keeps in
    /// pieces: of these the log gives only the last.
    pub fn may_miss(&self, line: Seen) -> bool {
        self.in_pieces && Some(line.time) > self.latest
    }

    /// Whether `line`, the last one in a log, may be the last piece of the last line read, which the runtime keeps in
    /// pieces: they have stamps of their own, none earlier than that of the line.
    pub fn may_end_with(&self, line: Seen) -> bool {
        self.in_pieces && Some(line.time) >= self.latest
    }

    /// Whether this instant is about as close to the last line as the last lines are to each other: a line between them
    /// would make it twice as far. Not if the lines `behind` it are much closer to it than usual, or more of them are
    /// close than ever before: before it there may be more of so many at once. Nor if the last line was one of many at
    /// once, and none of the pauses before is like this one: there may be more behind it. Nor if lines follow it sooner
    /// than any did before: the log may have become busier before it.
    pub fn is_close_to(&self, time: Instant, behind: impl Iterator<Item = Instant> + Clone) -> bool {
        let pauses = || self.recent.iter().zip(self.recent.iter().skip(1)).map(|(a, b)| b.time.0 - a.time.0);
        let (Some(latest), Some(shortest), Some(longest)) = (self.latest, pauses().min(), pauses().max())
        else {
            return false;
        };
        let pause = time.0 - latest.0;
        let (mut last, later) = (time, behind.clone());
        let mut behind = behind.map(|line| line.0 - std::mem::replace(&mut last, line).0).peekable();
        let is_closer = behind.peek().is_some_and(|next| next.abs() < shortest / MANY);
        let is_at_once = |between: &i64| between.abs() < pause / MANY;
        let (mut most, mut run) = (0, 0);
        for between in pauses() {
            run = if is_at_once(&between) { run + 1 } else { 0 };
            most = most.max(run);
        }
        let is_one_of_many = is_closer || behind.take_while(is_at_once).count() > most;
        let is_like = |before: i64| (pause / 2..=pause.saturating_mul(2)).contains(&before);
        let is_behind_many =
            pauses().next_back().is_some_and(|last| last < pause / MANY) && !pauses().any(is_like);
        let usual = pauses().map(i64::abs).filter(|between| !is_at_once(between)).min();
        let is_busier = usual.is_some_and(|usual| {
            let mut last = time.0;
            let soon = later.take_while(|line| line.0 - time.0 < pause);
            let mut pauses = soon.map(|line| line.0 - std::mem::replace(&mut last, line.0));
            pauses.any(|between| !is_at_once(&between) && between.abs() < usual / 2)
        });
        let is_like_others = !is_one_of_many && !is_behind_many && !is_busier;
        is_like_others && (0..=longest + longest / 2).contains(&pause)
    }

    /// The first line, if reading began midway: others of its instant may be before it.
    pub fn begun_with(&self) -> Option<LineEnd> {
        self.end
    }

    /// Requests lines from this instant on, though later ones were read. The first of them may be known otherwise: as
    /// the end of a line that two files share.
    pub fn look_back_to(&mut self, time: Instant) {
        self.old = self.old.max(Some(time));
        self.back = Some(self.back.map_or(time, |back| back.min(time)));
    }

    /// The last lines read, in order. One that was only looked at is none of them.
    pub fn remembered(&self) -> impl DoubleEndedIterator<Item = Seen> {
        let looked_at = self.looked_at.is_some() && self.recent.front() == self.looked_at.as_ref();
        self.recent.iter().skip(usize::from(looked_at)).copied()
    }

    /// Whether this line was read, of the last second.
    pub fn has(&self, line: Seen) -> bool {
        self.recent.contains(&line)
    }

    /// Whether this line was read, and all lines since then are as late, but for `slack` nanoseconds.
    pub fn had(&self, line: Seen, slack: i64) -> bool {
        self.back_to(line.time, slack).any(|seen| seen == line)
    }

    /// The last lines that are as late as that, but for `slack` nanoseconds, in order.
    pub fn since_about(&self, time: Instant, slack: i64) -> Vec<Seen> {
        let mut lines: Vec<Seen> = self.back_to(time, slack).collect();
        lines.reverse();
        lines
    }

    fn back_to(&self, time: Instant, slack: i64) -> impl Iterator<Item = Seen> {
        let earliest = time.0.saturating_sub(slack);
        self.recent.iter().rev().copied().take_while(move |seen| seen.time.0 >= earliest)
    }

    /// Whether this line was the last one read.
    pub fn ends_with(&self, line: Seen) -> bool {
        self.recent.back() == Some(&line)
    }

    /// Whether `line`, the last one in the log, is another one of the instant of the last line read: there are more
    /// lines behind that, even if one like `line` was read. Unknown if the runtime keeps the last line in pieces.
    pub fn stops_before(&self, line: Seen) -> bool {
        !self.in_pieces && self.latest == Some(line.time) && !self.ends_with(line)
    }

    /// Whether the last lines read share an instant, so that another line of it can be equal to the last one.
    pub fn is_ambiguous(&self) -> bool {
        let mut last = self.recent.iter().rev();
        matches!((last.next(), last.next()), (Some(last), Some(before)) if last.time == before.time)
    }

    /// The `sinceTime` of a request that returns the last lines again: a whole second, at least one before the last
    /// line.
    pub fn since(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.from()?.0.div_euclid(SECOND)).ok()
    }

    fn from(&self) -> Option<Instant> {
        let back = self.back.map(|back| Instant(back.0.div_euclid(SECOND) * SECOND));
        let from = self.latest.map(|latest| Instant((latest.0.div_euclid(SECOND) - 1) * SECOND))?;
        Some(back.map_or(from, |back| back.min(from)))
    }

    /// Finds this position in the answer to a request from [`Position::since`] on.
    pub fn finder(&self) -> Finder {
        let from = self.from();
        let expected: Vec<Seen> =
            self.recent.iter().copied().filter(|seen| from.is_none_or(|from| seen.time >= from)).collect();
        let forgotten = self.back.map_or(self.forgotten, |_| self.forgotten.max(self.old));
        let earlier = forgotten.filter(|forgotten| from.is_none_or(|from| *forgotten >= from));
        Finder::new(expected, earlier, self.end, self.behind, self.unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_leaves_no_memory_behind() {
        let mut position = Position::default();
        (0..10_000).for_each(|n| position.advance(Some(Instant(n)), b"burst"));
        (1..10).for_each(|n| position.advance(Some(Instant(n * 10 * SECOND)), b"line"));
        assert!(position.recent.capacity() <= ROOMY, "{}", position.recent.capacity());
    }

    #[test]
    fn it_asks_from_a_second_before() {
        let mut position = Position::default();
        position.advance(Some(Instant(SECOND * 7 + 5)), b"a");
        position.advance(Some(Instant(SECOND * 6)), b"b");
        assert_eq!(position.since().map(|time| time.as_second()), Some(6));
    }

    #[test]
    fn a_log_without_timestamps_is_requested_as_before_or_by_its_last_lines() {
        let mut position = Position::default();
        ["a", "b", "c"].iter().for_each(|line| position.advance(None, line.as_bytes()));
        assert!(position.is_untimed() && position.since().is_none());
        assert_eq!((position.lines_again(None), position.lines_again(Some(1))), (None, Some(4)));
    }

    /// One that is cut by `--max-line` comes again cut like this, unless the runtime keeps it in pieces.
    #[test]
    fn another_line_of_the_instant_of_a_cut_one_is_missing_if_that_is_short() {
        let misses = |cut: u32| {
            let mut position = Position::default();
            position.advance(Some(Instant(7)), format!("n=1 … [{cut} bytes cut by --max-line]").as_bytes());
            position.misses(Seen::new(Instant(7), b"n=2"), None)
        };
        assert_eq!((misses(300), misses(30_000)), (true, false));
    }

    fn read(lines: impl IntoIterator<Item = i64>) -> Position {
        let mut position = Position::default();
        lines.into_iter().for_each(|time| position.advance(Some(Instant(SECOND * 7 + time)), b"a"));
        position
    }

    #[test]
    fn a_line_that_comes_soon_behind_many_at_once_is_not_close() {
        let is_close = |lines: &[i64], pause: i64| {
            let position = read(lines.iter().copied());
            position.is_close_to(Instant(SECOND * 7 + lines[lines.len() - 1] + pause), std::iter::empty())
        };
        let many = [0, SECOND, SECOND + 1, SECOND + 2];
        assert_eq!([1, SECOND / 4, SECOND].map(|pause| is_close(&many, pause)), [true, false, true]);
        let single = [0, SECOND / 2, SECOND];
        let pauses = [SECOND / 8, SECOND / 2, SECOND];
        assert_eq!(pauses.map(|pause| is_close(&single, pause)), [true, true, false]);
    }

    /// Lines come in pairs.
    #[test]
    fn a_line_with_more_behind_it_at_once_than_ever_before_is_not_close() {
        let position = read([0, 1000, SECOND / 2, SECOND / 2 + 1000, SECOND, SECOND]);
        let next = SECOND * 7 + SECOND + SECOND / 2;
        let is_close =
            |count: i64| position.is_close_to(Instant(next), (1..count).map(|n| Instant(next + n * 1000)));
        assert_eq!([1, 2, 3, 177].map(is_close), [true, true, false, false]);
    }

    /// Of a writer that began meanwhile, lines may be before it.
    #[test]
    fn a_line_with_others_behind_it_sooner_than_any_before_is_not_close() {
        let position = read([0, SECOND / 2, SECOND]);
        let next = SECOND * 7 + SECOND + SECOND / 2;
        let is_close = |pause: i64| position.is_close_to(Instant(next), [Instant(next + pause)].into_iter());
        let pauses = [1000, SECOND / 10, SECOND / 3, SECOND / 2];
        assert_eq!(pauses.map(is_close), [false, false, true, true]);
    }
}
