//! Settles how to reach the apiserver and as whom: kubeconfig, service account and flags, checked and loaded.

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use kube::config::{AuthInfo, Cluster};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    auth::Source,
    error::Error,
    exec::Plugin,
    kubeconfig::{Chosen, Host, Kubeconfigs, NOBODY},
    proxy,
};
use crate::plan::Connect;

#[derive(Debug)]
pub(super) struct Settings {
    pub server: Uri,
    pub namespace: String,
    pub trust: Trust,
    pub proxy: Option<Uri>,
    /// Who the user is, as words for errors.
    pub user: String,
    pub credentials: Source,
    /// The client certificate that the kubeconfig holds itself.
    pub identity: Option<Arc<CertifiedKey>>,
    /// The headers of `--as` and its kin.
    pub impersonation: HeaderMap,
}

/// Which servers are taken for the apiserver.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// None: the operating system's.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// Where the authorities came from, to be read again when they are rotated.
    pub file: Option<PathBuf>,
    /// Anybody.
    pub insecure: bool,
    /// The name to expect in the certificate, if not that in the URL.
    pub name: Option<ServerName<'static>>,
}

impl Settings {
    pub fn settle(connect: &Connect, host: &Host) -> Result<Settings, Error> {
        let Chosen { mut cluster, mut user, user_described, namespace } = choose(connect, host)?;
        override_cluster(&mut cluster, connect);
        override_user(&mut user, connect);

        let identity = identity(&user)?;
        let trust = Trust::load(&cluster)?;
        let server = server(&cluster, identity.is_some())?;
        let proxy = match cluster.proxy_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => Some(proxy::parse(url, "the kubeconfig's proxy-url")?),
            None => proxy::from_environment(&server, &|name| host.text(name))?,
        };
        Ok(Settings {
            namespace: namespace.filter(|name| !name.is_empty()).unwrap_or_else(|| "default".into()),
            credentials: credentials(&user, &user_described, &cluster)?,
            user: if connect.token.is_some() { "--token".into() } else { user_described },
            impersonation: impersonation(&user)?,
            server,
            trust,
            proxy,
            identity,
        })
    }
}

fn choose(connect: &Connect, host: &Host) -> Result<Chosen, Error> {
    let kubeconfigs = Kubeconfigs::load(connect.kubeconfig.as_deref(), host)?;
    let named = connect.context.is_some() || connect.cluster.is_some() || connect.user.is_some();
    if !kubeconfigs.is_empty() || named {
        return kubeconfigs.choose(connect);
    }
    if connect.server.is_some() {
        return Ok(Chosen { user_described: NOBODY.into(), ..Chosen::default() });
    }
    in_cluster(host).ok_or_else(|| {
        Error::config(format!(
            "no cluster to ask: there is no kubeconfig in {} and this is not a pod; \
             set $KUBECONFIG, --kubeconfig or --server",
            kubeconfigs.looked
        ))
    })
}

/// The service account of the pod that this runs in.
fn in_cluster(host: &Host) -> Option<Chosen> {
    let address = host.text("KUBERNETES_SERVICE_HOST")?;
    let port = host.text("KUBERNETES_SERVICE_PORT")?;
    let address = if address.contains(':') { format!("[{address}]") } else { address };
    let mounted = |name| host.service_account.join(name);
    let token = mounted("token");
    if !token.exists() {
        return None;
    }
    Some(Chosen {
        cluster: Cluster {
            server: Some(format!("https://{address}:{port}")),
            certificate_authority: Some(mounted("ca.crt").display().to_string()),
            ..Cluster::default()
        },
        user_described: format!("the service account of {}", token.display()),
        user: AuthInfo { token_file: Some(token.display().to_string()), ..AuthInfo::default() },
        namespace: fs::read_to_string(mounted("namespace")).ok().map(|name| name.trim().to_owned()),
    })
}

fn override_cluster(cluster: &mut Cluster, connect: &Connect) {
    if let Some(server) = &connect.server {
        cluster.server = Some(server.clone());
        // The name belongs to the server that is replaced.
        cluster.tls_server_name = None;
    }
    if let Some(name) = &connect.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if connect.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
    }
    if let Some(path) = &connect.certificate_authority {
        cluster.certificate_authority = Some(path.display().to_string());
        cluster.certificate_authority_data = None;
    }
}

