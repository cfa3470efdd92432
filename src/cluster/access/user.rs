//! The user of a kubeconfig: who makes the requests, and with which credentials.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use super::{
    auth::Source,
    auth_provider::AuthProvider,
    certificate::{Pem, certified_key},
    cluster::Cluster,
    credential::{basic, bearer},
    entry::Entry,
    exec::{ExecConfig, Plugin},
    impersonate::Impersonate,
};
use crate::{cluster::error::Error, plan::Connect};

/// An entry of `users`, with the flags that override it.
#[derive(Debug, Default)]
pub struct User {
    /// Such as `user "me" of FILE`.
    pub described: String,
    /// The error of a user that does not exist, if it has to prove itself.
    missing: Option<String>,
    token: Option<SecretString>,
    token_file: Option<PathBuf>,
    username: Option<String>,
    password: Option<SecretString>,
    client_certificate: Option<PathBuf>,
    /// In base64, as the key's.
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<SecretString>,
    exec: Option<ExecConfig>,
    auth_provider: Option<AuthProvider>,
    pub impersonate: Impersonate,
}

impl User {
    pub fn read(entry: &Entry, dir: &Path) -> Result<User, Error> {
        let secret = |key| entry.text(key).map(|text| text.map(SecretString::from));
        Ok(User {
            described: entry.described.clone(),
            missing: None,
            token: secret("token")?,
            token_file: entry.path("tokenFile", dir)?,
            username: entry.text("username")?,
            password: secret("password")?,
            client_certificate: entry.path("client-certificate", dir)?,
            client_certificate_data: entry.text("client-certificate-data")?,
            client_key: entry.path("client-key", dir)?,
            client_key_data: secret("client-key-data")?,
            exec: entry.within("exec")?.map(|exec| ExecConfig::read(&exec, dir)).transpose()?,
            auth_provider: entry.within("auth-provider")?.map(|at| AuthProvider::read(&at)).transpose()?,
            impersonate: Impersonate::read(entry)?,
        })
    }

    /// The client certificate. For a server without TLS it is only read.
    pub fn identity(&self, encrypted: bool) -> Result<Option<Arc<CertifiedKey>>, Error> {
        let data = self.client_certificate_data.as_deref();
        // As in Go, a key without a certificate is of no use and does no harm.
        let Some(certificate) =
            Pem::load("client-certificate", &self.described, data, self.client_certificate.as_deref())?
        else {
            return Ok(None);
        };
        let data = self.client_key_data.as_ref().map(|key| key.expose_secret());
        match Pem::load("client-key", &self.described, data, self.client_key.as_deref())? {
            Some(key) => encrypted.then(|| certified_key(&certificate, &key)).transpose(),
            None => Err(Error::invalid(format!(
                "the client certificate of {} has no key: add client-key or client-key-data, or give --client-key",
                self.described
            ))),
        }
    }

    /// For requests without credentials.
    pub fn anonymous() -> User {
        User { described: "an anonymous user".into(), ..User::default() }
    }

    pub fn of_service_account(token: PathBuf) -> User {
        let described = format!("the service account of {}", token.display());
        User { described, token_file: Some(token), ..User::default() }
    }

    /// The user of a context that does not exist; `problem` is the error if it needs credentials.
    pub fn missing(problem: String) -> User {
        User { missing: Some(problem), ..User::anonymous() }
    }

    /// Applies the flags: a flag replaces what the kubeconfig has in its place, and a token all other proofs but the
    /// client certificate.
    pub fn overridden(mut self, connect: &Connect) -> Result<User, Error> {
        if let Some(token) = &connect.token {
            self = User {
                described: "--token".into(),
                token: Some(token.clone()),
                client_certificate: self.client_certificate,
                client_certificate_data: self.client_certificate_data,
                client_key: self.client_key,
                client_key_data: self.client_key_data,
                impersonate: self.impersonate,
                ..User::default()
            };
        }
        if let Some(path) = &connect.client_certificate {
            self.client_certificate = Some(path.clone());
            self.client_certificate_data = None;
        }
        if let Some(path) = &connect.client_key {
            self.client_key = Some(path.clone());
            self.client_key_data = None;
        }
        self.impersonate.overridden(connect);
        self.without_contradiction()
    }

    fn without_contradiction(self) -> Result<User, Error> {
        let both = |one: &str, other: &str| {
            Err(Error::invalid(format!("{} has both {one} and {other}: remove one", self.described)))
        };
        let basic = if self.username.is_some() { "username" } else { "password" };
        let has_basic = self.username.is_some() || self.password.is_some();
        if has_basic && self.token.is_some() {
            return both("token", basic);
        }
        // As in client-go, which judges a password without a name in the first case only.
        if self.username.is_some() && self.token_file.is_some() {
            return both("tokenFile", "username");
        }
        if self.exec.is_some() && self.auth_provider.is_some() {
            return both("exec", "auth-provider");
        }
        if self.client_certificate.is_some() && self.client_certificate_data.is_some() {
            return both("client-certificate", "client-certificate-data");
        }
        if self.has_client_certificate() && self.client_key.is_some() && self.client_key_data.is_some() {
            return both("client-key", "client-key-data");
        }
        if let Some(exec) = &self.exec {
            exec.check(&self.described)?;
        }
        Ok(self)
    }

    fn has_client_certificate(&self) -> bool {
        self.client_certificate.is_some() || self.client_certificate_data.is_some()
    }

    /// Whether requests carry a secret.
    pub fn has_secret(&self) -> bool {
        self.token.is_some()
            || self.token_file.is_some()
            || self.username.is_some()
            || self.exec.is_some()
            || self.auth_provider.is_some()
    }

    /// The credentials besides the client certificate.
    pub fn credentials(&self, cluster: &Cluster) -> Result<Source, Error> {
        let token = self.token.as_ref().map(ExposeSecret::expose_secret);
        let token = token.map(|token| bearer(token, &self.named("token"))).transpose()?;
        if let Some(provider) = &self.auth_provider {
            return provider.token(&self.described).map(Source::Fixed);
        }
        if let Some(path) = &self.token_file {
            return Ok(Source::TokenFile { path: path.clone(), fallback: token });
        }
        if let Some(token) = token {
            return Ok(Source::Fixed(token));
        }
        if let Some(name) = &self.username {
            let password = self.password.as_ref().map(ExposeSecret::expose_secret);
            return basic(name, password.unwrap_or_default()).map(Source::Fixed);
        }
        if self.has_client_certificate() {
            return Ok(Source::None);
        }
        if let Some(problem) = &self.missing {
            return Err(Error::invalid(problem.clone()));
        }
        match &self.exec {
            Some(exec) => Ok(Source::Exec(Box::new(Plugin::new(exec, &self.described, cluster)?))),
            None if self.password.is_some() => {
                Err(Error::invalid(format!("{} has a password, and no username", self.described)))
            }
            None => Ok(Source::None),
        }
    }

    /// `token of user "me" of FILE`; the flag is its own name.
    fn named(&self, key: &str) -> String {
        let is_flag = self.described.starts_with("--");
        if is_flag { self.described.clone() } else { format!("{key} of {}", self.described) }
    }
}
