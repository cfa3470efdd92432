//! Decides the step after a refused request: another one, the pause before it, and a notice.

use std::time::Duration;

use tokio::time::sleep;

use super::{TRIES, Tail};
use crate::{
    cluster::Error,
    descriptors,
    event::Reason,
    instance::{Life, Standing},
    notice::{Kind, Scope},
    tail::{logs::Logs, whereabouts::Log},
};

/// The longest time that a grant is kept unused.
const KEPT: Duration = Duration::from_secs(1);

/// After so many refusals because there is no such pod, the tail asks whether that is so.
const UNKNOWN: usize = 4;

/// The pause between requests for a log that seems to be removed: a kubelet that has just started refuses one that is
/// there.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest pause between requests while a refusal is usual.
pub(super) const SOON: Duration = Duration::from_millis(250);

impl<L: Logs> Tail<L> {
    /// Decides the step after an error: the end, or another request after a pause.
    pub(super) async fn judge_error(&mut self, log: Log, error: Error) -> Option<Reason> {
        let is_missing = error.is_not_found() || self.is_refused_behind_an_end(log, &error);
        if is_missing && self.is_gone(&error).await {
            return Some(Reason::Deleted);
        }
        if log == Log::Previous && self.is_without_previous(&error) {
            return self.without_previous(&error).await;
        }
        if self.is_done_with(&error) {
            self.grant = None;
            if self.is_gone_unwatched().await {
                return Some(Reason::Deleted);
            }
            self.wait(AGAIN).await;
            return None;
        }
        if self.is_lost_behind_its_end(&error) {
            return Some(Reason::Deleted);
        }
        // The scheduler reports it, and the others are polled.
        if error.is_out_of_files() && self.context.scheduler.shrink(descriptors::room()) {
            self.grant = None;
            self.wait(SOON).await;
            return None;
        }
        let again = self.may_retry(&error);
        self.report_error(&error, again).await;
        if !again {
            return Some(Reason::Failed);
        }
        self.pause_after(&error).await;
        None
    }

    /// Whether the log that the user asked for need not be there.
    fn is_bonus(&self) -> bool {
        self.plan().previous || self.instance.is_past
    }

    /// Whether to believe that there is no previous log.
    fn is_without_previous(&self, error: &Error) -> bool {
        match error.is_without_previous() {
            // There is one, unless the user requested it: the kubelet may be late.
            true => self.is_bonus() || self.retries.count() >= self.tries_for_previous(),
            // Something else was wrong with the request, as a server between says. The next instance waits.
            false => error.is_bad_request() && self.follows() && self.retries.count() >= unusual(error),
        }
    }

    async fn without_previous(&mut self, error: &Error) -> Option<Reason> {
        let was_read = self.progress.has_lines();
        if self.plan().previous && !was_read {
            self.report.outlet.warning("no previous instance; skipped").await;
            self.progress.reach.no_such_log();
        } else if was_read || !self.instance.is_past {
            let is_foreign = self.may_be_foreign();
            // A refusal contradicts no end that was verified, unless it may have been that of the next instance.
            if !error.is_without_previous() && (is_foreign || !self.progress.is_verified()) {
                self.progress.reach.refused(false);
            }
            if is_foreign {
                self.hand_over();
            }
            match self.progress.reach.has_ended() {
                true => self.progress.reach.found_whole(),
                // A log that was removed is reported as such.
                false if self.report.is_removed() => {}
                false => self.progress.reach.fall_short(),
            }
        }
        self.ended().await
    }

    /// The most failed requests for a previous log: the next instance waits for them, so a log that was read to its end
    /// gets few.
    fn tries_for_previous(&self) -> usize {
        if self.progress.reach.has_ended() { 1 } else { TRIES }
    }

    pub(super) fn may_retry(&self, error: &Error) -> bool {
        // A kubelet that has just started does not know its pods yet.
        let tries_left = self.retries.count() < if is_usual(error) { unusual(error) } else { TRIES };
        if !self.follows() || self.instance.is_past {
            return tries_left && (is_usual(error) || error.is_retryable());
        }
        if error.is_not_found() {
            // The status reports the end of a pod.
            return tries_left || *self.life.borrow() == Life::Running;
        }
        // A log that could be read may be readable again: permissions come late to an apiserver that has just started,
        // and a load balancer or a login page that answers in its place goes away. A container that is about to start
        // is refused with 400. A kubelet that cannot reach the apiserver refuses it with 401 or 403.
        let was_read = self.shown_before.is_some() || self.was_opened();
        error.is_retryable() || error.is_bad_request() || error.is_of_kubelet() || was_read
    }

