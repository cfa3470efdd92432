//! Decides which tails may use the apiserver, and how: every log request is made by leave of a [`Grant`].

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::FutureExt;
use tokio::sync::{oneshot, watch};

use crate::target::Target;

/// How a tail may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hold one log request open for as long as the container writes.
    Follow,
}

/// Who goes first when many want a grant and few are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A tail that had a place in a log and lost its stream.
    Resume,
    Open,
}

/// How many containers are followed and how many wait for it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub granted: usize,
    pub waiting: usize,
}

/// Hands out grants for at most so many concurrent log requests.
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    load: watch::Sender<Load>,
}

struct State {
    free: usize,
    /// Numbers requests in the order in which they were made.
    sequence: u64,
    waiting: BTreeMap<Place, Waiter>,
    granted: BTreeMap<Place, Lease>,
}

/// A place in the queue: the most urgent first, then as they came.
type Place = (Urgency, u64);

struct Waiter {
    target: Arc<Target>,
    admit: oneshot::Sender<watch::Receiver<bool>>,
}

struct Lease {
    target: Arc<Target>,
    revoke: watch::Sender<bool>,
}

impl Scheduler {
    /// `max` is the number of concurrent log requests.
    pub fn new(max: usize) -> Self {
        let state =
            State { free: max.max(1), sequence: 0, waiting: BTreeMap::new(), granted: BTreeMap::new() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), load: watch::Sender::default() }) }
    }

    /// Queues up for a grant at once; the future waits for it. Dropping the future leaves the queue.
    pub fn request(&self, target: &Arc<Target>, urgency: Urgency) -> Request {
        let (admit, admitted) = oneshot::channel();
        let mut state = self.shared.lock();
        state.sequence += 1;
        let place = (urgency, state.sequence);
        state.waiting.insert(place, Waiter { target: target.clone(), admit });
        self.shared.settle(&mut state);
        drop(state);
        Request { ticket: Some(Ticket { place, shared: self.shared.clone() }), admitted }
    }

    /// A grant for one small request if there is room for it at once.
    pub fn try_spare(&self, target: &Arc<Target>) -> Option<Grant> {
        self.request(target, Urgency::Open).now_or_never()
    }

    /// Takes back every grant for whose target `which` holds: its holder is told, and returns it by dropping it.
    pub fn revoke(&self, which: impl Fn(&Target) -> bool) {
        for lease in self.shared.lock().granted.values().filter(|lease| which(&lease.target)) {
            lease.revoke.send_replace(true);
        }
    }

    /// How many follow and wait, as it changes.
    pub fn load(&self) -> watch::Receiver<Load> {
        self.shared.load.subscribe()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits as many as there is room for, and publishes what has become of it.
    fn settle(&self, state: &mut State) {
        while state.free > 0
            && let Some((place, waiter)) = state.waiting.pop_first()
        {
            state.free -= 1;
            let (revoke, revoked) = watch::channel(false);
            state.granted.insert(place, Lease { target: waiter.target, revoke });
            // Where nobody listens any more, its ticket is about to give the grant back.
            let _ = waiter.admit.send(revoked);
        }
        let load = Load { granted: state.granted.len(), waiting: state.waiting.len() };
        self.load.send_if_modified(|before| std::mem::replace(before, load) != load);
    }
}

/// A claim, waiting or granted, that ends when it is dropped.
struct Ticket {
    place: Place,
    shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.waiting.remove(&self.place);
        if state.granted.remove(&self.place).is_some() {
            state.free += 1;
        }
        self.shared.settle(&mut state);
    }
}

/// Waits for a [`Grant`].
pub struct Request {
    ticket: Option<Ticket>,
    admitted: oneshot::Receiver<watch::Receiver<bool>>,
}

impl Future for Request {
    type Output = Grant;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Grant> {
        match Pin::new(&mut self.admitted).poll(context) {
            Poll::Ready(Ok(revoked)) => match self.ticket.take() {
                Some(ticket) => Poll::Ready(Grant { mode: Mode::Follow, revoked, _ticket: ticket }),
                None => Poll::Pending,
            },
            // The queue keeps the sender for as long as the ticket lives.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Leave to make log requests for one target, one at a time, until it is dropped.
pub struct Grant {
    pub mode: Mode,
    revoked: watch::Receiver<bool>,
    _ticket: Ticket,
}

impl Grant {
    /// Waits until the scheduler wants it back.
    pub async fn revoked(&mut self) {
        if self.revoked.wait_for(|revoked| *revoked).await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn target(container: &str) -> Arc<Target> {
        Arc::new(Target { container: container.to_owned(), ..Target::default() })
    }

    #[test]
    fn no_more_than_the_maximum_hold_a_grant() {
        let scheduler = Scheduler::new(2);
        let mut requests: Vec<_> =
            (0..3).map(|_| Box::pin(scheduler.request(&target("app"), Urgency::Open))).collect();
        let mut third = requests.pop().expect("three requests");
        let mut grants: Vec<_> = requests.into_iter().filter_map(FutureExt::now_or_never).collect();
        assert_eq!(grants.len(), 2);
        assert!((&mut third).now_or_never().is_none());
        assert_eq!(*scheduler.load().borrow(), Load { granted: 2, waiting: 1 });
        grants.pop();
        assert!((&mut third).now_or_never().is_some());
    }

    #[test]
    fn grants_go_to_the_most_urgent_then_in_the_order_of_asking() {
        let scheduler = Scheduler::new(1);
        let first = scheduler.request(&target("a"), Urgency::Open).now_or_never().expect("it is free");
        let mut open = Box::pin(scheduler.request(&target("b"), Urgency::Open));
        let mut later = Box::pin(scheduler.request(&target("c"), Urgency::Open));
        let mut resume = Box::pin(scheduler.request(&target("d"), Urgency::Resume));
        drop(first);
        assert!((&mut open).now_or_never().is_none());
        let grant = (&mut resume).now_or_never().expect("a resumed tail goes first");
        drop(grant);
        assert!((&mut later).now_or_never().is_none());
        assert!((&mut open).now_or_never().is_some());
    }

    #[test]
    fn whoever_stops_waiting_leaves_the_queue() {
        let scheduler = Scheduler::new(1);
        let held = scheduler.request(&target("a"), Urgency::Open).now_or_never();
        drop(scheduler.request(&target("b"), Urgency::Open));
        assert_eq!(*scheduler.load().borrow(), Load { granted: 1, waiting: 0 });
        drop(held);
        drop(scheduler.request(&target("c"), Urgency::Open));
        assert_eq!(*scheduler.load().borrow(), Load::default());
    }

    #[test]
    fn a_revoked_grant_tells_its_holder_alone() {
        let scheduler = Scheduler::new(2);
        let mut grants: Vec<_> = ["a", "b"]
            .into_iter()
            .filter_map(|name| scheduler.request(&target(name), Urgency::Open).now_or_never())
            .collect();
        scheduler.revoke(|target| target.container == "b");
        assert!(grants[1].revoked().now_or_never().is_some());
        assert!(grants[0].revoked().now_or_never().is_none());
    }
}
