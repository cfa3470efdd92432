//! Follows what becomes of each container of the pods that match.

use std::{collections::HashMap, sync::Arc};

use regex::Regex;
use tokio::sync::watch;

use super::pod::{Absence, ContainerStatus, Pod, State, Terminated};
use crate::{
    event::Ending,
    instance::{Instance, Life},
    notice::{Kind, Notice, Scope},
    origin::{ContainerKind, Origin, PodInfo},
    plan::{ContainerStates, Query, Selection},
};

/// What changed among the instances.
#[derive(Debug)]
pub enum Change {
    /// An instance to tail, what becomes of it, and whether it came into being while we looked on.
    Started { instance: Arc<Instance>, life: watch::Receiver<Life>, fresh: bool },
    /// A container has not started, or none of a pod's; or the pod ended before any did.
    Absent(Notice),
    /// The pod of this UID, of which there were instances, is gone.
    Gone(String),
}

/// Knows every container that matches and which instance of it is tailed.
pub struct Tracker<'a> {
    selection: &'a Selection,
    follow: bool,
    keep_annotations: bool,
    pods: HashMap<String, Tracked>,
    /// The generations of pods that met the condition once, and do not now.
    dropped: HashMap<String, u64>,
    /// Whether what exists now existed before the start, so that `--container-state` applies to it.
    starting: bool,
    /// Counts relists: a pod that a finished relist did not touch is gone.
    generation: u64,
}

struct Tracked {
    info: Arc<PodInfo>,
    generation: u64,
    containers: HashMap<String, Slot>,
    /// Whether there will be containers of which nothing is known yet.
    awaited: bool,
    /// For which reasons the user was told that it has none.
    told: Vec<String>,
}

/// One container of a pod.
#[derive(Default)]
struct Slot {
    origin: Option<Arc<Origin>>,
    /// The instance that is tailed now, or was the last.
    instance: String,
    life: Option<watch::Sender<Life>>,
    /// For which reasons the user was told that it waits.
    told: Vec<String>,
}

/// What an instance is that is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It was there before we looked.
    Old,
    /// It was there, in a state that was not asked for.
    Unwanted,
    New,
}

/// A container as it is now.
struct Seen<'p> {
    status: &'p ContainerStatus,
    sight: Sight,
    /// Whether its pod is being deleted.
    deleting: bool,
}

impl<'a> Tracker<'a> {
    /// `keep_annotations`: whether an output needs them; they can be larger than all the rest. `fresh`: what exists now did
    /// not at the start.
    pub fn new(selection: &'a Selection, follow: bool, keep_annotations: bool, fresh: bool) -> Self {
        Self {
            selection,
            follow,
            keep_annotations,
            pods: HashMap::new(),
            dropped: HashMap::new(),
            starting: !fresh,
            generation: 0,
        }
    }

    /// How many containers matched so far, those that wait included, or at least one.
    pub fn containers(&self) -> usize {
        self.pods.values().map(|pod| pod.containers.len().max(pod.awaited.into())).sum()
    }

    /// A list of all pods begins.
    pub fn relist(&mut self) {
        self.generation += 1;
    }

    /// The list is complete: what was not in it is gone.
    pub fn relisted(&mut self, changes: &mut Vec<Change>) {
        let generation = self.generation;
        let gone = self.pods.extract_if(|_, pod| pod.generation != generation);
        changes.extend(gone.map(|(uid, pod)| {
            pod.end(&Life::Deleted);
            Change::Gone(uid)
        }));
        let gone = self.dropped.extract_if(|_, listed| *listed != generation);
        changes.extend(gone.map(|(uid, _)| Change::Gone(uid)));
        self.starting = false;
    }

