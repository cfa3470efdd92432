//! The way of events from the queue to the sink: through the filter, then in order.

use std::future::pending;

use tokio::time::{Instant, sleep_until};

use crate::{
    event::Event,
    filter::Filter,
    order::Order,
    pace::Pace,
    queue::Receiver,
    sink::{Closed, Sink},
};

/// Shows all events of the queue: as many at once as are ready, and a single line immediately.
pub async fn flow(
    mut queue: Receiver,
    mut filter: Filter,
    mut order: impl Order,
    sink: &mut impl Sink,
) -> Result<(), Closed> {
    let mut pace = Pace::default();
    loop {
        let mut next = tokio::select! {
            next = queue.next() => match next {
                None => break,
                next => next,
            },
            () = until(order.due()) => None,
            // Without this, only the next line would notice it.
            () = sink.closed() => return Err(Closed),
        };
        pace.rested();
        loop {
            let now = Instant::now();
            if let Some(mut queued) = next {
                if let Some(notice) = filter.apply(&mut queued.event, &mut pace).await {
                    sink.take(Event::Notice(notice), &mut pace).await?;
                }
                order.push(queued, now);
            }
            loop {
                while let Some(event) = order.pop(now) {
                    sink.take(event, &mut pace).await?;
                }
                if !order.work(now) {
                    break;
                }
                pace.done().await;
            }
            next = queue.ready();
            if next.is_none() {
                break;
            }
        }
        sink.idle().await?;
    }
    order.close();
    while let Some(event) = order.pop(Instant::now()) {
        sink.take(event, &mut pace).await?;
    }
    sink.idle().await
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
