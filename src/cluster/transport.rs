//! Sends requests: each waits for the limiter, carries the credentials, and is reported to the trace.
//!
//! The implementation is our own: kube's has no TCP keepalive (a dead peer is never noticed), keeps half a megabyte
//! for each stream, and retries 15 times silently; hyper wakes two tasks for each chunk.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use jiff::{Timestamp, fmt::rfc2822};
use kube::core::Status;
use rustls::sign::CertifiedKey;
use tokio::time::{Instant, sleep};

use super::{
    access::{auth::Auth, credential::Credential, settings::Settings},
    clock::Heard,
    error::{self, Asked, Error, ErrorKind},
    exchange::{AnswerMode, Deadline, exchange, in_time},
    http::{
        bandwidth::Bandwidth,
        body::Body as ResponseBody,
        connector::{ConnectionOptions, Connector},
        pool::Pool,
        pulse::Pulse,
        socket::Pace,
        window::Windows,
    },
    limit::Limiter,
    logs,
    outage::Outage,
    trace::Trace,
    turn::Turn,
    waits::Waits,
};
use crate::{
    machine::Machine,
    plan::{Connect, Limits},
    purpose::Purpose,
    stats::{Limit, Stats},
};

pub(super) struct Transport {
    server: Uri,
    /// The server for error messages: without a final `/`.
    pub server_shown: String,
    user: String,
    /// Whether the user has a client certificate.
    certified: bool,
    auth: Auth,
    /// User agent and impersonation.
    headers: HeaderMap,
    pub limiter: Limiter,
    trace: Option<Trace>,
    request_timeout: Option<Duration>,
    /// Whether lists may be compressed.
    compression: bool,
    connector: Connector,
    log_options: ConnectionOptions,
    pub stats: Stats,
    pools: Mutex<Pools>,
    pub outage: Outage,
    pub waits: Waits,
    /// The apiserver's.
    pub clock: Heard,
    pulse: Arc<Pulse>,
    /// What the user should know of the settings.
    pub remarks: Vec<String>,
    pub machine: Machine,
}

/// The connections, and the exec plugin's client certificate with which they were made.
struct Pools {
    identity: Option<Arc<CertifiedKey>>,
    logs: Arc<Pool>,
    /// For lists and watches, which must not wait for an unread log.
    others: Arc<Pool>,
}

/// Most attempts of a request that the apiserver postpones; as in kubectl.
const MOST_ATTEMPTS: usize = 10;

/// A pause requested by the apiserver is reported from this length, and cut to that one: client-go's servers ask for a
/// second, and load balancers for a minute or two.
const LONG_PAUSE: Duration = Duration::from_secs(3);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// An answer that takes this long is unusual. Its wait is reported two seconds later.
const UNUSUAL: Duration = Duration::from_secs(3);

impl Transport {
    pub fn new(
        settings: Settings,
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Transport, Error> {
        let server_shown = settings.server.to_string().trim_end_matches('/').to_owned();
        let Settings { server, tls, identity, proxy, .. } = settings;
        let certified = identity.is_some();
        let connector = Connector::new(&server, &server_shown, tls, identity, proxy, connect)?;
        let (pulse, waits) = (Arc::<Pulse>::default(), Waits::default());
        let log_options = log_options(limits, &stats, &pulse);
        let mut headers = common_headers();
        headers.extend(settings.impersonation);
        Ok(Transport {
            server,
            server_shown,
            user: settings.user,
            certified,
            auth: Auth::new(settings.credentials, waits.clone()),
            headers,
            remarks: settings.remarks,
            machine: connect.machine.clone(),
            limiter: Limiter::new(limits.qps, limits.burst),
            trace,
            request_timeout: connect.request_timeout,
            compression: settings.compression,
            pools: Mutex::new(Pools::new(&connector, &log_options, None)?),
            outage: Outage::new(pulse.clone()),
            waits,
            clock: Heard::default(),
            pulse,
            connector,
            log_options,
            stats,
        })
    }

    /// Sends a request whose URI is a path and query relative to the server's. A 401 is an error after one more attempt
    /// with fresh credentials; the caller handles all other statuses, and a 401 of a kubelet, which concerns the
    /// credentials of the apiserver.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
        answer: AnswerMode,
        deadline: Option<Deadline>,
    ) -> Result<Response<ResponseBody>, Error> {
        let credential = self.auth.credential().await?;
        let sent = Instant::now();
        let deadline = deadline.or_else(|| self.deadline());
        let response = self.attempts(&request, &credential, purpose, answer, deadline).await?;
        let Some(mut refused) = unauthorized(&response) else {
            self.auth.accepted(false);
            return Ok(response);
        };
        if let Some(renewed) = self.auth.after_refusal(&credential, sent).await? {
            let response = self.attempts(&request, &renewed, purpose, answer, deadline).await?;
            let Some(again) = unauthorized(&response) else {
                self.auth.accepted(true);
                return Ok(response);
            };
            refused = again;
        }
        let what = match self.certified || self.auth.sends_any() {
            true => format!("the credentials of {}", self.user),
            false => "requests without credentials".to_owned(),
        };
        let advice = self.auth.advice(self.certified);
        Err(Error::unauthorized(&self.server_shown, &what, &refused, &advice))
    }

