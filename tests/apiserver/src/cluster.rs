//! The cluster behind the server. A test changes it while the server runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    clock::{self, Clock},
    containers::{Container, State},
    lock,
    logs::Log,
    metadata::new_uid,
    pods::Pod,
    resources::Resource,
    server::Inner,
    store::{Key, Store},
    workloads::Workload,
};

/// The state of the apiserver and the kubelets.
pub(crate) struct World {
    pub store: Store,
    pub pods: BTreeMap<Key, Running>,
    /// Pods whose status is held back.
    pub late: BTreeSet<Key>,
    clock: Clock,
    nodes: BTreeMap<String, Clock>,
    /// Nodes that keep no log of a previous instance.
    pub forgetful: BTreeSet<String>,
}

/// A pod and the logs of its container instances, by container ID.
pub(crate) struct Running {
    pub pod: Pod,
    logs: BTreeMap<String, Log>,
}

impl Running {
    /// The log of the instance with this ID. A pod without a node has none.
    pub fn log(&self, id: &str) -> Option<&Log> {
        self.logs.get(id)
    }

    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.logs.values()
    }

    fn forget_previous(&self) {
        let last = self.pod.containers.iter().filter_map(|container| container.last.as_ref());
        last.filter_map(|last| self.logs.get(&last.id)).for_each(Log::remove);
    }

    /// Starts, ends and forgets logs according to the containers' states.
    fn sync(&mut self, clock: &Clock) {
        let mut logs = BTreeMap::new();
        for Container { state, last, .. } in &self.pod.containers {
            let ended = matches!(state, State::Terminated(_));
            let now = state.id().map(|id| (id, ended));
            let before = last.as_ref().map(|last| (last.id.as_str(), true));
            for (id, ended) in now.into_iter().chain(before) {
                let log = self.logs.remove(id).unwrap_or_else(|| Log::new(clock.clone()));
                if ended {
                    log.end();
                }
                logs.insert(id.to_owned(), log);
            }
        }
        self.end();
        self.logs = logs;
    }

    pub fn end(&self) {
        self.logs.values().for_each(Log::end);
    }
}

impl World {
    pub fn new(clock: Clock) -> Self {
        let mut world = World {
            store: Store::new(),
            pods: BTreeMap::new(),
            late: BTreeSet::new(),
            clock,
            nodes: BTreeMap::new(),
            forgetful: BTreeSet::new(),
        };
        world.ensure("namespaces", "default");
        world.ensure("namespaces", "kube-system");
        world
    }

    fn ensure(&mut self, plural: &str, name: &str) {
        let resource = Resource::named(plural);
        if self.store.get(resource, &(String::new(), name.to_owned())).is_none() {
            self.store.put(resource, |version| {
                json!({
                    "metadata": {
                        "name": name, "uid": new_uid(), "resourceVersion": version.to_string(),
                        "labels": {"kubernetes.io/metadata.name": name},
                    },
                    "spec": {}, "status": {"phase": "Active"},
                })
            });
        }
    }

    fn publish(&mut self, key: &Key) {
        let node = self.pods.get(key).and_then(|running| running.pod.node.clone());
        let clock = self.node_clock(&node.unwrap_or_default());
        let running = self.pods.get_mut(key).expect("the pod was just added");
        running.sync(&clock);
        if running.pod.node.as_ref().is_some_and(|node| self.forgetful.contains(node)) {
            running.forget_previous();
        }
        let (pod, resource) = (&running.pod, Resource::named("pods"));
        if self.late.contains(key) {
            // The apiserver itself marks a deletion, whatever the kubelet reports.
            let deleted = pod.json(0)["metadata"]["deletionTimestamp"].clone();
            let Some(mut object) = self.store.get(resource, key).map(|object| object.value()) else { return };
            if object["metadata"]["deletionTimestamp"] != deleted {
                self.store.put(resource, |version| {
                    object["metadata"]["deletionTimestamp"] = deleted;
                    object["metadata"]["resourceVersion"] = json!(version.to_string());
                    object
                });
            }
            return;
        }
        self.store.put(resource, |version| pod.json(version));
    }

    fn add(&mut self, pod: Pod) {
        let pod = pod.complete();
        let key = (pod.namespace.clone(), pod.name.clone());
        assert!(!self.pods.contains_key(&key), "pod {}/{} exists already", key.0, key.1);
        self.ensure("namespaces", &pod.namespace);
        if let Some(node) = &pod.node {
            self.ensure("nodes", node);
        }
        self.pods.insert(key.clone(), Running { pod, logs: BTreeMap::new() });
        self.publish(&key);
    }

