//! A server with canned answers, and kubeconfigs that point at it.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kube::api::{ApiResource, ListParams};
use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Cluster, LogRequest, Objects, Trace,
    access::{kubeconfig::Host, settings::Settings},
    error::{Asked, Error, ErrorKind},
};
use crate::{
    plan::{Connect, Limits, LogRequests},
    purpose::Purpose,
};

/// A server's reaction to one request.
pub(super) enum Canned {
    Send(String),
    /// Sends this text, then closes the connection.
    Close(String),
    /// Sends this text and keeps the connection open without further data.
    Hang(String),
}

pub(super) fn ok(body: &str) -> Canned {
    status("200 OK", body)
}

/// A status line with further headers, for example `429 Too Many Requests\r\nretry-after: 1`, and a body.
pub(super) fn status(status: &str, body: &str) -> Canned {
    Canned::Send(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

pub(super) const NO_PODS: &str = r#"{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[]}"#;

/// Answers requests one after the other, over any number of connections.
pub(super) struct Server {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<std::vec::IntoIter<Canned>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn start(answers: Vec<Canned>) -> Server {
        Server::serve(answers, None).await
    }

    pub async fn start_tls(answers: Vec<Canned>, tls: ServerConfig) -> Server {
        Server::serve(answers, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn serve(answers: Vec<Canned>, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let script = Script { answers: Arc::new(Mutex::new(answers.into_iter())), heads: heads.clone() };
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let (script, tls) = (script.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => script.play(stream).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => script.play(stream).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Server { address, heads, connections, task }
    }

    /// A server with a certificate, so that credentials are sent to it; see [`Server::section`].
    pub async fn start_secure(answers: Vec<Canned>) -> Server {
        Server::start_tls(answers, Authority::new().server("127.0.0.1", false)).await
    }

    /// The cluster of a kubeconfig for a server with a certificate.
    pub fn section(&self) -> String {
        format!("server: 'https://{}', insecure-skip-tls-verify: true", self.address)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The heads of the requests so far, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    async fn play(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            self.heads.lock().unwrap().push(String::from_utf8_lossy(&head).to_lowercase());
            let answer = self.answers.lock().unwrap().next()?;
            let (Canned::Send(text) | Canned::Close(text) | Canned::Hang(text)) = &answer;
            stream.write_all(text.as_bytes()).await.ok()?;
            match answer {
                Canned::Send(_) => {}
                Canned::Close(_) => return stream.shutdown().await.ok(),
                Canned::Hang(_) => std::future::pending().await,
            }
        }
    }
}

/// A certificate authority for one test.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key for a server or client of this name.
    pub fn issue(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// A server with this name; requires a client certificate of this authority if `clients`.
    pub fn server(&self, name: &str, clients: bool) -> ServerConfig {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (certificate, key) = self.issue(name);
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let builder = match clients {
            true => ServerConfig::builder()
                .with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap()),
            false => ServerConfig::builder().with_no_client_auth(),
        };
        builder.with_single_cert(chain, key).unwrap()
    }
}

/// An isolated machine: files, environment and a service account's directory.
pub(crate) struct Machine {
    pub dir: TempDir,
    pub variables: HashMap<String, OsString>,
}

impl Machine {
    pub fn new() -> Machine {
        Machine { dir: TempDir::new().unwrap(), variables: HashMap::new() }
    }

    /// A machine whose `~/.kube/config` has one context, for this cluster and this user (the inside of YAML's
    /// braces).
    pub fn with(cluster: &str, user: &str) -> Machine {
        Machine::new().at_home(cluster, user)
    }

    pub fn at_home(mut self, cluster: &str, user: &str) -> Machine {
        self.write(".kube/config", &kubeconfig("ctx", cluster, user));
        let home = self.dir.path().as_os_str().to_owned();
        self.set("HOME", home);
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    pub(super) fn settle(&self, connect: &Connect) -> Result<Settings, Error> {
        let service_account: &Path = &self.path("serviceaccount");
        Settings::settle(connect, &Host { var: &|name| self.variables.get(name).cloned(), service_account })
    }

    pub fn error(&self, connect: &Connect) -> String {
        self.settle(connect).unwrap_err().to_string()
    }

    pub fn cluster(&self, connect: &Connect, trace: Option<Trace>) -> Cluster {
        self.limited(connect, &limits(), trace)
    }

    pub fn limited(&self, connect: &Connect, limits: &Limits, trace: Option<Trace>) -> Cluster {
        Cluster::new(self.settle(connect).unwrap(), connect, limits, trace, Default::default()).unwrap()
    }

    pub fn plain_cluster(&self) -> Cluster {
        self.cluster(&Connect::default(), None)
    }
}

/// Practically no limits.
pub(super) fn limits() -> Limits {
    Limits {
        qps: None,
        burst: 1,
        log_requests: LogRequests::fixed(1),
        max_streams_per_node: 1,
        max_bandwidth: None,
        latency: Duration::ZERO,
    }
}

pub(super) fn kubeconfig(context: &str, cluster: &str, user: &str) -> String {
    format!(
        "current-context: {context}\n\
         contexts: [{{name: {context}, context: {{cluster: c-{context}, user: u-{context}}}}}]\n\
         clusters: [{{name: c-{context}, cluster: {{{cluster}}}}}]\n\
         users: [{{name: u-{context}, user: {{{user}}}}}]\n"
    )
}

pub(super) async fn list_pods(cluster: &Cluster) -> Result<usize, Error> {
    let page = cluster.list::<serde_json::Value>(&pods(), &ListParams::default()).await;
    page.map(|page| page.items.len())
}

pub(super) fn pods() -> Objects {
    let resource = ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
    Objects::new(resource, Some("shop"))
}

/// The error of a connection that breaks before there is an answer.
pub(crate) fn broken() -> Error {
    Error::new(ErrorKind::Interrupted, "connection reset")
}

/// The error of a `get` that the apiserver refuses with this status.
pub(crate) fn refused(code: u16, message: &str) -> Error {
    let asked = Asked { verb: "get", resource: "jobs".into(), namespace: None, name: Some("x".into()) };
    Error::from_status(&kube::core::Status::failure(message, "").with_code(code), &asked)
}

pub(super) fn log_request() -> LogRequest {
    LogRequest {
        namespace: "shop".into(),
        pod: "web-1".into(),
        container: "app".into(),
        follow: true,
        previous: false,
        since: None,
        tail_lines: None,
        limit_bytes: None,
        purpose: Purpose::Open,
        busy: false,
    }
}
