//! The records that are held, in memory and in files, each source of them in order.

use std::{cmp::Ordering, collections::BTreeMap, io};

use super::{
    lane::{Lanes, Name},
    record::{self, Key},
    run::Run,
};

/// A sequence of records in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The records of one lane that are in memory.
    Lane(u32),
    Run(u32),
}

/// The age of what is in memory: it came after all that is in files.
pub const IN_MEMORY: i64 = i64::MAX;

/// The first record of a source, or in place of one the earliest that can come. The smallest is the greatest, for a
/// heap.
#[derive(Debug)]
pub struct Head {
    pub key: Key,
    pub name: Name,
    /// Of two records of one lane and one instant the one of the older source comes first.
    pub age: i64,
    pub source: Source,
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        let by_names = || (&other.name, other.age).cmp(&(&self.name, self.age));
        other.key.cmp(&self.key).then_with(by_names)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// A run with its place among the others.
#[derive(Debug)]
pub struct Placed {
    pub run: Run,
    pub age: i64,
    /// How many times its records were merged.
    pub level: u32,
}

#[derive(Debug, Default)]
pub struct Held {
    pub lanes: Lanes,
    /// By their numbers.
    pub runs: BTreeMap<u32, Placed>,
    /// Bytes in memory, without the blocks of runs.
    pub memory: usize,
}

impl Held {
    /// The bytes that begin with the first record of a source.
    #[inline]
    pub fn bytes(&self, source: Source) -> &[u8] {
        match source {
            Source::Lane(lane) => self.lanes.get(lane).map_or(&[], |lane| lane.bytes()),
            Source::Run(run) => self.runs.get(&run).map_or(&[], |placed| placed.run.bytes()),
        }
    }

    /// Drops the first record of a source.
    #[inline]
    pub fn advance(&mut self, source: Source) -> io::Result<()> {
        match source {
            Source::Lane(lane) => {
                self.memory -= self.lanes.get_mut(lane).map_or(0, |lane| lane.advance());
                Ok(())
            }
            Source::Run(run) => self.runs.get_mut(&run).map_or(Ok(()), |placed| placed.run.advance()),
        }
    }

    /// The first record of a source, if there is one.
    pub fn head(&self, source: Source) -> Option<Head> {
        let (key, lane) = record::place(self.bytes(source))?;
        let age = match source {
            Source::Lane(_) => IN_MEMORY,
            Source::Run(run) => self.runs.get(&run)?.age,
        };
        Some(Head { key, name: self.lanes.get(lane)?.name.clone(), age, source })
    }

    /// Makes `head` that of the next record of its source. False: there is none.
    #[inline]
    pub fn renew(&self, head: &mut Head) -> bool {
        let Some((key, lane)) = record::place(self.bytes(head.source)) else { return false };
        head.key = key;
        if matches!(head.source, Source::Run(_))
            && let Some(lane) = self.lanes.get(lane)
        {
            head.name = lane.name.clone();
        }
        true
    }
}
