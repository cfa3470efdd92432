//! Reasons of a doubt: facts of the world because of which a client cannot know that nothing is missing.

use std::time::Duration;

use apiserver::{Ended, Kind};
use jiff::{SignedDuration, Timestamp};

use super::{
    away::{HELD, lost_requests, seems_away},
    book::Life,
    excuse::{Case, end_or_deletion_told, is_cut_short},
    notices::Said,
    reads::{Read, queued},
    told::way,
};
use crate::{
    judge::{
        limits::{checks, pauses},
        troubles::LONGEST_PAUSE,
    },
    script::{Fault, What},
    story::Request,
};

/// Lines of standard output and standard error are stamped one after the other, so that the stamps of one instance may
/// go back by so much: a first line as close to the last one before it may be the same instance's.
pub const BACK: SignedDuration = SignedDuration::from_millis(20);

/// A request that waits so long for its turn says nothing of the time before (`LONG_PAUSE` in
/// src/cluster/transport.rs).
const LATE: Duration = Duration::from_secs(3);

/// A line that comes so long after its stream was opened was written at least a second after that (`LATE` in
/// src/tail/stream/choice.rs, and the second of a status).
const OPEN: Duration = Duration::from_secs(2);

/// After such a silence, a stream is looked at if its log will soon be gone (`SHORTEST` in src/tail/idle.rs).
const SILENT: Duration = Duration::from_secs(1);

/// Whether the log of the instance before was served as the previous one, and nothing of it was shown: without a watch
/// this one is taken for that.
pub fn lacks_the_previous(case: &Case<'_, '_>, number: usize) -> bool {
    let Some(before) = number.checked_sub(1).map(|before| &case.book.lives[before]) else { return false };
    let mut reads = case.reads.iter().filter(|read| read.previous && read.opened().is_some());
    !case.asked.follow && !before.lines().is_empty() && reads.any(|read| read.may_be_of(before))
}

/// The lives of which the last shown line has this stamp: the latest one that was shown at all.
pub fn ending_at<'c, 'a>(case: &'c Case<'_, 'a>, last: Timestamp) -> impl Iterator<Item = &'c Life<'a>> {
    let latest = |life: &Life<'_>| life.latest(life.shown.len(), &case.book.shown);
    case.book.lives.iter().filter(move |life| latest(life) == Some(last))
}

/// Whether a life of which nothing was shown by then had this last line as the program looked for it before it opened the log
/// (`--tail=0`), so that it reads on behind it, and lines behind it are missing, or its file was rotated, so that it
/// cannot be compared, or a request failed since.
pub fn is_behind_a_look(case: &Case<'_, '_>, last: Timestamp, until: Duration) -> bool {
    let first = case.reads.iter().take_while(|read| read.check && !read.previous || read.opened().is_none());
    let mut looks = first.filter_map(|read| Some((read, read.opened().filter(|opened| *opened <= until)?)));
    case.asked.tail == Some(0)
        && looks.any(|(read, opened)| {
            let is_shown = |life: &Life<'_>| {
                life.shown.iter().flatten().any(|shown| case.book.shown[*shown].at <= until)
            };
            let mut lives = case.book.lives.iter().filter(|life| read.may_be_of(life) && !is_shown(life));
            lives.any(|life| {
                let (had, behind) =
                    life.lines().split_at(life.lines().partition_point(|line| line.at <= opened));
                had.last().filter(|line| line.stamp == last).is_some_and(|line| {
                    let rotated = life.instance.files[line.file].rotated;
                    let is_rotated = rotated.is_some_and(|rotated| rotated <= until);
                    !behind.is_empty() || is_rotated || failed(case, life, opened, until)
                })
            })
        })
}

pub fn lacks_its_end(life: &Life<'_>) -> bool {
    life.shown.last().is_some_and(Option::is_none)
}

/// Whether the last line that was shown is in an older file: a reader gets the newest one, and cannot compare it.
pub fn was_rotated(life: &Life<'_>) -> bool {
    let mut lines = life.lines().iter().zip(&life.shown);
    let last = lines.rfind(|(_, shown)| shown.is_some());
    last.is_some_and(|(line, _)| line.file + 1 < life.instance.files.len())
}

