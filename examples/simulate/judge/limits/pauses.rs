//! `Retry-After`: once an answer with it has arrived, nothing is requested until its time is over.

use std::{ops::RangeInclusive, time::Duration};

use apiserver::{Ended, Kind};
use jiff::{Timestamp, fmt::rfc2822};

use super::{LogRequest, View, checks, problem, rate};
use crate::{
    judge::{
        Problem,
        lines::told,
        promptness,
        troubles::{LONGEST_PAUSE, falls_silent},
    },
    story::{Request, Story},
};

/// Dates are in whole seconds.
const ROUNDED: Duration = Duration::from_secs(1);

pub fn judge(view: &View) -> Vec<Problem> {
    pauses(view)
        .filter_map(|(from, until, asked)| {
            let early = view.story.requests.iter().find(|request| (from..until).contains(&request.at))?;
            let text = format!(
                "a request for {} came, though Retry-After: {asked} was answered before; {:.3} s were left",
                early.path,
                (until - early.at).as_secs_f64()
            );
            Some(problem("Retry-After not obeyed", String::new(), early.at, text))
        })
        .take(1)
        .collect()
}

/// The times in which nothing may arrive: from when what had left before the answer came has arrived.
fn pauses<'v>(view: &'v View) -> impl Iterator<Item = (Duration, Duration, &'v str)> {
    let round_trip = view.round_trip();
    view.story.requests.iter().filter_map(move |request| {
        let (at, pause) = asked(view.story, request)?;
        let arrived = at + round_trip / 2;
        // An answer that the program did not wait for asks for nothing.
        let left = request
            .ended
            .is_some_and(|(at, how)| how != Ended::Complete || at < arrived.saturating_sub(round_trip));
        // A connection for logs rests between reads.
        let rests = request.kind == Kind::Log;
        let rest = if rests { promptness::latency(view.setting) } else { Duration::ZERO };
        let lost = left
            || is_needless(view, request, at + rest)
            || view.held_up_since(arrived).is_some()
            || is_broken(view, request, at..=arrived + rest);
        // Without the way, which may have become shorter.
        let until = at + pause.min(LONGEST_PAUSE);
        (!lost).then_some((arrived + view.lag() + rest, until, request.retry_after.as_deref()?))
    })
}

/// Whether the connection of a request broke in this time: a reset comes in place of all that was not read yet.
fn is_broken(view: &View, request: &Request, within: RangeInclusive<Duration>) -> bool {
    let of_it = || view.story.requests.iter().filter(|other| other.connection == request.connection);
    let is_over = |other: &Request| other.ended.is_some_and(|(ended, _)| ended <= *within.end());
    let breaks = |other: &Request| matches!(other.ended, Some((at, Ended::Broken)) if within.contains(&at));
    of_it().any(breaks) && of_it().all(is_over)
}

/// Whether it looks at the end of a log beside its stream, and the stream is heard while it is under way: then the look
/// is dropped, and the server has sent its answer completely before it can learn of that.
///
/// `answered`: when the answer was sent, with the time for which it may rest.
fn is_needless(view: &View, request: &Request, answered: Duration) -> bool {
    let Some(look) = view.logs.iter().find(|log| log.request.number == request.number) else { return false };
    if look.follows || request.query("previous").is_some() || !rate::is_look(look) {
        return false;
    }
    let way = shortest_way(view, request.at);
    // A look that is sent because the stream has ended is awaited.
    let is_under_way = |heard: Duration| heard + way > request.at && heard <= answered + way;
    let is_beside = |log: &&LogRequest| {
        let is_open = log.request.answered.is_some_and(|(at, status)| status == 200 && at < request.at);
        log.follows && is_open && checks::is_same(log, look)
    };
    view.logs.iter().filter(is_beside).any(|stream| heard(view, stream, way).any(is_under_way))
}

/// When a stream is heard: its lines, and its end.
fn heard<'v>(view: &'v View, stream: &LogRequest<'v>, way: Duration) -> impl Iterator<Item = Duration> + 'v {
    let Request { at: requested, ended, .. } = *stream.request;
    let end = ended.map(|(at, how)| if how == Ended::Abandoned { at.saturating_sub(way) } else { at + way });
    let silenced = stream.container.and_then(|of| falls_silent(view.story, of).find(|at| *at >= requested));
    let until = ended.map(|(at, _)| at).into_iter().chain(silenced).min().unwrap_or(Duration::MAX);
    let instances = stream.container.into_iter().flat_map(|container| &container.instances);
    let lines = instances.flat_map(|instance| &instance.lines).map(|line| line.at);
    lines.filter(move |at| (requested..until).contains(at)).map(move |at| at + way).chain(end)
}

/// How long a packet was under way at least that arrived then.
fn shortest_way(view: &View, at: Duration) -> Duration {
    let way = told::way(view.story, at);
    told::way(view.story, at.saturating_sub(way)).min(way)
}

/// When the answer was sent, and how long it asks to wait.
pub fn asked(story: &Story, request: &Request) -> Option<(Duration, Duration)> {
    let (at, status) = request.answered?;
    let value = request.retry_after.as_deref().filter(|_| [429, 503].contains(&status))?;
    if let Ok(seconds) = value.parse() {
        return Some((at, Duration::from_secs(seconds)));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let ahead = jiff::SignedDuration::from_secs(story.script.setting.clocks.server);
    let now: Timestamp = story.clock.checked_add(ahead).ok()?.checked_add(at).ok()?;
    let pause = Duration::try_from(until.duration_since(now)).ok()?;
    Some((at, pause.saturating_sub(ROUNDED)))
}
