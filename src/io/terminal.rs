//! Writes to a terminal so that an end of the process at any moment leaves no colour on.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{cleanup::Cleanup, grace, platform::streams::Stream};

/// The longest time for the last bytes: the terminal may be stopped, or slow behind many lines.
const LAST: Duration = Duration::from_millis(500);

/// Interval in which the end of the run hears that it waits for them.
const STEP: Duration = Duration::from_millis(50);

/// The bytes of a write that may block.
const BLOCKING: usize = 1 << 10;

pub struct Terminal {
    shared: Arc<Shared>,
    /// Ends what was written, if the process ends before this is dropped.
    _end: Cleanup,
}

struct Shared {
    stream: Stream,
    /// Whether a write gives `WouldBlock` where it would wait.
    never_blocks: bool,
    state: Mutex<State>,
    written: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether a write is under way.
    writes: bool,
    /// Whether nothing may be written any more.
    closed: bool,
    /// Whether the last escape sequence was no reset.
    colored: bool,
    /// Whether the last byte was no newline.
    within: bool,
}

impl Terminal {
    pub fn new(stream: Stream) -> Terminal {
        let (stream, never_blocks) = match stream.non_blocking() {
            Ok(own) => (own, true),
            Err(_) => (stream, false),
        };
        let (state, written) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { stream, never_blocks, state, written });
        let ended = shared.clone();
        Terminal { shared, _end: Cleanup::new(move || ended.close(true)) }
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.shared.attempt(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.shared.stream.wait_to_write(None);
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.close(false);
    }
}

impl Shared {
    fn attempt(&self, bytes: &[u8]) -> io::Result<usize> {
        {
            let mut state = self.state();
            if state.closed {
                // The process ends.
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            state.writes = true;
        }
        let most = if self.never_blocks { bytes.len() } else { bytes.len().min(BLOCKING) };
        let result = (&self.stream).write(&bytes[..most]);
        let mut state = self.state();
        state.writes = false;
        state.saw(&bytes[..*result.as_ref().unwrap_or(&0)]);
        drop(state);
        self.written.notify_all();
        result
    }

    /// Lets nothing more through, and ends the colours, and the line if the process ends within it.
    fn close(&self, within: bool) {
        let due = Instant::now() + LAST;
        let mut state = self.state();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        if state.writes {
            let waited = self.written.wait_timeout_while(state, LAST, |state| state.writes);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let reset = if state.colored { "\x1b[0m" } else { "" };
        let newline = if within && state.within { "\n" } else { "" };
        if state.writes || reset.len() + newline.len() == 0 {
            return;
        }
        drop(state);
        self.write_until(due, format!("{newline}{reset}").as_bytes());
    }

    fn write_until(&self, due: Instant, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            grace::step();
            if !self.stream.wait_to_write(Some(left.min(STEP))) {
                continue;
            }
            match (&self.stream).write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < due => {}
                Err(_) => return,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn saw(&mut self, written: &[u8]) {
        let Some(last) = written.last() else { return };
        self.within = *last != b'\n';
        if let Some(at) = memchr::memrchr(0x1b, written) {
            let resets = [&b"\x1b[0m"[..], b"\x1b[m", b"\x1b[0;22m"];
            self.colored = !resets.iter().any(|reset| written[at..].starts_with(reset));
        }
    }
}
