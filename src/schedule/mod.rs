//! Decides which tails may use the apiserver, and how: every log request needs a [`Grant`].
//!
//! If all tails that want to follow fit, they follow. Otherwise the newest follow and the others are polled in turn:
//! each gets a grant for one short read when it is due, and reports whether there were new lines. A tenth of the
//! places is reserved for polls; a single place is lent by the newest, which follows in it.

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
    time::{Instant, sleep, sleep_until},
};

use crate::{origin::PodInfo, purpose::Purpose};
use followers::Bounds;
use state::{Claimed, Id, State};
pub use turns::shortest_round;

/// How a tail wants to read a log, and how it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hold one request open while the container writes. A tail that wants this may be granted polls.
    Follow,
    /// Make one short read when it is due, then call [`Grant::polled`]. A tail wants this if its node refuses to
    /// follow more logs.
    Poll,
    /// Read one answer to its end.
    Read,
    /// The same, before the log is followed.
    History,
}

impl Mode {
    /// Whether it ends by itself and needs a place once.
    pub fn is_read(self) -> bool {
        matches!(self, Mode::Read | Mode::History)
    }
}

/// How the containers to follow are read at present.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Load {
    pub following: usize,
    pub polled: usize,
    /// Containers that are neither followed nor polled yet, or want to be read once: they wait for a place.
    pub waiting: usize,
    /// Average time between two polls of a container, as measured; None if nothing is polled yet.
    pub turn: Option<Duration>,
    /// The limit that prevents following all; None if all are followed, or only nodes limit them.
    pub bound: Option<Bound>,
    /// Number of polled containers on each node that cannot follow more logs.
    pub exhausted: Arc<BTreeMap<String, usize>>,
}

impl Load {
    /// Time between two polls of a container at this request rate. Until each was polled twice, the measured time is
    /// too short: the first round also uses the saved burst and the full rate.
    pub fn expected_turn(&self, qps: Option<f64>) -> Option<Duration> {
        self.turn.map(|turn| turn.max(shortest_round(self.polled, qps)))
    }
}

/// Number of followers with this many places, when not all can be followed.
pub fn followed_of_many(places: usize) -> usize {
    Bounds::new(places, usize::MAX).followed()
}

/// The limit that prevents containers from being followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    LogRequests,
    StreamsPerNode,
    /// This process can open no more files.
    OpenFiles,
}

/// Hands out grants, up to a limit of concurrent log requests.
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    load: watch::Sender<Load>,
    /// Notified while tails wait for a place: in order, unlike `load`.
    wanted: Notify,
}

impl Scheduler {
    /// `max_log_requests` limits all concurrent log requests, `max_streams_per_node` those that follow on one node.
    pub fn new(max_log_requests: usize, max_streams_per_node: usize) -> Self {
        let state = Mutex::new(State::new(max_log_requests, max_streams_per_node));
        Self { shared: Arc::new(Shared { state, load: watch::Sender::default(), wanted: Notify::new() }) }
    }

    /// Sets a new limit on concurrent log requests.
    pub fn resize(&self, max_log_requests: usize) {
        if self.shared.peek(|state| state.wanted()) != max_log_requests {
            self.shared.change(|state, _| state.resize(max_log_requests));
        }
    }

    /// Reports that a request with a place failed for want of room on this machine, which is for `room` requests at
    /// most. False if no place can be given up.
    pub fn shrink(&self, room: usize) -> bool {
        self.shared.change(|state, now| state.shrink(room, now))
    }

    /// Registers a tail. The seat remembers its polls between requests.
    pub fn seat(&self, pod: &Arc<PodInfo>) -> Seat {
        let bell = Arc::new(Notify::new());
        let id = self.shared.peek(|state| state.join(pod, bell.clone()));
        Seat { member: Arc::new(Membership { id, bell, shared: self.shared.clone() }) }
    }

