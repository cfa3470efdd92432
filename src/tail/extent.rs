//! How much of a log is to be shown, where nothing of it was shown yet.

use jiff::Timestamp;

use crate::{
    batch::Instant,
    plan::{LogPlan, Since},
};

/// `--since`, `--since-time` and `--tail`, as they are meant when a log is opened for the first time and when it is opened
/// again. By default all of it.
#[derive(Debug, Default, Clone)]
pub struct Extent {
    since: Option<Since>,
    tail: Option<u64>,
    /// When the log was opened first, by the apiserver's clock.
    opened: Option<Timestamp>,
}

impl Extent {
    pub fn new(plan: &LogPlan) -> Self {
        Self { since: plan.since, tail: plan.tail, opened: None }
    }

    /// Whether there may be lines that are not to be shown.
    pub fn is_bounded(&self) -> bool {
        self.since.is_some() || self.tail.is_some()
    }

    /// The log was opened at this time.
    pub fn opened(&mut self, at: Option<Timestamp>) {
        self.opened = self.opened.or(at);
    }

    /// From when on to ask. A span of time counts from the first time, and so does what is new.
    pub fn since(&self) -> Option<Since> {
        let Some(opened) = self.opened else { return self.since };
        match (self.tail, self.since) {
            (Some(0), _) => Some(Since::Time(opened)),
            (_, Some(Since::Ago(ago))) => opened.checked_sub(ago).ok().map(Since::Time),
            (_, since) => since,
        }
    }

    /// How many lines to ask for.
    pub fn tail_lines(&self) -> Option<u64> {
        self.tail.filter(|lines| *lines > 0 || self.opened.is_none())
    }

    /// From when on lines are to be shown, as far as it is known.
    pub fn start(&self) -> Option<Instant> {
        match self.since() {
            Some(Since::Time(time)) => Some(time.into()),
            Some(Since::Ago(_)) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OPENED: Timestamp = Timestamp::UNIX_EPOCH;

    fn extent(since: Option<Since>, tail: Option<u64>) -> [Extent; 2] {
        let first = Extent { since, tail, opened: None };
        let mut again = first.clone();
        again.opened(Some(OPENED));
        again.opened(Some(Timestamp::MAX));
        [first, again]
    }

    #[test]
    fn a_span_of_time_begins_when_the_log_was_opened_first() {
        let ago = Since::Ago(Duration::from_secs(60));
        let [first, again] = extent(Some(ago), None);
        assert_eq!((first.since(), first.start()), (Some(ago), None));
        assert_eq!(again.since(), Some(Since::Time(OPENED - Duration::from_secs(60))));
    }

    #[test]
    fn what_is_new_is_new_since_the_log_was_opened_first() {
        let [first, again] = extent(None, Some(0));
        assert_eq!((first.since(), first.tail_lines()), (None, Some(0)));
        assert_eq!((again.since(), again.tail_lines()), (Some(Since::Time(OPENED)), None));
    }

    #[test]
    fn the_last_lines_stay_the_last_lines() {
        let [first, again] = extent(None, Some(7));
        assert_eq!((first.tail_lines(), again.tail_lines(), again.since()), (Some(7), Some(7), None));
    }
}
