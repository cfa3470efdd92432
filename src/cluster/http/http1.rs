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

use super::{bandwidth::Progress, framing::Framing, idle::IdleConnections, route::Forwarder, stream::Stream};
use crate::cluster::error::NotHttp;

/// As in Go, and so in kubectl.
const LONGEST_HEAD: usize = 1 << 20;

/// The headers for which there is room at first; a head with more is parsed again.
const USUAL_HEADERS: usize = 64;
const MOST_HEADERS: usize = 16 << 10;

/// Sends a request and reads the head of its answer. The connection goes to `idle` once the whole answer is read.
pub async fn send(
    mut stream: Box<Stream>,
    request: &Request<Bytes>,
    idle: Arc<IdleConnections>,
) -> Result<Response<Body>, BoxError> {
    stream.attend()?;
    stream.write_all(&written(request, stream.forwarder.as_ref())).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    let (parts, version) = loop {
        if let Some(answer) = read_head(&mut stream, &mut head).await? {
            break answer;
        }
    };
    if let Some(refusal) =
        stream.forwarder.as_ref().and_then(|proxy| proxy.refusal(request.uri(), parts.status()))
    {
        return Err(refusal.into());
    }
    let framing = Framing::of(parts.status(), parts.headers())?;
    let closes = parts.headers().get_all(header::CONNECTION).iter().any(|value| {
        value.as_bytes().split(|&b| b == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    let idle = (version == Version::HTTP_11 && !closes).then_some(idle);
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

/// Reads more of the head; None after an interim answer.
async fn read_head(
    stream: &mut Stream,
    head: &mut Vec<u8>,
) -> Result<Option<(Response<()>, Version)>, BoxError> {
    loop {
        let input = stream.fill_buf().await?;
        if input.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let before = head.len();
        head.extend_from_slice(input);
        let parsed = parse_head(head)?;
        let Some((length, answer, version)) = parsed else {
            let read = input.len();
            stream.consume(read);
            if head.len() > LONGEST_HEAD {
                return Err(NotHttp("a head that is too long".into()).into());
            }
            continue;
        };
        stream.consume(length - before);
        head.clear();
        let interim =
            answer.status().is_informational() && answer.status() != StatusCode::SWITCHING_PROTOCOLS;
        return Ok((!interim).then_some((answer, version)));
    }
}

/// The head and its length; None while it is incomplete.
pub(super) fn parse_head(head: &[u8]) -> Result<Option<(usize, Response<()>, Version)>, NotHttp> {
    let wrong = |error: &dyn std::fmt::Display| NotHttp(error.to_string());
    let mut headers = vec![httparse::EMPTY_HEADER; USUAL_HEADERS];
    let too_many = Err(httparse::Error::TooManyHeaders);
    while headers.len() < MOST_HEADERS && httparse::Response::new(&mut headers).parse(head) == too_many {
        headers = vec![httparse::EMPTY_HEADER; headers.len() * 4];
    }
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(head).map_err(|error| wrong(&error))? else {
        return Ok(None);
    };
    let mut answer = Response::new(());
    *answer.status_mut() =
        StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(|error| wrong(&error))?;
    let mut map = HeaderMap::with_capacity(parsed.headers.len());
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|error| wrong(&error))?;
        map.append(name, HeaderValue::from_bytes(header.value).map_err(|error| wrong(&error))?);
    }
    *answer.headers_mut() = map;
    let version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    Ok(Some((length, answer, version)))
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
