//! `--redact`: replaces personal data and secrets before anything leaves the program.
//!
//! A first pass over a whole batch ([`scout`]) finds the places where a value might be. Each kind has a file that
//! judges such a place ([`mail`], [`number`], [`pair`] and so on), in the text that a person reads ([`view`]), however
//! it is written.

mod account;
mod address;
mod auth;
mod beside;
mod body;
mod check;
mod context;
#[cfg(fuzzing)]
pub mod fuzz;
mod jwt;
mod line;
mod mail;
pub mod mask;
mod nothing;
mod number;
mod origins;
mod own;
mod pair;
mod pem;
mod phone;
mod provider;
mod scout;
mod view;
mod words;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;
use memchr::memmem;

use crate::{
    event::{Batch, Event, Item, Line, Merged, Stretch},
    notice::{Notice, Scope},
    origin::Origin,
    pace::Pace,
    plan::redact::{KINDS, RedactPlan},
};
use line::{Detector, Hit, Label};
use scout::{Candidate, Sign, Word};
use view::View;

/// Larger batches are searched line by line.
const AT_ONCE: usize = 1 << 20;

const HARD: &str =
    "a line is too hard to search for --redact: all of such a line that could not be searched is hidden";

/// How often a line is searched again.
const AGAIN: usize = 8;

pub struct Redactor {
    detector: Detector,
    keys: pem::Lines,
    /// The candidates in the data that was searched last.
    candidates: Vec<Candidate>,
    /// That data, which is kept so that its place in memory is not used again meanwhile.
    searched: Option<Bytes>,
    /// The lines to look at.
    jobs: Vec<Job>,
    counts: BTreeMap<Label, u64>,
    origins: origins::Origins,
    /// Of lines that could not be searched, and not reported yet.
    hard: Vec<Arc<Origin>>,
    reported: Vec<Arc<Origin>>,
}

/// An item to look at, and the candidates in it.
struct Job {
    item: u32,
    candidates: Range<u32>,
}

impl Redactor {
    pub fn new(plan: &RedactPlan) -> Redactor {
        Redactor {
            detector: Detector::new(plan),
            keys: pem::Lines::default(),
            candidates: Vec::new(),
            searched: None,
            jobs: Vec::new(),
            counts: BTreeMap::new(),
            origins: origins::Origins::default(),
            hard: Vec::new(),
            reported: Vec::new(),
        }
    }

    /// Remembers the lines of private keys, which no filter may part from their first line.
    pub fn look(&mut self, batch: &Batch) {
        let origin = &batch.origin;
        let mut begins: Vec<usize> = Vec::new();
        if batch.data.len() <= AT_ONCE {
            self.scout(&batch.data);
            self.searched = Some(batch.data.clone());
            let is_key = |candidate: &&Candidate| candidate.sign == Sign::Word(Word::Pem);
            begins.extend(self.candidates.iter().filter(is_key).map(|candidate| candidate.at as usize));
        } else if self.detector.hides_keys() {
            begins.extend(memmem::find_iter(&batch.data, pem::BEGIN));
        }
        let has_gap = || batch.items.iter().any(|item| matches!(item, Item::Gap(_)));
        if !self.detector.hides_keys() || begins.is_empty() && !self.keys.is_open(origin) && !has_gap() {
            return;
        }
        for item in &batch.items {
            let line = match item {
                Item::Line(line) => line,
                Item::Gap(_) => {
                    self.keys.gap(origin);
                    continue;
                }
                Item::Separator => continue,
            };
            let message = batch.message(line);
            if self.keys.is_open(origin) {
                for line in message.split(|byte| *byte == b'\n') {
                    self.keys.look(origin, line);
                }
            }
            let (start, end) = (line.start as usize, line.end as usize);
            let first = begins.partition_point(|at| *at < start);
            for at in begins[first..].iter().take_while(|at| **at < end) {
                let view = View::new(&message[at - start..]);
                if pem::find(view.text(), 0).is_some_and(|(_, is_whole)| !is_whole) {
                    self.keys.begin(origin);
                }
            }
        }
    }

