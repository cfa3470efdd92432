//! Streams that fall silent, and truncated answers that look complete: the log is checked in both cases.

use apiserver::{After, Answer, Match};

use crate::harness::World;

/// The number of requests that followed the log.
fn followed(world: &World) -> usize {
    world.log_queries("follow").iter().filter(|follow| *follow == "true").count()
}

#[test]
fn a_stream_that_fell_silent_while_there_are_lines_is_opened_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --idle-check 200ms");
    tail.expect("a");
    world.log("web-1/app").silence_followers().extend(["b", "c"]);
    tail.expect("b");
    tail.expect("c");
    assert!(followed(&world) == 2 && world.looks() >= 1, "{}", world.account());
}

#[test]
fn a_stream_that_missed_nothing_is_left_open() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --idle-check 200ms");
    tail.expect("a");
    tail.until(|account| account.requests.logs().filter(|log| log.ended().is_some()).len() == 2);
    world.log("web-1/app").push("b");
    tail.expect("b");
    assert_eq!(followed(&world), 1);
}

#[test]
fn without_room_for_a_look_the_stream_itself_is_opened_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --idle-check 200ms --max-log-requests 1");
    tail.expect("a");
    world.log("web-1/app").silence_followers().push("b");
    tail.expect("b");
    assert_eq!(world.looks(), 0);
    assert_eq!(world.account().peak_log_streams, 1);
}

#[test]
fn an_answer_that_ends_too_soon_is_read_on() {
    let world = World::web(["a", "b", "c"]);
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(1)));
    world.run("web --no-follow -o raw").stdout("a\nb\nc\n").exit(0);
}

#[test]
fn the_end_of_a_log_is_confirmed_by_one_small_request() {
    let world = World::web(["a", "b", "c"]);
    world.run("web --no-follow -o raw").stdout("a\nb\nc\n").exit(0);
    assert_eq!((world.requests().logs().len(), world.looks()), (2, 1));
}

#[test]
fn without_confirmation_a_clean_end_is_believed() {
    let world = World::web(["a", "b", "c"]);
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(1)));
    world.run("web --no-follow -o raw --confirm=false").stdout("a\n").exit(0);
    assert_eq!(world.requests().logs().len(), 1);
}

#[test]
fn the_rest_of_a_terminated_container_is_confirmed_too() {
    let world = World::web(["a", "b", "c"]);
    world.terminate_container("web-1/app", 1, "Error");
    world.on(Match::logs()).then(Answer::ok().end_after(After::Lines(2)));
    let mut tail = world.start("web -o raw");
    tail.expect_all(["a", "b", "c"]);
    tail.reported("- web-1 › app (Error, exit 1)");
}

#[test]
fn lines_from_before_the_time_asked_for_are_not_missed() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").push_at("2020-01-01T00:00:00Z", "old");
    world.run("web --no-follow -o raw --since 1h").stdout("").exit(0);
    assert_eq!((world.requests().logs().len(), world.looks()), (2, 1));
}

#[test]
fn tail_0_shows_what_was_written_before_a_stream_broke_that_gave_nothing() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").push_at("2020-01-01T00:00:00Z", "old");
    let mut tail = world.start("web -o raw --tail 0");
    tail.until(|account| account.open_log_streams == 1);
    let gate = world.hold(Match::logs());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("new");
    gate.release();
    tail.expect("new");
}

#[test]
fn a_line_that_is_cut_or_kept_in_pieces_is_not_missed() {
    let long = "x".repeat(9_000);
    for last in ["a line that is longer than ten bytes, and than a mark of a cut is, too", &long] {
        let world = World::web(["a", last]);
        world.run("web --no-follow --max-line 10").exit(0);
        assert_eq!(world.requests().logs().len(), 2, "{}", world.account());
    }
}