    /// Changes any object except a pod.
    pub fn replace(&mut self, plural: &str, key: &Key, change: impl FnOnce(&mut Value)) {
        let resource = Resource::named(plural);
        let object =
            self.store.get(resource, key).unwrap_or_else(|| panic!("there is no {plural} {}", key.1));
        let mut object = object.value();
        change(&mut object);
        self.store.put(resource, |version| {
            object["metadata"]["resourceVersion"] = json!(version.to_string());
            object
        });
    }

    pub fn node_clock(&mut self, node: &str) -> Clock {
        self.nodes.entry(node.to_owned()).or_insert_with(|| self.clock.of_node()).clone()
    }

    pub fn keep_no_previous(&mut self, node: &str) {
        self.forgetful.insert(node.to_owned());
        let of_node = self.pods.values().filter(|running| running.pod.node.as_deref() == Some(node));
        of_node.for_each(Running::forget_previous);
    }

    /// Changes a pod as its kubelet does, and publishes it.
    pub fn change(&mut self, key: &Key, change: impl FnOnce(&mut Pod)) {
        let node = self.pod(key).pod.node.clone().unwrap_or_default();
        let (server, node) = (self.clock.clone(), self.node_clock(&node));
        let pod = &mut self.pod(key).pod;
        clock::by(&server, &node, || change(pod));
        self.publish(key);
    }

    pub fn pod(&mut self, key: &Key) -> &mut Running {
        self.pods.get_mut(key).unwrap_or_else(|| panic!("there is no pod {}/{}", key.0, key.1))
    }
}

/// A path such as `shop/web-1`; the namespace may be left out when it is `default`.
pub(crate) fn pod_key(path: &str) -> Key {
    let (namespace, name) = path.split_once('/').unwrap_or(("default", path));
    (namespace.to_owned(), name.to_owned())
}

/// A path such as `shop/web-1/app`, or `web-1/app` in the namespace `default`.
pub(crate) fn container_key(path: &str) -> (Key, String) {
    let (pod, container) =
        path.rsplit_once('/').unwrap_or_else(|| panic!("{path:?} is not namespace/pod/container"));
    (pod_key(pod), container.to_owned())
}

/// A handle on the cluster, for a test or its threads. Every change gets a new resource version and is sent to the
/// watches. Pods are named `namespace/pod`, containers `namespace/pod/container`; the namespace `default` may be left
/// out. A missing object causes a panic.
#[derive(Clone)]
pub struct Cluster(pub(crate) Arc<Inner>);

