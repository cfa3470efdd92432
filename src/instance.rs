//! One instance of a container, as `select` and `tail` know it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{event::Ending, origin::Origin};

/// One instance of a container: a restart makes another one of the same origin.
#[derive(Debug, Default)]
pub struct Instance {
    pub origin: Arc<Origin>,
    /// The container runtime's ID, for example `containerd://4f5e…`.
    pub container_id: String,
    pub restart_count: u32,
    /// In whole seconds.
    pub started: Option<Timestamp>,
    /// Whether it had been replaced before it was seen: its log is shown if the node still has it.
    pub is_past: bool,
}

/// The current state of an instance, sent to its tail on each change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    Running,
    /// It runs, and its pod is being deleted: its log will soon be gone.
    Terminating,
    /// It ended; its log stays the current one until a new instance starts.
    Terminated(Ending),
    /// A new instance runs; until a further restart, the log of this one is the previous one.
    Replaced {
        ending: Ending,
        /// Of the new instance.
        restart_count: u32,
        /// When the new instance started, in whole seconds.
        started: Option<Timestamp>,
    },
    /// The pod and its logs are gone.
    Deleted,
    /// The pod no longer meets `--condition`, or left the selection.
    Dropped,
}

impl Life {
    /// Lines in the container's current log after this time belong to a later instance.
    ///
    /// Lines and statuses have times of the same node, statuses in whole seconds. The runtime stamps lines when it
    /// reads them, which on a busy node can be after the end.
    pub fn log_end(&self) -> Option<Timestamp> {
        let (known, slack) = match self {
            Self::Terminated(ending) => (ending.finished, 5),
            Self::Replaced { started, .. } => (*started, 1),
            Self::Running | Self::Terminating | Self::Deleted | Self::Dropped => (None, 0),
        };
        known?.checked_add(SignedDuration::from_secs(slack)).ok()
    }
}

/// An instance as the apiserver knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the current one of its container.
    Current,
    /// The same, and its container waits for a restart: the kubelet serves its log as the current and as the previous
    /// one.
    Waiting,
    /// Another one of its container has taken its place. `started`: when that one did, in whole seconds, if that is
    /// known. `is_next`: whether none was between.
    Replaced { started: Option<Timestamp>, is_next: bool },
    /// Another pod has its name.
    OtherPod,
    /// There is no pod of that name.
    Gone,
}

impl Standing {
    /// Whether it is the current one of its container.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Current | Self::Waiting)
    }
}
