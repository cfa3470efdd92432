//! Ends all that a plugin started where it has no process group of its own.
//!
//! Orphans become children of this process, so that they can be found; only Linux knows both that and `/proc`. Elsewhere
//! only the plugin itself is ended.

use std::collections::HashSet;

use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::descendants;

/// A process may start others while they are looked for.
const ROUNDS: usize = 4;

/// What this process has started since.
pub struct Family {
    /// Those that were there before: agents of earlier plugins.
    others: HashSet<Pid>,
}

impl Family {
    pub fn new() -> Family {
        #[cfg(target_os = "linux")]
        // If refused, orphans are not found.
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
        Family { others: descendants::of(getpid()).into_iter().collect() }
    }

    pub fn kill(&self) {
        for _ in 0..ROUNDS {
            let found: Vec<_> =
                descendants::of(getpid()).into_iter().filter(|id| !self.others.contains(id)).collect();
            if found.is_empty() {
                return;
            }
            for id in found {
                // An error means that it has ended by itself.
                let _ = kill_process(id, Signal::KILL);
            }
        }
    }
}