    /// Whether a missing log will stay missing, since its pod is gone. Without a watch, the tail asks the apiserver
    /// first; with one it asks before it gives up, since a kubelet may not know a pod that is there.
    async fn is_gone(&mut self, error: &Error) -> bool {
        // The apiserver itself does not find it: its deletion is reported late. Behind an end the tail would only wait
        // for that report, so it asks at once.
        let is_asked = self.retries.count() % UNKNOWN == UNKNOWN - 1 || self.is_done_with(error);
        if self.follows() && !error.is_of_kubelet() && is_asked {
            let standing = self.context.logs.standing(&self.instance).await;
            // Its pod is there: no usual refusal, and the container may have gone on since its stream ended; perhaps
            // until it was replaced.
            let is_there = standing.as_ref().is_ok_and(|standing| match standing {
                Standing::Replaced { .. } => !self.progress.is_verified(),
                standing => standing.is_current(),
            });
            if self.was_opened() && is_there {
                self.progress.reach.refused(false);
            }
            return matches!(standing, Ok(Standing::Gone));
        }
        if !error.is_not_found() {
            return false;
        }
        // A status names the next instance, and so the pod is there, unless it is late.
        if self.follows() && matches!(*self.life.borrow(), Life::Replaced { .. }) {
            return false;
        }
        let first = !self.follows() && self.retries.count() == 0;
        let last = !self.may_retry(error);
        if !first && !last {
            return false;
        }
        match self.context.logs.is_current(&self.instance).await {
            Ok(current) => !current,
            Err(_) => last && !error.is_of_kubelet(),
        }
    }

    /// Whether the pods are watched no longer, so that no status will come, and this one is gone.
    async fn is_gone_unwatched(&self) -> bool {
        // Without a sender.
        self.life.has_changed().is_err()
            && matches!(
                self.context.logs.standing(&self.instance).await,
                Ok(Standing::Gone | Standing::OtherPod)
            )
    }

    /// Whether the log is refused behind an end that is not verified, for another reason than its removal: perhaps the
    /// container goes on.
    fn is_refused_behind_an_end(&self, log: Log, error: &Error) -> bool {
        let reach = self.progress.reach;
        let is_in_doubt = reach.is_opened() && reach.has_ended() && !self.progress.is_verified();
        let is_refused = error.is_bad_request() && !error.is_of_removed_log();
        self.follows() && matches!(log, Log::Current(_)) && is_in_doubt && is_refused
    }

    /// Reports an error. An unreachable apiserver is reported once, by the watch of the pods.
    pub(super) async fn report_error(&mut self, error: &Error, again: bool) {
        if again && (error.is_outage() || self.retries.count() != unusual(error)) {
            return;
        }
        let of_node = error.of_node().filter(|_| again);
        let text = match &of_node {
            Some(why) => format!("cannot read logs of node {}: {why}", self.instance.origin.pod.node),
            None => error.to_string(),
        };
        let text = if again { format!("{text}; trying again") } else { text };
        // A log that is given up is named, since it is incomplete.
        match of_node.is_some() || error.is_common() && again {
            true => self.context.out.notice(Scope::Cluster.notice(Kind::Common, text)).await,
            false => self.report.outlet.warning(text).await,
        }
    }

    /// Whether the refusal only means that the node removed a log that was read to its end: the status of the container
    /// is reported soon, while it is awaited.
    fn is_done_with(&self, error: &Error) -> bool {
        let reach = self.progress.reach;
        self.follows() && is_usual(error) && reach.is_opened() && reach.has_ended() && self.is_deleting()
    }

    /// Whether the kubelet lost the container, as it does with those of an evicted pod: it refuses the log of one that
    /// has ended again and again.
    fn is_lost_behind_its_end(&mut self, error: &Error) -> bool {
        let has_ended = matches!(*self.life.borrow(), Life::Terminated(_));
        let is_lost = self.follows() && has_ended && error.is_of_lost_container();
        self.losses = if is_lost { self.losses + 1 } else { 0 };
        self.losses > unusual(error)
    }

    /// Waits before the next request, or until the status changes.
    pub(super) async fn pause(&mut self) {
        self.pause_at_most(Duration::MAX).await;
    }

    /// Waits for a shorter time if such a refusal is soon over.
    pub(super) async fn pause_after(&mut self, error: &Error) {
        let soon_over = is_usual(error) && self.retries.count() < unusual(error);
        self.pause_at_most(if soon_over { SOON } else { Duration::MAX }).await;
    }

    pub(super) async fn pause_at_most(&mut self, most: Duration) {
        let pause = self.retries.next().min(most);
        if pause > KEPT {
            self.grant = None;
            self.give_back();
        }
        self.wait(pause).await;
    }

    async fn wait(&mut self, at_most: Duration) {
        let over = self.over();
        tokio::select! {
            biased;
            () = sleep(at_most) => {}
            () = over => {}
            // Without a sender the status does not change any more.
            Ok(()) = self.life.changed() => {}
        }
    }
}

/// Whether such a refusal is usual: around the start and the end of a container, of which the node and the apiserver
/// know one after the other, and for a moment while a kubelet starts.
pub(super) fn is_usual(error: &Error) -> bool {
    error.is_bad_request() || error.is_not_found()
}

/// The number of refusals like this one before a notice.
fn unusual(error: &Error) -> usize {
    match error {
        _ if is_usual(error) => 20,
        // The request took long already.
        _ if error.is_alone() => 0,
        _ => 2,
    }
}
