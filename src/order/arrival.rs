//! Events in order of arrival.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Order;
use crate::{
    event::Event,
    queue::{Capacity, Queued},
};

#[derive(Default)]
pub struct Arrival(VecDeque<Queued>);

impl Order for Arrival {
    const CAPACITY: Capacity = Capacity { of_origin: 1 << 20, of_all: 4 << 20 };
    const WAITS: bool = false;

    fn push(&mut self, event: Queued, _: Instant) {
        self.0.push_back(event);
    }

    fn pop(&mut self, _: Instant) -> Option<Event> {
        self.0.pop_front().map(Queued::take)
    }

    fn due(&self) -> Option<Instant> {
        None
    }

    fn close(&mut self) {}
}
