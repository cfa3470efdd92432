//! The phases: what was written before the start is complete first, then lines are live.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Arrival, ByTime,
    held::Source,
    lane::{Lane, Stage},
};
use crate::{
    event::Event,
    notice::{Notice, Scope},
};

/// While the history is read, origins that make no progress for this long are not waited for any more.
pub const STALLED: Duration = Duration::from_secs(10);

/// The most origins that a message names.
const NAMED: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What was written before the start is read. Whether all origins are known, and since when none makes progress.
    History {
        listed: bool,
        progress: Instant,
    },
    Live {
        since: Instant,
    },
    /// No more events come.
    Closed,
}

impl ByTime {
    /// Goes on to live lines once the history is complete, or what is missing of it does not come.
    pub(super) fn review(&mut self, now: Instant) {
        let Phase::History { listed, progress } = self.phase else { return };
        // While the pods are listed first, there is nothing that could go on.
        if !self.settings.follow || self.held.lanes.is_empty() {
            return;
        }
        let is_awaited = |lane: &&Lane| lane.instances.contains(&Stage::Awaited);
        let stalled = now >= progress + STALLED;
        if !stalled && (!listed || self.held.lanes.iter().any(|lane| is_awaited(&lane))) {
            return;
        }
        let awaited: Vec<&Lane> = self.held.lanes.iter().filter(is_awaited).collect();
        if !awaited.is_empty() || !listed {
            self.passing.push_back(Event::Notice(goes_on_without(&awaited)));
        }
        self.phase = Phase::Live { since: now };
        for source in self.heads.iter().map(|head| head.source) {
            let arrival = match source {
                Source::Lane(lane) => {
                    // All of its chunks so far: each becomes the first in turn.
                    Arrival::Chunk { lane, number: self.count.unsigned_abs() }
                }
                Source::Run(run) => Arrival::Run(run),
            };
            self.arrived.push_back((now, arrival));
        }
    }
}

fn goes_on_without(awaited: &[&Lane]) -> Notice {
    let mut names: Vec<_> = awaited.iter().map(|lane| &lane.name).collect();
    names.sort_unstable();
    let named = names.iter().take(NAMED).map(|name| format!("{} › {}", name.0.pod.name, name.0.container));
    let more = if names.len() > NAMED { ", …" } else { "" };
    let named = named.collect::<Vec<_>>().join(", ");
    Scope::Run.warning(match names.len() {
        0 => "--sort goes on before all pods are listed; lines of the others are shown late".to_owned(),
        1 => format!("--sort goes on without a container that cannot be read yet: {named}"),
        count => format!("--sort goes on without {count} containers that cannot be read yet: {named}{more}"),
    })
}
