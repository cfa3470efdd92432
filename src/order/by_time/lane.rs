//! A lane: what is known of one origin, and its lines in memory.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    lag::Delays,
    record::{self, Key},
};
use crate::{origin::Origin, records::Records};

/// Bytes counted for each chunk beside its records.
const OVERHEAD: usize = 64;

/// An origin by its names, which decide between lines of the same instant.
#[derive(Debug, Clone)]
pub struct Name(pub Arc<Origin>);

impl Name {
    fn parts(&self) -> [&str; 4] {
        let Origin { pod, container, .. } = &*self.0;
        [&pod.namespace, &pod.name, container, &pod.identity]
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        match Arc::ptr_eq(&self.0, &other.0) {
            true => Ordering::Equal,
            false => self.parts().cmp(&other.parts()),
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}

/// How much of an instance's log was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It existed at the start, and is not read to its end yet.
    Awaited,
    /// It came later, and is not read to its end yet.
    Later,
    /// What it wrote before has been sent.
    Live,
}

/// Records that arrived together.
#[derive(Debug)]
struct Chunk {
    /// Counted over all lanes.
    number: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    fn size(&self) -> usize {
        OVERHEAD + self.bytes.capacity()
    }
}

#[derive(Debug)]
pub struct Lane {
    pub name: Name,
    /// The instances whose lines may come, the first one first.
    pub instances: VecDeque<Stage>,
    chunks: VecDeque<Chunk>,
    /// The position of the first record in the first chunk.
    at: usize,
    /// The key of the last line that came to the filter, and of the last record.
    pub latest: Key,
    pub last: Key,
    /// The time of the oldest line that the filter holds back.
    pub held_back: Option<Key>,
    /// Which of its lines belong together: they have the place of their first line.
    pub records: Records,
    /// No line before this will come, as far as the clocks agree.
    pub floor: Key,
    /// Records in memory and in files.
    pub held: usize,
    /// Whether it stands among the floors.
    pub is_floor: bool,
    pub delays: Delays,
    /// Older lines were written before the log was opened, while others were followed.
    pub opened: Key,
    /// Lines that were shown late lately, and those among them that were shown before their time, as far as it is
    /// known.
    pub late: u64,
    pub early: u64,
}

impl Lane {
    fn new(origin: Arc<Origin>) -> Lane {
        Lane {
            name: Name(origin),
            instances: VecDeque::new(),
            chunks: VecDeque::new(),
            at: 0,
            latest: Key::MIN,
            last: Key::MIN,
            held_back: None,
            records: Records::default(),
            floor: Key::MIN,
            held: 0,
            is_floor: false,
            delays: Delays::default(),
            opened: Key::MIN,
            late: 0,
            early: 0,
        }
    }

    /// Whether its next line is not in memory and may be older than those of others.
    pub fn is_waited_for(&self) -> bool {
        self.chunks.is_empty() && !self.instances.is_empty()
    }

    /// Whether its lines are those that are being written.
    pub fn is_live(&self) -> bool {
        self.instances.front() == Some(&Stage::Live)
    }

    /// Whether its lines are those that it wrote before it was seen, after the start.
    pub fn is_later(&self) -> bool {
        self.instances.front() == Some(&Stage::Later)
    }

    /// All lines before this came to the filter.
    pub fn reached(&mut self, key: Key) {
        self.floor = self.floor.max(self.held_back.map_or(key, |oldest| oldest.min(key)));
    }

    /// Adds records. Returns the memory that they take.
    pub fn push(&mut self, number: u64, bytes: Vec<u8>, records: usize) -> usize {
        let chunk = Chunk { number, bytes };
        let size = chunk.size();
        self.chunks.push_back(chunk);
        self.held += records;
        size
    }

    /// The first record in memory; nothing if there is none.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.chunks.front().map_or(&[], |chunk| &chunk.bytes[self.at..])
    }

    /// The number of the chunk that holds the first record.
    pub fn first_chunk(&self) -> Option<u64> {
        self.chunks.front().map(|chunk| chunk.number)
    }

    /// Drops the first record. Returns the memory that is freed.
    #[inline]
    pub fn advance(&mut self) -> usize {
        self.at += record::size(self.bytes()).unwrap_or_default();
        match self.chunks.front() {
            Some(chunk) if self.at >= chunk.bytes.len() => {
                let freed = chunk.size();
                self.chunks.pop_front();
                self.at = 0;
                freed
            }
            _ => 0,
        }
    }
}

/// All lanes. A number stays that of its lane while records hold it.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: Vec<Option<Lane>>,
    free: Vec<u32>,
    by_name: BTreeMap<Name, u32>,
}

impl Lanes {
    /// The number of the lane of this origin.
    pub fn number(&mut self, origin: &Arc<Origin>) -> u32 {
        let name = Name(origin.clone());
        if let Some(&number) = self.by_name.get(&name) {
            return number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.lanes.push(None);
            (self.lanes.len() - 1) as u32
        });
        self.lanes[number as usize] = Some(Lane::new(origin.clone()));
        self.by_name.insert(name, number);
        number
    }

    #[inline]
    pub fn get(&self, number: u32) -> Option<&Lane> {
        self.lanes.get(number as usize)?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(number as usize)?.as_mut()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// All numbers are less.
    pub fn count(&self) -> u32 {
        self.lanes.len() as u32
    }

    pub fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().flatten()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        self.lanes.iter_mut().flatten()
    }

    /// Removes a lane of which nothing is held and nothing comes.
    pub fn forget(&mut self, number: u32) {
        let over = |lane: &Lane| lane.instances.is_empty() && lane.held == 0 && !lane.is_floor;
        if self.get(number).is_some_and(over)
            && let Some(lane) = self.lanes[number as usize].take()
        {
            self.by_name.remove(&lane.name);
            self.free.push(number);
        }
    }
}
