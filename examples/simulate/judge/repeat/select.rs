//! The lines that an output selects of those that were shown without it.

use std::{collections::BTreeMap, time::Duration};

use super::super::{
    lines::{
        notices::{Notice, Said},
        output::{Name, Shown},
    },
    record::may_continue,
};
use crate::script::{Output, Pattern, Select};

/// A line of the run before.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub name: Name<'a>,
    pub shown: Shown<'a>,
}

impl Line<'_> {
    pub fn text(&self) -> String {
        format!("{:?} of {:?}", String::from_utf8_lossy(self.shown.text), self.shown.stamp)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    Yes,
    No,
    /// It stands beside a line of which it is not known whether it is of the same instance, or lines are missing there.
    Maybe,
}

/// Which of the lines are shown. Where something was said of their container between two lines, another instance may
/// begin, or lines are missing, so that neither belongs to the other.
pub fn wanted(output: &Output, lines: &[Line], notices: &[Notice]) -> Vec<Want> {
    let mut wanted = vec![Want::Yes; lines.len()];
    let mut said: BTreeMap<Name, Vec<Notice>> = BTreeMap::new();
    notices.iter().for_each(|notice| said.entry(notice.name).or_default().push(*notice));
    let mut containers: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        containers.entry(line.name).or_default().push(number);
    }
    for (name, numbers) in containers {
        let said = said.get(&name).map_or(&[][..], Vec::as_slice);
        let of_one: Vec<_> = numbers.iter().map(|number| lines[*number].shown).collect();
        for (number, want) in numbers.iter().zip(of_container(&output.select, &of_one, said)) {
            wanted[*number] = want;
        }
    }
    wanted
}

/// When a wanted line is shown. One of the context waits for the match behind it.
pub fn shown_at(output: &Output, lines: &[Line], notices: &[Notice], line: usize) -> Duration {
    let mut until = line..lines.len();
    let decides = |end: &usize| wanted(output, &lines[..=*end], notices)[line] == Want::Yes;
    lines[until.find(decides).unwrap_or(line)].shown.at
}

fn of_container(select: &Select, lines: &[Shown], said: &[Notice]) -> Vec<Want> {
    let exactly = |wants: bool| if wants { Want::Yes } else { Want::No };
    match select {
        Select::All => vec![Want::Yes; lines.len()],
        Select::Matching { include, context, exclude } => {
            let is_hidden = |line: &Shown| exclude.is_some_and(|pattern| pattern.matches(line.text));
            let is_found = |line: &Shown| include.is_none_or(|pattern| pattern.matches(line.text));
            let mut wanted: Vec<_> =
                lines.iter().map(|line| exactly(is_found(line) && !is_hidden(line))).collect();
            if *context > 0 {
                let open: Vec<_> = (0..lines.len()).filter(|number| !is_hidden(&lines[*number])).collect();
                around(&mut wanted, &open, *context, |found, near| match near < found {
                    // Lines are missing there: those before are not the context of those behind.
                    true if lacks_lines(lines, said, near, found) => Want::No,
                    true if is_broken(lines, said, near, found) => Want::Maybe,
                    false if is_broken(lines, said, found, near) => Want::Maybe,
                    _ => Want::Yes,
                });
            }
            wanted
        }
        Select::Warnings => records(lines, said, |text| has_level(text, &["warn", "error"])),
        Select::Where(pattern) => records(lines, said, |text| message_matches(*pattern, text)),
    }
}

/// Whether something was said between two lines.
fn is_broken(lines: &[Shown], said: &[Notice], one: usize, other: usize) -> bool {
    said.iter().any(|notice| (lines[one].at..=lines[other].at).contains(&notice.at))
}

/// Whether a report names two lines that follow each other, from this one to that one: others are missing there.
fn lacks_lines(lines: &[Shown], said: &[Notice], one: usize, other: usize) -> bool {
    lines[one..=other].windows(2).any(|pair| {
        said.iter().any(|notice| match notice.said {
            Said::Between(Some(after), Some(before)) => {
                after != before
                    && (pair[0].stamp, pair[1].stamp) == (Some(after), Some(before))
                    && (pair[0].at..=pair[1].at).contains(&notice.at)
            }
            _ => false,
        })
    })
}

/// Adds the lines around the wanted ones, of those that are not hidden.
fn around(wanted: &mut [Want], open: &[usize], context: usize, want: impl Fn(usize, usize) -> Want) {
    let found: Vec<_> = (0..open.len()).filter(|at| wanted[open[*at]] == Want::Yes).collect();
    for at in found {
        for near in at.saturating_sub(context)..=(at + context).min(open.len() - 1) {
            let want = want(open[at], open[near]);
            let known = &mut wanted[open[near]];
            if want == Want::Yes || *known == Want::No {
                *known = want;
            }
        }
    }
}

/// Of a record all lines are wanted, or none.
fn records(lines: &[Shown], said: &[Notice], wants: impl Fn(&[u8]) -> bool) -> Vec<Want> {
    let mut head = Want::Maybe;
    let lines = lines.iter().enumerate().map(|(number, line)| {
        let before = number.checked_sub(1);
        if is_cut(line.text) {
            head = Want::Maybe;
            return head;
        }
        if !before.is_some_and(|before| may_continue(&lines[before], line)) {
            head = if wants(line.text) { Want::Yes } else { Want::No };
            return head;
        }
        match before {
            Some(before) if !is_broken(lines, said, before, number) => head,
            _ => Want::Maybe,
        }
    });
    lines.collect()
}

/// Whether `--limit-bytes` cut a line of a record, which is none without its end.
fn is_cut(text: &[u8]) -> bool {
    match text {
        [b'{', .., last] => *last != b'}',
        [b'\t', .., last] => *last != b')',
        [b'{' | b'\t'] => true,
        _ => false,
    }
}

/// Whether a line of a stack trace came together with the error that it is of.
pub fn is_joined(before: &Line, line: &Line) -> bool {
    before.shown.text.starts_with(b"ERROR ")
        && before.shown.at == line.shown.at
        && continues_record(before, line)
}

/// Whether a line of a stack trace may belong to the record of the line before.
pub fn continues_record(before: &Line, line: &Line) -> bool {
    before.name == line.name && may_continue(&before.shown, &line.shown)
}

fn has_level(text: &[u8], levels: &[&str]) -> bool {
    levels.iter().any(|level| text.starts_with(format!("{{\"level\":\"{level}\"").as_bytes()))
}

/// A line without fields is its own message.
fn message_matches(pattern: Pattern, text: &[u8]) -> bool {
    let message = text.strip_prefix(b"{").and_then(|_| {
        let at = text.windows(7).position(|part| part == b"\"msg\":\"")?;
        text[at + 7..].strip_suffix(b"\"}")
    });
    pattern.matches(message.unwrap_or(text))
}
