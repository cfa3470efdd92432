//! `--multiline`: holds the lines of a record until all of them have come.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;

use super::Records;
use crate::{
    event::{self, Batch, Event, Item, Line},
    origin::Origin,
};

/// How long a record waits for its next line.
const WAIT: Duration = Duration::from_millis(100);

/// The most lines and bytes of a record that are held, and the bytes of all records together.
const LINES: usize = 500;
const BYTES: usize = 256 << 10;
const ALL: usize = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// How records pass that are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathering {
    /// As one message of several lines.
    Joined,
    /// Line by line, all in one batch.
    Whole,
}

/// Holds the last record of each log.
pub struct Gather {
    gathering: Gathering,
    /// By the origin's address, which is not reused while the origin is kept.
    logs: HashMap<usize, Log>,
    /// When records are due, in order; those that were renewed stand again behind.
    due: VecDeque<(Instant, usize)>,
    /// Bytes that are held.
    bytes: usize,
    /// The events that may go on.
    ready: VecDeque<Event>,
}

/// The record of one log that is being read.
struct Log {
    origin: Arc<Origin>,
    records: Records,
    /// Its lines so far, with newlines between them.
    data: Vec<u8>,
    lines: Vec<Line>,
    due: Instant,
    /// Events that may not overtake them.
    behind: Vec<Event>,
}

impl Gather {
    pub fn new(gathering: Gathering) -> Gather {
        Gather {
            gathering,
            logs: HashMap::new(),
            due: VecDeque::new(),
            bytes: 0,
            ready: VecDeque::new(),
        }
    }

    /// Takes an event; it is ready at once, or later.
    pub fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::Batch(batch) => self.batch(batch, now),
            Event::Reached(ref origin, _) | Event::CaughtUp(ref origin) => {
                match self.logs.get_mut(&address(origin)).filter(|log| !log.lines.is_empty()) {
                    Some(log) => log.wait(event),
                    None => self.ready.push_back(event),
                }
            }
            Event::Opened(ref origin, _) | Event::Closed(ref origin, _) => {
                let key = address(origin);
                self.release(key);
                self.logs.remove(&key);
                self.ready.push_back(event);
            }
            Event::Expected(_) | Event::Listed | Event::Merged(_) | Event::Notice(_) | Event::Text(_) => {
                self.ready.push_back(event);
            }
        }
    }

    /// The next event that may go on.
    pub fn ready(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// When the next record is due.
    pub fn due(&mut self) -> Option<Instant> {
        loop {
            let &(due, key) = self.due.front()?;
            match self.logs.get(&key) {
                Some(log) if log.due == due && !log.lines.is_empty() => return Some(due),
                _ => self.due.pop_front(),
            };
        }
    }

    /// Lets the records go on that are due.
    pub fn pass(&mut self, now: Instant) {
        while let Some(due) = self.due()
            && due <= now
            && let Some((_, key)) = self.due.pop_front()
        {
            self.release(key);
        }
    }

    /// Lets all records go on: no more lines come.
    pub fn close(&mut self) {
        while let Some((_, key)) = self.due.pop_front() {
            self.release(key);
        }
    }

    fn batch(&mut self, batch: Batch, now: Instant) {
        let Self { gathering, logs, due, bytes, ready } = self;
        let key = address(&batch.origin);
        let log = logs.entry(key).or_insert_with(|| Log::new(batch.origin.clone(), now));
        let mut out = Out::behind(&batch, *gathering);
        let before = log.data.len();
        for item in &batch.items {
            let Item::Line(line) = item else {
                log.give(&mut out);
                log.records = Records::default();
                out.items.push(*item);
                continue;
            };
            let message = batch.message(line);
            if !log.records.continues(line.time, message) {
                log.give(&mut out);
            }
            match message {
                // Nothing belongs to JSON in one line.
                [b'{', _, ..] => out.items.push(*item),
                _ => log.hold(line.time, message),
            }
            if log.lines.len() >= LINES || log.data.len() >= BYTES {
                log.give(&mut out);
            }
        }
        *bytes = *bytes - before + log.data.len();
        let passed = out.finish(batch);
        if !passed.items.is_empty() {
            ready.push_back(Event::Batch(passed));
            ready.extend(log.behind.drain(..));
        }
        if !log.lines.is_empty() {
            log.due = now + WAIT;
            due.push_back((log.due, key));
        }
        while self.bytes > ALL
            && let Some((&largest, _)) = self.logs.iter().max_by_key(|(_, log)| log.data.len())
        {
            self.release(largest);
        }
    }

    /// Lets the record of a log go on.
    fn release(&mut self, key: usize) {
        let Some(log) = self.logs.get_mut(&key).filter(|log| !log.lines.is_empty()) else { return };
        self.bytes -= log.data.len();
        let batch = Batch {
            origin: log.origin.clone(),
            data: Default::default(),
            items: Vec::new(),
            rest: None,
        };
        let mut out = Out::behind(&batch, self.gathering);
        log.give(&mut out);
        self.ready.push_back(Event::Batch(out.finish(batch)));
        self.ready.extend(log.behind.drain(..));
    }
}

impl Log {
    fn new(origin: Arc<Origin>, now: Instant) -> Log {
        Log {
            origin,
            records: Records::default(),
            data: Vec::new(),
            lines: Vec::new(),
            due: now,
            behind: Vec::new(),
        }
    }

    /// Of several that say how far the log was read, the last is enough.
    fn wait(&mut self, event: Event) {
        if let Event::Reached(..) = event {
            self.behind.retain(|other| !matches!(other, Event::Reached(..)));
        }
        self.behind.push(event);
    }

    fn hold(&mut self, time: Option<event::Instant>, message: &[u8]) {
        if !self.lines.is_empty() {
            self.data.push(b'\n');
        }
        let start = self.data.len() as u32;
        self.data.extend_from_slice(message);
        self.lines.push(Line { time, start, end: self.data.len() as u32 });
    }

    /// Moves the record behind what passes.
    fn give(&mut self, out: &mut Out) {
        let Some(first) = self.lines.first() else { return };
        let base = out.base + out.data.len() as u32;
        let moved = |line: &Line| {
            Item::Line(Line { start: base + line.start, end: base + line.end, ..*line })
        };
        match out.gathering {
            Gathering::Joined => {
                out.items.push(moved(&Line { end: self.data.len() as u32, ..*first }));
            }
            Gathering::Whole => out.items.extend(self.lines.iter().map(moved)),
        }
        out.data.extend_from_slice(&self.data);
        self.lines.clear();
        self.data.clear();
        // A long record leaves no memory behind.
        self.data.shrink_to(BYTES / 16);
    }
}

/// What passes of a batch: lines of its own, and behind its data those that were held.
struct Out {
    gathering: Gathering,
    base: u32,
    data: BytesMut,
    items: Vec<Item>,
}

impl Out {
    fn behind(batch: &Batch, gathering: Gathering) -> Out {
        Out { gathering, base: batch.data.len() as u32, data: BytesMut::new(), items: Vec::new() }
    }

    fn finish(self, batch: Batch) -> Batch {
        let data = match self.data.is_empty() {
            true => batch.data,
            false => {
                let mut both = BytesMut::with_capacity(batch.data.len() + self.data.len());
                both.extend_from_slice(&batch.data);
                both.extend_from_slice(&self.data);
                both.freeze()
            }
        };
        Batch { data, items: self.items, ..batch }
    }
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}
