//! Which pods and containers are shown.

use apiserver::{Answer, Match, Pod, Workload};

use crate::harness::World;

/// Three pods of one container each.
fn world() -> World {
    let world = World::new();
    world.add_pod(Pod::new("web-1").label("app", "web").label("tier", "front").node("node-a"));
    world.add_pod(Pod::new("web-2").label("app", "web").label("tier", "back").node("node-b"));
    world.add_pod(Pod::new("db-0").label("app", "db").node("node-a"));
    world
}

/// Pods in three namespaces.
fn namespaces() -> World {
    let world = World::new();
    for namespace in ["default", "shop", "jobs"] {
        world.add_pod(Pod::new("web-1").namespace(namespace).label("app", "web"));
        world.add_pod(Pod::new("db-0").namespace(namespace).label("app", "db"));
    }
    world
}

/// A pod with containers of every kind.
fn kinds() -> World {
    let world = World::new();
    let pod =
        Pod::new("web-1").init_container("setup").container("app").container("proxy").ephemeral("debug");
    world.add_pod(pod);
    world
}

#[test]
fn a_regex_matches_anywhere_in_pod_names() {
    world().run("eb-[12] --no-follow").selected(["web-1 › app", "web-2 › app"]);
}

#[test]
fn a_dot_is_all() {
    world().run(". --no-follow").selected(["db-0 › app", "web-1 › app", "web-2 › app"]);
}

#[test]
fn a_regex_may_be_anchored() {
    let world = world();
    world.pods(["my-web-1"]);
    world.run(r"^web-\d$ --no-follow").selected(["web-1 › app", "web-2 › app"]);
}

#[test]
fn a_pod_by_kind_and_name_is_exact() {
    let world = world();
    world.pods(["web-11"]);
    world.run("pod/web-1 --no-follow").selected(["web-1 › app"]);
}

#[test]
fn a_pod_by_kind_and_name_is_asked_for_alone() {
    let world = world();
    world.run("po/web-1 --no-follow").exit(0);
    assert_eq!(world.requests().lists()[0].query("fieldSelector"), Some("metadata.name=web-1"));
}

#[test]
fn a_pattern_that_cannot_be_a_name_is_a_regex_for_the_whole_name() {
    let world = world();
    world.pods(["web-11"]);
    world.run("pod/web-. --no-follow").selected(["web-1 › app", "web-2 › app"]);
}

