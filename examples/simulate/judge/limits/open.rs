//! `--max-log-requests` and `--max-streams-per-node`: the log requests that are open at once.

use std::{collections::BTreeMap, time::Duration};

use super::{LogRequest, View, name, problem};
use crate::judge::Problem;

/// The defaults (src/plan/limits.rs).
const LOG_REQUESTS: usize = 50;
const LOG_REQUESTS_ONCE: usize = 5;
const STREAMS_PER_NODE: u32 = 100;

/// Without following, each so many milliseconds of round trip add a log.
const MILLIS_A_LOG: u128 = 4;

/// The most log requests at once.
pub fn log_requests(view: &View) -> usize {
    let setting = view.setting;
    match setting.max_log_requests {
        Some(most) => most as usize,
        None if setting.logs.follows() => LOG_REQUESTS,
        None => {
            // The program measures with the work of the server, so it may take the server for farther away.
            let measured = (view.round_trip() * 2).as_millis() / MILLIS_A_LOG;
            (LOG_REQUESTS_ONCE + measured as usize).min(LOG_REQUESTS)
        }
    }
}

pub fn per_node(view: &View) -> usize {
    view.setting.max_streams_per_node.unwrap_or(STREAMS_PER_NODE) as usize
}

pub fn judge(view: &View) -> Vec<Problem> {
    let most = log_requests(view);
    let mut problems = Vec::new();
    if let Some((at, count, which)) = exceeds(view, view.logs.iter(), most) {
        problems.push(problem(
            "too many logs at once",
            which,
            at,
            format!("{count} are open, {most} are allowed"),
        ));
    }
    let mut nodes = BTreeMap::<&str, Vec<&LogRequest>>::new();
    for log in view.logs.iter().filter(|log| log.follows) {
        if let Some(container) = log.container {
            nodes.entry(&container.node).or_default().push(log);
        }
    }
    let most = per_node(view);
    for (node, logs) in nodes {
        if let Some((at, count, which)) = exceeds(view, logs.into_iter(), most) {
            let text = format!("{count} of {node} are followed, {most} are allowed");
            problems.push(problem("too many streams of a node", which, at, text));
        }
    }
    problems
}

/// When more than `most` were open at once, how many, and the last one that was opened. The program counts a log as
/// closed when it cancels it or has its end, and half a round trip lies between that and the end at the server, either
/// way.
fn exceeds<'l>(
    view: &View,
    logs: impl Iterator<Item = &'l LogRequest<'l>>,
    most: usize,
) -> Option<(Duration, usize, String)> {
    let mut changes = Vec::new();
    for LogRequest { request, .. } in logs {
        let ended = request.ended.map(|(at, _)| at.saturating_sub(view.lag()));
        if ended.is_some_and(|ended| ended <= request.at) {
            continue;
        }
        changes.push((request.at, 1, Some(*request)));
        changes.extend(ended.map(|at| (at, -1, None)));
    }
    // Ends before beginnings.
    changes.sort_by_key(|&(at, change, _)| (at, change));
    let mut open = 0_isize;
    for (at, change, request) in changes {
        open += change;
        let held_up = view.held_up_since(at).is_some();
        if let Some(request) = request
            && open > most as isize
            && !held_up
        {
            return Some((at, open as usize, name(request)));
        }
    }
    None
}
