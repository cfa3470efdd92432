//! New lines, pods and containers appear while following.

use apiserver::{Match, Pod, Workload};

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
    tail.reported("+ web-3 › app");
    tail.interrupt().never_reported("db-0").never_reported("web-2");
}

#[test]
fn a_pod_that_starts_while_following_is_shown_from_its_first_line() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --tail 0");
    tail.reported("+ web-1 › app");
    world.pod("web-2", ["b", "c"]);
    tail.expect("web-2 app b");
    tail.expect("web-2 app c");
    tail.interrupt();
}

#[test]
fn nothing_that_matches_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("web");
    tail.reported("· no container matches in namespace \"default\"; waiting for it\n");
    world.pod("web-1", ["a"]);
    tail.expect("web-1 app a");
    tail.interrupt().exit(130);
}

#[test]
fn a_pod_that_does_not_exist_yet_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("pod/web-1");
    tail.reported("no container matches");
    world.pod("web-1", ["a"]);
    tail.expect("web-1 app a");
    tail.interrupt().exit(130);
}

/// The first lines of its pods are new, so `--tail` does not omit them.
#[test]
fn a_workload_that_does_not_exist_yet_is_waited_for() {
    let world = World::new();
    let mut tail = world.start("job/backup --tail 0");
    tail.reported("· jobs \"backup\" not found in namespace \"default\"; waiting for it\n");
    world.add_pod(Pod::new("backup-x1").label("job", "backup"));
    world.log("backup-x1/app").push("a");
    world.add(Workload::job("backup").selects("job", "backup"));
    tail.expect("backup-x1 app a");
    tail.interrupt().exit(130).reported("waiting for it");
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
    tail.interrupt().never_reported("waits");
}

/// The report has the scheduler's reason.
#[test]
fn a_pod_that_cannot_be_scheduled_is_reported_with_the_message_of_the_scheduler() {
    let world = World::new();
    let few = |pod: Pod, message: &str| pod.unschedulable("Unschedulable", message);
    world.add_pod(few(Pod::new("web-1"), "0/3 nodes are available: 3 Insufficient cpu."));
    world.add_pod(Pod::new("web-2").never_started("Evicted", "The node was low on resource: memory."));
    let reported = "! web-1 waits: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.\n\
                ! web-2 failed: Evicted: The node was low on resource: memory.\n";
    world.run("web --no-follow").stdout("").stderr(reported).exit(0);
    let mut tail = world.start("web");
    tail.watches(1);
    tail.reported(reported);
    world.update_pod("web-1", |pod| few(pod, "0/4 nodes are available: 4 Insufficient cpu."));
    world.add_pod(Pod::new("web-3").unschedulable("SchedulingGated", "Scheduling is blocked"));
    tail.reported("! web-3 waits: SchedulingGated: Scheduling is blocked\n");
    world.update_pod("web-1", |pod| pod.node("node-a").on("app").running());
    world.log("web-1/app").push("a");
    tail.expect("web-1 app a");
    tail.interrupt().reported("Unschedulable").never_reported("no container matches");
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
fn a_container_that_ends_is_reported() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.log("web-1/app").push("b");
    world.terminate_container("web-1/app", 0, "Completed");
    tail.expect("web-1 app b");
    tail.reported("- web-1 › app");
    tail.interrupt().exit(130);
}

#[test]
fn a_container_that_waits_is_reported_once_with_its_reason() {
    let world = World::new();
    let pod = Pod::new("web-1").container("app");
    world.add_pod(pod.waiting("ImagePullBackOff", "Back-off pulling image \"web\""));
    let tail = world.start("web");
    tail.reported("! web-1 › app waits: ImagePullBackOff: Back-off pulling image \"web\"\n");
    world.update_pod("web-1", |pod| pod.on("app").waiting("ErrImagePull", ""));
    world.update_pod("web-1", |pod| pod.on("app").waiting("ImagePullBackOff", "again"));
    world.pods(["web-2"]);
    tail.reported("+ web-2 › app");
    tail.interrupt().reported("ImagePullBackOff").reported("! web-1 › app waits: ErrImagePull\n");
}

#[test]
fn a_container_that_cannot_be_made_is_reported_without_following_too() {
    let world = World::new();
    let pod = Pod::new("web-1").container("app");
    world.add_pod(pod.waiting("CreateContainerConfigError", "secret \"s\" not found"));
    let ran = world.run("web --no-follow").stdout("");
    ran.stderr("! web-1 › app waits: CreateContainerConfigError: secret \"s\" not found\n").exit(0);
}
