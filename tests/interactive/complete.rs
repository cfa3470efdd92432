//! `stern-rs __complete`, which the scripts of the shells call, and the name by which kubectl calls it.

use std::{
    fs,
    os::unix::fs::symlink,
    process::Command,
    time::{Duration, Instant},
};

use apiserver::{Answer, ApiServer, Match, Pod, Workload};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stern-rs");

struct Shop {
    server: ApiServer,
    directory: TempDir,
}

impl Shop {
    /// The namespace `shop` has a deployment `web`, whose pod has the containers `nginx` and `app`; `default` has a pod `db-1`. The
    /// context `arn:aws:eks/shop` is in `shop`.
    fn open() -> Shop {
        let server = ApiServer::start();
        let web = Pod::new("web-1").namespace("shop").label("app", "web").node("node-a");
        server.add_pod(web.container("nginx").container("app"));
        server.add_pod(Pod::new("db-1").node("node-b").container("postgres"));
        server.add(Workload::deployment("web").namespace("shop").selects("app", "web"));
        let directory = TempDir::new().unwrap();
        let another = "contexts:\n- name: arn:aws:eks/shop\n  context: {cluster: double, user: double-user, namespace: shop}\n";
        let kubeconfig = server.kubeconfig().replace("contexts:\n", another);
        fs::write(directory.path().join("kubeconfig"), kubeconfig).unwrap();
        Shop { server, directory }
    }

    /// What may follow `line`, whose last word is being typed, in one line.
    #[track_caller]
    fn completes(&self, line: &str, expected: &str) {
        let words = std::iter::once("__complete").chain(line.split(' '));
        let output = Command::new(PROGRAM)
            .args(words)
            .env("KUBECONFIG", self.directory.path().join("kubeconfig"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.trim_end().replace('\n', " "), expected, "{line}");
    }
}

#[test]
fn namespaces_are_completed_alone_and_in_lists() {
    let shop = Shop::open();
    shop.completes("-n ", "default kube-system shop :4");
    shop.completes("-n sh", "shop :4");
    shop.completes("-tAnsh", "-tAnshop :4");
    shop.completes("--namespace=shop,", "shop,default shop,kube-system :4");
}

#[test]
fn nodes_are_completed() {
    Shop::open().completes("--node node-", "node-a node-b :4");
}

#[test]
fn names_of_a_kind_are_those_of_the_namespaces_said() {
    let shop = Shop::open();
    shop.completes("deploy/", ":4");
    shop.completes("-n shop deploy/w", "deploy/web :4");
    shop.completes("-A po/", "po/db-1 po/web-1 :4");
    shop.completes("-n shop,default pod/", "pod/db-1 pod/web-1 :4");
}

#[test]
fn containers_are_those_that_the_line_selects() {
    let shop = Shop::open();
    shop.completes(". -c ", "postgres :4");
    shop.completes("-n shop . -c ", "app nginx :4");
    shop.completes("-A deploy/web -E n", "nginx :4");
    shop.completes("-A ^db -c ", "postgres :4");
}

#[test]
fn contexts_clusters_and_users_are_those_of_the_kubeconfig() {
    let shop = Shop::open();
    shop.completes("--context ", "arn:aws:eks/shop double :4");
    shop.completes("--cluster=d", "double :4");
    shop.completes("--user ", "double-user :4");
}

#[test]
fn flags_before_decide_where_to_look() {
    let shop = Shop::open();
    shop.completes("--context arn:aws:eks/shop deploy/", "deploy/web :4");
    shop.completes("--context nope -n ", ":4");
    shop.completes("--kubeconfig /dev/null --context ", ":4");
}

#[test]
fn what_is_forbidden_or_does_not_answer_is_left_out_in_time() {
    let shop = Shop::open();
    shop.server.forbid("list", "namespaces", "");
    shop.completes("-n ", ":4");
    shop.server.on(Match::lists().path("nodes")).always(Answer::never());
    let start = Instant::now();
    shop.completes("--node ", ":4");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    shop.server.down();
    shop.completes("-n ", ":4");
}

#[test]
fn kubectl_asks_by_a_name_of_its_own() {
    let shop = Shop::open();
    let program = shop.directory.path().join("kubectl_complete-stern_rs");
    symlink(PROGRAM, &program).unwrap();
    let kubeconfig = shop.directory.path().join("kubeconfig");
    let output = Command::new(program).args(["-n", "sh"]).env("KUBECONFIG", kubeconfig).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "shop\n:4\n");
}
