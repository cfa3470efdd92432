//! One request and its answer: the part of the answer to wait for, and the allowed silence.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, header};
use tokio::time::{Instant, timeout, timeout_at};
use tower::BoxError;

use super::{
    bounds::{self, ANSWER},
    error::{Error, ErrorKind},
    http::{
        body::{Body, decoded},
        pool::{Again, Pool, Sharing},
    },
    redirect,
};

/// Allowed silence before an answer's head and, if the answer is read whole, within it. A server silent for longer
/// has most likely dropped the request.
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes that end a silence within an answer: fewer are no progress, as a server may send a byte from time to time.
pub(super) const PROGRESS: usize = 16 << 10;

/// Time limit for the body of a refusal, of which the status is known.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(10);

/// A kubelet sends the head of a followed log at once, even without a line.
const FOLLOWED: Duration = Duration::from_secs(30);

/// Time limit for an answer that needs no work of the server.
const PROBE: Duration = Duration::from_secs(7);

/// The part of an answer to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerMode {
    /// The whole answer.
    Whole,
    /// Only the head: the body may last for days.
    Stream,
    /// The same, for a log.
    Log { follow: bool, sharing: Sharing },
    /// The whole answer, briefly: it only shows that the server responds.
    Probe,
}

impl AnswerMode {
    fn sharing(self) -> Sharing {
        match self {
            AnswerMode::Whole | AnswerMode::Stream | AnswerMode::Probe => Sharing::Shared,
            AnswerMode::Log { sharing, .. } => sharing,
        }
    }

    /// The compression to ask for. A stream would arrive in large pieces.
    pub fn encoding(self, compression: bool) -> HeaderValue {
        HeaderValue::from_static(if self == AnswerMode::Whole && compression { "gzip" } else { "identity" })
    }

    /// What is requested, as people call it; None if no one waits for it.
    pub fn what(self) -> Option<&'static str> {
        match self {
            AnswerMode::Whole => Some("a list"),
            AnswerMode::Stream => Some("a watch"),
            AnswerMode::Log { .. } => Some("a log"),
            AnswerMode::Probe => None,
        }
    }

    /// Time limit for the head.
    fn patience(self) -> Duration {
        match self {
            AnswerMode::Log { follow: true, .. } => FOLLOWED,
            AnswerMode::Probe => PROBE,
            AnswerMode::Whole | AnswerMode::Stream | AnswerMode::Log { .. } => SILENCE,
        }
    }
}

/// The end of the time that the user allows, and its length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    of: Duration,
    /// Whether the server has answered since it began: with pages of a list, or refusals for now.
    answered: bool,
}

impl Deadline {
    pub fn after(limit: Duration) -> Deadline {
        Deadline { at: Instant::now() + limit, of: limit, answered: false }
    }

    /// The same, of a server that has answered.
    pub fn answered(self) -> Deadline {
        Deadline { answered: true, ..self }
    }
}

/// The result of `asking`, if it comes in time.
pub(super) async fn in_time<T>(
    deadline: Option<Deadline>,
    server: &str,
    asking: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(Deadline { at, of, answered }) = deadline else { return asking.await };
    let late = |_| {
        let what = if answered { "no complete answer" } else { "no answer" };
        let text = format!("{what} from {server} within {of:?}: raise --request-timeout");
        Err(Error::new(ErrorKind::TimedOut, text))
    };
    timeout_at(at, asking).await.unwrap_or_else(late)
}

/// Sends a request to `server` and waits for the required part of the answer. `is_bounded`: the caller has a time limit
/// that replaces the limit on silence. `again`: see [`Pool::send`].
pub(super) async fn exchange(
    pool: &Pool,
    request: &Request<Bytes>,
    answer: AnswerMode,
    is_bounded: bool,
    server: &str,
    again: Again<'_>,
) -> Result<Response<Body>, BoxError> {
    if is_bounded {
        return read(head(pool, request, answer, server, again).await?, answer, None, server).await;
    }
    let patience = answer.patience();
    let head = timeout(patience, head(pool, request, answer, server, again)).await;
    let head = head.unwrap_or_else(|_| Err(no_answer(server, patience).into()))?;
    read(head, answer, Some(patience), server).await
}

