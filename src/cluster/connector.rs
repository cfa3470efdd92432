//! Makes connections: TCP that notices a dead peer, a proxy where there is one, TLS with rustls and ring.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    rt::{Read, Write},
};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self,
        connect::{
            Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use kube::client::ConfigExt;
use rustls::{
    ClientConfig,
    pki_types::ServerName,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::time::timeout;
use tower::{BoxError, Service, ServiceExt, service_fn, util::BoxCloneSyncService};

use super::{
    error::{Error, ThroughProxy, root_cause},
    proxy,
    settings::{Trust, proxy_authorization, proxy_user},
};

/// A pool of connections to one server.
pub(super) type HttpClient = BoxCloneSyncService<Request<Full<Bytes>>, Response<Incoming>, legacy::Error>;

/// From the first packet to the end of the TLS handshake, as long as kubectl.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A peer that is gone without a word (a laptop that slept, a NAT that forgot) is noticed after 15 + 3 × 10 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

/// A stream keeps this much for as long as it lives. hyper's own buffer grows to 400 KiB and never shrinks; TLS gives
/// 16 KiB at a time, and a followed log a line.
const READ_BUFFER: usize = 16 * 1024;

pub(super) struct Connector {
    tls: ClientConfig,
    /// Whom to expect, if not whom the URL names.
    name: Option<ServerName<'static>>,
    proxy: Option<Uri>,
}

impl Connector {
    pub fn new(
        server: &str,
        trust: Trust,
        identity: Option<Arc<CertifiedKey>>,
        proxy: Option<Uri>,
    ) -> Result<Connector, Error> {
        let mut tls = trusting(server, &trust)?;
        if let Some(identity) = identity {
            tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
        }
        Ok(Connector { tls, name: trust.name, proxy })
    }

    /// A new pool; `identity` goes before the kubeconfig's own client certificate.
    pub fn client(&self, identity: Option<Arc<CertifiedKey>>) -> Result<HttpClient, Error> {
        let mut tls = self.tls.clone();
        if let Some(identity) = identity {
            tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
        }
        let name = self.name.as_ref();
        let Some(proxy) = &self.proxy else { return Ok(pool(secured(tls, name, tcp()), None)) };
        let shown = proxy::displayed(proxy);
        Ok(match proxy.scheme_str() {
            Some("https") => {
                let to_proxy = secured(trusting(&shown, &Trust::default())?, None, tcp());
                pool(secured(tls, name, tunnel(proxy, to_proxy)), Some(shown))
            }
            Some("socks5" | "socks5h") => {
                let mut socks = SocksV5::new(proxy.clone(), tcp());
                if let Some((user, password)) = proxy_user(proxy) {
                    socks = socks.with_auth(user, password);
                }
                pool(secured(tls, name, socks), Some(shown))
            }
            _ => pool(secured(tls, name, tunnel(proxy, tcp())), Some(shown)),
        })
    }
}

/// The TLS that believes whom `trust` names.
fn trusting(server: &str, trust: &Trust) -> Result<ClientConfig, Error> {
    // Should another crate of the binary bring a second provider along, rustls would not choose, but panic. That one
    // is installed already is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
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

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
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
    match proxy_authorization(proxy) {
        Some(authorization) => tunnel.with_auth(authorization),
        None => tunnel,
    }
}

fn secured<C>(tls: ClientConfig, name: Option<&ServerName<'static>>, connector: C) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    match name {
        Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
        None => builder,
    }
    .enable_http1()
    .wrap_connector(connector)
}

fn pool<C, T>(connector: C, proxy: Option<String>) -> HttpClient
where
    C: Service<Uri, Response = T, Error = BoxError> + Clone + Send + Sync + 'static,
    C::Future: Send,
    T: Read + Write + Connection + Unpin + Send + 'static,
{
    let connector = service_fn(move |uri| {
        let connecting = connector.clone().oneshot(uri);
        let proxy = proxy.clone();
        Box::pin(async move {
            let connected = timeout(CONNECT_TIMEOUT, connecting).await;
            let connected =
                connected.unwrap_or_else(|_| Err(format!("no answer within {CONNECT_TIMEOUT:?}").into()));
            connected.map_err(|source| match proxy {
                Some(proxy) => ThroughProxy { proxy, source }.into(),
                None => source,
            })
        })
    });
    let client = legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http1_read_buf_exact_size(READ_BUFFER)
        .build(connector);
    BoxCloneSyncService::new(client)
}
