//! What is shown while pods and containers come, restart and go.

use std::time::Duration;

use apiserver::{After, Answer, Gate, Match, Pod, Workload};
use jiff::SignedDuration;

use crate::harness::World;

#[test]
fn lines_are_shown_as_they_are_written() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    for line in ["b", "", "  c\td"] {
        world.log("web-1/app").push(line);
        tail.expect(&format!("web-1 app {line}"));
    }
    tail.interrupt().stderr("+ web-1 › app\n").exit(130);
}

#[test]
fn a_line_is_shown_whole_once_its_end_is_there() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").push_raw("one ").push_raw("line").push_raw("\n");
    tail.expect("web-1 app one line");
    tail.interrupt().exit(130);
}

#[test]
fn all_logs_are_opened_at_once() {
    let world = World::new();
    world.add_pods((0..20).map(|n| Pod::new(format!("web-{n}"))));
    let gate = world.hold(Match::logs());
    let tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 20);
    gate.release();
    tail.until(|account| account.open_log_streams == 20);
}

#[test]
fn long_lists_come_in_pages() {
    let world = World::new();
    world.pods(["web-1", "web-2", "web-3", "web-4", "web-5"]);
    world.set_page_size(2);
    let tail = world.start("web");
    tail.until(|account| account.open_log_streams == 5);
    let limits: Vec<_> = world.requests().lists().iter().map(|list| list.query("limit").is_some()).collect();
    assert_eq!(limits, [true; 3]);
}

#[test]
fn a_new_pod_is_picked_up() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n").exit(130);
}

#[test]
fn a_new_pod_that_does_not_match_is_left_alone() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --exclude-pod 2");
    tail.expect("web-1 app a");
    world.pods(["db-0", "web-2", "web-3"]);
    tail.told("+ web-3 › app");
    tail.interrupt().never_told("db-0").never_told("web-2");
}

#[test]
fn a_pod_that_starts_while_following_is_shown_from_its_first_line() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --tail 0");
    tail.told("+ web-1 › app");
    world.pod("web-2", ["b", "c"]);
    tail.expect("web-2 app b");
    tail.expect("web-2 app c");
    tail.interrupt();
}

#[test]
fn nothing_that_matches_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("web");
    tail.told("· no container matches in namespace \"default\"; waiting for it\n");
    world.pod("web-1", ["a"]);
    tail.expect("web-1 app a");
    tail.interrupt().exit(130);
}

#[test]
fn a_pod_that_does_not_exist_yet_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("pod/web-1");
    tail.told("no container matches");
    world.pod("web-1", ["a"]);
    tail.expect("web-1 app a");
    tail.interrupt().exit(130);
}

/// As a pattern is, and the first lines of its pods are news, whatever `--tail` says.
#[test]
fn a_workload_that_does_not_exist_yet_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("job/backup --tail 0");
    tail.told("· jobs \"backup\" not found in namespace \"default\"; waiting for it\n");
    world.add_pod(Pod::new("backup-x1").label("job", "backup"));
    world.log("backup-x1/app").push("a");
    world.add(Workload::job("backup").selects("job", "backup"));
    tail.expect("backup-x1 app a");
    tail.interrupt().exit(130).told("waiting for it");
}

#[test]
fn a_container_that_starts_later_is_picked_up() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").waiting("ContainerCreating", ""));
    let mut tail = world.start("web");
    tail.watches(1);
    world.start_container("web-1/app");
    world.log("web-1/app").push("a");
    tail.expect("web-1 app a");
    tail.interrupt().never_told("waits");
}

