//! How to reach the apiserver.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use secrecy::SecretString;

use super::{
    duration,
    read::{each, error, given, parsed},
};
use crate::{
    cli::{
        Args,
        flags::{
            File, Flag, Text,
            connection::{CONTEXT, HTTP1, KUBECONFIG},
            kubectl as flags,
        },
    },
    machine::Machine,
    usage_error::UsageError,
};

/// Absent values come from the kubeconfig.
#[derive(Debug, Default, Clone)]
pub struct Connect {
    pub machine: Machine,
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    /// The name of the context, once it is chosen.
    pub context_in_use: Arc<OnceLock<String>>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub server: Option<String>,
    pub token: Option<SecretString>,
    pub certificate_authority: Option<PathBuf>,
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub insecure_skip_tls_verify: bool,
    pub tls_server_name: Option<String>,
    pub as_user: Option<String>,
    pub as_groups: Vec<String>,
    pub as_uid: Option<String>,
    /// Key and value of each `--as-user-extra`; a key may repeat.
    pub as_user_extra: Vec<(String, String)>,
    /// Limits lists and the wait for response headers, never a running stream. None: only silence is limited.
    pub request_timeout: Option<Duration>,
    /// Lists are not compressed.
    pub disable_compression: bool,
    /// HTTP/2 is not offered.
    pub http1: bool,
}

impl Connect {
    pub(super) fn new(args: &Args, machine: &Machine) -> Result<Connect, UsageError> {
        let text = |flag: &Flag<Text>| given(args, flag).map(str::to_owned);
        // As for kubectl, a leading `~` is no home directory.
        let path = |flag: &Flag<File>| args.get(flag).filter(|path| !path.is_empty()).map(PathBuf::from);
        let insecure_skip_tls_verify = args.get(&flags::INSECURE_SKIP_TLS_VERIFY);
        let certificate_authority = path(&flags::CERTIFICATE_AUTHORITY);
        if insecure_skip_tls_verify && certificate_authority.is_some() {
            return Err(error(
                "--insecure-skip-tls-verify and --certificate-authority contradict each other; remove one",
            ));
        }
        let groups = args.get(&flags::AS_GROUP).into_iter().filter(|group| !group.is_empty());
        Ok(Connect {
            machine: machine.clone(),
            context_in_use: Arc::default(),
            kubeconfig: path(&KUBECONFIG),
            context: text(&CONTEXT),
            cluster: text(&flags::CLUSTER),
            user: text(&flags::USER),
            server: text(&flags::SERVER),
            token: text(&flags::TOKEN).map(SecretString::from),
            certificate_authority,
            client_certificate: path(&flags::CLIENT_CERTIFICATE),
            client_key: path(&flags::CLIENT_KEY),
            insecure_skip_tls_verify,
            tls_server_name: text(&flags::TLS_SERVER_NAME),
            as_user: text(&flags::AS),
            as_groups: groups.map(str::to_owned).collect(),
            as_uid: text(&flags::AS_UID),
            as_user_extra: each(args, &flags::AS_USER_EXTRA, key_value)?,
            request_timeout: parsed(args, &flags::REQUEST_TIMEOUT, timeout)?
                .filter(|timeout| !timeout.is_zero()),
            disable_compression: args.get(&flags::DISABLE_COMPRESSION),
            http1: args.get(&HTTP1),
        })
    }
}

fn key_value(pair: &str) -> Result<(String, String), String> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("\"{pair}\" is not KEY=VALUE")),
    }
}

/// A plain number is in seconds, as for kubectl.
fn timeout(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).or_else(|_| duration::parse(text))
}
