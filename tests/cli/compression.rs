//! Compressed answers: lists are asked for so; all others are understood, or named.

use apiserver::{Answer, ApiServer, Chunks, Match, Pod, Requests};

use crate::harness::World;

/// A world whose list of pods is long enough to be compressed.
fn long_list() -> World {
    let world = World::new();
    let text = "a word among others, ".repeat(200);
    world.add_pods((0..60).map(|n| Pod::new(format!("web-{n}")).annotation("text", &text)));
    world
}

fn sent(requests: &Requests) -> u64 {
    requests.iter().map(|request| request.bytes()).sum()
}

#[test]
fn a_long_list_is_asked_for_and_read_compressed() {
    for flags in ["", "--http1"] {
        let world = World::of(ApiServer::builder().tls());
        let text = "a word among others, ".repeat(200);
        world.add_pods((0..60).map(|n| Pod::new(format!("web-{n}")).annotation("text", &text)));
        let ran = world.run(&format!("web --no-follow --stats=json {flags}")).exit(0);
        let lists = world.requests().lists();
        assert_eq!(lists[0].header("accept-encoding"), Some("gzip"));
        assert!(sent(&lists) < 30_000, "{} bytes", sent(&lists));
        let stats: serde_json::Value = serde_json::from_str(ran.err().lines().last().unwrap()).unwrap();
        let received = stats["received_bytes"].as_u64().unwrap();
        assert!((sent(&lists)..sent(&lists) + 100_000).contains(&received), "{received}");
    }
}

#[test]
fn compression_can_be_switched_off() {
    let world = long_list();
    world.run("web --no-follow --disable-compression").exit(0);
    let lists = world.requests().lists();
    assert_eq!(lists[0].header("accept-encoding"), Some("identity"));
    assert!(sent(&lists) > 250_000, "{} bytes", sent(&lists));
}

#[test]
fn logs_and_watches_are_asked_for_as_they_are() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let requests = world.requests();
    for request in requests.logs().iter().chain(requests.watches().iter()) {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
    }
    tail.interrupt().exit(130);
}

/// As a proxy does, or Kubernetes 1.37 with one member for each line.
#[test]
fn an_answer_that_is_compressed_all_the_same_is_understood() {
    for server in [ApiServer::builder(), ApiServer::builder().tls(), ApiServer::builder().tls().http1()] {
        let world = World::of(server);
        world.pod("web-1", ["a", "b"]);
        world.on(Match::any()).always(Answer::ok().gzip());
        let mut tail = world.start("web");
        tail.expect_all(["web-1 app a", "web-1 app b"]);
        world.log("web-1/app").push("c");
        tail.expect("web-1 app c");
        world.pod("web-2", ["d"]);
        tail.expect("web-2 app d");
        tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n").exit(130);
    }
}

#[test]
fn a_compressed_log_may_be_cut_anywhere() {
    let world = World::web(["a", "b", "c"]);
    let answer = Answer::ok().gzip().chunks(Chunks::Bytes(7));
    world.on(Match::logs()).always(answer);
    world.run("web --no-follow").lines(["web-1 app a", "web-1 app b", "web-1 app c"]).exit(0);
}

#[test]
fn a_refusal_that_is_compressed_keeps_its_words() {
    let world = World::web(["a"]);
    world.on(Match::lists()).always(Answer::status(403, "Forbidden", "policy says no").gzip());
    world.run("web --no-follow").fails_with(1, &["policy says no"]);
}

#[test]
fn an_encoding_that_is_not_known_is_named() {
    let world = World::web(["a"]);
    let brotli = Answer::text(200, "\u{b}\u{2}garbage").header("content-encoding", "br");
    let words = [
        "answered in the encoding \"br\", which was not requested and is not known; perhaps a proxy in between",
    ];
    let script = world.on(Match::lists());
    script.always(brotli.clone());
    world.run("web --no-follow").fails_with(1, &words);
    script.stop();
    world.on(Match::logs()).always(brotli);
    world.run("web --no-follow").stdout("").reported(words[0]).exit(1);
}

#[test]
fn a_compression_that_is_broken_is_an_error_and_no_line() {
    let world = World::web(["a"]);
    world.on(Match::logs()).always(Answer::text(200, "no gzip at all\n").header("content-encoding", "gzip"));
    world.run("web --no-follow").stdout("").reported("gzip compression is broken").exit(3);
}
