//! Finds a position in a log again in another answer, line by line.

use std::collections::VecDeque;

use super::position::{BACK, LineEnd, Seen, UNTIMED};
use crate::event::Instant;

/// The classification of a line in a resumed answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was read before.
    Known,
    /// It follows the last line read.
    New,
    /// The last line read is not in the answer: lines before this one may be missing.
    Lost,
}

/// Compares a resumed answer with what was read before, line by line.
#[derive(Debug)]
pub struct Finder {
    /// The lines read, from the first one that the answer can contain.
    expected: Vec<Seen>,
    /// The last lines of the answer; they equal `expected[start..]` so far.
    matched: VecDeque<Seen>,
    /// The lines of the answer before them, of which more than `expected` need not be kept.
    passed: Vec<Seen>,
    start: usize,
    /// If the answer may begin with lines before `expected`: their latest instant.
    earlier: Option<Instant>,
    /// The first line that was read, if the answer may have more of it.
    end: Option<LineEnd>,
    /// Known lines without timestamps behind the last one with one.
    behind: usize,
    /// Whether the line that is expected was only looked at.
    unread: bool,
    /// Whether the answer had the expected line, but not as it was seen: the whole of a piece, or an earlier one if it
    /// was only looked at.
    came_by: bool,
    /// The lines of the answer that may be older than the request.
    left: Option<u64>,
    /// See [`Finder::begins_within_an_instant`].
    within: bool,
}

impl Finder {
    pub(super) fn new(
        expected: Vec<Seen>,
        earlier: Option<Instant>,
        end: Option<LineEnd>,
        behind: usize,
        unread: bool,
    ) -> Finder {
        let matched = VecDeque::new();
        let passed = Vec::new();
        Finder {
            expected,
            matched,
            passed,
            start: 0,
            earlier,
            end,
            behind,
            unread,
            came_by: false,
            left: None,
            within: false,
        }
    }

    /// For an answer without timestamps that begins as the first one did; or with so many last lines.
    pub fn of_untimed(self, lines: Option<u64>) -> Finder {
        Finder { earlier: lines.map(|_| UNTIMED), left: lines, ..self }
    }

    /// Whether no line between those that were read and the rest of the answer can be missing.
    pub fn joins(&self) -> bool {
        self.done() || self.came_by || self.is_the_last_read()
    }

    /// Whether the answer has the last lines that were read, and no other.
    fn is_the_last_read(&self) -> bool {
        let count = self.passed.len() + self.matched.len();
        let start = self.expected.len().checked_sub(count).filter(|_| count > 0);
        start.is_some_and(|start| self.passed.iter().chain(&self.matched).eq(&self.expected[start..]))
    }

    /// Whether the answer, of which a line was new, begins among the lines of the last instant that was read: others of
    /// that instant may be like them, so that its beginning can be behind the last line.
    pub fn begins_within_an_instant(&self) -> bool {
        self.within
    }

    /// The same, if so many lines of the answer are the last ones that were read.
    fn is_within(&self, lines: usize) -> bool {
        let before = self.expected.len().checked_sub(lines + 1).map(|before| self.expected[before].time);
        let last = self.expected.last().map(|last| last.time);
        lines > 0 && self.passed.is_empty() && before.is_some() && before == last
    }

    /// Whether every line read has appeared again, so that all further lines are new.
    fn done(&self) -> bool {
        self.start + self.matched.len() == self.expected.len()
    }

    /// Whether no line of the answer was judged yet.
    pub fn is_untouched(&self) -> bool {
        self.start == 0 && self.matched.is_empty() && self.passed.is_empty()
    }

