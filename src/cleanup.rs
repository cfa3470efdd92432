//! What must be undone at every end of the process, even at one that does not wait for the run.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

type Act = Box<dyn FnOnce() + Send>;

static PENDING: Mutex<BTreeMap<u64, Act>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Its act is done when this is dropped, or before, if the process ends.
#[must_use]
#[derive(Debug)]
pub struct Cleanup(u64);

impl Cleanup {
    pub fn new(act: impl FnOnce() + Send + 'static) -> Cleanup {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        pending().insert(id, Box::new(act));
        Cleanup(id)
    }

    /// Nothing is left to be undone.
    pub fn forget(self) {
        pending().remove(&self.0);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let act = pending().remove(&self.0);
        if let Some(act) = act {
            act();
        }
    }
}

/// Does all that is pending, the last first: the process ends.
pub fn all() {
    let acts = std::mem::take(&mut *pending());
    acts.into_values().rev().for_each(|act| act());
}

fn pending() -> MutexGuard<'static, BTreeMap<u64, Act>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}
