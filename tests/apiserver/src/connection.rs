//! One connection, its socket, and the commands that a test can give.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

use crate::{distance, lock, wire::Wire};

#[derive(Default)]
pub(crate) struct Connection {
    pub id: u64,
    pub killed: Notify,
    pub draining: Notify,
    /// The client showed a certificate that the client CA signed.
    pub certified: AtomicBool,
    dead: AtomicBool,
    rst: AtomicBool,
    blocked: AtomicBool,
    protocol: OnceLock<Protocol>,
    farewell: Mutex<Farewell>,
    /// Lets nothing arrive any more. Only a connection in memory has it.
    cutter: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// The last stream that a GOAWAY names, once it is asked for, and the task that writes it.
#[derive(Default)]
struct Farewell {
    last_stream: Option<u32>,
    waker: Option<Waker>,
}

impl Connection {
    pub fn new(id: u64) -> Self {
        Connection { id, ..Connection::default() }
    }

    pub fn reset(&self) {
        self.rst.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Lets nothing arrive any more, in either direction.
    pub fn deaden(&self) {
        self.cutter.get().expect("only connections in memory can be dead without an end")();
    }

    pub fn close(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.killed.notify_one();
    }

    /// No new requests: GOAWAY on HTTP/2, `connection: close` on HTTP/1.1. Open answers may finish.
    pub fn drain(&self) {
        self.draining.notify_one();
    }

    /// Ends the connection: HTTP/2 with a GOAWAY that names the last stream, HTTP/1.1 if it is `idle`.
    pub fn abandon(&self, last_stream: u32, idle: bool) {
        match self.protocol.get() {
            Some(Protocol::Http2) => {
                let mut farewell = lock(&self.farewell);
                farewell.last_stream = Some(last_stream);
                farewell.waker.take().into_iter().for_each(Waker::wake);
            }
            Some(Protocol::Http1) | None if idle => self.close(),
            Some(Protocol::Http1) | None => {}
        }
    }

    /// The last stream of the GOAWAY to send. Wakes the task if that comes later.
    pub fn poll_farewell(&self, cx: &Context<'_>) -> Option<u32> {
        let mut farewell = lock(&self.farewell);
        farewell.waker = Some(cx.waker().clone());
        farewell.last_stream
    }

    pub fn says_farewell(&self) -> bool {
        lock(&self.farewell).last_stream.is_some()
    }

    /// Whether it speaks HTTP/2, which the first bytes of the server tell.
    pub fn is_http2(&self, first: &[u8]) -> bool {
        let protocol = || if first.starts_with(b"HTTP/") { Protocol::Http1 } else { Protocol::Http2 };
        *self.protocol.get_or_init(protocol) == Protocol::Http2
    }

    /// Whether the connection ends with RST.
    pub fn is_reset(&self) -> bool {
        self.rst.load(Ordering::Relaxed)
    }

    pub fn is_killed(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// The client does not take what was written.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }
}

pub(crate) struct Socket {
    carrier: Carrier,
    connection: Arc<Connection>,
}

pub(crate) enum Carrier {
    Near(TcpStream),
    Far(DuplexStream),
    Memory(Wire),
}

impl Carrier {
    pub fn tcp(stream: TcpStream, round_trip: Duration, connection: &Arc<Connection>) -> Self {
        // Chunks must leave at once. An error means that the socket is closed already.
        let _ = stream.set_nodelay(true);
        match round_trip {
            Duration::ZERO => Carrier::Near(stream),
            _ => Carrier::Far(distance::far(stream, round_trip, Arc::clone(connection))),
        }
    }
}

impl Socket {
    pub fn new(carrier: Carrier, connection: Arc<Connection>) -> Self {
        if let Carrier::Memory(wire) = &carrier {
            connection.cutter.get_or_init(|| Box::new(wire.cutter()));
        }
        Socket { carrier, connection }
    }

    fn note<T>(&self, result: Poll<T>) -> Poll<T> {
        self.connection.blocked.store(result.is_pending(), Ordering::Relaxed);
        result
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.connection.is_reset() {
            return;
        }
        match &self.carrier {
            // Without lingering, closing sends RST instead of FIN. An error means that the socket is closed already.
            Carrier::Near(stream) => drop(stream.set_zero_linger()),
            Carrier::Far(_) => {}
            Carrier::Memory(wire) => wire.reset(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Near(stream) => Pin::new(stream).poll_read(cx, buf),
            Carrier::Far(stream) => Pin::new(stream).poll_read(cx, buf),
            Carrier::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = match &mut self.carrier {
            Carrier::Near(stream) => Pin::new(stream).poll_write(cx, buf),
            Carrier::Far(stream) => Pin::new(stream).poll_write(cx, buf),
            Carrier::Memory(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.carrier {
            Carrier::Near(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Carrier::Far(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Carrier::Memory(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        };
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Near(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Far(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Near(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Far(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
