//! One request and its answer: the part of the answer to wait for, and the allowed silence.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, header};
use tokio::time::timeout;
use tower::BoxError;

use super::{
    error::{Error, ErrorKind},
    http::{
        body::{Body, decoded},
        pool::{Pool, Sharing},
    },
    redirect,
};

/// Allowed silence before an answer's head and, if the answer is read whole, within it. A server silent for longer
/// has most likely dropped the request.
const SILENCE: Duration = Duration::from_secs(60);

/// Most bytes of an answer that is read whole and was compressed: a small one can become endlessly large.
const MOST_DECOMPRESSED: usize = 256 << 20;

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

    /// Time limit for the head.
    fn patience(self) -> Duration {
        match self {
            AnswerMode::Log { follow: true, .. } => FOLLOWED,
            AnswerMode::Probe => PROBE,
            AnswerMode::Whole | AnswerMode::Stream | AnswerMode::Log { .. } => SILENCE,
        }
    }
}

/// Sends a request to `server` and waits for the required part of the answer. `limit`: a total time limit that
/// replaces the limit on silence.
pub(super) async fn exchange(
    pool: &Pool,
    request: &Request<Bytes>,
    answer: AnswerMode,
    limit: Option<Duration>,
    server: &str,
) -> Result<Response<Body>, BoxError> {
    let Some(limit) = limit.filter(|_| answer != AnswerMode::Probe) else {
        let patience = answer.patience();
        let head = timeout(patience, head(pool, request, answer, server)).await;
        let head = head.unwrap_or_else(|_| Err(no_answer(server, patience, "").into()))?;
        return read(head, answer, Some(patience), server).await;
    };
    let all = async { read(head(pool, request, answer, server).await?, answer, None, server).await };
    timeout(limit, all)
        .await
        .unwrap_or_else(|_| Err(no_answer(server, limit, ": raise --request-timeout").into()))
}

/// The head of an answer, with its body as it was before compression. A redirect is an error: its address may belong to
/// anybody, and gets no credentials.
async fn head(
    pool: &Pool,
    request: &Request<Bytes>,
    answer: AnswerMode,
    server: &str,
) -> Result<Response<Body>, BoxError> {
    let head = pool.send(request, answer.sharing()).await?;
    let location = head.headers().get(header::LOCATION).filter(|_| head.status().is_redirection());
    if let Some(location) = location.filter(|location| !location.is_empty()) {
        let location = String::from_utf8_lossy(location.as_bytes());
        let text = redirect::described(server, request.uri(), &location);
        let text = format!("{server} redirects ({}) to {text}", head.status().as_u16());
        return Err(Error::new(ErrorKind::Malformed, text).into());
    }
    decoded(head).map_err(|encoding| {
        let text = format!(
            "{server} answered in the encoding {encoding:?}, which was not requested and is not known; perhaps a proxy in \
             between compresses"
        );
        Error::new(ErrorKind::Malformed, text).into()
    })
}

fn no_answer(server: &str, waited: Duration, advice: &str) -> Error {
    Error::new(ErrorKind::TimedOut, format!("no answer from {server} within {waited:?}{advice}"))
}

async fn read(
    head: Response<Body>,
    answer: AnswerMode,
    silence: Option<Duration>,
    server: &str,
) -> Result<Response<Body>, BoxError> {
    if !matches!(answer, AnswerMode::Whole | AnswerMode::Probe) {
        return Ok(head);
    }
    let (parts, mut body) = head.into_parts();
    let (mut read, compressed) = (BytesMut::new(), matches!(body, Body::Gzip(_)));
    loop {
        let chunk = poll_fn(|cx| body.poll_chunk(cx));
        let chunk = match silence {
            Some(silence) => timeout(silence, chunk).await.map_err(|_| {
                let text = format!("an answer from {server} stalled: no data for {silence:?}");
                Error::new(ErrorKind::TimedOut, text)
            })?,
            None => chunk.await,
        };
        match chunk {
            Some(_) if compressed && read.len() > MOST_DECOMPRESSED => {
                let text = format!(
                    "an answer from {server} has more than {MOST_DECOMPRESSED} bytes once it is decompressed; use \
                     --disable-compression if that is right"
                );
                return Err(Error::new(ErrorKind::Malformed, text).into());
            }
            Some(chunk) => read.extend_from_slice(&chunk?),
            None => return Ok(Response::from_parts(parts, Body::Whole(read.freeze()))),
        }
    }
}