/// Whether a request failed or was broken off between these times, in an unusual way, or its server was out of reach: a
/// node refuses a log that it has removed with 400 or 404.
pub fn failed(case: &Case<'_, '_>, life: &Life<'_>, since: Duration, until: Duration) -> bool {
    let mut events = case.story.script.events.iter();
    let is_away = events.any(|event| {
        let lasting = match &event.what {
            What::Fault(Fault::ServerAway(lasting) | Fault::BlackHole(lasting)) => *lasting + HELD,
            What::Fault(Fault::KubeletAway(node, lasting)) if *node == life.container.node => *lasting,
            _ => return false,
        };
        event.at <= until && event.at + lasting >= since
    });
    let mut notices = case.book.notices.iter();
    let has_words =
        notices.any(|notice| matches!(notice.said, Said::Words(_)) && (since..=until).contains(&notice.at));
    let mut reads = case.reads.iter();
    is_away
        || has_words
        || seems_away(case, since, until)
        || lost_requests(case, until).any(|lost| (since..=until).contains(&lost))
        || is_refused_to_the_end(case, life, until)
        || reads.any(|read| {
            let is_in_time = read.at <= until && read.ended.is_none_or(|(at, _)| at >= since);
            let is_usual = matches!(read.answered, Some((_, 400 | 404)));
            is_in_time && !is_whole(read) && !is_usual && !is_left_for_another(case, read, until)
        })
}

fn is_whole(read: &Read) -> bool {
    read.opened().is_some() && matches!(read.ended, Some((_, Ended::Complete)))
}

/// Whether the program left an answer, and had the whole answer to a request of the same kind since.
fn is_left_for_another(case: &Case<'_, '_>, read: &Read, until: Duration) -> bool {
    let left = read.ended.filter(|(_, how)| read.opened().is_some() && *how == Ended::Abandoned);
    let is_later = |later: &Read, left: Duration| {
        let is_alike = later.follow == read.follow && later.previous == read.previous;
        is_alike
            && later.at >= left
            && is_whole(later)
            && later.ended.is_some_and(|(ended, _)| ended <= until)
    };
    left.is_some_and(|(left, _)| case.reads.iter().any(|later| is_later(later, left)))
}

/// Whether the last look at the end of a log that is not followed was refused as if the node had removed it, and it was
/// there: after enough of these the end counts as unread.
fn is_refused_to_the_end(case: &Case<'_, '_>, life: &Life<'_>, until: Duration) -> bool {
    let last = case.reads.iter().rfind(|read| read.at <= until);
    let is_refused = last.is_some_and(|read| read.check && matches!(read.answered, Some((_, 400 | 404))));
    !case.asked.follow && is_refused && life.gone().is_none_or(|gone| gone > until)
}

/// When the last line of a life was shown.
pub fn last_shown(case: &Case<'_, '_>, life: &Life<'_>) -> Duration {
    let last = life.shown.iter().rev().flatten().next();
    last.map_or(Duration::ZERO, |shown| case.book.shown[*shown].at)
}

/// When an answer came to its end that had all of this life up to its end.
pub fn read_to_its_end(case: &Case<'_, '_>, life: &Life<'_>, until: Duration) -> Option<Duration> {
    let ended = life.instance.ended.or(life.container.deleted)?;
    let mut whole = case.reads.iter().filter_map(|read| {
        let (at, how) = read.ended?;
        // Behind a poll the container may have written more, as far as anything told of its end.
        let is_poll = case.asked.follow && !read.follow && !read.previous && read.decided < life.end_told;
        let is_in_doubt = read.poll || is_poll || read.previous && seems_of_the_next(life);
        let is_look = read.check || read.pair && case.asked.tail != Some(2);
        let may_be_whole = !is_look && !is_in_doubt && read.may_be_of(life);
        let is_whole = how == Ended::Complete && read.opened().is_some() && may_be_whole;
        let holds_the_end = if read.follow { at >= ended } else { read.at >= ended };
        let is_left = may_be_left(case, read, at, until) || had_no_room(case, life, read, at);
        (is_whole && holds_the_end && at <= until && !is_left && !read.lost).then_some(at)
    });
    whole.next_back()
}

