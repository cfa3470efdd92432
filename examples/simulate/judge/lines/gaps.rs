//! Reports of lines that may be missing: each has a reason in what the cluster did.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::Problem,
    align::PIECE,
    book::Life,
    doubts::{
        BACK, comes_behind_a_gap, ending_at, ends_as_one, ends_in_doubt, failed, hides_another,
        is_behind_a_look, is_doubted, is_empty_of_untold, is_left, is_left_to_the_next, is_misled,
        lacks_its_end, lacks_the_previous, last_shown, read_to_its_end, seems_of_the_next,
        seems_of_the_one_before, seems_to_go_on, was_asked_late, was_not_found, was_polled,
        was_read_as_another, was_rotated, was_shown_as_another, was_taken_for_the_next, was_to_restart,
    },
    excuse::{AFTER_FAULTS, Case, SOON},
    given_up,
    notices::{Notice, Said},
    served::{is_empty_of_later, is_hidden_by_the_next_of_its_second},
    wanted::Want,
};
use crate::story::Line;

/// The reports that have no reason.
pub fn judge(case: &Case<'_, '_>, problems: &mut Vec<Problem>) {
    for notice in &case.book.notices {
        let wrong = match notice.said {
            Said::Between(after, before) => between(case, notice, after, before),
            Said::Behind(last) => behind(case, notice, last),
            Said::Unchecked(last) => unchecked(case, notice, last),
            Said::Removed | Said::Refused => removed(case, notice),
            Said::Unread => unread(case, notice),
            Said::Unseen => unseen(case, notice),
            Said::GivenUp(_) => given_up::judge(case, notice),
            Said::Retried(_) => given_up::retried(case, notice),
            Said::Restarted { skipped: 1.., .. } => skipped(case, notice),
            Said::BeginsLate(second) => begins_late(case, second),
            Said::Restarted { .. } | Said::Opened | Said::Closed | Said::State => None,
            Said::NoPrevious | Said::Words(_) | Said::TimedOut => None,
        };
        if let Some(text) = wrong {
            let text = format!("{text}: {:?}", notice.said);
            problems.push(Problem { kind: "false gap", container: case.book.title(), at: notice.at, text });
        }
    }
    twice(case, problems);
    unsaid(case, problems);
}

/// A gap at a line that was reported before.
fn twice(case: &Case<'_, '_>, problems: &mut Vec<Problem>) {
    let notices = &case.book.notices;
    for (number, notice) in notices.iter().enumerate() {
        let is_at_a_line = matches!(notice.said, Said::Between(..) | Said::Behind(_) | Said::Unchecked(_));
        if is_at_a_line && notices[..number].iter().any(|before| before.said == notice.said) {
            let (container, text) = (case.book.title(), format!("{:?}", notice.said));
            problems.push(Problem { kind: "a gap is reported twice", container, at: notice.at, text });
        }
    }
}

/// Lines before the first one, of that second, were perhaps rotated away: it is the first of a later file of its log.
fn begins_late(case: &Case<'_, '_>, second: i64) -> Option<String> {
    let begins_file = |pair: &[Line]| pair[1].file > pair[0].file && pair[1].stamp.as_second() == second;
    let was_rotated = case.book.lives.iter().any(|life| life.lines().windows(2).any(begins_file));
    (!was_rotated).then(|| "no file of a log that was rotated begins then".to_owned())
}

