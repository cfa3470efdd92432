//! One tail: opens the log of its instance, reads it, and opens it again for as long as there is more to come.

mod answer;
mod instance;
mod refusal;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Context, Logs, extent::Extent, idle::Idle, retry::Retries, stream::Doubt, tear::Tear, window::Window,
};
use crate::{
    cluster::{Error, KubeletError},
    event::{self, Batch, Closed, Gap, Item, Reason},
    instance::{Instance, Life},
    lines::{Position, Seen},
    plan::LogPlan,
    purpose::Purpose,
    queue::Outlet,
    schedule::{Grant, Mode, Seat},
    stats::{Counter, Limit},
};

/// How often a log is asked for in vain where nothing is followed.
const TRIES: usize = 5;

/// How much later than the kubelet the apiserver may know of a restart.
const STATUS_DELAY: Duration = Duration::from_secs(10);

/// How often at most a log that came to its end is read on because there is more.
const ROUNDS: usize = 2;

/// A stream that lived this long, from the head of its answer on, has earned that the next one is opened at once.
const STEADY: Duration = Duration::from_secs(10);

pub struct Tail<L> {
    context: Context<L>,
    instance: Arc<Instance>,
    life: watch::Receiver<Life>,
    position: Position,
    /// Where the log of the next instance was read to, by mistake.
    next: Position,
    tear: Option<Tear>,
    /// When it can have written its first line at the earliest.
    birth: Option<event::Instant>,
    /// Whether the kubelet serves another instance's log by now.
    superseded: bool,
    /// Whose log the previous one is, once the instance was replaced, where that was in doubt.
    previous_is_own: Option<bool>,
    /// Whether there were instances before while we looked on, of which nobody told.
    unseen: bool,
    /// Whether the log of this container could be read already.
    was_allowed: bool,
    plan: LogPlan,
    extent: Extent,
    /// Whether the log came to its end, and what was read before is not in it or could not be read on.
    astray: bool,
    /// Whether the user was told that it began.
    begun: bool,
    /// Whether the last answer came to its end, and nothing speaks against it since.
    ended_well: bool,
    /// Whether the last stream gave all that it had, and then fell silent.
    heard_out: bool,
    /// Whether lines may have been missed.
    incomplete: bool,
    /// How often a log that came to its end was found to have more.
    rounds: usize,
    /// The last line of a log that was found to have more: to be read.
    owed: Option<Seen>,
    /// Whether a connection of its own is cheaper.
    busy: bool,
    doubt: Doubt,
    idle: Option<Idle>,
    retries: Retries,
    counter: Counter,
    said: String,
    /// That the log is gone, as the kubelet says it: to be told if the pod is not.
    gone: Option<String>,
    outlet: Outlet,
    seat: Seat,
    window: Window,
    polls: u64,
    /// Kept from one answer to the next, so that a stream that breaks does not lose its place to those that wait.
    grant: Option<Grant>,
}

/// What the tail of an instance leaves to the next tail of the container.
#[derive(Default)]
pub struct Legacy {
    /// The container ID of the instance, and where its tail was in the log: it may have another tail.
    own: Option<(String, Position)>,
    /// Where it read the next one's log to, by mistake.
    next: Position,
    /// When the last line of its own was written.
    latest: Option<event::Instant>,
    /// Whether there was a tail at all.
    any: bool,
}

/// The log to read, by what is known of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    /// The container's current log.
    Current(Mode),
    /// The log of the instance before the current one. It has ended.
    Previous,
}

impl Log {
    fn mode(self) -> Mode {
        match self {
            Log::Current(mode) => mode,
            Log::Previous => Mode::Read,
        }
    }
}

/// How one answer came to its end.
enum Outcome {
    Clean,
    /// All that was asked for has come.
    Enough,
    Failed(Error),
    /// The instance changed while the answer was on its way: it may be the log of another instance.
    Changed,
    /// It may be the log of another instance, from the line of that instant on.
    Doubtful(Option<event::Instant>),
    /// It has not ended, but gives nothing where there is something.
    Silent,
    /// It goes on over a connection of its own.
    Busy,
    /// A poll asked for too few lines.
    Few,
}

