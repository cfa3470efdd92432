//! Reads standard output: `namespace pod container time message`, as scripts request it.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::super::Problem;
use crate::story::Written;

/// Namespace, pod and container.
pub type Name<'a> = (&'a str, &'a str, &'a str);

/// The time of a line, if it has one, and its text.
type Stamped<'a> = (Option<Timestamp>, &'a [u8]);

/// A line that was shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub at: Duration,
    /// None: the line has no time.
    pub stamp: Option<Timestamp>,
    pub text: &'a [u8],
}

/// The bytes of a stream, and when they were written.
pub struct Text {
    bytes: Vec<u8>,
    /// The end of each write.
    ends: Vec<(usize, Duration)>,
}

impl Text {
    pub fn new(written: &[Written]) -> Text {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(written.len()));
        for write in written {
            bytes.extend_from_slice(&write.bytes);
            ends.push((bytes.len(), write.at));
        }
        Text { bytes, ends }
    }

    /// Each line without its newline, with the time at which that was written.
    pub fn lines(&self) -> impl Iterator<Item = (Duration, &[u8])> {
        let (mut start, mut write) = (0, 0);
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| {
            start += line.len();
            while self.ends[write].0 < start {
                write += 1;
            }
            (self.ends[write].1, line.strip_suffix(b"\n").unwrap_or(line))
        })
    }

    pub fn ends_within_a_line(&self) -> bool {
        self.bytes.last().is_some_and(|byte| *byte != b'\n')
    }
}

/// The lines of each container, in the order in which they were shown.
pub fn read<'a>(
    output: &'a Text,
    is_known: impl Fn(Name<'a>) -> bool,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Name<'a>, Vec<Shown<'a>>> {
    let mut containers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (at, line) in output.lines() {
        match parse(line).filter(|(name, _)| is_known(*name)) {
            Some((name, (stamp, text))) => {
                containers.entry(name).or_default().push(Shown { at, stamp, text });
            }
            None => problems.push(Problem {
                kind: "strange output",
                container: String::new(),
                at,
                text: format!("no line of a container: {}", String::from_utf8_lossy(line)),
            }),
        }
    }
    if output.ends_within_a_line() {
        let at = output.ends.last().map_or(Duration::ZERO, |(_, at)| *at);
        let text = "standard output ends within a line".to_owned();
        problems.push(Problem { kind: "strange output", container: String::new(), at, text });
    }
    containers
}

/// All lines that have a name, in their order.
pub fn lines(output: &Text) -> impl Iterator<Item = (Name<'_>, Shown<'_>)> {
    output.lines().filter_map(|(at, line)| {
        let (name, (stamp, text)) = parse(line)?;
        Some((name, Shown { at, stamp, text }))
    })
}

/// The name, and the line behind it.
pub fn parse(line: &[u8]) -> Option<(Name<'_>, Stamped<'_>)> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let mut name = || std::str::from_utf8(words.next()?).ok();
    let names = (name()?, name()?, name()?);
    let message = words.next()?;
    let end = message.iter().position(|byte| *byte == b' ').unwrap_or(message.len());
    let stamp = std::str::from_utf8(&message[..end]).ok().and_then(|stamp| stamp.parse().ok());
    Some((
        names,
        match stamp {
            Some(stamp) => (Some(stamp), message.get(end + 1..)?),
            None => (None, message),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[(u64, &str)]) -> Text {
        let write = |&(second, bytes): &(u64, &str)| Written {
            at: Duration::from_secs(second),
            bytes: bytes.as_bytes().to_vec(),
        };
        Text::new(&parts.iter().map(write).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_has_the_time_of_its_newline() {
        let text = written(&[(1, "a\nb"), (2, "b\n"), (3, "c\nd\n")]);
        let lines: Vec<_> = text.lines().map(|(at, line)| (at.as_secs(), line)).collect();
        assert_eq!(lines, [(1, &b"a"[..]), (2, b"bb"), (3, b"c"), (3, b"d")]);
    }

    #[test]
    fn lines_are_those_of_their_containers() {
        let text = written(&[(1, "shop web app 2026-01-31T10:00:00.000000005Z  a b\nshop web app words\n")]);
        let mut problems = Vec::new();
        let read = read(&text, |name| name == ("shop", "web", "app"), &mut problems);
        let shown = &read[&("shop", "web", "app")];
        assert_eq!((shown[0].text, shown[1].text), (&b" a b"[..], &b"words"[..]));
        assert_eq!(shown[0].stamp.map(|stamp| stamp.subsec_nanosecond()), Some(5));
        assert_eq!((shown[1].stamp, problems), (None, Vec::new()));
    }

    #[test]
    fn what_is_no_line_of_a_container_is_a_problem() {
        let mut problems = Vec::new();
        read(&written(&[(1, "shop web other x\nhalf")]), |name| name.2 == "app", &mut problems);
        assert_eq!(problems.len(), 3);
    }
}