/// Not only that nothing is there yet: the scheduler says why.
#[test]
fn a_pod_that_cannot_be_scheduled_is_told_with_the_words_of_the_scheduler() {
    let world = World::new();
    let few = |pod: Pod, message: &str| pod.unschedulable("Unschedulable", message);
    world.add_pod(few(Pod::new("web-1"), "0/3 nodes are available: 3 Insufficient cpu."));
    world.add_pod(Pod::new("web-2").never_started("Evicted", "The node was low on resource: memory."));
    let told = "! web-1 waits: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.\n\
                ! web-2 failed: Evicted: The node was low on resource: memory.\n";
    world.run("web --no-follow").stdout("").stderr(told).exit(0);
    let mut tail = world.start("web");
    tail.watches(1);
    tail.told(told);
    world.update_pod("web-1", |pod| few(pod, "0/4 nodes are available: 4 Insufficient cpu."));
    world.add_pod(Pod::new("web-3").unschedulable("SchedulingGated", "Scheduling is blocked"));
    tail.told("! web-3 waits: SchedulingGated: Scheduling is blocked\n");
    world.update_pod("web-1", |pod| pod.node("node-a").on("app").running());
    world.log("web-1/app").push("a");
    tail.expect("web-1 app a");
    tail.interrupt().told("Unschedulable").never_told("no container matches");
}

#[test]
fn a_pod_that_is_scheduled_later_is_picked_up() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").unscheduled());
    let mut tail = world.start("web -o json");
    tail.watches(1);
    world.update_pod("web-1", |pod| pod.node("node-a").on("app").running());
    world.update_pod("web-1", |pod| pod.on("app").waiting("ContainerCreating", "").running());
    world.log("web-1/app").push("a");
    tail.expect(
        r#"{"message":"a","nodeName":"node-a","namespace":"default","podName":"web-1","containerName":"app","labels":null,"annotations":null}"#,
    );
    tail.interrupt();
}

#[test]
fn an_ephemeral_container_that_is_added_is_picked_up() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.update_pod("web-1", |pod| pod.ephemeral("debug"));
    world.log("web-1/debug").push("b");
    tail.expect("web-1 debug b");
    tail.interrupt().stderr("+ web-1 › app\n+ web-1 › debug\n");
}

#[test]
fn a_container_that_ends_is_told() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").push("b");
    world.terminate_container("web-1/app", 0, "Completed");
    tail.expect("web-1 app b");
    tail.told("- web-1 › app");
    tail.interrupt().exit(130);
}

#[test]
fn a_restarted_container_is_shown_on() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app (Error, exit 1)\n+ web-1 › app\n");
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
fn what_a_broken_stream_left_before_a_restart_is_read_from_the_previous_log() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    let gate = world.hold(Match::logs().query("follow", "true"));
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").push("last words");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    // What follows the restart in the watch is told.
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.told("! web-2 › app waits");
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
    tail.told("! web-1 › app waits: CrashLoopBackOff: back-off 10s\n");
    world.start_container("web-1/app");
    world.log("web-1/app").push("2");
    tail.expect("web-1 app 2");
    tail.interrupt().told("CrashLoopBackOff");
}

/// Between an end and a restart, what a node serves as the current log it serves as the previous one too.
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
    tail.interrupt().never_told("may be missing");
}

/// The log is asked for, then the container restarts, and that is known before the answer comes.
#[test]
fn a_restart_before_a_log_is_opened_attributes_no_line_to_the_wrong_instance() {
    let world = World::web(["old"]);
    let gate = Gate::new();
    world.on(Match::logs()).then(Answer::ok().hold(&gate));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    // What follows the restart in the watch is told.
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.told("! web-2 › app waits");
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
    // A poll takes the only place.
    let gate = world.hold(Match::logs().path("/web-0/"));
    world.add_pod(Pod::new("web-0").created(world.now() - SignedDuration::from_hours(1)));
    tail.until(|account| account.requests.logs().path("/web-0/").len() == 1);
    world.pod("web-2", ["old"]);
    tail.told("polling 2");
    world.restart_container("web-2/app");
    world.log("web-2/app").push("new");
    // What follows the restart in the watch is told.
    world.add_pod(Pod::new("web-3").container("app").waiting("ImagePullBackOff", ""));
    tail.told("! web-3 › app waits");
    gate.release();
    tail.expect("web-2 app old");
    tail.expect("web-2 app new");
    tail.interrupt();
}

