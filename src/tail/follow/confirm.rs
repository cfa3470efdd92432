//! Verifies that a finished log is complete: a truncated answer can look complete.

use tokio::time::Instant;

use super::{
    AT_ONCE, Tail,
    refusal::{SOON, is_usual},
};
use crate::{
    cluster::Error,
    event,
    instance::Standing,
    lines::Seen,
    purpose::Purpose,
    tail::{
        check::{self, Last},
        logs::Logs,
        progress::Progress,
        reach::Reach,
        whereabouts::{Log, Whereabouts},
    },
};

/// The most times that a finished log is read on because it has more lines.
const ROUNDS: usize = 2;

/// The state of a finished log that was found to have more lines.
#[derive(Debug, Default)]
pub(super) struct Confirmation {
    /// Its last line, which is not read yet.
    owed: Option<Seen>,
    /// The number of times that more lines were found.
    rounds: usize,
}

impl Confirmation {
    /// Whether an answer has already held all that the log had when it was opened: the log may be rotated meanwhile.
    pub fn is_due(&self, progress: &Progress) -> bool {
        self.owed.is_some() && progress.extent.is_opened_by(progress.latest())
    }

    /// Whether the owed line was read, so that no further check is needed.
    fn is_paid(&mut self, progress: &Progress) -> bool {
        let owed = self.owed.take();
        let (position, start) = (&progress.position, progress.extent.start());
        owed.is_some_and(|line| !position.misses(line, start) && !position.stops_before(line))
    }

    /// The log has `line` after the last line read. False: it had more lines too often.
    fn owe(&mut self, line: Seen) -> bool {
        self.owed = Some(line);
        let again = self.rounds < ROUNDS;
        self.rounds += usize::from(again);
        again
    }
}

impl<L: Logs> Tail<L> {
    /// Whether a finished log has more of the requested lines.
    pub(super) async fn has_more(&mut self, log: Log) -> bool {
        let follow = self.follows();
        if !self.plan().confirm || self.report.is_removed() {
            return false;
        }
        // An answer that was cut may hold the owed line and be short all the same.
        if self.confirmation.is_paid(&self.progress) && !self.progress.reach.is_short() {
            self.progress.heard = None;
            return false;
        }
        let last = loop {
            let patient = !follow || self.has_patience();
            let last = self.last_line(log, Purpose::Confirm).await;
            if matches!(last, Ok(Last { is_empty: true, .. })) && self.has_moved(log).await {
                self.whereabouts = Whereabouts::Superseded;
                return true;
            }
            match last {
                Ok(last) if !self.is_odd(&last) || !self.has_patience() => break last,
                Err(error) if error.is_without_previous() => return false,
                Err(error) if !patient || !self.may_retry(&error) => {
                    self.cannot_confirm(&error).await;
                    return false;
                }
                Ok(_) => self.pause_at_most(SOON).await,
                Err(error) => self.pause_after(&error).await,
            }
            if follow {
                return true;
            }
            // Another may have it by now.
            if self.grant.is_none() {
                self.grant = Some(self.seat.request(log.mode(), Purpose::Confirm).await);
            }
        };
        // By now it is the log of the instance whose lines were handed over, and its own is gone.
        if last.line.or(last.half).is_some_and(|line| self.progress.is_handed_over(line.time())) {
            return false;
        }
        if self.is_odd(&last) {
            self.progress.reach.fall_short();
        }
        let missed = self.missed(last);
        // An empty log that was asked for late may be that one's too.
        let is_open = missed.is_some() || last.is_empty && self.seen_at.elapsed() > AT_ONCE;
        if is_open && self.was_replaced_unread(log).await {
            self.whereabouts = Whereabouts::Superseded;
            // Nothing of its own log has come: the answer was another's.
            self.progress.reach = Reach::Open;
            return true;
        }
        let Some(missed) = missed else {
            self.progress.heard = None;
            if last.line.is_some_and(|line| self.progress.position.ends_with(line)) {
                self.progress.reach.found_whole();
            }
            return false;
        };
        let again = self.confirmation.owe(missed);
        if !again {
            self.progress.reach.fall_short();
        }
        again
    }

    /// The last line of the log, if it was requested and is not read yet. If the container wrote more, only reading on
    /// shows whether it is missing.
    fn missed(&mut self, last: Last) -> Option<Seen> {
        let Progress { position, extent, .. } = &mut self.progress;
        // A check may be cut too: half a line is a reason to read on once.
        let first = self.confirmation.rounds == 0;
        let line = last.line.or(last.half.filter(|_| first))?;
        extent.compare_clocks(line.time(), last.date);
        // Reading on shows whether it is a piece of the last line, or another one like it.
        let unclear = first && (position.may_miss(line) || position.is_ambiguous());
        let missed = position.misses(line, extent.start()) || position.stops_before(line) || unclear;
        let missed = missed && !extent.is_reached(position.latest());
        Some(line).filter(|_| missed)
    }

    /// Whether a log of which lines were read seems to be empty, or the look at its last line was cut before that line.
    fn is_odd(&self, last: &Last) -> bool {
        let is_cut = last.is_cut && !self.progress.position.is_untimed();
        is_cut || last.is_empty && !self.follows() && self.progress.has_lines()
    }

