//! One TCP connection: what can be done to it from outside, and the socket that obeys.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

#[derive(Default)]
pub(crate) struct Connection {
    pub id: u64,
    pub killed: Notify,
    pub draining: Notify,
    /// It showed a certificate that the client CA signed.
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

    /// No new requests: GOAWAY on HTTP/2, `connection: close` on HTTP/1.1. Answers that go on may end.
    pub fn drain(&self) {
        self.draining.notify_one();
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
    pub stream: TcpStream,
    pub connection: Arc<Connection>,
}

impl Socket {
    fn note<T>(&self, result: Poll<T>) -> Poll<T> {
        self.connection.blocked.store(result.is_pending(), Ordering::Relaxed);
        result
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.rst.load(Ordering::Relaxed) {
            // Without lingering, closing sends RST instead of FIN. If it fails the socket is closed already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
