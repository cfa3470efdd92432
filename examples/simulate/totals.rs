//! The sums of many runs.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    script::{Followers, What},
    story::{Instance, Story},
};

/// What happened in some runs, in numbers, by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    pub counts: BTreeMap<String, u64>,
}

impl Totals {
    pub fn of(story: &Story) -> Totals {
        let mut totals = Totals::default();
        let mut add = |name: &str, count: u64| *totals.counts.entry(name.to_owned()).or_default() += count;
        let instances = || story.containers.iter().flat_map(|container| &container.instances);
        let sum = |count: fn(&Instance) -> usize| instances().map(count).sum::<usize>() as u64;
        let newlines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        add("runs", 1);
        add("simulated milliseconds", millis(story.ended));
        add("containers", story.containers.len() as u64);
        add("lines written", sum(|instance| instance.lines.len()));
        add("lines shown", story.stdout.iter().map(|written| newlines(&written.bytes)).sum());
        add("restarts", sum(|_| 1) - story.containers.len() as u64);
        add("rotations", sum(|instance| instance.files.len() - 1));
        add("requests", story.requests.len() as u64);
        let kinds: Vec<&str> = story.script.events.iter().filter_map(|event| fault(&event.what)).collect();
        add("runs without a fault", u64::from(kinds.is_empty()));
        add("faults", kinds.len() as u64);
        if let Ok(code) = &story.code {
            add(&format!("ended with {code:?}"), 1);
        }
        kinds.iter().for_each(|kind| add(&format!("fault: {kind}"), 1));
        totals
    }

    pub fn add(&mut self, other: &Totals) {
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
    }
}

/// The kind of what makes it hard to read logs.
fn fault(what: &What) -> Option<&'static str> {
    match what {
        What::Fault(fault) => Some(fault.kind()),
        What::Appears(pod) if !pod.late.is_zero() => Some("pods known late"),
        What::Restarts(_, restart) if !restart.late.is_zero() => Some("statuses held back"),
        What::Rotates(_, Followers::FallSilent) | What::FallsSilent(_) => Some("followers that fall silent"),
        What::Rotates(_, Followers::Skip) => Some("followers that skip lines at a rotation"),
        _ => None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.iter().try_for_each(|(name, count)| writeln!(f, "{count:>12} {name}"))
    }
}