/// The head of an answer, with its body as it was before compression. A redirect is an error: its address may belong to
/// anybody, and gets no credentials.
async fn head(
    pool: &Pool,
    request: &Request<Bytes>,
    answer: AnswerMode,
    server: &str,
    again: Again<'_>,
) -> Result<Response<Body>, BoxError> {
    let head = pool.send(request, answer.sharing(), again).await?;
    let malformed = |text| Err(Error::new(ErrorKind::Malformed, text).into());
    let status = head.status();
    let location = head.headers().get(header::LOCATION).filter(|_| status.is_redirection());
    if let Some(location) = location.filter(|location| !location.is_empty()) {
        let location = String::from_utf8_lossy(location.as_bytes());
        let text = redirect::described(server, request.uri(), &location);
        return malformed(format!("{server} redirects ({}) to {text}", status.as_u16()));
    }
    // Any other success or redirect answers another request: a part of the answer (206), no answer (204, 304), a switch
    // of the protocol (101).
    if !is_answer(status) && !status.is_client_error() && !status.is_server_error() {
        return malformed(format!(
            "{server} answered {status}, which no Kubernetes API server does; perhaps a proxy in between does"
        ));
    }
    decoded(head).or_else(|encoding| {
        malformed(format!(
            "{server} answered in the encoding {encoding:?}, which was not requested and is not known; perhaps a proxy in \
             between compresses"
        ))
    })
}

/// Whether the status means a whole answer. As for kubectl, those with which proxies mark their changes do.
fn is_answer(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 201 | 203)
}

fn no_answer(server: &str, waited: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("no answer from {server} within {waited:?}"))
}

/// Reads the body if all of it is needed. That of a refusal always is.
async fn read(
    head: Response<Body>,
    answer: AnswerMode,
    silence: Option<Duration>,
    server: &str,
) -> Result<Response<Body>, BoxError> {
    let (parts, mut body) = head.into_parts();
    let body = match answer {
        _ if !is_answer(parts.status) => Body::Whole(beginning(&mut body, bounds::REFUSAL).await),
        AnswerMode::Probe => Body::Whole(beginning(&mut body, bounds::PROBE).await),
        AnswerMode::Whole => Body::Whole(whole(&mut body, silence, server).await?),
        AnswerMode::Stream | AnswerMode::Log { .. } => body,
    };
    Ok(Response::from_parts(parts, body))
}

/// All of a body, of which something comes all the time.
async fn whole(body: &mut Body, silence: Option<Duration>, server: &str) -> Result<Bytes, BoxError> {
    let (mut read, mut since, mut before) = (BytesMut::new(), Instant::now(), 0);
    loop {
        let next = poll_fn(|cx| body.poll_chunk(cx));
        let chunk = match silence {
            None => next.await,
            Some(silence) => timeout_at(since + silence, next).await.map_err(|_| stalled(server, silence))?,
        };
        let Some(chunk) = chunk.transpose()? else { return Ok(read.freeze()) };
        ANSWER.check(read.len() + chunk.len())?;
        read.extend_from_slice(&chunk);
        if read.len() - before >= PROGRESS {
            (since, before) = (Instant::now(), read.len());
        }
    }
}

fn stalled(server: &str, silence: Duration) -> Error {
    Error::new(
        ErrorKind::TimedOut,
        format!("an answer from {server} stalled: no data, or hardly any, for {silence:?}"),
    )
}