/// The same, but what is told of the restart is late.
#[test]
fn a_restart_that_is_known_only_after_a_log_was_opened_shows_each_line_once() {
    let world = World::web(["old"]);
    let (log, watch) = (Gate::new(), Gate::new());
    world.on(Match::logs()).then(Answer::ok().hold(&log));
    world.on(Match::watches()).then(Answer::ok().hold_after(After::Lines(0), &watch));
    let mut tail = world.start("web");
    tail.until(|account| account.requests.logs().len() == 1);
    world.restart_container("web-1/app");
    // The status knows seconds only; this comes well after the one in which the old instance ended.
    let later = world.now() + Duration::from_secs(3);
    world.log("web-1/app").push_at(later, "new");
    log.release();
    tail.expect("web-1 app new");
    watch.release();
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.told("! web-2 › app waits");
    world.log("web-1/app").push_at(later, "newer");
    tail.expect("web-1 app old");
    tail.expect("web-1 app newer");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("newest");
    tail.expect("web-1 app newest");
    tail.interrupt();
}

/// The instants that a status knows are too coarse to tell the instances apart.
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
        .never_told("may be missing");
}

/// What follows a broken stream is another log, and for long nobody is told why.
#[test]
fn a_restart_that_a_watch_is_late_to_tell_is_not_taken_for_a_rotation() {
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
    // The status is asked for.
    tail.until(|account| account.requests.lists().len() == 2);
    watch.release();
    tail.expect("web-1 app last words");
    tail.expect("web-1 app b");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app (Error, exit 1)\n+ web-1 › app\n");
}

/// Not even the apiserver knows why what follows a broken stream is another log.
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
    // A restart takes its time.
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(1), "b");
    log.release();
    tail.expect("web-1 app last words");
    world.report_status("web-1");
    tail.expect("web-1 app b");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app (Error, exit 1)\n+ web-1 › app\n");
}

/// The node kept nothing of the old instance, so that nobody can tell that the new one's log is not its own.
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
    tail.told("! web-1 › app: lines may be missing between ");
    world.report_status("web-1");
    world.log("web-1/app").push("c");
    tail.expect("web-1 app c");
    tail.interrupt();
}

/// It reports that the old one ended while the new one writes already.
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
    tail.told("- web-1 › app (Error, exit 1)");
    world.report_status("web-1");
    world.log("web-1/app").push("newer");
    tail.expect("web-1 app newer");
    tail.interrupt().never_told("may be missing");
}

#[test]
fn a_container_that_restarted_before_it_was_seen_is_told() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.add_pod(Pod::new("web-2").container("app").waiting("ContainerCreating", ""));
    world.hold_status("web-2");
    world.start_container("web-2/app");
    world.log("web-2/app").push("unseen");
    world.restart_container("web-2/app");
    world.log("web-2/app").push("b");
    world.report_status("web-2");
    tail.expect("web-2 app b");
    tail.told("! web-2 › app: had restarted before it was seen; what it wrote earlier was not read\n");
    tail.interrupt();
}

/// The new instance has crashed as well: until there is another, nobody can read the old one's log.
#[test]
fn a_log_that_is_out_of_reach_between_two_crashes_is_told_and_the_next_is_shown_once() {
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
    tail.told("! web-1 › app: lines may be missing: the log was gone before it could be read\n");
    world.start_container("web-1/app");
    world.log("web-1/app").push_at(world.now() + Duration::from_secs(2), "newer");
    tail.expect("web-1 app newer");
    tail.interrupt().lines(["web-1 app new", "web-1 app newer"]);
}

/// It is so late that the new instance has ended as well.
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
    tail.told("- web-1 › app (Error, exit 1, restart 1)");
    tail.interrupt().lines(["web-1 app new", "web-1 app old"]);
}

#[test]
fn a_deleted_pod_is_drained() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").extend(["last", "words"]);
    world.delete_pod("web-1");
    tail.expect("web-1 app last");
    tail.expect("web-1 app words");
    tail.told("- web-1 › app\n");
    tail.interrupt();
}