/// Whether this stream may have been left as its end came: the log was asked for again before the end can have been
/// heard, or that was reported of it.
fn may_be_left(case: &Case<'_, '_>, read: &Read, ended: Duration, until: Duration) -> bool {
    let way = way(case.story, ended);
    let mut next = case.reads.iter().filter(|next| next.at > read.at && !next.check);
    // The only place was given to another log, for which a connection may have had to be made; or a busy stream was
    // left to go on with a connection of its own.
    let is_only = case.story.script.setting.max_log_requests == Some(1);
    let log = format!("/pods/{}/log", case.book.name.1);
    let is_given = case.story.requests.iter().any(|request| {
        let mut earlier = case.story.requests.iter().filter(|earlier| earlier.at < request.at);
        let mut is_own = || {
            request.http2
                && request.path.ends_with(&log)
                && earlier.all(|earlier| earlier.connection != request.connection)
        };
        let is_in_time = request.at > ended && request.at <= ended + 4 * way;
        request.kind == Kind::Log && is_in_time && (is_only || is_own())
    });
    read.follow && (until <= ended + way || is_given || next.any(|next| next.at <= ended + 2 * way))
}

/// Whether this stream may have been left before its end: it was silent for long, or its log would soon be gone, and if
/// there is no room for a look, the log is opened again, which may have to wait for its turn and for a connection.
fn had_no_room(case: &Case<'_, '_>, life: &Life<'_>, read: &Read, ended: Duration) -> bool {
    let way = way(case.story, ended);
    let is_silent = |for_long: Duration| life.lines().last().is_none_or(|line| line.at + for_long <= ended);
    let is_known = end_or_deletion_told(case, life) < ended + way;
    let is_due = checks::idle_of(&case.story.script.setting)
        .is_some_and(|idle| is_silent(idle) || is_known && is_silent(SILENT));
    let is_bounded = case.story.script.setting.max_log_requests.is_some();
    let next = case.reads.iter().find(|next| next.at > read.at && !next.check);
    let is_asked_before = |next: &Read| {
        let asked = queued(case.story, next.at);
        asked.saturating_sub(way * trips_to_connect(case, next)) <= ended + way
    };
    read.follow && is_due && is_bounded && next.is_some_and(is_asked_before)
}

/// The ways of packets until the connection of a request was made, if that was made for it.
fn trips_to_connect(case: &Case<'_, '_>, read: &Read) -> u32 {
    let (requests, log) = (&case.story.requests, format!("/pods/{}/log", case.book.name.1));
    let own = requests.iter().find(|request| request.at == read.at && request.path.ends_with(&log));
    let Some(own) = own else { return 0 };
    let mut earlier = requests.iter().take_while(|request| request.at < own.at);
    if earlier.any(|request| request.connection == own.connection) { 0 } else { 2 }
}

/// The second in which the next instance started, by the clock of its node.
pub fn next_second(life: &Life<'_>) -> Option<i64> {
    let (next, last) = (life.container.instances.get(life.number + 1)?, life.lines().last()?);
    let pause = SignedDuration::try_from(next.started.saturating_sub(last.at)).unwrap_or(SignedDuration::MAX);
    Some(last.stamp.saturating_add(pause).unwrap_or(Timestamp::MAX).as_second())
}

/// Whether the last line was written in the second in which the next instance started: statuses have whole seconds, so
/// that a reader of the previous log stops before it until it has compared that log with the current one.
pub fn seems_of_the_next(life: &Life<'_>) -> bool {
    next_second(life).zip(life.lines().last()).is_some_and(|(next, last)| next <= last.stamp.as_second())
}

/// Whether this is the last shown line before those that seem to be of the next instance, and the log is gone that
/// would tell.
pub fn ends_in_doubt(life: &Life<'_>, last: Timestamp, at: Duration) -> bool {
    let Some(next) = next_second(life).filter(|_| life.gone().is_some_and(|gone| gone <= at)) else {
        return false;
    };
    let shown = life.lines().iter().zip(&life.shown).filter(|(_, shown)| shown.is_some());
    let stamps = shown.map(|(line, _)| line.stamp);
    seems_of_the_next(life) && stamps.filter(|stamp| stamp.as_second() < next).max() == Some(last)
}

/// Whether this was the last line by then of an instance that was still one for the program with others, of which one
/// lacks its end.
pub fn ends_as_one(case: &Case<'_, '_>, number: usize, last: Timestamp, at: Duration) -> bool {
    let life = &case.book.lives[number];
    joined(case, number, last, at).iter().any(|other| other.number < life.number && lacks_its_end(other))
}

