//! Connections: how many there are at once, and how many requests share one (src/cluster/http/pool.rs).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{View, problem};
use crate::{
    judge::{Problem, promptness},
    story::Request,
};

/// The most streams that the double allows unless it is told another number.
const STREAMS: usize = 250;

/// The streams that a client may open before it knows what the server allows.
const AT_FIRST: usize = 100;

/// The most logs with a connection of their own where they could share one (`MOST_ALONE` in src/cluster/http/pool.rs).
const ALONE: usize = 8;

/// Logs and all other requests have connections of their own.
const POOLS: usize = 2;

/// By which `--max-bandwidth` holds the read of each connection back (`BURST` in src/cluster/http/bandwidth.rs).
pub const TURN: Duration = Duration::from_millis(100);

/// The open requests of each connection.
#[derive(Default)]
struct Open(BTreeMap<u64, (bool, usize)>);

impl Open {
    fn begin(&mut self, request: &Request) -> usize {
        let (_, count) = self.0.entry(request.connection).or_insert((request.http2, 0));
        *count += 1;
        *count
    }

    fn end(&mut self, request: &Request) {
        if let Some((_, count)) = self.0.get_mut(&request.connection) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&request.connection);
            }
        }
    }

    /// Connections that are shared, and those that are not.
    fn connections(&self) -> (usize, usize) {
        let shared = self.0.values().filter(|(http2, _)| *http2).count();
        (shared, self.0.len() - shared)
    }

    /// Requests that share connections.
    fn sharing(&self) -> usize {
        self.0.values().filter(|(http2, _)| *http2).map(|(_, count)| count).sum()
    }
}

/// The change that a request makes: at one instant ends come before beginnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Ends,
    /// It began and ended so soon that nobody counts it as open.
    Passes,
    Begins,
}

/// The first time at which one of the limits was exceeded.
pub fn judge(view: &View) -> Vec<Problem> {
    let streams = view.setting.server.max_streams.map_or(STREAMS, |most| most as usize);
    let (mut open, mut peak) = (Open::default(), 0);
    // The ends of requests that shared a connection and may not have been read yet.
    let mut unread = VecDeque::new();
    for (at, change, request) in changes(view) {
        if change != Change::Begins {
            if change == Change::Ends {
                open.end(request);
            }
            unread.extend(request.http2.then_some(at));
            continue;
        }
        let late = late(view, &open);
        while unread.front().is_some_and(|ended| *ended + late <= at) {
            unread.pop_front();
        }
        let (count, most) = (open.begin(request), if request.http2 { streams } else { 1 });
        peak = peak.max(open.sharing() + unread.len());
        let (shared, alone) = open.connections();
        // A connection that fails, or that the server wants to close, is replaced while its requests end.
        let replaced = view.troubles.iter().filter(|trouble| trouble.from <= at).count();
        let most_shared = POOLS + peak.div_ceil(streams.min(AT_FIRST)) + replaced;
        let is_http2 = view.setting.has_http2();
        let text = if count > most {
            format!("{count} requests share connection {}, {most} may", request.connection)
        } else if shared > most_shared {
            format!(
                "{shared} connections are shared by {} requests, {most_shared} are enough",
                open.sharing()
            )
        } else if is_http2 && alone > ALONE + replaced {
            format!("{alone} requests have their own connections, {ALONE} may")
        } else {
            continue;
        };
        return vec![problem("too many connections", super::name(request), at, text)];
    }
    Vec::new()
}

/// How long the end of an answer may wait to be read. Ends count as early as the program can have them; it may also
/// have them later, and a connection that was asked for before they came is made all the same.
fn late(view: &View, open: &Open) -> Duration {
    let turns = view.setting.max_bandwidth.map_or(0, |_| open.0.len() as u32);
    view.lag() * 2 + promptness::latency(view.setting) + TURN * turns
}

/// The beginnings and ends of all requests, in order. The program counts an end half a round trip earlier or later than
/// the server.
fn changes<'a>(view: &View<'a>) -> Vec<(Duration, Change, &'a Request)> {
    let mut changes = Vec::new();
    for request in &view.story.requests {
        let ended = request.ended.map(|(at, _)| at.saturating_sub(view.lag()));
        if ended.is_none_or(|ended| ended > request.at) {
            changes.push((request.at, Change::Begins, request));
            changes.extend(ended.map(|at| (at, Change::Ends, request)));
        } else {
            changes.push((request.at, Change::Passes, request));
        }
    }
    changes.sort_by_key(|&(at, change, request)| (at, change, request.number));
    changes
}
