//! Limits requests to the rate that the user allows and the apiserver asks for. The most urgent go first, but every
//! request goes eventually. Repeating requests, such as polls and checks, get at most half of the rate.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::purpose::Purpose;

/// The share of rate and burst for repeating requests.
pub const POLLS: f64 = 0.5;

/// Most requests that may overtake the oldest one, so that no purpose starves another.
const MOST_PASSING: u32 = 3;

/// Token buckets whose waiters are served by purpose, then by arrival; regularly, the oldest waiter goes first.
pub struct Limiter {
    state: Mutex<State>,
}

struct State {
    /// For every request; None: no limit.
    all: Option<Bucket>,
    /// Repeating requests also need a token of this bucket.
    polls: Option<Bucket>,
    paused_until: Option<Instant>,
    waiters: BTreeMap<Place, Arc<Notify>>,
    /// The same waiters in order of arrival.
    by_arrival: BTreeMap<u64, Place>,
    /// Requests served since the oldest waiter was last served.
    passing: u32,
    arrivals: u64,
}

struct Bucket {
    /// Tokens each second.
    qps: f64,
    /// Most tokens that can accumulate.
    burst: f64,
    tokens: f64,
    /// The time at which `tokens` was computed.
    counted: Instant,
}

impl Bucket {
    fn new(qps: f64, burst: f64) -> Bucket {
        Bucket { qps, burst, tokens: burst, counted: Instant::now() }
    }

    /// When the next token is available, if not now.
    fn wait(&mut self, now: Instant) -> Option<Instant> {
        let earned = now.duration_since(self.counted).as_secs_f64() * self.qps;
        self.tokens = self.burst.min(self.tokens + earned);
        self.counted = now;
        // Rounding errors may leave slightly less than a whole token.
        if self.tokens >= 1.0 - 1e-6 {
            return None;
        }
        let wait = Duration::try_from_secs_f64((1.0 - self.tokens) / self.qps).unwrap_or(Duration::MAX);
        Some(later(now, wait))
    }
}

/// A place in the queue; the smallest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    order: u8,
    /// Unique.
    arrival: u64,
    recurs: bool,
}

impl State {
    /// The place that goes next when there is a token. Repeating requests come last, so that no other waits for a
    /// token of `polls`.
    fn next(&mut self, now: Instant) -> Option<Place> {
        let first = self.waiters.first_key_value().map(|(&first, _)| first);
        let eldest = self.eldest().filter(|_| self.passing >= MOST_PASSING);
        eldest.filter(|&eldest| self.polls_wait(eldest, now).is_none()).or(first)
    }

    /// The place of the oldest waiter.
    fn eldest(&self) -> Option<Place> {
        self.by_arrival.first_key_value().map(|(_, &place)| place)
    }

    /// When `polls` has a token for this place, if it needs one and there is none now.
    fn polls_wait(&mut self, place: Place, now: Instant) -> Option<Instant> {
        self.polls.as_mut().filter(|_| place.recurs)?.wait(now)
    }

    /// Takes the tokens for a place, or returns when they will be available.
    fn take(&mut self, place: Place, now: Instant) -> Result<(), Instant> {
        let waits = [
            self.paused_until.filter(|&instant| now < instant),
            self.all.as_mut().and_then(|all| all.wait(now)),
            self.polls_wait(place, now),
        ];
        if let Some(instant) = waits.into_iter().flatten().max() {
            return Err(instant);
        }
        let polls = self.polls.as_mut().filter(|_| place.recurs);
        self.all.as_mut().into_iter().chain(polls).for_each(|bucket| bucket.tokens -= 1.0);
        let is_eldest = self.eldest() == Some(place);
        self.passing = if is_eldest { 0 } else { self.passing + 1 };
        Ok(())
    }

    /// Wakes the next waiter.
    fn call_next(&mut self) {
        if let Some(called) = self.next(Instant::now()).and_then(|next| self.waiters.get(&next)) {
            called.notify_one();
        }
    }
}

