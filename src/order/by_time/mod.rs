//! Lines in the order of their timestamps, across origins.
//!
//! Every event is taken at once, so that no origin waits for another. First the order is exact: nothing passes until
//! all origins that existed at the start have sent what they wrote before. Then lines pass a window: each waits for
//! older ones until all origins have gone on beyond it, or until most lines of its age have arrived, or for the window
//! at most.

mod arrive;
mod held;
mod lag;
mod lane;
mod late;
mod limit;
mod merge;
mod phase;
mod record;
mod run;
mod seen;
mod spool;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BinaryHeap, VecDeque},
    env, io,
    time::Duration,
};

use tokio::time::Instant;

use super::Order;
use crate::{
    event::{self, Batch, Event, Gap},
    notice::Scope,
    queue::{Capacity, Queued},
    stats, without_number,
};
use held::{Head, Held};
use lag::Lag;
use lane::Stage;
use late::Late;
use limit::MANY_FLOORS;
use phase::{Phase, STALLED};
use record::Key;
use seen::Seen;
use spool::{Spool, Step};

/// The most bytes that wait in memory.
const BUDGET: usize = 16 << 20;

/// Bytes and lines that pass without a pause.
const PASSED: usize = 64 << 10;
const LINES: usize = 1 << 12;

/// The number of every separator among asides.
const SEPARATOR: i64 = 0;

/// How the order is chosen.
#[derive(Debug)]
pub struct Settings {
    pub window: Duration,
    /// For how long lines may be held before they come to the order.
    pub held: Duration,
    /// Whether lines come after those that were written before the start, as far as it is known.
    pub follow: bool,
    /// The time of the wall clock at which the order is made.
    pub now: event::Instant,
    pub late: stats::Late,
}

pub struct ByTime {
    settings: Settings,
    began: Instant,
    phase: Phase,
    held: Held,
    /// The first record of each source.
    heads: BinaryHeap<Head>,
    /// For each lane without lines in memory the earliest that it can bring. They only rise, and are renewed when
    /// looked at.
    floors: BinaryHeap<Head>,
    /// With more of them, those of lanes that are not waited for are looked for.
    many_floors: usize,
    /// What stands among lines, by its number.
    asides: BTreeMap<i64, Aside>,
    /// Events that need not wait.
    passing: VecDeque<Event>,
    /// Once lines are live: what arrived and is held, in order of arrival.
    arrived: VecDeque<(Instant, Arrival)>,
    spool: Spool,
    /// When the oldest of the records that are being moved arrived.
    oldest: Instant,
    /// Of the batch that comes next, or came last.
    seen: Seen,
    lag: Lag,
    late: Late,
    /// The latest that was shown, or could have been shown by now: an older line is late.
    frontier: Key,
    /// Counter of chunks and asides.
    count: i64,
}

#[derive(Debug)]
enum Aside {
    Gap(Gap),
    /// An event of one origin: the beginning or the end of an instance.
    Event(Box<Event>),
}

#[derive(Debug, Clone, Copy)]
enum Arrival {
    Chunk { lane: u32, number: u64 },
    Run(u32),
}

impl ByTime {
    pub fn new(settings: Settings, began: Instant) -> ByTime {
        ByTime {
            began,
            phase: Phase::History { listed: false, progress: began },
            held: Held::default(),
            heads: BinaryHeap::new(),
            floors: BinaryHeap::new(),
            many_floors: MANY_FLOORS,
            asides: BTreeMap::new(),
            passing: VecDeque::new(),
            arrived: VecDeque::new(),
            spool: Spool::new(BUDGET),
            oldest: began,
            seen: Seen::new(),
            lag: Lag::new(settings.window, settings.held),
            late: Late::new(settings.late.clone()),
            frontier: Key::MIN,
            count: 0,
            settings,
        }
    }

    /// The wall clock at that time.
    fn wall(&self, now: Instant) -> Key {
        let passed = now.saturating_duration_since(self.began).as_nanos();
        self.settings.now.0.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// When the wall clock shows that.
    fn when(&self, wall: Key) -> Instant {
        self.began + Duration::from_nanos(wall.saturating_sub(self.settings.now.0).max(0).unsigned_abs())
    }

    fn full(&mut self, error: &io::Error) {
        let (directory, reason) = (env::temp_dir(), without_number(error));
        let text = format!(
            "--sort shows lines before their turn: there is no room for more of them in the temporary directory \
             {}: {reason}",
            directory.display()
        );
        self.passing.push_back(Event::Notice(Scope::Run.warning(text)));
        // That explains late lines.
        self.late.is_explained();
    }
}

impl Order for ByTime {
    // What is held has no room: it moves to files instead.
    const CAPACITY: Capacity = super::Arrival::CAPACITY;
    const WAITS: bool = true;

