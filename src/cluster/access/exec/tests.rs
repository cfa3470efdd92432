use std::fs;

use super::*;
use crate::{
    cluster::testing::{Authority, Machine, NO_PODS, Server, list_pods, ok, status},
    plan::Connect,
};

fn credential(status: &str) -> String {
    format!(r#"{{"apiVersion":"{V1}","kind":"ExecCredential","status":{{{status}}}}}"#)
}

fn plugin(command: &str) -> Plugin {
    let config = ExecConfig {
        api_version: Some(V1.into()),
        command: Some(command.into()),
        interactive_mode: Some("Never".into()),
        ..ExecConfig::default()
    };
    Plugin::new(&config, "user \"me\" of config", &Cluster::default()).unwrap()
}

async fn run(script: &str) -> Result<Credential, Error> {
    let machine = Machine::new();
    let script = machine.write("plugin", script).display().to_string();
    Plugin { args: vec![script], ..plugin("/bin/sh") }.run().await
}

async fn error(script: &str) -> String {
    run(script).await.unwrap_err().to_string()
}

/// A kubeconfig whose user runs `script`, which first adds a line to the file `runs`. The command is a link to
/// the shell: a script cannot be executed while a fork of another test has it open for writing.
fn machine(cluster: &str, script: &str) -> Machine {
    let machine = Machine::new();
    let path = machine.write("plugin", &format!("cd $(dirname $0)\necho run >> runs\n{script}\n"));
    let exec = format!(
        "apiVersion: {V1}, command: ./sh, args: [{}], interactiveMode: Never, provideClusterInfo: true",
        path.display()
    );
    let machine = machine.at_home(cluster, &format!("exec: {{{exec}}}"));
    std::os::unix::fs::symlink("/bin/sh", machine.path(".kube/sh")).unwrap();
    machine
}

fn runs(machine: &Machine) -> usize {
    fs::read_to_string(machine.path("runs")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_plugin_runs_once_for_many_requests() {
    let server = Server::start_secure((0..10).map(|_| ok(NO_PODS)).collect()).await;
    let script = format!("echo '{}'", credential(r#""token":"t1""#));
    let machine = machine(&server.section(), &script);
    let cluster = machine.plain_cluster();
    assert_eq!(runs(&machine), 0, "nothing runs before it is needed");
    futures::future::join_all((0..10).map(|_| list_pods(&cluster))).await;
    assert_eq!(runs(&machine), 1);
    assert!(server.heads().iter().all(|head| head.contains("authorization: bearer t1\r\n")));
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_tried_once_more() {
    let refused = || status("401 Unauthorized", "{}");
    let server = Server::start_secure(vec![refused(), ok(NO_PODS), refused()]).await;
    let script = format!("echo '{}'", credential(r#""token":"t'$(wc -l < runs)'""#));
    let machine = machine(&server.section(), &script);
    let cluster = machine.plain_cluster();
    list_pods(&cluster).await.unwrap();
    let tokens = |heads: Vec<String>| heads.iter().map(|head| head.contains("bearer t1")).collect::<Vec<_>>();
    assert_eq!(tokens(server.heads()), [true, false]);
    let error = list_pods(&cluster).await.unwrap_err();
    assert!(error.is_unauthorized() && error.to_string().contains("new login"), "{error}");
    assert_eq!((server.heads().len(), runs(&machine)), (3, 2), "not twice within a minute");
}

#[tokio::test]
async fn a_new_token_that_seems_expired_is_used_until_it_is_refused() {
    let server = Server::start_secure(vec![ok(NO_PODS), ok(NO_PODS)]).await;
    let expired = credential(r#""token":"t","expirationTimestamp":"2020-01-01T00:00:00Z""#);
    let machine = machine(&server.section(), &format!("echo '{expired}'"));
    let cluster = machine.plain_cluster();
    list_pods(&cluster).await.unwrap();
    list_pods(&cluster).await.unwrap();
    assert_eq!(runs(&machine), 1);
}

#[test]
fn renewal_is_a_minute_early_unless_life_is_short() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let after =
        |seconds| renewal(now, now + Duration::from_secs(seconds)).unwrap().duration_since(now).as_secs();
    assert_eq!(after(3600), 3540);
    assert_eq!(after(40), 30);
    assert_eq!(renewal(now, now - Duration::from_secs(5)), None);
}

#[tokio::test]
async fn a_renewed_client_certificate_is_used_for_new_connections() {
    let authority = Authority::new();
    let answers = vec![ok(NO_PODS), status("401 Unauthorized", "{}"), ok(NO_PODS)];
    let server = Server::start_tls(answers, authority.server("127.0.0.1", true)).await;
    let files = Machine::new();
    let ca = files.write("ca.crt", &authority.pem());
    for run in 1..=2 {
        let (certificate, key) = authority.issue(&format!("client-{run}"));
        let pair =
            serde_json::json!({ "clientCertificateData": certificate, "clientKeyData": key }).to_string();
        files.write(&format!("{run}.json"), &credential(pair.trim_matches(['{', '}'])));
    }
    let section = format!("server: 'https://{}', certificate-authority: {}", server.address, ca.display());
    let script = format!("cat {}/$(wc -l < runs).json", files.dir.path().display());
    let machine = machine(&section, &script);
    let cluster = machine.plain_cluster();
    list_pods(&cluster).await.unwrap();
    list_pods(&cluster).await.unwrap();
    assert_eq!((runs(&machine), server.heads().len(), server.connections()), (2, 3, 2));
}

#[tokio::test]
async fn a_plugin_gets_the_client_and_the_cluster() {
    let script = format!("echo \"$KUBERNETES_EXEC_INFO\" > info\necho '{}'", credential(r#""token":"t""#));
    let server = Server::start_secure(vec![ok(NO_PODS)]).await;
    let machine = machine(&server.section(), &script);
    list_pods(&machine.plain_cluster()).await.unwrap();
    let info: Value = serde_json::from_str(&fs::read_to_string(machine.path("info")).unwrap()).unwrap();
    assert_eq!(info["kind"], "ExecCredential");
    assert_eq!(info["apiVersion"], V1);
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["spec"]["cluster"]["server"], format!("https://{}", server.address));
}

#[tokio::test]
async fn yaml_is_read_like_json() {
    let credential = run(&format!("echo 'apiVersion: {V1}'; echo 'status: {{token: t}}'")).await.unwrap();
    assert_eq!(credential.authorization.unwrap(), "Bearer t");
}

#[tokio::test]
async fn the_output_of_a_plugin_is_checked_and_never_quoted() {
    let cases = [
        ("echo sesame", "printed no ExecCredential"),
        ("yes sesame", "printed more than 1 MiB"),
        (&format!("echo '{}'", credential(r#""token":7,"x":"sesame""#)), "status.token is a number"),
        (&format!("echo '{}'", credential(r#""token":"sesame","clientKeyData":"x""#)), "only one of"),
        ("echo '{\"apiVersion\":\"v2\",\"status\":{\"token\":\"sesame\"}}'", "apiVersion \"v2\""),
        (&format!("echo '{}'", credential("")), "neither a token nor"),
        (&format!("echo '{}'", credential(r#""token":"sesame","expirationTimestamp":"soon""#)), "RFC 3339"),
        (&format!("echo '{}'", credential(r#""token":"sesame\u0007""#)), "cannot be sent"),
    ];
    for (script, expected) in cases {
        let error = error(script).await;
        assert!(error.contains(expected) && !error.contains("sesame"), "{error}");
    }
}

#[tokio::test]
async fn a_missing_plugin_comes_with_its_install_hint() {
    let missing = plugin("no-such-plugin").run().await.unwrap_err().to_string();
    assert!(missing.contains("\"no-such-plugin\"") && missing.contains("is not installed"), "{missing}");
    let hinted = Plugin { install_hint: Some("brew install it".into()), ..plugin("no-such-plugin") };
    assert!(hinted.run().await.unwrap_err().to_string().ends_with("is not installed: brew install it"));
}

#[tokio::test]
async fn a_plugin_that_must_ask_needs_a_terminal() {
    let asks = Plugin { mode: Mode::Always, ..plugin("true") };
    assert!(asks.run_at(false).await.unwrap_err().to_string().contains("needs a terminal"));
}

#[test]
fn an_unknown_version_is_refused_with_the_known_ones() {
    let user = "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}";
    let error = Machine::with("server: 'https://k8s'", user).error(&Connect::default());
    assert!(error.contains("v1alpha1") && error.contains(V1BETA1), "{error}");
}
