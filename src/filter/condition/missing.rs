//! Remembers which fields of a condition no record had, so that a wrong name is not an output that is silently empty.

use std::collections::BTreeSet;

use crate::{
    fields::{Field, Kind, Record},
    notice::{Notice, Scope},
    plan::condition::{Condition, Path, Subject},
    shown,
};

/// Records whose names are collected, of each path; and the most names.
const SAMPLE: u64 = 1000;
const NAMES: usize = 300;
/// Longer names, and deeper ones, are not collected.
const LONGEST: usize = 60;
const DEEPEST: usize = 3;

/// Names in a notice.
const SHOWN: usize = 4;

pub struct Missing {
    looks: Vec<Look>,
    /// The number of the current record.
    record: u64,
    names: BTreeSet<String>,
}

struct Look {
    path: Path,
    /// The last record that was looked at.
    last: u64,
    /// How many were looked at.
    records: u64,
    found: bool,
}

impl Missing {
    pub fn new<P>(condition: &Condition<P>) -> Missing {
        let look = |path: &Path| Look { path: path.clone(), last: 0, records: 0, found: false };
        Missing { looks: condition.paths.iter().map(look).collect(), record: 0, names: BTreeSet::new() }
    }

    pub fn path(&self, index: usize) -> &Path {
        &self.looks[index].path
    }

    /// Another record follows.
    pub fn next(&mut self) {
        self.record += 1;
    }

    /// A record was looked at.
    #[inline]
    pub fn looked(&mut self, index: usize, found: bool, record: Record) {
        let look = &mut self.looks[index];
        look.found |= found;
        if !look.found {
            self.missed(index, record);
        }
    }

    fn missed(&mut self, index: usize, record: Record) {
        let look = &mut self.looks[index];
        if std::mem::replace(&mut look.last, self.record) == self.record {
            return;
        }
        look.records += 1;
        if look.records <= SAMPLE && self.names.len() < NAMES {
            record.fields().for_each(|field| collect(field, "", 1, &mut self.names));
        }
    }

    /// `duration was never there in 1,204 records; there are duration_ms, dur`
    pub fn notices(&self) -> impl Iterator<Item = Notice> {
        self.looks.iter().filter(|look| !look.found && look.records > 0).map(|look| {
            let Look { path, records, .. } = look;
            let records = match records {
                1 => "1 record".to_owned(),
                records => format!("{} records", shown::grouped(*records)),
            };
            let there = self.near(path);
            let text = format!("--where: {} was never there in {records}; {there}", path.typed);
            Scope::Run.info(shown::one_line(&text, shown::LONGEST))
        })
    }

    fn near(&self, path: &Path) -> String {
        if self.names.is_empty() {
            return "they have no fields".to_owned();
        }
        let mut near: Vec<_> = self
            .names
            .iter()
            .filter_map(|name| Some((distance(&path.typed, name)?, name.as_str())))
            .collect();
        near.sort_unstable();
        let is_near = !near.is_empty() && path.subject == Subject::Field;
        let names: Vec<_> = match is_near {
            true => near.into_iter().map(|(_, name)| name).collect(),
            false => self.names.iter().map(String::as_str).collect(),
        };
        let more = if names.len() > SHOWN { ", …" } else { "" };
        let shown = names[..names.len().min(SHOWN)].join(", ");
        let verb = if names.len() == 1 { "is" } else { "are" };
        format!("there {verb} {shown}{more}")
    }
}

fn collect(field: Field, above: &str, depth: usize, names: &mut BTreeSet<String>) {
    let key = field.key();
    let Ok(key) = std::str::from_utf8(&key) else { return };
    if key.len() + above.len() >= LONGEST || names.len() >= NAMES {
        return;
    }
    let name = format!("{above}{key}");
    if field.kind() == Kind::Object && depth < DEEPEST {
        let above = format!("{name}.");
        field.fields().for_each(|inner| collect(inner, &above, depth + 1, names));
    } else if !names.contains(&name) {
        names.insert(name);
    }
}

/// How far a name is from another; None: they are not alike.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let plain = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(LONGEST).collect()
    };
    let last = |text: &str| plain(text.rsplit('.').next().unwrap_or_default());
    let (one, other) = (last(wanted), last(name));
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    let is_part = short.len() > 1 && long.windows(short.len()).any(|part| part == short);
    let edits = edits(&one, &other);
    match () {
        () if plain(wanted) == plain(name) => Some(0),
        () if is_part => Some(1 + long.len() - short.len()),
        () if edits * 3 <= long.len() => Some(LONGEST + edits),
        () => None,
    }
}

/// The edits that make one of the other.
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let edit = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], edit);
        }
    }
    row[other.len()]
}