    /// Whether a log of which lines were read, and that seems to be empty, is the previous one by now: that one ends
    /// with such a line, or with a later one. With a watch, the status reports a restart; but behind an end, perhaps
    /// too late for the rest of the log.
    async fn has_moved(&self, log: Log) -> bool {
        let (is_current, follow) = (matches!(log, Log::Current(_)), self.plan().follow);
        if !is_current || follow && self.runs() || !self.progress.has_lines() {
            return false;
        }
        let previous = self.last_line(Log::Previous, Purpose::Confirm).await;
        let Ok(Last { line: Some(line), .. }) = previous else { return false };
        let position = &self.progress.position;
        let is_behind = Some(line.time()) >= position.latest() && position.misses(line, None);
        let end = self.life.borrow().log_end().map(event::Instant::from);
        let is_own = end.is_none_or(|end| line.time() < end);
        // A log that was read to its end need not be read there again.
        let is_read = follow && !position.is_ambiguous();
        is_own && is_behind || !is_read && (position.has(line) || is_own && position.may_end_with(line))
    }

    /// Whether a log of which no line was read, though it may have some now, is the next instance's: the container
    /// restarted before the first answer, which was that one's too. With a watch the status reports it.
    async fn was_replaced_unread(&self, log: Log) -> bool {
        let is_current = matches!(log, Log::Current(_));
        if !is_current || self.plan().follow || self.progress.has_lines() {
            return false;
        }
        let standing = self.context.logs.standing(&self.instance).await;
        matches!(standing, Ok(Standing::Replaced { is_next: true, .. }))
    }

    /// As many last lines as were requested came in more than one answer. If they share an instant, others like them
    /// may have been taken for those of the first answer: then the log has another line of that instant at its end.
    pub(super) async fn compare_last_lines(&mut self, log: Log) {
        let has_all = self.progress.extent.quota.lines == Some(0);
        if !has_all || !self.plan().confirm || !self.progress.position.is_ambiguous() {
            return;
        }
        let Ok(Last { line: Some(line), .. }) = self.last_line(log, Purpose::Confirm).await else { return };
        if self.progress.position.stops_before(line) {
            self.progress.reach.fall_short();
        }
    }

    /// An end that cannot be verified may be none; but a log that is followed to its end is soon removed.
    async fn cannot_confirm(&mut self, error: &Error) {
        if !self.follows() || !is_usual(error) {
            self.report_error(error, false).await;
            self.progress.reach.fall_short();
        }
    }

    /// If no existing line is wanted, the tail reads on after the last of them: otherwise the kubelet would read all of
    /// the log again for each poll.
    pub(super) async fn find_place(&mut self, log: Log, purpose: Purpose) {
        let Ok(last) = self.last_line(log, purpose).await else { return };
        let Progress { position, extent, .. } = &mut self.progress;
        if last.is_empty {
            extent.was_empty(last.date);
        }
        let Some(line) = last.line else { return };
        let begins_here = extent.begins_at_the_end();
        if begins_here || !position.misses(line, extent.start()) {
            position.go_on_behind(line, !begins_here);
        }
    }

    /// The same of an answer with the line before it: the last of two pieces comes with the first.
    pub(super) async fn last_whole_line(&self, log: Log, purpose: Purpose) -> Result<Last, Error> {
        let (request, sent) = (self.request(log, purpose), Instant::now());
        self.noted(
            sent,
            Box::pin(check::last_lines(&self.context.logs, &request, self.context.lines, 2)).await,
        )
    }

    pub(super) async fn last_line(&self, log: Log, purpose: Purpose) -> Result<Last, Error> {
        let (request, sent) = (self.request(log, purpose), Instant::now());
        self.noted(sent, Box::pin(check::last_line(&self.context.logs, &request, self.context.lines)).await)
    }

    /// The result of a request for a log that was sent then; its failure may count for the other logs of the node.
    pub(super) fn noted<T>(&self, sent: Instant, result: Result<T, Error>) -> Result<T, Error> {
        let node = &self.instance.origin.pod.node;
        result.inspect_err(|error| self.context.nodes.failed(node, sent, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Instant,
        lines::Position,
        tail::{early::Early, extent::Extent, reach::Reach},
    };

    const LINE: &[u8] = b"line";

    fn progress() -> Progress {
        Progress::new(Position::default(), Extent::default(), Reach::Ended, Early::default())
    }

    #[test]
    fn a_line_that_is_owed_is_paid_once_it_was_read() {
        let (mut progress, time) = (progress(), Instant(7_000_000_000));
        let mut confirmation = Confirmation::default();
        assert!(!confirmation.is_paid(&progress));
        assert!(confirmation.owe(Seen::new(time, LINE)));
        progress.position.advance(Some(time), LINE);
        assert!(confirmation.is_paid(&progress) && !confirmation.is_paid(&progress));
    }

    #[test]
    fn a_log_is_read_on_so_many_times() {
        let mut confirmation = Confirmation::default();
        let rounds = (0..10).take_while(|n| confirmation.owe(Seen::new(Instant(*n), LINE)));
        assert_eq!(rounds.count(), ROUNDS);
    }

    #[test]
    fn a_followed_log_has_no_confirmation_that_is_due() {
        let mut confirmation = Confirmation::default();
        confirmation.owe(Seen::new(Instant(0), LINE));
        assert!(!confirmation.is_due(&progress()));
    }
}