fn override_user(user: &mut AuthInfo, connect: &Connect) {
    if let Some(token) = &connect.token {
        user.token = Some(SecretString::from(token.as_str()));
        user.token_file = None;
        user.exec = None;
        user.auth_provider = None;
    }
    if let Some(path) = &connect.client_certificate {
        user.client_certificate = Some(path.display().to_string());
        user.client_certificate_data = None;
    }
    if let Some(path) = &connect.client_key {
        user.client_key = Some(path.display().to_string());
        user.client_key_data = None;
    }
    if connect.as_user.is_some() {
        user.impersonate = connect.as_user.clone();
    }
    if connect.as_uid.is_some() {
        user.impersonate_uid = connect.as_uid.clone();
    }
    if !connect.as_groups.is_empty() {
        user.impersonate_groups = Some(connect.as_groups.clone());
    }
    for (key, value) in &connect.as_user_extra {
        let extra = user.impersonate_user_extra.get_or_insert_default();
        extra.entry(key.clone()).or_default().push(value.clone());
    }
}

/// Where the apiserver is. Without a scheme it is https when there is anything of TLS to use, as in client-go.
fn server(cluster: &Cluster, has_identity: bool) -> Result<Uri, Error> {
    let said = cluster.server.as_deref().map(str::trim).filter(|server| !server.is_empty());
    let said = said
        .ok_or_else(|| Error::config("the kubeconfig's cluster names no server: give one with --server"))?;
    let tls = has_identity
        || cluster.insecure_skip_tls_verify == Some(true)
        || cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some();
    let url = match said.contains("://") {
        true => said.to_owned(),
        false => format!("{}://{said}", if tls { "https" } else { "http" }),
    };
    // The text may hold a password, so that an error cannot quote it.
    let invalid = |why| Error::config(format!("the server {why}: give it as https://host:port"));
    let uri: Uri = url.parse().map_err(|_| invalid("of the kubeconfig or --server is not a URL"))?;
    let Some(authority) = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")))
    else {
        return Err(invalid("of the kubeconfig or --server is not an http or https URL"));
    };
    match authority.as_str().contains('@') {
        true => Err(invalid("in a URL with a user and password cannot be used")),
        false => Ok(uri),
    }
}

impl Trust {
    fn load(cluster: &Cluster) -> Result<Trust, Error> {
        let name = cluster.tls_server_name.as_deref().filter(|name| !name.is_empty());
        let name = name.map(|name| ServerName::try_from(name.to_owned())).transpose();
        let name =
            name.map_err(|_| Error::config("--tls-server-name is neither a host name nor an IP address"))?;
        if cluster.insecure_skip_tls_verify == Some(true) {
            return Ok(Trust { insecure: true, name, ..Trust::default() });
        }
        let what = "certificate-authority";
        let data = cluster.certificate_authority_data.as_deref();
        let Some(pem) = Pem::load(what, data, cluster.certificate_authority.as_deref())? else {
            return Ok(Trust { name, ..Trust::default() });
        };
        Ok(Trust { authorities: Some(pem.certificates()?), file: pem.file, name, insecure: false })
    }
}

fn identity(user: &AuthInfo) -> Result<Option<Arc<CertifiedKey>>, Error> {
    let certificate = user.client_certificate_data.as_deref();
    let certificate = Pem::load("client-certificate", certificate, user.client_certificate.as_deref())?;
    let key = user.client_key_data.as_ref().map(|key| key.expose_secret());
    let key = Pem::load("client-key", key, user.client_key.as_deref())?;
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Error::config("a client certificate needs its key: give it with --client-key"))
        }
        (None, Some(_)) => {
            Err(Error::config("a client key needs its certificate: give it with --client-certificate"))
        }
        (Some(certificate), Some(key)) => certified_key(&certificate, &key).map(Some),
    }
}

pub(super) fn certified_key(certificate: &Pem, key: &Pem) -> Result<Arc<CertifiedKey>, Error> {
    let der = PrivateKeyDer::from_pem_slice(&key.bytes)
        .map_err(|_| Error::config(format!("{} holds no private key in PEM", key.origin)))?;
    CertifiedKey::from_der(certificate.certificates()?, der, &rustls::crypto::ring::default_provider())
        .map(Arc::new)
        .map_err(|error| {
            let (certificate, key) = (&certificate.origin, &key.origin);
            Error::config(format!("{certificate} and {key} cannot be used together: {error}"))
        })
}

