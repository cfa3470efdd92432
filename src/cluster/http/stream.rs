//! The bytes of one connection through all layers: TCP, a proxy's TLS, the server's TLS.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf},
    time::Instant,
};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::{
    bandwidth::Progress,
    forwarder::Forwarder,
    pulse::Pulse,
    socket::{Pace, Socket},
};
use crate::{
    machine::Connected,
    stats::{Held, Received},
};

pub struct Stream {
    inner: Either<Box<TlsStream<Wire>>, Box<Wire>>,
    /// The proxy that passes on the requests.
    pub forwarder: Option<Forwarder>,
    /// It speaks HTTP/2 without TLS that could negotiate it.
    http2: bool,
    refused: Refused,
    /// An error after the last data.
    failed: Option<io::Error>,
    /// Bytes of HTTP/2 that were read without a pause.
    in_a_row: usize,
    /// Counts the connection as open until dropped.
    held: Option<Held>,
    received: Received,
    /// Notified of data if the socket does not do it.
    pulse: Option<Arc<Pulse>>,
}

/// So much of HTTP/2 is read before those get their turn whose answers it is: the connection keeps some 250 bytes for
/// each frame that waits, even of a short line, and never frees that memory.
const IN_A_ROW: usize = 64 << 10;

/// The TLS error, for callers whose own errors do not contain it. With TLS 1.3 a server rejects a client certificate
/// only after the client has completed the handshake.
pub type Refused = Arc<OnceLock<rustls::Error>>;

/// The transport below the server's TLS, if any. TLS with a proxy is read without rests.
pub type Wire = Either<Socket, BufReader<Box<dyn Proxied>>>;

pub trait Proxied: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Proxied for T {}

impl Stream {
    pub fn tls(stream: TlsStream<Wire>) -> Stream {
        Stream::new(Either::Left(Box::new(stream)), None)
    }

    pub fn plain(wire: Wire, forwarder: Option<Forwarder>) -> Stream {
        Stream::new(Either::Right(Box::new(wire)), forwarder)
    }

    /// A connection that a simulation made.
    pub fn simulated(connected: Connected) -> Stream {
        let wire = Wire::Left(Socket::new(connected.wire));
        Stream { http2: connected.http2, ..Stream::plain(wire, None) }
    }

    fn new(inner: Either<Box<TlsStream<Wire>>, Box<Wire>>, forwarder: Option<Forwarder>) -> Stream {
        Stream {
            inner,
            forwarder,
            http2: false,
            refused: Refused::default(),
            failed: None,
            in_a_row: 0,
            held: None,
            received: Received::default(),
            pulse: None,
        }
    }

    /// Counts as open until it is dropped, and the bytes that are read.
    pub fn count(&mut self, held: Held, received: Received) {
        (self.held, self.received) = (Some(held), received);
    }

    /// Allows the socket to rest from now on.
    pub fn pace(&mut self, pace: Pace) {
        match self.socket_mut() {
            Some(socket) => socket.pace(pace),
            None => self.pulse = Some(pace.pulse),
        }
    }

    /// Reads the next data at once.
    pub fn attend(&mut self) -> io::Result<()> {
        self.socket_mut().map_or(Ok(()), Socket::attend)
    }

    /// Its progress, if the bandwidth limit can hold it back.
    pub fn progress(&self) -> Option<Progress> {
        let wire = match &self.inner {
            Either::Left(stream) => stream.get_ref().0,
            Either::Right(wire) => wire,
        };
        match wire {
            Either::Left(socket) => socket.progress(),
            Either::Right(_) => None,
        }
    }

    fn socket_mut(&mut self) -> Option<&mut Socket> {
        let wire = match &mut self.inner {
            Either::Left(stream) => stream.get_mut().0,
            Either::Right(wire) => wire,
        };
        match wire {
            Either::Left(socket) => Some(socket),
            Either::Right(_) => None,
        }
    }

    pub fn refused(&self) -> Refused {
        self.refused.clone()
    }

    /// Whether HTTP/2 was negotiated.
    pub fn is_http2(&self) -> bool {
        match &self.inner {
            Either::Left(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            Either::Right(_) => self.http2,
        }
    }
}

impl AsyncBufRead for Stream {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Stream { inner, refused, pulse, .. } = self.get_mut();
        let polled = Pin::new(inner).poll_fill_buf(cx);
        if let (Some(pulse), Poll::Ready(Ok([_, ..]))) = (pulse, &polled) {
            pulse.heard(Instant::now());
        }
        polled.map_err(|error| {
            let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
            if let Some(tls) = tls {
                refused.get_or_init(|| tls.clone());
            }
            match error.kind() {
                // rustls adds an address of its documentation.
                io::ErrorKind::UnexpectedEof => io::ErrorKind::UnexpectedEof.into(),
                _ => error,
            }
        })
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.received.add(amount);
        Pin::new(&mut self.inner).consume(amount);
    }
}

impl AsyncRead for Stream {
    /// Fills the buffer from all available TLS records: the apiserver makes one of every line. An error after them is
    /// returned by the next read.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        if self.in_a_row >= IN_A_ROW {
            self.in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        loop {
            let filled = buffer.filled().len() > before;
            let data = match self.as_mut().poll_fill_buf(cx) {
                Poll::Pending if filled => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    self.in_a_row = 0;
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) if filled => {
                    self.failed = Some(error);
                    return Poll::Ready(Ok(()));
                }
                polled => ready!(polled)?,
            };
            let amount = data.len().min(buffer.remaining());
            buffer.put_slice(&data[..amount]);
            self.as_mut().consume(amount);
            self.in_a_row += amount;
            if amount == 0 || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
