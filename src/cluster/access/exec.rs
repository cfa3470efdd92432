//! Runs a kubeconfig's exec plugin to get credentials (client.authentication.k8s.io).
//!
//! kube's own implementation runs it three times at each start, blocks the thread meanwhile, and never runs it again:
//! neither after a refused token nor for a new certificate.

use std::{
    io::{self, IsTerminal},
    process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use kube::config::{Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use super::{
    certificate::{Pem, certified_key},
    credential::{Credential, bearer},
};
use crate::cluster::error::{Error, root_cause};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// Credentials are renewed this long before they expire.
const LEEWAY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Plugin {
    /// The plugin's user, for error messages.
    user: String,
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    api_version: String,
    mode: ExecInteractiveMode,
    install_hint: Option<String>,
    cluster: Option<ExecAuthCluster>,
}

/// The `ExecCredential` printed by a plugin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printed {
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Plugin {
    pub fn new(exec: &ExecConfig, user: &str, cluster: &Cluster) -> Result<Plugin, Error> {
        let command = exec.command.clone().filter(|command| !command.is_empty());
        let command =
            command.ok_or_else(|| Error::invalid(format!("{user}: its exec plugin has no command")))?;
        let api_version = exec.api_version.clone().unwrap_or_default();
        if ![V1, V1BETA1].contains(&api_version.as_str()) {
            return Err(Error::invalid(format!(
                "{user}: the apiVersion {api_version:?} of its exec plugin is not supported: it must be {V1} or {V1BETA1}"
            )));
        }
        let pair = |variable: &std::collections::HashMap<String, String>| {
            Some((variable.get("name")?.clone(), variable.get("value")?.clone()))
        };
        let cluster = match exec.provide_cluster_info {
            true => {
                Some(ExecAuthCluster::try_from(cluster).map_err(|error| Error::invalid(error.to_string()))?)
            }
            false => None,
        };
        Ok(Plugin {
            user: user.to_owned(),
            command,
            args: exec.args.clone().unwrap_or_default(),
            env: exec.env.iter().flatten().filter_map(pair).collect(),
            api_version,
            mode: exec.interactive_mode.clone().unwrap_or(ExecInteractiveMode::IfAvailable),
            install_hint: exec.install_hint.clone(),
            cluster,
        })
    }

    pub fn name(&self) -> &str {
        &self.command
    }

    pub async fn run(&self) -> Result<Credential, Error> {
        self.run_at(io::stdin().is_terminal()).await
    }

    async fn run_at(&self, terminal: bool) -> Result<Credential, Error> {
        if self.mode == ExecInteractiveMode::Always && !terminal {
            return Err(self.failed("needs a terminal as standard input for its questions"));
        }
        let interactive = terminal && self.mode != ExecInteractiveMode::Never;
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = json!(cluster);
        }
        let info = json!({ "apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec });
        let started = Command::new(&self.command)
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            // An interactive plugin must be visible; of others, only the last line is reported after a failure.
            .stderr(if interactive { Stdio::inherit() } else { Stdio::piped() })
            .kill_on_drop(true)
            .spawn();
        let child = started.map_err(|error| self.not_started(&error))?;
        let output = child.wait_with_output().await.map_err(|error| self.failed(&root_cause(&error)))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.lines().rev().map(str::trim).find(|line| !line.is_empty());
            let last = last.map(|line| format!(": {line}")).unwrap_or_default();
            return Err(self.failed(&format!("failed ({}){last}", output.status)));
        }
        self.credential(&output.stdout)
    }

    /// Plugins should print JSON, but client-go also accepts YAML, and some print that.
    fn credential(&self, printed: &[u8]) -> Result<Credential, Error> {
        // The parser's message would quote the output, which is secret.
        let printed: Printed =
            serde_saphyr::from_slice(printed).map_err(|_| self.failed("printed no ExecCredential"))?;
        let version = printed.api_version.unwrap_or_default();
        if version != self.api_version {
            let wanted = &self.api_version;
            return Err(self.failed(&format!(
                "returned apiVersion {version:?}, but the kubeconfig requires {wanted:?}"
            )));
        }
        let status =
            printed.status.ok_or_else(|| self.failed("printed an ExecCredential without a status"))?;
        let token = status.token.filter(|token| !token.is_empty());
        let identity = match (status.client_certificate_data, status.client_key_data) {
            (Some(certificate), Some(key)) if !certificate.is_empty() && !key.is_empty() => {
                let pem = |text: String, what| Pem {
                    bytes: text.into_bytes(),
                    origin: format!("the {what} of exec plugin {:?}", self.command),
                    file: None,
                };
                Some(certified_key(&pem(certificate, "certificate"), &pem(key, "key"))?)
            }
            _ => None,
        };
        if token.is_none() && identity.is_none() {
            return Err(self.failed("gave neither a token nor a client certificate with its key"));
        }
        let expires = status.expiration_timestamp.filter(|text| !text.is_empty());
        let expires = expires.map(|text| text.parse::<Timestamp>()).transpose();
        let expires =
            expires.map_err(|_| self.failed("gave an expirationTimestamp that is not in RFC 3339 format"))?;
        let authorization = token.map(|token| bearer(token.trim())).transpose()?;
        Ok(Credential { authorization, identity, renew_at: expires.map(|at| renewal(Timestamp::now(), at)) })
    }

    fn failed(&self, reason: &str) -> Error {
        Error::credentials(format!("exec plugin {:?} of {} {reason}", self.command, self.user))
    }

    fn not_started(&self, error: &io::Error) -> Error {
        let reason = match (error.kind(), &self.install_hint) {
            (io::ErrorKind::NotFound, Some(hint)) => format!("is not installed: {hint}"),
            (io::ErrorKind::NotFound, None) => "is not installed: install it, or correct $PATH".into(),
            _ => format!("cannot be started: {}", root_cause(error)),
        };
        self.failed(&reason)
    }
}

/// The leeway before `expires`, or a quarter of a short lifetime.
fn renewal(now: Timestamp, expires: Timestamp) -> Timestamp {
    let left = Duration::try_from(expires.duration_since(now)).unwrap_or_default();
    expires - LEEWAY.min(left / 4)
}

#[cfg(test)]
mod tests {
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
            interactive_mode: Some(ExecInteractiveMode::Never),
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
        let server = Server::start((0..10).map(|_| ok(NO_PODS)).collect()).await;
        let script = format!("echo '{}'", credential(r#""token":"t1""#));
        let machine = machine(&format!("server: '{}'", server.url()), &script);
        let cluster = machine.plain_cluster();
        assert_eq!(runs(&machine), 0, "nothing runs before it is needed");
        futures::future::join_all((0..10).map(|_| list_pods(&cluster))).await;
        assert_eq!(runs(&machine), 1);
        assert!(server.heads().iter().all(|head| head.contains("authorization: bearer t1\r\n")));
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_and_the_request_tried_once_more() {
        let refused = || status("401 Unauthorized", "{}");
        let server = Server::start(vec![refused(), ok(NO_PODS), refused(), refused()]).await;
        let script = format!("echo '{}'", credential(r#""token":"t'$(wc -l < runs)'""#));
        let machine = machine(&format!("server: '{}'", server.url()), &script);
        let cluster = machine.plain_cluster();
        list_pods(&cluster).await.unwrap();
        let tokens =
            |heads: Vec<String>| heads.iter().map(|head| head.contains("bearer t1")).collect::<Vec<_>>();
        assert_eq!(tokens(server.heads()), [true, false]);
        let error = list_pods(&cluster).await.unwrap_err();
        assert!(error.is_unauthorized() && error.to_string().contains("new login"), "{error}");
        assert_eq!(server.heads().len(), 4, "once more, and no more");
    }

    #[tokio::test]
    async fn an_expired_token_is_renewed_before_it_is_sent() {
        let server = Server::start(vec![ok(NO_PODS), ok(NO_PODS)]).await;
        let expired = credential(r#""token":"t","expirationTimestamp":"2020-01-01T00:00:00Z""#);
        let machine = machine(&format!("server: '{}'", server.url()), &format!("echo '{expired}'"));
        let cluster = machine.plain_cluster();
        list_pods(&cluster).await.unwrap();
        list_pods(&cluster).await.unwrap();
        assert_eq!(runs(&machine), 2);
    }

    #[test]
    fn renewal_is_a_minute_early_unless_life_is_short() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |seconds| renewal(now, now + Duration::from_secs(seconds)).duration_since(now).as_secs();
        assert_eq!(after(3600), 3540);
        assert_eq!(after(40), 30);
        assert_eq!(renewal(now, now - Duration::from_secs(5)).duration_since(now).as_secs(), -5);
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
        let section =
            format!("server: 'https://{}', certificate-authority: {}", server.address, ca.display());
        let script = format!("cat {}/$(wc -l < runs).json", files.dir.path().display());
        let machine = machine(&section, &script);
        let cluster = machine.plain_cluster();
        list_pods(&cluster).await.unwrap();
        list_pods(&cluster).await.unwrap();
        assert_eq!((runs(&machine), server.heads().len(), server.connections()), (2, 3, 2));
    }

    #[tokio::test]
    async fn a_plugin_gets_the_client_and_the_cluster() {
        let script =
            format!("echo \"$KUBERNETES_EXEC_INFO\" > info\necho '{}'", credential(r#""token":"t""#));
        let server = Server::start(vec![ok(NO_PODS)]).await;
        let machine = machine(&format!("server: '{}'", server.url()), &script);
        list_pods(&machine.plain_cluster()).await.unwrap();
        let info: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(machine.path("info")).unwrap()).unwrap();
        assert_eq!(info["kind"], "ExecCredential");
        assert_eq!(info["apiVersion"], V1);
        assert_eq!(info["spec"]["interactive"], false);
        assert_eq!(info["spec"]["cluster"]["server"], server.url());
    }

    #[tokio::test]
    async fn yaml_is_read_like_json() {
        let credential = run(&format!("echo 'apiVersion: {V1}'; echo 'status: {{token: t}}'")).await.unwrap();
        assert_eq!(credential.authorization.unwrap(), "Bearer t");
    }

    #[tokio::test]
    async fn a_failure_is_reported_with_the_last_line_of_the_plugin() {
        let error = error("echo first >&2; echo 'Token has expired, run: login' >&2; echo >&2; exit 3").await;
        let end = "of user \"me\" of config failed (exit status: 3): Token has expired, run: login";
        assert!(error.ends_with(end), "{error}");
    }

    #[tokio::test]
    async fn the_output_of_a_plugin_is_checked_and_never_quoted() {
        let cases = [
            ("echo sesame", "printed no ExecCredential"),
            ("echo '{\"apiVersion\":\"v2\",\"status\":{\"token\":\"sesame\"}}'", "apiVersion \"v2\""),
            (&format!("echo '{}'", credential("")), "neither a token nor"),
            (
                &format!("echo '{}'", credential(r#""token":"sesame","expirationTimestamp":"soon""#)),
                "RFC 3339",
            ),
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
        let asks = Plugin { mode: ExecInteractiveMode::Always, ..plugin("true") };
        assert!(asks.run_at(false).await.unwrap_err().to_string().contains("needs a terminal"));
    }

    #[test]
    fn an_unknown_version_is_refused_with_the_known_ones() {
        let user = "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}";
        let error = Machine::with("server: 'https://k8s'", user).error(&Connect::default());
        assert!(error.contains("v1alpha1") && error.contains(V1BETA1), "{error}");
    }
}
