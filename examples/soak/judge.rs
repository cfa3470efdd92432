//! Compares the shown lines with the written ones.

use std::{collections::HashMap, fmt, ops::Range};

use jiff::Timestamp;

use crate::{
    containers::{Container, Written},
    program::{Ended, REQUESTED},
};

/// The nanoseconds by which a missing line's timestamp may lie outside a reported gap, since timestamps may step back.
const SLACK: i64 = 10_000_000;

#[derive(Default)]
pub struct Verdict {
    pub written: usize,
    pub shown: usize,
    /// Lines that were not shown, within a gap that the program reported.
    pub missing_and_reported: usize,
    /// Reported gaps.
    pub gaps: usize,
    pub peak_kib: u64,
    pub problems: Vec<String>,
}

impl Verdict {
    pub fn add(&mut self, other: Verdict) {
        self.written += other.written;
        self.shown += other.shown;
        self.missing_and_reported += other.missing_and_reported;
        self.gaps += other.gaps;
        self.peak_kib = self.peak_kib.max(other.peak_kib);
        self.problems.extend(other.problems);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { written, shown, missing_and_reported, gaps, peak_kib, problems } = self;
        write!(
            f,
            "{written} lines written, {shown} shown, {missing_and_reported} missing and reported in {gaps} gaps, "
        )?;
        write!(f, "{} problems, {:.1} MiB at most", problems.len(), *peak_kib as f64 / 1024.0)?;
        problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// A gap that the program reported: the nanoseconds since the Unix epoch after and before which lines may be missing.
type Gap = (Option<i64>, Option<i64>);

pub fn judge(containers: &[Container], ended: &Ended) -> Verdict {
    let mut verdict = Verdict { peak_kib: ended.peak_kib, ..Verdict::default() };
    if ended.code != Some(REQUESTED) {
        verdict.problems.push(format!("the program ended early, with {:?}", ended.code));
    }
    let mut shown = HashMap::<&str, Vec<&str>>::new();
    for line in ended.stdout.lines() {
        match line.split_once(" app ") {
            Some((pod, line)) => shown.entry(pod).or_default().push(line),
            None => verdict.problems.push(format!("the program showed {line:?}")),
        }
    }
    for container in containers {
        let gaps = gaps(container, &ended.stderr);
        let shown = shown.remove(container.pod.as_str()).unwrap_or_default();
        verdict.add(one(container, &shown, &gaps));
    }
    verdict
}

fn one(container: &Container, shown: &[&str], gaps: &[Gap]) -> Verdict {
    let Container { pod, written, .. } = container;
    let mut verdict =
        Verdict { written: written.len(), shown: shown.len(), gaps: gaps.len(), ..Verdict::default() };
    let (missing, repeated) = align(written, shown);
    if let Some(line) = repeated.first() {
        let (line, count) = (line.chars().take(50).collect::<String>(), repeated.len());
        verdict.problems.push(format!("{pod}: {count} lines repeated or out of order, the first {line:?}"));
    }
    for range in missing {
        let reported = |line: &Written| gaps.iter().any(|gap| covers(*gap, line, written, shown));
        let unreported = written[range.clone()].iter().filter(|line| !reported(line)).count();
        verdict.missing_and_reported += range.len() - unreported;
        if unreported > 0 {
            let Written { text, time, instance } = &written[range.start];
            let (text, time) = (text.chars().take(50).collect::<String>(), instant(*time));
            let count = range.len();
            verdict.problems.push(format!(
                "{pod}: {unreported} of {count} missing lines were not reported, from {text:?} at {time} of instance {instance}"
            ));
        }
    }
    if !gaps.is_empty() && !container.rotated && container.instance == 0 {
        verdict.problems.push(format!("{pod}: a gap was reported, and none is possible"));
    }
    verdict
}

/// The ranges of written lines that are missing, and the shown lines that were not written at their place.
fn align<'l>(written: &[Written], shown: &[&'l str]) -> (Vec<Range<usize>>, Vec<&'l str>) {
    let (mut missing, mut repeated, mut at) = (Vec::new(), Vec::new(), 0);
    for (n, line) in shown.iter().enumerate() {
        match find(&written[at..], &shown[n..]) {
            Some(skipped) => {
                missing.push(at..at + skipped);
                at += skipped + 1;
            }
            None => repeated.push(*line),
        }
    }
    missing.push(at..written.len());
    missing.retain(|range| !range.is_empty());
    (missing, repeated)
}

/// The index in `written` of the first shown line. If several written lines are equal to it, the right one is as far
/// before the next numbered line as in `shown`.
fn find(written: &[Written], shown: &[&str]) -> Option<usize> {
    let like = |line: &&str, at: usize| written.get(at).is_some_and(|written| written.text == *line);
    let ahead = shown.iter().position(|line| line.starts_with("n="));
    let place = ahead.and_then(|ahead| {
        let numbered = written.iter().position(|written| written.text == shown[ahead])?;
        numbered.checked_sub(ahead)
    });
    let nearest = (0..written.len()).find(|at| like(&shown[0], *at));
    match place {
        Some(place) if nearest != Some(0) && like(&shown[0], place) => Some(place),
        _ => nearest,
    }
}

/// Whether this line is in the gap. A gap without an end reaches to the next instance of which a numbered line was
/// shown.
fn covers((after, before): Gap, line: &Written, written: &[Written], shown: &[&str]) -> bool {
    if after.is_some_and(|after| line.time < after - SLACK) {
        return false;
    }
    if let Some(before) = before {
        return line.time <= before + SLACK;
    }
    let broken = written.iter().rev().find(|line| after.is_some_and(|after| line.time <= after));
    let broken = broken.map_or(0, |line| line.instance);
    let seen = |line: &&Written| line.text.starts_with("n=") && shown.contains(&line.text.as_str());
    let next = written.iter().filter(|line| line.instance > broken).find(seen);
    next.is_none_or(|next| line.instance < next.instance)
}

/// The gaps of a container that standard error reports: between two lines, or after one, to the end of its log.
fn gaps(container: &Container, stderr: &str) -> Vec<Gap> {
    let head = format!("! {} › app: ", container.pod);
    let hole = |notice: &str| {
        let (after, before) = notice.strip_prefix("lines may be missing between ")?.split_once(" and ")?;
        Some((nanoseconds(after), nanoseconds(before)))
    };
    let rest = |notice: &str| {
        let after = notice.strip_prefix("lines may be missing after ").and_then(|rest| rest.split_once(": "));
        let after = after.map(|(after, _)| after);
        let last = notice.split_once("; the last line shown is from ").map(|(_, last)| last);
        Some((nanoseconds(after.or(last)?), None))
    };
    let notices = stderr.lines().filter_map(|line| line.strip_prefix(&head));
    notices.filter_map(|notice| hole(notice).or_else(|| rest(notice))).collect()
}

/// None for a text that is not a timestamp, such as "an unknown time".
fn nanoseconds(text: &str) -> Option<i64> {
    i64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

fn instant(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(nanoseconds.into()).map_or_else(|_| "?".to_owned(), |time| time.to_string())
}
