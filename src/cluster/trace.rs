//! Reports requests and answers for `--verbosity`, without secrets.

use std::{fmt::Display, sync::Arc};

use http::{HeaderMap, HeaderName, StatusCode, header};
use tokio::time::Instant;

/// Reports each request from level 6, its headers from 7, the answer's headers from 8, as kubectl does.
#[derive(Clone)]
pub struct Trace {
    verbosity: u8,
    report: Arc<dyn Fn(String) + Send + Sync>,
}

/// A reported request whose answer is pending.
pub(super) struct Traced<'a> {
    trace: &'a Trace,
    what: String,
    started: Instant,
}

impl Trace {
    /// None below 6: nothing is reported.
    pub fn new(verbosity: u8, report: Arc<dyn Fn(String) + Send + Sync>) -> Option<Trace> {
        (verbosity >= 6).then_some(Trace { verbosity, report })
    }

    pub(super) fn report(&self, text: String) {
        (self.report)(text);
    }

    pub(super) fn request<B>(&self, request: &http::Request<B>) -> Traced<'_> {
        let what = format!("{} {}", request.method(), request.uri());
        if self.verbosity >= 7 {
            self.report(what.clone());
            self.headers(">", request.headers());
        }
        Traced { trace: self, what, started: Instant::now() }
    }

    fn headers(&self, direction: &str, headers: &HeaderMap) {
        for (name, value) in headers {
            let value = match is_secret(name) || value.is_sensitive() {
                true => "<masked>".into(),
                false => String::from_utf8_lossy(value.as_bytes()),
            };
            self.report(format!("  {direction} {name}: {value}"));
        }
    }
}

impl Traced<'_> {
    pub(super) fn answered(self, status: StatusCode, headers: &HeaderMap) {
        self.end(format_args!("{status}"));
        if self.trace.verbosity >= 8 {
            self.trace.headers("<", headers);
        }
    }

    pub(super) fn failed(self, error: &dyn Display) {
        self.end(format_args!("failed: {error}"));
    }

    fn end(&self, how: impl Display) {
        self.trace.report(format!("{} {how} in {} ms", self.what, self.started.elapsed().as_millis()));
    }
}

fn is_secret(name: &HeaderName) -> bool {
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE].contains(name)
}
