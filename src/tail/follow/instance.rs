//! Finds the instance whose log was read: a log request cannot name an instance.
//!
//! The watch, the apiserver and the kubelet know of a restart one after the other, on a busy node seconds apart. The
//! kubelet decides by its own knowledge which logs are the current and the previous one.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{STATUS_DELAY, TRIES, Tail, previous::Previous};
use crate::{
    cluster::{Error, Turn},
    event::{Instant, Reason},
    instance::{Instance, Life, Standing},
    lines::BACK,
    purpose::Purpose,
    schedule::Mode,
    tail::{
        check::Last,
        logs::Logs,
        progress::Progress,
        reach::Reach,
        stream::DRAIN,
        whereabouts::{Log, Whereabouts},
    },
};

const SECOND: i64 = 1_000_000_000;

/// The longest wait for the previous log at the end of a stream.
pub(super) const ANSWER: Duration = Duration::from_secs(3);

impl<L: Logs> Tail<L> {
    /// The log that was served from `line` on may be another instance's: the apiserver knows of another pod, the
    /// kubelet of the next instance. If not, the log was rotated.
    ///
    /// `before`: how far this instance was read before those lines.
    pub(super) async fn settle(&mut self, line: Option<Instant>, before: Reach) -> Option<Reason> {
        let standing = self.context.logs.standing(&self.instance).await;
        // Of a pod that is gone, no other tail will show the line.
        if matches!(standing, Ok(Standing::Replaced { .. } | Standing::Gone)) {
            self.saw(line);
        }
        let is_replaced = standing.as_ref().is_ok_and(|standing| !standing.is_current());
        let is_previous = matches!(standing, Ok(Standing::Replaced { is_next: true, .. }));
        if is_replaced {
            self.progress.reach = before;
        }
        let until = self.progress.extent.until;
        if is_previous && self.is_over() && until.is_some() && line >= until {
            // The pods are watched no longer, and that log has no line in the range.
            self.whereabouts = Whereabouts::Superseded;
            return None;
        }
        if self.means_replaced(standing) {
            if is_previous && self.plan().follow && self.progress.heard.is_some() {
                // A further restart makes that log another's, perhaps before a status reports this one.
                self.compare_end(None).await;
            }
            self.give_back();
            let is_in_doubt = is_previous && self.progress.heard.is_some();
            match timeout(STATUS_DELAY, self.life.changed()).await {
                // Until that further restart its log was the previous one, and nothing was compared with it.
                Ok(Ok(())) if is_in_doubt && self.is_replaced_twice() => self.progress.reach = Reach::Open,
                Ok(Ok(())) => {}
                // The pods are not watched: the status will not change.
                Ok(Err(_)) if is_replaced && self.follows() => return Some(Reason::Deleted),
                // Its log is the previous one now.
                Ok(Err(_)) if is_previous && !self.plan().follow && self.progress.has_lines() => {
                    self.whereabouts = Whereabouts::Superseded;
                }
                Ok(Err(_)) => {
                    self.whereabouts = Whereabouts::Unproven;
                    self.pause().await;
                }
                Err(_) => drop(self.retries.next()),
            }
            return None;
        }
        let previous = self.previous().await;
        if previous.is_ok() {
            self.unanswered = 0;
        }
        match previous {
            Ok(previous) if previous.ends_before(line) || line.is_none() && self.is_in(previous) => {
                self.whereabouts = Whereabouts::Superseded;
                self.saw(line);
                self.progress.reach = before;
                // The lines since the last tear may be another's too.
                if previous.shows_an_end_before(self.progress.behind_tear()) {
                    self.rewind();
                }
            }
            Err(error) if self.is_patient() => {
                // Of this pod, whose ever it is: its file may be gone before there is an answer.
                self.saw(line);
                self.put_off(&error).await;
            }
            Ok(_) | Err(_) => self.whereabouts = Whereabouts::Unproven,
        }
        None
    }

    /// Whether the status reports another instance behind the next one.
    pub(super) fn is_replaced_twice(&self) -> bool {
        let next = self.instance.restart_count + 1;
        matches!(*self.life.borrow(), Life::Replaced { restart_count, .. } if restart_count > next)
    }

    /// Whether to retry a failed question. Lines wait for the answer.
    pub(super) fn has_patience(&self) -> bool {
        self.retries.count() < TRIES
    }

