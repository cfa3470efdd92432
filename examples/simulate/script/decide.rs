//! The script of a seed: the kind of a run, and what happens in it.

use std::{ops::Range, time::Duration};

use super::{
    Asked, Broken, Ending, Fault, Followers, Kind, Lines, Output, Pace, Place, Pod, Script, What,
    beside::beside,
    chance::{chance, life},
    draft::{Draft, seconds},
    scenes::{failing_start, refusal, scene},
    setting::Logs,
    tweaks,
};

/// The script of this seed.
pub fn decide(seed: u64) -> Script {
    let mut draft = Draft::new(seed);
    match draft.rng.u32(..100) {
        0..20 => quiet(&mut draft),
        20..34 => waiting(&mut draft),
        34..42 => once(&mut draft),
        42..45 => completing(&mut draft),
        45..77 => scenes(&mut draft, 1..3, 0..1),
        77..93 => scenes(&mut draft, 1..4, 3..12),
        _ => scenes(&mut draft, 0..3, 20..60),
    }
    beside(&mut draft, seed);
    let mut script = draft.script(seed);
    Output::draw(&mut script);
    script
}

/// Nothing fails.
fn quiet(draft: &mut Draft) {
    tweaks::setting(draft);
    cluster(draft);
    for _ in 0..draft.rng.u32(..8) {
        life(draft);
    }
}

/// Some situations, and some faults by chance.
fn scenes(draft: &mut Draft, scenes: Range<u32>, chances: Range<u32>) {
    tweaks::setting(draft);
    cluster(draft);
    for _ in 0..draft.rng.u32(scenes) {
        scene(draft);
    }
    for _ in 0..draft.rng.u32(chances) {
        chance(draft);
    }
    for _ in 0..draft.rng.u32(..3) {
        life(draft);
    }
}

/// Logs are read and not followed.
fn once(draft: &mut Draft) {
    tweaks::setting(draft);
    tweaks::once(draft);
    cluster(draft);
    let before = draft.setting.start;
    for _ in 0..draft.rng.u32(..10) {
        // Its history.
        let at = draft.millis(0..before.as_millis() as u64);
        let (place, mut restart) = (draft.place(), draft.restart());
        (restart.waits, restart.late) = (Duration::ZERO, Duration::ZERO);
        let lines = draft.burst();
        match draft.rng.u32(..5) {
            0 | 1 => draft.add(at, What::Restarts(place, restart)),
            2 => draft.add(at, What::Rotates(place, Followers::GoOn)),
            _ => draft.add(at, What::Writes(place, lines)),
        }
    }
    if draft.chance(15) {
        failing_start(draft);
    } else if draft.chance(60) {
        for _ in 0..draft.rng.u32(1..4) {
            let times = draft.rng.u32(1..3);
            let asked = match draft.logs() {
                Asked::Followed(pod) => Asked::Logs(pod),
                asked => asked,
            };
            // Most logs are short by then.
            let most = [200, 1_000, 5_000][draft.rng.usize(..3)];
            let bytes = draft.rng.u64(0..most);
            let fault = if draft.chance(65) {
                let how = if draft.chance(35) { Broken::Cut } else { Broken::Ends };
                Fault::WillBreak { asked, times, how, bytes, chunks: None, lasting: seconds(20) }
            } else {
                let how = refusal(draft);
                // Some outlast every retry.
                let (times, lasting) =
                    if draft.chance(40) { (1000, seconds(300)) } else { (times, seconds(5)) };
                Fault::Refused { asked, times, how, lasting }
            };
            draft.fault(before, fault);
        }
    }
}

/// All containers end, and the run with them.
fn completing(draft: &mut Draft) {
    tweaks::setting(draft);
    draft.setting.ending = Ending::Completed;
    draft.setting.logs = Logs::Follow;
    cluster(draft);
    for _ in 0..draft.rng.u32(..3) {
        scene(draft);
    }
    let places: Vec<Place> = draft.pods.iter().flat_map(Pod::mains).collect();
    for place in places {
        let (at, exit) = (draft.time(seconds(1)) + seconds(5), i32::from(draft.chance(30)));
        let lines = draft.lines(1..30);
        draft.add(at, What::Writes(place.clone(), lines));
        draft.add(at, What::Ends { place, exit });
    }
}

/// Polls always wait for their turn, and requests that are not urgent for theirs.
fn waiting(draft: &mut Draft) {
    let rng = &mut draft.rng;
    draft.length = seconds(rng.u64(100..170));
    let setting = &mut draft.setting;
    setting.max_streams_per_node = Some(rng.u32(1..4));
    // The fewer requests there can be at once, the sooner each has to have its turn.
    setting.max_log_requests = (rng.u32(..100) < 85).then(|| rng.u32(6..15));
    setting.qps = Some(rng.i32(2..9));
    setting.burst = Some(rng.u32(1..4));
    setting.idle_check = (rng.u32(..100) < 75).then_some(5);
    let (count, nodes) = (rng.usize(15..31), rng.usize(1..3));
    for number in 0..count {
        let pod = Pod {
            name: format!("web-{number}"),
            namespace: "default".to_owned(),
            node: format!("node-{}", 1 + number % nodes),
            containers: vec![("app".to_owned(), Kind::Main)],
            late: Duration::ZERO,
        };
        let place = Place { pod: pod.name.clone(), container: "app".to_owned() };
        // The newest are followed.
        let at = Duration::from_millis(number as u64 * 10);
        let lasting = draft.length - at;
        draft.add(at, What::Appears(pod.clone()));
        draft.pods.push(pod);
        let every = draft.millis(700..1_500);
        if number + 3 < count {
            draft.add(at, What::GoesOn(place, Lines::numbered(1), Pace { every, lasting }));
            continue;
        }
        let silence = draft.millis(20_000..70_000);
        draft.add(at, What::Writes(place.clone(), Lines::numbered(5)));
        if draft.chance(40) {
            draft.add(silence, What::FallsSilent(place.clone()));
            let lasting = draft.length.saturating_sub(silence);
            draft.add(silence, What::GoesOn(place, Lines::numbered(1), Pace { every, lasting }));
        }
    }
    if draft.chance(40) {
        let (place, at, restart) = (draft.place(), draft.time(seconds(40)), draft.restart());
        draft.add(at, What::Restarts(place.clone(), restart));
        draft.fault(at + seconds(5), Fault::Breaks(Asked::Logs(place.pod), Broken::Cut));
    }
}

/// The pods that are there at the start or soon after, and in some runs are gone at the end.
fn cluster(draft: &mut Draft) {
    let count = match draft.rng.u32(..100) {
        0..40 => draft.rng.usize(1..3),
        40..80 => draft.rng.usize(3..7),
        80..98 => draft.rng.usize(7..13),
        _ => draft.rng.usize(30..61),
    };
    let leftovers = draft.setting.ending == Ending::Usual && draft.setting.logs.follows() && draft.chance(12);
    let first = if leftovers {
        draft.setting.ending = Ending::Leftovers;
        draft.setting.start + seconds(5)
    } else {
        Duration::ZERO
    };
    for _ in 0..count {
        let at = if draft.chance(75) { first } else { first + draft.millis(0..10_000) };
        draft.pod(at);
    }
}
