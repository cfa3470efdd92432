//! The ways of a kubelet to read a log: at once, or following it over rotations.

use std::sync::{Arc, Mutex};

use tokio::sync::futures::OwnedNotified;

use crate::{lock, log_file::File, logs::Log};

/// The options of a log request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub follow: bool,
    pub timestamps: bool,
    /// The oldest timestamp, in nanoseconds since the Unix epoch.
    pub since: Option<i64>,
    pub tail: Option<u64>,
}

/// Reads one log from the position that the options define. Like a kubelet it keeps its file open, whatever becomes of
/// it, and looks for events only at the end of its file.
pub(crate) struct Reader {
    log: Log,
    options: Options,
    file: Arc<Mutex<File>>,
    next: usize,
    /// The end of the answer without following: lines that are written during the answer are not part of it.
    stop: Option<usize>,
    /// The number of silences before its beginning.
    silences: usize,
    /// The events of a new file that it has seen. None before its first end of a file, when it begins to watch.
    seen: Option<u64>,
    /// It waits for an event.
    waits: bool,
    /// The last bytes were a part of a line.
    mid_line: bool,
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
        let (file, silences) = {
            let state = lock(&log.0.state);
            (Arc::clone(state.current()), state.silences.len())
        };
        let end = lock(&file).len();
        let next = options.tail.map_or(0, |tail| end.saturating_sub(usize::try_from(tail).unwrap_or(end)));
        let stop = (!options.follow).then_some(end);
        Reader { log, options, file, next, stop, silences, seen: None, waits: false, mid_line: false }
    }

    pub fn follows(&self) -> bool {
        self.options.follow
    }

    /// Adds whole entries to `out` until it has `limit` bytes or there are no more.
    pub fn read(&mut self, out: &mut Vec<u8>, limit: usize) -> Read {
        let waited = std::mem::take(&mut self.waits);
        self.jump_if_overtaken();
        let mut until_event = waited && self.has_event();
        while !self.read_file(out, limit, until_event) {
            if out.len() >= limit {
                return Read::More;
            }
            if self.is_silenced() {
                return Read::Wait;
            }
            if self.stop.is_some() || !self.go_on(waited) {
                let ended = lock(&self.log.0.state).ended;
                return if self.stop.is_some() || ended { Read::End } else { Read::Wait };
            }
            until_event = false;
        }
        Read::More
    }

    /// All that was read has left: it waits for an event now, unless there is more to read.
    pub fn wait(&mut self) {
        let creations = lock(&self.log.0.state).creations;
        self.seen.get_or_insert(creations);
        self.waits = self.next == lock(&self.file).len();
    }

    /// Wakes when the log may have more. Create it before the read that finds nothing: it notices all writes from its
    /// creation on.
    pub fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.log.0.written).notified_owned()
    }

    /// Where it was silenced: the file, and the entries that it still gets.
    fn silence(&self) -> Option<(u64, usize)> {
        lock(&self.log.0.state).silences.get(self.silences).copied().filter(|_| self.options.follow)
    }

    fn is_silenced(&self) -> bool {
        self.silence().is_some_and(|(file, _)| lock(&self.file).number >= file)
    }

    fn has_event(&self) -> bool {
        self.seen.is_some_and(|seen| seen < lock(&self.log.0.state).creations)
    }

    /// Reads the file it has open. Whether the limit came before the end.
    fn read_file(&mut self, out: &mut Vec<u8>, limit: usize, until_event: bool) -> bool {
        let silence = self.silence();
        let file = lock(&self.file);
        let silence = match silence {
            Some((number, entries)) if file.number == number => entries,
            Some((number, _)) if file.number > number => 0,
            _ => usize::MAX,
        };
        let event = file.frozen.filter(|_| until_event).unwrap_or(usize::MAX);
        let stop = self.stop.unwrap_or(usize::MAX).min(event).min(silence).min(file.len());
        while self.next < stop {
            if out.len() >= limit {
                return true;
            }
            let stamped = self.options.timestamps && !self.mid_line;
            // A kubelet stamps the first piece of an answer, wherever it is in its line, and no piece behind another,
            // even behind one that is too old.
            let (bytes, is_wanted) = file.entry(self.next, stamped, self.options.since);
            if is_wanted {
                out.extend_from_slice(bytes);
            }
            self.mid_line = !bytes.ends_with(b"\n");
            self.next += 1;
        }
        false
    }

    /// Opens the next file at the end of this one, if there is one for it. Whether there is more to read.
    fn go_on(&mut self, waited: bool) -> bool {
        let number = lock(&self.file).number;
        let next = {
            let state = lock(&self.log.0.state);
            let after = state.after(number);
            match (&mut self.seen, after) {
                // Lines may have been written since it was read to its end, and before the next one came.
                (_, Some(_)) if self.next < lock(&self.file).len() => return true,
                (_, Some(next)) => Some(Arc::clone(next)),
                // A container that has ended is noticed before an event, except by who was waiting for one.
                (Some(seen), None) if *seen < state.creations && (waited || !state.ended) => {
                    *seen += 1;
                    Some(Arc::clone(state.current()))
                }
                _ => None,
            }
        };
        next.map(|file| self.open(file)).is_some()
    }

    fn jump_if_overtaken(&mut self) {
        let number = lock(&self.file).number;
        let oldest = lock(&self.log.0.state).overtakes(number).cloned();
        if let Some(oldest) = oldest.filter(|_| self.options.follow) {
            self.open(oldest);
        }
    }

    fn open(&mut self, file: Arc<Mutex<File>>) {
        self.file = file;
        self.next = 0;
    }
}
