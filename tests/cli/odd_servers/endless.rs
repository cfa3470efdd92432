//! Servers that send for ever: each is named and left once it has sent more than any honest server does.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use apiserver::{Answer, Match};
use serde_json::json;

use crate::harness::{Ran, World, stern_rs};

/// Runs against a server whose answer to a request is written by this function.
fn run(
    flags: &str,
    answer: impl Fn(&mut TcpStream, usize) -> std::io::Result<()> + Send + Sync + 'static,
) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut requests = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The program leaves in the middle of a request or an answer.
            while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                requests += 1;
                if answer(&mut stream, requests).is_err() {
                    break;
                }
            }
        }
    });
    stern_rs(&format!("web --qps -1 --server http://{address} {flags}")).run()
}

/// Runs against a server whose every answer begins like this and goes on with this for ever.
fn endless(begin: &str, piece: impl Into<Vec<u8>>) -> Ran {
    let (begin, piece) = (begin.to_owned(), piece.into());
    run("--no-follow", move |stream, _| {
        stream.write_all(begin.as_bytes())?;
        loop {
            stream.write_all(&piece)?;
        }
    })
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

const NO_APISERVER: &str = "which is too much; perhaps it is no Kubernetes API server";

/// A page without pods, and the token of the next.
fn page(stream: &mut TcpStream, token: &str) -> std::io::Result<()> {
    let list = json!({"kind": "PodList", "metadata": {"continue": token}, "items": []}).to_string();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{list}", list.len())
}

#[test]
fn an_answer_without_end_is_left() {
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(64 << 10));
    let words = "has more than 256 MiB, which is too much; if that is right, a namespace or a selector";
    endless(CHUNKED, chunk).fails_with(1, &["an answer from http://", words]);
}

#[test]
fn a_refusal_without_end_is_cut_and_its_status_counts() {
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(64 << 10));
    for (status, words) in [("500 Oops", "the server answered 500"), ("401 No", "does not accept requests")] {
        let head = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n");
        endless(&head, chunk.clone()).fails_with(1, &[words, "“xxx"]);
    }
}

#[test]
fn extensions_and_trailers_without_end_are_left() {
    let words = ["the framing of an answer from http://", " has more than 64 KiB", NO_APISERVER];
    endless(&format!("{CHUNKED}5;"), "x".repeat(4096)).fails_with(1, &words);
    endless(CHUNKED, "1;a=b\r\n \r\n").fails_with(1, &words);
    endless(&format!("{CHUNKED}2\r\n{{}}\r\n0\r\n"), "x: y\r\n").fails_with(1, &words);
}

#[test]
fn interim_answers_without_end_are_left() {
    let words = ["the head of an answer from http://", " has more than 20 interim answers", NO_APISERVER];
    endless("", "HTTP/1.1 103 Early Hints\r\n\r\n").fails_with(1, &words);
}

#[test]
fn a_head_without_end_is_left() {
    let words = ["the head of an answer from http://", " has more than 1 MiB", NO_APISERVER];
    endless("HTTP/1.1 200 OK\r\n", "x: y\r\n").fails_with(1, &["more than 16384 headers", NO_APISERVER]);
    endless("HTTP/1.1 200 OK\r\nx: ", "x".repeat(100)).fails_with(1, &words);
}

#[test]
fn compressed_bytes_that_become_nothing_are_left() {
    let member = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(100);
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n";
    let words = "the compression of an answer from http://";
    endless(head, member).fails_with(1, &[words, "more than 65536 bytes that become nothing", NO_APISERVER]);
}

#[test]
fn a_list_whose_next_page_is_always_the_same_is_left() {
    let ran = run("--no-follow", |stream, _| page(stream, "again"));
    ran.fails_with(
        1,
        &["a list from http://", " has no end: the page that comes next is the same as before"],
    );
}

#[test]
fn a_list_of_ever_more_pages_is_left() {
    let ran = run("--no-follow", |stream, count| page(stream, &count.to_string()));
    ran.fails_with(1, &["a list from http://", " has more than 500000 objects, which is too much"]);
}

#[test]
fn a_token_for_the_next_page_is_no_document() {
    let ran = run("--no-follow", |stream, _| page(stream, &"x".repeat(17 << 10)));
    ran.fails_with(1, &["the token for the next page of a list from http://", " has more than 16 KiB"]);
}

#[test]
fn the_request_timeout_bounds_all_pages_of_a_list() {
    let ran = run("--no-follow --request-timeout 1s", |stream, count| {
        thread::sleep(std::time::Duration::from_millis(10));
        page(stream, &count.to_string())
    });
    ran.fails_with(1, &["no complete answer from http://", " within 1s: raise --request-timeout"]);
}

#[test]
fn a_page_that_is_too_long_is_requested_in_smaller_ones() {
    let world = World::web(["a"]);
    let long = Answer::text(200, &" ".repeat(257 << 20));
    world.on(Match::lists().query("limit", "500")).always(long);
    world.run("web --no-follow").stdout("web-1 app a\n").exit(0);
    let few = world.requests().lists().filter(|list| list.query("limit") == Some("50"));
    assert_eq!(few.len(), 1);
}

#[test]
fn an_event_without_end_is_left_and_the_watch_begun_again() {
    for event in ["x", "\n", "{\"type\":\"NEWS\",\"object\":{}}\n"] {
        let world = World::web(["a"]);
        let text = format!("{{\"type\":\"ADDED\",\"object\":{{\"{}", event.repeat((17 << 20) / event.len()));
        let text = if event == "x" { text } else { event.repeat((17 << 20) / event.len()) };
        world.on(Match::watches()).then(Answer::text(200, &text));
        let mut tail = world.start("web");
        tail.expect("web-1 app a");
        tail.reported("! an event of a watch from http://");
        world.pod("web-2", ["b"]);
        tail.expect("web-2 app b");
        tail.interrupt().reported("has more than 16 MiB, which is too much").exit(130);
    }
}

#[test]
fn a_pause_without_end_is_cut() {
    let world = World::web(["a"]);
    world.on(Match::lists()).always(Answer::too_many_requests(u32::MAX));
    let tail = world.start("web --no-follow");
    tail.reported(
        "asked clients to wait 4294967295 s (Retry-After), of which 300 s are waited; trying again",
    );
    tail.interrupt().exit(130);
}
