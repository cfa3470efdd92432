//! Pods and workloads, whatever a server says of them.

use serde_json::Value;

use super::{pod::Pod, resource};
use crate::cluster::fuzz as answers;

fn judge(pod: &Pod) {
    let _ = (pod.identity(), pod.owner(), pod.absence(), pod.deleting(), pod.created());
    let status = &pod.status;
    let lists =
        [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    for status in lists.into_iter().flatten().flatten() {
        if let Some(instance) = status.instance() {
            assert!(instance.is(&instance));
            status.ending(&instance);
        }
        status.started();
        pod.container(&status.name);
    }
}

/// A list of pods, a pod, or a workload with the selector of its pods.
pub fn list(input: &[u8]) {
    answers::list(input).iter().for_each(judge);
    answers::object(input).iter().for_each(judge);
    if let Ok(object) = serde_json::from_slice::<Value>(input) {
        assert_ne!(resource::selector(&object["spec"]).as_deref(), Some(""));
    }
}

/// A line of a watch.
pub fn watch(input: &[u8]) {
    answers::event(input).iter().for_each(judge);
}