impl Limiter {
    /// `qps` None: no limit except for pauses.
    pub fn new(qps: Option<f64>, burst: u32) -> Limiter {
        let burst = f64::from(burst.max(1));
        let qps = qps.filter(|&qps| qps > 0.0);
        let state = State {
            all: qps.map(|qps| Bucket::new(qps, burst)),
            polls: qps.map(|qps| Bucket::new(qps * POLLS, (burst * POLLS).max(1.0))),
            paused_until: None,
            waiters: BTreeMap::new(),
            by_arrival: BTreeMap::new(),
            passing: 0,
            arrivals: 0,
        };
        Limiter { state: Mutex::new(state) }
    }

    /// Returns when one request may be sent. Dropping the future leaves the queue and takes no token.
    pub async fn acquire(&self, purpose: Purpose) {
        let waiter = self.enqueue(purpose);
        loop {
            match self.try_take(&waiter) {
                Turn::Now => return,
                Turn::At(instant) => sleep_until(instant).await,
                Turn::AfterOthers => waiter.called.notified().await,
            }
        }
    }

    /// Holds all requests until `instant`. An earlier instant than before changes nothing.
    pub fn pause_until(&self, instant: Instant) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Some(instant));
    }

    pub fn pause_for(&self, pause: Duration) {
        self.pause_until(later(Instant::now(), pause));
    }

    fn enqueue(&self, purpose: Purpose) -> Waiter<'_> {
        let mut state = self.lock();
        let place = Place { order: purpose.order(), arrival: state.arrivals, recurs: purpose.recurs() };
        state.arrivals += 1;
        let called = Arc::new(Notify::new());
        state.waiters.insert(place, called.clone());
        state.by_arrival.insert(place.arrival, place);
        Waiter { limiter: self, place, called }
    }

    fn try_take(&self, waiter: &Waiter<'_>) -> Turn {
        let mut state = self.lock();
        let now = Instant::now();
        if state.next(now) != Some(waiter.place) {
            // The order also changes with time.
            state.call_next();
            return Turn::AfterOthers;
        }
        match state.take(waiter.place, now) {
            Ok(()) => Turn::Now,
            Err(instant) => Turn::At(instant),
        }
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
    /// Notified when this waiter becomes the next one.
    called: Arc<Notify>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        state.waiters.remove(&self.place);
        state.by_arrival.remove(&self.place.arrival);
        state.call_next();
    }
}

