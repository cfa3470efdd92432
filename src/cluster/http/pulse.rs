//! The time of the last data from the server, over any connection.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    /// In nanoseconds since the start.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse { start: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Pulse {
    pub fn heard(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        self.last.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The start if nothing was received.
    pub fn last(&self) -> Instant {
        self.start + Duration::from_nanos(self.last.load(Ordering::Relaxed))
    }
}
