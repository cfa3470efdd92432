//! What a batch had before the filter took lines from it: places among all lines do not depend on filters.

use super::record::Key;
use crate::{
    event::{Batch, Instant, Item, Line},
    records::Records,
};

/// The longest time between the first line of a record and another one that stands with it.
const LONGEST: i64 = 200_000_000;

#[derive(Debug)]
pub struct Seen {
    /// The time of the first line that has one. Older lines are those that the filter held back.
    first: Key,
    /// The starts of lines whose place is not their time, with their places: those before which the log had younger
    /// ones, those without a time, and those that stand with the first line of their record.
    raised: Vec<(u32, Key)>,
    /// The number of bytes of the batch. Lines behind them are those that the filter held back.
    size: usize,
    /// The oldest line that the filter holds back.
    held_back: Option<Key>,
}

impl Seen {
    pub fn new() -> Seen {
        Seen { first: Key::MIN, raised: Vec::new(), size: 0, held_back: None }
    }

    /// Looks at a batch that comes behind a line of this key. Returns the key of its last line.
    pub fn look(&mut self, batch: &Batch, records: &mut Records, mut latest: Key) -> Key {
        self.raised.clear();
        (self.first, self.held_back) = (first_time(batch).map_or(Key::MIN, |first| first.0), None);
        self.size = batch.data.len();
        for item in &batch.items {
            let Item::Line(line) = item else { continue };
            let stands_alone = !stands_with_head(records, batch, line, latest);
            match line.time {
                Some(time) if stands_alone && time.0 >= latest => latest = time.0,
                _ => self.raised.push((line.start, latest)),
            }
        }
        latest
    }

    /// The place of the first line that has a time.
    pub fn first(&self, batch: &Batch) -> Option<Instant> {
        let first = batch.items.iter().find_map(|item| match item {
            Item::Line(line) if line.time.is_some() => Some(line),
            _ => None,
        });
        first.and_then(|line| self.place(line, Key::MIN)).map(Instant)
    }

    pub fn hold_back(&mut self, oldest: Instant) {
        self.held_back = Some(oldest.0);
    }

    /// The oldest line that the filter holds back.
    pub fn held_back(&self) -> Option<Key> {
        self.held_back
    }

    /// The place of a line of the batch. None: the filter held it back until it was older than `frontier`.
    pub fn place(&self, line: &Line, frontier: Key) -> Option<Key> {
        let raised = self.raised.binary_search_by_key(&line.start, |(start, _)| *start);
        match raised {
            Ok(at) => Some(self.raised[at].1),
            Err(_) => line.time.map(|time| time.0).filter(|key| *key >= self.first.min(frontier)),
        }
    }
}

/// The place of the last line that the filter held back and that comes now.
#[derive(Debug, Default)]
pub struct HeldBack {
    records: Records,
    place: Option<Key>,
}

impl HeldBack {
    /// The place of a line of the batch, as [`Seen::place`].
    pub fn place(&mut self, seen: &Seen, batch: &Batch, line: &Line, frontier: Key) -> Option<Key> {
        let place = seen.place(line, frontier);
        if (line.start as usize) < seen.size {
            return place;
        }
        if !stands_with_head(&mut self.records, batch, line, self.place.unwrap_or(Key::MIN)) {
            self.place = place;
        }
        self.place
    }
}

/// Whether a line has the place of the line before, as one of its record.
fn stands_with_head(records: &mut Records, batch: &Batch, line: &Line, place: Key) -> bool {
    let continues = records.continues(line.time, batch.message(line));
    continues && line.time.is_none_or(|time| time.0.saturating_sub(place) <= LONGEST)
}

/// The time of the first line that has one.
fn first_time(batch: &Batch) -> Option<Instant> {
    batch.items.iter().find_map(|item| match item {
        Item::Line(line) => line.time,
        Item::Gap(_) | Item::Separator => None,
    })
}
