//! Restarts: each line is shown once, with the instance that wrote it.

use std::time::Duration;

use apiserver::{After, Answer, Gate, Match, Pod};
use jiff::SignedDuration;

use crate::{
    harness::{Tail, World},
    lives::{RESTARTED, lives},
};

#[test]
fn a_restarted_container_is_shown_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    lives(&tail.interrupt(), RESTARTED);
}

#[test]
fn the_last_words_before_a_restart_come_first() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").extend(["last", "words"]);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    for line in ["last", "words", "b"] {
        tail.expect(&format!("web-1 app {line}"));
    }
    tail.interrupt();
}

#[test]
fn the_rest_after_a_broken_stream_and_a_restart_is_read_from_the_previous_log() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let gate = world.hold(Match::logs().query("follow", "true"));
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("last words");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    // A later event of the watch is reported, so the restart is known.
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.reported("! web-2 › app waits");
    gate.release();
    tail.expect("web-1 app last words");
    tail.expect("web-1 app b");
    tail.interrupt();
}

#[test]
fn a_container_that_crashes_over_and_over_is_shown_each_time() {
    let world = World::web(["1"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app 1");
    for line in ["2", "3", "4"] {
        world.restart_container("web-1/app");
        world.log("web-1/app").push(line);
        tail.expect(&format!("web-1 app {line}"));
    }
    tail.interrupt();
}

#[test]
fn a_crash_loop_back_off_shows_nothing_twice() {
    let world = World::web(["1"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app 1");
    world.terminate_container("web-1/app", 1, "Error");
    world.update_pod("web-1", |pod| pod.on("app").waiting("CrashLoopBackOff", "back-off 10s"));
    tail.reported("! web-1 › app waits: CrashLoopBackOff: back-off 10s\n");
    world.start_container("web-1/app");
    world.log("web-1/app").push("2");
    tail.expect("web-1 app 2");
    tail.interrupt().reported("CrashLoopBackOff");
}

/// Between an end and a restart, a node serves the same log as the current and as the previous one.
#[test]
fn a_crash_right_after_the_start_shows_nothing_twice() {
    let world = World::web(["1"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app 1");
    let gate = world.hold(Match::logs());
    for line in ["2", "3"] {
        world.terminate_container("web-1/app", 1, "Error");
        world.update_pod("web-1", |pod| pod.on("app").waiting("CrashLoopBackOff", line));
        gate.release();
        tail.until(|account| account.requests.logs().open().is_empty());
        world.start_container("web-1/app");
        world.log("web-1/app").push(line);
        tail.expect(&format!("web-1 app {line}"));
    }
    tail.interrupt().never_reported("may be missing");
}

/// The container restarts after its log was requested, and the restart is known before the answer arrives.
#[test]
fn a_restart_before_a_log_is_opened_attributes_no_line_to_the_wrong_instance() {
    let world = World::web(["old"]);
    let gate = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold(&gate));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    // A later event of the watch is reported, so the restart is known.
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.reported("! web-2 › app waits");
    gate.release();
    tail.expect("web-1 app old");
    tail.expect("web-1 app new");
    world.log("web-1/app").push("end");
    tail.expect("web-1 app end");
    tail.interrupt();
}

#[test]
fn a_restart_while_a_container_waits_for_its_turn_attributes_no_line_to_the_wrong_instance() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --max-log-requests 1");
    tail.expect("web-1 app a");
    // A poll takes the only stream.
    let gate = world.hold(Match::logs().path("/web-0/"));
    world.add_pod(Pod::new("web-0").created(world.now() - SignedDuration::from_hours(1)));
    tail.until(|account| account.requests.logs().path("/web-0/").len() == 1);
    world.pod("web-2", ["old"]);
    tail.reported("polling 2");
    world.restart_container("web-2/app");
    world.log("web-2/app").push("new");
    // A later event of the watch is reported, so the restart is known.
    world.add_pod(Pod::new("web-3").container("app").waiting("ImagePullBackOff", ""));
    tail.reported("! web-3 › app waits");
    gate.release();
    tail.expect("web-2 app old");
    tail.expect("web-2 app new");
    tail.interrupt();
}

/// The same, but the watch reports the restart late.
#[test]
fn a_restart_that_is_known_only_after_a_log_was_opened_shows_each_line_once() {
    let world = World::web(["old"]);
    let (log, watch) = (Gate::new(), Gate::new());
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    world.on(Match::watches()).then(Answer::ok().hold_after(After::Lines(0), &watch));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.restart_container("web-1/app");
    // The status has whole seconds only; this is well after the second in which the old instance ended.
    let later = world.now() + Duration::from_secs(3);
    world.log("web-1/app").push_at(later, "new");
    log.release();
    tail.expect("web-1 app new");
    watch.release();
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.reported("! web-2 › app waits");
    world.log("web-1/app").push_at(later, "newer");
    tail.expect("web-1 app old");
    tail.expect("web-1 app newer");
    // Behind those lines.
    world.set_clock_ahead(4);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("newest");
    tail.expect("web-1 app newest");
    tail.interrupt();
}

/// The timestamps of a status are too coarse to distinguish the instances.
#[test]
fn a_restart_within_a_second_that_is_known_late_shows_each_line_once() {
    let world = World::web(["old"]);
    let log = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.hold_status("web-1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    log.release();
    tail.expect("web-1 app new");
    world.report_status("web-1");
    tail.expect("web-1 app old");
    world.log("web-1/app").push("newer");
    tail.expect("web-1 app newer");
    tail.interrupt()
        .lines(["web-1 app new", "web-1 app old", "web-1 app newer"])
        .never_reported("may be missing");
}

/// The broken stream resumes in another log, long before the watch reports the restart.
#[test]
fn a_restart_that_a_watch_is_late_to_report_is_not_taken_for_a_rotation() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let (log, watch) = (world.hold(Match::logs()), world.hold(Match::watches()));
    world.end(Match::watches());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("last words");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    log.release();
    // The program requests the status.
    tail.until(|account| account.requests.lists().len() == 2);
    watch.release();
    tail.expect("web-1 app last words");
    tail.expect("web-1 app b");
    lives(&tail.interrupt(), RESTARTED);
}

/// The broken stream resumes in another log, and the apiserver does not know of the restart either.
#[test]
fn a_restart_that_a_kubelet_is_late_to_report_is_not_taken_for_a_rotation() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let log = world.hold(Match::logs());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("last words");
    world.hold_status("web-1");
    world.restart_container("web-1/app");
    // A restart takes some time.
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(1), "b");
    log.release();
    tail.expect("web-1 app last words");
    world.report_status("web-1");
    tail.expect("web-1 app b");
    lives(&tail.interrupt(), RESTARTED);
}

/// The node kept nothing of the old instance, so the new instance's log cannot be distinguished from the old one's.
#[test]
fn a_restart_that_is_reported_late_by_a_node_that_keeps_no_previous_log_repeats_nothing() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let refusal = Answer::status(400, "BadRequest", "previous terminated container \"app\" not found");
    world.on(Match::logs().query("previous", "true")).always(refusal);
    let log = world.hold(Match::logs().query("follow", "true"));
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.hold_status("web-1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    log.release();
    tail.expect("web-1 app b");
    tail.reported("! web-1 › app: lines may be missing between ");
    world.report_status("web-1");
    world.log("web-1/app").push("c");
    tail.expect("web-1 app c");
    tail.interrupt();
}

/// The kubelet reports the end of the old instance while the new one writes already.
#[test]
fn a_restart_that_is_reported_long_after_the_end_shows_each_line_once() {
    let world = World::web(["old"]);
    let (log, watch) = (Gate::new(), Gate::new());
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    world.on(Match::watches()).then(Answer::ok().hold_after(After::Lines(0), &watch));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.terminate_container("web-1/app", 1, "Error");
    world.hold_status("web-1");
    world.start_container("web-1/app");
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(1), "new");
    log.release();
    tail.expect("web-1 app new");
    watch.release();
    world.end(Match::logs());
    tail.expect("web-1 app old");
    tail.reported("- web-1 › app (Error, exit 1)");
    world.report_status("web-1");
    world.log("web-1/app").push("newer");
    tail.expect("web-1 app newer");
    tail.interrupt().never_reported("may be missing");
}

/// A container that has restarted so many times before its first status is reported, each time after another line.
fn restarted_unseen(world: &World, restarts: usize) -> Tail<'_> {
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.add_pod(Pod::new("web-2").container("app").waiting("ContainerCreating", ""));
    world.hold_status("web-2");
    world.start_container("web-2/app");
    for n in 0..restarts {
        world.log("web-2/app").push(format!("{n}"));
        world.restart_container("web-2/app");
    }
    world.log("web-2/app").push("b");
    world.report_status("web-2");
    tail
}

