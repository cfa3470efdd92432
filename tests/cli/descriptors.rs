//! Limits on open files: reported, and as many logs are followed as fit.

use apiserver::{ApiServer, Pod};

use crate::harness::{Command, World};

/// This many pods, each with one line, behind HTTP/1.1, where each log has a connection.
fn world(pods: usize) -> World {
    let world = World::of(ApiServer::builder().http1());
    world.add_pods((0..pods).map(|n| Pod::new(format!("web-{n:03}"))));
    for n in 0..pods {
        world.log(&format!("web-{n:03}/app")).push("a");
    }
    world
}

/// The program with at most this many open files.
fn limited<'w>(world: &'w World, files: usize, args: &str) -> Command<'w> {
    let program = env!("CARGO_BIN_EXE_stern-rs");
    world.program("sh", "-c").arg(&format!("ulimit -n {files}; exec {program} {args}"))
}

const ALL: &str = "web --max-log-requests 200 --max-streams-per-node 200 --qps -1";
const REPORTED: &str = "too many open files: the limit is 64; raise it with \"ulimit -n\"";

#[test]
fn the_logs_that_cannot_be_followed_are_polled() {
    let world = world(90);
    let tail = limited(&world, 64, ALL).start();
    tail.reported(REPORTED);
    tail.shown(" app a\n", 90);
    for n in 0..90 {
        world.log(&format!("web-{n:03}/app")).push("b");
    }
    tail.shown(" app b\n", 90);
    let ran = tail.interrupt().exit(130).never_reported("VPN").never_reported("cannot reach");
    let out = ran.out();
    assert_eq!(out.lines().count(), 180, "no line is missing, and none repeated");
    let following =
        ran.err().split("following ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert!(following.is_some_and(|count: usize| (30..60).contains(&count)), "{}", ran.err());
}

#[test]
fn logs_that_are_read_once_wait_for_one_another() {
    let world = world(90);
    for files in [20, 64] {
        let ran = limited(&world, files, &format!("{ALL} --no-follow")).start().finish();
        let out = ran.exit(0).out();
        assert_eq!(out.lines().count(), 90, "{files}");
    }
}

#[test]
fn connections_that_are_shared_need_no_room() {
    let world = World::of(ApiServer::builder().tls());
    world.add_pods((0..90).map(|n| Pod::new(format!("web-{n}"))));
    let tail = limited(&world, 24, ALL).start();
    tail.until(|account| account.open_log_streams == 90);
    tail.interrupt().never_reported("open files").exit(130);
}

#[test]
fn without_room_for_a_run_it_does_not_start() {
    let world = world(1);
    for files in 7..12 {
        let ran = limited(&world, files, ALL).start().finish();
        let message =
            format!("cannot start: too many open files: the limit is {files}; raise it with \"ulimit -n\"");
        ran.stdout("").reported(&message).exit(1);
    }
}
