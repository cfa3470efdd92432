//! How late lines arrive: for how long it is worth waiting for older ones.

use std::time::Duration;

use tokio::time::Instant;

/// Delays count for once or twice this time in which lines come.
const PERIOD: Duration = Duration::from_secs(5);

/// How often the delays of all origins are compared.
const REVIEW: Duration = Duration::from_millis(250);

/// Nanoseconds from the stamp of a line to its arrival. The clocks of a node and of this machine differ, so it may be
/// negative.
pub type Delay = i64;

/// The fastest and the slowest delay of one origin, in this period and in the one before.
#[derive(Debug, Default, Clone, Copy)]
pub struct Delays {
    began: Option<Instant>,
    now: Option<(Delay, Delay)>,
    before: Option<(Delay, Delay)>,
}

impl Delays {
    fn add(&mut self, delay: Delay, now: Instant) {
        self.turn(now);
        let (fastest, slowest) = self.now.unwrap_or((delay, delay));
        self.now = Some((fastest.min(delay), slowest.max(delay)));
    }

    /// The delays of an origin that is quiet are remembered.
    fn turn(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        if now.duration_since(began) >= PERIOD {
            self.before = self.now.take();
            self.began = Some(now);
        }
    }

    fn slowest(&self) -> Option<Delay> {
        [self.now, self.before].into_iter().flatten().map(|(_, slowest)| slowest).max()
    }

    /// None: no line came yet.
    pub fn fastest(&self) -> Option<Delay> {
        [self.now, self.before].into_iter().flatten().map(|(fastest, _)| fastest).min()
    }
}

/// The delays of most origins, within one window: those that are much slower cannot be waited for.
#[derive(Debug)]
pub struct Lag {
    window: Delay,
    /// For how long lines may be held before they come: it is not known yet of those that were held.
    held: Delay,
    /// The fastest and the slowest.
    bounds: Option<(Delay, Delay)>,
    review: Option<Instant>,
}

impl Lag {
    pub fn new(window: Duration, held: Duration) -> Lag {
        let [window, held] = [window, held].map(|span| span.as_nanos() as Delay);
        Lag { window, held, bounds: None, review: None }
    }

    /// Counts a delay of an origin.
    pub fn add(&mut self, delays: &mut Delays, delay: Delay, now: Instant) {
        delays.add(delay, now);
        // A line that is slower than all so far counts at once.
        match &mut self.bounds {
            Some((fastest, slowest)) if delay > *slowest && delay - *fastest <= self.window => {
                *slowest = delay;
            }
            _ => {}
        }
    }

    /// Whether [`Lag::compare`] is due.
    pub fn wants_review(&self, now: Instant) -> bool {
        self.review.is_none_or(|review| now >= review)
    }

    /// Compares the origins that are live. Of several, the delay of one says nothing about the others.
    pub fn compare<'d>(&mut self, all: impl Iterator<Item = &'d Delays>, now: Instant) {
        self.review = Some(now + REVIEW);
        let all: Vec<Option<Delay>> = all.map(Delays::slowest).collect();
        let mut delays: Vec<Delay> = all.iter().flatten().copied().collect();
        if delays.len() < all.len().min(2) {
            self.bounds = None;
            return;
        }
        delays.sort_unstable();
        let (mut first, mut most) = (0, 0);
        let mut bounds = None;
        for (last, &slowest) in delays.iter().enumerate() {
            while slowest - delays[first] > self.window {
                first += 1;
            }
            // Of two groups of the same size the faster one is waited for, and the other one is late.
            if last + 1 - first > most {
                most = last + 1 - first;
                bounds = Some((delays[first], slowest));
            }
        }
        self.bounds = bounds;
    }

    /// The delay of the slowest of them; None: not known yet.
    pub fn slowest(&self) -> Option<Delay> {
        self.bounds.map(|(_, slowest)| slowest.saturating_add(self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Delay = 1_000_000;

    fn lag() -> Lag {
        Lag::new(Duration::from_millis(200), Duration::ZERO)
    }

    /// The slowest of most origins with these delays in milliseconds.
    fn slowest<const N: usize>(delays: [Delay; N]) -> Option<Delay> {
        let (mut lag, now, mut all) = (lag(), Instant::now(), [Delays::default(); N]);
        for (of_one, delay) in all.iter_mut().zip(delays) {
            lag.add(of_one, delay * MS, now);
        }
        lag.compare(all.iter(), now);
        lag.slowest().map(|delay| delay / MS)
    }

    #[test]
    fn the_slowest_of_most_is_waited_for() {
        assert_eq!(slowest([]), None);
        assert_eq!(slowest([5, 80, 12]), Some(80));
        assert_eq!(slowest([5, 3_000, 12]), Some(12), "one that is too slow is not");
        assert_eq!(slowest([5, -3_600_000, 12]), Some(12), "nor is one whose clock is ahead the measure");
        assert_eq!(slowest([10_005, 10_100, 10_050]), Some(10_100), "the local clock may be ahead of all");
    }

    #[test]
    fn of_several_one_is_no_measure() {
        let (mut lag, now, mut one) = (lag(), Instant::now(), Delays::default());
        lag.add(&mut one, 5 * MS, now);
        lag.compare([one, Delays::default()].iter(), now);
        assert_eq!(lag.slowest(), None);
        lag.compare([one].iter(), now);
        assert_eq!(lag.slowest(), Some(5 * MS));
    }

    #[test]
    fn a_slower_line_counts_at_once_and_is_forgotten_later() {
        let (mut lag, mut delays, start) = (lag(), Delays::default(), Instant::now());
        let mut add = |delay: Delay, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            lag.add(&mut delays, delay * MS, now);
            let slowest = lag.slowest().map(|delay| delay / MS);
            if lag.wants_review(now) {
                lag.compare(std::iter::once(&delays), now);
            }
            (slowest, lag.slowest().map(|delay| delay / MS))
        };
        assert_eq!(add(5, 0), (None, Some(5)));
        assert_eq!(add(90, 1), (Some(90), Some(90)));
        assert_eq!(add(5, 6).1, Some(90));
        assert_eq!(add(5, 12).1, Some(5));
    }
}
