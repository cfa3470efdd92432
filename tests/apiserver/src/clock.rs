//! The time: of this machine, or of a simulation on this thread; and a server's clock, which a test may set ahead.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

thread_local! {
    static SIMULATIONS: RefCell<Vec<Time>> = const { RefCell::new(Vec::new()) };
    /// The clocks of the server and of the node whose objects are changed just now.
    static CHANGING: RefCell<Option<(Clock, Clock)>> = const { RefCell::new(None) };
    /// The last number that was given out in the simulation.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// The time of a server: it starts at an instant and goes with tokio's clock.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Time {
    start: Timestamp,
    origin: Instant,
}

impl Time {
    fn now(self) -> Timestamp {
        self.start + self.origin.elapsed()
    }
}

/// Makes this thread one of a simulation, whose time [`now`] gives, until it is dropped.
pub(crate) struct Simulation(Time);

impl Simulation {
    pub fn start(start: Timestamp) -> Self {
        let time = Time { start, origin: Instant::now() };
        SIMULATIONS.with_borrow_mut(|simulations| {
            if simulations.is_empty() {
                NUMBER.set(0);
            }
            simulations.push(time);
        });
        Simulation(time)
    }

    pub fn clock(&self) -> Clock {
        Clock { time: Some(self.0), ..Clock::default() }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        SIMULATIONS.with_borrow_mut(|simulations| {
            if let Some(at) = simulations.iter().position(|time| *time == self.0) {
                simulations.remove(at);
            }
        });
    }
}

/// The time of the node whose pod is changed on this thread, as its kubelet stamps it.
pub(crate) fn node_now() -> Timestamp {
    CHANGING.with_borrow(|clocks| clocks.as_ref().map(|(_, node)| node.now())).unwrap_or_else(now)
}

/// The same by the clock of the apiserver.
pub(crate) fn server_now() -> Timestamp {
    CHANGING.with_borrow(|clocks| clocks.as_ref().map(|(server, _)| server.now())).unwrap_or_else(now)
}

/// Changes objects by these clocks.
pub(crate) fn by<T>(server: &Clock, node: &Clock, change: impl FnOnce() -> T) -> T {
    CHANGING.set(Some((server.clone(), node.clone())));
    let result = change();
    CHANGING.set(None);
    result
}

/// The time on this thread: that of the simulation that started last, or of this machine.
fn now() -> Timestamp {
    SIMULATIONS.with_borrow(|simulations| simulations.last().map_or_else(Timestamp::now, |time| time.now()))
}

/// The next number of the simulation on this thread, counted from 1, if there is one.
pub(crate) fn next_number() -> Option<u64> {
    SIMULATIONS.with_borrow(|simulations| !simulations.is_empty()).then(|| {
        NUMBER.set(NUMBER.get() + 1);
        NUMBER.get()
    })
}

/// The clock of a server, or of one of its nodes. Clones are the same clock.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    /// None: the time of this machine.
    time: Option<Time>,
    ahead: Ahead,
    /// Ahead of the server's clock.
    node: Ahead,
}

/// Nanoseconds.
type Ahead = Arc<AtomicI64>;

impl Clock {
    /// The clock of a node, which goes with the server's.
    pub fn of_node(&self) -> Self {
        Clock { node: Arc::default(), ..self.clone() }
    }

    /// Sets the server's clock ahead of this machine's.
    pub fn set_ahead(&self, ahead: SignedDuration) {
        self.ahead.store(nanoseconds(ahead), Ordering::Relaxed);
    }

    /// Sets the node's clock ahead of the server's.
    pub fn set_node_ahead(&self, ahead: SignedDuration) {
        self.node.store(nanoseconds(ahead), Ordering::Relaxed);
    }

    pub fn now(&self) -> Timestamp {
        let now = self.time.map_or_else(Timestamp::now, Time::now);
        let ahead = |ahead: &Ahead| SignedDuration::from_nanos(ahead.load(Ordering::Relaxed));
        now + ahead(&self.ahead) + ahead(&self.node)
    }

    pub fn ago(&self, seconds: u64) -> Timestamp {
        self.now().checked_sub(Duration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
    }

    /// For the `Date` header.
    pub fn http_date(&self) -> String {
        http_date(self.now())
    }
}

pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn nanoseconds(duration: SignedDuration) -> i64 {
    duration.as_nanos().try_into().expect("a clock is at most centuries ahead")
}
