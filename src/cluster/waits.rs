//! Reports the reason for waiting, so that a user sees why nothing happens, and what goes wrong without an error.

use tokio::sync::watch;

/// Only the latest wait counts.
#[derive(Debug, Default, Clone)]
pub struct Waits {
    now: watch::Sender<Option<String>>,
    trouble: watch::Sender<Option<String>>,
}

/// Something is awaited until this is dropped.
pub(super) struct Waiting {
    waits: Waits,
    what: String,
}

impl Waits {
    pub(super) fn begin(&self, what: String) -> Waiting {
        self.now.send_replace(Some(what.clone()));
        Waiting { waits: self.clone(), what }
    }

    /// Reports a trouble once while it lasts; None: it is over.
    pub(super) fn trouble(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|now| std::mem::replace(now, trouble.clone()) != trouble);
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.now.subscribe()
    }

    pub fn troubles(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.now.send_if_modified(|now| now.take_if(|now| *now == self.what).is_some());
    }
}
