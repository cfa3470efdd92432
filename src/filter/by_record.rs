//! Filters that judge whole records: by their level, or by their fields.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::condition::{Conditions, Seen};
use crate::{
    event::{Batch, Item},
    fields::{Level, Reader},
    notice::Notice,
    origin::Origin,
    plan::FilterPlan,
    records::Records,
};

/// Judges the first line of each record; the lines that continue it follow it.
pub struct ByRecord {
    levels: fn(Option<Level>) -> bool,
    conditions: Option<Conditions>,
    reader: Reader,
    /// By the origin's address, which is not reused while the origin is kept.
    states: HashMap<usize, State>,
    /// For each item looked at, whether it is wanted.
    verdicts: Vec<bool>,
}

/// The state of one log.
struct State {
    _origin: Arc<Origin>,
    records: Records,
    /// The verdict on the record that is being read.
    wanted: bool,
}

impl ByRecord {
    /// None if all records are wanted.
    pub fn new(plan: &FilterPlan) -> Option<ByRecord> {
        let conditions = Conditions::new(&plan.conditions)?;
        Some(ByRecord {
            levels: |_| true,
            conditions: Some(conditions),
            reader: Reader::default(),
            states: HashMap::new(),
            verdicts: Vec::new(),
        })
    }

    /// Judges the next items of a batch, also those that other filters hide.
    pub fn look(&mut self, batch: &Batch, items: Range<usize>) {
        let Self { levels, conditions, reader, states, verdicts } = self;
        let state = states.entry(address(&batch.origin)).or_insert_with(|| State {
            _origin: batch.origin.clone(),
            records: Records::default(),
            wanted: true,
        });
        verdicts.clear();
        verdicts.extend(batch.items[items].iter().map(|item| match item {
            Item::Line(line) => {
                let message = batch.message(line);
                if !state.records.continues(line.time, message) {
                    state.wanted = match conditions {
                        None => levels(reader.level(message)),
                        Some(conditions) => {
                            let record = reader.read(message);
                            let seen = Seen { record, origin: &batch.origin, time: line.time };
                            levels(record.level()) && conditions.hold(seen)
                        }
                    };
                }
                state.wanted
            }
            Item::Gap(_) | Item::Separator => true,
        }));
    }

    /// Whether the item with this index among those looked at last is wanted.
    pub fn wants(&self, index: usize) -> bool {
        self.verdicts.get(index).copied().unwrap_or(true)
    }

    /// Whether a record was too hard to be judged since this was last asked, and is kept.
    pub fn exhausted(&mut self) -> bool {
        self.conditions.as_mut().is_some_and(Conditions::exhausted)
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        self.conditions.as_ref().map(Conditions::last_words).unwrap_or_default()
    }

    /// No more lines of this origin, or of this instance of it, will come.
    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.states.remove(&address(origin));
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}
