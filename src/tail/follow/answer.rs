//! Requests one answer and reads it.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Outcome, STATUS_DELAY, STEADY, Tail,
    refusal::is_usual,
    start::{Owner, Start},
};
use crate::{
    cluster::{Error, LogRequest, Turn},
    instance::Life,
    plan::Since,
    purpose::Purpose,
    schedule::{Grant, Mode},
    tail::{
        last,
        logs::{Answer, Logs},
        reach::{Answered, End, Reach},
        stream::DRAIN,
        whereabouts::Log,
    },
};

/// What an outage held back comes within this time behind it.
const HELD: Duration = Duration::from_secs(1);

impl<L: Logs> Tail<L> {
    /// Reads one answer; or several, if a poll has to request more lines.
    pub(super) async fn answers(&mut self, log: Log, purpose: Purpose, grant: &Grant) -> Outcome {
        let (resumes, before) = (self.progress.has_lines(), self.report.counter.lines());
        let outcome = loop {
            match self.open_and_read(log, purpose, grant).await {
                Outcome::Few => {}
                outcome => break outcome,
            }
        };
        // One that failed uses it up too, but not one that had to be left before it was read.
        self.whereabouts.use_unproven();
        if log.mode() == Mode::Poll && matches!(outcome, Outcome::Clean) {
            let new = self.report.counter.lines() - before;
            self.window.read(if resumes { new } else { 0 });
            // Less and less often: there may be no line at all.
            if !self.progress.has_lines() && self.window.polls().is_power_of_two() {
                self.find_place(log, Purpose::Check).await;
            }
        }
        // Its stream would count `--tail` anew.
        let has_none = matches!(outcome, Outcome::Clean) && !self.progress.has_lines();
        if log.mode() == Mode::History && has_none && self.progress.extent.tail_lines().is_some() {
            self.find_place(log, Purpose::Confirm).await;
        }
        outcome
    }

    async fn open_and_read(&mut self, log: Log, purpose: Purpose, grant: &Grant) -> Outcome {
        let unproven = self.whereabouts.is_unproven();
        let mut life = self.life.clone();
        if let Some(sought) = self.progress.extent.sought() {
            let (request, confirm) = (self.request(log, purpose), self.plan().confirm);
            let extent = &mut self.progress.extent;
            let is_beyond = |line| extent.is_beyond(line);
            match Box::pin(last::find(&self.context.logs, request, sought, confirm, is_beyond)).await {
                Ok(first) => extent.found(first),
                Err(error) => return Outcome::Failed(error),
            }
        }
        // Another answer has to go on behind this one, and a request names whole seconds.
        let goes_on = matches!(log.mode(), Mode::Poll | Mode::History);
        if goes_on && self.progress.extent.begins_at_the_end() && !self.progress.has_lines() {
            self.find_place(log, Purpose::Check).await;
        }
        if !self.progress.has_lines() {
            self.place_early().await;
        }
        let (request, sent) = (self.request(log, purpose), Instant::now());
        let mut is_over = false;
        let answer = tokio::select! {
            biased;
            answer = self.context.logs.open(&request) => answer,
            () = deleted_for(&mut life, DRAIN, &mut is_over) => {
                // It was asked for in vain.
                self.progress.reach.refused(false);
                return Outcome::Reopen;
            }
        };
        let mut stream = match self.noted(sent, answer) {
            Ok(stream) => stream,
            Err(error) => {
                is_over |= shows_an_end(&self.life.borrow());
                let is_gone_since = error.is_not_found() && !self.missing && !is_over;
                self.missing |= error.is_not_found();
                // What was usual then says nothing of the time before.
                let is_late = is_late(error.turn(), is_gone_since) && self.was_opened();
                self.progress.reach.refused(is_usual(&error) && !is_late);
                return Outcome::Failed(error);
            }
        };
        let has_another_log = self.has_another_log();
        if is_late(stream.turn(), has_another_log) && self.was_opened() {
            self.progress.reach.refused(false);
        }
        if has_another_log {
            return Outcome::Reopen;
        }
        // The instance may have been replaced between the check and the answer.
        let is_replaced = async { unproven && self.follows() && self.is_replaced().await };
        let is_replaced = tokio::select! {
            biased;
            is_replaced = is_replaced => is_replaced,
            never = stream.stow() => match never {},
        };
        if is_replaced {
            return Outcome::Doubtful { line: None, before: self.progress.reach };
        }
        let is_whole = log.mode() == Mode::Read;
        let date = stream.date();
        self.progress.extent.opened(date, !self.progress.has_lines(), is_whole);
        if !self.plan().previous && self.progress.extent.includes_all_since(self.instance.started) {
            self.progress.position.begins_with_the_log();
        }
        let opened = self.progress.reach.open();
        if let Some(unseen) = opened {
            self.progress.heard = Some(Instant::now());
            self.report.opened(self.restart.take(), unseen).await;
        }
        // A pod that is being deleted may be gone since long.
        let missing = std::mem::take(&mut self.missing);
        let late = missing || opened.is_none() || self.seen_at.elapsed() > STATUS_DELAY || self.is_deleting();
        self.stage.opened(log);
        grant.answered();
        self.whereabouts.use_unproven();
        let outcome = self.consume(stream, request, log, grant, unproven, late).await;
        if matches!((log.mode(), &outcome), (Mode::Poll | Mode::History, Outcome::Clean)) {
            self.report.outlet.reached(date.into()).await;
        }
        outcome
    }

