//! Values in the metadata of any object: unique IDs and timestamps.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::clock;

/// A number that is unique in this process, or in the simulation on this thread.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    clock::next_number().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn new_uid() -> String {
    format!("00000000-0000-4000-8000-{:012x}", unique())
}

/// Timestamps of objects have whole seconds.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
