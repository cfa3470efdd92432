//! Determines the apiserver's address and the credentials from kubeconfig, service account and flags, checked and
//! loaded.

use std::{fs, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use kube::config::{AuthInfo, Cluster};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use super::{
    auth::Source,
    certificate,
    credential::{basic, bearer},
    exec::Plugin,
    kubeconfig::{ANONYMOUS, Chosen, Host, Kubeconfigs},
    proxy,
};
use crate::{
    cluster::{
        error::Error,
        tls::{Tls, Trust},
    },
    plan::Connect,
};

#[derive(Debug)]
pub struct Settings {
    pub server: Uri,
    pub namespace: String,
    pub tls: Tls,
    pub proxy: Option<Uri>,
    /// The user, for error messages.
    pub user: String,
    pub credentials: Source,
    /// The client certificate in the kubeconfig.
    pub identity: Option<Arc<CertifiedKey>>,
    /// The headers of `--as` and related flags.
    pub impersonation: HeaderMap,
    /// Problems that do not prevent a connection.
    pub notices: Vec<String>,
}

impl Settings {
    pub fn settle(connect: &Connect, host: &Host) -> Result<Settings, Error> {
        let Chosen { mut cluster, mut user, user_described, namespace } = choose(connect, host)?;
        override_cluster(&mut cluster, connect);
        override_user(&mut user, connect);

        let identity = certificate::identity(&user)?;
        let (tls, mut notices) = certificate::tls(&cluster)?;
        let server = server(&cluster, identity.is_some())?;
        let is_secure = server.scheme_str() == Some("https");
        if is_secure && matches!(tls.trust, Trust::Anybody) && !connect.insecure_skip_tls_verify {
            notices.push(format!(
                "the certificate of {server} is not verified, since the kubeconfig says insecure-skip-tls-verify: \
                 another server could read the credentials and show other logs"
            ));
        }
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
            tls,
            proxy,
            identity,
            notices,
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
        return Ok(Chosen { user_described: ANONYMOUS.into(), ..Chosen::default() });
    }
    in_cluster(host).ok_or_else(|| {
        Error::invalid(format!(
            "no cluster configured: there is no kubeconfig in {}, and this is not a pod; \
             set $KUBECONFIG, --kubeconfig or --server",
            kubeconfigs.searched
        ))
    })
}

/// The service account of the pod in which this process runs.
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
        // The name belongs to the replaced server.
        cluster.tls_server_name = None;
    }
    if let Some(name) = &connect.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    // One flag replaces all that the kubeconfig says about authorities, so that no contradiction comes of it.
    if connect.insecure_skip_tls_verify || connect.certificate_authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(connect.insecure_skip_tls_verify);
        let path = connect.certificate_authority.as_ref();
        cluster.certificate_authority = path.map(|path| path.display().to_string());
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

/// The apiserver's URL. As in client-go, the default scheme is https if any TLS option is given.
fn server(cluster: &Cluster, has_identity: bool) -> Result<Uri, Error> {
    let given = cluster.server.as_deref().map(str::trim).filter(|server| !server.is_empty());
    let given = given
        .ok_or_else(|| Error::invalid("the kubeconfig's cluster has no server: give one with --server"))?;
    let tls = has_identity
        || cluster.insecure_skip_tls_verify == Some(true)
        || cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some();
    let url = match given.contains("://") {
        true => given.to_owned(),
        false => format!("{}://{given}", if tls { "https" } else { "http" }),
    };
    // The text may contain a password, so errors must not quote it.
    let invalid = |problem| Error::invalid(format!("the server {problem}: give it as https://host:port"));
    let uri: Uri = url.parse().map_err(|_| invalid("of the kubeconfig or --server is not a URL"))?;
    let Some(authority) = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")))
    else {
        return Err(invalid("of the kubeconfig or --server is not an http or https URL"));
    };
    match authority.as_str().contains('@') {
        true => Err(invalid("URL must not contain a user and password")),
        false => Ok(uri),
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
        return Ok(Source::Fixed(basic(name, password)?));
    }
    if let Some(exec) = &user.exec {
        return Ok(Source::Exec(Box::new(Plugin::new(exec, described, cluster)?)));
    }
    match &user.auth_provider {
        Some(provider) => Err(Error::invalid(format!(
            "{described} uses the auth-provider {:?}, which Kubernetes has removed: use its exec plugin instead, \
             or give --token",
            provider.name
        ))),
        None => Ok(Source::None),
    }
}

