//! A server in memory that can be stopped as by SIGSTOP: connections stay open without data.

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::service_fn;

use super::super::{
    super::{
        http::{
            route::Route,
            stream::{Proxied, Wire},
        },
        logs::LogRequest,
        testing::{Authority, Machine, log_request},
    },
    *,
};

#[derive(Clone)]
struct Double {
    tls: TlsAcceptor,
    stopped: watch::Sender<bool>,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: Arc<Mutex<JoinSet<()>>>,
    status: u16,
}

impl Double {
    fn new(protocol: &str) -> Double {
        let mut tls = Authority::new().server("double", false);
        tls.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let (asked, tasks) = Default::default();
        Double { tls: Arc::new(tls).into(), stopped: watch::Sender::new(false), asked, tasks, status: 200 }
    }

    /// Number of probes.
    fn probes(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.as_str() == "/version").count()
    }

    fn transport(&self) -> Transport {
        let cluster = "server: 'https://double', insecure-skip-tls-verify: true";
        let settings = Machine::with(cluster, "token: t").settle(&Connect::default()).unwrap();
        let limits = Limits {
            qps: None,
            burst: 1,
            log_requests: crate::plan::LogRequests::fixed(1),
            max_streams_per_node: 1,
            max_bandwidth: None,
            latency: Duration::from_millis(5),
        };
        let made = Transport::new(settings, &Connect::default(), &limits, None, Stats::default());
        let mut transport = made.unwrap();
        let double = self.clone();
        transport.connector.route = Route::new(service_fn(move |_| {
            let ((ours, wire), (far, theirs)) = (duplex(1 << 16), duplex(1 << 16));
            let mut tasks = double.tasks.lock().unwrap();
            let ((from_us, to_us), (from_them, to_them)) = (split(wire), split(far));
            tasks.spawn(double.clone().carry(from_us, to_them));
            tasks.spawn(double.clone().carry(from_them, to_us));
            tasks.spawn(double.clone().serve(theirs));
            let ours: Box<dyn Proxied> = Box::new(ours);
            ready(Ok(Wire::Right(BufReader::new(ours))))
        }));
        let pools = Pools::new(&transport.connector, &transport.log_options, None).unwrap();
        transport.pools = Mutex::new(pools);
        transport
    }

    async fn carry(self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let (mut stopped, mut bytes) = (self.stopped.subscribe(), [0; 4096]);
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let _ = stopped.wait_for(|stopped| !stopped).await;
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    }

    async fn serve(self, stream: DuplexStream) {
        let Ok(stream) = self.tls.accept(stream).await else { return };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(stream).await;
        } else {
            self.serve_http1(stream).await;
        }
    }

    /// Logs have a line every five seconds, except for `mute`, which does not even send its head.
    async fn serve_http2(self, stream: TlsStream<DuplexStream>) {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        let mut answers = JoinSet::new();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let path = request.uri().path().to_owned();
            self.asked.lock().unwrap().push(path.clone());
            let status = self.status;
            answers.spawn(async move {
                if path.contains("/mute/") {
                    sleep(Duration::MAX).await;
                }
                let head = Response::builder().status(status).body(()).unwrap();
                let mut body = respond.send_response(head, false).unwrap();
                while path.ends_with("/log") && body.send_data(Bytes::from_static(b"line\n"), false).is_ok() {
                    sleep(Duration::from_secs(5)).await;
                }
                let _ = body.send_data(Bytes::from_static(b"{}"), true);
            });
        }
    }

    async fn serve_http1(self, mut stream: TlsStream<DuplexStream>) {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let path = head.split([' ', '?']).nth(1).unwrap().to_owned();
            self.asked.lock().unwrap().push(path.clone());
            if path.contains("/mute/") {
                sleep(Duration::MAX).await;
            }
            let answer = format!("HTTP/1.1 {} X\r\n", self.status);
            if path.ends_with("/log") {
                let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
                while stream.write_all(b"line\n").await.is_ok() {
                    sleep(Duration::from_secs(5)).await;
                }
                return;
            }
            let _ = stream.write_all(format!("{answer}content-length: 2\r\n\r\n{{}}").as_bytes()).await;
        }
    }
}

/// Lists something: from then on the server is known.
async fn list(transport: &Transport) {
    let request = Request::get("/api/v1/pods").body(Bytes::new()).unwrap();
    transport.send(request, Purpose::List, AnswerMode::Whole, None).await.unwrap();
}

/// Runs the story while silence is probed.
async fn probing<T>(transport: &Transport, story: impl Future<Output = T>) -> T {
    tokio::select! {
        result = story => result,
        never = transport.probe_whenever_silent() => match never {},
    }
}

