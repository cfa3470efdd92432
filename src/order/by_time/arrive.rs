//! Events become records of their lanes.

use tokio::time::Instant;

use super::{
    Arrival, Aside, ByTime, SEPARATOR,
    held::Source,
    lane::{Lane, Stage},
    phase::Phase,
    record::{Content, Key, Record},
    seen::HeldBack,
};
use crate::{
    event::{self, Batch, Event, Item},
    records::Records,
};

impl ByTime {
    fn number(&mut self) -> i64 {
        self.count += 1;
        self.count
    }

    /// Something came from this lane, or is known of it now.
    pub(super) fn progressed(&mut self, lane: u32, now: Instant) {
        let awaited = |lane: &Lane| lane.instances.front() == Some(&Stage::Awaited);
        if let Phase::History { progress, .. } = &mut self.phase
            && self.held.lanes.get(lane).is_some_and(awaited)
        {
            *progress = now;
        }
    }

    pub(super) fn expect(&mut self, lane: u32, now: Instant) {
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

    /// A log was opened: of a container that came later, the lines so far could not come earlier.
    pub(super) fn opened(&mut self, lane: u32, now: Instant) {
        let usual = self.wall(now).saturating_sub(self.lag.slowest().unwrap_or_default());
        let is_live = matches!(self.phase, Phase::Live { .. });
        let awaited = |lane: &Lane| lane.instances.front() == Some(&Stage::Awaited);
        let Some(lane) = self.held.lanes.get_mut(lane) else { return };
        // Another instance does not go on with a record.
        lane.records = Records::default();
        if is_live && !awaited(lane) {
            lane.opened = usual;
        }
    }

    /// Looks at a batch before the filter takes lines from it.
    pub(super) fn look_at(&mut self, batch: &Batch, now: Instant) {
        let number = self.held.lanes.number(&batch.origin);
        if let Some(lane) = self.held.lanes.get_mut(number) {
            lane.latest = self.seen.look(batch, &mut lane.records, lane.latest);
        }
        self.measure(number, self.seen.first(batch), now);
    }

    pub(super) fn batch(&mut self, number: u32, batch: &Batch, now: Instant) {
        let Some((latest, mut key)) = self.held.lanes.get(number).map(|lane| (lane.latest, lane.last)) else {
            return;
        };
        let size = batch.items.iter().map(|item| match item {
            Item::Line(line) => Record::size((line.end - line.start) as usize),
            Item::Gap(_) | Item::Separator => Record::size(0),
        });
        let mut bytes = Vec::with_capacity(size.sum());
        let (mut next, mut held_back) = (None, HeldBack::default());
        for (at, item) in batch.items.iter().enumerate() {
            // What has no place of its own stands directly before the next line.
            if next.is_none_or(|(next, _)| next < at) {
                next = (at..)
                    .zip(&batch.items[at..])
                    .find_map(|(at, item)| Some((at, self.place(batch, item, &mut held_back)?)));
            }
            key = key.max(next.map_or(latest, |(_, place)| place));
            let content = match item {
                Item::Line(line) => Content::Line { time: line.time, message: batch.message(line) },
                Item::Gap(gap) => self.aside(Aside::Gap(*gap)),
                Item::Separator => Content::Aside(SEPARATOR),
            };
            Record { key, lane: number, content }.write(&mut bytes);
        }
        self.hold(number, key, bytes, batch.items.len(), now);
        if let Some(lane) = self.held.lanes.get_mut(number) {
            lane.held_back = self.seen.held_back();
            lane.reached(latest);
        }
    }

    fn place(&self, batch: &Batch, item: &Item, held_back: &mut HeldBack) -> Option<Key> {
        match item {
            Item::Line(line) => held_back.place(&self.seen, batch, line, self.frontier),
            Item::Gap(_) | Item::Separator => None,
        }
    }

    fn aside(&mut self, aside: Aside) -> Content<'static> {
        let number = self.number();
        self.asides.insert(number, aside);
        Content::Aside(number)
    }

    /// Holds an event that stands behind the lines of its origin so far.
    pub(super) fn event(&mut self, number: u32, event: Event, now: Instant) {
        let content = self.aside(Aside::Event(event.into()));
        let Some(lane) = self.held.lanes.get(number) else { return };
        let (key, mut bytes) = (lane.latest, Vec::new());
        Record { key, lane: number, content }.write(&mut bytes);
        self.hold(number, key, bytes, 1, now);
    }

    /// Holds records up to this key.
    fn hold(&mut self, number: u32, last: Key, bytes: Vec<u8>, records: usize, now: Instant) {
        let chunk = self.number().unsigned_abs();
        let Some(lane) = self.held.lanes.get_mut(number).filter(|_| records > 0) else { return };
        let was_empty = lane.bytes().is_empty();
        self.held.memory += lane.push(chunk, bytes, records);
        lane.last = last;
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
            && written.0 >= lane.opened
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
}
