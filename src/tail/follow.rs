//! One tail: opens the log of its target, reads it, and opens it again for as long as there is more to come.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Batch, Context, EndReason, Ended, Item,
    position::Position,
    split::Splitter,
    stream::{End, IfLost, Reading},
};
use crate::{
    cluster::{Error, LogRequest, LogStream, Priority},
    notice::Notice,
    plan::{LogPlan, Since},
    schedule::Urgency,
    select::{Life, Target},
};

/// How often a log is asked for in vain where nothing is followed.
const TRIES: usize = 5;

/// How long a stream goes on after its pod was deleted. The kubelet ends it when the container is gone; a node that
/// is lost does not.
const DRAIN: Duration = Duration::from_secs(10);

/// How much later than the kubelet the apiserver may know of a restart.
const STATUS_DELAY: Duration = Duration::from_secs(2);

/// A stream that lived this long has earned that the next one is opened at once.
const STEADY: Duration = Duration::from_secs(10);

pub struct Tail {
    context: Context,
    target: Arc<Target>,
    life: watch::Receiver<Life>,
    position: Position,
    /// What to show of the log where nothing of it was shown before.
    plan: LogPlan,
    /// Whether the user was told that it began.
    begun: bool,
    /// What a log means that does not hold the last line that was read from it.
    if_lost: IfLost,
    retries: Retries,
}

/// Which log to read, by what is known of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    /// The container's current log, for as long as it is written.
    Followed,
    /// The container's current log, as it is.
    Current,
    /// The log of the instance before the current one.
    Previous,
}

/// How one answer came to its end.
enum Outcome {
    Clean,
    Failed(Error),
    /// The target became another thing while the answer was on its way: it may be the log of another instance.
    Changed,
    /// The last line that was read is not in it.
    Lost,
    Dropped,
}

impl Tail {
    /// `fresh`: whether the instance came into being while we looked on, so that all of its log is news.
    pub fn new(
        context: Context,
        target: Arc<Target>,
        life: watch::Receiver<Life>,
        fresh: bool,
        position: Position,
    ) -> Self {
        let mut plan = context.plan.clone();
        if fresh {
            plan = LogPlan { since: None, tail: None, ..plan };
        }
        let (begun, if_lost, retries) = (false, IfLost::Stop, Retries::default());
        Self { context, target, life, position, plan, begun, if_lost, retries }
    }

    pub fn into_position(self) -> Position {
        self.position
    }

    /// Shows the log until there is no more of it.
    pub async fn run(&mut self) -> EndReason {
        let reason = loop {
            let log = match self.log() {
                Ok(log) => log,
                Err(reason) => break reason,
            };
            let opened = Instant::now();
            let (log, outcome) = self.read(log).await;
            if opened.elapsed() >= STEADY {
                self.retries = Retries::default();
            }
            if let Some(reason) = self.judge(log, outcome).await {
                break reason;
            }
        };
        if self.begun {
            let complete = !matches!(reason, EndReason::Failed | EndReason::Dropped);
            let ended = Item::Ended(Ended { reason: reason.clone(), complete });
            let batch = Batch { target: self.target.clone(), data: Default::default(), items: vec![ended] };
            self.context.out.batch(batch).await;
        }
        reason
    }

    /// The log that holds what is not yet shown, or why there is none.
    fn log(&mut self) -> Result<Log, EndReason> {
        if self.plan.previous {
            return Ok(Log::Previous);
        }
        match &*self.life.borrow_and_update() {
            Life::Running if self.plan.follow => Ok(Log::Followed),
            Life::Running | Life::Terminated { .. } => Ok(Log::Current),
            Life::Replaced { restart_count, reason, exit_code } => {
                // The previous log is that of another instance where this one was not the last before.
                if restart_count.saturating_sub(self.target.restart_count) <= 1 {
                    Ok(Log::Previous)
                } else {
                    Err(EndReason::Terminated { reason: reason.clone(), exit_code: *exit_code })
                }
            }
            Life::Deleted => Err(EndReason::Deleted),
            Life::Dropped => Err(EndReason::Dropped),
        }
    }

    /// What follows from how an answer ended: the end, or another try after a pause.
    async fn judge(&mut self, log: Log, outcome: Outcome) -> Option<EndReason> {
        let error = match outcome {
            Outcome::Dropped => return Some(EndReason::Dropped),
            // What is to be read now is known at once.
            Outcome::Changed => return None,
            Outcome::Lost => return self.lost(log).await,
            // A limit counts once: what follows it is not asked for.
            Outcome::Clean if log != Log::Followed || self.plan.limit_bytes.is_some() => {
                return Some(self.ended());
            }
            Outcome::Clean => None,
            Outcome::Failed(error) => Some(error),
        };
        if let Some(error) = error {
            if error.is_not_found() {
                return Some(EndReason::Deleted);
            }
            if log == Log::Previous && error.is_bad_request() {
                return Some(self.no_previous().await);
            }
            if !self.may_retry(&error) {
                self.tell(error.to_string()).await;
                return Some(EndReason::Failed);
            }
        }
        self.pause().await;
        None
    }

    /// The last line that was read has gone: either the log was rotated, or it is that of another instance, whose
    /// status is late. A moment tells which.
    async fn lost(&mut self, log: Log) -> Option<EndReason> {
        if log == Log::Previous {
            return Some(self.ended());
        }
        let changed = tokio::time::timeout(STATUS_DELAY, self.life.changed()).await;
        self.if_lost = if matches!(changed, Ok(Ok(()))) { IfLost::Stop } else { IfLost::Tell };
        None
    }

