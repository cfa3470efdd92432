//! An origin: the source of lines as users know it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

/// A container of a pod, through all its restarts; or standard input, which has no names.
#[derive(Debug, Default)]
pub struct Origin {
    pub pod: Arc<PodInfo>,
    pub container: String,
    pub kind: ContainerKind,
}

impl Origin {
    /// Whether it has a name to show beside its lines.
    pub fn is_named(&self) -> bool {
        !self.pod.name.is_empty()
    }
}

/// The properties shared by all containers of a pod.
#[derive(Debug, Default)]
pub struct PodInfo {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// The node's name; empty before the pod is scheduled.
    pub node: String,
    /// The controller that owns the pod, for example `ReplicaSet/web-7d9c5b8f6`.
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

/// The list in the pod's spec that contains a container.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerKind {
    Init,
    #[default]
    Container,
    Ephemeral,
}
