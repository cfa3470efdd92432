//! Lets requests through at the rate that the user allows and the apiserver asks for, the most urgent first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Who goes first when many wait.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    #[default]
    WatchAndList,
    /// A log that broke off: every second counts before the node rotates it away.
    Resume,
    Open,
    FirstPoll,
    Poll,
    Check,
}

/// A token bucket whose waiters are served by priority, then in the order in which they came.
pub struct Limiter {
    rate: Option<Rate>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Tokens a second.
    qps: f64,
    /// The most tokens that can be saved up.
    burst: f64,
}

struct State {
    tokens: f64,
    /// When `tokens` was right.
    counted: Instant,
    paused_until: Option<Instant>,
    waiters: BTreeMap<Place, Arc<Notify>>,
    arrivals: u64,
}

/// The smallest is the first; the number is that of arrival.
type Place = (Priority, u64);

impl Limiter {
    /// `qps` None: as many requests as wanted, save for pauses.
    pub fn new(qps: Option<f64>, burst: u32) -> Limiter {
        let burst = f64::from(burst.max(1));
        let rate = qps.filter(|&qps| qps > 0.0).map(|qps| Rate { qps, burst });
        let state = State {
            tokens: burst,
            counted: Instant::now(),
            paused_until: None,
            waiters: BTreeMap::new(),
            arrivals: 0,
        };
        Limiter { rate, state: Mutex::new(state) }
    }

    /// Returns when one request may go. Dropping the future gives up the place in the queue and takes no token.
    pub async fn acquire(&self, priority: Priority) {
        let waiter = self.enqueue(priority);
        loop {
            match self.try_take(waiter.place) {
                Turn::Now => return,
                Turn::At(instant) => sleep_until(instant).await,
                Turn::AfterOthers => waiter.first.notified().await,
            }
        }
    }

    /// Lets nobody through before `instant`. An earlier one than before changes nothing.
    pub fn pause_until(&self, instant: Instant) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Some(instant));
    }

    pub fn pause_for(&self, pause: Duration) {
        self.pause_until(later(Instant::now(), pause));
    }

    fn enqueue(&self, priority: Priority) -> Waiter<'_> {
        let mut state = self.lock();
        let place = (priority, state.arrivals);
        state.arrivals += 1;
        let first = Arc::new(Notify::new());
        state.waiters.insert(place, first.clone());
        Waiter { limiter: self, place, first }
    }

    fn try_take(&self, place: Place) -> Turn {
        let mut state = self.lock();
        if state.waiters.first_key_value().is_some_and(|(&first, _)| first != place) {
            return Turn::AfterOthers;
        }
        let now = Instant::now();
        if let Some(instant) = state.paused_until.filter(|&instant| now < instant) {
            return Turn::At(instant);
        }
        let Some(Rate { qps, burst }) = self.rate else { return Turn::Now };
        let earned = now.duration_since(state.counted).as_secs_f64() * qps;
        state.tokens = burst.min(state.tokens + earned);
        state.counted = now;
        // Sums of fractions may miss a whole token by a hair.
        if state.tokens < 1.0 - 1e-6 {
            let wait = Duration::try_from_secs_f64((1.0 - state.tokens) / qps).unwrap_or(Duration::MAX);
            return Turn::At(later(now, wait));
        }
        state.tokens -= 1.0;
        Turn::Now
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Turn {
    Now,
    At(Instant),
    AfterOthers,
}

struct Waiter<'a> {
    limiter: &'a Limiter,
    place: Place,
    /// Told when this waiter has become the first.
    first: Arc<Notify>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        state.waiters.remove(&self.place);
        if let Some((_, first)) = state.waiters.first_key_value() {
            first.notify_one();
        }
    }
}

/// Far enough in the future for one run, and never more than the clock can tell.
fn later(now: Instant, wait: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    now + wait.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all, join};

    use super::*;

    async fn seconds_of(limiter: &Limiter, requests: usize) -> f64 {
        let start = Instant::now();
        join_all((0..requests).map(|_| limiter.acquire(Priority::Open))).await;
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = Limiter::new(Some(10.0), 5);
        assert_eq!(seconds_of(&limiter, 5).await, 0.0);
        let waited = seconds_of(&limiter, 20).await;
        assert!((2.0..2.1).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_may_be_below_one_a_second() {
        let limiter = Limiter::new(Some(0.5), 1);
        let waited = seconds_of(&limiter, 3).await;
        assert!((4.0..4.1).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_saves_up_no_more_than_the_burst() {
        let limiter = Limiter::new(Some(1.0), 2);
        tokio::time::advance(Duration::from_secs(100)).await;
        let waited = seconds_of(&limiter, 4).await;
        assert!((2.0..2.1).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_all_go_at_once() {
        assert_eq!(seconds_of(&Limiter::new(None, 1), 10_000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_next_to_nothing_does_not_overflow() {
        let limiter = Limiter::new(Some(f64::MIN_POSITIVE), 1);
        limiter.acquire(Priority::Open).await;
        assert!(limiter.acquire(Priority::Open).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_urgent_go_first_and_equals_in_order_of_arrival() {
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(Priority::Open).await;
        let order = Mutex::new(Vec::new());
        let go = async |priority, name| {
            limiter.acquire(priority).await;
            order.lock().unwrap().push(name);
        };
        join!(
            go(Priority::Check, "check"),
            go(Priority::Open, "open 1"),
            go(Priority::Open, "open 2"),
            go(Priority::WatchAndList, "list"),
        );
        assert_eq!(order.into_inner().unwrap(), ["list", "open 1", "open 2", "check"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_back_even_those_without_a_limit() {
        let limiter = Limiter::new(None, 1);
        limiter.pause_for(Duration::from_secs(7));
        limiter.pause_for(Duration::from_secs(3));
        let waited = seconds_of(&limiter, 10).await;
        assert!((7.0..7.1).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_reaches_those_who_wait_already() {
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(Priority::Open).await;
        let start = Instant::now();
        join!(limiter.acquire(Priority::Open), async { limiter.pause_for(Duration::from_secs(60)) });
        assert!(start.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_gives_up_takes_no_token_and_lets_the_next_go() {
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(Priority::Open).await;
        let start = Instant::now();
        let gives_up = async {
            let _ = tokio::time::timeout(Duration::from_millis(500), limiter.acquire(Priority::WatchAndList))
                .await;
        };
        join!(gives_up, limiter.acquire(Priority::Open));
        assert!((1.0..1.1).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
    }
}
