//! Requests one answer and reads it.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{Outcome, STATUS_DELAY, STEADY, Tail, refusal::is_usual};
use crate::{
    cluster::{Error, LogRequest, Turn},
    event,
    instance::Life,
    lines::{BACK, Splitter},
    plan::Since,
    purpose::Purpose,
    schedule::{Grant, Mode},
    tail::{
        again::Again,
        beginning::{self, Beginning},
        check::Checker,
        last,
        logs::{Answer, Logs},
        reach::{Answered, End, Reach},
        stream::{DRAIN, Doubt, Doubted, Place, Reading, Terms},
        watchdog::Watchdog,
        whereabouts::{Log, Whereabouts},
    },
};

/// What an outage held back comes within this time behind it.
const HELD: Duration = Duration::from_secs(1);

/// The state in which an answer begins.
struct Start {
    log: Log,
    /// The state of the log before the answer.
    reach: Reach,
    /// The same if the answer before it came to its end, nothing contradicted that since, and this one was not late; else open.
    proven: Reach,
    /// Whether the answer is read on although it lacks the last line that was read.
    unproven: bool,
    /// The number of lines that a poll requested: if it was too small, no line is missing yet.
    few: Option<u64>,
    /// Whether the lines that were read before may be those of the next instance.
    foreign: bool,
    /// Whether the first line of the log may be another pod's.
    in_doubt: bool,
    /// The instant from which the lines of the answer may be those of the next instance.
    bound: Option<event::Instant>,
    /// Whether the answer verifies an earlier one, which held all that the log had when it was opened.
    confirming: bool,
    /// Whether the end of the requested lines is known, not guessed.
    end_known: bool,
    /// Whether lines of the log were read before.
    resumes: bool,
    lines: u64,
    at: Instant,
}

/// The instance of lines.
enum Owner {
    This,
    Next,
}

