//! The part of a log that is wanted: its start, its size, and without following, its end.

use jiff::{SignedDuration, Timestamp};

use super::{
    last::{First, Sought},
    quota::Quota,
};
use crate::{
    event::Instant,
    plan::{LogPlan, Since},
};

/// The apiserver reports its time in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The most that a node's clock is assumed to differ from the apiserver's.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// The most that a clock of a node is set back while its containers write, in nanoseconds.
const STEP: i64 = 2_000_000_000;

/// The most that the clock of a node is assumed to be ahead of the apiserver's, until it is measured.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// `--since`, `--since-time`, `--tail` and `--limit-bytes`, as they apply when a log is opened for the first time and
/// when it is opened again. By default all of it.
///
/// Without following, the log is read as it was when it was opened, by the clock of the apiserver: a line that its
/// container writes while it is read, or while its end is verified, is not wanted.
#[derive(Debug, Default, Clone)]
pub struct Extent {
    since: Option<Since>,
    tail: Option<u64>,
    /// Lines from this instant on are not wanted.
    pub until: Option<Instant>,
    /// The number of lines before `until` that are wanted, until the first of them is found.
    sought: Option<usize>,
    /// The first line that is wanted, which `since` bounds to a second.
    pub first: Option<First>,
    pub quota: Quota,
    /// Whether lines that are written later are left out.
    as_it_is: bool,
    /// The time at which the log was opened first, and at which it was opened last before a line of it was read; by the
    /// apiserver's clock.
    opened: Option<Timestamp>,
    asked: Option<Timestamp>,
    /// When it had no line, if it had none; by the same clock.
    pub empty: Option<Timestamp>,
    /// The time by which the node's clock is ahead of the apiserver's, once it was measured.
    ahead: Option<SignedDuration>,
}

impl Extent {
    pub fn new(plan: &LogPlan) -> Self {
        let past = plan.until.is_some() && !plan.follow;
        Self {
            since: plan.since,
            // The kubelet counts lines from the end of the log.
            tail: plan.tail.filter(|_| !past),
            sought: plan.tail.filter(|_| past).map(|lines| usize::try_from(lines).unwrap_or(usize::MAX)),
            first: match plan.since {
                Some(Since::Time(time)) => Some(First { time: time.into(), equals: 0 }),
                _ => None,
            },
            // Without verification the node's clock is not measured.
            as_it_is: !plan.follow && !plan.previous && plan.confirm,
            ..Self::of_news(plan)
        }
    }

    /// All of the log of an instance that started while the program ran.
    pub fn of_news(plan: &LogPlan) -> Self {
        Self {
            until: plan.until.map(Instant::from),
            quota: Quota { lines: None, bytes: plan.limit_bytes },
            ..Self::default()
        }
    }

    /// The last lines before an instant that are wanted, if the first of them is not found yet.
    pub fn sought(&self) -> Option<Sought> {
        self.sought.zip(self.until).map(|(lines, until)| Sought { lines, until })
    }

    /// The first of the last lines that are wanted; None: there is none at all.
    pub fn found(&mut self, first: Option<First>) {
        self.sought = None;
        // An answer that begins at the end has no line before it.
        let first = first.or(self.until.map(|until| First { time: until, equals: 0 }));
        self.since =
            first.and_then(|first| Timestamp::from_nanosecond(first.time.0.into()).ok()).map(Since::Time);
        self.first = first;
    }

    /// Whether an answer may begin with lines that are not wanted.
    pub fn begins_within(&self) -> bool {
        self.first.is_some_and(|first| first.equals > 0 || first.time.0.rem_euclid(1_000_000_000) > 0)
    }

    /// Whether a line of this instant ends the log: later ones are too late as well, but for small steps of the clock.
    pub fn is_beyond(&self, line: Option<Instant>) -> bool {
        let end = self.until.map(|until| Instant(until.0.saturating_add(STEP)));
        end.is_some() && line >= end
    }

    /// Whether there may be unrequested lines.
    pub fn is_bounded(&self) -> bool {
        self.since.is_some() || self.tail.is_some() || self.sought.is_some()
    }

    /// Whether all lines are wanted of an instance that started then, by its node's clock: an answer begins where its
    /// log begins.
    pub fn includes_all_since(&self, started: Option<Timestamp>) -> bool {
        let last_lines = self.tail.is_some() || self.sought.is_some();
        let earliest = started.and_then(|started| started.checked_sub(SKEW).ok()).map(Instant::from);
        !last_lines && earliest.is_some() && self.start().is_some() && self.start() <= earliest
    }

