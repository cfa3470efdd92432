//! Tells the user who asks with `--verbosity` what passes between us and the apiserver, secrets left out.

use std::{fmt::Display, sync::Arc};

use http::{HeaderMap, HeaderName, StatusCode, header};
use tokio::time::Instant;

/// From `verbosity` 6 on each request, from 7 its headers, from 8 the answer's headers too, as kubectl does.
#[derive(Clone)]
pub struct Trace {
    verbosity: u8,
    tell: Arc<dyn Fn(String) + Send + Sync>,
}

/// A request that was reported, and whose answer is still to be reported.
pub(super) struct Traced<'a> {
    trace: &'a Trace,
    what: String,
    started: Instant,
}

impl Trace {
    /// None below 6: nothing is ever reported.
    pub fn new(verbosity: u8, tell: Arc<dyn Fn(String) + Send + Sync>) -> Option<Trace> {
        (verbosity >= 6).then_some(Trace { verbosity, tell })
    }

    pub(super) fn say(&self, text: String) {
        (self.tell)(text);
    }

    pub(super) fn request<B>(&self, request: &http::Request<B>) -> Traced<'_> {
        let what = format!("{} {}", request.method(), request.uri());
        if self.verbosity >= 7 {
            self.say(what.clone());
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
            self.say(format!("  {direction} {name}: {value}"));
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
        self.trace.say(format!("{} {how} in {} ms", self.what, self.started.elapsed().as_millis()));
    }
}

fn is_secret(name: &HeaderName) -> bool {
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE].contains(name)
}
