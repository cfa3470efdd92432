//! Finds each line that was shown among those that were written.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    super::Problem,
    asked::{self, Asked},
    book::{Book, Life},
    excuse::SOON,
    notices::Said,
    output::Shown,
    reads::Read,
    wanted,
};
use crate::story::{Line, Story};

/// The most bytes of a line that a runtime writes as one piece.
pub const PIECE: usize = 16 << 10;

/// How many lines are compared before all are sorted by their stamps.
const NEAR: usize = 64;

/// A line, by its life.
type Place = (usize, usize);

/// How a shown line agrees with a written one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    /// Its end was cut, as `--limit-bytes` does, or was not written yet.
    Head,
    /// The first pieces of a long line were left out, as `--tail` does.
    Pieces,
}

struct Aligner<'b, 'a> {
    book: &'b mut Book<'a>,
    asked: &'b Asked,
    /// Whether all of each life is wanted, whatever `--tail` says.
    whole: Vec<bool>,
    /// Of each life, the line behind the last one that was found.
    cursors: Vec<usize>,
    life: usize,
    by_stamp: Option<BTreeMap<Timestamp, Vec<Place>>>,
    /// The instant from which lines of the next instance were shown too early, as the program said.
    early: Vec<Timestamp>,
    /// Whether the time of the run was over before a log was read to its end, behind which that is said.
    over: bool,
    /// When the run ended, and whether a signal ended it.
    ended: Duration,
    signalled: bool,
}

/// Fills in which line was shown where. A line that is not as it was written is a problem. `whole`: see [`Aligner`].
pub fn align(
    book: &mut Book<'_>,
    asked: &Asked,
    whole: Vec<bool>,
    reads: &[Read],
    story: &Story,
    problems: &mut Vec<Problem>,
) {
    let title = book.title();
    let early = book.notices.iter().filter_map(|notice| match notice.said {
        Said::Restarted { lines_since, .. } => lines_since,
        _ => None,
    });
    let early = early.collect();
    let over = book.notices.iter().any(|notice| matches!(notice.said, Said::TimedOut));
    let cursors = vec![0; book.lives.len()];
    let ended = story.ended;
    let signalled = story.signalled.is_some_and(|at| at <= ended);
    let mut aligner =
        Aligner { book, asked, whole, cursors, life: 0, by_stamp: None, early, over, ended, signalled };
    for number in 0..aligner.book.shown.len() {
        if let Some((kind, text)) = aligner.take(number) {
            let at = aligner.book.shown[number].at;
            problems.push(Problem { kind, container: title.clone(), at, text });
        }
    }
    let limited: Vec<_> = (0..book.lives.len()).map(|life| is_used_up(book, asked, life)).collect();
    for (life, is_limited) in book.lives.iter_mut().zip(limited) {
        let first = life.shown.iter().position(Option::is_some).unwrap_or_default();
        let begin = wanted::begin(life, reads).min(first) as isize;
        let limited = is_limited.then_some(life.shown.len() as isize);
        settle(life, Holes { begin, limited });
    }
}

/// Whether as many bytes of a life were shown as were asked for.
fn is_used_up(book: &Book<'_>, asked: &Asked, life: usize) -> bool {
    let last = book.lives[life].shown.iter().flatten().max();
    let at = last.map_or(Duration::MAX, |last| book.shown[*last].at);
    let own = || book.bytes_uncut(&book.lives[life..=life]) + book.bytes_given(life, at);
    let shown = || book.bytes_uncut(book.as_one(life, at)).max(own());
    asked.limit_bytes.is_some_and(|limit| shown() >= limit)
}

/// Among equal lines it is open which ones were shown. They are chosen so that the missing ones have as few others
/// between them as possible, and are the first ones; the last ones if only so many bytes were asked for.
fn settle(life: &mut Life<'_>, holes: Holes) {
    let shown: Vec<usize> = (0..life.shown.len()).filter(|line| life.shown[*line].is_some()).collect();
    let last = last_places(life, &shown);
    let numbers: Vec<_> = shown.iter().map(|line| life.shown[*line].take()).collect();
    let mut places = last.clone();
    let mut start = 0;
    while start < shown.len() {
        let stamp = |line: usize| life.lines()[line].stamp;
        let open = shown[start..].iter().zip(&last[start..]);
        let open =
            open.take_while(|(first, last)| first != last && stamp(**first) == stamp(shown[start])).count();
        if open > 0 {
            let end = start + open;
            let before = start.checked_sub(1).map_or(holes.begin - 1, |before| last[before] as isize);
            let behind = shown.get(end).map_or(life.shown.len(), |line| *line) as isize;
            let (first, last) = (&shown[start..end], &last[start..end]);
            let (fewest, split) = fewest_holes(before, first, last, behind, holes);
            places[start..start + split].copy_from_slice(&first[..split]);
            // They may also be all in one place.
            let blocks = blocks(life, first, last).filter(|block| before < *block as isize);
            let around = |block: usize| {
                holes.between(before, block as isize) + holes.between((block + open) as isize - 1, behind)
            };
            let block = blocks.min_by_key(|block| around(*block)).filter(|block| around(*block) < fewest);
            if let Some(block) = block {
                (0..open).for_each(|line| places[start + line] = block + line);
            }
        }
        start += open.max(1);
    }
    for (place, number) in places.into_iter().zip(numbers) {
        life.shown[place] = number;
    }
}

