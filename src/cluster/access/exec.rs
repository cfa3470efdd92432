//! Gets credentials from a kubeconfig's exec plugin (client.authentication.k8s.io).
//!
//! kube's own implementation runs it three times at each start, blocks the thread meanwhile, and never runs it again:
//! neither after a refused token nor for a new certificate.

mod process;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{Timestamp, fmt::temporal::Pieces};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    certificate::{Pem, certified_key},
    cluster::Cluster,
    credential::{Credential, bearer},
    entry::{Entry, resolved},
    yaml::parse,
};
use crate::{
    cluster::error::{Error, root_cause},
    platform::{
        programs::{Found, find, is_path},
        terminal,
    },
    small_file,
};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
const KIND: &str = "ExecCredential";

/// Credentials are renewed this long before they expire.
const LEEWAY: Duration = Duration::from_secs(60);

/// The `exec` of a user.
#[derive(Debug, Clone, Default)]
pub struct ExecConfig {
    command: Option<String>,
    args: Vec<String>,
    env: Vec<(String, SecretString)>,
    api_version: Option<String>,
    interactive_mode: Option<String>,
    install_hint: Option<String>,
    provide_cluster_info: bool,
}

/// Whether the plugin may ask the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Never,
    IfAvailable,
    Always,
}

#[derive(Debug)]
pub struct Plugin {
    /// The plugin's user, for error messages.
    user: String,
    command: String,
    args: Vec<String>,
    env: Vec<(String, SecretString)>,
    api_version: String,
    mode: Mode,
    install_hint: Option<String>,
    /// The cluster, if the plugin gets it.
    cluster: Option<Value>,
}

impl ExecConfig {
    pub fn read(exec: &Entry, dir: &Path) -> Result<ExecConfig, Error> {
        // A command without a slash is found in $PATH.
        let command = exec.text("command")?.map(|command| match command.contains(std::path::is_separator) {
            true => resolved(dir, &command).display().to_string(),
            false => command,
        });
        let pair = |variable: Entry| {
            let (name, value) = (variable.text("name")?, variable.text("value")?);
            Ok((name.unwrap_or_default(), value.unwrap_or_default().into()))
        };
        Ok(ExecConfig {
            command,
            args: exec.texts("args")?,
            env: exec.maps("env")?.into_iter().map(pair).collect::<Result<_, Error>>()?,
            api_version: exec.text("apiVersion")?,
            interactive_mode: exec.text("interactiveMode")?,
            install_hint: exec.text("installHint")?,
            provide_cluster_info: exec.flag("provideClusterInfo")?,
        })
    }

    /// Checks what kubectl checks even if the plugin is not needed.
    pub fn check(&self, user: &str) -> Result<(), Error> {
        let missing =
            |key: &str, fix: &str| Err(Error::invalid(format!("{user}: exec.{key} is missing: {fix}")));
        match (&self.command, &self.api_version) {
            (None, _) => missing("command", "name the program that gives the credentials"),
            (_, None) => missing("apiVersion", &format!("set it to {V1}")),
            _ if self.env.iter().any(|(name, _)| name.is_empty()) => {
                missing("env.name", "each variable needs a name")
            }
            _ => self.mode(user).map(|_| ()),
        }
    }

    fn mode(&self, user: &str) -> Result<Mode, Error> {
        let is_v1 = self.api_version.as_deref() == Some(V1);
        let is = match self.interactive_mode.as_deref() {
            Some("Never") => return Ok(Mode::Never),
            Some("IfAvailable") => return Ok(Mode::IfAvailable),
            Some("Always") => return Ok(Mode::Always),
            None if !is_v1 => return Ok(Mode::IfAvailable),
            None => format!("is missing, and {V1} demands it"),
            Some(mode) => format!("is {mode:?}"),
        };
        Err(Error::invalid(format!(
            "{user}: exec.interactiveMode {is}: set it to IfAvailable, Never or Always"
        )))
    }
}

