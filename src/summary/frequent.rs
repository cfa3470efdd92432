//! The most frequent messages, in bounded memory: of those beyond it, the rarest gives its place to a new one, which
//! inherits its count as the possible error (Space-Saving, Metwally et al. 2005).

use std::collections::HashMap;

use super::Period;
use crate::{event::Instant, fields::Level};

/// Most different messages that are counted.
const MOST: usize = if cfg!(test) { 8 } else { 1000 };

#[derive(Debug, Default)]
pub struct Frequent {
    entries: Vec<Entry>,
    /// By level and message: the index of the entry.
    places: HashMap<(Option<Level>, Box<[u8]>), usize>,
    /// Where the search for the rarest goes on.
    least: u64,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub level: Option<Level>,
    pub message: Box<[u8]>,
    pub count: u64,
    /// So many of them may have been other messages.
    pub excess: u64,
    pub seen: Seen,
}

/// When it was seen first and last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen(Period);

impl Seen {
    pub fn bounds(self) -> Option<(Instant, Instant)> {
        self.0.0
    }
}

impl Frequent {
    pub fn add(&mut self, message: &[u8], level: Option<Level>, time: Option<Instant>) {
        let key = (level, Box::from(message));
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.insert(key),
        };
        if let Some(entry) = self.entries.get_mut(place) {
            entry.count += 1;
            entry.seen.0.add(time);
        }
    }

    fn insert(&mut self, key: (Option<Level>, Box<[u8]>)) -> usize {
        let mut entry =
            Entry { level: key.0, message: key.1.clone(), count: 0, excess: 0, seen: Seen::default() };
        if self.entries.len() < MOST {
            self.entries.push(entry);
            self.places.insert(key, self.entries.len() - 1);
            return self.entries.len() - 1;
        }
        let place = self.rarest();
        let rarest = &mut self.entries[place];
        (entry.count, entry.excess) = (rarest.count, rarest.count);
        let left = std::mem::replace(rarest, entry);
        self.places.remove(&(left.level, left.message));
        self.places.insert(key, place);
        place
    }

    /// The index of an entry with the smallest count. Counts only grow, so that `least` is a bound from below.
    fn rarest(&mut self) -> usize {
        if let Some(place) = self.entries.iter().position(|entry| entry.count <= self.least) {
            return place;
        }
        self.least = self.entries.iter().map(|entry| entry.count).min().unwrap_or_default();
        self.entries.iter().position(|entry| entry.count == self.least).unwrap_or_default()
    }

    /// The most frequent ones, at most `count`, with the most frequent first. Those that may not have been there are
    /// left out.
    pub fn top(&self, count: usize) -> Vec<&Entry> {
        let mut entries: Vec<_> =
            self.entries.iter().filter(|entry| entry.count > 2 * entry.excess).collect();
        entries.sort_by(|a, b| {
            (b.count.cmp(&a.count)).then(b.level.cmp(&a.level)).then(a.message.cmp(&b.message))
        });
        entries.truncate(count);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(messages: impl IntoIterator<Item = String>) -> Frequent {
        let mut frequent = Frequent::default();
        messages.into_iter().for_each(|message| frequent.add(message.as_bytes(), None, None));
        frequent
    }

    #[test]
    fn the_most_frequent_come_first() {
        let frequent = count(["a", "b", "b", "c", "b", "c"].map(String::from));
        let counts: Vec<_> = frequent.top(2).iter().map(|entry| (&*entry.message, entry.count)).collect();
        assert_eq!(counts, [(&b"b"[..], 3), (b"c", 2)]);
    }

    #[test]
    fn a_frequent_message_stays_among_many_rare_ones() {
        let messages = (0..1000).map(|i| if i % 3 == 0 { "often".to_owned() } else { i.to_string() });
        let frequent = count(messages);
        assert_eq!(frequent.entries.len(), MOST);
        let [often] = frequent.top(9)[..] else { panic!("{:?}", frequent.top(9)) };
        assert!(
            &*often.message == b"often" && often.count - often.excess <= 334 && often.count >= 334,
            "{often:?}"
        );
    }
}
