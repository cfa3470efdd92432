//! No hot loop: a log that does not change is not requested over and over.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{View, pauses};
use crate::{judge::Problem, script::Logs};

/// The time over which requests for one log are counted.
const OVER: Duration = Duration::from_secs(10);

/// The most requests for a log in that time, while its container stays as it is:
/// - 20 refusals that are usual around a start or an end are retried four times a second (`SOON` and `unusual` in
///   src/tail/follow/refusal.rs), after that ever less often;
/// - a poll is repeated every second, every half second if the log will soon be gone, and asks again if it had asked
///   for too few lines (`FEWEST` in src/tail/window.rs doubles);
/// - a stream that breaks is opened again at once, then after 250 ms, and ever less often (src/tail/retry.rs).
const MOST: usize = 40;

/// The same of the log of the instance before, with `--with-previous`: one is given up, and then the other is asked for.
const BOTH: usize = 20;

/// The same for each change of the container in that time: its tail begins anew, and asks for both of its logs.
const EACH_CHANGE: usize = 30;

/// An answer that asks to wait for so short a time is followed by as many requests as `MOST_ATTEMPTS` in
/// src/cluster/transport.rs allows, as with kubectl.
const ATTEMPTS: usize = 10;

pub fn judge(view: &View) -> Vec<Problem> {
    let mut times = BTreeMap::<String, Vec<(Duration, bool)>>::new();
    for log in &view.logs {
        let postponed = pauses::asked(view.story, log.request).is_some();
        times.entry(super::name(log.request)).or_default().push((log.request.at, postponed));
    }
    times.into_iter().filter_map(|(name, times)| one(view, name, &times)).collect()
}

fn one(view: &View, name: String, times: &[(Duration, bool)]) -> Option<Problem> {
    let changes = changes(view, &name);
    let mut first = 0;
    for last in 0..times.len() {
        let now = times[last].0;
        while times[first].0 + OVER < now {
            first += 1;
        }
        let postponed = times[first..=last].iter().filter(|(_, postponed)| *postponed).count();
        let count = last + 1 - first - postponed * (ATTEMPTS - 1) / ATTEMPTS;
        let changed =
            changes.iter().filter(|at| (times[first].0.saturating_sub(OVER)..=now).contains(*at)).count();
        let both = if view.setting.logs == Logs::OnceWithPrevious { BOTH } else { 0 };
        let most = MOST + both + EACH_CHANGE * changed;
        if count > most {
            let text = format!("{count} requests within {OVER:?}, {most} are allowed");
            return Some(super::problem("a hot loop", name, now, text));
        }
    }
    None
}

/// When the container started, ended or was deleted.
fn changes(view: &View, name: &str) -> Vec<Duration> {
    let of = view.story.containers.iter().find(|container| {
        format!("{}/{}/{}", container.namespace, container.place.pod, container.place.container) == name
    });
    let Some(container) = of else { return Vec::new() };
    let lives = container
        .instances
        .iter()
        .flat_map(|instance| [Some(instance.started), instance.ended, instance.previous]);
    // A restart without a pause is one change.
    let changes: BTreeSet<_> = lives.chain([container.deleted]).flatten().collect();
    changes.into_iter().collect()
}
