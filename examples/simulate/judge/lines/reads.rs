//! The requests of the program for the log of a container, and which instance's log they got.

use std::time::Duration;

use apiserver::{Ended, Kind};

use super::{
    book::{Book, Life},
    told::way,
};
use crate::{
    script::{Event, Fault, What},
    story::{Request, Story},
};

/// How much later than its turn a request may come.
const TURN: Duration = Duration::from_millis(20);

/// A log without a line may be that of an instance that started until this time later, by clocks that differ.
const REPLACED: Duration = Duration::from_secs(60);

/// A request for a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    pub at: Duration,
    /// When the program decided to ask: one that was told to wait by `Retry-After` asks the same again, and one that
    /// reads a log from its beginning may have waited for its turn by `--qps`.
    pub decided: Duration,
    /// When its answer began, with this status.
    pub answered: Option<(Duration, u16)>,
    pub ended: Option<(Duration, Ended)>,
    /// Whether its connection was reset before the program took the end of its answer.
    pub lost: bool,
    /// Whether its answer ended before the first byte was sent.
    pub empty: bool,
    pub previous: bool,
    pub follow: bool,
    /// Whether it asks for the last line only, to compare.
    pub check: bool,
    /// Whether it asks for the last two lines of the previous log only, to tell whose it is.
    pub pair: bool,
    /// Whether it asks for the lines since the last one, of a container that is not followed for want of room.
    pub poll: bool,
}

impl Read {
    /// When its answer began, if it is a log.
    pub fn opened(&self) -> Option<Duration> {
        self.answered.filter(|(_, status)| *status == 200).map(|(at, _)| at)
    }

    /// Whether its answer may hold something of this life: the node may have had that log when it answered.
    pub fn may_be_of(&self, life: &Life<'_>) -> bool {
        let until = self.opened().unwrap_or(Duration::MAX);
        let instance = life.instance;
        let from = match self.previous {
            true => instance.waits.or(instance.previous).or(instance.ended),
            false => Some(instance.started),
        };
        from.is_some_and(|from| from <= until)
            && life.gone().is_none_or(|gone| gone >= self.at)
            && !self.is_past(life)
    }

    /// When it showed that this life had no line yet, if it did.
    pub fn found_empty(&self, life: &Life<'_>) -> Option<Duration> {
        let (ended, _) = self.ended.filter(|(_, ended)| *ended == Ended::Complete)?;
        let next = life.container.instances.get(life.number + 1);
        let is_replaced = next.is_some_and(|next| next.started < ended + REPLACED);
        let is_current = !self.previous && !is_replaced && life.instance.started <= self.at;
        let is_empty = self.check && self.empty && !self.lost && self.opened().is_some();
        let has_none = life.lines().first().is_none_or(|first| first.at > ended);
        (is_current && is_empty && has_none).then_some(self.at)
    }

    /// Whether the next instance had its place.
    fn is_past(&self, life: &Life<'_>) -> bool {
        let next = life.container.instances.get(life.number + 1);
        match self.previous {
            false => next.is_some_and(|next| next.started < self.at),
            true => next.is_some_and(|next| next.previous.is_some_and(|previous| previous < self.at)),
        }
    }
}

/// The requests for the logs of a container, in order.
pub fn of(book: &Book<'_>, story: &Story) -> Vec<Read> {
    let (namespace, pod, container) = book.name;
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
    let of_container = story.requests.iter().filter(|request| {
        request.kind == Kind::Log && request.path == path && request.query("container") == Some(container)
    });
    let is_poll =
        |request: &Request| request.query("sinceTime").is_some() && request.query("tailLines").is_some();
    // With `--tail=1` other requests are bounded like that, but by a time too.
    let is_bounded =
        |request: &Request| request.query("sinceTime").or(request.query("sinceSeconds")).is_some();
    let is_true = |request: &Request, name: &str| request.query(name) == Some("true");
    let requests: Vec<_> = of_container.collect();
    let read = |(number, request): (usize, &&Request)| Read {
        at: request.at,
        decided: decided(story, &requests, number),
        answered: request.answered,
        ended: request.ended,
        lost: is_lost(story, request),
        empty: request.ended.is_some() && request.bytes == 0,
        previous: is_true(request, "previous"),
        follow: is_true(request, "follow"),
        poll: !is_true(request, "follow") && is_poll(request),
        check: !is_true(request, "follow") && request.query("tailLines") == Some("1") && !is_bounded(request),
        pair: is_true(request, "previous") && request.query("tailLines") == Some("2") && !is_bounded(request),
    };
    requests.iter().enumerate().map(read).collect()
}

/// Whether all connections were reset before the program took anything of the end of this answer: until it knows whose
/// log it is, for which it may have to make a connection, it leaves the rest unread, and a reset takes that away.
fn is_lost(story: &Story, request: &Request) -> bool {
    let Some((ended, Ended::Complete)) = request.ended else { return false };
    let asked = ended..=ended + 4 * way(story, ended);
    let is_reset = |event: &Event| {
        matches!(event.what, What::Fault(Fault::ConnectionsReset)) && asked.contains(&event.at)
    };
    let mut taken = story.taken.iter().filter(|taken| taken.connection == request.connection);
    story.script.events.iter().any(is_reset) && !taken.any(|taken| taken.bytes > 0 && taken.at >= ended)
}

fn decided(story: &Story, requests: &[&Request], number: usize) -> Duration {
    let is_again = |pair: &[&Request]| pair[0].retry_after.is_some() && pair[0].query == pair[1].query;
    let again = requests[..=number].windows(2).rev().take_while(|pair| is_again(pair)).count();
    let first = requests[number - again];
    match requests[..number - again].last() {
        _ if first.query("sinceTime").is_some() => first.at,
        before => queued(story, first.at).max(before.map_or(Duration::ZERO, |before| before.at)),
    }
}

/// Since when other requests came, up to this time, as fast as `--qps` allows: those that repeat have half of it.
pub fn queued(story: &Story, at: Duration) -> Duration {
    let Some(rate) = story.script.setting.qps.filter(|rate| *rate > 0) else { return at };
    let pause = Duration::from_secs_f64(2.0 / f64::from(rate)) + TURN;
    let mut from = at;
    for earlier in story.requests.iter().rev().map(|request| request.at) {
        if earlier + pause < from {
            break;
        }
        from = from.min(earlier);
    }
    from
}