/// The first bytes of a body, as many as come soon.
async fn beginning(body: &mut Body, most: usize) -> Bytes {
    let mut read = BytesMut::new();
    let reading = async {
        while read.len() < most
            && let Some(Ok(chunk)) = poll_fn(|cx| body.poll_chunk(cx)).await
        {
            read.extend_from_slice(&chunk);
        }
    };
    let _ = timeout(REFUSAL_PATIENCE, reading).await;
    read.truncate(most);
    read.freeze()
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use kube::api::WatchParams;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::yield_now,
        time::{Instant, pause, resume, sleep},
    };

    use super::{
        super::{
            Cluster,
            testing::{Canned, Machine, NO_PODS, Server, list_pods, log_request, pods},
        },
        *,
    };
    use crate::{cluster::LogRequest, plan::Connect};

    async fn silent() -> (Server, Cluster) {
        let server = Server::start(vec![Canned::Hang(String::new())]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
        let cluster = machine.cluster(&Connect::default(), None);
        (server, cluster)
    }

    /// Fails unless as many seconds have passed since a moment between these two, however long the machine took from
    /// one to the other.
    #[track_caller]
    fn passed(seconds: u64, before: Instant, behind: Instant) {
        let wanted = Duration::from_secs(seconds);
        // Timers count milliseconds.
        let tick = Duration::from_millis(2);
        let (most, least) = (before.elapsed() + tick, behind.elapsed().saturating_sub(tick));
        assert!((least..=most).contains(&wanted), "{least:?} to {most:?}");
    }

    /// The error of a request that a server reads and never answers, which comes after this many seconds.
    async fn given_up<T>(
        server: &Server,
        asking: impl Future<Output = Result<T, Error>>,
        seconds: u64,
    ) -> Error {
        let (began, asked) = (Instant::now(), Cell::new(None));
        let asked_for = async {
            while server.heads().is_empty() {
                yield_now().await;
            }
            pause();
            asked.set(Some(Instant::now()));
            pending().await
        };
        tokio::select! {
            result = asking => {
                passed(seconds, began, asked.get().expect("it was read"));
                resume();
                result.err().expect("there is no answer")
            }
            never = asked_for => never,
        }
    }

    #[tokio::test]
    async fn a_list_that_is_never_answered_is_given_up_after_a_minute() {
        let (server, cluster) = silent().await;
        let error = given_up(&server, list_pods(&cluster), 60).await;
        assert!(error.is_retryable() && error.is_outage());
        assert_eq!(error.to_string(), format!("no answer from {} within 60s", server.url()));
    }

    #[tokio::test]
    async fn a_watch_that_never_begins_is_given_up_after_a_minute() {
        let (server, cluster) = silent().await;
        let (pods, params) = (pods(), WatchParams::default());
        let error = given_up(&server, cluster.watch(&pods, &params, "0"), 60).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    /// Polls, checks and previous logs are not followed.
    #[tokio::test]
    async fn a_log_that_never_begins_is_given_up_after_a_minute_or_half_of_it_if_it_is_followed() {
        for (follow, busy, wanted) in [(false, false, 60), (true, false, 30), (true, true, 30)] {
            let (server, cluster) = silent().await;
            let request = LogRequest { follow, busy, ..log_request() };
            let error = given_up(&server, cluster.open_log(&request), wanted).await;
            assert!(error.is_retryable());
            assert_eq!(error.to_string(), format!("no answer from {} within {wanted}s", server.url()));
        }
    }

    #[tokio::test]
    async fn the_request_timeout_may_be_longer() {
        let server = Server::start(vec![Canned::Hang(String::new())]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
        let connect = Connect { request_timeout: Some(Duration::from_secs(300)), ..Connect::default() };
        let error = given_up(&server, list_pods(&machine.cluster(&connect, None)), 300).await;
        assert!(error.to_string().ends_with("within 300s: raise --request-timeout"), "{error}");
    }

    /// Answers one request with a list in pieces of this many bytes, `pauses` apart, and possibly without an end.
    async fn piecemeal(piece: usize, pauses: &[u64], ends: bool) -> Result<usize, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Machine::with(&format!("server: 'http://{address}'"), "token: t").plain_cluster();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            pause();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                NO_PODS.len() + pauses.len() * piece
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            for pause in pauses {
                sleep(Duration::from_secs(*pause)).await;
                stream.write_all(&b" ".repeat(piece)).await.unwrap();
            }
            if ends {
                stream.write_all(NO_PODS.as_bytes()).await.unwrap();
            }
            pending().await
        };
        let listed = tokio::select! {
            listed = list_pods(&cluster) => listed,
            never = serving => never,
        };
        resume();
        listed
    }

    #[tokio::test]
    async fn a_list_may_take_long_as_long_as_it_comes() {
        assert_eq!(piecemeal(PROGRESS, &[50; 10], true).await.unwrap(), 0);
        assert_eq!(piecemeal(1, &[5; 10], true).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_list_that_stops_halfway_is_given_up_after_a_minute() {
        for (piece, pauses) in [(PROGRESS, &[50, 50][..]), (1, &[1; 3600]), (PROGRESS - 1, &[50; 10])] {
            let error = piecemeal(piece, pauses, false).await.unwrap_err();
            assert!(error.is_retryable());
            assert!(error.to_string().ends_with("stalled: no data, or hardly any, for 60s"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_head_that_comes_byte_by_byte_is_given_up_after_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Machine::with(&format!("server: 'http://{address}'"), "token: t").plain_cluster();
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
        for (begin, piece) in [("HTTP/1.1 200 OK\r\nx: ", "x"), (interim, interim)] {
            let (began, asked) = (Instant::now(), Cell::new(None));
            let serving = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 1024]).await.unwrap();
                pause();
                asked.set(Some(Instant::now()));
                stream.write_all(begin.as_bytes()).await.unwrap();
                loop {
                    sleep(Duration::from_secs(5)).await;
                    stream.write_all(piece.as_bytes()).await.unwrap();
                }
            };
            let error = tokio::select! {
                listed = list_pods(&cluster) => listed.unwrap_err(),
                never = serving => never,
            };
            passed(60, began, asked.get().unwrap());
            resume();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        }
    }
}
