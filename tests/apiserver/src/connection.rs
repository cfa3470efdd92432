//! One TCP connection, its socket, and the commands that a test can give.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

use crate::distance;

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
}

impl Connection {
    pub fn new(id: u64) -> Self {
        Connection { id, ..Connection::default() }
    }

    pub fn reset(&self) {
        self.rst.store(true, Ordering::Relaxed);
        self.close();
    }

    pub fn close(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.killed.notify_one();
    }

    /// No new requests: GOAWAY on HTTP/2, `connection: close` on HTTP/1.1. Open answers may finish.
    pub fn drain(&self) {
        self.draining.notify_one();
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
    wire: Wire,
    connection: Arc<Connection>,
}

enum Wire {
    Near(TcpStream),
    Far(DuplexStream),
}

impl Socket {
    pub fn new(stream: TcpStream, round_trip: Duration, connection: Arc<Connection>) -> Self {
        let wire = match round_trip {
            Duration::ZERO => Wire::Near(stream),
            _ => Wire::Far(distance::far(stream, round_trip, Arc::clone(&connection))),
        };
        Socket { wire, connection }
    }

    fn note<T>(&self, result: Poll<T>) -> Poll<T> {
        self.connection.blocked.store(result.is_pending(), Ordering::Relaxed);
        result
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Wire::Near(stream) = &self.wire
            && self.connection.is_reset()
        {
            // Without lingering, closing sends RST instead of FIN. An error means that the socket is closed already.
            let _ = stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Near(stream) => Pin::new(stream).poll_read(cx, buf),
            Wire::Far(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = match &mut self.wire {
            Wire::Near(stream) => Pin::new(stream).poll_write(cx, buf),
            Wire::Far(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.wire {
            Wire::Near(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Wire::Far(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        };
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Near(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Far(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Near(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Far(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
