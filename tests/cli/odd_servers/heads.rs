//! Heads and bodies of HTTP that are unusual.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use apiserver::{Answer, Match};

use crate::harness::{Ran, World, stern_rs};

/// Runs against a server that answers every request with these bytes and closes the connection.
fn run(answer: impl Into<Vec<u8>>) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), answer.into());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    stern_rs(&format!("web --no-follow --server http://{address}")).run()
}

const LIST: &str = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[]}";
const EMPTY: &str = "no container matches in namespace \"default\"";

fn with_headers(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{LIST}", LIST.len())
}

#[test]
fn many_and_long_headers_are_read() {
    let many: String = (0..3000).map(|n| format!("x-header-{n}: value\r\n")).collect();
    run(with_headers(&many)).reported(EMPTY).exit(0);
    let long = format!("set-cookie: {}\r\n", "x".repeat(900 << 10));
    run(with_headers(&long)).reported(EMPTY).exit(0);
    let endless = format!("set-cookie: {}\r\n", "x".repeat(1100 << 10));
    run(with_headers(&endless)).fails_with(1, &["the head of an answer from http://", "more than 1 MiB"]);
}

#[test]
fn a_head_that_is_not_as_http_writes_it_is_refused() {
    for head in [
        "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n",
        "HTTP/1.1 200 OK\r\nx : a\r\n",
        "HTTP/1.1 200 OK\r\n: a\r\n",
        "HTTP/1.1 200 OK\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nx: a\rb\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n",
        "HTTP/1.1 000 OK\r\n",
        "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 +20 OK\r\n",
        "HTTP/2.0 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n",
    ] {
        let ran = run(format!("{head}\r\n{LIST}"));
        ran.fails_with(
            1,
            &[
                "http://",
                "did not answer in valid HTTP (",
                "does not look like a Kubernetes API server; check the address",
            ],
        );
    }
}

#[test]
fn lines_of_a_head_may_end_as_in_go() {
    run(format!("HTTP/1.1 200 OK\ncontent-length: {}\n\n{LIST}", LIST.len())).reported(EMPTY).exit(0);
}

#[test]
fn a_status_that_no_apiserver_answers_is_named() {
    for status in
        ["101 Switching Protocols", "204 No Content", "206 Partial Content", "301 Moved Permanently"]
    {
        let ran = run(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{LIST}", LIST.len()));
        ran.fails_with(1, &["http://", &format!(" answered {status}, which no Kubernetes API server does")]);
    }
    run(format!("HTTP/1.1 999 Odd\r\n\r\n{LIST}")).fails_with(1, &["http://", " answered 999"]);
}

#[test]
fn the_case_of_names_does_not_matter() {
    let text = format!("HTTP/1.1 200 OK\r\nCONTENT-LENGTH: {}\r\nConTent-Type: x\r\n\r\n{LIST}", LIST.len());
    run(text).reported(EMPTY).exit(0);
}

#[test]
fn servers_of_http_1_0_are_understood() {
    run(format!("HTTP/1.0 200 OK\r\n\r\n{LIST}")).reported(EMPTY).exit(0);
}

#[test]
fn chunks_may_have_extensions_and_trailers() {
    let size = LIST.len();
    let chunks = format!("{size:x};name=\"value\"\r\n{LIST}\r\n0;last\r\nx-checksum: 7\r\n\r\n");
    run(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n{chunks}")).reported(EMPTY).exit(0);
}

#[test]
fn lengths_that_contradict_are_refused() {
    for headers in
        ["content-length: +65\r\n", "content-length: 1\r\ncontent-length: 2\r\n", "content-length: x\r\n"]
    {
        let ran = run(format!("HTTP/1.1 200 OK\r\n{headers}\r\n{LIST}"));
        ran.fails_with(1, &["a content length that is none"]);
    }
    let same =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {0}\r\ncontent-length: {0}\r\n\r\n{LIST}", LIST.len());
    run(same).reported(EMPTY).exit(0);
}

#[test]
fn many_headers_of_http_2_are_read() {
    let world = World::of(apiserver::ApiServer::builder().tls());
    let list = world.pod_list("default").to_string();
    let answer =
        (0..300).fold(Answer::text(200, &list), |answer, n| answer.header(&format!("x-{n}"), "value"));
    world.on(Match::lists()).always(answer);
    world.run("web --no-follow").reported(EMPTY).exit(0);
}