    /// Hides what is shown beside lines: of the labels and annotations of their pod.
    pub fn beside(&mut self, event: &mut Event) {
        let closed = match event {
            Event::Closed(origin, _) => Some(origin.clone()),
            _ => None,
        };
        let Redactor { origins, detector, .. } = self;
        event.origins_mut(|origin| *origin = origins.shown(origin, detector));
        if let Some(origin) = closed {
            self.keys.forget(&origin);
            self.origins.forget(&origin);
            self.reported.retain(|reported| !Arc::ptr_eq(reported, &origin));
        }
    }

    /// What is to be reported since this was last asked.
    pub fn news(&mut self) -> Vec<Notice> {
        let Redactor { hard, reported, .. } = self;
        let mut news = Vec::new();
        for origin in hard.drain(..) {
            if !reported.iter().any(|reported| Arc::ptr_eq(reported, &origin)) {
                news.push(Scope::of(&origin).warning(HARD));
                reported.push(origin);
            }
        }
        news
    }

    /// The batch with masks; None: it has nothing to hide.
    pub async fn batch(&mut self, batch: &Batch, pace: &mut Pace) -> Option<Batch> {
        let is_searched = match self.searched.take() {
            Some(data) if data.as_ptr() == batch.data.as_ptr() && data.len() == batch.data.len() => true,
            _ => self.scout(&batch.data),
        };
        let (data, items) = self.stretch(batch.stretch(), is_searched, pace).await?;
        Some(Batch { origin: batch.origin.clone(), data: data.into(), items, rest: batch.rest.clone() })
    }

    /// The same for lines of several origins.
    pub async fn merged(&mut self, merged: &Merged, pace: &mut Pace) -> Option<Merged> {
        self.searched = None;
        let data = merged.stretches().next().map_or(&[][..], |stretch| stretch.data);
        let is_searched = self.scout(data);
        let mut rewritten = Vec::new();
        for stretch in merged.stretches() {
            rewritten.push(self.stretch(stretch, is_searched, pace).await);
        }
        if rewritten.iter().all(Option::is_none) {
            return None;
        }
        let mut all = Merged::default();
        for (stretch, rewritten) in merged.stretches().zip(&rewritten) {
            let stretch = match rewritten {
                Some((data, items)) => Stretch { data, items, ..stretch },
                None => stretch,
            };
            for item in stretch.items {
                match item {
                    Item::Line(line) => all.line(stretch.origin, line.time, stretch.message(line)),
                    Item::Gap(_) | Item::Separator => all.item(stretch.origin, *item),
                }
            }
        }
        Some(all)
    }

    /// Appends a message with masks. False: it has nothing to hide.
    #[cfg(any(test, fuzzing))]
    pub fn message(&mut self, message: &[u8], out: &mut Vec<u8>) -> bool {
        masked(&mut self.detector, &mut self.counts, message, out)
    }

    /// Finds the candidates in data. False: it is too large for that.
    fn scout(&mut self, data: &[u8]) -> bool {
        self.candidates.clear();
        let is_small = data.len() <= AT_ONCE;
        if is_small {
            self.detector.scout().find(data, &mut self.candidates);
        }
        is_small
    }

    /// The data and items with masks; None: there is nothing to hide.
    async fn stretch(
        &mut self,
        stretch: Stretch<'_>,
        is_searched: bool,
        pace: &mut Pace,
    ) -> Option<(Vec<u8>, Vec<Item>)> {
        self.jobs(stretch, is_searched);
        // Lines that change, behind one another, with their places.
        let (mut written, mut changed) = (Vec::new(), Vec::new());
        let mut next = 0;
        while next < self.jobs.len() {
            let end = next + pace.piece(self.jobs.len() - next);
            for job in next..end {
                let start = written.len();
                let item = self.jobs[job].item as usize;
                if self.rewrite(stretch, job, is_searched, &mut written) {
                    changed.push((item, start..written.len()));
                }
            }
            pace.done().await;
            next = end;
        }
        if changed.is_empty() {
            return None;
        }
        let before = stretch.data.len();
        let mut data = Vec::with_capacity(before + written.len());
        data.extend_from_slice(stretch.data);
        data.extend_from_slice(&written);
        let mut items = stretch.items.to_vec();
        for (item, place) in changed {
            if let Item::Line(line) = &mut items[item] {
                (line.start, line.end) = ((before + place.start) as u32, (before + place.end) as u32);
            }
        }
        Some((data, items))
    }

