//! Which lines are wanted: those that have to be shown, those that may be, and those that must not.

use std::{ops::Range, time::Duration};

use apiserver::Kind;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        promptness,
        troubles::{Trouble, troubles},
    },
    align::PIECE,
    asked::Asked,
    book::{Book, Life},
    excuse::{AFTER_FAULTS, SOON},
    reads::Read,
};
use crate::{
    story::{Container, Instance, Line, Request, Story},
    world::REST,
};

/// The kubelet takes times in whole seconds, and the apiserver gives them so.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// How much the program may differ about the clock of the apiserver, which it knows in whole seconds.
const CLOCKS: Duration = Duration::from_secs(2);

/// How long lines are shown after a log was opened that is not followed, until the clock of its node is known.
const AHEAD: Duration = Duration::from_secs(12);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    No,
    May,
    Must,
}

/// When the program learned which pods there are at its start: not before the first time, and not after the second.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    from: Duration,
    until: Duration,
}

impl Start {
    pub fn of(requests: &[Request]) -> Start {
        let listed = requests.iter().find(|request| {
            request.kind == Kind::List
                && request.path.ends_with("/pods")
                && request.answered.is_some_and(|(_, status)| status == 200)
        });
        let next = requests.iter().find(|request| matches!(request.kind, Kind::Watch | Kind::Log));
        Start {
            from: listed.map_or(Duration::MAX, |listed| listed.at),
            until: next.map_or(Duration::MAX, |next| next.at),
        }
    }

    /// Whether this was the current instance all that time, and ran.
    pub fn names(self, life: &Life<'_>) -> bool {
        let is_current = |at| current(life.container, at) == Some(life.number);
        is_current(self.from) && is_current(self.until) && !waits(life.container, life.number, self.until)
    }
}

/// What the program wants of the log of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    /// As much as the flags ask for, of an instance that was there when the program saw the container first.
    Asked,
    /// The same, if the program saw the container while this instance was the one that counts.
    PerhapsAsked,
    /// All of it.
    All,
    /// All that was written from then on: what was there at the start is perhaps that of an instance of which a status
    /// told, and `--tail` left it out.
    News(Duration),
    /// Some of it or nothing: it depends on which instance a request happened to find.
    Perhaps,
}

/// What is wanted of one instance.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The lines that have to be shown, and those that may.
    must: Range<usize>,
    may: Range<usize>,
    /// The stamps from which lines have to be shown, and may be.
    must_since: Option<Timestamp>,
    may_since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// With `--condition`: until when its pod met it while the log was there, and in which time a line was to be read
    /// then.
    met: Option<Vec<(Duration, Duration)>>,
    /// The faults that concern the pod.
    troubles: Vec<Trouble>,
}

impl Wanted {
    pub fn of(&self, life: &Life<'_>, line: usize) -> Want {
        let stamp = life.lines()[line].stamp;
        if self.until.is_some_and(|until| stamp >= until) {
            return Want::No;
        }
        let is_since = |since: Option<Timestamp>| since.is_none_or(|since| stamp >= since);
        let at = life.lines()[line].at;
        // Once the pod stops meeting the condition, nothing more is read.
        let due = |bound| promptness::after(self.troubles.iter(), at, bound);
        let is_met = self.met.as_ref().is_none_or(|met| met.iter().any(|(end, bound)| due(*bound) <= *end));
        if self.must.contains(&line) && is_since(self.must_since) && is_met {
            Want::Must
        } else if self.may.contains(&line) && is_since(self.may_since) {
            Want::May
        } else {
            Want::No
        }
    }
}

/// What is wanted of each life of a container.
pub fn wanted(book: &Book<'_>, asked: &Asked, story: &Story, start: Start, reads: &[Read]) -> Vec<Wanted> {
    let (troubles, ends) = (troubles(story), ends_of_tail(asked, story, start));
    let of_life = |(number, life): (usize, &Life<'_>)| {
        let (must, may) = (0..life.lines().len(), 0..life.lines().len());
        let Container { node, place, .. } = life.container;
        let troubles =
            troubles.iter().filter(|trouble| trouble.disturbs(node, &place.pod)).cloned().collect();
        let (until, met) = (asked.until, met(life, reads));
        let all = Wanted { must, may, must_since: None, may_since: None, until, met, troubles };
        let none = Wanted { must: 0..0, may: 0..0, ..all.clone() };
        match part(life, asked, start, reads) {
            Part::Nothing => none,
            Part::All => all,
            Part::News(since) => {
                Wanted { must: life.lines().partition_point(|line| line.at < since)..all.may.end, ..all }
            }
            Part::Perhaps => Wanted { must: 0..0, ..all },
            Part::PerhapsAsked => {
                Wanted { must: 0..0, ..asked_of(all, book, number, asked, story, &ends, reads) }
            }
            Part::Asked => asked_of(all, book, number, asked, story, &ends, reads),
        }
    };
    book.lives.iter().enumerate().map(of_life).collect()
}

