//! Makes connections: TCP that notices a dead peer, through a proxy if there is one, TLS with rustls.

use std::{io, sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        dns::GaiResolver,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use kube::client::ConfigExt;
use rustls::{
    ClientConfig,
    pki_types::ServerName,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::BufReader,
    net::TcpStream,
    time::{Instant, error::Elapsed, timeout},
};
use tokio_rustls::{Connect, TlsConnector};
use tower::{
    BoxError, Service, ServiceExt,
    util::{BoxCloneSyncService, MapErr},
};

use super::{
    http2::Connection,
    round_trip::RoundTrip,
    socket::{Pace, Socket},
    stream::{Proxied, Stream, Wire},
    window::Windows,
};
use crate::{
    cluster::{
        access::{certificate::Trust, proxy},
        error::{Error, NotConnected, Unresolved, causes, root_cause},
    },
    stats::{Open, Stats},
};

/// From the first packet to the end of the handshakes, as long as kubectl.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A new first packet finds a network that has come back sooner: an old one is repeated less and less often.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that disappeared silently (a laptop that slept, a NAT that forgot) is noticed after 15 + 3 × 10 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

pub struct Connector {
    server: Uri,
    /// The server, as errors name it.
    shown: String,
    tls: ClientConfig,
    /// The name to expect in the certificate, if not that in the URL.
    name: Option<ServerName<'static>>,
    pub route: Route,
    /// As errors name it.
    proxy: Option<String>,
    pub round_trip: RoundTrip,
}

impl Connector {
    /// `http1`: do not offer HTTP/2.
    pub fn new(
        server: &Uri,
        shown: &str,
        trust: Trust,
        identity: Option<Arc<CertifiedKey>>,
        proxy: Option<Uri>,
        http1: bool,
    ) -> Result<Connector, Error> {
        let mut tls = trusting(shown, &trust)?;
        if let Some(identity) = identity {
            tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
        }
        tls.alpn_protocols = if http1 { vec![] } else { vec![b"h2".to_vec(), b"http/1.1".to_vec()] };
        let (server, shown) = (address(server), shown.to_owned());
        let (route, proxy) = (route(proxy.as_ref())?, proxy.as_ref().map(proxy::displayed));
        Ok(Connector { server, shown, tls, name: trust.name, route, proxy, round_trip: RoundTrip::new() })
    }

    /// A connector; `identity` takes precedence over the client certificate of the kubeconfig.
    pub fn dialer(&self, identity: Option<Arc<CertifiedKey>>) -> Result<Dialer, Error> {
        let tls = match self.server.scheme_str() {
            Some("https") => {
                let mut tls = self.tls.clone();
                if let Some(identity) = identity {
                    tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
                }
                Some((TlsConnector::from(Arc::new(tls)), self.name()?))
            }
            _ => None,
        };
        Ok(Dialer {
            server: self.server.clone(),
            shown: self.shown.clone(),
            tls,
            route: self.route.clone(),
            proxy: self.proxy.clone(),
            round_trip: self.round_trip.clone(),
        })
    }

    fn name(&self) -> Result<ServerName<'static>, Error> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let host = self.server.host().unwrap_or_default().trim_matches(['[', ']']);
        let invalid = || Error::invalid(format!("{}: {host:?} is not the name of a host", self.shown));
        ServerName::try_from(host.to_owned()).map_err(|_| invalid())
    }
}

