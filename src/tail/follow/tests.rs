//! Tails on a paused clock, which can last longer than a test may.

mod ahead;
mod deletion;
mod early;
mod ends;
mod history;
mod late;
mod limits;
mod overtaken;
mod polling;
mod ranges;
mod restarts;
mod retries;
mod seconds;
mod silence;
mod unseen;
mod unverified;

use super::*;
use crate::{
    cluster::LogRequest,
    event::{Ending, Gap},
    tail::testing::{
        Container, NO_POD, NO_PREVIOUS, OTHER_POD, Reply, Setup, Story, Written, as_it_is, at, line, plan,
    },
};

/// Whether the request only checks the last line of a log.
fn is_look(request: &LogRequest) -> bool {
    matches!(request.tail_lines, Some(1 | 2)) && !request.follow && request.since.is_none()
}

/// The kubelet's words for a removed log, in place of a line.
const REMOVED: &str = "unable to retrieve container logs for containerd://1";

/// A log of these lines, with their instants in seconds.
fn log<const N: usize>(lines: [(f64, &str); N]) -> Written {
    Written::lines(lines.map(|(at, message)| (at, message.to_owned())))
}

/// All that was reported, without refusals that are retried, and each gap by its kind.
fn outline(story: &Story) -> Vec<String> {
    let said = story.said().into_iter().filter(|said| !said.ends_with("; trying again"));
    said.map(|said| said.split_once('(').map_or(said.clone(), |(kind, _)| kind.to_owned())).collect()
}

fn stopped() -> Life {
    Life::Terminated(Ending {
        reason: "Completed".into(),
        exit_code: Some(0),
        deleting: true,
        ..Ending::default()
    })
}

/// A container that writes this many lines per second, read with this delay in seconds; it began ten seconds ago.
fn busy(plan: LogPlan, rate: f64, round_trip: f64) -> Story {
    let log = Written::numbered((0..(60.0 * rate) as usize).map(|n| n as f64 / rate - 10.0));
    let began = Instant::now();
    Story::begin(plan, Life::Running, move |request| {
        log.until(began.elapsed().as_secs_f64() + round_trip / 2.0).answer(request).after(round_trip)
    })
}

/// An instance that writes `a` and some last lines before it ends at 5 s, and the next one, which starts a second
/// later.
fn restarting() -> Container {
    let old = log([(-1.0, "a"), (4.9, "last words")]);
    Container::new([(-60.0, Some(5.0), old), (6.0, None, log([(7.5, "b"), (29.5, "c")]))])
}

/// The expected output, in order.
const IN_ORDER: [&str; 7] = ["+", "a", "last words", "-", "restarted 1", "b", "c"];
