//! The limit up to which lines may pass: for which older ones it is worth waiting.

use std::collections::binary_heap::PeekMut;

use tokio::time::Instant;

use super::{
    Arrival, ByTime,
    held::{Head, IN_MEMORY, Source},
    lane::Lane,
    phase::Phase,
    record::Key,
};

/// So many floors are kept, whether or not their lanes are waited for.
pub(super) const MANY_FLOORS: usize = 32;

/// Up to where lines may pass.
pub(super) struct Limit {
    /// All lines before this pass.
    pub before: Key,
    /// Whether the others pass too, until the one that has waited for the window has passed.
    pub due: bool,
}

impl Limit {
    /// Whether `head` passes a floor of the same instant.
    pub fn at_floor(&self, head: &Head, floor: Option<&Head>) -> bool {
        head.key == self.before && floor.is_some_and(|floor| floor.key == self.before && head > floor)
    }
}

impl ByTime {
    /// Lines of this lane may come, and none is in memory.
    pub(super) fn wait_for(&mut self, number: u32) {
        if let Some(lane) = self.held.lanes.get_mut(number)
            && lane.is_waited_for()
            && !std::mem::replace(&mut lane.is_floor, true)
        {
            let (key, name, source) = (lane.floor, lane.name.clone(), Source::Lane(number));
            self.floors.push(Head { key, name, age: IN_MEMORY, source });
            if self.floors.len() > self.many_floors {
                self.clear_floors();
            }
        }
    }

    /// Forgets the floors of lanes of which nothing comes: a quiet lane below keeps them from being looked at.
    fn clear_floors(&mut self) {
        let lanes = &mut self.held.lanes;
        self.floors.retain(|floor| {
            let Source::Lane(number) = floor.source else { return false };
            let Some(lane) = lanes.get_mut(number) else { return false };
            lane.is_floor = lane.is_waited_for();
            if !lane.is_floor {
                lanes.forget(number);
                return false;
            }
            true
        });
        // Each is looked at a few times at most.
        self.many_floors = MANY_FLOORS.max(2 * self.floors.len());
    }

    /// The lowest floor.
    pub(super) fn floor(&mut self) -> Option<&Head> {
        loop {
            let mut lowest = self.floors.peek_mut()?;
            let Source::Lane(number) = lowest.source else {
                PeekMut::pop(lowest);
                continue;
            };
            match self.held.lanes.get_mut(number) {
                Some(lane) if lane.is_waited_for() => {
                    if lane.floor <= lowest.key {
                        break;
                    }
                    lowest.key = lane.floor;
                }
                Some(lane) => {
                    lane.is_floor = false;
                    PeekMut::pop(lowest);
                    self.held.lanes.forget(number);
                }
                None => drop(PeekMut::pop(lowest)),
            }
        }
        self.floors.peek()
    }

    /// The first arrival of which something is still held.
    pub(super) fn first_arrival(&mut self) -> Option<Instant> {
        while let Some(&(at, arrival)) = self.arrived.front() {
            let is_held = match arrival {
                Arrival::Chunk { lane, number } => {
                    self.held.lanes.get(lane).and_then(Lane::first_chunk).is_some_and(|first| first <= number)
                }
                Arrival::Run(run) => self.held.runs.contains_key(&run),
            };
            if is_held {
                return Some(at);
            }
            self.arrived.pop_front();
        }
        None
    }

    /// The delay until which older lines are waited for, once it is known.
    pub(super) fn patience(&self, now: Instant) -> Option<i64> {
        let Phase::Live { since } = self.phase else { return None };
        // Until then, streams are being opened.
        self.lag.slowest().filter(|_| now >= since + self.settings.window)
    }

    /// Up to where lines may pass now.
    pub(super) fn limit(&mut self, now: Instant) -> Limit {
        let everything = Limit { before: Key::MAX, due: true };
        match self.phase {
            Phase::Closed => return everything,
            _ if self.spool.is_out_of_room(&self.held) => return everything,
            Phase::History { listed: false, .. } => return Limit { before: Key::MIN, due: false },
            Phase::History { .. } | Phase::Live { .. } => {}
        }
        let due = matches!(self.phase, Phase::Live { .. })
            && self.first_arrival().is_some_and(|at| now >= at + self.settings.window);
        let by_lag = self.patience(now).map(|delay| self.wall(now).saturating_sub(delay).saturating_add(1));
        let floor = self.floor().map_or(Key::MAX, |floor| floor.key);
        // What is late already gains nothing by waiting.
        let before = floor.max(self.frontier).max(by_lag.unwrap_or(Key::MIN));
        Limit { before, due }
    }

    /// The latest that a line can be, unless the clock of its node is ahead: such lines make no others late.
    pub(super) fn ceiling(&self, now: Instant) -> Key {
        let usual = self.wall(now).saturating_sub(self.patience(now).unwrap_or_default());
        usual.saturating_add(self.settings.window.as_nanos() as i64)
    }
}
