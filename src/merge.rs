//! Brings what many tails read into one sequence, as it arrives.
//!
//! The queue is bounded in bytes: a slow reader of standard output makes the tails wait, and these let TCP hold
//! the server back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    batch::{Batch, Item},
    notice::Notice,
};

/// Bytes that may wait between the tails and the renderer.
pub const CAPACITY: usize = 4 << 20;

/// What is counted for an entry beside its data, so that notices and empty batches are bounded too.
const OVERHEAD: usize = 256;

#[derive(Debug)]
pub enum Event {
    Batch(Batch),
    Notice(Notice),
    /// Whole lines for standard output that come from no log.
    Text(String),
}

/// The end into which tails put what they read.
#[derive(Clone)]
pub struct Sender {
    room: Arc<Semaphore>,
    capacity: usize,
    events: mpsc::UnboundedSender<(Event, Option<OwnedSemaphorePermit>)>,
}

/// The end from which everything is shown.
pub struct Receiver {
    events: mpsc::UnboundedReceiver<(Event, Option<OwnedSemaphorePermit>)>,
}

/// A queue for `capacity` bytes. A single batch that is larger passes when the queue is empty.
pub fn queue(capacity: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(capacity));
    (Sender { room, capacity, events: sender }, Receiver { events: receiver })
}

impl Sender {
    /// Waits for room for `batch`. Nothing is taken from it until the room is used.
    pub async fn room(&self, batch: &Batch) -> Room<'_> {
        let bytes = batch.data.len() + batch.items.len() * size_of::<Item>();
        Room { permit: self.permit(bytes).await, sender: self }
    }

    pub async fn batch(&self, batch: Batch) {
        self.room(&batch).await.batch(batch);
    }

    pub async fn notice(&self, notice: Notice) {
        let room = Room { permit: self.permit(0).await, sender: self };
        room.put(Event::Notice(notice));
    }

    pub async fn text(&self, text: String) {
        let room = Room { permit: self.permit(text.len()).await, sender: self };
        room.put(Event::Text(text));
    }

    /// Puts in what cannot wait for room: as little as there are requests.
    pub fn trace(&self, notice: Notice) {
        Room { permit: None, sender: self }.put(Event::Notice(notice));
    }

    async fn permit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let size = (OVERHEAD + bytes).min(self.capacity);
        // The count fits: a queue has a few megabytes. The semaphore is never closed.
        self.room.clone().acquire_many_owned(size as u32).await.ok()
    }
}

/// Room for one event.
pub struct Room<'a> {
    permit: Option<OwnedSemaphorePermit>,
    sender: &'a Sender,
}

impl Room<'_> {
    pub fn batch(self, batch: Batch) {
        self.put(Event::Batch(batch));
    }

    /// What is put in after the receiver is gone is dropped: nobody is left to show it to.
    fn put(self, event: Event) {
        let _ = self.sender.events.send((event, self.permit));
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
        Batch {
            origin: Arc::default(),
            data: Bytes::from_static(text.as_bytes()),
            items: Vec::new(),
            rest: None,
        }
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
