//! `--max-bandwidth`: the bytes that the program takes from the connections of logs.

use std::{collections::BTreeSet, time::Duration};

use super::{View, problem};
use crate::judge::Problem;

/// The time whose bytes may be taken at once: after a pause those of one turn (`BURST` in
/// src/cluster/http/bandwidth.rs), then one more turn; and of the turns that wait some may come together, since one
/// that took little gives the rest to the next.
const BURST: Duration = Duration::from_millis(400);

/// What a connection takes in before it knows how much it may: the beginning of HTTP/2.
const PREFACE: f64 = 1024.0;

pub fn judge(view: &View) -> Vec<Problem> {
    let Some(rate) = view.setting.max_bandwidth.map(f64::from) else { return Vec::new() };
    let connections: BTreeSet<_> = view.logs.iter().map(|log| log.request.connection).collect();
    let most = rate * BURST.as_secs_f64() + PREFACE * connections.len() as f64;
    let (mut room, mut counted) = (most, Duration::ZERO);
    for taken in view.story.taken.iter().filter(|taken| connections.contains(&taken.connection)) {
        room = (room + rate * (taken.at - counted).as_secs_f64()).min(most) - taken.bytes as f64;
        counted = taken.at;
        if room < 0.0 {
            let text = format!("{} bytes more than {rate} a second", -room);
            return vec![problem("too many bytes", String::new(), taken.at, text)];
        }
    }
    Vec::new()
}
