//! The credentials of a request: a header, a client certificate, or both.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use jiff::Timestamp;
use rustls::sign::CertifiedKey;

use crate::cluster::error::Error;

/// The credentials of a request.
#[derive(Debug, Clone, Default)]
pub struct Credential {
    pub authorization: Option<HeaderValue>,
    /// A client certificate from an exec plugin.
    pub identity: Option<Arc<CertifiedKey>>,
    /// When to get a new credential; None: never.
    pub renew_at: Option<Timestamp>,
}

impl Credential {
    pub fn is_same(&self, other: &Credential) -> bool {
        let identity = |credential: &Credential| credential.identity.as_ref().map(|key| key.cert.clone());
        self.authorization == other.authorization && identity(self) == identity(other)
    }
}

/// `origin` names the token in the error.
pub fn bearer(token: &str, origin: &str) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).map_err(|_| {
        Error::credentials(format!("{origin} has characters that cannot be sent, such as line breaks"))
    })?;
    header.set_sensitive(true);
    Ok(header)
}

pub fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}"))
        .map_err(|error| Error::credentials(error.to_string()))?;
    header.set_sensitive(true);
    Ok(header)
}
