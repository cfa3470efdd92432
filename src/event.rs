//! Events: everything that travels from sources to sinks, in order for each origin.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::{notice::Notice, origin::Origin, platform::files::read_at};

/// Every instance of a container sends first `Expected` and last `Closed`, once each, and `Opened` before its lines.
#[derive(Debug)]
pub enum Event {
    /// Lines of this origin may come, however long it takes.
    Expected(Arc<Origin>),
    /// Every container that existed at the start is expected.
    Listed,
    /// Lines of this origin follow: of another instance of it, if there was a restart.
    Opened(Arc<Origin>, Option<Restart>),
    Batch(Batch),
    /// Lines of several origins in their final order. Only an order gives these.
    Merged(Merged),
    /// All lines of this origin written before this instant have been sent, as far as the clocks of its node and the
    /// apiserver agree: an ordering that waits for this origin can continue.
    Reached(Arc<Origin>, Instant),
    /// The lines that this origin wrote before the program read it have been sent: it is followed from now on.
    CaughtUp(Arc<Origin>),
    /// No more lines follow.
    Closed(Arc<Origin>, Closed),
    /// A message for the user that has no position among lines.
    Notice(Notice),
    /// Complete lines for standard output that do not come from a log.
    Text(String),
}

impl Event {
    /// Gives the origins of an event, to be replaced by others that stand for them.
    pub fn origins_mut(&mut self, mut give: impl FnMut(&mut Arc<Origin>)) {
        match self {
            Event::Expected(origin)
            | Event::Opened(origin, _)
            | Event::Reached(origin, _)
            | Event::CaughtUp(origin)
            | Event::Closed(origin, _) => give(origin),
            Event::Batch(batch) => give(&mut batch.origin),
            Event::Merged(merged) => merged.ends.iter_mut().for_each(|(origin, _)| give(origin)),
            Event::Listed | Event::Notice(_) | Event::Text(_) => {}
        }
    }
}

/// The end of an origin, or of one instance of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub reason: Reason,
    /// Whether it was opened, so that people know of it.
    pub opened: bool,
    /// Whether everything available was read.
    pub complete: bool,
    /// Number of restarts before this instance.
    pub restart_count: u32,
}

/// The reason why no more lines come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Everything requested was shown (`--no-follow`, `--previous`, end of standard input).
    Finished,
    /// The container terminated.
    Terminated(Ending),
    /// The pod was deleted.
    Deleted,
    /// The pod no longer meets `--condition`, or left the selection.
    Dropped,
    /// It could not be read; a notice gave the reason.
    Failed,
}

/// The end of a container instance, as far as known.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ending {
    /// For example `OOMKilled`; empty if unknown.
    pub reason: String,
    pub exit_code: Option<i64>,
    /// In whole seconds.
    pub finished: Option<Timestamp>,
    /// Whether its pod was being deleted.
    pub deleting: bool,
}

/// A restart between an instance of an origin that was shown and the next one, as far as known.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Restart {
    /// How the instance before ended.
    pub ending: Ending,
    /// How long it ran, in whole seconds.
    pub ran: Option<SignedDuration>,
    /// The number of instances in between that are not shown.
    pub skipped: u32,
    /// The instant from which the lines before this event were written after the restart: the node did not tell in time
    /// whose they were.
    pub lines_since: Option<Instant>,
}

/// Nanoseconds since the Unix epoch, as stamped by the container runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl From<Timestamp> for Instant {
    /// Instants beyond the year 2262 become the largest value, and those before 1677 the smallest.
    fn from(time: Timestamp) -> Self {
        let nanoseconds = time.as_nanosecond().clamp(i64::MIN.into(), i64::MAX.into());
        Self(nanoseconds as i64)
    }
}

/// One log line: its time, and the position of its message in [`Batch::data`] (without newline).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// None on standard input, whose lines have no time.
    pub time: Option<Instant>,
    pub start: u32,
    pub end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Line(Line),
    Gap(Gap),
    /// Lines between its neighbours are not shown, which a text format marks.
    Separator,
}

/// Lines that may be missing. The instants are those of the neighbouring lines; None: no such line, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Between two lines.
    Between(Option<Instant>, Option<Instant>),
    /// After this line: the rest of the log could not be read.
    Behind(Option<Instant>),
    /// After this line, if there were more: the log was removed before its end could be checked.
    Unchecked(Option<Instant>),
}

