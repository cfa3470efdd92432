//! Asks for one answer and reads it.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Log, Outcome, ROUNDS, STEADY, Tail,
    refusal::{SOON, is_usual},
};
use crate::{
    cluster::{Error, LogRequest},
    instance::Life,
    lines::Splitter,
    plan::Since,
    purpose::Purpose,
    schedule::Mode,
    tail::{
        check::{self, Checker, Last},
        logs::{Answer, Logs},
        stream::{DRAIN, Doubt, End, Reading, Watchdog},
    },
};

impl<L: Logs> Tail<L> {
    /// One answer; or several, where a poll has to ask for more lines.
    pub(super) async fn answers(&mut self, log: Log, purpose: Purpose) -> Outcome {
        let (resuming, before) = (self.position.latest().is_some(), self.counter.lines());
        let outcome = loop {
            match self.open_and_read(log, purpose).await {
                Outcome::Few => {}
                outcome => break outcome,
            }
        };
        if log.mode() == Mode::Poll && matches!(outcome, Outcome::Clean) {
            let new = self.counter.lines() - before;
            self.window.read(if resuming { new } else { 0 });
            self.polls += 1;
            // Ever less often: there may be no line at all.
            if self.position.latest().is_none() && self.polls.is_power_of_two() {
                self.find_place(log).await;
            }
        }
        outcome
    }

    async fn open_and_read(&mut self, log: Log, purpose: Purpose) -> Outcome {
        // What was made sure of holds for what is asked now, and not for ever.
        let doubt = std::mem::replace(&mut self.doubt, Doubt::Stop);
        let mut life = self.life.clone();
        let request = self.request(log, purpose);
        let answer = tokio::select! {
            answer = self.context.logs.open(&request) => answer,
            () = deleted_for(&mut life, DRAIN) => return Outcome::Changed,
        };
        let stream = match answer {
            Ok(stream) => stream,
            Err(error) => {
                // That there is no log says nothing of what was read of it.
                self.ended_well &= is_usual(&error);
                return Outcome::Failed(error);
            }
        };
        // A log request cannot name an instance. If it is not the same as when it was asked for, neither may the log be.
        // (Asked by the value: the receiver itself knows of no change once its sender is gone, as after a restart.)
        if self.life.borrow().has_changed() {
            return Outcome::Changed;
        }
        // It may have become so between the look and the answer.
        if doubt == Doubt::Tell && self.plan.follow && self.is_replaced().await {
            return Outcome::Doubtful(None);
        }
        let date = stream.date();
        self.extent.opened(date, self.position.latest().is_none(), log.mode() == Mode::Read);
        self.begin().await;
        let outcome = self.consume(stream, request, log, doubt).await;
        if log.mode() == Mode::Poll && matches!(outcome, Outcome::Clean) {
            self.outlet.reached(date.into()).await;
        }
        outcome
    }

