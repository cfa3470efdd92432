//! One HTTP/2 connection, shared by as many requests as the server grants.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::poll_fn,
    io, mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use h2::{
    FlowControl, Ping, PingPong, Reason, RecvStream,
    client::{Builder, SendRequest},
};
use http::{Request, Response};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tower::BoxError;

use super::{
    super::bounds::HEAD,
    bandwidth::Progress,
    chunk::Chunk,
    stream::Stream,
    window::{MOST, Share, Windows},
};

/// Most requests on one connection, whatever the server allows: kube-apiserver's own limit.
pub const MOST_STREAMS: usize = 100;

/// Interval of the liveness checks of a connection, and the time limit for the reply.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(15);

pub struct Connection {
    load: Arc<Load>,
    windows: Arc<Windows>,
    progress: Option<Progress>,
    /// Aborted when the last user of the connection is dropped.
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The use of a connection.
#[derive(Default)]
struct Load(Mutex<LoadState>);

#[derive(Default)]
struct LoadState {
    streams: usize,
    /// The limit found when the server refused a stream; lower than the announced one.
    most: Option<usize>,
    /// Number of streams so far.
    served: u64,
    /// No more streams are accepted.
    closed: bool,
    /// Until the connection has ended: it keeps the buffers.
    sender: Option<SendRequest<Bytes>>,
    /// The reason for giving it up, if this side did.
    given_up: Option<&'static str>,
    /// The windows of the answers that are read, by their slots.
    open: HashMap<u64, FlowControl>,
}

impl Load {
    fn lock(&self) -> MutexGuard<'_, LoadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces the room of all answers again, after their windows have shrunk: the server may have less than none
    /// left for one whose bytes were read but not announced yet. It sends nothing then, so nothing would ever announce
    /// them.
    fn announce(&self) {
        for window in self.lock().open.values_mut() {
            // Releasing nothing is always possible.
            let _ = window.release_capacity(0);
        }
    }
}

/// The reason for a missing answer.
pub struct Failed {
    pub error: BoxError,
    /// The server did not process the request: another connection may succeed.
    pub unprocessed: bool,
}

impl Connection {
    /// Makes the handshake and waits until the server has announced its number of streams. The connection's window is
    /// twice the data that all streams can have in flight, so that unread streams do not block others: the client
    /// announces new room only when half of the rest is used, and may hold some back.
    pub async fn open(stream: Stream, windows: Arc<Windows>) -> Result<Connection, BoxError> {
        let size = windows.size();
        let announced = *size.borrow();
        let progress = stream.progress();
        let (sender, mut connection) = Builder::new()
            .initial_window_size(announced)
            .initial_connection_window_size((2 * MOST * MOST_STREAMS) as u32)
            // The apiserver sends every line as a frame; the windows limit the unread ones.
            .data_frame_budget(usize::MAX)
            // Makes the arrival of the server's settings visible.
            .initial_max_send_streams(0)
            .max_header_list_size(HEAD.most() as u32)
            .enable_push(false)
            .handshake(stream)
            .await?;
        let load = Arc::new(Load(Mutex::new(LoadState { sender: Some(sender), ..LoadState::default() })));
        let (granted, settings) = oneshot::channel();
        let pings = connection.ping_pong();
        let driver = tokio::spawn({
            let load = load.clone();
            async move { drive(connection, pings, &load, granted, (announced, size)).await }
        });
        let connection = Connection { load, windows, progress, driver };
        match settings.await {
            Ok(()) => Ok(connection),
            Err(_) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// A place for one more request; None if there is none.
    pub fn slot(self: &Arc<Self>) -> Option<Slot> {
        let mut load = self.load.lock();
        let sender = load.sender.clone().filter(|_| !load.closed)?;
        let granted = sender.current_max_send_streams().min(MOST_STREAMS);
        if load.streams >= load.most.map_or(granted, |most| most.min(granted)) {
            return None;
        }
        load.streams += 1;
        load.served += 1;
        let number = load.served;
        drop(load);
        Some(Slot { connection: self.clone(), sender, number, _share: self.windows.share() })
    }

    pub fn is_closed(&self) -> bool {
        self.load.lock().closed
    }

    #[cfg(test)]
    pub fn holds_buffers(&self) -> bool {
        self.load.lock().sender.is_some()
    }
}

/// Drives the connection until it ends or is given up.
async fn drive(
    mut connection: h2::client::Connection<Stream, Bytes>,
    pings: Option<PingPong>,
    load: &Load,
    granted: oneshot::Sender<()>,
    (mut announced, size): (u32, watch::Receiver<u32>),
) {
    let (mut granted, mut resized, mut shrunk) = (Some(granted), size.clone(), false);
    let mut lives = pin!(lives(pings, load));
    loop {
        let works = poll_fn(|cx| {
            loop {
                let ended = Pin::new(&mut connection).poll(cx);
                if connection.max_concurrent_send_streams() > 0
                    && let Some(granted) = granted.take()
                {
                    // The opener may be gone.
                    let _ = granted.send(());
                }
                let size = *size.borrow();
                let is_settled = !shrunk && announced == size;
                // Fails until the server confirms the last change; retried then.
                if ended.is_ready() || is_settled || connection.set_initial_window_size(size).is_err() {
                    return ended;
                }
                if shrunk {
                    load.announce();
                }
                (shrunk, announced) = (size < announced, size);
            }
        });
        tokio::select! {
            biased;
            // Each stream reports the reason.
            _ = works => break,
            reason = &mut lives => {
                load.lock().given_up = Some(reason);
                break;
            }
            Ok(()) = resized.changed() => {}
        }
    }
    let mut load = load.lock();
    load.closed = true;
    let sender = load.sender.take();
    drop(load);
    // The pool may not be asked for a connection for long.
    drop(sender);
}

/// Returns the reason to give up the connection: no reply to a ping, or idle for a while.
async fn lives(pings: Option<PingPong>, load: &Load) -> &'static str {
    let Some(mut pings) = pings else { return std::future::pending().await };
    let mut served = None;
    loop {
        sleep(PING_INTERVAL).await;
        {
            let mut load = load.lock();
            if load.streams == 0 && served == Some(load.served) {
                load.closed = true;
                return "it was idle";
            }
            served = Some(load.served);
        }
        // An error here is the connection's end, which is reported elsewhere.
        if timeout(PING_PATIENCE, pings.ping(Ping::opaque())).await.is_err() {
            return "it no longer answers pings";
        }
    }
}

/// A place for a request on a connection, until its answer ends.
pub struct Slot {
    connection: Arc<Connection>,
    sender: SendRequest<Bytes>,
    number: u64,
    _share: Share,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut load = self.connection.load.lock();
        load.streams -= 1;
        let window = load.open.remove(&self.number);
        drop(load);
        // It may be the last part of the stream.
        drop(window);
    }
}

impl Slot {
    /// Sends a request and waits for the head of its answer.
    pub async fn send(self, request: &Request<Bytes>) -> Result<Response<Body>, Failed> {
        let (head, data) = (head(request), request.body().clone());
        let sender = self.sender.clone().ready().await;
        let sent = sender.and_then(|mut sender| sender.send_request(head, data.is_empty()));
        let (answer, mut stream) = sent.map_err(|error| {
            self.connection.load.lock().closed = true;
            Failed { error: self.reason(error), unprocessed: true }
        })?;
        if !data.is_empty() {
            stream.send_data(data, true).map_err(|error| self.failed(error))?;
        }
        match answer.await {
            Ok(answer) => Ok(answer.map(|mut stream| {
                let window = stream.flow_control().clone();
                self.connection.load.lock().open.insert(self.number, window);
                let (frames, stowed) = (Frames::new(), BytesMut::new());
                Body { stream, slot: self, frames, stowed, end: None }
            })),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: h2::Error) -> Failed {
        let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        let going_away = error.is_go_away() && error.is_remote();
        let mut load = self.connection.load.lock();
        match refused {
            // The connection is full earlier than announced.
            true => load.most = Some(load.streams.saturating_sub(1).max(1)),
            false => load.closed |= !error.is_reset(),
        }
        // A connection that broke before its first answer would break again.
        let reused = error.is_io() && load.served > 1;
        drop(load);
        Failed { error: self.reason(error), unprocessed: refused || going_away || reused }
    }

    /// Uses our own words if this side ended the connection.
    fn reason(&self, error: h2::Error) -> BoxError {
        match self.connection.load.lock().given_up {
            Some(reason) => reason.into(),
            None => error.into(),
        }
    }
}

/// The request without its body.
fn head(request: &Request<Bytes>) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = http::Version::HTTP_2;
    *head.headers_mut() = request.headers().clone();
    head
}

/// The body of an answer. Dropping it ends the request.
pub struct Body {
    stream: RecvStream,
    slot: Slot,
    frames: Frames,
    /// Frames stowed until they are requested, and the end or error after them.
    stowed: BytesMut,
    end: Option<Result<(), h2::Error>>,
}

/// Rate of recent frames. Each costs about a microsecond, twice as much as a chunk of HTTP/1.1.
struct Frames {
    since: Instant,
    count: u32,
    busy: bool,
}

/// A stream with this frame rate for this long deserves its own connection, which costs some milliseconds, mostly of
/// the server.
const BUSY_FRAMES: f64 = 1000.0;
const BUSY_TIME: Duration = Duration::from_secs(2);

impl Frames {
    fn new() -> Frames {
        Frames { since: Instant::now(), count: 0, busy: false }
    }

