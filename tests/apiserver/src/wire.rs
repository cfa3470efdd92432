//! A connection in memory: bytes, the end and a reset arrive half a round trip after they left.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Instant, Sleep, sleep},
};

use crate::lock;

/// The way between all clients and one server.
pub(crate) struct Path {
    state: Mutex<State>,
    /// The most bytes that one direction of a wire takes before its reader takes some.
    window: usize,
    lifted: Notify,
}

struct State {
    round_trip: Duration,
    /// Nothing that would arrive after this instant does.
    hole: Option<Instant>,
    /// In the order of their creation, so that whatever is done to all is done in one order.
    cables: Vec<Weak<Mutex<Cable>>>,
}

impl Path {
    pub fn new(round_trip: Duration, window: usize) -> Self {
        let state = State { round_trip, hole: None, cables: Vec::new() };
        Path { state: Mutex::new(state), window, lifted: Notify::new() }
    }

    pub fn round_trip(&self) -> Duration {
        lock(&self.state).round_trip
    }

    pub fn set_round_trip(&self, round_trip: Duration) {
        lock(&self.state).round_trip = round_trip;
    }

    /// The two ends of a new wire: the client's and the server's.
    pub fn lay(self: &Arc<Self>) -> (Wire, Wire) {
        let cable = Arc::new(Mutex::new(Cable::default()));
        let cables = &mut lock(&self.state).cables;
        cables.retain(|cable| cable.strong_count() > 0);
        cables.push(Arc::downgrade(&cable));
        (Wire::new(self, &cable, Side::Client), Wire::new(self, &cable, Side::Server))
    }

    /// Takes as long as a packet in one direction.
    pub async fn travel(&self) {
        loop {
            let lifted = self.lifted.notified();
            let (round_trip, hole) = {
                let state = lock(&self.state);
                (state.round_trip, state.hole)
            };
            if hole.is_some() {
                lifted.await;
            } else {
                return pause(round_trip / 2).await;
            }
        }
    }

    /// Lets nothing arrive any more.
    pub fn block(&self) {
        lock(&self.state).hole.get_or_insert_with(Instant::now);
    }

    /// Lets all that is under way arrive now, as what TCP sends again does.
    pub fn unblock(&self) {
        let (since, arrival, cables) = {
            let mut state = lock(&self.state);
            let Some(since) = state.hole.take() else { return };
            (since, Instant::now() + state.round_trip / 2, state.cables.clone())
        };
        for cable in cables.iter().filter_map(Weak::upgrade) {
            lock(&cable).lanes.iter_mut().for_each(|lane| lane.delay(since, arrival));
        }
        self.lifted.notify_waiters();
    }
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// Both directions. A lane has the index of the side that writes to it.
#[derive(Default)]
pub(crate) struct Cable {
    lanes: [Lane; 2],
    /// Since then nothing arrives, for good.
    dead: Option<Instant>,
}

/// One direction of a connection. Instants are those of an arrival.
#[derive(Default)]
struct Lane {
    under_way: VecDeque<(Instant, Bytes)>,
    /// Bytes that the reader has not taken.
    held: usize,
    end: Option<(Instant, End)>,
    /// From then on the writer knows that nobody reads.
    refused: Option<(Instant, io::ErrorKind)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// After all data.
    Finished,
    /// In place of all data that was not read before.
    Reset,
}

impl Lane {
    /// Bytes overtake none, even if the round trip has become shorter.
    fn after_all(&self, arrival: Instant) -> Instant {
        self.under_way.back().map_or(arrival, |(last, _)| arrival.max(*last))
    }

    fn send(&mut self, arrival: Instant, data: &[u8]) {
        if self.refused.is_some() {
            return;
        }
        self.held += data.len();
        self.under_way.push_back((self.after_all(arrival), Bytes::copy_from_slice(data)));
        wake(&mut self.reader);
    }

    fn finish(&mut self, arrival: Instant) {
        let arrival = self.after_all(arrival);
        self.end.get_or_insert((arrival, End::Finished));
        wake(&mut self.reader);
    }

    fn reset(&mut self, arrival: Instant) {
        self.end = Some((arrival, End::Reset));
        wake(&mut self.reader);
    }

    /// The reader has left.
    fn abandon(&mut self, arrival: Instant, error: io::ErrorKind) {
        self.under_way.clear();
        self.held = 0;
        self.refused.get_or_insert((arrival, error));
        wake(&mut self.writer);
    }