    /// Whether to retry a failed question about whose log was read: requests for the log itself may have failed before.
    fn is_patient(&self) -> bool {
        self.unanswered < TRIES
    }

    async fn put_off(&mut self, error: &Error) {
        self.unanswered += 1;
        self.report_error(error, true).await;
        self.pause().await;
    }

    /// Whether to read the log of a container that ended again: the answer may be the next instance's, of which only
    /// the kubelet knows.
    pub(super) async fn is_misled(&mut self, log: Log) -> bool {
        let suspect = match &*self.life.borrow() {
            Life::Terminated(ending) => self.progress.suspect(ending),
            _ => None,
        };
        let is_open = suspect.is_some() || !self.progress.has_lines();
        let is_in_doubt = self.follows() || self.has_seen_a_line();
        if !is_open || !is_in_doubt || log != Log::Current(Mode::Read) {
            return false;
        }
        match self.supersedes(suspect, Previous::ends_before).await {
            Ok(Previous::Own(_)) if self.whereabouts == Whereabouts::Superseded => true,
            // Its own log, or that of the next instance if it has ended as well: the status decides.
            Ok(Previous::Own(_)) if suspect.is_some() => {
                self.grant = None;
                // The deletion of its pod decides nothing, and the log may be gone as it is reported.
                let progress = &self.progress;
                let decides = |life: &Life| match life {
                    Life::Terminated(ending) => progress.suspect(ending).is_none(),
                    _ => true,
                };
                matches!(timeout(STATUS_DELAY, self.life.wait_for(decides)).await, Ok(Ok(_)))
            }
            // Once another instance is there, or will be, the previous log is not that of the one before; even if it
            // was removed.
            Ok(Previous::Open) if !self.progress.has_lines() => {
                let standing = self.context.logs.standing(&self.instance).await;
                let is_previous =
                    matches!(standing, Ok(Standing::Waiting | Standing::Replaced { is_next: true, .. }));
                if is_previous {
                    self.whereabouts = Whereabouts::Superseded;
                    // Nothing of its own log has come: the answer was another's.
                    self.progress.reach = Reach::Open;
                }
                is_previous
            }
            Ok(_) => false,
            Err(error) if self.is_patient() => {
                self.put_off(&error).await;
                true
            }
            Err(_) => false,
        }
    }

    /// Whether the tail of an earlier instance left a line that may be this one's, of which nothing was read: the
    /// previous log was not the earlier one's.
    fn has_seen_a_line(&self) -> bool {
        let unseen = self.progress.early.unseen().map(|unseen| unseen.time);
        let started = self.instance.started.map(Instant::from);
        !self.progress.has_lines() && started.is_some() && unseen >= started
    }

    /// The same without a watch, so that no status reports the next instance.
    pub(super) fn has_seen_a_line_unwatched(&self) -> bool {
        !self.plan().follow && self.has_seen_a_line()
    }

    /// Whether the next instance is there before anything of this one is requested, of which a line was seen: its log
    /// is the previous one.
    pub(super) async fn is_replaced_unread(&self) -> bool {
        if !self.has_seen_a_line() {
            return false;
        }
        if !self.plan().follow {
            return matches!(
                self.context.logs.standing(&self.instance).await,
                Ok(Standing::Replaced { is_next: true, .. })
            );
        }
        // With a watch, only the node may know.
        let is_previous = self.progress.early.unseen().is_some_and(|unseen| unseen.is_previous);
        is_previous
            && self.runs()
            && matches!(timeout(ANSWER, self.previous()).await, Ok(Ok(Previous::Own(Some(_)))))
    }

