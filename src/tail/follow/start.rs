//! The state in which an answer begins, and the terms on which it is read.

use tokio::time::Instant;

use super::{
    STATUS_DELAY, Tail,
    answer::{is_late, shows_an_end},
};
use crate::{
    cluster::{Error, LogRequest, Turn},
    event,
    instance::Life,
    lines::{BACK, Splitter},
    purpose::Purpose,
    schedule::{Grant, Mode},
    tail::{
        again::Again,
        beginning::{self, Beginning},
        check::Checker,
        logs::{Answer, Logs},
        reach::{End, Reach},
        stream::{Doubt, Doubted, Place, Reading, Terms},
        watchdog::Watchdog,
        whereabouts::{Log, Whereabouts},
    },
};

/// The state in which an answer begins.
pub(super) struct Start {
    pub log: Log,
    /// The state of the log before the answer.
    pub reach: Reach,
    /// The same if the answer before it came to its end, nothing contradicted that since, and this one was not late;
    /// else open.
    pub proven: Reach,
    /// Whether the answer is read on although it lacks the last line that was read.
    pub unproven: bool,
    /// The number of lines that a poll requested: if it was too small, no line is missing yet.
    pub few: Option<u64>,
    /// Whether the lines that were read before may be those of the next instance.
    pub foreign: bool,
    /// Whether the first line of the log may be another pod's.
    pub in_doubt: bool,
    /// The instant from which the lines of the answer may be those of the next instance.
    pub bound: Option<event::Instant>,
    /// Whether the answer verifies an earlier one, which held all that the log had when it was opened.
    pub confirming: bool,
    /// Whether the end of the requested lines is known, not guessed.
    pub end_known: bool,
    /// Whether lines of the log were read before.
    pub resumes: bool,
    pub lines: u64,
    pub at: Instant,
}

/// The instance of lines.
pub(super) enum Owner {
    This,
    Next,
}

impl Start {
    /// Whose the lines are that may be the next instance's, if this instance's own log does not continue after them:
    /// its own, if a line of it is later than the first of them.
    pub fn settles_tear(
        &self,
        end: &Result<End, Error>,
        after: Reach,
        first: Option<event::Instant>,
    ) -> Option<Owner> {
        let line = match end {
            Ok(End::Clean) if after == Reach::EndedShort => None,
            Ok(End::Doubtful(line)) if self.bound.is_none() || *line < self.bound => *line,
            _ => return None,
        };
        let is_later = line.is_some() && line > first.map(|first| event::Instant(first.0 + BACK));
        self.foreign.then_some(if is_later { Owner::This } else { Owner::Next })
    }

    /// Whether a log that is read without following may be another instance's if it lacks the last line that was read:
    /// not once that was settled, nor if an earlier answer held all that is wanted.
    pub fn may_be_anothers(&self) -> bool {
        self.resumes && !self.unproven && !self.confirming && self.log == Log::Current(Mode::Read)
    }

    /// Whether the lines that may be the next instance's are this one's: the log that was found to be its own has them.
    pub fn shows_its_own(&self, end: &Result<End, Error>, after: Reach, misses_place: bool) -> bool {
        let is_found =
            matches!(end, Ok(End::Clean)) && after.has_ended() && !after.is_short() && !misses_place;
        is_found && self.resumes && self.bound.is_some()
    }
}

impl<L: Logs> Tail<L> {
    pub(super) fn start(&mut self, log: Log, request: &LogRequest, unproven: bool, turn: Turn) -> Start {
        self.progress.give_back();
        let resumes = self.progress.has_lines();
        let reach = self.progress.reach.read_on();
        // If it turns out to be another's by now, the log could not be had meanwhile.
        let is_late = resumes && !shows_an_end(&self.life.borrow()) && is_late(turn, true);
        let is_proven = reach.has_ended() && self.progress.answered.is_some_and(Reach::has_ended) && !is_late;
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

    pub(super) fn reading<'a>(
        &'a mut self,
        stream: L::Answer,
        request: LogRequest,
        start: &Start,
        grant: &'a Grant,
        unproven: bool,
    ) -> Reading<'a, L> {
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
            settled: start.bound.is_some(),
            end: self.progress.extent.end(),
            // Other answers end by themselves.
            deadline: self.context.deadline.filter(|_| mode == Mode::Follow),
            rest: self.context.latency,
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
            grant,
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

    /// Whether an answer without any line can be that of a later instance: lines of this one were read, or were perhaps
    /// missed.
    pub(super) fn may_be_empty_of_next(&self, start: &Start) -> bool {
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
            scheduler: self.context.scheduler.clone(),
            follows: self.plan().follow,
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
}
