//! The body of an answer, over HTTP/1.1 or HTTP/2: the bytes as they become available, and how the body ended.

use std::{
    convert::Infallible,
    io, mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tower::BoxError;

use super::{
    bandwidth::Progress,
    chunk::{BATCH, Chunk},
    encoding::Gunzip,
    http1, http2,
};

/// The body of an answer. Dropping it cancels the request.
pub enum Body {
    Http1 {
        body: http1::Body,
        _place: Option<OwnedSemaphorePermit>,
    },
    Http2(http2::Body),
    /// Compressed. Boxed, since it is rare.
    Gzip(Box<Gunzip>),
    /// All is read.
    Whole(Bytes),
    /// It broke. The reason is returned once; a later poll never reports a clean end.
    Broken(Option<BoxError>),
}

impl Body {
    /// Whether a shared connection carries so much that a connection of its own would be cheaper.
    pub fn is_busy(&self) -> bool {
        match self {
            Body::Http2(body) => body.is_busy(),
            Body::Gzip(gunzip) => gunzip.body.is_busy(),
            Body::Http1 { .. } | Body::Whole(_) | Body::Broken(_) => false,
        }
    }

    /// The progress of the connection, if the bandwidth is limited.
    pub fn progress(&self) -> Option<Progress> {
        match self {
            Body::Http1 { body, .. } => body.progress(),
            Body::Http2(body) => body.progress(),
            Body::Gzip(gunzip) => gunzip.body.progress(),
            Body::Whole(_) | Body::Broken(_) => None,
        }
    }

    /// All that is available, up to about [`BATCH`]; None is a clean end. The next poll returns the error or the end
    /// that follows it.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let mut chunk = Chunk::default();
        while chunk.len() < BATCH {
            match self.poll_more(cx, &mut chunk) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) if chunk.is_empty() => return Poll::Ready(None),
                Poll::Pending if chunk.is_empty() => return Poll::Pending,
                Poll::Ready(Ok(false)) | Poll::Pending => break,
                Poll::Ready(Err(error)) if chunk.is_empty() => {
                    *self = Body::Broken(None);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Err(error)) => {
                    *self = Body::Broken(Some(error));
                    break;
                }
            }
        }
        Poll::Ready(Some(Ok(chunk.into_bytes())))
    }

    /// Stores with little waste the data that comes unrequested meanwhile.
    pub fn poll_stow(&mut self, cx: &mut Context<'_>) -> Poll<Infallible> {
        match self {
            Body::Http2(body) => body.poll_stow(cx),
            // The data waits in the connection.
            Body::Http1 { .. } | Body::Gzip(_) | Body::Whole(_) | Body::Broken(_) => Poll::Pending,
        }
    }

    /// Adds the next available data to `chunk`; false at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>, chunk: &mut Chunk) -> Poll<Result<bool, BoxError>> {
        match self {
            Body::Http1 { body, .. } => body.poll_more(cx, chunk.buffer()),
            Body::Http2(body) => body.poll_more(cx, chunk),
            Body::Gzip(gunzip) => gunzip.poll_more(cx, chunk),
            Body::Whole(body) if body.is_empty() => Poll::Ready(Ok(false)),
            Body::Whole(body) => {
                chunk.push(mem::take(body));
                Poll::Ready(Ok(true))
            }
            Body::Broken(reason) => {
                let cut = || io::Error::from(io::ErrorKind::UnexpectedEof).into();
                Poll::Ready(Err(reason.take().unwrap_or_else(cut)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