    /// A pod as it is now.
    pub fn apply(&mut self, pod: &Pod, changes: &mut Vec<Change>) {
        if !self.matches(pod) {
            return;
        }
        if !self.meets_condition(pod) {
            if let Some((uid, tracked)) = self.pods.remove_entry(pod.uid()) {
                tracked.end(&Life::Dropped);
                self.dropped.insert(uid, self.generation);
            } else if let Some(listed) = self.dropped.get_mut(pod.uid()) {
                *listed = self.generation;
            }
            return;
        }
        self.dropped.remove(pod.uid());
        let tracked = self.pods.entry(pod.uid().to_owned()).or_insert_with(|| Tracked {
            info: Arc::new(info(pod, self.keep_annotations)),
            generation: 0,
            containers: HashMap::new(),
            awaited: false,
            told: Vec::new(),
        });
        tracked.generation = self.generation;
        if tracked.info.node != pod.spec.node_name {
            tracked.info = Arc::new(info(pod, self.keep_annotations));
        }
        let absence = pod.absence().filter(|_| has_wanted(pod, self.selection));
        tracked.awaited = absence.is_some();
        if let Some(absence) = absence {
            tracked.tell_absence(absence, self.follow && !self.starting, changes);
        }
        for (kind, status) in statuses(pod, self.selection) {
            if !container_matches(self.selection, &status.name) {
                continue;
            }
            let first_seen = !tracked.containers.contains_key(&status.name);
            let slot = tracked.containers.entry(status.name.clone()).or_default();
            let sight = match (first_seen, self.starting) {
                (true, true) if !state_matches(self.selection.states, &status.state) => Sight::Unwanted,
                (true, true) => Sight::Old,
                // A pod that meets the condition only now may have been there for long.
                (true, false) if self.selection.condition.is_some() => Sight::Old,
                _ => Sight::New,
            };
            slot.apply(
                &tracked.info,
                kind,
                Seen { status, sight, deleting: pod.deleting() },
                self.follow,
                changes,
            );
        }
    }

    /// A pod that is gone.
    pub fn delete(&mut self, pod: &Pod, changes: &mut Vec<Change>) {
        let tracked = self.pods.remove(pod.uid());
        if let Some(tracked) = &tracked {
            tracked.end(&Life::Deleted);
        }
        if self.dropped.remove(pod.uid()).is_some() || tracked.is_some() {
            changes.push(Change::Gone(pod.uid().to_owned()));
        }
    }

    fn matches(&self, pod: &Pod) -> bool {
        let name = pod.name();
        let named = match &self.selection.query {
            Query::Regex(regex) => regex.is_match(name),
            Query::Pod(exact) => exact == name,
            Query::Resource { .. } => true,
        };
        named && !any_matches(&self.selection.exclude_pod, name)
    }

    fn meets_condition(&self, pod: &Pod) -> bool {
        let Some(wanted) = &self.selection.condition else { return true };
        let conditions = pod.status.conditions.as_deref().unwrap_or_default();
        conditions.iter().any(|condition| condition.name == wanted.name && condition.status == wanted.status)
    }
}

impl Tracked {
    /// Why there is nothing to show of a pod is told once for each reason; `fresh`: it came into being as we looked on.
    fn tell_absence(&mut self, absence: Absence<'_>, fresh: bool, changes: &mut Vec<Change>) {
        let (key, words) = match absence {
            Absence::Usual(_) if fresh => return,
            Absence::Usual(why) => (why, why.to_owned()),
            Absence::Held { reason, message } | Absence::Failed { reason, message } => {
                (reason, in_words(reason, message))
            }
        };
        if self.told.iter().any(|told| told == key) {
            return;
        }
        self.told.push(key.to_owned());
        let kind = if matches!(absence, Absence::Failed { .. }) { Kind::Failed } else { Kind::Waiting };
        changes.push(Change::Absent(Scope::Pod(self.info.clone()).notice(kind, words)));
    }

    fn end(&self, life: &Life) {
        for slot in self.containers.values() {
            slot.tell(life.clone());
        }
    }
}

impl Slot {
    fn apply(
        &mut self,
        pod: &Arc<PodInfo>,
        kind: ContainerKind,
        Seen { status, sight, deleting }: Seen,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let life = |instance: &str| life(status, instance, deleting);
        self.tell_waiting(pod, kind, status, follow, changes);
        let Some(instance) = status.instance() else { return };
        if instance == self.instance {
            self.tell(life(instance));
            return;
        }
        self.tell(Life::Replaced {
            ending: status.ending(&self.instance).map(|end| ending(end, deleting)).unwrap_or_default(),
            restart_count: status.restart_count,
            started: status.started().map(|time| time.0),
        });
        instance.clone_into(&mut self.instance);
        self.life = None;
        if sight == Sight::Unwanted {
            return;
        }
        let (sender, receiver) = watch::channel(life(instance));
        self.life = Some(sender);
        let instance = Instance {
            origin: self.origin(pod, &status.name, kind),
            container_id: instance.to_owned(),
            restart_count: status.restart_count,
            started: status.started().map(|time| time.0),
        };
        let fresh = sight == Sight::New;
        changes.push(Change::Started { instance: Arc::new(instance), life: receiver, fresh });
    }

