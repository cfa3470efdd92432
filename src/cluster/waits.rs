//! Reports the reason for waiting, so that a user sees why nothing happens.

use tokio::sync::watch;

/// Only the latest wait counts.
#[derive(Debug, Default, Clone)]
pub struct Waits(watch::Sender<Option<String>>);

/// Something is awaited until this is dropped.
pub(super) struct Waiting {
    waits: Waits,
    what: String,
}

impl Waits {
    pub(super) fn begin(&self, what: String) -> Waiting {
        self.0.send_replace(Some(what.clone()));
        Waiting { waits: self.clone(), what }
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.0.subscribe()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.0.send_if_modified(|now| now.take_if(|now| *now == self.what).is_some());
    }
}
