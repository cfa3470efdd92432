//! Finds the processes that a process has started. Only Linux tells, in `/proc`.

use std::{collections::HashMap, fs};

use rustix::process::Pid;

/// Those of `ancestor` that run.
pub fn of(ancestor: Pid) -> Vec<Pid> {
    let mut children = HashMap::<Pid, Vec<Pid>>::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some((id, parent)) = process.file_name().to_str().and_then(with_parent) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = children.remove(&ancestor).unwrap_or_default();
    let mut next = 0;
    while let Some(id) = found.get(next) {
        found.extend(children.remove(id).unwrap_or_default());
        next += 1;
    }
    found
}

/// Whether a process runs, or would if it were not stopped.
pub fn runs(id: Pid) -> bool {
    with_parent(&id.as_raw_nonzero().to_string()).is_some()
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
