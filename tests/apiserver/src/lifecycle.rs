//! The lives of pods, namespaces and nodes, step by step as a kubelet and the controllers take them.

use std::time::Duration;

use serde_json::json;

use crate::{
    Cluster,
    cluster::{World, container_key, pod_key},
    containers::State,
    lock,
    resources::Resource,
    store::Key,
};

/// The answers to requests for the logs of a node whose kubelet cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// 500: its port is closed.
    Refused,
    /// 500, after this time: nothing answers.
    Unreachable(Duration),
    /// 504, after this time: the apiserver gives up.
    TimedOut(Duration),
    /// No answer at all.
    Silent,
}

/// # Pods that end
impl Cluster {
    /// Begins a graceful deletion: the pod gets its `deletionTimestamp`, and its containers may still write. Usually
    /// [`Cluster::terminate_container`], [`Cluster::remove_logs`] and [`Cluster::delete_pod`] follow, in any order.
    pub fn begin_deletion(&self, path: &str) {
        self.update_pod(path, crate::Pod::deleting);
    }

    /// Deletes the pod without grace: the object is gone at once, and new requests find no pod. Its containers write on
    /// until [`Log::end`](crate::Log::end) of each, which followers still hear.
    pub fn delete_without_grace(&self, path: &str) {
        let key = pod_key(path);
        self.change(|world| world.forget(&key));
    }

    /// Evicts the pod: its containers are killed, and the object stays as failed.
    pub fn evict(&self, path: &str, message: &str) {
        let key = pod_key(path);
        self.change(|world| {
            world.change(&key, |pod| {
                for container in &mut pod.containers {
                    if matches!(container.state, State::Running { .. }) {
                        container.terminate(137, "Error");
                    }
                }
                *pod = pod.clone().failed("Evicted", message);
            });
        });
    }

    /// Ends the running instance and waits with the next one, as a kubelet does after several crashes. Then
    /// [`Cluster::restart_container`] starts it.
    pub fn crash_container(&self, path: &str, exit_code: i32) {
        let (key, name) = container_key(path);
        self.update_container(path, |container| {
            container.terminate(exit_code, "Error");
            container.retire();
            let reason = "CrashLoopBackOff".to_owned();
            let pod = format!("{}_{}", key.1, key.0);
            let message = format!("back-off 10s restarting failed container={name} pod={pod}");
            container.state = State::Waiting { reason, message };
        });
    }

    /// Removes the logs of the pod's containers: requests get the kubelet's text in their place. Followers have their
    /// files open still.
    pub fn remove_logs(&self, path: &str) {
        let key = pod_key(path);
        self.change(|world| world.pod(&key).logs().for_each(|log| log.remove()));
    }

    /// Removes the log of the previous instance.
    pub fn remove_previous_log(&self, path: &str) {
        self.previous_log(path).remove();
    }

    /// Makes the kubelet of a node keep no log of a previous instance from now on, nor those that it has.
    pub fn keep_no_previous(&self, node: &str) {
        self.change(|world| world.keep_no_previous(node));
    }
}

/// # Namespaces and nodes
impl Cluster {
    /// Begins the deletion of a namespace and of all its pods, which have their grace.
    pub fn begin_namespace_deletion(&self, name: &str) {
        self.change(|world| {
            for key in world.keys_of(name) {
                world.change(&key, |pod| *pod = pod.clone().deleting());
            }
            world.replace("namespaces", &(String::new(), name.to_owned()), |namespace| {
                namespace["metadata"]["deletionTimestamp"] =
                    json!(crate::metadata::seconds(self.0.clock.now()));
                namespace["status"]["phase"] = json!("Terminating");
            });
        });
    }

    /// Deletes all pods of a namespace, and then the namespace itself.
    pub fn delete_namespace(&self, name: &str) {
        self.change(|world| {
            for key in world.keys_of(name) {
                world.pod(&key).end();
                world.forget(&key);
            }
            world.store.remove(Resource::named("namespaces"), &(String::new(), name.to_owned()));
        });
    }

    /// Loses the way to a node: followed logs fall silent, and requests get what the outage says. The status of its
    /// pods stays as it was, unless the test changes it, until [`Cluster::find_node`].
    pub fn lose_node(&self, node: &str, outage: Outage) {
        lock(&self.0.access).outages.insert(node.to_owned(), outage);
        self.change(|world| {
            let of_node = world.pods.values().filter(|running| running.pod.node.as_deref() == Some(node));
            of_node.flat_map(|running| running.logs()).for_each(|log| {
                log.silence_followers();
            });
        });
    }

    /// The kubelet of the node answers again. Logs that were followed before stay silent.
    pub fn find_node(&self, node: &str) {
        lock(&self.0.access).outages.remove(node);
    }
}

impl World {
    fn keys_of(&self, namespace: &str) -> Vec<Key> {
        self.pods.keys().filter(|key| key.0 == namespace).cloned().collect()
    }

    /// Removes the object, whatever its containers do.
    pub fn forget(&mut self, key: &Key) {
        self.pods.remove(key);
        self.late.remove(key);
        self.store.remove(Resource::named("pods"), key);
    }
}
