//! Redirects: no credential follows one, and the address is reported.

use apiserver::{Answer, ApiServer, Match};

use crate::harness::World;

/// A server behind a token, and another to which it redirects requests.
fn redirecting(requests: Match, code: u16) -> (World, World) {
    let (world, other) = (World::of(ApiServer::builder().tls().token("sesame")), World::new());
    world.pod("web-1", ["a"]);
    let location = format!("{}/api/v1/namespaces/default/pods?limit=500", other.url());
    world.on(requests).always(Answer::text(code, "moved").header("location", &location));
    (world, other)
}

#[test]
fn a_redirected_list_reports_the_address_and_sends_nothing_there() {
    for code in [301, 302, 307, 308] {
        let (world, other) = redirecting(Match::lists(), code);
        let (from, to) = (world.url(), other.url());
        let message = format!(
            "{from} redirects ({code}) to {to}/api/v1/namespaces/default/pods; put {to} into the kubeconfig as the \
             server of the cluster"
        );
        world.run("web --no-follow").fails(1, &message);
        world.run("web").fails(1, &message);
        assert_eq!(other.account().connections, 0);
    }
}

#[test]
fn a_redirected_log_is_reported_and_is_no_line() {
    let (world, other) = redirecting(Match::logs(), 307);
    let ran = world.run("web --no-follow").stdout("").exit(1);
    ran.reported(&format!("{} redirects (307) to {}", world.url(), other.url()));
    assert_eq!(other.account().connections, 0);
}

/// A load balancer that is being reconfigured: the program waits for its end.
#[test]
fn a_redirect_in_mid_run_is_reported_and_tried_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.watches(1);
    let redirect = Answer::text(302, "").header("location", "/login?next=secret");
    let script = world.on(Match::any());
    script.always(redirect);
    world.expire_watches();
    world.cut(Match::logs());
    tail.reported(
        "redirects (302) to /login; perhaps a login page stands before the apiserver; trying again",
    );
    script.stop();
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    world.pod("web-2", ["c"]);
    tail.expect("web-2 app c");
    tail.interrupt().never_reported("secret").exit(130);
}
