//! Pods that leave a selection by labels or fields: the watch reports them as it does deleted ones, and lists lack them.

use apiserver::{Account, Match, Pod, Requests};

use crate::harness::World;

/// Two pods that `-l role=primary` selects; `web-1` has written a line.
fn primaries() -> World {
    let world = World::new();
    world.add_pods(["web-1", "web-2"].map(|name| Pod::new(name).label("role", "primary")));
    world.log("web-1/app").push("a");
    world
}

fn turns(world: &World, role: &str) {
    world.update_pod("web-1", |pod| pod.label("role", role));
}

/// The requests for that pod.
fn questions(account: &Account) -> Requests {
    account.requests.filter(|request| request.query("fieldSelector") == Some("metadata.name=web-1"))
}

#[test]
fn a_pod_whose_label_is_taken_away_is_left_without_an_alarm() {
    let world = primaries();
    let mut tail = world.start(". -l role=primary --until-match end");
    tail.expect("web-1 app a");
    tail.watches(1);
    turns(&world, "replica");
    tail.reported("- web-1 › app\n");
    world.log("web-1/app").push("not selected");
    world.log("web-2/app").extend(["b", "end"]);
    tail.expect("web-2 app b");
    tail.expect("web-2 app end");
    tail.finish().never_reported("!").exit(0);
}

#[test]
fn a_pod_whose_label_comes_back_goes_on_where_it_was() {
    let world = primaries();
    let mut tail = world.start("web-1 -l role=primary --tail 1");
    tail.expect("web-1 app a");
    tail.watches(1);
    turns(&world, "replica");
    tail.reported("- web-1 › app\n");
    world.log("web-1/app").extend(["meanwhile", "too"]);
    turns(&world, "primary");
    tail.expect("web-1 app meanwhile");
    tail.expect("web-1 app too");
    world.log("web-1/app").push("end");
    tail.expect("web-1 app end");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app\n+ web-1 › app\n");
}

/// Such as a replica that becomes the primary. A new pod comes whole.
#[test]
fn an_old_pod_that_gains_the_label_comes_with_as_much_history_as_one_that_had_it() {
    let world = primaries();
    world
        .add_pod(Pod::new("web-3").label("role", "replica").created("2026-01-31T10:00:00Z".parse().unwrap()));
    world.log("web-3/app").extend(["old", "last"]);
    let mut tail = world.start(". -l role=primary --tail 1");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.update_pod("web-3", |pod| pod.label("role", "primary"));
    tail.expect("web-3 app last");
    world.add_pod(Pod::new("web-4").label("role", "primary"));
    world.log("web-4/app").extend(["1", "2"]);
    tail.expect("web-4 app 1");
    tail.expect("web-4 app 2");
    tail.interrupt();
}

#[test]
fn a_pod_that_left_without_a_watch_goes_on_where_it_was() {
    let world = primaries();
    let mut tail = world.start("web-1 -l role=primary");
    tail.expect("web-1 app a");
    tail.watches(1);
    let gate = world.hold(Match::watches());
    world.expire_watches();
    turns(&world, "replica");
    gate.release();
    tail.reported("- web-1 › app\n");
    tail.watches(2);
    // A further list lacks it too.
    world.expire_watches();
    tail.until(|account| {
        account.requests.lists().filter(|list| list.query("labelSelector").is_some()).len() >= 3
    });
    world.log("web-1/app").push("meanwhile");
    turns(&world, "primary");
    tail.expect("web-1 app meanwhile");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app\n+ web-1 › app\n");
}

#[test]
fn a_pod_that_ends_and_leaves_by_its_phase_is_read_to_its_end() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --field-selector status.phase=Running --exit-on-complete");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.cut(Match::logs());
    let gate = world.hold(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").extend(["last", "words"]);
    world.terminate_container("web-1/app", 0, "Completed");
    tail.until(|account| !questions(account).is_empty());
    gate.release();
    tail.expect("web-1 app last");
    tail.expect("web-1 app words");
    tail.finish().never_reported("!").exit(0);
}

#[test]
fn a_pod_that_left_does_not_hold_up_the_end_of_the_others() {
    let world = primaries();
    let mut tail = world.start(". -l role=primary --exit-on-complete");
    tail.expect("web-1 app a");
    tail.watches(1);
    turns(&world, "replica");
    tail.reported("- web-1 › app\n");
    world.terminate_container("web-2/app", 0, "Completed");
    let ran = tail.finish().reported("! web-1: failed: left the selection before it ended\n");
    ran.reported("1 of 2 pods failed: web-1").exit(5);
}

/// Its last state has no `deletionTimestamp`.
#[test]
fn a_pod_of_a_selection_that_is_deleted_by_force_is_gone() {
    let world = primaries();
    let mut tail = world.start("web-1 -l role=primary");
    tail.expect("web-1 app a");
    tail.watches(1);
    world.log("web-1/app").push("last words");
    world.delete_pod("web-1");
    tail.expect("web-1 app last words");
    tail.reported("- web-1 › app\n");
    tail.until(|account| !questions(account).is_empty());
    // Another one of its name.
    world.add_pod(Pod::new("web-1").label("role", "primary"));
    world.log("web-1/app").push("a");
    tail.expect("web-1 app a");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app\n+ web-1 › app\n");
}
