//! Tells whose log was read: a log request cannot name an instance.
//!
//! The watch, the apiserver and the kubelet know of a restart one after the other, on a busy node seconds apart. The
//! kubelet decides by what it knows itself which logs are the current and the previous one.

use tokio::time::timeout;

use super::{Log, STATUS_DELAY, Tail};
use crate::{
    cluster::{Error, Priority},
    select,
    tail::stream::Doubt,
    target::Life,
};

impl Tail {
    /// What was served may be the log of another instance: of another pod, as the apiserver knows, or of the next
    /// instance, as the kubelet knows. If not, the log was rotated.
    pub(super) async fn settle(&mut self) {
        if self.is_replaced().await {
            // Whoever watches the pods will know it too; if nobody does, there is no more to know.
            if let Ok(Err(_)) = timeout(STATUS_DELAY, self.life.changed()).await {
                self.doubt = Doubt::Tell;
            }
            return;
        }
        match self.is_superseded().await {
            Some(superseded) if superseded => self.superseded = true,
            Some(_) => self.doubt = Doubt::Tell,
            None => self.pause().await,
        }
    }

    /// Whether what was read of a container that ended is to be looked at again: it may be the log of the next instance,
    /// of which only the kubelet knows.
    pub(super) async fn is_misled(&mut self, log: Log) -> bool {
        let late = match &*self.life.borrow() {
            Life::Terminated(ending) => self.tear.as_ref().is_some_and(|tear| tear.can_be_behind(ending)),
            _ => false,
        };
        if !late || !self.plan.follow || log != Log::Current {
            return false;
        }
        match self.is_superseded().await {
            Some(false) => return false,
            Some(true) => {
                self.superseded = true;
                self.hand_over();
            }
            None => self.pause().await,
        }
        true
    }

    /// Whether the container has another instance now, as far as the cluster can be asked.
    pub(super) async fn is_replaced(&self) -> bool {
        match Box::pin(select::is_current(&self.context.cluster, &self.target)).await {
            Ok(current) => !current,
            Err(error) => error.is_retryable(),
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
            self.incomplete = tear.incomplete;
            self.next = std::mem::replace(&mut self.position, tear.before);
        }
        self.astray = false;
    }

    /// Whether the kubelet serves the log of a later instance by now, which it knows before the apiserver does: the
    /// previous log is this instance's then. If not, all answers until now were this instance's. None: to be asked again.
    async fn is_superseded(&self) -> Option<bool> {
        let last = match self.last_line(Log::Previous, Priority::Resume).await {
            Ok(last) => last,
            Err(error) if is_without_previous(&error) => return Some(false),
            Err(error) if self.may_retry(&error) => return None,
            Err(_) => return Some(false),
        };
        // What this instance wrote is not older than that.
        let own = self.tear.as_ref().and_then(|tear| tear.before.latest()).max(self.birth);
        Some(self.target.restart_count == 0 || last.is_some_and(|line| Some(line.time()) >= own))
    }
}

/// Whether the kubelet knows of no instance before the current one.
fn is_without_previous(error: &Error) -> bool {
    error.is_bad_request() && error.to_string().contains("previous terminated container")
}