/// PEM and the words for where it came from.
pub(super) struct Pem {
    pub bytes: Vec<u8>,
    pub origin: String,
    pub file: Option<PathBuf>,
}

impl Pem {
    /// From base64 or else from a file.
    fn load(what: &str, data: Option<&str>, path: Option<&str>) -> Result<Option<Pem>, Error> {
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let origin = format!("the kubeconfig's {what}-data");
            let data: String = data.split_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(data);
            let bytes = bytes.map_err(|error| Error::config(format!("{origin} is not base64: {error}")))?;
            return Ok(Some(Pem { bytes, origin, file: None }));
        }
        let Some(path) = path.filter(|path| !path.is_empty()).map(Path::new) else { return Ok(None) };
        let origin = format!("{what} {}", path.display());
        let bytes = fs::read(path).map_err(|error| {
            Error::config(format!("cannot read {origin}: {}", super::error::root_cause(&error)))
        })?;
        Ok(Some(Pem { bytes, origin, file: Some(path.into()) }))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(Error::config(format!("{} holds no certificate in PEM", self.origin))),
        }
    }
}

fn credentials(user: &AuthInfo, described: &str, cluster: &Cluster) -> Result<Source, Error> {
    let secret = |secret: &Option<SecretString>| {
        secret
            .as_ref()
            .map(|secret| secret.expose_secret().trim().to_owned())
            .filter(|secret| !secret.is_empty())
    };
    if let Some(path) = user.token_file.as_deref().filter(|path| !path.is_empty()) {
        return Ok(Source::TokenFile(path.into()));
    }
    if let Some(token) = secret(&user.token) {
        return Ok(Source::Fixed(bearer(&token)?));
    }
    if let Some(name) = user.username.as_deref().filter(|name| !name.is_empty()) {
        let password = user.password.as_ref().map(|password| password.expose_secret()).unwrap_or_default();
        let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
        return Ok(Source::Fixed(sensitive(&format!("Basic {pair}"))?));
    }
    if let Some(exec) = &user.exec {
        return Ok(Source::Exec(Box::new(Plugin::new(exec, described, cluster)?)));
    }
    match &user.auth_provider {
        Some(provider) => Err(Error::config(format!(
            "{described} uses the auth-provider {:?}, which Kubernetes has removed: use its exec plugin instead, \
             or give --token",
            provider.name
        ))),
        None => Ok(Source::None),
    }
}

pub(super) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::credentials("the token or password holds characters that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Every byte of a key that may not stand in the name of a header; the apiserver decodes it.
const EXTRA_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn impersonation(user: &AuthInfo) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let invalid = |_| Error::config("--as or its kin holds characters that cannot be sent");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| invalid(error.into()))?;
        let value =
            HeaderValue::from_bytes(value.as_bytes()).map_err(|error| invalid(http::Error::from(error)))?;
        headers.append(name, value);
        Ok::<(), Error>(())
    };
    let name = user.impersonate.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = name {
        add("impersonate-user", name)?;
    }
    if let Some(uid) = user.impersonate_uid.as_deref().filter(|uid| !uid.is_empty()) {
        add("impersonate-uid", uid)?;
    }
    for group in user.impersonate_groups.iter().flatten() {
        add("impersonate-group", group)?;
    }
    for (key, values) in user.impersonate_user_extra.iter().flatten() {
        let key = utf8_percent_encode(&key.to_lowercase(), EXTRA_KEY).to_string();
        for value in values {
            add(&format!("impersonate-extra-{key}"), value)?;
        }
    }
    match headers.is_empty() || name.is_some() {
        true => Ok(headers),
        false => {
            Err(Error::config("--as-group, --as-uid and --as-user-extra need a user: give one with --as"))
        }
    }
}

/// The header with which a proxy is told user and password of its URL.
pub(super) fn proxy_authorization(proxy: &Uri) -> Option<HeaderValue> {
    let (user, password) = proxy_user(proxy)?;
    let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
    sensitive(&format!("Basic {pair}")).ok()
}

pub(super) fn proxy_user(proxy: &Uri) -> Option<(String, String)> {
    let (userinfo, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decoded(user), decoded(password)))
}

/// What every request says of who sends it.
pub(super) fn common_headers() -> HeaderMap {
    let agent = HeaderValue::from_static(concat!("stern-rs/", env!("CARGO_PKG_VERSION")));
    HeaderMap::from_iter([(header::USER_AGENT, agent)])
}