impl<L: Logs> Tail<L> {
    /// `fresh`: whether the instance came into being while we looked on, so that all of its log is news.
    pub fn new(
        context: Context<L>,
        seat: Seat,
        instance: Arc<Instance>,
        life: watch::Receiver<Life>,
        fresh: bool,
        legacy: Legacy,
    ) -> Self {
        let Legacy { own, next, latest: before, any } = legacy;
        let own = own.filter(|(id, _)| *id == instance.container_id).map(|(_, position)| position);
        let born_after = before.filter(|_| own.is_none());
        let position = own.unwrap_or(next);
        let plan = context.plan.clone();
        let extent = if fresh { Extent::of_news(&plan) } else { Extent::new(&plan) };
        let anew = position.latest().is_none();
        let position = if anew && extent.is_bounded() { Position::midway() } else { position };
        Self {
            outlet: context.out.outlet(instance.origin.clone()),
            seat,
            window: Window::new(),
            polls: 0,
            counter: context.stats.counter(&instance.origin),
            retries: Retries::new(context.crowd.clone()),
            idle: plan.idle_check.map(Idle::new),
            context,
            birth: instance
                .started
                .map(event::Instant::from)
                .max(born_after.map(|before| event::Instant(before.0 + 1))),
            unseen: fresh && !any && instance.restart_count > 0,
            instance,
            life,
            position,
            next: Position::default(),
            tear: None,
            superseded: false,
            previous_is_own: None,
            was_allowed: before.is_some(),
            plan,
            extent,
            astray: false,
            begun: false,
            ended_well: true,
            heard_out: false,
            incomplete: false,
            rounds: 0,
            owed: None,
            busy: false,
            doubt: Doubt::Stop,
            said: String::new(),
            gone: None,
            grant: None,
        }
    }

    /// Whether the log could be read, at least in part.
    pub fn was_opened(&self) -> bool {
        self.begun
    }

    /// What the next tail is to know.
    pub fn into_legacy(self) -> Legacy {
        let latest = self.position.latest();
        let own = Some((self.instance.container_id.clone(), self.position));
        Legacy { own, next: self.next, latest, any: true }
    }

    /// Shows the log until there is no more of it.
    pub async fn run(&mut self) -> Closed {
        let reason = self.read_all().await;
        self.tell_rest(&reason).await;
        let complete = !self.incomplete && reason != Reason::Failed;
        let closed = Closed { reason, complete, restart_count: self.instance.restart_count };
        if self.begun {
            self.outlet.closed(closed.clone()).await;
        }
        self.grant = None;
        closed
    }

    async fn read_all(&mut self) -> Reason {
        loop {
            let (log, outcome) = match self.read().await {
                Ok(read) => read,
                Err(reason) => return reason,
            };
            if let Some(reason) = self.judge(log, outcome).await {
                return reason;
            }
        }
    }

    /// Says what of the log is lost for good, if anything is.
    async fn tell_rest(&mut self, reason: &Reason) {
        let usual = matches!(reason, Reason::Deleted | Reason::Dropped) || self.is_deleting();
        let removed = self.gone.take();
        if let Some(said) = removed.clone().filter(|said| !usual && *said != self.said) {
            self.outlet.warning(said).await;
        }
        let latest = self.position.latest();
        let unchecked = Gap::Unchecked(latest);
        let unread = !self.begun || !self.ended_well;
        let gap = match reason {
            Reason::Deleted => unread.then_some(unchecked),
            Reason::Terminated(_) if self.previous_is_own == Some(false) => unread.then_some(unchecked),
            Reason::Terminated(_) if unread && removed.is_some() => Some(unchecked),
            // There is another instance's log in its place.
            Reason::Terminated(_) if unread && self.log().is_err() => Some(unchecked),
            Reason::Terminated(_) | Reason::Finished => self.astray.then_some(Gap::Behind(latest)),
            Reason::Dropped | Reason::Failed => None,
        };
        let Some(gap) = gap else { return };
        self.incomplete = true;
        if self.begun {
            let origin = self.outlet.origin().clone();
            let items = vec![Item::Gap(gap)];
            self.outlet.batch(Batch { origin, data: Bytes::new(), items, rest: None }).await;
        } else {
            self.outlet.warning("gone before its log could be read").await;
        }
    }

