//! Reads standard error: what the program says of containers.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::Problem,
    output::{Name, Text},
};

/// What is said of one container.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    pub at: Duration,
    /// The container is empty if it is said of a pod.
    pub name: Name<'a>,
    pub said: Said<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// `+`: a log was opened.
    Opened,
    /// `-`: the log of an instance came to its end.
    Closed,
    /// `── … restarted … ──`: the log of the next instance was opened. So many instances before it are not shown, and
    /// lines from that instant on were shown before it.
    Restarted { skipped: u32, lines_since: Option<Timestamp> },
    /// Lines between two others may be missing.
    Between(Option<Timestamp>, Option<Timestamp>),
    /// Lines after this one may be missing: the rest could not be read.
    Behind(Timestamp),
    /// The same: the log was removed before its end was checked.
    Unchecked(Timestamp),
    /// Lines may be missing: nothing of the log was read before it was removed.
    Removed,
    /// The same of a log that no request found.
    Refused,
    /// Lines may be missing: nothing of the log was read, and requests for its end failed.
    Unread,
    /// Instances before the one that is shown were not read.
    Unseen,
    /// The log of the instance before is not there.
    NoPrevious,
    /// Lines before the first one, of that second, were perhaps rotated away.
    BeginsLate(i64),
    /// Words of the kubelet in place of lines.
    Words(&'a str),
    /// `--timeout` was over before its end was read.
    TimedOut,
    /// A request for the log failed, and is sent again.
    Retried(&'a str),
    /// A request for the log failed for good.
    GivenUp(&'a str),
    /// The state of a container or a pod: it has not started, or has ended with an error.
    State,
}

/// Sentences about a container without variable parts.
const FIXED: &[(&str, Said<'static>)] = &[
    ("lines may be missing: the log was removed before it could be read", Said::Removed),
    ("the log was removed before it could be read", Said::Refused),
    ("lines may be missing: the end of the log could not be read", Said::Unread),
    ("had restarted before it was seen; what it wrote earlier was not read", Said::Unseen),
    ("the log of the previous instance is not there any more; the current one follows", Said::NoPrevious),
    ("no previous instance; skipped", Said::NoPrevious),
    ("not read to its end: the time of --timeout was over before", Said::TimedOut),
];

const BETWEEN: &str = "lines may be missing between ";
const BEHIND: &str = "lines may be missing after ";
const BEHIND_END: &str = ": the rest of the log could not be read";
const UNCHECKED: &str =
    "the node removed this log before its end could be checked; the last line shown is from ";
const BEGINS: &str = "log starts at ";
const BEGINS_END: &str = "; perhaps older lines were rotated away";
const WORDS: &str = "the kubelet reports in place of lines: ";

/// Everything that is said of containers, in order.
pub fn read<'a>(errors: &'a Text, problems: &mut Vec<Problem>) -> Vec<Notice<'a>> {
    let mut notices = Vec::new();
    for (at, line) in errors.lines() {
        let Ok(line) = std::str::from_utf8(line) else {
            problems.push(unknown(at, "", &String::from_utf8_lossy(line)));
            continue;
        };
        match parse(line) {
            Parsed::Said(name, said) => notices.push(Notice { at, name, said }),
            Parsed::Unknown((namespace, pod, container)) => {
                problems.push(unknown(at, &format!("{namespace}/{pod}/{container}"), line));
            }
            Parsed::OfNoContainer => {}
        }
    }
    notices
}

fn unknown(at: Duration, container: &str, line: &str) -> Problem {
    Problem { kind: "unknown notice", container: container.to_owned(), at, text: line.to_owned() }
}

enum Parsed<'a> {
    Said(Name<'a>, Said<'a>),
    Unknown(Name<'a>),
    OfNoContainer,
}

fn parse(line: &str) -> Parsed<'_> {
    let Some((sign, rest)) = line.split_once(' ') else { return Parsed::OfNoContainer };
    let Some((names, rest)) = names(rest) else { return Parsed::OfNoContainer };
    let said = match sign {
        "+" => Some(Said::Opened),
        "-" => Some(Said::Closed),
        "──" => restarted(rest),
        _ => match rest.split_once(": ") {
            Some(("", text)) => said(text),
            Some((" waits" | " failed", _)) => Some(Said::State),
            _ => None,
        },
    };
    said.map_or(Parsed::Unknown(names), |said| Parsed::Said(names, said))
}

/// `namespace pod › container`, and the rest.
fn names(text: &str) -> Option<(Name<'_>, &str)> {
    let (pod, rest) = text.split_once(" › ")?;
    let (namespace, pod) = pod.split_once(' ')?;
    if pod.contains([' ', ':']) || namespace.contains(':') {
        return None;
    }
    let end = rest.find([' ', ':']).unwrap_or(rest.len());
    Some(((namespace, pod, &rest[..end]), &rest[end..]))
}

/// `restarted: OOMKilled, exit 137, ran 4m12s; 2 instances in between are not shown; the lines above from T on were
/// written after it`
fn restarted(text: &str) -> Option<Said<'_>> {
    let text = text.trim_start().strip_prefix("restarted")?.strip_suffix(" ──")?;
    let (mut skipped, mut lines_since) = (0, None);
    for part in text.split("; ").skip(1) {
        if let Some((count, _)) = part.split_once(" instance") {
            skipped = count.parse().ok()?;
        } else {
            let since = part.strip_prefix("the lines above from ")?.split_once(' ')?.0;
            lines_since = Some(since.parse().ok()?);
        }
    }
    Some(Said::Restarted { skipped, lines_since })
}