    /// Updates whether it is busy, once enough time has passed.
    fn judge(&mut self) {
        let time = self.since.elapsed();
        if time >= BUSY_TIME {
            let busy = f64::from(self.count) >= BUSY_FRAMES * time.as_secs_f64();
            *self = Frames { busy, ..Frames::new() };
        }
    }
}

impl Body {
    /// Whether a connection of its own would be cheaper.
    pub fn is_busy(&self) -> bool {
        self.frames.busy
    }

    /// The progress of its connection, if the bandwidth limit can hold it back.
    pub fn progress(&self) -> Option<Progress> {
        self.slot.connection.progress.clone()
    }

    /// Adds stowed data or the next frame to `chunk`; false at the end. The server may then send as much again.
    pub fn poll_more(&mut self, cx: &mut Context<'_>, chunk: &mut Chunk) -> Poll<Result<bool, BoxError>> {
        if chunk.is_empty() {
            self.frames.judge();
        }
        let piece = match self.stowed.is_empty() {
            true => ready!(self.poll_frame(cx)).map_err(|error| self.slot.failed(error).error)?,
            false => Some(mem::take(&mut self.stowed).freeze()),
        };
        let Some(piece) = piece else { return Poll::Ready(Ok(false)) };
        // Cannot exceed the window: these bytes were just received.
        let _ = self.stream.flow_control().release_capacity(piece.len());
        chunk.push(piece);
        Poll::Ready(Ok(true))
    }

    /// Stows frames that arrive while nothing reads, within the window: the connection spends about 400 bytes on each
    /// waiting frame, even for a short line, and never frees that memory.
    pub fn poll_stow(&mut self, cx: &mut Context<'_>) -> Poll<Infallible> {
        while self.end.is_none() {
            match ready!(self.poll_frame(cx)) {
                Ok(Some(frame)) => self.stowed.extend_from_slice(&frame),
                Ok(None) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(error)),
            }
        }
        Poll::Pending
    }

    /// None at the end.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, h2::Error>> {
        if let Some(end) = self.end.take() {
            return Poll::Ready(end.map(|()| None));
        }
        let frame = ready!(self.stream.poll_data(cx));
        self.frames.count += u32::from(frame.is_some());
        Poll::Ready(frame.transpose())
    }
}
