//! Exec plugins.

use apiserver::ApiServer;

use crate::harness::World;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// A world whose plugin is the script `plugin.sh` beside the kubeconfig, called with the given fields of `exec`.
fn world(script: &str, exec: &str) -> World {
    let world = World::of(ApiServer::builder().tls());
    with_cluster(&world, "", exec);
    // The interpreter is executed, never the file: a fork of another test may have it open for writing.
    world.home.write("plugin.sh", script);
    world.home.write("ca.crt", world.ca_pem().unwrap());
    for name in ["sh", "bin/sh-in-path"] {
        std::fs::create_dir_all(world.home.path("bin")).unwrap();
        std::os::unix::fs::symlink("/bin/sh", world.home.path(name)).unwrap();
    }
    world
}

fn with_cluster(world: &World, cluster: &str, exec: &str) {
    let server = world.url();
    world.home.write(
        "kubeconfig",
        &format!(
            "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: '{server}', certificate-authority: ca.crt, {cluster}}}}}]\n\
             users: [{{name: u, user: {{exec: {{{exec}}}}}}}]\n"
        ),
    );
}

fn prints(status: &str) -> String {
    format!("echo '{{\"apiVersion\":\"{V1}\",\"kind\":\"ExecCredential\",\"status\":{{{status}}}}}'\n")
}

/// Expects the same decision for each `exec`.
#[track_caller]
fn configured_as_kubectl<const N: usize>(configs: [&str; N]) {
    let world = world(&prints("\"token\":\"t\""), "");
    for exec in configs {
        with_cluster(&world, "", exec);
        world.as_kubectl("");
    }
}

/// Expects the same decision for what a plugin prints.
#[track_caller]
fn printed_as_kubectl<const N: usize>(scripts: [&str; N]) {
    let exec = format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh], interactiveMode: Never");
    let world = world("", &exec);
    for script in scripts {
        world.home.write("plugin.sh", script);
        world.as_kubectl("");
    }
}

#[test]
fn configurations() {
    let run = "command: ./sh, args: [plugin.sh]";
    configured_as_kubectl([
        &format!("apiVersion: {V1}, {run}, interactiveMode: Never"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: IfAvailable"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: Always"),
        &format!("apiVersion: {V1}, {run}"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: null"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: never"),
        &format!("apiVersion: {V1BETA1}, {run}, interactiveMode: Sometimes"),
        &format!("apiVersion: client.authentication.k8s.io/v1alpha1, {run}, interactiveMode: Never"),
        &format!("{run}, interactiveMode: Never"),
        &format!("apiVersion: {V1}, interactiveMode: Never, command: null"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: Never, env: null, installHint: null"),
        &format!(
            "apiVersion: {V1}, {run}, interactiveMode: Never, env: [{{name: A}}, {{name: B, value: null}}]"
        ),
        &format!("apiVersion: {V1}, {run}, interactiveMode: Never, env: [null]"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: Never, env: [{{name: A, value: 7}}]"),
        &format!("apiVersion: {V1}, {run}, interactiveMode: Never, env: {{A: b}}"),
        &format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh, null], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh, 7], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: ./sh, args: null, interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: bin/sh-in-path, args: [plugin.sh], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: sh-in-path, args: [plugin.sh], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: ~/sh, args: [plugin.sh], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: bin, args: [plugin.sh], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: ./bin, args: [plugin.sh], interactiveMode: Never"),
        &format!("apiVersion: {V1}, command: /nowhere, args: [plugin.sh], interactiveMode: Never"),
    ]);
}

#[test]
fn a_password_without_a_name_beside_a_plugin_is_ignored() {
    let exec = format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh], interactiveMode: Never");
    let world = world(&prints("\"token\":\"t\""), &exec);
    let config = world.home.read("kubeconfig").replace("exec:", "password: pw, exec:");
    world.home.write("kubeconfig", &config);
    assert!(world.as_kubectl("").connected);
}

#[test]
fn answers() {
    printed_as_kubectl([
        &prints("\"token\":\"t\""),
        &prints("\"token\":\"a\",\"token\":\"b\""),
        &prints("\"token\":\"t\",\"expirationTimestamp\":null"),
        &prints("\"token\":\"t\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""),
        &prints("\"token\":\"t\",\"expirationTimestamp\":\"soon\""),
        &prints("\"token\":null"),
        &prints("\"token\":7"),
        &prints("\"token\":\" t\""),
        &prints("\"token\":\"t\\\\n\""),
        &prints("\"token\":\"t\",\"clientCertificateData\":\"x\""),
        &prints("\"clientCertificateData\":\"x\",\"clientKeyData\":\"y\""),
        &prints(""),
        &prints("\"token\":\"t\"").replace("\"kind\":\"ExecCredential\",", ""),
        &prints("\"token\":\"t\"").replace(V1, V1BETA1),
        &format!("echo '{{\"apiVersion\":\"{V1}\"}}'"),
        &format!("echo 'apiVersion: {V1}'; echo 'status: {{token: t}}'"),
        &format!("echo hello; {}", prints("\"token\":\"t\"")),
        &format!("{}exit 3", prints("\"token\":\"t\"")),
        &prints("\"token\":\"t\"").replace("ExecCredential", "Pod"),
        &prints("\"token\":\"t\"").replace("\"ExecCredential\"", "null"),
        &prints("\"token\":\"t\",\"expirationTimestamp\":\"9999-12-31T23:59:59Z\""),
        &prints("\"token\":\"t\",\"expirationTimestamp\":\"0001-01-01T00:00:00Z\""),
        &prints("\"token\":\"t\",\"expirationTimestamp\":\"9999-12-31\""),
        &format!("printf '{{\"x\":\"\\377\",'; {} | tail -c +2", prints("\"token\":\"t\"").trim()),
        &prints("\"token\":\"t  \""),
        "",
        "echo",
        "kill -9 $$",
    ]);
}

#[test]
fn an_output_that_is_none_is_named() {
    let exec = format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh], interactiveMode: Never");
    let world = world("", &exec);
    for (script, expected) in [
        ("", "printed nothing, and ended without an error"),
        ("echo", "printed nothing, and ended without an error"),
        (
            &prints("").replace("ExecCredential", "Pod"),
            "printed the kind \"Pod\", and must print ExecCredential",
        ),
    ] {
        world.home.write("plugin.sh", script);
        let err = world.ours("").err;
        assert!(
            err.contains(&format!("exec plugin \"{}\" of user \"u\"", world.home.path("sh").display())),
            "{err}"
        );
        assert!(err.contains(expected), "{err}");
    }
}

