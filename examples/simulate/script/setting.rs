//! The command line, the server, and the clocks of a run.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// When the program starts.
    pub start: Duration,
    pub logs: Logs,
    pub tail: Option<u64>,
    /// Seconds.
    pub since: Option<u64>,
    /// By the clock of the apiserver.
    pub until: Option<Timestamp>,
    pub limit_bytes: Option<u64>,
    pub max_log_requests: Option<u32>,
    pub max_streams_per_node: Option<u32>,
    pub qps: Option<i32>,
    pub burst: Option<u32>,
    pub max_bandwidth: Option<u32>,
    /// Milliseconds.
    pub latency: Option<u32>,
    /// Seconds.
    pub idle_check: Option<u32>,
    pub unconfirmed: bool,
    pub http1: bool,
    /// Only pods that are ready.
    pub ready: bool,
    pub sort: bool,
    pub max_line: Option<u32>,
    pub ending: Ending,
    pub server: Server,
    pub clocks: Clocks,
}

/// The lives of containers that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    Follow,
    FollowWithPrevious,
    Once,
    OnceWithPrevious,
    Previous,
}

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By a signal, once all is calm and shown; by itself if it does not follow.
    Usual,
    /// As usual, after all pods are gone.
    Leftovers,
    /// `--timeout`
    After(Duration),
    /// `--exit-on-complete`
    Completed,
    /// A signal in the middle of it all.
    Signal(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub round_trip: Duration,
    pub http2: bool,
    pub max_streams: Option<u32>,
}

/// How far clocks are ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Of the true time, in seconds.
    pub server: i64,
    pub client: i64,
    /// Of the server's clock, in milliseconds.
    pub nodes: Vec<(String, i64)>,
}

/// The true time at which each simulation begins, but for a part of a second.
pub fn noon() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_772_366_400)
}

impl Logs {
    pub fn follows(self) -> bool {
        matches!(self, Logs::Follow | Logs::FollowWithPrevious)
    }
}

impl Default for Setting {
    fn default() -> Setting {
        Setting {
            start: Duration::from_secs(2),
            logs: Logs::Follow,
            tail: None,
            since: None,
            until: None,
            limit_bytes: None,
            max_log_requests: None,
            max_streams_per_node: None,
            qps: None,
            burst: None,
            max_bandwidth: None,
            latency: None,
            idle_check: None,
            unconfirmed: false,
            http1: false,
            ready: false,
            sort: false,
            max_line: None,
            ending: Ending::Usual,
            server: Server { round_trip: Duration::from_millis(2), http2: true, max_streams: None },
            clocks: Clocks::default(),
        }
    }
}

impl Setting {
    /// Whether both sides speak HTTP/2.
    pub fn has_http2(&self) -> bool {
        self.server.http2 && !self.http1
    }

    /// The arguments of the program that are different from seed to seed.
    pub fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| format!("--{name}={value}")));
        };
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let switch = |on: bool| on.then(|| "true".to_owned());
        add("no-follow", switch(matches!(self.logs, Logs::Once | Logs::OnceWithPrevious)));
        add("with-previous", switch(matches!(self.logs, Logs::FollowWithPrevious | Logs::OnceWithPrevious)));
        add("previous", switch(self.logs == Logs::Previous));
        add("tail", self.tail.map(|tail| tail.to_string()));
        add("since", self.since.map(|seconds| format!("{seconds}s")));
        add("until", self.until.map(|until| until.to_string()));
        add("limit-bytes", self.limit_bytes.map(|bytes| bytes.to_string()));
        add("max-log-requests", number(self.max_log_requests));
        add("max-streams-per-node", number(self.max_streams_per_node));
        add("qps", self.qps.map(|rate| rate.to_string()));
        add("burst", number(self.burst));
        add("max-bandwidth", number(self.max_bandwidth));
        add("latency", self.latency.map(|milliseconds| format!("{milliseconds}ms")));
        add("idle-check", self.idle_check.map(|seconds| format!("{seconds}s")));
        add("confirm", self.unconfirmed.then(|| "false".to_owned()));
        add("http1", switch(self.http1));
        add("condition", self.ready.then(|| "ready".to_owned()));
        add("sort", self.sort.then(|| "200ms".to_owned()));
        add("max-line", number(self.max_line));
        match self.ending {
            Ending::After(time) => add("timeout", Some(format!("{}ms", time.as_millis()))),
            Ending::Completed => add("exit-on-complete", switch(true)),
            Ending::Usual | Ending::Leftovers | Ending::Signal(_) => {}
        }
        flags
    }

    /// All arguments. Lines are shown as `pod container time message`, the time in UTC with nanoseconds.
    pub fn arguments(&self) -> Vec<String> {
        let always = [
            "--server=http://apiserver",
            "--kubeconfig=",
            "--config=",
            "--all-namespaces",
            "--color=never",
            "--timestamps=default",
            "--timezone=UTC",
            ".",
        ];
        always.map(str::to_owned).into_iter().chain(self.flags()).collect()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { start, server, clocks, ending, .. } = self;
        writeln!(f, "at {start:?}: stern-rs . {}", self.flags().join(" "))?;
        let Server { round_trip, http2, max_streams } = server;
        write!(f, "the apiserver is {round_trip:?} away, with HTTP/{}", if *http2 { "2" } else { "1.1" })?;
        if let Some(streams) = max_streams {
            write!(f, ", {streams} streams a connection")?;
        }
        if *clocks != Clocks::default() {
            write!(f, "; its clock is {} s ahead, that of the program {} s", clocks.server, clocks.client)?;
            for (node, ahead) in &clocks.nodes {
                write!(f, ", that of {node} {ahead} ms ahead of the apiserver's")?;
            }
        }
        match ending {
            Ending::Signal(at) => write!(f, "; a signal comes at {at:?}")?,
            Ending::Leftovers => write!(f, "; all pods are deleted at the end")?,
            Ending::Usual | Ending::After(_) | Ending::Completed => {}
        }
        writeln!(f)
    }
}
