//! What fails between the containers and the program.

use std::{fmt, time::Duration};

/// The most that the program waits because it was told to, and for an answer that does not come.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
const SILENCE: Duration = Duration::from_secs(60);

/// A fault, with all that ends it: to drop one from a script leaves nothing behind.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Open answers break now.
    Breaks(Asked, Broken),
    /// The next answers break after so many bytes of their bodies.
    WillBreak {
        asked: Asked,
        times: u32,
        how: Broken,
        bytes: u64,
        /// The size of the chunks in which the answer comes.
        chunks: Option<u32>,
        lasting: Duration,
    },
    /// The next requests are refused.
    Refused {
        asked: Asked,
        times: u32,
        how: Refusal,
        lasting: Duration,
    },
    ConnectionsReset,
    GoAway,
    /// As a load balancer does it: HTTP/2 is told that this was the last stream.
    GoAwayAtOnce(u32),
    ServerAway(Duration),
    /// No packet arrives, in either direction.
    BlackHole(Duration),
    /// A round trip takes so long for a while.
    Far {
        round_trip: Duration,
        lasting: Duration,
    },
    KubeletAway(String, Duration),
    /// The way to a node is lost: followed logs fall silent. It comes back, or its pods are deleted after a while.
    NodeLost {
        node: String,
        how: Lost,
        comes_back: bool,
        lasting: Duration,
    },
    /// Its kubelet keeps no log of a previous instance from now on.
    NoPrevious(String),
    /// The events of watches come so much later.
    WatchHeld {
        delay: Duration,
        lasting: Duration,
    },
    /// A watch is told that its version is too old.
    WatchExpired,
    NoInotify {
        node: String,
        left: usize,
        lasting: Duration,
    },
    /// Standard output takes so many bytes a second; none at all if 0.
    SlowReader(u32, Duration),
}

/// The answers to requests for logs of a node to which there is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Refused,
    Unreachable(Duration),
    TimedOut(Duration),
    Silent,
}

/// The requests that a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The logs of one pod.
    Logs(String),
    /// The same, only those that are followed.
    Followed(String),
    AllLogs,
    Watches,
    Lists,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// As if it were complete.
    Ends,
    /// HTTP/1.1 closes the connection, HTTP/2 resets the stream.
    Cut,
    /// The connection is reset.
    Reset,
    /// Nothing more comes, until the fault is over.
    Stalls,
    /// Words of the kubelet, and then the end.
    Says(Words),
}

/// Words of a kubelet or a runtime in place of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    Unavailable,
    CannotRetrieve,
}

impl Words {
    pub fn text(self) -> &'static str {
        match self {
            Words::Unavailable => "rpc error: code = Unavailable desc = EOF",
            Words::CannotRetrieve => "unable to retrieve container logs for containerd://0a1b\n",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Status(u16),
    /// A status with so many seconds to wait.
    RetryAfter(u16, u32),
    /// The same as a date.
    RetryAt(u16, u32),
    Reset,
    Closed,
    /// No answer at all.
    Never,
    Late(Duration),
}

impl Fault {
    pub fn lasting(&self) -> Duration {
        match self {
            Fault::Breaks(..)
            | Fault::ConnectionsReset
            | Fault::GoAway
            | Fault::GoAwayAtOnce(_)
            | Fault::NoPrevious(_)
            | Fault::WatchExpired => Duration::ZERO,
            Fault::WillBreak { lasting, .. }
            | Fault::Refused { lasting, .. }
            | Fault::ServerAway(lasting)
            | Fault::BlackHole(lasting)
            | Fault::Far { lasting, .. }
            | Fault::NodeLost { lasting, .. }
            | Fault::WatchHeld { lasting, .. }
            | Fault::KubeletAway(_, lasting)
            | Fault::NoInotify { lasting, .. }
            | Fault::SlowReader(_, lasting) => *lasting,
        }
    }

    /// How long a request may still wait that met it at its end.
    pub fn aftermath(&self) -> Duration {
        match self {
            Fault::Refused { how: Refusal::RetryAfter(_, wait) | Refusal::RetryAt(_, wait), .. } => {
                Duration::from_secs(u64::from(*wait)).min(LONGEST_PAUSE)
            }
            Fault::Refused { how: Refusal::Never, .. } => SILENCE,
            Fault::Refused { how: Refusal::Late(delay), .. } | Fault::WatchHeld { delay, .. } => *delay,
            _ => Duration::ZERO,
        }
    }

