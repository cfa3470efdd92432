//! Situations with a point: what is rare by chance, and hard for a reader of logs.

mod lives;

use std::time::Duration;

use super::{
    Asked, Broken, Fault, Followers, Lines, Lost, Pace, Refusal, Texts, What, Words,
    draft::{Draft, seconds},
};

type Scene = fn(&mut Draft);

/// One situation, beginning at a time of its own.
pub fn scene(draft: &mut Draft) {
    let scenes: [(u32, Scene); 28] = [
        (6, rotated_while_broken),
        (5, rotated_while_resumed),
        (6, lives::restarted_while_away),
        (8, ended_early),
        (8, cut_at_the_end),
        (7, silent_after_rotation),
        (4, silent),
        (6, lives::crash_loop),
        (4, late_watch),
        (4, lives::held_watch),
        (3, lives::no_previous),
        (3, without_a_file),
        (4, server_away),
        (4, black_hole),
        (5, lives::deleted),
        (2, lives::namespace_deleted),
        (2, node_lost),
        (4, long_lines),
        (4, slow_reader),
        (3, no_inotify),
        (5, broken_over_and_over),
        (4, told_to_wait),
        (4, forbidden),
        (4, lives::first_seen_restarted),
        (5, lives::restarted_in_the_second),
        (4, lives::waits_long),
        (4, slow_machine),
        (5, failing_start),
    ];
    let sum = scenes.iter().map(|(weight, _)| weight).sum::<u32>();
    let mut at = draft.rng.u32(..sum);
    for (weight, scene) in scenes {
        if at < weight {
            return scene(draft);
        }
        at -= weight;
    }
}

/// Breaks the streams of a pod, and lets no other one open for a while.
fn keep_closed(draft: &mut Draft, at: Duration, pod: &str, lasting: Duration) {
    let how = [Broken::Cut, Broken::Ends, Broken::Reset][draft.rng.usize(..3)];
    let refusal = refusal(draft);
    let asked = Asked::Logs(pod.to_owned());
    draft.fault(at, Fault::Refused { asked: asked.clone(), times: 1000, how: refusal, lasting });
    draft.fault(at, Fault::Breaks(asked, how));
}

/// A refusal that is over soon.
pub fn refusal(draft: &mut Draft) -> Refusal {
    let rng = &mut draft.rng;
    match rng.u32(..14) {
        0 => Refusal::Status(400),
        1 => Refusal::Status(404),
        2 => Refusal::Status(429),
        3 | 4 => Refusal::Status(500),
        5 => Refusal::Status(502),
        6 | 7 => Refusal::Status(503),
        8 => Refusal::Status(504),
        9 => Refusal::Reset,
        10 => Refusal::Closed,
        11 => Refusal::Late(Duration::from_millis(rng.u64(100..5_000))),
        12 => Refusal::RetryAfter([429, 503][rng.usize(..2)], rng.u32(0..4)),
        _ => Refusal::Never,
    }
}

fn rotated_while_broken(draft: &mut Draft) {
    let (place, at, lasting) = (draft.place(), draft.time(seconds(25)), draft.millis(500..10_000));
    keep_closed(draft, at, &place.pod, lasting);
    for _ in 0..draft.rng.u32(1..3) {
        let before = draft.burst();
        draft.add(at + lasting / 4, What::Writes(place.clone(), before));
        let followers = followers(draft);
        draft.add(at + lasting / 2, What::Rotates(place.clone(), followers));
    }
    // Many lines at nearly one instant on both sides of the rotation.
    let after = draft.burst();
    draft.add(at + lasting / 2, What::Writes(place, after));
}

