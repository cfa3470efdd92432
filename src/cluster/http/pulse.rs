//! The time of the last data from the server, over any connection, and of the last long silence.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// A silence that is long.
pub const LONG: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    /// In nanoseconds since the start.
    last: AtomicU64,
    /// The same of the last long silence that is over: its begin and its end.
    silent: (AtomicU64, AtomicU64),
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse { start: Instant::now(), last: AtomicU64::new(0), silent: Default::default() }
    }
}

impl Pulse {
    pub fn heard(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        let before = self.last.load(Ordering::Relaxed);
        if u128::from(nanos.saturating_sub(before)) >= LONG.as_nanos() {
            self.silent.0.store(before, Ordering::Relaxed);
            self.silent.1.store(nanos, Ordering::Relaxed);
        }
        self.last.store(nanos, Ordering::Relaxed);
    }

    /// The start if nothing was received.
    pub fn last(&self) -> Instant {
        self.at(&self.last)
    }

    /// The begin and the end of the last long silence; it ends now if it lasts.
    pub fn silence(&self, now: Instant) -> Option<(Instant, Instant)> {
        let last = self.last();
        if now.saturating_duration_since(last) >= LONG {
            return Some((last, now));
        }
        let (from, until) = (self.at(&self.silent.0), self.at(&self.silent.1));
        (from < until).then_some((from, until))
    }

    fn at(&self, nanos: &AtomicU64) -> Instant {
        self.start + Duration::from_nanos(nanos.load(Ordering::Relaxed))
    }
}
