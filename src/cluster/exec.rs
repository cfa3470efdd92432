//! Runs the program that a kubeconfig names to get credentials (client.authentication.k8s.io).
//!
//! kube's own layer runs it three times at each start, blocks the thread meanwhile, and never again: neither for a
//! refused token nor for a certificate.

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
    auth::Credential,
    error::{Error, root_cause},
    settings::{Pem, bearer, certified_key},
};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// How long before they expire credentials are renewed.
const LEEWAY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Plugin {
    /// Whose plugin it is, as words for the user.
    user: String,
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    api_version: String,
    mode: ExecInteractiveMode,
    install_hint: Option<String>,
    cluster: Option<ExecAuthCluster>,
}

/// The `ExecCredential` that a plugin prints.
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
            command.ok_or_else(|| Error::config(format!("{user}: its exec plugin names no command")))?;
        let api_version = exec.api_version.clone().unwrap_or_default();
        if ![V1, V1BETA1].contains(&api_version.as_str()) {
            return Err(Error::config(format!(
                "{user}: the apiVersion {api_version:?} of its exec plugin is not known: it must be {V1} or {V1BETA1}"
            )));
        }
        let pair = |variable: &std::collections::HashMap<String, String>| {
            Some((variable.get("name")?.clone(), variable.get("value")?.clone()))
        };
        let cluster = match exec.provide_cluster_info {
            true => {
                Some(ExecAuthCluster::try_from(cluster).map_err(|error| Error::config(error.to_string()))?)
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
            return Err(self.failed("needs a terminal as standard input to ask you something"));
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
            // A plugin that may ask must be seen; of another only the last word counts, when it fails.
            .stderr(if interactive { Stdio::inherit() } else { Stdio::piped() })
            .kill_on_drop(true)
            .spawn();
        let child = started.map_err(|error| self.not_started(&error))?;
        let output = child.wait_with_output().await.map_err(|error| self.failed(&root_cause(&error)))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
            let last = last.map(|line| format!(": {line}")).unwrap_or_default();
            return Err(self.failed(&format!("failed ({}){last}", output.status)));
        }
        self.credential(&output.stdout)
    }

    /// Plugins should print JSON, but client-go reads YAML too, so that some print that.
    fn credential(&self, printed: &[u8]) -> Result<Credential, Error> {
        // The parser's words would quote what was printed, and that is a secret.
        let printed: Printed =
            serde_saphyr::from_slice(printed).map_err(|_| self.failed("printed no ExecCredential"))?;
        let version = printed.api_version.unwrap_or_default();
        if version != self.api_version {
            let wanted = &self.api_version;
            return Err(self.failed(&format!(
                "speaks {version:?}, but the kubeconfig says {wanted:?}: make them agree"
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
        let expires = expires.map_err(|_| self.failed("gave an expirationTimestamp that is not RFC 3339"))?;
        let authorization = token.map(|token| bearer(token.trim())).transpose()?;
        Ok(Credential { authorization, identity, renew_at: expires.map(|at| renewal(Timestamp::now(), at)) })
    }

    fn failed(&self, why: &str) -> Error {
        Error::credentials(format!("exec plugin {:?} of {} {why}", self.command, self.user))
    }

    fn not_started(&self, error: &io::Error) -> Error {
        let mend = match (error.kind(), &self.install_hint) {
            (io::ErrorKind::NotFound, Some(hint)) => format!("is not installed: {hint}"),
            (io::ErrorKind::NotFound, None) => "is not installed: install it, or mend $PATH".into(),
            _ => format!("cannot be started: {}", root_cause(error)),
        };
        self.failed(&mend)
    }
}

/// The leeway before `expires`, or a quarter of a lifetime so short that the leeway would eat it up.
fn renewal(now: Timestamp, expires: Timestamp) -> Timestamp {
    let left = Duration::try_from(expires.duration_since(now)).unwrap_or_default();
    expires - LEEWAY.min(left / 4)
}
