//! The apiserver's clock, as the dates of its answers show it.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Dates are in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A smaller difference of two clocks is usual.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(2);

/// The bounds between which the apiserver's clock is ahead of this machine's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    least: SignedDuration,
    most: SignedDuration,
}

impl Clock {
    /// The server wrote this date between two times of this machine.
    fn new(date: Timestamp, sent: Timestamp, received: Timestamp) -> Clock {
        Clock { least: date.duration_since(received), most: date.duration_since(sent) + SECOND }
    }

    /// The time by the apiserver's clock, if it is `now` by this machine's: the same, unless they certainly differ.
    pub fn at(self, now: Timestamp) -> Timestamp {
        let ahead = SignedDuration::ZERO.clamp(self.least, self.most.max(self.least));
        now.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// How far this machine's clock is behind, or ahead of, the apiserver's, for people; None if that may be usual.
    pub fn difference(self) -> Option<String> {
        let certain = if self.least > NOTICEABLE { Some("behind") } else { None };
        let certain = certain.or((self.most < -NOTICEABLE).then_some("ahead of"));
        let seconds = (self.least + self.most) / 2;
        let shown = seconds.abs().round(jiff::Unit::Second).unwrap_or(seconds);
        certain.map(|word| format!("{shown:#} {word}"))
    }
}

/// The clock, once an answer came.
#[derive(Default)]
pub struct Heard(Mutex<Option<Clock>>);

impl Heard {
    /// An answer that was requested and came at these times had this date. The shortest exchange says most.
    pub fn note(&self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let clock = Clock::new(date, sent, received);
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = |clock: Clock| clock.most - clock.least;
        // The clock of this machine was set meanwhile.
        let agrees = |before: &Clock| before.least <= clock.most && clock.least <= before.most;
        *heard = heard.filter(|before| agrees(before) && span(*before) <= span(clock)).or(Some(clock));
    }

    pub fn clock(&self) -> Option<Clock> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_769_785_200_000 + millis).unwrap()
    }

    /// An answer of this date, in seconds, to a request that lasted from 0 to 400 ms.
    fn clock(date: i64) -> Clock {
        Clock::new(at(date * 1000), at(0), at(400))
    }

    #[test]
    fn a_clock_that_may_be_right_is_right() {
        for date in [-2, -1, 0, 1, 2] {
            assert_eq!(clock(date).difference(), None, "{date}");
        }
        assert_eq!(clock(0).at(at(0)), at(0));
    }

    #[test]
    fn a_clock_that_is_certainly_wrong_is_reported() {
        assert_eq!(clock(93).difference().as_deref(), Some("1m 33s behind"));
        assert_eq!(clock(3).difference().as_deref(), Some("3s behind"));
        assert_eq!(clock(-94).difference().as_deref(), Some("1m 34s ahead of"));
        assert_eq!(clock(3600 * 9).difference().as_deref(), Some("9h behind"));
        assert_eq!(clock(-4).difference().as_deref(), Some("4s ahead of"));
    }

    #[test]
    fn a_slow_answer_shows_no_difference() {
        let slow = Clock::new(at(0), at(-60_000), at(60_000));
        assert_eq!(slow.difference(), None);
    }

    #[test]
    fn the_shortest_exchange_counts_until_the_clock_is_set() {
        let heard = Heard::default();
        heard.note(at(0), at(-9_000), at(9_000));
        heard.note(at(0), at(-10), at(10));
        let best = heard.clock();
        heard.note(at(0), at(-9_000), at(9_000));
        assert_eq!(heard.clock(), best);
        heard.note(at(0), at(-90_000), at(-80_000));
        assert_ne!(heard.clock(), best);
    }
}
