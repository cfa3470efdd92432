//! One container of a pod, and the lives of its instances as statuses report them.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    super::pod::{ContainerStatus, InstanceId, Terminated},
    Change, MOST_REASONS,
};
use crate::{
    cluster::is_starting,
    event::Ending,
    instance::{Instance, Life},
    notice::{Kind, Scope},
    origin::{Kind as OriginKind, Origin, PodInfo},
};

/// One container of a pod.
#[derive(Default)]
pub struct Slot {
    origin: Option<Arc<Origin>>,
    /// The instance that is tailed now, or was last.
    instance: Option<InstanceId>,
    pub life: Option<watch::Sender<Life>>,
    /// The lives of earlier instances whose tails have not ended: their logs are gone after further restarts.
    earlier: Vec<watch::Sender<Life>>,
    /// Reasons for waiting that were reported.
    reported: Vec<String>,
}

/// How a new instance relates to the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It existed before the start.
    Old,
    /// It existed, in a state that `--container-state` excludes.
    Unwanted,
    New,
}

/// The current state of a container.
pub struct Seen<'p> {
    pub kind: OriginKind,
    pub status: &'p ContainerStatus,
    pub sight: Sight,
    /// Whether its pod is being deleted.
    pub deleting: bool,
}

impl Slot {
    pub fn apply(
        &mut self,
        pod: &Arc<PodInfo>,
        Seen { kind, status, sight, deleting }: Seen,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let life = |instance: &InstanceId| life(status, instance, deleting);
        self.report_waiting(pod, kind, status, follow, changes);
        if let Some(lost) = self.instance.as_ref().and_then(|instance| status.loss_of(instance)) {
            return self.update(Life::Terminated(ending(lost, deleting)));
        }
        let Some(instance) = status.instance() else { return };
        let before = self.instance.replace(instance.clone());
        if before.as_ref().is_some_and(|before| before.is(&instance)) {
            self.update(life(&instance));
            self.pass_if_waiting(status);
            return;
        }
        let ended = before.as_ref().and_then(|before| status.ending(before));
        self.update(Life::Replaced {
            ending: ended.map(|end| ending(end, deleting)).unwrap_or_default(),
            restart_count: status.restart_count,
            started: status.started(),
        });
        if before.is_some() {
            self.pass(status.restart_count);
        }
        self.earlier.extend(self.life.take());
        self.pass_if_waiting(status);
        if sight == Sight::Unwanted {
            return;
        }
        let (sender, receiver) = watch::channel(life(&instance));
        self.life = Some(sender);
        let instance = Instance {
            origin: self.origin(pod, &status.name, kind),
            container_id: instance.container,
            restart_count: status.restart_count,
            started: status.started(),
            is_past: false,
        };
        let fresh = sight == Sight::New;
        changes.push(Change::Started { instance: Arc::new(instance), life: receiver, fresh });
    }

    /// The instance before the one that is seen first, which is about to be.
    pub fn past(
        &mut self,
        pod: &Arc<PodInfo>,
        &Seen { kind, status, sight, deleting }: &Seen,
    ) -> Option<Change> {
        let (InstanceId { container, restarts }, terminated) =
            status.previous().filter(|_| self.instance.is_none())?;
        let (sender, life) = watch::channel(Life::Replaced {
            ending: ending(terminated, deleting),
            restart_count: status.restart_count,
            started: status.started(),
        });
        self.earlier.push(sender);
        let instance = Instance {
            origin: self.origin(pod, &status.name, kind),
            container_id: container,
            restart_count: restarts,
            started: terminated.started_at,
            is_past: true,
        };
        Some(Change::Started { instance: Arc::new(instance), life, fresh: sight == Sight::New })
    }

