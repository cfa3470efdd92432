//! An order on a clock that is passed, and what it showed.

mod exact;
mod filtered;
mod history;
mod live;

use std::sync::Arc;

use super::*;
use crate::{
    event::{Closed, Instant as Stamp, Item, Line, Reason, Restart},
    origin::Origin,
    origin::PodInfo,
};

const MS: i64 = 1_000_000;

/// A line of an origin: its time in milliseconds, and its message.
type Written = (Option<i64>, String);

fn origin(name: &str) -> Arc<Origin> {
    let pod = PodInfo { name: name.to_owned(), node: format!("node-of-{name}"), ..PodInfo::default() };
    Arc::new(Origin { pod: pod.into(), container: "app".into(), ..Origin::default() })
}

fn batch(origin: &Arc<Origin>, lines: &[Written]) -> Event {
    let (mut data, mut items) = (Vec::new(), Vec::new());
    for (time, message) in lines {
        let start = data.len() as u32;
        data.extend_from_slice(message.as_bytes());
        let time = time.map(|time| Stamp(time * MS));
        items.push(Item::Line(Line { time, start, end: data.len() as u32 }));
    }
    Event::Batch(Batch { origin: origin.clone(), data: data.into(), items, rest: None })
}

fn closed(origin: &Arc<Origin>) -> Event {
    let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
    Event::Closed(origin.clone(), closed)
}

/// An order, and what it showed.
struct Sorted {
    order: ByTime,
    start: Instant,
    /// Milliseconds since the start; the wall clock shows the same.
    now: u64,
    late: stats::Stats,
    /// The messages that the filter lets pass.
    wants: fn(&str) -> bool,
    shown: Vec<String>,
}

impl Sorted {
    fn new(window: u64, follow: bool) -> Sorted {
        let (late, start) = (stats::Stats::default(), Instant::now());
        let settings = Settings {
            window: Duration::from_millis(window),
            held: Duration::ZERO,
            follow,
            now: Stamp(0),
            late: late.late(),
        };
        Sorted {
            order: ByTime::new(settings, start),
            start,
            now: 0,
            late,
            wants: |_| true,
            shown: Vec::new(),
        }
    }

    /// All live, in milliseconds after the start.
    fn live<const N: usize>(window: u64, origins: [&Arc<Origin>; N]) -> Sorted {
        let mut sorted = Sorted::new(window, true);
        for origin in origins {
            sorted.push(Event::Expected(origin.clone()));
        }
        sorted.push(Event::Listed);
        for origin in origins {
            sorted.push(Event::CaughtUp(origin.clone()));
        }
        sorted
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn push(&mut self, mut event: Event) {
        if let Event::Batch(batch) = &mut event {
            self.order.look(batch, self.now());
            let is_wanted = |item: &Item| match item {
                Item::Line(line) => (self.wants)(&String::from_utf8_lossy(batch.message(line))),
                Item::Gap(_) | Item::Separator => true,
            };
            let kept: Vec<u32> =
                (0..).zip(&batch.items).filter(|(_, item)| is_wanted(item)).map(|(at, _)| at).collect();
            batch.keep(&kept);
        }
        self.order.push(event.into(), self.now());
        self.flow();
    }

    /// As the flow does.
    fn flow(&mut self) {
        loop {
            while let Some(event) = self.order.pop(self.now()) {
                self.show(event);
            }
            if !self.order.work(self.now()) {
                return;
            }
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Merged(merged) => {
                for stretch in merged.stretches() {
                    for item in stretch.items {
                        self.shown.push(match item {
                            Item::Line(line) => String::from_utf8_lossy(stretch.message(line)).into_owned(),
                            Item::Gap(gap) => format!("{gap:?}"),
                            Item::Separator => "--".to_owned(),
                        });
                    }
                }
            }
            Event::Closed(origin, _) => self.shown.push(format!("- {}", origin.pod.name)),
            Event::Opened(origin, None) => self.shown.push(format!("+ {}", origin.pod.name)),
            Event::Opened(_, Some(_)) => self.shown.push("restarted".to_owned()),
            Event::Notice(notice) => self.shown.push(format!("! {}", notice.text)),
            event => panic!("{event:?}"),
        }
    }

    /// A line of this origin arrives.
    fn line(&mut self, origin: &Arc<Origin>, time: i64, message: &str) {
        self.push(batch(origin, &[(Some(time), message.to_owned())]));
    }

    /// Time passes until then; the order is asked only when it is due.
    fn pass(&mut self, until: u64) {
        while let Some(due) = self.order.due()
            && due <= self.start + Duration::from_millis(until)
        {
            let due = due.saturating_duration_since(self.start).as_micros().div_ceil(1000) as u64;
            assert!(self.now < due, "it is due at once again");
            self.now = due;
            self.flow();
        }
        self.now = until;
    }

    fn close(&mut self) {
        self.order.close();
        self.flow();
    }

    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shown)
    }

    fn late(&self) -> u64 {
        self.late.to_json()["late_lines"].as_u64().expect("a number")
    }
}
