//! Follows what becomes of each container of the pods that match.

use std::{collections::HashMap, sync::Arc};

use regex::Regex;
use tokio::sync::watch;

use super::pod::{ContainerStatus, Pod, State, Terminated};
use crate::{
    plan::{ContainerStates, Query, Selection},
    target::{ContainerKind, Ending, Life, PodInfo, Target},
};

/// What changed among the targets.
#[derive(Debug)]
pub enum Event {
    /// An instance to tail, what becomes of it, and whether it came into being while we looked on.
    Started { target: Arc<Target>, life: watch::Receiver<Life>, fresh: bool },
    /// A container has not started, for this reason.
    Waiting { pod: Arc<PodInfo>, container: String, reason: String },
    /// The pod of this UID, of which there were targets, is gone.
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
}

/// One container of a pod.
#[derive(Default)]
struct Slot {
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
    /// `keep_annotations`: whether an output needs them; they can be larger than all the rest.
    pub fn new(selection: &'a Selection, follow: bool, keep_annotations: bool) -> Self {
        Self {
            selection,
            follow,
            keep_annotations,
            pods: HashMap::new(),
            dropped: HashMap::new(),
            starting: true,
            generation: 0,
        }
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
    pub fn relisted(&mut self, events: &mut Vec<Event>) {
        let generation = self.generation;
        let gone = self.pods.extract_if(|_, pod| pod.generation != generation);
        events.extend(gone.map(|(uid, pod)| {
            pod.end(&Life::Deleted);
            Event::Gone(uid)
        }));
        let gone = self.dropped.extract_if(|_, listed| *listed != generation);
        events.extend(gone.map(|(uid, _)| Event::Gone(uid)));
        self.starting = false;
    }

    /// A pod as it is now.
    pub fn apply(&mut self, pod: &Pod, events: &mut Vec<Event>) {
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
            slot.apply(
                &tracked.info,
                kind,
                Seen { status, sight, deleting: pod.deleting() },
                self.follow,
                events,
            );
        }
    }