/// Bytes that must be escaped in a header name; the apiserver decodes them.
const EXTRA_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn impersonation(user: &AuthInfo) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let invalid = |_| Error::invalid("--as or a related flag has characters that cannot be sent");
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
            Err(Error::invalid("--as-group, --as-uid and --as-user-extra need a user: give one with --as"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;
    use crate::cluster::testing::{Authority, Machine, kubeconfig};

    const SERVER: &str = "server: 'https://k8s:6443'";

    fn settings(user: &str, connect: &Connect) -> Settings {
        Machine::with(SERVER, user).settle(connect).unwrap()
    }

    fn header(settings: &Settings) -> &str {
        match &settings.credentials {
            Source::Fixed(header) => header.to_str().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_alone_needs_no_kubeconfig() {
        let connect = Connect { server: Some("https://k8s:6443/base".into()), ..Connect::default() };
        let settings = Machine::new().settle(&connect).unwrap();
        assert_eq!(settings.server, "https://k8s:6443/base");
        assert_eq!(settings.namespace, "default");
    }

    #[test]
    fn without_any_settings_the_error_names_the_ones_to_set() {
        let error = Machine::new().error(&Connect::default());
        assert!(error.contains("$KUBECONFIG, --kubeconfig or --server"), "{error}");
    }

    #[test]
    fn in_a_pod_the_service_account_is_used_and_flags_still_count() {
        let mut machine = Machine::new();
        machine.set("KUBERNETES_SERVICE_HOST", "fd00::1");
        machine.set("KUBERNETES_SERVICE_PORT", "443");
        machine.write("serviceaccount/token", "t");
        machine.write("serviceaccount/namespace", "shop\n");
        machine.write("serviceaccount/ca.crt", &Authority::new().pem());
        let settings = machine.settle(&Connect::default()).unwrap();
        assert_eq!(settings.server, "https://[fd00::1]:443");
        assert_eq!(settings.namespace, "shop");
        let ca = machine.path("serviceaccount/ca.crt");
        assert!(matches!(&settings.tls.trust, Trust::Authorities { file, .. } if *file == Some(ca)));
        assert!(
            matches!(&settings.credentials, Source::TokenFile(path) if path.ends_with("serviceaccount/token"))
        );

        let connect = Connect { token: Some("mine".into()), ..Connect::default() };
        assert_eq!(header(&machine.settle(&connect).unwrap()), "Bearer mine");
    }

    #[test]
    fn a_kubeconfig_goes_before_the_service_account() {
        let mut machine = Machine::with(SERVER, "token: t");
        machine.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        machine.set("KUBERNETES_SERVICE_PORT", "443");
        machine.write("serviceaccount/token", "t");
        assert_eq!(machine.settle(&Connect::default()).unwrap().server, "https://k8s:6443");
    }

    #[test]
    fn flags_go_before_the_kubeconfig() {
        let connect = Connect {
            server: Some("https://other".into()),
            token: Some("mine".into()),
            insecure_skip_tls_verify: true,
            ..Connect::default()
        };
        let user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}";
        let machine =
            Machine::with(&format!("{SERVER}, tls-server-name: old, certificate-authority: /nope"), user);
        let settings = machine.settle(&connect).unwrap();
        assert_eq!(settings.server, "https://other");
        assert_eq!(header(&settings), "Bearer mine");
        assert!(matches!(settings.tls.trust, Trust::Anybody) && settings.tls.name.is_none());
    }

    #[test]
    fn name_and_password_are_sent_as_basic_auth() {
        assert_eq!(header(&settings("username: me, password: pw", &Connect::default())), "Basic bWU6cHc=");
    }

    #[test]
    fn a_token_file_goes_before_a_token() {
        let settings = settings("token: old, tokenFile: /run/token", &Connect::default());
        assert!(matches!(settings.credentials, Source::TokenFile(_)));
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let shown = format!("{:?}", settings("username: me, password: pw", &Connect::default()));
        assert!(!shown.contains("bWU6cHc="), "{shown}");
    }

    #[test]
    fn an_auth_provider_is_refused_with_the_remedy() {
        let error = Machine::with(SERVER, "auth-provider: {name: gcp}").error(&Connect::default());
        assert!(error.contains("auth-provider \"gcp\"") && error.contains("exec plugin"), "{error}");
    }

    #[test]
    fn groups_without_a_user_are_refused() {
        let connect = Connect { as_groups: vec!["g".into()], ..Connect::default() };
        let error = Machine::with(SERVER, "token: t").error(&connect);
        assert!(error.contains("give one with --as"), "{error}");
    }

    #[test]
    fn a_server_without_a_scheme_is_https_only_where_there_is_tls_to_use() {
        let server = |section: &str| Machine::with(section, "").settle(&Connect::default()).unwrap().server;
        assert_eq!(server("server: 'k8s:6443', insecure-skip-tls-verify: true"), "https://k8s:6443");
        assert_eq!(server("server: 'k8s:8080'"), "http://k8s:8080");
    }

    #[test]
    fn a_bad_server_is_refused_without_its_password() {
        for server in ["https://me:secret@k8s", "ftp://k8s", "https://se cret"] {
            let error = Machine::with(&format!("server: '{server}'"), "").error(&Connect::default());
            assert!(error.contains("https://host:port") && !error.contains("cret"), "{error}");
        }
        let error = Machine::with("server: ''", "").error(&Connect::default());
        assert!(error.contains("--server"), "{error}");
    }

    #[test]
    fn certificates_are_checked_where_they_are_named() {
        let machine = Machine::new();
        let (certificate, key) = Authority::new().issue("me");
        let (_, other) = Authority::new().issue("other");
        let certificate = machine.write("me.crt", &certificate);
        let (key, other) = (machine.write("me.key", &key), machine.write("other.key", &other));
        let connect = |certificate: &Path, key: Option<&Path>| Connect {
            client_certificate: Some(certificate.into()),
            client_key: key.map(Into::into),
            ..Connect::default()
        };
        let with = Machine::with(SERVER, "");
        assert!(with.settle(&connect(&certificate, Some(&key))).unwrap().identity.is_some());
        let error = with.error(&connect(&certificate, Some(&other)));
        assert!(error.contains("me.crt") && error.contains("cannot be used together"), "{error}");
        let error = with.error(&connect(&key, Some(&key)));
        assert!(error.contains("me.key holds no certificate"), "{error}");
        let error = with.error(&connect(&certificate, None));
        assert!(error.contains("--client-key"), "{error}");
        let error = with.error(&connect(Path::new("/nope.crt"), Some(&key)));
        assert!(error.contains("/nope.crt: No such file"), "{error}");
    }

    #[test]
    fn data_goes_before_a_file_and_may_be_broken_into_lines() {
        let data = BASE64_STANDARD.encode(Authority::new().pem());
        let (start, end) = data.split_at(64);
        let section =
            format!("{SERVER}, certificate-authority: /nope, certificate-authority-data: '{start}\n {end}'");
        let settings = Machine::with(&section, "").settle(&Connect::default()).unwrap();
        assert!(matches!(settings.tls.trust, Trust::Authorities { file: None, .. }));
        let error = Machine::with(&format!("{SERVER}, certificate-authority-data: '*'"), "");
        assert!(error.error(&Connect::default()).contains("certificate-authority-data is not base64"));
    }

    #[test]
    fn paths_are_relative_to_their_own_kubeconfig() {
        let mut machine = Machine::new();
        machine.write("b/ca.crt", &Authority::new().pem());
        let a = machine.write("a/config", "current-context: ctx\n");
        let b = machine
            .write("b/config", &kubeconfig("ctx", &format!("{SERVER}, certificate-authority: ca.crt"), ""));
        machine.set("KUBECONFIG", std::env::join_paths([a, b]).unwrap());
        let settings = machine.settle(&Connect::default()).unwrap();
        assert!(matches!(settings.tls.trust, Trust::Authorities { .. }));
    }
}