impl Plugin {
    pub fn new(exec: &ExecConfig, user: &str, cluster: &Cluster) -> Result<Plugin, Error> {
        let mode = exec.mode(user)?;
        let exec = exec.clone();
        let api_version = exec.api_version.unwrap_or_default();
        if ![V1, V1BETA1].contains(&api_version.as_str()) {
            return Err(Error::invalid(format!(
                "{user}: exec.apiVersion is {api_version:?}, and must be {V1} or {V1BETA1}: update the plugin, and \
                 let it write the kubeconfig again"
            )));
        }
        Ok(Plugin {
            user: user.to_owned(),
            command: exec.command.unwrap_or_default(),
            args: exec.args,
            env: exec.env,
            api_version,
            mode,
            install_hint: exec.install_hint,
            cluster: exec.provide_cluster_info.then(|| cluster_info(cluster)).transpose()?,
        })
    }

    pub fn name(&self) -> &str {
        &self.command
    }

    pub async fn run(&self) -> Result<Credential, Error> {
        self.run_at(terminal::may_ask()).await
    }

    async fn run_at(&self, terminal: bool) -> Result<Credential, Error> {
        if self.mode == Mode::Always && !terminal {
            return Err(self.failed("needs a terminal as standard input for its questions"));
        }
        let interactive = terminal && self.mode != Mode::Never;
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        let info = json!({ "apiVersion": self.api_version, "kind": KIND, "spec": spec });
        let mut command = Command::new(self.program()?);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value.expose_secret())))
            .env("KUBERNETES_EXEC_INFO", info.to_string());
        let printed = process::output(command, interactive).await.map_err(|error| match error {
            process::Error::NotStarted(error) => self.not_started(&error),
            error => self.failed(&error.to_string()),
        })?;
        self.credential(&printed)
    }

    fn is_path(&self) -> bool {
        is_path(self.command.as_ref())
    }

    /// As in Go, the plugin is found in the `$PATH` of this process, not in the one that its `env` may set.
    fn program(&self) -> Result<PathBuf, Error> {
        match find(self.command.as_ref()) {
            Found::At(file) if self.is_path() || file.is_absolute() => Ok(file),
            // The working directory may belong to somebody else.
            Found::At(_) => Err(self.failed(
                "is found by an empty or relative entry of $PATH, and is not run from there: remove that entry",
            )),
            // The system tells why it cannot be run.
            _ if self.is_path() => Ok(self.command.clone().into()),
            Found::NotExecutable(file) => Err(self.not_executable(&file)),
            Found::Nowhere => Err(self.not_installed()),
        }
    }

    /// Plugins should print JSON, but client-go also accepts YAML, and some print that.
    pub(super) fn credential(&self, printed: &[u8]) -> Result<Credential, Error> {
        if printed.trim_ascii().is_empty() {
            return Err(self.failed("printed nothing, and ended without an error"));
        }
        // As in Go, a byte that is not UTF-8 does no harm.
        let value = parse(printed).or_else(|_| parse(String::from_utf8_lossy(printed).as_bytes()));
        let value = value.map_err(|_| self.failed("printed no ExecCredential"))?;
        let secret = |error: Error| Error::credentials(error.to_string());
        let of = format!("the output of exec plugin {:?} of {}", self.command, self.user);
        let entry = Entry::new(of, Some(&value)).map_err(|_| self.failed("printed no ExecCredential"))?;
        let kind = entry.text("kind").map_err(secret)?.unwrap_or_else(|| KIND.into());
        if kind != KIND {
            return Err(self.failed(&format!("printed the kind {kind:?}, and must print {KIND}")));
        }
        let version = entry.text("apiVersion").map_err(secret)?.unwrap_or_default();
        if version != self.api_version {
            let wanted = &self.api_version;
            return Err(self.failed(&format!(
                "returned apiVersion {version:?}, but the kubeconfig requires {wanted:?}"
            )));
        }
        let status = entry.within("status").map_err(secret)?;
        let status = status.ok_or_else(|| self.failed("printed an ExecCredential without a status"))?;
        let text = |key| status.text(key).map_err(secret);
        let identity = match (text("clientCertificateData")?, text("clientKeyData")?) {
            (Some(certificate), Some(key)) => {
                let pem = |text: String, what| Pem {
                    bytes: text.into_bytes(),
                    origin: format!("the {what} of exec plugin {:?}", self.command),
                    file: None,
                };
                Some(certified_key(&pem(certificate, "certificate"), &pem(key, "key"))?)
            }
            (None, None) => None,
            _ => return Err(self.failed("gave only one of a client certificate and its key")),
        };
        let token = text("token")?;
        if token.is_none() && identity.is_none() {
            return Err(self.failed("gave neither a token nor a client certificate with its key"));
        }
        let expires = text("expirationTimestamp")?.map(|text| time(&text)).transpose();
        let expires =
            expires.map_err(|_| self.failed("gave an expirationTimestamp that is not in RFC 3339 format"))?;
        let authorization = token.map(|token| {
            bearer(&token, &format!("the token of exec plugin {:?} of {}", self.command, self.user))
        });
        let authorization = authorization.transpose()?;
        let renew_at = expires.and_then(|at| renewal(Timestamp::now(), at));
        Ok(Credential { authorization, identity, renew_at })
    }

    fn failed(&self, reason: &str) -> Error {
        Error::credentials(format!("exec plugin {:?} of {} {reason}", self.command, self.user))
    }

    fn not_installed(&self) -> Error {
        let correct = if self.is_path() { "exec.command" } else { "$PATH" };
        match &self.install_hint {
            Some(hint) => self.failed(&format!("is not installed: {hint}")),
            None => self.failed(&format!("is not installed: install it, or correct {correct}")),
        }
    }

    fn not_executable(&self, file: &Path) -> Error {
        self.failed(&format!("is not executable: correct the rights of {}, or $PATH", file.display()))
    }

    fn not_started(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound if !Path::new(&self.command).exists() => self.not_installed(),
            _ => self.failed(&format!("cannot be started: {}", root_cause(error))),
        }
    }
}