fn said(text: &str) -> Option<Said<'_>> {
    if let Some((_, said)) = FIXED.iter().find(|(fixed, _)| *fixed == text) {
        return Some(*said);
    }
    if let Some(bounds) = text.strip_prefix(BETWEEN) {
        let (after, before) = bounds.split_once(" and ")?;
        return Some(Said::Between(instant(after)?, instant(before)?));
    }
    if let Some(after) = text.strip_prefix(BEHIND) {
        return Some(Said::Behind(after.strip_suffix(BEHIND_END)?.parse().ok()?));
    }
    if let Some(last) = text.strip_prefix(UNCHECKED) {
        return Some(Said::Unchecked(last.parse().ok()?));
    }
    if let Some(words) = text.strip_prefix(WORDS) {
        return Some(Said::Words(words));
    }
    if text.starts_with("failed: exit ") {
        return Some(Said::State);
    }
    if let Some(start) = text.strip_prefix(BEGINS).and_then(|start| start.strip_suffix(BEGINS_END)) {
        return Some(Said::BeginsLate(Timestamp::strptime("%Y-%m-%d %H:%M:%S %:z", start).ok()?.as_second()));
    }
    if let Some(text) = text.strip_suffix("; trying again") {
        return Some(Said::Retried(text));
    }
    is_refusal(text).then_some(Said::GivenUp(text))
}

fn instant(text: &str) -> Option<Option<Timestamp>> {
    match text {
        "an unknown time" => Some(None),
        text => Some(Some(text.parse().ok()?)),
    }
}

/// Whether it may be the report of a request that failed.
fn is_refusal(text: &str) -> bool {
    is_without_status(text)
        || text
            .split(|c: char| !c.is_ascii_digit())
            .any(|number| number.len() == 3 && matches!(number.as_bytes()[0], b'4' | b'5'))
}

/// Whether it may be the report of a request to which no answer came, or not all of it.
pub fn is_without_status(text: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "no answer from ",
        "cannot reach the apiserver ",
        "no complete answer from ",
        "a log from ",
        "the connection to ",
    ];
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Written;

    const A: &str = "2026-01-31T10:00:00.000000001Z";
    const B: &str = "2026-01-31T10:00:02.000000000Z";

    fn read_all(lines: &str) -> (Vec<String>, Vec<Problem>) {
        let text = Text::new(&[Written { at: Duration::ZERO, bytes: lines.as_bytes().to_vec() }]);
        let mut problems = Vec::new();
        let notices = read(&text, &mut problems);
        (notices.iter().map(|notice| format!("{:?} {:?}", notice.name, notice.said)).collect(), problems)
    }

    fn said(text: &str) -> Option<Said<'_>> {
        match parse(text) {
            Parsed::Said(("shop", "web", "app"), said) => Some(said),
            _ => None,
        }
    }

    fn time(text: &str) -> Option<Timestamp> {
        Some(text.parse().expect("an instant"))
    }

    #[test]
    fn lives_are_understood() {
        assert_eq!(said("+ shop web › app"), Some(Said::Opened));
        assert_eq!(said("- shop web › app (Error, exit 1, restart 2)"), Some(Said::Closed));
        let plain = Said::Restarted { skipped: 0, lines_since: None };
        assert_eq!(said("── shop web › app restarted ──"), Some(plain));
        assert_eq!(said("── shop web › app restarted: Error, exit 1, ran 4s ──"), Some(plain));
        let text = format!(
            "── shop web › app restarted: exit 1; 2 instances in between are not shown; the lines above from {A} on were written after it ──"
        );
        assert_eq!(said(&text), Some(Said::Restarted { skipped: 2, lines_since: time(A) }));
    }

    #[test]
    fn gaps_are_understood() {
        let of = |text: &str| format!("! shop web › app: {text}");
        let between = of(&format!("lines may be missing between {A} and {B}"));
        assert_eq!(said(&between), Some(Said::Between(time(A), time(B))));
        let between = of(&format!("lines may be missing between an unknown time and {B}"));
        assert_eq!(said(&between), Some(Said::Between(None, time(B))));
        let behind = of(&format!("lines may be missing after {A}: the rest of the log could not be read"));
        assert_eq!(said(&behind), time(A).map(Said::Behind));
        let unchecked = of(&format!("{UNCHECKED}{A}"));
        assert_eq!(said(&unchecked), time(A).map(Said::Unchecked));
        for (text, expected) in FIXED {
            assert_eq!(said(&of(text)), Some(*expected));
        }
        assert_eq!(said(&of("the kubelet reports in place of lines: “x”")), Some(Said::Words("“x”")));
        assert_eq!(
            said(&of("503 Service Unavailable; trying again")),
            Some(Said::Retried("503 Service Unavailable"))
        );
    }

    #[test]
    fn an_unknown_notice_about_a_container_is_a_problem() {
        let (notices, problems) =
            read_all("! shop web › app: the moon is full\n! the moon is full\n· 3 of 4\n");
        assert_eq!((notices.len(), problems.len()), (0, 1));
        assert_eq!(problems[0].container, "shop/web/app");
    }
}
