//! Deleted pods: the rest of their logs is shown, and then they are forgotten.

use apiserver::{Answer, Match, Pod};

use crate::harness::World;

#[cfg(unix)]
mod unix;

#[test]
fn a_deleted_pod_is_drained() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").extend(["last", "words"]);
    world.delete_pod("web-1");
    tail.expect("web-1 app last");
    tail.expect("web-1 app words");
    tail.reported("- web-1 › app\n");
    tail.interrupt();
}

/// With a grace period: the container exits, the node reports its end and removes its log, and then the pod is deleted.
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
    }
    // The watch tells of it behind all deletions, which are known from then on.
    world.pod("new-9", []);
    tail.reported("+ new-9 › app");
    for (n, pod) in old.clone().enumerate() {
        world.log(&format!("{pod}/app")).push(format!("bye {pod}"));
        if n % 2 == 0 {
            let removed = "unable to retrieve container logs for containerd://1";
            world.on(Match::logs().path(&pod)).always(Answer::text(200, removed));
        }
        world.terminate_container(&format!("{pod}/app"), 0, "Completed");
    }
    tail.expect_all(words("bye ").iter().map(String::as_str));
    old.for_each(|pod| world.delete_pod(&pod));
    (0..9).for_each(|n| tail.reported(&format!("- old-{n} › app")));
    tail.interrupt().never_reported("!");
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
    tail.reported("- web-1 › app\n");
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
