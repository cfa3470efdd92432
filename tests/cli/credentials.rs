//! Credentials of users: certificates, tokens, exec plugins, impersonation, and missing permissions.

use apiserver::ApiServer;

use crate::{
    connection::{connects, shown},
    harness::World,
};

#[cfg(unix)]
mod unix;

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
