//! The time that a signal leaves a run: for as long as its end makes progress, and at most a second.

use std::{
    pin::pin,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use tokio::time::{Instant, timeout};

/// Interval of looks at the progress.
pub const LOOK: Duration = Duration::from_millis(5);

/// The steps of the end so far.
static STEPS: AtomicU64 = AtomicU64::new(0);

/// The end of the run has made progress, or waits for what has a bound of its own.
pub fn step() {
    STEPS.fetch_add(1, Ordering::Relaxed);
}

/// A wait for an end. Looks without progress are counted, since their time says nothing: while a busy machine stops the
/// process, it looks as seldom as it works.
pub struct Grace<'s> {
    since: Instant,
    most: Duration,
    all_steps: &'s AtomicU64,
    /// Those at the last look.
    steps: u64,
    /// Looks since the last step.
    looks: u32,
    most_looks: u32,
}

impl Grace<'static> {
    /// For the run. One that computes or hangs has a quarter of a second.
    pub fn of_run() -> Self {
        Grace::new(Duration::from_secs(1), 50, &STEPS)
    }

    /// For a part of its end: less, so that the run can still report that it lacks.
    pub fn of_part() -> Self {
        Grace::new(Duration::from_millis(600), 20, &STEPS)
    }
}

impl<'s> Grace<'s> {
    fn new(most: Duration, most_looks: u32, all_steps: &'s AtomicU64) -> Self {
        let steps = all_steps.load(Ordering::Relaxed);
        Grace { since: Instant::now(), most, all_steps, steps, looks: 0, most_looks }
    }

    /// Whether the end is given up. To be asked after each [`LOOK`].
    pub fn is_over(&mut self) -> bool {
        let steps = self.all_steps.load(Ordering::Relaxed);
        self.looks = if steps == self.steps { self.looks + 1 } else { 0 };
        self.steps = steps;
        self.looks >= self.most_looks || self.since.elapsed() >= self.most
    }

    /// Does this, until it is done or given up.
    pub async fn bound(mut self, work: impl Future<Output = ()>) {
        let mut work = pin!(work);
        while timeout(LOOK, &mut work).await.is_err() && !self.is_over() {}
    }

    /// Waits for what is being done, until it is done or given up.
    pub fn wait_for(mut self, done: &Receiver<()>) {
        while done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) && !self.is_over() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1_000);

    #[test]
    fn an_end_without_progress_is_given_up_after_some_looks() {
        let steps = AtomicU64::new(7);
        let mut grace = Grace::new(LONG, 3, &steps);
        assert_eq!([(); 3].map(|()| grace.is_over()), [false, false, true]);
    }

    #[test]
    fn progress_gives_it_as_many_looks_again() {
        let steps = AtomicU64::new(0);
        let mut grace = Grace::new(LONG, 3, &steps);
        for _ in 0..100 {
            assert_eq!([(); 2].map(|()| grace.is_over()), [false, false]);
            steps.fetch_add(1, Ordering::Relaxed);
            assert!(!grace.is_over());
        }
    }

    #[test]
    fn progress_without_an_end_is_given_up_in_time() {
        let steps = AtomicU64::new(0);
        let mut grace = Grace::new(Duration::ZERO, 3, &steps);
        steps.fetch_add(1, Ordering::Relaxed);
        assert!(grace.is_over());
    }
}
