//! Init containers, sidecars and ephemeral containers restart too, their logs are rotated, and ephemeral ones join a pod.

use std::time::Duration;

use fastrand::Rng;

use super::{
    Ending, Followers, Kind, Place, Restart, What,
    draft::{Draft, seconds},
};

/// Adds to a script what happens beside its main containers. The seed of these chances is another one, so that all else
/// stays as it was.
pub fn beside(draft: &mut Draft, seed: u64) {
    draft.rng = Rng::with_seed(seed.rotate_left(32) ^ 0xbe51de);
    if draft.setting.ending == Ending::Leftovers {
        return;
    }
    let containers = draft.pods.iter().flat_map(|pod| {
        let place = |container: &String| Place { pod: pod.name.clone(), container: container.clone() };
        pod.containers.iter().map(move |(container, kind)| (place(container), *kind))
    });
    let containers: Vec<_> = containers.collect();
    for (place, kind) in containers {
        match kind {
            Kind::Main => {}
            Kind::Init => fails_first(draft, place),
            Kind::Sidecar | Kind::Ephemeral => lives(draft, &place, kind),
        }
    }
    if draft.chance(10) {
        joins(draft);
    }
}

/// An init container fails before it succeeds. A status that is late as the program starts leaves open which lines are
/// asked for, and of which instance.
fn fails_first(draft: &mut Draft, place: Place) {
    let writes = |what: &What| matches!(what, What::Writes(written, _) if *written == place);
    let ends = |what: &What| matches!(what, What::Ends { place: ended, .. } if *ended == place);
    let first = draft.events.iter().find(|event| writes(&event.what)).map(|event| event.at);
    let last = draft.events.iter().find(|event| ends(&event.what)).map(|event| event.at);
    let (Some(first), Some(last)) = (first, last) else { return };
    for _ in 0..draft.rng.u32(..3) {
        let at = first + draft.millis(1..((last - first).as_millis() as u64).max(2));
        let mut restart = Restart { waits: Duration::ZERO, exit: 1, ..restart(draft) };
        if at < draft.setting.start {
            restart.late = Duration::ZERO;
        }
        let lines = draft.lines(1..30);
        draft.add(at, What::Restarts(place.clone(), restart));
        let begun = at + draft.millis(20..300);
        draft.add(begun, What::Writes(place.clone(), lines));
    }
}

/// Any event of a container, at any time.
fn lives(draft: &mut Draft, place: &Place, kind: Kind) {
    for _ in 0..draft.rng.u32(..4) {
        let (at, place) = (time(draft), place.clone());
        let what = match draft.rng.u32(..10) {
            0..4 if kind == Kind::Sidecar => What::Restarts(place, restart(draft)),
            0..4 => What::Ends { place, exit: i32::from(draft.chance(50)) },
            4 | 5 => What::Rotates(place, Followers::GoOn),
            6 => What::Rotates(place, Followers::AsKubelet),
            7 if fails(draft) => What::FallsSilent(place),
            _ => What::Writes(place, draft.burst()),
        };
        draft.add(at, what);
    }
}

/// `kubectl debug`: a container joins a pod that runs, and ends at some time or with its pod.
fn joins(draft: &mut Draft) {
    let (at, pod) = (time(draft), draft.place().pod);
    let place = Place { pod, container: "debugger".to_owned() };
    let (first, last) = (draft.lines(1..30), draft.burst());
    draft.add(at, What::Joins(place.clone()));
    let (begins, ends) = (at + draft.millis(0..2_000), at + draft.millis(2_000..10_000));
    draft.add(begins, What::Writes(place.clone(), first));
    draft.add(ends, What::Writes(place.clone(), last));
    lives(draft, &place, Kind::Ephemeral);
    if draft.chance(60) {
        let exit = i32::from(draft.chance(30));
        draft.add(ends, What::Ends { place, exit });
    }
}

/// Without following it is its history.
fn time(draft: &mut Draft) -> Duration {
    if draft.setting.logs.follows() {
        return draft.time(seconds(10));
    }
    let start = draft.setting.start.as_millis() as u64;
    draft.millis(0..start)
}

/// Its status comes late only where something fails.
fn restart(draft: &mut Draft) -> Restart {
    let restart = draft.restart();
    let is_late = fails(draft) && draft.setting.logs.follows();
    Restart { late: if is_late { restart.late } else { Duration::ZERO }, ..restart }
}

fn fails(draft: &Draft) -> bool {
    draft.events.iter().any(|event| matches!(event.what, What::Fault(_)))
}