/// An instance between two that were shown, of which the program knows by the numbers of both, and of which it read
/// nothing: it is reported, whatever was in its log.
fn unsaid(case: &Case<'_, '_>, problems: &mut Vec<Problem>) {
    let lives = &case.book.lives;
    let is_same = |one: &Life<'_>, other: &Life<'_>| std::ptr::eq(one.container, other.container);
    let reported = |since: Duration| {
        case.book.notices.iter().filter(move |notice| notice.at >= since).map(|notice| match notice.said {
            Said::Restarted { skipped, .. } => skipped as usize,
            Said::Removed | Said::Refused | Said::Unread | Said::Unseen => 1,
            // Words may stand in place of all of a log.
            Said::GivenUp(_) | Said::Words(_) => 1,
            _ => 0,
        })
    };
    let mut unread = Vec::new();
    for (number, life) in lives.iter().enumerate() {
        let next = lives[number + 1..].iter().find(|next| is_same(next, life) && next.is_shown());
        let Some(next) = next.filter(|_| !life.is_shown()) else { continue };
        let is_known = next.told.saturating_add(AFTER_FAULTS) <= case.story.ended;
        let was_before = lives[..number].iter().any(|before| is_same(before, life) && before.is_shown());
        let started = life.instance.started;
        let may_have_come = case.reads.iter().any(|read| match read.previous {
            true => read.opened().is_some() && read.may_be_of(life),
            false => {
                let (from, until) = (read.opened(), read.ended.map_or(Duration::MAX, |(ended, _)| ended));
                from.is_some_and(|from| from <= next.told) && until >= started
            }
        });
        let is_hidden = is_hidden_by_the_next_of_its_second(case, life);
        if is_known && was_before && !may_have_come && !is_hidden {
            unread.push((number, started));
        }
    }
    let Some((first, since)) = unread.first().copied() else { return };
    let reported = reported(since).sum::<usize>();
    if reported < unread.len() {
        let text = format!(
            "{} instances were not read, {reported} are reported: the first is {first}",
            unread.len()
        );
        problems.push(Problem {
            kind: "an instance without a report",
            container: case.book.title(),
            at: since,
            text,
        });
    }
}

/// Every place of a line with this stamp that was shown; or of each one.
fn written_at<'c>(
    case: &'c Case<'_, '_>,
    stamp: Timestamp,
    each: bool,
) -> impl Iterator<Item = (usize, usize)> + Clone + 'c {
    case.book.lives.iter().enumerate().flat_map(move |(number, life)| {
        let lines = life.lines().iter().enumerate();
        let is_meant = move |line: usize| each || life.shown[line].is_some();
        let lines = lines.filter(move |(line, written)| written.stamp == stamp && is_meant(*line));
        lines.map(move |(line, _)| (number, line))
    })
}

fn between(
    case: &Case<'_, '_>,
    notice: &Notice<'_>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
) -> Option<String> {
    let before = before?;
    // The first line at `--until` or later is not shown.
    let is_beyond = case.asked.until.is_some_and(|until| before >= until);
    let mut places = written_at(case, before, is_beyond).peekable();
    if places.peek().is_none() {
        // The run may have ended before the line was shown.
        let is_last = case.asked.limit_bytes.is_some() || notice.at + SOON >= case.story.ended;
        return (!is_last).then(|| "no line of that time was shown after it".to_owned());
    }
    if let Some(after) = after
        && !is_beyond
        && !places.clone().any(|place| is_shown_behind(case, place, after))
    {
        return Some("the line before it was not the last one shown".to_owned());
    }
    let is_known =
        |(number, line): (usize, usize)| case.book.lives[number].shown[..line].iter().any(Option::is_some);
    if after.is_none() && places.clone().all(is_known) {
        return Some("a line before it was shown".to_owned());
    }
    let has_reason = places.any(|(number, line)| {
        let life = &case.book.lives[number];
        let mut others = life.lines().iter().zip(&life.shown);
        let is_at_edge = |stamp: Timestamp| stamp == before || Some(stamp) == after;
        if !is_beyond && others.any(|(other, shown)| is_at_edge(other.stamp) && shown.is_none()) {
            // It may be the one before, or the one behind the last.
            return true;
        }
        match life.neighbours(line).0 {
            // Whoever asks again for a line of the same file gets the one before it too.
            Some(previous) => previous + 1 < line || life.lines()[previous].file != life.lines()[line].file,
            None => line > 0 || begins_in_doubt(case, number, notice.at),
        }
    });
    (!has_reason).then(|| "the lines on both sides follow each other in one file".to_owned())
}

