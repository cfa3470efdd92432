//! The watchdog, and the ageing of requests that wait: a followed log that is silent is looked at in time, however many
//! other requests wait.

use std::time::Duration;

use super::{LogRequest, View, name, open, problem, rate};
use crate::{
    judge::{Problem, troubles::falls_silent},
    script::Setting,
};

/// The default of `--idle-check`, after which a stream that was silent from its beginning, or whose lines come seldom,
/// is looked at.
const IDLE: Duration = Duration::from_secs(30);

/// What is neither the wait for a check nor that for the limiter: the batch that holds a line back, the distance.
const SLACK: Duration = Duration::from_secs(2);

/// The most requests that pass the one that has waited longest (`MOST_PASSING` in src/cluster/limit.rs).
const PASSING: f64 = 3.0;

/// The most bytes that come at once of a connection on which no log brings anything: pings and their like.
const FRAMES: usize = 64;

/// The other requests that may wait at once: lists and watches of each of a few namespaces, and a probe.
const OTHERS: usize = 4;

pub fn judge(view: &View) -> Vec<Problem> {
    let Some(idle) = idle(view) else { return Vec::new() };
    let patience = idle + wait(view) + SLACK;
    view.logs.iter().filter(|log| log.follows).filter_map(|log| unchecked(view, log, patience)).collect()
}

/// None: no stream is looked at.
pub fn idle(view: &View) -> Option<Duration> {
    idle_of(view.setting)
}

pub fn idle_of(setting: &Setting) -> Option<Duration> {
    let idle = setting.idle_check.map_or(IDLE, |seconds| Duration::from_secs(u64::from(seconds)));
    Some(idle).filter(|idle| !idle.is_zero())
}

/// The longest wait of a repeating request for the limiter: at most so many others wait, and of each four requests one
/// is that which has waited longest. A request that keeps being made for a log needs one of the places for logs.
pub fn wait(view: &View) -> Duration {
    let waiting = open::log_requests(view).min(view.story.containers.len() * 2) + OTHERS;
    let half = rate::qps(view.setting) * 0.5;
    Duration::from_secs_f64(waiting as f64 * (PASSING + 1.0) / half)
}

/// The first silence of a stream that was too long without a look.
fn unchecked(view: &View, log: &LogRequest, patience: Duration) -> Option<Problem> {
    let container = log.container?;
    let (opened, status) = log.request.answered?;
    let end = log.request.ended.map_or(view.story.ended, |(at, _)| at).min(view.story.ended);
    let troubled = |from: Duration, until: Duration| {
        view.troubles
            .iter()
            .any(|trouble| trouble.from <= until && trouble.until.saturating_add(SLACK * 5) >= from)
    };
    // Of a stream that brings nothing it is not known when it was heard last.
    if falls_silent(view.story, container).any(|at| at <= end) {
        return None;
    }
    let lines = container.instances.iter().flat_map(|instance| &instance.lines).map(|line| line.at);
    let mut heard: Vec<_> = lines.filter(|at| (opened..end).contains(at)).collect();
    heard.push(end);
    // What is known of the silence of a log outlives a stream of it.
    if !view.logs.iter().any(|other| is_same(other, log) && other.request.at < log.request.at) {
        heard.push(opened);
    }
    heard.sort_unstable();
    let since = heard.windows(2).find_map(|silence| {
        let (mut from, end) = (silence[0], silence[1]);
        loop {
            let until = from + patience;
            if until > end || troubled(from, until) || is_checked(view, log, from, until) {
                return None;
            }
            // The silence may have begun here: if this does not explain it, nothing that came before does.
            match arrivals(view, log).filter(|at| *at > from && *at <= until).max() {
                Some(at) => from = at,
                None => return Some(from),
            }
        }
    })?;
    let text = format!("nothing came for {patience:?} since then, and its last line was not asked for");
    (status == 200).then(|| problem("a silent stream is not looked at", name(log.request), since, text))
}

/// When something of it may have arrived that the program did not take before: with `--max-bandwidth` long after it was
/// written. With HTTP/2 it may be of another answer, such as that to a look at this log.
fn arrivals<'v>(view: &'v View, log: &'v LogRequest) -> impl Iterator<Item = Duration> + 'v {
    let is_bounded = view.setting.max_bandwidth.is_some();
    let of_it = view.story.taken.iter().filter(move |taken| taken.connection == log.request.connection);
    of_it.filter(move |taken| is_bounded && taken.bytes > FRAMES).map(|taken| taken.at)
}

fn is_checked(view: &View, of: &LogRequest, from: Duration, until: Duration) -> bool {
    let in_time = |log: &LogRequest| (from..=until + view.lag()).contains(&log.request.at);
    view.logs.iter().any(|log| !log.follows && is_same(log, of) && in_time(log))
}

/// Whether both are for the same log.
pub fn is_same(one: &LogRequest, other: &LogRequest) -> bool {
    let container = |log: &LogRequest| log.request.query("container").map(str::to_owned);
    one.request.path == other.request.path && container(one) == container(other)
}