#[cfg(test)]
mod tests {
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

    /// The error of a request that a server reads and never answers, and the seconds until it comes.
    async fn given_up<T>(server: &Server, asking: impl Future<Output = Result<T, Error>>) -> (Error, u64) {
        let began = Instant::now();
        let asked = async {
            while server.heads().is_empty() {
                yield_now().await;
            }
            pause();
            std::future::pending().await
        };
        tokio::select! {
            result = asking => {
                let seconds = began.elapsed().as_secs_f64().round() as u64;
                resume();
                (result.err().expect("there is no answer"), seconds)
            }
            never = asked => never,
        }
    }

    #[tokio::test]
    async fn a_list_that_is_never_answered_is_given_up_after_a_minute() {
        let (server, cluster) = silent().await;
        let (error, seconds) = given_up(&server, list_pods(&cluster)).await;
        assert_eq!(seconds, 60);
        assert!(error.is_retryable() && error.is_outage());
        assert_eq!(error.to_string(), format!("no answer from {} within 60s", server.url()));
    }

    #[tokio::test]
    async fn a_watch_that_never_begins_is_given_up_after_a_minute() {
        let (server, cluster) = silent().await;
        let (pods, params) = (pods(), WatchParams::default());
        let (error, seconds) = given_up(&server, cluster.watch(&pods, &params, "0")).await;
        assert_eq!((error.kind(), seconds), (ErrorKind::TimedOut, 60));
    }

    /// Polls, checks and previous logs are not followed.
    #[tokio::test]
    async fn a_log_that_never_begins_is_given_up_after_a_minute_or_half_of_it_if_it_is_followed() {
        for (follow, busy, wanted) in [(false, false, 60), (true, false, 30), (true, true, 30)] {
            let (server, cluster) = silent().await;
            let request = LogRequest { follow, busy, ..log_request() };
            let (error, seconds) = given_up(&server, cluster.open_log(&request)).await;
            assert_eq!(seconds, wanted, "{error}");
            assert!(error.is_retryable());
            assert_eq!(error.to_string(), format!("no answer from {} within {wanted}s", server.url()));
        }
    }

    #[tokio::test]
    async fn the_request_timeout_may_be_longer() {
        let server = Server::start(vec![Canned::Hang(String::new())]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
        let connect = Connect { request_timeout: Some(Duration::from_secs(300)), ..Connect::default() };
        let (error, seconds) = given_up(&server, list_pods(&machine.cluster(&connect, None))).await;
        assert_eq!(seconds, 300);
        assert!(error.to_string().ends_with("within 300s: raise --request-timeout"), "{error}");
    }

    /// Answers one request with a list in pieces, `pauses` apart, and possibly without an end.
    async fn piecemeal(pauses: &[u64], ends: bool) -> Result<usize, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Machine::with(&format!("server: 'http://{address}'"), "token: t").plain_cluster();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            pause();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", NO_PODS.len() + pauses.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            for pause in pauses {
                sleep(Duration::from_secs(*pause)).await;
                stream.write_all(b" ").await.unwrap();
            }
            if ends {
                stream.write_all(NO_PODS.as_bytes()).await.unwrap();
            }
            std::future::pending().await
        };
        tokio::select! {
            listed = list_pods(&cluster) => listed,
            never = serving => never,
        }
    }

    #[tokio::test]
    async fn a_list_may_take_long_as_long_as_it_comes() {
        assert_eq!(piecemeal(&[50; 10], true).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_list_that_stops_halfway_is_given_up_after_a_minute() {
        let error = piecemeal(&[50, 50], false).await.unwrap_err();
        assert!(error.is_retryable());
        assert!(error.to_string().ends_with("stalled: no data for 60s"), "{error}");
    }
}
