//! Counts the bytes that the program takes from its connections, as it takes them: the buffer of a connection reads
//! ahead.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::{story::Taken, usage::in_world};

/// Clones count together.
#[derive(Clone)]
pub struct Meter {
    since: Instant,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Meter {
    pub fn new(since: Instant) -> Meter {
        Meter { since, taken: Arc::default() }
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, connection: u64, bytes: usize) {
        let at = self.since.elapsed();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.last_mut() {
            Some(last) if last.at == at && last.connection == connection => last.bytes += bytes,
            _ => taken.push(Taken { at, connection, bytes }),
        }
    }
}

/// A connection of which the taken bytes are counted. It is a part of the world.
pub struct Metered<W> {
    /// None: it is being dropped.
    wire: Option<W>,
    /// The number of the connection.
    number: u64,
    meter: Meter,
}

impl<W: Unpin> Metered<W> {
    pub fn new(wire: W, number: u64, meter: Meter) -> Metered<W> {
        Metered { wire: Some(wire), number, meter }
    }

    fn wire(self: Pin<&mut Self>) -> Pin<&mut W> {
        Pin::new(self.get_mut().wire.as_mut().expect("it is there until it is dropped"))
    }
}

impl<W> Drop for Metered<W> {
    fn drop(&mut self) {
        let wire = self.wire.take();
        in_world(|| drop(wire));
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Metered<W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, number, meter) = (buf.filled().len(), self.number, self.meter.clone());
        in_world(|| {
            let result = self.wire().poll_read(cx, buf);
            meter.count(number, buf.filled().len() - before);
            result
        })
    }
}

impl<W: AsyncBufRead + Unpin> AsyncBufRead for Metered<W> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        in_world(|| self.wire().poll_fill_buf(cx))
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        in_world(|| {
            self.meter.count(self.number, bytes);
            self.wire().consume(bytes);
        });
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Metered<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        in_world(|| self.wire().poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        in_world(|| self.wire().poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        in_world(|| self.wire().poll_shutdown(cx))
    }
}