    /// Whether a stream that came to its end may have been the next instance's, since no status reports an end: once
    /// for a tail.
    pub(super) async fn is_overtaken(&mut self, log: Log) -> bool {
        let behind = self.progress.behind_tear();
        let is_open = behind.is_some() || !self.progress.has_lines();
        let has_words =
            self.report.is_broken_off() || self.report.is_removed() || self.report.cannot_follow();
        if !is_open
            || has_words
            || !self.runs()
            || !self.follows()
            || log.mode() == Mode::Read
            || self.asked_at_end
        {
            return false;
        }
        self.asked_at_end = true;
        let (life, over) = (self.life.clone(), self.over());
        // The log is not kept waiting by a node that does not answer; of a pod that is gone nothing else will come.
        let patience = async {
            sleep(ANSWER).await;
            if *life.borrow() == Life::Deleted {
                sleep(DRAIN).await;
            }
        };
        let asked = tokio::select! {
            biased;
            asked = self.supersedes(behind, Previous::shows_an_end_before) => Some(asked),
            () = patience => None,
            () = over => None,
        };
        if let Some(Err(error)) = &asked {
            // The pod was gone in time, however late the next request is refused.
            self.missing |= error.is_not_found() && error.turn() == Turn::Soon;
            // An apiserver, or a gateway, that goes away ends its streams as if they were complete; so does one that asks
            // for a pause: a pod that is gone behind it may have been there before.
            self.progress.reach.refused(!error.is_unavailable() && error.turn() != Turn::PutOff);
        }
        let Some(Ok(previous)) = asked else { return false };
        let is_overtaken = self.whereabouts == Whereabouts::Superseded;
        if !is_overtaken && self.is_in(previous) {
            // Until an answer comes, nothing was read of the next one.
            (self.found_own, self.missing) = (true, true);
            self.compare_end(previous.last()).await;
        }
        is_overtaken
    }

    /// The previous log seems to be this instance's, which has ended: if it ends with the last line that was read, none
    /// is missing. A wanted line that was not read contradicts the end of the stream, unless a status shows meanwhile
    /// that it is another's.
    ///
    /// `seen`: the last line of the answer before, which may have come before a further restart.
    async fn compare_end(&mut self, seen: Option<Instant>) {
        // Of the two lines that were asked for before, the last may have been cut off.
        let asked = timeout(ANSWER, self.last_line(Log::Previous, Purpose::Confirm)).await;
        let Ok(Ok(Last { line: Some(line), .. })) = asked else { return };
        let Progress { position, extent, .. } = &self.progress;
        let is_wanted = extent.until.is_none_or(|until| line.time() < until) && !extent.quota.is_used_up();
        if position.ends_with(line) && !position.may_miss(line) && !position.is_ambiguous() {
            self.progress.reach = Reach::Ended;
            self.progress.heard = None;
        } else if is_wanted && position.misses(line, extent.start()) {
            // Such a status may be on its way, as behind a pause that the apiserver asked for.
            let mut life = self.life.clone();
            let reported = life.wait_for(|life| !matches!(life, Life::Running | Life::Terminating));
            drop(timeout(ANSWER, reported).await);
            let seen = seen.filter(|seen| Some(*seen) > self.progress.latest());
            if [Some(line.time()), seen].into_iter().flatten().any(|line| self.may_be_own(line)) {
                self.progress.reach = Reach::Open;
            } else {
                // It may be this one's all the same: two instances started in one second.
                self.saw(seen);
            }
        }
    }

    /// Whether the status leaves open that a line is this instance's. In the second in which the next one started
    /// both may have written it; but once that one was replaced too, the log is not this instance's any more.
    pub(super) fn may_be_own(&self, line: Instant) -> bool {
        match *self.life.borrow() {
            Life::Replaced { restart_count, started: Some(started), .. } => {
                let slack = if restart_count > self.instance.restart_count + 1 { 0 } else { SECOND };
                line.0 < Instant::from(started).0 + slack
            }
            _ => true,
        }
    }

    /// Asks whether the previous log is this instance's: if the lines from `suspect` on, or the absence of any, show
    /// that the answer was the next one's.
    async fn supersedes(
        &mut self,
        suspect: Option<Instant>,
        is_over_before: fn(Previous, Option<Instant>) -> bool,
    ) -> Result<Previous, Error> {
        let previous = self.previous().await?;
        let has_its_lines = !self.progress.has_lines() && matches!(previous, Previous::Own(Some(_)));
        if is_over_before(previous, suspect) || has_its_lines {
            self.whereabouts = Whereabouts::Superseded;
            self.hand_over();
        }
        Ok(previous)
    }

