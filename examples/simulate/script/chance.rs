//! Faults and changes by pure chance.

use std::time::Duration;

use super::{
    Asked, Broken, Fault, Followers, Refusal, What, Words,
    draft::{Draft, seconds},
    scenes::refusal,
};

/// Anything, at any time.
pub fn chance(draft: &mut Draft) {
    let (at, place) = (draft.time(seconds(12)), draft.place());
    match draft.rng.u32(..40) {
        0..5 => {
            let (asked, how) = (draft.logs(), broken(draft));
            // Open streams that stop are an event of their container: it falls silent.
            let how = if how == Broken::Stalls { Broken::Cut } else { how };
            draft.fault(at, Fault::Breaks(asked, how));
        }
        5..10 => {
            let (asked, how, bytes) = (draft.logs(), broken(draft), draft.rng.u64(0..30_000));
            let chunks = draft.chance(40).then(|| draft.rng.u32(1..4_000));
            let (times, lasting) = (draft.rng.u32(1..4), draft.millis(1_000..10_000));
            draft.fault(at, Fault::WillBreak { asked, times, how, bytes, chunks, lasting });
        }
        10..15 => {
            let (asked, how) = (draft.logs(), refusal(draft));
            let (times, lasting) = (draft.rng.u32(1..5), draft.millis(500..8_000));
            draft.fault(at, Fault::Refused { asked, times, how, lasting });
        }
        15 | 16 => {
            let asked = [Asked::Watches, Asked::Lists, Asked::All][draft.rng.usize(..3)].clone();
            let how = if draft.chance(20) { Refusal::Status(410) } else { refusal(draft) };
            let (times, lasting) = (draft.rng.u32(1..4), draft.millis(500..8_000));
            draft.fault(at, Fault::Refused { asked, times, how, lasting });
            draft.fault(at, Fault::Breaks(Asked::Watches, Broken::Ends));
        }
        17 => draft.fault(at, Fault::ConnectionsReset),
        18 => {
            let fault = if draft.chance(50) {
                Fault::GoAway
            } else {
                Fault::GoAwayAtOnce([0, 1, 9, 1001][draft.rng.usize(..4)])
            };
            draft.fault(at, fault);
        }
        19 => draft.fault(at, Fault::WatchExpired),
        20 => {
            let lasting = draft.millis(100..10_000);
            draft.fault(at, Fault::ServerAway(lasting));
        }
        21 => {
            let (node, lasting) = (draft.node(), draft.millis(100..10_000));
            draft.fault(at, Fault::KubeletAway(node, lasting));
        }
        22 => {
            let lasting = draft.millis(100..20_000);
            draft.fault(at, Fault::BlackHole(lasting));
        }
        23 => {
            let (rate, lasting) = (draft.rng.u32(..20_000), draft.millis(100..8_000));
            draft.fault(at, Fault::SlowReader(rate, lasting));
        }
        24 => {
            let (delay, lasting) = (draft.millis(100..5_000), draft.millis(1_000..15_000));
            draft.fault(at, Fault::WatchHeld { delay, lasting });
        }
        25 => draft.add(at, What::Rotates(place, Followers::GoOn)),
        26 => draft.add(at, What::Rotates(place, Followers::AsKubelet)),
        27 => draft.add(at, What::Rotates(place, Followers::FallSilent)),
        28 => draft.add(at, What::FallsSilent(place)),
        29..32 => {
            let restart = draft.restart();
            draft.add(at, What::Restarts(place, restart));
        }
        32 => draft.add(at, What::Ends { place, exit: 1 }),
        33 => {
            let grace = Some(draft.millis(200..6_000));
            draft.add(at, What::Deleted { pod: place.pod, grace });
        }
        34 => draft.pod(at),
        35 => {
            draft.add(at, What::Ready { pod: place.pod.clone(), ready: false });
            let back = draft.millis(0..8_000);
            draft.add(at + back, What::Ready { pod: place.pod, ready: true });
        }
        36 | 37 => {
            let lines = draft.burst();
            draft.add(at, What::Writes(place, lines));
        }
        38 => {
            let lines = draft.long();
            draft.add(at, What::Writes(place, lines));
        }
        _ => {
            let (round_trip, lasting) = (draft.millis(50..1_000), draft.millis(1_000..8_000));
            draft.fault(at, Fault::Far { round_trip, lasting });
        }
    }
}

/// What happens to containers where nothing fails.
pub fn life(draft: &mut Draft) {
    let (at, place) = (draft.time(seconds(10)), draft.place());
    match draft.rng.u32(..12) {
        0 | 1 => draft.pod(at),
        2 | 3 => {
            let mut restart = draft.restart();
            restart.late = Duration::ZERO;
            draft.add(at, What::Restarts(place, restart));
        }
        4 => draft.add(at, What::Ends { place, exit: 0 }),
        5 => {
            let grace = Some(draft.millis(200..6_000));
            draft.add(at, What::Deleted { pod: place.pod, grace });
        }
        6 => draft.add(at, What::Rotates(place, Followers::GoOn)),
        7 => draft.add(at, What::Rotates(place, Followers::AsKubelet)),
        8 => {
            let lines = draft.long();
            draft.add(at, What::Writes(place, lines));
        }
        9 => {
            draft.add(at, What::Ready { pod: place.pod.clone(), ready: false });
            let back = draft.millis(0..8_000);
            draft.add(at + back, What::Ready { pod: place.pod, ready: true });
        }
        _ => {
            let lines = draft.burst();
            draft.add(at, What::Writes(place, lines));
        }
    }
}

fn broken(draft: &mut Draft) -> Broken {
    match draft.rng.u32(..10) {
        0..3 => Broken::Ends,
        3..6 => Broken::Cut,
        6 | 7 => Broken::Reset,
        8 => Broken::Stalls,
        _ => Broken::Says([Words::Unavailable, Words::CannotRetrieve][draft.rng.usize(..2)]),
    }
}