    /// The log that holds what is not yet shown, or why there is none: [`Reason::Terminated`] means that it is lost.
    fn log(&mut self) -> Result<Log, Reason> {
        if self.plan.previous {
            return Ok(Log::Previous);
        }
        match &*self.life.borrow_and_update() {
            Life::Running | Life::Terminating | Life::Terminated(_) if self.superseded => Ok(Log::Previous),
            Life::Running | Life::Terminating if self.plan.follow => {
                match KubeletError::of(&self.said) == Some(KubeletError::NoWatcher) {
                    true => Ok(Log::Current(Mode::Poll)),
                    false => Ok(Log::Current(Mode::Follow)),
                }
            }
            Life::Running | Life::Terminating | Life::Terminated(_) => Ok(Log::Current(Mode::Read)),
            // The previous log is that of another instance where this one was not the last before.
            Life::Replaced { restart_count, ending, .. }
                if *restart_count > self.instance.restart_count + 1 =>
            {
                Err(Reason::Terminated(ending.clone()))
            }
            Life::Replaced { ending, .. } if self.previous_is_own == Some(false) => {
                Err(Reason::Terminated(ending.clone()))
            }
            Life::Replaced { .. } => Ok(Log::Previous),
            Life::Deleted => Err(Reason::Deleted),
            Life::Dropped => Err(Reason::Dropped),
        }
    }

    /// Reads one answer, once the scheduler grants it. The log to read is the one that is right by then.
    async fn read(&mut self) -> Result<(Log, Outcome), Reason> {
        let wanted = self.log()?;
        let want = wanted.mode();
        let ends = self.is_deleting() || want == Mode::Read && self.plan.follow;
        let purpose = Purpose::of_log(self.position.latest().is_some(), ends);
        let (mut life, asked) = (self.life.clone(), Instant::now());
        let grant = match self.grant.take().filter(|_| want != Mode::Poll) {
            Some(grant) => grant,
            None => tokio::select! {
                grant = self.seat.request(want, purpose) => grant,
                // What is wanted may be another thing now, and more urgent.
                Ok(()) = life.changed() => return Ok((wanted, Outcome::Changed)),
            },
        };
        let log = match self.log()? {
            Log::Current(Mode::Follow) if grant.mode == Mode::Poll => Log::Current(Mode::Poll),
            log => log,
        };
        let purpose = if log.mode() == Mode::Poll { self.purpose_of_poll() } else { purpose };
        // A poll is meant to wait for its turn.
        if grant.mode != Mode::Poll {
            self.context.stats.waited(Limit::Streams, asked.elapsed());
        }
        let before = self.counter.lines();
        let outcome = tokio::select! {
            outcome = self.answers(log, purpose) => outcome,
            () = grant.revoked() => return Ok((log, Outcome::Changed)),
            reason = no_log(&mut life, &[Life::Dropped]) => return Err(reason),
        };
        if log.mode() == Mode::Poll && grant.mode == Mode::Poll {
            grant.polled(self.counter.lines() > before);
        } else {
            self.grant = Some(grant);
        }
        Ok((log, outcome))
    }

    fn purpose_of_poll(&self) -> Purpose {
        match self.position.latest().is_none() && self.polls == 0 {
            true => Purpose::FirstPoll,
            false => Purpose::Poll,
        }
    }