    /// Another instance started: the earlier ones are no longer the previous one. Lines that were read too early may
    /// still be those of the first one after them.
    fn pass(&mut self, restarts: u32) {
        self.earlier.retain(|earlier| !earlier.is_closed());
        for earlier in &self.earlier {
            earlier.send_if_modified(|life| match life {
                Life::Replaced { restart_count, .. } => {
                    std::mem::replace(restart_count, restarts) != restarts
                }
                _ => false,
            });
        }
    }

    /// An instance that waits to be started again has the current log and the previous one, as if the next one had
    /// started.
    fn pass_if_waiting(&mut self, status: &ContainerStatus) {
        if status.state.waiting.is_some() {
            self.pass(status.restart_count.saturating_add(1));
        }
    }

    /// It has ended so, unless a status reported another end.
    pub fn complete(&self, ending: &Ending) {
        if let Some(life) = &self.life {
            life.send_if_modified(|life| {
                let runs = matches!(life, Life::Running | Life::Terminating);
                if runs {
                    *life = Life::Terminated(ending.clone());
                }
                runs
            });
        }
    }

    /// The container is gone.
    pub fn delete(&self) {
        self.update(Life::Deleted);
        for earlier in &self.earlier {
            earlier.send_replace(Life::Deleted);
        }
    }

    /// It is no longer wanted. The rest of an earlier instance was written while it was.
    pub fn dismiss(&self) {
        self.update(Life::Dropped);
    }

    /// It is read no further; but if it has ended, the rest of its log is.
    pub fn leave(&self, status: Option<&ContainerStatus>, deleting: bool) {
        let now = status.zip(self.instance.as_ref()).and_then(|(status, instance)| {
            let ending = ending(status.ending(instance)?, deleting);
            let is_current = status.instance().is_some_and(|current| current.is(instance));
            Some(match is_current || status.loss_of(instance).is_some() {
                true => Life::Terminated(ending),
                false => {
                    Life::Replaced { ending, restart_count: status.restart_count, started: status.started() }
                }
            })
        });
        self.update(now.unwrap_or(Life::Dropped));
    }

    fn update(&self, life: Life) {
        if let Some(sender) = &self.life {
            sender.send_if_modified(|before| std::mem::replace(before, life.clone()) != life);
        }
    }

    /// Reports once for each reason that a container cannot start.
    fn report_waiting(
        &mut self,
        pod: &Arc<PodInfo>,
        kind: OriginKind,
        status: &ContainerStatus,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let Some(waiting) = &status.state.waiting else { return };
        // A usual reason is reported only without following, since nothing else explains the missing log.
        let usual = waiting.reason.is_empty() || is_starting(&waiting.reason);
        if self.reported.len() >= MOST_REASONS
            || self.reported.contains(&waiting.reason)
            || (usual && (follow || status.instance().is_some()))
        {
            return;
        }
        self.reported.push(waiting.reason.clone());
        let reason = in_words(&waiting.reason, &waiting.message);
        let scope = Scope::Origin(self.origin(pod, &status.name, kind));
        changes.push(Change::Absent(scope.notice(Kind::Waiting, reason)));
    }

    /// Origins are shared by all instances while the pod stays the same.
    fn origin(&mut self, pod: &Arc<PodInfo>, name: &str, kind: OriginKind) -> Arc<Origin> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| Arc::ptr_eq(&origin.pod, pod)) {
            return origin.clone();
        }
        let origin = Arc::new(Origin { pod: pod.clone(), container: name.to_owned(), kind });
        self.origin.insert(origin).clone()
    }
}

pub fn in_words(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", "") => "no reason given".to_owned(),
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn life(status: &ContainerStatus, instance: &InstanceId, deleting: bool) -> Life {
    match status.ending(instance) {
        Some(terminated) => Life::Terminated(ending(terminated, deleting)),
        None if deleting => Life::Terminating,
        None => Life::Running,
    }
}

fn ending(terminated: &Terminated, deleting: bool) -> Ending {
    Ending {
        reason: terminated.reason.clone(),
        exit_code: terminated.exit_code,
        finished: terminated.finished_at,
        deleting,
    }
}