    /// Finds out whether the previous log is that of the next instance, since it is the same as the current one. If so,
    /// the rest of this instance's log cannot be read.
    ///
    /// `line`: the first one that may be the next instance's; None if the previous log is empty.
    pub(super) async fn settle_previous(&mut self, line: Option<Instant>) {
        let next_started = match *self.life.borrow() {
            Life::Replaced { started, .. } => started.map(Instant::from),
            _ => None,
        };
        let Some(bound) = next_started else { return self.pause().await };
        let previous = self.last_line(Log::Previous, Purpose::Confirm).await;
        let current = self.last_line(Log::Current(Mode::Read), Purpose::Confirm).await;
        let (mut end, mut next) = (None, None);
        let own = match (previous, current) {
            (Err(error), _) | (_, Err(error)) if self.may_retry(&error) && self.is_patient() => {
                return self.put_off(&error).await;
            }
            // Its last lines are no later than the second in which the next one started.
            (Ok(Last { line: Some(previous), .. } | Last { half: Some(previous), .. }), Ok(current)) => {
                end = Some(Instant(previous.time().0 + BACK));
                next = current.line.or(current.half);
                Some(previous) != next && previous.time().0 < bound.0 + SECOND
            }
            // They are the same one, of which an instance has written nothing; or both have. If an answer seemed to end
            // with its last line, it may be its own that was rotated, with nothing behind: the apiserver is asked.
            (Ok(Last { is_empty: true, .. }), Ok(Last { is_empty: true, .. })) => {
                !self.progress.has_lines() || line.is_none() && self.progress.reach.has_ended()
            }
            // It has none, and lines that come in its place are the next one's, once that has ended too.
            (Ok(Last { is_empty: true, .. }), Ok(_)) if line.is_none() => {
                end = Some(Instant(bound.0 + SECOND));
                true
            }
            _ => true,
        };
        let is_empty = line.is_none() && !self.progress.position.is_untimed();
        let is_unproven = is_empty || !self.progress.has_lines();
        let own = own && !(is_unproven && self.is_next_over().await);
        self.whereabouts = if own { Whereabouts::Previous { end } } else { Whereabouts::Lost };
        self.found_own |= own && end.is_some() && line.is_some();
        // Lines that are left to the next instance are not before that one.
        if !own && self.may_be_foreign() {
            self.rewind();
        }
        self.saw(if own { next.map(|next| next.time()) } else { line });
        // Nothing of its own log has come: the answer that opened it was another's.
        if !own && !self.progress.has_lines() {
            self.progress.reach = Reach::Open;
        }
    }

    /// The instant from which lines of the previous log are the next instance's, since such lines were handed over: no
    /// status reports that one yet.
    pub(super) fn next_from(&self, log: Log) -> Option<Instant> {
        let is_sought =
            log == Log::Previous && self.whereabouts == Whereabouts::Superseded && self.plan().follow;
        self.progress.handed_over_from().filter(|_| is_sought)
    }

    pub(super) fn is_of_next(&self, line: Option<Instant>) -> bool {
        self.next_from(Log::Previous).is_some_and(|from| line >= Some(from))
    }

    /// A line of a later instance was read and not shown. Behind the end of the range it would not be shown at all.
    fn saw(&mut self, line: Option<Instant>) {
        let until = self.progress.extent.until;
        let line = line.filter(|line| until.is_none_or(|until| *line < until));
        let is_previous = self.whereabouts == Whereabouts::Lost;
        self.progress.early.saw(line, self.progress.position.latest_read(), is_previous);
        if let Some(first) = self.progress.left.take_if(|left| Some(left.time()) == line) {
            self.progress.early.saw_first(first);
        }
    }

    /// Whether the container has another instance now, if the apiserver answers.
    pub(super) async fn is_replaced(&mut self) -> bool {
        let standing = self.context.logs.standing(&self.instance).await;
        self.means_replaced(standing)
    }

    fn means_replaced(&mut self, standing: Result<Standing, Error>) -> bool {
        match standing {
            Ok(standing) => !standing.is_current(),
            Err(error) => {
                self.unanswered += 1;
                (error.is_retryable() || error.is_gone()) && self.unanswered <= TRIES
            }
        }
    }

    /// Whether the apiserver knows that the previous log is that of the instance that replaced this one: it was
    /// replaced too, or waits for that.
    async fn is_next_over(&self) -> bool {
        let Life::Replaced { restart_count, .. } = *self.life.borrow() else { return false };
        let next = Instance { origin: self.instance.origin.clone(), restart_count, ..Instance::default() };
        matches!(self.context.logs.standing(&next).await, Ok(standing) if standing != Standing::Current)
    }