    /// Chooses the lines to look at: those with candidates, unless others may have something to hide too.
    fn jobs(&mut self, stretch: Stretch<'_>, is_searched: bool) {
        let Redactor { detector, keys, candidates, jobs, .. } = self;
        jobs.clear();
        let all = !is_searched || detector.looks_at_all() || keys.has_any();
        if !all && candidates.is_empty() {
            return;
        }
        for (index, item) in stretch.items.iter().enumerate() {
            let Item::Line(line) = item else { continue };
            let first = candidates.partition_point(|candidate| candidate.at < line.start);
            let count = candidates[first..].partition_point(|candidate| candidate.at < line.end);
            if all || count > 0 {
                let candidates = first as u32..(first + count) as u32;
                jobs.push(Job { item: index as u32, candidates });
            }
        }
    }

    /// Appends the line of a job with masks. False: it has nothing to hide.
    fn rewrite(
        &mut self,
        stretch: Stretch<'_>,
        job: usize,
        is_searched: bool,
        written: &mut Vec<u8>,
    ) -> bool {
        let Redactor { detector, keys, candidates, jobs, counts, hard, .. } = self;
        let Job { item, candidates: range } = &jobs[job];
        let Item::Line(line @ Line { start, .. }) = &stretch.items[*item as usize] else {
            return false;
        };
        let message = stretch.message(line);
        let known = if keys.has_any() { keys.places(stretch.origin, message) } else { Vec::new() };
        let candidates = &candidates[range.start as usize..range.end as usize];
        let hits = detector.search(message, is_searched.then_some((candidates, *start)), known);
        if hits.iter().any(|hit| hit.label == Label::Unsearched)
            && !hard.iter().any(|known| Arc::ptr_eq(known, stretch.origin))
        {
            hard.push(stretch.origin.clone());
        }
        let any = count(counts, hits);
        if any {
            let before = written.len();
            write(detector, counts, message, written);
            // Places have 32 bits.
            if stretch.data.len() + written.len() > u32::MAX as usize {
                written.truncate(before);
                written.extend_from_slice(mask::SECRET.as_bytes());
            }
        }
        any
    }

    /// What is to be reported at the end.
    pub fn last_words(&self) -> Notice {
        let order = |label: &Label| match label {
            Label::Own(index) => *index,
            Label::Kind(kind) => 1000 + KINDS.iter().position(|(known, _)| known == kind).unwrap_or(0),
            Label::Unsearched => 2000,
        };
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(label, _)| order(label));
        let counts: Vec<_> =
            counts.iter().map(|(label, count)| format!("{count} {}", self.detector.name(**label))).collect();
        let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
        Scope::Run.info(format!("redacted: {counts}"))
    }
}

/// Appends a text with masks. False: it has nothing to hide.
fn masked(
    detector: &mut Detector,
    counts: &mut BTreeMap<Label, u64>,
    text: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    let any = count(counts, detector.search(text, None, Vec::new()));
    if any {
        write(detector, counts, text, out);
    }
    any
}

/// Appends a line that was searched with masks. A mask may set free what stood beside the value: that is masked too, so
/// that the line stays as it is when it is redacted again.
fn write(detector: &mut Detector, counts: &mut BTreeMap<Label, u64>, line: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    detector.write(line, out);
    for _ in 0..AGAIN {
        let written = out.split_off(start);
        let any = count(counts, detector.search(&written, None, Vec::new()));
        detector.write(&written, out);
        if !any {
            break;
        }
    }
}

/// Counts hits; whether there are any.
fn count(counts: &mut BTreeMap<Label, u64>, hits: &[Hit]) -> bool {
    hits.iter().for_each(|hit| *counts.entry(hit.label).or_default() += 1);
    !hits.is_empty()
}

#[cfg(test)]
mod tests;
