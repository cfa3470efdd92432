//! Lines that were shown before it was known whose they are: a tail read the log of a later instance for its own.
//!
//! The tail of each later instance leaves them out where they come again in its log.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::progress::Ahead;
use crate::{
    event::Instant,
    lines::{LineEnd, Position, Seen},
};

/// Lines that earlier tails of a container showed.
#[derive(Debug, Default)]
pub struct Early {
    /// How often each of them was shown and did not come again.
    lines: HashMap<Seen, usize, FixedState>,
    /// Those that were read and are not remembered.
    forgotten: Vec<Forgotten>,
    /// The lines that are certainly those of an instance after the one whose tail showed them.
    foreign: Option<Foreign>,
    /// The same of an instance behind that one.
    later: Option<Foreign>,
    /// Lines of the batch that is being made.
    taken: Vec<Seen>,
    /// A line of a later instance that was not shown.
    unseen: Option<Unseen>,
    /// The instant of the first line that the tail before showed, if it found the end of its log.
    first: Option<Instant>,
    /// The instant of the last line of this instance that an earlier tail showed, once one of them came again.
    shown_to: Option<Instant>,
}

/// A line of a later instance that a tail read and left to that instance's tail.
#[derive(Debug, Clone, Copy)]
pub struct Unseen {
    pub time: Instant,
    /// The instant of the last line that was shown before.
    pub behind: Option<Instant>,
    /// Whether it was in the previous log.
    pub is_previous: bool,
    /// The line itself, if its log began with it.
    first: Option<Seen>,
}

impl Unseen {
    /// Whether its log began with it.
    pub fn is_first(&self) -> bool {
        self.first.is_some()
    }

    /// Whether a log that begins with this line lacks that one.
    pub fn is_before(&self, line: Seen) -> bool {
        self.time < line.time() || self.time == line.time() && self.first.is_some_and(|first| first != line)
    }
}

/// Lines from one instant up to another that were read.
#[derive(Debug, Clone, Copy)]
struct Forgotten {
    from: Instant,
    to: Instant,
    /// The first one, which is remembered, if others of its instant are perhaps before it that were not read.
    first: Option<LineEnd>,
}

/// Lines of a later instance.
#[derive(Debug, Clone, Copy)]
struct Foreign {
    /// The instant of the first one, until the restart before it was reported.
    from: Option<Instant>,
    last: Seen,
    /// Whether the answer with them came to its end.
    ended: bool,
    /// The bytes of them, if these are counted.
    bytes: u64,
}

impl Early {
    /// Adds the lines up to this position, of which the first may be of that instant.
    pub fn add(&mut self, position: &Position, from: Option<Instant>) {
        let mut oldest = None;
        for line in position.remembered() {
            oldest = oldest.or(Some(line.time()));
            *self.lines.entry(line).or_default() += 1;
        }
        let Some((from, to)) = from.zip(oldest).filter(|(from, oldest)| from < oldest) else { return };
        let first = position.begun_with().filter(|first| first.seen().time() == from);
        if let Some(first) = first {
            *self.lines.entry(first.seen()).or_default() += 1;
        }
        self.forgotten.push(Forgotten { from, to, first });
    }

    /// Adds lines that are those of a later instance.
    pub fn add_foreign(&mut self, lines: &Ahead) {
        let Ahead { position, from, ended, bytes } = lines;
        self.add(position, *from);
        if self.unseen.is_some_and(|unseen| Some(unseen.time) >= *from) {
            // It was shown among them.
            self.passed(position.latest());
        }
        self.is_behind(position.latest());
        if let Some(last) = position.remembered().next_back() {
            let known = self.foreign.replace(Foreign { from: *from, last, ended: *ended, bytes: *bytes });
            self.later = known.filter(|known| known.last.time() > last.time()).or(self.later.take());
        }
    }

    /// The instant of the first line that is certainly of a later instance than the one whose tail showed it.
    pub fn foreign_from(&self) -> Option<Instant> {
        self.foreign.and_then(|foreign| foreign.from)
    }

    /// The restart before these lines was reported.
    pub fn restart_is_reported(&mut self) {
        if let Some(foreign) = &mut self.foreign {
            foreign.from = None;
        }
    }

    /// Whether these lines reach up to the end of their log, as far as its answer showed.
    pub fn has_ended(&self) -> bool {
        self.foreign.is_some_and(|foreign| foreign.ended)
    }

    /// The last of these lines, until one of them came again: if they were rotated away, lines behind it may be
    /// missing.
    pub fn last_foreign(&self) -> Option<Seen> {
        self.foreign.map(|foreign| foreign.last)
    }

    /// The tail before began with this line: if it is behind all of these lines, that tail reported what may be missing
    /// between, and an instance that starts later wrote none of them.
    pub fn is_reported_before(&mut self, first: Option<Instant>) {
        let is_behind = |foreign: &Foreign| first.is_none_or(|first| first <= foreign.last.time());
        self.later = self.later.filter(is_behind);
        self.foreign = self.foreign.filter(is_behind).or_else(|| self.later.take());
    }