/// The cluster as client-go describes it to a plugin.
fn cluster_info(cluster: &Cluster) -> Result<Value, Error> {
    let authority = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => Some(data.split_whitespace().collect()),
        (None, Some(path)) => {
            let bytes = small_file::read(path).map_err(|error| {
                let cause = root_cause(&error);
                Error::invalid(format!("cannot read certificate-authority {}: {cause}", path.display()))
            })?;
            Some(BASE64_STANDARD.encode(bytes))
        }
        (None, None) => None,
    };
    let mut info = Map::new();
    let texts = [
        ("server", cluster.server.clone()),
        ("tls-server-name", cluster.tls_server_name.clone()),
        ("certificate-authority-data", authority),
        ("proxy-url", cluster.proxy_url.clone()),
    ];
    info.extend(texts.into_iter().filter_map(|(key, text)| Some((key.into(), text?.into()))));
    let flags = [
        ("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify),
        ("disable-compression", cluster.disable_compression),
    ];
    info.extend(flags.into_iter().filter(|(_, set)| *set).map(|(key, set)| (key.into(), set.into())));
    info.insert("config".into(), cluster.exec_config.clone());
    Ok(info.into())
}

/// Times that are too late or too early for a [`Timestamp`] mean "never" and "long ago".
fn time(text: &str) -> Result<Timestamp, jiff::Error> {
    text.parse().or_else(|error| match Pieces::parse(text) {
        Ok(pieces) if pieces.time().is_some() && pieces.offset().is_some() => {
            Ok(if pieces.date().year() > 0 { Timestamp::MAX } else { Timestamp::MIN })
        }
        _ => Err(error),
    })
}

/// The leeway before `expires`, or a quarter of a short lifetime. None if it lies in the past, because one of the
/// clocks is wrong: such a credential is used until it is refused.
fn renewal(now: Timestamp, expires: Timestamp) -> Option<Timestamp> {
    let left = Duration::try_from(expires.duration_since(now)).ok().filter(|left| !left.is_zero())?;
    Some(expires - LEEWAY.min(left / 4))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
