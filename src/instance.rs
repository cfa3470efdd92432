//! One life of a container, as far as `select` and `tail` know it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{event::Ending, origin::Origin};

/// One instance of a container: a restart makes another of the same origin.
#[derive(Debug, Default)]
pub struct Instance {
    pub origin: Arc<Origin>,
    /// As the container runtime names it, such as `containerd://4f5e…`.
    pub container_id: String,
    pub restart_count: u32,
    /// In whole seconds.
    pub started: Option<Timestamp>,
}

/// What is known of an instance now, told to its tail as it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    Running,
    /// It runs, and its pod is being deleted: soon there will be no log.
    Terminating,
    /// It ended; its log is the container's current one until a new instance starts.
    Terminated(Ending),
    /// A new instance runs; while it is the only one since, the log of this one is the previous one.
    Replaced {
        ending: Ending,
        /// Of the new instance.
        restart_count: u32,
        /// When the new instance started, in whole seconds.
        started: Option<Timestamp>,
    },
    /// The pod is gone, and its logs with it.
    Deleted,
    /// The pod no longer meets `--condition`.
    Dropped,
}

impl Life {
    /// From when on lines in the container's current log can only be those of a later instance.
    ///
    /// The instants of lines and of statuses come from the same node, the latter in whole seconds. Last lines are stamped
    /// when the runtime reads them, which on a busy node can be after the end.
    pub fn log_end(&self) -> Option<Timestamp> {
        let (known, slack) = match self {
            Self::Terminated(ending) => (ending.finished, 5),
            Self::Replaced { started, .. } => (*started, 1),
            Self::Running | Self::Terminating | Self::Deleted | Self::Dropped => (None, 0),
        };
        known?.checked_add(SignedDuration::from_secs(slack)).ok()
    }
}