    /// Whether no line is wanted that the log has already, and it was not opened yet.
    pub fn begins_at_the_end(&self) -> bool {
        self.tail == Some(0) && self.opened.is_none()
    }

    /// The log was opened at this time, and nothing of it was read before if `anew`. `whole`: it is read without
    /// following, so that only its last lines are shown.
    pub fn opened(&mut self, at: Timestamp, anew: bool, whole: bool) {
        let first = self.opened.is_none();
        self.opened = self.opened.or(Some(at));
        if anew {
            self.asked = Some(at);
        }
        if first && whole && anew {
            self.quota.lines = self.tail;
        }
    }

    /// The start of a request. A span of time, and `--tail 0`, count back from when the log was opened first.
    pub fn since(&self) -> Option<Since> {
        let Some(opened) = self.opened else { return self.since };
        match (self.tail, self.since) {
            (Some(0), _) => Some(Since::Time(opened)),
            (_, Some(Since::Ago(ago))) => opened.checked_sub(ago).ok().map(Since::Time),
            (_, since) => since,
        }
    }

    /// The number of lines to request.
    pub fn tail_lines(&self) -> Option<u64> {
        self.tail.filter(|lines| if *lines == 0 { self.opened.is_none() } else { self.empty.is_none() })
    }

    /// The log had no line then: the last lines are all that came since, however many these are.
    pub fn was_empty(&mut self, at: Timestamp) {
        self.empty = self.empty.or(Some(at));
    }

    /// The next instance started then, by the clock of its node: the log without a line may have been that one's.
    pub fn is_replaced(&mut self, started: Option<Timestamp>) {
        let is_own = |at: &Timestamp| at.checked_add(AHEAD).is_ok_and(|at| Some(at) < started);
        self.empty = self.empty.filter(is_own);
    }

    /// The instant from which lines are wanted, as far as it is known.
    pub fn start(&self) -> Option<Instant> {
        match self.since() {
            Some(Since::Time(time)) => Some(time.into()),
            Some(Since::Ago(_)) | None => None,
        }
    }

    /// The instant from which lines are unrequested, since they were written after the log was opened.
    pub fn end(&self) -> Option<Instant> {
        let asked = self.asked.filter(|_| self.as_it_is)?;
        let margin = self.ahead.map_or(AHEAD, |ahead| SECOND + ahead);
        asked.checked_add(margin).ok().map(Instant::from)
    }

    /// Whether [`Extent::end`] is more than a guess.
    pub fn knows_its_end(&self) -> bool {
        self.ahead.is_some()
    }

    /// A line that was written at `line` by the node's clock was in the log at `date` by the apiserver's.
    pub fn compare_clocks(&mut self, line: Instant, date: Timestamp) {
        let ahead = SignedDuration::from_nanos(line.0) - date.duration_since(Timestamp::UNIX_EPOCH);
        // A smaller difference can be the rest of the second.
        self.ahead = self.ahead.max(Some(if ahead > SECOND { ahead } else { SignedDuration::ZERO }));
    }

    /// Whether a line of this instant was written in the second in which the log was opened, or later.
    pub fn is_opened_by(&self, latest: Option<Instant>) -> bool {
        let opened = self.asked.filter(|_| self.as_it_is);
        let opened = opened.and_then(|opened| opened.checked_add(self.ahead.unwrap_or_default()).ok());
        opened.is_some_and(|opened| latest >= Some(Instant::from(opened)))
    }

