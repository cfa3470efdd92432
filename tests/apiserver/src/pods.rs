//! Pods, and their JSON as an apiserver serves it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    clock,
    containers::{Container, Kind, State, Terminated, new_container_id},
    metadata::{new_uid, seconds},
};

/// A pod, built by chained calls. The default is an ordinary running pod:
///
/// ```
/// # use apiserver::Pod;
/// let pod = Pod::new("web-1").namespace("shop").label("app", "web").node("node-a")
///     .init_container("setup")
///     .container("app").restarts(2).last_terminated(137, "OOMKilled")
///     .container("proxy").waiting("ImagePullBackOff", "Back-off pulling image")
///     .owner("ReplicaSet", "web-7d9");
/// ```
///
/// Calls about a container (`waiting`, `restarts`, …) apply to the one named last. A pod without any container
/// gets one named `app`.
#[derive(Debug, Clone)]
pub struct Pod {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) node: Option<String>,
    pub(crate) containers: Vec<Container>,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
    owners: Vec<(String, String)>,
    conditions: Vec<(String, bool)>,
    /// Reason and message of the condition `PodScheduled`, from the scheduler.
    unschedulable: Option<(String, String)>,
    phase: Option<String>,
    /// Reason and message in the pod's status.
    failed: Option<(String, String)>,
    deleted: Option<Timestamp>,
    created: Timestamp,
    current: usize,
    /// As virtual kubelets do: lines have no timestamps, containers no IDs.
    pub(crate) untimed: bool,
    without_ids: bool,
}

impl Pod {
    /// A running pod of the namespace `default` on the node `node-1`.
    pub fn new(name: impl Into<String>) -> Self {
        Pod {
            name: name.into(),
            namespace: "default".to_owned(),
            uid: new_uid(),
            node: Some("node-1".to_owned()),
            containers: Vec::new(),
            labels: Vec::new(),
            annotations: Vec::new(),
            owners: Vec::new(),
            conditions: Vec::new(),
            unschedulable: None,
            phase: None,
            failed: None,
            deleted: None,
            created: clock::server_now(),
            current: 0,
            untimed: false,
            without_ids: false,
        }
    }

    /// Its kubelet gives no timestamps.
    pub fn untimed(mut self) -> Self {
        self.untimed = true;
        self
    }

    /// Its status has no container IDs.
    pub fn without_ids(mut self, without: bool) -> Self {
        self.without_ids = without;
        self
    }

    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Not yet scheduled: without a node, and so without a status of its containers.
    pub fn unscheduled(mut self) -> Self {
        self.node = None;
        self
    }

    /// The same with the scheduler's reason, such as `("Unschedulable", "0/3 nodes are available")`.
    pub fn unschedulable(mut self, reason: &str, message: &str) -> Self {
        self.unschedulable = Some((reason.to_owned(), message.to_owned()));
        self.unscheduled()
    }

    /// Failed before any container started, such as `("Evicted", "The node was low on resource: memory.")`.
    pub fn never_started(mut self, reason: &str, message: &str) -> Self {
        self.at().reported = false;
        self.failed(reason, message)
    }

    /// Failed as a whole.
    pub fn failed(mut self, reason: &str, message: &str) -> Self {
        self.failed = Some((reason.to_owned(), message.to_owned()));
        self.phase("Failed")
    }