/// The instances that were still one for the program as this was the last line of them by then, up to this one; none if
/// it was not.
pub fn joined<'c, 'a>(
    case: &'c Case<'_, 'a>,
    number: usize,
    last: Timestamp,
    at: Duration,
) -> &'c [Life<'a>] {
    let life = &case.book.lives[number];
    let lines = life.lines().iter().zip(&life.shown);
    let shown = lines.filter_map(|(line, shown)| Some((line.stamp, case.book.shown[(*shown)?].at, line.at)));
    let Some((latest, shown, written)) = shown.filter(|(_, shown, _)| *shown <= at).max() else {
        return &[];
    };
    // Lines that are sorted may have been read long before.
    let read = if case.story.script.setting.sort { written } else { shown };
    if latest == last { case.book.as_one(number, read) } else { &[] }
}

/// Whether the log of a later instance was read behind the end of this one, before a status told of it: it looks as if
/// lines of this one had been rotated away. Once its log is gone, nothing can be compared with it, though the apiserver
/// names the later one.
pub fn is_doubted(case: &Case<'_, '_>, life: &Life<'_>, since: Duration) -> bool {
    let others = case.book.lives.iter().filter(|other| std::ptr::eq(other.container, life.container));
    let later: Vec<_> = others.filter(|other| other.number > life.number).collect();
    case.reads.iter().filter(|read| read.at >= since && !read.check && !read.previous).any(|read| {
        let is_gone = life.gone().is_some_and(|gone| gone <= read.at);
        later.iter().filter(|later| later.instance.started <= read.at).any(|later| {
            let is_unknown = later.instance.known.is_none_or(|known| known >= read.at);
            is_unknown || is_gone && later.is_untold(read.at)
        })
    })
}

/// Whether its log was that of the instance before for the program as it was read to its end, so that it asked for the
/// end of that one instead, and not again for this one.
pub fn was_read_as_another(case: &Case<'_, '_>, life: &Life<'_>, since: Duration) -> bool {
    let mut later = case.reads.iter().filter(|read| read.at > since && read.opened().is_some());
    life.is_untold(since) && !later.any(|read| !read.previous && read.may_be_of(life))
}

/// Whether this log was not found or refused between these times, and a question for its pod then showed that it was
/// there: for a client that is no usual refusal.
pub fn was_not_found(case: &Case<'_, '_>, life: &Life<'_>, since: Duration, until: Duration) -> bool {
    let (namespace, pod, _) = case.book.name;
    let (path, name) = (format!("/namespaces/{namespace}/pods"), format!("metadata.name={pod}"));
    let mut reads = case.reads.iter().filter(|read| read.at >= since);
    reads.any(|read| {
        let Some((refused, status @ (400 | 404))) = read.answered else { return false };
        // That there is no previous log is usual.
        if read.previous && status == 400 {
            return false;
        }
        case.story.requests.iter().any(|request| {
            let is_question = request.path.ends_with(&path) && request.query("fieldSelector") == Some(&*name);
            let is_there = request.answered.is_some_and(|(answered, status)| {
                status == 200 && life.container.deleted.is_none_or(|deleted| answered < deleted)
            });
            is_question && is_there && (refused..=until).contains(&request.at)
        })
    })
}

/// Whether this log was polled between these times, before the program knew of its end or of the deletion of its pod:
/// the end of a stream is no proof, and as far as a client knew, the container might write more behind the poll.
pub fn was_polled(case: &Case<'_, '_>, life: &Life<'_>, since: Duration, until: Duration) -> bool {
    let told = end_or_deletion_told(case, life).min(until);
    let mut polls = case.reads.iter().filter(|read| read.poll && read.opened().is_some());
    polls.any(|read| read.at > since && read.decided < told && read.may_be_of(life))
}

/// Whether requests had to wait for their turn, and the first one for this log behind that end came so late that its
/// pod was gone, or another instance's log was in its place; or none could come.
pub fn was_asked_late(case: &Case<'_, '_>, life: &Life<'_>, since: Duration, until: Duration) -> bool {
    let mut others = case.story.requests.iter();
    let is_paused = others.any(|other| other.retry_after.is_some() && other.at <= until);
    let is_gone = |read: &&Read| {
        matches!(read.answered, Some((_, 404))) || read.opened().is_some() && !read.may_be_of(life)
    };
    let gone = case.reads.iter().filter(|read| read.at > since).find(is_gone);
    (case.story.script.setting.qps.is_some() || is_paused)
        && gone.is_some_and(|read| read.at >= since + LATE && read.at <= until)
        || could_not_be_asked(case, since, until)
}

