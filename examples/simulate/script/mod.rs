//! A script: all that happens in one run, as plain data that reads like a story.

mod beside;
mod chance;
mod decide;
mod draft;
mod fault;
mod lines;
mod output;
mod scenes;
mod setting;
mod tweaks;

use std::{fmt, time::Duration};

pub use self::{
    decide::decide,
    fault::{Asked, Broken, Fault, Lost, Refusal, Words},
    lines::{Lines, PIECE, Stamps, Texts},
    output::{Form, Output, Pattern, Select},
    setting::{Ending, Logs, Setting, noon},
};

/// What one seed decides.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub seed: u64,
    pub setting: Setting,
    /// In the order of time.
    pub events: Vec<Event>,
    /// The run is repeated with this output, which has to show the same.
    pub output: Option<Output>,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub at: Duration,
    pub what: What,
}

/// A container: pods have different names, whatever their namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub pod: String,
    pub container: String,
}

/// An event. What is no longer possible when its time comes, as the restart of a container whose pod is gone, does not
/// happen.
#[derive(Debug, Clone)]
pub enum What {
    Appears(Pod),
    /// An ephemeral container begins in a pod that runs.
    Joins(Place),
    Writes(Place, Lines),
    /// Writes such lines over and over, with so much time in between, for so long.
    GoesOn(Place, Lines, Pace),
    Restarts(Place, Restart),
    /// Ends for good.
    Ends {
        place: Place,
        exit: i32,
    },
    Rotates(Place, Followers),
    /// The kubelet rotates a log, which has no file for so long: who asks for it meanwhile gets the kubelet's error.
    HasNoFile(Place, Duration),
    /// Its followers get nothing more, and no end either.
    FallsSilent(Place),
    NamespaceDeleted {
        namespace: String,
        grace: Duration,
    },
    /// Its containers end when the grace is over.
    Deleted {
        pod: String,
        grace: Option<Duration>,
    },
    /// Meets a condition from now on, or no longer.
    Ready {
        pod: String,
        ready: bool,
    },
    Fault(Fault),
}

#[derive(Debug, Clone)]
pub struct Pod {
    pub name: String,
    pub namespace: String,
    pub node: String,
    pub containers: Vec<(String, Kind)>,
    /// How late the apiserver knows of it.
    pub late: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Init,
    /// An init container that runs as long as its pod.
    Sidecar,
    Main,
    Ephemeral,
}

#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub every: Duration,
    pub lasting: Duration,
}

#[derive(Debug, Clone)]
pub struct Restart {
    pub exit: i32,
    /// The last words, written in the same instant as the end.
    pub last: Option<Lines>,
    /// How long the container waits (CrashLoopBackOff).
    pub waits: Duration,
    /// How late the kubelet reports the end and all that follows.
    pub late: Duration,
}

/// What becomes of the followers of a log that is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Followers {
    /// They read it to its end, and go on in the next file.
    #[default]
    GoOn,
    /// Those that were at the end of a file before go on, late or twice if there are two rotations; others get nothing
    /// of the next file, and an end with their container.
    AsKubelet,
    /// They go on in the next file at once, and lose what they had not read.
    Skip,
    /// They read it to its end, and then nothing more comes.
    FallSilent,
}

impl What {
    /// How long its effect lasts, if it is a fault.
    pub fn trouble(&self) -> Option<Duration> {
        match self {
            What::Fault(fault) => Some(fault.lasting() + fault.aftermath()),
            What::HasNoFile(_, lasting) => Some(*lasting),
            What::Restarts(_, restart) => Some(restart.waits + restart.late),
            What::Appears(pod) if !pod.late.is_zero() => Some(pod.late),
            What::Rotates(_, Followers::FallSilent | Followers::Skip) | What::FallsSilent(_) => {
                Some(Duration::ZERO)
            }
            _ => None,
        }
    }

