//! Opens the log of one container and returns its data chunk by chunk.
//!
//! The URL is built here, since kube rounds `sinceTime` up and so loses lines.

use std::{convert::Infallible, future::poll_fn, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use jiff::{Timestamp, fmt::rfc2822};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{Instant, timeout_at};

use super::{
    document::{self, Other},
    error::{Asked, Error, ErrorKind},
    exchange::{AnswerMode, PROGRESS},
    http::{bandwidth::Progress, body::Body, pool::Sharing},
    objects::unexpected,
    transport::Transport,
    turn::Turn,
};
use crate::{
    plan::Since,
    purpose::Purpose,
    stats::{Held, Open},
};

/// The log, and the part of it to read. Timestamps are always requested: only they identify a position in a log.
#[derive(Debug, Clone)]
pub struct LogRequest {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub follow: bool,
    /// The last terminated instance instead of the running one.
    pub previous: bool,
    pub since: Option<Since>,
    pub tail_lines: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub purpose: Purpose,
    /// Whether the log is expected to be large, so that its own connection is cheaper; the number of these is
    /// limited.
    pub busy: bool,
}

/// A log as it arrives. Dropping it ends the request.
pub struct LogStream {
    body: Body,
    server: String,
    date: Timestamp,
    ended: bool,
    /// The allowed silence; None for a followed log.
    patience: Option<Duration>,
    /// The part of it that has passed, and the bytes that came meanwhile: fewer than [`PROGRESS`] end no silence.
    quiet: Duration,
    little: usize,
    /// The operation, until the first bytes have shown that they are a log.
    unproven: Option<Box<Asked>>,
    /// See [`LogStream::turn`].
    turn: Turn,
    _held: Held,
}

/// A kubelet that searches a large file for the requested lines is silent for long, but not for ever.
const STALLED: Duration = Duration::from_secs(60);

impl LogStream {
    /// The next chunk; waits without limit if the log is followed. Otherwise a long silence is an error; time in
    /// which the bandwidth limit held the connection back does not count.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        let Some(patience) = self.patience else { return self.chunk().await };
        let progress = self.body.progress().map(|progress| (progress.reached(), progress));
        let since = Instant::now();
        let mut deadline = since + patience.saturating_sub(self.quiet);
        loop {
            if let Ok(chunk) = timeout_at(deadline, self.chunk()).await {
                if progress.is_none() {
                    self.came(chunk.as_ref(), since.elapsed());
                }
                return chunk;
            }
            match progress.as_ref().and_then(|(begun, progress)| progress.ask_again(*begun, patience)) {
                Some(again) => deadline = again,
                None => break,
            }
        }
        self.ended = true;
        let text = format!("a log from {} stalled: no data, or hardly any, for {patience:?}", self.server);
        Some(Err(Error::new(ErrorKind::TimedOut, text)))
    }

    fn came(&mut self, chunk: Option<&Result<Bytes, Error>>, waited: Duration) {
        self.quiet += waited;
        self.little += chunk.and_then(|chunk| chunk.as_ref().ok()).map_or(0, Bytes::len);
        if self.little >= PROGRESS {
            (self.quiet, self.little) = (Duration::ZERO, 0);
        }
    }

    /// The next bytes: all that are available together; None at a clean end. Cancel-safe.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        if self.ended {
            return None;
        }
        let chunk = poll_fn(|cx| self.body.poll_chunk(cx)).await;
        let chunk = chunk.map(|chunk| {
            let chunk = chunk.map_err(|error| Error::from_http(&self.server, &*error).of_known_server())?;
            let Some(asked) = self.unproven.take() else { return Ok(chunk) };
            match document::in_place_of_log(&chunk) {
                Some(other) => Err(unexpected(&self.server, other, "log", &asked)),
                None => Ok(chunk),
            }
        });
        self.ended = !matches!(chunk, Some(Ok(_)));
        chunk
    }

    /// To be awaited while nothing is read: stores arriving data compactly. Cancel-safe.
    pub async fn stow(&mut self) -> Infallible {
        poll_fn(|cx| self.body.poll_stow(cx)).await
    }

    /// Whether a shared connection delivers so many small pieces that it would be cheaper to end this stream and
    /// continue with [`LogRequest::busy`].
    pub fn wants_own_connection(&self) -> bool {
        self.body.is_busy()
    }

    /// The progress of its connection, if the bandwidth is limited.
    pub fn traffic(&self) -> Option<Progress> {
        self.body.progress()
    }

    /// The time of the apiserver's answer, by its own clock, in whole seconds; by this machine's if it gives none.
    pub fn date(&self) -> Timestamp {
        self.date
    }

    /// How its request got its turn.
    pub fn turn(&self) -> Turn {
        self.turn
    }
}

