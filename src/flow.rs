//! The way of events from the queue to the sink: through the filter, in order, and rewritten.

mod intake;
mod open;
mod until;

use std::{future::pending, pin::pin};

use tokio::time::{Instant, sleep_until};

use crate::{
    deadline::Deadline,
    event::{Event, Item},
    filter::Filter,
    notice::Notice,
    order::Order,
    pace::Pace,
    plan::Plan,
    queue::Receiver,
    records::Gather,
    rewrite::Rewriter,
    sink::{Closed, Sink},
    summary::Summary,
};
use intake::Intake;
pub use open::Open;
pub use until::Until;

/// The reason why events are left.
#[derive(Debug)]
pub enum Stop {
    /// Nothing can be shown any more.
    Closed,
    /// The line that was awaited is shown.
    Matched,
    /// What is to be shown cannot be had, for this reason.
    Over(String),
}

impl From<Closed> for Stop {
    fn from(Closed: Closed) -> Stop {
        Stop::Closed
    }
}

/// Through which events pass, in this order; the order of the output comes behind the filter.
pub struct Stages {
    /// None: each line goes on at once.
    pub gather: Option<Gather>,
    pub filter: Filter,
    pub until: Until,
    pub rewriter: Rewriter,
}

impl Stages {
    pub fn new(plan: &Plan, summary: Option<Summary>) -> Stages {
        Stages {
            gather: plan.gathering.map(|gathering| Gather::new(gathering, plan.record_wait())),
            filter: Filter::new(&plan.filter),
            until: Until::new(&plan.ending.until_match),
            rewriter: Rewriter::new(&plan.rewrites, summary),
        }
    }

    /// What is to be reported at the end of the run.
    pub fn last_words(&mut self) -> Vec<Notice> {
        let mut words = self.filter.last_words();
        words.extend(self.rewriter.last_words());
        words
    }
}

impl Stages {
    /// Shows the records that are held, and of those only what was written before the line that is the `last` one.
    pub async fn show_held(&mut self, last: Option<&Event>, sink: &mut impl Sink) -> Result<(), Closed> {
        let Some(gather) = &mut self.gather else { return Ok(()) };
        gather.close();
        let mut pace = Pace::default();
        while let Some(mut event) = gather.ready() {
            if last.is_some_and(|last| is_behind(&event, last)) {
                continue;
            }
            self.filter.apply(&mut event, &mut pace).await;
            let (event, notices) = self.rewriter.apply(event, &mut pace).await;
            for notice in notices {
                sink.take(Event::Notice(notice), &mut pace).await?;
            }
            let Some(event) = event else { break };
            sink.take(event, &mut pace).await?;
        }
        sink.idle().await
    }
}

/// Whether a batch was not written before the last line of another event. At the same instant it may stand behind
/// lines of its own that an order still holds, and that are not shown either.
fn is_behind(event: &Event, last: &Event) -> bool {
    let Event::Batch(batch) = event else { return false };
    let last = match last {
        Event::Batch(last) => Some(last.stretch()),
        Event::Merged(merged) => merged.stretches().last(),
        _ => None,
    };
    let time = |item: Option<&Item>| match item? {
        Item::Line(line) => line.time,
        Item::Gap(_) | Item::Separator => None,
    };
    last.is_some_and(|last| {
        let times = time(batch.items.first()).zip(time(last.items.last()));
        // The rewriter may have replaced one of the two.
        let is_same = last.origin.pod.identity == batch.origin.pod.identity
            && last.origin.container == batch.origin.container;
        is_same || times.is_some_and(|(time, last)| time >= last)
    })
}

/// Shows all events of the queue, and before the last line what was written before it and is held.
pub async fn flow(
    queue: Receiver,
    stages: &mut Stages,
    order: impl Order,
    sink: &mut impl Sink,
    deadline: &Deadline,
    open: &Open,
) -> Result<(), Stop> {
    let mut last = None;
    let ended = pass(queue, stages, order, sink, deadline, open, &mut last).await;
    if let Some(last) = last {
        stages.show_held(Some(&last), sink).await?;
        sink.take(last, &mut Pace::default()).await?;
        deadline.moved(Instant::now());
        sink.idle().await?;
    }
    ended
}

/// Shows all events of the queue: as many at once as are ready, and a single line immediately. Takes no more of them
/// once the deadline is over.
async fn pass(
    queue: Receiver,
    stages: &mut Stages,
    mut order: impl Order,
    sink: &mut impl Sink,
    deadline: &Deadline,
    open: &Open,
    last: &mut Option<Event>,
) -> Result<(), Stop> {
    let Stages { gather, filter, until, rewriter } = stages;
    let mut queue = Intake::new(queue, gather.as_mut());
    let mut show = Show { until, rewriter, sink, deadline, last, pace: Pace::default() };
    let mut over = pin!(deadline.over());
    let mut is_over = false;
    loop {
        let mut next = tokio::select! {
            biased;
            () = &mut over, if !is_over => {
                is_over = true;
                queue.close();
                None
            }
            next = queue.next() => match next {
                None => break,
                next => next,
            },
            () = wait_until(order.due()) => None,
            // Without this, only the next line would notice it.
            () = show.sink.closed() => return Err(Stop::Closed),
        };
        show.pace.rested();
        loop {
            let now = Instant::now();
            if let Some(mut queued) = next {
                open.see(&queued.event);
                if let Event::Batch(batch) = &queued.event {
                    order.look(batch, now);
                    show.rewriter.look(batch);
                }
                if let Some(notice) = filter.apply(&mut queued.event, &mut show.pace).await {
                    show.show(Event::Notice(notice), now).await?;
                }
                if let Some(oldest) = filter.held_back(&queued.event) {
                    order.hold_back(oldest);
                }
                order.push(queued, now);
            }
            loop {
                while let Some(event) = order.pop(now) {
                    show.show(event, now).await?;
                }
                if !order.work(now) {
                    break;
                }
                show.pace.done().await;
            }
            // A source may give for as long as it is asked.
            if deadline.is_over() {
                queue.close();
            }
            next = queue.ready();
            if next.is_none() {
                break;
            }
        }
        show.sink.idle().await?;
    }
    order.close();
    loop {
        let now = Instant::now();
        let Some(event) = order.pop(now) else { break };
        show.show(event, now).await?;
    }
    Ok(show.sink.idle().await?)
}

/// The way of an event from the order to the sink.
struct Show<'a, S> {
    until: &'a mut Until,
    rewriter: &'a mut Rewriter,
    sink: &'a mut S,
    deadline: &'a Deadline,
    /// The event with the line that was awaited. It is not shown yet.
    last: &'a mut Option<Event>,
    pace: Pace,
}

impl<S: Sink> Show<'_, S> {
    async fn show(&mut self, mut event: Event, now: Instant) -> Result<(), Stop> {
        let (is_last, notice) = self.until.cut(&mut event, &mut self.pace).await;
        if let Some(notice) = notice {
            self.sink.take(Event::Notice(notice), &mut self.pace).await?;
        }
        let (event, notices) = self.rewriter.apply(event, &mut self.pace).await;
        for notice in notices {
            self.sink.take(Event::Notice(notice), &mut self.pace).await?;
        }
        let Some(event) = event else {
            let reason = self.rewriter.over().unwrap_or_default().to_owned();
            self.sink.idle().await?;
            return Err(Stop::Over(reason));
        };
        if is_last {
            *self.last = Some(event);
            return Err(Stop::Matched);
        }
        self.sink.take(event, &mut self.pace).await?;
        self.deadline.moved(now);
        Ok(())
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
