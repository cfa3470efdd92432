//! A cluster and a machine from which it is reached.

use std::{ops::Deref, sync::Arc, time::Duration};

use apiserver::{ApiServer, Builder, Pod, Request};

use super::{Command, Home, Ran, Tail};

/// A cluster, and a home whose kubeconfig is for it. It is also its [`ApiServer`].
pub struct World {
    server: ApiServer,
    pub home: Arc<Home>,
}

impl Deref for World {
    type Target = ApiServer;

    fn deref(&self) -> &ApiServer {
        &self.server
    }
}

impl World {
    /// Plain HTTP; nothing is demanded, all is allowed.
    pub fn new() -> World {
        World::of(ApiServer::builder())
    }

    pub fn of(builder: Builder) -> World {
        World::far(builder, round_trip())
    }

    /// So far away.
    pub fn far(builder: Builder, round_trip: Duration) -> World {
        let (server, home) = (builder.round_trip(round_trip).start(), Arc::new(Home::new()));
        home.write("kubeconfig", &server.kubeconfig());
        World { server, home }
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

    /// Adds pods of the namespace `default` that have nothing to say.
    pub fn pods<const N: usize>(&self, names: [&str; N]) {
        self.add_pods(names.map(Pod::new));
    }

    /// `stern-rs` with these arguments, split as a shell does.
    pub fn stern_rs(&self, args: &str) -> Command<'_> {
        let program = env!("CARGO_BIN_EXE_stern-rs");
        let command = Command::new(program, args, self.home.clone(), Some(&self.server));
        command.env("KUBECONFIG", &self.home.path("kubeconfig").display().to_string())
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, args: &str) -> Ran {
        self.stern_rs(args).run()
    }

    /// Runs it until the test has seen enough.
    pub fn start(&self, args: &str) -> Tail<'_> {
        self.stern_rs(args).start()
    }

    /// How many requests only looked at the last line of a log.
    pub fn looks(&self) -> usize {
        self.requests().logs().iter().filter(|request| is_look(request)).count()
    }

    /// The parameters of every log request so far that have this name, looks at last lines left out; `-` stands for one
    /// without.
    pub fn log_queries(&self, name: &str) -> Vec<String> {
        let logs = self.requests().logs();
        let reads = logs.iter().filter(|request| !is_look(request));
        reads.map(|request| request.query(name).unwrap_or("-").to_owned()).collect()
    }
}

/// How far away every server is: `ROUND_TRIP_MS` of the environment, so that all tests can be run at a distance.
fn round_trip() -> Duration {
    let millis = std::env::var("ROUND_TRIP_MS").map_or(0, |millis| millis.parse().expect("it is a number"));
    Duration::from_millis(millis)
}

/// Whether it only compares what was read with the last line.
fn is_look(request: &Request) -> bool {
    let asks = |name| request.query(name).is_some();
    request.query("tailLines") == Some("1") && !asks("follow") && !asks("sinceTime") && !asks("sinceSeconds")
}
