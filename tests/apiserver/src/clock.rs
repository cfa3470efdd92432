//! The server's clock, which a test may set ahead or behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// The clock of one server: timestamps of lines, `sinceSeconds`, `Date` headers.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    /// The seconds that the server is ahead of this machine.
    pub fn set_ahead(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::Relaxed))
    }

    pub fn ago(&self, seconds: u64) -> Timestamp {
        self.now().checked_sub(Duration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
    }

    /// For the `Date` header.
    pub fn http_date(&self) -> String {
        self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}
