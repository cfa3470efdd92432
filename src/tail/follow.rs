//! One tail: opens the log of its instance, reads it, and opens it again until it is complete.

mod answer;
mod confirm;
mod instance;
mod legacy;
mod loss;
mod previous;
mod refusal;
mod start;

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Context, Logs,
    beginning::{self, Look},
    early::Early,
    extent::Extent,
    idle::Idle,
    progress::Progress,
    reach::Reach,
    report::Report,
    retry::Retries,
    stream::until,
    whereabouts::{Log, Whereabouts},
    window::Window,
};
use crate::{
    cluster::Error,
    event::{self, Closed, Ending, Reason, Restart},
    instance::{Instance, Life},
    lines::Position,
    plan::LogPlan,
    purpose::Purpose,
    schedule::{Grant, Mode, Seat},
    stats::Limit,
};
use confirm::Confirmation;
pub use legacy::Legacy;
use legacy::Shown;

/// The most failed requests for a log without following.
const TRIES: usize = 5;

/// The longest wait behind the end of a followed log for the look at its beginning.
const LOOK: Duration = Duration::from_secs(1);

/// The longest time from the kubelet's knowledge of a restart to the apiserver's.
const STATUS_DELAY: Duration = Duration::from_secs(10);

/// The longest wait for the status of an instance that the kubelet seems to have started. A container must not stay
/// silent if that was wrong.
const NO_STATUS: Duration = Duration::from_secs(30);

/// The status of an instance whose log is read sooner than this is hardly outdated.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The longest that the stream of a pod that is gone is read in a place that another log needs.
const HEARD_OUT: Duration = Duration::from_secs(60);

/// A stream that lasted this long after the head of its answer is opened again at once.
const STEADY: Duration = Duration::from_secs(10);

pub struct Tail<L> {
    context: Context<L>,
    instance: Arc<Instance>,
    life: watch::Receiver<Life>,
    /// When its status came; the tail before may have ended long after that.
    seen_at: Instant,
    /// The earliest time at which the instance can have written its first line.
    birth: Option<event::Instant>,
    whereabouts: Whereabouts,
    progress: Progress,
    report: Report,
    confirmation: Confirmation,
    /// The instance of this container that was shown last by an earlier tail, and the restart since then, until it is
    /// shown.
    shown_before: Option<Shown>,
    restart: Option<Restart>,
    /// Whether the instance started while the program ran, so that all of its log is new.
    fresh: bool,
    /// Whether the instance had ended before it was seen, and the node does not have its log any more.
    absent: bool,
    /// Whether the log is busy enough to deserve its own connection.
    busy: bool,
    stage: Stage,
    idle: Option<Idle>,
    retries: Retries,
    /// Refusals in a row because the kubelet does not know the container, which has ended.
    losses: usize,
    /// Failed questions about whose log was read, since that was settled.
    unanswered: usize,
    /// Whether the previous log was found to be its own, so that another instance is there, or will be. Lines that were
    /// in doubt are requested again.
    found_own: bool,
    /// Whether the first end of a stream was compared with the previous log.
    asked_at_end: bool,
    /// Whether no such pod was found since the last answer, or its log was the previous one then: by now another one
    /// may have its name.
    missing: bool,
    window: Window,
    seat: Seat,
    /// A look at the beginning of the file, while it lasts.
    look: Option<Look>,
    /// Kept from one answer to the next, so that a broken stream does not lose its place to the waiting ones.
    grant: Option<Grant>,
    /// The same of a poll that leaves questions, and whether it had new lines.
    polled: Option<(Grant, bool)>,
}

/// How much of the log of a running container is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The lines that it has written before are not read yet, and it is not followed before that.
    History,
    /// They are read. It is followed once those of all others are read.
    CaughtUp,
    /// It is followed, or polled.
    Live,
}

impl Stage {
    /// An answer came.
    fn opened(&mut self, log: Log) {
        if log.mode() != Mode::History {
            *self = Stage::Live;
        }
    }
}

/// The end of one answer, as far as the next step depends on it.
enum Outcome {
    Clean,
    /// All lines or bytes that were requested have come.
    Enough,
    /// The time of a followed log is over.
    Over,
    Failed(Error),
    /// The status changed while the answer was on its way, or the stream has to be opened again.
    Reopen,
    /// The lines may be another instance's, from the line of that instant on. `before`: how far this one was read.
    Doubtful {
        line: Option<event::Instant>,
        before: Reach,
    },
    /// A poll requested too few lines.
    Few,
}

