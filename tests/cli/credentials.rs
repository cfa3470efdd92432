//! Credentials of users: certificates, tokens, exec plugins, impersonation, and missing permissions.

use apiserver::{ApiServer, Match};

use crate::{
    connection::{connects, shown},
    harness::World,
};

#[test]
fn a_client_certificate_is_shown() {
    connects(&shown(World::of(ApiServer::builder().client_certificate())), "");
}

#[test]
fn a_client_certificate_may_be_given_in_files() {
    let world = shown(World::of(ApiServer::builder().client_certificate()));
    let (certificate, key) = world.client_pems().unwrap();
    let ca = world.home.write("ca.crt", world.ca_pem().unwrap());
    let (certificate, key) = (world.home.write("me.crt", certificate), world.home.write("me.key", key));
    let flags = format!("--certificate-authority {ca} --client-certificate {certificate} --client-key {key}");
    let command = world.stern_rs(&format!("web --no-follow --server {} {flags}", world.url()));
    command.env("KUBECONFIG", "").run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn a_token_is_shown() {
    let world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    connects(&world, "");
    world.set_token(Some("other"));
    connects(&world, "--token other");
}

#[test]
fn a_refused_token_is_reported_and_never_shown() {
    let world = World::of(ApiServer::builder().tls().token("sesame"));
    let ran = world.run("web --token wrong-secret");
    ran.fails_with(1, &["does not accept the credentials", "(401)"]).never_reported("wrong-secret");
}

#[test]
fn a_refusal_is_reported_as_the_missing_right() {
    let world = World::new();
    world.forbid("list", "pods", "default");
    let message = "not allowed to list pods in namespace \"default\": the apiserver answered 403 Forbidden: “pods is \
                   forbidden: User \"double-user\" cannot list resource \"pods\" in API group \"\" in the namespace \
                   \"default\"”; perhaps user \"double-user\" needs verb \"list\" on resource \"pods\", from a Role or \
                   ClusterRole bound there";
    world.run("web").fails(1, message);
}

#[test]
fn a_workload_that_is_forbidden_is_reported_too() {
    let world = World::new();
    world.forbid("*", "*", "*");
    world.run("deploy/web").fails_with(1, &["not allowed to get deployments \"web\"", "verb \"get\""]);
}

/// Writes a kubeconfig with an exec plugin that adds a line to `runs` and prints the token in the file `token`.
fn with_plugin(world: &World) {
    let script = "echo run >> runs\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\
                  \"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$(cat token)\"\n";
    let path = world.home.write("plugin", script);
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [{path}], interactiveMode: Never}}"
    );
    let config = world.kubeconfig();
    let (before, _) = config.split_once("    token:").expect("the server demands a token");
    world.home.write("kubeconfig", &format!("{before}    {exec}\n"));
}

#[test]
fn a_plugin_runs_once_for_all_requests() {
    let world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    world.pod("web-2", ["b"]);
    world.home.write("token", "sesame");
    with_plugin(&world);
    world.run("web --no-follow").lines(["web-1 app a", "web-2 app b"]).exit(0);
    assert_eq!(world.home.read("runs").lines().count(), 1);
}

#[test]
fn a_plugin_runs_again_when_its_token_is_refused() {
    let world = shown(World::of(ApiServer::builder().tls().token("first")));
    world.home.write("token", "first");
    with_plugin(&world);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.home.write("token", "second");
    world.set_token(Some("second"));
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().exit(130);
    assert_eq!(world.home.read("runs").lines().count(), 2);
}

#[test]
fn a_plugin_that_fails_is_reported_below_its_own_words() {
    let world = World::of(ApiServer::builder().tls().token("sesame"));
    with_plugin(&world);
    world.home.write("plugin", "echo 'run: login' >&2\nexit 3\n");
    let ran = world.run("web").stdout("").exit(1).reported("failed (exit status: 3)");
    assert!(ran.err().starts_with("run: login\nstern-rs: exec plugin \"sh\" of user "), "{}", ran.err());
}

/// A plugin, an apiserver and a token file that are slow are each reported.
#[test]
fn a_start_that_waits_reports_the_reason() {
    let plugin = shown(World::of(ApiServer::builder().tls().token("sesame")));
    plugin.home.write("token", "sesame");
    with_plugin(&plugin);
    let script = plugin.home.read("plugin");
    plugin.home.write("plugin", &format!("until [ -e go ]; do sleep 0.1; done\n{script}"));
    let (silent, file) = (World::web(["a"]), shown(World::of(ApiServer::builder().tls().token("sesame"))));
    let gate = silent.hold(Match::lists());
    let pipe = file.home.path("token");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let token_file = format!("    tokenFile: {}\n", pipe.display());
    file.home.write("kubeconfig", &file.kubeconfig().replace("    token: sesame\n", &token_file));

    let tails = [&plugin, &silent, &file].map(|world| world.start("web"));
    let [mut by_plugin, mut by_silent, mut by_file] = tails;
    by_plugin.reported("· waiting for the credential plugin \"sh\"\n");
    by_silent.reported(&format!("· waiting for {} to answer\n", silent.url()));
    by_file.reported(&format!("· waiting for the token file {}\n", pipe.display()));
    plugin.home.write("go", "");
    gate.release();
    std::fs::write(&pipe, "sesame").unwrap();
    for tail in [&mut by_plugin, &mut by_silent, &mut by_file] {
        tail.expect("web-1 app a");
    }
    for tail in [by_plugin, by_silent, by_file] {
        tail.interrupt().reported("waiting for").exit(130);
    }
}

#[test]
fn another_user_may_be_impersonated() {
    let world = World::web(["a"]);
    connects(&world, "--as jane --as-group a --as-group b --as-uid 7 --as-user-extra team=x");
    for request in world.requests().iter() {
        assert_eq!(request.header("impersonate-user"), Some("jane"));
        assert_eq!(request.header("impersonate-uid"), Some("7"));
        assert_eq!(request.header("impersonate-extra-team"), Some("x"));
        let groups: Vec<_> = request.headers.get_all("impersonate-group").iter().collect();
        assert_eq!(groups, ["a", "b"]);
    }
}

#[test]
fn an_impersonated_user_may_be_forbidden() {
    let world = World::new();
    world.forbid("list", "pods", "*");
    world.run("web --as jane").fails_with(1, &["user \"jane\" needs verb \"list\""]);
}

#[test]
fn a_token_is_never_reported() {
    let world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    for verbosity in ["6", "7", "8", "9", "10"] {
        let ran = world.run(&format!("web --no-follow --verbosity {verbosity}")).stdout("web-1 app a\n");
        ran.never_reported("sesame");
    }
}
