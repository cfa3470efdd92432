//! Sends requests: each waits for the limiter, carries the credentials, and is told to those who trace.
//!
//! The stack is our own: kube's has no TCP keepalive (a dead peer is never noticed), keeps half a megabyte for each
//! stream, and retries 15 times without a word; and hyper wakes two tasks for each chunk.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Limited};
use jiff::{Timestamp, fmt::rfc2822};
use kube::{client::Body, core::Status};
use rustls::sign::CertifiedKey;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tower::BoxError;

use super::{
    auth::{Auth, Credential},
    bandwidth::Bandwidth,
    connector::Connector,
    error::{Asked, Error, Kind},
    limit::{Limiter, Priority},
    pool::{Body as ResponseBody, Pool, Reading, Sharing},
    settings::{Settings, common_headers},
    socket::Pace,
    trace::Trace,
};
use crate::{
    plan::{Connect, Limits},
    stats::{self, Limit, Stats},
};

pub(super) struct Transport {
    server: Uri,
    /// The server as words for errors: no `/` at its end.
    pub server_shown: String,
    user: String,
    auth: Auth,
    /// User agent and impersonation.
    headers: HeaderMap,
    pub limiter: Limiter,
    trace: Option<Trace>,
    request_timeout: Option<Duration>,
    connector: Connector,
    log_reading: Reading,
    pub stats: Stats,
    pools: Mutex<Pools>,
    /// Why the apiserver cannot be reached at the moment.
    pub outage: watch::Sender<Option<Error>>,
}

/// The connections, and the client certificate of an exec plugin with which they were made.
struct Pools {
    identity: Option<Arc<CertifiedKey>>,
    logs: Arc<Pool>,
    /// What lists and watches must not wait for a log that nobody reads.
    others: Arc<Pool>,
}

/// Bytes of logs that may be under way on HTTP/2 connections when nobody reads them, shared by all streams; and what one
/// stream gets of it. With 64 KiB, what takes 50 ms to come and go is read at 1.3 MB a second.
const UNREAD: usize = 16 << 20;
const LEAST_WINDOW: usize = 64 << 10;
const MOST_WINDOW: usize = 1 << 20;

/// How often a request is made that the apiserver wants to be made later, as many times as kubectl.
const MOST_ATTEMPTS: usize = 10;

/// A pause that the user is told of, when the apiserver asks for it.
const LONG_PAUSE: Duration = Duration::from_secs(3);

/// How much of an answer `--request-timeout` bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it: it is read before it is handed on.
    Whole,
    /// Only the wait for its headers: it may run for days.
    Stream,
    /// The same, of a log.
    Log,
    /// The same, over a connection of its own.
    BusyLog,
}