/// The last places at which the same lines are found in order.
fn last_places(life: &Life<'_>, shown: &[usize]) -> Vec<usize> {
    let lines = life.lines();
    let same = |a: usize, b: usize| lines[a].stamp == lines[b].stamp && lines[a].text == lines[b].text;
    let mut end = lines.len();
    let mut last: Vec<usize> = shown.to_vec();
    for place in last.iter_mut().rev() {
        end = (*place + 1..end).rev().find(|other| same(*place, *other)).unwrap_or(*place);
        *place = end;
    }
    last
}

/// The fewest holes between two lines, and the number of lines that have their first places then, the others having
/// their last ones.
fn fewest_holes(
    before: isize,
    first: &[usize],
    last: &[usize],
    behind: isize,
    holes: Holes,
) -> (usize, usize) {
    let count = first.len();
    // Holes among the last places from each line on.
    let mut later = vec![0; count + 1];
    for line in (0..count).rev() {
        let next = last.get(line + 1).map_or(behind, |next| *next as isize);
        later[line] = later[line + 1] + holes.between(last[line] as isize, next);
    }
    let (mut earlier, mut from, mut best) = (0, before, (usize::MAX, 0));
    for (split, later) in later.into_iter().enumerate() {
        let to = last.get(split).map_or(behind, |line| *line as isize);
        let count = earlier + holes.between(from, to) + later;
        if count < best.0 || holes.limited.is_some() && count == best.0 {
            best = (count, split);
        }
        if let Some(line) = first.get(split) {
            earlier += holes.between(from, *line as isize);
            from = *line as isize;
        }
    }
    best
}

/// How the holes between shown lines count.
#[derive(Debug, Clone, Copy)]
struct Holes {
    /// The first line that any request could find: there is no hole before it.
    begin: isize,
    /// The number of all lines, if only so many bytes were asked for: rather more than fewer holes then, since it is the
    /// end that is missing, and rather one at the beginning than between.
    limited: Option<isize>,
}

impl Holes {
    /// The weight of the lines that are missing between two that were shown.
    fn between(self, from: isize, to: isize) -> usize {
        let weight = match self.limited {
            Some(lines) if to == lines => 0,
            Some(_) if from >= self.begin => 2,
            Some(_) | None => 1,
        };
        usize::from(to > from + 1) * weight
    }
}

/// Where the same lines were written one behind the other.
fn blocks<'l>(life: &'l Life<'_>, first: &'l [usize], last: &[usize]) -> impl Iterator<Item = usize> + 'l {
    let lines = life.lines();
    let end = last.last().map_or(0, |last| last + 2).saturating_sub(first.len());
    (first.first().copied().unwrap_or(end)..end).filter(move |block| {
        let mut pairs = first.iter().map(|shown| &lines[*shown]).zip(&lines[*block..]);
        pairs.all(|(shown, line)| shown.stamp == line.stamp && shown.text == line.text)
    })
}

impl Aligner<'_, '_> {
    /// Finds a shown line; what is wrong with it.
    fn take(&mut self, number: usize) -> Option<(&'static str, String)> {
        let shown = self.book.shown[number];
        let Some((place, fit)) = self.find(&shown) else { return self.unfound(&shown) };
        let (life, line) = place;
        let words = |what: &str| Some(format!("{what}: {}", describe(&shown)));
        let problem = if line < self.cursors[life] {
            match self.book.lives[life].shown[line] {
                Some(_) => return words("this line was shown before").map(|text| ("repeated", text)),
                None if self.may_precede(place) => None,
                None => {
                    words("lines behind this one were shown before it").map(|text| ("out of order", text))
                }
            }
        } else if life < self.life && !self.may_be_early(life, shown.at) {
            words("lines of a later instance were shown before it").map(|text| ("out of order", text))
        } else {
            None
        };
        let problem = problem.or_else(|| self.misfit(place, fit, &shown));
        self.book.lives[life].shown[line] = Some(number);
        self.cursors[life] = self.cursors[life].max(line + 1);
        self.life = life;
        problem
    }

