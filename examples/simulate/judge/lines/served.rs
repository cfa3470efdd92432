//! Excuses for an instance in whose place the node served the log of a later one.

use std::time::Duration;

use apiserver::Ended;

use super::{
    super::troubles::troubles,
    book::Life,
    doubts::{comes_behind_a_gap, next_second},
    excuse::{Case, SOON, life},
    missing::Run,
    reads::Read,
    told::{arrival, way},
};
use crate::story::Container;

pub fn was_taken_for_empty(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let mut reads = case.reads.iter().filter(|read| !read.check);
    !life.is_shown() && reads.any(|read| is_empty_of_later(case, life, read))
}

/// Whether the node served the empty log of a later instance as the previous one, before anything told of the one
/// behind it, or that this one had ended and waits.
pub fn is_empty_of_later(case: &Case<'_, '_>, life: &Life<'_>, read: &Read) -> bool {
    is_served_in_its_place(case, life, read, |served| served.lines().is_empty())
}

pub fn was_taken_for_the_next_of_its_second(case: &Case<'_, '_>, run: &Run) -> bool {
    is_hidden_by_the_next_of_its_second(case, life(case, run))
}

/// Whether no request found its log, and that of the next instance was served as the previous one, all written in the
/// second in which that one started: a status does not show which of both wrote it.
pub fn is_hidden_by_the_next_of_its_second(case: &Case<'_, '_>, life: &Life<'_>) -> bool {
    let is_found = |read: &Read| read.opened().is_some() && read.may_be_of(life);
    let is_of_its_second = |served: &Life<'_>| {
        let last = served.lines().last().map(|line| line.stamp.as_second());
        served.number == life.number + 1 && last.is_some() && last <= next_second(life)
    };
    let mut reads = case.reads.iter().filter(|read| !read.check && !read.pair);
    !life.is_shown()
        && !case.reads.iter().any(is_found)
        && reads.any(|read| is_served_in_its_place(case, life, read, is_of_its_second))
}

/// Whether the node served such a log of a later instance as the previous one, before anything reported the one behind
/// it, or that this one had ended and waits.
fn is_served_in_its_place(
    case: &Case<'_, '_>,
    life: &Life<'_>,
    read: &Read,
    is_such: impl Fn(&Life<'_>) -> bool,
) -> bool {
    let Some(at) = read.opened().filter(|_| read.previous) else { return false };
    let later = case.book.lives.iter().filter(|later| std::ptr::eq(later.container, life.container));
    let later: Vec<_> = later.filter(|later| later.number > life.number).collect();
    let is_served = |(place, served): (usize, &&Life<'_>)| {
        let replaced = served.instance.previous.is_some_and(|previous| previous <= at);
        let next = later.get(place + 1).filter(|_| replaced);
        let is_current = served.instance.ended.is_some_and(|ended| ended <= at) && !replaced;
        let is_untold = match next {
            Some(next) => next.told > at && next.instance.previous.is_none_or(|previous| at < previous),
            // The log of the one before is removed while it waits.
            None => {
                place == 0 && is_current && served.end_told > at && life.gone().is_some_and(|gone| gone <= at)
            }
        };
        is_such(served) && is_untold
    };
    later.iter().enumerate().any(is_served)
}

pub fn was_taken_for_the_last(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = life(case, run);
    let first = life.lines()[run.lines.start].at;
    // An answer that was over before its first line had nothing of it, nor had one that broke before a line of its file
    // arrived.
    let is_found = case.reads.iter().any(|read| {
        let Some(opened) = read.opened().filter(|_| read.may_be_of(life) && !read.empty) else {
            return false;
        };
        let Some((ended, how)) = read.ended else { return true };
        let until = ended + way(case.story, ended);
        let came = life.lines()[run.lines.clone()].iter().any(|line| {
            let is_there = life.instance.files[line.file].rotated.is_none_or(|rotated| rotated > opened);
            is_there && arrival(case.story, line.at.max(opened)) <= until
        });
        if how == Ended::Broken { came } else { ended >= first }
    });
    let later = case.book.lives[run.life + 1..].iter();
    let later: Vec<_> = later.filter(|later| std::ptr::eq(later.container, life.container)).collect();
    let is_untold = !later.is_empty() && later.iter().all(|later| later.told == Duration::MAX);
    // The lines of a second one would show that there were more, which a report before them says.
    let mut others = later.iter().filter(|later| later.is_shown()).skip(1);
    let is_one = others.all(|later| comes_behind_a_gap(case, later));
    // A log that is there for long can be found.
    let Container { node, place, .. } = life.container;
    let due = troubles(case.story).iter().filter(|trouble| trouble.disturbs(node, &place.pod)).fold(
        life.told.max(first).saturating_add(SOON),
        |due, trouble| {
            if trouble.from <= due { due.max(trouble.until.saturating_add(SOON)) } else { due }
        },
    );
    let was_late = life.gone().is_some_and(|gone| gone <= due);
    !life.is_shown() && !is_found && is_untold && was_late && is_one
}
