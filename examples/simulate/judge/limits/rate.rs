//! `--qps` and `--burst`: a bucket of tokens as the server sees it, for all requests and for those that repeat.

use std::{collections::BTreeMap, time::Duration};

use apiserver::Kind;

use super::{LogRequest, View, checks, connections::TURN, open, problem};
use crate::{judge::Problem, script::Setting, story::Request};

/// The defaults (src/plan/limits.rs), and the part of the rate for requests that repeat (`POLLS` in
/// src/cluster/limit.rs).
const QPS: u32 = 50;
const BURST: u32 = 100;
const POLLS: f64 = 0.5;

/// A container whose state changed so long ago is not asked for the rest of its log any more, so that a request for one
/// line is a check.
const SETTLED: Duration = Duration::from_secs(30);

/// How much earlier than `--until` the program may take it, since it knows the clock of the apiserver in whole seconds.
const CLOCKS: Duration = Duration::from_secs(2);

pub fn qps(setting: &Setting) -> f64 {
    match setting.qps {
        Some(..=-1) => f64::INFINITY,
        Some(rate) => f64::from(rate),
        None => f64::from(QPS),
    }
}

pub fn burst(setting: &Setting) -> f64 {
    f64::from(setting.burst.unwrap_or(BURST))
}

pub fn judge(view: &View) -> Vec<Problem> {
    let (qps, burst) = (qps(view.setting), burst(view.setting));
    let all = view.story.requests.iter().map(|request| request.at);
    let all = exceeds(view, all, qps, burst).map(|at| {
        problem(
            "too many requests",
            String::new(),
            at,
            format!("more than {qps} a second and {burst} at once"),
        )
    });
    let repeating = repeating(view);
    let (half, part) = (qps * POLLS, (burst * POLLS).max(1.0));
    let polls = exceeds(view, repeating.into_iter(), half, part).map(|at| {
        let text = format!("more than {half} a second and {part} at once, of polls, checks and probes");
        problem("too many polls", String::new(), at, text)
    });
    all.into_iter().chain(polls).collect()
}

/// When the bucket was empty and a request came all the same.
fn exceeds(view: &View, times: impl Iterator<Item = Duration>, rate: f64, burst: f64) -> Option<Duration> {
    let most = burst + rate * view.lag().as_secs_f64() + 1e-6;
    let (mut tokens, mut counted) = (most, Duration::ZERO);
    let connecting = connecting(view);
    for at in times {
        let held_up = view.held_up_behind(at, connecting).map_or(Duration::ZERO, |since| at - since);
        let most = most + rate * (held_up + in_turn(view, at)).as_secs_f64();
        tokens = (tokens + rate * (at - counted).as_secs_f64()).min(most) - 1.0;
        counted = at;
        if tokens < 0.0 {
            return Some(at);
        }
    }
    None
}

/// How long requests that had their turn may wait for a connection behind an outage: until a probe has shown its end,
/// and, if each has room for a few, one after the other (`Pool::dialing` in src/cluster/http/pool.rs). The first one is
/// part of [`View::lag`].
fn connecting(view: &View) -> Duration {
    let logs = open::log_requests(view).min(view.story.containers.len());
    let needed = view.setting.server.max_streams.map_or(1, |streams| logs.div_ceil(streams as usize));
    let (needed, more) = (needed as u32, needed.saturating_sub(1) as u32);
    // The beginning of each is read behind the turns of those that were made before.
    let turns = view.setting.max_bandwidth.map_or(Duration::ZERO, |_| TURN * needed * more);
    view.round_trip() * (1 + 2 * more) + turns
}

/// How long requests that had their turn may wait for a new connection of logs that is being made then: with
/// `--max-bandwidth` the beginning of HTTP/2 is read behind the turns of the others. They come together behind that.
fn in_turn(view: &View, at: Duration) -> Duration {
    if view.setting.max_bandwidth.is_none() {
        return Duration::ZERO;
    }
    // The first request of each connection, and the last end.
    let mut connections = BTreeMap::<u64, (&Request, Duration)>::new();
    for LogRequest { request, .. } in &view.logs {
        let ended = request.ended.map_or(Duration::MAX, |(ended, _)| ended);
        let (_, last) = connections.entry(request.connection).or_insert((request, ended));
        *last = ended.max(*last);
    }
    let is_open = |(first, last): &(&Request, Duration), at| first.at <= at && *last >= at;
    let turns = |at| TURN * connections.values().filter(|connection| is_open(connection, at)).count() as u32;
    let made = connections.values().map(|(first, _)| *first).filter(|first| first.http2);
    let waits = made.map(|first| (first.at, turns(first.at)));
    let waits =
        waits.filter(|(made, turns)| (made.saturating_sub(*turns)..=*made + view.lag()).contains(&at));
    waits.map(|(_, turns)| turns).max().unwrap_or_default()
}