    /// A line that was never written as it was shown: words of the kubelet may look like a line.
    fn unfound(&self, shown: &Shown<'_>) -> Option<(&'static str, String)> {
        let mut words = self.book.lives.iter().flat_map(|life| &life.instance.words);
        let is_of_kubelet = shown.stamp.is_none() && words.any(|(_, words)| words == shown.text);
        (!is_of_kubelet).then(|| ("never written", describe(shown)))
    }

    /// Where a shown line was written: preferably behind the one before it.
    fn find(&mut self, shown: &Shown<'_>) -> Option<(Place, Fit)> {
        let near = self.book.lives.get(self.life).map_or(&[][..], Life::lines);
        let cursor = self.cursors.get(self.life).copied().unwrap_or_default();
        let near = near.iter().enumerate().skip(cursor).take(NEAR);
        let mut near = near.filter_map(|(line, written)| {
            (fit(written, shown, self.asked)? == Fit::Whole).then_some(((self.life, line), Fit::Whole))
        });
        near.next().or_else(|| self.search(shown))
    }

    fn search(&mut self, shown: &Shown<'_>) -> Option<(Place, Fit)> {
        let lives = &self.book.lives;
        let by_stamp = self.by_stamp.get_or_insert_with(|| sort(lives));
        let of_stamp = shown.stamp.and_then(|stamp| by_stamp.get(&stamp)).map_or(&[][..], Vec::as_slice);
        let written = |(life, line): Place| &lives[life].lines()[line];
        let fits =
            of_stamp.iter().filter_map(|place| Some((*place, fit(written(*place), shown, self.asked)?)));
        let rank = |&(place, fit): &(Place, Fit)| {
            let (life, line) = place;
            let is_ahead = line >= self.cursors[life];
            let is_new = lives[life].shown[line].is_none();
            let is_too_early = fit == Fit::Head
                && !self.whole[life]
                && is_left_out(&lives[life], line, shown.at, self.asked);
            (!is_ahead, fit != Fit::Whole, !is_new, life < self.life, life, is_too_early, line)
        };
        fits.min_by_key(rank).or_else(|| self.pieces(shown))
    }

    /// The last pieces of a long line: if they have another stamp than the line, it is not known.
    fn pieces(&self, shown: &Shown<'_>) -> Option<(Place, Fit)> {
        let ahead = self.book.lives.iter().enumerate().skip(self.life).flat_map(|(life, of)| {
            let lines = of.lines().iter().enumerate().skip(self.cursors[life]);
            lines.map(move |(line, written)| ((life, line), written))
        });
        let fits = ahead.filter_map(|(place, written)| {
            let fit = self.fit_pieces(&written.text, shown.text)?;
            // A piece is never older than its line.
            Some((Some(written.stamp).filter(|stamp| Some(*stamp) <= shown.stamp), place, fit))
        });
        // Of those of one stamp the first.
        fits.reduce(|best, other| if other.0 > best.0 { other } else { best })
            .map(|(_, place, fit)| (place, fit))
    }

    fn fit_pieces(&self, whole: &[u8], part: &[u8]) -> Option<Fit> {
        let mut rests = (PIECE..whole.len()).step_by(PIECE).map(|left_out| &whole[left_out..]);
        let may_be_cut = self.asked.limit_bytes.is_some() && self.asked.tail.is_some();
        if rests.clone().any(|rest| *self.asked.cut(rest) == *part) {
            return Some(Fit::Pieces);
        }
        rests.any(|rest| may_be_cut && is_head(rest, part, self.asked)).then_some(Fit::Head)
    }

    /// Whether only lines were shown before this one of its instance that were shown too early, and that was said. The
    /// first of these may be of the same instant.
    fn may_precede(&self, (life, line): Place) -> bool {
        let life = &self.book.lives[life];
        let behind = life.lines().iter().zip(&life.shown).skip(line).filter(|(_, shown)| shown.is_some());
        let behind: Vec<_> = behind.map(|(line, _)| line.stamp).collect();
        let stamp = life.lines()[line].stamp;
        let is_before = |early: Timestamp| stamp < early || stamp == early && behind.contains(&early);
        behind.iter().all(|shown| self.early.iter().any(|early| is_before(*early) && shown >= early))
    }

    /// Whether the lines of the instance behind this one were shown too early, and that was said; or the run ended
    /// before anything told of that instance, and so of the restart, or before it was said. A pod that was made again
    /// under the same name is read beside the one before.
    fn may_be_early(&self, life: usize, at: Duration) -> bool {
        let container = self.book.lives[life].container;
        let later = self.book.lives[life + 1..].iter();
        let later =
            later.filter(|later| std::ptr::eq(later.container, container) && !later.is_untold(self.ended));
        let mut stamps = later.flat_map(|later| {
            later
                .lines()
                .iter()
                .zip(&later.shown)
                .filter(|(_, shown)| shown.is_some())
                .map(|(line, _)| line.stamp)
        });
        self.ends_before_report(at) || stamps.all(|stamp| self.early.iter().any(|early| stamp >= *early))
    }

