//! Lines that were not shown: each is covered by a report, or nothing could be known of it, or it is a problem.

use std::{ops::Range, time::Duration};

use jiff::Timestamp;

use super::{
    super::Problem,
    book::{Book, Life},
    doubts::{joined, seems_of_the_next},
    excuse::{Case, excuse},
    given_up,
    notices::{Notice, Said},
    wanted::{Want, first_asked},
};

/// Lines of one life that were not shown, without a shown one between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub life: usize,
    /// From the first line that had to be shown up to the last one.
    pub lines: Range<usize>,
    /// Those of them that had to be shown.
    pub count: usize,
    /// The shown lines of this life before and after it.
    pub before: Option<usize>,
    pub after: Option<usize>,
}

/// All lines that had to be shown and were not.
pub fn runs(case: &Case<'_, '_>) -> Vec<Run> {
    let mut runs = Vec::new();
    for (number, life) in case.book.lives.iter().enumerate() {
        let mut run: Option<Run> = None;
        for line in 0..life.shown.len() {
            if life.shown[line].is_some() {
                runs.extend(run.take());
            } else if case.wanted[number].of(life, line) == Want::Must {
                let run = run.get_or_insert_with(|| {
                    let (before, after) = life.neighbours(line);
                    Run { life: number, lines: line..line, count: 0, before, after }
                });
                (run.lines.end, run.count) = (line + 1, run.count + 1);
            }
        }
        runs.extend(run);
    }
    runs
}

/// The lines that are missing without a report or an excuse.
pub fn judge(case: &Case<'_, '_>, problems: &mut Vec<Problem>) {
    let mut counted = Counted::of(case.book);
    // The last ones have the fewest reports behind them.
    for run in runs(case).into_iter().rev() {
        if is_excused(case, &run) || is_reported(case, &run, &mut counted) {
            continue;
        }
        let life = &case.book.lives[run.life];
        let first = &life.lines()[run.lines.start];
        let text: String = String::from_utf8_lossy(&first.text).chars().take(60).collect();
        let place = match (run.before, run.after) {
            (Some(_), Some(_)) => "between shown ones",
            (None, Some(_)) => "before the first one shown",
            (Some(_), None) => "behind the last one shown",
            (None, None) => "all that were to be shown",
        };
        let text = format!(
            "{} lines of instance {}, {place}, without a report: from line {} on, {:.9} {text:?}, written at {:?}",
            run.count, life.instance.restarts, run.lines.start, first.stamp, first.at
        );
        problems.push(Problem { kind: "missing", container: case.book.title(), at: first.at, text });
    }
}

fn is_excused(case: &Case<'_, '_>, run: &Run) -> bool {
    let last = || at_the_end(case.book, run).filter(|_| run.after.is_some());
    excuse(case, run).is_some() || last().is_some_and(|run| excuse(case, &run).is_some())
}

/// Reports about a number of instances of which nothing was shown.
struct Counted {
    /// Logs that were removed before they were read.
    removed: Vec<Duration>,
    /// Instances between two that were shown, and how many.
    skipped: Vec<(Duration, u32)>,
}

impl Counted {
    fn of(book: &Book<'_>) -> Counted {
        let notices = book.notices.iter();
        let is_of_all =
            |notice: &&Notice<'_>| matches!(notice.said, Said::Removed | Said::Refused | Said::Unread);
        let removed = notices.clone().filter(is_of_all).map(|notice| notice.at);
        let skipped = notices.clone().filter_map(|notice| match notice.said {
            Said::Restarted { skipped, .. } => Some((notice.at, skipped)),
            _ => None,
        });
        Counted { removed: removed.collect(), skipped: skipped.collect() }
    }

    /// Takes one that is about this instance.
    fn take(&mut self, life: &Life<'_>) -> bool {
        let started = life.instance.started;
        let ended = life.instance.ended.unwrap_or(started);
        if self.take_skipped(started) {
            return true;
        }
        let removal = self.removed.iter().position(|at| *at >= ended);
        removal.map(|removal| self.removed.remove(removal)).is_some()
    }

    /// Takes one that is said to be between two that were shown, from this time on.
    fn take_skipped(&mut self, since: Duration) -> bool {
        let skipped = self.skipped.iter_mut().find(|(at, left)| *at >= since && *left > 0);
        skipped.map(|(_, left)| *left -= 1).is_some()
    }
}