/// Whether this line was shown behind one with that stamp, and no other between; or that one was the latest so far, or
/// the last one of instances up to its own: some lines are shown before their turn.
fn is_shown_behind(case: &Case<'_, '_>, (number, line): (usize, usize), stamp: Timestamp) -> bool {
    let Some(place) = case.book.lives[number].shown[line] else { return true };
    let own = case.book.lives[..=number].iter().flat_map(|life| life.shown.iter().flatten());
    let last = own.filter(|shown| **shown < place).max().map(|last| &case.book.shown[*last]);
    let before = &case.book.shown[..place];
    // With `--tail` or `--since`, the last line before those that were asked for is known too.
    let is_unwanted =
        |(number, line): (usize, usize)| case.wanted[number].of(&case.book.lives[number], line) != Want::Must;
    let is_before_since = case.asked.since.is_some() && written_at(case, stamp, true).any(is_unwanted);
    let is_unasked = before.is_empty() && (case.asked.tail.is_some() || is_before_since);
    let latest = before.iter().max_by_key(|shown| shown.stamp);
    let mut lines = [before.last(), last, latest].into_iter().flatten();
    is_unasked || lines.any(|shown| shown.stamp == Some(stamp))
}

/// Whether lines may be missing between this instance and the one that was shown before it, as far as a client can
/// know: it can ask for the log of the one before only while that is the previous one of the node.
fn begins_in_doubt(case: &Case<'_, '_>, number: usize, at: Duration) -> bool {
    let lives = &case.book.lives;
    let Some(before) = (0..number).rev().find(|before| lives[*before].is_shown()) else {
        return lacks_a_line_of_its_second(case, number, at)
            || lacks_a_line_of_the_same(case, number, at)
            || lacks_a_line_of_one_between(case, number, at)
            || lacks_the_previous(case, number);
    };
    let instance = lives[number].instance;
    let moved_on = before + 1 < number || instance.ended.is_some_and(|ended| ended <= at);
    let mut reads = case.reads.iter();
    let refused = reads.any(|read| read.previous && read.at >= instance.started && read.opened().is_none());
    let is_gone = lives[before].gone().is_some_and(|gone| gone <= at);
    let last = lives[before].latest(lives[before].shown.len(), &case.book.shown);
    let first = lives[number].lines().first().map(|line| line.stamp);
    let is_close = last.zip(first).is_some_and(|(last, first)| first.duration_since(last) <= BACK);
    // The last line of a log cannot be compared if the kubelet sends its last piece only.
    let mut shown = lives[before].lines().iter().zip(&lives[before].shown).rev();
    let is_in_pieces =
        shown.find(|(_, shown)| shown.is_some()).is_some_and(|(line, _)| line.text.len() > PIECE);
    // The log of the one before was read later. An output that was not read for a while gives all of that at once.
    let place = lives[number].shown.first().copied().flatten();
    let is_later = |shown: usize| place.is_some_and(|place| shown > place) || case.book.shown[shown].at > at;
    let comes_first = lives[before].shown.iter().flatten().any(|shown| is_later(*shown));
    let is_doubtful = was_rotated(&lives[before]) || lives[number].is_untold(at);
    let is_doubtful = is_doubtful || is_in_pieces || is_close;
    lacks_its_end(&lives[before]) || comes_first || moved_on || is_gone || refused || is_doubtful
}

/// Whether a line came that may be one of this instance, and was left to it: a stream, or the previous log, brought the
/// last line of the one before, of which nothing was shown, from the second in which this one started. One between that
/// wrote nothing may be this one for the program, and so may one before of which a status told last.
fn lacks_a_line_of_its_second(case: &Case<'_, '_>, number: usize, at: Duration) -> bool {
    let first = number + 1 - case.book.as_one(number, at).len();
    let mut earlier = case.book.lives[..first].iter().rev();
    let Some(before) = earlier.find(|before| !before.lines().is_empty()) else { return false };
    let Some(last) = before.lines().last().filter(|_| seems_of_the_next(before)) else { return false };
    case.reads.iter().any(|read| {
        let lasts = read.ended.is_none_or(|(ended, _)| ended >= last.at);
        let is_whole = read.follow || read.previous && !read.check && !read.pair;
        is_whole && lasts && read.opened().is_some() && read.may_be_of(before)
    })
}

