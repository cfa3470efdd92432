//! Decides when a stream has been silent for longer than usual.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A silent stream is checked after this many times its usual pause.
const UNUSUAL: u32 = 50;

/// The shortest silence after which a stream is checked.
const SHORTEST: Duration = Duration::from_secs(1);

/// Chunks that come closer together than this are one burst.
const BURST: Duration = Duration::from_millis(10);

/// The pauses between checks of a stream that stays silent, if `--idle-check` is not longer: they double from the first
/// to the second.
const RARELY: Duration = Duration::from_secs(60);
const RAREST: Duration = Duration::from_secs(15 * 60);

/// The most failed checks in a row that do not count: a node that does not answer for long is asked as rarely as
/// others.
const TRIES: u32 = 3;

/// The pauses of one stream.
#[derive(Debug, Clone)]
pub struct Idle {
    /// The longest silence before a stream is checked.
    limit: Duration,
    usual: Duration,
    since: Instant,
    checks: u32,
    /// The checks since then that failed and do not count.
    failed: u32,
    haste: Haste,
    /// When a check found the log without a line first, by the clock of the apiserver.
    pub empty: Option<Timestamp>,
}

/// Whether a silent stream is checked soon, since its log will soon be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Haste {
    Not,
    Now,
    /// It was, or a line came since: it is not silent.
    Done,
}

impl Idle {
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            usual: limit,
            since: Instant::now(),
            checks: 0,
            failed: 0,
            haste: Haste::Not,
            empty: None,
        }
    }

    /// The stream is read from now on: while its lines wait for room, it is not silent.
    pub fn listen(&mut self) {
        self.since = Instant::now();
    }

    /// A chunk arrived.
    pub fn heard(&mut self) {
        let pause = self.since.elapsed();
        if pause >= BURST {
            // A long pause counts at once; many short ones balance it.
            self.usual = if pause > self.usual { pause } else { self.usual - (self.usual - pause) / 8 };
        }
    }

    /// The chunk held new lines.
    pub fn arrived(&mut self) {
        (self.checks, self.failed) = (0, 0);
        self.calm_down();
    }

    pub fn may_hurry(&self) -> bool {
        self.haste == Haste::Not
    }

    /// The log will soon be gone.
    pub fn hurry(&mut self) {
        self.haste = Haste::Now;
    }

    fn calm_down(&mut self) {
        if self.haste == Haste::Now {
            self.haste = Haste::Done;
        }
    }

    /// The silent stream was checked, and no line was missing.
    pub fn checked(&mut self) {
        (self.checks, self.failed) = (self.checks + 1, 0);
        self.looked();
    }

    /// The silent stream could not be checked: its next check comes as soon as after a line.
    pub fn failed(&mut self) {
        if self.failed == TRIES {
            return self.checked();
        }
        self.failed += 1;
        // One that hurries is checked again as soon: there is little time left.
        self.since = Instant::now();
    }

    /// The log was checked, and had no line then.
    pub fn found_empty(&mut self, at: Timestamp) {
        self.empty = self.empty.or(Some(at));
        self.checked();
    }

    fn looked(&mut self) {
        self.since = Instant::now();
        self.calm_down();
    }

    /// The time of the next check if the stream stays silent.
    pub fn due(&self) -> Instant {
        let patience = match self.checks {
            _ if self.haste == Haste::Now => SHORTEST.min(self.limit),
            _ if self.failed > 0 => self.limit,
            0 => (self.usual * UNUSUAL).clamp(SHORTEST.min(self.limit), self.limit),
            1 => self.limit,
            checks => {
                let doubled = 2_u32.saturating_pow(checks - 2);
                RARELY.saturating_mul(doubled).min(RAREST).max(self.limit)
            }
        };
        self.since + patience
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    async fn patience_after(pauses: impl IntoIterator<Item = u64>) -> Duration {
        let mut idle = Idle::new(LIMIT);
        for millis in pauses {
            advance(Duration::from_millis(millis)).await;
            idle.heard();
            idle.listen();
        }
        idle.due() - Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_of_which_nothing_is_known_has_the_limit() {
        assert_eq!(patience_after([]).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_stream_is_missed_after_a_second() {
        assert_eq!(patience_after([15; 100]).await, SHORTEST);
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_times_the_usual_pause_is_too_long() {
        let patience = patience_after([100; 100]).await;
        assert!((5.0..5.1).contains(&patience.as_secs_f64()), "{patience:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_has_the_limit() {
        assert_eq!(patience_after([10_000; 10]).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn bursts_do_not_make_the_pauses_between_them_unusual() {
        let bursts = (0..5).flat_map(|_| std::iter::once(5_000).chain([1; 1000]));
        assert_eq!(patience_after(bursts).await, LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_stays_silent_is_checked_ever_less_often() {
        let mut idle = Idle::new(LIMIT);
        let mut patience = Vec::new();
        for _ in 0..50 {
            patience.push((idle.due() - Instant::now()).as_secs());
            idle.checked();
        }
        assert_eq!(patience[..8], [30, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(patience[49], 900);
        idle.arrived();
        assert_eq!(idle.due() - Instant::now(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_failed_is_soon_repeated_but_not_for_ever() {
        let mut idle = Idle::new(LIMIT);
        idle.checked();
        idle.checked();
        let mut patience = Vec::new();
        for _ in 0..6 {
            patience.push((idle.due() - Instant::now()).as_secs());
            idle.failed();
        }
        assert_eq!(patience, [60, 30, 30, 30, 120, 30]);
        idle.checked();
        assert_eq!((idle.due() - Instant::now()).as_secs(), 240);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_in_haste_that_fails_is_repeated_soon_and_not_for_ever() {
        let mut idle = Idle::new(LIMIT);
        idle.hurry();
        for _ in 0..TRIES {
            idle.failed();
            assert_eq!(idle.due() - Instant::now(), SHORTEST);
        }
        idle.failed();
        assert_eq!(idle.due() - Instant::now(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_of_a_log_that_will_soon_be_gone_is_checked_soon_and_once() {
        let mut idle = Idle::new(LIMIT);
        idle.checked();
        assert!(idle.may_hurry());
        idle.hurry();
        assert_eq!((idle.due() - Instant::now(), idle.may_hurry()), (SHORTEST, false));
        idle.checked();
        assert!(idle.due() - Instant::now() >= LIMIT && !idle.may_hurry());
    }

    #[tokio::test(start_paused = true)]
    async fn a_longer_limit_is_kept() {
        let limit = RAREST * 2;
        let mut idle = Idle::new(limit);
        for _ in 0..10 {
            assert_eq!(idle.due() - Instant::now(), limit);
            idle.checked();
        }
    }
}