    /// A line of a later instance was read and not shown; `behind` and `is_previous`: see [`Unseen`].
    pub fn saw(&mut self, line: Option<Instant>, behind: Option<Instant>, is_previous: bool) {
        if let Some(time) = line.filter(|time| self.unseen.is_none_or(|unseen| *time < unseen.time)) {
            self.unseen = Some(Unseen { time, behind, is_previous, first: None });
        }
    }

    /// The log of that instance begins with such a line: this one.
    pub fn saw_first(&mut self, line: Seen) {
        if let Some(unseen) = self.unseen.as_mut().filter(|unseen| unseen.time == line.time()) {
            unseen.first = Some(line);
        }
    }

    /// The first such line, until lines were shown that are as late.
    pub fn unseen(&self) -> Option<Unseen> {
        self.unseen
    }

    /// The tail showed lines up to this instant, whose ever they are: such a line is behind them.
    pub fn is_behind(&mut self, shown: Option<Instant>) {
        if let Some(Unseen { time, behind: Some(behind), .. }) = &mut self.unseen
            && let Some(shown) = shown.filter(|shown| shown < time)
        {
            *behind = shown.max(*behind);
        }
    }

    /// Lines were shown up to this instant, or reported as missing.
    pub fn passed(&mut self, latest: Option<Instant>) {
        self.unseen = self.unseen.filter(|unseen| Some(unseen.time) > latest);
    }

    /// All that an instance that started then may lack before its first line is reported, as that of instances before
    /// it. A line that was seen then is one of them, unless it shows up to which line others were shown.
    pub fn is_reported_until(&mut self, started: Option<Instant>) {
        self.unseen = self.unseen.filter(|unseen| unseen.behind.is_some() || Some(unseen.time) >= started);
    }

    /// The tail before began with this line.
    pub fn began_with(&mut self, first: Option<Instant>) {
        self.first = first.or(self.first);
        self.shown_to = None;
    }

    /// The instant up to which earlier tails showed the log, though it may not have come again up to there.
    pub fn shown_to(&self) -> Option<Instant> {
        self.shown_to
    }

    /// Whether a line that came again is the one with which the tail before began: then it showed none of its own
    /// instance.
    pub fn is_first(&mut self, line: Option<Instant>) -> bool {
        let is_first = line.is_some() && line == self.first;
        self.first = self.first.filter(|_| !is_first);
        is_first
    }

    /// The log begins with this line. If it is the first one of a later instance, of which lines were shown before, the
    /// lines before are those of another log, which was the previous one then: none is missing behind its end.
    pub fn begins_with(&mut self, first: Option<Seen>) {
        let begins = |later: &Foreign| first.is_some_and(|first| later.from == Some(first.time()));
        let is_next = self.later.as_ref().is_some_and(begins) && first.is_some_and(|first| self.has(first));
        if is_next && self.has_ended() {
            self.foreign = self.later.take();
        }
    }

    /// The bytes of the lines of a later instance that do not come again; once.
    pub fn take_bytes(&mut self) -> u64 {
        self.foreign.as_mut().map_or(0, |foreign| std::mem::take(&mut foreign.bytes))
    }

    /// The lines are those of an instance before this one, and none is missing behind them.
    pub fn is_whole(&mut self) {
        self.foreign = None;
    }

    /// Forgets the lines up to this instant: those of a later instance are later.
    pub fn forget_until(&mut self, latest: Option<Instant>) {
        self.give_back();
        self.lines.retain(|line, count| *count > 0 && Some(line.time()) > latest);
        self.forgotten.retain(|forgotten| Some(forgotten.to) > latest);
        let is_behind = |foreign: &Foreign| Some(foreign.last.time()) > latest;
        self.later = self.later.filter(is_behind);
        self.foreign = self.foreign.filter(is_behind).or_else(|| self.later.take());
        self.first = self.first.filter(|first| Some(*first) > latest);
        self.passed(latest);
    }

    /// Takes a line that comes again, if it is one of these, until [`Early::keep`].
    pub fn take(&mut self, line: Seen) -> bool {
        match self.lines.get_mut(&line) {
            Some(count) if *count > 0 => {
                *count -= 1;
                self.taken.push(line);
                true
            }
            _ => self.is_forgotten(line.time()),
        }
    }

    /// Whether lines of this instant were read and are not remembered; of those that begin midway only once the first
    /// one came again.
    fn is_forgotten(&self, time: Instant) -> bool {
        let is_before = |first: LineEnd| time == first.seen().time() && self.has(first.seen());
        self.forgotten.iter().any(|Forgotten { from, to, first }| {
            (*from..*to).contains(&time) && !first.is_some_and(is_before)
        })
    }

    /// A line as an earlier tail read it: perhaps only its last piece.
    pub fn as_read(&self, time: Instant, message: &[u8]) -> Seen {
        let mut firsts = self.forgotten.iter().filter_map(|forgotten| forgotten.first);
        let first = firsts.find(|first| first.is_same(time, message));
        first.map_or_else(|| Seen::new(time, message), |first| first.seen())
    }