/// Whether all of each life is wanted: the program saw none of it at its start.
pub fn whole(book: &Book<'_>, asked: &Asked, start: Start, reads: &[Read]) -> Vec<bool> {
    book.lives.iter().map(|life| part(life, asked, start, reads) == Part::All).collect()
}

/// Until when the pod of a life met the condition before the next instance started, and in which time a line was to be
/// read then: polls of a quiet log have pauses of up to a minute.
fn met(life: &Life<'_>, reads: &[Read]) -> Option<Vec<(Duration, Duration)>> {
    let meets = &life.container.meets;
    let next = life.container.instances.get(life.number + 1).map_or(Duration::MAX, |next| next.started);
    let ends = meets.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
    let met = meets.iter().zip(ends).filter(|((from, meets), _)| *meets && *from <= next);
    let bound = |end: Duration| {
        let mut reads = reads.iter().filter(|read| !read.check && read.at < end && read.may_be_of(life));
        if reads.next_back().is_some_and(|read| read.poll) { AFTER_FAULTS } else { SOON }
    };
    (!meets.is_empty()).then(|| met.map(|(_, end)| (end, bound(end))).collect())
}

/// The number of the instance that the store of the apiserver names as the current one.
fn current(container: &Container, at: Duration) -> Option<usize> {
    if container.created > at || container.deleted.is_some_and(|deleted| deleted <= at) {
        return None;
    }
    container.instances.iter().rposition(|instance| instance.known.is_some_and(|known| known <= at))
}

fn part(life: &Life<'_>, asked: &Asked, start: Start, reads: &[Read]) -> Part {
    let Life { container, number, .. } = *life;
    let (from, until) = match container.meets.iter().find(|(at, meets)| *meets && *at > start.from) {
        // Whenever it is seen first, it may be old.
        Some((met, _)) if !met_at(container, start.from) => {
            (*met, reads.iter().map(|read| read.at).find(|at| at >= met).unwrap_or(Duration::MAX))
        }
        _ => (start.from, start.until),
    };
    let (first, last) = (current(container, from), current(container, until));
    let dropped = container.meets.iter().find(|(at, meets)| !*meets && *at > from).map(|(at, _)| *at);
    let is_met = |dropped: Duration| {
        let Instance { known, ended, .. } = life.instance;
        known.is_some_and(|known| known < dropped) && ended.is_none_or(|ended| ended < dropped)
    };
    if dropped.is_some_and(|dropped| !is_met(dropped)) {
        return Part::Perhaps;
    }
    if asked.previous {
        let is_previous = reads.iter().any(|read| read.previous && read.may_be_of(life));
        let is_only = container
            .instances
            .iter()
            .enumerate()
            .all(|(other, _)| other == number || !may_be_previous(container, other, from));
        let is_certain = life.instance.previous.is_some_and(|previous| previous <= from);
        return match (is_previous, is_only && is_certain) {
            (true, true) => Part::Asked,
            (true, false) => Part::PerhapsAsked,
            (false, _) => Part::Nothing,
        };
    }
    let (Some(first), Some(last)) = (first, last) else {
        return match (asked.follow, last) {
            // It was not there at the start.
            (true, None) => Part::All,
            (true, Some(last)) if number > last => Part::All,
            (true, Some(_)) | (false, _) => Part::Perhaps,
        };
    };
    let is_before = asked.with_previous && (first..=last).contains(&(number + 1));
    match number {
        _ if number < first && !is_before => Part::Nothing,
        _ if number > last && asked.follow => match life.instance.started < until && asked.tail.is_some() {
            true => Part::News(until),
            false => Part::All,
        },
        _ if number > last => Part::Perhaps,
        _ if is_before && number < first => match waits(container, first, from) || first != last {
            true => Part::PerhapsAsked,
            false => Part::Asked,
        },
        _ if first == last => Part::Asked,
        _ => Part::Perhaps,
    }
}

fn met_at(container: &Container, at: Duration) -> bool {
    container
        .meets
        .iter()
        .rev()
        .find(|(since, _)| *since <= at)
        .map_or(container.meets.is_empty(), |(_, meets)| *meets)
}

/// Whether the node may have had this instance as the previous one at some time from the start to the last request.
fn may_be_previous(container: &Container, number: usize, from: Duration) -> bool {
    let became = container.instances[number].previous.or(container.instances[number].ended);
    let next = container.instances.get(number + 1).and_then(|next| next.previous);
    became.is_some() && next.is_none_or(|next| next >= from)
}

