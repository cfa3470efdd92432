//! The way of events from the queue to the sink: through the filter, then in order.

mod open;
mod until;

use std::{future::pending, pin::pin};

use tokio::time::{Instant, sleep_until};

use crate::{
    deadline::Deadline,
    event::Event,
    filter::Filter,
    order::Order,
    pace::Pace,
    queue::Receiver,
    sink::{Closed, Sink},
};
pub use open::Open;
pub use until::Until;

/// The reason why events are left.
#[derive(Debug)]
pub enum Stop {
    /// Nothing can be shown any more.
    Closed,
    /// The line that was awaited is shown.
    Matched,
}

impl From<Closed> for Stop {
    fn from(Closed: Closed) -> Stop {
        Stop::Closed
    }
}

/// Shows all events of the queue: as many at once as are ready, and a single line immediately. Takes no more of them once
/// the deadline is over.
pub async fn flow(
    mut queue: Receiver,
    mut filter: Filter,
    mut order: impl Order,
    until: Until,
    sink: &mut impl Sink,
    deadline: &Deadline,
    open: &Open,
) -> Result<(), Stop> {
    let mut show = Show { until, sink, deadline, pace: Pace::default() };
    let mut over = pin!(deadline.over());
    let mut is_over = false;
    loop {
        let mut next = tokio::select! {
            next = queue.next() => match next {
                None => break,
                next => next,
            },
            () = wait_until(order.due()) => None,
            () = &mut over, if !is_over => {
                is_over = true;
                queue.close();
                None
            }
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
    until: Until,
    sink: &'a mut S,
    deadline: &'a Deadline,
    pace: Pace,
}

impl<S: Sink> Show<'_, S> {
    async fn show(&mut self, mut event: Event, now: Instant) -> Result<(), Stop> {
        let (is_last, notice) = self.until.cut(&mut event, &mut self.pace).await;
        if let Some(notice) = notice {
            self.sink.take(Event::Notice(notice), &mut self.pace).await?;
        }
        self.sink.take(event, &mut self.pace).await?;
        self.deadline.moved(now);
        if !is_last {
            return Ok(());
        }
        self.sink.idle().await?;
        Err(Stop::Matched)
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
