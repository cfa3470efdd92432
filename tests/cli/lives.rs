//! The lives of a container: a marker between each two, and the one before the first with `--with-previous`.

use apiserver::{Answer, Match, Pod};

use crate::harness::{Ran, World, stern_rs};

/// A pod whose container has ended once, after `old`, and wrote `new` since.
fn restarted() -> World {
    let world = World::web(["old"]);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    world
}

/// Two of them.
pub const RESTARTED: &str = "+ web-1 › app\n\
                         - web-1 › app (Error, exit 1)\n\
                         ── web-1 › app restarted: Error, exit 1, ran … ──\n";

/// The lives as standard error has them, with `ran …` for the seconds that a life took.
#[track_caller]
pub fn lives(ran: &Ran, wanted: &str) {
    let seconds = regex::Regex::new("ran [0-9]+s").expect("the pattern is valid");
    assert_eq!(seconds.replace_all(&ran.err(), "ran …"), wanted);
}

fn previous() -> Match {
    Match::logs().query("previous", "true")
}

#[test]
fn each_restart_is_marked_once() {
    let world = World::web(["1"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app 1");
    for line in ["2", "3"] {
        world.restart_container("web-1/app");
        world.log("web-1/app").push(line);
        tail.expect(&format!("web-1 app {line}"));
    }
    let again =
        "- web-1 › app (Error, exit 1, restart 1)\n── web-1 › app restarted: Error, exit 1, ran … ──\n";
    lives(&tail.interrupt(), &format!("{RESTARTED}{again}"));
}

#[test]
fn a_marker_counts_the_instances_that_are_not_shown() {
    let world = World::web(["1"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app 1");
    world.hold_status("web-1");
    for line in ["2", "3"] {
        world.restart_container("web-1/app");
        world.log("web-1/app").push(line);
    }
    world.report_status("web-1");
    tail.expect("web-1 app 3");
    tail.interrupt().reported("── web-1 › app restarted; 1 instance in between is not shown ──\n");
}

#[test]
fn markers_are_no_log_lines() {
    let world = World::web(["1"]);
    let mut tail = world.start("web --only-log-lines");
    tail.expect("web-1 app 1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("2");
    tail.expect("web-1 app 2");
    tail.interrupt().stderr("");
}

#[test]
fn polled_containers_have_markers_too() {
    let world = World::web(["1"]);
    world.pod("web-2", ["a"]);
    let mut tail = world.start("web --max-log-requests 1");
    tail.expect_all(["web-1 app 1", "web-2 app a"]);
    for name in ["web-1", "web-2"] {
        world.restart_container(&format!("{name}/app"));
        world.log(&format!("{name}/app")).push("next");
        tail.expect(&format!("{name} app next"));
    }
    let ran = tail.interrupt();
    ran.reported("── web-1 › app restarted: ").reported("── web-2 › app restarted: ");
}

#[test]
fn the_previous_instance_is_shown_before_the_current_one() {
    let world = restarted();
    let mut tail = world.start("web --with-previous");
    tail.expect("web-1 app old");
    tail.expect("web-1 app new");
    world.log("web-1/app").push("newer");
    tail.expect("web-1 app newer");
    lives(&tail.interrupt(), RESTARTED);
}

/// Its log is over, and was read.
#[test]
fn the_previous_instance_is_not_shown_again_if_its_pod_meets_the_condition_again() {
    let world = restarted();
    let mut tail = world.start("web --with-previous --condition ready");
    tail.expect("web-1 app old");
    tail.expect("web-1 app new");
    world.update_pod("web-1", |pod| pod.condition("Ready", false));
    tail.reported("- web-1 › app\n");
    world.update_pod("web-1", |pod| pod.condition("Ready", true));
    world.log("web-1/app").push("newer");
    tail.expect("web-1 app newer");
    tail.interrupt();
}

#[test]
fn both_instances_are_shown_without_following_each_from_its_tail() {
    let world = World::web(["1", "2"]);
    world.restart_container("web-1/app");
    world.log("web-1/app").extend(["3", "4"]);
    let ran = world.run("web --with-previous --no-follow --tail 1");
    ran.stdout("web-1 app 2\nweb-1 app 4\n")
        .reported("── web-1 › app restarted: Error, exit 1, ran ")
        .exit(0);
}

#[test]
fn a_container_that_never_ended_has_one_life() {
    let world = World::web(["a"]);
    let ran = world.run("web --with-previous --no-follow").stdout("web-1 app a\n");
    ran.stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
}

/// Its node serves the same log as the current and as the previous one.
#[test]
fn a_container_that_waits_for_a_restart_is_shown_once() {
    let world = World::web(["1"]);
    world.terminate_container("web-1/app", 1, "Error");
    world.update_pod("web-1", |pod| pod.on("app").waiting("CrashLoopBackOff", "back-off 10s"));
    world.run("web --with-previous --no-follow -o raw").stdout("1\n").exit(0);
}

#[test]
fn a_container_that_has_ended_again_shows_both_lives() {
    let world = restarted();
    world.terminate_container("web-1/app", 1, "Error");
    world.run("web --with-previous --no-follow -o raw").stdout("old\nnew\n").exit(0);
}

const GONE: &str =
    "· web-1 › app: the log of the previous instance is not there any more; the current one follows\n";

#[test]
fn a_node_that_kept_no_previous_instance_costs_a_notice() {
    let world = restarted();
    let missing = "previous terminated container \"app\" in pod \"web-1\" not found";
    world.on(previous()).always(Answer::status(400, "BadRequest", missing));
    let ran = world.run("web --with-previous --no-follow").stdout("web-1 app new\n");
    ran.stderr(&format!("{GONE}+ web-1 › app\n- web-1 › app\n")).exit(0);
}

#[test]
fn a_runtime_that_removed_the_previous_log_costs_a_notice() {
    let world = World::web([]);
    world.log("web-1/app").push_kubelet_error("unable to retrieve container logs for containerd://1");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    let ran = world.run("web --with-previous --no-follow -o raw").stdout("new\n").reported(GONE);
    ran.never_reported("in place of lines").exit(0);
}

#[test]
fn a_previous_log_that_cannot_be_read_holds_up_no_other() {
    let world = restarted();
    world.on(previous()).always(Answer::internal_error("the disk is broken"));
    let mut tail = world.start("web --with-previous");
    tail.expect("web-1 app new");
    tail.interrupt().reported("the disk is broken”; trying again\n").reported("the disk is broken”\n");
    world.run("web --with-previous --no-follow -o raw").stdout("new\n").exit(3);
}

#[test]
fn the_previous_instance_is_not_bound_by_the_usual_two_days() {
    let world = World::web([]);
    world.log("web-1/app").push_at("2020-01-01T00:00:00Z", "long ago");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("new");
    world.run("web --with-previous --no-follow -o raw").stdout("long ago\nnew\n").exit(0);
    world.run("web --with-previous --no-follow -o raw --since 1h").stdout("new\n").exit(0);
}

/// The previous log is requested, and before the answer the container restarts again.
#[test]
fn a_restart_before_the_previous_log_is_read_is_reported() {
    let world = restarted();
    let gate = world.hold(previous());
    let mut tail = world.start("web --with-previous");
    tail.until(|account| account.requests.logs().len() == 1);
    world.restart_container("web-1/app");
    world.log("web-1/app").push("newest");
    // A later event of the watch is reported, so the restart is known.
    world.add_pod(Pod::new("web-2").container("app").waiting("ImagePullBackOff", ""));
    tail.reported("! web-2 › app waits");
    gate.release();
    tail.expect("web-1 app new");
    tail.expect("web-1 app newest");
    tail.interrupt().reported(GONE).never_reported("may be missing");
}

#[test]
fn a_previous_instance_is_no_container_of_its_own() {
    let ran = restarted().run("web --with-previous --dry-run").exit(0);
    assert!(ran.out().contains("containers   1 of 1 pods"), "{}", ran.out());
}

#[test]
fn the_two_ways_to_show_a_previous_instance_exclude_each_other() {
    let message = "--previous and --with-previous cannot be combined; remove one";
    stern_rs("web --previous --with-previous").run().fails(2, message);
}

#[test]
fn a_restart_during_json_leaves_standard_output_alone() {
    let ran = restarted().run("web --with-previous --no-follow -o json").exit(0);
    assert!(ran.out().lines().all(|line| line.starts_with('{')), "{}", ran.out());
    assert_eq!(ran.out().lines().count(), 2);
}
