//! Errors of a proxy: it is named, with its own words.

use std::{error::Error as StdError, fmt, io};

use http::Uri;
use tower::BoxError;

use super::{Error, ErrorKind, Unresolved, causes, from_tls, page, root_cause};
use crate::shown::quoted;

/// The way to the proxy, or its answer, is at fault.
#[derive(Debug, thiserror::Error)]
#[error("{proxy}")]
pub struct AtProxy {
    /// As errors name it.
    pub proxy: String,
    pub source: BoxError,
}

/// The answer of a proxy that does not connect.
#[derive(Debug)]
pub struct RefusedByProxy {
    /// Host and port that it was asked for.
    pub host: String,
    /// Such as `403 Forbidden`.
    pub answer: String,
    pub words: String,
    pub why: Refusal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Credentials,
    /// The same may work later.
    ForNow,
    ForGood,
}

impl AtProxy {
    pub(super) fn error(&self) -> Error {
        let (proxy, source): (_, &(dyn StdError + 'static)) = (&self.proxy, &*self.source);
        if let Some(tls) = causes(source).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            let peer = format!("the proxy {proxy}");
            let error = from_tls(&peer, &peer, tls);
            // As in Go, all flags for the server's certificate hold for the proxy's, but it has another address.
            let message = error.message.replace(" correct --server", " correct proxy-url or $HTTPS_PROXY");
            return Error { message, ..error };
        }
        let failed = |text: String| Error::new(ErrorKind::Unreachable, text);
        if let Some(refused) = causes(source).find_map(|cause| cause.downcast_ref::<RefusedByProxy>()) {
            let error = failed(format!("the proxy {proxy} {refused}"));
            return if refused.why == Refusal::ForNow { error } else { error.wrong_for_good() };
        }
        let error = failed(format!("cannot reach the proxy {proxy}: {}", root_cause(source)));
        let refused = |cause: &(dyn StdError + 'static)| {
            let error = cause.downcast_ref::<io::Error>();
            error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        let guess = match causes(source).any(refused) {
            true => "is it running there?",
            false => "check proxy-url in the kubeconfig, and $HTTPS_PROXY",
        };
        let error = Error { guess: Some(guess), ..error };
        if causes(source).any(|cause| cause.is::<Unresolved>()) { error.wrong_for_good() } else { error }
    }
}

impl RefusedByProxy {
    /// Of an answer without words.
    pub fn new(server: &Uri, answer: String, why: Refusal) -> RefusedByProxy {
        let host = server.authority().map_or("", |authority| authority.as_str()).to_owned();
        RefusedByProxy { host, answer, words: String::new(), why }
    }
}

impl fmt::Display for RefusedByProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RefusedByProxy { host, answer, words, why } = self;
        write!(f, "does not connect to {host}: {answer}")?;
        let words = page::text(words).unwrap_or_else(|| words.clone());
        if !words.trim().is_empty() {
            write!(f, ": {}", quoted(&words))?;
        }
        if *why == Refusal::Credentials {
            f.write_str("; its URL needs a valid user and password (user:password@ before the host)")?;
        }
        Ok(())
    }
}

impl StdError for RefusedByProxy {}