    /// Whether the run ended before the end of a log was known, of which a line was shown at that time, since its time was
    /// over, or by a signal soon after the line: behind that end it is said which lines came too early.
    fn ends_before_report(&self, at: Duration) -> bool {
        let is_end = |said: &Said<'_>| matches!(said, Said::Closed | Said::Restarted { .. });
        let mut later = self.book.notices.iter().filter(|notice| notice.at >= at);
        let is_cut = self.over || self.signalled && self.ended < at + SOON;
        is_cut && !later.any(|notice| is_end(&notice.said))
    }

    /// What is wrong with a line of which only a part was shown.
    fn misfit(&self, (life, line): Place, fit: Fit, shown: &Shown<'_>) -> Option<(&'static str, String)> {
        let is_first = !self.book.lives[life].shown[..line].iter().any(Option::is_some);
        let passes = match fit {
            Fit::Whole => true,
            Fit::Head => {
                let is_reported = self.book.notices.iter().any(|notice| {
                    notice.at >= shown.at
                        && shown.stamp.is_some_and(|stamp| notice.said == Said::Behind(stamp))
                });
                let is_unfinished = shown.at < self.book.lives[life].lines()[line].at;
                self.fills((life, line), shown) || is_unfinished || is_reported
            }
            Fit::Pieces => is_first && self.asked.tail.is_some(),
        };
        (!passes).then(|| ("cut", format!("only a part of the line was shown: {}", describe(shown))))
    }

    /// Whether this line uses up the bytes of `--limit-bytes`.
    fn fills(&self, (life, line): Place, shown: &Shown<'_>) -> bool {
        let joint = |at| self.book.as_one(life, at);
        // The status of its instance may have come between its reading and its showing.
        let written = self.book.lives[life].lines()[line].at;
        let read = joint(if self.book.is_held(shown.at) { written } else { shown.at });
        // A status that came in this instant may have come behind the line.
        let earlier = joint(shown.at.saturating_sub(Duration::from_millis(1)));
        let own = &self.book.lives[life..=life];
        let given = self.book.bytes_uncut(own) + self.book.bytes_given(life, shown.at);
        let before = [own, read, joint(shown.at), earlier].into_iter().flat_map(|lives| {
            [self.book.bytes(lives), self.book.bytes_uncut(lives), Book::bytes_whole(lives)]
        });
        let mut before = before.chain([given]).chain(self.book.bytes_between_restarts(life, shown.at));
        before.any(|before| self.asked.limit_bytes == Some(before + asked::length(shown.text) as u64))
    }
}

/// Whether `--tail` leaves this line out, if nothing of its log was shown before.
fn is_left_out(life: &Life<'_>, line: usize, at: Duration, asked: &Asked) -> bool {
    let written = life.lines().partition_point(|line| line.at <= at);
    !life.is_shown() && asked.tail.is_some_and(|tail| line + (tail as usize) < written)
}

fn sort(lives: &[Life<'_>]) -> BTreeMap<Timestamp, Vec<Place>> {
    let mut by_stamp: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (number, life) in lives.iter().enumerate() {
        for (line, written) in life.lines().iter().enumerate() {
            by_stamp.entry(written.stamp).or_default().push((number, line));
        }
    }
    by_stamp
}

fn fit(written: &Line, shown: &Shown<'_>, asked: &Asked) -> Option<Fit> {
    if shown.stamp != Some(written.stamp) {
        return None;
    }
    let expected = asked.cut(&written.text);
    if *expected == *shown.text {
        return Some(Fit::Whole);
    }
    // Of a log that is not followed the last line may have no end yet.
    let may_be_cut = asked.limit_bytes.is_some() || !asked.follow;
    (may_be_cut && is_head(&written.text, shown.text, asked)).then_some(Fit::Head)
}

/// Whether the beginning of a line is shown like this.
fn is_head(line: &[u8], shown: &[u8], asked: &Asked) -> bool {
    let head = line.get(..asked::length(shown));
    asked.cut(line).starts_with(shown) || head.is_some_and(|head| *asked.cut(head) == *shown)
}

/// A line in words, short.
pub fn describe(shown: &Shown<'_>) -> String {
    let stamp = shown.stamp.map_or("no time".to_owned(), |stamp| format!("{stamp:.9}"));
    let text: String = String::from_utf8_lossy(shown.text).chars().take(80).collect();
    format!("{stamp} {text:?}")
}
