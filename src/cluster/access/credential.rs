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

pub fn bearer(token: &str) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {token}"))
}

pub fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    sensitive(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

fn sensitive(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::credentials("the token or password has characters that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