    /// The error for a response with a status other than 200.
    pub fn refusal(&self, response: &Response<ResponseBody>, asked: &Asked) -> Error {
        Error::from_status(&status(response), asked)
    }

    /// Makes sure that there are credentials.
    pub async fn credentials(&self) -> Result<(), Error> {
        self.auth.credential().await.map(|_| ())
    }

    /// The end of the time for a request, or a list, that begins now.
    pub fn deadline(&self) -> Option<Deadline> {
        self.request_timeout.map(Deadline::after)
    }

    /// The time to the server and back, from the shortest exchange so far.
    pub fn round_trip(&self) -> Option<Duration> {
        self.connector.round_trip.shortest()
    }

    /// Retries when the apiserver asks for it, as kubectl does; the limiter holds all requests until then.
    async fn attempts(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        purpose: Purpose,
        answer: AnswerMode,
        mut deadline: Option<Deadline>,
    ) -> Result<Response<ResponseBody>, Error> {
        let server = &self.server_shown;
        let mut put_off = false;
        for _ in 1..MOST_ATTEMPTS {
            let response =
                in_time(deadline, server, self.attempt(request, credential, purpose, answer, deadline))
                    .await?;
            if retry_after(&response, self.machine.now()).is_none() {
                return Ok(if put_off { Turn::PutOff.mark(response) } else { response });
            }
            put_off = true;
            deadline = deadline.map(Deadline::answered);
        }
        in_time(deadline, server, self.attempt(request, credential, purpose, answer, deadline))
            .await
            .map(|response| Turn::PutOff.mark(response))
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        purpose: Purpose,
        answer: AnswerMode,
        deadline: Option<Deadline>,
    ) -> Result<Response<ResponseBody>, Error> {
        let pool = self.pool(credential, answer)?;
        let request = self.complete(request, credential, answer)?;
        let began = Instant::now();
        self.limiter.acquire(purpose).await;
        let waited = began.elapsed();
        self.stats.waited(Limit::Requests, waited);
        self.stats.requested(purpose);
        let (sent, sent_at) = (Instant::now(), self.machine.now());
        if purpose == Purpose::Probe {
            self.outage.probes(Some(sent));
        }
        let _asking = self.outage.asks(sent);
        let traced = self.trace.as_ref().map(|trace| trace.request(&request));
        let server = &self.server_shown;
        let again = || {
            let turn = async move {
                self.limiter.acquire(purpose).await;
                self.stats.requested(purpose);
            };
            turn.boxed()
        };
        let exchange = async {
            let answer = exchange(&pool, &request, answer, deadline.is_some(), server, &again).await;
            answer.map_err(|error| match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => Error::from_http(server, &*error),
            })
        };
        // Boxed, since it is the largest part of the futures of all its callers.
        let exchange = in_time(deadline, server, Box::pin(exchange));
        let result = tokio::select! {
            biased;
            result = exchange => result,
            never = self.report_wait(answer) => match never {},
        };
        let turn = if waited >= LONG_PAUSE { Turn::Late } else { Turn::Soon };
        let result =
            result.map(|response| turn.mark(response)).map_err(|error| self.placed(error, answer, sent));
        match (&result, traced) {
            (Ok(response), Some(traced)) => traced.answered(response.status(), response.headers()),
            (Err(error), Some(traced)) => traced.failed(error),
            (_, None) => {}
        }
        if let Ok(response) = &result
            && !response.status().is_server_error()
            && let Some(date) = logs::date(response.headers())
        {
            self.clock.note(date, sent_at, self.machine.now());
        }
        let pause = result.as_ref().ok().and_then(|response| retry_after(response, self.machine.now()));
        if let Some(pause) = pause {
            self.limiter.pause_for(pause.min(LONGEST_PAUSE));
        }
        let put_off = pause.filter(|pause| *pause >= LONG_PAUSE).map(|pause| {
            let text = format!("{server} asked clients to wait {} s (Retry-After)", pause.as_secs());
            let most = LONGEST_PAUSE.as_secs();
            let capped =
                if pause > LONGEST_PAUSE { format!(", of which {most} s are waited") } else { String::new() };
            Error::new(ErrorKind::TimedOut, text + &capped)
        });
        match &result {
            Ok(_) => match &put_off {
                Some(error) => self.outage.put_off(sent, error),
                None => self.outage.note(sent, None),
            },
            Err(error) if error.is_alone() => {}
            Err(error) => self.outage.note(sent, Some(error).filter(|error| error.is_outage())),
        }
        result
    }

    /// Shows that an answer is awaited: soon until the first one, later if it is unusual.
    async fn report_wait(&self, answer: AnswerMode) -> Infallible {
        let (server, mut of_what) = (&self.server_shown, String::new());
        if self.outage.was_answered() {
            // An outage is found out by probes, and reported.
            let Some(what) = answer.what() else { return pending().await };
            sleep(UNUSUAL).await;
            of_what = format!(" a request for {what}");
        }
        let through = self.connector.proxy.as_ref().map(|proxy| format!(" through the proxy {proxy}"));
        let what = format!("{server} to answer{of_what}{}", through.unwrap_or_default());
        let _waiting = (!self.outage.is_known()).then(|| self.waits.begin(what));
        pending().await
    }

    /// Adjusts the error to the known state of the server.
    fn placed(&self, error: Error, answer: AnswerMode, sent: Instant) -> Error {
        let error = if self.outage.was_answered() { error.of_known_server() } else { error };
        // Logs come from nodes: a node may hang while the apiserver works, and its outage is detected separately.
        let elsewhere = matches!(answer, AnswerMode::Log { .. }) && !self.outage.is_known();
        let alone = error.kind() == ErrorKind::TimedOut && (elsewhere || self.pulse.last() > sent);
        if alone { error.alone() } else { error }
    }

    /// Completes the request: the server's address and path, and the credentials.
    fn complete(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        answer: AnswerMode,
    ) -> Result<Request<Bytes>, Error> {
        let malformed = |error: http::Error| Error::new(ErrorKind::Malformed, error.to_string());
        let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let mut parts = self.server.clone().into_parts();
        // kube ends a URL without parameters with a question mark.
        let path = format!("{}{}", self.server.path().trim_end_matches('/'), asked.trim_end_matches('?'));
        parts.path_and_query = Some(path.parse().map_err(|error| malformed(http::Error::from(error)))?);

        let mut completed = Request::new(request.body().clone());
        *completed.method_mut() = request.method().clone();
        *completed.uri_mut() = Uri::from_parts(parts).map_err(|error| malformed(error.into()))?;
        *completed.headers_mut() = request.headers().clone();
        completed.headers_mut().insert(header::ACCEPT_ENCODING, answer.encoding(self.compression));
        completed.headers_mut().extend(self.headers.clone());
        if let Some(authorization) = &credential.authorization {
            completed.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(completed)
    }

    /// The pool of connections. Connections with a replaced client certificate are not used for new requests; their
    /// streams continue.
    fn pool(&self, credential: &Credential, answer: AnswerMode) -> Result<Arc<Pool>, Error> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = match (&pools.identity, &credential.identity) {
            (Some(current), Some(wanted)) => Arc::ptr_eq(current, wanted),
            (None, None) => true,
            _ => false,
        };
        if !is_current {
            *pools = Pools::new(&self.connector, &self.log_options, credential.identity.clone())?;
        }
        Ok(match answer {
            AnswerMode::Log { .. } => pools.logs.clone(),
            AnswerMode::Whole | AnswerMode::Stream | AnswerMode::Probe => pools.others.clone(),
        })
    }
}