    /// A pod that is gone.
    pub fn delete(&mut self, pod: &Pod, events: &mut Vec<Event>) {
        let tracked = self.pods.remove(pod.uid());
        if let Some(tracked) = &tracked {
            tracked.end(&Life::Deleted);
        }
        if self.dropped.remove(pod.uid()).is_some() || tracked.is_some() {
            events.push(Event::Gone(pod.uid().to_owned()));
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
        Seen { status, sight, deleting }: Seen,
        follow: bool,
        events: &mut Vec<Event>,
    ) {
        let life = |instance: &str| life(status, instance, deleting);
        self.tell_waiting(pod, status, follow, events);
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
        let target = Target {
            pod: pod.clone(),
            container: status.name.clone(),
            kind,
            container_id: instance.to_owned(),
            restart_count: status.restart_count,
            started: status.started().map(|time| time.0),
        };
        let fresh = sight == Sight::New;
        events.push(Event::Started { target: Arc::new(target), life: receiver, fresh });
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
        status: &ContainerStatus,
        follow: bool,
        events: &mut Vec<Event>,
    ) {
        let Some(waiting) = &status.state.waiting else { return };
        // Every container begins like this; without following it is why nothing is shown of it.
        let usual = matches!(waiting.reason.as_str(), "" | "ContainerCreating" | "PodInitializing");
        if self.told.contains(&waiting.reason) || (usual && (follow || status.instance().is_some())) {
            return;
        }
        self.told.push(waiting.reason.clone());
        let reason = match (waiting.reason.as_str(), waiting.message.as_str()) {
            ("", "") => "no reason is given".to_owned(),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        };
        events.push(Event::Waiting { pod: pod.clone(), container: status.name.clone(), reason });
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
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::{Condition, Namespaces};

    fn everything() -> Selection {
        let any = || Regex::new("").expect("valid");
        Selection {
            namespaces: Namespaces::Default,
            query: Query::Regex(any()),
            label_selector: None,
            field_selector: None,
            exclude_pod: Vec::new(),
            container: any(),
            exclude_container: Vec::new(),
            states: ContainerStates::ALL,
            condition: None,
            init_containers: true,
            ephemeral_containers: true,
        }
    }

    fn pod(container: Value) -> Pod {
        pod_with(json!({"containerStatuses": [container]}))
    }

    fn pod_with(status: Value) -> Pod {
        let metadata = json!({"name": "web-1", "namespace": "shop", "uid": "u1"});
        serde_json::from_value(
            json!({"metadata": metadata, "spec": {"nodeName": "node-a"}, "status": status}),
        )
        .expect("a pod")
    }

    fn running(id: &str, restarts: u32) -> Value {
        json!({"name": "app", "containerID": id, "restartCount": restarts, "state": {"running": {}}})
    }

    fn crashed(id: &str, restarts: u32) -> Value {
        let terminated = json!({"terminated": {"containerID": id, "exitCode": 137, "reason": "OOMKilled"}});
        json!({"name": "app", "containerID": id, "restartCount": restarts, "lastState": terminated,
               "state": {"waiting": {"reason": "CrashLoopBackOff"}}})
    }

    fn creating() -> Value {
        json!({"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}})
    }

    /// A tracker that has been shown pods, and what came of it.
    struct Story<'a> {
        tracker: Tracker<'a>,
        lives: Vec<(String, watch::Receiver<Life>, bool)>,
        waits: Vec<String>,
        gone: usize,
    }

    impl<'a> Story<'a> {
        fn new(selection: &'a Selection) -> Self {
            let tracker = Tracker::new(selection, true, false);
            Self { tracker, lives: Vec::new(), waits: Vec::new(), gone: 0 }
        }

        fn see(&mut self, pod: &Pod) -> &mut Self {
            let mut events = Vec::new();
            self.tracker.apply(pod, &mut events);
            self.hear(events)
        }

        fn hear(&mut self, events: Vec<Event>) -> &mut Self {
            for event in events {
                match event {
                    Event::Started { target, life, fresh } => {
                        self.lives.push((target.container_id.clone(), life, fresh));
                    }
                    Event::Waiting { reason, .. } => self.waits.push(reason),
                    Event::Gone(_) => self.gone += 1,
                }
            }
            self
        }

        fn delete(&mut self, pod: &Pod) -> &mut Self {
            let mut events = Vec::new();
            self.tracker.delete(pod, &mut events);
            self.hear(events)
        }

        /// All pods so far existed at the start.
        fn started(&mut self) -> &mut Self {
            let mut events = Vec::new();
            self.tracker.relisted(&mut events);
            self.hear(events)
        }

        fn targets(&self) -> Vec<&str> {
            self.lives.iter().map(|(id, ..)| id.as_str()).collect()
        }

        fn life(&self, at: usize) -> Life {
            self.lives[at].1.borrow().clone()
        }
    }

    fn oom_killed() -> Ending {
        Ending { reason: "OOMKilled".to_owned(), exit_code: Some(137), ..Ending::default() }
    }

    #[test]
    fn a_container_is_a_target_once() {
        let selection = everything();
        let mut story = Story::new(&selection);
        story.see(&pod(running("a", 0))).see(&pod(running("a", 0)));
        assert_eq!(story.targets(), ["a"]);
        assert_eq!(story.life(0), Life::Running);
    }

    #[test]
    fn a_restart_is_another_target_and_the_old_one_learns_how_it_ended() {
        let selection = everything();
        let mut story = Story::new(&selection);
        story.see(&pod(running("a", 0))).see(&pod(crashed("a", 0)));
        assert_eq!(story.life(0), Life::Terminated(oom_killed()));
        let mut again = running("b", 1);
        again["lastState"] = crashed("a", 0)["lastState"].clone();
        story.see(&pod(again));
        assert_eq!(story.targets(), ["a", "b"]);
        let replaced = Life::Replaced { ending: oom_killed(), restart_count: 1, started: None };
        assert_eq!(story.life(0), replaced);
        assert!(story.lives[1].2, "all of a new instance's log is news");
    }

    #[test]
    fn a_container_that_waits_after_a_crash_still_has_its_last_log() {
        let selection = everything();
        let mut story = Story::new(&selection);
        story.see(&pod(crashed("a", 3)));
        assert_eq!(story.targets(), ["a"]);
        assert_eq!(story.life(0), Life::Terminated(oom_killed()));
        assert_eq!(story.waits, ["CrashLoopBackOff"]);
    }

    #[test]
    fn what_waits_is_told_once_for_each_reason() {
        let selection = everything();
        let pull = |reason: &str| {
            pod(json!({"name": "app", "state": {"waiting": {"reason": reason, "message": "no such image"}}}))
        };
        let mut story = Story::new(&selection);
        story
            .see(&pod(creating()))
            .see(&pull("ErrImagePull"))
            .see(&pull("ImagePullBackOff"))
            .see(&pull("ErrImagePull"));
        assert_eq!(story.waits, ["ErrImagePull: no such image", "ImagePullBackOff: no such image"]);
    }

    #[test]
    fn a_pod_that_a_relist_leaves_out_is_deleted() {
        let selection = everything();
        let mut story = Story::new(&selection);
        story.see(&pod(running("a", 0))).started();
        story.tracker.relist();
        story.see(&pod(running("a", 0))).started();
        assert_eq!(story.life(0), Life::Running);
        story.tracker.relist();
        story.started();
        assert_eq!((story.life(0), story.gone), (Life::Deleted, 1));
    }

    #[test]
    fn container_states_choose_among_what_existed_at_the_start_only() {
        let selection = Selection {
            states: ContainerStates { running: true, waiting: false, terminated: false },
            ..everything()
        };
        let mut story = Story::new(&selection);
        story.see(&pod(crashed("a", 0))).started();
        assert!(story.targets().is_empty());
        story.see(&pod(running("b", 1))).see(&pod(crashed("b", 1)));
        assert_eq!(story.targets(), ["b"]);
    }

    #[test]
    fn a_pod_that_no_longer_meets_the_condition_is_dropped_until_it_does_again() {
        let selection =
            Selection { condition: Some(Condition { name: "Ready", status: "False" }), ..everything() };
        let ready = |status: &str| {
            pod_with(
                json!({"conditions": [{"type": "Ready", "status": status}], "containerStatuses": [running("a", 0)]}),
            )
        };
        let mut story = Story::new(&selection);
        story.see(&ready("True"));
        assert!(story.targets().is_empty());
        story.see(&ready("False")).see(&ready("True"));
        assert_eq!((story.targets(), story.life(0)), (vec!["a"], Life::Dropped));
        story.see(&ready("False"));
        assert_eq!((story.targets(), story.life(1)), (vec!["a", "a"], Life::Running));
        story.see(&ready("True")).tracker.relist();
        story.see(&ready("True")).started();
        assert_eq!(story.gone, 0, "it may come back");
        story.delete(&ready("True"));
        assert_eq!(story.gone, 1);
        story.see(&ready("False")).see(&ready("True")).tracker.relist();
        story.started();
        assert_eq!((story.gone, story.tracker.dropped.len()), (2, 0));
    }

    #[test]
    fn init_containers_come_first_and_kinds_can_be_left_out() {
        let named = |name: &str| json!({"name": name, "containerID": name, "state": {"running": {}}});
        let status = json!({
            "containerStatuses": [named("app"), named("sidecar")],
            "initContainerStatuses": [named("setup")],
            "ephemeralContainerStatuses": [named("debug")],
        });
        let selection = Selection {
            ephemeral_containers: false,
            exclude_container: vec![Regex::new("^side").expect("valid")],
            ..everything()
        };
        let mut story = Story::new(&selection);
        story.see(&pod_with(status));
        assert_eq!(story.targets(), ["setup", "app"]);
    }
}
