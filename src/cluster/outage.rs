//! Tracks whether the apiserver can be reached, by the results of requests.

use std::sync::{Mutex, PoisonError};

use tokio::{sync::watch, time::Instant};

use super::error::Error;

#[derive(Default)]
pub struct Outage {
    /// The error while it cannot be reached.
    error: watch::Sender<Option<Error>>,
    answered: Mutex<Option<Instant>>,
}

impl Outage {
    pub fn subscribe(&self) -> watch::Receiver<Option<Error>> {
        self.error.subscribe()
    }

    /// Whether a request was ever answered.
    pub fn was_answered(&self) -> bool {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether an outage is known.
    pub fn is_known(&self) -> bool {
        self.error.borrow().is_some()
    }

    /// Records the result of a request: answered, or failed with this error. The failure of a request sent before the
    /// last answer arrived is ignored.
    pub fn note(&self, sent: Instant, error: Option<&Error>) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            None => *answered = Some(Instant::now()),
            Some(_) if *answered > Some(sent) => return,
            Some(_) => {}
        }
        drop(answered);
        self.error.send_if_modified(|before| {
            let changed = before.is_some() != error.is_some();
            if changed {
                *before = error.cloned();
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
