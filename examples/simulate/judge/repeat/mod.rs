//! The same run with another output: it asks for the same and reports the same, and shows those of the same lines that
//! are wanted, in their order and in time.

mod files;
mod read;
mod select;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use stern_rs::ExitCode;

use super::{
    Problem,
    lines::{
        notices::{self, Notice, Said},
        output::{self, Name, Text},
    },
    promptness::latency,
    record::continues,
};
use crate::{
    script::{Ending, Form, Output, Pattern, Select},
    story::{Container, Request, Story},
};
use read::{Message, Piece};
use select::{Line, Want};

/// How long the lines of a record wait for each other (`WAIT` in src/records/gather.rs), and a bit.
const GATHERED: Duration = Duration::from_millis(150);

/// The most that a line waits at the end of a run, for others of its record and for older ones of other containers.
const HELD: Duration = Duration::from_secs(1);

/// The last lines are shown so soon after the one that ends the run.
const ENDS: Duration = Duration::from_secs(2);

/// How often the lines of all pieces are sought anew.
const MEETINGS: usize = 1000;

/// All that another output changed, and must not. `before`: the run without it.
pub fn judge(output: &Output, before: &Story, story: &Story) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (shown, errors) = (Text::new(&before.stdout), Text::new(&before.stderr));
    let notices = notices::read(&errors, &mut Vec::new());
    let lines: Vec<_> = output::lines(&shown).map(|(name, shown)| Line { name, shown }).collect();
    let wanted = select::wanted(output, &lines, &notices);
    let last = output.until.and_then(|pattern| {
        let mut wanted = wanted.iter().zip(&lines);
        wanted.position(|(want, line)| *want != Want::No && pattern.matches(line.shown.text))
    });
    let run = Run { output, before, is_whole: last.is_none() };
    match last {
        // Whether it is shown depends on how batches are cut; or with which lines behind it, as one message.
        Some(last) if wanted[last] == Want::Maybe || is_head(output, &lines[last..]) => return problems,
        Some(last) => {
            let from = lines[last].shown.at;
            let shown = select::shown_at(output, &lines, &notices, last);
            problems.extend(ends_otherwise(story, Ok(ExitCode::Done), from, shown - from + ENDS));
        }
        None => problems.extend(run.goes_otherwise(story)),
    }
    let text = Text::new(&story.stdout);
    let (messages, gaps) = read::read(output.form, &text, &mut problems);
    problems.extend(run.shows_otherwise(&lines, &wanted, &messages));
    problems.extend(output.until.and_then(|pattern| goes_on(pattern, &messages, last.is_some())));
    if output.form != Form::Text && run.is_whole {
        problems.extend(lacks_gaps(&notices, &gaps));
        problems.extend(misplaces_a_gap(&messages, &gaps));
    }
    if output.files {
        let gaps = (output.form == Form::Text && run.is_whole).then_some(&*notices);
        problems.extend(files::judge(output.form, &text, &story.files, gaps));
    }
    problems
}

fn problem(kind: &'static str, container: String, at: Duration, text: String) -> Problem {
    Problem { kind, container, at, text }
}

/// Whether the first of these lines may be shown with the next one of its container, as one message.
fn is_head(output: &Output, lines: &[Line]) -> bool {
    let Some((first, mut behind)) = lines.split_first().map(|(first, behind)| (first, behind.iter())) else {
        return false;
    };
    let next = behind.find(|line| line.name == first.name);
    output.form == Form::JsonOfRecords && next.is_some_and(|next| continues(next.shown.text))
}

/// The first request that one of the runs did not make.
fn asks_otherwise(before: &Story, story: &Story) -> Option<Problem> {
    let asked = |story: &Story| -> Vec<String> {
        let words = |request: &Request| format!("{:?} {} {:?}", request.at, request.path, request.query);
        story.requests.iter().map(words).collect()
    };
    let (one, other) = (asked(before), asked(story));
    let differs = |at: &usize| one.get(*at) != other.get(*at);
    let at = (0..one.len().max(other.len())).find(differs)?;
    let text = format!("{:?}, and before {:?}", other.get(at), one.get(at));
    let when = story.requests.get(at).map_or(story.ended, |request| request.at);
    Some(problem("another output asks otherwise", String::new(), when, text))
}