impl LogRequest {
    /// Path and query.
    fn uri(&self) -> String {
        let (namespace, pod) = (escaped(&self.namespace), escaped(&self.pod));
        let mut uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?timestamps=true");
        let mut add = |name: &str, value: &str| uri.extend(["&", name, "=", value]);
        add("container", &escaped(&self.container));
        if self.follow {
            add("follow", "true");
        }
        if self.previous {
            add("previous", "true");
        }
        match self.since {
            // The apiserver takes only whole seconds; rounded to get more lines rather than fewer.
            Some(Since::Ago(ago)) => {
                let seconds = ago.as_secs() + u64::from(ago.subsec_nanos() > 0);
                add("sinceSeconds", &seconds.max(1).to_string());
            }
            Some(Since::Time(time)) => add("sinceTime", &whole_second(time).to_string()),
            None => {}
        }
        if let Some(lines) = self.tail_lines {
            add("tailLines", &lines.to_string());
        }
        if let Some(bytes) = self.limit_bytes {
            add("limitBytes", &bytes.to_string());
        }
        uri
    }

    pub(super) async fn open(&self, transport: &Transport) -> Result<LogStream, Error> {
        let asked = Asked {
            verb: "get",
            resource: "pods/log".into(),
            namespace: Some(self.namespace.clone()),
            name: Some(self.pod.clone()),
        };
        let request = Request::get(self.uri())
            .body(Bytes::new())
            .map_err(|error| Error::invalid(format!("cannot {asked}: {error}")))?;
        let sharing = if self.busy { Sharing::Alone } else { Sharing::Shared };
        let answer = AnswerMode::Log { follow: self.follow, sharing };
        let response = transport.send(request, self.purpose, answer, None).await?;
        match response.status() {
            status if status.is_success() && is_page(response.headers()) => {
                let page = Other::Foreign("a web page".to_owned());
                Err(unexpected(&transport.server_shown, page, "log", &asked))
            }
            status if status.is_success() => Ok(LogStream {
                date: date(response.headers()).unwrap_or_else(|| transport.machine.now()),
                turn: Turn::of(&response),
                body: response.into_body(),
                server: transport.server_shown.clone(),
                ended: false,
                patience: (!self.follow).then_some(STALLED),
                quiet: Duration::ZERO,
                little: 0,
                unproven: Some(Box::new(asked)),
                _held: transport.stats.opened(Open::Stream),
            }),
            _ => Err(transport.refusal(&response, &asked).with_turn(Turn::of(&response))),
        }
    }
}

/// Whether the answer is a web page, which no apiserver sends for a log.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// The server's time.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    rfc2822::parse(text).ok().map(|date| date.timestamp())
}