    /// Judges the next line of the answer. After [`Found::Lost`] all lines are new.
    pub fn judge(&mut self, time: Option<Instant>, message: &[u8]) -> Found {
        let among_timed = self.expected.last().is_some_and(|seen| seen.time != UNTIMED);
        match (self.done(), time) {
            // A line among known ones.
            (false, None) if among_timed => return Found::Known,
            (true, None) if self.behind > 0 => {
                self.behind -= 1;
                return Found::Known;
            }
            // None up to the line that was looked at is wanted, and there may be others like it.
            (true, Some(time))
                if self.unread && self.expected.last().is_some_and(|seen| time <= seen.time) =>
            {
                return Found::Known;
            }
            (true, _) => {
                self.within |= self.is_within(self.matched.len());
                return Found::New;
            }
            (false, _) => {}
        }
        let time = time.unwrap_or(UNTIMED);
        if self.left == Some(0) {
            // All of these are new.
            self.earlier = None;
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        let seen = match self.end.filter(|end| end.is_of(time, message)) {
            Some(end) => end.seen,
            None => Seen::new(time, message),
        };
        let is_end = |end: LineEnd| self.expected[..] == [end.seen] && end.may_be_of(time, message);
        self.came_by |= self.end.is_some_and(is_end);
        let next = self.start + self.matched.len();
        self.matched.push_back(seen);
        if self.expected[next] == seen || self.begins_later() || self.begins_earlier(0) {
            return Found::Known;
        }
        let joins = self.ended_before() || self.came_by;
        if !joins && !self.unread && self.begins_earlier(BACK) {
            return Found::Known;
        }
        self.within = joins && self.is_within(self.matched.len() - 1);
        let found = if joins { Found::New } else { Found::Lost };
        self.expected.clear();
        self.matched.clear();
        self.start = 0;
        found
    }

    /// Whether the answer begins later than the lines read: the older lines were rotated away.
    fn begins_later(&mut self) -> bool {
        // If both may be, it is no reason to repeat lines.
        let begins_earlier = self.earlier.is_some_and(|earlier| self.matched[0].time <= earlier);
        if begins_earlier && self.matched[0].time <= self.expected[0].time {
            return false;
        }
        let start = (self.start + 1..self.expected.len()).find(|start| self.fits(*start));
        self.start = start.unwrap_or(self.start);
        start.is_some()
    }

    /// Whether all lines read had appeared before the last line, among identical lines; or the last of them, if the
    /// answer begins with these.
    fn ended_before(&self) -> bool {
        let before = self.matched.len() - 1;
        let start = self.expected.len().saturating_sub(before).max(self.start);
        let ended = before > 0 && self.matched.iter().take(before).eq(&self.expected[start..]);
        let count = self.passed.len() + before;
        let answer = self.passed.iter().chain(self.matched.iter().take(before));
        let start = self.expected.len().checked_sub(count).filter(|_| count > 0);
        ended || start.is_some_and(|start| answer.eq(&self.expected[start..]))
    }

    /// Whether the answer begins earlier than the remembered lines: its first lines are known as well, but for `slack`
    /// nanoseconds.
    fn begins_earlier(&mut self, slack: i64) -> bool {
        let Some(earlier) = self.earlier else { return false };
        let last = Instant(earlier.max(self.expected[0].time).0.saturating_add(slack));
        while let Some(seen) = self.matched.front().copied().filter(|seen| seen.time <= last) {
            self.matched.pop_front();
            if self.passed.len() <= self.expected.len() {
                self.passed.push(seen);
            }
            if self.fits(0) {
                self.start = 0;
                self.came_by |= self.unread;
                return true;
            }
        }
        false
    }

    fn fits(&self, start: usize) -> bool {
        let expected = &self.expected[start..];
        self.matched.len() <= expected.len() && self.matched.iter().eq(&expected[..self.matched.len()])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lines::position::{Position, REMEMBERED, SECOND};

    const START: i64 = 1_780_000_000 * SECOND;

    type Log = Vec<(i64, &'static str)>;

    /// Its suffixes serve as different messages.
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    fn read(lines: &[(i64, &'static str)]) -> Position {
        let mut position = Position::default();
        for (nanos, message) in lines {
            position.advance(Some(Instant(START + nanos)), message.as_bytes());
        }
        position
    }

    /// The lines shown of a log that now contains `log`, after `position` was reached.
    fn resume(position: &Position, log: &[(i64, &'static str)]) -> Vec<String> {
        let since = position.since().map_or(i64::MIN, |since| since.as_second() * SECOND);
        let mut finder = position.finder();
        let mut shown = Vec::new();
        for (nanos, message) in log.iter().filter(|(nanos, _)| START + nanos >= since) {
            match finder.judge(Some(Instant(START + nanos)), message.as_bytes()) {
                Found::Known => {}
                Found::New => shown.push((*message).to_owned()),
                Found::Lost => shown.extend(["!".to_owned(), (*message).to_owned()]),
            }
        }
        shown
    }

    #[test]
    fn only_what_follows_is_shown() {
        let log: Log = vec![(0, "a"), (5, "b"), (5, "c"), (9, "d")];
        assert_eq!(resume(&read(&log[..2]), &log), ["c", "d"]);
    }

    #[test]
    fn identical_lines_are_counted() {
        let log: Log = vec![(5, "a"), (5, "a"), (5, "a"), (5, "a")];
        assert_eq!(resume(&read(&log[..3]), &log), ["a"]);
    }

    #[test]
    fn an_instant_that_steps_back_is_not_skipped() {
        let log: Log = vec![(SECOND * 2, "out"), (SECOND * 2 - 5, "err"), (SECOND * 2 + 1, "out")];
        assert_eq!(resume(&read(&log[..1]), &log), ["err", "out"]);
    }

    #[test]
    fn lines_that_were_rotated_away_before_the_last_one_do_not_matter() {
        let log: Log = vec![(0, "a"), (1, "b"), (2, "c"), (3, "d")];
        assert_eq!(resume(&read(&log[..3]), &log[2..]), ["d"]);
    }

    #[test]
    fn among_lines_that_are_all_alike_the_rest_is_new() {
        let log: Log = vec![(0, "a"), (0, "a"), (0, "a"), (1, "b"), (2, "c")];
        assert_eq!(resume(&read(&log[..3]), &log[1..]), ["b", "c"]);
    }

    #[test]
    fn a_last_line_that_is_gone_is_a_loss() {
        let log: Log = vec![(0, "a"), (1, "b"), (2, "c"), (3, "d")];
        assert_eq!(resume(&read(&log[..2]), &log[2..]), ["!", "c", "d"]);
    }

    #[test]
    fn lines_from_before_the_first_that_was_read_are_known_where_reading_began_midway() {
        let log: Log = vec![(0, "a"), (1, "b"), (1, "b"), (2, "c"), (3, "d")];
        let mut position = Position::midway();
        position.advance(Some(Instant(START + 1)), b"b");
        position.advance(Some(Instant(START + 2)), b"c");
        assert_eq!(resume(&position, &log), ["d"]);
    }

    /// The last of equal lines of one instant were read, and more of them are requested.
    #[test]
    fn lines_of_the_instant_of_the_first_that_was_read_are_known_where_reading_began_midway() {
        let log: Log = vec![(1, "same"), (1, "b"), (1, "c"), (1, "same"), (2, "d")];
        let mut position = Position::midway();
        for (nanos, message) in &log[2..4] {
            position.advance(Some(Instant(START + nanos)), message.as_bytes());
        }
        assert_eq!(resume(&position, &log), ["d"]);
    }

    #[test]
    fn the_first_of_the_lines_of_one_instant_may_be_rotated_away_where_reading_began_midway() {
        let log: Log = vec![(1, "a"), (1, "b"), (1, "c"), (1, "d"), (2, "e")];
        let mut position = Position::midway();
        for (nanos, message) in &log[..4] {
            position.advance(Some(Instant(START + nanos)), message.as_bytes());
        }
        assert_eq!(resume(&position, &log[2..]), ["e"]);
        assert_eq!(resume(&position, &[(1, "c"), (2 + BACK, "e")]), ["!", "e"]);
    }

    /// The two outputs of a container are stamped separately.
    #[test]
    fn lines_before_the_first_that_was_read_are_known_though_their_stamps_are_later() {
        let log: Log = vec![(5, "a"), (BACK, "b"), (3, "c"), (4, "d"), (6, "e")];
        let mut position = Position::midway();
        position.advance(Some(Instant(START + 3)), b"c");
        assert_eq!(resume(&position, &log), ["d", "e"]);
        assert_eq!(resume(&position, &[(5, "a"), (BACK, "b"), (2 * BACK, "e")]), ["!", "e"]);
    }

    /// A request from its instant on brings them all.
    #[test]
    fn no_line_up_to_one_that_was_only_looked_at_is_new_though_some_are_like_it() {
        let log: Log = vec![(1, "same"), (1, "a"), (0, "b"), (1, "same"), (2, "c")];
        let mut position = Position::midway();
        position.go_on_behind(Seen::new(Instant(START + 1), b"same"), false);
        assert_eq!(resume(&position, &log), ["c"]);
    }

    #[test]
    fn an_answer_whose_lines_are_all_known_is_not_untouched() {
        let mut position = Position::midway();
        position.advance(Some(Instant(START)), b"a");
        position.advance(Some(Instant(START)), b"b");
        let mut finder = position.finder();
        assert!(finder.is_untouched());
        assert_eq!(finder.judge(Some(Instant(START)), b"b"), Found::Known);
        assert!(!finder.is_untouched() && finder.joins());
    }

    /// The last piece of a long line was looked at, and now it comes as a whole.
    #[test]
    fn behind_a_line_that_was_only_looked_at_nothing_is_missing_if_one_before_it_comes() {
        let log: Log = vec![(0, "a"), (1, "long"), (2, "c")];
        let mut position = Position::midway();
        position.go_on_behind(Seen::new(Instant(START + 1), b"ng"), false);
        assert!(position.latest().is_some() && position.latest_read().is_none());
        assert_eq!(resume(&position, &log), ["c"]);
        assert_eq!(resume(&position, &log[2..]), ["!", "c"]);
    }

    #[test]
    fn an_old_line_that_is_stamped_later_than_one_that_was_looked_at_is_not_new() {
        let log: Log = vec![(2, "a"), (3, "b"), (1, "c"), (2 + BACK, "d")];
        let shown = |old| {
            let mut position = Position::midway();
            position.go_on_behind(Seen::new(Instant(START + 1), b"c"), old);
            resume(&position, &log)
        };
        assert_eq!(shown(true), ["d"]);
        assert_eq!(shown(false)[..2], ["!", "a"]);
    }

    /// `--tail` gives the last piece of a line, with the stamp of that piece; cut, if it is long.
    #[test]
    fn behind_a_piece_nothing_is_missing_if_its_line_comes() {
        let cut = "x … [9 bytes cut by --max-line]";
        for (piece, line) in
            [("long", "so long"), ("", "long"), (cut, "xy … [99999 bytes cut by --max-line]")]
        {
            for back in [0, 5] {
                let log: Log = vec![(0, "a"), (9 - back, line), (10 + BACK, "c")];
                let mut position = Position::midway();
                position.advance(Some(Instant(START + 9)), piece.as_bytes());
                assert_eq!(resume(&position, &log), ["c"], "{piece} {back}");
                assert_eq!(resume(&position, &log[2..]), ["!", "c"], "{piece} {back}");
            }
        }
    }

    /// An answer of so many last lines may begin anywhere among them.
    #[test]
    fn lines_of_one_instant_may_be_like_the_last_one_that_was_read() {
        let position = read(&[(0, "a"), (5, "same"), (5, "b"), (5, "same")]);
        let answers: [(&Log, bool); 3] = [
            (&vec![(5, "same"), (5, "c")], true),
            (&vec![(5, "same"), (5, "b"), (5, "same"), (5, "c")], false),
            (&vec![(0, "a"), (5, "same"), (5, "b"), (5, "same"), (5, "c")], false),
        ];
        for (answer, within) in answers {
            let mut finder = position.finder();
            let found = answer
                .iter()
                .map(|(nanos, message)| finder.judge(Some(Instant(START + nanos)), message.as_bytes()));
            assert_eq!(found.last(), Some(Found::New));
            assert_eq!(finder.begins_within_an_instant(), within, "{answer:?}");
        }
    }

    #[test]
    fn nothing_read_is_nothing_known() {
        assert_eq!(resume(&Position::default(), &[(0, "a"), (0, "a")]), ["a", "a"]);
    }

    #[test]
    fn more_lines_than_are_remembered_are_found_by_the_last_ones() {
        let log: Log =
            (0..REMEMBERED as i64 + 500).map(|n| (n / 7, ["x", "y", "z"][(n % 3) as usize])).collect();
        let (shown, rest) = log.split_at(log.len() - 5);
        let rest: Vec<&str> = rest.iter().map(|(_, message)| *message).collect();
        assert!(resume(&read(shown), &log) == rest);
    }

    #[test]
    fn the_first_line_that_is_remembered_may_have_stepped_back() {
        let line = |n: i64| (n * 1000 - if n % 3 == 0 { 2500 } else { 0 }, "x");
        for count in 0..6 {
            let log: Log = (0..REMEMBERED as i64 + 500 + count).map(line).collect();
            let (shown, rest) = log.split_at(log.len() - 5);
            assert_eq!(resume(&read(shown), &log).len(), rest.len(), "{count}");
        }
    }

    fn untimed(lines: &[&str]) -> Position {
        let mut position = Position::default();
        lines.iter().for_each(|line| position.advance(None, line.as_bytes()));
        position
    }

    /// The lines shown of an answer without timestamps.
    fn resume_untimed(position: &Position, answer: &[&str]) -> Vec<String> {
        let mut finder = position.finder();
        let mut shown = Vec::new();
        for line in answer {
            match finder.judge(None, line.as_bytes()) {
                Found::Known => {}
                Found::New => shown.push((*line).to_owned()),
                Found::Lost => shown.extend(["!".to_owned(), (*line).to_owned()]),
            }
        }
        shown
    }

    #[test]
    fn lines_without_timestamps_are_found_by_their_content() {
        assert_eq!(resume_untimed(&untimed(&["a", "b"]), &["a", "b", "c"]), ["c"]);
        assert_eq!(resume_untimed(&untimed(&["a", "b"]), &["b", "c"]), ["c"], "it was rotated");
        assert_eq!(resume_untimed(&untimed(&["a", "b"]), &["x", "y"]), ["!", "x", "y"]);
        assert_eq!(resume_untimed(&untimed(&["a", "a"]), &["a", "a", "a", "a"]), ["a", "a"]);
        assert!(resume_untimed(&untimed(&["a", "b"]), &["a", "b"]).is_empty());
    }

    #[test]
    fn lines_without_timestamps_among_others_are_not_repeated() {
        let mut position = read(&[(0, "a")]);
        ["x", "y"].iter().for_each(|line| position.advance(None, line.as_bytes()));
        let mut finder = position.finder();
        assert_eq!(finder.judge(None, b"w"), Found::Known);
        assert_eq!(finder.judge(Some(Instant(START)), b"a"), Found::Known);
        for (line, wanted) in [("x", Found::Known), ("y", Found::Known), ("z", Found::New)] {
            assert_eq!(finder.judge(None, line.as_bytes()), wanted, "{line}");
        }
    }

    proptest! {
        /// Resuming a log without timestamps anywhere shows exactly the rest, also of identical lines.
        #[test]
        fn resuming_without_timestamps_shows_exactly_the_rest(lines in prop::collection::vec(0usize..2, 1..40), at in 1usize..40) {
            let log: Vec<&str> = lines.iter().map(|which| ["a", "b"][*which]).collect();
            let at = at.min(log.len());
            prop_assert_eq!(resume_untimed(&untimed(&log[..at]), &log), log[at..].to_vec());
        }

        /// Different lines of two outputs that are stamped separately: after any rotation, exactly the rest is shown,
        /// and a loss is reported if the last line read is gone.
        #[test]
        fn a_log_that_was_rotated_anywhere_shows_the_rest_and_reports_the_loss(steps in prop::collection::vec((0i64..3, 0i64..5_000_000), 1..60), at in 0usize..60, rotated in 0usize..60) {
            let mut now = 0;
            let log: Log = steps.iter().enumerate().map(|(n, (step, back))| { now += step * SECOND / 3; (now - back, &ALPHABET[n..]) }).collect();
            let (at, rotated) = (at.min(log.len()), rotated.min(log.len()));
            let mut expected: Vec<&str> = log[rotated.max(at)..].iter().map(|(_, message)| *message).collect();
            if 0 < at && at <= rotated && rotated < log.len() {
                expected.insert(0, "!");
            }
            prop_assert_eq!(resume(&read(&log[..at]), &log[rotated..]), expected);
        }

        /// Even with very similar lines: resuming anywhere shows exactly the rest, and a log without its beginning is
        /// either resumed correctly or reported as lost.
        #[test]
        fn resuming_anywhere_shows_exactly_the_rest(steps in prop::collection::vec((0i64..3, 0usize..2), 1..40), at in 0usize..40, rotated in 0usize..40) {
            let mut now = 0;
            let log: Log = steps.iter().map(|(step, which)| { now += step * SECOND / 3; (now, ["a", "b"][*which]) }).collect();
            let at = at.min(log.len());
            let rest: Vec<&str> = log[at..].iter().map(|(_, message)| *message).collect();
            prop_assert_eq!(resume(&read(&log[..at]), &log), rest.clone());
            if rotated < at {
                let shown = resume(&read(&log[..at]), &log[rotated..]);
                prop_assert!(shown.len() <= rest.len(), "repeated: {:?} of {:?}", shown, rest);
            }
        }
    }
}
