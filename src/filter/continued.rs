//! Which lines of a batch continue a record, found once for all filters that ask.

use std::{collections::HashMap, sync::Arc};

use crate::{
    event::{Batch, Item, Line},
    origin::Origin,
    records::Records,
};

#[derive(Default)]
pub struct Continued {
    /// By the origin's address, which is not reused while the origin is kept.
    logs: HashMap<usize, (Arc<Origin>, Records)>,
    /// For each item of the batch.
    items: Vec<bool>,
}

impl Continued {
    /// Looks at the next batch of its log.
    pub fn look(&mut self, batch: &Batch) {
        let log = self.logs.entry(address(&batch.origin));
        let (_, records) = log.or_insert_with(|| (batch.origin.clone(), Records::default()));
        self.items.clear();
        self.items.extend(batch.items.iter().map(|item| match item {
            Item::Line(line) => records.continues(line.time, batch.message(line)),
            Item::Gap(_) | Item::Separator => false,
        }));
    }

    /// Whether the item of the batch with this index belongs to the record of the line before.
    pub fn is(&self, index: usize) -> bool {
        self.items.get(index).copied().unwrap_or_default()
    }

    /// The message of the record that begins with the item of this index: with the lines that continue it, as far as
    /// they stand directly behind it. JSON in one line stands for itself.
    pub fn whole<'b>(&self, batch: &'b Batch, index: usize, line: &Line) -> &'b [u8] {
        let mut whole = *line;
        let ends = !matches!(batch.message(line), [b'{', _, ..]);
        for (index, item) in batch.items.iter().enumerate().skip(index + 1).filter(|_| ends) {
            match item {
                Item::Line(next) if self.is(index) && next.start == whole.end + 1 => whole.end = next.end,
                _ => break,
            }
        }
        batch.message(&whole)
    }

    /// No more lines of this origin, or of this instance of it, will come.
    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.logs.remove(&address(origin));
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}
