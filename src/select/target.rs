//! What is tailed: one instance of one container.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

/// What every container of a pod has in common.
#[derive(Debug, Default)]
pub struct PodInfo {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// The node's name; empty before the pod is scheduled.
    pub node: String,
    /// The controller that owns the pod, such as `ReplicaSet/web-7d9c5b8f6`.
    pub owner: Option<Owner>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub created: Option<Timestamp>,
}

/// The controlling entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub kind: String,
    pub name: String,
}

/// Which list of the pod's spec names a container.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerKind {
    Init,
    #[default]
    Container,
    Ephemeral,
}

/// One instance of a container: a restart makes another.
#[derive(Debug, Default)]
pub struct Target {
    pub pod: Arc<PodInfo>,
    pub container: String,
    pub kind: ContainerKind,
    /// As the container runtime names it, such as `containerd://4f5e…`.
    pub container_id: String,
    pub restart_count: u32,
}

/// What is known of an instance now, told to its tail as it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    Running,
    /// It ended; its log is the container's current one until a new instance starts.
    Terminated {
        reason: String,
        exit_code: i32,
    },
    /// A new instance runs; while it is the only one since, the log of this one is the previous one.
    Replaced {
        reason: String,
        exit_code: i32,
        restart_count: u32,
    },
    /// The pod is gone, and its logs with it.
    Deleted,
    /// The pod no longer meets `--condition`.
    Dropped,
}
