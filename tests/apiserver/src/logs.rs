//! The log of one container instance: its files, and what is written to them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{clock::Clock, lock, log_file::File};

/// Writes to the log of one container instance. Cheap to clone; may outlive the instance.
#[derive(Clone)]
pub struct Log(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    clock: Clock,
    pub written: Arc<Notify>,
    pub state: Mutex<State>,
}

pub(crate) struct State {
    /// The file before, if there is one, and the current one.
    files: VecDeque<Arc<Mutex<File>>>,
    /// The number of entries in all files.
    written: u64,
    /// How often a kubelet has created a file: each is an event for its followers.
    pub creations: u64,
    pub place: Place,
    /// Where the followers were silenced, each time: the file, and how many of its entries they still get.
    pub silences: Vec<(u64, usize)>,
    pub ended: bool,
}

/// The place of the current file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    There,
    /// A rotation has begun: there is no file.
    Renamed,
    /// The kubelet has removed it.
    Removed,
}

impl State {
    fn new() -> Self {
        let files = VecDeque::from([Arc::default()]);
        State { files, written: 0, creations: 0, place: Place::There, silences: Vec::new(), ended: false }
    }

    pub fn current(&self) -> &Arc<Mutex<File>> {
        self.files.back().expect("a log has a file")
    }

    /// The file that followers read after this one, without an event.
    pub fn after(&self, number: u64) -> Option<&Arc<Mutex<File>>> {
        let next = self.files.iter().find(|file| lock(file).number > number)?;
        Some(next).filter(|file| lock(file).follows)
    }

    /// The oldest file, if followers of this one go on to it before they have read all.
    pub fn overtakes(&self, number: u64) -> Option<&Arc<Mutex<File>>> {
        let oldest = self.files.front()?;
        Some(oldest).filter(|file| lock(file).number > number && lock(file).follows)
    }

    fn add_file(&mut self, follows: bool) {
        let number = {
            let mut last = lock(self.current());
            last.frozen = Some(last.len());
            last.number + 1
        };
        self.files.push_back(Arc::new(Mutex::new(File::new(number, follows))));
        if self.files.len() > 2 {
            self.files.pop_front();
        }
    }
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
        Log(Arc::new(Shared { clock, written: Arc::default(), state: Mutex::new(State::new()) }))
    }

    /// Writes a line of any bytes with the current timestamp, and a newline.
    pub fn push(&self, line: impl AsRef<[u8]>) -> &Self {
        let now = self.0.clock.now();
        self.write(|file| file.line(now, line.as_ref()))
    }

    /// Writes a line with this timestamp.
    pub fn push_at(&self, at: impl IntoInstant, line: impl AsRef<[u8]>) -> &Self {
        let at = at.into_instant();
        self.write(|file| file.line(at, line.as_ref()))
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
        let start = start.into_instant();
        self.write(|file| file.lines(start, step, lines))
    }

    /// Writes bytes without adding a newline: the next write may continue the line.
    /// (A runtime splits long lines into such parts.)
    pub fn push_raw(&self, bytes: impl AsRef<[u8]>) -> &Self {
        let now = self.0.clock.now();
        self.write(|file| file.piece(now, bytes.as_ref()))
    }

    /// Inserts a message of the kubelet among the lines. It never has a timestamp.
    pub fn push_kubelet_error(&self, text: impl AsRef<[u8]>) -> &Self {
        self.write(|file| file.message(text.as_ref()))
    }

    /// Rotates the log as no kubelet does so well: followers continue, and new readers see only later lines. A follower
    /// that is two files behind loses the rest of its own.
    pub fn rotate(&self) -> &Self {
        self.change(|state| state.add_file(true))
    }

    /// Rotates the log as a kubelet does, which serves none of the `late` lines to who has read all before: see
    /// [`Log::reopen_late`].
    pub fn rotate_losing<L: AsRef<[u8]>>(&self, late: impl IntoIterator<Item = L>) -> &Self {
        self.rename().reopen_late(late)
    }

    /// Begins a rotation: until [`Log::reopen`] there is no file. Requests get the kubelet's error in place of lines,
    /// and the container writes to the file that followers have open.
    pub fn rename(&self) -> &Self {
        self.change(|state| state.place = Place::Renamed)
    }

    /// Ends a rotation: the container has a new file. A follower opens it once it has read the one before, but only if
    /// it was at the end of a file before. One that never was stays with its file, and ends silently with the
    /// container. After two rotations a follower that was busy opens the newest file twice, and the one before never.
    pub fn reopen(&self) -> &Self {
        self.change(|state| {
            state.creations += 1;
            state.place = Place::There;
            state.add_file(false);
        })
    }

    /// Ends a rotation while the runtime writes these lines to the old file: followers that were at its end have left
    /// it already, and nobody else can read them.
    pub fn reopen_late<L: AsRef<[u8]>>(&self, late: impl IntoIterator<Item = L>) -> &Self {
        let now = self.0.clock.now();
        let old = Arc::clone(lock(&self.0.state).current());
        self.reopen();
        self.change(|state| {
            let mut old = lock(&old);
            let before = old.len();
            old.lines(now, 1, late);
            state.written += (old.len() - before) as u64;
        })
    }

    /// Ends a rotation within a line: its begin is late for the old file, and the new file begins with its rest.
    pub fn reopen_within(&self, begin: impl AsRef<[u8]>, rest: impl AsRef<[u8]>) -> &Self {
        let now = self.0.clock.now();
        let old = Arc::clone(lock(&self.0.state).current());
        self.reopen();
        lock(&old).piece(now, begin.as_ref());
        self.push(rest)
    }

    /// Sends nothing more than what is written to the current followers, and no end either. (Some kubelets do this to
    /// followers after a rotation.)
    pub fn silence_followers(&self) -> &Self {
        self.change(|state| {
            let at = {
                let file = lock(state.current());
                (file.number, file.len())
            };
            state.silences.push(at);
        })
    }

    /// The number of entries (normally lines) that were written.
    pub fn written(&self) -> u64 {
        lock(&self.0.state).written
    }

    /// Ends the instance: followers read the rest and then the end.
    pub fn end(&self) {
        self.change(|state| state.ended = true);
    }

    pub(crate) fn place(&self) -> Place {
        lock(&self.0.state).place
    }

    pub(crate) fn remove(&self) {
        self.change(|state| state.place = Place::Removed);
    }

    fn write(&self, change: impl FnOnce(&mut File)) -> &Self {
        self.change(|state| {
            let mut file = lock(state.current());
            let before = file.len();
            change(&mut file);
            let added = file.len() - before;
            drop(file);
            state.written += added as u64;
        })
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> &Self {
        change(&mut lock(&self.0.state));
        self.0.written.notify_waiters();
        self
    }
}
