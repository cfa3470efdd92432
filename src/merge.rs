//! Brings what many tails read into one sequence, as it arrives.
//!
//! The queue is bounded in bytes: a slow reader of standard output makes the tails wait, and these let TCP hold
//! the server back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    notice::Notice,
    tail::{Batch, Item},
};

/// Bytes that may wait between the tails and the renderer.
pub const CAPACITY: usize = 4 << 20;

/// What is counted for an entry beside its data, so that notices and empty batches are bounded too.
const OVERHEAD: usize = 256;

#[derive(Debug)]
pub enum Event {
    Batch(Batch),
    Notice(Notice),
}

impl Event {
    fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Event::Batch(batch) => batch.data.len() + batch.items.len() * size_of::<Item>(),
                Event::Notice(_) => 0,
            }
    }
}

/// The end into which tails put what they read.
#[derive(Clone)]
pub struct Sender {
    room: Arc<Semaphore>,
    capacity: usize,
    events: mpsc::UnboundedSender<(Event, OwnedSemaphorePermit)>,
}

/// The end from which everything is shown.
pub struct Receiver {
    events: mpsc::UnboundedReceiver<(Event, OwnedSemaphorePermit)>,
}

/// A queue for `capacity` bytes. A single batch that is larger passes when the queue is empty.
pub fn queue(capacity: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(capacity));
    (Sender { room, capacity, events: sender }, Receiver { events: receiver })
}

impl Sender {
    /// Waits for room. What is sent after the receiver is gone is dropped: nobody is left to show it to.
    pub async fn send(&self, event: Event) {
        let size = event.size().min(self.capacity);
        // The count fits: `capacity` is a few megabytes. A closed semaphore cannot happen; it is never closed.
        if let Ok(permit) = self.room.clone().acquire_many_owned(size as u32).await {
            let _ = self.events.send((event, permit));
        }
    }

    pub async fn batch(&self, batch: Batch) {
        self.send(Event::Batch(batch)).await;
    }

    pub async fn notice(&self, notice: Notice) {
        self.send(Event::Notice(notice)).await;
    }
}

impl Receiver {
    /// The next event; None when every sender is gone. Its room is free again at once.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await.map(|(event, _room)| event)
    }

    /// The next event if it is there already.
    pub fn ready(&mut self) -> Option<Event> {
        self.events.try_recv().ok().map(|(event, _room)| event)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::FutureExt;

    use super::*;

    fn batch(text: &'static str) -> Batch {
        Batch { target: Arc::default(), data: Bytes::from_static(text.as_bytes()), items: Vec::new() }
    }

    #[tokio::test]
    async fn a_full_queue_makes_the_sender_wait_until_something_is_taken() {
        let (sender, mut receiver) = queue(OVERHEAD + 10);
        sender.batch(batch("12345678")).await;
        let mut second = Box::pin(sender.batch(batch("12345678")));
        assert!((&mut second).now_or_never().is_none(), "there is no room for both");
        assert!(receiver.next().await.is_some());
        second.await;
        assert!(receiver.ready().is_some());
    }

    #[tokio::test]
    async fn a_batch_larger_than_the_queue_passes_alone() {
        let (sender, mut receiver) = queue(4);
        sender.batch(batch("far too large")).await;
        assert!(receiver.ready().is_some());
    }

    #[tokio::test]
    async fn it_ends_when_every_sender_is_gone() {
        let (sender, mut receiver) = queue(1000);
        drop(sender);
        assert!(receiver.next().await.is_none());
    }
}