/// The requests that are known to repeat: polls of a log that was polled before, looks at the last line of a container
/// that goes on as it was, and probes after the first request for a version, which asks for the time.
fn repeating(view: &View) -> Vec<Duration> {
    if !view.setting.logs.follows() {
        return Vec::new();
    }
    // When the time is over, the end of each log is confirmed.
    let over = view.until().map_or(Duration::MAX, |until| until.saturating_sub(CLOCKS));
    let mut polled = BTreeMap::new();
    let logs = view.logs.iter().filter(|log| log.request.at < over);
    let logs = logs.filter(|log| repeats(view, log, &mut polled) || is_check(view, log));
    let logs = logs.map(|log| log.request.at);
    let probes =
        view.story.requests.iter().filter(|request| request.kind == Kind::Other).map(|request| request.at);
    let mut times: Vec<_> = logs.chain(probes.skip(1)).collect();
    times.sort_unstable();
    times
}

/// Whether a poll is not the first of its log. The first one may ask again, each time for more lines; and with `--tail`
/// the rest of a log of which no line was read is asked for as a poll asks. If its pod meets `--condition` again, it is
/// the first one again.
///
/// `polled`: the most lines that a poll of each log has asked for so far, and how often its pod had met the condition.
fn repeats(view: &View, log: &LogRequest, polled: &mut BTreeMap<(String, usize), u64>) -> bool {
    let query = |name| log.request.query(name);
    if log.follows || query("previous").is_some() || is_look(log) {
        return false;
    }
    let lines = query("tailLines").and_then(|lines| lines.parse().ok()).unwrap_or(u64::MAX);
    let meets = log.container.map_or(&[][..], |container| &container.meets);
    let met = meets.iter().filter(|(at, meets)| *meets && *at <= log.request.at).count();
    let most = polled.entry((super::name(log.request), met)).or_default();
    let asked_again = std::mem::replace(most, lines.max(*most)) >= lines;
    let may_be_rest = view.setting.tail == Some(lines) && !goes_on(view, log);
    asked_again && !may_be_rest && query("sinceTime").is_some() && query("tailLines").is_some()
}

/// Whether it asks for the last line only.
pub fn is_look(log: &LogRequest) -> bool {
    let query = |name| log.request.query(name);
    query("sinceTime").is_none() && query("sinceSeconds").is_none() && query("tailLines") == Some("1")
}

/// Whether it looks at the last line of a log that is followed or polled.
fn is_check(view: &View, log: &LogRequest) -> bool {
    !log.follows
        && log.request.query("previous").is_none()
        && is_look(log)
        && goes_on(view, log)
        && !opens(view, log)
}

/// Whether it may open its log: with `--tail=1` the first request asks for the last line too.
fn opens(view: &View, log: &LogRequest) -> bool {
    let is_before = |other: &LogRequest| {
        let is_of_it = other.container.zip(log.container).is_some_and(|(one, of)| std::ptr::eq(one, of));
        let is_answered = matches!(other.request.answered, Some((_, 200)));
        is_of_it
            && is_answered
            && other.request.number < log.request.number
            && other.request.query("previous").is_none()
    };
    view.setting.tail == Some(1) && !view.logs.iter().any(is_before)
}

/// Whether its container goes on as it was: it runs, and no instance of it has ended lately, or is removed soon.
fn goes_on(view: &View, log: &LogRequest) -> bool {
    let settled = SETTLED + checks::wait(view);
    // A fault may have kept the program from knowing of an end for long.
    let known_late = view.troubles.iter().any(|trouble| {
        trouble.from <= log.request.at && trouble.until.saturating_add(settled) >= log.request.at
    });
    log.container.is_some_and(|container| {
        let at = log.request.at;
        let is_gone = container.deleted.is_some_and(|deleted| deleted <= at + settled);
        let is_settled = container.instances.iter().all(|instance| {
            let ended = instance.ended.is_none_or(|ended| ended > at);
            let long_ago = !known_late && instance.ended.is_some_and(|ended| ended + settled <= at);
            ended || long_ago
        });
        is_settled
            && !is_gone
            && container.instances.iter().any(|instance| instance.ended.is_none_or(|ended| ended > at))
    })
}
