//! A connection that may end with a GOAWAY between two frames of HTTP/2, as a load balancer ends those it drains.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::Connection;

pub(crate) struct Farewell<S> {
    stream: S,
    connection: Arc<Connection>,
    frames: Frames,
    /// The rest of the frame to send before the end.
    last: Option<Vec<u8>>,
}

impl<S: AsyncWrite + Unpin> Farewell<S> {
    pub fn new(stream: S, connection: Arc<Connection>) -> Self {
        Farewell { stream, connection, frames: Frames::default(), last: None }
    }

    /// Sends the frame and closes the connection, once it is time. Ready: nothing may be written any more.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let asked = self.connection.poll_farewell(cx);
        if self.last.is_none() && self.frames.is_between() {
            self.last = asked.map(go_away);
        }
        let Some(last) = &mut self.last else { return Poll::Pending };
        while !last.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, last)) {
                Ok(count) => drop(last.drain(..count)),
                Err(_) => last.clear(),
            }
        }
        // An error means that the connection is closed already.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        self.connection.close();
        Poll::Ready(())
    }
}

/// A GOAWAY without an error.
fn go_away(last_stream: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&last_stream.to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame
}

/// The frames that were written. Those of HTTP/1.1 are none, and never end.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    /// Bytes to come of the payload.
    left: usize,
}

impl Frames {
    const HEAD: usize = 9;

    fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0
    }

    /// The bytes up to the end of this frame, as far as that is known.
    fn to_end(&self) -> usize {
        if self.left > 0 { self.left } else { Self::HEAD - self.head.len() }
    }

    fn pass(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let (now, later) = data.split_at(self.to_end().min(data.len()));
            data = later;
            if self.left > 0 {
                self.left -= now.len();
                continue;
            }
            self.head.extend_from_slice(now);
            if let [a, b, c, _, _, _, _, _, _] = self.head[..] {
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.head.clear();
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Farewell<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The server always reads, so the end comes even if it writes nothing.
        if self.poll_end(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Farewell<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.poll_end(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.last.is_some() {
            return Poll::Pending;
        }
        let count =
            if this.connection.says_farewell() { this.frames.to_end().min(buf.len()) } else { buf.len() };
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &buf[..count]))?;
        if this.connection.is_http2(buf) {
            this.frames.pass(&buf[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
        if this.connection.says_farewell() || !this.connection.is_http2(first) {
            return self.poll_write(cx, first);
        }
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, bufs))?;
        let mut left = written;
        for buf in bufs {
            let count = buf.len().min(left);
            this.frames.pass(&buf[..count]);
            left -= count;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