    /// Reads the answer to this request. `late`: the log is opened so late, once more, or behind a 404, that another
    /// pod of that name may have it.
    async fn consume(
        &mut self,
        stream: L::Answer,
        request: LogRequest,
        log: Log,
        grant: &Grant,
        unproven: bool,
        late: bool,
    ) -> Outcome {
        let mut start = self.start(log, &request, unproven, stream.turn());
        start.in_doubt = late && self.may_be_another_pods(log);
        self.report.answer_begins();
        let mut reading = self.reading(stream, request, &start, grant, unproven);
        let mut end = reading.run().await;
        let misses_place = reading.misses_place();
        let is_empty = reading.is_empty();
        let within = reading.place.within;
        drop(reading);
        if matches!(end, Ok(End::Clean)) && is_empty && self.may_be_empty_of_next(&start) {
            end = Ok(End::Doubtful(None));
        }
        // Without the last line that was read, a log that goes on so late may be that of an instance that came since.
        if matches!(end, Ok(End::Beyond)) && misses_place && start.may_be_anothers() {
            end = Ok(End::Doubtful(None));
        }
        self.settle_answer(&start, &end, misses_place);
        if within {
            // Half a line is no end.
            self.progress.reach = Reach::Open;
            self.progress.answered = Some(Reach::Open);
        }
        if start.shows_its_own(&end, self.progress.reach, misses_place) {
            self.progress.close_tear();
        }
        if let Some(owner) = start.settles_tear(&end, self.progress.reach, self.progress.behind_tear()) {
            match owner {
                Owner::This => self.progress.close_tear(),
                Owner::Next => self.hand_over(),
            }
            return Outcome::Reopen;
        }
        match end {
            Ok(End::Enough) => {
                if start.resumes {
                    self.compare_last_lines(log).await;
                }
                Outcome::Enough
            }
            Ok(End::Over) => Outcome::Over,
            Ok(End::Doubtful(_)) if start.confirming => Outcome::Enough,
            Ok(End::Beyond) if start.end_known => Outcome::Enough,
            // The node's clock may be ahead: the last line shows by how much.
            Ok(End::Clean | End::Beyond) => Outcome::Clean,
            Ok(End::Silent | End::Unfinished | End::Foreign | End::Busy | End::Again(_)) => Outcome::Reopen,
            Ok(End::Doubtful(line)) => match start.few.filter(|_| self.runs()) {
                Some(lines) => {
                    self.window.missed(lines);
                    Outcome::Few
                }
                None => Outcome::Doubtful { line, before: start.proven },
            },
            Err(error) => Outcome::Failed(error),
        }
    }

    /// Whether the status since an answer was requested says that it may be another instance's: a log request cannot
    /// name an instance.
    ///
    /// An end alone changes nothing: the log may soon be gone, and the answer may hold its last lines. (The value is
    /// asked: the receiver itself knows of no change once its sender is gone, as after a restart.)
    fn has_another_log(&self) -> bool {
        let life = self.life.borrow();
        let is_same = match &*life {
            Life::Running | Life::Terminating | Life::Terminated(_) => true,
            // If another pod has its name, it lacks the lines that were read.
            Life::Deleted => self.progress.has_lines(),
            Life::Replaced { .. } | Life::Dropped => false,
        };
        life.has_changed() && !is_same
    }

    /// Whether the log may be that of another pod of the same name, if it is opened late.
    fn may_be_another_pods(&self, log: Log) -> bool {
        matches!(log, Log::Current(_)) && self.plan().follow && !self.progress.has_lines()
    }

    /// Whether the status shows no end of the instance.
    pub(super) fn runs(&self) -> bool {
        matches!(*self.life.borrow(), Life::Running | Life::Terminating)
    }

