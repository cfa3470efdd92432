//! Tells whose log was read: a log request cannot name an instance.
//!
//! The watch, the apiserver and the kubelet know of a restart one after the other, on a busy node seconds apart. The
//! kubelet decides by what it knows itself which logs are the current and the previous one.

use tokio::time::timeout;

use super::{Log, STATUS_DELAY, TRIES, Tail};
use crate::{
    cluster::Error,
    event::Instant,
    instance::Life,
    purpose::Purpose,
    schedule::Mode,
    tail::{check::Last, logs::Logs, stream::Doubt},
};

const SECOND: i64 = 1_000_000_000;

/// By how much the instant of a last line may be before that of another, in nanoseconds; no restart is as quick.
const BACK: i64 = 20_000_000;

impl<L: Logs> Tail<L> {
    /// What was served from `line` on may be the log of another instance: of another pod, as the apiserver knows, or of
    /// the next instance, as the kubelet knows. If not, the log was rotated.
    pub(super) async fn settle(&mut self, line: Option<Instant>) {
        if self.is_replaced().await {
            match timeout(STATUS_DELAY, self.life.changed()).await {
                Ok(Ok(())) => {}
                // Nobody watches the pods: there is no more to know.
                Ok(Err(_)) => self.doubt = Doubt::Tell,
                Err(_) => drop(self.retries.next()),
            }
            return;
        }
        match self.previous().await {
            Ok(previous) if previous.ends_before(line) => self.superseded = true,
            Ok(_) => self.doubt = Doubt::Tell,
            Err(error) if self.has_patience() => self.put_off(&error).await,
            Err(_) => self.doubt = Doubt::Tell,
        }
    }

    /// Whether a question that could not be answered is worth asking again. Lines wait for the answer.
    pub(super) fn has_patience(&self) -> bool {
        self.retries.count() < TRIES
    }

    async fn put_off(&mut self, error: &Error) {
        self.tell_error(error, true).await;
        self.pause().await;
    }

    /// Whether what was read of a container that ended is to be looked at again: it may be the log of the next instance,
    /// of which only the kubelet knows.
    pub(super) async fn is_misled(&mut self, log: Log) -> bool {
        let suspect = match (&*self.life.borrow(), &self.tear) {
            (Life::Terminated(ending), Some(tear)) if tear.can_be_behind(ending) => tear.behind,
            _ => None,
        };
        if suspect.is_none() || !self.plan.follow || log != Log::Current(Mode::Read) {
            return false;
        }
        match self.previous().await {
            Ok(previous) if previous.ends_before(suspect) => {
                self.superseded = true;
                self.hand_over();
            }
            Ok(Previous::Other) => return false,
            // Its own log, or the next one's that has ended as well: the status will tell.
            Ok(Previous::Own(_)) => {
                self.grant = None;
                return matches!(timeout(STATUS_DELAY, self.life.changed()).await, Ok(Ok(())));
            }
            Err(error) if self.has_patience() => self.put_off(&error).await,
            Err(_) => return false,
        }
        true
    }

    /// From when on lines of the previous log may be those of the instance that this one was replaced by: once that has
    /// ended too, and until it is started again, the kubelet serves its log as the current and as the previous one.
    pub(super) fn previous_bound(&self, log: Log) -> Option<Instant> {
        match &*self.life.borrow() {
            Life::Replaced { started, .. } if log == Log::Previous && self.previous_is_own.is_none() => {
                started.map(Instant::from)
            }
            _ => None,
        }
    }

    /// Whether the previous log holds lines of the next instance, since it is the same as the current one. What is left
    /// of this instance's log cannot be had then.
    pub(super) async fn settle_previous(&mut self) {
        let Some(bound) = self.previous_bound(Log::Previous) else { return self.pause().await };
        let previous = self.last_line(Log::Previous, Purpose::Confirm).await;
        let current = self.last_line(Log::Current(Mode::Read), Purpose::Confirm).await;
        let own = match (previous, current) {
            (Err(error), _) | (_, Err(error)) if self.may_retry(&error) && self.has_patience() => {
                return self.put_off(&error).await;
            }
            // Its last lines bear at most the second in which the next one started.
            (Ok(Last { line: Some(previous), .. }), Ok(current)) => {
                Some(previous) != current.line && previous.time().0 < bound.0 + SECOND
            }
            _ => true,
        };
        self.previous_is_own = Some(own);
        if !own && self.may_be_foreign() {
            self.hand_over();
            self.ended_well = false;
        }
    }

    /// Whether the container has another instance now, as far as the cluster can be asked.
    pub(super) async fn is_replaced(&self) -> bool {
        match self.context.logs.is_current(&self.instance).await {
            Ok(current) => !current,
            Err(error) => error.is_retryable() && self.has_patience(),
        }
    }

    /// Whether what was read since the last tear may be of the instance that this one was replaced by.
    pub(super) fn may_be_foreign(&self) -> bool {
        self.tear.as_ref().is_some_and(|tear| tear.can_be_of_next(&self.life.borrow()))
    }

    /// What was read since the last tear is of the next instance: its lines were shown, and its tail is to go on behind
    /// them. What is left of this instance's log is read from the tear on.
    pub(super) fn hand_over(&mut self) {
        if let Some(tear) = self.tear.take() {
            (self.incomplete, self.extent.quota) = (tear.incomplete, tear.quota);
            self.next = std::mem::replace(&mut self.position, tear.before);
        }
        self.astray = false;
    }

    /// What the kubelet serves as the previous log; an error where it is to be asked again.
    ///
    /// It knows of a restart before the apiserver does. Between an end and a restart it serves the same log as the previous
    /// and as the current one.
    async fn previous(&self) -> Result<Previous, Error> {
        let last = match self.last_line(Log::Previous, Purpose::Confirm).await {
            Ok(last) => last.line.map(|line| line.time()),
            Err(error) if !error.is_without_previous() && self.may_retry(&error) => return Err(error),
            Err(_) => return Ok(Previous::Other),
        };
        // What this instance wrote is not older than that.
        let floor = self.tear.as_ref().and_then(|tear| tear.before.latest()).max(self.birth);
        let own = self.instance.restart_count == 0 || last.is_some() && last >= floor;
        Ok(if own { Previous::Own(last) } else { Previous::Other })
    }
}

/// Whose log the previous one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    /// This instance's, with the instant of its last line.
    Own(Option<Instant>),
    /// That of the one before, if there is any: the current one is this instance's.
    Other,
}

impl Previous {
    /// Whether `line` comes after the end of this instance's log, and so is another's.
    fn ends_before(self, line: Option<Instant>) -> bool {
        match self {
            Self::Own(last) => line.map(|line| Instant(line.0 - BACK)) > last,
            Self::Other => false,
        }
    }
}
