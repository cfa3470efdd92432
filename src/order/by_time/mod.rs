//! Lines in the order of their timestamps, across origins.
//!
//! Every event is taken at once, so that no origin waits for another. First the order is exact: nothing passes until all
//! origins that existed at the start have sent what they wrote before. Then lines pass a window: each waits for older ones
//! until all origins have gone on beyond it, or until most lines of its age have arrived, or for the window at most.

mod held;
mod lag;
mod lane;
mod late;
mod record;
mod run;
mod spool;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BinaryHeap, VecDeque, binary_heap::PeekMut},
    io,
    time::Duration,
};

use tokio::time::Instant;

use super::Order;
use crate::{
    event::{self, Batch, Event, Gap, Item, Merged},
    notice::{Kind, Notice, Scope},
    queue::{Capacity, Queued},
    stats, without_number,
};
use held::{Head, Held, IN_MEMORY, Source};
use lag::Lag;
use lane::{Lane, Stage};
use late::Late;
use record::{Content, Key, Record};
use spool::{Spool, Step};

/// The most bytes that wait in memory.
const BUDGET: usize = 16 << 20;

/// Bytes and lines that pass without a pause.
const PASSED: usize = 64 << 10;
const LINES: usize = 1 << 12;

/// While the history is read, origins that make no progress for this long are not waited for any more.
const STALLED: Duration = Duration::from_secs(10);

/// The number of every separator among asides.
const SEPARATOR: i64 = 0;

/// The most origins that a message names.
const NAMED: usize = 3;

