//! The bytes of one connection, whatever lies between us and the server: TCP, a proxy's TLS, the server's TLS.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::socket::{Pace, Socket};

pub(super) struct Stream(Either<Box<TlsStream<Wire>>, Wire>);

/// What TLS with the server, if there is any, is spoken over. TLS with a proxy is read as it comes.
pub(super) type Wire = Either<Socket, BufReader<Box<dyn Proxied>>>;

pub(super) trait Proxied: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Proxied for T {}

impl Stream {
    pub fn tls(stream: TlsStream<Wire>) -> Stream {
        Stream(Either::Left(Box::new(stream)))
    }

    pub fn plain(wire: Wire) -> Stream {
        Stream(Either::Right(wire))
    }

    /// Lets the socket rest from now on.
    pub fn pace(&mut self, pace: Pace) {
        let wire = match &mut self.0 {
            Either::Left(stream) => stream.get_mut().0,
            Either::Right(wire) => wire,
        };
        if let Either::Left(socket) = wire {
            socket.pace(pace);
        }
    }

    /// Whether HTTP/2 was agreed upon.
    pub fn is_http2(&self) -> bool {
        match &self.0 {
            Either::Left(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
            Either::Right(_) => false,
        }
    }
}

impl AsyncBufRead for Stream {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().0).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.0).consume(amount);
    }
}

impl AsyncRead for Stream {
    /// Fills the buffer from as many TLS records as there are: the apiserver makes one of every line.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            let filled = buffer.filled().len() > before;
            let data = match self.as_mut().poll_fill_buf(cx) {
                // What goes wrong behind data is found again, if only as the end.
                Poll::Pending | Poll::Ready(Err(_)) if filled => return Poll::Ready(Ok(())),
                polled => ready!(polled)?,
            };
            let amount = data.len().min(buffer.remaining());
            buffer.put_slice(&data[..amount]);
            self.as_mut().consume(amount);
            if amount == 0 || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