/// Whether the program said that these lines may be missing.
fn is_reported(case: &Case<'_, '_>, run: &Run, counted: &mut Counted) -> bool {
    let book = case.book;
    match (run.before, run.after) {
        (_, Some(after)) => {
            is_between(book, run, after)
                || run.before.is_none() && begins_late(book, run)
                || is_begin_of_skipped(case, run, after, counted)
                || at_the_end(book, run).is_some_and(|run| is_behind(case, &run) || spans(book, &run))
        }
        (Some(before), None) => {
            is_behind(case, run) || spans(book, run) || is_end_of_skipped(book, run, before, counted)
        }
        (None, None) => {
            is_behind_the_one_before(book, run)
                || is_behind_a_later_one(case, run)
                || spans(book, run)
                || gave_up(case, run)
                // It may use up a report, which is left to an instance that has no other one.
                || is_whole_life(book, run, counted)
        }
    }
}

/// A gap before the first shown line behind the missing ones: it names the stamps of both neighbours.
fn is_between(book: &Book<'_>, run: &Run, after: usize) -> bool {
    let life = &book.lives[run.life];
    places(life, run, after).any(|(before, after)| {
        let (before, after) = (before.map(|line| life.lines()[line].stamp), life.lines()[after].stamp);
        gaps(book)
            .any(|(from, to)| to == Some(after) && (before.is_none() || from.is_none() || from >= before))
    })
}

/// The neighbours of the missing lines; also as they are if equal lines are taken for each other.
fn places<'l>(
    life: &'l Life<'_>,
    run: &'l Run,
    after: usize,
) -> impl Iterator<Item = (Option<usize>, usize)> + 'l {
    let lines = life.lines();
    let same = move |a: usize, b: usize| lines[a].stamp == lines[b].stamp && lines[a].text == lines[b].text;
    let earlier = (1..=run.lines.start).take_while(move |back| {
        let start = run.lines.start - back;
        life.shown[start].is_some() && same(start, run.lines.end - back)
    });
    let earlier = earlier.map(move |back| {
        let start = run.lines.start - back;
        (start.checked_sub(1).filter(|line| life.shown[*line].is_some()), run.lines.end - back)
    });
    let later = (0..lines.len() - run.lines.end).take_while(move |on| {
        let end = run.lines.end + on;
        life.shown[end].is_some() && same(run.lines.start + on, end)
    });
    let later = later.filter_map(move |on| {
        let end = run.lines.end + on + 1;
        (end < lines.len() && life.shown[end].is_some()).then_some((Some(run.lines.start + on), end))
    });
    std::iter::once((run.before, after)).chain(earlier).chain(later)
}

/// The missing lines as the last ones of their life, if equal ones follow them to its end.
fn at_the_end(book: &Book<'_>, run: &Run) -> Option<Run> {
    let life = &book.lives[run.life];
    let (lines, count) = (life.lines(), run.lines.len());
    let same = |a: usize, b: usize| lines[a].stamp == lines[b].stamp && lines[a].text == lines[b].text;
    let mut behind = run.lines.end..lines.len();
    let are_equal = behind.all(|line| life.shown[line].is_some() && same(line - count, line));
    let lines = lines.len() - count..lines.len();
    are_equal.then(|| Run {
        lines: lines.clone(),
        before: lines.start.checked_sub(1),
        after: None,
        ..run.clone()
    })
}

fn gaps(book: &Book<'_>) -> impl Iterator<Item = (Option<Timestamp>, Option<Timestamp>)> {
    book.notices.iter().filter_map(|notice| match notice.said {
        Said::Between(from, to) => Some((from, to)),
        _ => None,
    })
}

fn begins_late(book: &Book<'_>, run: &Run) -> bool {
    let started = book.lives[run.life].instance.started;
    book.notices.iter().any(|notice| matches!(notice.said, Said::BeginsLate(_)) && notice.at >= started)
}

