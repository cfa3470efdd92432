//! Sends requests: each waits for the limiter, carries the credentials, and is told to those who trace.
//!
//! The stack is our own, over hyper-util's client: kube's has no TCP keepalive (a dead peer is never noticed), keeps
//! half a megabyte for each stream, and retries 15 times without a word.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use jiff::{Timestamp, fmt::rfc2822};
use kube::{client::Body, core::Status};
use rustls::sign::CertifiedKey;
use tokio::time::timeout;
use tower::{BoxError, ServiceExt};

use super::{
    auth::{Auth, Credential},
    connector::{Connector, HttpClient},
    error::{Asked, Error, Kind},
    limit::{Limiter, Priority},
    settings::{Settings, common_headers},
    trace::Trace,
};
use crate::plan::{Connect, Limits};

pub(super) type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

pub(super) struct Transport {
    server: Uri,
    /// The server as words for errors: no `/` at its end.
    pub server_shown: String,
    user: String,
    auth: Auth,
    /// User agent and impersonation.
    headers: HeaderMap,
    limiter: Limiter,
    trace: Option<Trace>,
    request_timeout: Option<Duration>,
    connector: Connector,
    /// The pool of connections, and the client certificate of an exec plugin with which they were made.
    pool: Mutex<(Option<Arc<CertifiedKey>>, HttpClient)>,
}

/// How much of an answer `--request-timeout` bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it: it is read before it is handed on.
    Whole,
    /// Only the wait for its headers: it may run for days.
    Stream,
}

impl Transport {
    pub fn new(
        settings: Settings,
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
    ) -> Result<Transport, Error> {
        let server_shown = settings.server.to_string().trim_end_matches('/').to_owned();
        let connector = Connector::new(&server_shown, settings.trust, settings.identity, settings.proxy)?;
        let mut headers = common_headers();
        headers.extend(settings.impersonation);
        Ok(Transport {
            server: settings.server,
            server_shown,
            user: settings.user,
            auth: Auth::new(settings.credentials),
            headers,
            limiter: Limiter::new(limits.qps, limits.burst),
            trace,
            request_timeout: connect.request_timeout,
            pool: Mutex::new((None, connector.client(None)?)),
            connector,
        })
    }

    /// Answers kube's client, whose requests say by an extension how urgent they are.
    pub async fn serve(&self, request: Request<Body>) -> Result<Response<ResponseBody>, Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|error| Error::new(Kind::Malformed, error.to_string()))?;
        let priority = parts.extensions.get().copied().unwrap_or_default();
        let watches =
            parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let answer = if watches { Answer::Stream } else { Answer::Whole };
        self.send(Request::from_parts(parts, body.to_bytes()), priority, answer).await
    }

    /// Sends a request whose URI is a path and query below the server's. A 401 is an error, once more is tried with
    /// fresh credentials; every other status is the caller's to judge.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        priority: Priority,
        answer: Answer,
    ) -> Result<Response<ResponseBody>, Error> {
        let credential = self.auth.credential().await?;
        let response = self.attempt(&request, &credential, priority, answer).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        if let Some(renewed) = self.auth.after_refusal(&credential).await? {
            let response = self.attempt(&request, &renewed, priority, answer).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
        }
        let (server, user, mend) = (&self.server_shown, &self.user, self.auth.mend());
        Err(Error::new(
            Kind::Status(StatusCode::UNAUTHORIZED),
            format!("{server} does not accept the credentials of {user} (401): {mend}"),
        ))
    }

    /// The error that a response with another status than 200 stands for.
    pub async fn refusal(&self, response: Response<ResponseBody>, asked: &Asked) -> Error {
        const LONGEST: usize = 64 * 1024;
        const PATIENCE: Duration = Duration::from_secs(10);
        let code = response.status();
        let retry_after = retry_after(&response);
        let body = timeout(PATIENCE, Limited::new(response.into_body(), LONGEST).collect()).await;
        // Whatever went wrong with the body, the status is known.
        let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        let mut status: Status = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Status::failure(&String::from_utf8_lossy(&body), ""));
        status.code = code.as_u16();
        Error::from_status(&status, asked).with_retry_after(retry_after)
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        priority: Priority,
        answer: Answer,
    ) -> Result<Response<ResponseBody>, Error> {
        let client = self.client(credential)?;
        let request = self.complete(request, credential)?;
        self.limiter.acquire(priority).await;
        let traced = self.trace.as_ref().map(|trace| trace.request(&request));
        let exchange = self.in_time(exchange(client, request, answer));
        let result = exchange.await.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::from_http(&self.server_shown, &*error),
        });
        match (&result, traced) {
            (Ok(response), Some(traced)) => traced.answered(response.status(), response.headers()),
            (Err(error), Some(traced)) => traced.failed(error),
            (_, None) => {}
        }
        if let Some(pause) = result.as_ref().ok().and_then(retry_after) {
            self.limiter.pause_for(pause);
        }
        result
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
        let Some(limit) = self.request_timeout else { return work.await };
        timeout(limit, work).await.unwrap_or_else(|_| {
            let message =
                format!("no answer from {} within {limit:?}: raise --request-timeout", self.server_shown);
            Err(Error::new(Kind::TimedOut, message).into())
        })
    }

    /// The request as it goes out: to the server's address, below its path, with credentials.
    fn complete(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let malformed = |error: http::Error| Error::new(Kind::Malformed, error.to_string());
        let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let mut parts = self.server.clone().into_parts();
        // kube ends a URL without parameters in a question mark.
        let path = format!("{}{}", self.server.path().trim_end_matches('/'), asked.trim_end_matches('?'));
        parts.path_and_query = Some(path.parse().map_err(|error| malformed(http::Error::from(error)))?);

        let mut completed = Request::new(Full::new(request.body().clone()));
        *completed.method_mut() = request.method().clone();
        *completed.uri_mut() = Uri::from_parts(parts).map_err(|error| malformed(error.into()))?;
        *completed.headers_mut() = request.headers().clone();
        completed.headers_mut().extend(self.headers.clone());
        if let Some(authorization) = &credential.authorization {
            completed.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(completed)
    }

    /// The pool of connections. Those made with a client certificate that was replaced are not used again; what
    /// streams over them goes on.
    fn client(&self, credential: &Credential) -> Result<HttpClient, Error> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = match (&pool.0, &credential.identity) {
            (Some(current), Some(wanted)) => Arc::ptr_eq(current, wanted),
            (None, None) => true,
            _ => false,
        };
        if !is_current {
            *pool = (credential.identity.clone(), self.connector.client(credential.identity.clone())?);
        }
        Ok(pool.1.clone())
    }
}

async fn exchange(
    client: HttpClient,
    request: Request<Full<Bytes>>,
    answer: Answer,
) -> Result<Response<ResponseBody>, BoxError> {
    let (parts, body) = client.oneshot(request).await?.into_parts();
    let body = match answer {
        Answer::Stream => body.map_err(BoxError::from).boxed_unsync(),
        Answer::Whole => {
            Full::new(body.collect().await?.to_bytes()).map_err(|never| match never {}).boxed_unsync()
        }
    };
    Ok(Response::from_parts(parts, body))
}

/// How long the apiserver, or what stands before it, wants to be left alone.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&response.status()) {
        return None;
    }
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let until = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
            Duration::try_from(until.duration_since(Timestamp::now())).ok()
        }
    }
}