fn rotated_while_resumed(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(20)));
    let delay = draft.millis(300..4_000);
    let asked = Asked::Logs(place.pod.clone());
    let how = Refusal::Late(delay);
    draft.fault(at, Fault::Refused { asked: asked.clone(), times: 3, how, lasting: delay * 2 });
    draft.fault(at, Fault::Breaks(asked, Broken::Cut));
    let back = draft.millis(0..1500);
    for _ in 0..draft.rng.u32(1..4) {
        let lines = draft.lines(1..40);
        let moment = at + delay.saturating_sub(back) + draft.millis(0..1000);
        let followers = followers(draft);
        draft.add(moment, What::Writes(place.clone(), lines.clone()));
        draft.add(moment, What::Rotates(place.clone(), followers));
        draft.add(moment, What::Writes(place.clone(), lines));
    }
}

/// A log that is asked for in the moment in which it has no file.
fn without_a_file(draft: &mut Draft) {
    let (place, at, lasting) = (draft.place(), draft.time(seconds(20)), draft.millis(5..1_500));
    let lines = draft.lines(1..40);
    draft.add(at, What::Writes(place.clone(), lines.clone()));
    draft.add(at, What::HasNoFile(place.clone(), lasting));
    draft.fault(at, Fault::Breaks(Asked::Logs(place.pod.clone()), Broken::Cut));
    draft.add(at + lasting / 2, What::Writes(place.clone(), lines.clone()));
    draft.add(at + lasting * 2, What::Writes(place, lines));
}

fn followers(draft: &mut Draft) -> Followers {
    if draft.chance(50) { Followers::GoOn } else { Followers::AsKubelet }
}

fn soon(draft: &mut Draft) -> Duration {
    draft.millis(1..2_000)
}

/// An answer ends early and looks complete, while the container goes on or as it ends.
fn ended_early(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(20)));
    let bytes = draft.rng.u64(0..8_000);
    let how =
        [Broken::Ends, Broken::Ends, Broken::Cut, Broken::Says(Words::Unavailable)][draft.rng.usize(..4)];
    let asked = Asked::Logs(place.pod.clone());
    let times = draft.rng.u32(1..3);
    draft.fault(
        at,
        Fault::WillBreak { asked: asked.clone(), times, how, bytes, chunks: None, lasting: seconds(10) },
    );
    draft.fault(at, Fault::Breaks(asked, Broken::Ends));
    let lines = draft.lines(50..400);
    draft.add(at, What::Writes(place.clone(), lines));
    match draft.rng.u32(..3) {
        0 => draft.add(at, What::Ends { place, exit: 1 }),
        1 => {
            let restart = draft.restart();
            draft.add(at + Duration::from_millis(1), What::Restarts(place, restart));
        }
        _ => {}
    }
}

/// The stream breaks in the moment of the last lines, and the answer that follows is not whole.
fn cut_at_the_end(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(20)));
    let asked = Asked::Logs(place.pod.clone());
    let (lines, bytes) = (draft.lines(20..300), draft.rng.u64(0..4_000));
    let how = [Broken::Ends, Broken::Cut][draft.rng.usize(..2)];
    draft.fault(at, Fault::Breaks(asked.clone(), how));
    draft.fault(
        at,
        Fault::WillBreak { asked, times: 1, how: Broken::Ends, bytes, chunks: None, lasting: seconds(5) },
    );
    draft.add(at, What::Writes(place.clone(), lines));
    if draft.chance(50) {
        draft.add(at, What::Ends { place, exit: 0 });
    } else {
        let mut restart = draft.restart();
        restart.waits = Duration::ZERO;
        draft.add(at, What::Restarts(place, restart));
    }
}

fn silent_after_rotation(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(35)));
    let lines = draft.lines(1..40);
    draft.add(at, What::Writes(place.clone(), lines));
    let followers = [Followers::FallSilent, Followers::Skip][usize::from(draft.chance(20))];
    draft.add(at, What::Rotates(place.clone(), followers));
    let lasting = draft.length.saturating_sub(at);
    let (lines, every) = (draft.lines(1..4), draft.millis(200..3_000));
    let soon = soon(draft);
    draft.add(at + soon, What::GoesOn(place.clone(), lines, Pace { every, lasting }));
    if draft.chance(40) {
        let (moment, restart) = (at + draft.millis(100..20_000), draft.restart());
        draft.add(moment, What::Restarts(place, restart));
    }
}

