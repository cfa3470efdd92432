//! Ends all that a plugin started where it has no process group of its own.
//!
//! Orphans become children of this process, so that they can be found; only Linux knows both that and `/proc`. Elsewhere
//! only the plugin itself is ended.

use std::{
    collections::{HashMap, HashSet},
    fs,
};

use rustix::process::{Pid, Signal, getpid, kill_process};

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
        Family { others: descendants().into_iter().collect() }
    }

    pub fn kill(&self) {
        for _ in 0..ROUNDS {
            let found: Vec<_> = descendants().into_iter().filter(|id| !self.others.contains(id)).collect();
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

/// Those of this process that run.
fn descendants() -> Vec<Pid> {
    let mut children = HashMap::<Pid, Vec<Pid>>::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some((id, parent)) = process.file_name().to_str().and_then(with_parent) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = children.remove(&getpid()).unwrap_or_default();
    let mut next = 0;
    while let Some(id) = found.get(next) {
        found.extend(children.remove(id).unwrap_or_default());
        next += 1;
    }
    found
}

/// None if it has ended.
fn with_parent(id: &str) -> Option<(Pid, Pid)> {
    let number = |text: &str| text.parse().ok().and_then(Pid::from_raw);
    let id_number = number(id)?;
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // `42 (name) S 1 …`; a name may have brackets and spaces.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let runs = fields.next().is_some_and(|state| state != "Z");
    let parent = fields.next().and_then(number)?;
    runs.then_some((id_number, parent))
}
