//! The cluster of a kubeconfig: the address of its apiserver, and how it is trusted and reached.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use http::{Uri, uri::PathAndQuery};
use serde_json::Value;

use super::{entry::Entry, proxy::userinfo};
use crate::{cluster::error::Error, plan::Connect};

/// An entry of `clusters`, with the flags that override it.
#[derive(Default)]
pub struct Cluster {
    /// Such as `cluster "c" of FILE`; empty without an entry.
    pub described: String,
    pub server: Option<String>,
    pub tls_server_name: Option<String>,
    pub insecure_skip_tls_verify: bool,
    pub certificate_authority: Option<PathBuf>,
    /// In base64.
    pub certificate_authority_data: Option<String>,
    pub proxy_url: Option<String>,
    pub disable_compression: bool,
    /// Settings for an exec plugin.
    pub exec_config: Value,
}

/// The apiserver's address, and the user in it.
pub struct Server {
    pub uri: Uri,
    pub user: Option<(String, String)>,
}

/// The URL of a proxy may have a password.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.described)
    }
}

impl Cluster {
    pub fn read(entry: &Entry, dir: &Path) -> Result<Cluster, Error> {
        Ok(Cluster {
            described: entry.described.clone(),
            server: entry.text("server")?,
            tls_server_name: entry.text("tls-server-name")?,
            insecure_skip_tls_verify: entry.flag("insecure-skip-tls-verify")?,
            certificate_authority: entry.path("certificate-authority", dir)?,
            certificate_authority_data: entry.text("certificate-authority-data")?,
            proxy_url: entry.text("proxy-url")?,
            disable_compression: entry.flag("disable-compression")?,
            exec_config: exec_config(entry)?,
        })
    }

    /// Applies the flags. As in client-go, one that verifies and one that does not replace each other.
    pub fn overridden(mut self, connect: &Connect) -> Result<Cluster, Error> {
        if let Some(server) = &connect.server {
            self.server = Some(server.clone());
            // The name belongs to the replaced server.
            self.tls_server_name = None;
        }
        if let Some(name) = &connect.tls_server_name {
            self.tls_server_name = Some(name.clone());
        }
        if let Some(path) = &connect.certificate_authority {
            self.certificate_authority = Some(path.clone());
            self.certificate_authority_data = None;
            self.insecure_skip_tls_verify = false;
        }
        if connect.insecure_skip_tls_verify {
            self.insecure_skip_tls_verify = true;
            self.certificate_authority = None;
            self.certificate_authority_data = None;
        }
        self.disable_compression |= connect.disable_compression;
        self.without_contradiction()
    }

    fn without_contradiction(self) -> Result<Cluster, Error> {
        let both = |one: &str, other: &str| {
            Err(Error::invalid(format!("{} has both {one} and {other}: remove one", self.described)))
        };
        match (&self.certificate_authority, &self.certificate_authority_data) {
            (Some(_), Some(_)) => both("certificate-authority", "certificate-authority-data"),
            (Some(_), _) if self.insecure_skip_tls_verify => {
                both("insecure-skip-tls-verify", "certificate-authority")
            }
            (_, Some(_)) if self.insecure_skip_tls_verify => {
                both("insecure-skip-tls-verify", "certificate-authority-data")
            }
            _ => Ok(self),
        }
    }

    /// The apiserver's URL. As in kubectl, one without a scheme is of `http`, whatever else is set.
    pub fn server(&self, connect: &Connect) -> Result<Server, Error> {
        let origin = match &connect.server {
            Some(_) => "--server",
            None => &format!("server of {}", self.described),
        };
        let Some(given) = &self.server else {
            return Err(Error::invalid(format!(
                "{} has no server: add it, or give --server",
                self.described
            )));
        };
        // The text may contain a password, so errors must not quote it.
        let invalid =
            |problem: &str| Error::invalid(format!("{origin} {problem}: give it as https://host:port"));
        let has_scheme = given.contains("://");
        let url = if has_scheme { given.clone() } else { format!("http://{given}") };
        let uri: Uri = url.parse().map_err(|_| invalid("is not a URL"))?;
        let host = uri.host().unwrap_or_default();
        let Some(authority) = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")))
        else {
            return Err(invalid("is not an http or https URL"));
        };
        if host.is_empty() {
            return Err(invalid("has no host"));
        }
        let (_, port) = authority.as_str().rsplit_once(host).unwrap_or_default();
        if !["", ":"].contains(&port) && !is_port(port) {
            return Err(invalid("has a port that is not in 1 to 65535"));
        }
        if !has_scheme && uri.path() != "/" {
            return Err(invalid("has a path, and no scheme"));
        }
        let path = clean(uri.path()).ok_or_else(|| invalid("has a path with an incomplete escape"))?;
        let user = userinfo(&uri);
        let port = port.trim_end_matches(':');
        let mut parts = uri.clone().into_parts();
        parts.authority = Some(format!("{host}{port}").parse().map_err(|_| invalid("is not a URL"))?);
        parts.path_and_query = Some(path);
        let uri = Uri::from_parts(parts).map_err(|_| invalid("is not a URL"))?;
        Ok(Server { uri, user })
    }
}

/// `:6443`
fn is_port(port: &str) -> bool {
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse::<u16>().ok()).is_some_and(|port| port > 0)
}

/// The path without empty parts and `..`, as Go joins it; None if it cannot be sent.
fn clean(path: &str) -> Option<PathAndQuery> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let is_escape = |rest: &str| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    let path = format!("/{}", parts.join("/"));
    path.split('%').skip(1).all(is_escape).then(|| path.parse().ok())?
}

/// The settings that a kubeconfig has for exec plugins.
fn exec_config(entry: &Entry) -> Result<Value, Error> {
    let mut extensions = entry.value("extensions").and_then(Value::as_array).into_iter().flatten();
    let found = extensions.find(|extension| extension["name"] == "client.authentication.k8s.io/exec");
    Ok(found.map(|extension| extension["extension"].clone()).unwrap_or_default())
}
