//! The server for a test: building, starting, scripting, inspecting and stopping it.

use std::{
    fmt::Write as _,
    io,
    net::SocketAddr,
    ops::Deref,
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hyper_util::{rt::TokioExecutor, server::conn::auto};
use tokio::{
    net::TcpSocket,
    sync::{oneshot, watch},
};

use crate::{
    access::{Access, Rule},
    account::{Account, Requests},
    body::Stream,
    clock::Clock,
    cluster::{Cluster, World},
    lock, runtime,
    script::{Answer, Command, Gate, Match, Script},
    server::{self, Inner},
    tls::{self, Tls},
};

/// The timeout of [`ApiServer::wait_for`].
const PATIENCE: Duration = Duration::from_secs(30);

/// The configuration of a server before it starts.
#[derive(Debug, Clone)]
pub struct Builder {
    tls: bool,
    tls_options: tls::Options,
    http1: bool,
    client_certificate: bool,
    token: Option<String>,
    max_streams: Option<u32>,
    round_trip: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            tls: false,
            tls_options: tls::Options {
                hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
                given: None,
                any_client: false,
                http2: true,
            },
            http1: true,
            client_certificate: false,
            token: None,
            max_streams: None,
            round_trip: Duration::ZERO,
        }
    }
}

impl Builder {
    /// Serves HTTPS with a certificate of a CA of its own.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Serves HTTPS with a certificate for this name only, and not for its address.
    pub fn tls_name(mut self, name: &str) -> Self {
        self.tls = true;
        self.tls_options.hosts = vec![name.to_owned()];
        self
    }

    /// Requires a client certificate (or the token, if there is one too). Serves HTTPS.
    pub fn client_certificate(mut self) -> Self {
        self.tls = true;
        self.client_certificate = true;
        self
    }

    /// Serves HTTPS with this chain and key in PEM; clients are given this authority.
    pub fn certificate(mut self, chain_and_key: &str, ca: &str) -> Self {
        self.tls = true;
        self.tls_options.given = Some((chain_and_key.to_owned(), ca.to_owned()));
        self
    }

    /// Requires a client certificate, but any will do. Serves HTTPS.
    pub fn any_client_certificate(mut self) -> Self {
        self.tls_options.any_client = true;
        self.client_certificate()
    }

    /// Requires this bearer token.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Does not offer HTTP/2.
    pub fn http1(mut self) -> Self {
        self.tls_options.http2 = false;
        self
    }

    /// Understands only HTTP/2, whatever was negotiated.
    pub fn only_http2(mut self) -> Self {
        self.http1 = false;
        self
    }

    /// Sets the most concurrent requests on one HTTP/2 connection.
    pub fn max_streams(mut self, count: u32) -> Self {
        self.max_streams = Some(count);
        self
    }

    /// Sets the distance of the server: bytes and the end of a connection take half of it in each direction.
    pub fn round_trip(mut self, round_trip: Duration) -> Self {
        self.round_trip = round_trip;
        self
    }

    pub fn start(self) -> ApiServer {
        #[cfg(unix)]
        raise_descriptor_limit();
        let runtime = runtime();
        let (reserved, address) = {
            let _entered = runtime.enter();
            server::reserve().expect("loopback has a free port")
        };
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http2().max_concurrent_streams(self.max_streams.unwrap_or(250));
        let access = Access { token: self.token, certificate: self.client_certificate, ..Access::default() };
        let clock = Clock::default();
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(clock.clone())),
            clock,
            changed: watch::Sender::new(()),
            scripts: Default::default(),
            ledger: Default::default(),
            access: Mutex::new(access),
            streams: Mutex::default(),
            connections: Mutex::default(),
            up: watch::Sender::new(true),
            tls: self.tls.then(|| Tls::new(&self.tls_options)),
            http: match (self.http1, self.tls_options.http2) {
                (true, true) => http,
                (true, false) => http.http1_only(),
                (false, _) => http.http2_only(),
            },
            address,
            round_trip: self.round_trip,
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&inner);
        let thread = std::thread::Builder::new()
            .name("apiserver".to_owned())
            .spawn(move || runtime.block_on(server::run(served, stopped)))
            .expect("the system has room for a thread");
        let server = ApiServer {
            cluster: Cluster(inner),
            stop: Some(stop),
            thread: Some(thread),
            _reserved: reserved,
        };
        server.await_listening(true);
        server
    }
}