/// Whether the server asked clients to wait all the time between, so that no request for this log could come.
fn could_not_be_asked(case: &Case<'_, '_>, since: Duration, until: Duration) -> bool {
    let holds = |request: &Request| {
        let asked = pauses::asked(case.story, request);
        asked.is_some_and(|(at, pause)| at <= since && until <= at + pause.min(LONGEST_PAUSE))
    };
    until >= since + LATE && case.story.requests.iter().any(holds)
}

/// Whether the time of `--until` was over, and the node served the empty log of a later instance in its place, of which
/// nothing told.
pub fn is_empty_of_untold(case: &Case<'_, '_>, life: &Life<'_>, read: &Read) -> bool {
    let Some(at) = read.opened().filter(|_| !read.previous && case.asked.until.is_some()) else {
        return false;
    };
    let later = case.book.lives.iter().filter(|later| std::ptr::eq(later.container, life.container));
    later
        .filter(|later| later.number > life.number && later.instance.started <= at)
        .any(|later| later.is_untold(at) && later.lines().first().is_none_or(|line| line.at > at))
}

/// Whether answers ended as if they were complete and lacked what had been shown, and none was compared
/// (--confirm=false), or two did so within one line, of which only the beginning was shown.
pub fn is_misled(case: &Case<'_, '_>, life: &Life<'_>) -> bool {
    let mut shown = life.lines().iter().zip(&life.shown).rev();
    let last = shown.find_map(|(line, shown)| Some((line, case.book.shown[(*shown)?].text)));
    let is_half = last.is_some_and(|(line, shown)| *case.asked.cut(&line.text) != *shown);
    let reads = case.reads.iter().filter(|read| !read.check && read.may_be_of(life));
    let mut cut = reads.filter(|read| is_cut_short(case, life, read));
    match case.asked.confirms {
        true => is_half && cut.count() > 1,
        false => cut.any(|read| read.at >= last_shown(case, life)),
    }
}

/// Whether lines of the next instance are missing, of which nothing was shown: they are behind the end of this one.
/// Nobody can know that there are none if its pod was gone before anything told of it, and no answer came to its end.
pub fn hides_another(case: &Case<'_, '_>, life: &Life<'_>, at: Duration) -> bool {
    let is_unknown = |next: &Life<'_>| {
        let gone = next.container.deleted.filter(|gone| *gone <= at);
        gone.is_some_and(|gone| gone <= next.told) && read_to_its_end(case, next, at).is_none()
    };
    case.book.lives.iter().any(|next| {
        std::ptr::eq(next.container, life.container)
            && next.number == life.number + 1
            && !next.is_shown()
            && (!next.lines().is_empty() || is_unknown(next))
    })
}

/// Whether its log was the previous one, and its pod was gone before anything reported its end: another instance was to
/// start, and no client can know whether it did.
pub fn was_to_restart(case: &Case<'_, '_>, life: &Life<'_>, at: Duration) -> bool {
    let gone = life.container.deleted.filter(|gone| *gone <= at && *gone <= life.end_told);
    let mut reads = case.reads.iter().filter(|read| read.previous && read.opened().is_some());
    gone.is_some_and(|gone| reads.any(|read| read.at <= gone && read.may_be_of(life)))
}

/// Whether all that was shown of it was shown before anything told of it, and its first line is so close to the last
/// one before it that nobody can tell that they are of two instances.
pub fn seems_to_go_on(case: &Case<'_, '_>, number: usize) -> bool {
    let life = &case.book.lives[number];
    let Some(before) = number.checked_sub(1).map(|before| &case.book.lives[before]) else { return false };
    let (last, first) =
        (before.latest(before.shown.len(), &case.book.shown), life.lines().first().map(|line| line.stamp));
    let is_close = last.zip(first).is_some_and(|(last, first)| first.duration_since(last) <= BACK);
    let mut shown = life.shown.iter().flatten().map(|shown| case.book.shown[*shown].at);
    is_close && shown.all(|at| life.is_untold(at))
}