    /// Reads what came for this request.
    async fn consume(&mut self, stream: L::Answer, request: LogRequest, log: Log, doubt: Doubt) -> Outcome {
        let resuming = self.position.latest().is_some();
        let start = self.extent.start();
        let (answered, before) = (Instant::now(), self.counter.lines());
        // A poll that asked for too few lines has missed nothing yet.
        let few = request.tail_lines.filter(|_| log.mode() == Mode::Poll && resuming);
        let checker = Checker {
            logs: &self.context.logs,
            scheduler: &self.context.scheduler,
            lines: self.context.lines,
            request: LogRequest { purpose: Purpose::Check, ..request },
            start,
        };
        // What was read may be the next instance's, and so may what lies behind the bound.
        let foreign = log == Log::Previous && self.may_be_foreign();
        let bound = self.previous_bound(log);
        let (end_asked, end_known) = (self.extent.end(), self.extent.knows_its_end());
        // After a clean end there may be nothing more, and soon not even a log.
        let ended_before = std::mem::replace(&mut self.ended_well, false);
        let may_be_gone = resuming && (ended_before || self.is_deleting());
        let watched = self.idle.as_mut().filter(|_| log.mode() == Mode::Follow);
        let unsurprising = if may_be_gone { Some(&mut self.gone) } else { None };
        // The answer before held the log as it was then: it may be rotated while its end is confirmed.
        let confirming = self.owed.is_some() && self.extent.is_opened_by(self.position.latest());
        let mut reading = Reading {
            stream,
            life: self.life.clone(),
            finder: resuming.then(|| self.position.finder()),
            position: &mut self.position,
            out: &self.outlet,
            counter: &self.counter,
            doubt: match (log, few) {
                (Log::Previous, _) if !foreign => Doubt::Tell,
                (Log::Previous, _) | (_, Some(_)) => Doubt::Stop,
                (_, None) => doubt,
            },
            said: &mut self.said,
            unsurprising,
            incomplete: &mut self.incomplete,
            heard_out: self.heard_out,
            current: log != Log::Previous,
            bound,
            end: end_asked,
            quota: &mut self.extent.quota,
            tear: &mut self.tear,
            watchdog: watched.map(|idle| Watchdog { idle, checker }),
            splitter: Splitter::new(self.context.lines),
            movable: log.mode() == Mode::Follow && !std::mem::take(&mut self.busy),
        };
        let mut end = reading.run().await;
        match (&end, log.mode()) {
            (Ok(End::Clean), Mode::Read) => {
                end = Ok(reading.finish().await);
                self.astray = reading.finder.is_some_and(|finder| !finder.done());
            }
            (Ok(End::Beyond), _) => self.astray = reading.finder.is_some_and(|finder| !finder.done()),
            (Ok(End::Clean), _) if !resuming && reading.is_cut_by_quota() => end = Ok(reading.finish().await),
            // It may have been cut off: a half line comes again when it is resumed.
            (Ok(End::Clean), Mode::Follow | Mode::Poll) => reading.hear_out().await,
            _ => {}
        }
        if self.counter.lines() > before {
            self.gone = None;
        }
        let is_gone = self.gone.is_some();
        self.astray &= !is_gone && !confirming;
        self.ended_well = match end {
            // After a poll the container may write more.
            Ok(End::Clean | End::Beyond) => {
                if is_gone {
                    ended_before
                } else {
                    log.mode() != Mode::Poll
                }
            }
            Ok(End::Enough) => true,
            Ok(End::Doubtful(_)) => ended_before && log == Log::Previous,
            _ => false,
        };
        self.heard_out = match end {
            Ok(End::Silent) => true,
            // What is in doubt is asked for again.
            Ok(End::Doubtful(_)) => self.heard_out,
            _ => false,
        };
        // That an answer was waited for is no merit.
        if answered.elapsed() >= STEADY || log.mode() == Mode::Poll && matches!(end, Ok(End::Clean)) {
            self.retries.went_well();
        } else if self.counter.lines() > before {
            self.retries.came_on();
        }
        let lost = match end {
            Ok(End::Clean) => self.astray,
            Ok(End::Doubtful(line)) => bound.is_none() || line < bound,
            _ => false,
        };
        if foreign && lost {
            self.hand_over();
            return Outcome::Changed;
        }
        match end {
            Ok(End::Enough) => Outcome::Enough,
            Ok(End::Doubtful(_)) if confirming => Outcome::Enough,
            Ok(End::Beyond) if end_known => Outcome::Enough,
            // The node's clock may be ahead: the last line tells.
            Ok(End::Clean | End::Beyond) => Outcome::Clean,
            Ok(End::Silent) => Outcome::Silent,
            Ok(End::Foreign) => Outcome::Changed,
            Ok(End::Busy) => {
                self.busy = true;
                Outcome::Busy
            }
            Ok(End::Doubtful(_)) if few.is_some() && *self.life.borrow() == Life::Running => {
                self.window.missed(few.unwrap_or_default());
                Outcome::Few
            }
            Ok(End::Doubtful(line)) => Outcome::Doubtful(line),
            Err(error) => Outcome::Failed(error),
        }
    }

