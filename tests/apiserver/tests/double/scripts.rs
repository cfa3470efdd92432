//! Scripted faults, refusals, and the account.

use std::{io::ErrorKind, time::Duration};

use apiserver::{After, Answer, ApiServer, Chunks, Ended, Gate, Match, Pod};

use crate::client::{get, message, open, request};

const PODS: &str = "/api/v1/namespaces/default/pods";
const LOG: &str = "/api/v1/namespaces/default/pods/web-1/log";

fn web(lines: &[&str]) -> ApiServer {
    let server = ApiServer::start();
    server.add_pod(Pod::new("web-1"));
    server.log("web-1/app").extend(lines);
    server
}

#[test]
fn answers_are_given_in_turn() {
    let server = web(&["hello"]);
    server.on(Match::logs()).then(Answer::too_many_requests(7)).then(Answer::unavailable());
    let first = open(&server, LOG);
    assert_eq!((first.status, first.header("retry-after")), (429, Some("7")));
    assert_eq!(get(&server, LOG).0, 503);
    assert_eq!(get(&server, LOG).0, 200);
}

#[test]
fn a_script_is_only_for_what_it_matches() {
    let server = web(&[]);
    server.on(Match::logs().path("/web-2/")).always(Answer::unauthorized());
    server.on(Match::lists().query("limit", "5").nth(2)).always(Answer::expired());
    assert_eq!(get(&server, LOG).0, 200);
    assert_eq!(get(&server, &format!("{PODS}?limit=5")).0, 200);
    assert_eq!(get(&server, &format!("{PODS}?limit=5")).0, 410);
    assert_eq!(get(&server, PODS).0, 200);
}

#[test]
fn connections_are_reset_or_closed_before_an_answer() {
    let server = web(&[]);
    server.on(Match::any()).then(Answer::reset()).then(Answer::close());
    let error = |_| request(server.address(), PODS, &[]).map(drop).unwrap_err().kind();
    assert_eq!([(), ()].map(error), [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof]);
    server.wait_for(|account| account.open_connections == 0);
    assert!(server.requests().iter().all(|request| request.ended() == Some(Ended::Broken)));
}

#[test]
fn a_reset_comes_after_so_many_lines() {
    let server = web(&["one", "two"]);
    server.on(Match::logs()).then(Answer::ok().reset_after(After::Lines(1)));
    let (chunks, end) = open(&server, LOG).chunks();
    assert_eq!(chunks, ["one\n"]);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_followed_log_ends_as_if_it_were_complete() {
    let server = web(&["one", "two"]);
    server.on(Match::logs()).then(Answer::ok().end_after(After::Lines(1)));
    assert_eq!(get(&server, &format!("{LOG}?follow=true")).1, "one\n");
    assert_eq!(server.requests()[0].ended(), Some(Ended::Complete));
}

#[test]
fn text_is_put_among_lines() {
    let server = web(&["one", "two"]);
    server.on(Match::logs()).then(Answer::ok().insert_after(After::Lines(1), "unexpected EOF\n"));
    assert_eq!(get(&server, LOG).1, "one\nunexpected EOF\ntwo\n");
}

#[test]
fn lists_are_cut_short_too() {
    let server = web(&[]);
    server.on(Match::lists()).then(Answer::ok().cut_after(After::Bytes(20)));
    let (chunks, end) = open(&server, PODS).chunks();
    assert_eq!((chunks.concat().len(), end.is_err()), (20, true));
}

#[test]
fn a_watch_ends_after_so_many_events() {
    let server = web(&[]);
    server.add_pod(Pod::new("web-2"));
    let script = server.on(Match::watches());
    script.then(Answer::ok().end_after(After::Lines(1))).then(Answer::ok().expire_after(After::Lines(0)));
    let watch = || get(&server, &format!("{PODS}?watch=true")).1;
    assert_eq!(watch().lines().count(), 1);
    assert!(watch().contains("\"type\":\"ERROR\""));
    assert_eq!(script.given(), 2);
}

#[test]
fn a_gate_holds_an_answer_until_it_is_released() {
    let server = web(&["one"]);
    let gate = server.hold(Match::logs());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| get(&server, LOG));
        server.wait_for(|account| account.requests.logs().len() == 1);
        assert_eq!(server.requests().logs()[0].status(), None);
        gate.release();
        assert_eq!(reader.join().unwrap().0, 200);
    });
}

#[test]
fn a_gate_holds_the_rest_of_a_body() {
    let server = web(&["one", "two"]);
    let gate = Gate::new();
    server.on(Match::logs()).then(Answer::ok().hold_after(After::Lines(1), &gate));
    let mut response = open(&server, LOG);
    assert_eq!(response.next(), "one\n");
    assert_eq!(server.requests()[0].bytes(), 4);
    gate.release();
    assert_eq!(response.text(), "two\n");
}

#[test]
fn chunks_pass_one_by_one() {
    let server = web(&["one", "two"]);
    let gate = Gate::new();
    server.on(Match::logs()).then(Answer::ok().chunks(Chunks::Bytes(3)).step(&gate));
    let mut response = open(&server, LOG);
    gate.pass(1);
    assert_eq!(response.next(), "one");
    assert_eq!(server.requests()[0].bytes(), 3);
    gate.pass(2);
    assert_eq!((response.next(), response.next()), ("\ntw".to_owned(), "o\n".to_owned()));
}

