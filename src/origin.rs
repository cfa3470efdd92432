//! An origin: the source of lines as users know it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

/// The source of lines. All restarts of a container are one.
#[derive(Debug, Default, Clone)]
pub struct Origin {
    pub kind: Kind,
    pub pod: Arc<PodInfo>,
    pub container: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A container in the pod's list of init containers.
    Init,
    #[default]
    Container,
    Ephemeral,
    /// Standard input, without names.
    Stdin,
}

impl Origin {
    pub fn stdin() -> Origin {
        Origin { kind: Kind::Stdin, ..Origin::default() }
    }

    /// Whether it has names to show beside its lines.
    pub fn is_named(&self) -> bool {
        self.kind != Kind::Stdin
    }
}

/// The properties shared by all containers of a pod.
#[derive(Debug, Default, Clone)]
pub struct PodInfo {
    pub namespace: String,
    pub name: String,
    /// Distinguishes it from every other pod.
    pub identity: String,
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