/// Whether the instance had ended by then, so that the one before it may not count.
fn waits(container: &Container, number: usize, at: Duration) -> bool {
    container.instances[number].ended.is_some_and(|ended| ended <= at)
}

/// What the flags ask for of an instance that existed when the program saw it.
fn asked_of(
    all: Wanted,
    book: &Book<'_>,
    number: usize,
    asked: &Asked,
    story: &Story,
    ends_of_tail: &[Option<Timestamp>],
    reads: &[Read],
) -> Wanted {
    let life = &book.lives[number];
    let opens = || {
        reads.iter().filter(|read| read.may_be_of(life)).filter_map(|read| Some((read.at, read.opened()?)))
    };
    let count = life.lines().len();
    let Some((opened, _)) = opens().next() else {
        // Nothing of it could be read.
        return Wanted { must: 0..0, may: 0..0, ..all };
    };
    let first_shown = (0..count).find_map(|line| book.shown_at(number, line));
    let last = opens().next_back().map_or(opened, |(_, answered)| answered);
    let until = first_shown.unwrap_or(last.max(story.ended));
    let first =
        |at: Duration, edge| ends_of_tail.iter().map(move |end| first_line(life, at, asked.tail, *end, edge));
    let earliest = first(opened, Edge::Within).min().unwrap_or_default();
    // Until a line is shown, a new request counts `--tail` anew, unless the log was found without a line.
    let found_empty = reads.iter().find_map(|read| read.found_empty(life));
    let counted = if asked.tail.is_some() { found_empty.unwrap_or(until) } else { opened };
    let latest = first(counted, Edge::Whole).max().unwrap_or_default();
    let written_by = |at: Duration| life.lines().partition_point(|line| line.at <= at);
    let ends = match asked.follow || asked.previous {
        true => (count, count),
        false => (written_by(opened), written_by(until.max(last).saturating_add(AHEAD))),
    };
    let since = |at: Timestamp| asked.since.and_then(|since| at.checked_sub(since).ok());
    let clocks = |at: Duration| [moment(story, at), moment(story, at) + ahead(story, life)];
    let mut asked_for = reads.iter().filter(|read| is_for(book, number, read) && read.opened().is_some());
    let asked_for = asked_for.next().map_or(opened, |read| opened.min(read.at));
    let first_since = clocks(asked_for).into_iter().filter_map(since).min();
    let last_since = clocks(until).into_iter().filter_map(since).max();
    // Words of the kubelet count as lines.
    let words = if asked.tail.is_some_and(|tail| tail > 0) { life.instance.words.len() } else { 0 };
    let must_from = latest + words;
    let earliest =
        first_alike(life, earliest).min(again(book, number, asked, story, reads).unwrap_or(earliest));
    Wanted {
        must: must_from.min(ends.0)..ends.0,
        may: earliest..ends.1,
        must_since: last_since.and_then(|at| at.checked_add(SECOND).ok()),
        may_since: first_since.and_then(|at| at.checked_sub(SECOND * 2).ok()),
        ..all
    }
}

/// Lines of the same instant and text as this one or the one before it: when the log is opened again, nobody can tell
/// which of them were shown, or asked for.
fn first_alike(life: &Life<'_>, line: usize) -> usize {
    let lines = life.lines();
    let Some(before) = line.checked_sub(1).filter(|before| *before < lines.len()) else { return line };
    let is_alike = |other: usize, edge: usize| {
        let (other, edge) = (&lines[other], lines.get(edge).filter(|_| other != edge));
        edge.is_some_and(|edge| edge.stamp == other.stamp && edge.text == other.text)
    };
    let of_instant = (0..line).rev().take_while(|other| lines[*other].stamp == lines[before].stamp);
    of_instant.filter(|other| is_alike(*other, before) || is_alike(*other, line)).last().unwrap_or(line)
}

/// The first line that may be shown if none is wanted that the log has already, and it is opened again before one was
/// read: it is asked for from a time of the apiserver on, which is in whole seconds.
fn again(book: &Book<'_>, number: usize, asked: &Asked, story: &Story, reads: &[Read]) -> Option<usize> {
    let life = &book.lives[number];
    let mut opened = reads.iter().filter(|read| is_for(book, number, read)).filter_map(Read::opened);
    let (first, _) = opened.next().zip(opened.next()).filter(|_| asked.tail == Some(0))?;
    let since = Timestamp::from_second(moment(story, first).as_second()).ok()?;
    life.lines().iter().position(|line| line.stamp >= since)
}

/// Whether this is a request for the log of that life, as far as the program knew: a log of the next instance is that
/// of this one for it until it is told.
fn is_for(book: &Book<'_>, number: usize, read: &Read) -> bool {
    let life = &book.lives[number];
    let next = book.lives.get(number + 1).filter(|next| std::ptr::eq(next.container, life.container));
    let is_for_it = next.is_some_and(|next| !read.previous && next.is_untold(read.at));
    !read.check && (read.may_be_of(life) || is_for_it && read.at >= life.instance.started)
}

