//! Makes connections that can send requests: a route to the server, TLS, and the choice of the protocol.

use std::{io, sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use rustls::{
    AlertDescription, ClientConfig,
    pki_types::ServerName,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tower::{BoxError, ServiceExt};

use super::{
    forwarder::Forwarder,
    http2::Connection,
    offer::{Offer, offer},
    round_trip::RoundTrip,
    route::{Route, route, silent},
    socket::Pace,
    stream::{Stream, Wire},
    window::Windows,
};
use crate::{
    cluster::{
        access::proxy,
        error::{Error, NoCommonTls, NotConnected, root_cause},
        tls::{self, Tls, Trust},
    },
    machine::Machine,
    plan::Connect,
    stats::{Open, Stats},
};

/// From the first packet to the end of the handshakes, as long as kubectl.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Connector {
    server: Uri,
    /// The server, as errors name it.
    shown: String,
    /// None: nothing on the way to the server needs it.
    tls: Option<ClientConfig>,
    /// The name to expect in a certificate, if not that in the URL.
    name: Option<ServerName<'static>>,
    pub route: Route,
    forwarder: Option<Forwarder>,
    /// As errors name it.
    pub proxy: Option<String>,
    pub round_trip: RoundTrip,
    machine: Machine,
    http1: bool,
}

impl Connector {
    pub fn new(
        server: &Uri,
        shown: &str,
        tls: Tls,
        identity: Option<Arc<CertifiedKey>>,
        proxy: Option<Uri>,
        connect: &Connect,
    ) -> Result<Connector, Error> {
        let Tls { trust, name } = tls;
        let is_secure = |uri: &Uri| uri.scheme_str() == Some("https");
        // A machine without any authorities must reach servers that need none.
        let tls = match is_secure(server) || proxy.as_ref().is_some_and(is_secure) {
            true => Some(client_config(trust, identity, shown)?),
            false => None,
        };
        // As in Go, the proxy is trusted by the rules for the server, its name included.
        let to_proxy = match (&tls, proxy.as_ref().filter(|proxy| is_secure(proxy))) {
            (Some(tls), Some(proxy)) => {
                let shown = proxy::displayed(proxy);
                Some((TlsConnector::from(Arc::new(tls.clone())), expected(name.as_ref(), proxy, &shown)?))
            }
            _ => None,
        };
        let tls = tls.filter(|_| is_secure(server)).map(|mut tls| {
            tls.alpn_protocols =
                if connect.http1 { vec![] } else { vec![b"h2".to_vec(), b"http/1.1".to_vec()] };
            tls
        });
        Ok(Connector {
            server: address(server),
            shown: shown.to_owned(),
            tls,
            name,
            route: route(proxy.as_ref(), to_proxy),
            forwarder: Forwarder::between(proxy.as_ref(), server),
            proxy: proxy.as_ref().map(proxy::displayed),
            round_trip: RoundTrip::new(),
            machine: connect.machine.clone(),
            http1: connect.http1,
        })
    }

    /// A connector; `identity` takes precedence over the client certificate of the kubeconfig.
    pub fn dialer(&self, identity: Option<Arc<CertifiedKey>>) -> Result<Dialer, Error> {
        let tls = self.tls.clone().map(|mut tls| {
            if let Some(identity) = identity {
                tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
            }
            let name = expected(self.name.as_ref(), &self.server, &self.shown)?;
            Ok::<_, Error>((TlsConnector::from(Arc::new(tls)), name))
        });
        Ok(Dialer {
            server: self.server.clone(),
            shown: self.shown.clone(),
            tls: tls.transpose()?,
            route: self.route.clone(),
            forwarder: self.forwarder.clone(),
            proxy: self.proxy.clone(),
            round_trip: self.round_trip.clone(),
            machine: self.machine.clone(),
            http1: self.http1,
        })
    }
}

fn client_config(
    trust: Trust,
    identity: Option<Arc<CertifiedKey>>,
    server: &str,
) -> Result<ClientConfig, Error> {
    let mut config = tls::client_config(trust)
        .map_err(|error| Error::invalid(format!("cannot set up TLS for {server}: {}", root_cause(&error))))?;
    if let Some(identity) = identity {
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
    }
    Ok(config)
}

/// The name to expect in the certificate of this peer.
fn expected(
    given: Option<&ServerName<'static>>,
    peer: &Uri,
    shown: &str,
) -> Result<ServerName<'static>, Error> {
    if let Some(name) = given {
        return Ok(name.clone());
    }
    let host = peer.host().unwrap_or_default().trim_matches(['[', ']']);
    if host.contains('%') {
        return Err(Error::invalid(format!(
            "{shown}: an address with a zone (%) is not supported; give a name, or an address that needs no zone"
        )));
    }
    let invalid = |_| Error::invalid(format!("{shown}: {host:?} is not the name of a host"));
    ServerName::try_from(host.to_owned()).map_err(invalid)
}