    pub fn pod(&self) -> Option<&str> {
        match self {
            Fault::Breaks(asked, _) | Fault::WillBreak { asked, .. } | Fault::Refused { asked, .. } => {
                match asked {
                    Asked::Logs(pod) | Asked::Followed(pod) => Some(pod),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Its kind, for a sum of many runs.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Breaks(_, how) | Fault::WillBreak { how, .. } => match how {
                Broken::Ends => "answers that end early and look complete",
                Broken::Cut => "answers cut",
                Broken::Reset => "answers reset",
                Broken::Stalls => "answers that stop halfway",
                Broken::Says(_) => "answers that end with words of the kubelet",
            },
            Fault::Refused { how: Refusal::Never, .. } => "requests never answered",
            Fault::Refused { how: Refusal::Late(_), .. } => "requests answered late",
            Fault::Refused { how: Refusal::RetryAfter(..) | Refusal::RetryAt(..), .. } => {
                "requests told to wait"
            }
            Fault::Refused { .. } => "requests refused",
            Fault::ConnectionsReset => "connections reset",
            Fault::GoAway => "connections told to go away",
            Fault::GoAwayAtOnce(_) => "connections told to go away at once",
            Fault::ServerAway(_) => "apiserver away",
            Fault::BlackHole(_) => "networks that drop all packets",
            Fault::Far { .. } => "networks that are slow for a while",
            Fault::NodeLost { .. } => "nodes lost",
            Fault::NoPrevious(_) => "nodes that keep no previous log",
            Fault::WatchHeld { .. } => "watches held back",
            Fault::KubeletAway(..) => "kubelet away",
            Fault::WatchExpired => "watches expired",
            Fault::NoInotify { .. } => "nodes out of inotify",
            Fault::SlowReader(..) => "slow or stopped readers",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Breaks(asked, how) => write!(f, "open answers to {asked} {how}"),
            Fault::WillBreak { asked, times, how, bytes, chunks, lasting } => {
                write!(f, "for {lasting:?}, the next {times} answers to {asked} {how} after {bytes} bytes")?;
                match chunks {
                    Some(chunks) => write!(f, ", in chunks of {chunks}"),
                    None => Ok(()),
                }
            }
            Fault::Refused { asked, times, how, lasting } => {
                write!(f, "for {lasting:?}, the next {times} requests for {asked} {how}")
            }
            Fault::ConnectionsReset => write!(f, "all connections are reset"),
            Fault::GoAway => write!(f, "all connections are told to go away"),
            Fault::GoAwayAtOnce(last) => {
                write!(f, "all connections are told to go away at once, the last stream was {last}")
            }
            Fault::ServerAway(lasting) => write!(f, "the apiserver is away for {lasting:?}"),
            Fault::BlackHole(lasting) => write!(f, "no packet arrives for {lasting:?}"),
            Fault::Far { round_trip, lasting } => {
                write!(f, "a round trip takes {round_trip:?} for {lasting:?}")
            }
            Fault::NodeLost { node, how, comes_back, lasting } => {
                write!(f, "the way to {node} is lost")?;
                match how {
                    Lost::Refused => write!(f, " (refused)")?,
                    Lost::Unreachable(after) => write!(f, " (500 after {after:?})")?,
                    Lost::TimedOut(after) => write!(f, " (504 after {after:?})")?,
                    Lost::Silent => write!(f, " (no answers)")?,
                }
                match comes_back {
                    true => write!(f, " for {lasting:?}"),
                    false => write!(f, ", and its pods are deleted {lasting:?} later"),
                }
            }
            Fault::NoPrevious(node) => write!(f, "{node} keeps no previous logs from now on"),
            Fault::WatchHeld { delay, lasting } => {
                write!(f, "the events of watches come {delay:?} later, for {lasting:?}")
            }
            Fault::KubeletAway(node, lasting) => write!(f, "the kubelet of {node} is away for {lasting:?}"),
            Fault::WatchExpired => write!(f, "the history is compacted, and watches are too old"),
            Fault::NoInotify { node, left, lasting } => {
                write!(f, "{node} has {left} inotify instances for {lasting:?}")
            }
            Fault::SlowReader(0, lasting) => write!(f, "standard output is not read for {lasting:?}"),
            Fault::SlowReader(rate, lasting) => {
                write!(f, "standard output is read at {rate} bytes a second for {lasting:?}")
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Logs(pod) => write!(f, "logs of {pod}"),
            Asked::Followed(pod) => write!(f, "followed logs of {pod}"),
            Asked::AllLogs => f.write_str("logs"),
            Asked::Watches => f.write_str("watches"),
            Asked::Lists => f.write_str("lists"),
            Asked::All => f.write_str("anything"),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Ends => f.write_str("end as if complete"),
            Broken::Cut => f.write_str("are cut"),
            Broken::Reset => f.write_str("are reset with their connections"),
            Broken::Stalls => f.write_str("stop"),
            Broken::Says(words) => write!(f, "end with {:?}", words.text()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Status(status) => write!(f, "get {status}"),
            Refusal::RetryAfter(status, seconds) => write!(f, "get {status} and Retry-After {seconds}"),
            Refusal::RetryAt(status, seconds) => {
                write!(f, "get {status} and Retry-After, a date in {seconds} s")
            }
            Refusal::Reset => f.write_str("find their connection reset"),
            Refusal::Closed => f.write_str("find their connection closed"),
            Refusal::Never => f.write_str("get no answer"),
            Refusal::Late(delay) => write!(f, "get their answer {delay:?} late"),
        }
    }
}