/// The bytes to escape both in a path and in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Rounds down, also before 1970.
fn whole_second(time: Timestamp) -> Timestamp {
    let seconds = time.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::{
        super::{
            http::{
                bandwidth::Bandwidth,
                http1,
                socket::{Pace, Socket},
                stream::{Stream, Wire},
            },
            testing::{Canned, Machine, Server, limits, log_request, status},
        },
        *,
    };
    use crate::{
        plan::{Connect, Limits},
        stats::Stats,
    };

    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    async fn open(answer: Canned, connect: Connect) -> (Server, Result<LogStream, Error>) {
        let server = Server::start(vec![answer]).await;
        let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
        let opened = machine.cluster(&connect, None).open_log(&log_request()).await;
        (server, opened)
    }

    #[test]
    fn the_url_has_the_options_of_the_request() {
        let request = LogRequest {
            namespace: "a/b".into(),
            previous: true,
            tail_lines: Some(0),
            limit_bytes: Some(9),
            ..log_request()
        };
        assert_eq!(
            request.uri(),
            "/api/v1/namespaces/a%2Fb/pods/web-1/log?timestamps=true&container=app&follow=true&previous=true\
             &tailLines=0&limitBytes=9"
        );
    }

    #[test]
    fn a_duration_is_rounded_up_and_a_time_down() {
        let since = |since| {
            let uri = LogRequest { since: Some(since), ..log_request() }.uri();
            uri.split("follow=true&").last().unwrap().to_owned()
        };
        assert_eq!(since(Since::Ago(Duration::ZERO)), "sinceSeconds=1");
        assert_eq!(since(Since::Ago(Duration::from_millis(2_001))), "sinceSeconds=3");
        assert_eq!(since(Since::Ago(Duration::from_secs(2))), "sinceSeconds=2");
        let time = |text: &str| since(Since::Time(text.parse().unwrap()));
        assert_eq!(time("2026-11-20T10:00:05.999999999Z"), "sinceTime=2026-11-20T10:00:05Z");
        assert_eq!(time("1969-12-31T23:59:58.5Z"), "sinceTime=1969-12-31T23:59:58Z");
    }

    #[tokio::test]
    async fn chunks_come_and_then_the_end() {
        let body = format!("{HEAD}4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n");
        let (server, stream) = open(Canned::Send(body), Connect::default()).await;
        let mut stream = stream.unwrap();
        let mut all = Vec::new();
        while let Some(chunk) = stream.chunk().await {
            all.extend(chunk.unwrap());
        }
        assert_eq!(all, b"one\ntwo\n");
        assert!(stream.chunk().await.is_none());
        assert!(server.heads()[0].contains("accept-encoding: identity\r\n"));
    }

    #[tokio::test]
    async fn an_answer_that_stops_halfway_is_an_error_unless_it_is_followed() {
        for max_bandwidth in [None, Some(1 << 20)] {
            let server = Server::start(vec![Canned::Hang(format!("{HEAD}4\r\none\n\r\n"))]).await;
            let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
            let request = LogRequest { follow: false, ..log_request() };
            let cluster = machine.limited(&Connect::default(), &Limits { max_bandwidth, ..limits() }, None);
            let mut stream = cluster.open_log(&request).await.unwrap();
            assert_eq!(stream.next().await.unwrap().unwrap(), "one\n");
            tokio::time::pause();
            let begun = Instant::now();
            let error = timeout(10 * STALLED, stream.next()).await.unwrap().unwrap().unwrap_err();
            assert!(error.is_retryable(), "{error}");
            assert!(begun.elapsed() < STALLED + Duration::from_secs(1), "{:?}", begun.elapsed());
            assert!(stream.next().await.is_none());
            stream.patience = None;
            stream.ended = false;
            assert!(timeout(10 * STALLED, stream.next()).await.is_err());
            tokio::time::resume();
        }
    }

    /// One byte each second, and much other data before the next bytes of the log.
    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_the_bandwidth_holds_an_answer_back_does_not_count() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = Socket::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        socket
            .pace(Pace { bandwidth: Some(Arc::new(Bandwidth::new(1, Stats::default()))), ..Pace::default() });
        let (mut peer, _) = listener.accept().await.unwrap();
        let padding = "x".repeat(4 * STALLED.as_secs() as usize);
        peer.write_all(format!("{HEAD}4;{padding}\r\none\n\r\n").as_bytes()).await.unwrap();
        let request = Request::new(Bytes::new());
        let answer = http1::send(Box::new(Stream::plain(Wire::Left(socket), None)), &request, Arc::default())
            .await
            .unwrap();
        let mut stream = LogStream {
            body: Body::Http1 { body: answer.into_body(), _place: None },
            turn: Turn::Soon,
            server: "https://double".into(),
            date: Timestamp::UNIX_EPOCH,
            ended: false,
            patience: Some(STALLED),
            quiet: Duration::ZERO,
            little: 0,
            unproven: None,
            _held: Stats::default().opened(Open::Stream),
        };
        let begun = Instant::now();
        assert_eq!(stream.next().await.unwrap().unwrap(), "o");
        assert!(begun.elapsed() > 4 * STALLED, "{:?}", begun.elapsed());
        for piece in ["n", "e", "\n"] {
            assert_eq!(stream.next().await.unwrap().unwrap(), piece);
        }
        let error = timeout(10 * STALLED, stream.next()).await.unwrap().unwrap().unwrap_err();
        assert!(error.to_string().contains("stalled"), "{error}");
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_an_error_and_then_the_end() {
        let (_server, stream) =
            open(Canned::Close(format!("{HEAD}4\r\none\n\r\n4\r\ntw")), Connect::default()).await;
        let mut stream = stream.unwrap();
        assert_eq!(stream.chunk().await.unwrap().unwrap(), "one\ntw");
        let error = stream.chunk().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        assert!(error.is_retryable());
        assert!(stream.chunk().await.is_none());
    }

    #[tokio::test]
    async fn the_request_timeout_bounds_the_wait_for_headers_only() {
        let within = |limit| Connect { request_timeout: Some(limit), ..Connect::default() };
        let (_server, silent) = open(Canned::Hang(String::new()), within(Duration::from_millis(50))).await;
        assert_eq!(silent.err().unwrap().kind(), ErrorKind::TimedOut);

        let limit = Duration::from_secs(60);
        let (_server, stream) = open(Canned::Hang(format!("{HEAD}4\r\none\n\r\n")), within(limit)).await;
        let mut stream = stream.unwrap();
        assert_eq!(stream.chunk().await.unwrap().unwrap(), "one\n");
        tokio::time::pause();
        let idle = timeout(limit * 3, stream.chunk()).await;
        assert!(idle.is_err(), "a running stream may be silent for ever");
    }

    #[tokio::test]
    async fn a_refusal_carries_the_apiservers_words() {
        let body = r#"{"kind":"Status","status":"Failure","code":400,"reason":"BadRequest",
            "message":"container \"app\" in pod \"web-1\" is waiting to start:\nImagePullBackOff"}"#;
        let (_server, opened) = open(status("400 Bad Request", body), Connect::default()).await;
        let error = opened.err().unwrap();
        assert!(error.is_bad_request());
        let text = "container \"app\" in pod \"web-1\" is waiting to start: ImagePullBackOff";
        assert_eq!(error.server_message(), Some(text));
        assert_eq!(
            error.to_string(),
            format!(
                "cannot get pods/log \"web-1\" in namespace \"shop\": the apiserver answered 400 BadRequest: “{text}”"
            )
        );
    }

    #[tokio::test]
    async fn a_refusal_in_plain_text_is_understood_too() {
        let (_server, opened) =
            open(status("502 Bad Gateway", "dial tcp: \x1b[31mno route\x1b[0m"), Connect::default()).await;
        let error = opened.err().unwrap();
        assert_eq!(error.status(), Some(http::StatusCode::BAD_GATEWAY));
        assert!(error.is_retryable());
        assert_eq!(
            error.server_message(),
            Some("dial tcp: [31mno route [0m"),
            "escapes never reach a terminal"
        );
    }
}