    fn look(&mut self, batch: &Batch, now: Instant) {
        self.look_at(batch, now);
    }

    fn hold_back(&mut self, oldest: event::Instant) {
        self.seen.hold_back(oldest);
    }

    fn push(&mut self, event: Queued, now: Instant) {
        let event = event.take();
        let lane = match &event {
            Event::Expected(origin)
            | Event::Opened(origin, _)
            | Event::Batch(Batch { origin, .. })
            | Event::Reached(origin, _)
            | Event::CaughtUp(origin)
            | Event::Closed(origin, _) => self.held.lanes.number(origin),
            Event::Listed | Event::Merged(_) | Event::Notice(_) | Event::Text(_) => 0,
        };
        match event {
            Event::Listed => {
                if let Phase::History { listed, progress } = &mut self.phase {
                    (*listed, *progress) = (true, now);
                }
            }
            Event::Merged(_) | Event::Notice(_) | Event::Text(_) => self.passing.push_back(event),
            Event::Expected(_) => self.expect(lane, now),
            Event::Opened(_, ref restart) => {
                self.progressed(lane, now);
                self.opened(lane, now);
                // A beginning has a place only behind an earlier instance.
                let is_behind =
                    restart.is_some() || self.held.lanes.get(lane).is_some_and(|lane| lane.held > 0);
                match is_behind {
                    true => self.event(lane, event, now),
                    false => self.passing.push_back(event),
                }
            }
            Event::Batch(batch) => {
                self.progressed(lane, now);
                self.batch(lane, &batch, now);
            }
            Event::Reached(_, instant) => {
                // Another line of the record that came last has its place.
                if let Some(lane) =
                    self.held.lanes.get_mut(lane).filter(|lane| !lane.records.may_continue(instant))
                {
                    lane.reached(instant.0);
                }
            }
            Event::CaughtUp(_) => {
                // It goes on, though by the clock of this machine `--until` may be over.
                self.settings.follow = true;
                self.progressed(lane, now);
                if let Some(stage) = self.held.lanes.get_mut(lane).and_then(|lane| lane.instances.front_mut())
                {
                    *stage = Stage::Live;
                }
            }
            Event::Closed(..) => {
                self.progressed(lane, now);
                if let Some(lane) = self.held.lanes.get_mut(lane) {
                    lane.instances.pop_front();
                }
                self.event(lane, event, now);
            }
        }
    }

    fn work(&mut self, now: Instant) -> bool {
        if !self.spool.is_busy() {
            self.oldest = self.first_arrival().unwrap_or(now);
        }
        match self.spool.step(&mut self.held, &mut self.heads) {
            Step::Rest => return false,
            Step::More => return true,
            Step::Moved(run) => {
                if let Phase::Live { .. } = self.phase {
                    self.arrived.push_front((self.oldest, Arrival::Run(run)));
                }
            }
            Step::Full(error) => self.full(&error),
            Step::Lost(error) => self.lost(&error),
        }
        for lane in 0..self.held.lanes.count() {
            self.wait_for(lane);
        }
        true
    }

    fn pop(&mut self, now: Instant) -> Option<Event> {
        // What is being moved has no arrival of its own.
        if !self.spool.is_busy() {
            self.review(now);
        }
        let passing = self.passing.pop_front();
        if passing.is_some() || self.spool.is_busy() {
            return passing;
        }
        self.merge(now).or_else(|| self.passing.pop_front())
    }

    fn due(&self) -> Option<Instant> {
        let window = self.settings.window;
        match self.phase {
            Phase::History { progress, .. } => {
                let may_stall = self.settings.follow && !self.held.lanes.is_empty();
                may_stall.then_some(progress + STALLED)
            }
            Phase::Live { since } => {
                let by_age = self.arrived.front().map(|(at, _)| *at + window);
                let by_lag = self.lag.slowest().zip(self.heads.peek());
                let by_lag = by_lag.map(|(delay, head)| self.when(head.key.saturating_add(delay)));
                by_age.into_iter().chain(by_lag.map(|at| at.max(since + window))).min()
            }
            Phase::Closed => None,
        }
    }

    fn close(&mut self) {
        self.phase = Phase::Closed;
    }
}
