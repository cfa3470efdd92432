//! What a batch had before the filter took lines from it: places among all lines do not depend on filters.

use super::record::Key;
use crate::event::{Batch, Instant, Item, Line};

#[derive(Debug)]
pub struct Seen {
    /// The time of the first line that has one. Older lines are those that the filter held back.
    first: Key,
    /// The starts of lines before which the log had younger ones, or that have no time, with the latest up to there.
    raised: Vec<(u32, Key)>,
    /// The oldest line that the filter holds back.
    held_back: Option<Key>,
}

impl Seen {
    pub fn new() -> Seen {
        Seen { first: Key::MIN, raised: Vec::new(), held_back: None }
    }

    /// Looks at a batch that comes behind a line of this key. Returns the key of its last line.
    pub fn look(&mut self, batch: &Batch, mut latest: Key) -> Key {
        self.raised.clear();
        (self.first, self.held_back) = (first_time(batch).map_or(Key::MIN, |first| first.0), None);
        for item in &batch.items {
            let Item::Line(line) = item else { continue };
            match line.time {
                Some(time) if time.0 >= latest => latest = time.0,
                _ => self.raised.push((line.start, latest)),
            }
        }
        latest
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

/// The time of the first line that has one.
pub fn first_time(batch: &Batch) -> Option<Instant> {
    batch.items.iter().find_map(|item| match item {
        Item::Line(line) => line.time,
        Item::Gap(_) | Item::Separator => None,
    })
}