/// A line of standard error that only one of the runs has.
fn says_otherwise(output: &Output, before: &Story, story: &Story) -> Option<Problem> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (written, one) in [(&before.stderr, -1), (&story.stderr, 1)] {
        for (_, line) in Text::new(written).lines() {
            let line = String::from_utf8_lossy(line).into_owned();
            if !is_of_output(output, &line) {
                *counts.entry(line).or_default() += one;
            }
        }
    }
    let (line, count) = counts.into_iter().find(|(_, count)| *count != 0)?;
    let text = format!("{line:?} came {} times {}", count.abs(), if count > 0 { "more" } else { "less" });
    Some(problem("another output says otherwise", String::new(), story.ended, text))
}

/// Whether words are about the lines that are shown, and so may be others.
fn is_of_output(output: &Output, line: &str) -> bool {
    // The order of time is that of the lines that are left.
    line.starts_with("! --sort shows many lines late")
        || output.select == Select::Warnings
            && (line.ends_with(" had no level") || line.starts_with("· lines without a level are hidden"))
        || output.until.is_some() && line.starts_with("stern-rs: no line matched --until-match")
}

fn ends_otherwise(
    story: &Story,
    code: Result<ExitCode, String>,
    at: Duration,
    within: Duration,
) -> Option<Problem> {
    if story.code == code && (at..=at + within).contains(&story.ended) {
        return None;
    }
    let text = format!("{:?}, expected {code:?} at {at:?}", story.code);
    Some(problem("another output ends otherwise", String::new(), story.ended, text))
}

/// The run with the other output.
struct Run<'a> {
    output: &'a Output,
    before: &'a Story,
    /// Whether no line ended it.
    is_whole: bool,
}

