//! Reaches a server: over TCP that notices a dead peer, directly or through a proxy.

use std::{io, time::Duration};

use http::{HeaderValue, Uri};
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::GaiResolver, proxy::SocksV5},
    rt::TokioIo,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tower::{BoxError, Service, ServiceExt, service_fn, util::BoxCloneSyncService, util::MapErr};

use super::{
    socket::Socket,
    stream::{Proxied, Wire},
};
use crate::cluster::{
    access::proxy,
    error::{AtProxy, RefusedByProxy, Unresolved},
};

/// A new first packet finds a network that has come back sooner: an old one is repeated less and less often.
pub const TCP_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that disappeared silently (a laptop that slept, a NAT that forgot) is noticed after 15 + 3 × 10 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

/// The longest answer of a proxy.
const LONGEST_ANSWER: usize = 16 << 10;

/// The most headers in it.
const MOST_HEADERS: usize = 64;

/// Makes connections to a host, through a proxy or directly.
pub type Route = BoxCloneSyncService<Uri, Wire, BoxError>;

/// `tls`: for a proxy of https, with the name to expect.
pub fn route(proxy: Option<&Uri>, tls: Option<(TlsConnector, ServerName<'static>)>) -> Route {
    let Some(proxy) = proxy else { return to_wire(tcp(), direct) };
    let route = match (proxy.scheme_str(), tls) {
        (Some("https"), Some((tls, name))) => {
            let proxy = proxy.clone();
            BoxCloneSyncService::new(service_fn(move |server| {
                let (tls, name, proxy) = (tls.clone(), name.clone(), proxy.clone());
                async move {
                    let stream = tls.connect(name, connect(&proxy).await?).await?;
                    let stream: Box<dyn Proxied> = Box::new(tunnel(stream, &proxy, &server).await?);
                    Ok(Wire::Right(BufReader::new(stream)))
                }
            }))
        }
        (Some("socks5" | "socks5h"), _) => {
            let mut socks = SocksV5::new(proxy.clone(), tcp());
            if let Some((user, password)) = proxy::userinfo(proxy) {
                socks = socks.with_auth(user, password);
            }
            to_wire(socks, direct)
        }
        _ => {
            let proxy = proxy.clone();
            BoxCloneSyncService::new(service_fn(move |server| {
                let proxy = proxy.clone();
                async move {
                    let stream = tunnel(connect(&proxy).await?, &proxy, &server).await?;
                    Ok(Wire::Left(Socket::new(stream)))
                }
            }))
        }
    };
    let proxy = proxy::displayed(proxy);
    to_wire(route.map_err(move |source: BoxError| AtProxy { proxy, source }), |wire| wire)
}

fn to_wire<C>(connector: C, wire: impl Fn(C::Response) -> Wire + Clone + Send + Sync + 'static) -> Route
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    BoxCloneSyncService::new(connector.map_err(Into::into).map_response(wire))
}

fn direct(stream: TokioIo<TcpStream>) -> Wire {
    Wire::Left(Socket::new(stream.into_inner()))
}

type Tcp = HttpConnector<MapErr<GaiResolver, fn(io::Error) -> Unresolved>>;

fn tcp() -> Tcp {
    let mut tcp = HttpConnector::new_with_resolver(GaiResolver::new().map_err(Unresolved as fn(_) -> _));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(TCP_TIMEOUT));
    tcp.set_keepalive(Some(KEEPALIVE_IDLE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_PROBES));
    // The same for a request that is never acknowledged, which no keepalive probes.
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES));
    tcp
}

async fn connect(proxy: &Uri) -> Result<TcpStream, BoxError> {
    Ok(tcp().oneshot(proxy.clone()).await?.into_inner())
}

/// Asks an HTTP proxy for a connection to the server. hyper-util's does not tell with which words one refuses.
async fn tunnel<S>(mut stream: S, proxy: &Uri, server: &Uri) -> Result<S, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = server.authority().map_or("", |authority| authority.as_str());
    let mut request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
    if let Some(authorization) = proxy::authorization(proxy) {
        request.extend([b"Proxy-Authorization: ", HeaderValue::as_bytes(&authorization), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    loop {
        let ended = stream.read_buf(&mut answer).await? == 0;
        match judged(&answer, host)? {
            Answer::Connected => return Ok(stream),
            // The rest of its words may be missing.
            Answer::Refused { refusal, is_whole } if is_whole || ended || answer.len() > LONGEST_ANSWER => {
                return Err(refusal.into());
            }
            _ if ended => return Err("it closed the connection without an answer".into()),
            _ if answer.len() > LONGEST_ANSWER => return Err("its answer is too long".into()),
            _ => {}
        }
    }
}

/// The answer so far.
enum Answer {
    Incomplete,
    Connected,
    Refused { refusal: RefusedByProxy, is_whole: bool },
}

fn judged(answer: &[u8], host: &str) -> Result<Answer, BoxError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(answer).map_err(|error| format!("it does not speak HTTP ({error})"))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(Answer::Incomplete) };
    let (status, body) = (head.code.unwrap_or_default(), &answer[length..]);
    match status {
        200..300 if body.is_empty() => return Ok(Answer::Connected),
        200..300 => return Err("it sent more than an answer".into()),
        _ => {}
    }
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| str::from_utf8(header.value).ok()?.trim().parse().ok());
    let refusal = RefusedByProxy {
        host: host.to_owned(),
        status,
        reason: head.reason.unwrap_or_default().to_owned(),
        words: String::from_utf8_lossy(body).into_owned(),
    };
    Ok(Answer::Refused { refusal, is_whole: length.is_none_or(|length: usize| body.len() >= length) })
}
