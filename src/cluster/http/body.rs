//! The body of an answer, over HTTP/1.1 or HTTP/2: the bytes as they become available, and how the body ended.

use std::{
    convert::Infallible,
    io, mem,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tower::BoxError;

use super::{
    bandwidth::Progress,
    chunk::{BATCH, Chunk},
    encoding::{Encoding, Gunzip},
    http1, http2,
};

/// The body of an answer. Dropping it cancels the request.
pub enum Body {
    Http1 {
        body: http1::Body,
        _place: Option<OwnedSemaphorePermit>,
    },
    Http2(http2::Body),
    /// A body that arrives compressed. Boxed, since it is rare.
    Gzip(Box<(Body, Gunzip)>),
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
            Body::Gzip(inner) => inner.0.is_busy(),
            Body::Http1 { .. } | Body::Whole(_) | Body::Broken(_) => false,
        }
    }

    /// The progress of the connection, if the bandwidth is limited.
    pub fn progress(&self) -> Option<Progress> {
        match self {
            Body::Http1 { body, .. } => body.progress(),
            Body::Http2(body) => body.progress(),
            Body::Gzip(inner) => inner.0.progress(),
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
            Body::Gzip(inner) => {
                let (body, gunzip) = &mut **inner;
                loop {
                    if gunzip.needs_input() {
                        match ready!(body.poll_chunk(cx)) {
                            Some(bytes) => gunzip.put(bytes?),
                            None => return Poll::Ready(gunzip.finish(chunk)),
                        }
                    }
                    if gunzip.take(chunk)? {
                        return Poll::Ready(Ok(true));
                    }
                }
            }
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

/// The answer with its body as it was before compression. The error is the name of an unknown encoding.
pub fn decoded(answer: Response<Body>) -> Result<Response<Body>, String> {
    let (parts, body) = answer.into_parts();
    // Such an answer has no body.
    let is_empty = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = match Encoding::of(&parts.headers) {
        Encoding::Gzip if !is_empty => Body::Gzip(Box::new((body, Gunzip::new()))),
        Encoding::Other(name) if !is_empty => return Err(name),
        _ => body,
    };
    Ok(Response::from_parts(parts, body))
}

#[cfg(test)]
mod compressed;
#[cfg(test)]
mod tests;