impl Run<'_> {
    /// All but what is shown: requests, words and the end.
    fn goes_otherwise(&self, story: &Story) -> impl Iterator<Item = Problem> {
        let Run { output, before, .. } = *self;
        let code = match (output.until, &before.code) {
            // Of both, the completion decides.
            (Some(_), Ok(ExitCode::Done | ExitCode::Unread))
                if before.script.setting.ending != Ending::Completed =>
            {
                Ok(ExitCode::NoMatch)
            }
            (_, code) => code.clone(),
        };
        let asks = asks_otherwise(before, story);
        let says = says_otherwise(output, before, story);
        asks.into_iter().chain(says).chain(ends_otherwise(story, code, before.ended, GATHERED))
    }

    /// Whether lines wait for others of their record.
    fn is_gathered(&self) -> bool {
        let Output { form, select, .. } = self.output;
        *form == Form::JsonOfRecords || matches!(select, Select::Warnings | Select::Where(_))
    }

    /// The longest that a line may wait.
    fn wait(&self) -> Duration {
        let setting = &self.before.script.setting;
        match self.output.select {
            _ if setting.sort => Duration::MAX,
            Select::Matching { context: 1.., .. } => Duration::MAX,
            _ if self.is_gathered() => GATHERED + latency(setting) * 2,
            _ => Duration::ZERO,
        }
    }

    /// Compares the messages with the lines: in the order of all, or if lines wait for others, in that of each container.
    fn shows_otherwise(&self, lines: &[Line], wanted: &[Want], messages: &[Message]) -> Vec<Problem> {
        let lines = || lines.iter().zip(wanted.iter().copied());
        if self.wait().is_zero() {
            return self.walk(lines(), messages.iter()).into_iter().collect();
        }
        let names = lines().map(|(line, _)| line.name).chain(messages.iter().map(|message| message.name));
        let names: BTreeSet<Name> = names.collect();
        let of_one = |name| {
            let lines: Vec<_> = lines().filter(|(line, _)| line.name == name).collect();
            let messages: Vec<_> = messages.iter().filter(|message| message.name == name).collect();
            let firsts = self.first_stamps(name);
            (0..=firsts.len()).find_map(|pod| {
                let is_of_it = |stamp| firsts.partition_point(|first| Some(*first) <= stamp) == pod;
                let stamp = |message: &Message| message.pieces.first().and_then(Piece::stamp);
                let lines = lines.iter().filter(|(line, _)| is_of_it(line.shown.stamp)).copied();
                self.walk(lines, messages.iter().filter(|message| is_of_it(stamp(message))).copied())
            })
        };
        let joined = messages.iter().find_map(two_records);
        let torn = names.iter().filter_map(|name| self.torn(*name, lines(), messages)).next();
        names.iter().copied().filter_map(of_one).chain(joined).chain(torn).collect()
    }

    /// The stamps of the first lines of pods that were made again under that name: their lines do not wait for those of
    /// the pod before.
    fn first_stamps(&self, (namespace, pod, container): Name) -> Vec<Timestamp> {
        let is_it = |of: &&Container| {
            of.namespace == namespace && of.place.pod == pod && of.place.container == container
        };
        let pods = self.before.containers.iter().filter(is_it).skip(1);
        let first =
            |of: &Container| of.instances.iter().flat_map(|life| &life.lines).map(|line| line.stamp).min();
        let mut firsts: Vec<_> = pods.filter_map(first).collect();
        firsts.sort_unstable();
        firsts
    }

    /// A line of a stack trace that came with its record, and is a message of its own.
    fn torn<'a, 't: 'a>(
        &self,
        name: Name,
        lines: impl Iterator<Item = (&'a Line<'t>, Want)>,
        messages: &[Message],
    ) -> Option<Problem> {
        if self.output.form != Form::JsonOfRecords {
            return None;
        }
        let lines: Vec<_> = lines.map(|(line, _)| line).filter(|line| line.name == name).collect();
        messages.iter().filter(|message| message.name == name).find_map(|message| {
            let first = message.pieces.first().filter(|piece| continues(piece.text.as_bytes()))?;
            let is_of_record =
                |pair: &[&Line]| first.fits(&pair[1].shown) && select::is_joined(pair[0], pair[1]);
            // An equal line may stand elsewhere too.
            let mut same = lines.windows(2).filter(|pair| first.fits(&pair[1].shown)).peekable();
            (same.peek().is_some() && same.all(is_of_record)).then(|| {
                let text = format!("{:?} is a message of its own", first.text);
                problem("a record is torn", title(name), message.at, text)
            })
        })
    }

    /// The first line that is late, missing, or not wanted.
    fn walk<'a, 't: 'a>(
        &self,
        lines: impl Iterator<Item = (&'a Line<'t>, Want)>,
        messages: impl Iterator<Item = &'a Message<'t>>,
    ) -> Option<Problem> {
        let lines: Vec<_> = lines.collect();
        let pieces = messages.flat_map(|message| message.pieces.iter().map(move |piece| (message, piece)));
        let pieces: Vec<_> = pieces.collect();
        let (found, problem) = self.meet(&lines, &pieces);
        let met: Vec<_> =
            found.iter().zip(&pieces).map(|(line, (message, _))| (lines[*line].0, *message)).collect();
        self.late(&met).or(problem)
    }

    /// Finds the line of each piece, up to the first one that is missing or not wanted. A line that may be wanted is
    /// passed over if it was taken for a later one that looks like it.
    fn meet(&self, lines: &[(&Line, Want)], pieces: &[(&Message, &Piece)]) -> (Vec<usize>, Option<Problem>) {
        let (mut found, mut next) = (Vec::new(), 0);
        let mut first = None;
        for _ in 0..MEETINGS {
            let problem = loop {
                let Some(piece) = pieces.get(found.len()) else { break self.misses(lines, next) };
                match seek(lines, next, piece) {
                    Ok(line) => {
                        found.push(line);
                        next = line + 1;
                    }
                    Err(problem) => break Some(problem),
                }
            };
            let Some(problem) = problem else { return (found, None) };
            first.get_or_insert_with(|| (found.clone(), problem));
            while found.last().is_some_and(|line| lines[*line].1 != Want::Maybe) {
                found.pop();
            }
            let Some(passed) = found.pop() else { break };
            next = passed + 1;
        }
        first.map_or_else(Default::default, |(found, problem)| (found, Some(problem)))
    }

    /// A line from that place on that is missing at the end.
    fn misses(&self, lines: &[(&Line, Want)], next: usize) -> Option<Problem> {
        // What waits when the run ends may not be shown.
        let ended =
            self.before.ended.saturating_sub(if self.wait().is_zero() { Duration::ZERO } else { HELD });
        let is_missing =
            |line: &Line, want| want == Want::Yes && (line.shown.at < ended || ended == self.before.ended);
        let mut lines = lines[next..].iter().filter(|_| self.is_whole);
        let (line, _) = lines.find(|(line, want)| is_missing(line, *want))?;
        let text = format!("{} is missing", line.text());
        Some(problem("another output shows less", title(line.name), line.shown.at, text))
    }

    /// The first line that waited too long. Each further line of a record, if it comes in time, renews the wait of those
    /// that are shown with it.
    fn late(&self, met: &[(&Line, &Message)]) -> Option<Problem> {
        let (mut late, mut behind) = (None, None);
        for (line, message) in met.iter().rev() {
            let mut due = line.shown.at.saturating_add(self.wait());
            if let Some((next, shown, next_due)) = behind
                && shown == message.at
                && select::continues_record(line, next)
                && next.shown.at <= due
            {
                due = due.max(next_due);
            }
            if message.at > due {
                late = Some((line, message.at));
            }
            behind = Some((*line, message.at, due));
        }
        let (line, at) = late?;
        let text = format!("{} came later, before at {:?}", line.text(), line.shown.at);
        Some(problem("another output is late", title(line.name), at, text))
    }
}