const PROTOCOLS: [&str; 2] = ["http/1.1", "h2"];

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_known_to_within_twenty_seconds_once_and_so_is_its_end() {
    for protocol in PROTOCOLS {
        let double = Double::new(protocol);
        let transport = double.transport();
        let mut outage = transport.outage.subscribe();
        list(&transport).await;
        let story = async {
            sleep(Duration::from_secs(45)).await;
            assert!(outage.borrow().is_none(), "{protocol}");
            double.stopped.send_replace(true);
            let hangs = Instant::now();
            let error = outage.wait_for(Option::is_some).await.unwrap().clone().unwrap();
            assert!(hangs.elapsed() <= Duration::from_secs(18), "{protocol}: {:?}", hangs.elapsed());
            assert_eq!(error.to_string(), "no answer from https://double within 7s");
            sleep(Duration::from_secs(180)).await;
            assert!(!outage.has_changed().unwrap(), "{protocol}: it is reported once");
            double.stopped.send_replace(false);
            let back = Instant::now();
            outage.wait_for(Option::is_none).await.unwrap();
            assert!(back.elapsed() <= Duration::from_secs(10), "{protocol}: {:?}", back.elapsed());
            sleep(Duration::from_secs(180)).await;
            assert!(!outage.has_changed().unwrap(), "{protocol}: and so is its end");
        };
        probing(&transport, story).await;
    }
}

/// Streams that survive an outage go on, and no other request is answered.
#[tokio::test(start_paused = true)]
async fn an_outage_ends_though_a_stream_goes_on() {
    for protocol in PROTOCOLS {
        let double = Double::new(protocol);
        let transport = double.transport();
        let mut outage = transport.outage.subscribe();
        let mut stream = log_request().open(&transport).await.unwrap();
        let lines = async { while let Some(Ok(_)) = stream.next().await {} };
        let story = async {
            double.stopped.send_replace(true);
            outage.wait_for(Option::is_some).await.unwrap();
            double.stopped.send_replace(false);
            let end = timeout(Duration::from_secs(12), outage.wait_for(Option::is_none)).await;
            assert!(end.is_ok(), "{protocol}");
        };
        tokio::select! {
            () = probing(&transport, story) => {}
            () = lines => panic!("{protocol}: the stream ended"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_heard_is_not_asked() {
    for protocol in PROTOCOLS {
        let double = Double::new(protocol);
        let transport = double.transport();
        let mut stream = log_request().open(&transport).await.unwrap();
        let options = async { while let Some(Ok(_)) = stream.next().await {} };
        let _ = timeout(Duration::from_secs(600), probing(&transport, options)).await;
        assert_eq!(double.probes(), 0, "{protocol}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_server_is_asked_every_ten_seconds_and_any_answer_will_do() {
    for protocol in PROTOCOLS {
        for status in [200, 401, 403, 404] {
            let double = Double { status, ..Double::new(protocol) };
            let transport = double.transport();
            let outage = transport.outage.subscribe();
            let _ = log_request().open(&transport).await;
            probing(&transport, sleep(Duration::from_secs(600))).await;
            assert!((55..=60).contains(&double.probes()), "{protocol} {status}: {}", double.probes());
            assert!(outage.borrow().is_none(), "{protocol} {status}");
        }
    }
}

/// Nothing was sent to the server yet: a plugin may still be getting the credentials.
#[tokio::test(start_paused = true)]
async fn a_server_without_credentials_at_hand_is_not_asked() {
    let double = Double::new("h2");
    let mut transport = double.transport();
    let source = crate::cluster::access::auth::Source::TokenFile { path: "/nowhere".into(), fallback: None };
    transport.auth = Auth::new(source, Waits::default());
    probing(&transport, sleep(Duration::from_secs(60))).await;
    assert!(double.asked.lock().unwrap().is_empty());
}

/// Other requests are answered, or send lines: the apiserver works.
#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_is_no_outage_of_the_apiserver() {
    for protocol in PROTOCOLS {
        for (busy, limit) in [(false, None), (true, None), (false, Some(Duration::from_secs(5)))] {
            let double = Double::new(protocol);
            let mut transport = double.transport();
            transport.request_timeout = limit;
            let outage = transport.outage.subscribe();
            list(&transport).await;
            let mute = LogRequest { pod: "mute".into(), ..log_request() };
            let mut lines = log_request().open(&transport).await.unwrap();
            let others = async {
                while busy && let Some(Ok(_)) = lines.next().await {}
                sleep(Duration::MAX).await;
            };
            let story = async {
                tokio::select! {
                    opened = mute.open(&transport) => opened.err().expect("it never begins"),
                    () = others => unreachable!("for ever"),
                }
            };
            let error = probing(&transport, story).await;
            assert!(error.is_retryable() && !error.is_outage(), "{protocol}: {error}");
            assert!(outage.borrow().is_none(), "{protocol}");
        }
    }
}
