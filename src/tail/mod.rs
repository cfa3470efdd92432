//! Follows each target for as long as its container lives.

mod check;
mod extent;
mod follow;
mod idle;
mod logs;
mod position;
mod quota;
mod retry;
mod split;
mod stream;
mod tear;
#[cfg(test)]
mod testing;
mod timestamp;
mod window;

use std::{collections::HashMap, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{
    batch::{EndReason, Ended},
    cluster::Cluster,
    merge::Sender,
    plan::{LineLimit, LogPlan},
    schedule::{Scheduler, Want},
    select::Selected,
    stats::Stats,
    target::{Life, Target},
};
use follow::{Legacy, Tail};
use logs::Logs;
use position::Position;
pub use retry::Crowd;

/// What every tail works with.
#[derive(Clone)]
pub struct Context<L = Cluster> {
    pub logs: L,
    pub scheduler: Scheduler,
    pub plan: LogPlan,
    pub lines: LineLimit,
    pub out: Sender,
    pub crowd: Crowd,
    pub stats: Stats,
}

/// How the tails of a run fared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Containers whose logs were read, at least in part.
    pub read: usize,
    /// Containers whose logs could not be read.
    pub failed: usize,
    /// Containers of whose logs some lines may not have been read.
    pub unread: usize,
}

/// Tails every target that `selected` names, until there are no more and all have come to an end.
pub async fn run(context: Context, mut selected: mpsc::Receiver<Selected>) -> Summary {
    let mut tails = Tails { context, tasks: JoinSet::new(), slots: HashMap::new(), left: HashMap::new() };
    let mut summary = Summary::default();
    let mut selecting = true;
    while selecting || !tails.tasks.is_empty() {
        tokio::select! {
            what = selected.recv(), if selecting => match what {
                Some(Selected::Started { target, life, fresh }) => tails.start(target, life, fresh),
                Some(Selected::Notice(notice)) => tails.context.out.notice(notice).await,
                None => selecting = false,
            },
            Some(done) = tails.tasks.join_next() => match done {
                Ok(done) => tails.finish(done, &mut summary),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
        }
    }
    summary
}

/// A container of a pod, whichever instance of it runs.
type Slot = (String, String);

struct Tails {
    context: Context,
    tasks: JoinSet<Done>,
    /// Resolves when the last tail of a slot has ended.
    slots: HashMap<Slot, oneshot::Receiver<Legacy>>,
    /// Where tails were that were dropped before their container ended, by container ID.
    left: HashMap<String, Position>,
}

struct Done {
    target: Arc<Target>,
    position: Position,
    /// Whether there ever was an answer.
    opened: bool,
    /// Whether whoever watches the pod says that it is gone.
    deleted: bool,
    ended: Ended,
}

impl Tails {
    /// Starts a tail; it waits for the tail of the instance before, so that lines come in order.
    fn start(&mut self, target: Arc<Target>, life: watch::Receiver<Life>, fresh: bool) {
        let slot = (target.pod.uid.clone(), target.container.clone());
        let (ended, end) = oneshot::channel();
        let before = self.slots.insert(slot, end);
        let left = self.left.remove(&target.container_id);
        let context = self.context.clone();
        let seat = context.scheduler.seat(&target);
        if context.plan.follow && matches!(*life.borrow(), Life::Running | Life::Terminating) {
            seat.announce(Want::Follow);
        }
        self.tasks.spawn(async move {
            let mut legacy = match before {
                // An error means that it has ended as well.
                Some(before) => before.await.unwrap_or_default(),
                None => Legacy::default(),
            };
            legacy.position = left.unwrap_or(legacy.position);
            let mut tail = Tail::new(context, seat, target.clone(), life.clone(), fresh, legacy);
            let end = tail.run().await;
            let opened = tail.was_opened();
            let (position, legacy) = tail.into_legacy();
            // There may be no next one yet.
            let _ = ended.send(legacy);
            let deleted = *life.borrow() == Life::Deleted;
            Done { target, position, opened, deleted, ended: end }
        });
    }

    fn finish(&mut self, done: Done, summary: &mut Summary) {
        match done.opened {
            true => summary.read += 1,
            false => summary.failed += usize::from(!done.ended.complete),
        }
        summary.unread += usize::from(!done.ended.complete);
        match done.ended.reason {
            EndReason::Dropped => {
                self.left.insert(done.target.container_id.clone(), done.position);
            }
            EndReason::Deleted if done.deleted => {
                self.slots.remove(&(done.target.pod.uid.clone(), done.target.container.clone()));
            }
            _ => {}
        }
    }
}