    /// Whether a log that was read to a line of this instant was read to its end.
    pub fn is_reached(&self, latest: Option<Instant>) -> bool {
        self.end().is_some_and(|end| latest >= Some(end))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OPENED: Timestamp = Timestamp::UNIX_EPOCH;

    fn plan(since: Option<Since>, tail: Option<u64>) -> LogPlan {
        LogPlan {
            follow: false,
            history_first: false,
            previous: false,
            since,
            late: None,
            until: None,
            tail,
            limit_bytes: None,
            idle_check: None,
            confirm: true,
        }
    }

    fn extent(since: Option<Since>, tail: Option<u64>) -> [Extent; 2] {
        let first = Extent::new(&plan(since, tail));
        let mut again = first.clone();
        again.opened(OPENED, true, true);
        again.opened(Timestamp::MAX, false, true);
        [first, again]
    }

    /// Seconds after the log was opened.
    fn seconds(seconds: i64) -> Instant {
        Instant::from(OPENED + SignedDuration::from_secs(seconds))
    }

    #[test]
    fn a_span_of_time_begins_when_the_log_was_opened_first() {
        let ago = Since::Ago(Duration::from_secs(60));
        let [first, again] = extent(Some(ago), None);
        assert_eq!((first.since(), first.start()), (Some(ago), None));
        assert_eq!(again.since(), Some(Since::Time(OPENED - Duration::from_secs(60))));
    }

    #[test]
    fn lines_are_new_since_the_log_was_opened_first() {
        let [first, again] = extent(None, Some(0));
        assert_eq!((first.since(), first.tail_lines()), (None, Some(0)));
        assert_eq!((again.since(), again.tail_lines()), (Some(Since::Time(OPENED)), None));
    }

    #[test]
    fn the_last_lines_stay_the_last_lines() {
        let [first, again] = extent(None, Some(7));
        assert_eq!((first.tail_lines(), again.tail_lines(), again.since()), (Some(7), Some(7), None));
    }

    #[test]
    fn all_is_wanted_of_a_log_that_had_no_line() {
        let [_, mut again] = extent(None, Some(7));
        again.was_empty(OPENED);
        assert_eq!((again.tail_lines(), again.since()), (None, None));
    }

    #[test]
    fn a_log_without_a_line_may_have_been_that_of_the_next_instance() {
        for (started, lines) in [(9, Some(7)), (11, None)] {
            let [_, mut again] = extent(None, Some(7));
            again.was_empty(OPENED);
            again.is_replaced(OPENED.checked_add(SignedDuration::from_secs(started)).ok());
            assert_eq!(again.tail_lines(), lines);
        }
    }

    #[test]
    fn a_log_that_does_not_go_on_has_no_more_than_its_last_lines() {
        let [first, again] = extent(None, Some(7));
        assert_eq!((first.quota.lines, again.quota.lines), (None, Some(7)));
        let mut followed = Extent::new(&plan(None, Some(7)));
        followed.opened(OPENED, true, false);
        assert_eq!(followed.quota.lines, None);
    }

    #[test]
    fn behind_lines_that_were_read_before_all_are_wanted() {
        let mut extent = Extent::new(&plan(None, Some(7)));
        extent.opened(OPENED, false, true);
        assert_eq!(extent.quota.lines, None);
    }

    #[test]
    fn an_instance_that_started_long_after_the_time_asked_for_is_wanted_whole() {
        let started = |minutes| OPENED.checked_add(SignedDuration::from_mins(minutes)).ok();
        let [first, again] = extent(Some(Since::Ago(Duration::from_secs(3600))), None);
        assert!(again.includes_all_since(started(-50)) && !again.includes_all_since(started(-51)));
        assert!(!first.includes_all_since(started(-50)) && !again.includes_all_since(None));
        let [_, last] = extent(Some(Since::Ago(Duration::from_secs(3600))), Some(7));
        assert!(!last.includes_all_since(started(-50)));
    }

    #[test]
    fn a_log_that_is_read_as_it_is_ends_in_the_second_in_which_it_was_opened() {
        let [first, mut again] = extent(None, None);
        assert_eq!(first.end(), None);
        assert!(!again.knows_its_end());
        again.compare_clocks(seconds(30), OPENED + SignedDuration::from_secs(30));
        assert_eq!((again.end(), again.knows_its_end()), (Some(seconds(1)), true));
        assert!(again.is_reached(Some(seconds(1))) && !again.is_reached(Some(seconds(0))));
        assert!(!again.is_reached(None));
    }

    #[test]
    fn a_node_whose_clock_is_ahead_ends_its_logs_later() {
        let [_, mut again] = extent(None, None);
        again.compare_clocks(seconds(60), OPENED + SignedDuration::from_secs(2));
        assert_eq!(again.end(), Some(seconds(59)));
    }

    #[test]
    fn opening_a_log_again_without_a_line_moves_its_end() {
        let mut extent = Extent::new(&plan(None, None));
        extent.opened(OPENED, true, true);
        extent.opened(OPENED + SignedDuration::from_secs(9), true, true);
        extent.compare_clocks(seconds(0), OPENED);
        assert_eq!(extent.end(), Some(seconds(10)));
    }

    #[test]
    fn a_log_that_is_followed_has_no_end() {
        let mut extent = Extent::new(&LogPlan { follow: true, ..plan(None, None) });
        extent.opened(OPENED, true, false);
        assert_eq!(extent.end(), None);
    }
}
