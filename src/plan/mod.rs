//! The checked wish: what was said on the command line, typed, with every default filled in.

mod colors;
mod duration;
mod environment;
mod from_args;
mod name;
mod pattern;
mod query;
mod selector;
mod size;

use std::{path::PathBuf, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use regex::Regex;

use crate::lines::LineLimit;

pub use self::{environment::Environment, pattern::LinePattern};
pub(crate) use self::{
    from_args::CONDITIONS,
    query::{Selects, either, kind_of},
};

/// Everything that one run does.
#[derive(Debug)]
pub struct Plan {
    pub source: Source,
    pub lines: LineLimit,
    pub filter: FilterPlan,
    pub display: Display,
    /// `--verbosity`: from 6 on, what is asked of the apiserver is told on standard error.
    pub verbosity: u8,
    /// How to say at the end what it cost, if at all.
    pub stats: Option<StatsFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    Text,
    Json,
}

/// Where lines come from.
#[derive(Debug)]
pub enum Source {
    Stdin,
    Cluster(Box<ClusterPlan>),
}

#[derive(Debug)]
pub struct ClusterPlan {
    pub connect: Connect,
    pub selection: Selection,
    /// Whether the user picks an instance before anything else.
    pub prompt: bool,
    /// Only list what would be tailed.
    pub dry_run: bool,
    pub logs: LogPlan,
    pub limits: Limits,
}

/// How to reach the apiserver, as kubectl's options say it. What is absent comes from the kubeconfig.
#[derive(Debug, Default, Clone)]
pub struct Connect {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub server: Option<String>,
    pub token: Option<String>,
    pub certificate_authority: Option<PathBuf>,
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub insecure_skip_tls_verify: bool,
    pub tls_server_name: Option<String>,
    pub as_user: Option<String>,
    pub as_groups: Vec<String>,
    pub as_uid: Option<String>,
    /// Key and value of each `--as-user-extra`; a key may repeat.
    pub as_user_extra: Vec<(String, String)>,
    /// Bounds lists and the wait for response headers, never a running stream. None: only silences are bounded.
    pub request_timeout: Option<Duration>,
    /// HTTP/2 is not offered.
    pub http1: bool,
}

/// Which containers to tail.
#[derive(Debug, Clone)]
pub struct Selection {
    pub namespaces: Namespaces,
    pub query: Query,
    pub label_selector: Option<String>,
    /// `--field-selector` and `--node`, joined.
    pub field_selector: Option<String>,
    pub exclude_pod: Vec<Regex>,
    pub container: Regex,
    pub exclude_container: Vec<Regex>,
    pub states: ContainerStates,
    pub condition: Option<Condition>,
    pub init_containers: bool,
    pub ephemeral_containers: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// The one that the kubeconfig's context names.
    Default,
    /// At least one, each once, in the order said.
    Some(Vec<String>),
    All,
}

impl Namespaces {
    /// Each of them; None is all. `default` is what the context names.
    pub fn each<'a>(&'a self, default: &'a str) -> Vec<Option<&'a str>> {
        match self {
            Namespaces::All => vec![None],
            Namespaces::Default => vec![Some(default)],
            Namespaces::Some(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        }
    }

    /// As words for the user, after "in".
    pub fn described(&self, default: &str) -> String {
        match self.each(default)[..] {
            [None] => "any namespace".to_owned(),
            [Some(name)] => format!("namespace \"{name}\""),
            ref names => {
                format!("namespaces {}", names.iter().flatten().copied().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[derive(Debug, Clone)]
pub enum Query {
    /// Pods whose names match.
    Regex(Regex),
    /// The one pod of this name.
    Pod(String),
    /// The pods that a workload or service selects.
    Resource { kind: Kind, name: String },
}

/// A kind that selects pods by its `spec.selector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ReplicationController,
    Service,
    DaemonSet,
    Deployment,
    ReplicaSet,
    StatefulSet,
    Job,
}

/// Which states a container may be in when it is first seen at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerStates {
    pub running: bool,
    pub waiting: bool,
    pub terminated: bool,
}

impl ContainerStates {
    pub const ALL: Self = Self { running: true, waiting: true, terminated: true };
}

/// `--condition`: a pod condition and the status it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As the apiserver spells it, such as `Ready`.
    pub name: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
}

/// Which part of each log to show.
#[derive(Debug, Clone)]
pub struct LogPlan {
    pub follow: bool,
    pub previous: bool,
    pub since: Option<Since>,
    /// Lines from the end of the log; None: all.
    pub tail: Option<u64>,
    /// Bytes of each log; None: all.
    pub limit_bytes: Option<u64>,
    /// The longest silence of a followed log that is not looked into; None: any.
    pub idle_check: Option<Duration>,
    /// Whether a log that ended is asked once more whether it did.
    pub confirm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Back from the server's now.
    Ago(Duration),
    Time(Timestamp),
}

/// What may be asked of the cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests a second; None: no limit.
    pub qps: Option<f64>,
    pub burst: u32,
    /// Concurrent log requests, at least 1.
    pub log_requests: LogRequests,
    /// Concurrent followed logs of one node, at least 1.
    pub max_streams_per_node: usize,
    /// Bytes a second over all logs; None: no limit.
    pub max_bandwidth: Option<u64>,
    /// How long a line of a busy log may wait for others to be read with it.
    pub latency: Duration,
}

/// How many logs are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRequests {
    /// Where the apiserver is near.
    pub nearby: usize,
    /// However far it is.
    pub most: usize,
}

impl LogRequests {
    pub fn fixed(count: usize) -> Self {
        Self { nearby: count, most: count }
    }

    /// How many where a request takes so long to the apiserver and back: each spends most of its time on the way, and so
    /// many more are under way at once that the limit on requests is still what binds.
    pub fn at(self, round_trip: Option<Duration>) -> usize {
        /// A millisecond more to the server and back is a quarter of a log more.
        const MILLIS_A_LOG: u128 = 4;
        let more = round_trip.unwrap_or_default().as_millis() / MILLIS_A_LOG;
        usize::try_from(more).unwrap_or(usize::MAX).saturating_add(self.nearby).min(self.most)
    }
}

/// Which lines to show and what to mark in them.
#[derive(Debug, Default)]
pub struct FilterPlan {
    pub include: Vec<LinePattern>,
    pub exclude: Vec<LinePattern>,
    pub highlight: Vec<LinePattern>,
}

/// How lines and notices look.
#[derive(Debug)]
pub struct Display {
    pub format: Format,
    /// Takes the place of `format`.
    pub template: Option<Template>,
    pub color_stdout: bool,
    pub color_stderr: bool,
    pub timestamps: Option<Timestamps>,
    pub timezone: TimeZone,
    pub diff_container: bool,
    pub only_log_lines: bool,
    /// Whether lines that may be missing are told among the lines, too: in `json` only.
    pub gaps: bool,
    /// Pairs of SGR sequences (`"38;5;9"`) for pod and container; None: the built-in palette.
    pub colors: Option<Vec<(String, String)>>,
    /// Whether the namespace is part of the prefix and of notices: with `-A` or several namespaces.
    pub namespace_in_prefix: bool,
    /// Whether the namespace is part of extjson and ppextjson: with `-A` only, as in stern.
    pub namespace_in_extjson: bool,
}

impl Display {
    /// Whether an output shows the annotations of pods.
    pub fn shows_annotations(&self) -> bool {
        self.format == Format::Json || self.template.is_some()
    }
}

/// Where the template of a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// `--template`
    Text(String),
    /// `--template-file`
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Default,
    Raw,
    Json,
    Extjson,
    Ppextjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamps {
    /// `2006-01-02T15:04:05.000000000Z07:00`
    Default,
    /// `01-02 15:04:05`
    Short,
}
