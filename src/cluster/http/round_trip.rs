//! The measured time to the server and back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// The shortest exchange. Clones share it.
#[derive(Clone)]
pub struct RoundTrip(Arc<AtomicU64>);

/// Represents None in nanoseconds.
const UNKNOWN: u64 = u64::MAX;

impl RoundTrip {
    pub fn new() -> RoundTrip {
        RoundTrip(Arc::new(AtomicU64::new(UNKNOWN)))
    }

    /// Records an exchange over an existing connection: sent at `sent`, with its answer beginning now.
    pub fn answered(&self, sent: Instant) {
        let taken = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(UNKNOWN);
        self.0.fetch_min(taken, Ordering::Relaxed);
    }

    pub fn shortest(&self) -> Option<Duration> {
        let shortest = self.0.load(Ordering::Relaxed);
        (shortest != UNKNOWN).then(|| Duration::from_nanos(shortest))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_shortest_exchange_counts() {
        let round_trip = RoundTrip::new();
        assert_eq!(round_trip.shortest(), None);
        for millis in [50, 20, 300] {
            let sent = Instant::now();
            advance(Duration::from_millis(millis)).await;
            round_trip.answered(sent);
        }
        assert_eq!(round_trip.shortest(), Some(Duration::from_millis(20)));
    }
}