#[test]
fn a_pod_is_shown_with_no_more_than_get() {
    let world = World::web(["a"]);
    world.allow_only(&[("get", "pods", "default"), ("get", "pods/log", "default")]);
    world.run("pod/web-1 --no-follow").stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_pod_is_followed_with_no_more_than_get() {
    let world = World::web(["a"]);
    world.allow_only(&[("get", "pods", "default"), ("get", "pods/log", "default")]);
    let mut tail = world.start("pod/web-1");
    tail.expect("web-1 app a");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    tail.interrupt().exit(130);
}

#[test]
fn every_kind_of_workload_selects_its_pods() {
    for (resource, name) in [
        ("replicationcontrollers", "rc"),
        ("services", "svc"),
        ("daemonsets", "daemonset"),
        ("deployments", "Deployments.v1.apps"),
        ("replicasets", "rs"),
        ("statefulsets", "statefulsets"),
        ("jobs", "jobs.batch"),
    ] {
        let world = world();
        world.add(Workload::new(resource, "it").selects("app", "web"));
        world.run(&format!("{name}/it --no-follow")).selected(["web-1 › app", "web-2 › app"]);
    }
}

#[test]
fn match_expressions_select_too() {
    let world = world();
    let workload = Workload::deployment("web").selects("app", "web");
    world.add(workload.selects_by("tier", "In", &["front", "side"]).selects_by("old", "DoesNotExist", &[]));
    world.run("deploy/web --no-follow").selected(["web-1 › app"]);
}

#[test]
fn the_name_of_a_workload_is_exact() {
    let world = world();
    world.add(Workload::deployment("web-shop").selects("app", "web"));
    let message = "cannot get deployments \"web\" in namespace \"default\": the apiserver answered 404 NotFound: “deployments.apps \"web\" not found”";
    world.run("deploy/web --no-follow").fails(1, message);
}

#[test]
fn a_service_that_selects_nothing_is_an_error() {
    let world = world();
    world.add(Workload::service("outside"));
    let message = "services \"outside\" in namespace \"default\" selects no pods: it has no spec.selector";
    world.run("svc/outside --no-follow").fails(1, message);
}

#[test]
fn a_workload_is_found_in_every_namespace() {
    let world = namespaces();
    for namespace in ["shop", "jobs"] {
        world.add(Workload::deployment("web").namespace(namespace).selects("app", "web"));
    }
    world.run("-A deploy/web --no-follow").selected(["shop web-1 › app", "jobs web-1 › app"]);
}

#[test]
fn a_workload_that_no_namespace_has_is_an_error() {
    let message = "deployments \"web\" not found in any namespace";
    namespaces().run("-A deploy/web --no-follow").fails(1, message);
}

#[test]
fn a_workload_need_not_be_in_all_the_namespaces() {
    let world = namespaces();
    world.add(Workload::deployment("web").namespace("shop").selects("app", "web"));
    world.run("-n shop,jobs deploy/web --no-follow").selected(["shop web-1 › app"]);
}

#[test]
fn a_workload_must_be_in_one_of_the_namespaces() {
    namespaces()
        .run("-n shop,jobs deploy/web --no-follow")
        .fails_with(1, &["deployments", "\"web\" not found"]);
}

#[test]
fn labels_select_without_a_query() {
    world().run("-l app=web --no-follow").selected(["web-1 › app", "web-2 › app"]);
}

#[test]
fn labels_select_by_sets() {
    world().run("-l 'app in (web,db),tier!=back' --no-follow").selected(["db-0 › app", "web-1 › app"]);
}

#[test]
fn labels_narrow_a_query() {
    world().run("web -l tier=front --no-follow").selected(["web-1 › app"]);
}

#[test]
fn fields_select_without_a_query() {
    world().run("--field-selector metadata.name!=db-0 --no-follow").selected(["web-1 › app", "web-2 › app"]);
}

#[test]
fn an_unknown_field_is_an_error_of_the_apiserver() {
    let ran = world().run("--field-selector spec.colour=red --no-follow");
    ran.fails_with(1, &["cannot list pods", "spec.colour"]);
}

#[test]
fn a_node_selects_without_a_query() {
    world().run("--node node-a --no-follow").selected(["db-0 › app", "web-1 › app"]);
}

#[test]
fn a_node_and_fields_both_hold() {
    world().run("--node node-a --field-selector metadata.name=web-1 --no-follow").selected(["web-1 › app"]);
}

#[test]
fn the_namespace_is_that_of_the_context() {
    let world = namespaces();
    world.home.write("kubeconfig", &world.kubeconfig().replace("namespace: default", "namespace: jobs"));
    world.run("web --no-follow").exit(0);
    assert_eq!(world.requests().lists()[0].path, "/api/v1/namespaces/jobs/pods");
}

#[test]
fn one_namespace_is_not_named_again() {
    namespaces().run("web -n shop --no-follow").selected(["web-1 › app"]);
}

#[test]
fn several_namespaces_stand_before_the_pods() {
    let wanted = ["default web-1 › app", "jobs web-1 › app", "shop web-1 › app"];
    namespaces().run("web -n shop,jobs -n default --no-follow").selected(wanted);
}

#[test]
fn all_namespaces_are_one_list() {
    let world = namespaces();
    let wanted = ["default db-0 › app", "jobs db-0 › app", "shop db-0 › app"];
    world.run("-A db --no-follow").selected(wanted);
    assert_eq!(world.requests().lists().len(), 1);
}

#[test]
fn pods_are_excluded_by_name() {
    world().run(". --exclude-pod ^db --exclude-pod 2$ --no-follow").selected(["web-1 › app"]);
}

#[test]
fn containers_are_chosen_by_name() {
    kinds().run("web -c 'app|proxy' --no-follow").selected(["web-1 › app", "web-1 › proxy"]);
}

#[test]
fn containers_are_excluded_by_name() {
    let wanted = ["web-1 › app", "web-1 › debug"];
    kinds().run("web -E setup -E proxy --no-follow").selected(wanted);
}

#[test]
fn init_and_ephemeral_containers_are_shown_too() {
    let wanted = ["web-1 › app", "web-1 › debug", "web-1 › proxy", "web-1 › setup"];
    kinds().run("web --no-follow").selected(wanted);
}

#[test]
fn init_containers_can_be_left_out() {
    let wanted = ["web-1 › app", "web-1 › debug", "web-1 › proxy"];
    kinds().run("web --init-containers=false --no-follow").selected(wanted);
}

#[test]
fn ephemeral_containers_can_be_left_out() {
    let wanted = ["web-1 › app", "web-1 › proxy", "web-1 › setup"];
    kinds().run("web --ephemeral-containers=false --no-follow").selected(wanted);
}

/// A container in each state; the waiting one ran before.
fn states() -> World {
    let world = World::new();
    let pod = Pod::new("web-1").container("runs").container("ended").terminated(0, "Completed");
    world.add_pod(pod.container("waits").last_terminated(1, "Error").waiting("CrashLoopBackOff", ""));
    world
}

#[test]
fn containers_are_chosen_by_state() {
    let world = states();
    for (state, wanted) in
        [("running", "web-1 › runs"), ("terminated", "web-1 › ended"), ("waiting", "web-1 › waits")]
    {
        world.run(&format!("web --container-state {state} --no-follow")).selected([wanted]);
    }
}

#[test]
fn several_states_may_be_chosen() {
    let wanted = ["web-1 › runs", "web-1 › ended"];
    states().run("web --container-state running,terminated --no-follow").selected(wanted);
}

#[test]
fn every_state_is_chosen_unless_one_is_named() {
    states().run("web --no-follow").selected(["web-1 › runs", "web-1 › ended", "web-1 › waits"]);
}

#[test]
fn pods_are_chosen_by_condition() {
    let world = world();
    world.update_pod("web-2", |pod| pod.condition("Ready", false));
    world.run(". --condition ready --no-follow").selected(["db-0 › app", "web-1 › app"]);
    world.run(". --condition READY=false --no-follow").selected(["web-2 › app"]);
}

#[test]
fn nothing_that_matches_is_no_error() {
    let ran = world().run("nobody --no-follow");
    ran.stdout("").stderr("· no container matches in namespace \"default\"\n").exit(0);
}

#[test]
fn nothing_that_matches_names_where_was_looked() {
    let world = world();
    world.run("nobody -A --no-follow").reported("no container matches in any namespace").exit(0);
    world.run("nobody -n a,b --no-follow").reported("no container matches in namespaces a, b").exit(0);
}

#[test]
fn a_pod_that_does_not_exist_is_no_error() {
    world().run("pod/nobody --no-follow").stdout("").reported("no container matches").exit(0);
}

#[test]
fn long_lists_come_in_pages() {
    let world = World::new();
    world.pods(["web-1", "web-2", "web-3", "web-4", "web-5"]);
    world.set_page_size(2);
    let wanted = ["web-1 › app", "web-2 › app", "web-3 › app", "web-4 › app", "web-5 › app"];
    world.run("web --no-follow").selected(wanted);
    assert_eq!(world.requests().lists().len(), 3);
}

#[test]
fn a_list_that_grew_too_old_between_its_pages_begins_anew() {
    let world = World::new();
    world.pods(["web-1", "web-2", "web-3"]);
    world.set_page_size(2);
    world.on(Match::lists().nth(2)).then(Answer::expired());
    world.run("web --no-follow").selected(["web-1 › app", "web-2 › app", "web-3 › app"]);
    assert_eq!(world.requests().lists().len(), 4);
}

/// Its first page is followed by then, and would be without an end.
#[test]
fn a_first_list_that_cannot_be_read_to_its_end_is_an_error_of_the_run() {
    for flags in ["", "--no-follow"] {
        let world = World::new();
        world.pods(["web-1", "web-2", "web-3"]);
        world.set_page_size(2);
        world.on(Match::lists().nth(2)).always(Answer::status(400, "BadRequest", "the token is odd"));
        world.run(&format!("web {flags}")).reported("the token is odd").exit(1);
    }
}

/// Once more, then without pages, then with the server's words.
#[test]
fn a_list_whose_pages_are_always_too_old_is_read_at_once_or_ends() {
    // Each counts the lists that those before it leave.
    for (expired, code) in [(vec![2, 3], 0), (vec![2, 3, 4], 1)] {
        let world = World::new();
        world.pods(["web-1", "web-2", "web-3"]);
        world.set_page_size(2);
        for nth in &expired {
            world.on(Match::lists().nth(*nth)).then(Answer::expired());
        }
        world.run("web --no-follow").exit(code);
        let limits: Vec<_> =
            world.requests().lists().iter().map(|list| list.query("limit").is_some()).collect();
        assert_eq!(limits, [true, true, true, true, false, false], "{expired:?}");
    }
}

#[test]
fn a_namespace_that_is_forbidden_does_not_keep_from_the_others() {
    let world = namespaces();
    world.forbid("list", "pods", "jobs");
    let reported = "! not allowed to list pods in namespace \"jobs\"";
    world.run("web -n shop,jobs --no-follow").reported("+ shop web-1 › app").reported(reported).exit(3);
    world.run("web -n shop,jobs --dry-run").reported(reported).exit(3);
    let tail = world.start("web -n shop,jobs");
    tail.reported("+ shop web-1 › app");
    tail.reported(reported);
    tail.interrupt().exit(130);
}

#[test]
fn namespaces_that_are_all_forbidden_are_an_error() {
    let world = namespaces();
    world.forbid("*", "*", "*");
    world
        .run("web -n shop,jobs --no-follow")
        .stdout("")
        .reported("stern-rs: not allowed to list pods")
        .exit(1);
}