/// How the order is chosen.
#[derive(Debug)]
pub struct Settings {
    pub window: Duration,
    /// Whether lines come after those that were written before the start.
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
    /// For each lane without lines in memory the earliest that it can bring. They only rise, and are renewed when looked at.
    floors: BinaryHeap<Head>,
    /// What stands among lines, by its number.
    asides: BTreeMap<i64, Aside>,
    /// Events that need not wait.
    passing: VecDeque<Event>,
    /// Once lines are live: what arrived and is held, in order of arrival.
    arrived: VecDeque<(Instant, Arrival)>,
    spool: Spool,
    /// When the oldest of the records that are being moved arrived.
    oldest: Instant,
    lag: Lag,
    late: Late,
    /// The latest that was shown, or could have been shown by now: an older line is late.
    frontier: Key,
    /// Counter of chunks and asides.
    count: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// What was written before the start is read. Whether all origins are known, and since when none makes progress.
    History {
        listed: bool,
        progress: Instant,
    },
    Live {
        since: Instant,
    },
    /// No more events come.
    Closed,
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

/// Up to where lines may pass.
struct Limit {
    /// All lines before this pass.
    before: Key,
    /// Whether the others pass too, until the one that has waited for the window has passed.
    due: bool,
}

impl ByTime {
    pub fn new(settings: Settings, began: Instant) -> ByTime {
        ByTime {
            began,
            phase: Phase::History { listed: false, progress: began },
            held: Held::default(),
            heads: BinaryHeap::new(),
            floors: BinaryHeap::new(),
            asides: BTreeMap::new(),
            passing: VecDeque::new(),
            arrived: VecDeque::new(),
            spool: Spool::new(BUDGET),
            oldest: began,
            lag: Lag::new(settings.window),
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

    fn number(&mut self) -> i64 {
        self.count += 1;
        self.count
    }

    /// Something came from this lane, or is known of it now.
    fn progressed(&mut self, lane: u32, now: Instant) {
        let awaited = |lane: &Lane| lane.instances.front() == Some(&Stage::Awaited);
        if let Phase::History { progress, .. } = &mut self.phase
            && self.held.lanes.get(lane).is_some_and(awaited)
        {
            *progress = now;
        }
    }

    fn expect(&mut self, lane: u32, now: Instant) {
        let stage = match &mut self.phase {
            Phase::History { listed: false, progress } => {
                *progress = now;
                Stage::Awaited
            }
            _ => Stage::Later,
        };
        if let Some(expected) = self.held.lanes.get_mut(lane) {
            expected.instances.push_back(stage);
        }
        self.wait_for(lane);
    }

    /// Lines of this lane may come, and none is in memory.
    fn wait_for(&mut self, number: u32) {
        if let Some(lane) = self.held.lanes.get_mut(number)
            && lane.is_waited_for()
            && !std::mem::replace(&mut lane.is_floor, true)
        {
            let (key, name, source) = (lane.floor, lane.name.clone(), Source::Lane(number));
            self.floors.push(Head { key, name, age: IN_MEMORY, source });
        }
    }

    fn batch(&mut self, number: u32, batch: &Batch, now: Instant) {
        self.measure(number, next_time(&batch.items), now);
        let Some(mut key) = self.held.lanes.get(number).map(|lane| lane.latest) else { return };
        let size = batch.items.iter().map(|item| match item {
            Item::Line(line) => Record::size((line.end - line.start) as usize),
            Item::Gap(_) | Item::Separator => Record::size(0),
        });
        let mut bytes = Vec::with_capacity(size.sum());
        for (at, item) in batch.items.iter().enumerate() {
            // What has no message stands directly before the next line.
            let time = next_time(&batch.items[at..]);
            key = time.map_or(key, |time| key.max(time.0));
            let content = match item {
                Item::Line(line) => Content::Line { time: line.time, message: batch.message(line) },
                Item::Gap(gap) => self.aside(Aside::Gap(*gap)),
                Item::Separator => Content::Aside(SEPARATOR),
            };
            Record { key, lane: number, content }.write(&mut bytes);
        }
        self.hold(number, key, bytes, batch.items.len(), now);
    }

    fn aside(&mut self, aside: Aside) -> Content<'static> {
        let number = self.number();
        self.asides.insert(number, aside);
        Content::Aside(number)
    }

    /// Holds an event that stands behind the lines of its origin so far.
    fn event(&mut self, number: u32, event: Event, now: Instant) {
        let content = self.aside(Aside::Event(event.into()));
        let Some(lane) = self.held.lanes.get(number) else { return };
        let (key, mut bytes) = (lane.latest, Vec::new());
        Record { key, lane: number, content }.write(&mut bytes);
        self.hold(number, key, bytes, 1, now);
    }

    /// Holds records up to this key.
    fn hold(&mut self, number: u32, latest: Key, bytes: Vec<u8>, records: usize, now: Instant) {
        let chunk = self.number().unsigned_abs();
        let Some(lane) = self.held.lanes.get_mut(number).filter(|_| records > 0) else { return };
        let was_empty = lane.bytes().is_empty();
        self.held.memory += lane.push(chunk, bytes, records);
        (lane.latest, lane.floor) = (latest, lane.floor.max(latest));
        if was_empty {
            self.heads.extend(self.held.head(Source::Lane(number)));
        }
        if matches!(self.phase, Phase::Live { .. }) {
            self.arrived.push_back((now, Arrival::Chunk { lane: number, number: chunk }));
        }
    }

    /// Measures the delay of lines that are being written.
    fn measure(&mut self, lane: u32, written: Option<event::Instant>, now: Instant) {
        let wall = self.wall(now);
        if let Some(lane) = self.held.lanes.get_mut(lane)
            && lane.is_live()
            && let Some(written) = written
        {
            self.lag.add(&mut lane.delays, wall.saturating_sub(written.0), now);
        }
        if self.lag.wants_review(now) {
            self.lag
                .compare(self.held.lanes.iter().filter(|lane| lane.is_live()).map(|lane| &lane.delays), now);
            self.passing
                .extend(self.late.report(&mut self.held.lanes, self.lag.slowest(), now).map(Event::Notice));
        }
    }

    /// Goes on to live lines once the history is complete, or what is missing of it does not come.
    fn review(&mut self, now: Instant) {
        let Phase::History { listed, progress } = self.phase else { return };
        // While the pods are listed first, there is nothing that could go on.
        if !self.settings.follow || self.held.lanes.is_empty() {
            return;
        }
        let is_awaited = |lane: &&Lane| lane.instances.contains(&Stage::Awaited);
        let stalled = now >= progress + STALLED;
        if !stalled && (!listed || self.held.lanes.iter().any(|lane| is_awaited(&lane))) {
            return;
        }
        let awaited: Vec<&Lane> = self.held.lanes.iter().filter(is_awaited).collect();
        if !awaited.is_empty() || !listed {
            self.passing.push_back(Event::Notice(goes_on_without(&awaited)));
        }
        self.phase = Phase::Live { since: now };
        for source in self.heads.iter().map(|head| head.source) {
            let arrival = match source {
                Source::Lane(lane) => {
                    // All of its chunks so far: each becomes the first in turn.
                    Arrival::Chunk { lane, number: self.count.unsigned_abs() }
                }
                Source::Run(run) => Arrival::Run(run),
            };
            self.arrived.push_back((now, arrival));
        }
    }

    /// The lowest floor.
    fn floor(&mut self) -> Option<&Head> {
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
    fn first_arrival(&mut self) -> Option<Instant> {
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
    fn patience(&self, now: Instant) -> Option<i64> {
        let Phase::Live { since } = self.phase else { return None };
        // Until then, streams are being opened.
        self.lag.slowest().filter(|_| now >= since + self.settings.window)
    }

    /// Up to where lines may pass now.
    fn limit(&mut self, now: Instant) -> Limit {
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
        Limit { before: by_lag.map_or(floor, |by_lag| floor.max(by_lag)), due }
    }

    /// Takes the records that may pass, as many as fit into one event.
    fn merge(&mut self, now: Instant) -> Option<Event> {
        let mut merged = Merged::default();
        let (mut limit, ceiling) = (self.limit(now), self.ceiling(now));
        while merged.size() < PASSED && merged.count() < LINES {
            let Some(head) = self.heads.peek() else { break };
            // Of the same instant as the floor, the names decide.
            let passes = head.key < limit.before || limit.due || limit.at_floor(head, self.floors.peek());
            if !passes {
                break;
            }
            match self.show_first(&mut merged, ceiling) {
                Shown::Within => {}
                Shown::Last => limit = self.limit(now),
                Shown::Gap => break,
                Shown::Event if merged.is_empty() => return self.take_event(),
                Shown::Event => break,
            }
        }
        (!merged.is_empty()).then_some(Event::Merged(merged))
    }

    /// The latest that a line can be, unless the clock of its node is ahead: such lines make no others late.
    fn ceiling(&self, now: Instant) -> Key {
        let usual = self.wall(now).saturating_sub(self.patience(now).unwrap_or_default());
        usual.saturating_add(self.settings.window.as_nanos() as i64)
    }

    /// Moves the first record into `merged`, unless it is an event.
    fn show_first(&mut self, merged: &mut Merged, ceiling: Key) -> Shown {
        let Self { heads, held, asides, late, frontier, .. } = self;
        let record = heads.peek().and_then(|head| record::read(held.bytes(head.source)));
        let of_lane = record.and_then(|record| Some((held.lanes.get(record.lane)?, record)));
        let Some((lane, Record { key, lane: number, content })) = of_lane else {
            // Only a file that was changed has such records.
            heads.pop();
            self.lost(&io::ErrorKind::InvalidData.into());
            return Shown::Last;
        };
        let gap = match content {
            Content::Line { time, message } => {
                merged.line(&lane.name.0, time, message);
                late.shown();
                // What a container wrote before it was seen is not late.
                if key < *frontier
                    && key != Key::MIN
                    && let Some(lane) = held.lanes.get_mut(number).filter(|lane| !lane.is_later())
                {
                    late.late(lane, key, *frontier);
                }
                if key <= ceiling {
                    *frontier = key.max(*frontier);
                }
                false
            }
            Content::Aside(SEPARATOR) => {
                merged.item(&lane.name.0, Item::Separator);
                false
            }
            Content::Aside(aside) => match asides.get(&aside) {
                Some(Aside::Event(_)) => return Shown::Event,
                Some(Aside::Gap(gap)) => {
                    merged.item(&lane.name.0, Item::Gap(*gap));
                    asides.remove(&aside);
                    true
                }
                None => false,
            },
        };
        match (self.drop_first(number), gap) {
            (_, true) => Shown::Gap,
            (shown, false) => shown,
        }
    }

    /// Takes the first record, which is an event.
    fn take_event(&mut self) -> Option<Event> {
        let record = record::read(self.held.bytes(self.heads.peek()?.source))?;
        let Record { lane, content: Content::Aside(aside), .. } = record else { return None };
        let aside = self.asides.remove(&aside);
        self.drop_first(lane);
        self.held.lanes.forget(lane);
        match aside {
            Some(Aside::Event(event)) => Some(*event),
            _ => None,
        }
    }

    /// Drops the first record, which is of this lane.
    fn drop_first(&mut self, number: u32) -> Shown {
        let Self { heads, held, .. } = self;
        let Some(mut head) = heads.peek_mut() else { return Shown::Last };
        if let Some(lane) = held.lanes.get_mut(number) {
            lane.held -= 1;
        }
        let (source, memory) = (head.source, held.memory);
        let advanced = held.advance(source);
        if advanced.is_ok() && held.renew(&mut head) {
            return if held.memory == memory { Shown::Within } else { Shown::Last };
        }
        PeekMut::pop(head);
        match source {
            Source::Lane(lane) => self.wait_for(lane),
            Source::Run(run) => drop(held.runs.remove(&run)),
        }
        if let Err(error) = advanced {
            self.lost(&error);
        }
        Shown::Last
    }

    fn lost(&mut self, error: &io::Error) {
        let reason = without_number(error);
        let text = format!("lines are lost: --sort cannot read them from their temporary file: {reason}");
        self.passing.push_back(Event::Notice(Scope::Run.notice(Kind::Loss, text)));
    }

    fn full(&mut self, error: &io::Error) {
        let reason = without_number(error);
        let text = format!(
            "--sort shows lines before their turn: there is no room for more of them in the temporary directory \
             (TMPDIR): {reason}"
        );
        self.passing.push_back(Event::Notice(Scope::Run.warning(text)));
    }
}

/// The time of the first line, if it has one.
fn next_time(items: &[Item]) -> Option<event::Instant> {
    let next = items.iter().find_map(|item| match item {
        Item::Line(line) => Some(line.time),
        Item::Gap(_) | Item::Separator => None,
    });
    next.flatten()
}

/// The state after a record was shown.
enum Shown {
    /// More of the same chunk follow.
    Within,
    /// It was the last of its chunk: the limit may be another one now.
    Last,
    Gap,
    /// Nothing was shown: an event is next.
    Event,
}

impl Limit {
    /// Whether `head` passes a floor of the same instant.
    fn at_floor(&self, head: &Head, floor: Option<&Head>) -> bool {
        head.key == self.before && floor.is_some_and(|floor| floor.key == self.before && head > floor)
    }
}

fn goes_on_without(awaited: &[&Lane]) -> Notice {
    let mut names: Vec<_> = awaited.iter().map(|lane| &lane.name).collect();
    names.sort_unstable();
    let named = names.iter().take(NAMED).map(|name| format!("{} › {}", name.0.pod.name, name.0.container));
    let more = if names.len() > NAMED { ", …" } else { "" };
    let named = named.collect::<Vec<_>>().join(", ");
    Scope::Run.warning(match names.len() {
        0 => "--sort goes on before all pods are listed; lines of the others are shown late".to_owned(),
        1 => format!("--sort goes on without a container that cannot be read yet: {named}"),
        count => format!("--sort goes on without {count} containers that cannot be read yet: {named}{more}"),
    })
}

impl Order for ByTime {
    // What is held has no room: it moves to files instead.
    const CAPACITY: Capacity = super::Arrival::CAPACITY;

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
                if let Some(lane) = self.held.lanes.get_mut(lane) {
                    lane.floor = lane.floor.max(instant.0);
                }
            }
            Event::CaughtUp(_) => {
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
        self.review(now);
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