#[test]
fn a_stream_that_is_held_can_be_ended() {
    let server = web(&["one"]);
    server.on(Match::logs()).then(Answer::ok().step(&Gate::new()));
    let mut response = open(&server, LOG);
    server.end(Match::logs());
    assert_eq!(response.text(), "");
}

#[test]
fn a_stream_that_never_waits_can_be_ended() {
    let server = web(&[]);
    server.log("web-1/app").extend((0..200_000).map(|_| [b'x'; 99]));
    let mut response = open(&server, LOG);
    response.next();
    server.end(Match::logs());
    assert!(response.text().len() < 20_000_000 - 2048);
}

#[test]
fn a_cut_far_into_a_body_is_exact() {
    let server = web(&[]);
    server.log("web-1/app").extend((0..200_000).map(|_| [b'x'; 99]));
    server.on(Match::logs()).then(Answer::ok().cut_after(After::Bytes(12_345_678)));
    let (chunks, end) = open(&server, LOG).chunks();
    assert_eq!((chunks.concat().len(), end.is_err()), (12_345_678, true));
}

#[test]
fn pauses_delays_and_flushes_lose_nothing() {
    let server = web(&["one", "two"]);
    let pause = Duration::from_millis(2);
    server.on(Match::logs()).always(Answer::ok().delay(pause).pause(pause).chunks(Chunks::Bytes(1)).flush());
    assert_eq!(get(&server, LOG).1, "one\ntwo\n");
}

#[test]
fn open_streams_are_broken_by_hand() {
    let server = web(&["one"]);
    let follow = || {
        let mut response = open(&server, &format!("{LOG}?follow=true"));
        response.next();
        response
    };
    let mut streams = [follow(), follow(), follow()];
    server.end(Match::logs().path("/web-2/"));
    assert_eq!(server.account().open_log_streams, 3);
    server.cut(Match::logs());
    assert!(streams.iter_mut().all(|stream| stream.chunks().1.is_err()));
    server.wait_for(|account| account.open_log_streams == 0);
}

#[test]
fn a_token_is_demanded_and_may_change() {
    let server = ApiServer::builder().token("one").start();
    let status = |token: &str| request(server.address(), PODS, &[("authorization", token)]).unwrap().status;
    assert_eq!(message(&server, PODS), (401, "Unauthorized".to_owned()));
    assert_eq!(status("Bearer one"), 200);
    server.set_token(Some("two"));
    assert_eq!((status("Bearer one"), status("Bearer two")), (401, 200));
}

#[test]
fn refusals_are_in_the_apiservers_words() {
    let server = web(&[]);
    server.forbid("list", "pods", "default");
    server.forbid("get", "pods/log", "*");
    server.forbid("watch", "deployments", "");
    let message_of = |path: &str| message(&server, path).1;
    assert_eq!(
        message_of(PODS),
        "pods is forbidden: User \"double-user\" cannot list resource \"pods\" in API group \"\" \
         in the namespace \"default\""
    );
    assert_eq!(
        message_of(LOG),
        "pods \"web-1\" is forbidden: User \"double-user\" cannot get resource \"pods/log\" in API group \"\" \
         in the namespace \"default\""
    );
    assert_eq!(
        message_of("/apis/apps/v1/deployments?watch=1"),
        "deployments.apps is forbidden: User \"double-user\" cannot watch resource \"deployments\" \
         in API group \"apps\" at the cluster scope"
    );
    assert_eq!(get(&server, "/api/v1/pods").0, 200);
}

#[test]
fn least_rights_refuse_all_the_rest() {
    let server = web(&["one"]);
    server.allow_only(&[("get", "pods", "default"), ("get", "pods/log", "default")]);
    assert_eq!(get(&server, &format!("{PODS}/web-1")).0, 200);
    assert_eq!(get(&server, LOG).0, 200);
    assert_eq!(get(&server, PODS).0, 403);
    server.allow_all();
    assert_eq!(get(&server, PODS).0, 200);
}

#[test]
fn a_wrong_clock_shows_in_the_date() {
    let server = ApiServer::start();
    server.set_clock_ahead(-86_400 * 365);
    let year = server.now().strftime("%Y").to_string();
    assert!(open(&server, "/version").header("date").unwrap().contains(&year));
}

#[test]
fn requests_are_recorded() {
    let server = web(&["hello"]);
    let path = format!("{LOG}?tailLines=5&container=app");
    request(server.address(), &path, &[("impersonate-user", "jane")]).unwrap().text();
    server.wait_for(|account| account.requests.iter().all(|request| !request.is_open()));
    let request = &server.requests().logs()[0];
    assert_eq!((request.query("tailLines"), request.query("container")), (Some("5"), Some("app")));
    assert_eq!(request.header("impersonate-user"), Some("jane"));
    assert_eq!((request.connection, request.bytes(), request.status()), (1, 6, Some(200)));
    assert!(server.account().to_string().contains("container=app&tailLines=5: 200, 6 bytes, Complete"));
}

#[test]
fn a_client_that_leaves_while_it_is_held_is_noticed() {
    let server = web(&[]);
    let _gate = server.hold(Match::lists());
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    std::io::Write::write_all(&mut stream, format!("GET {PODS} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .unwrap();
    server.wait_for(|account| account.requests.len() == 1);
    drop(stream);
    server.wait_for(|account| account.requests[0].ended() == Some(Ended::Abandoned));
}

#[test]
fn a_server_may_start_and_stop_within_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = web(&[]);
        server.down();
        server.up();
        drop(apiserver::Proxy::start());
    });
}