impl Gap {
    /// The instants after and before which lines are missing.
    pub fn bounds(self) -> [Option<Instant>; 2] {
        match self {
            Self::Between(after, before) => [after, before],
            Self::Behind(after) | Self::Unchecked(after) => [after, None],
        }
    }
}

/// The lines of one read of one origin.
#[derive(Debug, Clone)]
pub struct Batch {
    pub origin: Arc<Origin>,
    pub data: Bytes,
    pub items: Vec<Item>,
    /// The rest of the only line in the batch, if it is too long for memory.
    pub rest: Option<Spool>,
}

impl Batch {
    /// The bytes of a line's message.
    pub fn message(&self, line: &Line) -> &[u8] {
        &self.data[line.start as usize..line.end as usize]
    }
    /// All its items.
    pub fn stretch(&self) -> Stretch<'_> {
        Stretch { origin: &self.origin, data: &self.data, items: &self.items }
    }
    /// Keeps only the items with these indices, in ascending order.
    pub fn keep(&mut self, indices: &[u32]) {
        for (to, &from) in indices.iter().enumerate() {
            self.items[to] = self.items[from as usize];
        }
        self.items.truncate(indices.len());
    }
}

/// Items of one origin that are shown one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    pub origin: &'a Arc<Origin>,
    pub data: &'a [u8],
    pub items: &'a [Item],
}

impl<'a> Stretch<'a> {
    /// The bytes of a line's message.
    pub fn message(&self, line: &Line) -> &'a [u8] {
        &self.data[line.start as usize..line.end as usize]
    }

    /// The first `count` items, at most all, and the others.
    pub fn split(self, count: usize) -> (Self, Self) {
        let (first, others) = self.items.split_at(count.min(self.items.len()));
        (Self { items: first, ..self }, Self { items: others, ..self })
    }
}

/// Lines of several origins in one sequence.
#[derive(Debug, Default)]
pub struct Merged {
    data: Vec<u8>,
    items: Vec<Item>,
    /// The origins of the items, each with the index behind its last one.
    ends: Vec<(Arc<Origin>, usize)>,
}

impl Merged {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The number of its items.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// The number of bytes of its messages.
    pub fn size(&self) -> usize {
        self.data.len()
    }

    pub fn line(&mut self, origin: &Arc<Origin>, time: Option<Instant>, message: &[u8]) {
        let start = self.data.len() as u32;
        self.data.extend_from_slice(message);
        self.item(origin, Item::Line(Line { time, start, end: self.data.len() as u32 }));
    }

    /// Keeps the first `count` items.
    pub fn truncate(&mut self, count: usize) {
        self.items.truncate(count);
        let first = self.ends.iter().position(|(_, end)| *end >= count).map_or(0, |at| at + 1);
        self.ends.truncate(first);
        if let Some((_, end)) = self.ends.last_mut() {
            *end = count;
        }
    }

    /// Adds an item that has no message.
    pub fn item(&mut self, origin: &Arc<Origin>, item: Item) {
        self.items.push(item);
        match self.ends.last_mut() {
            Some((last, end)) if Arc::ptr_eq(last, origin) => *end = self.items.len(),
            _ => self.ends.push((origin.clone(), self.items.len())),
        }
    }

    /// Its parts of one origin each, in order.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |(origin, end)| {
            let items = &self.items[start..*end];
            start = *end;
            Stretch { origin, data: &self.data, items }
        })
    }
}

/// The rest of a line that is too long for memory, in a file without a name.
#[derive(Debug, Clone)]
pub struct Spool(Arc<File>);

impl Spool {
    pub fn new(file: File) -> Spool {
        Spool(file.into())
    }

    /// Shortens the rest to this many bytes. Returns the number that is left.
    pub fn cut(&self, at_most: u64) -> io::Result<u64> {
        let length = self.0.metadata()?.len().min(at_most);
        self.0.set_len(length)?;
        Ok(length)
    }

    /// Reads from the start of the rest. Readers do not disturb one another.
    pub fn reader(&self) -> impl Read {
        FromStart { file: &self.0, at: 0 }
    }
}

struct FromStart<'f> {
    file: &'f File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