    fn may_retry(&self, error: &Error) -> bool {
        let tries_left = self.plan.follow || self.retries.count < TRIES;
        // A container that is about to start is refused with 400.
        tries_left && (error.is_retryable() || error.is_bad_request() && self.plan.follow)
    }

    /// Waits before the next try, or until something new is known of the target.
    async fn pause(&mut self) {
        let pause = self.retries.next();
        tokio::select! {
            () = sleep(pause) => {}
            // Without a sender nothing new will be known, and the pause is all there is to wait for.
            Ok(()) = self.life.changed() => {}
        }
    }

    async fn no_previous(&mut self) -> EndReason {
        if self.plan.previous {
            self.tell("has no previous instance; skipped".to_owned()).await;
        }
        self.ended()
    }

    fn ended(&self) -> EndReason {
        match &*self.life.borrow() {
            Life::Terminated { reason, exit_code } | Life::Replaced { reason, exit_code, .. }
                if self.plan.follow =>
            {
                EndReason::Terminated { reason: reason.clone(), exit_code: *exit_code }
            }
            _ => EndReason::Finished,
        }
    }

    /// Reads one answer, by leave of the scheduler: of `log`, or of another if that is due when the leave comes.
    async fn read(&mut self, log: Log) -> (Log, Outcome) {
        let resuming = self.position.latest().is_some();
        let urgency = if resuming { Urgency::Resume } else { Urgency::Open };
        let request = self.context.scheduler.request(&self.target, urgency);
        let mut dropped = self.life.clone();
        let mut grant = tokio::select! {
            grant = request => grant,
            () = dropped_or_deleted(&mut dropped) => return (log, Outcome::Changed),
        };
        let Ok(log) = self.log() else { return (log, Outcome::Changed) };
        let outcome = tokio::select! {
            outcome = self.open_and_read(log, resuming) => outcome,
            () = grant.revoked() => Outcome::Clean,
            () = dropped_or_deleted(&mut dropped) => match &*dropped.borrow() {
                Life::Dropped => Outcome::Dropped,
                _ => Outcome::Changed,
            },
        };
        (log, outcome)
    }

    async fn open_and_read(&mut self, log: Log, resuming: bool) -> Outcome {
        let stream = match self.context.cluster.open_log(&self.request(log)).await {
            Ok(stream) => stream,
            Err(error) => return Outcome::Failed(error),
        };
        // A log request cannot name an instance. If it is not the same as when it was asked for, neither may the log be.
        // (Asked by the value: the receiver itself knows of no change once its sender is gone, as after a restart.)
        if self.life.borrow().has_changed() {
            return Outcome::Changed;
        }
        self.begin().await;
        self.consume(stream, log, resuming).await
    }

    async fn consume(&mut self, stream: LogStream, log: Log, resuming: bool) -> Outcome {
        let mut reading = Reading {
            stream,
            target: &self.target,
            finder: resuming.then(|| self.position.finder()),
            position: &mut self.position,
            out: &self.context.out,
            if_lost: self.if_lost,
            splitter: Splitter::default(),
        };
        let mut end = reading.run().await;
        // A followed log that ends may have been cut off: a half line comes again when it is resumed.
        if matches!(end, Ok(End::Clean)) && log != Log::Followed {
            end = Ok(reading.finish().await);
        }
        match end {
            Ok(End::Clean) => Outcome::Clean,
            Ok(End::Lost) => Outcome::Lost,
            Err(error) => Outcome::Failed(error),
        }
    }

    fn request(&self, log: Log) -> LogRequest {
        let plan = &self.plan;
        let resume = self.position.since();
        LogRequest {
            namespace: self.target.pod.namespace.clone(),
            pod: self.target.pod.name.clone(),
            container: self.target.container.clone(),
            follow: log == Log::Followed,
            previous: log == Log::Previous,
            since: resume.map(Since::Time).or(plan.since),
            tail_lines: plan.tail.filter(|_| resume.is_none()),
            limit_bytes: plan.limit_bytes,
            priority: if resume.is_some() { Priority::Resume } else { Priority::Open },
        }
    }

    async fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.context.out.notice(Notice::Started(self.target.clone())).await;
        }
    }

    async fn tell(&self, text: String) {
        self.context.out.notice(Notice::About(self.target.clone(), text)).await;
    }
}

/// Waits until the target must no longer be read: at once where it was dropped, with time to drain where it was deleted.
async fn dropped_or_deleted(life: &mut watch::Receiver<Life>) {
    let ended =
        life.wait_for(|life| matches!(life, Life::Dropped | Life::Deleted)).await.map(|life| life.clone());
    match ended {
        Ok(Life::Deleted) => sleep(DRAIN).await,
        Ok(_) => {}
        // Nobody watches the pod any more, as without following.
        Err(_) => std::future::pending().await,
    }
}

/// The pauses between tries: none before the first, then longer ones with jitter.
#[derive(Default)]
struct Retries {
    count: usize,
    pauses: Option<ExponentialBackoff>,
}

impl Retries {
    fn next(&mut self) -> Duration {
        self.count += 1;
        let pauses = self.pauses.get_or_insert_with(|| {
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(250))
                .with_max_delay(Duration::from_secs(7))
                .without_max_times()
                .with_jitter()
                .build()
        });
        if self.count == 1 { Duration::ZERO } else { pauses.next().unwrap_or(Duration::from_secs(10)) }
    }
}