impl Pools {
    fn new(
        connector: &Connector,
        log_options: &ConnectionOptions,
        identity: Option<Arc<CertifiedKey>>,
    ) -> Result<Pools, Error> {
        let dialer = connector.dialer(identity.clone())?;
        let stats = log_options.stats.clone();
        let pace = Pace { pulse: log_options.pace.pulse.clone(), ..Pace::default() };
        let options = ConnectionOptions { pace, windows: Arc::new(Windows::new()), stats };
        let logs = Arc::new(Pool::new(dialer.clone(), log_options.clone()));
        Ok(Pools { identity, logs, others: Arc::new(Pool::new(dialer, options)) })
    }
}

/// The refusal that a response means.
fn status(response: &Response<ResponseBody>) -> Status {
    let body = match response.body() {
        ResponseBody::Whole(body) => &body[..],
        // It is read whole always.
        _ => &[],
    };
    error::refusal(response.status(), body)
}

/// The refusal, if the credentials of this program are not accepted.
fn unauthorized(response: &Response<ResponseBody>) -> Option<Status> {
    let status = (response.status() == StatusCode::UNAUTHORIZED).then(|| status(response));
    status.filter(|status| !error::is_of_kubelet(status))
}

/// The headers of every request that identify the program.
fn common_headers() -> HeaderMap {
    let agent = HeaderValue::from_static(concat!("stern-rs/", env!("CARGO_PKG_VERSION")));
    HeaderMap::from_iter([(header::USER_AGENT, agent)])
}

fn log_options(limits: &Limits, stats: &Stats, pulse: &Arc<Pulse>) -> ConnectionOptions {
    let bandwidth = limits.max_bandwidth.map(|rate| Arc::new(Bandwidth::new(rate, stats.clone())));
    let pace = Pace {
        latency: limits.latency,
        ticks: Some(Instant::now()),
        bandwidth,
        pulse: pulse.clone(),
        crowd: Arc::default(),
    };
    ConnectionOptions { pace, windows: Arc::new(Windows::new()), stats: stats.clone() }
}

/// The pause that the apiserver or a load balancer asks for `now`.
pub(super) fn retry_after<B>(response: &Response<B>, now: Timestamp) -> Option<Duration> {
    if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&response.status()) {
        return None;
    }
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    // The clock of this machine may be another one.
    let now = logs::date(response.headers()).unwrap_or(now);
    Duration::try_from(until.duration_since(now)).ok()
}

mod probe;
#[cfg(test)]
mod tests;
