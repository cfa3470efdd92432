//! Reports the reason for waiting, so that a user sees why nothing happens, and what goes wrong without an error.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// What is awaited, by how many, and the one that is shown.
#[derive(Debug, Default, Clone)]
pub struct Waits {
    awaited: Arc<Mutex<BTreeMap<String, usize>>>,
    shown: watch::Sender<Option<String>>,
    trouble: watch::Sender<Option<String>>,
}

/// Something is awaited until this is dropped.
pub(super) struct Waiting {
    waits: Waits,
    what: String,
}

impl Waits {
    pub(super) fn begin(&self, what: String) -> Waiting {
        self.change(&what, |count| count + 1);
        Waiting { waits: self.clone(), what }
    }

    /// Reports a trouble once while it lasts; None: it is over.
    pub(super) fn trouble(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|now| std::mem::replace(now, trouble.clone()) != trouble);
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.shown.subscribe()
    }

    pub fn troubles(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Changes how many await this. The latest wait is shown, until that is awaited no more.
    fn change(&self, what: &str, change: impl FnOnce(usize) -> usize) {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let before = awaited.remove(what).unwrap_or_default();
        let now = change(before);
        if now > 0 {
            awaited.insert(what.to_owned(), now);
        }
        self.shown.send_if_modified(|shown| {
            let next = match &*shown {
                _ if now > before => Some(what.to_owned()),
                Some(shown) if awaited.contains_key(shown) => return false,
                _ => awaited.keys().next().cloned(),
            };
            let changed = *shown != next;
            *shown = next;
            changed
        });
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.change(&self.what, |count| count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_shown_until_nobody_waits_any_more() {
        let waits = Waits::default();
        let shown = || waits.shown.borrow().clone();
        let begin = |what: &str| waits.begin(what.to_owned());
        let (first, second, log) = (begin("list"), begin("list"), begin("log"));
        assert_eq!(shown().as_deref(), Some("log"));
        drop(first);
        assert_eq!(shown().as_deref(), Some("log"));
        drop(log);
        assert_eq!(shown().as_deref(), Some("list"));
        drop(second);
        assert_eq!(shown(), None);
    }
}
