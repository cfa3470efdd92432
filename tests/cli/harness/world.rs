//! A cluster and a home directory with its kubeconfig.

use std::{ops::Deref, sync::Arc, time::Duration};

use apiserver::{ApiServer, Builder, Pod, Request};

use super::{Command, Home, Ran, Tail, list};

/// A cluster, and a home directory with its kubeconfig. It dereferences to its [`ApiServer`].
pub struct World {
    server: ApiServer,
    pub home: Arc<Home>,
    /// `$KUBECONFIG`.
    kubeconfig: String,
    /// `$PATH`; None: the one of this process.
    pub path: Option<String>,
}

impl Deref for World {
    type Target = ApiServer;

    fn deref(&self) -> &ApiServer {
        &self.server
    }
}

impl World {
    /// Serves plain HTTP without authentication, and allows everything.
    pub fn new() -> World {
        World::of(ApiServer::builder())
    }

    pub fn of(builder: Builder) -> World {
        World::far(builder, round_trip())
    }

    /// A server at this distance.
    pub fn far(builder: Builder, round_trip: Duration) -> World {
        let (server, home) = (builder.round_trip(round_trip).start(), Arc::new(Home::new()));
        let kubeconfig = home.write("kubeconfig", &server.kubeconfig());
        World { server, home, kubeconfig, path: None }
    }

    /// The same with a `$KUBECONFIG` of these files.
    pub fn with_kubeconfigs<const N: usize>(mut self, names: [&str; N]) -> World {
        self.kubeconfig = list(names.map(|name| self.home.path(name)));
        self
    }

    /// A world of one pod, `web-1`, whose container `app` has written these lines.
    pub fn web<const N: usize>(lines: [&str; N]) -> World {
        let world = World::new();
        world.pod("web-1", lines);
        world
    }

    /// Adds a pod, `web-1` or `shop/web-1`, whose container `app` has written these lines.
    pub fn pod<const N: usize>(&self, path: &str, lines: [&str; N]) {
        let (namespace, name) = path.split_once('/').unwrap_or(("default", path));
        self.add_pod(Pod::new(name).namespace(namespace));
        self.log(&format!("{path}/app")).extend(lines);
    }

    /// Adds pods to the namespace `default`, with empty logs.
    pub fn pods<const N: usize>(&self, names: [&str; N]) {
        self.add_pods(names.map(Pod::new));
    }

    /// `stern-rs` with these arguments, split as a shell does.
    pub fn stern_rs(&self, args: &str) -> Command<'_> {
        self.program(env!("CARGO_BIN_EXE_stern-rs"), args)
    }

    /// Any program, in the same environment.
    pub fn program(&self, program: &str, args: &str) -> Command<'_> {
        let command = Command::new(program, args, self.home.clone(), Some(&self.server));
        let command = command.env("KUBECONFIG", &self.kubeconfig);
        match &self.path {
            Some(path) => command.env("PATH", path),
            None => command,
        }
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn run(&self, args: &str) -> Ran {
        self.stern_rs(args).run()
    }

    /// Starts the program.
    pub fn start(&self, args: &str) -> Tail<'_> {
        self.stern_rs(args).start()
    }

    /// The number of requests that only checked the last line of a log.
    pub fn looks(&self) -> usize {
        self.requests().logs().iter().filter(|request| is_look(request)).count()
    }

    /// This query parameter of every log request so far, except checks of the last line; `-` if a request does not
    /// have it.
    pub fn log_queries(&self, name: &str) -> Vec<String> {
        let logs = self.requests().logs();
        let reads = logs.iter().filter(|request| !is_look(request));
        reads.map(|request| request.query(name).unwrap_or("-").to_owned()).collect()
    }
}

/// The distance of every server, from the variable `ROUND_TRIP_MS`, so that all tests can run at a distance.
fn round_trip() -> Duration {
    let millis = std::env::var("ROUND_TRIP_MS").map_or(0, |millis| millis.parse().expect("it is a number"));
    Duration::from_millis(millis)
}

/// Whether the request only checks the last line of a log.
fn is_look(request: &Request) -> bool {
    let asks = |name| request.query(name).is_some();
    request.query("tailLines") == Some("1") && !asks("follow") && !asks("sinceTime") && !asks("sinceSeconds")
}