/// Whether a line came of an instance of which nothing was shown, and that is still the same one as this for the
/// program.
fn lacks_a_line_of_the_same(case: &Case<'_, '_>, number: usize, at: Duration) -> bool {
    let earlier =
        case.book.as_one(number, at).iter().filter(|life| life.number < case.book.lives[number].number);
    earlier.filter(|earlier| !earlier.is_shown()).any(|earlier| came(case, earlier, at, |_| true))
}

/// Whether a line came of the instance before, of which nothing was shown, while it was still an earlier one for the
/// program, and that was replaced before anything told of it: the line may be the earlier one's own. No other report
/// since then is about it.
fn lacks_a_line_of_one_between(case: &Case<'_, '_>, number: usize, at: Duration) -> bool {
    let Some(between) = number.checked_sub(1).map(|between| &case.book.lives[between]) else { return false };
    let next = &case.book.lives[number];
    let Some(first) = between.lines().first() else { return false };
    let is_gap = |said| {
        matches!(said, Said::Removed | Said::Refused | Said::Unread | Said::Unchecked(_) | Said::Behind(_))
    };
    let mut notices = case.book.notices.iter().filter(|notice| (first.at..at).contains(&notice.at));
    std::ptr::eq(between.container, next.container)
        && between.told >= next.told
        && !between.is_shown()
        && !notices.any(|notice| is_gap(notice.said))
        && came(case, between, at, |came| between.is_untold(came))
}

/// Whether the first line of an instance came by then, at such a time.
fn came(case: &Case<'_, '_>, life: &Life<'_>, at: Duration, is_such: impl Fn(Duration) -> bool) -> bool {
    let Some(first) = life.lines().first() else { return false };
    case.reads.iter().any(|read| {
        let until = if read.follow { read.ended.map(|(ended, _)| ended) } else { read.opened() };
        let holds_it = until.is_none_or(|until| until >= first.at);
        let came = read.opened().filter(|opened| *opened <= at).map(|opened| opened.max(first.at));
        let is_whole = !read.check && !read.pair && came.is_some_and(&is_such);
        is_whole && holds_it && read.may_be_of(life)
    })
}

fn behind(case: &Case<'_, '_>, notice: &Notice<'_>, last: Timestamp) -> Option<String> {
    if is_behind_a_look(case, last, notice.at) {
        return None;
    }
    let mut lives = ending_at(case, last).peekable();
    if lives.peek().is_none() {
        return Some("no line of that time is the last one of an instance".to_owned());
    }
    let has_reason = lives.any(|life| {
        lacks_its_end(life)
            || was_rotated(life)
            || !life.instance.words.is_empty()
            || case.reads.iter().any(|read| {
                read.at <= notice.at
                    && (is_empty_of_later(case, life, read) || is_empty_of_untold(case, life, read))
            })
            || is_misled(case, life)
            || was_taken_for_the_next(case, life, notice.at)
            || failed(case, life, last_shown(case, life), notice.at)
            || was_asked_late(case, life, last_shown(case, life), notice.at)
    });
    (!has_reason).then(|| "nothing is missing behind it, and no request failed".to_owned())
}