    /// The lines that were taken count as read.
    pub fn keep(&mut self) {
        if !self.taken.is_empty() {
            self.taken.clear();
            self.shown_to = self.foreign.take().map(|foreign| foreign.last.time()).or(self.shown_to);
        }
    }

    /// The lines that were taken since are requested again.
    pub fn give_back(&mut self) {
        for line in self.taken.drain(..) {
            *self.lines.entry(line).or_default() += 1;
        }
    }

    /// Whether an earlier tail showed this line.
    pub fn has(&self, line: Seen) -> bool {
        self.lines.get(&line).is_some_and(|count| *count > 0)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.forgotten.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn line(second: i64) -> Seen {
        Seen::new(Instant(second * SECOND), b"line")
    }

    fn read(seconds: impl IntoIterator<Item = i64>) -> Position {
        let mut position = Position::default();
        for second in seconds {
            position.advance(Some(Instant(second * SECOND)), b"line");
        }
        position
    }

    #[test]
    fn a_line_is_left_out_as_often_as_it_was_shown() {
        let mut early = Early::default();
        early.add(&read([7, 7]), None);
        assert_eq!([7, 7, 7, 8].map(|second| early.take(line(second))), [true, true, false, false]);
    }

    #[test]
    fn lines_whose_batch_was_not_sent_are_taken_again() {
        let mut early = Early::default();
        early.add(&read([7]), None);
        assert!(early.take(line(7)));
        early.give_back();
        assert!(early.take(line(7)));
        early.keep();
        early.give_back();
        assert!(!early.take(line(7)));
    }

    #[test]
    fn lines_between_the_first_and_the_remembered_ones_are_left_out() {
        let mut early = Early::default();
        early.add(&read(2..20), Some(Instant(2 * SECOND)));
        assert_eq!(
            [1, 2, 10, 19, 20].map(|second| early.take(line(second))),
            [false, true, true, true, false]
        );
    }

    /// The last lines of one instant were requested.
    #[test]
    fn lines_before_the_first_of_its_instant_that_was_read_are_not_left_out() {
        let mut position = Position::midway();
        let lines = [(2, "c"), (2, "d"), (3, "e"), (20, "f")].map(|(at, text)| (Instant(at * SECOND), text));
        lines.iter().for_each(|(at, text)| position.advance(Some(*at), text.as_bytes()));
        let mut early = Early::default();
        early.add(&position, Some(Instant(2 * SECOND)));
        let mut take = |text: &str| {
            let line = early.as_read(Instant(2 * SECOND), text.as_bytes());
            early.take(line)
        };
        assert_eq!(["a", "b", "c", "d"].map(&mut take), [false, false, true, true]);
        early.give_back();
        let mut take = |text: &str| early.take(Seen::new(Instant(2 * SECOND), text.as_bytes()));
        assert_eq!(["b", "c", "d"].map(&mut take), [false, true, true]);
        early.keep();
        assert!(early.take(Seen::new(Instant(2 * SECOND), b"d")));
    }

    #[test]
    fn lines_behind_those_of_a_later_instance_may_be_missing_until_one_of_them_came() {
        let mut early = Early::default();
        let position = read([7, 8]);
        early.add_foreign(&Ahead { position, from: Some(Instant(7 * SECOND)), ended: false, bytes: 0 });
        assert_eq!(early.last_foreign(), Some(line(8)));
        assert!(early.take(line(7)));
        early.keep();
        assert_eq!(early.last_foreign(), None);
    }

    #[test]
    fn no_line_is_missing_before_the_first_one_of_the_log_behind_one_that_came_to_its_end() {
        for (ended, first, last) in
            [(true, 7, Some(line(8))), (true, 8, Some(line(4))), (false, 7, Some(line(4)))]
        {
            let mut early = Early::default();
            for (lines, ended) in [(7..9, false), (3..5, ended)] {
                let from = Some(Instant(lines.start * SECOND));
                early.add_foreign(&Ahead { position: read(lines), from, ended, bytes: 0 });
            }
            early.begins_with(Some(line(first)));
            assert_eq!(early.last_foreign(), last, "{ended} {first}");
        }
    }

    #[test]
    fn a_line_that_was_left_to_a_later_instance_is_behind_those_that_were_shown_too_early() {
        let mut early = Early::default();
        early.saw(Some(Instant(12 * SECOND)), Some(Instant(6 * SECOND)), false);
        let (position, from) = (read(8..10), Some(Instant(8 * SECOND)));
        early.add_foreign(&Ahead { position, from, ended: false, bytes: 0 });
        assert_eq!(early.unseen().and_then(|unseen| unseen.behind), Some(Instant(9 * SECOND)));
    }

    #[test]
    fn a_line_that_was_left_to_a_later_instance_is_seen_if_it_is_shown_among_its_lines() {
        for (from, is_shown) in [(7, true), (8, false)] {
            let mut early = Early::default();
            early.saw(Some(Instant(7 * SECOND)), Some(Instant(6 * SECOND)), false);
            let (position, from) = (read(from..10), Some(Instant(from * SECOND)));
            early.add_foreign(&Ahead { position, from, ended: false, bytes: 0 });
            assert_eq!(early.unseen().is_none(), is_shown);
        }
    }
}