    /// The pod that this is about; None for what is about several or none.
    pub fn pod(&self) -> Option<&str> {
        match self {
            What::Appears(pod) => Some(&pod.name),
            What::Deleted { pod, .. } | What::Ready { pod, .. } => Some(pod),
            What::Joins(place)
            | What::Writes(place, _)
            | What::GoesOn(place, ..)
            | What::Restarts(place, _)
            | What::Ends { place, .. }
            | What::Rotates(place, _)
            | What::HasNoFile(place, _)
            | What::FallsSilent(place) => Some(&place.pod),
            What::NamespaceDeleted { .. } => None,
            What::Fault(fault) => fault.pod(),
        }
    }
}

impl Pod {
    pub fn mains(&self) -> Vec<Place> {
        let mains = self.containers.iter().filter(|(_, kind)| *kind == Kind::Main);
        mains.map(|(container, _)| Place { pod: self.name.clone(), container: container.clone() }).collect()
    }
}

impl Script {
    /// The end of the last fault.
    pub fn calm(&self) -> Duration {
        let ends = self.events.iter().filter_map(|event| Some(event.at + event.what.trouble()?));
        ends.max().unwrap_or_default()
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        write!(f, "{}", self.setting)?;
        self.output.iter().try_for_each(|output| write!(f, "{output}"))?;
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.3} s  {}", self.at.as_secs_f64(), self.what)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pod, self.container)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Appears(pod) => write!(f, "{pod}"),
            What::Joins(place) => write!(f, "{place} joins (ephemeral)"),
            What::Writes(place, lines) => write!(f, "{place} writes {lines}"),
            What::GoesOn(place, lines, Pace { every, lasting }) => {
                write!(f, "{place} writes {lines} every {every:?} for {lasting:?}")
            }
            What::Restarts(place, restart) => write!(f, "{place} {restart}"),
            What::Ends { place, exit } => write!(f, "{place} ends (exit {exit})"),
            What::Rotates(place, Followers::GoOn) => write!(f, "the log of {place} is rotated"),
            What::Rotates(place, Followers::AsKubelet) => {
                write!(f, "the kubelet rotates the log of {place}")
            }
            What::Rotates(place, Followers::Skip) => {
                write!(f, "the log of {place} is rotated, and its followers skip what they had not read")
            }
            What::Rotates(place, Followers::FallSilent) => {
                write!(f, "the log of {place} is rotated, and its followers fall silent")
            }
            What::HasNoFile(place, lasting) => {
                write!(f, "the kubelet rotates the log of {place}, which has no file for {lasting:?}")
            }
            What::FallsSilent(place) => write!(f, "the followers of {place} fall silent"),
            What::NamespaceDeleted { namespace, grace } => {
                write!(f, "the namespace {namespace} is deleted, with {grace:?} to end")
            }
            What::Deleted { pod, grace: None } => write!(f, "{pod} is deleted at once"),
            What::Deleted { pod, grace: Some(grace) } => write!(f, "{pod} is deleted, with {grace:?} to end"),
            What::Ready { pod, ready: true } => write!(f, "{pod} is ready"),
            What::Ready { pod, ready: false } => write!(f, "{pod} is not ready"),
            What::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(last) = &self.last {
            write!(f, "writes {last} and ")?;
        }
        write!(f, "restarts (exit {})", self.exit)?;
        if !self.waits.is_zero() {
            write!(f, ", after a pause of {:?}", self.waits)?;
        }
        if !self.late.is_zero() {
            write!(f, ", its status is held back for {:?}", self.late)?;
        }
        Ok(())
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pod { name, namespace, node, containers, late } = self;
        write!(f, "{name} appears in {namespace} on {node}")?;
        if !late.is_zero() {
            write!(f, ", and the apiserver knows it {late:?} later")?;
        }
        write!(f, ":")?;
        containers.iter().try_for_each(|(name, kind)| match kind {
            Kind::Init => write!(f, " {name} (init)"),
            Kind::Sidecar => write!(f, " {name} (sidecar)"),
            Kind::Main => write!(f, " {name}"),
            Kind::Ephemeral => write!(f, " {name} (ephemeral)"),
        })
    }
}
