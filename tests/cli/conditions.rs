//! `--condition` and `--container-state`: which pods and containers are followed, and from when on.

use apiserver::{Answer, Gate, Match, Pod};

use crate::harness::World;

#[test]
fn the_state_that_was_asked_for_counts_at_the_start_only() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("runs").container("ended").terminated(0, "Completed"));
    let mut tail = world.start("web --container-state terminated");
    tail.reported("+ web-1 › ended");
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
    tail.reported("- web-1 › app\n");
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
    tail.reported("- web-1 › app\n");
    world.log("web-1/app").push("meanwhile");
    world.update_pod("web-1", |pod| pod.condition("Ready", true));
    tail.expect("web-1 app meanwhile");
    world.log("web-1/app").push("end");
    tail.expect("web-1 app end");
    tail.interrupt().stderr("+ web-1 › app\n- web-1 › app\n+ web-1 › app\n");
}

/// Both changes arrive in one chunk of the watch: the second is known before the first has had an effect.
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
    tail.reported("- web-1 › setup");
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
fn a_pod_that_meets_the_condition_later_comes_with_its_history() {
    let world = World::web(["a"]);
    world.update_pod("web-1", |pod| pod.condition("Ready", false));
    let mut tail = world.start("web --condition ready --tail 1");
    tail.reported("waiting for it");
    world.log("web-1/app").push("b");
    world.update_pod("web-1", |pod| pod.condition("Ready", true));
    tail.expect("web-1 app b");
    tail.interrupt();
}