/// Whether it lacks its end, and all that was shown of it was shown before anything told of it, as lines of the instance
/// before: a later one may have written them, of which nothing tells.
pub fn was_shown_as_another(case: &Case<'_, '_>, life: &Life<'_>) -> bool {
    let mut shown = life.shown.iter().flatten().map(|shown| case.book.shown[*shown].at);
    lacks_its_end(life) && shown.all(|at| life.is_untold(at))
}

/// Whether its pod did not meet the condition for a while: then its log is opened anew, and may be gone.
pub fn is_left(life: &Life<'_>) -> bool {
    life.container.meets.iter().any(|(at, meets)| !meets && *at >= life.instance.started)
}

/// Whether all lines of an instance were written within the second of its start: statuses have whole seconds, so that a
/// reader of the previous log cannot tell them from those of the instance before.
pub fn seems_of_the_one_before(life: &Life<'_>) -> bool {
    let (first, last) = (life.lines().first(), life.lines().last());
    let same_second =
        first.zip(last).is_some_and(|(first, last)| first.stamp.as_second() == last.stamp.as_second());
    life.number > 0 && same_second
}

/// Whether nothing told of it as it was shown, and its lines look like the next one's, of which no line was shown: then
/// they seem to have been rotated away in that one's log, and others behind them.
pub fn was_taken_for_the_next(case: &Case<'_, '_>, life: &Life<'_>, at: Duration) -> bool {
    let is_silent = next_of(case, life).is_some_and(|next| !next.is_shown());
    is_silent && life.is_untold(last_shown(case, life)) && seems_of_the_next_only(life, at)
}

fn next_of<'c, 'a>(case: &'c Case<'_, 'a>, life: &Life<'_>) -> Option<&'c Life<'a>> {
    let mut others = case.book.lives.iter();
    others.find(|other| std::ptr::eq(other.container, life.container) && other.number == life.number + 1)
}

/// Whether its log is gone, and its lines are left to the next instance: it lacks its end; or that one was over as well
/// before anything told of it, so that the log that was the previous one may have been that one's; or its log was gone
/// before that, and they could not be compared.
pub fn is_left_to_the_next(case: &Case<'_, '_>, life: &Life<'_>, at: Duration) -> bool {
    let is_open = next_of(case, life).is_some_and(|next| {
        let was_over = next.instance.ended.is_some_and(|ended| ended <= next.told);
        let was_gone = life.gone().is_some_and(|gone| gone <= next.told);
        was_over || was_gone && !was_open_before(case, life)
    });
    (lacks_its_end(life) || is_open) && seems_of_the_next_only(life, at)
}

/// Whether a stream of it was open for so long before its first line, by whole seconds and by both clocks, that an
/// instance that started in the second of that line wrote none of them.
fn was_open_before(case: &Case<'_, '_>, life: &Life<'_>) -> bool {
    let nodes = &case.story.script.setting.clocks.nodes;
    let ahead = nodes.iter().find(|(node, _)| *node == life.container.node).map_or(0, |(_, ahead)| *ahead);
    let long = OPEN + Duration::from_millis((-ahead).try_into().unwrap_or(0));
    let Some(first) = life.lines().first() else { return false };
    let mut streams = case.reads.iter().filter(|read| read.follow && read.may_be_of(life));
    streams.any(|read| read.opened().is_some_and(|opened| opened + long <= first.at))
}

/// Whether its log is gone, and all that was shown of it was written in the second in which the next instance started:
/// statuses have whole seconds, so that these lines look like that one's.
fn seems_of_the_next_only(life: &Life<'_>, at: Duration) -> bool {
    let shown = life.lines().iter().zip(&life.shown).filter(|(_, shown)| shown.is_some());
    let mut seconds = shown.map(|(line, _)| line.stamp.as_second());
    let is_gone = life.gone().is_some_and(|gone| gone <= at);
    let next = next_second(life).filter(|_| is_gone);
    next.is_some_and(|next| seconds.all(|second| second >= next))
}

/// Whether its first line was shown behind lines that may be missing: it is then one of the instance before.
pub fn comes_behind_a_gap(case: &Case<'_, '_>, life: &Life<'_>) -> bool {
    let first = life.neighbours(0).1.map(|line| life.lines()[line].stamp);
    let mut notices = case.book.notices.iter();
    let is_before = |said| matches!(said, Said::Between(_, before) if before == first);
    life.number > 0 && first.is_some() && notices.any(|notice| is_before(notice.said))
}