impl Start {
    /// Whose the lines are that may be the next instance's, if this instance's own log does not continue after them: its
    /// own, if a line of it is later.
    fn settles_tear(
        &self,
        end: &Result<End, Error>,
        after: Reach,
        latest: Option<event::Instant>,
    ) -> Option<Owner> {
        let line = match end {
            Ok(End::Clean) if after == Reach::EndedShort => None,
            Ok(End::Doubtful(line)) if self.bound.is_none() || *line < self.bound => *line,
            _ => return None,
        };
        let is_later = line.is_some() && line > latest.map(|latest| event::Instant(latest.0 + BACK));
        self.foreign.then_some(if is_later { Owner::This } else { Owner::Next })
    }
}

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
        if log.mode() == Mode::Poll && matches!(outcome, Outcome::Clean) {
            let new = self.report.counter.lines() - before;
            self.window.read(if resumes { new } else { 0 });
            // Less and less often: there may be no line at all.
            if !self.progress.has_lines() && self.window.polls().is_power_of_two() {
                self.find_place(log).await;
            }
        }
        outcome
    }

    async fn open_and_read(&mut self, log: Log, purpose: Purpose, grant: &Grant) -> Outcome {
        let unproven = self.whereabouts.take_unproven();
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
            self.find_place(log).await;
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
        let outcome = self.consume(stream, request, log, unproven, late).await;
        if matches!((log.mode(), &outcome), (Mode::Poll | Mode::History, Outcome::Clean)) {
            self.report.outlet.reached(date.into()).await;
        }
        outcome
    }

    /// Reads the answer to this request. `late`: the log is opened so late, once more, or behind a 404, that another pod of that name
    /// may have it.
    async fn consume(
        &mut self,
        stream: L::Answer,
        request: LogRequest,
        log: Log,
        unproven: bool,
        late: bool,
    ) -> Outcome {
        let mut start = self.start(log, &request, unproven, stream.turn());
        start.in_doubt = late && self.may_be_another_pods(log);
        self.report.answer_begins();
        let mut reading = self.reading(stream, request, &start, unproven);
        let mut end = reading.run().await;
        let misses_place = reading.misses_place();
        let is_empty = reading.is_empty();
        let within = reading.place.within;
        drop(reading);
        if matches!(end, Ok(End::Clean)) && is_empty && self.may_be_empty_of_next(&start) {
            end = Ok(End::Doubtful(None));
        }
        self.settle_answer(&start, &end, misses_place);
        if within {
            // Half a line is no end.
            self.progress.reach = Reach::Open;
            self.progress.answered = Reach::Open;
        }
        if let Some(owner) = start.settles_tear(&end, self.progress.reach, self.progress.latest()) {
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

    /// Whether the status since an answer was requested says that it may be another instance's: a log request cannot name an instance.
    ///
    /// An end alone changes nothing: the log may soon be gone, and the answer may hold its last lines. (The value is asked: the
    /// receiver itself knows of no change once its sender is gone, as after a restart.)
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

    fn start(&mut self, log: Log, request: &LogRequest, unproven: bool, turn: Turn) -> Start {
        self.progress.early.give_back();
        let resumes = self.progress.has_lines();
        let reach = self.progress.reach.read_on();
        // If it turns out to be another's by now, the log could not be had meanwhile.
        let is_late = resumes && !shows_an_end(&self.life.borrow()) && is_late(turn, true);
        let is_proven = reach.has_ended() && self.progress.answered.has_ended() && !is_late;
        Start {
            log,
            reach,
            proven: if is_proven { reach } else { Reach::Open },
            unproven,
            few: request
                .tail_lines
                .filter(|_| log.mode() == Mode::Poll && resumes && !self.progress.position.is_untimed()),
            foreign: log == Log::Previous && self.may_be_foreign(),
            in_doubt: false,
            bound: self.whereabouts.bound(log, &self.life.borrow()),
            confirming: self.confirmation.is_due(&self.progress),
            end_known: self.progress.extent.knows_its_end(),
            resumes,
            lines: self.report.counter.lines(),
            at: Instant::now(),
        }
    }

    fn reading(
        &mut self,
        stream: L::Answer,
        request: LogRequest,
        start: &Start,
        unproven: bool,
    ) -> Reading<'_, L> {
        let (mode, resumes) = (start.log.mode(), self.progress.has_lines());
        let tail_lines = request.tail_lines;
        let checker = Checker {
            logs: &self.context.logs,
            scheduler: &self.context.scheduler,
            lines: self.context.lines,
            request: LogRequest { purpose: Purpose::Check, ..request.clone() },
            start: self.progress.extent.start(),
        };
        let (watching, ending) = match mode {
            Mode::Follow => (Some(checker), None),
            Mode::Read | Mode::Poll | Mode::History => {
                let request = LogRequest { purpose: Purpose::Confirm, ..checker.request.clone() };
                (None, Some(Checker { request, ..checker }))
            }
        };
        let may_go_on = match start.log {
            Log::Previous => !start.foreign,
            Log::Current(_) => unproven && start.few.is_none(),
        };
        let terms = Terms {
            doubt: if may_go_on { Doubt::Report } else { Doubt::Stop },
            current: start.log != Log::Previous,
            bound: start.bound.or_else(|| self.next_from(start.log)),
            end: self.progress.extent.end(),
            // Other answers end by themselves.
            deadline: self.context.deadline.filter(|_| mode == Mode::Follow),
            resumes,
            opened: start.at,
            date: stream.date(),
            reach: start.proven,
            after_silence: start.reach == Reach::Silent,
            few: start.few.is_some(),
            // After a clean end there may be no more lines, and soon no log.
            ends: match resumes {
                true => start.reach.has_ended() || self.is_deleting(),
                false => self.instance.is_past,
            },
        };
        let beginning = self.beginning(&request);
        let fresh = self.fresh || self.has_seen_a_line_unwatched();
        let position = &self.progress.position;
        let finder = resumes.then(|| match position.is_untimed() {
            true => position.finder().of_untimed(tail_lines),
            false => position.finder(),
        });
        let movable = mode == Mode::Follow && !std::mem::take(&mut self.busy);
        // One question for each of many polled logs costs as much as their first round.
        let age = self.seen_at.elapsed() + STATUS_DELAY;
        let taken = || event::Instant(event::Instant::from(terms.date).0 - age.as_nanos() as i64);
        let doubted = Doubted {
            logs: &self.context.logs,
            instance: &self.instance,
            since: (mode != Mode::Follow).then(taken),
            over: self.is_over(),
        };
        Reading {
            stream,
            doubted: Some(doubted).filter(|_| start.in_doubt),
            life: self.life.clone(),
            finder,
            progress: &mut self.progress,
            report: &mut self.report,
            mode,
            terms,
            splitter: Splitter::new(self.context.lines),
            place: Place::default(),
            again: Again::default(),
            beginning,
            look: &mut self.look,
            fresh,
            movable,
            watchdog: self.idle.as_mut().zip(watching).map(|(idle, checker)| Watchdog { idle, checker }),
            ending,
        }
    }

    /// Whether an answer without any line can be that of a later instance: lines of this one were read, or were perhaps missed.
    fn may_be_empty_of_next(&self, start: &Start) -> bool {
        let is_settled = match start.log {
            // Once it was compared, its absence of further lines is no reason to compare it again.
            Log::Previous => {
                start.bound.is_none() || matches!(self.whereabouts, Whereabouts::Previous { .. })
            }
            Log::Current(_) => start.unproven,
        };
        let is_whole = start.log.mode() == Mode::Read && self.follows();
        let is_silent = !self.report.is_removed() && !self.report.is_broken_off();
        let is_missed = start.log == Log::Previous && !start.proven.has_ended();
        let wrote = self.progress.has_lines() || is_missed;
        is_whole && is_silent && !is_settled && !start.confirming && wrote
    }

    /// Of the first answer since a time that the user gave.
    fn beginning(&self, request: &LogRequest) -> Option<Beginning<L>> {
        let wanted = self.progress.extent.start().filter(|_| !self.progress.has_lines())?;
        let started = self.instance.started.filter(|_| !self.plan().previous && self.plan().tail.is_none());
        Some(Beginning {
            logs: self.context.logs.clone(),
            request: beginning::request(request.clone()),
            wanted,
            started: started?,
            ended: match &*self.life.borrow() {
                Life::Terminated(ending) | Life::Replaced { ending, .. } => ending.finished,
                Life::Running | Life::Terminating | Life::Deleted | Life::Dropped => None,
            },
            zone: self.plan().late.clone()?,
        })
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
            // Its container had ended, if it had ended before.
            quiet: !brought_lines && !misses_place && self.is_deleting(),
            adds: brought_lines || !start.resumes,
            nothing: !brought_lines && !start.resumes,
        };
        self.progress.reach = start.reach.after(end, answered);
        // Words behind new lines stand in place of the rest. If nothing is said of them, its loss has to be.
        let follows = start.log.mode() == Mode::Follow;
        if follows && brought_lines && self.report.is_unsaid() && matches!(end, Ok(End::Clean)) {
            self.progress.reach = Reach::Open;
        }
        self.progress.answered = self.progress.reach;
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
fn is_late(turn: Turn, has_gone: bool) -> bool {
    match turn {
        Turn::Soon => false,
        Turn::Late => has_gone,
        Turn::PutOff => true,
    }
}

/// Whether the status reports the end of the instance.
fn shows_an_end(life: &Life) -> bool {
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
