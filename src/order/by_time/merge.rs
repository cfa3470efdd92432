//! The merge: records that may pass become events, in order.

use std::{collections::binary_heap::PeekMut, io};

use tokio::time::Instant;

use super::{
    Aside, ByTime, LINES, PASSED, SEPARATOR,
    held::Source,
    record::{self, Content, Key, Record},
};
use crate::{
    event::{Event, Item, Merged},
    notice::{Kind, Scope},
    without_number,
};

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

impl ByTime {
    /// Takes the records that may pass, as many as fit into one event.
    pub(super) fn merge(&mut self, now: Instant) -> Option<Event> {
        let mut merged = Merged::default();
        let (mut limit, ceiling) = (self.limit(now), (self.ceiling(now), self.patience(now).is_some()));
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

    /// Moves the first record into `merged`, unless it is an event. `ceiling`: the latest that a line can be, and
    /// whether the delay of most lines is known.
    fn show_first(&mut self, merged: &mut Merged, (ceiling, is_usual): (Key, bool)) -> Shown {
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
                if key != Key::MIN
                    && let Some(lane) =
                        held.lanes.get_mut(number).filter(|lane| !lane.is_later() && key >= lane.opened)
                {
                    match key {
                        _ if key < *frontier => late.late(lane, frontier.saturating_sub(key)),
                        _ if is_usual && key > ceiling => late.early(lane, key.saturating_sub(ceiling)),
                        _ => {}
                    }
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

    pub(super) fn lost(&mut self, error: &io::Error) {
        let reason = without_number(error);
        let text = format!("lines are lost: --sort cannot read them from their temporary file: {reason}");
        self.passing.push_back(Event::Notice(Scope::Run.notice(Kind::Loss, text)));
    }
}