/// Raises the limit on open files: a thousand streams need as many sockets, and a client in the same process as many
/// again. Windows has no such limit.
#[cfg(unix)]
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // An error affects only tests with very many streams, which report it.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// A running server. It dereferences to its [`Cluster`]: `server.add_pod(…)`. Dropping it stops it.
pub struct ApiServer {
    cluster: Cluster,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _reserved: TcpSocket,
}

impl Deref for ApiServer {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed already.
            let _ = thread.join();
        }
    }
}

impl ApiServer {
    /// Starts a server for plain HTTP on a loopback port, without authentication.
    pub fn start() -> Self {
        ApiServer::builder().start()
    }

    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A handle on the cluster for another thread.
    pub fn cluster(&self) -> Cluster {
        self.cluster.clone()
    }

    fn inner(&self) -> &Inner {
        &self.cluster.0
    }

    pub fn address(&self) -> SocketAddr {
        self.inner().address
    }

    pub fn url(&self) -> String {
        let scheme = if self.inner().tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// The certificate of the CA, if the server has TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        Some(&self.inner().tls.as_ref()?.pems.ca)
    }

    /// A client certificate and its key, if the server has TLS.
    pub fn client_pems(&self) -> Option<(&str, &str)> {
        let pems = &self.inner().tls.as_ref()?.pems;
        Some((&pems.client, &pems.client_key))
    }