/// Whether a line counts of which only the last pieces are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Whole,
    Within,
}

/// The ends from which `--tail` may count its lines back; None: that of the log. If the time of `--until` was over when
/// the run began, nothing is followed.
fn ends_of_tail(asked: &Asked, story: &Story, start: Start) -> Vec<Option<Timestamp>> {
    let Some(until) = asked.until else { return vec![None] };
    let is_over = |at: Duration| until <= moment(story, at);
    match asked.follow {
        true if !is_over(start.from.min(story.ended) + CLOCKS) => vec![None],
        true if !is_over(story.script.setting.start.saturating_sub(CLOCKS)) => vec![None, Some(until)],
        true | false => vec![Some(until)],
    }
}

/// The first line of the file that was the newest one then.
fn begin_of_file(life: &Life<'_>, at: Duration) -> usize {
    let file = life.instance.files.iter().rposition(|file| file.opened <= at).unwrap_or_default();
    life.lines().partition_point(|line| line.file < file)
}

/// The first line that any request could find: those before it were rotated away when the first one was answered.
pub fn begin(life: &Life<'_>, reads: &[Read]) -> usize {
    let opened = reads.iter().filter(|read| read.may_be_of(life)).find_map(Read::opened);
    opened.map_or(0, |opened| begin_of_file(life, opened))
}

/// The first line that `--tail` asks for of the log of this life, if that was opened as the current one.
pub fn first_asked(life: &Life<'_>, tail: Option<u64>, reads: &[Read]) -> Option<usize> {
    let mut opens = reads.iter().filter(|read| !read.check && !read.previous && read.may_be_of(life));
    let opened = opens.find_map(Read::opened)?;
    tail.map(|tail| first_line(life, opened, Some(tail), None, Edge::Whole))
}

/// The first line that is asked for of a log that is opened at that time. `end_of_tail`: see [`ends_of_tail`].
fn first_line(
    life: &Life<'_>,
    at: Duration,
    tail: Option<u64>,
    end_of_tail: Option<Timestamp>,
    edge: Edge,
) -> usize {
    let instance = life.instance;
    let begins = begin_of_file(life, at);
    let end = instance.lines.partition_point(|line| line.at <= at).max(begins);
    let Some(mut left) = tail else { return begins };
    if let Some(until) = end_of_tail {
        return first_before(life, begins..end, until, left, edge);
    }
    // The kubelet counts the pieces that it has of the line that is being written.
    let is_begun = |line: &&Line| line.at.checked_sub(REST).is_some_and(|begun| begun <= at);
    let half = instance.lines.get(end).filter(is_begun).filter(|_| edge == Edge::Whole);
    left = left.saturating_sub(half.map_or(0, |line| line.text.len().div_ceil(PIECE) as u64));
    for (number, line) in instance.lines[begins..end].iter().enumerate().rev() {
        let pieces = line.text.len().div_ceil(PIECE).max(1) as u64;
        if left < pieces {
            let is_first = left > 0 && edge == Edge::Within;
            return begins + number + usize::from(!is_first);
        }
        left -= pieces;
    }
    begins
}

/// The same of a log that is not followed, with `--until`: the last lines before that are asked for, as the runtime
/// joined them. Among stamps that go back the earliest one counts.
fn first_before(life: &Life<'_>, lines: Range<usize>, until: Timestamp, tail: u64, edge: Edge) -> usize {
    let end = lines.end;
    let stamp = |line: &usize| life.lines()[*line].stamp;
    let last = lines.clone().rev().filter(|line| stamp(line) < until).take(tail as usize);
    let first = match edge {
        Edge::Whole => last.last(),
        Edge::Within => {
            let earliest = last.map(|line| stamp(&line)).min();
            earliest.and_then(|earliest| lines.clone().find(|line| stamp(line) >= earliest))
        }
    };
    first.unwrap_or(end)
}

/// How far the clock of its node is ahead of the apiserver's. The kubelet counts a span of time back, but a log that is
/// opened again is asked for from a time of the apiserver on.
fn ahead(story: &Story, life: &Life<'_>) -> SignedDuration {
    let mut nodes = story.script.setting.clocks.nodes.iter();
    let ahead = nodes.find(|(node, _)| *node == life.container.node).map(|(_, ahead)| *ahead);
    SignedDuration::from_millis(ahead.unwrap_or_default())
}

/// The apiserver's time.
fn moment(story: &Story, at: Duration) -> Timestamp {
    let ahead = SignedDuration::from_secs(story.script.setting.clocks.server);
    story.clock + ahead + at
}
