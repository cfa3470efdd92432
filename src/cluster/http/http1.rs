//! HTTP/1.1: one request at a time on a connection, which is read by the task that awaits the answer.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt};
use tower::BoxError;

use super::{
    bandwidth::Progress, forwarder::Forwarder, framing::Framing, idle::IdleConnections, stream::Stream,
};
use crate::cluster::{
    bounds::{HEAD, HEADERS, INTERIM},
    error::NotHttp,
};

/// The headers for which there is room at first; a head with more is parsed again.
const USUAL_HEADERS: usize = 64;

/// Sends a request and reads the head of its answer. The connection goes to `idle` once the whole answer is read.
pub async fn send(
    mut stream: Box<Stream>,
    request: &Request<Bytes>,
    idle: Arc<IdleConnections>,
) -> Result<Response<Body>, BoxError> {
    stream.attend()?;
    stream.write_all(&written(request, stream.forwarder.as_ref())).await?;
    stream.flush().await?;
    let parts = read_head(&mut stream).await?;
    if let Some(refusal) =
        stream.forwarder.as_ref().and_then(|proxy| proxy.refusal(request.uri(), parts.status()))
    {
        return Err(refusal.into());
    }
    let framing = Framing::of(parts.version(), parts.headers())?;
    let closes = parts.headers().get_all(header::CONNECTION).iter().any(|value| {
        value.as_bytes().split(|&b| b == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    let idle = (parts.version() == Version::HTTP_11 && !closes).then_some(idle);
    let body = Body { stream: Some(stream), framing, idle, expected: 0 };
    Ok(parts.map(|()| body))
}

/// The bytes of the request. `forwarder`: the proxy that gets it, with the whole address of the server.
fn written(request: &Request<Bytes>, forwarder: Option<&Forwarder>) -> Vec<u8> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    let port = uri.port_u16().filter(|&port| port != usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", uri.host().unwrap_or_default());
    let before = forwarder.map(|_| format!("http://{host}")).unwrap_or_default();
    let mut out = format!("{} {before}{path} HTTP/1.1\r\nhost: {host}\r\n", request.method()).into_bytes();
    let authorization = forwarder.and_then(|proxy| proxy.authorization.as_ref());
    let authorization = authorization.map(|value| (&header::PROXY_AUTHORIZATION, value));
    for (name, value) in request.headers().iter().chain(authorization) {
        out.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    if !request.body().is_empty() {
        out.extend(format!("content-length: {}\r\n", request.body().len()).into_bytes());
    }
    out.extend(b"\r\n");
    out.extend(request.body());
    out
}

/// Reads the heads of interim answers, and that of the answer.
async fn read_head(stream: &mut Stream) -> Result<Response<()>, BoxError> {
    let (mut head, mut parsed, mut interim) = (Vec::new(), 0, 0);
    loop {
        let input = stream.fill_buf().await?;
        if input.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let (before, read) = (head.len(), input.len());
        head.extend_from_slice(input);
        // It is parsed when it may be whole, and otherwise seldom: a head may come byte by byte.
        let may_be_whole = has_end(&head[before.saturating_sub(3)..]) || head.len() >= 2 * parsed;
        let answer = if may_be_whole { parse_head(&head)? } else { None };
        let Some((length, answer)) = answer else {
            if may_be_whole {
                parsed = head.len();
            }
            stream.consume(read);
            HEAD.check(head.len())?;
            continue;
        };
        stream.consume(length - before);
        let status = answer.status();
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        interim += 1;
        INTERIM.check(interim)?;
        (head, parsed) = (Vec::new(), 0);
    }
}

/// Whether an empty line ends in this text.
fn has_end(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', text).any(|at| matches!(text[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// The head and its length; None while it is incomplete. As in Go, lines may end without a carriage return; a line that
/// continues the one before, or has a space before its colon, is an error.
pub(super) fn parse_head(head: &[u8]) -> Result<Option<(usize, Response<()>)>, BoxError> {
    let wrong = |error: &dyn std::fmt::Display| NotHttp(error.to_string());
    let mut headers = vec![httparse::EMPTY_HEADER; USUAL_HEADERS];
    let too_many = Err(httparse::Error::TooManyHeaders);
    while httparse::Response::new(&mut headers).parse(head) == too_many {
        HEADERS.check(headers.len() + 1)?;
        headers = vec![httparse::EMPTY_HEADER; headers.len() * 4];
    }
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(head).map_err(|error| wrong(&error))? else {
        return Ok(None);
    };
    let mut answer = Response::new(());
    *answer.status_mut() =
        StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(|error| wrong(&error))?;
    *answer.version_mut() = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let mut map = HeaderMap::with_capacity(parsed.headers.len());
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|error| wrong(&error))?;
        map.append(name, HeaderValue::from_bytes(header.value).map_err(|error| wrong(&error))?);
    }
    *answer.headers_mut() = map;
    Ok(Some((length, answer)))
}

/// The body of an answer.
pub struct Body {
    /// None after the end.
    stream: Option<Box<Stream>>,
    framing: Framing,
    /// Keeps the connection until its next request.
    idle: Option<Arc<IdleConnections>>,
    /// The size of the last reads, as a guess for the next ones.
    expected: usize,
}

impl Body {
    /// The progress of the connection, if the bandwidth is limited.
    pub fn progress(&self) -> Option<Progress> {
        self.stream.as_ref()?.progress()
    }

    /// Adds the bytes of one read to `chunk`; false at the end.
    pub fn poll_more(&mut self, cx: &mut Context<'_>, chunk: &mut BytesMut) -> Poll<Result<bool, BoxError>> {
        if self.framing.is_done()
            && let (Some(stream), Some(idle)) = (self.stream.take(), &self.idle)
        {
            idle.put(stream);
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(false)) };
        let mut stream = Pin::new(stream);
        let input = ready!(stream.as_mut().poll_fill_buf(cx))?;
        if input.is_empty() {
            self.stream = None;
            return Poll::Ready(match self.framing {
                Framing::Close => Ok(false),
                _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            });
        }
        if chunk.is_empty() {
            chunk.reserve(input.len().max(self.expected));
        }
        let read = self.framing.decode(input, chunk)?;
        stream.consume(read);
        self.expected = chunk.len();
        Poll::Ready(Ok(true))
    }
}
