//! `stern-rs __complete`, which the shells' scripts and kubectl call.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use apiserver::{Answer, Match, Pod, Workload};

use crate::harness::{NOTHING, World, link};

#[cfg(unix)]
mod unix;

/// The namespace `shop` has a deployment `web`, whose pod has the containers `nginx` and `app`; `default` has a pod
/// `db-1`. The context `arn:aws:eks/shop` is in `shop`.
fn shop() -> World {
    let world = World::new();
    let web = Pod::new("web-1").namespace("shop").label("app", "web").node("node-a");
    world.add_pod(web.container("nginx").container("app"));
    world.add_pod(Pod::new("db-1").node("node-b").container("postgres"));
    world.add(Workload::deployment("web").namespace("shop").selects("app", "web"));
    let contexts = "contexts:\n- name: arn:aws:eks/shop\n  context: {cluster: double, user: double-user, namespace: shop}\n";
    world.home.write("kubeconfig", &world.kubeconfig().replace("contexts:\n", contexts));
    world
}

/// Completing `line` prints the candidates and then the directive, here separated by spaces.
#[track_caller]
fn completes(world: &World, line: &str, expected: &str) {
    let expected = expected.replace(' ', "\n") + "\n";
    world.run(&format!("__complete {line}")).stdout(&expected).stderr("").exit(0);
}

#[test]
fn namespaces_are_completed_alone_and_in_lists() {
    let shop = shop();
    completes(&shop, "-n ''", "default kube-system shop :4");
    completes(&shop, "-n sh", "shop :4");
    completes(&shop, "-tAnsh", "-tAnshop :4");
    completes(&shop, "--namespace=shop,", "shop,default shop,kube-system :4");
}

#[test]
fn nodes_are_completed() {
    completes(&shop(), "--node node-", "node-a node-b :4");
}

#[test]
fn names_of_a_kind_are_those_of_the_given_namespaces() {
    let shop = shop();
    completes(&shop, "deploy/", ":4");
    completes(&shop, "-n shop deploy/w", "deploy/web :4");
    completes(&shop, "-A po/", "po/db-1 po/web-1 :4");
    completes(&shop, "-n shop,default pod/", "pod/db-1 pod/web-1 :4");
}

#[test]
fn containers_are_those_that_the_line_selects() {
    let shop = shop();
    completes(&shop, ". -c ''", "postgres :4");
    completes(&shop, "-n shop . -c ''", "app nginx :4");
    completes(&shop, "-A deploy/web -E n", "nginx :4");
    completes(&shop, "-A ^db -c ''", "postgres :4");
}

#[test]
fn contexts_clusters_and_users_are_those_of_the_kubeconfig() {
    let shop = shop();
    completes(&shop, "--context ''", "arn:aws:eks/shop double :4");
    completes(&shop, "--cluster=d", "double :4");
    completes(&shop, "--user ''", "double-user :4");
}

#[test]
fn flags_before_decide_where_to_look() {
    let shop = shop();
    completes(&shop, "--context arn:aws:eks/shop deploy/", "deploy/web :4");
    completes(&shop, "--context nope -n ''", ":4");
    completes(&shop, &format!("--kubeconfig {NOTHING} --context ''"), ":4");
}

#[test]
fn the_config_file_applies_too() {
    let shop = shop();
    let config = shop.home.write("config.yaml", "namespace: shop\nprompt: true\ntail: x\n");
    completes(&shop, &format!("--config {config} deploy/"), "deploy/web :4");
    completes(&shop, &format!("--config {config} -n default po/"), "po/db-1 :4");
}

#[test]
fn forbidden_or_unanswered_suggestions_are_left_out_in_time() {
    let shop = shop();
    shop.forbid("list", "namespaces", "");
    completes(&shop, "-n ''", ":4");
    shop.on(Match::lists().path("nodes")).always(Answer::never());
    let start = Instant::now();
    completes(&shop, "--node ''", ":4");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    shop.down();
    completes(&shop, "-n ''", ":4");
}

#[test]
fn kubectl_asks_by_a_name_of_its_own() {
    let shop = shop();
    let program = shop.home.path(&format!("kubectl_complete-stern_rs{}", std::env::consts::EXE_SUFFIX));
    link(env!("CARGO_BIN_EXE_stern-rs"), &program).unwrap();
    let output =
        Command::new(program).args(["-n", "sh"]).env("KUBECONFIG", shop.home.path("kubeconfig")).output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "shop\n:4\n");
}
