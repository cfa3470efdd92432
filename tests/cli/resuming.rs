//! Streams and servers break while containers write: no line is lost, and none is shown twice.

use apiserver::{After, Answer, Chunks, Match, Pod};

use crate::harness::{Tail, World};

const LINES: [&str; 6] = ["one", "two", "zwei → ünïcödé ✓", "three", "", "four"];

/// Expects all lines once, then a line that is written last, so that a repeated line before it is seen.
#[track_caller]
fn expect_each_once(world: &World, tail: &mut Tail) {
    for line in LINES {
        tail.expect(&format!("web-1 app {line}"));
    }
    world.log("web-1/app").push("end");
    tail.expect("web-1 app end");
}

#[test]
fn a_stream_that_ends_while_the_container_runs_is_opened_again() {
    let world = World::web(LINES);
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(2)));
    let mut tail = world.start("web");
    expect_each_once(&world, &mut tail);
    tail.interrupt().stderr("+ web-1 › app\n");
}

#[test]
fn a_stream_that_is_reset_is_opened_again() {
    let world = World::web(LINES);
    world.on(Match::logs()).then(Answer::ok().reset_after(After::Lines(3)));
    let mut tail = world.start("web");
    expect_each_once(&world, &mut tail);
    tail.interrupt().stderr("+ web-1 › app\n");
}

#[test]
fn a_stream_may_break_over_and_over() {
    let world = World::web(LINES);
    let script = world.on(Match::logs());
    for lines in 1..=4 {
        script.then(Answer::ok().cut_after(After::Lines(lines)));
    }
    let mut tail = world.start("web");
    expect_each_once(&world, &mut tail);
    tail.interrupt();
}

#[test]
fn a_stream_may_break_at_every_byte() {
    // The first line and the surroundings of the break: within a timestamp, within a character, at a line's end.
    for bytes in [1, 20, 30, 31, 33, 35, 36, 70, 71, 80, 113, 114, 115, 116, 117] {
        let world = World::web(LINES);
        world.on(Match::logs()).then(Answer::ok().cut_after(After::Bytes(bytes)));
        let mut tail = world.start("web");
        expect_each_once(&world, &mut tail);
    }
}

#[test]
fn a_stream_may_end_at_every_byte() {
    for bytes in [1, 30, 33, 35, 71, 80, 114, 115] {
        let world = World::web(LINES);
        world.on(Match::logs()).then(Answer::ok().end_after(After::Bytes(bytes)));
        let mut tail = world.start("web");
        expect_each_once(&world, &mut tail);
    }
}

#[test]
fn chunks_may_be_cut_anywhere() {
    for size in [1, 2, 3, 7, 31, 32] {
        let world = World::web(LINES);
        world.on(Match::logs()).always(Answer::ok().chunks(Chunks::Bytes(size)).flush());
        let mut tail = world.start("web");
        expect_each_once(&world, &mut tail);
    }
}

#[test]
fn lines_that_share_an_instant_are_distinguished() {
    let world = World::new();
    world.pods(["web-1"]);
    let now = world.now();
    world.log("web-1/app").lines_at(now, 0, ["same", "same", "other", "same"]);
    world.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(2)));
    let mut tail = world.start("web -o raw");
    for line in ["same", "same", "other", "same"] {
        tail.expect(line);
    }
    world.log("web-1/app").push("end");
    tail.expect("end");
    tail.interrupt();
}

#[test]
fn many_lines_are_resumed_where_they_broke() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..5_000).map(|n| format!("line {n}")));
    let script = world.on(Match::logs());
    for bytes in [50_000, 20_001, 120_002] {
        script.then(Answer::ok().cut_after(After::Bytes(bytes)));
    }
    let mut tail = world.start("web -o raw");
    (0..5_000).for_each(|n| tail.expect(&format!("line {n}")));
    world.log("web-1/app").push("end");
    tail.expect("end");
    tail.interrupt();
}

#[test]
fn a_log_that_breaks_without_following_is_read_to_its_end() {
    let world = World::web(["a", "b", "c"]);
    world.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(1)));
    world.run("web --no-follow -o raw").stdout("a\nb\nc\n").exit(0);
}

#[test]
fn a_log_bounded_by_tail_is_resumed_without_the_bound() {
    let world = World::web(["a", "b", "c"]);
    world.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(1)));
    let mut tail = world.start("web -o raw --tail 2");
    tail.expect("b");
    tail.expect("c");
    tail.interrupt();
    assert_eq!(world.log_queries("tailLines"), ["2", "-"]);
}

#[test]
fn a_resumed_log_is_asked_for_from_shortly_before_the_last_line() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").push_at("2026-01-31T10:00:05.5Z", "a");
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(1)));
    let mut tail = world.start("web --since 0");
    tail.expect("web-1 app a");
    // Between them, the previous log is compared.
    tail.until(|account| account.requests.logs().len() == 3);
    assert_eq!(world.log_queries("sinceTime"), ["-", "-", "2026-01-31T10:00:04Z"]);
}

#[test]
fn a_log_that_was_rotated_while_a_stream_was_broken_is_reported() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let gate = world.hold(Match::logs());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("lost").rotate().push("b");
    gate.release();
    tail.expect("web-1 app b");
    tail.reported("! web-1 › app: lines may be missing between ");
    tail.interrupt();
}

