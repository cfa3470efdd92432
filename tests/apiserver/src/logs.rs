//! The log of one container instance, and the kubelet's way to read it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use tokio::sync::{Notify, futures::OwnedNotified};

use crate::{clock::Clock, lock};

/// `2026-01-31T10:00:00.000000000Z `
const STAMP: usize = 31;

/// Writes to the log of one container instance. Cheap to clone; may outlive the instance.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    clock: Clock,
    written: Arc<Notify>,
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    /// All entries as they are sent with `timestamps=true`.
    data: Vec<u8>,
    entries: VecDeque<Entry>,
    /// Bytes and entries that were dropped before the first of `data` and `entries`.
    dropped_bytes: u64,
    dropped_entries: u64,
    /// The first entry that a new reader sees; older ones are in a rotated file.
    rotated: u64,
    /// How often the followers were silenced.
    silences: u64,
    unterminated: bool,
    ended: bool,
    second: (i64, String),
}

/// One write of the container, normally a line.
struct Entry {
    start: u64,
    /// Nanoseconds since the Unix epoch; None for a message that is not from the container.
    time: Option<i64>,
    /// Length of the leading timestamp in bytes; 0 if the entry has none.
    stamp: u8,
}

/// An instant, given as RFC 3339 text or as a [`Timestamp`].
pub trait IntoInstant {
    fn into_instant(self) -> Timestamp;
}

impl IntoInstant for Timestamp {
    fn into_instant(self) -> Timestamp {
        self
    }
}

impl IntoInstant for &str {
    fn into_instant(self) -> Timestamp {
        self.parse().unwrap_or_else(|error| panic!("{self:?} is not an RFC 3339 instant: {error}"))
    }
}

impl Log {
    pub(crate) fn new(clock: Clock) -> Self {
        Log(Arc::new(Shared { clock, written: Arc::default(), buffer: Mutex::default() }))
    }

    /// Writes a line of any bytes with the current timestamp, and a newline.
    pub fn push(&self, line: impl AsRef<[u8]>) -> &Self {
        let now = self.0.clock.now();
        self.write(|buffer| buffer.line(now, line.as_ref()))
    }

    /// Writes a line with this timestamp.
    pub fn push_at(&self, at: impl IntoInstant, line: impl AsRef<[u8]>) -> &Self {
        let at = at.into_instant();
        self.write(|buffer| buffer.line(at, line.as_ref()))
    }

    /// Writes many lines at once, from the current timestamp on, each a nanosecond after the previous one.
    pub fn extend<L: AsRef<[u8]>>(&self, lines: impl IntoIterator<Item = L>) -> &Self {
        let now = self.0.clock.now();
        self.lines_at(now, 1, lines)
    }

    /// Writes many lines at once; the first is stamped `start`, the others follow in steps of `step` nanoseconds.
    pub fn lines_at<L: AsRef<[u8]>>(
        &self,
        start: impl IntoInstant,
        step: i64,
        lines: impl IntoIterator<Item = L>,
    ) -> &Self {
        let start = nanoseconds(start.into_instant());
        self.write(|buffer| {
            for (n, line) in lines.into_iter().enumerate() {
                buffer.line(instant(start + n as i64 * step), line.as_ref());
            }
        })
    }

    /// Writes bytes without adding a newline: the next write may continue the line.
    /// (A runtime splits long lines into such parts.)
    pub fn push_raw(&self, bytes: impl AsRef<[u8]>) -> &Self {
        let now = self.0.clock.now();
        self.write(|buffer| buffer.entry(now, bytes.as_ref()))
    }

    /// Inserts a message of the kubelet among the lines. It never has a timestamp.
    pub fn push_kubelet_error(&self, text: impl AsRef<[u8]>) -> &Self {
        self.write(|buffer| {
            buffer.begin(None, 0);
            buffer.data.extend_from_slice(text.as_ref());
            buffer.data.push(b'\n');
        })
    }

    /// Rotates the log: followers continue, and new readers see only later lines.
    pub fn rotate(&self) -> &Self {
        self.write(|buffer| {
            let older = buffer.rotated;
            buffer.rotated = buffer.end();
            buffer.drop_before(older);
        })
    }

    /// Sends nothing more to the current followers, and no end either. (Some kubelets do this to followers after a
    /// rotation.)
    pub fn silence_followers(&self) -> &Self {
        self.write(|buffer| buffer.silences += 1)
    }

    /// The number of entries (normally lines) that were written.
    pub fn written(&self) -> u64 {
        lock(&self.0.buffer).end()
    }

    /// Ends the instance: followers read the rest and then the end.
    pub(crate) fn end(&self) {
        self.write(|buffer| buffer.ended = true);
    }

    fn write(&self, change: impl FnOnce(&mut Buffer)) -> &Self {
        change(&mut lock(&self.0.buffer));
        self.0.written.notify_waiters();
        self
    }
}

fn instant(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).expect("every i64 of nanoseconds is an instant")
}

