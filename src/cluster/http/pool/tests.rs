use std::{
    future::{poll_fn, ready},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::{FutureExt, future::join_all};
use h2::{
    Reason, SendStream,
    server::{self, SendResponse},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, duplex, split},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::service_fn;

use super::{
    super::{
        connector::Connector,
        route::Route,
        socket::Pace,
        stream::{Proxied, Wire},
        window::{MOST, Windows},
    },
    *,
};
use crate::{
    cluster::{
        error::ErrorKind,
        testing::{Authority, Server, ok},
        tls::{Tls, Trust},
    },
    plan::Connect,
    stats::Stats,
};

/// Large answers are sent in such pieces, which fit every window.
const PIECE: usize = 2 << 10;

/// An HTTP/2 server that handles each request by its path.
struct Http2 {
    behaviour: Behaviour,
    served: Arc<Mutex<JoinSet<()>>>,
}

#[derive(Clone)]
struct Behaviour {
    tls: TlsAcceptor,
    most_streams: u32,
    connections: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    /// Bytes sent for `/much`.
    sent: Arc<AtomicUsize>,
}

impl Http2 {
    fn start(most_streams: u32) -> Http2 {
        Http2::offering(&["h2"], most_streams)
    }

    fn offering(protocols: &[&str], most_streams: u32) -> Http2 {
        let mut tls = Authority::new().server("double", false);
        tls.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let (connections, refused, sent) = Default::default();
        let behaviour = Behaviour { tls: Arc::new(tls).into(), most_streams, connections, refused, sent };
        Http2 { behaviour, served: Arc::default() }
    }

    /// Number of connections.
    fn connections(&self) -> usize {
        self.behaviour.connections.load(Ordering::Relaxed)
    }

    /// A pool whose connections are in memory, so that time can be paused.
    fn pool(&self) -> Pool {
        let (behaviour, served) = (self.behaviour.clone(), self.served.clone());
        let route = service_fn(move |_| {
            let (ours, theirs) = duplex(16 << 10);
            served.lock().unwrap().spawn(behaviour.clone().serve(theirs));
            let ours: Box<dyn Proxied> = Box::new(ours);
            ready(Ok(Wire::Right(BufReader::new(ours))))
        });
        let mut pool = pool("https://double");
        pool.dialer.route = Route::new(route);
        pool
    }
}

fn pool(url: &str) -> Pool {
    let tls = Tls { trust: Trust::Anybody, name: None };
    let connector = Connector::new(&url.parse().unwrap(), url, tls, None, None, &Connect::default()).unwrap();
    Pool::new(
        connector.dialer(None).unwrap(),
        ConnectionOptions {
            pace: Pace::default(),
            windows: Arc::new(Windows::new()),
            stats: Stats::default(),
        },
    )
}

impl Behaviour {
    async fn serve(self, stream: DuplexStream) {
        let Ok(stream) = self.tls.accept(stream).await else { return };
        let builder = server::Builder::new().max_concurrent_streams(self.most_streams).clone();
        let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
        self.connections.fetch_add(1, Ordering::Relaxed);
        let mut answers = JoinSet::new();
        while let Some(Ok((request, respond))) = connection.accept().await {
            match request.uri().path() {
                "/deaf" => {
                    let _answering = answer(respond);
                    // Sends the pending answers, then stops reading.
                    let _ = poll_fn(|cx| connection.poll_closed(cx)).now_or_never();
                    std::future::pending::<()>().await;
                }
                "/last" => {
                    connection.graceful_shutdown();
                    answers.spawn(hold(answer(respond)));
                }
                path => {
                    answers.spawn(self.clone().behave(path.to_owned(), respond));
                }
            }
        }
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn behave(self, path: String, mut respond: SendResponse<Bytes>) {
        match path.as_str() {
            "/end" => answer(respond).send_data(Bytes::new(), true).unwrap(),
            "/refused-once" if self.refused.fetch_add(1, Ordering::Relaxed) == 0 => {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
            "/busy" => {
                let mut stream = answer(respond);
                for _ in 0..300 {
                    for _ in 0..20 {
                        stream.send_data(Bytes::from_static(b"line\n"), false).unwrap();
                    }
                    sleep(Duration::from_millis(10)).await;
                }
                stream.send_data(Bytes::new(), true).unwrap();
            }
            "/much" => {
                let mut stream = answer(respond);
                for _ in 0..(1 << 20) / PIECE {
                    stream.reserve_capacity(PIECE);
                    while stream.capacity() < PIECE {
                        if poll_fn(|cx| stream.poll_capacity(cx)).await.is_none() {
                            return;
                        }
                    }
                    stream.send_data(Bytes::from_static(&[b'x'; PIECE]), false).unwrap();
                    self.sent.fetch_add(PIECE, Ordering::Relaxed);
                }
                stream.send_data(Bytes::new(), true).unwrap();
            }
            _ => hold(answer(respond)).await,
        }
    }
}

/// The head of an answer and the first line of its body.
fn answer(mut respond: SendResponse<Bytes>) -> SendStream<Bytes> {
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(b"line\n"), false).unwrap();
    stream
}

async fn hold(mut stream: SendStream<Bytes>) {
    let _ = poll_fn(|cx| stream.poll_reset(cx)).await;
}

async fn open(pool: &Pool, path: &str) -> Result<Body, BoxError> {
    let request = Request::get(format!("https://double{path}")).body(Bytes::new()).unwrap();
    Ok(pool.send(&request, Sharing::Shared, &|| ready(()).boxed()).await?.into_body())
}

async fn open_many(pool: &Pool, count: usize) -> Vec<Body> {
    let opened = join_all((0..count).map(|_| open(pool, "/hold"))).await;
    opened.into_iter().map(Result::unwrap).collect()
}

async fn chunk(body: &mut Body) -> Option<Result<Bytes, BoxError>> {
    poll_fn(|cx| body.poll_chunk(cx)).await
}

async fn length(mut body: Body) -> usize {
    let mut length = 0;
    while let Some(chunk) = chunk(&mut body).await {
        length += chunk.unwrap().len();
    }
    length
}

#[tokio::test(start_paused = true)]
async fn ninety_at_once_share_one_connection() {
    let server = Http2::start(250);
    let pool = server.pool();
    let mut bodies = open_many(&pool, 90).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(chunk(&mut bodies[89]).await.unwrap().unwrap(), "line\n");
}

/// Copies from one side to the other with a delay.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        sleep(delay).await;
        to.write_all(&buffer[..read]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_is_known_from_the_handshake_and_each_answer() {
    let server = Http2::start(100);
    let (behaviour, served) = (server.behaviour.clone(), server.served.clone());
    let mut pool = pool("https://double");
    pool.dialer.route = Route::new(service_fn(move |_| {
        let ((ours, ours_far), (theirs_far, theirs)) = (duplex(16 << 10), duplex(16 << 10));
        let ((out, back), (arrived, answers)) = (split(ours_far), split(theirs_far));
        let one_way = Duration::from_millis(20);
        let mut served = served.lock().unwrap();
        served.spawn(carry(out, answers, one_way));
        served.spawn(carry(arrived, back, one_way));
        served.spawn(behaviour.clone().serve(theirs));
        let ours: Box<dyn Proxied> = Box::new(ours);
        // The connection before the server is slow.
        sleep(Duration::from_secs(1)).map(|()| Ok(Wire::Right(BufReader::new(ours))))
    }));
    let shortest = || pool.dialer.round_trip.shortest().unwrap().as_millis();
    let connection = pool.dialer.dial_http1(&pool.options).await;
    assert!(connection.is_err() && pool.dialer.round_trip.shortest().is_none(), "it has only HTTP/2");
    pool.dialer.dial(&pool.options).await.unwrap();
    assert!((40..130).contains(&shortest()), "{}", shortest());
    open(&pool, "/hold").await.unwrap();
    assert!((40..45).contains(&shortest()), "{}", shortest());
}

#[tokio::test(start_paused = true)]
async fn a_connection_takes_no_more_than_a_hundred_whatever_is_granted() {
    let server = Http2::start(250);
    let _bodies = open_many(&server.pool(), 101).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_server_bounds_a_connection() {
    let server = Http2::start(2);
    let _bodies = open_many(&server.pool(), 5).await;
    assert_eq!(server.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ended_makes_room_for_another() {
    let server = Http2::start(1);
    let pool = server.pool();
    for _ in 0..3 {
        assert_eq!(length(open(&pool, "/end").await.unwrap()).await, "line\n".len());
        drop(open(&pool, "/hold").await.unwrap());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_keeps_its_streams_and_gets_no_new_ones() {
    let server = Http2::start(100);
    let pool = server.pool();
    let mut running = open(&pool, "/last").await.unwrap();
    assert_eq!(chunk(&mut running).await.unwrap().unwrap(), "line\n");
    let _next = open(&pool, "/hold").await.unwrap();
    assert_eq!(server.connections(), 2);
    assert!(chunk(&mut running).now_or_never().is_none(), "it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_refused_stream_is_opened_elsewhere() {
    let server = Http2::start(100);
    let pool = server.pool();
    let _running = open(&pool, "/hold").await.unwrap();
    open(&pool, "/refused-once").await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_not_taken_waits_for_its_turn_again() {
    let server = Http2::start(100);
    let (pool, began) = (server.pool(), Instant::now());
    let _running = open(&pool, "/hold").await.unwrap();
    let request = Request::get("https://double/refused-once").body(Bytes::new()).unwrap();
    let turn = || sleep(Duration::from_secs(7)).boxed();
    assert!(pool.send(&request, Sharing::Shared, &turn).await.is_ok());
    assert!(began.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_answers_no_ping_ends_its_streams() {
    let server = Http2::start(100);
    let pool = server.pool();
    let mut body = open(&pool, "/deaf").await.unwrap();
    assert_eq!(chunk(&mut body).await.unwrap().unwrap(), "line\n");
    let error = chunk(&mut body).await.unwrap().unwrap_err();
    let error = Error::from_http("https://double", &*error);
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_retryable() && error.to_string().contains("no longer answers pings"), "{error}");
    assert!(open(&pool, "/hold").await.is_ok(), "the next one gets another connection");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_silent_for_hours_is_left_alone() {
    let server = Http2::start(100);
    let pool = server.pool();
    let mut body = open(&pool, "/hold").await.unwrap();
    chunk(&mut body).await.unwrap().unwrap();
    assert!(timeout(Duration::from_secs(36_000), chunk(&mut body)).await.is_err());
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unused_connection_is_closed() {
    let server = Http2::start(100);
    let pool = server.pool();
    length(open(&pool, "/end").await.unwrap()).await;
    sleep(Duration::from_secs(120)).await;
    assert_eq!(server.connections(), 0);
    open(&pool, "/hold").await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn unread_streams_do_not_keep_others_waiting() {
    let server = Http2::start(100);
    let pool = server.pool();
    let stalled = join_all((0..99).map(|_| open(&pool, "/much"))).await;
    assert_eq!(length(open(&pool, "/much").await.unwrap()).await, (1 << 20) + 5);
    assert_eq!(server.connections(), 1);
    for body in stalled {
        assert_eq!(length(body.unwrap()).await, (1 << 20) + 5, "they go on when they are read");
    }
}

#[tokio::test(start_paused = true)]
async fn many_unread_streams_are_sent_little_and_few_are_sent_much() {
    let server = Http2::start(100);
    let (pool, sent) = (server.pool(), || server.behaviour.sent.load(Ordering::Relaxed));
    let few = open(&pool, "/much").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(sent() >= 1000 << 10, "{}", sent());
    // They come one after the other; the first ones get the largest windows.
    let mut many = Vec::new();
    for _ in 0..300 {
        many.push(open(&pool, "/much").await.unwrap());
        sleep(Duration::from_millis(10)).await;
    }
    assert!(sent() < 64 * MOST, "{}", sent());
    for body in many.into_iter().step_by(30) {
        assert_eq!(length(body).await, (1 << 20) + 5, "they go on when they are read");
    }
    drop(few);
    sleep(Duration::from_secs(1)).await;
    let before = sent();
    let few = open(&pool, "/much").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(sent() - before >= 1000 << 10, "{}", sent() - before);
    drop(few);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_pool_and_its_streams_closes_the_connections() {
    let server = Http2::start(1);
    let pool = server.pool();
    let bodies = open_many(&pool, 3).await;
    drop(pool);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.connections(), 3, "what streams goes on");
    drop(bodies);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_connection_that_fails_fail_with_it() {
    let dialed = Arc::<AtomicUsize>::default();
    let counted = dialed.clone();
    let mut pool = pool("https://double");
    pool.dialer.route = Route::new(service_fn(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).map(|()| Err("out of order".into()))
    }));
    let failed = join_all((0..20).map(|_| open(&pool, "/hold"))).await;
    assert!(failed.iter().all(Result::is_err));
    assert_eq!(dialed.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_http2_a_connection_is_used_again_when_its_answer_was_read() {
    let server = Server::start((0..3).map(|_| ok("line\n")).collect()).await;
    let pool = pool(&server.url());
    for _ in 0..3 {
        assert_eq!(length(open(&pool, "/").await.unwrap()).await, "line\n".len());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_answer_over_a_connection_that_rested_is_read_at_once() {
    const LATENCY: Duration = Duration::from_secs(20);
    let server = Server::start((0..5).map(|_| ok("line\n")).collect()).await;
    let mut pool = pool(&server.url());
    pool.options.pace.latency = LATENCY;
    let begun = Instant::now();
    for _ in 0..5 {
        assert_eq!(length(open(&pool, "/").await.unwrap()).await, "line\n".len());
    }
    assert_eq!(server.connections(), 1);
    assert!(begun.elapsed() < LATENCY, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn as_many_connections_as_were_used_at_once_are_used_again() {
    const AT_ONCE: usize = 50;
    let server = Server::start((0..3 * AT_ONCE).map(|_| ok("line\n")).collect()).await;
    let pool = pool(&server.url());
    for _ in 0..3 {
        let bodies = join_all((0..AT_ONCE).map(|_| open(&pool, "/"))).await;
        for body in bodies {
            assert_eq!(length(body.unwrap()).await, "line\n".len());
        }
    }
    assert_eq!(server.connections(), AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn a_stream_reports_when_it_is_busy() {
    let pool = Http2::start(100).pool();
    let (mut busy, mut quiet) = (open(&pool, "/busy").await.unwrap(), open(&pool, "/hold").await.unwrap());
    chunk(&mut quiet).await.unwrap().unwrap();
    let mut was_busy = false;
    while chunk(&mut busy).await.is_some() {
        was_busy |= busy.is_busy();
    }
    assert!(was_busy && !quiet.is_busy());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_served_a_busy_log_is_not_taken_where_requests_share_one() {
    let pool = Http2::offering(&["h2", "http/1.1"], 100).pool();
    let idle = pool.dialer.dial_http1(&pool.options).await.unwrap();
    pool.idle.put(Box::new(idle));
    let request = Request::get("https://double/hold").body(Bytes::new()).unwrap();
    let answer = pool.send(&request, Sharing::Shared, &|| panic!("it was sent over the other one")).await;
    assert!(matches!(answer.unwrap().into_body(), Body::Http2(_)));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_busy_shares_where_the_server_has_only_http2() {
    let server = Http2::start(100);
    let request = Request::get("https://double/hold").body(Bytes::new()).unwrap();
    assert!(matches!(
        server.pool().send(&request, Sharing::Alone, &|| ready(()).boxed()).await.unwrap().into_body(),
        Body::Http2(_)
    ));
}

/// No request follows that would look for one.
#[tokio::test(start_paused = true)]
async fn a_connection_that_was_closed_keeps_no_buffers() {
    let server = Http2::start(100);
    let pool = server.pool();
    length(open(&pool, "/end").await.unwrap()).await;
    let connection = pool.state().shared[0].clone();
    assert!(!connection.is_closed() && connection.holds_buffers());
    sleep(Duration::from_secs(120)).await;
    assert!(connection.is_closed() && !connection.holds_buffers());
}
