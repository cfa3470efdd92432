//! Limits the bytes read each second over all log connections; TCP then slows the server down.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::stats::{Limit, Stats};

/// The time whose bytes may be read at once after a pause, and the longest delay that one read causes for others.
const BURST: Duration = Duration::from_millis(100);

/// Assigns times for reading, one after the other.
#[derive(Debug)]
pub struct Bandwidth {
    /// Bytes each second.
    rate: f64,
    turns: Mutex<Turns>,
    stats: Stats,
}

#[derive(Debug)]
struct Turns {
    /// Start of the next turn.
    next: Instant,
    /// When the bytes that were read so far are within the rate: bytes that are returned move later turns forward, so
    /// that several may come at the same time.
    settled: Instant,
}

impl Bandwidth {
    /// `rate` in bytes each second.
    pub fn new(rate: u64, stats: Stats) -> Bandwidth {
        let now = Instant::now();
        let turns = Mutex::new(Turns { next: now, settled: now });
        Bandwidth { rate: rate.max(1) as f64, turns, stats }
    }

    /// The part of `wanted` that one turn allows.
    pub fn turn(&self, wanted: usize) -> usize {
        ((self.rate * BURST.as_secs_f64()) as usize).clamp(1, wanted)
    }

    /// Takes a turn for this many bytes, which must be settled. Returns its start.
    pub fn take(&self, bytes: usize) -> Instant {
        let now = Instant::now();
        let mut turns = self.lock();
        let turn = turns.next.max(after_pause(now));
        turns.next = turn + self.time_of(bytes);
        self.stats.waited(Limit::Bandwidth, turn.saturating_duration_since(now));
        turn
    }

    /// When a turn that has come may be used, if not now: others that came with it go first.
    pub fn held_up(&self) -> Option<Instant> {
        Some(self.lock().settled).filter(|settled| *settled > Instant::now())
    }

    /// Of the bytes of a turn, so many were read.
    pub fn settle(&self, granted: usize, read: usize) {
        let mut turns = self.lock();
        let unused = self.time_of(granted.saturating_sub(read));
        turns.next = turns.next.checked_sub(unused).unwrap_or(turns.next);
        turns.settled = turns.settled.max(after_pause(Instant::now())) + self.time_of(read);
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.rate)
    }
}

/// The earliest turn now: after a pause some bytes are read at once.
fn after_pause(now: Instant) -> Instant {
    now.checked_sub(BURST).unwrap_or(now)
}

/// The progress of a connection that is sometimes held back. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Reached>>);

#[derive(Debug, Clone, Copy, Default)]
pub struct Reached {
    /// Bytes read.
    read: u64,
    /// End of the last hold.
    held: Option<Instant>,
}

/// Bytes of other streams that may precede the awaited ones on a connection: the buffers of both ends, and a piece of
/// each stream.
const AHEAD: u64 = 16 << 20;

impl Progress {
    pub fn hold_until(&self, turn: Instant) {
        self.lock().held = Some(turn);
    }

    pub fn read(&self, bytes: usize) {
        self.lock().read += bytes as u64;
    }

    pub fn reached(&self) -> Reached {
        *self.lock()
    }

    /// When to check again, for a stream that has waited for `patience` since the connection was at `begun`; None if
    /// the stream is stalled.
    pub fn ask_again(&self, begun: Reached, patience: Duration) -> Option<Instant> {
        let now = self.reached();
        let again = now.held? + patience;
        (again > Instant::now() && now.read - begun.read < AHEAD).then_some(again)
    }

    fn lock(&self) -> MutexGuard<'_, Reached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_does_not_count_while_a_connection_is_held_back() {
        const PATIENCE: Duration = Duration::from_secs(60);
        let progress = Progress::default();
        let begun = progress.reached();
        assert_eq!(progress.ask_again(begun, PATIENCE), None, "it was never held back");
        let turn = Instant::now() + PATIENCE / 2;
        progress.hold_until(turn);
        tokio::time::advance(PATIENCE).await;
        assert_eq!(progress.ask_again(begun, PATIENCE), Some(turn + PATIENCE));
        tokio::time::advance(PATIENCE / 2).await;
        assert_eq!(progress.ask_again(begun, PATIENCE), None, "it was not for so long");
        progress.hold_until(Instant::now());
        progress.read(AHEAD as usize);
        assert_eq!(progress.ask_again(begun, PATIENCE), None, "others got more than can lie before it");
        assert!(progress.ask_again(progress.reached(), PATIENCE).is_some());
    }

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
    async fn returned_bandwidth_goes_to_the_next_read() {
        let bandwidth = Bandwidth::new(1000, Stats::default());
        let now = bandwidth.take(500);
        bandwidth.settle(500, 0);
        assert_eq!(bandwidth.take(1), now);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_come_together_are_used_one_after_the_other() {
        let bandwidth = Bandwidth::new(1000, Stats::default());
        let start = Instant::now();
        let turns = [(); 10].map(|()| bandwidth.take(100));
        for _ in 0..9 {
            bandwidth.settle(100, 0);
        }
        let again = bandwidth.take(100);
        assert!(again < turns[9], "others have returned theirs");
        tokio::time::advance(turns[9] - start).await;
        let now = Instant::now();
        bandwidth.settle(100, 100);
        assert_eq!(bandwidth.held_up(), None, "a pause saves up a burst");
        bandwidth.settle(100, 100);
        assert_eq!(bandwidth.held_up(), Some(now + BURST));
    }

    #[test]
    fn a_turn_is_never_empty_and_never_long() {
        assert_eq!(Bandwidth::new(1, Stats::default()).turn(4096), 1);
        assert_eq!(Bandwidth::new(10_000, Stats::default()).turn(4096), 1000);
        assert_eq!(Bandwidth::new(u64::MAX, Stats::default()).turn(4096), 4096);
    }
}