/// The begin of an instance of which nothing told before its log was gone, or before the status that told of the next
/// one: the lines that were shown of it were those of the one before for the program, of which `--tail` asks for no
/// more. It is among those that are said to be not shown.
fn is_begin_of_skipped(case: &Case<'_, '_>, run: &Run, after: usize, counted: &mut Counted) -> bool {
    let (book, life) = (case.book, &case.book.lives[run.life]);
    let Some(shown) = book.shown_at(run.life, after).filter(|_| run.before.is_none()) else { return false };
    let later = book.lives[run.life + 1..].iter();
    let mut later = later.filter(|later| std::ptr::eq(later.container, life.container));
    let is_told_with_the_next = later.next().is_some_and(|next| next.told <= life.told);
    let is_late = is_told_with_the_next || life.gone().is_some_and(|gone| gone <= life.told);
    let is_unknown = life.is_untold(shown) && is_late;
    let first = first_asked(life, case.asked.tail, case.reads);
    is_unknown && first.is_some_and(|first| run.lines.end <= first) && counted.take_skipped(shown)
}

/// The end of an instance of which nothing told before its first lines were shown, as those of the one before: it is
/// among those that are said to be not shown.
fn is_end_of_skipped(book: &Book<'_>, run: &Run, before: usize, counted: &mut Counted) -> bool {
    let life = &book.lives[run.life];
    let shown = book.shown_at(run.life, before);
    shown.is_some_and(|shown| life.is_untold(shown)) && counted.take_skipped(life.told)
}

/// The end of a log that could not be read: the report names the last line that was shown of it.
fn is_behind(case: &Case<'_, '_>, run: &Run) -> bool {
    let book = case.book;
    let life = &book.lives[run.life];
    let latest = life.latest(run.lines.start, &book.shown);
    let is_named = book.notices.iter().any(|notice| match notice.said {
        Said::Behind(last) | Said::Unchecked(last) => Some(last) == latest,
        _ => false,
    });
    is_named || gave_up(case, run)
}

/// An instance of which nothing told before its log was gone, or to which the program says that lines of the one before
/// belong, as far as whole seconds tell: the report names the last line of the one that was shown before.
fn is_behind_the_one_before(book: &Book<'_>, run: &Run) -> bool {
    let life = &book.lives[run.life];
    let mut before = book.lives[..run.life].iter().rev();
    let before = before.find(|before| std::ptr::eq(before.container, life.container) && before.is_shown());
    let latest = before.and_then(|before| before.latest(before.shown.len(), &book.shown));
    let is_unknown = life.told == Duration::MAX || life.gone().is_some_and(|gone| gone <= life.told);
    let seems_its_own = |at: Duration| {
        before.is_some_and(seems_of_the_next)
            && book.notices.iter().any(|notice| match notice.said {
                Said::Restarted { lines_since, .. } => {
                    notice.at <= at && lines_since.is_some() && lines_since <= latest
                }
                _ => false,
            })
    };
    latest.is_some()
        && book.notices.iter().any(|notice| match notice.said {
            Said::Behind(last) | Said::Unchecked(last) => {
                Some(last) == latest && (is_unknown || seems_its_own(notice.at))
            }
            _ => false,
        })
}

/// An instance that was one for the program with a later one as lines of that one were shown: the report names the last
/// of these.
fn is_behind_a_later_one(case: &Case<'_, '_>, run: &Run) -> bool {
    let life = &case.book.lives[run.life];
    let is_this = |other: &Life<'_>| std::ptr::eq(other, life);
    case.book.notices.iter().any(|notice| {
        let Said::Unchecked(last) = notice.said else { return false };
        let mut later = run.life + 1..case.book.lives.len();
        later.any(|number| joined(case, number, last, notice.at).iter().any(is_this))
    })
}

/// When the log of a later life was opened: its first line, unless the program says that it read it too early, or
/// nothing told of that life yet.
fn next_opened<'b>(book: &'b Book<'_>, mut later: impl Iterator<Item = &'b Life<'b>>) -> Option<Duration> {
    later.find_map(|life| {
        let (line, shown) = first_shown(life)?;
        let (at, stamp) = (book.shown[shown].at, life.lines()[line].stamp);
        let restart = book.notices.iter().find(|notice| match notice.said {
            Said::Restarted { lines_since: Some(since), .. } => since == stamp && notice.at >= at,
            _ => false,
        });
        let at = restart.map_or(at, |restart| restart.at);
        Some(if life.is_untold(at) { life.told } else { at })
    })
}