fn silent(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(35)));
    draft.add(at, What::FallsSilent(place.clone()));
    let lasting = draft.length.saturating_sub(at);
    let (lines, every) = (draft.lines(1..4), draft.millis(200..3_000));
    draft.add(at, What::GoesOn(place, lines, Pace { every, lasting }));
}

/// The watch is refused or late, while containers restart and pods come.
fn late_watch(draft: &mut Draft) {
    let (at, lasting) = (draft.time(seconds(30)), draft.millis(1_000..12_000));
    let how = if draft.chance(40) { Refusal::Late(lasting / 2) } else { refusal(draft) };
    let expired = draft.chance(40);
    draft.fault(at, Fault::Refused { asked: Asked::Watches, times: 20, how, lasting });
    draft.fault(at, if expired { Fault::WatchExpired } else { Fault::Breaks(Asked::Watches, Broken::Ends) });
    if expired && draft.chance(30) {
        let how = refusal(draft);
        draft.fault(at, Fault::Refused { asked: Asked::Lists, times: 2, how, lasting });
    }
    let (place, restart) = (draft.place(), draft.restart());
    draft.add(at + lasting / 3, What::Restarts(place, restart));
    draft.pod(at + lasting / 2);
}

fn server_away(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(30)));
    let lasting = if draft.chance(20) { draft.millis(60_000..200_000) } else { draft.millis(500..20_000) };
    draft.fault(at, Fault::ServerAway(lasting));
    let lines = draft.burst();
    draft.add(at + lasting / 4, What::Writes(place.clone(), lines));
    if draft.chance(50) {
        draft.add(at + lasting / 2, What::Rotates(place.clone(), Followers::GoOn));
    }
    if draft.chance(30) {
        let restart = draft.restart();
        draft.add(at + lasting / 2, What::Restarts(place, restart));
    }
}

fn black_hole(draft: &mut Draft) {
    let (at, lasting) = (draft.time(seconds(40)), draft.millis(2_000..60_000));
    draft.fault(at, Fault::BlackHole(lasting));
    if draft.chance(40) {
        draft.fault(at + lasting / 2, Fault::ConnectionsReset);
    }
    let (place, restart) = (draft.place(), draft.restart());
    if draft.chance(40) {
        draft.add(at + lasting / 3, What::Restarts(place, restart));
    }
}

fn node_lost(draft: &mut Draft) {
    let (at, node) = (draft.time(seconds(30)), draft.node());
    let how = match draft.rng.u32(..4) {
        0 => Lost::Refused,
        1 => Lost::Unreachable(draft.millis(1_000..30_000)),
        2 => Lost::TimedOut(draft.millis(1_000..30_000)),
        _ => Lost::Silent,
    };
    let (comes_back, lasting) = (draft.chance(60), draft.millis(2_000..40_000));
    draft.fault(at, Fault::NodeLost { node, how, comes_back, lasting });
}

fn long_lines(draft: &mut Draft) {
    let (place, at) = (draft.place(), draft.time(seconds(20)));
    let bytes = draft.rng.u64(0..100_000);
    let chunks = draft.chance(50).then(|| draft.rng.u32(1..5_000));
    let how = [Broken::Cut, Broken::Ends, Broken::Reset][draft.rng.usize(..3)];
    let asked = Asked::Logs(place.pod.clone());
    draft.fault(
        at,
        Fault::WillBreak { asked: asked.clone(), times: 2, how, bytes, chunks, lasting: seconds(8) },
    );
    draft.fault(at, Fault::Breaks(asked, Broken::Cut));
    for n in 0..draft.rng.u64(1..6) {
        let lines = draft.long();
        draft.add(at + Duration::from_millis(n * 200), What::Writes(place.clone(), lines));
    }
}

