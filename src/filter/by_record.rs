//! Filters that judge whole records: by their level, or by their fields.

use std::{collections::HashMap, ops::Range, sync::Arc};

use super::{
    condition::{Conditions, Seen},
    continued::Continued,
};
use crate::{
    event::{Batch, Item},
    fields::{Level, Reader},
    notice::{Notice, Scope},
    origin::Origin,
    plan::{FilterPlan, LevelPlan},
};

/// Judges the first line of each record; the lines that continue it follow it.
pub struct ByRecord {
    levels: Option<LevelPlan>,
    conditions: Option<Conditions>,
    /// Whether conditions look at all lines of a record.
    needs_whole_records: bool,
    reader: Reader,
    /// By the origin's address, which is not reused while the origin is kept.
    states: HashMap<usize, State>,
    /// For each item looked at.
    verdicts: Vec<Verdict>,
    /// The number of lines that were not wanted because their record has no level.
    without_level: u64,
    /// Whether such lines were reported.
    reported: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Wanted,
    Unwanted,
    /// Unwanted because it has no level.
    NoLevel,
}

/// The state of one log.
struct State {
    _origin: Arc<Origin>,
    /// On the record that is being read.
    verdict: Verdict,
    /// The line before, if the level of its record may stand in the next one.
    head: Vec<u8>,
}

/// A longer line has its level itself.
const LONGEST_HEAD: usize = 256;

impl State {
    /// The level of the record, where this line tells it: its first line, or its second one where that came later.
    fn level(
        &mut self,
        is_head: bool,
        message: &[u8],
        next: Option<&[u8]>,
        reader: &mut Reader,
    ) -> Option<Option<Level>> {
        if is_head {
            self.head.clear();
            let level = reader.level_of_lines(message, next);
            if level.is_none() && next.is_none() && message.len() < LONGEST_HEAD {
                self.head.extend_from_slice(message);
            }
            return Some(level);
        }
        if self.head.is_empty() {
            return None;
        }
        let level = reader.level_of_lines(&self.head, Some(message));
        self.head.clear();
        level.map(Some)
    }
}

impl Verdict {
    fn of(levels: &LevelPlan, level: Option<Level>) -> Verdict {
        match level {
            level if levels.wants(level) => Verdict::Wanted,
            None => Verdict::NoLevel,
            Some(_) => Verdict::Unwanted,
        }
    }
}

/// The line behind an item.
fn next(batch: &Batch, index: usize) -> Option<&[u8]> {
    match batch.items.get(index + 1)? {
        Item::Line(line) => Some(batch.message(line)),
        Item::Gap(_) | Item::Separator => None,
    }
}

impl ByRecord {
    /// None if all records are wanted.
    pub fn new(plan: &FilterPlan) -> Option<ByRecord> {
        let (levels, conditions) = (plan.level.clone(), Conditions::new(&plan.conditions));
        (levels.is_some() || conditions.is_some()).then(|| ByRecord {
            levels,
            conditions,
            needs_whole_records: plan.needs_whole_records(),
            reader: Reader::new(plan.vocabulary.clone()),
            states: HashMap::new(),
            verdicts: Vec::new(),
            without_level: 0,
            reported: false,
        })
    }

    /// Judges the next items of a batch, also those that other filters hide.
    pub fn look(&mut self, batch: &Batch, items: Range<usize>, continued: &Continued) {
        let Self { levels, conditions, needs_whole_records, reader, states, verdicts, .. } = self;
        let state = states.entry(address(&batch.origin)).or_insert_with(|| State {
            _origin: batch.origin.clone(),
            verdict: Verdict::Wanted,
            head: Vec::new(),
        });
        verdicts.clear();
        verdicts.extend(items.map(|index| match &batch.items[index] {
            Item::Line(line) => {
                let message = batch.message(line);
                let is_head = !continued.is(index);
                let mut is_judged = is_head;
                if let Some(levels) = levels
                    && let Some(level) = state.level(is_head, message, next(batch, index), reader)
                {
                    state.verdict = Verdict::of(levels, level);
                    is_judged = true;
                } else if is_head {
                    state.verdict = Verdict::Wanted;
                }
                if is_judged
                    && state.verdict == Verdict::Wanted
                    && let Some(conditions) = conditions
                {
                    let record = reader.read(match needs_whole_records {
                        true => continued.whole(batch, index, line),
                        false => message,
                    });
                    let seen = Seen { record, origin: &batch.origin, time: line.time };
                    if !conditions.hold(seen) {
                        state.verdict = Verdict::Unwanted;
                    }
                }
                state.verdict
            }
            Item::Gap(_) | Item::Separator => Verdict::Wanted,
        }));
    }

    /// Whether the item with this index among those looked at last is wanted. To be asked once, since it counts.
    pub fn wants(&mut self, index: usize) -> bool {
        let verdict = self.verdicts.get(index).copied().unwrap_or(Verdict::Wanted);
        self.without_level += u64::from(verdict == Verdict::NoLevel);
        verdict == Verdict::Wanted
    }

    /// Reports once that lines are hidden because they have no level.
    pub fn news(&mut self) -> Option<Notice> {
        if self.refuses_none() || self.without_level == 0 || std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let levels = &self.levels.as_ref()?.written;
        Some(Scope::Run.info(format!("lines without a level are hidden; --level {levels},none shows them")))
    }

    /// Whether the user said that lines without a level are not wanted, and needs no words about them.
    fn refuses_none(&self) -> bool {
        self.levels.as_ref().is_some_and(|levels| levels.refuses_none)
    }

    /// Whether a record was too hard to be judged since this was last asked, and is kept.
    pub fn exhausted(&mut self) -> bool {
        self.conditions.as_mut().is_some_and(Conditions::exhausted)
    }

    /// What is to be reported at the end.
    pub fn last_words(&mut self) -> Vec<Notice> {
        let words = match self.without_level {
            0 => None,
            _ if self.refuses_none() => None,
            1 => Some("1 line had no level".to_owned()),
            count => Some(format!("{count} lines had no level")),
        };
        let mut notices: Vec<_> = words.into_iter().map(|words| Scope::Run.info(words)).collect();
        notices.extend(self.conditions.iter().flat_map(Conditions::last_words));
        notices
    }

    /// No more lines of this origin, or of this instance of it, will come.
    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.states.remove(&address(origin));
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}