    /// Moves what would have arrived after `since`.
    fn delay(&mut self, since: Instant, arrival: Instant) {
        let under_way = self.under_way.iter_mut().map(|(at, _)| at);
        let end = self.end.iter_mut().map(|(at, _)| at);
        let refused = self.refused.iter_mut().map(|(at, _)| at);
        under_way.chain(end).chain(refused).filter(|at| **at > since).for_each(|at| *at = arrival.max(*at));
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One end of a connection in memory. Dropping it closes the connection.
pub struct Wire {
    /// Of the connection, counted from 1, at the end of the client.
    pub number: u64,
    path: Arc<Path>,
    cable: Arc<Mutex<Cable>>,
    side: Side,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
}

impl Wire {
    fn new(path: &Arc<Path>, cable: &Arc<Mutex<Cable>>, side: Side) -> Self {
        let timer = || Box::pin(sleep(Duration::ZERO));
        Wire {
            number: 0,
            path: Arc::clone(path),
            cable: Arc::clone(cable),
            side,
            read_timer: timer(),
            write_timer: timer(),
        }
    }

    /// Resets the connection (RST): what the other end has not read is lost, and so is what it sent.
    pub fn reset(&self) {
        let (arrival, cable) = (self.arrival(), &mut *lock(&self.cable));
        let (to, from) = cable.sides(self.side);
        to.reset(arrival);
        from.abandon(arrival, io::ErrorKind::ConnectionReset);
    }

    /// The instant of arrival of what leaves now.
    fn arrival(&self) -> Instant {
        Instant::now() + self.path.round_trip() / 2
    }

    /// Lets nothing arrive any more, in either direction, for good.
    pub(crate) fn cutter(&self) -> impl Fn() + Send + Sync + 'static {
        let cable = Arc::downgrade(&self.cable);
        move || {
            if let Some(cable) = cable.upgrade() {
                lock(&cable).dead.get_or_insert_with(Instant::now);
            }
        }
    }

    fn view(&self) -> View {
        let dead = lock(&self.cable).dead;
        View { now: Instant::now(), hole: dead.or(lock(&self.path.state).hole) }
    }
}

/// What an end of a wire can know now.
#[derive(Clone, Copy)]
struct View {
    now: Instant,
    hole: Option<Instant>,
}

impl View {
    fn sees(&self, arrival: Instant) -> bool {
        arrival <= self.now && self.hole.is_none_or(|hole| arrival <= hole)
    }

    /// Wakes the task at the arrival. The end of a black hole wakes all by itself.
    fn wake_at(&self, arrival: Option<Instant>, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) {
        let Some(at) = arrival.filter(|at| self.hole.is_none_or(|hole| *at <= hole)) else { return };
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        if timer.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

impl Cable {
    /// The lane that this side writes to, and the one it reads from.
    fn sides(&mut self, side: Side) -> (&mut Lane, &mut Lane) {
        let [client, server] = &mut self.lanes;
        match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let (arrival, cable) = (self.arrival(), &mut *lock(&self.cable));
        let (to, from) = cable.sides(self.side);
        to.finish(arrival);
        from.abandon(arrival, io::ErrorKind::BrokenPipe);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let (view, cable) = (this.view(), &mut *lock(&this.cable));
        let lane = cable.sides(this.side).1;
        if lane.end.is_some_and(|(at, end)| view.sees(at) && end == End::Reset) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let before = buf.remaining();
        while let Some((_, data)) = lane.under_way.front_mut().filter(|(at, _)| view.sees(*at)) {
            let count = data.len().min(buf.remaining());
            buf.put_slice(&data[..count]);
            data.advance(count);
            lane.held -= count;
            if !data.is_empty() {
                break;
            }
            lane.under_way.pop_front();
        }
        if buf.remaining() < before {
            wake(&mut lane.writer);
            return Poll::Ready(Ok(()));
        }
        let next = lane.under_way.front().map(|(at, _)| *at).or(lane.end.map(|(at, _)| at));
        if lane.under_way.is_empty() && next.is_some_and(|at| view.sees(at)) {
            return Poll::Ready(Ok(()));
        }
        lane.reader = Some(cx.waker().clone());
        view.wake_at(next, this.read_timer.as_mut(), cx);
        Poll::Pending
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let (arrival, view) = (this.arrival(), this.view());
        let (window, cable) = (this.path.window, &mut *lock(&this.cable));
        let lane = cable.sides(this.side).0;
        if let Some((_, error)) = lane.refused.filter(|(at, _)| view.sees(*at)) {
            return Poll::Ready(Err(error.into()));
        }
        if lane.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = buf.len().min(window.saturating_sub(lane.held));
        if count == 0 && !buf.is_empty() {
            lane.writer = Some(cx.waker().clone());
            view.wake_at(lane.refused.map(|(at, _)| at), this.write_timer.as_mut(), cx);
            return Poll::Pending;
        }
        lane.send(arrival, &buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (arrival, cable) = (self.arrival(), &mut *lock(&self.cable));
        cable.sides(self.side).0.finish(arrival);
        Poll::Ready(Ok(()))
    }
}