fn slow_reader(draft: &mut Draft) {
    let (place, at, lasting) = (draft.place(), draft.time(seconds(30)), draft.millis(1_000..20_000));
    let rate = if draft.chance(50) { 0 } else { draft.rng.u32(500..50_000) };
    draft.fault(at, Fault::SlowReader(rate, lasting));
    for n in 1..draft.rng.u32(2..5) {
        let lines = draft.burst();
        draft.add(at + lasting / 8 * n, What::Writes(place.clone(), lines));
        if draft.chance(40) {
            let followers = followers(draft);
            draft.add(at + lasting / 8 * n, What::Rotates(place.clone(), followers));
        }
    }
}

fn no_inotify(draft: &mut Draft) {
    let (at, node, lasting) = (draft.time(seconds(30)), draft.node(), draft.millis(5_000..60_000));
    let left = draft.rng.usize(..3);
    draft.fault(at, Fault::NoInotify { node, left, lasting });
    draft.fault(at + Duration::from_millis(10), Fault::Breaks(Asked::AllLogs, Broken::Ends));
    let (place, restart) = (draft.place(), draft.restart());
    draft.add(at + seconds(2), What::Restarts(place, restart));
}

fn broken_over_and_over(draft: &mut Draft) {
    let place = draft.place();
    let mut at = draft.time(seconds(30));
    for _ in 0..draft.rng.u32(3..12) {
        let asked = if draft.chance(80) { Asked::Logs(place.pod.clone()) } else { draft.logs() };
        let how = [Broken::Cut, Broken::Ends, Broken::Reset, Broken::Says(Words::CannotRetrieve)]
            [draft.rng.usize(..4)];
        let lines = draft.lines(1..60);
        draft.add(at, What::Writes(place.clone(), lines));
        draft.fault(at, Fault::Breaks(asked, how));
        at += draft.millis(1..2_500);
    }
}

fn told_to_wait(draft: &mut Draft) {
    let (at, place) = (draft.time(seconds(30)), draft.place());
    let asked = [Asked::Logs(place.pod), Asked::AllLogs, Asked::Watches, Asked::Lists, Asked::All]
        [draft.rng.usize(..5)]
    .clone();
    let wait = match draft.rng.u32(..12) {
        0 => 400,
        1..9 => draft.rng.u32(3..11),
        _ => draft.rng.u32(0..3),
    };
    let status = [429, 429, 503][draft.rng.usize(..3)];
    let how =
        if draft.chance(25) { Refusal::RetryAt(status, wait) } else { Refusal::RetryAfter(status, wait) };
    let (times, lasting) = (draft.rng.u32(1..4), draft.millis(1_000..8_000));
    draft.fault(at, Fault::Refused { asked: asked.clone(), times, how, lasting });
    let broken = if asked == Asked::Lists { Asked::Watches } else { asked.clone() };
    if asked == Asked::Lists {
        draft.fault(at, Fault::WatchExpired);
    } else {
        draft.fault(at, Fault::Breaks(broken, Broken::Cut));
    }
    // Requests that the program would like to send meanwhile.
    let pause = u64::from(wait.clamp(1, 10)) * 1000;
    for _ in 0..draft.rng.u32(1..4) {
        let (place, restart, moment) = (draft.place(), draft.restart(), at + draft.millis(0..pause));
        draft.add(moment, What::Restarts(place, restart));
    }
    if draft.chance(30) {
        let moment = at + draft.millis(0..pause);
        draft.pod(moment);
    }
}

