//! The bytes that a process has written so far to one of its streams.

use std::{
    fmt,
    io::Read,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Instant,
};

use super::PATIENCE;

#[derive(Clone, Default)]
pub struct Capture(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Capture {
    /// Reads the stream in a thread of its own, until its end.
    pub fn of(mut stream: impl Read + Send + 'static) -> Capture {
        let capture = Capture::default();
        let writer = capture.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let mut written = writer.lock();
                written.bytes.extend_from_slice(&buffer[..count]);
                written.ended = count == 0;
                writer.0.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        capture
    }

    /// A stream that the test does not read here.
    pub fn nothing() -> Capture {
        let capture = Capture::default();
        capture.lock().ended = true;
        capture
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.0.lock().expect("no reader panics")
    }

    /// All bytes so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// Waits until `find` returns something for the bytes after the first `behind`; None if the stream ends before, or
    /// after [`PATIENCE`].
    pub fn wait_for<T>(&self, behind: usize, find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.lock();
        loop {
            if let Some(found) = find(&written.bytes[behind..]) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if written.ended || left.is_zero() {
                return None;
            }
            written = self.0.1.wait_timeout(written, left).expect("no reader panics").0;
        }
    }

    /// Waits for the end of the stream; false after [`PATIENCE`].
    pub fn ended(&self) -> bool {
        self.wait_for(0, |_| None::<()>);
        self.lock().ended
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.lock().bytes).fmt(f)
    }
}
