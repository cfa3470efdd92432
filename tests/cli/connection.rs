//! Kubeconfig, certificates of servers, proxies and timeouts.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use apiserver::{Answer, ApiServer, Gate, Match, Proxy};

use crate::harness::{World, list, stern_rs, words};

fn tls() -> World {
    World::of(ApiServer::builder().tls())
}

pub fn shown(world: World) -> World {
    world.pod("web-1", ["a"]);
    world
}

/// Runs with `--no-follow` and these flags, and expects the only line.
#[track_caller]
pub fn connects(world: &World, flags: &str) {
    world.run(&format!("web --no-follow {flags}")).stdout("web-1 app a\n").exit(0);
}

#[test]
fn the_kubeconfig_at_home_is_the_default() {
    let world = World::web(["a"]);
    std::fs::create_dir(world.home.path(".kube")).unwrap();
    world.write_kubeconfig(world.home.path(".kube/config")).unwrap();
    world.stern_rs("web --no-follow").env("KUBECONFIG", "").run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn the_flag_goes_before_the_environment() {
    let world = World::web(["a"]);
    let path = world.home.path("kubeconfig").display().to_string();
    let command = world.stern_rs("web --no-follow --kubeconfig").arg(&path).env("KUBECONFIG", "/nowhere");
    command.run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_file_that_is_missing_among_several_is_skipped() {
    let world = World::web(["a"]);
    let list = list([Path::new("/nowhere"), &world.home.path("kubeconfig")]);
    world.stern_rs("web --no-follow").env("KUBECONFIG", &list).run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn several_files_are_merged() {
    let world = World::web(["a"]);
    let first = world.home.write("first", "current-context: double\n");
    let list = list([Path::new(&first), &world.home.path("kubeconfig")]);
    let rest = world.kubeconfig().replace("current-context: double", "current-context: other");
    world.home.write("kubeconfig", &rest);
    world.stern_rs("web --no-follow").env("KUBECONFIG", &list).run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn no_kubeconfig_at_all_is_an_error() {
    stern_rs("web").run().fails_with(1, &["kubeconfig"]);
}

#[test]
fn a_kubeconfig_that_was_named_must_be_there() {
    stern_rs("web --kubeconfig /nowhere/config").run().fails_with(1, &["/nowhere/config"]);
}

#[test]
fn a_broken_kubeconfig_is_named() {
    let world = World::new();
    let path = world.home.write("kubeconfig", "clusters: [\n");
    world.run("web").fails_with(1, &[&path]);
}

#[test]
fn another_context_may_be_chosen() {
    let world = World::web(["a"]);
    world.home.write(
        "kubeconfig",
        &world.kubeconfig().replace("current-context: double", "current-context: other"),
    );
    connects(&world, "--context double");
}

#[test]
fn an_unknown_context_is_named_with_the_known_ones() {
    World::new().run("web --context dubble").fails_with(1, &["\"dubble\"", "double"]);
}

#[test]
fn a_server_may_be_named_without_any_kubeconfig() {
    let world = World::web(["a"]);
    let command = world.stern_rs(&format!("web --no-follow --server {}", world.url())).env("KUBECONFIG", "");
    command.run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = words(TcpStream::connect(address)).replace("Connection", "connection");
    let message = format!("cannot reach the apiserver http://{address}: {refused}; is it running there?");
    stern_rs(&format!("web --no-follow --server http://{address}")).run().fails(1, &message);
}

#[test]
fn another_server_than_an_apiserver_is_reported() {
    let world = World::new();
    world.on(Match::any()).always(Answer::text(200, "<html>welcome</html>"));
    world.run("web").fails_with(1, &["check the address"]);
}

#[test]
fn a_certificate_of_the_authority_is_trusted() {
    connects(&shown(tls()), "");
}

#[test]
fn the_authority_may_be_given_in_a_file() {
    let world = shown(tls());
    let ca = world.home.write("ca.crt", world.ca_pem().unwrap());
    let command =
        world.stern_rs(&format!("web --no-follow --server {} --certificate-authority {ca}", world.url()));
    command.env("KUBECONFIG", "").run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_certificate_of_a_strange_authority_is_not_trusted() {
    let world = tls();
    let command = world.stern_rs(&format!("web --server {}", world.url())).env("KUBECONFIG", "");
    command.run().fails_with(1, &["is not trusted", "--certificate-authority"]);
}

#[test]
fn trust_may_be_waived() {
    let world = shown(tls());
    let flags = format!("--server {} --insecure-skip-tls-verify", world.url());
    let command = world.stern_rs(&format!("web --no-follow {flags}")).env("KUBECONFIG", "");
    command.run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_certificate_may_be_for_another_name() {
    let world = shown(World::of(ApiServer::builder().tls_name("k8s.example")));
    connects(&world, "--tls-server-name k8s.example");
    world.run("web --no-follow").fails_with(1, &["is for another name", "--tls-server-name"]);
}

#[test]
fn a_server_that_does_not_answer_in_time_is_reported() {
    let world = World::new();
    let _gate = world.hold(Match::any());
    world.run("web --no-follow --request-timeout 200ms").fails_with(1, &["no answer", "--request-timeout"]);
}

#[test]
fn a_running_stream_is_not_bound_by_the_timeout() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --request-timeout 1s");
    tail.expect("web-1 app a");
    // Longer than the timeout.
    let opened = world.requests().logs()[0].at;
    tail.until(|_| opened.elapsed() > Duration::from_millis(1_500));
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    tail.interrupt().stderr("+ web-1 › app\n");
    assert_eq!((world.requests().logs().len(), world.requests().watches().len()), (1, 1));
}

#[test]
fn a_log_that_does_not_begin_in_time_is_asked_for_again() {
    let world = World::web(["a"]);
    world.on(Match::logs()).then(Answer::ok().hold(&Gate::new()));
    let mut tail = world.start("web --request-timeout 1s");
    tail.expect("web-1 app a");
    tail.interrupt();
}

/// The node hangs, and the apiserver does not: it is not reported.
#[test]
fn a_log_that_never_begins_is_reported_once() {
    let world = World::web(["a"]);
    world.on(Match::logs()).times(4, &Answer::never());
    let mut tail = world.start("web --request-timeout 1s");
    tail.expect("web-1 app a");
    let reported = format!("! cannot read logs of node node-1: no answer from {} within 1s", world.url());
    let ran = tail.interrupt().reported(&reported).reported("trying again");
    ran.never_reported("the apiserver answers again");
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let (world, proxy) = (shown(tls()), Proxy::start());
    proxy.lead_to(world.address());
    let flags = "--no-follow --server https://k8s.example:6443 --insecure-skip-tls-verify";
    let command =
        world.stern_rs(&format!("web {flags}")).env("KUBECONFIG", "").env("HTTPS_PROXY", &proxy.url());
    command.run().stdout("web-1 app a\n").exit(0);
    assert_eq!(proxy.targets()[0], "k8s.example:6443");
}

#[test]
fn the_environment_may_except_a_server_from_its_proxy() {
    let proxy = Proxy::start();
    let command = stern_rs("web --server https://k8s.invalid").env("HTTPS_PROXY", &proxy.url());
    command
        .env("NO_PROXY", ".invalid")
        .run()
        .fails_with(1, &["cannot reach the apiserver https://k8s.invalid"]);
    assert!(proxy.targets().is_empty());
}

#[test]
fn a_server_on_this_machine_needs_no_proxy_of_the_environment() {
    let (world, proxy) = (shown(tls()), Proxy::start());
    let command = world.stern_rs("web --no-follow").env("HTTPS_PROXY", &proxy.url());
    command.run().stdout("web-1 app a\n").exit(0);
    assert!(proxy.targets().is_empty());
}

#[test]
fn a_proxy_of_the_kubeconfig_is_used() {
    let (world, proxy) = (shown(tls()), Proxy::start());
    let config = world.kubeconfig();
    let config = config.replace("    server:", &format!("    proxy-url: {}\n    server:", proxy.url()));
    world.home.write("kubeconfig", &config);
    connects(&world, "");
    assert_eq!(proxy.targets()[0], world.address().to_string());
}

#[test]
fn a_proxy_is_shown_its_credentials() {
    let (world, proxy) = (shown(tls()), Proxy::start());
    proxy.require("Basic dTpw");
    let url = proxy.url().replace("http://", "http://u:p@");
    let config = world.kubeconfig().replace("    server:", &format!("    proxy-url: {url}\n    server:"));
    world.home.write("kubeconfig", &config);
    connects(&world, "");
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let command = stern_rs("web --no-follow --server https://k8s.example")
        .env("HTTPS_PROXY", &format!("http://{address}"));
    command.run().fails_with(1, &["cannot reach the proxy", &address.to_string()]);
}

#[test]
fn requests_are_reported_with_verbosity() {
    let world = World::web(["a"]);
    let ran = world.run("web --no-follow --confirm=false --verbosity 6").stdout("web-1 app a\n");
    let base = format!("· GET {}/api/v1/namespaces/default/pods", world.url());
    ran.reported(&format!("{base}?"))
        .reported(&format!("{base}/web-1/log?"))
        .reported("limit=500 200 OK in ");
}

#[test]
fn flags_of_kubectl_that_change_nothing_are_taken() {
    connects(&World::web(["a"]), "--cache-dir /tmp/nowhere --disable-compression");
}

#[test]
fn an_address_with_a_zone_is_refused_by_its_zone() {
    let ran = stern_rs("web --no-follow --token x --server https://[fe80::1%25eth0]:6443").run();
    ran.fails_with(1, &["an address with a zone (%) is not supported"]);
}
