//! How much of each log is shown: `--since`, `--tail`, `--limit-bytes`, `--no-follow`, `--previous`.

use apiserver::{Answer, Gate, Match, Pod};

use crate::harness::World;

/// A log whose lines were written long ago, an hour ago, and now.
fn world() -> World {
    let world = World::new();
    world.pods(["web-1"]);
    let hours_ago = |hours: i64| world.now() - jiff::SignedDuration::from_hours(hours);
    let log = world.log("web-1/app");
    log.push_at(hours_ago(100), "ancient").push_at(hours_ago(1), "old").push("new");
    world
}

#[test]
fn two_days_are_shown_unless_more_is_asked_for() {
    let world = world();
    world.run("web --no-follow").stdout("web-1 app old\nweb-1 app new\n");
    assert_eq!(world.log_queries("sinceSeconds"), ["172800"]);
}

#[test]
fn since_bounds_the_log_by_the_servers_clock() {
    let world = world();
    world.run("web --since 30m --no-follow").stdout("web-1 app new\n");
    assert_eq!(
        (world.log_queries("sinceSeconds"), world.log_queries("sinceTime")),
        (vec!["1800".into()], vec!["-".into()])
    );
}

#[test]
fn since_takes_days() {
    world().run("web -s 5d --no-follow").stdout("web-1 app ancient\nweb-1 app old\nweb-1 app new\n");
}

#[test]
fn since_0_is_no_bound() {
    let world = world();
    world.run("web -s 0 --no-follow").stdout("web-1 app ancient\nweb-1 app old\nweb-1 app new\n");
    assert_eq!(world.log_queries("sinceSeconds"), ["-"]);
}

#[test]
fn since_time_is_sent_as_it_is() {
    let world = world();
    world.log("web-1/app").push_at("2020-01-01T00:00:00Z", "then");
    world.run("web --since-time 2019-12-31T23:00:00+01:00 --no-follow").exit(0);
    assert_eq!(world.log_queries("sinceTime"), ["2019-12-31T22:00:00Z"]);
    assert_eq!(world.log_queries("sinceSeconds"), ["-"]);
}

#[test]
fn a_server_whose_clock_is_wrong_decides_what_is_recent() {
    let world = World::new();
    world.set_clock_ahead(-86_400);
    world.pod("web-1", ["new by its clock"]);
    world.run("web --since 1m --no-follow").stdout("web-1 app new by its clock\n");
}

#[test]
fn tail_bounds_the_lines_of_each_log() {
    let world = World::web(["a", "b", "c"]);
    world.pod("web-2", ["d", "e"]);
    world.run("web --tail 1 --no-follow").lines(["web-1 app c", "web-2 app e"]);
    assert_eq!(world.log_queries("tailLines"), ["1", "1"]);
}

#[test]
fn the_last_lines_are_all_that_was_asked_for_and_need_no_confirmation() {
    let world = World::web(["a", "b", "c"]);
    world.run("web --tail 2 --no-follow -o raw").stdout("b\nc\n").exit(0);
    assert_eq!(world.requests().logs().len(), 1);
    world.run("web --tail 4 --no-follow -o raw").stdout("a\nb\nc\n").exit(0);
    assert_eq!((world.requests().logs().len(), world.looks()), (3, 1));
}

/// The end of the log is verified some seconds later, while its container writes.
#[test]
fn lines_written_after_a_log_was_opened_are_not_shown() {
    let world = World::web(["a", "b"]);
    let confirmed = Gate::new();
    world.on(Match::logs().nth(2)).then(Answer::ok().hold(&confirmed));
    let tail = world.start("web --no-follow -o raw");
    tail.until(|account| account.requests.logs().len() == 2);
    world.set_clock_ahead(3);
    world.log("web-1/app").push("later");
    confirmed.release();
    tail.finish().stdout("a\nb\n").stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
}

#[test]
fn tail_0_shows_only_what_is_new() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --tail 0");
    tail.until(|account| account.open_log_streams == 1);
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    tail.interrupt();
}

#[test]
fn a_negative_tail_is_all() {
    let world = World::web(["a", "b"]);
    world.run("web --tail -1 --no-follow").stdout("web-1 app a\nweb-1 app b\n");
    assert_eq!(world.log_queries("tailLines"), ["-"]);
}

#[test]
fn bytes_may_be_bounded() {
    let world = World::web(["first", "second"]);
    world.run("web --limit-bytes 6 --no-follow").stdout("web-1 app first\n");
    world.run("web --limit-bytes 9 --no-follow").stdout("web-1 app first\nweb-1 app sec\n");
}

/// The rest of such a line waits in a file.
#[test]
fn a_bound_on_bytes_holds_within_a_line_that_is_too_long_for_memory() {
    let world = World::new();
    world.pod("web-1", ["a"]);
    world.log("web-1/app").push("q".repeat(3_000_000));
    world.log("web-1/app").push("b");
    for (limit, length) in [(1_500_000, 1_500_001), (3_000_003, 3_000_003), (3_000_004, 3_000_005)] {
        let ran = world.run(&format!("web --no-follow -o raw --limit-bytes {limit}")).exit(0);
        assert_eq!(ran.out_bytes().len(), length, "{limit}");
    }
}

#[test]
fn a_bound_on_bytes_holds_while_following_too() {
    let world = World::web(["first", "second"]);
    let mut tail = world.start("web --limit-bytes 6");
    tail.expect("web-1 app first");
    tail.reported("- web-1 › app");
    world.pod("web-2", ["short"]);
    tail.expect("web-2 app short");
    tail.interrupt();
}

#[test]
fn without_following_it_ends_when_all_is_shown() {
    let world = World::web(["a"]);
    world.run("web --no-follow").stdout("web-1 app a\n").stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
    assert_eq!(world.log_queries("follow"), ["-"]);
    assert!(world.requests().watches().is_empty());
}

#[test]
fn a_last_line_without_its_end_is_shown_without_following() {
    let world = World::web(["a"]);
    world.log("web-1/app").push_raw("half");
    world.run("web --no-follow").stdout("web-1 app a\nweb-1 app half\n");
}

/// A pod with a container that restarted, and one that did not.
fn restarted() -> World {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").container("proxy"));
    world.log("web-1/app").extend(["before", "the end"]);
    world.log("web-1/proxy").push("running");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("after");
    world
}

#[test]
fn previous_shows_what_ended_and_ends() {
    let ran = restarted().run("web --previous -c app");
    ran.stdout("web-1 app before\nweb-1 app the end\n").stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
}

#[test]
fn a_container_that_never_ended_has_no_previous_instance() {
    let ran = restarted().run("web --previous");
    ran.lines(["web-1 app before", "web-1 app the end"])
        .reported("! web-1 › proxy: no previous instance; skipped\n")
        .exit(0);
}

#[test]
fn previous_is_not_bound_by_the_usual_two_days() {
    let world = restarted();
    world.previous_log("web-1/app").push_at("2020-01-01T00:00:00Z", "long ago");
    world.run("web --previous -c app").exit(0);
    assert_eq!(world.log_queries("sinceSeconds"), ["-"]);
}

#[test]
fn previous_obeys_tail() {
    restarted().run("web --previous -c app --tail 1").stdout("web-1 app the end\n");
}

#[test]
fn previous_of_a_container_that_waits_after_a_crash_is_shown() {
    let world = World::web(["crashed"]);
    world.terminate_container("web-1/app", 1, "Error");
    world.update_pod("web-1", |pod| pod.on("app").waiting("CrashLoopBackOff", ""));
    world.run("web --previous").stdout("web-1 app crashed\n").exit(0);
}
