//! Secrets and addresses that are not encrypted.

use apiserver::ApiServer;

use crate::harness::World;

/// A kubeconfig of a server without TLS, and this user.
fn with_user(world: &World, user: &str) {
    let (config, url) = (world.kubeconfig(), world.url());
    assert!(config.contains("http://"), "{config}");
    world.home.write(
        "kubeconfig",
        &format!(
            "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        ),
    );
}

#[test]
fn no_secret_is_sent() {
    let world = World::new();
    world.home.write("token", "secret-1");
    let plugin = world.home.write("plugin", "echo run >> runs");
    let exec = format!("apiVersion: client.authentication.k8s.io/v1, command: sh, args: [{plugin}]");
    for user in [
        "token: secret-1",
        "tokenFile: token",
        "tokenFile: nope",
        "username: me, password: secret-1",
        "auth-provider: {name: gcp}",
        &format!("exec: {{{exec}, interactiveMode: Never}}"),
    ] {
        with_user(&world, user);
        let decision = world.as_kubectl("");
        assert!(decision.connected && decision.authorization.iter().all(Option::is_none), "{user}");
        let reported = decision.err.matches("is not encrypted, so the credentials of user \"u\" of ").count();
        assert_eq!(reported, 1, "{}", decision.err);
    }
    assert_eq!(world.home.read("runs"), "", "no plugin runs");
    with_user(&world, "");
    assert!(!world.as_kubectl("").err.contains("is not encrypted"));
    let decision = world.as_kubectl("--token secret-1");
    assert!(decision.err.contains("the credentials of --token are not sent"), "{}", decision.err);
}

/// A forgotten `https://`: kubectl takes such an address for one without TLS, whatever else is set.
#[test]
fn an_address_without_a_scheme_is_not_encrypted() {
    let (plain, tls) = (World::new(), World::of(ApiServer::builder().tls()));
    for (world, connects) in [(plain, true), (tls, false)] {
        for flags in ["--token secret-1", "--token secret-1 --insecure-skip-tls-verify"] {
            let flags = format!("--server {} {flags}", world.address());
            assert_eq!(world.as_kubectl(&flags).connected, connects);
        }
    }
}

/// kubectl's HTTP client sends these even so.
#[test]
fn a_password_in_the_address_is_not_sent_either() {
    let world = World::new();
    let decision = world.unlike_kubectl(&format!("--server http://me:secret-1@{}", world.address()));
    assert!(decision.connected && decision.authorization.iter().all(Option::is_none));
    assert!(decision.err.contains("so the user and password in its URL are not sent"), "{}", decision.err);
    assert!(!decision.err.contains("secret-1"), "{}", decision.err);
}

#[test]
fn whom_to_impersonate_is_no_secret() {
    let world = World::new();
    with_user(&world, "token: secret-1, as: jane");
    assert!(world.as_kubectl("").connected);
    assert!(world.requests().iter().all(|request| request.header("impersonate-user") == Some("jane")));
}

#[test]
fn a_refusal_for_want_of_credentials_says_so() {
    let world = World::of(ApiServer::builder().token("sesame"));
    let ran = world.run("web");
    ran.exit(1).reported("does not accept requests without credentials (401): ").reported(
        "; credentials are not sent to an address that is not encrypted: give it as https://host:port",
    );
}
