//! Gets credentials from a kubeconfig's exec plugin (client.authentication.k8s.io).
//!
//! kube's own implementation runs it three times at each start, blocks the thread meanwhile, and never runs it again:
//! neither after a refused token nor for a new certificate.

mod process;

use std::{
    fs,
    io::{self, IsTerminal},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{Timestamp, fmt::temporal::Pieces};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    certificate::{Pem, certified_key},
    cluster::Cluster,
    credential::{Credential, bearer},
    entry::{Entry, resolved},
    yaml::parse,
};
use crate::cluster::error::{Error, root_cause};

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
    env: Vec<(String, String)>,
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
    env: Vec<(String, String)>,
    api_version: String,
    mode: Mode,
    install_hint: Option<String>,
    /// The cluster, if the plugin is told of it.
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
            Ok((name.unwrap_or_default(), value.unwrap_or_default()))
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
        self.run_at(io::stdin().is_terminal()).await
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
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env("KUBERNETES_EXEC_INFO", info.to_string());
        let printed = process::output(command, interactive).await.map_err(|error| match error {
            process::Error::NotStarted(error) => self.not_started(&error),
            error => self.failed(&error.to_string()),
        })?;
        self.credential(&printed)
    }

    fn is_path(&self) -> bool {
        self.command.contains(std::path::is_separator)
    }

    /// As in Go, the plugin is found in the `$PATH` of this process, not in the one that its `env` may set.
    fn program(&self) -> Result<PathBuf, Error> {
        let command = Path::new(&self.command);
        if self.is_path() {
            return Ok(command.into());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let files =
            || std::env::split_paths(&path).map(|dir| dir.join(command)).filter(|file| file.is_file());
        let Some(found) = files().find(|file| is_executable(file)) else {
            return Err(files()
                .next()
                .map_or_else(|| self.not_installed(), |file| self.not_executable(&file)));
        };
        // The working directory may belong to somebody else.
        match found.is_absolute() {
            true => Ok(found),
            false => Err(self.failed(
                "is found by an empty or relative entry of $PATH, and is not run from there: remove that entry",
            )),
        }
    }

    /// Plugins should print JSON, but client-go also accepts YAML, and some print that.
    fn credential(&self, printed: &[u8]) -> Result<Credential, Error> {
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

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// The cluster as client-go describes it to a plugin.
fn cluster_info(cluster: &Cluster) -> Result<Value, Error> {
    let authority = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => Some(data.split_whitespace().collect()),
        (None, Some(path)) => {
            let bytes = fs::read(path).map_err(|error| {
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

/// The leeway before `expires`, or a quarter of a short lifetime. None if it lies in the past, because one of the clocks
/// is wrong: such a credential is used until it is refused.
fn renewal(now: Timestamp, expires: Timestamp) -> Option<Timestamp> {
    let left = Duration::try_from(expires.duration_since(now)).ok().filter(|left| !left.is_zero())?;
    Some(expires - LEEWAY.min(left / 4))
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
        let tokens =
            |heads: Vec<String>| heads.iter().map(|head| head.contains("bearer t1")).collect::<Vec<_>>();
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
        let asks = Plugin { mode: Mode::Always, ..plugin("true") };
        assert!(asks.run_at(false).await.unwrap_err().to_string().contains("needs a terminal"));
    }

    #[test]
    fn an_unknown_version_is_refused_with_the_known_ones() {
        let user = "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}";
        let error = Machine::with("server: 'https://k8s'", user).error(&Connect::default());
        assert!(error.contains("v1alpha1") && error.contains(V1BETA1), "{error}");
    }
}
