//! TLS, HTTP/2, proxies, and servers that go down and come up.

use std::{
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use apiserver::{After, Answer, ApiServer, Builder, Match, Pod, Proxy};
use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use crate::client::{get, open, request};

const PODS: &str = "/api/v1/namespaces/default/pods";
const FOLLOW: &str = "/api/v1/namespaces/default/pods/web-1/log?follow=true";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

type Sender = SendRequest<Empty<Bytes>>;

async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn plain_http2(server: &ApiServer) -> Sender {
    http2(TcpStream::connect(server.address()).await.unwrap()).await
}

async fn ask(sender: &mut Sender, path: &str) -> hyper::Result<http::Response<hyper::body::Incoming>> {
    let request = Request::get(format!("http://double{path}")).body(Empty::new()).unwrap();
    sender.ready().await?;
    sender.send_request(request).await
}

/// Connects with TLS and offers HTTP/2.
async fn tls(server: &ApiServer, certificate: bool) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = if certificate {
        let (pem, key) = server.client_pems().unwrap();
        let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
        config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
    } else {
        config.with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

fn web(builder: Builder) -> ApiServer {
    let server = builder.start();
    server.add_pod(Pod::new("web-1"));
    server.log("web-1/app").push("hello");
    server
}

#[test]
fn http2_is_chosen_within_tls() {
    let server = ApiServer::builder().tls().start();
    block_on(async {
        let mut sender = http2(tls(&server, false).await).await;
        assert_eq!(ask(&mut sender, PODS).await.unwrap().status(), StatusCode::OK);
    });
    assert_eq!(server.requests()[0].version, Version::HTTP_2);
}

#[test]
fn http2_is_not_offered_where_it_is_off() {
    let server = ApiServer::builder().tls().http1().start();
    let stream = block_on(tls(&server, false));
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[test]
fn a_client_certificate_or_else_401() {
    let server = ApiServer::builder().client_certificate().start();
    let status = async |certificate| {
        let mut sender = http2(tls(&server, certificate).await).await;
        ask(&mut sender, PODS).await.unwrap().status()
    };
    assert_eq!(block_on(status(true)), StatusCode::OK);
    assert_eq!(block_on(status(false)), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_kubeconfig_holds_all_that_is_demanded() {
    let server = ApiServer::builder().client_certificate().token("secret").start();
    let config = server.kubeconfig();
    assert!(config.contains(&format!("server: {}", server.url())));
    for part in ["certificate-authority-data", "client-certificate-data", "client-key-data", "token: secret"]
    {
        assert!(config.contains(part), "{part} is missing in\n{config}");
    }
}

#[test]
fn many_streams_share_one_http2_connection() {
    let server = web(ApiServer::builder());
    block_on(async {
        let mut sender = plain_http2(&server).await;
        let mut bodies = Vec::new();
        for _ in 0..100 {
            bodies.push(ask(&mut sender, FOLLOW).await.unwrap().into_body());
        }
        for body in &mut bodies {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello\n");
        }
        assert_eq!((server.account().connections, server.account().open_log_streams), (1, 100));
    });
}

#[test]
fn streams_of_one_http2_connection_have_a_limit() {
    let server = web(ApiServer::builder().max_streams(2));
    block_on(async {
        let mut sender = plain_http2(&server).await;
        let first = ask(&mut sender, FOLLOW).await.unwrap();
        let _second = ask(&mut sender, FOLLOW).await.unwrap();
        let mut other = sender.clone();
        let third = tokio::spawn(async move { ask(&mut other, FOLLOW).await.unwrap() });
        // Only once there is room.
        drop(first);
        third.await.unwrap();
        assert_eq!(server.account().peak_log_streams, 2);
    });
}

#[test]
fn a_cut_resets_only_its_stream_on_http2() {
    let server = web(ApiServer::builder());
    block_on(async {
        let mut sender = plain_http2(&server).await;
        let mut body = ask(&mut sender, FOLLOW).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello\n");
        server.cut(Match::logs());
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(ask(&mut sender, PODS).await.unwrap().status(), StatusCode::OK);
    });
}

#[test]
fn a_cut_is_exact_on_http2_too() {
    let server = web(ApiServer::builder());
    server.log("web-1/app").extend((0..1000).map(|_| [b'x'; 99]));
    server.on(Match::logs()).then(Answer::ok().cut_after(After::Bytes(50_000)));
    block_on(async {
        let mut body = ask(&mut plain_http2(&server).await, FOLLOW).await.unwrap().into_body();
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.into_data().unwrap().len();
        }
        assert_eq!(bytes, 50_000);
    });
}

#[test]
fn going_away_lets_open_streams_end_and_no_new_ones_begin() {
    let server = web(ApiServer::builder());
    block_on(async {
        let mut sender = plain_http2(&server).await;
        let mut body = ask(&mut sender, FOLLOW).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello\n");
        server.go_away();
        while ask(&mut sender, PODS).await.is_ok() {}
        server.log("web-1/app").push("still here");
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "still here\n");
    });
}

#[test]
fn a_server_that_is_down_refuses_until_it_is_up_again() {
    let server = web(ApiServer::builder());
    let mut stream = open(&server, FOLLOW);
    server.down();
    assert!(stream.chunks().1.is_err());
    let refused = request(server.address(), PODS, &[]).map(drop).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    server.up();
    assert_eq!(get(&server, PODS).0, 200);
}

#[test]
fn all_connections_can_be_reset() {
    let server = web(ApiServer::builder());
    let mut stream = open(&server, FOLLOW);
    assert_eq!(stream.next(), "hello\n");
    server.reset_connections();
    assert_eq!(stream.chunks().1.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_stopped_server_closes_everything() {
    let server = web(ApiServer::builder());
    let mut stream = open(&server, FOLLOW);
    assert_eq!(stream.next(), "hello\n");
    drop(server);
    assert!(stream.chunks().1.is_err());
}

#[test]
fn a_proxy_passes_requests_on_and_notes_where_they_went() {
    let server = web(ApiServer::builder());
    let proxy = Proxy::start();
    let address = proxy.url().trim_start_matches("http://").parse().unwrap();
    let url = format!("{}{PODS}", server.url());
    assert_eq!(request(address, &url, &[]).unwrap().status, 200);
    assert_eq!(proxy.targets(), [url]);
}

#[test]
fn a_proxy_opens_tunnels() {
    use std::io::{Read, Write};
    let server = web(ApiServer::builder());
    let proxy = Proxy::start();
    proxy.require("Basic dTpw");
    let target = server.address().to_string();
    let connect = |credentials: &str| {
        let mut stream = std::net::TcpStream::connect(proxy.url().trim_start_matches("http://")).unwrap();
        write!(stream, "CONNECT {target} HTTP/1.1\r\nhost: x\r\nproxy-authorization: {credentials}\r\n\r\n")
            .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, String::from_utf8_lossy(&status).into_owned())
    };
    assert_eq!(connect("Basic none").1, "HTTP/1.1 407");
    let (mut stream, status) = connect("Basic dTpw");
    assert_eq!(status, "HTTP/1.1 200");
    write!(stream, "GET {PODS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("PodList"));
    assert_eq!(proxy.targets(), [target.as_str(), &target]);
}

#[test]
fn a_distant_server_answers_two_round_trips_after_the_connect() {
    let far = Duration::from_millis(60);
    let server = ApiServer::builder().round_trip(far).start();
    server.add_pod(Pod::new("web-1"));
    let began = Instant::now();
    assert_eq!(get(&server, PODS).0, 200);
    assert!(began.elapsed() >= 2 * far, "{:?}", began.elapsed());
}

#[test]
fn an_answer_of_a_distant_server_arrives_up_to_its_break() {
    let server = ApiServer::builder().round_trip(Duration::from_millis(20)).start();
    server.add_pod(Pod::new("web-1"));
    server.log("web-1/app").extend(["one", "two", "three"]);
    server.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(2)));
    let (chunks, end) = open(&server, FOLLOW).chunks();
    assert_eq!(chunks, ["one\n", "two\n"]);
    assert!(end.is_err());
}

#[test]
fn a_goaway_is_understood_within_tls() {
    let server = web(ApiServer::builder().tls());
    block_on(async {
        let mut sender = http2(tls(&server, false).await).await;
        let mut log = ask(&mut sender, FOLLOW).await.unwrap().into_body();
        log.frame().await.unwrap().unwrap();
        server.go_away_at_once(1);
        assert!(log.frame().await.unwrap().is_err());
    });
    server.wait_for(|account| account.open_connections == 0);
}