/// Whether the server does not like the versions or the ciphers.
fn is_refusal(error: &rustls::Error) -> bool {
    use AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    match error {
        rustls::Error::AlertReceived(alert) => {
            matches!(alert, HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        }
        error => matches!(error, rustls::Error::PeerIncompatible(_)),
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
    forwarder: Option<Forwarder>,
    /// As errors name it.
    proxy: Option<String>,
    pub round_trip: RoundTrip,
    machine: Machine,
    /// HTTP/2 is not offered.
    http1: bool,
}

impl Dialer {
    /// The server, as errors name it.
    pub fn server(&self) -> &str {
        &self.shown
    }

    /// Makes a connection that can send requests.
    pub async fn dial(&self, options: &ConnectionOptions) -> Result<Dialed, Error> {
        let until = Instant::now() + CONNECT_TIMEOUT;
        self.in_time(until, async {
            let stream = self.connect(options, None, until).await?;
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
        let until = Instant::now() + CONNECT_TIMEOUT;
        self.in_time(until, self.connect(options, Some(vec![b"http/1.1".to_vec()]), until)).await
    }

    async fn in_time<T>(
        &self,
        until: Instant,
        connecting: impl Future<Output = Result<T, BoxError>>,
    ) -> Result<T, Error> {
        let connected = timeout_at(until, connecting).await;
        let connected =
            connected.unwrap_or_else(|_| Err(format!("no answer within {CONNECT_TIMEOUT:?}").into()));
        connected.map_err(|source| {
            Error::from_http(&self.shown, &NotConnected { proxy: self.proxy.clone(), source })
        })
    }

    /// `protocols`: those to offer, if not all. `until`: the end of the time, at which a silent proxy is blamed.
    async fn connect(
        &self,
        options: &ConnectionOptions,
        protocols: Option<Vec<Vec<u8>>>,
        until: Instant,
    ) -> Result<Stream, BoxError> {
        if let Some(simulated) = self.machine.simulation() {
            let offers = protocols.is_none() && !self.http1;
            return Ok(Self::prepared(Stream::simulated(simulated.connect(offers).await?), options));
        }
        let routed = timeout_at(until, self.route.clone().oneshot(self.server.clone())).await;
        let wire = match (routed, &self.proxy) {
            (Ok(wire), _) => wire?,
            (Err(_), Some(proxy)) => return Err(silent(proxy, &self.server, CONNECT_TIMEOUT)),
            (Err(_), None) => return Err(format!("no answer within {CONNECT_TIMEOUT:?}").into()),
        };
        let stream = match &self.tls {
            Some((tls, name)) => {
                let shaken = match protocols {
                    None => self.handshake(tls.connect(name.clone(), wire)).await,
                    Some(protocols) => {
                        self.handshake(tls.with_alpn(protocols).connect(name.clone(), wire)).await
                    }
                };
                match shaken {
                    Ok(stream) => stream,
                    Err(error) => return Err(self.explained(error, name).await),
                }
            }
            None => Stream::plain(wire, self.forwarder.clone()),
        };
        Ok(Self::prepared(stream, options))
    }

    fn prepared(mut stream: Stream, options: &ConnectionOptions) -> Stream {
        stream.pace(options.pace.clone());
        stream.count(options.stats.opened(Open::Connection), options.stats.received());
        stream
    }

    /// Adds which TLS the server offers, if it refuses ours.
    async fn explained(&self, error: io::Error, name: &ServerName<'_>) -> BoxError {
        let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        let Some(tls) = tls.filter(|error| is_refusal(error)).cloned() else { return error.into() };
        let Ok(wire) = self.route.clone().oneshot(self.server.clone()).await else { return error.into() };
        match offer(wire, name).await {
            Some(Offer { version, cipher }) => NoCommonTls { version, cipher, source: tls }.into(),
            None => error.into(),
        }
    }

    /// With TLS 1.3 a handshake is one round trip to the server itself, whatever lies between.
    async fn handshake(&self, handshake: tokio_rustls::Connect<Wire>) -> io::Result<Stream> {
        let begun = Instant::now();
        let stream = handshake.await?;
        self.round_trip.answered(begun);
        Ok(Stream::tls(stream))
    }
}
