//! Determines the apiserver's address and the credentials from kubeconfig, service account and flags, checked and
//! loaded.

use std::{fmt, sync::Arc};

use http::{HeaderMap, Uri};
use rustls::sign::CertifiedKey;

use super::{
    auth::Source,
    certificate,
    cluster::{Cluster, Server},
    credential::basic,
    kubeconfig::{Chosen, Host, Kubeconfigs},
    proxy,
    user::User,
};
use crate::{
    cluster::{
        error::Error,
        tls::{Tls, Trust},
    },
    plan::{Connect, name},
    small_file,
};

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
    /// Whether answers may be compressed.
    pub compression: bool,
    /// What the user should know, though it works.
    pub remarks: Vec<String>,
}

/// The URL of a proxy may have a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { user, credentials, .. } = self;
        f.debug_struct("Settings")
            .field("user", user)
            .field("credentials", credentials)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub fn settle(connect: &Connect, host: &Host) -> Result<Settings, Error> {
        let Chosen { cluster, user, namespace } = choose(connect, host)?;
        let (cluster, user) = (cluster.overridden(connect)?, user.overridden(connect)?);
        let server = cluster.server(connect)?;
        let (credentials, remark) = credentials(&server, &user, &cluster)?;
        let encrypted = server.uri.scheme_str() == Some("https");
        let (tls, mut remarks) = certificate::tls(&cluster, encrypted, connect)?;
        remarks.extend(remark);
        remarks.extend(unverified(&server, &tls.trust, connect));
        Ok(Settings {
            namespace: namespace.filter(|name| !name.is_empty()).unwrap_or_else(|| "default".into()),
            tls,
            proxy: proxy(&cluster, &server.uri, host)?,
            identity: user.identity(encrypted)?,
            compression: !cluster.disable_compression,
            impersonation: user.impersonate.headers()?,
            user: user.described,
            server: server.uri,
            credentials,
            remarks,
        })
    }
}

/// The only place that decides whether requests carry a secret: never over plain text, where anybody on the way could
/// read it. As in kubectl, the user's secrets are then not even looked at, and no plugin runs. The other value is a
/// remark for the user.
fn credentials(server: &Server, user: &User, cluster: &Cluster) -> Result<(Source, Option<String>), Error> {
    match (server.uri.scheme_str(), &server.user) {
        (Some("https"), Some((name, password))) => Ok((Source::Fixed(basic(name, password)?), None)),
        (Some("https"), None) => Ok((user.credentials(cluster)?, None)),
        (_, Some(_)) => Ok((Source::Withheld, Some(withheld("the user and password in its URL", server)))),
        (_, None) if user.has_secret() => {
            Ok((Source::Withheld, Some(withheld(&format!("the credentials of {}", user.described), server))))
        }
        (_, None) => Ok((Source::None, None)),
    }
}

fn withheld(what: &str, server: &Server) -> String {
    let server = server.uri.to_string();
    let server = server.trim_end_matches('/');
    format!(
        "{server} is not encrypted, so {what} are not sent: give its address as https://host:port to send them"
    )
}

/// A remark if nothing is verified, and no flag says so.
fn unverified(server: &Server, trust: &Trust, connect: &Connect) -> Option<String> {
    (matches!(trust, Trust::Anybody) && !connect.insecure_skip_tls_verify).then(|| {
        let server = server.uri.to_string();
        format!(
            "the certificate of {} is not verified, since the kubeconfig says insecure-skip-tls-verify: another \
             server could read the credentials and show other logs",
            server.trim_end_matches('/')
        )
    })
}

fn proxy(cluster: &Cluster, server: &Uri, host: &Host) -> Result<Option<Uri>, Error> {
    let origin = || format!("proxy-url of {}", cluster.described);
    match cluster.proxy_url.as_deref() {
        Some(url) if !url.contains("://") => {
            Err(Error::invalid(format!("{} has no scheme: give it as http://host:port", origin())))
        }
        Some(url) => proxy::parse(url, &origin()).map(Some),
        None => proxy::from_environment(server, &|name| host.text(name)),
    }
}

fn choose(connect: &Connect, host: &Host) -> Result<Chosen, Error> {
    let kubeconfigs = Kubeconfigs::load(connect.kubeconfig.as_deref(), host)?;
    let named = connect.context.is_some() || connect.cluster.is_some() || connect.user.is_some();
    if !kubeconfigs.is_empty() || named {
        return kubeconfigs.choose(connect);
    }
    if connect.server.is_some() {
        return Ok(Chosen { user: User::anonymous(), ..Chosen::default() });
    }
    in_cluster(host)?.ok_or_else(|| {
        Error::invalid(format!(
            "no cluster configured: there is no kubeconfig with entries in {}, and this is not a pod; \
             set $KUBECONFIG, --kubeconfig or --server",
            kubeconfigs.searched
        ))
    })
}

/// The service account of the pod in which this process runs.
fn in_cluster(host: &Host) -> Result<Option<Chosen>, Error> {
    let (Some(address), Some(port)) =
        (host.text("KUBERNETES_SERVICE_HOST"), host.text("KUBERNETES_SERVICE_PORT"))
    else {
        return Ok(None);
    };
    let address = if address.contains(':') { format!("[{address}]") } else { address };
    let mounted = |name| host.service_account.join(name);
    let token = mounted("token");
    if !token.is_file() {
        return Ok(None);
    }
    Ok(Some(Chosen {
        cluster: Cluster {
            described: "the pod's cluster".into(),
            server: Some(format!("https://{address}:{port}")),
            certificate_authority: Some(mounted("ca.crt")),
            ..Cluster::default()
        },
        user: User::of_service_account(token),
        namespace: pod_namespace(host)?,
    }))
}