fn unchecked(case: &Case<'_, '_>, notice: &Notice<'_>, last: Timestamp) -> Option<String> {
    let mut others = case.book.lives.iter().enumerate();
    if others.any(|(number, life)| {
        ends_in_doubt(life, last, notice.at) || ends_as_one(case, number, last, notice.at)
    }) {
        return None;
    }
    let mut lives = ending_at(case, last).peekable();
    if lives.peek().is_none() {
        return Some("no line of that time is the last one of an instance".to_owned());
    }
    let has_reason = lives.any(|life| {
        let has_words = case
            .book
            .notices
            .iter()
            .any(|other| matches!(other.said, Said::Words(_)) && other.at <= notice.at);
        let gone = life.gone().is_some() || life.container.instances.len() > life.number + 1 || has_words;
        let since = read_to_its_end(case, life, notice.at);
        let is_open = since.is_none_or(|since| {
            failed(case, life, since, notice.at)
                || is_doubted(case, life, since)
                || was_read_as_another(case, life, since)
                || was_asked_late(case, life, since, notice.at)
                || was_not_found(case, life, since, notice.at)
                || was_polled(case, life, since, notice.at)
        });
        let is_in_doubt = is_open || was_rotated(life) || life.is_untold(notice.at);
        let hides_another = hides_another(case, life, notice.at) || was_to_restart(case, life, notice.at);
        lacks_its_end(life) || gone && is_in_doubt || hides_another
    });
    (!has_reason).then(|| "nothing is missing behind it, and it was read to its end".to_owned())
}

/// An instance that ended before a line of it was read.
fn removed(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let has_reason = case.book.lives.iter().enumerate().any(|(number, life)| {
        let is_over = life.instance.ended.is_some() || life.container.deleted.is_some();
        let is_unknown = !life.is_shown()
            || seems_of_the_one_before(life)
            || is_left(life) && lacks_its_end(life)
            || was_shown_as_another(case, life)
            || is_left_to_the_next(case, life, notice.at)
            || seems_to_go_on(case, number);
        is_unknown && life.instance.started <= notice.at && is_over
    });
    (!has_reason).then(|| "lines of every instance were shown, or it is still there".to_owned())
}

fn unread(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let mut lives = case.book.lives.iter().filter(|life| !life.is_shown());
    let has_reason = lives.any(|life| failed(case, life, life.instance.started, notice.at));
    if has_reason { None } else { removed(case, notice) }
}

/// All reports of instances that are not shown, up to this one, are about as many: lines that were written before a status
/// reported their instance seemed to be the one's before, whenever they were shown.
fn skipped(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let counted =
        case.book.notices.iter().filter(|other| other.at <= notice.at).map(|other| match other.said {
            Said::Restarted { skipped, .. } => skipped as usize,
            _ => 0,
        });
    let hidden = case.book.lives.iter().enumerate().filter(|(number, life)| {
        let is_over = life.instance.ended.is_some_and(|ended| ended <= notice.at);
        // Lines of a log that was read are shown, but those that flags leave out.
        let was_read = case.reads.iter().any(|read| {
            !read.check
                && !read.pair
                && read.opened().is_some_and(|at| at <= notice.at)
                && read.may_be_of(life)
        });
        let is_left_out = |line: usize| was_read && case.wanted[*number].of(life, line) == Want::No;
        let is_hidden = life.lines().iter().enumerate().any(|(line, written)| {
            life.shown[line].is_none() && !is_left_out(line) || life.is_untold(written.at)
        });
        is_over && (life.lines().is_empty() || is_hidden)
    });
    let (counted, hidden) = (counted.sum::<usize>(), hidden.count());
    (counted > hidden).then(|| format!("{counted} instances are said to be not shown, {hidden} may be"))
}

/// Instances before the first one that was shown.
fn unseen(case: &Case<'_, '_>, notice: &Notice<'_>) -> Option<String> {
    let has_reason = case.book.lives.iter().any(|life| {
        let is_replaced = life.container.instances.len() > life.number + 1;
        let is_unknown = !life.is_shown() || comes_behind_a_gap(case, life);
        is_replaced && is_unknown && life.instance.started <= notice.at
    });
    (!has_reason).then(|| "no instance was before the shown ones".to_owned())
}
