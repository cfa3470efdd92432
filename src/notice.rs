//! What is said to the user and has no place among log lines.

use std::sync::Arc;

use crate::{
    batch::{EndReason, Instant},
    target::{PodInfo, Target},
};

#[derive(Debug, Clone)]
pub enum Notice {
    /// `+ pod › container`
    Started(Arc<Target>),
    /// `- pod › container`
    Ended(Arc<Target>, EndReason),
    /// Lines of a target between these instants may be missing.
    Gap(Arc<Target>, Option<Instant>, Option<Instant>),
    /// A container that has not started, or all of a pod, and why: `! pod › container waits: ImagePullBackOff: …`
    Waiting { pod: Arc<PodInfo>, container: Option<String>, reason: String },
    /// A pod that ended before any of its containers started: `! pod failed: Evicted: …`
    Failed { pod: Arc<PodInfo>, reason: String },
    /// Something about one target that the user should know: `! pod › container: …`
    About(Arc<Target>, String),
    /// Something about the whole run that is good to know; left out by `--only-log-lines`.
    Info(String),
    /// What is asked of the apiserver, for `--verbosity`.
    Trace(String),
    /// Something about the whole run that went wrong; always said.
    Warning(String),
}
