//! Situations in which containers restart, and pods come and go.

use std::time::Duration;

use super::{
    super::{
        Asked, Broken, Fault, Followers, Kind, Place, Pod, Restart, What,
        draft::{Draft, seconds},
    },
    soon,
};

pub fn restarted_while_away(draft: &mut Draft) {
    let (place, at, lasting) = (draft.place(), draft.time(seconds(40)), draft.millis(2_000..20_000));
    let node = draft.node_of(&place.pod);
    let fault = if draft.chance(60) { Fault::KubeletAway(node, lasting) } else { Fault::ServerAway(lasting) };
    draft.fault(at, fault);
    let lines = draft.burst();
    draft.add(at + lasting / 4, What::Writes(place.clone(), lines));
    for _ in 0..draft.rng.u32(1..3) {
        let (moment, restart) = (at + draft.millis(0..lasting.as_millis() as u64), draft.restart());
        draft.add(moment, What::Restarts(place.clone(), restart));
        if draft.chance(30) {
            let soon = soon(draft);
            draft.add(moment + soon, What::Rotates(place.clone(), Followers::GoOn));
        }
    }
}

pub fn crash_loop(draft: &mut Draft) {
    let place = draft.place();
    let mut at = draft.time(seconds(40));
    let late = draft.chance(60);
    for _ in 0..draft.rng.u32(2..7) {
        let lines = draft.lines(1..30);
        draft.add(at, What::Writes(place.clone(), lines));
        at += draft.millis(1..800);
        let mut restart = draft.restart();
        restart.late = if late { draft.millis(100..6_000) } else { Duration::ZERO };
        restart.waits = if draft.chance(70) { Duration::ZERO } else { draft.millis(50..2_000) };
        let waits = restart.waits;
        draft.add(at, What::Restarts(place.clone(), restart));
        at += waits + draft.millis(1..800);
    }
}

pub fn deleted(draft: &mut Draft) {
    for _ in 0..draft.rng.u32(1..4) {
        let (place, at) = (draft.place(), draft.time(seconds(15)));
        let grace = if draft.chance(70) { Some(draft.millis(500..10_000)) } else { None };
        if draft.chance(40) {
            draft.fault(at, Fault::Breaks(Asked::Logs(place.pod.clone()), Broken::Cut));
        }
        let (lines, last) = (draft.lines(1..100), draft.lines(1..10));
        draft.add(at, What::Writes(place.clone(), lines));
        draft.add(at, What::Deleted { pod: place.pod.clone(), grace });
        if let Some(grace) = grace {
            let moment = at + grace.saturating_sub(draft.millis(1..300));
            draft.add(moment, What::Writes(place.clone(), last));
        }
        if draft.chance(30) {
            // As a stateful set makes it again.
            let again = draft.pods.iter().find(|pod| pod.name == place.pod).cloned();
            let moment = at + grace.unwrap_or_default() + draft.millis(800..4_000);
            if let Some(pod) = again {
                draft.add(moment, What::Appears(pod));
                let lines = draft.lines(1..30);
                draft.add(moment + Duration::from_millis(5), What::Writes(place, lines));
            }
        }
    }
}

pub fn namespace_deleted(draft: &mut Draft) {
    let (at, grace) = (draft.time(seconds(20)), draft.millis(500..8_000));
    draft.add(at, What::NamespaceDeleted { namespace: "shop".to_owned(), grace });
}

/// Restarts on a node that keeps no previous log.
pub fn no_previous(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(20)));
    let node = draft.node_of(&place.pod);
    draft.fault(at, Fault::NoPrevious(node));
    for _ in 0..draft.rng.u32(1..4) {
        let (moment, restart) = (at + draft.millis(0..10_000), draft.restart());
        draft.add(moment, What::Restarts(place.clone(), restart));
    }
}

/// Events of watches come late, while containers restart and pods come and go.
pub fn held_watch(draft: &mut Draft) {
    let (at, lasting) = (draft.time(seconds(30)), draft.millis(3_000..20_000));
    let delay = draft.millis(200..8_000);
    draft.fault(at, Fault::WatchHeld { delay, lasting });
    for _ in 0..draft.rng.u32(1..4) {
        let (place, restart, moment) = (draft.place(), draft.restart(), at + draft.millis(0..5_000));
        draft.add(moment, What::Restarts(place, restart));
    }
    if draft.chance(50) {
        draft.pod(at + lasting / 2);
    }
    if draft.chance(30) {
        let (place, grace) = (draft.place(), Some(draft.millis(200..3_000)));
        draft.add(at + lasting / 3, What::Deleted { pod: place.pod, grace });
    }
}

/// The first life of a new container has ended before the apiserver knew of it.
pub fn first_seen_restarted(draft: &mut Draft) {
    let (at, late) = (draft.time(seconds(20)), draft.millis(500..6_000));
    let place = Place { pod: format!("job-{}", draft.events.len()), container: "app".to_owned() };
    let pod = Pod {
        name: place.pod.clone(),
        namespace: "default".to_owned(),
        node: "node-1".to_owned(),
        containers: vec![("app".to_owned(), Kind::Main)],
        late,
    };
    draft.add(at, What::Appears(pod));
    let (first, second) = (draft.lines(1..30), draft.lines(1..30));
    let moment = at + late.mul_f64(draft.rng.f64() * 0.9);
    draft.add(at, What::Writes(place.clone(), first));
    let restart = Restart { exit: 1, last: None, waits: Duration::ZERO, late: Duration::ZERO };
    draft.add(moment, What::Restarts(place.clone(), restart));
    draft.add(moment + Duration::from_millis(3), What::Writes(place, second));
}

/// A restart in the second of the last line, which the status reports late.
pub fn restarted_in_the_second(draft: &mut Draft) {
    let (mut place, mut at) = (draft.place(), draft.time(seconds(20)));
    if draft.chance(40) {
        // Its first tail.
        draft.pod(at);
        place.pod.clone_from(&draft.pods[draft.pods.len() - 1].name);
        place.container = "app".to_owned();
        at += draft.millis(50..500);
    }
    let (before, after) = (draft.lines(1..10), draft.lines(1..10));
    draft.add(at, What::Writes(place.clone(), before));
    let restart = Restart { exit: 1, last: None, waits: Duration::ZERO, late: draft.millis(500..9_000) };
    let moment = at + draft.millis(0..300);
    draft.add(moment, What::Restarts(place.clone(), restart));
    let (written, broken) = (moment + draft.millis(0..300), moment + draft.millis(0..400));
    draft.add(written, What::Writes(place.clone(), after));
    if draft.chance(50) {
        draft.fault(broken, Fault::Breaks(Asked::Logs(place.pod), Broken::Cut));
    }
}

pub fn waits_long(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(40)));
    let mut restart = draft.restart();
    restart.waits =
        if draft.chance(20) { draft.millis(60_000..300_000) } else { draft.millis(10_000..40_000) };
    let moment = at + restart.waits + draft.millis(1..100);
    draft.add(at, What::Restarts(place.clone(), restart));
    let lines = draft.lines(1..20);
    draft.add(moment, What::Writes(place, lines));
}
