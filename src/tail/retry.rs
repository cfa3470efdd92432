//! Decides when to retry: at once if that does no harm, and with growing pauses while it keeps failing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

/// The time over which retries are spread when many tails make them at once, as when a kubelet or the apiserver comes
/// back.
const SPREAD: Duration = Duration::from_secs(1);

/// The longest pause; jitter can double it.
const LONGEST: Duration = Duration::from_secs(5);

/// Shared by all tails: knows whether others retry too.
#[derive(Clone, Default)]
pub struct Crowd {
    last: Arc<Mutex<Option<Instant>>>,
}

impl Crowd {
    /// The pause that spreads the retries of all tails: none if no other tail has retried within [`SPREAD`].
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = last.replace(now).is_none_or(|last| now - last >= SPREAD);
        if alone { Duration::ZERO } else { SPREAD.mul_f64(fastrand::f64()) }
    }
}

/// The pauses of one tail.
#[derive(Default)]
pub struct Retries {
    crowd: Crowd,
    count: usize,
    pauses: Option<ExponentialBackoff>,
}

impl Retries {
    pub fn new(crowd: Crowd) -> Self {
        Self { crowd, ..Self::default() }
    }

    /// The number of retries since the last success.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn went_well(&mut self) {
        self.count = 0;
        self.pauses = None;
    }

    /// A retry brought lines, so that the log is not given up; the pauses continue to grow.
    pub fn came_on(&mut self) {
        self.count = 0;
    }

    /// The pause before the next retry.
    pub fn next(&mut self) -> Duration {
        self.count += 1;
        if let Some(pauses) = &mut self.pauses {
            return pauses.next().unwrap_or(LONGEST);
        }
        self.pauses = Some(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(250))
                .with_max_delay(LONGEST)
                .without_max_times()
                .with_jitter()
                .build(),
        );
        self.crowd.pause()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lone_retry_is_immediate() {
        let crowd = Crowd::default();
        assert_eq!(Retries::new(crowd.clone()).next(), Duration::ZERO);
        advance(SPREAD).await;
        assert_eq!(Retries::new(crowd).next(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_are_spread_over_a_second() {
        let crowd = Crowd::default();
        let mut pauses: Vec<_> = (0..200).map(|_| Retries::new(crowd.clone()).next()).collect();
        pauses.sort_unstable();
        assert!(pauses[0].is_zero() && pauses[199] < SPREAD);
        assert!(pauses[20] < SPREAD / 3 && pauses[180] > SPREAD * 2 / 3, "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_ten_seconds_at_most_and_begin_anew_when_it_went_well() {
        let mut retries = Retries::new(Crowd::default());
        let pauses: Vec<_> = (0..20).map(|_| retries.next()).collect();
        assert!(pauses[1] < Duration::from_secs(1));
        assert!(pauses[10..].iter().all(|pause| (LONGEST..=LONGEST * 2).contains(pause)), "{pauses:?}");
        retries.went_well();
        advance(SPREAD).await;
        assert_eq!(retries.next(), Duration::ZERO);
    }
}