impl Cluster {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut lock(&self.0.world));
        self.0.changed.notify_waiters();
        result
    }

    /// The list of the pods of a namespace, as the server gives it.
    pub fn pod_list(&self, namespace: &str) -> Value {
        let resource =
            Resource::all().iter().find(|resource| resource.plural == "pods").expect("there are pods");
        let world = lock(&self.0.world);
        let pods = world.store.of(resource).filter(|pod| pod.key.0 == namespace).cloned().collect::<Vec<_>>();
        let list = crate::store::list_document(resource, world.store.version, &pods, None);
        serde_json::from_slice(&list).expect("it is JSON")
    }

    /// Adds a pod, with its namespace and its node.
    pub fn add_pod(&self, pod: Pod) {
        self.change(|world| world.add(pod));
    }

    /// Adds a pod of this node that is made now, by the clocks of the server and of the node.
    pub fn add_new_pod(&self, node: &str, make: impl FnOnce() -> Pod) {
        self.change(|world| {
            let (server, node) = (world.clock.clone(), world.node_clock(node));
            let pod = clock::by(&server, &node, make);
            world.add(pod);
        });
    }

    /// Adds many pods at once.
    pub fn add_pods(&self, pods: impl IntoIterator<Item = Pod>) {
        self.change(|world| pods.into_iter().for_each(|pod| world.add(pod)));
    }

    /// Changes a pod: `server.update_pod("web-1", |pod| pod.label("track", "canary"))`.
    pub fn update_pod(&self, path: &str, update: impl FnOnce(Pod) -> Pod) {
        let key = pod_key(path);
        self.change(|world| world.change(&key, |pod| *pod = update(pod.clone()).complete()));
    }

    /// Deletes the pod at once. Followed logs end after their remaining lines.
    pub fn delete_pod(&self, path: &str) {
        let key = pod_key(path);
        self.change(|world| {
            world.pod(&key).end();
            world.forget(&key);
        });
    }

    /// Holds the status of this pod back until [`Cluster::report_status`]: its logs are ahead of its status.
    pub fn hold_status(&self, path: &str) {
        self.change(|world| world.late.insert(pod_key(path)));
    }

    pub fn report_status(&self, path: &str) {
        let key = pod_key(path);
        self.change(|world| {
            world.late.remove(&key);
            world.publish(&key);
        });
    }

    /// Ends the running instance, whose log becomes the previous one, and starts a new instance.
    pub fn restart_container(&self, path: &str) {
        self.update_container(path, Container::restart);
    }

    /// Ends the container for good.
    pub fn terminate_container(&self, path: &str, exit_code: i32, reason: &str) {
        self.update_container(path, |container| container.terminate(exit_code, reason));
    }

    /// Starts a container that waits or has ended.
    pub fn start_container(&self, path: &str) {
        let (key, name) = container_key(path);
        self.update_pod(&format!("{}/{}", key.0, key.1), |pod| pod.on(&name).running());
    }

    pub(crate) fn update_container(&self, path: &str, update: impl FnOnce(&mut Container)) {
        let (key, name) = container_key(path);
        self.change(|world| world.change(&key, |pod| update(pod.find_mut(&name))));
    }

    /// Adds a workload, or replaces the one with this name.
    pub fn add(&self, workload: Workload) {
        self.change(|world| {
            world.ensure("namespaces", &workload.namespace);
            world.store.put(workload.resource, |version| workload.json(version));
        });
    }

    pub fn add_namespace(&self, name: &str) {
        self.change(|world| world.ensure("namespaces", name));
    }

    pub fn add_node(&self, name: &str) {
        self.change(|world| world.ensure("nodes", name));
    }

    /// Adds any object except a pod, and sets its resource version.
    pub fn add_object(&self, resource: &str, mut object: Value) {
        let resource = Resource::named(resource);
        assert!(resource.plural != "pods", "add_pod adds pods, which have logs");
        self.change(|world| {
            world.store.put(resource, |version| {
                object["metadata"]["resourceVersion"] = json!(version.to_string());
                object
            });
        });
    }

    /// Removes any object except a pod: `server.remove("deployments", "shop/web")`.
    pub fn remove(&self, resource: &str, path: &str) {
        let resource = Resource::named(resource);
        let mut key = pod_key(path);
        if !resource.namespaced {
            key.0.clear();
        }
        assert!(
            self.change(|world| world.store.remove(resource, &key)),
            "there is no {} {path}",
            resource.plural
        );
    }

    /// The log of the current container instance, running or ended. A restart makes it the previous one.
    pub fn log(&self, path: &str) -> Log {
        self.instance(path, |container| container.state.id().map(str::to_owned))
    }

    /// The log of the previous instance, which `previous=true` requests.
    pub fn previous_log(&self, path: &str) -> Log {
        self.instance(path, |container| Some(container.last.as_ref()?.id.clone()))
    }

    fn instance(&self, path: &str, id: impl FnOnce(&Container) -> Option<String>) -> Log {
        let (key, name) = container_key(path);
        let mut world = lock(&self.0.world);
        let running = world.pod(&key);
        let id = id(running.pod.find_mut(&name)).unwrap_or_else(|| panic!("{path} has no such instance"));
        running.logs.get(&id).cloned().expect("every instance has a log")
    }

    /// The ID of the current container instance.
    pub fn container_id(&self, path: &str) -> String {
        let (key, name) = container_key(path);
        let mut world = lock(&self.0.world);
        let state = &world.pod(&key).pod.find_mut(&name).state;
        state.id().unwrap_or_else(|| panic!("{path} has no instance")).to_owned()
    }

    /// Sends a bookmark with the latest resource version to the watches that asked for bookmarks.
    pub fn bookmark(&self) {
        self.change(|world| world.store.bookmark());
    }

    /// Delays the events of watches by this, from the next one on.
    pub fn delay_watches(&self, delay: Duration) {
        lock(&self.0.access).watch_delay = delay;
    }

    /// Forgets the history of changes and all unfinished paged lists: older resource versions and continue tokens are
    /// answered with 410.
    pub fn compact(&self) {
        self.change(|world| world.store.compact());
    }

    /// Continue tokens given out so far are answered with 410.
    pub fn expire_continue_tokens(&self) {
        lock(&self.0.world).store.expire_snapshots();
    }
}
