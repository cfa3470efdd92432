//! All that happened in one run: what the cluster did, what the program asked for, and what it showed. Times are those
//! of the simulation, since its start.

use std::{collections::BTreeMap, time::Duration};

use apiserver::{Ended, Kind as Asked};
use jiff::Timestamp;
use stern_rs::ExitCode;
use tokio::time::Instant;

use crate::script::{Followers, Kind, Place, Script};

pub struct Story {
    pub script: Script,
    /// The true time at the beginning of the simulation. The clocks of the setting are ahead of it.
    pub clock: Timestamp,
    pub pods: Vec<Pod>,
    /// Those that had an instance, sorted by their places. A pod that was made again under its name has others, later
    /// in the list.
    pub containers: Vec<Container>,
    /// What happened when, in words, for people.
    pub trace: Vec<(Duration, String)>,
    /// The end of the last fault.
    pub calm: Duration,
    /// A signal ended the run.
    pub signalled: Option<Duration>,
    /// In the order of their arrival.
    pub requests: Vec<Request>,
    /// What the program took from its connections.
    pub taken: Vec<Taken>,
    /// Of a run in which all pods are gone at the end.
    pub leftovers: Option<Leftovers>,
    /// The writes of the program to its standard output and standard error.
    pub stdout: Vec<Written>,
    pub stderr: Vec<Written>,
    /// The files below the directory for them, by their paths.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Err: the program refused its command line, or did not end.
    pub code: Result<ExitCode, String>,
    pub ended: Duration,
}

/// Writes, files, requests, the exit code, and the time of the end.
pub type Visible<'a> =
    (Vec<&'a Written>, &'a BTreeMap<String, Vec<u8>>, &'a [Request], &'a Result<ExitCode, String>, Duration);

impl Story {
    /// All that can be seen of the program from outside: bytes, files and requests, with their times.
    pub fn visible(&self) -> Visible<'_> {
        let written: Vec<_> = self.stdout.iter().chain(&self.stderr).collect();
        (written, &self.files, &self.requests, &self.code, self.ended)
    }
}

/// A request as the apiserver saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Counted from 1.
    pub number: u64,
    pub at: Duration,
    pub kind: Asked,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub http2: bool,
    /// The number of its connection, counted from 1.
    pub connection: u64,
    /// When the head of its answer was sent, and the status.
    pub answered: Option<(Duration, u16)>,
    pub retry_after: Option<String>,
    /// Bytes of the body.
    pub bytes: u64,
    pub ended: Option<(Duration, Ended)>,
}

/// Bytes that the program took from a connection.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub at: Duration,
    /// The number of the connection, counted from 1.
    pub connection: u64,
    pub bytes: usize,
}

/// The tasks of a run and its memory: before the first pod came, after all were gone and many more came and went, and
/// once more after as many others.
#[derive(Debug, Clone, Copy)]
pub struct Leftovers {
    pub before: Usage,
    pub after: Usage,
    pub again: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub at: Duration,
    pub tasks: usize,
    /// Bytes that the program holds, but for a constant.
    pub heap: i64,
}

impl Request {
    /// `start`: the beginning of the simulation.
    pub fn of(request: &apiserver::Request, start: Instant) -> Request {
        let since = |at: Instant| at.duration_since(start);
        Request {
            number: request.number,
            at: since(request.at),
            kind: request.kind,
            path: request.path.clone(),
            query: request.query.clone(),
            http2: request.version == http::Version::HTTP_2,
            connection: request.connection,
            answered: request.answered_at().map(since).zip(request.status()),
            retry_after: request.retry_after(),
            bytes: request.bytes(),
            ended: request.ended_at().map(since).zip(request.ended()),
        }
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// One write of the program.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    pub at: Duration,
    pub bytes: Vec<u8>,
}

pub struct Pod {
    pub name: String,
    pub namespace: String,
    pub node: String,
    /// When its deletion began.
    pub deleting: Option<Duration>,
    /// When it was removed from the apiserver, and its logs from the node.
    pub deleted: Option<Duration>,
    /// When it became ready, or no longer was.
    pub ready: Vec<(Duration, bool)>,
}

/// A container, with all its lives.
pub struct Container {
    pub place: Place,
    pub namespace: String,
    pub node: String,
    pub kind: Kind,
    /// When its pod was made. The apiserver names it once an instance is [`known`](Instance::known).
    pub created: Duration,
    pub instances: Vec<Instance>,
    /// When its pod was removed from the apiserver.
    pub deleted: Option<Duration>,
    /// With `--condition`: since when its pod met it or not, by the store of the apiserver; empty without the flag.
    pub meets: Vec<(Duration, bool)>,
}

/// One life of a container, and its log.
pub struct Instance {
    pub restarts: u32,
    pub started: Duration,
    /// When a status that names it was first in the store of the apiserver, and when the first one after it that does
    /// not, or the pod was removed. A status names the current instance and the one before.
    pub known: Option<Duration>,
    pub forgotten: Option<Duration>,
    /// When it ended.
    pub ended: Option<Duration>,
    pub exit: Option<i32>,
    /// Since when its container waited for the next instance: the kubelet serves its log as the previous one by then.
    pub waits: Option<Duration>,
    /// When the next instance took its place, so that it became the previous one for the kubelet.
    pub previous: Option<Duration>,
    /// When the kubelet removed its log, or stopped serving it.
    pub removed: Option<Duration>,
    pub lines: Vec<Line>,
    /// Words of the kubelet that stood among the lines, in the order in which they were written.
    pub words: Vec<(Duration, Vec<u8>)>,
    /// When its followers were made silent: nothing more comes to those who followed it then.
    pub silenced: Vec<Duration>,
    /// The files of the log, in order. A new reader sees only the last one.
    pub files: Vec<File>,
}

impl Instance {
    /// One that starts now, with an empty log, which no status reports yet.
    pub fn new(restarts: u32, started: Duration) -> Instance {
        Instance {
            restarts,
            started,
            known: None,
            forgotten: None,
            ended: None,
            exit: None,
            waits: None,
            previous: None,
            removed: None,
            lines: Vec::new(),
            words: Vec::new(),
            silenced: Vec::new(),
            files: vec![File { opened: started, rotated: None, followers: Followers::GoOn }],
        }
    }
}

/// A line as the container wrote it.
pub struct Line {
    /// When its newline was written, or its container ended; never if the simulation ended before ([`Duration::MAX`]).
    pub at: Duration,
    /// The time that the runtime stamped it with, by the clock of its node.
    pub stamp: Timestamp,
    /// Without the newline.
    pub text: Vec<u8>,
    /// Its file, by its place among the files of the log.
    pub file: usize,
}

pub struct File {
    pub opened: Duration,
    /// When the next file took its place.
    pub rotated: Option<Duration>,
    /// What became of its followers when it was rotated.
    pub followers: Followers,
}