    fn tell(&self, life: Life) {
        if let Some(sender) = &self.life {
            sender.send_if_modified(|before| std::mem::replace(before, life.clone()) != life);
        }
    }

    /// A container that cannot start is told, once for each reason.
    fn tell_waiting(
        &mut self,
        pod: &Arc<PodInfo>,
        kind: ContainerKind,
        status: &ContainerStatus,
        follow: bool,
        changes: &mut Vec<Change>,
    ) {
        let Some(waiting) = &status.state.waiting else { return };
        // Every container begins like this; without following it is why nothing is shown of it.
        let usual = matches!(waiting.reason.as_str(), "" | "ContainerCreating" | "PodInitializing");
        if self.told.contains(&waiting.reason) || (usual && (follow || status.instance().is_some())) {
            return;
        }
        self.told.push(waiting.reason.clone());
        let reason = in_words(&waiting.reason, &waiting.message);
        let scope = Scope::Origin(self.origin(pod, &status.name, kind));
        changes.push(Change::Absent(scope.notice(Kind::Waiting, reason)));
    }

    /// The same for all instances, for as long as the pod is the same.
    fn origin(&mut self, pod: &Arc<PodInfo>, name: &str, kind: ContainerKind) -> Arc<Origin> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| Arc::ptr_eq(&origin.pod, pod)) {
            return origin.clone();
        }
        let origin = Arc::new(Origin { pod: pod.clone(), container: name.to_owned(), kind });
        self.origin.insert(origin).clone()
    }
}

fn in_words(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", "") => "no reason is given".to_owned(),
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn life(status: &ContainerStatus, instance: &str, deleting: bool) -> Life {
    match status.ending(instance) {
        Some(terminated) => Life::Terminated(ending(terminated, deleting)),
        None if deleting => Life::Terminating,
        None => Life::Running,
    }
}

fn ending(terminated: &Terminated, deleting: bool) -> Ending {
    Ending {
        reason: terminated.reason.clone(),
        exit_code: Some(terminated.exit_code),
        finished: terminated.finished_at.as_ref().map(|time| time.0),
        deleting,
    }
}

/// The statuses in the order in which their logs are shown: init containers come first.
fn statuses<'p>(
    pod: &'p Pod,
    selection: &Selection,
) -> impl Iterator<Item = (ContainerKind, &'p ContainerStatus)> {
    let status = &pod.status;
    let lists = [
        (ContainerKind::Init, &status.init_container_statuses, selection.init_containers),
        (ContainerKind::Container, &status.container_statuses, true),
        (ContainerKind::Ephemeral, &status.ephemeral_container_statuses, selection.ephemeral_containers),
    ];
    lists
        .into_iter()
        .filter(|(_, _, wanted)| *wanted)
        .flat_map(|(kind, list, _)| list.iter().flatten().map(move |status| (kind, status)))
}

/// Whether a pod will have containers that are asked for, once there is a status of them.
fn has_wanted(pod: &Pod, selection: &Selection) -> bool {
    let init = pod.spec.init_containers.iter().filter(|_| selection.init_containers);
    let mut named = init.chain(&pod.spec.containers).flatten();
    named.any(|container| container_matches(selection, &container.name))
}

fn container_matches(selection: &Selection, name: &str) -> bool {
    selection.container.is_match(name) && !any_matches(&selection.exclude_container, name)
}

fn any_matches(regexes: &[Regex], name: &str) -> bool {
    regexes.iter().any(|regex| regex.is_match(name))
}

fn state_matches(wanted: ContainerStates, state: &State) -> bool {
    wanted == ContainerStates::ALL
        || wanted.running && state.running.is_some()
        || wanted.waiting && state.waiting.is_some()
        || wanted.terminated && state.terminated.is_some()
}

fn info(pod: &Pod, keep_annotations: bool) -> PodInfo {
    PodInfo {
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        uid: pod.uid().to_owned(),
        node: pod.spec.node_name.clone(),
        owner: pod.owner(),
        labels: pod.metadata.labels.clone(),
        annotations: pod.metadata.annotations.clone().filter(|_| keep_annotations),
        created: pod.created(),
    }
}

#[cfg(test)]
mod tests;
