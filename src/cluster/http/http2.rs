//! One HTTP/2 connection, shared by as many requests as the server grants.

use std::{
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
    Ping, PingPong, Reason, RecvStream,
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
    bandwidth::Progress,
    chunk::Chunk,
    stream::Stream,
    window::{MOST, Share, Windows},
};

/// The most requests on one connection, whatever the server grants: kube-apiserver's own limit.
pub const MOST_STREAMS: usize = 100;

/// A connection is asked this often whether it lives, and has this long to say so.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(15);

pub struct Connection {
    sender: SendRequest<Bytes>,
    load: Arc<Load>,
    windows: Arc<Windows>,
    progress: Option<Progress>,
    /// Aborted with the last of those who use the connection.
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// How a connection is used.
#[derive(Default)]
struct Load(Mutex<LoadState>);

#[derive(Default)]
struct LoadState {
    streams: usize,
    /// Less than the server says, where it refused a stream nevertheless.
    most: Option<usize>,
    /// How many streams there have been.
    served: u64,
    /// Takes no more streams.
    closed: bool,
    /// Why it was given up, where that was not the server's doing.
    given_up: Option<&'static str>,
}

impl Load {
    fn lock(&self) -> MutexGuard<'_, LoadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no answer.
pub struct Failed {
    pub error: BoxError,
    /// The server did nothing: another connection may do.
    pub unprocessed: bool,
}

impl Connection {
    /// Shakes hands and waits until the server has said how many streams it grants. There is twice the room for what all
    /// of them may have under way at most, so that an unread stream keeps no other waiting: the server hears of more room
    /// only when half of the rest was taken, and it may have set some aside.
    pub async fn open(stream: Stream, windows: Arc<Windows>) -> Result<Connection, BoxError> {
        let size = windows.size();
        let announced = *size.borrow();
        let progress = stream.progress();
        let (sender, mut connection) = Builder::new()
            .initial_window_size(announced)
            .initial_connection_window_size((2 * MOST * MOST_STREAMS) as u32)
            // The apiserver makes a frame of every line; the untaken ones are bounded by the windows.
            .data_frame_budget(usize::MAX)
            // So that what the server grants is known to have come.
            .initial_max_send_streams(0)
            .enable_push(false)
            .handshake(stream)
            .await?;
        let load = Arc::new(Load::default());
        let (granted, settings) = oneshot::channel();
        let pings = connection.ping_pong();
        let driver = tokio::spawn({
            let load = load.clone();
            async move { drive(connection, pings, &load, granted, (announced, size)).await }
        });
        let connection = Connection { sender, load, windows, progress, driver };
        match settings.await {
            Ok(()) => Ok(connection),
            Err(_) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// A place for one more request; None where there is none.
    pub fn slot(self: &Arc<Self>) -> Option<Slot> {
        let granted = self.sender.current_max_send_streams().min(MOST_STREAMS);
        let mut load = self.load.lock();
        if load.closed || load.streams >= load.most.map_or(granted, |most| most.min(granted)) {
            return None;
        }
        load.streams += 1;
        load.served += 1;
        drop(load);
        Some(Slot { connection: self.clone(), _share: self.windows.share() })
    }

    pub fn is_closed(&self) -> bool {
        self.load.lock().closed
    }
}

/// Makes the connection work until it ends or is given up.
async fn drive(
    mut connection: h2::client::Connection<Stream, Bytes>,
    pings: Option<PingPong>,
    load: &Load,
    granted: oneshot::Sender<()>,
    (mut announced, size): (u32, watch::Receiver<u32>),
) {
    let (mut granted, mut resized) = (Some(granted), size.clone());
    let mut lives = pin!(lives(pings, load));
    loop {
        let works = poll_fn(|cx| {
            let size = *size.borrow();
            // While the server has not confirmed the last change it fails, and is tried again when that comes.
            if announced != size && connection.set_initial_window_size(size).is_ok() {
                announced = size;
            }
            let ended = Pin::new(&mut connection).poll(cx);
            if connection.max_concurrent_send_streams() > 0
                && let Some(granted) = granted.take()
            {
                // Who opened it may have gone.
                let _ = granted.send(());
            }
            ended
        });
        tokio::select! {
            // Each stream reports the reason.
            _ = works => break,
            why = &mut lives => {
                load.lock().given_up = Some(why);
                break;
            }
            Ok(()) = resized.changed() => {}
        }
    }
    load.lock().closed = true;
}

/// Returns why the connection is to be given up: it answers no ping, or was not used for a while.
async fn lives(pings: Option<PingPong>, load: &Load) -> &'static str {
    let Some(mut pings) = pings else { return std::future::pending().await };
    let mut served = None;
    loop {
        sleep(PING_INTERVAL).await;
        {
            let mut load = load.lock();
            if load.streams == 0 && served == Some(load.served) {
                load.closed = true;
                return "nobody used it";
            }
            served = Some(load.served);
        }
        // An error is the connection's end, which is reported elsewhere.
        if timeout(PING_PATIENCE, pings.ping(Ping::opaque())).await.is_err() {
            return "it answers no more pings";
        }
    }
}

/// A place for a request on a connection, for as long as its answer goes on.
pub struct Slot {
    connection: Arc<Connection>,
    _share: Share,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.load.lock().streams -= 1;
    }
}

impl Slot {
    /// Sends a request and waits for the head of its answer.
    pub async fn send(self, request: &Request<Bytes>) -> Result<Response<Body>, Failed> {
        let (head, data) = (head(request), request.body().clone());
        let sender = self.connection.sender.clone().ready().await;
        let sent = sender.and_then(|mut sender| sender.send_request(head, data.is_empty()));
        let (answer, mut stream) = sent.map_err(|error| {
            self.connection.load.lock().closed = true;
            Failed { error: self.reason(error), unprocessed: true }
        })?;
        if !data.is_empty() {
            stream.send_data(data, true).map_err(|error| self.failed(error))?;
        }
        match answer.await {
            Ok(answer) => Ok(answer.map(|stream| {
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
            // Full before it should be.
            true => load.most = Some(load.streams.saturating_sub(1).max(1)),
            false => load.closed |= !error.is_reset(),
        }
        // One that broke before it ever answered would break again.
        let reused = error.is_io() && load.served > 1;
        drop(load);
        Failed { error: self.reason(error), unprocessed: refused || going_away || reused }
    }

    /// In words of our own where we ended the connection.
    fn reason(&self, error: h2::Error) -> BoxError {
        match self.connection.load.lock().given_up {
            Some(why) => why.into(),
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
    /// The frames that were put away until they are asked for, and the end or the error behind them.
    stowed: BytesMut,
    end: Option<Result<(), h2::Error>>,
}

/// How many frames came lately. Each costs about a microsecond, twice what a chunk of HTTP/1.1 does.
struct Frames {
    since: Instant,
    count: u32,
    busy: bool,
}

/// So many frames a second, for so long, are worth a connection: it costs some milliseconds, most of them the server's.
const BUSY_FRAMES: f64 = 1000.0;
const BUSY_TIME: Duration = Duration::from_secs(2);

impl Frames {
    fn new() -> Frames {
        Frames { since: Instant::now(), count: 0, busy: false }
    }

    /// Whether it was busy, when enough time has passed.
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

    /// How far its connection has come, where the bandwidth may hold it back.
    pub fn progress(&self) -> Option<Progress> {
        self.slot.connection.progress.clone()
    }

    /// Adds to `chunk` what was put away, or the next frame; false at the end. The server may send as much again.
    pub fn poll_more(&mut self, cx: &mut Context<'_>, chunk: &mut Chunk) -> Poll<Result<bool, BoxError>> {
        if chunk.is_empty() {
            self.frames.judge();
        }
        let piece = match self.stowed.is_empty() {
            true => ready!(self.poll_frame(cx)).map_err(|error| self.slot.failed(error).error)?,
            false => Some(mem::take(&mut self.stowed).freeze()),
        };
        let Some(piece) = piece else { return Poll::Ready(Ok(false)) };
        // Of what has just been read, so it is not too much.
        let _ = self.stream.flow_control().release_capacity(piece.len());
        chunk.push(piece);
        Poll::Ready(Ok(true))
    }

    /// Puts away the frames that come unasked, as far as the server may send it: a frame costs some 400 bytes for
    /// as long as the connection holds it, however short the line in it is, and the room for it is never given back.
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

    /// None is the end.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, h2::Error>> {
        if let Some(end) = self.end.take() {
            return Poll::Ready(end.map(|()| None));
        }
        let frame = ready!(self.stream.poll_data(cx));
        self.frames.count += u32::from(frame.is_some());
        Poll::Ready(frame.transpose())
    }
}
