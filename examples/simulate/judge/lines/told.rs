//! By when the program has been told of what the apiserver knows: lists and watches tell it, and these may be late, or
//! lost.

use std::time::Duration;

use apiserver::{Ended, Kind};

use super::super::limits::until_by;
use crate::{
    script::{Fault, What},
    story::{Container, Instance, Request, Story},
};

/// How long after `--until` the program may still take what a watch tells: it waits for its lists (`PATIENCE` in
/// src/select/mod.rs), and knows the clock of the apiserver in whole seconds.
const UNTIL: Duration = Duration::from_secs(5);

/// By when the program has been told of a container as the store had it then, while or after its pod was there; never
/// ([`Duration::MAX`]) if neither a list nor a watch tells of it. A question for one pod tells whether its instance is
/// current, and nothing of the next one.
pub fn told(story: &Story, container: &Container, known: Option<Duration>) -> Duration {
    let gone = container.deleted.unwrap_or(Duration::MAX);
    let lists_all = |request: &&Request| {
        request.query("fieldSelector").is_none() && is_of(request, container) && !has_expired(request)
    };
    let requests = story.requests.iter().filter(lists_all);
    // A list without the pod hides what was before it.
    let requests = requests.take_while(|request| request.kind != Kind::List || may_hold(request, gone));
    requests.filter_map(|request| tells(story, request, container, known?)).min().unwrap_or(Duration::MAX)
}

/// Whether the answer to this request may hold what was gone from then on. A list that is answered late has what is
/// there by then; a watch tells what it missed.
pub fn may_hold(request: &Request, gone: Duration) -> bool {
    let answered = request.answered.filter(|_| request.kind == Kind::List).map(|(answered, _)| answered);
    answered.unwrap_or(request.at) < gone
}

/// By when the answer to this request has told of what was known of the container then.
pub fn tells(story: &Story, request: &Request, container: &Container, known: Duration) -> Option<Duration> {
    let (answered, _) = request.answered.filter(|_| is_of(request, container))?;
    let ended = request.ended.map_or(Duration::MAX, |(at, _)| at);
    match request.kind {
        Kind::List => {
            let arrival = arrival(story, if request.ended.is_some() { ended } else { answered });
            (known <= request.at).then_some(arrival)
        }
        _ => {
            let arrival = arrival(story, held(story, known.max(answered)));
            let is_watched = arrival < ended.saturating_add(way(story, ended)) && !is_over(story, arrival);
            (is_watched && !has_expired(request)).then_some(arrival)
        }
    }
}

/// Whether the time of `--until` is over then, so that the pods are watched no longer.
fn is_over(story: &Story, at: Duration) -> bool {
    let clocks = &story.script.setting.clocks;
    let until = [clocks.server, clocks.client].into_iter().filter_map(|ahead| until_by(story, ahead)).max();
    until.is_some_and(|until| at > until + UNTIL)
}

/// The pod that a question is about.
pub fn named(request: &Request) -> Option<&str> {
    request.query("fieldSelector")?.strip_prefix("metadata.name=")
}

/// Whether the answer lists or watches pods, and this one among them.
fn is_of(request: &Request, container: &Container) -> bool {
    request.path.ends_with("/pods")
        && named(request).is_none_or(|named| named == container.place.pod)
        && matches!(request.kind, Kind::List | Kind::Watch)
        && request.answered.is_some_and(|(_, status)| status == 200)
}

/// Whether a watch ended as soon as it began: the history that it asked for was compacted.
fn has_expired(request: &Request) -> bool {
    request.kind == Kind::Watch
        && matches!((request.answered, request.ended), (Some((began, _)), Some((ended, Ended::Complete))) if began == ended)
}

fn faults(story: &Story) -> impl Iterator<Item = (Duration, &Fault)> {
    story.script.events.iter().filter_map(|event| match &event.what {
        What::Fault(fault) => Some((event.at, fault)),
        _ => None,
    })
}

/// By when a watch has sent what happened then: an event waits for the delay, and before it for that of the one before.
fn held(story: &Story, at: Duration) -> Duration {
    let sent = faults(story).filter_map(|(from, fault)| match fault {
        Fault::WatchHeld { delay, lasting } if from <= at => {
            Some((at + *delay * 2).min(from + *lasting + *delay))
        }
        _ => None,
    });
    sent.fold(at, Duration::max)
}

/// When what is sent then has arrived: in a black hole nothing does.
pub fn arrival(story: &Story, sent: Duration) -> Duration {
    let holes = faults(story).filter_map(|(from, fault)| match fault {
        Fault::BlackHole(lasting) if (from..from + *lasting).contains(&sent) => Some(from + *lasting),
        _ => None,
    });
    let sent = holes.fold(sent, Duration::max);
    sent.saturating_add(way(story, sent))
}

/// How long a packet is under way at that time. Timers have milliseconds.
pub fn way(story: &Story, at: Duration) -> Duration {
    let far = faults(story).filter_map(|(from, fault)| match fault {
        Fault::Far { round_trip, lasting } if (from..=from + *lasting).contains(&at) => Some(*round_trip),
        _ => None,
    });
    let round_trip = far.fold(story.script.setting.server.round_trip, Duration::max);
    Duration::from_millis((round_trip / 2).as_micros().div_ceil(1000) as u64)
}

/// When the end of an instance was first in the store of the apiserver: statuses of its pod may be held back.
pub fn end_known(story: &Story, container: &Container, instance: &Instance) -> Option<Duration> {
    let pod = &container.place.pod;
    story.script.events.iter().fold(instance.ended, |known, event| {
        let until = match &event.what {
            What::Restarts(place, restart) if place.pod == *pod && !restart.late.is_zero() => {
                event.at + restart.waits + restart.late
            }
            What::Appears(of) if of.name == *pod && !of.late.is_zero() => event.at + of.late,
            _ => return known,
        };
        known.map(|known| if event.at <= known { known.max(until) } else { known })
    })
}
