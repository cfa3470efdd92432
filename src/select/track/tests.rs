mod lost;

use serde_json::{Value, json};

use super::*;
use crate::{
    completion::Phase,
    plan::{Condition, Namespaces},
};

pub fn everything() -> Selection {
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
        with_previous: false,
        on_complete: false,
    }
}

fn pod(container: Value) -> Pod {
    pod_with(json!({"containerStatuses": [container]}))
}

fn pod_with(status: Value) -> Pod {
    let metadata = json!({"name": "web-1", "namespace": "shop", "uid": "u1"});
    serde_json::from_value(
        json!({"metadata": metadata, "spec": {"nodeName": "node-a", "containers": [{"name": "app"}]}, "status": status}),
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

/// A tracker, the pods that it received, and its results.
struct Story<'a> {
    tracker: Tracker<'a>,
    lives: Vec<(String, watch::Receiver<Life>, bool)>,
    waits: Vec<String>,
    gone: usize,
}

impl<'a> Story<'a> {
    fn new(selection: &'a Selection) -> Self {
        let tracker = Tracker::new(selection, true, false, false);
        Self { tracker, lives: Vec::new(), waits: Vec::new(), gone: 0 }
    }

    fn see(&mut self, pod: &Pod) -> &mut Self {
        let mut events = Vec::new();
        self.tracker.apply(pod, &mut events);
        self.hear(events)
    }

    fn hear(&mut self, events: Vec<Change>) -> &mut Self {
        for event in events {
            match event {
                Change::Started { instance, life, fresh } => {
                    self.lives.push((instance.container_id.clone(), life, fresh));
                }
                Change::Absent(Notice { kind: Kind::Failed, text, .. }) => {
                    self.waits.push(format!("failed: {text}"));
                }
                Change::Absent(notice) => self.waits.push(notice.text),
                Change::Progress(..) => {}
                Change::Gone(_) => self.gone += 1,
            }
        }
        self
    }

    fn delete(&mut self, pod: &Pod) -> &mut Self {
        let mut events = Vec::new();
        self.tracker.delete(pod, &mut events);
        self.hear(events)
    }

    /// Ends the first list: all pods so far existed at the start.
    fn started(&mut self) -> &mut Self {
        let mut events = Vec::new();
        self.tracker.relisted(&mut events);
        self.hear(events)
    }

    /// The watch calls the pod deleted, and then the answer about it comes.
    fn lose(&mut self, pod: &Pod, now: Option<&Pod>) -> &mut Self {
        let doubted = self.tracker.doubt(pod).expect("it is read");
        self.settle(&doubted.identity, now)
    }

    fn settle(&mut self, identity: &str, now: Option<&Pod>) -> &mut Self {
        let mut events = Vec::new();
        self.tracker.settle(identity, now, &mut events);
        self.hear(events)
    }

    fn instances(&self) -> Vec<&str> {
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
fn a_container_is_an_instance_once() {
    let selection = everything();
    let mut story = Story::new(&selection);
    story.see(&pod(running("a", 0))).see(&pod(running("a", 0)));
    assert_eq!(story.instances(), ["a"]);
    assert_eq!(story.life(0), Life::Running);
}

#[test]
fn an_instance_learns_of_all_further_restarts() {
    let everything = everything();
    let mut story = Story::new(&everything);
    for n in 0..4 {
        story.see(&pod(running(&n.to_string(), n)));
    }
    let restarts = [0, 1, 2].map(|n| match story.life(n) {
        Life::Replaced { restart_count, .. } => restart_count,
        life => panic!("{life:?}"),
    });
    assert_eq!(restarts, [3; 3], "the log of the last one alone is the previous one");
}

#[test]
fn the_log_of_an_instance_is_passed_once_the_next_one_waits() {
    let everything = everything();
    let mut story = Story::new(&everything);
    let passed = |story: &Story| match story.life(0) {
        Life::Replaced { restart_count, .. } => restart_count,
        life => panic!("{life:?}"),
    };
    story.see(&pod(running("0", 0))).see(&pod(running("1", 1)));
    assert_eq!(passed(&story), 1);
    story.see(&pod(crashed("1", 1)));
    assert_eq!(passed(&story), 2, "both logs are the next one's");
}

#[test]
fn a_restart_is_another_instance_and_the_old_one_learns_how_it_ended() {
    let selection = everything();
    let mut story = Story::new(&selection);
    story.see(&pod(running("a", 0))).see(&pod(crashed("a", 0)));
    assert_eq!(story.life(0), Life::Terminated(oom_killed()));
    let mut again = running("b", 1);
    again["lastState"] = crashed("a", 0)["lastState"].clone();
    story.see(&pod(again));
    assert_eq!(story.instances(), ["a", "b"]);
    let replaced = Life::Replaced { ending: oom_killed(), restart_count: 1, started: None };
    assert_eq!(story.life(0), replaced);
    assert!(story.lives[1].2, "all of a new instance's log is news");
}

#[test]
fn a_container_that_waits_after_a_crash_still_has_its_last_log() {
    let selection = everything();
    let mut story = Story::new(&selection);
    story.see(&pod(crashed("a", 3)));
    assert_eq!(story.instances(), ["a"]);
    assert_eq!(story.life(0), Life::Terminated(oom_killed()));
    assert_eq!(story.waits, ["CrashLoopBackOff"]);
}

#[test]
fn a_waiting_container_is_reported_once_for_each_reason() {
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
fn a_pod_without_containers_is_reported_once_for_each_reason() {
    let selection = everything();
    let scheduling = |reason: &str, message: &str| {
        let condition =
            json!({"type": "PodScheduled", "status": "False", "reason": reason, "message": message});
        pod_with(json!({"phase": "Pending", "conditions": [condition]}))
    };
    let mut story = Story::new(&selection);
    story
        .see(&scheduling("SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"))
        .see(&scheduling("Unschedulable", "0/3 nodes are available"))
        .see(&scheduling("Unschedulable", "0/4 nodes are available"));
    assert_eq!(
        story.waits,
        [
            "SchedulingGated: Scheduling is blocked due to non-empty scheduling gates",
            "Unschedulable: 0/3 nodes are available",
        ]
    );
    assert_eq!(story.tracker.containers(), 1, "something matches");
    story.see(&pod(running("a", 0)));
    assert_eq!((story.instances(), story.tracker.containers()), (vec!["a"], 1));
}

#[test]
fn a_pod_without_containers_has_the_reported_reason_or_the_usual_one() {
    let selection = everything();
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"});
    for (status, reported) in [
        (evicted, "failed: Evicted: The node was low on memory"),
        (json!({"phase": "Failed"}), "failed: no reason given"),
        (json!({"phase": "Pending", "reason": "NodeLost"}), "NodeLost"),
        (json!({"phase": "Pending", "message": "said only so"}), "said only so"),
        (json!({"phase": "Pending"}), "its node has not reported it yet"),
    ] {
        let mut story = Story::new(&selection);
        story.see(&pod_with(status));
        assert_eq!(story.waits, [reported]);
    }
    let mut unscheduled = pod_with(json!({"phase": "Pending"}));
    unscheduled.spec.node_name.clear();
    let mut story = Story::new(&selection);
    story.see(&unscheduled).see(&unscheduled);
    assert_eq!(story.waits, ["it is not scheduled to a node yet"]);
}

#[test]
fn the_usual_reason_is_reported_only_for_pods_that_existed_at_the_start() {
    let selection = everything();
    let mut story = Story::new(&selection);
    story.started().see(&pod_with(json!({"phase": "Pending"})));
    assert!(story.waits.is_empty());
    assert_eq!(story.tracker.containers(), 1);
}

#[test]
fn a_pod_none_of_whose_containers_are_wanted_is_not_reported() {
    let any_but = Selection { exclude_container: vec![Regex::new("app").expect("valid")], ..everything() };
    let mut story = Story::new(&any_but);
    story.see(&pod_with(json!({"phase": "Pending", "reason": "NodeLost"})));
    assert!(story.waits.is_empty());
    assert_eq!(story.tracker.containers(), 0);
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
    assert!(story.instances().is_empty());
    story.see(&pod(running("b", 1))).see(&pod(crashed("b", 1)));
    assert_eq!(story.instances(), ["b"]);
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
    assert!(story.instances().is_empty());
    story.see(&ready("False")).see(&ready("True"));
    assert_eq!((story.instances(), story.life(0)), (vec!["a"], Life::Dropped));
    story.see(&ready("False"));
    assert_eq!((story.instances(), story.life(1)), (vec!["a", "a"], Life::Running));
    story.see(&ready("True")).tracker.relist();
    story.see(&ready("True")).started();
    assert_eq!(story.gone, 0, "it may come back");
    story.delete(&ready("True"));
    assert_eq!(story.gone, 1);
    story.see(&ready("False")).see(&ready("True")).tracker.relist();
    story.started();
    assert_eq!((story.gone, story.tracker.dropped.len()), (2, 0));
}

/// It is selected by a label that it gains. One that was selected as it waited comes whole.
#[test]
fn an_old_pod_that_is_seen_later_is_no_news() {
    let selection = everything();
    let created = |second: u8, containers: Vec<Value>| {
        let mut pod = pod_with(json!({"containerStatuses": containers}));
        pod.metadata.creation_timestamp = Some(format!("2026-01-31T12:00:{second:02}Z").parse().unwrap());
        pod
    };
    let fresh = |waits: bool, second: u8, listed: Option<&str>| {
        let mut story = Story::new(&selection);
        if waits {
            story.see(&created(second, Vec::new()));
        }
        story.started();
        story.tracker.older_are_old(listed.map(|listed| listed.parse().unwrap()));
        story.see(&created(second, vec![running("a", 0)]));
        story.lives[0].2
    };
    let listed = Some("2026-01-31T12:00:30Z");
    assert!(!fresh(false, 29, listed));
    assert!(fresh(false, 30, listed) && fresh(true, 29, listed) && fresh(false, 29, None));
}

#[test]
fn a_pod_that_left_the_selection_is_dropped_until_it_comes_back() {
    let (selection, pod) = (everything(), pod(running("a", 0)));
    let mut story = Story::new(&selection);
    story.see(&pod).started();
    for round in 1..=2 {
        story.lose(&pod, Some(&pod));
        assert_eq!((story.gone, story.life(round - 1)), (0, Life::Dropped));
        // Lists lack it.
        story.tracker.relist();
        story.started();
        assert_eq!((story.gone, story.tracker.known, story.tracker.dropped.len()), (0, 1, 1));
        story.see(&pod);
        let (_, life, fresh) = &story.lives[round];
        assert_eq!((&*life.borrow(), fresh), (&Life::Running, &false));
        assert_eq!((story.tracker.known, story.tracker.dropped.len()), (2, 0));
    }
    story.delete(&pod);
    assert_eq!((story.gone, story.life(2), story.tracker.known), (1, Life::Deleted, 0));
}

#[test]
fn a_pod_in_doubt_that_is_not_there_or_another_one_is_gone() {
    let (selection, pod) = (everything(), pod(running("a", 0)));
    let mut other = pod.clone();
    other.metadata.uid = "u2".to_owned();
    for now in [None, Some(&other)] {
        let mut story = Story::new(&selection);
        story.see(&pod).started().lose(&pod, now);
        assert_eq!((story.gone, story.life(0), story.tracker.known), (1, Life::Deleted, 0));
    }
}

#[test]
fn a_pod_in_doubt_that_comes_back_before_the_answer_stays() {
    let (selection, pod) = (everything(), pod(running("a", 0)));
    let mut story = Story::new(&selection);
    story.see(&pod).started();
    let doubted = story.tracker.doubt(&pod).expect("it is read");
    story.see(&pod).settle(&doubted.identity, Some(&pod)).settle(&doubted.identity, None);
    assert_eq!((story.instances(), story.life(0), story.gone), (vec!["a"], Life::Running, 0));
}

#[test]
fn the_rest_of_a_container_that_ended_is_read_though_its_pod_left_the_selection() {
    let (selection, before) = (everything(), pod(running("a", 0)));
    let end = json!({"terminated": {"containerID": "a", "exitCode": 137, "reason": "OOMKilled"}});
    let ended = json!({"name": "app", "containerID": "a", "state": end});
    let restarted = json!({"name": "app", "containerID": "b", "restartCount": 1, "lastState": end,
                           "state": {"running": {}}});
    let life = |now: &Pod| {
        let mut story = Story::new(&selection);
        story.see(&before).started().lose(&before, Some(now));
        (story.life(0), story.gone, story.tracker.known)
    };
    assert_eq!(life(&pod(ended.clone())), (Life::Terminated(oom_killed()), 0, 1));
    // Of a pod that has ended nothing more comes.
    let over = pod_with(json!({"phase": "Failed", "containerStatuses": [ended]}));
    assert_eq!(life(&over), (Life::Terminated(oom_killed()), 1, 0));
    let replaced = Life::Replaced { ending: oom_killed(), restart_count: 1, started: None };
    assert_eq!(life(&pod(restarted)), (replaced, 0, 1));
    assert_eq!(life(&pod_with(json!({}))), (Life::Dropped, 0, 1));
}

#[test]
fn pods_that_a_list_lacks_are_asked_for_and_not_too_many_at_once() {
    let selection = everything();
    let mut story = Story::new(&selection);
    let named = |uid: &str| {
        let mut pod = pod(running(uid, 0));
        pod.metadata.uid = uid.to_owned();
        pod
    };
    for uid in ["a", "b", "c", "d", "e"] {
        story.see(&named(uid));
    }
    story.started();
    // The log of the first one was read to its end, and goes on there if its pod comes back.
    story.lives.remove(0);
    story.tracker.relist();
    story.see(&named("e"));
    let doubted = |story: &mut Story<'_>, most| -> Vec<String> {
        story.tracker.doubt_missing(most).iter().map(|pod| pod.identity[..1].to_owned()).collect()
    };
    assert_eq!(doubted(&mut story, 2), ["a", "b"]);
    story.started();
    let lives: Vec<Life> = (0..4).map(|at| story.life(at)).collect();
    assert_eq!((lives, story.gone), (vec![Life::Running, Life::Deleted, Life::Deleted, Life::Running], 2));
    // Not twice.
    story.tracker.relist();
    story.see(&named("e"));
    assert!(doubted(&mut story, 2).is_empty());
    let mut events = Vec::new();
    story.started().tracker.settle_all(&mut events);
    story.hear(events);
    assert_eq!((story.life(0), story.life(3), story.gone), (Life::Deleted, Life::Running, 4));
}

#[test]
fn pods_that_left_the_selection_are_forgotten_after_many_others() {
    let (selection, mut pod) = (everything(), pod(running("a", 0)));
    let mut story = Story::new(&selection);
    for n in 0..MOST_LEFT + 5 {
        pod.metadata.uid = n.to_string();
        story.see(&pod).lose(&pod, Some(&pod));
    }
    let most = MOST_LEFT as usize;
    assert_eq!((story.gone, story.tracker.dropped.len(), story.tracker.known), (5, most, most));
}

/// It would be awaited for ever.
#[test]
fn a_pod_that_left_the_selection_before_it_ended_did_not_complete() {
    let selection = Selection { on_complete: true, ..everything() };
    let mut tracker = Tracker::new(&selection, true, false, true);
    let (pod, mut changes) = (pod(running("a", 0)), Vec::new());
    tracker.apply(&pod, &mut changes);
    let doubted = tracker.doubt(&pod).expect("it is read");
    tracker.settle(&doubted.identity, Some(&pod), &mut changes);
    let Some(Change::Progress(_, progress)) = changes.pop() else { panic!("{changes:?}") };
    assert_eq!(progress.phase, Phase::Failed);
    assert!(progress.failures[0].text.ends_with("left the selection before it ended"));
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
    assert_eq!(story.instances(), ["setup", "app"]);
}

#[test]
fn more_pods_and_containers_than_can_be_known_are_reported_once() {
    let selection = everything();
    let mut tracker = Tracker::new(&selection, true, false, true);
    tracker.most = 4;
    let mut changes = Vec::new();
    let named = |name: &str, containers: Value| {
        let mut pod = pod_with(json!({"containerStatuses": containers}));
        pod.metadata.uid = name.to_owned();
        pod
    };
    tracker.apply(&named("a", json!([running("1", 0)])), &mut changes);
    tracker.apply(&named("b", json!([running("2", 0)])), &mut changes);
    assert_eq!(changes.len(), 2);
    tracker.apply(&named("c", json!([running("3", 0)])), &mut changes);
    tracker.apply(&named("d", json!([running("4", 0)])), &mut changes);
    assert_eq!((changes.len(), tracker.pods.len()), (3, 2));
    assert!(matches!(&changes[2], Change::Absent(notice) if notice.text.starts_with("more than 4 pods")));
    tracker.delete(&named("a", json!([])), &mut changes);
    tracker.apply(&named("d", json!([running("4", 0)])), &mut changes);
    assert_eq!((changes.len(), tracker.known), (5, 4));
    tracker.relist();
    tracker.relisted(&mut changes);
    assert_eq!(tracker.known, 0);
}

/// Its previous instance `a` ended before the start.
fn restarted(id: &str, restarts: u32) -> Value {
    let last =
        json!({"terminated": {"containerID": "a", "exitCode": 137, "startedAt": "2026-01-31T10:00:00Z"}});
    json!({"name": "app", "containerID": id, "restartCount": restarts, "lastState": last,
           "state": {"running": {"startedAt": "2026-01-31T11:00:00Z"}}})
}

#[test]
fn the_previous_instance_comes_first_if_it_is_wanted() {
    let selection = Selection { with_previous: true, ..everything() };
    let mut story = Story::new(&selection);
    story.see(&pod(restarted("b", 3)));
    assert_eq!(story.instances(), ["a", "b"]);
    let Life::Replaced { ending, restart_count: 3, started: Some(_) } = story.life(0) else {
        panic!("{:?}", story.life(0))
    };
    assert_eq!(ending.exit_code, Some(137));
    assert_eq!(story.life(1), Life::Running);
    // Not again with the next status, nor with the next restart, after which it is out of reach.
    story.see(&pod(restarted("b", 3))).see(&pod(restarted("c", 4)));
    assert_eq!(story.instances(), ["a", "b", "c"]);
    assert!(matches!(story.life(0), Life::Replaced { restart_count: 4, .. }));
}

#[test]
fn a_waiting_container_has_no_previous_instance_that_could_be_read() {
    let selection = Selection { with_previous: true, ..everything() };
    let mut story = Story::new(&selection);
    story.see(&pod(crashed("b", 3)));
    assert_eq!(story.instances(), ["b"]);
}

#[test]
fn the_life_of_a_previous_instance_ends_with_its_pod() {
    let selection = Selection { with_previous: true, ..everything() };
    let mut story = Story::new(&selection);
    let pod = pod(restarted("b", 3));
    story.see(&pod).delete(&pod);
    assert_eq!((story.life(0), story.life(1)), (Life::Deleted, Life::Deleted));
}