/// The next line that a piece shows, before any other that is wanted.
fn seek(
    lines: &[(&Line, Want)],
    next: usize,
    (message, piece): &(&Message, &Piece),
) -> Result<usize, Problem> {
    for (number, (line, want)) in lines.iter().enumerate().skip(next) {
        if *want != Want::No && line.name == message.name && piece.fits(&line.shown) {
            return Ok(number);
        }
        if *want == Want::Yes {
            let text = format!("{:?} in place of {}", piece.text, line.text());
            return Err(problem("another output shows less", title(line.name), message.at, text));
        }
    }
    let text = format!("{:?} was not wanted, or comes too late", piece.text);
    Err(problem("another output shows more", title(message.name), message.at, text))
}

/// Lines of two records that were shown as one.
fn two_records(message: &Message) -> Option<Problem> {
    let mut more = message.pieces.iter().skip(1);
    more.any(|piece| !continues(piece.text.as_bytes())).then(|| {
        let text = format!("{:?}", message.pieces);
        problem("two records are one", title(message.name), message.at, text)
    })
}

/// A line behind the one that ends the run, or none that does. Records that other containers hold by then come before
/// it, and may match too.
fn goes_on(pattern: Pattern, messages: &[Message], ends: bool) -> Option<Problem> {
    let last = messages.last()?;
    let found: Vec<_> = messages.iter().filter(|message| message.matches(pattern)).collect();
    let is_right = match ends {
        true => last.matches(pattern) && found.iter().all(|message| message.at == last.at),
        false => found.is_empty(),
    };
    let text = format!("the last line is {:?}", last.pieces);
    (!is_right).then(|| problem("another output goes on", title(last.name), last.at, text))
}

fn title((namespace, pod, container): Name) -> String {
    format!("{namespace}/{pod}/{container}")
}

/// A gap whose neighbours were shown on the other side of it.
fn misplaces_a_gap(messages: &[Message], gaps: &[read::Gap]) -> Option<Problem> {
    gaps.iter().find_map(|gap| {
        let of_it = |messages: &[Message], stamp: Option<Timestamp>| {
            let mut of_it = messages.iter().filter(|message| message.name == gap.name);
            of_it.any(|message| stamp.is_some() && message.pieces.first().and_then(Piece::stamp) == stamp)
        };
        let (before, behind) = messages.split_at(gap.place);
        let is_misplaced = gap.after != gap.before
            && (of_it(before, gap.before) && !of_it(behind, gap.before)
                || of_it(behind, gap.after) && !of_it(before, gap.after));
        let text = format!("between {:?} and {:?}", gap.after, gap.before);
        let at = behind.first().map_or(Duration::ZERO, |message| message.at);
        is_misplaced.then(|| problem("a gap stands elsewhere", title(gap.name), at, text))
    })
}

/// The missing lines that JSON reports are those that standard error does.
fn lacks_gaps(notices: &[Notice], gaps: &[read::Gap]) -> Option<Problem> {
    let said = notices.iter().filter_map(|notice| match notice.said {
        Said::Between(after, before) => Some((notice.name, after, before)),
        Said::Behind(last) | Said::Unchecked(last) => Some((notice.name, Some(last), None)),
        Said::Removed | Said::Unread => Some((notice.name, None, None)),
        _ => None,
    });
    let (mut said, mut shown): (Vec<_>, Vec<_>) =
        (said.collect(), gaps.iter().map(|gap| (gap.name, gap.after, gap.before)).collect());
    said.sort_unstable();
    shown.sort_unstable();
    (said != shown).then(|| {
        let text = format!("{shown:?} in JSON, {said:?} on standard error");
        problem("other gaps in JSON", String::new(), Duration::ZERO, text)
    })
}