/// Scheme, host and port.
fn address(server: &Uri) -> Uri {
    let port = server.port_u16().unwrap_or(if server.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    let host = server.host().unwrap_or_default();
    let scheme = server.scheme_str().unwrap_or("https");
    // The parts come from a URL.
    format!("{scheme}://{host}:{port}/").parse().unwrap_or_else(|_| server.clone())
}

/// The options for reading and counting connections.
#[derive(Debug, Clone)]
pub struct ConnectionOptions {
    pub pace: Pace,
    /// The windows of the streams of HTTP/2.
    pub windows: Arc<Windows>,
    pub stats: Stats,
}

/// A new connection, by its protocol.
pub enum Dialed {
    Http1(Stream),
    Http2(Connection),
}

/// Makes connections to one server.
#[derive(Clone)]
pub struct Dialer {
    server: Uri,
    shown: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    pub route: Route,
    /// As errors name it.
    proxy: Option<String>,
    pub round_trip: RoundTrip,
}

/// Makes connections to a host, through a proxy or directly.
pub type Route = BoxCloneSyncService<Uri, Wire, BoxError>;

impl Dialer {
    /// The server, as errors name it.
    pub fn server(&self) -> &str {
        &self.shown
    }

    /// Makes a connection that can send requests.
    pub async fn dial(&self, options: &ConnectionOptions) -> Result<Dialed, Error> {
        self.in_time(async {
            let stream = self.connect(options, None).await?;
            if !stream.is_http2() {
                return Ok(Dialed::Http1(stream));
            }
            let refused = stream.refused();
            match Connection::open(stream, options.windows.clone()).await {
                Ok(connection) => Ok(Dialed::Http2(connection)),
                Err(error) => Err(refused.get().map_or(error, |refused| refused.clone().into())),
            }
        })
        .await
    }

    /// Makes a connection of HTTP/1.1, even if the server knows HTTP/2.
    pub async fn dial_http1(&self, options: &ConnectionOptions) -> Result<Stream, Error> {
        self.in_time(self.connect(options, Some(vec![b"http/1.1".to_vec()]))).await
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, BoxError>>) -> Result<T, Error> {
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        let connected =
            connected.unwrap_or_else(|_| Err(format!("no answer within {CONNECT_TIMEOUT:?}").into()));
        connected.map_err(|source| {
            let unheard = causes(&*source).any(|cause| cause.is::<Elapsed>());
            let source = if unheard { format!("no answer within {TCP_TIMEOUT:?}").into() } else { source };
            Error::from_http(&self.shown, &NotConnected { proxy: self.proxy.clone(), source })
        })
    }

    /// `protocols`: those to offer, if not all.
    async fn connect(
        &self,
        options: &ConnectionOptions,
        protocols: Option<Vec<Vec<u8>>>,
    ) -> Result<Stream, BoxError> {
        let wire = self.route.clone().oneshot(self.server.clone()).await?;
        let mut stream = match (&self.tls, protocols) {
            (Some((tls, name)), None) => self.handshake(tls.connect(name.clone(), wire)).await?,
            (Some((tls, name)), Some(protocols)) => {
                self.handshake(tls.with_alpn(protocols).connect(name.clone(), wire)).await?
            }
            (None, _) => Stream::plain(wire),
        };
        stream.pace(options.pace.clone());
        stream.count(options.stats.opened(Open::Connection), options.stats.received());
        Ok(stream)
    }

    /// With TLS 1.3 a handshake is one round trip to the server itself, whatever lies between.
    async fn handshake(&self, handshake: Connect<Wire>) -> Result<Stream, BoxError> {
        let begun = Instant::now();
        let stream = handshake.await?;
        self.round_trip.answered(begun);
        Ok(Stream::tls(stream))
    }
}

fn route(proxy: Option<&Uri>) -> Result<Route, Error> {
    let Some(proxy) = proxy else { return Ok(to_wire(tcp(), direct)) };
    Ok(match proxy.scheme_str() {
        Some("https") => {
            let tls = trusting(&proxy::displayed(proxy), &Trust::default())?;
            let to_proxy = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
            to_wire(tunnel(proxy, to_proxy.wrap_connector(tcp())), |stream| {
                let stream: Box<dyn Proxied> = Box::new(TokioIo::new(stream));
                Wire::Right(BufReader::new(stream))
            })
        }
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(proxy.clone(), tcp());
            if let Some((user, password)) = proxy::userinfo(proxy) {
                socks = socks.with_auth(user, password);
            }
            to_wire(socks, direct)
        }
        _ => to_wire(tunnel(proxy, tcp()), direct),
    })
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

/// TLS that trusts the authorities of `trust`.
fn trusting(server: &str, trust: &Trust) -> Result<ClientConfig, Error> {
    // If another crate of the binary brought a second provider, rustls would panic instead of choosing one. An error
    // means that one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut config = kube::Config::new(Uri::from_static("https://unused"));
    config.accept_invalid_certs = trust.insecure;
    config.root_cert = trust
        .authorities
        .as_ref()
        .map(|authorities| authorities.iter().map(|authority| authority.to_vec()).collect());
    config.root_cert_file = trust.file.clone();
    config
        .rustls_client_config()
        .map_err(|error| Error::invalid(format!("cannot set up TLS for {server}: {}", root_cause(&error))))
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

fn tunnel<C>(proxy: &Uri, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.clone(), connector);
    match proxy::authorization(proxy) {
        Some(authorization) => tunnel.with_auth(authorization),
        None => tunnel,
    }
}
