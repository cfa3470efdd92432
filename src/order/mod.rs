//! The order of what is shown: puts the events of many origins into one sequence.
//!
//! An order is pure: it does no I/O, and time is passed in. Each is one file, which [`arrival`] shows at its smallest.

mod arrival;

use tokio::time::Instant;

pub use arrival::Arrival;

use crate::{
    event::Event,
    queue::{Capacity, Queued},
};

pub trait Order {
    /// How much may wait for it.
    const CAPACITY: Capacity;

    /// Takes an event, with the room that it keeps for as long as it is held back.
    fn push(&mut self, event: Queued, now: Instant);

    /// The next event of the sequence, if its turn has come.
    fn pop(&mut self, now: Instant) -> Option<Event>;

    /// When to ask again though nothing more is pushed; None: not before.
    fn due(&self) -> Option<Instant>;

    /// No more events come: the turn of all has come.
    fn close(&mut self);
}