/// With a grace period: a container ends by itself, its node reports that, removes its log, and then there is no pod.
#[test]
fn a_rollout_of_nine_pods_is_no_alarm() {
    let (world, old) = (World::new(), (0..9).map(|n| format!("old-{n}")));
    world.add_pods(old.clone().map(Pod::new));
    let mut tail = world.start(". -o raw");
    for pod in old.clone() {
        world.log(&format!("{pod}/app")).push(&pod);
    }
    let words = |word: &str| old.clone().map(|pod| format!("{word}{pod}")).collect::<Vec<_>>();
    tail.expect_all(words("").iter().map(String::as_str));
    for (n, pod) in old.clone().enumerate() {
        world.pod(&format!("new-{n}"), []);
        world.update_pod(&pod, Pod::deleting);
        world.log(&format!("{pod}/app")).push(format!("bye {pod}"));
        if n % 2 == 0 {
            let removed = "unable to retrieve container logs for containerd://1";
            world.on(Match::logs().path(&pod)).always(Answer::text(200, removed));
        }
        world.terminate_container(&format!("{pod}/app"), 0, "Completed");
    }
    tail.expect_all(words("bye ").iter().map(String::as_str));
    old.for_each(|pod| world.delete_pod(&pod));
    (0..9).for_each(|n| tail.told(&format!("- old-{n} › app")));
    tail.interrupt().never_told("!");
}

#[test]
fn a_pod_that_is_being_deleted_is_shown_until_it_is_gone() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.update_pod("web-1", Pod::deleting);
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    world.delete_pod("web-1");
    tail.told("- web-1 › app\n");
    tail.interrupt();
}

#[test]
fn a_pod_that_comes_again_under_its_name_is_another() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.delete_pod("web-1");
    world.pod("web-1", ["a"]);
    tail.expect("web-1 app a");
    tail.interrupt();
}

#[test]
fn a_container_that_waits_is_told_once_with_its_reason() {
    let world = World::new();
    let pod = Pod::new("web-1").container("app");
    world.add_pod(pod.waiting("ImagePullBackOff", "Back-off pulling image \"web\""));
    let tail = world.start("web");
    tail.told("! web-1 › app waits: ImagePullBackOff: Back-off pulling image \"web\"\n");
    world.update_pod("web-1", |pod| pod.on("app").waiting("ErrImagePull", ""));
    world.update_pod("web-1", |pod| pod.on("app").waiting("ImagePullBackOff", "again"));
    world.pods(["web-2"]);
    tail.told("+ web-2 › app");
    tail.interrupt().told("ImagePullBackOff").told("! web-1 › app waits: ErrImagePull\n");
}

#[test]
fn a_container_that_cannot_be_made_is_told_without_following_too() {
    let world = World::new();
    let pod = Pod::new("web-1").container("app");
    world.add_pod(pod.waiting("CreateContainerConfigError", "secret \"s\" not found"));
    let ran = world.run("web --no-follow").stdout("");
    ran.stderr("! web-1 › app waits: CreateContainerConfigError: secret \"s\" not found\n").exit(0);
}

#[test]
fn the_state_that_was_asked_for_counts_at_the_start_only() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("runs").container("ended").terminated(0, "Completed"));
    let mut tail = world.start("web --container-state terminated");
    tail.told("+ web-1 › ended");
    world.pod("web-2", ["new"]);
    tail.expect("web-2 app new");
    world.restart_container("web-1/runs");
    world.log("web-1/runs").push("again");
    tail.expect("web-1 runs again");
    tail.interrupt();
}

#[test]
fn a_condition_is_obeyed_while_following() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --condition ready");
    tail.expect("web-1 app a");
    world.update_pod("web-1", |pod| pod.condition("Ready", false));
    tail.told("- web-1 › app\n");
    world.log("web-1/app").push("not ready");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt();
}

