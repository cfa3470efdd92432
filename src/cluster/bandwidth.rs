//! Bounds the bytes a second that are read over all log connections, so that TCP holds the server back.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::stats::{Limit, Stats};

/// What may be read at once after a pause, and the longest that one read may make the others wait.
const BURST: Duration = Duration::from_millis(100);

/// Turns to read, handed out one after the other.
#[derive(Debug)]
pub(super) struct Bandwidth {
    /// Bytes a second.
    rate: f64,
    /// When the next turn begins.
    next: Mutex<Instant>,
    stats: Stats,
}

impl Bandwidth {
    /// `rate` in bytes a second.
    pub fn new(rate: u64, stats: Stats) -> Bandwidth {
        Bandwidth { rate: rate.max(1) as f64, next: Mutex::new(Instant::now()), stats }
    }

    /// As much of `wanted` as one turn allows.
    pub fn turn(&self, wanted: usize) -> usize {
        ((self.rate * BURST.as_secs_f64()) as usize).clamp(1, wanted)
    }

    /// From when on so many bytes may be read. They count as read; what was not is to be given back.
    pub fn take(&self, bytes: usize) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now.checked_sub(BURST).unwrap_or(now));
        *next = turn + self.time_of(bytes);
        self.stats.waited(Limit::Bandwidth, turn.saturating_duration_since(now));
        turn
    }

    pub fn give_back(&self, bytes: usize) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = next.checked_sub(self.time_of(bytes)).unwrap_or(*next);
    }

    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_follow_each_other_at_the_rate() {
        let bandwidth = Bandwidth::new(1000, Stats::default());
        tokio::time::advance(BURST * 10).await;
        let now = Instant::now();
        assert!(bandwidth.take(100) <= now, "a pause saves up a burst");
        assert_eq!(bandwidth.take(50), now);
        assert_eq!(bandwidth.take(1), now + Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_read_is_the_next_ones() {
        let bandwidth = Bandwidth::new(1000, Stats::default());
        let now = bandwidth.take(500);
        bandwidth.give_back(500);
        assert_eq!(bandwidth.take(1), now);
    }

    #[test]
    fn a_turn_is_never_empty_and_never_long() {
        assert_eq!(Bandwidth::new(1, Stats::default()).turn(4096), 1);
        assert_eq!(Bandwidth::new(10_000, Stats::default()).turn(4096), 1000);
        assert_eq!(Bandwidth::new(u64::MAX, Stats::default()).turn(4096), 4096);
    }
}