/// Nanoseconds since the Unix epoch, clamped to the range of `i64`.
pub(crate) fn nanoseconds(at: Timestamp) -> i64 {
    let at = at.as_nanosecond();
    i64::try_from(at).unwrap_or(if at < 0 { i64::MIN } else { i64::MAX })
}

impl Buffer {
    fn end(&self) -> u64 {
        self.dropped_entries + self.entries.len() as u64
    }

    fn line(&mut self, at: Timestamp, line: &[u8]) {
        self.entry(at, line);
        self.data.push(b'\n');
        self.unterminated = false;
    }

    fn entry(&mut self, at: Timestamp, bytes: &[u8]) {
        let stamp = if self.unterminated { 0 } else { STAMP as u8 };
        self.begin(Some(nanoseconds(at)), stamp);
        if stamp > 0 {
            self.stamp(at);
        }
        self.data.extend_from_slice(bytes);
        self.unterminated = !bytes.ends_with(b"\n");
    }

    fn begin(&mut self, time: Option<i64>, stamp: u8) {
        let start = self.dropped_bytes + self.data.len() as u64;
        self.entries.push_back(Entry { start, time, stamp });
    }

    fn stamp(&mut self, at: Timestamp) {
        // Formatting a date costs more than the rest of a line, and the second seldom changes.
        let mut nanosecond = at.subsec_nanosecond();
        let mut second = at.as_second();
        if nanosecond < 0 {
            nanosecond += 1_000_000_000;
            second -= 1;
        }
        if self.second.0 != second || self.second.1.is_empty() {
            self.second = (second, at.strftime("%Y-%m-%dT%H:%M:%S.").to_string());
        }
        self.data.extend_from_slice(self.second.1.as_bytes());
        let mut digits = *b"000000000Z ";
        for digit in digits[..9].iter_mut().rev() {
            *digit = b'0' + (nanosecond % 10) as u8;
            nanosecond /= 10;
        }
        self.data.extend_from_slice(&digits);
    }

    fn drop_before(&mut self, entry: u64) {
        let count = (entry - self.dropped_entries) as usize;
        let Some(first) = self.entries.get(count) else {
            self.dropped_bytes += self.data.len() as u64;
            self.dropped_entries = self.end();
            self.data.clear();
            self.entries.clear();
            return;
        };
        let bytes = (first.start - self.dropped_bytes) as usize;
        self.data.drain(..bytes);
        self.entries.drain(..count);
        self.dropped_bytes += bytes as u64;
        self.dropped_entries = entry;
    }
}

/// The options of a log request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub follow: bool,
    pub timestamps: bool,
    /// The oldest timestamp, in nanoseconds since the Unix epoch.
    pub since: Option<i64>,
    pub tail: Option<u64>,
}

/// Reads one log from the position that the options define.
pub(crate) struct Reader {
    log: Log,
    options: Options,
    next: u64,
    /// The end of the answer without following: lines that are written during the answer are not part of it.
    stop: Option<u64>,
    /// The number of silences before its beginning.
    silences: u64,
}

pub(crate) enum Read {
    /// Bytes were added, and there may be more.
    More,
    /// All entries so far were read, and more may come.
    Wait,
    End,
}

impl Reader {
    pub fn new(log: Log, options: Options) -> Self {
        let (next, end, silences) = {
            let buffer = lock(&log.0.buffer);
            let end = buffer.end();
            let tail = options.tail.map_or(0, |tail| end.saturating_sub(tail));
            (tail.max(buffer.rotated), end, buffer.silences)
        };
        let stop = (!options.follow).then_some(end);
        Reader { log, options, next, stop, silences }
    }

    pub fn follows(&self) -> bool {
        self.options.follow
    }

    /// Adds whole entries to `out` until it has `limit` bytes or there are no more.
    pub fn read(&mut self, out: &mut Vec<u8>, limit: usize) -> Read {
        let buffer = lock(&self.log.0.buffer);
        if self.options.follow && self.silences < buffer.silences {
            return Read::Wait;
        }
        self.next = self.next.max(buffer.dropped_entries);
        let stop = self.stop.unwrap_or(u64::MAX).min(buffer.end());
        while self.next < stop {
            if out.len() >= limit {
                return Read::More;
            }
            let at = (self.next - buffer.dropped_entries) as usize;
            let entry = &buffer.entries[at];
            let end = buffer
                .entries
                .get(at + 1)
                .map_or(buffer.data.len(), |next| (next.start - buffer.dropped_bytes) as usize);
            self.next += 1;
            if self.options.since.is_some_and(|since| entry.time.is_some_and(|time| time < since)) {
                continue;
            }
            let skip = if self.options.timestamps { 0 } else { usize::from(entry.stamp) };
            out.extend_from_slice(&buffer.data[(entry.start - buffer.dropped_bytes) as usize + skip..end]);
        }
        if self.stop.is_some() || buffer.ended { Read::End } else { Read::Wait }
    }

    /// Wakes when the log may have more. Create it before the read that finds nothing: it notices all writes from its
    /// creation on.
    pub fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.log.0.written).notified_owned()
    }
}