    /// A kubeconfig with all required credentials; its context is `double`, its namespace `default`.
    pub fn kubeconfig(&self) -> String {
        let access = lock(&self.inner().access);
        let mut cluster = format!("    server: {}\n", self.url());
        let mut user = String::new();
        let data = |out: &mut String, key: &str, pem: &str| {
            writeln!(out, "    {key}-data: {}", BASE64.encode(pem)).expect("writing to a string succeeds");
        };
        if let Some(tls) = &self.inner().tls {
            data(&mut cluster, "certificate-authority", &tls.pems.ca);
            if access.certificate {
                data(&mut user, "client-certificate", &tls.pems.client);
                data(&mut user, "client-key", &tls.pems.client_key);
            }
        }
        if let Some(token) = &access.token {
            writeln!(user, "    token: {token}").expect("writing to a string succeeds");
        }
        if user.is_empty() {
            user.push_str("    {}\n");
        }
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: double\nclusters:\n- name: double\n  cluster:\n{cluster}\
             contexts:\n- name: double\n  context:\n    cluster: double\n    user: double-user\n    \
             namespace: default\nusers:\n- name: double-user\n  user:\n{user}"
        )
    }

    pub fn write_kubeconfig(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.kubeconfig())
    }

    /// Scripts the answers to matching requests. If several scripts match a request, the first one that has an answer
    /// left provides it.
    pub fn on(&self, matches: Match) -> Script {
        self.inner().scripts.add(matches)
    }

    /// Holds back the headers of matching answers until the gate is released.
    pub fn hold(&self, matches: Match) -> Gate {
        let gate = Gate::new();
        self.on(matches).always(Answer::ok().hold(&gate));
        gate
    }

    /// Forgets all scripts.
    pub fn clear_scripts(&self) {
        self.inner().scripts.clear();
    }

    /// Ends matching open answers now, as if they were complete (as when a kubelet restarts).
    pub fn end(&self, matches: Match) {
        self.command(&matches, &Command::End);
    }

    /// Cuts matching open answers now: HTTP/1.1 closes the connection, HTTP/2 resets the stream.
    pub fn cut(&self, matches: Match) {
        self.command(&matches, &Command::Cut);
    }

    /// Resets (RST) the connections of matching open answers now.
    pub fn reset(&self, matches: Match) {
        self.command(&matches, &Command::Reset);
    }

    /// Inserts this text into matching open answers.
    pub fn insert(&self, matches: Match, text: &str) {
        self.command(&matches, &Command::Insert(text.to_owned()));
    }

    /// Reports to open watches that their resource version is too old, and ends them.
    pub fn expire_watches(&self) {
        self.insert(Match::watches(), &crate::script::watch_error());
        self.end(Match::watches());
    }

    fn command(&self, matches: &Match, command: &Command) {
        let streams: Vec<Arc<Stream>> = lock(&self.inner().streams).values().cloned().collect();
        streams
            .iter()
            .filter(|stream| matches.covers(&stream.request))
            .for_each(|stream| stream.command(command.clone()));
    }

    /// Stops new requests on all connections: GOAWAY on HTTP/2, `connection: close` on HTTP/1.1.
    pub fn go_away(&self) {
        lock(&self.inner().connections).values().for_each(|connection| connection.drain());
    }

    /// Resets (RST) all connections.
    pub fn reset_connections(&self) {
        lock(&self.inner().connections).values().for_each(|connection| connection.reset());
    }

    /// Closes all connections and refuses new ones.
    pub fn down(&self) {
        self.inner().up.send_replace(false);
        self.await_listening(false);
        lock(&self.inner().connections).values().for_each(|connection| connection.close());
        self.wait_for(|account| account.open_connections == 0);
    }

    /// Accepts new connections again, on the same port.
    pub fn up(&self) {
        self.inner().up.send_replace(true);
        self.await_listening(true);
    }

    fn await_listening(&self, wanted: bool) {
        self.wait_for(|account| account.listening == wanted);
    }

    /// Requires this bearer token from now on, or none.
    pub fn set_token(&self, token: Option<&str>) {
        lock(&self.inner().access).token = token.map(str::to_owned);
    }

    /// Refuses `get`, `list` or `watch` on a resource (`pods`, `pods/log`, …) in a namespace with 403. `*` is any
    /// verb, resource or namespace; an empty namespace is a request without one (`-A`).
    pub fn forbid(&self, verb: &str, resource: &str, namespace: &str) {
        lock(&self.inner().access).forbidden.push(Rule::new(verb, resource, namespace));
    }

    /// Refuses everything except these: `("get", "pods/log", "default")`. May be called again.
    pub fn allow_only(&self, rules: &[(&str, &str, &str)]) {
        let rules = rules.iter().map(|(verb, resource, namespace)| Rule::new(verb, resource, namespace));
        lock(&self.inner().access).allowed = Some(rules.collect());
    }

    /// Removes the rules of `forbid` and `allow_only`.
    pub fn allow_all(&self) {
        let mut access = lock(&self.inner().access);
        access.forbidden.clear();
        access.allowed = None;
    }

    /// Sets the most items in a page of a list, whatever the request asks for.
    pub fn set_page_size(&self, size: usize) {
        lock(&self.inner().access).page_size = Some(size);
    }

    /// Sets the clock of server and nodes ahead of this machine's by so many seconds, or behind.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.inner().clock.set_ahead(seconds);
    }

    /// The server's time.
    pub fn now(&self) -> jiff::Timestamp {
        self.inner().clock.now()
    }

    /// Stops the kubelet of a node: followed logs of its pods end, and new requests get 500. Containers continue to
    /// write.
    pub fn stop_kubelet(&self, node: &str) {
        lock(&self.inner().access).stopped.insert(node.to_owned());
        let paths: Vec<String> = lock(&self.inner().world)
            .pods
            .iter()
            .filter(|(_, running)| running.pod.node.as_deref() == Some(node))
            .map(|((namespace, name), _)| format!("/namespaces/{namespace}/pods/{name}/log"))
            .collect();
        paths.iter().for_each(|path| self.end(Match::logs().path(path)));
    }

    /// Sets the number of inotify instances of a node. A request to follow a log when none is left gets the existing
    /// lines and then the kubelet's error.
    pub fn set_inotify_instances(&self, node: &str, count: usize) {
        lock(&self.inner().access).watchers.insert(node.to_owned(), count);
    }

    pub fn start_kubelet(&self, node: &str) {
        lock(&self.inner().access).stopped.remove(node);
    }

    /// All requests so far.
    pub fn requests(&self) -> Requests {
        self.account().requests
    }

    /// The account so far.
    pub fn account(&self) -> Account {
        self.inner().ledger.snapshot()
    }

    /// Forgets the requests so far, so that long runs stay small.
    pub fn forget_requests(&self) {
        self.inner().ledger.forget();
    }

    /// Blocks until the condition holds. Panics with the account after [`PATIENCE`].
    pub fn wait_for(&self, condition: impl Fn(&Account) -> bool) {
        self.inner().ledger.wait_for(PATIENCE, condition);
    }
}
