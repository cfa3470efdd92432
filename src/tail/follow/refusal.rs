//! What follows from a refused request: another try, after which pause, and what is said of it.

use std::time::Duration;

use tokio::time::sleep;

use super::{TRIES, Tail};
use crate::{
    cluster::Error,
    instance::Life,
    notice::{Kind, Scope},
    tail::logs::Logs,
};

/// How long a grant is kept without being used.
const KEPT: Duration = Duration::from_secs(1);

/// The longest pause between tries while a refusal is nothing unusual.
pub(super) const SOON: Duration = Duration::from_millis(250);

impl<L: Logs> Tail<L> {
    pub(super) fn may_retry(&self, error: &Error) -> bool {
        // A kubelet that has just started does not know its pods yet.
        let tries_left = self.retries.count() < if is_usual(error) { unusual(error) } else { TRIES };
        if !self.plan.follow {
            return tries_left && (is_usual(error) || error.is_retryable());
        }
        if error.is_not_found() {
            // That a pod is gone, the status says.
            return tries_left || *self.life.borrow() == Life::Running;
        }
        // What could be read before may be so again: permissions come late to an apiserver that has just started, and what
        // answers in its place (a load balancer, a login page) goes away. A container that is about to start is refused
        // with 400.
        error.is_retryable() || error.is_bad_request() || self.was_allowed
    }

    /// Whether a log that is not found will not be found any more. Where nobody watches the pods, they are asked for.
    pub(super) async fn is_gone(&self, error: &Error) -> bool {
        let asked = !self.plan.follow && self.retries.count() == 0;
        asked && matches!(self.context.logs.is_current(&self.instance).await, Ok(false))
            || !self.may_retry(error)
    }

    /// An apiserver that is away is told once, by whoever watches the pods.
    pub(super) async fn tell_error(&mut self, error: &Error, again: bool) {
        if again && (error.is_outage() || self.retries.count() != unusual(error)) {
            return;
        }
        let of_node = error.of_node().filter(|_| again);
        let text = match &of_node {
            Some(why) => format!("cannot read logs of node {}: {why}", self.instance.origin.pod.node),
            None => error.to_string(),
        };
        let text = if again { format!("{text}; trying again") } else { text };
        match of_node.is_some() || error.is_common() {
            true => self.context.out.notice(Scope::Cluster.notice(Kind::Common, text)).await,
            false => self.outlet.warning(text).await,
        }
    }

    /// Whether a refusal only says that the node removed a log that was read to its end: what became of the container is
    /// told soon.
    pub(super) fn is_done_with(&self, error: &Error) -> bool {
        is_usual(error) && self.begun && self.ended_well && self.is_deleting()
    }

    /// Waits before the next try, or until something new is known of the instance.
    pub(super) async fn pause(&mut self) {
        self.pause_at_most(Duration::MAX).await;
    }

    /// Waits for less where such a refusal is soon over.
    pub(super) async fn pause_after(&mut self, error: &Error) {
        let soon_over = is_usual(error) && self.retries.count() < unusual(error);
        self.pause_at_most(if soon_over { SOON } else { Duration::MAX }).await;
    }

    pub(super) async fn pause_at_most(&mut self, most: Duration) {
        let pause = self.retries.next().min(most);
        if pause > KEPT {
            self.grant = None;
        }
        self.wait(pause).await;
    }

    pub(super) async fn wait(&mut self, at_most: Duration) {
        tokio::select! {
            () = sleep(at_most) => {}
            // Without a sender nothing new will be known, and the time is all there is to wait for.
            Ok(()) = self.life.changed() => {}
        }
    }
}

/// Whether it is refused as is usual around the start and the end of a container, of which the node and the apiserver know
/// one after the other, and for a moment by a kubelet that starts.
pub(super) fn is_usual(error: &Error) -> bool {
    error.is_bad_request() || error.is_not_found()
}

/// How many refusals like this one are nothing to be told.
fn unusual(error: &Error) -> usize {
    match error {
        _ if is_usual(error) => 20,
        // It was waited for long already.
        _ if error.is_alone() => 0,
        _ => 2,
    }
}