    /// Records the end of an answer.
    fn settle_answer(&mut self, start: &Start, end: &Result<End, Error>, misses_place: bool) {
        let brought_lines = self.report.counter.lines() > start.lines;
        if brought_lines {
            self.report.lines_came();
            self.progress.came_on();
        }
        let answered = Answered {
            log: match start.log {
                // The node gave what the log had, and its container may write more.
                Log::Current(Mode::Follow) if self.report.cannot_follow() => Log::Current(Mode::Poll),
                log => log,
            },
            removed: self.report.is_removed(),
            confirming: start.confirming,
            misses_place,
            // Its container had ended, if an answer had ended before.
            quiet: !brought_lines && !misses_place && self.progress.answered.is_some() && self.is_deleting(),
            adds: brought_lines || !start.resumes,
            nothing: !brought_lines && !start.resumes,
        };
        self.progress.reach = start.reach.after(end, answered);
        // Words behind new lines stand in place of the rest. If nothing is said of them, its loss has to be. Behind known
        // lines they are no end either.
        let is_cut_unsaid = self.report.is_unsaid() && matches!(end, Ok(End::Clean));
        if is_cut_unsaid && brought_lines && start.log.mode() == Mode::Follow {
            self.progress.reach = Reach::Open;
        } else if is_cut_unsaid
            && !brought_lines
            && !misses_place
            && self.report.is_broken_off()
            && !start.reach.has_ended()
        {
            self.progress.reach = start.reach;
        }
        self.progress.answered = Some(self.progress.reach);
        // An outage that was over before that end says nothing of it. The end of a log without a line may be another's.
        if matches!(end, Ok(End::Clean))
            && !misses_place
            && self.progress.reach.has_ended()
            && self.progress.has_lines()
            && self.progress.heard.is_some()
            && !self.report.is_removed()
        {
            self.progress.heard = Some(self.ended_at(start.at));
        }
        self.losses = 0;
        let mode = start.log.mode();
        let read = matches!((mode, end), (Mode::Poll | Mode::History, Ok(End::Clean)));
        // The time until the answer began does not count.
        if start.at.elapsed() >= STEADY || read {
            self.retries.went_well();
        } else if brought_lines {
            self.retries.came_on();
        }
        self.busy |= matches!(end, Ok(End::Busy));
    }

    /// Since when an outage says something of the end that came now, of an answer that began then. An outage that is
    /// just over held it back, and may have made it.
    fn ended_at(&self, began: Instant) -> Instant {
        let now = Instant::now();
        let since = now.checked_sub(HELD).map_or(began, |held| held.max(began));
        if self.was_out_since(since) { began } else { now }
    }

    pub(super) fn request(&self, log: Log, purpose: Purpose) -> LogRequest {
        let resume = self.progress.position.since();
        let extent = &self.progress.extent;
        LogRequest {
            namespace: self.instance.origin.pod.namespace.clone(),
            pod: self.instance.origin.pod.name.clone(),
            container: self.instance.origin.container.clone(),
            follow: log.mode() == Mode::Follow,
            previous: log == Log::Previous,
            since: resume.map(Since::Time).or(extent.since()),
            tail_lines: match (log.mode(), resume) {
                (Mode::Poll, Some(_)) => self.window.lines(),
                (_, Some(_)) => None,
                (_, None) if self.progress.position.is_untimed() => {
                    self.progress.position.lines_again(extent.tail_lines())
                }
                (_, None) => extent.tail_lines(),
            },
            // Lines that are requested again add to that.
            limit_bytes: extent
                .quota
                .bytes_to_request()
                .filter(|_| resume.is_none() && !extent.begins_within()),
            // A log that is read to its end comes as fast as it can.
            busy: self.busy || !self.plan().follow || log.mode() == Mode::History,
            purpose,
        }
    }
}

/// Whether the log could not be had meanwhile, as if it had been refused. `has_gone`: the log was gone, or another's,
/// when its turn came.
pub(super) fn is_late(turn: Turn, has_gone: bool) -> bool {
    match turn {
        Turn::Soon => false,
        Turn::Late => has_gone,
        Turn::PutOff => true,
    }
}

/// Whether the status reports the end of the instance.
pub(super) fn shows_an_end(life: &Life) -> bool {
    matches!(life, Life::Terminated(_) | Life::Replaced { .. })
}

/// Waits until this time has passed since the pod was deleted. `is_over`: whether a status reported the end of the
/// instance meanwhile.
async fn deleted_for(life: &mut watch::Receiver<Life>, time: Duration, is_over: &mut bool) {
    let is_deleted = |life: &Life| {
        *is_over |= shows_an_end(life);
        *life == Life::Deleted
    };
    let deleted = life.wait_for(is_deleted).await.is_ok();
    match deleted {
        true => sleep(time).await,
        // The pod is not watched.
        false => std::future::pending().await,
    }
}