#[test]
fn a_refusal_that_may_pass_is_tried_again() {
    for refusal in [Answer::internal_error("etcd"), Answer::unavailable(), Answer::reset(), Answer::close()] {
        let world = World::web(["a"]);
        world.on(Match::logs()).then(refusal);
        let mut tail = world.start("web");
        tail.expect("web-1 app a");
        tail.interrupt().stderr("+ web-1 › app\n");
    }
}

#[test]
fn a_kubelet_that_restarts_is_waited_for() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.stop_kubelet("node-1");
    tail.until(|account| account.requests.logs().iter().any(|log| log.status() == Some(500)));
    world.log("web-1/app").push("b");
    world.start_kubelet("node-1");
    tail.expect("web-1 app b");
    tail.interrupt().stderr("+ web-1 › app\n");
}

#[test]
fn a_kubelet_that_is_away_for_long_is_reported_once_for_all_its_containers() {
    let world = World::new();
    world.add_pods((0..10).map(|n| Pod::new(format!("web-{n}"))));
    let mut tail = world.start("web -o raw");
    tail.until(|account| account.open_log_streams == 10);
    world.stop_kubelet("node-1");
    tail.until(|account| account.requests.logs().len() >= 10 * 5);
    let lines: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    for line in &lines {
        world.log(&format!("web-{line}/app")).push(line);
    }
    world.start_kubelet("node-1");
    tail.expect_all(lines.iter().map(String::as_str));
    let reported = "! cannot read logs of node node-1: “dial tcp node-1:10250: connect: connection refused”; trying again\n";
    tail.interrupt().reported(reported).reported("!");
}

#[test]
fn a_server_that_goes_down_and_comes_up_again_is_followed_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.down();
    world.log("web-1/app").push("b");
    world.pod("web-2", ["c"]);
    tail.reported("cannot reach the apiserver");
    world.up();
    tail.expect_all(["web-1 app b", "web-2 app c"]);
    tail.reported("· the apiserver answers again\n");
    let ran = tail.interrupt().reported("cannot reach the apiserver").exit(130);
    ran.reported("connection refused; trying again\n").never_reported("is it running there?");
}

#[test]
fn a_server_that_sends_everybody_away_is_asked_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.reset_connections();
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    world.pod("web-2", ["c"]);
    tail.expect("web-2 app c");
    tail.interrupt();
}

#[test]
fn a_container_that_is_gone_when_its_log_is_asked_for_is_reported() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let gate = world.hold(Match::logs().path("web-2"));
    let tail = world.start("web --no-follow");
    tail.until(|account| account.requests.logs().path("web-2").len() == 1);
    world.delete_pod("web-2");
    gate.release();
    let ran = tail.finish().stdout("web-1 app a\n");
    ran.reported("! web-2 › app: the log was removed before it could be read").exit(3);
}

#[test]
fn a_log_that_cannot_be_read_does_not_keep_from_the_others() {
    let world = World::web(["a"]);
    world.add_pod(Pod::new("web-2"));
    world.on(Match::logs().path("web-2")).always(Answer::status(403, "Forbidden", "no"));
    let ran = world.run("web --no-follow").stdout("web-1 app a\n").exit(3);
    ran.reported("! web-2 › app: not allowed to get pods/log");
}

#[test]
fn logs_that_can_none_be_read_are_a_failure() {
    let world = World::web(["a"]);
    world.forbid("get", "pods/log", "*");
    let ran = world.run("web --no-follow").stdout("").exit(1);
    ran.reported("! web-1 › app: not allowed to get pods/log \"web-1\" in namespace \"default\"");
}

#[test]
fn a_node_that_cannot_follow_another_log_is_read_over_and_over() {
    let world = World::web(["a"]);
    let words = "failed to create fsnotify watcher: too many open files";
    let refused = Answer::ok().insert_after(After::Lines(1), words).end_after(After::Lines(1));
    world.on(Match::logs().query("follow", "true")).always(refused);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    world.log("web-1/app").push("c");
    tail.expect("web-1 app c");
    tail.reported(" cannot follow more logs; polling 1 of them, about every 1 s\n");
}

/// All lines after the break were rotated away, and then the container is gone too.
#[test]
fn a_log_that_was_rotated_before_a_restart_is_reported() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let gate = world.hold(Match::logs());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("lost").rotate();
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    gate.release();
    tail.expect("web-1 app b");
    tail.reported("! web-1 › app: lines may be missing ");
    tail.interrupt();
}

#[test]
fn a_previous_log_that_is_not_there_yet_is_waited_for() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let refusal = Answer::status(400, "BadRequest", "previous terminated container \"app\" not found");
    world.on(Match::logs().query("previous", "true")).then(refusal);
    let gate = world.hold(Match::logs().query("follow", "true"));
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("last words");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    // A later event of the watch is reported, so the restart is known.
    tail.reported("! web-2 › app waits");
    gate.release();
    tail.expect("web-1 app last words");
    tail.expect("web-1 app b");
    tail.interrupt().never_reported("may be missing");
}