/// The program starts into a fault: its first list, watch or requests for logs fail.
pub fn failing_start(draft: &mut Draft) {
    let early = draft.millis(0..500);
    let at = draft.setting.start.saturating_sub(early);
    let (place, lasting) = (draft.place(), early + draft.millis(500..8_000));
    let node = draft.node_of(&place.pod);
    let asked = [Asked::Logs(place.pod), Asked::AllLogs, Asked::Watches, Asked::Lists, Asked::All]
        [draft.rng.usize(..5)]
    .clone();
    let is_of_logs = matches!(asked, Asked::Logs(_) | Asked::AllLogs);
    let fault = match draft.rng.u32(..20) {
        0..9 => {
            let how = match draft.rng.u32(..20) {
                0..5 if is_of_logs => Refusal::Status([401, 403][draft.rng.usize(..2)]),
                0 => Refusal::Status(403),
                _ => refusal(draft),
            };
            Fault::Refused { asked, times: draft.rng.u32(1..6), how, lasting }
        }
        9..13 => {
            let how = [Broken::Ends, Broken::Cut, Broken::Reset, Broken::Stalls][draft.rng.usize(..4)];
            let (times, bytes) = (draft.rng.u32(1..3), draft.rng.u64(0..5_000));
            let asked = if matches!(asked, Asked::Lists | Asked::All) { Asked::AllLogs } else { asked };
            Fault::WillBreak { asked, times, how, bytes, chunks: None, lasting }
        }
        13 => Fault::ServerAway(lasting),
        14 => Fault::BlackHole(lasting),
        15 => Fault::KubeletAway(node, lasting),
        16 => {
            let how = [Lost::Refused, Lost::Silent][draft.rng.usize(..2)];
            Fault::NodeLost { node, how, comes_back: true, lasting: lasting * 3 }
        }
        17 => Fault::WatchHeld { delay: lasting / 2, lasting },
        18 => Fault::NoInotify { node, left: draft.rng.usize(..2), lasting: lasting * 3 },
        _ => Fault::Far { round_trip: draft.millis(50..1_000), lasting },
    };
    draft.fault(at, fault);
    if draft.chance(40) {
        let (place, restart, moment) = (draft.place(), draft.restart(), at + draft.millis(0..3_000));
        draft.add(moment, What::Restarts(place, restart));
    }
}

fn forbidden(draft: &mut Draft) {
    let (at, place) = (draft.time(seconds(30)), draft.place());
    let how = Refusal::Status(if draft.chance(50) { 401 } else { 403 });
    let (times, lasting) = (draft.rng.u32(1..5), draft.millis(500..6_000));
    let asked = if draft.chance(80) { Asked::Logs(place.pod) } else { Asked::Watches };
    draft.fault(at, Fault::Refused { asked: asked.clone(), times, how, lasting });
    draft.fault(at, Fault::Breaks(asked, Broken::Cut));
}

/// Long round trips, a slow reader and a late watch together, with a rotation.
fn slow_machine(draft: &mut Draft) {
    let (place, at, lasting) = (draft.place(), draft.time(seconds(40)), draft.millis(5_000..25_000));
    let round_trip = draft.millis(200..1_500);
    draft.fault(at, Fault::Far { round_trip, lasting });
    let rate = draft.rng.u32(5_000..100_000);
    draft.fault(at, Fault::SlowReader(rate, lasting));
    let how = Refusal::Late(draft.millis(500..3_000));
    draft.fault(at, Fault::Refused { asked: Asked::Watches, times: 3, how, lasting });
    draft.fault(at, Fault::Breaks(Asked::Watches, Broken::Ends));
    let broken = at + draft.millis(100..3_000);
    draft.fault(broken, Fault::Breaks(Asked::Logs(place.pod.clone()), Broken::Cut));
    let moment = broken + draft.millis(0..1_500);
    let lines = Lines { texts: Texts::Numbered, ..draft.lines(20..300) };
    draft.add(moment, What::Writes(place.clone(), lines.clone()));
    draft.add(moment, What::Rotates(place.clone(), Followers::GoOn));
    draft.add(moment, What::Writes(place, lines));
}