    fn request(&self, log: Log, purpose: Purpose) -> LogRequest {
        let resume = self.position.since();
        LogRequest {
            namespace: self.instance.origin.pod.namespace.clone(),
            pod: self.instance.origin.pod.name.clone(),
            container: self.instance.origin.container.clone(),
            follow: log.mode() == Mode::Follow,
            previous: log == Log::Previous,
            since: resume.map(Since::Time).or(self.extent.since()),
            tail_lines: match (log.mode(), resume) {
                (Mode::Poll, Some(_)) => self.window.lines(),
                (_, Some(_)) => None,
                (_, None) => self.extent.tail_lines(),
            },
            // What is asked for again comes on top.
            limit_bytes: self.extent.quota.bytes.filter(|_| resume.is_none()),
            // What is read to its end comes as fast as it can.
            busy: self.busy || !self.plan.follow,
            purpose,
        }
    }

    /// Whether a log that came to its end did not: an answer that was cut off can look whole.
    pub(super) async fn has_more(&mut self, log: Log) -> bool {
        if !self.plan.confirm || self.gone.is_some() {
            return false;
        }
        if self.owed.take().is_some_and(|line| !self.position.misses(line, self.extent.start())) {
            return false;
        }
        let last = loop {
            let patient = !self.plan.follow || self.has_patience();
            match self.last_line(log, Purpose::Confirm).await {
                Ok(last) if !self.is_odd(&last) || !self.has_patience() => break last,
                Err(error) if error.is_without_previous() => return false,
                Err(error) if !patient || !self.may_retry(&error) => {
                    self.cannot_confirm(&error).await;
                    return false;
                }
                Ok(_) => self.pause_at_most(SOON).await,
                Err(error) => self.pause_after(&error).await,
            }
            if self.plan.follow {
                return true;
            }
        };
        let more = self.owes(last);
        if more && self.rounds == ROUNDS {
            self.astray = true;
            return false;
        }
        self.rounds += usize::from(more);
        more
    }

    /// Whether a log whose last line is this one has more of what was asked for. Where its container wrote on, that is
    /// not known before it was read on.
    fn owes(&mut self, last: Last) -> bool {
        self.astray |= self.is_odd(&last);
        let Last { line: Some(line), date, .. } = last else { return false };
        self.extent.compare_clocks(line.time(), date);
        let missed = self.position.misses(line, self.extent.start());
        self.owed = Some(line).filter(|_| missed && !self.extent.is_reached(self.position.latest()));
        self.owed.is_some()
    }

    /// Whether it is a log of which lines were read and that has none.
    fn is_odd(&self, last: &Last) -> bool {
        last.is_empty && !self.plan.follow && self.position.latest().is_some()
    }

    /// An end that nobody can confirm may be none; but a log that is being followed to its end is soon removed.
    async fn cannot_confirm(&mut self, error: &Error) {
        if !self.plan.follow || !is_usual(error) {
            self.tell_error(error, false).await;
            self.astray = true;
        }
    }

    /// Where none of the lines are wanted that there are, the last of them is where to go on from: else each poll would
    /// have the kubelet read all of the log again.
    async fn find_place(&mut self, log: Log) {
        if let Ok(Last { line: Some(line), .. }) = self.last_line(log, Purpose::Check).await
            && !self.position.misses(line, self.extent.start())
        {
            self.position.go_on_behind(line);
        }
    }

    pub(super) async fn last_line(&self, log: Log, purpose: Purpose) -> Result<Last, Error> {
        let request = self.request(log, purpose);
        Box::pin(check::last_line(&self.context.logs, &request, self.context.lines)).await
    }
}

/// Waits until the pod has been deleted for so long.
async fn deleted_for(life: &mut watch::Receiver<Life>, time: Duration) {
    let deleted = life.wait_for(|life| *life == Life::Deleted).await.is_ok();
    match deleted {
        true => sleep(time).await,
        // Nobody watches the pod.
        false => std::future::pending().await,
    }
}