    /// A place for one small request beside the grants, if one is free and no tail waits for it.
    pub fn try_spare(&self) -> Option<Spare> {
        self.shared.peek(State::take_spare).then(|| Spare { shared: self.shared.clone() })
    }

    /// The current numbers of followed and polled containers.
    pub fn load(&self) -> watch::Receiver<Load> {
        self.shared.load.subscribe()
    }
}

impl Shared {
    /// Reads the state, or changes it without recomputing the schedule.
    fn peek<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // No code that holds the lock can panic halfway through a change.
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, recomputes the schedule and publishes the result.
    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        self.peek(|state| {
            let now = Instant::now();
            let changed = change(state, now);
            state.settle(now);
            let load = state.load(now);
            if state.is_waited_for() {
                self.wanted.notify_waiters();
            }
            self.load.send_if_modified(|before| std::mem::replace(before, load.clone()) != load);
            changed
        })
    }
}

/// A tail's place at the scheduler. It has one request or grant at a time: a new request replaces it.
pub struct Seat {
    member: Arc<Membership>,
}

struct Membership {
    id: Id,
    /// Notified when its request has a new decision.
    bell: Arc<Notify>,
    shared: Arc<Shared>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.change(|state, _| state.quit(self.id));
    }
}

impl Seat {
    /// Announces a coming request, so that the newest of many simultaneous requests are chosen to follow.
    pub fn announce(&self, want: Mode) {
        self.member.shared.change(|state, _| state.announce(self.member.id, want));
    }

    /// Waits for a grant. Dropping the future withdraws the request; the pace of its polls is remembered.
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
                    biased;
                    () = bell.notified() => {}
                    () = sleep_until(alarm) => shared.change(|_, _| ()),
                },
            }
        }
    }
}

/// A request, waiting or granted, until it is dropped.
struct Claim {
    member: Arc<Membership>,
    claimed: Claimed,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.member.shared.change(|state, now| state.give_up(self.claimed, now));
    }
}

/// The right to make log requests for one instance, one at a time, until it is dropped.
pub struct Grant {
    pub mode: Mode,
    claim: Claim,
}

impl Grant {
    /// Waits until the scheduler revokes a [`Mode::Follow`]: the tail must drop the grant and request a new one.
    pub async fn revoked(&self) {
        let Membership { bell, shared, .. } = &*self.claim.member;
        while !shared.peek(|state| state.is_revoked(self.claim.claimed)) {
            bell.notified().await;
        }
    }

    /// An answer begins: from now on counts how long the only place is followed in.
    pub fn answered(&self) {
        let Claim { member, claimed } = &self.claim;
        member.shared.change(|state, now| state.answered(*claimed, now));
    }

    /// The reply to a question without which no line of the answer is shown. The wait for it does not count, either.
    pub async fn asking<T>(&self, reply: impl Future<Output = T>) -> T {
        let Claim { member, claimed } = &self.claim;
        member.shared.change(|state, now| state.asks(*claimed, now));
        let reply = reply.await;
        self.answered();
        reply
    }

    /// Returns the grant after a poll; `new_lines`: whether it had any (a failed poll had none). The next request is
    /// granted when it is due.
    pub fn polled(self, new_lines: bool) {
        let Claim { member, claimed } = &self.claim;
        member.shared.change(|state, now| state.polled(*claimed, new_lines, now));
    }
}

/// How long a small request keeps a place that a tail waits for: a node that does not answer would keep it longer.
const SPARED: Duration = Duration::from_secs(1);

/// The right to make one small request, until it is dropped.
pub struct Spare {
    shared: Arc<Shared>,
}

impl Spare {
    /// Waits until a tail has waited for a place for long enough.
    pub async fn spared(&self) {
        loop {
            let wanted = self.shared.wanted.notified();
            if self.shared.peek(|state| state.is_waited_for()) {
                return sleep(SPARED).await;
            }
            wanted.await;
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.shared.change(|state, _| state.return_spare());
    }
}
