//! The proxy that passes on requests to a server without TLS.

use http::{HeaderValue, StatusCode, Uri};

use crate::cluster::{
    access::proxy,
    error::{AtProxy, Refusal, RefusedByProxy},
};

/// A proxy that passes on the requests to a server without TLS. As in Go, it is not asked for a connection, which many
/// allow only to the ports of TLS.
#[derive(Debug, Clone)]
pub struct Forwarder {
    /// As errors name it.
    name: String,
    pub authorization: Option<HeaderValue>,
}

impl Forwarder {
    pub fn between(proxy: Option<&Uri>, server: &Uri) -> Option<Forwarder> {
        let proxy = proxy.filter(|proxy| forwards(proxy, server))?;
        Some(Forwarder { name: proxy::displayed(proxy), authorization: proxy::authorization(proxy) })
    }

    /// The proxy's own refusal. All other answers may be those of the server.
    pub fn refusal(&self, server: &Uri, status: StatusCode) -> Option<AtProxy> {
        let refusal = RefusedByProxy::new(server, status.to_string(), Refusal::Credentials);
        let is_own = status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        is_own.then(|| AtProxy { proxy: self.name.clone(), source: refusal.into() })
    }
}

/// Whether a proxy gets the requests themselves.
pub fn forwards(proxy: &Uri, server: &Uri) -> bool {
    server.scheme_str() == Some("http") && matches!(proxy.scheme_str(), Some("http" | "https"))
}
