//! Keeps the memory for held lines bounded: moves them to runs, and merges runs so that there are never many.

use std::{
    collections::{BinaryHeap, binary_heap::PeekMut},
    io,
};

use super::{
    held::{Head, Held, Placed, Source},
    record,
    run::Writer,
};

/// So many runs of one level are merged into one of the next.
const FAN_IN: usize = 16;

/// Up to so many lanes there may be four times as many bytes in memory, since they cost little otherwise: streams that
/// advance unevenly rarely need files then, which would cost as much as the merge.
const FEW: u32 = 1000;

/// Bytes that are moved without a pause.
const STEP: usize = 512 << 10;

/// Moves records to files.
#[derive(Debug)]
pub struct Spool {
    /// The most bytes in memory with many lanes.
    budget: usize,
    job: Option<Job>,
    /// Whether nothing can be written any more.
    broken: bool,
    runs: u32,
    open: fn() -> io::Result<Writer>,
}

/// Sources that are merged into one run.
#[derive(Debug)]
struct Job {
    from: BinaryHeap<Head>,
    into: Writer,
    age: i64,
    level: u32,
}

/// The state after a step.
#[derive(Debug)]
pub enum Step {
    /// There is nothing to do.
    Rest,
    More,
    /// A part of what was in memory is in a run now.
    Moved(u32),
    /// Nothing more can be written. Nothing is lost.
    Full(io::Error),
    /// The records of a run cannot be read.
    Lost(io::Error),
}

impl Spool {
    pub fn new(budget: usize) -> Spool {
        Spool { budget, job: None, broken: false, runs: 0, open: Writer::new }
    }

    /// Whether records are being moved: their heads are not among the others.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Whether there is too much in memory, and no room elsewhere.
    pub fn is_out_of_room(&self, held: &Held) -> bool {
        self.broken && self.is_over_budget(held)
    }

    fn is_over_budget(&self, held: &Held) -> bool {
        held.memory / if held.lanes.count() <= FEW { 4 } else { 1 } > self.budget
    }

    /// Does a part of the work that is due. The heads of what is moved leave `heads` meanwhile.
    pub fn step(&mut self, held: &mut Held, heads: &mut BinaryHeap<Head>) -> Step {
        let Some(mut job) = self.job.take() else { return self.begin(held, heads) };
        let mut failed = None;
        let mut moved = 0;
        while moved < STEP
            && failed.is_none()
            && let Some(mut head) = job.from.peek_mut()
        {
            let source = head.source;
            let bytes = held.bytes(source);
            let size = record::size(bytes).unwrap_or(bytes.len());
            moved += size;
            failed = job.into.push(&bytes[..size]).err().map(Step::Full);
            let lost = held.advance(source).err();
            if lost.is_some() || !held.renew(&mut head) {
                PeekMut::pop(head);
                if let Source::Run(run) = source {
                    held.runs.remove(&run);
                }
            }
            failed = lost.map(Step::Lost).or(failed);
        }
        if failed.is_none() && !job.from.is_empty() {
            self.job = Some(job);
            return Step::More;
        }
        self.broken |= matches!(failed, Some(Step::Full(_)));
        let finished = self.finish(job, held, heads);
        failed.or(finished.err().map(Step::Lost)).unwrap_or(Step::Moved(self.runs))
    }

    fn begin(&mut self, held: &mut Held, heads: &mut BinaryHeap<Head>) -> Step {
        if self.broken {
            return Step::Rest;
        }
        let Some((is_moved, age, level)) = self.due(held) else { return Step::Rest };
        let into = match (self.open)() {
            Ok(into) => into,
            Err(error) => {
                self.broken = true;
                return Step::Full(error);
            }
        };
        let (from, others) = std::mem::take(heads).into_iter().partition(|head| is_moved(head.source));
        *heads = others;
        self.job = Some(Job { from, into, age, level });
        Step::More
    }

    /// Chooses the sources to merge, and the age and the level of the result.
    fn due(&self, held: &Held) -> Option<(impl Fn(Source) -> bool + use<>, i64, u32)> {
        let mut by_age: Vec<(i64, u32, u32)> =
            held.runs.iter().map(|(&run, placed)| (placed.age, placed.level, run)).collect();
        by_age.sort_unstable();
        let level = by_age.last().map_or(0, |&(_, level, _)| level);
        let same = by_age.iter().rev().take_while(|(_, other, _)| *other == level).count();
        let merged = &by_age[by_age.len() - same..];
        let (runs, age, level) = match merged.first() {
            // Older than what may be left of them if there is no room.
            Some((age, ..)) if same >= FAN_IN => {
                (merged.iter().map(|(.., run)| *run).collect(), age - 1, level + 1)
            }
            // Merged ones are one older a level; no one has that many.
            _ if self.is_over_budget(held) => (Vec::new(), i64::from(self.runs + 1) << 8, 0),
            _ => return None,
        };
        let is_moved = move |source| match source {
            Source::Lane(_) => runs.is_empty(),
            Source::Run(run) => runs.contains(&run),
        };
        Some((is_moved, age, level))
    }

    fn finish(&mut self, job: Job, held: &mut Held, heads: &mut BinaryHeap<Head>) -> io::Result<()> {
        let Job { from, into, age, level } = job;
        heads.extend(from);
        self.runs += 1;
        let (number, run) = (self.runs, into.finish()?);
        held.runs.insert(number, Placed { run, age, level });
        match held.head(Source::Run(number)) {
            Some(head) => heads.push(head),
            None => drop(held.runs.remove(&number)),
        }
        Ok(())
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    impl Spool {
        /// The same with files that have no room.
        pub fn full(self) -> Spool {
            Spool { open: || Ok(Writer::full()), ..self }
        }

        /// The same without a directory for files.
        pub fn without_directory(self) -> Spool {
            Spool { open: || Err(io::ErrorKind::NotFound.into()), ..self }
        }
    }
}
