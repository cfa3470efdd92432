//! The order of the output: merges the events of many origins into one sequence.
//!
//! Time is passed to an order, and it does no I/O but with temporary files. Each has its own file or folder;
//! [`arrival`] is the smallest example.

mod arrival;
mod by_time;

use tokio::time::Instant;

pub use arrival::Arrival;
pub use by_time::{ByTime, Settings};

use crate::{
    event::{self, Batch, Event},
    queue::{Capacity, Queued},
};

pub trait Order {
    /// Limits on the waiting events.
    const CAPACITY: Capacity;

    /// Whether lines wait for those of others. A signal leaves them, and then also what would come behind them.
    const WAITS: bool;

    /// Looks at a batch before the filter takes lines from it.
    fn look(&mut self, _: &Batch, _: Instant) {}

    /// The filter holds lines of that batch's origin back, of which this is the oldest: they may come with a later one.
    fn hold_back(&mut self, _: event::Instant) {}

    /// Takes an event with its room, which stays occupied while the event is held back.
    fn push(&mut self, event: Queued, now: Instant);

    /// Does a part of what takes long, between which other tasks run. False: there is nothing more to do.
    fn work(&mut self, _: Instant) -> bool {
        false
    }

    /// The next event of the sequence, if it is due.
    fn pop(&mut self, now: Instant) -> Option<Event>;

    /// When to call `pop` again even if nothing is pushed; None: not before the next push.
    fn due(&self) -> Option<Instant>;

    /// No more events will come: all events are due.
    fn close(&mut self);
}
