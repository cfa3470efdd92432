//! A server before it starts: on a thread of its own over TCP, or on the runtime of the caller over memory.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::server::conn::auto;
use tokio::sync::{oneshot, watch};

use crate::{
    access::Access,
    clock::{Clock, Simulation},
    cluster::World,
    double::{ApiServer, Place},
    runtime,
    server::{self, Inner},
    steps::Tasks,
    tls::{self, Tls},
    wire::Path,
};

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
    window: usize,
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
            window: 256 << 10,
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

    /// Sets the most bytes that one direction of a connection in memory takes before its reader takes some.
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    /// Serves on a loopback port, on a thread of its own.
    pub fn start(self) -> ApiServer {
        #[cfg(unix)]
        raise_descriptor_limit();
        let runtime = runtime();
        let (reserved, address) = {
            let _entered = runtime.enter();
            server::reserve().expect("loopback has a free port")
        };
        let inner = self.inner(Clock::default(), address);
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&inner);
        let thread = std::thread::Builder::new()
            .name("apiserver".to_owned())
            .spawn(move || runtime.block_on(server::run(served, stopped)))
            .expect("the system has room for a thread");
        let place = Place::Thread { stop: Some(stop), thread: Some(thread), _reserved: reserved };
        let server = ApiServer::new(inner, place);
        server.await_listening(true);
        server
    }

    /// Serves on the runtime of the caller, over connections in memory; its clock starts at `start` and goes with
    /// tokio's. Two runs of one story are the same, byte for byte, on a current-thread runtime that was built with
    /// `start_paused(true)` (one that is paused later is a part of a millisecond beside its own timers), if the client
    /// leaves nothing to chance either: `tokio::select!` without `biased`, several receivers of one
    /// `tokio::sync::watch`, and a map with a random hasher do.
    pub fn start_in_process(self, start: jiff::Timestamp) -> ApiServer {
        assert!(!self.tls, "a server in this process has no TLS, whose keys are random");
        let simulation = Simulation::start(start);
        let address = SocketAddr::from(([10, 0, 0, 1], 8080));
        let inner = self.inner(simulation.clock(), address);
        inner.ledger.update(|account| account.listening = true);
        ApiServer::new(inner, Place::Here { _simulation: simulation })
    }

    fn inner(self, clock: Clock, address: SocketAddr) -> Arc<Inner> {
        let mut http = auto::Builder::new(Tasks);
        http.http2().max_concurrent_streams(self.max_streams.unwrap_or(250));
        let access = Access { token: self.token, certificate: self.client_certificate, ..Access::default() };
        Arc::new(Inner {
            world: Mutex::new(World::new(clock.clone())),
            clock,
            changed: Arc::default(),
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
            http2: self.tls_options.http2,
            address,
            path: Arc::new(Path::new(self.round_trip, self.window)),
        })
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
