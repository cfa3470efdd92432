//! The queue from sources to the order, bounded in bytes for each origin and in total.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    event::{Batch, Closed, Event, Instant, Item, Restart},
    notice::{Kind, Notice, Scope},
    origin::Origin,
};

/// Size counted for each event beside its data, so that notices and empty batches are bounded too.
const OVERHEAD: usize = 256;

/// Limits on waiting bytes. A larger batch passes if nothing else waits.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    pub of_origin: usize,
    /// An order that holds back one origin's lines until another's arrive must take them out of the queue: otherwise
    /// they could take the room of the awaited ones.
    pub of_all: usize,
}

/// An event, and the room that it occupies until it is taken.
#[derive(Debug)]
pub struct Queued {
    pub event: Event,
    _room: Room,
}

/// Room in the whole queue, and in the share of its origin.
type Room = [Option<OwnedSemaphorePermit>; 2];

/// The sources' end.
#[derive(Clone)]
pub struct Sender {
    room: Arc<Semaphore>,
    capacity: Capacity,
    events: mpsc::UnboundedSender<Queued>,
}

/// The end from which events are taken.
pub struct Receiver {
    events: mpsc::UnboundedReceiver<Queued>,
}

pub fn new(capacity: Capacity) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(capacity.of_all));
    (Sender { room, capacity, events: sender }, Receiver { events: receiver })
}

impl Sender {
    /// The end for the events of one origin.
    pub fn outlet(&self, origin: Arc<Origin>) -> Outlet {
        let room = Arc::new(Semaphore::new(self.capacity.of_origin));
        Outlet { origin, room, out: self.clone() }
    }

    pub async fn notice(&self, notice: Notice) {
        let room = self.room(0).await;
        self.put(Event::Notice(notice), [room, None]);
    }

    /// See [`Event::Listed`].
    pub async fn listed(&self) {
        let room = self.room(0).await;
        self.put(Event::Listed, [room, None]);
    }

    pub async fn text(&self, text: String) {
        let room = self.room(text.len()).await;
        self.put(Event::Text(text), [room, None]);
    }

    /// Puts in a notice without waiting for room: the rate of requests limits them.
    pub fn trace(&self, notice: Notice) {
        self.put(Event::Notice(notice), [None, None]);
    }

    async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        acquire(&self.room, self.capacity.of_all, bytes).await
    }

    /// Without a receiver, nothing can be shown and the event is dropped.
    fn put(&self, event: Event, room: Room) {
        let _ = self.events.send(Queued { event, _room: room });
    }
}

async fn acquire(room: &Arc<Semaphore>, capacity: usize, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let size = u32::try_from((OVERHEAD + bytes).min(capacity)).unwrap_or(u32::MAX);
    // The semaphore is never closed.
    room.clone().acquire_many_owned(size).await.ok()
}

/// The end for the events of one origin, in order.
pub struct Outlet {
    origin: Arc<Origin>,
    room: Arc<Semaphore>,
    out: Sender,
}

impl Outlet {
    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// See [`Event::Expected`].
    pub async fn expected(&self) {
        self.put(Event::Expected(self.origin.clone())).await;
    }

    pub async fn opened(&self, restart: Option<Restart>) {
        self.put(Event::Opened(self.origin.clone(), restart)).await;
    }

    /// See [`Event::Reached`].
    pub async fn reached(&self, instant: Instant) {
        self.put(Event::Reached(self.origin.clone(), instant)).await;
    }

    /// See [`Event::CaughtUp`].
    pub async fn caught_up(&self) {
        self.put(Event::CaughtUp(self.origin.clone())).await;
    }

    pub async fn closed(&self, closed: Closed) {
        self.put(Event::Closed(self.origin.clone(), closed)).await;
    }

    async fn put(&self, event: Event) {
        let room = self.out.room(0).await;
        self.out.put(event, [room, None]);
    }

    /// Reports a problem with this origin.
    pub async fn warning(&self, text: impl Into<String>) {
        self.out.notice(Scope::of(&self.origin).warning(text)).await;
    }