fn pod_namespace(host: &Host) -> Result<Option<String>, Error> {
    let file = host.service_account.join("namespace");
    let (origin, namespace) = match host.text("POD_NAMESPACE") {
        Some(name) => ("$POD_NAMESPACE".into(), name),
        None => {
            let text = small_file::read_text(&file).unwrap_or_default();
            (file.display().to_string(), text.trim().to_owned())
        }
    };
    match namespace.is_empty() || name::is_label(&namespace) {
        true => Ok(Some(namespace)),
        false => {
            Err(Error::invalid(format!("{origin} is {namespace:?}, and must be the name of a namespace")))
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
            matches!(&settings.credentials, Source::TokenFile { path, .. } if path.ends_with("serviceaccount/token"))
        );

        let connect = Connect { token: Some("mine".into()), ..Connect::default() };
        assert_eq!(header(&machine.settle(&connect).unwrap()), "Bearer mine");
    }

    #[test]
    fn in_a_pod_the_namespace_may_be_given_and_a_token_is_needed() {
        let mut machine = Machine::new();
        machine.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        machine.set("KUBERNETES_SERVICE_PORT", "443");
        machine.write("serviceaccount/ca.crt", &Authority::new().pem());
        assert!(machine.error(&Connect::default()).starts_with("no cluster configured"));
        machine.write("serviceaccount/token", "t");
        assert_eq!(machine.settle(&Connect::default()).unwrap().namespace, "default");
        machine.set("POD_NAMESPACE", "shop");
        assert_eq!(machine.settle(&Connect::default()).unwrap().namespace, "shop");
    }

    #[test]
    fn in_a_pod_the_namespace_must_be_a_name() {
        let mut machine = Machine::new();
        machine.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        machine.set("KUBERNETES_SERVICE_PORT", "443");
        machine.write("serviceaccount/token", "t");
        machine.write("serviceaccount/namespace", "a/../b");
        let error = machine.error(&Connect::default());
        let path = Path::new("serviceaccount").join("namespace");
        let expected = format!("{} is \"a/../b\", and must be the name of a namespace", path.display());
        assert!(error.ends_with(&expected), "{error}");
        machine.set("POD_NAMESPACE", "a?x=1");
        let error = machine.error(&Connect::default());
        assert_eq!(error, "$POD_NAMESPACE is \"a?x=1\", and must be the name of a namespace");
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
        assert!(matches!(settings.credentials, Source::TokenFile { .. }));
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
    fn a_server_is_read_as_kubectl_reads_it() {
        let server = |server: &str| {
            let section = format!("server: '{server}', insecure-skip-tls-verify: true");
            Machine::with(&section, "").settle(&Connect::default()).unwrap().server.to_string()
        };
        assert_eq!(server("k8s:6443"), "http://k8s:6443/");
        assert_eq!(server("HTTPS://k8s/base//x/../y/?q=1"), "https://k8s/base/y");
        assert_eq!(server("https://[::1]:06443/"), "https://[::1]:06443/");
    }

    #[test]
    fn a_user_in_the_url_is_sent_and_not_shown() {
        let connect = Connect { server: Some("https://me:p%77@k8s".into()), ..Connect::default() };
        let settings = settings("token: t", &connect);
        assert_eq!(
            (header(&settings), settings.server.to_string().as_str()),
            ("Basic bWU6cHc=", "https://k8s/")
        );
    }

    #[test]
    fn no_secret_is_sent_over_plain_text_and_it_is_reported() {
        let users = [
            "token: secret-1",
            "tokenFile: /nope",
            "username: me, password: secret-1",
            "auth-provider: {name: gcp}",
            "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}",
        ];
        let connect = |server: &str| Connect { server: Some(server.into()), ..Connect::default() };
        for user in users {
            let machine = Machine::with(SERVER, user);
            let settings = machine.settle(&connect("http://k8s")).unwrap();
            assert!(matches!(settings.credentials, Source::Withheld), "{user}");
            let path = machine.path(".kube").join("config");
            assert_eq!(
                settings.remarks,
                [format!(
                    "http://k8s is not encrypted, so the credentials of user \"u-ctx\" of {} are not sent: give its \
                     address as https://host:port to send them",
                    path.display()
                )]
            );
        }
        let settings = settings("", &connect("me:secret-1@k8s"));
        assert!(
            matches!(settings.credentials, Source::Withheld) && !settings.remarks[0].contains("secret-1")
        );
        assert!(Machine::with(SERVER, "").settle(&connect("http://k8s")).unwrap().remarks.is_empty());
    }

    #[test]
    fn a_bad_server_is_refused_without_its_password() {
        for server in [
            "ftp://me:secret@k8s",
            "https://me:secret@k8s:70600",
            "https://me:secret@k8s:+1",
            "https://se cret",
            "https://secret@",
            "https://k8s/secret%zz",
            "k8s/secret",
        ] {
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
        let missing = std::fs::read("/nope.crt").unwrap_err().to_string();
        assert!(error.contains(&format!("/nope.crt: {}", crate::words(&missing))), "{error}");
    }

    #[test]
    fn data_may_be_broken_into_lines() {
        let data = BASE64_STANDARD.encode(Authority::new().pem());
        let (start, end) = data.split_at(64);
        let section = format!("{SERVER}, certificate-authority-data: '{start}\n {end}'");
        let settings = Machine::with(&section, "").settle(&Connect::default()).unwrap();
        assert!(matches!(settings.tls.trust, Trust::Authorities { file: None, .. }));
        let error = Machine::with(&format!("{SERVER}, certificate-authority-data: '*'"), "");
        assert!(
            error.error(&Connect::default()).contains("certificate-authority-data of cluster \"c-ctx\" of ")
        );
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