    /// Whether the last line that was read is in that log, while the current one has none.
    fn is_in(&self, previous: Previous) -> bool {
        let latest = self.progress.latest();
        latest.is_some() && matches!(previous, Previous::Own(last) if last >= latest)
    }

    /// Whether the lines since the last tear may be those of the instance that replaced this one.
    pub(super) fn may_be_foreign(&self) -> bool {
        self.progress.may_be_foreign(&self.life.borrow())
    }

    /// The lines since the last tear are printed, and are those of the next instance: its tail starts after them. The
    /// rest of this instance's log is read from the tear on.
    pub(super) fn hand_over(&mut self) {
        let in_doubt = self.is_end_in_doubt();
        if let Some(incomplete) = self.progress.hand_over(in_doubt) {
            self.report.incomplete = incomplete;
        }
        // If nothing of its own log has come, the answer that opened it was another's.
        if !self.progress.has_lines() {
            self.progress.reach = Reach::Open;
        }
    }

    /// The same, and how the answers before the tear ended counts.
    fn rewind(&mut self) {
        let reach = self.progress.before_tear().unwrap_or(Reach::Open);
        self.hand_over();
        if self.progress.has_lines() {
            self.progress.reach = reach;
        }
    }

    /// The node had started one more instance as the previous log was read for the one that a status reports by now.
    /// Lines since the tear that go on behind its end are left to their own tail.
    pub(super) fn leave_past_end(&mut self) {
        let is_past = {
            let life = self.life.borrow();
            let is_open = match &*life {
                Life::Terminated(ending) => self.progress.suspect(ending).is_some(),
                life => self.progress.may_be_foreign(life),
            };
            let end = life.log_end().map(Instant::from);
            is_open && end.is_some() && self.progress.latest() >= end
        };
        if is_past {
            self.whereabouts = Whereabouts::Lost;
            self.rewind();
        }
    }

    /// Lines that are not the instance's whose tail showed them may be those of another one between: if the previous
    /// log ends with them, none is missing behind them.
    pub(super) async fn place_early(&mut self) {
        let Some(last) = self.progress.early.last_foreign().filter(|_| !self.was_opened()) else { return };
        let is_before = self.instance.started.is_some_and(|started| last.time() < started.into());
        if is_before {
            // They do not count as this one's.
            self.progress.early.take_bytes();
        }
        let previous = self.last_line(Log::Previous, Purpose::Confirm).await;
        let end = previous.ok().and_then(|previous| previous.line.or(previous.half));
        let is_whole = match end {
            Some(end) => end == last,
            // The end of the answer with them is all that is known.
            None => is_before && self.progress.early.has_ended(),
        };
        if is_whole {
            self.progress.early.is_whole();
        }
    }

    /// The instant of the last line of this instance that an earlier tail showed, if its log, which was read to its
    /// end, has none of them: it was rotated.
    pub(super) fn lost_behind_early(&self) -> Option<Option<Instant>> {
        let last = self.progress.early.last_foreign().filter(|_| !self.progress.has_lines())?;
        if self.instance.started.is_some_and(|started| last.time() < started.into()) {
            // They were written before it started.
            return None;
        }
        let next = match *self.life.borrow() {
            Life::Replaced { started, .. } => started,
            _ => None,
        };
        next.is_none_or(|next| last.time() < next.into()).then_some(Some(last.time()))
    }

    /// The log is out of reach. Lines that may be a later instance's are left to its tail.
    pub(super) fn leave_to_later(&mut self) {
        // Of instances that started in the same second, the lines are this one's: it was the one that was seen to run.
        // They are not if they go on later than its end, which was in that second if no status reports it.
        let latest = self.progress.latest();
        let together = match &*self.life.borrow() {
            Life::Replaced { started, ending, .. } => {
                let end = ending.finished.or(*started).map(|end| Instant(Instant::from(end).0 + SECOND));
                *started == self.instance.started && end.is_none_or(|end| latest < Some(end))
            }
            _ => false,
        };
        if self.may_be_foreign() && !together {
            self.rewind();
        }
    }
}
