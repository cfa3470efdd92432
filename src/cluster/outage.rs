//! Tracks whether the apiserver can be reached, by the results of requests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    error::Error,
    http::pulse::{self, Pulse},
};

/// A server without an answer for this time is out of reach: a single connection that breaks proves nothing.
const SLOW: Duration = pulse::LONG;

#[derive(Default)]
pub struct Outage {
    /// The error while it cannot be reached.
    error: watch::Sender<Option<Error>>,
    times: Mutex<Times>,
    pulse: Arc<Pulse>,
}

#[derive(Default)]
struct Times {
    /// When a request was answered last.
    answered: Option<Instant>,
    /// Since when requests fail, or a probe is not answered.
    silent: Option<Instant>,
    /// When it was last known to be out of reach.
    out: Option<Instant>,
    /// The number of requests that are on their way, and since when none of them is answered.
    asking: usize,
    asked: Option<Instant>,
}

/// A request that is on its way.
pub struct Asking<'o>(&'o Outage);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut times = self.0.times();
        times.asking -= 1;
        if times.asking == 0 {
            times.out = times.out.max(times.unheard(&self.0.pulse));
            times.asked = None;
        }
    }
}

impl Outage {
    pub fn new(pulse: Arc<Pulse>) -> Outage {
        Outage { pulse, ..Outage::default() }
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<Error>> {
        self.error.subscribe()
    }

    /// Whether a request was ever answered.
    pub fn was_answered(&self) -> bool {
        self.times().answered.is_some()
    }

    /// Whether it was out of reach at this time or later, also if it is not reported as an outage.
    pub fn was_known_since(&self, since: Instant) -> bool {
        let times = self.times();
        times.out.max(times.silence()).max(times.unheard(&self.pulse)) > Some(since)
    }

    /// A request is sent.
    pub fn asks(&self, sent: Instant) -> Asking<'_> {
        let mut times = self.times();
        times.asking += 1;
        times.asked = times.asked.or(Some(sent));
        drop(times);
        Asking(self)
    }

    /// A probe of the silent server was sent, or has ended and was recorded.
    pub fn probes(&self, sent: Option<Instant>) {
        let mut times = self.times();
        match sent {
            Some(sent) => times.silent = times.silent.or(Some(sent)),
            None if self.is_known() => {}
            None => times.answers(&self.pulse),
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an outage is known.
    pub fn is_known(&self) -> bool {
        self.error.borrow().is_some()
    }

    /// Records the result of a request: answered, or failed with this error. The failure of a request sent before the
    /// last answer arrived is ignored.
    pub fn note(&self, sent: Instant, error: Option<&Error>) {
        let mut times = self.times();
        match error {
            None => {
                times.answered = Some(Instant::now());
                times.answers(&self.pulse);
            }
            Some(_) if times.answered > Some(sent) => return,
            Some(_) => times.fails(),
        }
        drop(times);
        self.report(error);
    }

    /// The server answered that it wants to be asked later.
    pub fn put_off(&self, sent: Instant, error: &Error) {
        let mut times = self.times();
        times.answers(&self.pulse);
        let is_past = times.answered > Some(sent);
        drop(times);
        if !is_past {
            self.report(Some(error));
        }
    }

    fn report(&self, error: Option<&Error>) {
        self.error.send_if_modified(|before| {
            let changed = before.is_some() != error.is_some();
            if changed {
                *before = error.cloned();
            }
            changed
        });
    }
}

impl Times {
    fn fails(&mut self) {
        let now = Instant::now();
        if now - *self.silent.get_or_insert(now) >= SLOW {
            self.out = Some(now);
        }
    }

    fn answers(&mut self, pulse: &Pulse) {
        self.out = self.out.max(self.silence()).max(self.unheard(pulse));
        (self.silent, self.asked) = (None, None);
    }

    /// Until when nothing at all was heard for long while a request was on its way: that of a node that hangs is not
    /// answered either, but streams go on.
    fn unheard(&self, pulse: &Pulse) -> Option<Instant> {
        let (from, until) = pulse.silence(Instant::now())?;
        let since = self.asked?.max(from);
        (until.saturating_duration_since(since) >= SLOW).then_some(until)
    }

    /// Until when the present silence has lasted, if that is long.
    fn silence(&self) -> Option<Instant> {
        let now = Instant::now();
        self.silent.filter(|since| *since + SLOW <= now).map(|_| now)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::cluster::error::ErrorKind;

    #[tokio::test(start_paused = true)]
    async fn a_request_sent_before_an_answer_that_fails_later_is_no_outage() {
        let outage = Outage::default();
        let failed = Error::new(ErrorKind::TimedOut, "no answer".to_owned());
        let is_out = || outage.subscribe().borrow().is_some();
        let early = Instant::now();
        outage.note(early, Some(&failed));
        assert!(is_out());
        advance(Duration::from_secs(1)).await;
        outage.note(early, None);
        assert!(!is_out());
        outage.note(early, Some(&failed));
        assert!(!is_out());
        outage.note(Instant::now(), Some(&failed));
        assert!(is_out());
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_is_over_was_known_if_it_lasted() {
        let outage = Outage::default();
        let failed = Error::new(ErrorKind::Interrupted, "it broke".to_owned());
        for (lasting, was_known) in [(1, false), (3, true)] {
            let began = Instant::now();
            outage.note(began, Some(&failed));
            advance(Duration::from_secs(lasting)).await;
            outage.note(began, None);
            assert_eq!(outage.was_known_since(began), was_known);
            let shortly_before = Instant::now() - Duration::from_millis(100);
            assert_eq!(outage.was_known_since(shortly_before), was_known);
            assert!(!outage.was_known_since(Instant::now()));
        }
    }

    /// What a network held back arrives at once, streams before the answer. None of it was long enough for a probe.
    #[tokio::test(start_paused = true)]
    async fn a_server_was_out_of_reach_if_nothing_was_heard_while_a_request_was_on_its_way() {
        let pulse = Arc::<Pulse>::default();
        let outage = Outage::new(pulse.clone());
        for (asks, hears, is_out) in [(true, false, true), (true, true, false), (false, false, false)] {
            let began = Instant::now();
            let asking = asks.then(|| outage.asks(began));
            advance(Duration::from_secs(1)).await;
            if hears {
                pulse.heard(Instant::now());
            }
            advance(Duration::from_millis(1500)).await;
            pulse.heard(Instant::now());
            assert_eq!(outage.was_known_since(began), is_out);
            outage.note(began, None);
            drop(asking);
            assert_eq!(outage.was_known_since(began), is_out);
            assert!(!outage.is_known() && !outage.was_known_since(Instant::now()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_asks_to_wait_is_not_out_of_reach() {
        let (outage, began) = (Outage::default(), Instant::now());
        outage.put_off(began, &Error::new(ErrorKind::TimedOut, "later".to_owned()));
        advance(Duration::from_secs(3)).await;
        assert!(outage.is_known() && !outage.was_known_since(began));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_answered_late_shows_that_the_server_was_out_of_reach() {
        let outage = Outage::default();
        for (late, is_out) in [(1, false), (3, true)] {
            let sent = Instant::now();
            outage.probes(Some(sent));
            advance(Duration::from_secs(late)).await;
            assert_eq!(outage.was_known_since(sent), is_out);
            outage.probes(None);
            assert_eq!(outage.was_known_since(sent), is_out);
        }
    }
}
