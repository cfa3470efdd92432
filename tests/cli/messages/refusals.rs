//! Refusals of apiservers, of kubelets behind them, and of proxies before them.

use apiserver::{Answer, ApiServer, Match};

use crate::harness::World;

const MARK: &str = "( pods/log web-1)";

fn refused(answer: Answer) -> World {
    let world = World::web(["a"]);
    world.on(Match::logs()).always(answer);
    world
}

#[test]
fn a_kubelet_that_does_not_know_a_pod_that_is_there_is_quoted() {
    let words = format!("the server could not find the requested resource {MARK}");
    let world = refused(Answer::status(404, "NotFound", &words));
    let ran = world.run("web --no-follow").stdout("").exit(1);
    ran.reported(&format!(
        "! web-1 › app: cannot get pods/log \"web-1\" in namespace \"default\": the kubelet answered 404 NotFound: “{words}”\n"
    ))
    .never_reported("removed");
}

#[test]
fn a_kubelets_401_is_not_taken_for_an_expired_token() {
    let words = format!("the server has asked for the client to provide credentials {MARK}");
    let world = refused(Answer::status(401, "Unauthorized", &words));
    let ran = world.run("web --no-follow").stdout("").exit(1);
    ran.reported(&format!(
        "the kubelet answered 401 Unauthorized: “{words}”; perhaps this node does not accept"
    ))
    .never_reported("the token");
    assert_eq!(world.requests().logs().len(), 1, "no credential is renewed for it");
}

#[test]
fn a_kubelet_that_refuses_is_asked_again_while_following_and_reported_once_for_its_node() {
    let world = World::web(["a"]);
    world.pod("web-2", ["b"]);
    let scripts: Vec<_> = ["web-1", "web-2"]
        .into_iter()
        .map(|pod| {
            let words =
                format!("the server has asked for the client to provide credentials ( pods/log {pod})");
            let script = world.on(Match::logs().path(&format!("/{pod}/")));
            script.times(4, &Answer::status(401, "Unauthorized", &words));
            script
        })
        .collect();
    let mut tail = world.start("web");
    tail.expect_all(["web-1 app a", "web-2 app b"]);
    assert!(scripts.iter().all(|script| script.given() == 4));
    tail.interrupt().reported(
        "! cannot read logs of node node-1: the kubelet answered 401 Unauthorized: “the server has asked for the client to \
         provide credentials”; perhaps this node does not accept the certificate of the apiserver; trying again\n",
    );
}

#[test]
fn a_kubelet_that_learns_of_its_pod_late_is_waited_for() {
    let world = World::web(["a"]);
    let words = format!("the server could not find the requested resource {MARK}");
    world.on(Match::logs()).times(3, &Answer::status(404, "NotFound", &words));
    let ran = world.run("web --no-follow").stdout("web-1 app a\n").exit(0);
    ran.never_reported("!");
}

#[test]
fn the_user_of_the_apiserver_gets_no_role() {
    let words = format!(
        "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource=proxy) {MARK}"
    );
    let ran = refused(Answer::status(403, "Forbidden", &words)).run("web --no-follow").stdout("").exit(1);
    ran.reported(&format!("the kubelet answered 403 Forbidden: “{words}”")).never_reported("verb \"get\" on");
}

#[test]
fn a_refused_impersonation_is_no_missing_right_to_list() {
    let world = World::web(["a"]);
    let words = "users \"bob\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" at the \
                 cluster scope";
    world.on(Match::any()).always(Answer::status(403, "Forbidden", words));
    let message = format!(
        "cannot list pods in namespace \"default\": the apiserver answered 403 Forbidden: “{words}”; perhaps user \"jane\" \
         needs verb \"impersonate\" on resource \"users\", from a ClusterRole"
    );
    world.run("web --as bob").fails(1, &message);
}

#[test]
fn a_page_of_a_proxy_is_shown_without_its_markup() {
    let world = World::new();
    let page =
        "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>nginx</body></html>";
    world.on(Match::any()).always(Answer::text(413, page));
    let message = "cannot list pods in namespace \"default\": the server answered 413 Payload Too Large with a web page: “413 \
                   Request Entity Too Large nginx”; perhaps a proxy or a login page answered in place of the apiserver";
    world.run("web").fails(1, message);
}

#[test]
fn a_refusal_without_words_is_shown_with_its_status() {
    let world = World::new();
    world.on(Match::any()).always(Answer::text(403, ""));
    world.run("web").fails(
        1,
        "cannot list pods in namespace \"default\": the server answered 403 Forbidden without a reason",
    );
}

#[test]
fn endless_refusals_are_one_short_line() {
    for body in ["\0".repeat(800_000), "x".repeat(9_000_000)] {
        for code in [401, 403, 404, 422] {
            let world = World::new();
            world.on(Match::any()).always(Answer::text(code, &body));
            let err = world.run("web --no-follow").stdout("").exit(1).err();
            assert!(err.len() < 1_500 && err.lines().count() == 1 && !err.contains('\0'), "{err}");
        }
    }
}

#[test]
fn the_words_behind_a_401_are_shown() {
    let world = World::of(ApiServer::builder().tls());
    let words = "token lookup failed: cluster is locked";
    world.on(Match::any()).always(Answer::status(401, "Unauthorized", words));
    world
        .run("web --token x")
        .fails_with(1, &["does not accept the credentials of ", &format!("(401): “{words}”; ")]);
}