const UNSEEN: &str = "! web-2 › app: had restarted before it was seen; what it wrote earlier was not read\n";

/// Its node still has the instance before.
#[test]
fn a_container_that_restarted_before_it_was_seen_shows_both_instances() {
    let world = World::web(["a"]);
    let mut tail = restarted_unseen(&world, 1);
    tail.expect("web-2 app 0");
    tail.expect("web-2 app b");
    let ran = tail.interrupt().never_reported(UNSEEN);
    assert_eq!(ran.err().matches("── web-2 › app restarted: ").count(), 1, "{}", ran.err());
}

#[test]
fn an_instance_that_wrote_nothing_before_it_was_seen_is_not_reported() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.add_pod(Pod::new("web-2").container("app").waiting("ContainerCreating", ""));
    world.hold_status("web-2");
    world.start_container("web-2/app");
    world.restart_container("web-2/app");
    world.log("web-2/app").push("b");
    world.report_status("web-2");
    tail.expect("web-2 app b");
    tail.interrupt().never_reported(UNSEEN);
}

#[test]
fn instances_before_the_previous_one_are_reported() {
    let world = World::web(["a"]);
    let mut tail = restarted_unseen(&world, 2);
    tail.expect("web-2 app 1");
    tail.expect("web-2 app b");
    let ran = tail.interrupt();
    assert_eq!(ran.err().matches(UNSEEN).count(), 1, "{}", ran.err());
}