impl<L: Logs> Tail<L> {
    /// `fresh`: see [`Tail::fresh`].
    pub fn new(
        context: Context<L>,
        seat: Seat,
        instance: Arc<Instance>,
        life: watch::Receiver<Life>,
        fresh: bool,
        legacy: Legacy,
        seen_at: Instant,
    ) -> Self {
        let Legacy { read, shown, last, fresh: was_fresh, reported, missing } = legacy;
        let mut fresh = fresh;
        let (mut early, mut position, mut quota, mut empty) = (Early::default(), None, None, None);
        let (mut born_after, mut restart) = (None, None);
        if let Some(((id, restarts), parts)) = read {
            let again = id == instance.container_id && restarts == instance.restart_count;
            born_after = parts.latest.filter(|_| !again).map(|latest| event::Instant(latest.0 + 1));
            (quota, empty) = (Some(parts.quota).filter(|_| again), parts.empty.filter(|_| again));
            fresh |= again && was_fresh;
            let is_unread = reported && parts.own.latest().is_none() && parts.next.is_none();
            (early, position) = parts.into_early(again);
            let shown = shown.as_ref().filter(|_| !again);
            restart = shown.map(|shown| shown.restart(instance.restart_count, early.foreign_from()));
            // Its end was reported, if such a line can be its own, and those in between will be.
            if is_unread && restart.as_ref().is_some_and(|restart| restart.skipped > 0) {
                early.is_reported_until(instance.started.map(event::Instant::from));
            }
        }
        let plan = &context.plan;
        let mut extent = if fresh { Extent::of_news(plan) } else { Extent::new(plan) };
        (extent.quota, extent.empty) = (quota.unwrap_or(extent.quota), empty);
        let position = position.filter(|position| position.latest().is_some());
        let midway = || if extent.is_bounded() { Position::midway() } else { Position::default() };
        let position = position.unwrap_or_else(midway);
        let next = last.map_or(0, |last| last.saturating_add(1));
        let unseen = fresh && restart.is_none() && instance.restart_count > next;
        let origin = instance.origin.clone();
        let counter = context.stats.counter(&origin);
        let progress = Progress::new(position, extent, Reach::Unopened { unseen, refused: false }, early);
        Self {
            seen_at,
            birth: instance.started.map(event::Instant::from).max(born_after),
            whereabouts: Whereabouts::default(),
            progress,
            report: Report::new(context.out.outlet(origin), counter),
            confirmation: Confirmation::default(),
            shown_before: shown,
            restart,
            fresh,
            absent: false,
            busy: false,
            stage: if plan.history_first && !fresh { Stage::History } else { Stage::Live },
            idle: plan.idle_check.map(Idle::new),
            retries: Retries::new(context.crowd.clone()),
            losses: 0,
            unanswered: 0,
            found_own: false,
            asked_at_end: false,
            missing,
            window: Window::new(),
            seat,
            look: None,
            grant: None,
            polled: None,
            context,
            instance,
            life,
        }
    }

    /// Whether the log could be read, at least in part.
    pub fn was_opened(&self) -> bool {
        self.progress.reach.is_opened()
    }

    /// Whether any of the log was read: not if the kubelet only reported errors in place of lines.
    pub fn was_read(&self) -> bool {
        self.was_opened() && (self.progress.has_lines() || !self.report.is_broken_off())
    }

    /// The knowledge for the next tail.
    pub fn into_legacy(mut self) -> Legacy {
        self.progress.give_back();
        self.note_empty();
        let ending = match &*self.life.borrow() {
            Life::Terminated(ending) | Life::Replaced { ending, .. } => ending.clone(),
            Life::Running | Life::Terminating | Life::Deleted | Life::Dropped => Ending::default(),
        };
        let Instance { restart_count, started, .. } = *self.instance;
        let reach = self.progress.reach;
        let whole = reach.has_ended() && !reach.is_short() && !self.progress.extent.quota.is_used_up();
        // Without confirmation, an answer that was cut looks like an end.
        let is_confirmed = whole && self.plan().confirm;
        let is_end_known = is_confirmed && (self.progress.has_lines() || !self.progress.extent.is_bounded());
        let shown = match self.was_opened() && !self.absent {
            true => Some(Shown { restart_count, started, ending, whole, is_end_known }),
            false => self.shown_before,
        };
        let instance = (self.instance.container_id.clone(), self.instance.restart_count);
        let mut parts = self.progress.into_parts(&self.life.borrow());
        // Else it is reported already that lines are missing, or they need not be there any more.
        let is_claimed = reach.has_ended() && !reach.is_short() && (self.fresh || !self.instance.is_past);
        parts.first = parts.first.filter(|_| is_claimed);
        // The next tail of a new container reports that this instance was not read.
        let last = Some(restart_count).filter(|_| !self.absent);
        let reported = self.fresh || self.report.incomplete;
        Legacy {
            read: Some((instance, parts)),
            shown,
            last,
            fresh: self.fresh,
            reported,
            missing: self.missing,
        }
    }

    fn plan(&self) -> &LogPlan {
        &self.context.plan
    }

