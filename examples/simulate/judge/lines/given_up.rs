//! Reports that a log was given up, or is asked for again: a request for it failed in the moment before, as the words
//! of the report say, and they are about that log alone.

use std::time::Duration;

use apiserver::Ended;

use super::{
    super::{
        promptness::latency,
        troubles::{Nature, troubles},
    },
    excuse::{Case, SOON},
    notices::{Notice, Said, is_without_status},
    reads::Read,
    told::{named, way},
};
use crate::{
    script::{Fault, What},
    story::Request,
};

/// From the failure of the last request to the report of it.
const MOMENT: Duration = Duration::from_secs(1);

/// The longest pause behind it until it is asked whether the pod is there.
const PAUSE: Duration = Duration::from_secs(11);

/// A log to which more may come is given up if it is refused for a reason that does not pass, and any other one if
/// requests fail: once `--until` is over too.
pub fn judge(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let mut lives = case.book.lives.iter();
    let has_ended = lives.any(|life| life.instance.ended.is_some_and(|ended| ended <= notice.at));
    let is_patient = case.asked.follow && case.asked.until.is_none() && !has_ended;
    let is_final = |read: &Read| matches!(read.answered, Some((_, 400..429)));
    let has_failed = failed(case, notice).any(|read| !is_patient || is_final(read));
    let may_not_arrive = !is_patient && is_away(case, notice);
    (!has_failed && !may_not_arrive).then(|| "no request for it failed like that before".to_owned())
}

/// A request is sent again behind one that failed, as the report says.
pub fn retried(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let has_failed = failed(case, notice).next().is_some() || is_away(case, notice);
    (!has_failed).then(|| "no request for it failed like that before".to_owned())
}

/// Whether such a report is about this life: its log was asked for, or no status told of it yet.
pub fn is_about(case: &Case<'_, '_>, notice: &Notice<'_>, life: usize) -> bool {
    let lives = &case.book.lives;
    // One status may tell of several at once.
    let newest = |at: Duration| {
        let told = lives.iter().rev().map(|life| life.told).find(|told| *told <= at);
        lives.iter().position(|life| Some(life.told) == told).unwrap_or(0)
    };
    let asked = failed(case, notice).map(|read| {
        // It may have waited for a connection, for two round trips.
        let decided = read.decided.saturating_sub(way(case.story, read.at) * 5);
        newest(decided).saturating_sub(usize::from(read.previous))
    });
    // Of a request that never arrived it is not known which log it was for.
    let unseen = is_away(case, notice).then(|| newest(notice.at).saturating_sub(1));
    asked.chain(unseen).min().is_some_and(|first| life >= first)
}

/// The requests that failed right before, in the way that is reported.
fn failed<'c>(case: &'c Case<'_, '_>, notice: &'c Notice<'_>) -> impl Iterator<Item = &'c Read> {
    let (text, (since, until)) = (words(notice), around(case, notice.at));
    case.reads.iter().filter(move |read| {
        let at = failed_at(read, case.story.ended);
        at.is_some_and(|at| (since..=until).contains(&at)) && is_said(read, text)
    })
}

/// The words about the request that failed.
fn words<'a>(notice: &Notice<'a>) -> &'a str {
    match notice.said {
        Said::GivenUp(words) | Said::Retried(words) => words,
        _ => "",
    }
}

/// When the server knew that a request had failed. The program may end before the server learns that it left one.
fn failed_at(read: &Read, end: Duration) -> Option<Duration> {
    let ended = read.ended.map(|(at, _)| at).or(Some(end).filter(|_| !read.follow));
    match (read.answered, read.ended) {
        (Some((_, 200)), Some((_, Ended::Complete))) => ended.filter(|_| read.lost),
        (None | Some((_, 200)), _) => ended,
        (Some((answered, _)), _) => ended.or(Some(answered)),
    }
}

/// Whether the words of the report name the status, or are about a request without one.
fn is_said(read: &Read, text: &str) -> bool {
    match read.answered {
        None | Some((_, 200)) => is_without_status(text),
        Some((_, status)) => {
            text.split(|c: char| !c.is_ascii_digit()).any(|number| number == status.to_string())
        }
    }
}

/// Whether a request may have failed right before without arriving: the apiserver was away, or connections were reset.
fn is_away(case: &Case<'_, '_>, notice: &Notice<'_>) -> bool {
    let (since, until) = around(case, notice.at);
    let is_reset =
        |what: &What| matches!(what, What::Fault(Fault::ConnectionsReset | Fault::GoAwayAtOnce(_)));
    let mut resets = case.story.script.events.iter().filter(|event| is_reset(&event.what));
    let mut away = troubles(case.story).into_iter().filter(|trouble| trouble.what == Nature::Away);
    // Over HTTP/2 a request that breaks takes those of others with it.
    let breaks = |request: &Request| {
        let broke = request.ended.filter(|(_, how)| *how == Ended::Broken && request.answered.is_none());
        request.http2 && broke.is_some_and(|(at, _)| (since..=until).contains(&at))
    };
    is_without_status(words(notice))
        && (away.any(|trouble| trouble.from <= until && trouble.until >= since)
            || resets.any(|reset| (since..=until).contains(&reset.at))
            || case.story.requests.iter().any(breaks))
}

/// The time, at the server, in which a request failed that is reported then: an output that is not read keeps the
/// report, and packets that are held up the answer.
fn around(case: &Case<'_, '_>, at: Duration) -> (Duration, Duration) {
    // A connection may rest before the head of an answer, and before its body.
    let rests = 2 * latency(&case.story.script.setting);
    // The words of a refusal wait for their turn among all bytes that are read.
    let limited = case.story.script.setting.max_bandwidth.map_or(Duration::ZERO, |_| SOON);
    let since = at.saturating_sub(way(case.story, at) + MOMENT + rests + limited);
    let held_up = troubles(case.story).into_iter().filter(|trouble| {
        trouble.what != Nature::Faulty && trouble.from <= at && trouble.until + MOMENT >= since
    });
    let since = held_up.map(|trouble| trouble.from.saturating_sub(MOMENT)).fold(since, Duration::min);
    let asks =
        |request: &&Request| named(request) == Some(case.book.name.1) && (since..=at).contains(&request.at);
    let asked = case.story.requests.iter().filter(asks).map(|request| request.at).min();
    let since = asked.map_or(since, |asked| since.min(asked.saturating_sub(PAUSE)));
    (since, at + way(case.story, at) + MOMENT)
}
