//! `Retry-After`: once an answer with it has arrived, nothing is requested until its time is over.

use std::{ops::RangeInclusive, time::Duration};

use apiserver::{Ended, Kind};
use jiff::{Timestamp, fmt::rfc2822};

use super::{View, problem};
use crate::{
    judge::{Problem, promptness, troubles::LONGEST_PAUSE},
    story::Request,
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
        let (at, pause) = asked(view, request)?;
        let arrived = at + round_trip / 2;
        // An answer that the program did not wait for asks for nothing.
        let left = request
            .ended
            .is_some_and(|(at, how)| how != Ended::Complete || at < arrived.saturating_sub(round_trip));
        // A connection for logs rests between reads.
        let rests = request.kind == Kind::Log;
        let rest = if rests { promptness::latency(view.setting) } else { Duration::ZERO };
        let lost =
            left || view.held_up_since(arrived).is_some() || is_broken(view, request, at..=arrived + rest);
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

/// When the answer was sent, and how long it asks to wait.
pub fn asked(view: &View, request: &Request) -> Option<(Duration, Duration)> {
    let (at, status) = request.answered?;
    let value = request.retry_after.as_deref().filter(|_| [429, 503].contains(&status))?;
    if let Ok(seconds) = value.parse() {
        return Some((at, Duration::from_secs(seconds)));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let ahead = jiff::SignedDuration::from_secs(view.setting.clocks.server);
    let now: Timestamp = view.story.clock.checked_add(ahead).ok()?.checked_add(at).ok()?;
    let pause = Duration::try_from(until.duration_since(now)).ok()?;
    Some((at, pause.saturating_sub(ROUNDED)))
}