impl Transport {
    pub fn new(
        settings: Settings,
        connect: &Connect,
        limits: &Limits,
        trace: Option<Trace>,
        stats: Stats,
    ) -> Result<Transport, Error> {
        let server_shown = settings.server.to_string().trim_end_matches('/').to_owned();
        let Settings { server, trust, identity, proxy, .. } = settings;
        let connector = Connector::new(&server, &server_shown, trust, identity, proxy, connect.http1)?;
        let log_reading = log_reading(limits, &stats);
        let mut headers = common_headers();
        headers.extend(settings.impersonation);
        Ok(Transport {
            server,
            server_shown,
            user: settings.user,
            auth: Auth::new(settings.credentials),
            headers,
            limiter: Limiter::new(limits.qps, limits.burst),
            trace,
            request_timeout: connect.request_timeout,
            pools: Mutex::new(Pools::new(&connector, &log_reading, None)?),
            outage: watch::Sender::default(),
            connector,
            log_reading,
            stats,
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
        let response = self.attempts(&request, &credential, priority, answer).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        if let Some(renewed) = self.auth.after_refusal(&credential).await? {
            let response = self.attempts(&request, &renewed, priority, answer).await?;
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
        // Boxed, or the compiler cannot tell that it is `Send` whatever the error's lifetime.
        let body = Limited::new(response.into_body(), LONGEST).collect().boxed();
        let body = timeout(PATIENCE, body).await;
        // Whatever went wrong with the body, the status is known.
        let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        let mut status: Status = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Status::failure(&String::from_utf8_lossy(&body), ""));
        status.code = code.as_u16();
        Error::from_status(&status, asked).with_retry_after(retry_after)
    }

    /// Asks again when the apiserver says when to, as kubectl does; the limiter has everybody wait until then.
    async fn attempts(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        priority: Priority,
        answer: Answer,
    ) -> Result<Response<ResponseBody>, Error> {
        for _ in 1..MOST_ATTEMPTS {
            let response = self.attempt(request, credential, priority, answer).await?;
            if retry_after(&response).is_none() {
                return Ok(response);
            }
        }
        self.attempt(request, credential, priority, answer).await
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        credential: &Credential,
        priority: Priority,
        answer: Answer,
    ) -> Result<Response<ResponseBody>, Error> {
        let pool = self.pool(credential, answer)?;
        let request = self.complete(request, credential)?;
        let began = Instant::now();
        self.limiter.acquire(priority).await;
        self.stats.waited(Limit::Requests, began.elapsed());
        self.stats.requested(kind(priority, answer));
        let traced = self.trace.as_ref().map(|trace| trace.request(&request));
        let exchange = self.in_time(exchange(&pool, &request, answer));
        let result = exchange.await.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::from_http(&self.server_shown, &*error),
        });
        match (&result, traced) {
            (Ok(response), Some(traced)) => traced.answered(response.status(), response.headers()),
            (Err(error), Some(traced)) => traced.failed(error),
            (_, None) => {}
        }
        let pause = result.as_ref().ok().and_then(retry_after);
        if let Some(pause) = pause {
            self.limiter.pause_for(pause);
        }
        let put_off = pause.filter(|pause| *pause >= LONG_PAUSE).map(|pause| {
            let server = &self.server_shown;
            Error::new(Kind::TimedOut, format!("{server} asks all to wait for {} s", pause.as_secs()))
        });
        let outage = result.as_ref().err().filter(|error| error.is_outage()).or(put_off.as_ref());
        self.outage.send_if_modified(|before| {
            let changed = before.is_some() != outage.is_some();
            if changed {
                *before = outage.cloned();
            }
            changed
        });
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
    fn complete(&self, request: &Request<Bytes>, credential: &Credential) -> Result<Request<Bytes>, Error> {
        let malformed = |error: http::Error| Error::new(Kind::Malformed, error.to_string());
        let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let mut parts = self.server.clone().into_parts();
        // kube ends a URL without parameters in a question mark.
        let path = format!("{}{}", self.server.path().trim_end_matches('/'), asked.trim_end_matches('?'));
        parts.path_and_query = Some(path.parse().map_err(|error| malformed(http::Error::from(error)))?);

        let mut completed = Request::new(request.body().clone());
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
    fn pool(&self, credential: &Credential, answer: Answer) -> Result<Arc<Pool>, Error> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = match (&pools.identity, &credential.identity) {
            (Some(current), Some(wanted)) => Arc::ptr_eq(current, wanted),
            (None, None) => true,
            _ => false,
        };
        if !is_current {
            *pools = Pools::new(&self.connector, &self.log_reading, credential.identity.clone())?;
        }
        Ok(match answer {
            Answer::Log | Answer::BusyLog => pools.logs.clone(),
            Answer::Whole | Answer::Stream => pools.others.clone(),
        })
    }
}

impl Pools {
    fn new(
        connector: &Connector,
        log_reading: &Reading,
        identity: Option<Arc<CertifiedKey>>,
    ) -> Result<Pools, Error> {
        let dialer = connector.dialer(identity.clone())?;
        let stats = log_reading.stats.clone();
        let reading = Reading { pace: Pace::default(), window: MOST_WINDOW as u32, stats };
        let logs = Arc::new(Pool::new(dialer.clone(), log_reading.clone()));
        Ok(Pools { identity, logs, others: Arc::new(Pool::new(dialer, reading)) })
    }
}

/// As what a request is counted.
fn kind(priority: Priority, answer: Answer) -> stats::Kind {
    match (priority, answer) {
        (Priority::WatchAndList, Answer::Stream) => stats::Kind::Watch,
        (Priority::WatchAndList, _) => stats::Kind::List,
        (Priority::Resume, _) => stats::Kind::Resume,
        (Priority::Open, _) => stats::Kind::Open,
        (Priority::FirstPoll | Priority::Poll, _) => stats::Kind::Poll,
        (Priority::Check, _) => stats::Kind::Check,
    }
}

fn log_reading(limits: &Limits, stats: &Stats) -> Reading {
    let bandwidth = limits.max_bandwidth.map(|rate| Arc::new(Bandwidth::new(rate, stats.clone())));
    let window = (UNREAD / limits.max_log_requests.max(1)).clamp(LEAST_WINDOW, MOST_WINDOW);
    Reading {
        pace: Pace { latency: limits.latency, ticks: Some(Instant::now()), bandwidth },
        window: window as u32,
        stats: stats.clone(),
    }
}

async fn exchange(
    pool: &Pool,
    request: &Request<Bytes>,
    answer: Answer,
) -> Result<Response<ResponseBody>, BoxError> {
    let sharing = if answer == Answer::BusyLog { Sharing::Alone } else { Sharing::Shared };
    let (parts, body) = pool.send(request, sharing).await?.into_parts();
    let body = match answer {
        Answer::Stream | Answer::Log | Answer::BusyLog => body,
        Answer::Whole => ResponseBody::Whole(body.collect().await?.to_bytes()),
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

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{
        super::{
            Cluster,
            testing::{Answer as Canned, Authority, Machine, NO_PODS, Server, list_pods, ok, status},
        },
        *,
    };

    /// A cluster whose user has the token `sesame`.
    fn cluster_at(url: &str) -> Cluster {
        Machine::with(&format!("server: '{url}'"), "token: sesame").plain_cluster()
    }

    #[tokio::test]
    async fn a_request_goes_below_the_servers_path_with_token_and_agent() {
        let server = Server::start(vec![ok(NO_PODS)]).await;
        list_pods(&cluster_at(&format!("{}/k8s/clusters/x/", server.url()))).await.unwrap();
        let head = &server.heads()[0];
        assert!(head.starts_with("get /k8s/clusters/x/api/v1/namespaces/shop/pods http"), "{head}");
        assert!(head.contains("authorization: bearer sesame\r\n"), "{head}");
        assert!(head.contains("user-agent: stern-rs/"), "{head}");
    }

    #[tokio::test]
    async fn who_is_impersonated_is_said_in_headers() {
        let server = Server::start(vec![ok(NO_PODS)]).await;
        let connect = Connect {
            as_user: Some("jane".into()),
            as_uid: Some("7".into()),
            as_groups: vec!["a".into(), "b".into()],
            as_user_extra: vec![("Acme.com/Team".into(), "x".into()), ("Acme.com/Team".into(), "y".into())],
            ..Connect::default()
        };
        let machine = Machine::with(&format!("server: '{}'", server.url()), "as: kubeconfig, token: t");
        list_pods(&machine.cluster(&connect, None)).await.unwrap();
        let head = &server.heads()[0];
        for line in ["user: jane", "uid: 7", "group: a", "group: b"] {
            assert!(head.contains(&format!("\r\nimpersonate-{line}\r\n")), "{head}");
        }
        assert_eq!(head.matches("impersonate-extra-acme.com%2fteam: ").count(), 2, "{head}");
    }

    #[tokio::test]
    async fn a_401_names_the_user_and_its_kubeconfig() {
        let server = Server::start(vec![status("401 Unauthorized", "{}")]).await;
        let error = list_pods(&cluster_at(&server.url())).await.unwrap_err();
        assert!(error.is_unauthorized() && !error.is_retryable());
        let text = error.to_string();
        assert!(text.contains("user \"u-ctx\" of ") && text.contains(".kube/config"), "{text}");
        assert_eq!(server.heads().len(), 1, "the same token is not tried twice");
    }

    #[tokio::test]
    async fn a_403_says_which_right_is_missing() {
        let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
            "message":"pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group"}"#;
        let server = Server::start(vec![status("403 Forbidden", body)]).await;
        let error = list_pods(&cluster_at(&server.url())).await.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(
            error.to_string(),
            "not allowed to list pods in namespace \"shop\": user \"jane\" needs verb \"list\" on resource \
             \"pods\", from a Role or ClusterRole bound there"
        );
    }

    #[tokio::test]
    async fn retry_after_holds_back_all_requests() {
        let server =
            Server::start(vec![status("429 Too Many Requests\r\nretry-after: 60", "slow down")]).await;
        let cluster = cluster_at(&server.url());
        // It waits for a minute, and so does everybody else.
        let list = timeout(Duration::from_millis(300), list_pods(&cluster)).await;
        assert!(list.is_err());
        assert!(cluster.transport.limiter.acquire(Priority::WatchAndList).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_request_that_came_too_early_is_made_again() {
        let early = || status("429 Too Many Requests\r\nretry-after: 0", "slow down");
        let server = Server::start(vec![early(), early(), ok(NO_PODS)]).await;
        assert!(list_pods(&cluster_at(&server.url())).await.is_ok());
    }

    #[test]
    fn retry_after_may_be_a_date_and_counts_only_where_it_is_meant() {
        let response = |status: u16, value: &str| {
            Response::builder().status(status).header("retry-after", value).body(()).unwrap()
        };
        assert_eq!(retry_after(&response(503, "7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&response(500, "7")), None);
        assert_eq!(retry_after(&response(429, "soon")), None);
        assert_eq!(retry_after(&response(429, "Wed, 21 Oct 2015 07:28:00 GMT")), None);
        assert!(retry_after(&response(429, "Sat, 21 Oct 2180 07:28:00 GMT")).is_some());
    }

    #[tokio::test]
    async fn the_request_timeout_bounds_all_of_a_list() {
        let partial = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        let server = Server::start(vec![Canned::Hang(partial.into())]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "");
        let connect = Connect { request_timeout: Some(Duration::from_millis(50)), ..Connect::default() };
        let error = list_pods(&machine.cluster(&connect, None)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::TimedOut);
    }

    #[tokio::test]
    async fn a_watch_is_handed_on_as_it_comes() {
        use futures::StreamExt;
        use k8s_openapi::api::core::v1::Pod;
        let event =
            r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1"}}}"#;
        let running = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{event}\n");
        let server = Server::start(vec![Canned::Hang(running)]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
        let connect = Connect { request_timeout: Some(Duration::from_secs(20)), ..Connect::default() };
        let pods = kube::Api::<Pod>::all(machine.cluster(&connect, None).client());
        let mut events = pods.watch(&Default::default(), "0").await.unwrap().boxed();
        assert!(matches!(events.next().await, Some(Ok(kube::api::WatchEvent::Added(_)))));
    }

    #[tokio::test]
    async fn an_unreachable_server_is_named() {
        let server = Server::start(vec![]).await;
        let url = server.url();
        drop(server);
        tokio::task::yield_now().await;
        let error = list_pods(&cluster_at(&url)).await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(
            error.to_string(),
            format!("cannot reach the apiserver {url}: connection refused; is it running there?")
        );
    }

    #[tokio::test]
    async fn what_does_not_speak_http_is_no_apiserver() {
        let server = Server::start(vec![Canned::Close("SSH-2.0-OpenSSH\r\n\r\n".into())]).await;
        let error = list_pods(&cluster_at(&server.url())).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Malformed, "{error}");
    }

    /// The cluster section for a TLS server with this authority.
    fn tls_section(server: &Server, authority: &Authority, machine: &Machine) -> String {
        let ca = machine.write("ca.crt", &authority.pem());
        format!("server: 'https://{}', certificate-authority: {}", server.address, ca.display())
    }

    async fn list_over_tls(server_name: &str, expected: &str) -> Result<usize, Error> {
        let authority = Authority::new();
        let server = Server::start_tls(vec![ok(NO_PODS)], authority.server(server_name, false)).await;
        let files = Machine::new();
        let section = tls_section(&server, &authority, &files);
        list_pods(&Machine::with(&format!("{section}, {expected}"), "token: t").plain_cluster()).await
    }

    #[tokio::test]
    async fn a_server_of_the_named_authority_is_trusted() {
        assert_eq!(list_over_tls("127.0.0.1", "").await.unwrap(), 0);
    }

    #[tokio::test]
    async fn the_tls_server_name_is_what_the_certificate_is_checked_for() {
        assert_eq!(list_over_tls("k8s.internal", "tls-server-name: k8s.internal").await.unwrap(), 0);
        let error = list_over_tls("k8s.internal", "").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Certificate);
        assert!(error.to_string().contains("--tls-server-name"), "{error}");
    }

    #[tokio::test]
    async fn a_server_of_another_authority_is_not_trusted_and_the_mend_is_told() {
        let server = Server::start_tls(vec![ok(NO_PODS)], Authority::new().server("127.0.0.1", false)).await;
        let files = Machine::new();
        let section = tls_section(&server, &Authority::new(), &files);
        let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Certificate);
        let text = error.to_string();
        assert!(
            text.contains("--certificate-authority") && text.contains("--insecure-skip-tls-verify"),
            "{text}"
        );
        let connect = Connect { insecure_skip_tls_verify: true, ..Connect::default() };
        let insecure = Machine::with(&section, "token: t").cluster(&connect, None);
        assert_eq!(list_pods(&insecure).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
        let authority = Authority::new();
        let server = Server::start_tls(vec![ok(NO_PODS)], authority.server("127.0.0.1", true)).await;
        let files = Machine::new();
        let section = tls_section(&server, &authority, &files);
        let (certificate, key) = authority.issue("admin");
        let (certificate, key) = (files.write("admin.crt", &certificate), files.write("admin.key", &key));
        let user = format!("client-certificate: {}, client-key: {}", certificate.display(), key.display());
        assert_eq!(list_pods(&Machine::with(&section, &user).plain_cluster()).await.unwrap(), 0);

        let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
        assert!(error.to_string().contains("client certificate"), "{error}");
    }

    #[tokio::test]
    async fn a_client_without_a_certificate_is_told_so_over_http2_too() {
        let authority = Authority::new();
        let mut tls = authority.server("127.0.0.1", true);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let server = Server::start_tls(vec![], tls).await;
        let files = Machine::new();
        let section = tls_section(&server, &authority, &files);
        let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
        assert!(error.to_string().contains("client certificate"), "{error}");
    }

    #[tokio::test]
    async fn the_proxy_of_the_kubeconfig_is_asked_for_a_tunnel() {
        let proxy = Server::start(vec![Canned::Say("HTTP/1.1 200 OK\r\n\r\n".into()), ok(NO_PODS)]).await;
        let section =
            format!("server: 'http://k8s.internal:8080', proxy-url: 'http://me:p%40ss@{}'", proxy.address);
        list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap();
        let heads = proxy.heads();
        assert!(heads[0].starts_with("connect k8s.internal:8080 http"), "{heads:?}");
        assert!(heads[0].contains("proxy-authorization: basic bwu6cebzcw==\r\n"), "{heads:?}");
        assert!(heads[1].starts_with("get /api/v1/"), "{heads:?}");
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_named_without_its_password() {
        let proxy = Server::start(vec![status("407 Proxy Authentication Required", "")]).await;
        let mut machine = Machine::with("server: 'https://k8s.internal'", "token: t");
        machine.set("HTTPS_PROXY", format!("http://me:secret@{}", proxy.address));
        let error = list_pods(&machine.plain_cluster()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("through the proxy http://{}", proxy.address)), "{error}");
        assert!(error.contains("authorization required") && !error.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn a_socks_proxy_is_given_the_name_to_resolve() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let section = format!(
            "server: 'http://k8s.internal:80', proxy-url: 'socks5://{}'",
            listener.local_addr().unwrap()
        );
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            let mut request = [0; 7 + "k8s.internal".len()];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{NO_PODS}", NO_PODS.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            // Closing with unread data would reset the connection.
            let mut rest = [0; 4];
            stream.read_exact(&mut rest).await.unwrap();
            (request, rest)
        };
        let cluster = Machine::with(&section, "token: t").plain_cluster();
        let (listed, (request, rest)) = futures::join!(list_pods(&cluster), proxy);
        listed.unwrap();
        assert_eq!(&request[5..5 + "k8s.internal".len()], b"k8s.internal");
        assert_eq!(&rest, b"GET ");
    }

    #[tokio::test]
    async fn a_trace_tells_each_request_and_no_secret() {
        let server = Server::start(vec![ok(NO_PODS)]).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let trace = Trace::new(8, Arc::new(move |line| sink.lock().unwrap().push(line)));
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: sesame");
        list_pods(&machine.cluster(&Connect::default(), trace)).await.unwrap();
        let told = told.lock().unwrap().join("\n").to_lowercase();
        assert!(told.contains("/api/v1/namespaces/shop/pods 200 ok in "), "{told}");
        assert!(told.contains("authorization: <masked>") && told.contains("< content-length"), "{told}");
        assert!(!told.contains("sesame"), "{told}");
    }
}
