//! Whether a client may take the apiserver for out of reach, from what its requests met.

use std::{collections::BTreeSet, time::Duration};

use apiserver::{Ended, Kind};

use super::{
    excuse::Case,
    told::{arrival, way},
};
use crate::{
    script::{Fault, What},
    story::{Request, Story},
};

/// An end that comes so soon behind an outage may be one that the outage held back (`HELD` in
/// src/tail/follow/answer.rs).
pub const HELD: Duration = Duration::from_secs(1);

/// As long as that, nothing is answered before a client takes the apiserver for out of reach (`SLOW` in
/// src/cluster/outage.rs).
const SLOW: Duration = Duration::from_secs(2);

/// Whether the connection of a request broke before an answer, or it was answered late, and nothing else was answered
/// for a while then, so that the apiserver seemed to be out of reach at such a time.
pub fn seems_away(case: &Case<'_, '_>, since: Duration, until: Duration) -> bool {
    let requests = || case.story.requests.iter();
    let is_broken = |ended| matches!(ended, Some((_, Ended::Broken)));
    // By the clock of the program.
    let sent = |one: &Request| one.at.saturating_sub(way(case.story, one.at));
    let answered = |one: &Request| one.answered.map(|(at, _)| arrival(case.story, at));
    let mut late = requests().filter(|one| {
        let is_late = match answered(one) {
            Some(answered) => answered >= sent(one) + SLOW,
            None => is_broken(one.ended),
        };
        is_late && one.at <= until
    });
    let is_silent_from = |from: Duration| {
        let next = requests().filter_map(answered).filter(|at| *at > from).min();
        next.is_none_or(|next| next + HELD >= since && next >= from + SLOW)
    };
    // While others are on their way, the silence may begin later.
    let taken = case.story.taken.iter().filter(|taken| taken.bytes > 0).map(|taken| taken.at);
    let taken: Vec<_> = taken.collect();
    let is_unheard = |one: &Request| {
        let on_its_way = sent(one)..answered(one).unwrap_or(Duration::MAX);
        taken.windows(2).any(|pair| {
            let next = pair[1].min(on_its_way.end);
            on_its_way.contains(&pair[0]) && next >= pair[0] + SLOW && next + HELD >= since
        })
    };
    late.any(|one| is_silent_from(sent(one)) || is_unheard(one))
        || lost_requests(case, until).any(is_silent_from)
}

/// When a request may have broken that never came to the server, by the clock of the program: it was on its way over a
/// connection without another one as the server closed that. No later one came over it. Or its connection was being
/// made then.
pub fn lost_requests(case: &Case<'_, '_>, until: Duration) -> impl Iterator<Item = Duration> {
    let Story { script, requests, .. } = case.story;
    let http2 = script.setting.has_http2();
    let is_reset = |what: &What| matches!(what, What::Fault(Fault::ConnectionsReset));
    let is_go_away = |what: &What| matches!(what, What::Fault(Fault::GoAway | Fault::GoAwayAtOnce(_)));
    let is_over = |one: &Request, at| one.ended.is_some_and(|(ended, _)| ended <= at);
    let is_idle = move |connection: u64, at| {
        requests.iter().filter(|one| one.connection == connection).all(|one| one.at <= at && is_over(one, at))
    };
    let mut connections = BTreeSet::new();
    let logs = requests.iter().filter(|one| one.kind == Kind::Log);
    let firsts: Vec<_> = logs.filter(|one| connections.insert(one.connection)).map(|one| one.at).collect();
    // The one before was closed, and no request for a log has come over a new one since.
    let is_being_made = move |at: Duration| {
        let closed = script.events.iter().filter(|event| event.at < at);
        let mut closed = closed.filter(|event| is_reset(&event.what) || is_go_away(&event.what));
        closed.any(|event| !firsts.iter().any(|first| (event.at..=at).contains(first)))
    };
    let broken = script.events.iter().filter(move |event| {
        // Over HTTP/2 what is on its way over a connection that the server wants to close is asked again.
        let is_lost = is_reset(&event.what) || is_go_away(&event.what) && !http2;
        event.at <= until
            && (is_lost && requests.iter().any(|one| is_idle(one.connection, event.at))
                || http2 && is_go_away(&event.what) && is_being_made(event.at))
    });
    broken.map(|event| arrival(case.story, event.at))
}