    pub fn uid(mut self, uid: impl Into<String>) -> Self {
        self.uid = uid.into();
        self
    }

    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = at;
        self
    }

    /// Sets a label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        set(&mut self.labels, key, value);
        self
    }

    pub fn without_label(mut self, key: &str) -> Self {
        self.labels.retain(|(k, _)| k != key);
        self
    }

    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        set(&mut self.annotations, key, value);
        self
    }

    /// Names the controller, such as `("ReplicaSet", "web-7d9")`.
    pub fn owner(mut self, kind: &str, name: &str) -> Self {
        self.owners.push((kind.to_owned(), name.to_owned()));
        self
    }

    /// Overrides a condition, or adds one of a custom type.
    pub fn condition(mut self, kind: &str, status: bool) -> Self {
        self.conditions.retain(|(k, _)| k != kind);
        self.conditions.push((kind.to_owned(), status));
        self
    }

    /// Lets a condition follow from the containers' states again.
    pub fn without_condition(mut self, kind: &str) -> Self {
        self.conditions.retain(|(k, _)| k != kind);
        self
    }

    /// Overrides the phase that follows from the containers' states.
    pub fn phase(mut self, phase: &str) -> Self {
        self.phase = Some(phase.to_owned());
        self
    }

    /// Lets the phase follow from the containers' states again.
    pub fn without_phase(mut self) -> Self {
        self.phase = None;
        self
    }

    /// Sets `deletionTimestamp`: the pod is being deleted, and its containers may still write.
    pub fn deleting(mut self) -> Self {
        self.deleted = Some(clock::server_now());
        self
    }

    /// Adds a running container.
    pub fn container(self, name: &str) -> Self {
        self.with(Container::new(name, Kind::Main))
    }

    /// Adds an init container that has completed.
    pub fn init_container(self, name: &str) -> Self {
        self.with(Container::new(name, Kind::Init))
    }

    /// Adds an init container that runs.
    pub fn running_init_container(self, name: &str) -> Self {
        let mut container = Container::new(name, Kind::Init);
        container.state = State::started();
        self.with(container)
    }

    /// Adds a running sidecar: an init container with the restart policy `Always`.
    pub fn sidecar(self, name: &str) -> Self {
        self.with(Container::new(name, Kind::Sidecar))
    }

    /// Adds a running ephemeral container.
    pub fn ephemeral(self, name: &str) -> Self {
        self.with(Container::new(name, Kind::Ephemeral))
    }

    fn with(mut self, container: Container) -> Self {
        self.current = self.containers.len();
        self.containers.push(container);
        self
    }

    /// Applies the next calls to this container.
    pub fn on(mut self, name: &str) -> Self {
        self.current = self
            .containers
            .iter()
            .position(|c| c.name == name)
            .unwrap_or_else(|| panic!("pod {} has no container {name}", self.name));
        self
    }

    pub fn image(mut self, image: &str) -> Self {
        self.at().image = image.to_owned();
        self
    }

    /// Makes the container run, as a new instance unless it is running already.
    pub fn running(mut self) -> Self {
        let container = self.at();
        container.reported = true;
        if !matches!(container.state, State::Running { .. }) {
            container.retire();
            container.state = State::started();
        }
        self
    }

    /// Makes the container wait. An instance that ran before becomes its last state.
    pub fn waiting(mut self, reason: &str, message: &str) -> Self {
        let container = self.at();
        // With a restart count there was an earlier instance, even if the test does not define its end.
        let ran = container.restarts > 0 && container.last.is_none();
        if ran || matches!(container.state, State::Terminated(_)) {
            container.retire();
        }
        container.state = State::Waiting { reason: reason.to_owned(), message: message.to_owned() };
        self
    }

    /// Ends the container for good.
    pub fn terminated(mut self, exit_code: i32, reason: &str) -> Self {
        self.at().terminate(exit_code, reason);
        self
    }

    /// Sets the end of the previous instance, whose log `previous=true` requests.
    pub fn last_terminated(mut self, exit_code: i32, reason: &str) -> Self {
        let end = Terminated::new(new_container_id(), exit_code, reason, clock::node_now());
        let container = self.at();
        container.last = Some(end);
        container.restarts = container.restarts.max(1);
        self
    }

    /// Sets the start of the instance that runs, or ran last.
    pub fn started(mut self, at: Timestamp) -> Self {
        match &mut self.at().state {
            State::Running { started, .. } | State::Terminated(Terminated { started, .. }) => *started = at,
            State::Waiting { .. } => panic!("a waiting container has not started"),
        }
        self
    }

    /// Sets how long the instance that ended had run, in seconds: from its start, or for the previous instance up to
    /// its end.
    pub fn ran(mut self, seconds: i64) -> Self {
        let (container, time) = (self.at(), SignedDuration::from_secs(seconds));
        match (&mut container.state, &mut container.last) {
            (State::Terminated(end), _) => end.finished = end.started + time,
            (_, Some(end)) => end.started = end.finished - time,
            _ => panic!("no instance has ended"),
        }
        self
    }

    pub fn restarts(mut self, count: u32) -> Self {
        self.at().restarts = count;
        self
    }

    /// Sets the ID of the running instance, such as `containerd://abc`.
    pub fn container_id(mut self, id: &str) -> Self {
        match &mut self.at().state {
            State::Running { id: old, .. } | State::Terminated(Terminated { id: old, .. }) => {
                id.clone_into(old);
            }
            State::Waiting { .. } => panic!("a waiting container has no ID"),
        }
        self
    }

    /// Omits the container's status: the kubelet has not reported it yet.
    pub fn unreported(mut self) -> Self {
        self.at().reported = false;
        self
    }

    fn at(&mut self) -> &mut Container {
        if self.containers.is_empty() {
            self.containers.push(Container::new("app", Kind::Main));
        }
        let at = self.current;
        &mut self.containers[at]
    }

    /// Fills in the fields that every pod has.
    pub(crate) fn complete(mut self) -> Self {
        if self.containers.is_empty() {
            self.containers.push(Container::new("app", Kind::Main));
        }
        if self.node.is_none() {
            self.containers.iter_mut().for_each(|container| container.reported = false);
        }
        self
    }

    pub(crate) fn find(&self, container: &str) -> Option<&Container> {
        self.containers.iter().find(|c| c.name == container)
    }

    pub(crate) fn find_mut(&mut self, container: &str) -> &mut Container {
        let name = self.name.clone();
        self.containers
            .iter_mut()
            .find(|c| c.name == container)
            .unwrap_or_else(|| panic!("pod {name} has no container {container}"))
    }

    pub(crate) fn names(&self, kind: Kind) -> Vec<&str> {
        self.containers.iter().filter(|c| c.kind == kind).map(|c| c.name.as_str()).collect()
    }

    fn implied_phase(&self) -> &str {
        let main = || self.containers.iter().filter(|c| c.kind == Kind::Main);
        if main().all(|c| matches!(c.state, State::Terminated(_))) {
            let failed = |c: &Container| matches!(&c.state, State::Terminated(end) if end.exit_code != 0);
            return if main().any(failed) { "Failed" } else { "Succeeded" };
        }
        let began = main().any(|c| c.reported && (c.state.id().is_some() || c.last.is_some()));
        if began { "Running" } else { "Pending" }
    }

    fn conditions_json(&self) -> Vec<Value> {
        let of = |kind: Kind| self.containers.iter().filter(move |c| c.kind == kind);
        let initialized =
            of(Kind::Init).all(|c| matches!(&c.state, State::Terminated(end) if end.exit_code == 0));
        let ready = of(Kind::Main).all(|c| c.reported && matches!(c.state, State::Running { .. }));
        let mut conditions = vec![
            ("Initialized".to_owned(), initialized),
            ("Ready".to_owned(), ready),
            ("ContainersReady".to_owned(), ready),
            ("PodScheduled".to_owned(), self.node.is_some()),
        ];
        for (kind, status) in &self.conditions {
            conditions.retain(|(k, _)| k != kind);
            conditions.push((kind.clone(), *status));
        }
        let json = |(kind, status): (String, bool)| {
            let mut condition = json!({"type": kind, "status": if status { "True" } else { "False" }});
            if let Some((reason, message)) =
                self.unschedulable.as_ref().filter(|_| kind == "PodScheduled" && !status)
            {
                (condition["reason"], condition["message"]) = (json!(reason), json!(message));
            }
            condition
        };
        conditions.into_iter().map(json).collect()
    }

    pub(crate) fn json(&self, resource_version: u64) -> Value {
        let mut metadata = json!({
            "name": self.name, "namespace": self.namespace, "uid": self.uid,
            "resourceVersion": resource_version.to_string(), "creationTimestamp": seconds(self.created),
        });
        if !self.labels.is_empty() {
            metadata["labels"] = pairs(&self.labels);
        }
        if !self.annotations.is_empty() {
            metadata["annotations"] = pairs(&self.annotations);
        }
        if !self.owners.is_empty() {
            metadata["ownerReferences"] = self.owners.iter().map(owner_json).collect();
        }
        if let Some(at) = self.deleted {
            metadata["deletionTimestamp"] = json!(seconds(at));
            metadata["deletionGracePeriodSeconds"] = json!(30);
        }

        let mut spec = json!({"restartPolicy": "Always"});
        if let Some(node) = &self.node {
            spec["nodeName"] = json!(node);
        }
        let phase = self.phase.as_deref().unwrap_or_else(|| self.implied_phase());
        let mut status = json!({"phase": phase, "conditions": self.conditions_json()});
        if let Some((reason, message)) = &self.failed {
            (status["reason"], status["message"]) = (json!(reason), json!(message));
        }
        for (kinds, in_spec, in_status) in [
            (&[Kind::Init, Kind::Sidecar][..], "initContainers", "initContainerStatuses"),
            (&[Kind::Main], "containers", "containerStatuses"),
            (&[Kind::Ephemeral], "ephemeralContainers", "ephemeralContainerStatuses"),
        ] {
            let of = || self.containers.iter().filter(|c| kinds.contains(&c.kind));
            if of().next().is_some() {
                spec[in_spec] = of().map(Container::spec).collect();
            }
            if of().any(|c| c.reported) {
                status[in_status] = of().filter(|c| c.reported).map(Container::status).collect();
            }
        }
        if self.without_ids {
            remove_ids(&mut status);
        }
        json!({"metadata": metadata, "spec": spec, "status": status})
    }
}

fn set(pairs: &mut Vec<(String, String)>, key: &str, value: &str) {
    pairs.retain(|(k, _)| k != key);
    pairs.push((key.to_owned(), value.to_owned()));
}

fn pairs(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>())
}

fn owner_json((kind, name): &(String, String)) -> Value {
    let api_version = match kind.as_str() {
        "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Deployment" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        _ => "v1",
    };
    json!({
        "apiVersion": api_version, "kind": kind, "name": name, "uid": format!("uid-of-{name}"),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// Removes the container IDs of a status.
fn remove_ids(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("containerID");
            fields.values_mut().for_each(remove_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_ids),
        _ => {}
    }
}