/// The program gave a log up, or read words of the kubelet in place of its last lines, after it had shown what it had
/// of it.
fn gave_up(case: &Case<'_, '_>, run: &Run) -> bool {
    let book = case.book;
    let life = &book.lives[run.life];
    let shown = run.before.and_then(|before| book.shown_at(run.life, before));
    let since = shown.unwrap_or(life.instance.started);
    let held = run.before.filter(|_| book.is_held(since));
    let read = held.map_or(since, |before| life.lines()[before].at);
    let until = next_opened(book, book.lives[run.life + 1..].iter());
    // Behind words about a log that is still there the program asks again.
    let is_over = run.after.is_none() && life.instance.ended.or(life.container.deleted).is_some();
    book.notices.iter().any(|notice| {
        let is_before_the_next = until.is_none_or(|until| notice.at <= until);
        match notice.said {
            Said::GivenUp(_) => {
                notice.at >= read && is_before_the_next && given_up::is_about(case, notice, run.life)
            }
            Said::Words(_) => notice.at >= read && is_before_the_next && is_over,
            Said::TimedOut => {
                notice.at >= since && (is_before_the_next || is_still_open(book, since, notice.at))
            }
            _ => false,
        }
    })
}

/// Whether the program said of no log since then that it came to its end, and of no restart: the log that is open is
/// that one, though lines of the next instance were shown too early.
fn is_still_open(book: &Book<'_>, since: Duration, until: Duration) -> bool {
    let mut notices = book.notices.iter().filter(|notice| (since..=until).contains(&notice.at));
    !notices.any(|notice| matches!(notice.said, Said::Closed | Said::Restarted { .. }))
}

/// A gap between this life and a later one, of which the first line was shown, before any line of those between:
/// perhaps too early.
fn spans(book: &Book<'_>, run: &Run) -> bool {
    let latest = book.lives[run.life].latest(run.lines.start, &book.shown);
    let mut first = usize::MAX;
    let mut next = book.lives[run.life + 1..].iter().filter_map(|life| {
        let (line, shown) = first_shown(life)?;
        let is_first = shown < first;
        first = first.min(shown);
        is_first.then(|| life.lines()[line].stamp)
    });
    next.any(|next| {
        gaps(book)
            .any(|(from, to)| to == Some(next) && (latest.is_none() || from.is_none() || from >= latest))
    })
}

/// The first line that was shown, and its place among all that was.
fn first_shown(life: &Life<'_>) -> Option<(usize, usize)> {
    life.shown.iter().enumerate().find_map(|(line, shown)| Some((line, (*shown)?)))
}

/// A life of which nothing was shown: its removal was reported, or that it had ended before it was seen.
fn is_whole_life(book: &Book<'_>, run: &Run, counted: &mut Counted) -> bool {
    let life = &book.lives[run.life];
    let started = life.instance.started;
    let later =
        book.lives[run.life + 1..].iter().filter(|later| std::ptr::eq(later.container, life.container));
    let until = next_opened(book, later).unwrap_or(Duration::MAX);
    let is_unseen = book
        .notices
        .iter()
        .any(|notice| notice.said == Said::Unseen && (started..=until).contains(&notice.at));
    is_unseen || is_removed_with_the_next(book, run) || counted.take(life)
}

/// The log was removed before anything was read of it, and before anything told of the later instances, of which
/// nothing was shown either: for the program there was one, and one report is about all.
fn is_removed_with_the_next(book: &Book<'_>, run: &Run) -> bool {
    let life = &book.lives[run.life];
    let later =
        book.lives[run.life + 1..].iter().filter(|later| std::ptr::eq(later.container, life.container));
    let later: Vec<_> = later.collect();
    let gone = life.container.deleted.unwrap_or(Duration::MAX);
    let is_of_all = |notice: &Notice<'_>| {
        let is_one = |later: &&Life<'_>| !later.is_shown() && later.is_untold(notice.at);
        matches!(notice.said, Said::Removed | Said::Refused | Said::Unread)
            && notice.at >= gone
            && later.iter().all(is_one)
    };
    !later.is_empty() && book.notices.iter().any(is_of_all)
}