#[test]
fn a_container_that_restarted_before_it_was_seen_is_reported_if_its_log_is_gone() {
    let world = World::web(["a"]);
    let missing = "previous terminated container \"app\" in pod \"web-2\" not found";
    world.on(Match::logs().query("previous", "true")).always(Answer::status(400, "BadRequest", missing));
    let mut tail = restarted_unseen(&world, 1);
    tail.expect("web-2 app b");
    let ran = tail.interrupt().never_reported("the log of the previous instance");
    assert_eq!(ran.err().matches(UNSEEN).count(), 1, "{}", ran.err());
}

/// The new instance has crashed too: the old instance's log cannot be read any more.
#[test]
fn a_log_that_is_out_of_reach_between_two_crashes_is_reported_and_the_next_is_shown_once() {
    let world = World::web(["old"]);
    let log = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.hold_status("web-1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(1), "new");
    world.terminate_container("web-1/app", 1, "Error");
    world.update_pod("web-1", |pod| pod.on("app").waiting("CrashLoopBackOff", "back-off 10s"));
    log.release();
    tail.expect("web-1 app new");
    world.report_status("web-1");
    tail.reported("! web-1 › app: lines may be missing: the log was removed before it could be read\n");
    world.start_container("web-1/app");
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(2), "newer");
    tail.expect("web-1 app newer");
    tail.interrupt().lines(["web-1 app new", "web-1 app newer"]);
}

/// The report is so late that the new instance has ended too.
#[test]
fn a_restart_that_is_reported_with_its_end_shows_each_line_once() {
    let world = World::web(["old"]);
    let log = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.hold_status("web-1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    log.release();
    tail.expect("web-1 app new");
    world.terminate_container("web-1/app", 1, "Error");
    world.report_status("web-1");
    tail.expect("web-1 app old");
    tail.until(|account| account.requests.logs().open().is_empty());
    tail.reported("- web-1 › app (Error, exit 1, restart 1)");
    tail.interrupt().lines(["web-1 app new", "web-1 app old"]);
}
