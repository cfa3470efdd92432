//! The order of the output: merges the events of many origins into one sequence.
//!
//! An order is pure: it does no I/O, and time is passed in. Each has its own file; [`arrival`] is the smallest
//! example.

mod arrival;

use tokio::time::Instant;

pub use arrival::Arrival;

use crate::{
    event::Event,
    queue::{Capacity, Queued},
};

pub trait Order {
    /// Limits on the waiting events.
    const CAPACITY: Capacity;

    /// Takes an event with its room, which stays occupied while the event is held back.
    fn push(&mut self, event: Queued, now: Instant);

    /// The next event of the sequence, if it is due.
    fn pop(&mut self, now: Instant) -> Option<Event>;

    /// When to call `pop` again even if nothing is pushed; None: not before the next push.
    fn due(&self) -> Option<Instant>;

    /// No more events will come: all events are due.
    fn close(&mut self);
}