#[test]
fn the_cluster_is_described_to_a_plugin() {
    let script = format!("echo \"$KUBERNETES_EXEC_INFO\" >> info\n{}", prints("\"token\":\"t\""));
    let exec = format!(
        "apiVersion: {V1}, command: ./sh, args: [plugin.sh], interactiveMode: Never, provideClusterInfo: true"
    );
    let world = world(&script, &exec);
    let data = {
        use base64::{Engine, prelude::BASE64_STANDARD};
        BASE64_STANDARD.encode(world.ca_pem().unwrap())
    };
    let extension = |extension: &str| {
        format!(
            "extensions: [{{name: other}}, {{name: client.authentication.k8s.io/exec, extension: {extension}}}]"
        )
    };
    for cluster in [
        "",
        "disable-compression: true, tls-server-name: localhost, proxy-url: ''",
        &format!("certificate-authority: '', certificate-authority-data: {data}"),
        "certificate-authority: '', insecure-skip-tls-verify: true",
        &extension("{audience: '06e3', number: [1, null, 2.5], day: 2020-01-01}"),
        &extension("null"),
        &extension("text"),
    ] {
        with_cluster(&world, cluster, &exec);
        world.home.write("info", "");
        assert!(world.as_kubectl("").connected, "{cluster}");
        let info = world.home.read("info");
        let infos =
            info.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap());
        let infos: std::collections::HashSet<serde_json::Value> = infos.collect();
        assert_eq!(infos.len(), 1, "both describe the same: {infos:#?}");
    }
}

/// The environment of the plugin is its own, and it is found by the one of this program.
#[test]
fn the_environment_of_a_plugin() {
    let script = "echo \"$A $HOME $PATH $*\" >> seen\n".to_owned() + &prints("\"token\":\"t\"");
    let env =
        "env: [{name: A, value: '$HOME b'}, {name: HOME, value: nowhere}, {name: PATH, value: /nowhere}]";
    let exec =
        format!("apiVersion: {V1}, command: sh, args: [plugin.sh, c, 'd e'], interactiveMode: Never, {env}");
    let world = world(&script, &exec);
    assert!(world.as_kubectl("").connected);
    let seen: std::collections::HashSet<_> = world.home.read("seen").lines().map(str::to_owned).collect();
    assert_eq!(seen, ["$HOME b nowhere /nowhere c d e".to_owned()].into());
}

/// Its standard error is the user's, as it comes.
#[test]
fn the_words_of_a_plugin_are_shown() {
    let exec = format!("apiVersion: {V1}, command: ./sh, args: [plugin.sh], interactiveMode: Never");
    let script = format!("echo 'open https://login' >&2\n{}", prints("\"token\":\"t\""));
    let world = world(&script, &exec);
    let ours = world.as_kubectl("");
    assert_eq!(ours.err.matches("open https://login\n").count(), 1, "{}", ours.err);
    let theirs = world.kubectl("");
    assert!(theirs.is_none_or(|theirs| theirs.err.contains("open https://login\n")));
}

/// Go refuses a program that it finds in the working directory, even if a later entry has it too.
#[test]
fn a_plugin_is_found_as_go_finds_it() {
    use std::{fs, os::unix::fs::symlink};
    let mut world = world("", "");
    for dir in ["not-executable", "bin", "good"] {
        fs::create_dir_all(world.home.path(dir)).unwrap();
    }
    world.home.write("token.sh", &prints("\"token\":\"t\""));
    world.home.write("not-executable/plug", "");
    let exec = format!(
        "apiVersion: {V1}, command: plug, args: [{}], interactiveMode: Never",
        world.home.path("token.sh").display()
    );
    with_cluster(&world, "", &exec);
    for program in ["plug", "bin/plug", "good/plug"] {
        symlink("/bin/sh", world.home.path(program)).unwrap();
    }
    let [good, bare] = ["good", "not-executable"].map(|dir| world.home.path(dir).display().to_string());
    let rest = std::env::var("PATH").unwrap();
    for (path, refusal) in [
        (format!("{good}:"), None),
        (format!("{bare}:{good}"), None),
        (bare, Some("is not executable: ")),
        (format!(":{good}"), Some("is found by an empty or relative entry of $PATH")),
        (format!(".:{good}"), Some("is found by an empty or relative entry of $PATH")),
        (format!("bin:{good}"), Some("is found by an empty or relative entry of $PATH")),
        (format!("nowhere:{good}"), None),
    ] {
        world.path = Some(format!("{path}:{rest}"));
        let decision = world.as_kubectl("");
        assert_eq!(decision.connected, refusal.is_none(), "{path}: {}", decision.err);
        assert!(decision.err.contains(refusal.unwrap_or_default()), "{path}: {}", decision.err);
    }
}
