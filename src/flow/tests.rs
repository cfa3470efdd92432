//! The way from the queue to the sink, with an order and a sink that show what reaches them.

use std::{collections::VecDeque, io, time::Duration};

use futures::{FutureExt, future::try_join};
use tokio::time::sleep;

use super::*;
use crate::{
    event::{self, Batch, Line},
    order::Arrival,
    origin::Origin,
    plan::{FilterPlan, Rewrites},
    queue::{self, Capacity, Queued},
    sink::Shown,
};

/// Holds each event back for a second.
#[derive(Default)]
struct Late(VecDeque<(Instant, Queued)>, bool);

impl Order for Late {
    const CAPACITY: Capacity = Arrival::CAPACITY;
    const WAITS: bool = false;

    fn push(&mut self, event: Queued, now: Instant) {
        self.0.push_back((now + Duration::from_secs(1), event));
    }

    fn pop(&mut self, now: Instant) -> Option<Event> {
        let is_due = self.0.front().is_some_and(|(due, _)| *due <= now || self.1);
        if is_due { self.0.pop_front().map(|(_, event)| event.take()) } else { None }
    }

    fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    fn close(&mut self) {
        self.1 = true;
    }
}

/// The texts that were taken and flushed, with their seconds since the start.
struct Record {
    began: Instant,
    taken: Vec<String>,
    shown: Vec<(u64, String)>,
    /// After how long nothing can be shown any more.
    lives: Duration,
}

impl Record {
    fn new() -> Record {
        let (taken, shown) = (Vec::new(), Vec::new());
        Record { began: Instant::now(), taken, shown, lives: Duration::from_secs(1000) }
    }
}

impl Sink for Record {
    async fn take(&mut self, event: Event, _: &mut Pace) -> Result<(), Closed> {
        let Event::Text(text) = event else { return Err(Closed) };
        self.taken.push(text);
        Ok(())
    }

    async fn idle(&mut self) -> Result<(), Closed> {
        let seconds = self.began.elapsed().as_secs();
        self.shown.extend(self.taken.drain(..).map(|text| (seconds, text)));
        Ok(())
    }

    async fn closed(&mut self) {
        sleep_until(self.began + self.lives).await;
    }

    async fn failed(&mut self, _: &str) -> Result<(), Closed> {
        Ok(())
    }

    async fn written(&mut self) {}

    fn last_words(&mut self, _: &[Notice]) -> Vec<u8> {
        Vec::new()
    }

    async fn finish(&mut self) -> io::Result<Shown> {
        Ok(Shown::Whole)
    }
}

/// Gives a text every five seconds, four in all, and ends with the last.
async fn give(out: queue::Sender) {
    for text in ["a", "b", "c"] {
        out.text(text.to_owned()).await;
        sleep(Duration::from_secs(5)).await;
    }
    out.text("d".to_owned()).await;
}

async fn shown(order: impl Order, sink: &mut Record) -> Result<(), Stop> {
    let (sender, receiver) = queue::new(Arrival::CAPACITY);
    let mut stages = Stages {
        gather: None,
        filter: Filter::new(&FilterPlan::default()),
        until: Until::new(&[]),
        rewriter: Rewriter::new(&Rewrites::default(), None),
    };
    try_join(
        give(sender).map(Ok),
        flow(receiver, &mut stages, order, sink, &Deadline::new(None), &Open::default()),
    )
    .await
    .map(|_| ())
}

fn texts(shown: &[(u64, String)]) -> Vec<(u64, &str)> {
    shown.iter().map(|(seconds, text)| (*seconds, text.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_shown_at_once_when_it_arrives() {
    let mut sink = Record::new();
    assert!(shown(Arrival::default(), &mut sink).await.is_ok());
    assert_eq!(texts(&sink.shown), [(0, "a"), (5, "b"), (10, "c"), (15, "d")]);
}

#[tokio::test(start_paused = true)]
async fn an_order_gives_what_it_held_back_when_it_is_due_and_all_at_the_end() {
    let mut sink = Record::new();
    assert!(shown(Late::default(), &mut sink).await.is_ok());
    assert_eq!(texts(&sink.shown), [(1, "a"), (6, "b"), (11, "c"), (15, "d")]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_cannot_show_any_more_ends_it_between_two_events() {
    let mut sink = Record { lives: Duration::from_secs(7), ..Record::new() };
    let began = Instant::now();
    assert!(shown(Arrival::default(), &mut sink).await.is_err());
    assert_eq!((texts(&sink.shown), began.elapsed().as_secs()), (vec![(0, "a"), (5, "b")], 7));
}

/// Lines of its own origin, which an order still holds, may stand between.
#[test]
fn a_held_record_of_the_instant_of_the_last_line_is_not_shown() {
    let line = |container: &str, time| {
        let origin = Origin { container: container.to_owned(), ..Origin::default() };
        let items = vec![Item::Line(Line { time: Some(event::Instant(time)), start: 0, end: 1 })];
        Event::Batch(Batch { origin: origin.into(), data: "x".into(), items, rest: None })
    };
    assert_eq!([1, 2, 3].map(|time| is_behind(&line("b", time), &line("a", 2))), [false, true, true]);
}