/// A later instant, limited to the range of the clock.
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
        join_all((0..requests).map(|_| limiter.acquire(Purpose::Open))).await;
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
        limiter.acquire(Purpose::Open).await;
        assert!(limiter.acquire(Purpose::Open).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_urgent_go_first_and_equals_in_order_of_arrival() {
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(Purpose::Open).await;
        let order = Mutex::new(Vec::new());
        let go = async |purpose, name| {
            limiter.acquire(purpose).await;
            order.lock().unwrap().push(name);
        };
        join!(
            go(Purpose::Check, "check"),
            go(Purpose::Open, "open 1"),
            go(Purpose::Open, "open 2"),
            go(Purpose::List, "list"),
        );
        assert_eq!(order.into_inner().unwrap(), ["list", "open 1", "open 2", "check"]);
    }

    /// The purposes that were served, and their times in seconds.
    async fn timeline(limiter: &Limiter, wanted: &[(Purpose, usize)]) -> Vec<(Purpose, f64)> {
        let start = Instant::now();
        let went = Mutex::new(Vec::new());
        let purposes = wanted.iter().flat_map(|&(purpose, count)| std::iter::repeat_n(purpose, count));
        let go = async |purpose| {
            limiter.acquire(purpose).await;
            went.lock().unwrap().push((purpose, start.elapsed().as_secs_f64()));
        };
        join_all(purposes.map(go)).await;
        went.into_inner().unwrap()
    }

    fn until(went: &[(Purpose, f64)], purpose: Purpose, seconds: f64) -> usize {
        went.iter().filter(|&&(which, at)| which == purpose && at <= seconds + 0.01).count()
    }

    #[tokio::test(start_paused = true)]
    async fn polls_take_half_of_the_burst_and_half_of_the_rate() {
        let limiter = Limiter::new(Some(10.0), 20);
        let went = timeline(&limiter, &[(Purpose::Poll, 40)]).await;
        assert_eq!(until(&went, Purpose::Poll, 0.0), 10);
        assert_eq!(until(&went, Purpose::Poll, 2.0), 20);
        assert_eq!(until(&went, Purpose::Poll, 6.0), 40);
    }

    #[tokio::test(start_paused = true)]
    async fn checks_are_of_that_half() {
        let limiter = Limiter::new(Some(10.0), 2);
        let went = timeline(&limiter, &[(Purpose::Poll, 1), (Purpose::Check, 2), (Purpose::Poll, 1)]).await;
        let went: Vec<_> = went.iter().map(|&(purpose, at)| (purpose, (at * 10.0).round() as u32)).collect();
        let wanted = [Purpose::Poll, Purpose::Poll, Purpose::Check, Purpose::Check];
        assert_eq!(went, wanted.into_iter().zip([0, 2, 4, 6]).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn first_polls_may_take_all_that_others_leave() {
        let limiter = Limiter::new(Some(10.0), 20);
        let wanted = [(Purpose::FirstPoll, 40), (Purpose::Poll, 20), (Purpose::Open, 10)];
        let went = timeline(&limiter, &wanted).await;
        assert_eq!(until(&went, Purpose::FirstPoll, 0.0), 20);
        assert_eq!(until(&went, Purpose::Open, 1.3), 10);
        assert_eq!(until(&went, Purpose::FirstPoll, 3.0), 40);
        assert_eq!(until(&went, Purpose::Poll, 5.1), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn no_priority_starves_another_for_ever() {
        let limiter = Limiter::new(Some(50.0), 100);
        // More requests arrive than may be sent: first only polls, then all.
        for (purpose, busy) in [
            (Purpose::Check, &[Purpose::Poll][..]),
            (Purpose::Poll, &[Purpose::FirstPoll]),
            (Purpose::Open, &[Purpose::Resume]),
            (Purpose::Check, &[Purpose::Poll, Purpose::List]),
            (Purpose::FirstPoll, &[Purpose::Poll, Purpose::Open, Purpose::Check]),
        ] {
            let again_and_again = async |purpose| loop {
                limiter.acquire(purpose).await;
            };
            let others = join_all(busy.iter().flat_map(|&busy| [busy; 5]).map(again_and_again));
            let patient = async {
                tokio::time::sleep(Duration::from_secs(10)).await;
                tokio::time::timeout(Duration::from_secs(1), limiter.acquire(purpose)).await
            };
            let went = tokio::select! {
                went = patient => went,
                _ = others => unreachable!("they never end"),
            };
            assert!(went.is_ok(), "{purpose:?} starves behind {busy:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_urgent_pass_three_of_those_who_wait_before_one_goes() {
        let limiter = Limiter::new(Some(10.0), 1);
        let went = timeline(&limiter, &[(Purpose::Open, 100), (Purpose::Resume, 12)]).await;
        // One for every three; simultaneous requests go in order of arrival.
        assert_eq!(until(&went, Purpose::Resume, 1.6), 12);
        assert_eq!(until(&went, Purpose::Open, 1.6), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn others_are_not_held_up_by_polls_that_wait_for_their_half() {
        let limiter = Limiter::new(Some(10.0), 20);
        let went = timeline(&limiter, &[(Purpose::Poll, 100), (Purpose::Open, 10)]).await;
        assert_eq!(until(&went, Purpose::Open, 0.0), 10);
        let polls = limiter.acquire(Purpose::Poll);
        let open = async {
            tokio::task::yield_now().await;
            assert!(limiter.acquire(Purpose::Open).now_or_never().is_some());
        };
        join!(polls, open);
    }

    #[tokio::test(start_paused = true)]
    async fn polls_have_no_half_of_what_is_unlimited() {
        let limiter = Limiter::new(None, 1);
        let went = timeline(&limiter, &[(Purpose::Poll, 1000)]).await;
        assert_eq!(until(&went, Purpose::Poll, 0.0), 1000);
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
        limiter.acquire(Purpose::Open).await;
        let start = Instant::now();
        join!(limiter.acquire(Purpose::Open), async { limiter.pause_for(Duration::from_secs(60)) });
        assert!(start.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_gives_up_takes_no_token_and_lets_the_next_go() {
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(Purpose::Open).await;
        let start = Instant::now();
        let gives_up = async {
            let _ = tokio::time::timeout(Duration::from_millis(500), limiter.acquire(Purpose::List)).await;
        };
        join!(gives_up, limiter.acquire(Purpose::Open));
        assert!((1.0..1.1).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
    }
}