    /// Reports a problem that other origins have too.
    pub async fn common(&self, text: impl Into<String>) {
        self.out.notice(Scope::Cluster.notice(Kind::Common, text)).await;
    }

    /// Waits for room for `batch`; the batch is unchanged until the room is used.
    pub async fn room(&self, batch: &Batch) -> BatchRoom<'_> {
        let bytes = batch.data.len() + batch.items.len() * size_of::<Item>();
        let own = acquire(&self.room, self.out.capacity.of_origin, bytes).await;
        BatchRoom { room: [self.out.room(bytes).await, own], out: &self.out }
    }

    pub async fn batch(&self, batch: Batch) {
        self.room(&batch).await.put(batch);
    }
}

/// Room for one batch.
pub struct BatchRoom<'a> {
    room: Room,
    out: &'a Sender,
}

impl BatchRoom<'_> {
    pub fn put(self, batch: Batch) {
        self.out.put(Event::Batch(batch), self.room);
    }
}

impl Queued {
    /// Takes the event out and frees its room.
    pub fn take(self) -> Event {
        self.event
    }
}

impl Receiver {
    /// The next event; None when every sender is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Queued> {
        self.events.recv().await
    }

    /// Takes no more events from the senders: the ones that wait are the last.
    pub fn close(&mut self) {
        self.events.close();
    }

    /// The number of events that are ready.
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// The next event if it is ready.
    pub fn ready(&mut self) -> Option<Queued> {
        self.events.try_recv().ok()
    }
}

/// An event that takes no room.
impl From<Event> for Queued {
    fn from(event: Event) -> Queued {
        Queued { event, _room: [None, None] }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::FutureExt;

    use super::*;

    const SMALL: Capacity = Capacity { of_origin: 2 * (OVERHEAD + 10), of_all: 2 * (OVERHEAD + 10) };

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
        let (sender, mut receiver) = new(Capacity { of_all: OVERHEAD + 10, ..SMALL });
        let (one, other) = (sender.outlet(Arc::default()), sender.outlet(Arc::default()));
        one.batch(batch("12345678")).await;
        let mut second = Box::pin(other.batch(batch("12345678")));
        assert!((&mut second).now_or_never().is_none(), "there is no room for both");
        assert!(receiver.next().await.is_some());
        second.await;
        assert!(receiver.ready().is_some());
    }

    #[tokio::test]
    async fn one_origin_takes_its_share_and_leaves_room_for_others() {
        let (sender, mut receiver) = new(Capacity { of_origin: OVERHEAD + 10, ..SMALL });
        let (busy, quiet) = (sender.outlet(Arc::default()), sender.outlet(Arc::default()));
        busy.batch(batch("12345678")).await;
        let mut second = Box::pin(busy.batch(batch("12345678")));
        assert!((&mut second).now_or_never().is_none(), "its share is taken");
        quiet.batch(batch("12345678")).await;
        assert!(receiver.next().await.is_some());
        assert!((&mut second).now_or_never().is_some());
    }

    #[tokio::test]
    async fn lines_that_an_order_holds_back_keep_their_room() {
        let (sender, mut receiver) =
            new(Capacity { of_origin: OVERHEAD + 10, of_all: Semaphore::MAX_PERMITS });
        let (early, late) = (sender.outlet(Arc::default()), sender.outlet(Arc::default()));
        early.batch(batch("12345678")).await;
        let held = receiver.ready();
        let mut second = Box::pin(early.batch(batch("12345678")));
        assert!((&mut second).now_or_never().is_none(), "the first still takes room");
        late.batch(batch("12345678")).await;
        drop(held);
        assert!((&mut second).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_batch_larger_than_the_queue_passes_alone() {
        let (sender, mut receiver) = new(Capacity { of_origin: 4, of_all: 4 });
        sender.outlet(Arc::default()).batch(batch("far too large")).await;
        assert!(receiver.ready().is_some());
    }

    #[tokio::test]
    async fn it_ends_when_every_sender_is_gone() {
        let (sender, mut receiver) = new(SMALL);
        drop(sender.outlet(Arc::default()));
        drop(sender);
        assert!(receiver.next().await.is_none());
    }
}
