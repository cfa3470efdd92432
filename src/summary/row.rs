//! Lines by level, of each owner of pods and container.

use std::collections::HashMap;

use crate::{
    fields::Level,
    origin::{Origin, Owner, PodInfo},
};

/// Most owners and containers that are counted separately.
const MOST: usize = 500;

const HASH: &str = "pod-template-hash";

/// The containers of one name in all pods of one owner.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Row {
    pub names: Names,
    /// By level; the last is of lines without one.
    pub lines: [u64; Level::ALL.len() + 1],
    /// Records with the level error or fatal; a stack trace is part of one.
    pub errors: u64,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Names {
    pub namespace: String,
    /// `deployment/web`, `pod/web`; empty for standard input.
    pub owner: String,
    pub container: String,
}

/// All rows; the first is the sum of those that have none of their own.
#[derive(Debug)]
pub struct Rows {
    rows: Vec<Row>,
    places: HashMap<Names, usize>,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { rows: vec![Row::default()], places: HashMap::new() }
    }
}

impl Rows {
    /// The index of an origin's row.
    pub fn find(&mut self, origin: &Origin) -> usize {
        let names = Names::of(origin);
        match self.places.get(&names) {
            Some(place) => *place,
            None if self.rows.len() > MOST => 0,
            None => {
                let place = self.rows.len();
                self.rows.push(Row { names: names.clone(), ..Row::default() });
                self.places.insert(names, place);
                place
            }
        }
    }

    /// Counts the first line of a record.
    pub fn record(&mut self, row: usize, level: Option<Level>) {
        self.continued(row, level);
        if let Some(row) = self.rows.get_mut(row) {
            row.errors += u64::from(level >= Some(Level::Error));
        }
    }

    /// Counts a line that continues a record.
    pub fn continued(&mut self, row: usize, level: Option<Level>) {
        let column = level.map_or(Level::ALL.len(), |level| level as usize);
        if let Some(row) = self.rows.get_mut(row) {
            row.lines[column] += 1;
        }
    }

    /// Those with lines, by name, with the sum of those that have no row of their own last; and the sum of all.
    pub fn sorted(&self) -> (Vec<&Row>, Row) {
        let (others, named) = self.rows.split_at(1);
        let mut rows: Vec<_> = named.iter().filter(|row| row.sum() > 0).collect();
        rows.sort_by(|a, b| a.names.cmp(&b.names));
        rows.extend(others.iter().filter(|row| row.sum() > 0));
        let all = rows.iter().fold(Row::default(), |mut all, row| {
            all.errors += row.errors;
            all.lines.iter_mut().zip(row.lines).for_each(|(all, lines)| *all += lines);
            all
        });
        (rows, all)
    }
}

impl Row {
    pub fn sum(&self) -> u64 {
        self.lines.iter().sum()
    }
}

impl Names {
    fn of(origin: &Origin) -> Names {
        if !origin.is_named() {
            return Names::default();
        }
        Names {
            namespace: origin.pod.namespace.clone(),
            owner: owner(&origin.pod),
            container: origin.container.clone(),
        }
    }
}

/// The deployment, if the owner is one of its replica sets.
fn owner(pod: &PodInfo) -> String {
    let Some(Owner { kind, name }) = &pod.owner else { return format!("pod/{}", pod.name) };
    let hash = pod.labels.as_ref().and_then(|labels| labels.get(HASH));
    let deployment = hash.and_then(|hash| name.strip_suffix(hash.as_str())?.strip_suffix('-'));
    match deployment.filter(|_| kind == "ReplicaSet") {
        Some(deployment) => format!("deployment/{deployment}"),
        None => format!("{}/{name}", kind.to_lowercase()),
    }
}
