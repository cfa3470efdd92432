//! The connections that logs use, and the logs when connections break.

use std::{
    collections::HashSet,
    io::{Read, pipe},
};

use apiserver::{After, Answer, ApiServer, Builder, Match, Pod};

use crate::harness::World;

/// A world of this many pods, each with one line, behind TLS.
fn world(builder: Builder, pods: usize) -> World {
    let world = World::of(builder.tls());
    world.add_pods((0..pods).map(|n| Pod::new(format!("web-{n:03}"))));
    for n in 0..pods {
        world.log(&format!("web-{n:03}/app")).push("a");
    }
    world
}

/// The number of connections with log requests.
fn log_connections(world: &World) -> usize {
    world.requests().logs().iter().map(|request| request.connection).collect::<HashSet<_>>().len()
}

#[test]
fn two_hundred_and_fifty_logs_come_over_three_connections() {
    let world = world(ApiServer::builder().max_streams(100), 250);
    let tail = world.start("web --max-log-requests 300 --max-streams-per-node 300 --qps -1");
    tail.until(|account| account.open_log_streams == 250);
    assert_eq!(log_connections(&world), 3, "{}", world.account());
    assert_eq!(world.account().connections, 4, "one more for the watch");
    tail.interrupt().exit(130);
}

#[test]
fn the_limit_of_the_server_bounds_a_connection() {
    let world = world(ApiServer::builder().max_streams(1), 3);
    let mut tail = world.start("web");
    tail.expect_all(["web-000 app a", "web-001 app a", "web-002 app a"]);
    assert_eq!(log_connections(&world), 3);
    tail.interrupt().exit(130);
}

#[test]
fn without_http2_each_followed_log_has_a_connection() {
    for (builder, flags) in [(ApiServer::builder().http1(), ""), (ApiServer::builder(), "--http1")] {
        let world = world(builder, 12);
        let tail = world.start(&format!("web {flags}"));
        tail.until(|account| account.open_log_streams == 12);
        assert_eq!(log_connections(&world), 12, "{}", world.account());
        tail.interrupt().exit(130);
    }
}

#[test]
fn logs_that_are_read_one_after_the_other_come_over_few_connections() {
    const PODS: usize = 200;
    for builder in [ApiServer::builder(), ApiServer::builder().http1()] {
        for at_once in [5, 8] {
            let world = world(builder.clone(), PODS);
            let ran = world.run(&format!("web --no-follow --qps -1 --max-log-requests {at_once}"));
            assert_eq!(ran.out().lines().count(), PODS);
            ran.exit(0);
            // The checks of finished logs use as many again.
            assert!(world.account().connections <= 2 * at_once + 2, "{}", world.account().connections);
        }
    }
}

#[test]
fn many_watches_share_a_connection() {
    let world = World::of(ApiServer::builder().tls());
    let names: Vec<String> = (0..30).map(|n| format!("ns-{n}")).collect();
    for name in &names {
        world.pod(&format!("{name}/web-1"), ["a"]);
    }
    let tail = world.start(&format!("web -n {}", names.join(",")));
    tail.watches(30);
    tail.until(|account| account.open_log_streams == 30);
    assert_eq!(world.account().connections, 2, "{}", world.account());
    tail.interrupt();
}

#[test]
fn a_server_that_goes_away_costs_no_line() {
    for http2 in [true, false] {
        let builder = if http2 { ApiServer::builder() } else { ApiServer::builder().http1() };
        let world = world(builder, 2);
        let mut tail = world.start("web");
        tail.expect_all(["web-000 app a", "web-001 app a"]);
        tail.watches(1);
        world.go_away();
        for n in 0..3 {
            world.log("web-000/app").push(n.to_string());
            tail.expect(&format!("web-000 app {n}"));
        }
        world.add_pod(Pod::new("web-002"));
        world.log("web-002/app").push("a");
        tail.expect("web-002 app a");
        tail.interrupt().exit(130);
    }
}

#[test]
fn connections_that_are_reset_cost_no_line() {
    for flags in ["", "--http1"] {
        let world = world(ApiServer::builder(), 2);
        let mut tail = world.start(&format!("web {flags}"));
        tail.expect_all(["web-000 app a", "web-001 app a"]);
        tail.watches(1);
        world.reset_connections();
        world.log("web-000/app").push("b");
        tail.expect("web-000 app b");
        world.log("web-001/app").push("b");
        tail.expect("web-001 app b");
        tail.interrupt().exit(130);
    }
}

#[test]
fn an_answer_that_breaks_off_is_read_on() {
    for flags in ["", "--http1"] {
        let world = world(ApiServer::builder(), 1);
        world.log("web-000/app").extend(["b", "c", "d"]);
        world.on(Match::logs()).then(Answer::ok().cut_after(After::Bytes(70)));
        let mut tail = world.start(&format!("web {flags}"));
        for line in ["a", "b", "c", "d"] {
            tail.expect(&format!("web-000 app {line}"));
        }
        tail.interrupt().exit(130);
    }
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_whole() {
    for flags in ["", "--http1"] {
        let world = world(ApiServer::builder(), 1);
        let lines: Vec<String> = (0..50).map(|n| format!("line {n}")).collect();
        world.log("web-000/app").extend(&lines);
        world.on(Match::logs()).then(Answer::ok().flush().cut_after(After::Lines(25)));
        let ran = world.run(&format!("web --no-follow --confirm=false --limit-bytes 100000 {flags}"));
        let wanted: Vec<String> = lines.iter().map(|line| format!("web-000 app {line}")).collect();
        ran.lines(wanted.iter().map(String::as_str).chain(["web-000 app a"])).exit(0);

        world.on(Match::lists()).then(Answer::ok().flush().cut_after(After::Bytes(100)));
        let ran = world.run(&format!("web --no-follow {flags}"));
        ran.fails_with(1, &["the connection to", "broke"]);
    }
}

#[test]
fn a_slow_reader_gets_every_line_of_every_log() {
    const LINES: usize = 20_000;
    for flags in ["", "--http1", "--max-bandwidth 20MiB"] {
        let world = world(ApiServer::builder(), 3);
        for n in 0..3 {
            world.log(&format!("web-{n:03}/app")).extend((0..LINES).map(|n| format!("{n:0100}")));
        }
        let (mut reader, writer) = pipe().unwrap();
        let tail = world.stern_rs(&format!("web --no-follow {flags}")).stdout(writer).start();
        // The test has not read anything yet.
        tail.until(|account| account.requests.logs().len() == 3);
        let mut shown = String::new();
        reader.read_to_string(&mut shown).unwrap();
        assert_eq!(shown.lines().count(), 3 * (LINES + 1));
        tail.finish().exit(0);
    }
}

#[test]
fn a_server_that_knows_only_http2_is_read_without_following_too() {
    for flags in ["--no-follow", ""] {
        let world = world(ApiServer::builder().only_http2(), 12);
        let tail = world.start(&format!("web {flags}"));
        tail.shown(" app a\n", 12);
    }
}
