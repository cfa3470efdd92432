//! Follows what becomes of each container of the pods that match.

use std::{collections::HashMap, sync::Arc};

use regex::Regex;
use tokio::sync::watch;

use super::{
    ContainerKind, Life, PodInfo, Target,
    pod::{ContainerStatus, Pod, State},
};
use crate::plan::{ContainerStates, Query, Selection};

/// What changed among the targets.
#[derive(Debug)]
pub enum Event {
    /// An instance to tail, what becomes of it, and whether it came into being while we looked on.
    Started { target: Arc<Target>, life: watch::Receiver<Life>, fresh: bool },
    /// A container has not started, for this reason.
    Waiting { pod: Arc<PodInfo>, container: String, reason: String },
}

/// Knows every container that matches and which instance of it is tailed.
pub struct Tracker<'a> {
    selection: &'a Selection,
    follow: bool,
    keep_annotations: bool,
    pods: HashMap<String, Tracked>,
    /// Whether what exists now existed before the start, so that `--container-state` applies to it.
    starting: bool,
    /// Counts relists: a pod that a finished relist did not touch is gone.
    generation: u64,
}

struct Tracked {
    info: Arc<PodInfo>,
    generation: u64,
    containers: HashMap<String, Slot>,
}

/// One container of a pod.
#[derive(Default)]
struct Slot {
    /// The instance that is tailed now, or was the last.
    instance: String,
    life: Option<watch::Sender<Life>>,
    told_waiting: bool,
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

impl<'a> Tracker<'a> {
    /// `keep_annotations`: whether an output needs them; they can be larger than all the rest.
    pub fn new(selection: &'a Selection, follow: bool, keep_annotations: bool) -> Self {
        Self { selection, follow, keep_annotations, pods: HashMap::new(), starting: true, generation: 0 }
    }

    /// How many containers matched so far, those that wait included.
    pub fn containers(&self) -> usize {
        self.pods.values().map(|pod| pod.containers.len()).sum()
    }

    /// A list of all pods begins.
    pub fn relist(&mut self) {
        self.generation += 1;
    }

    /// The list is complete: what was not in it is gone.
    pub fn relisted(&mut self) {
        let generation = self.generation;
        self.pods.retain(|_, pod| {
            let listed = pod.generation == generation;
            if !listed {
                pod.end(&Life::Deleted);
            }
            listed
        });
        self.starting = false;
    }

    /// A pod as it is now.
    pub fn apply(&mut self, pod: &Pod, events: &mut Vec<Event>) {
        if !self.matches(pod) {
            return;
        }
        if !self.meets_condition(pod) {
            if let Some(pod) = self.pods.remove(pod.uid()) {
                pod.end(&Life::Dropped);
            }
            return;
        }
        let tracked = self.pods.entry(pod.uid().to_owned()).or_insert_with(|| Tracked {
            info: Arc::new(info(pod, self.keep_annotations)),
            generation: 0,
            containers: HashMap::new(),
        });
        tracked.generation = self.generation;
        if tracked.info.node != pod.spec.node_name {
            tracked.info = Arc::new(info(pod, self.keep_annotations));
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
            slot.apply(&tracked.info, kind, status, sight, self.follow, events);
        }
    }

    /// A pod that is gone.
    pub fn delete(&mut self, pod: &Pod) {
        if let Some(pod) = self.pods.remove(pod.uid()) {
            pod.end(&Life::Deleted);
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
        status: &ContainerStatus,
        sight: Sight,
        follow: bool,
        events: &mut Vec<Event>,
    ) {
        self.tell_waiting(pod, status, follow, events);
        let Some(instance) = status.instance() else { return };
        if instance == self.instance {
            self.tell(life(status, instance));
            return;
        }
        let ended = status.ending(&self.instance);
        self.tell(Life::Replaced {
            reason: ended.map(|ended| ended.reason.clone()).unwrap_or_default(),
            exit_code: ended.map_or(0, |ended| ended.exit_code),
            restart_count: status.restart_count,
        });
        instance.clone_into(&mut self.instance);
        self.life = None;
        if sight == Sight::Unwanted {
            return;
        }
        let (sender, receiver) = watch::channel(life(status, instance));
        self.life = Some(sender);
        let target = Target {
            pod: pod.clone(),
            container: status.name.clone(),
            kind,
            container_id: instance.to_owned(),
            restart_count: status.restart_count,
        };
        let fresh = sight == Sight::New;
        events.push(Event::Started { target: Arc::new(target), life: receiver, fresh });
    }

    fn tell(&self, life: Life) {
        if let Some(sender) = &self.life {
            sender.send_if_modified(|before| std::mem::replace(before, life.clone()) != life);
        }
    }

    /// A container that cannot start is told once, until it has run.
    fn tell_waiting(
        &mut self,
        pod: &Arc<PodInfo>,
        status: &ContainerStatus,
        follow: bool,
        events: &mut Vec<Event>,
    ) {
        let Some(waiting) = &status.state.waiting else {
            self.told_waiting = false;
            return;
        };
        // Every container begins like this; without following it is why nothing is shown of it.
        let usual = matches!(waiting.reason.as_str(), "" | "ContainerCreating" | "PodInitializing");
        if self.told_waiting || (usual && (follow || status.instance().is_some())) {
            return;
        }
        self.told_waiting = true;
        let reason = match (waiting.reason.as_str(), waiting.message.as_str()) {
            ("", "") => "no reason is given".to_owned(),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        };
        events.push(Event::Waiting { pod: pod.clone(), container: status.name.clone(), reason });
    }
}

fn life(status: &ContainerStatus, instance: &str) -> Life {
    match status.ending(instance) {
        Some(ended) => Life::Terminated { reason: ended.reason.clone(), exit_code: ended.exit_code },
        None => Life::Running,
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
