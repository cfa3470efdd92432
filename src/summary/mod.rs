//! `--summary`: what was read, in numbers: lines by level, the most frequent messages, and percentiles of fields.
//!
//! Memory is bounded: rows, messages and values beyond a number are counted together, or estimated.

mod frequent;
mod measure;
mod pattern;
mod report;
mod row;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    event::{Event, Instant, Item, Stretch},
    fields::{Level, Reader, Record, Time},
    origin::Origin,
    plan::SummaryPlan,
    records::Records,
};
use frequent::Frequent;
use measure::Measure;
use row::Rows;

/// Clones count together.
#[derive(Clone)]
pub struct Summary(Arc<Mutex<Counts>>);

struct Counts {
    plan: SummaryPlan,
    reader: Reader,
    /// Of the logs that are open, by the origin's address, which is not reused while the origin is kept.
    logs: HashMap<usize, Log>,
    period: Period,
    rows: Rows,
    /// Messages of warnings and worse, and all others.
    frequent: [Frequent; 2],
    /// One for each field of the plan.
    measures: Vec<Measure>,
    /// Reused for each line.
    pattern: Vec<u8>,
}

/// The state of one log.
struct Log {
    _origin: Arc<Origin>,
    records: Records,
    row: usize,
    /// Of the record that is being read.
    level: Option<Level>,
}

/// The times of the first and the last line, by when they were written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Period(Option<(Instant, Instant)>);

impl Period {
    fn add(&mut self, time: Option<Instant>) {
        let Some(time) = time else { return };
        let (first, last) = self.0.unwrap_or((time, time));
        self.0 = Some((first.min(time), last.max(time)));
    }

    fn seconds(self) -> Option<f64> {
        self.0.map(|(first, last)| last.0.saturating_sub(first.0) as f64 / 1e9)
    }
}

impl Summary {
    pub fn new(plan: &SummaryPlan) -> Summary {
        Summary(Arc::new(Mutex::new(Counts {
            measures: plan.fields.iter().map(|name| Measure::new(name)).collect(),
            plan: plan.clone(),
            reader: Reader::new(plan.vocabulary.clone()),
            logs: HashMap::new(),
            period: Period::default(),
            rows: Rows::default(),
            frequent: Default::default(),
            pattern: Vec::new(),
        })))
    }

    /// Counts the lines of an event.
    pub fn see(&self, event: &Event) {
        match event {
            Event::Batch(batch) => self.lock().lines(batch.stretch()),
            Event::Merged(merged) => {
                let mut counts = self.lock();
                merged.stretches().for_each(|stretch| counts.lines(stretch));
            }
            Event::Closed(origin, _) => drop(self.lock().logs.remove(&address(origin))),
            _ => {}
        }
    }

    /// The report so far, with a newline at the end.
    pub fn report(&self) -> String {
        self.lock().report()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn lines(&mut self, stretch: Stretch<'_>) {
        let Self { reader, logs, period, rows, frequent, measures, pattern, .. } = self;
        let log = logs.entry(address(stretch.origin)).or_insert_with(|| Log {
            _origin: stretch.origin.clone(),
            records: Records::default(),
            row: rows.find(stretch.origin),
            level: None,
        });
        for item in stretch.items {
            let Item::Line(line) = item else { continue };
            let message = stretch.message(line);
            if log.records.continues(line.time, message) {
                rows.continued(log.row, log.level);
                continue;
            }
            let record = reader.read(message);
            let time = line.time.or_else(|| record.time().and_then(Time::instant));
            log.level = record.level();
            period.add(time);
            rows.record(log.row, log.level);
            let [serious, others] = frequent;
            let frequent = if log.level >= Some(Level::Warn) { serious } else { others };
            count_message(frequent, pattern, &record, log.level, time);
            measures.iter_mut().for_each(|measure| measure.see(&record));
        }
    }
}

fn count_message(
    frequent: &mut Frequent,
    pattern: &mut Vec<u8>,
    record: &Record<'_, '_>,
    level: Option<Level>,
    time: Option<Instant>,
) {
    pattern.clear();
    pattern::write(&record.text(), pattern);
    frequent.add(pattern, level, time);
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

#[cfg(test)]
mod tests;