    /// Whether there will soon be no log, since the pod is being deleted.
    fn is_deleting(&self) -> bool {
        match &*self.life.borrow() {
            Life::Terminating => true,
            Life::Terminated(ending) | Life::Replaced { ending, .. } => ending.deleting,
            Life::Running | Life::Deleted | Life::Dropped => false,
        }
    }

    /// What follows from how an answer ended: the end, or another try after a pause.
    async fn judge(&mut self, log: Log, outcome: Outcome) -> Option<Reason> {
        match outcome {
            // What is to be read now is known at once.
            Outcome::Changed | Outcome::Few => return None,
            Outcome::Doubtful(line) => {
                match log {
                    Log::Previous => self.settle_previous().await,
                    Log::Current(_) => self.settle(line).await,
                }
                return None;
            }
            Outcome::Silent | Outcome::Busy => return None,
            Outcome::Enough => {
                return if self.is_misled(log).await { None } else { Some(self.ended().await) };
            }
            Outcome::Clean if log.mode() == Mode::Read => {
                let all_read = !self.is_misled(log).await && !self.has_more(log).await;
                return if all_read { Some(self.ended().await) } else { None };
            }
            // The next turn is long enough in coming.
            Outcome::Clean if log.mode() == Mode::Poll => return None,
            Outcome::Clean => {}
            Outcome::Failed(error) if error.is_not_found() && self.is_gone(&error).await => {
                return Some(Reason::Deleted);
            }
            // Unless it was asked for, there is one: whoever says otherwise may have to catch up.
            Outcome::Failed(error)
                if log == Log::Previous
                    && error.is_bad_request()
                    && (self.plan.previous || self.retries.count() >= self.tries_for_previous()) =>
            {
                return Some(self.no_previous().await);
            }
            Outcome::Failed(error) if self.is_done_with(&error) => {
                self.grant = None;
                self.wait(STATUS_DELAY).await;
                return None;
            }
            Outcome::Failed(error) => {
                let again = self.may_retry(&error);
                self.tell_error(&error, again).await;
                if !again {
                    return Some(Reason::Failed);
                }
                self.pause_after(&error).await;
                return None;
            }
        }
        self.pause().await;
        None
    }

    async fn no_previous(&mut self) -> Reason {
        if self.plan.previous {
            self.outlet.warning("has no previous instance; skipped").await;
        } else {
            if self.may_be_foreign() {
                self.hand_over();
            }
            self.astray = !self.ended_well;
        }
        self.ended().await
    }

    /// A log that was read to its end is hardly worth waiting for, and the next instance waits too.
    fn tries_for_previous(&self) -> usize {
        if self.ended_well { 1 } else { TRIES }
    }

    async fn ended(&mut self) -> Reason {
        if self.superseded {
            let told = self.life.wait_for(|life| !matches!(life, Life::Running | Life::Terminating));
            let _ = timeout(STATUS_DELAY, told).await;
        }
        match &*self.life.borrow() {
            Life::Terminated(ending) | Life::Replaced { ending, .. } if self.plan.follow => {
                Reason::Terminated(ending.clone())
            }
            _ => Reason::Finished,
        }
    }

    async fn begin(&mut self) {
        if !self.begun {
            (self.begun, self.was_allowed) = (true, true);
            self.outlet.opened().await;
            if std::mem::take(&mut self.unseen) {
                self.incomplete = true;
                self.outlet
                    .warning("had restarted before it was seen; what it wrote earlier was not read")
                    .await;
            }
        }
    }
}

/// Waits until one of `ends` has come, after which there is no log to read.
async fn no_log(life: &mut watch::Receiver<Life>, ends: &[Life]) -> Reason {
    let end = life.wait_for(|life| ends.contains(life)).await.map(|life| life.clone());
    match end {
        Ok(Life::Deleted) => Reason::Deleted,
        Ok(_) => Reason::Dropped,
        // Nobody watches the pod any more, as without following.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
