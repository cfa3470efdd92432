//! How a run ends: signals, closed pipes, exit codes.

use std::io::{Read, pipe};

use apiserver::{After, Answer, Gate, Match, Pod};

use crate::harness::{World, stern_rs};

#[cfg(unix)]
mod unix;

#[test]
fn ctrl_c_ends_it_at_once() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.interrupt().stderr("+ web-1 › app\n").exit(130);
    world.wait_for(|account| account.open_connections == 0);
}

#[test]
fn ctrl_c_ends_it_while_the_server_does_not_answer() {
    let world = World::new();
    let _gate = world.hold(Match::any());
    let tail = world.start("web");
    tail.until(|account| account.requests.len() == 1);
    tail.interrupt().stdout("").exit(130);
}

/// A log larger than a pipe and all queues together, of lines that end in `.`.
fn flood() -> World {
    let world = World::new();
    world.pods(["web-1"]);
    let lines = (0..20_000).map(|n| format!("{n} {}.", "x".repeat(n % 2_000)));
    world.log("web-1/app").extend(lines);
    world
}

#[test]
fn a_reader_that_closes_its_pipe_ends_the_run_quietly() {
    let world = flood();
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    let mut head = [0; 100];
    reader.read_exact(&mut head).unwrap();
    drop(reader);
    tail.finish().stderr("+ web-1 › app\n").exit(0);
}

#[test]
fn a_reader_that_went_away_is_noticed_at_the_next_line() {
    let world = World::web(["a"]);
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    let mut line = [0; 2];
    reader.read_exact(&mut line).unwrap();
    drop(reader);
    world.log("web-1/app").push("b");
    tail.finish().stderr("+ web-1 › app\n").exit(0);
}

#[test]
fn a_reader_of_standard_input_has_enough_too() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    stern_rs("--stdin").input("a\n".repeat(100_000)).stdout(writer).run().stderr("").exit(0);
}

#[test]
fn a_reader_of_the_help_has_enough_too() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    stern_rs("--help").stdout(writer).run().stderr("").exit(0);
}

#[test]
fn a_slow_reader_loses_nothing() {
    let world = flood();
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw --no-follow").stdout(writer).start();
    tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    tail.finish().exit(0);
    assert_eq!(text.lines().count(), 20_000);
}

#[test]
fn a_log_that_cannot_be_read_beside_others_is_an_exit_code_of_its_own() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    world.on(Match::logs().path("/web-2/")).always(Answer::status(403, "Forbidden", "not you"));
    world.run("web --no-follow -o raw").stdout("a\n").reported("! web-2 › app: ").exit(3);
}

#[test]
fn a_log_that_is_gone_before_it_was_read_to_the_end_is_one_too() {
    let world = World::web(["a", "b"]);
    let again = Gate::new();
    world.on(Match::logs()).then(Answer::ok().cut_after(After::Lines(1))).then(Answer::ok().hold(&again));
    let tail = world.start("web --no-follow -o raw");
    tail.until(|account| account.requests.logs().len() == 2);
    world.delete_pod("web-1");
    again.release();
    let ran = tail.finish().stdout("a\n");
    ran.reported("! web-1 › app: the node removed this log before its end could be checked; the last line shown is from ")
        .exit(3);
}

#[test]
fn a_log_that_the_kubelet_reports_as_gone_was_not_read() {
    let world = World::web([]);
    world.log("web-1/app").push_kubelet_error("unable to retrieve container logs for containerd://1");
    let ran = world.run("web --no-follow -o raw").stdout("");
    ran.reported("! web-1 › app: the kubelet reports in place of lines: “unable to retrieve container logs")
        .exit(1);
}

/// While the reader is stopped, the log is rotated and the stream breaks: the loss is reported.
#[test]
fn a_rotation_that_overtakes_a_stopped_reader_is_reported() {
    let world = flood();
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
    world.log("web-1/app").rotate().push("0 after.");
    world.reset(Match::logs());
    let mut text = String::new();
    while !text.ends_with("\n0 after.\n") {
        let mut chunk = [0; 64 << 10];
        let length = reader.read(&mut chunk).unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    tail.reported("! web-1 › app: lines may be missing between ");
    tail.interrupt();
    let shown = text.lines().count() - 1;
    assert!(text.lines().take(shown).enumerate().all(|(n, line)| line.starts_with(&format!("{n} "))));
}

#[test]
fn each_log_that_a_broken_answer_ends_is_named() {
    let world = World::new();
    for name in ["web-1", "web-2", "web-3"] {
        world.add_pod(Pod::new(name));
        world.log(&format!("{name}/app")).push(name);
    }
    for name in ["web-1", "web-3"] {
        world.on(Match::logs().path(name)).always(Answer::text(206, "a part"));
    }
    let words = world.run("web --no-follow").exit(3).err();
    for (name, is_named) in [("web-1", true), ("web-2", false), ("web-3", true)] {
        let named = format!("! {name} › app: http://");
        assert_eq!(words.lines().any(|line| line.starts_with(&named)), is_named, "{name}: {words}");
    }
}