#[test]
fn a_pod_that_meets_the_condition_again_goes_on_where_it_was() {
    let world = World::web(["a", "b"]);
    let mut tail = world.start("web --condition ready");
    tail.expect("web-1 app a");
    tail.expect("web-1 app b");
    world.update_pod("web-1", |pod| pod.condition("Ready", false));
    tail.told("- web-1 › app\n");
    world.log("web-1/app").push("meanwhile");
    world.update_pod("web-1", |pod| pod.condition("Ready", true));
    tail.expect("web-1 app meanwhile");
    world.log("web-1/app").push("end");
    tail.expect("web-1 app end");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app\n+ web-1 › app\n");
}

/// Both changes are in one piece of the watch: the second is known before the first has had an effect.
#[test]
fn a_pod_that_meets_the_condition_again_at_once_goes_on_where_it_was() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").init_container("setup").container("app").on("setup").terminated(0, ""));
    world.log("web-1/setup").extend(["1", "2"]);
    world.log("web-1/app").extend(["a", "b"]);
    let gate = Gate::new();
    world.on(Match::watches()).always(Answer::ok().step(&gate));
    let mut tail = world.start("web --condition ready");
    let history = ["web-1 setup 1", "web-1 setup 2", "web-1 app a", "web-1 app b"];
    tail.expect_all(history);
    tail.told("- web-1 › setup");
    tail.watches(1);
    for round in 1..=3 {
        for ready in [false, true] {
            world.update_pod("web-1", |pod| pod.condition("Ready", ready));
        }
        gate.pass(2);
        world.log("web-1/app").push(format!("line {round}"));
        tail.expect(&format!("web-1 app line {round}"));
        let resumed = |log: &apiserver::Request| {
            log.query("container") == Some("setup") && log.query("sinceTime").is_some()
        };
        tail.until(|account| account.requests.logs().filter(resumed).len() >= round);
    }
    tail.interrupt();
}

#[test]
fn nothing_is_kept_of_pods_that_are_gone() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    for n in 2..12 {
        let pod = format!("web-{n}");
        world.pod(&pod, ["b"]);
        tail.expect(&format!("{pod} app b"));
        world.delete_pod(&pod);
        tail.told(&format!("- {pod} › app\n"));
    }
    tail.ask_for_stats();
    tail.told("· default web-1 › app: 1 lines, ");
    tail.told("· 10 containers that are gone: 10 lines, ");
    tail.interrupt();
}

#[test]
fn a_pod_that_meets_the_condition_later_comes_with_its_history() {
    let world = World::web(["a"]);
    world.update_pod("web-1", |pod| pod.condition("Ready", false));
    let mut tail = world.start("web --condition ready --tail 1");
    tail.told("waiting for it");
    world.log("web-1/app").push("b");
    world.update_pod("web-1", |pod| pod.condition("Ready", true));
    tail.expect("web-1 app b");
    tail.interrupt();
}

#[test]
fn where_watching_is_forbidden_the_list_is_asked_for_again() {
    let world = World::web(["a"]);
    world.forbid("watch", "pods", "*");
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    let lists = world.requests().lists().len();
    tail.until(|account| account.requests.lists().len() > lists);
    let told =
        "! not allowed to watch pods in namespace \"default\": user \"double-user\" needs verb \"watch\"";
    tail.interrupt().told(told).told("asking every 5 s instead").exit(130);
}

#[test]
fn a_watch_that_ends_is_begun_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.end(Match::watches());
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n");
}

#[test]
fn a_watch_that_is_too_old_is_begun_with_a_list() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.expire_watches();
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.until(|account| account.requests.lists().len() == 2);
    tail.interrupt().stderr("+ web-1 › app\n+ web-2 › app\n");
}

#[test]
fn a_pod_that_went_while_nobody_watched_is_dropped() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let mut tail = world.start("web");
    tail.expect_all(["web-1 app a", "web-2 app b"]);
    tail.watches(1);
    let gate = world.hold(Match::watches());
    world.expire_watches();
    world.delete_pod("web-2");
    gate.release();
    tail.told("- web-2 › app\n");
    world.log("web-1/app").push("still here");
    tail.expect("web-1 app still here");
    tail.interrupt();
}
