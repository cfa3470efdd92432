//! Decides which tails may use the apiserver, and how: every log request is made by leave of a [`Grant`].
//!
//! As long as all that want to follow fit, they follow. When they do not, the newest do, and the others are polled in
//! turn: each gets leave for one short read when its time has come, and says how it went. A tenth of the places is kept
//! for them; where there is one only, the newest follows in it and lends it to them.

mod followers;
mod state;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use crate::{origin::PodInfo, purpose::Purpose};
use followers::Bounds;
use state::{Claimed, Id, State};
pub use turns::shortest_round;

/// How a tail wants to read a log, and how it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hold one request open for as long as the container writes. A tail that wants this may be granted polls.
    Follow,
    /// Make one short read when its turn comes, then call [`Grant::polled`]. A tail wants this where the node cannot follow
    /// another log.
    Poll,
    /// Read one answer to its end.
    Read,
}

/// How the containers that are to be followed fare.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Load {
    pub following: usize,
    pub polled: usize,
    /// Those who are neither yet, or want to read once: they wait for a place.
    pub waiting: usize,
    /// From one poll of a container to the next, on average, as far as was seen; None where nothing is polled yet.
    pub turn: Option<Duration>,
    /// Why not all are followed; None: all are, or it is for their nodes' sake.
    pub bound: Option<Bound>,
    /// Of those that are polled, how many are on each node that can follow no more.
    pub exhausted: Arc<BTreeMap<String, usize>>,
}

impl Load {
    /// From one poll of a container to the next, where there are so many requests a second. What was seen of it is too
    /// little until each was polled twice: what was saved up goes at once, and the first round faster than the others.
    pub fn expected_turn(&self, qps: Option<f64>) -> Option<Duration> {
        self.turn.map(|turn| turn.max(shortest_round(self.polled, qps)))
    }
}

/// How many are followed in so many places where not all can be.
pub fn followed_of_many(places: usize) -> usize {
    Bounds::new(places, usize::MAX).followed()
}

/// What keeps containers from being followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    LogRequests,
    StreamsPerNode,
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

impl Scheduler {
    /// `max_log_requests` bounds all concurrent log requests, `max_streams_per_node` those that follow on one node.
    pub fn new(max_log_requests: usize, max_streams_per_node: usize) -> Self {
        let state = Mutex::new(State::new(max_log_requests, max_streams_per_node));
        Self { shared: Arc::new(Shared { state, load: watch::Sender::default() }) }
    }

    /// There may be so many log requests at a time from now on.
    pub fn resize(&self, max_log_requests: usize) {
        if self.shared.peek(|state| state.places()) != max_log_requests {
            self.shared.change(|state, _| state.resize(max_log_requests));
        }
    }

    /// What a tail asks for grants with. Between its requests it is remembered how it was polled.
    pub fn seat(&self, pod: &Arc<PodInfo>) -> Seat {
        let bell = Arc::new(Notify::new());
        let id = self.shared.peek(|state| state.join(pod, bell.clone()));
        Seat { member: Arc::new(Membership { id, bell, shared: self.shared.clone() }) }
    }

    /// Leave for one small request beside the grants, if there is a place that nobody waits for.
    pub fn try_spare(&self) -> Option<Spare> {
        self.shared.peek(State::take_spare).then(|| Spare { shared: self.shared.clone() })
    }

    /// How many are followed and polled, as it changes.
    pub fn load(&self) -> watch::Receiver<Load> {
        self.shared.load.subscribe()
    }
}

impl Shared {
    /// Looks, or changes what nothing follows from.
    fn peek<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // Nothing that holds the lock can panic halfway through a change.
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, and makes and publishes what follows from it.
    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        self.peek(|state| {
            let now = Instant::now();
            let changed = change(state, now);
            state.settle(now);
            let load = state.load(now);
            self.load.send_if_modified(|before| std::mem::replace(before, load.clone()) != load);
            changed
        })
    }
}

/// A tail's place at the scheduler. It holds one request or grant at a time: a new request takes the place of what it
/// has.
pub struct Seat {
    member: Arc<Membership>,
}

struct Membership {
    id: Id,
    /// Rings when there is something new for it.
    bell: Arc<Notify>,
    shared: Arc<Shared>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.change(|state, _| state.quit(self.id));
    }
}

impl Seat {
    /// Announces the request to come, so that the newest of many that come at once are chosen to follow.
    pub fn announce(&self, want: Mode) {
        self.member.shared.change(|state, _| state.announce(self.member.id, want));
    }

    /// Waits for a grant. Dropping the future withdraws the request; the turn of one that is polled is remembered.
    pub async fn request(&self, want: Mode, purpose: Purpose) -> Grant {
        let member = self.member.clone();
        let claimed = member.shared.change(|state, _| state.claim(member.id, want, purpose));
        let claim = Claim { member, claimed };
        let Membership { bell, shared, .. } = &*claim.member;
        loop {
            match shared.peek(|state| state.admitted(claimed)) {
                Ok(mode) => return Grant { mode, claim },
                Err(None) => bell.notified().await,
                Err(Some(alarm)) => tokio::select! {
                    () = bell.notified() => {}
                    () = sleep_until(alarm) => shared.change(|_, _| ()),
                },
            }
        }
    }
}

/// What was asked for, waiting or granted, until it is dropped.
struct Claim {
    member: Arc<Membership>,
    claimed: Claimed,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.member.shared.change(|state, now| state.give_up(self.claimed, now));
    }
}

/// Leave to make log requests for one instance, one at a time, until it is dropped.
pub struct Grant {
    pub mode: Mode,
    claim: Claim,
}

impl Grant {
    /// Waits until the scheduler wants it back, as it may a [`Mode::Follow`]: it is to be dropped, and asked for again.
    pub async fn revoked(&self) {
        let Membership { bell, shared, .. } = &*self.claim.member;
        while !shared.peek(|state| state.is_revoked(self.claim.claimed)) {
            bell.notified().await;
        }
    }

    /// Gives it back after a poll, and says whether there was anything new; a poll that failed had nothing. The next
    /// request is granted when it is its turn again.
    pub fn polled(self, new_lines: bool) {
        let Claim { member, claimed } = &self.claim;
        member.shared.change(|state, now| state.polled(*claimed, new_lines, now));
    }
}

/// Leave for one small request, until it is dropped.
pub struct Spare {
    shared: Arc<Shared>,
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.shared.change(|state, _| state.return_spare());
    }
}