    /// Whether the log is followed, and its time is not over: what it has then is read to the end once more.
    fn follows(&self) -> bool {
        self.plan().follow && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.context.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Waits until the time is over, unless it is.
    fn over(&self) -> impl Future<Output = ()> + use<L> {
        until(self.context.deadline.filter(|_| !self.is_over()))
    }

    /// Prints the log until it is complete or lost.
    pub async fn run(&mut self) -> Closed {
        if self.plan().follow && self.stage == Stage::Live {
            self.report.outlet.caught_up().await;
        }
        if self.is_replaced_unread().await {
            self.whereabouts = Whereabouts::Superseded;
        }
        let reason = self.read_all().await;
        if self.look.is_some() {
            // Others need the place more. The tail of the next instance waits for the end of this one.
            self.grant = None;
            let patience = if self.plan().follow { LOOK } else { Duration::MAX };
            let late = timeout(patience, beginning::seen(&mut self.look)).await.ok().flatten();
            self.report.begins(late).await;
        }
        let complete = match self.instance.is_past && !self.progress.has_lines() {
            true => self.report_absence(&reason).await,
            false => {
                self.report_loss(&reason).await;
                let whole = !self.report.incomplete && !self.report.is_broken_off();
                whole && reason != Reason::Failed
            }
        };
        let (opened, restart_count) = (self.was_opened(), self.instance.restart_count);
        let closed = Closed { reason, opened, complete, restart_count };
        self.report.outlet.closed(closed.clone()).await;
        self.grant = None;
        closed
    }

    async fn read_all(&mut self) -> Reason {
        loop {
            let (log, outcome) = match self.read().await {
                Ok(read) => read,
                Err(reason) => return reason,
            };
            let reason = self.judge(log, outcome).await;
            self.give_back();
            if let Some(reason) = reason {
                return reason;
            }
        }
    }

    /// The poll is over, with all questions about it.
    fn give_back(&mut self) {
        if let Some((grant, new_lines)) = self.polled.take() {
            grant.polled(new_lines);
        }
    }

    /// A look at a silent stream may have found that the log has no line.
    fn note_empty(&mut self) {
        if let Some(at) = self.idle.as_ref().and_then(|idle| idle.empty) {
            self.progress.extent.was_empty(at);
        }
    }

    /// The log with the lines that are not printed yet, or the reason for its absence. The status counts as seen.
    fn log(&mut self) -> Result<Log, Reason> {
        if self.plan().previous {
            return Ok(Log::Previous);
        }
        let mode = match self.follows() {
            true if self.stage == Stage::History => Mode::History,
            true if self.report.cannot_follow() => Mode::Poll,
            true => Mode::Follow,
            false => Mode::Read,
        };
        self.note_empty();
        let life = self.life.borrow_and_update();
        self.progress.reported(&life);
        self.whereabouts.log(&life, self.instance.restart_count, mode)
    }

    /// Reads one answer, once the scheduler grants it. The log to read is chosen then.
    async fn read(&mut self) -> Result<(Log, Outcome), Reason> {
        let wanted = self.log()?;
        let want = wanted.mode();
        let ends = self.is_deleting() || want == Mode::Read && self.follows();
        let resumes = self.progress.has_lines() && self.stage != Stage::CaughtUp;
        let purpose = Purpose::of_log(resumes, ends);
        let (mut life, asked) = (self.life.clone(), Instant::now());
        // The scheduler counts one for a single read as soon given back.
        let fits = |grant: &Grant| grant.mode == want || want.is_read() && grant.mode != Mode::Poll;
        let is_kept = |grant: &Grant| fits(grant) && grant.revoked().now_or_never().is_none();
        let grant = match self.grant.take().filter(is_kept) {
            Some(grant) => grant,
            None => tokio::select! {
                biased;
                grant = self.seat.request(want, purpose) => grant,
                () = self.over() => return Ok((wanted, Outcome::Reopen)),
                // Another log may be wanted now, and more urgently.
                Ok(()) = life.changed() => return Ok((wanted, Outcome::Reopen)),
            },
        };
        let log = match self.log()? {
            Log::Current(Mode::Follow) if grant.mode == Mode::Poll => Log::Current(Mode::Poll),
            log => log,
        };
        let purpose = if log.mode() == Mode::Poll { self.purpose_of_poll() } else { purpose };
        // A poll always waits for its turn.
        if grant.mode != Mode::Poll {
            self.context.stats.waited(Limit::Streams, asked.elapsed());
        }
        let before = self.report.counter.lines();
        let outcome = tokio::select! {
            biased;
            outcome = self.answers(log, purpose, &grant) => outcome,
            () = left(&grant, life.clone()) => {
                self.progress.give_back();
                return Ok((log, Outcome::Reopen));
            }
            reason = dropped(&mut life) => return Err(reason),
        };
        if log.mode() == Mode::Poll && grant.mode == Mode::Poll {
            // Lines whose place is in doubt are new too, and the next poll may show them.
            let is_doubtful = matches!(outcome, Outcome::Doubtful { .. });
            self.polled = Some((grant, is_doubtful || self.report.counter.lines() > before));
            if !matches!(outcome, Outcome::Doubtful { .. } | Outcome::Enough) {
                self.give_back();
            }
        } else {
            self.grant = Some(grant);
        }
        Ok((log, outcome))
    }

    fn purpose_of_poll(&self) -> Purpose {
        match !self.was_opened() {
            true => Purpose::FirstPoll,
            false => Purpose::Poll,
        }
    }

    /// Whether the node will soon remove the log, since the pod is being deleted.
    fn is_deleting(&self) -> bool {
        match &*self.life.borrow() {
            Life::Terminating => true,
            Life::Terminated(ending) | Life::Replaced { ending, .. } => ending.deleting,
            Life::Running | Life::Deleted | Life::Dropped => false,
        }
    }

    /// Decides what follows an answer: the end, or another request after a pause.
    async fn judge(&mut self, log: Log, outcome: Outcome) -> Option<Reason> {
        match outcome {
            Outcome::Reopen | Outcome::Few => None,
            Outcome::Doubtful { line, before } => match log {
                Log::Previous if self.is_of_next(line) => {
                    // The next instance was replaced too, and the log that was sought is gone.
                    self.progress.reach.refused(false);
                    let reason = self.ended().await;
                    if matches!(reason, Some(Reason::Terminated(_))) {
                        self.whereabouts = Whereabouts::Lost;
                    }
                    reason
                }
                Log::Previous => {
                    self.settle_previous(line).await;
                    None
                }
                Log::Current(_) => self.settle(line, before).await,
            },
            // All that is wanted of it was shown too early, whose ever this log is.
            Outcome::Enough if !self.progress.has_lines() && self.progress.extent.quota.is_used_up() => {
                self.ended().await
            }
            // Of a log that was read at once, the status was right.
            Outcome::Enough => match self.is_misled(log).await
                || self.seen_at.elapsed() > AT_ONCE && self.is_overtaken(log).await
            {
                true => None,
                false => self.ended().await,
            },
            // It may have been far behind.
            Outcome::Over => match self.has_more(log).await {
                true => None,
                false => self.ended().await,
            },
            Outcome::Clean => match log.mode() {
                Mode::Read if self.is_misled(log).await || self.has_more(log).await => None,
                Mode::Read => self.ended().await,
                Mode::History => {
                    self.history_is_read().await;
                    None
                }
                // The wait for the next turn is long enough.
                Mode::Poll => None,
                Mode::Follow => {
                    if !self.is_overtaken(log).await {
                        self.pause().await;
                    }
                    None
                }
            },
            Outcome::Failed(error) => self.judge_error(log, error).await,
        }
    }

    /// The log goes on where its history ends.
    async fn history_is_read(&mut self) {
        self.stage = Stage::CaughtUp;
        // Logs that are not read yet come before those to follow.
        self.grant = None;
        self.report.outlet.caught_up().await;
    }

    /// None: it goes on.
    async fn ended(&mut self) -> Option<Reason> {
        // Without a watch no status comes.
        if self.whereabouts == Whereabouts::Superseded && self.follows() {
            // Others need the place meanwhile.
            self.grant = None;
            self.give_back();
            let reported = self.life.wait_for(|life| !matches!(life, Life::Running | Life::Terminating));
            if timeout(NO_STATUS, reported).await.is_err() {
                // No status reports another instance: the current log is this one's after all. Until an answer comes,
                // nothing was read of the other one.
                self.whereabouts = Whereabouts::Unproven;
                (self.asked_at_end, self.found_own, self.missing) = (true, true, true);
                self.report.incomplete |= self.progress.take_back(self.report.incomplete);
                return None;
            }
            self.leave_past_end();
        }
        Some(match &*self.life.borrow() {
            Life::Terminated(ending) | Life::Replaced { ending, .. } if self.plan().follow => {
                Reason::Terminated(ending.clone())
            }
            _ => Reason::Finished,
        })
    }
}

/// Waits until the place is needed for another log. The stream of a pod that is gone ends soon, and is heard out until
/// then.
async fn left(grant: &Grant, life: watch::Receiver<Life>) {
    grant.revoked().await;
    if *life.borrow() == Life::Deleted {
        sleep(HEARD_OUT).await;
    }
}

/// Waits until the pod is not selected any more.
async fn dropped(life: &mut watch::Receiver<Life>) -> Reason {
    if life.wait_for(|life| *life == Life::Dropped).await.is_err() {
        // The pod is not watched any more, or never was.
        std::future::pending::<()>().await;
    }
    Reason::Dropped
}

#[cfg(test)]
mod tests;
