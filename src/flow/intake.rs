//! The events of the queue, behind what gathers the lines of records.

use tokio::time::Instant;

use super::wait_until;
use crate::{
    queue::{Queued, Receiver},
    records::Gather,
};

pub struct Intake<'a> {
    queue: Receiver,
    gather: Option<&'a mut Gather>,
    /// Once a record is due: the events that came before it was, and may continue it.
    backlog: Option<usize>,
}

impl<'a> Intake<'a> {
    pub fn new(queue: Receiver, gather: Option<&'a mut Gather>) -> Intake<'a> {
        Intake { queue, gather, backlog: None }
    }

    /// The next event; None when no more come. Cancel-safe.
    pub async fn next(&mut self) -> Option<Queued> {
        loop {
            let ready = self.ready();
            let Some(gather) = &mut self.gather else {
                return if ready.is_some() { ready } else { self.queue.next().await };
            };
            if ready.is_some() {
                return ready;
            }
            let due = gather.due();
            tokio::select! {
                biased;
                () = wait_until(due) => {}
                queued = self.queue.next() => match queued {
                    Some(queued) => gather.take(queued.take(), Instant::now()),
                    None if due.is_some() => gather.close(),
                    None => return None,
                },
            }
        }
    }

    /// The next event if it is ready.
    pub fn ready(&mut self) -> Option<Queued> {
        let Some(gather) = &mut self.gather else { return self.queue.ready() };
        let now = Instant::now();
        loop {
            if let Some(event) = gather.ready() {
                return Some(event.into());
            }
            let is_due = gather.due().is_some_and(|due| due <= now);
            self.backlog = is_due.then(|| self.backlog.unwrap_or_else(|| self.queue.waiting()));
            let queued = if self.backlog == Some(0) { None } else { self.queue.ready() };
            match queued {
                Some(queued) => {
                    self.backlog = self.backlog.map(|events| events.saturating_sub(1));
                    gather.take(queued.take(), now);
                }
                None if is_due => gather.pass(now),
                None => return None,
            }
        }
    }

    /// Takes no more events from the sources: the ones that wait are the last.
    pub fn close(&mut self) {
        self.queue.close();
    }
}
