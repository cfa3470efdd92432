//! Reaches a server: over TCP that notices a dead peer, directly or through a proxy.

use std::{io, time::Duration};

use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::{HttpConnector, dns::GaiResolver};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::error::Elapsed,
};
use tokio_rustls::TlsConnector;
use tokio_socks::tcp::Socks5Stream;
use tower::{
    BoxError, ServiceExt, service_fn,
    util::{BoxCloneSyncService, MapErr},
};

use super::{
    forwarder::forwards,
    socket::Socket,
    stream::{Proxied, Wire},
};
use crate::cluster::{
    access::proxy,
    error::{AtProxy, Refusal, RefusedByProxy, Unresolved, causes},
};

/// A new first packet finds a network that has come back sooner: an old one is repeated less and less often.
pub const TCP_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that disappeared silently (a laptop that slept, a NAT that forgot) is noticed after 15 + 3 × 10 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

const CLOSED: &str = "it closed the connection without an answer";

/// The longest answer of a proxy.
const LONGEST_ANSWER: usize = 16 << 10;

/// The most headers in it.
const MOST_HEADERS: usize = 64;

/// Makes connections to a host, through a proxy or directly.
pub type Route = BoxCloneSyncService<Uri, Wire, BoxError>;

/// `tls`: for a proxy of https, with the name to expect.
pub fn route(proxy: Option<&Uri>, tls: Option<(TlsConnector, ServerName<'static>)>) -> Route {
    let Some(proxy) = proxy.cloned() else {
        return BoxCloneSyncService::new(
            tcp().map_err(|error| unheard(error.into())).map_response(|tcp| direct(tcp.into_inner())),
        );
    };
    BoxCloneSyncService::new(service_fn(move |server| {
        let (proxy, tls) = (proxy.clone(), tls.clone());
        async move {
            let wire = through(&proxy, tls, &server).await;
            let named = |source| AtProxy { proxy: proxy::displayed(&proxy), source: unheard(source) };
            wire.map_err(|source| named(source).into())
        }
    }))
}

/// The error of a peer that cannot even be reached with TCP, in words.
fn unheard(error: BoxError) -> BoxError {
    let is_late = causes(&*error).any(|cause| cause.is::<Elapsed>());
    if is_late { format!("no answer within {TCP_TIMEOUT:?}").into() } else { error }
}

/// The error of a proxy that is silent, perhaps because the server is.
pub fn silent(proxy: &str, server: &Uri, waited: Duration) -> BoxError {
    let refusal = RefusedByProxy::new(server, format!("no answer within {waited:?}"), Refusal::ForNow);
    AtProxy { proxy: proxy.to_owned(), source: refusal.into() }.into()
}

async fn through(
    proxy: &Uri,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    server: &Uri,
) -> Result<Wire, BoxError> {
    let stream = tcp().oneshot(proxy.clone()).await?.into_inner();
    match (proxy.scheme_str(), tls) {
        (Some("https"), Some((tls, name))) => {
            let mut stream = tls.connect(name, stream).await?;
            if !forwards(proxy, server) {
                stream = tunnel(stream, proxy, server).await?;
            }
            let stream: Box<dyn Proxied> = Box::new(stream);
            Ok(Wire::Right(BufReader::new(stream)))
        }
        // Its user and password would be sent in plain text.
        (Some("https"), None) => Err("TLS is not set up for it".into()),
        (Some("socks5" | "socks5h"), _) => Ok(direct(socks(stream, proxy, server).await?)),
        _ if forwards(proxy, server) => Ok(direct(stream)),
        _ => Ok(direct(tunnel(stream, proxy, server).await?)),
    }
}

fn direct(stream: TcpStream) -> Wire {
    Wire::Left(Socket::new(stream))
}

/// As in Go, the proxy resolves the name, and may accept a user without asking for the password.
async fn socks(stream: TcpStream, proxy: &Uri, server: &Uri) -> Result<TcpStream, BoxError> {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    let target = (host, server.port_u16().unwrap_or(443));
    let connected = match proxy::userinfo(proxy) {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, &user, &password).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    connected.map(Socks5Stream::into_inner).map_err(|error| of_socks(error, server))
}

fn of_socks(error: tokio_socks::Error, server: &Uri) -> BoxError {
    use tokio_socks::Error::{
        AddressTypeNotSupported, AuthorizationRequired, CommandNotSupported, ConnectionNotAllowedByRuleset,
        ConnectionRefused, GeneralSocksServerFailure, HostUnreachable, InvalidResponseVersion, Io,
        NetworkUnreachable, NoAcceptableAuthMethods, PasswordAuthFailure, TtlExpired, UnknownAuthMethod,
        UnknownError,
    };
    let why = match &error {
        // The library says the same of a reply and of a way to log in.
        UnknownAuthMethod | UnknownError => {
            return RefusedByProxy::new(server, "a code that SOCKS5 does not have".into(), Refusal::ForNow)
                .into();
        }
        GeneralSocksServerFailure | NetworkUnreachable | HostUnreachable | ConnectionRefused | TtlExpired => {
            Refusal::ForNow
        }
        ConnectionNotAllowedByRuleset | CommandNotSupported | AddressTypeNotSupported => Refusal::ForGood,
        NoAcceptableAuthMethods | PasswordAuthFailure(_) | AuthorizationRequired => Refusal::Credentials,
        Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => return CLOSED.into(),
        InvalidResponseVersion => return "it does not speak SOCKS5".into(),
        _ => return error.into(),
    };
    RefusedByProxy::new(server, error.to_string(), why).into()
}

fn authority(server: &Uri) -> &str {
    server.authority().map_or("", |authority| authority.as_str())
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

/// Asks an HTTP proxy for a connection to the server. hyper-util's does not tell with which words one refuses.
async fn tunnel<S>(mut stream: S, proxy: &Uri, server: &Uri) -> Result<S, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = authority(server);
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
            _ if ended => return Err(CLOSED.into()),
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
        answer: format!("{status} {}", head.reason.unwrap_or_default()).trim_end().to_owned(),
        words: String::from_utf8_lossy(body).into_owned(),
        why: match status {
            407 => Refusal::Credentials,
            500..600 => Refusal::ForNow,
            _ => Refusal::ForGood,
        },
    };
    Ok(Answer::Refused { refusal, is_whole: length.is_none_or(|length: usize| body.len() >= length) })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::cluster::error::Error;

    #[tokio::test]
    async fn a_code_that_socks_does_not_have_is_a_refusal() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy: Uri = format!("socks5://{}", listener.local_addr().unwrap()).parse().unwrap();
        let serving = async {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            let _ = client.read(&mut request).await.unwrap();
            client.write_all(&[5, 0]).await.unwrap();
            let _ = client.read(&mut request).await.unwrap();
            client.write_all(&[5, 77, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        };
        let server = "https://k8s.test:6443/".parse().unwrap();
        let (_, wire) = tokio::join!(serving, route(Some(&proxy), None).oneshot(server));
        let error = Error::from_http("https://k8s.test:6443", &*wire.err().unwrap());
        let said = format!(
            "the proxy socks5://{} does not connect to k8s.test:6443: a code that SOCKS5 does not have",
            proxy.authority().unwrap()
        );
        assert_eq!((error.to_string(), error.is_retryable()), (said, true));
    }
}
