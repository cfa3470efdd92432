//! The server for a test: scripting, inspecting and stopping it.

use std::{fmt::Write as _, io, net::SocketAddr, ops::Deref, sync::Arc, thread::JoinHandle, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::SignedDuration;
use tokio::{net::TcpSocket, sync::oneshot};

use crate::{
    access::Rule,
    account::{Account, Requests},
    body::Stream,
    builder::Builder,
    clock::Simulation,
    cluster::Cluster,
    lock,
    network::Network,
    script::{Answer, Command, Gate, Match, Script},
    server::Inner,
    wire::Wire,
};

/// The timeout of [`ApiServer::wait_for`].
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It dereferences to its [`Cluster`]: `server.add_pod(…)`. Dropping it stops it.
pub struct ApiServer {
    cluster: Cluster,
    place: Place,
}

pub(crate) enum Place {
    /// A thread of its own.
    Thread { stop: Option<oneshot::Sender<()>>, thread: Option<JoinHandle<()>>, _reserved: TcpSocket },
    /// The runtime of the caller, which nothing may block.
    Here { _simulation: Simulation },
}

impl Deref for ApiServer {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        match &mut self.place {
            Place::Thread { stop, thread, .. } => {
                stop.take();
                if let Some(thread) = thread.take() {
                    // A panic of the thread was printed already.
                    let _ = thread.join();
                }
            }
            Place::Here { .. } => self.refuse(),
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

    pub(crate) fn new(inner: Arc<Inner>, place: Place) -> Self {
        ApiServer { cluster: Cluster(inner), place }
    }

    /// The way to the server in memory, for a client on the same runtime.
    pub fn network(&self) -> Network {
        Network(Arc::clone(&self.cluster.0))
    }

    /// See [`Network::connect`].
    pub async fn connect(&self, http2: bool) -> io::Result<(Wire, bool)> {
        self.network().connect(http2).await
    }

    /// Sets the distance of the server: of bytes that leave from then on, and of later connections over TCP.
    pub fn set_round_trip(&self, round_trip: Duration) {
        self.inner().path.set_round_trip(round_trip);
    }

    /// Lets nothing arrive in either direction of a connection in memory, and no connection be established, until it is
    /// lifted. All arrives then, as TCP sends it again. If [`ApiServer::reset_connections`] was called meanwhile, the
    /// client finds its connections reset.
    pub fn black_hole(&self, on: bool) {
        assert!(matches!(self.place, Place::Here { .. }), "only connections in memory have black holes");
        if on { self.inner().path.block() } else { self.inner().path.unblock() }
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

    pub fn write_kubeconfig(&self, path: impl AsRef<std::path::Path>) -> io::Result<()> {
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
        self.insert(Match::watches(), &crate::refusals::watch_error());
        self.end(Match::watches());
    }

    /// Lets nothing arrive any more on the connections in memory of matching open answers, for good and without an end,
    /// as behind a gateway that has forgotten them. New connections work.
    pub fn deaden(&self, matches: Match) {
        self.matching(&matches).iter().for_each(|stream| stream.deaden());
    }

    fn command(&self, matches: &Match, command: &Command) {
        self.matching(matches).iter().for_each(|stream| stream.command(command.clone()));
    }

    fn matching(&self, matches: &Match) -> Vec<Arc<Stream>> {
        let streams = lock(&self.inner().streams);
        streams.values().filter(|stream| matches.covers(&stream.request)).cloned().collect()
    }

    /// Stops new requests on all connections: GOAWAY on HTTP/2, `connection: close` on HTTP/1.1.
    pub fn go_away(&self) {
        lock(&self.inner().connections).values().for_each(|connection| connection.drain());
    }

    /// Ends all connections at once, as a load balancer ends those it drains. HTTP/2 is told of the last stream that
    /// was processed: requests on later streams may be sent again, all of them if it is 0. HTTP/1.1 keeps connections
    /// with an open answer.
    pub fn go_away_at_once(&self, last_stream: u32) {
        let busy: Vec<u64> =
            lock(&self.inner().streams).values().map(|stream| stream.request.connection).collect();
        lock(&self.inner().connections)
            .values()
            .for_each(|connection| connection.abandon(last_stream, !busy.contains(&connection.id)));
    }

    /// Resets (RST) all connections.
    pub fn reset_connections(&self) {
        lock(&self.inner().connections).values().for_each(|connection| connection.reset());
    }

    /// Closes all connections and refuses new ones.
    pub fn down(&self) {
        match self.place {
            Place::Thread { .. } => {
                self.inner().up.send_replace(false);
                self.await_listening(false);
                lock(&self.inner().connections).values().for_each(|connection| connection.close());
                self.wait_for(|account| account.open_connections == 0);
            }
            Place::Here { .. } => self.refuse(),
        }
    }

    fn refuse(&self) {
        self.inner().up.send_replace(false);
        lock(&self.inner().connections).values().for_each(|connection| connection.close());
    }

    /// Accepts new connections again, on the same port.
    pub fn up(&self) {
        self.inner().up.send_replace(true);
        if matches!(self.place, Place::Thread { .. }) {
            self.await_listening(true);
        }
    }

    pub(crate) fn await_listening(&self, wanted: bool) {
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
        self.inner().clock.set_ahead(SignedDuration::from_secs(seconds));
    }

    /// Sets the clock of one node ahead of the server's, or behind: it stamps lines, starts and ends of containers from
    /// now on, and counts `sinceSeconds`. `Date` and the timestamps of objects are the server's.
    pub fn set_node_clock_ahead(&self, node: &str, ahead: SignedDuration) {
        lock(&self.inner().world).node_clock(node).set_node_ahead(ahead);
    }

    /// The time of a node.
    pub fn node_now(&self, node: &str) -> jiff::Timestamp {
        lock(&self.inner().world).node_clock(node).now()
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

    /// Blocks until the condition holds. Panics with the account after 30 s. On the runtime of the caller
    /// nothing may block: it panics unless the condition holds already.
    pub fn wait_for(&self, condition: impl Fn(&Account) -> bool) {
        match self.place {
            Place::Thread { .. } => self.inner().ledger.wait_for(PATIENCE, condition),
            Place::Here { .. } => assert!(self.inner().ledger.holds(condition), "`until` waits here"),
        }
    }

    /// Waits until the condition holds. Panics with the account after 30 s of tokio's time.
    pub async fn until(&self, condition: impl Fn(&Account) -> bool) {
        self.inner().ledger.until(PATIENCE, condition).await;
    }
}
