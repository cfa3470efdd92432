//! The setting of a run: mostly the defaults, else a few flags that go together.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    Ending,
    draft::{Draft, seconds},
    setting::{Clocks, Logs, noon},
};

/// The clock and the distance of the server, its connections, and flags.
pub fn setting(draft: &mut Draft) {
    let rng = &mut draft.rng;
    let setting = &mut draft.setting;
    setting.start = Duration::from_millis(rng.u64(500..6000));
    setting.server.round_trip = match rng.u32(..10) {
        0 => Duration::from_millis(rng.u64(20..60)),
        1 if rng.u32(..3) == 0 => Duration::from_millis(rng.u64(100..600)),
        _ => Duration::from_millis(2),
    };
    match rng.u32(..10) {
        0..2 => setting.http1 = true,
        2..4 => setting.server.http2 = false,
        4 => setting.server.max_streams = Some(rng.u32(3..20)),
        _ => {}
    }
    if rng.u32(..8) == 0 {
        let skew = |rng: &mut fastrand::Rng| [0, 1, -1, 40, -40, 400][rng.usize(..6)];
        let mut nodes = Vec::new();
        for node in 1..4 {
            if rng.u32(..3) == 0 {
                nodes.push((
                    format!("node-{node}"),
                    [300, -300, 2_500, -2_500, 60_000, -60_000][rng.usize(..6)],
                ));
            }
        }
        setting.clocks = Clocks { server: skew(rng), client: skew(rng), nodes };
    }
    if rng.u32(..100) < 45 {
        return;
    }
    for _ in 0..rng.u32(1..4) {
        tweak(draft);
    }
}

/// Sets one flag. The later one counts if two do not go together.
fn tweak(draft: &mut Draft) {
    let length = draft.length;
    let rng = &mut draft.rng;
    let setting = &mut draft.setting;
    match rng.u32(..27) {
        0..3 => setting.tail = Some([0, 1, 3, 50, 1000][rng.usize(..5)]),
        3 | 4 => setting.since = Some(rng.u64(1..100)),
        5 => setting.limit_bytes = Some([rng.u64(1..500), rng.u64(500..20_000)][rng.usize(..2)]),
        6..9 => setting.max_log_requests = Some(rng.u32(1..6)),
        9 | 10 => setting.max_streams_per_node = Some(rng.u32(1..4)),
        11 | 12 => {
            setting.qps = Some([-1, rng.i32(1..5), rng.i32(5..30)][rng.usize(..3)]);
            setting.burst = Some(rng.u32(1..6));
        }
        13 => setting.max_bandwidth = Some(rng.u32(20_000..1_000_000)),
        14 => setting.latency = Some([0, 50, 1000][rng.usize(..3)]),
        15 => setting.idle_check = Some([0, 5, 120][rng.usize(..3)]),
        16 => setting.unconfirmed = true,
        17 => setting.ready = true,
        18 | 19 => setting.sort = true,
        20 => setting.max_line = Some([10, 1000, 100_000][rng.usize(..3)]),
        21 | 22 if setting.logs == Logs::Follow => setting.logs = Logs::FollowWithPrevious,
        23 if setting.logs.follows() => {
            setting.ending = Ending::After(length.mul_f64(rng.f64()).max(seconds(3)));
        }
        24 if setting.logs != Logs::Previous => {
            let from = rng.u64(0..90);
            let server = noon() + SignedDuration::from_secs(setting.clocks.server);
            setting.until = Some(server + setting.start / 2 + Duration::from_secs(from));
        }
        25 => setting.ending = Ending::Signal(setting.start + length.mul_f64(rng.f64())),
        _ => {}
    }
}

/// Reads without following.
pub fn once(draft: &mut Draft) {
    let rng = &mut draft.rng;
    draft.setting.logs = match rng.u32(..4) {
        0 => Logs::OnceWithPrevious,
        1 => Logs::Previous,
        _ => Logs::Once,
    };
    draft.setting.start = Duration::from_millis(rng.u64(5_000..30_000));
    // Nothing would be left to read.
    draft.setting.tail = draft.setting.tail.filter(|lines| *lines > 0);
    draft.setting.ending = Ending::Usual;
}
