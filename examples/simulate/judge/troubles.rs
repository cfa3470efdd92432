//! The faults of a script as the judge sees them: what they disturb, and for how long.

use std::time::Duration;

use crate::{
    script::{Asked, Broken, Fault, Followers, Refusal, What},
    story::{Container, Story},
};

/// Something that keeps a line from being shown at once, or a request from being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub from: Duration,
    /// The same as `from` if it takes no time, as a connection that is reset.
    pub until: Duration,
    pub scope: Scope,
    pub what: Nature,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    Node(String),
    Pod(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Requests fail or are slow, answers break, statuses are late.
    Faulty,
    /// Nothing of the apiserver answers, over any connection.
    Away,
    /// Standard output takes nothing, or little.
    Unread,
}

/// The longest time that a request without an answer is awaited (`SILENCE` in src/cluster/exchange.rs): so long after
/// it was sent, the fault of a server that never answers is over.
pub const AWAITED: Duration = Duration::from_secs(60);

/// The most that is waited if an answer asks for it (`LONGEST_PAUSE` in src/cluster/transport.rs).
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The time from an end of a container to the report that the program waits for (`STATUS_DELAY` in src/tail/follow.rs),
/// and for the kubelet's own words about both logs.
const RESTART: Duration = Duration::from_secs(10);

impl Trouble {
    fn new(at: Duration, lasting: Duration, scope: Scope, what: Nature) -> Trouble {
        Trouble { from: at, until: at.saturating_add(lasting), scope, what }
    }

    pub fn disturbs(&self, node: &str, pod: &str) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Node(of) => of == node,
            Scope::Pod(of) => of == pod,
        }
    }
}

impl Scope {
    fn includes(&self, pod: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::Node(_) => false,
            Scope::Pod(of) => of == pod,
        }
    }
}

/// In the order of their beginnings.
pub fn troubles(story: &Story) -> Vec<Trouble> {
    let events = story.script.events.iter();
    let mut troubles: Vec<_> = events.filter_map(|event| of(event.at, &event.what)).collect();
    troubles.sort_by_key(|trouble| trouble.from);
    troubles
}

/// When the open streams of a container fell silent, without a word.
pub fn falls_silent<'a>(story: &'a Story, container: &'a Container) -> impl Iterator<Item = Duration> + 'a {
    let Container { place, node, .. } = container;
    story.script.events.iter().filter_map(move |event| match &event.what {
        What::Rotates(of, Followers::FallSilent) | What::FallsSilent(of) if of == place => Some(event.at),
        What::Fault(Fault::NodeLost { node: of, .. }) if of == node => Some(event.at),
        What::Fault(Fault::WillBreak { asked, how: Broken::Stalls, lasting, .. }) => {
            scope(asked).includes(&place.pod).then_some(event.at.saturating_add(*lasting))
        }
        _ => None,
    })
}

fn of(at: Duration, what: &What) -> Option<Trouble> {
    match what {
        What::Fault(fault) => Some(of_fault(at, fault)),
        What::Restarts(place, restart) => {
            // A status that comes at once is no trouble.
            let lasting = restart.waits.saturating_add(restart.late);
            if lasting.is_zero() {
                return None;
            }
            let lasting = lasting + RESTART;
            Some(Trouble::new(at, lasting, Scope::Pod(place.pod.clone()), Nature::Faulty))
        }
        What::HasNoFile(place, lasting) => {
            Some(Trouble::new(at, *lasting, Scope::Pod(place.pod.clone()), Nature::Faulty))
        }
        What::Appears(pod) if !pod.late.is_zero() => {
            Some(Trouble::new(at, pod.late, Scope::Pod(pod.name.clone()), Nature::Faulty))
        }
        _ => None,
    }
}

fn of_fault(at: Duration, fault: &Fault) -> Trouble {
    let lasting = fault.lasting();
    let faulty = |lasting, scope| Trouble::new(at, lasting, scope, Nature::Faulty);
    match fault {
        Fault::Breaks(asked, how) | Fault::WillBreak { asked, how, .. } => {
            faulty(lasting, broken(asked, *how))
        }
        Fault::Refused { asked, how, .. } => {
            let more = match how {
                Refusal::Never => AWAITED,
                Refusal::Late(delay) => *delay,
                Refusal::RetryAfter(_, seconds) | Refusal::RetryAt(_, seconds) => {
                    Duration::from_secs(u64::from(*seconds)).min(LONGEST_PAUSE)
                }
                Refusal::Status(_) | Refusal::Reset | Refusal::Closed => Duration::ZERO,
            };
            let scope = match how {
                // Logs share connections, and the pause holds for all requests.
                Refusal::Reset | Refusal::Closed | Refusal::RetryAfter(..) | Refusal::RetryAt(..) => {
                    Scope::All
                }
                _ => scope(asked),
            };
            faulty(lasting.saturating_add(more), scope)
        }
        Fault::ConnectionsReset
        | Fault::GoAway
        | Fault::GoAwayAtOnce(_)
        | Fault::WatchExpired
        | Fault::Far { .. } => faulty(lasting, Scope::All),
        Fault::ServerAway(_) | Fault::BlackHole(_) => Trouble::new(at, lasting, Scope::All, Nature::Away),
        Fault::KubeletAway(node, _) | Fault::NodeLost { node, .. } | Fault::NoInotify { node, .. } => {
            faulty(lasting, Scope::Node(node.clone()))
        }
        Fault::WatchHeld { delay, .. } => faulty(lasting.saturating_add(*delay), Scope::All),
        // The instance that ends then is reported as not readable, at once.
        Fault::NoPrevious(node) => faulty(Duration::ZERO, Scope::Node(node.clone())),
        Fault::SlowReader(..) => Trouble::new(at, lasting, Scope::All, Nature::Unread),
    }
}

/// Logs share connections.
fn broken(asked: &Asked, how: Broken) -> Scope {
    match how {
        Broken::Reset => Scope::All,
        Broken::Ends | Broken::Cut | Broken::Stalls | Broken::Says(_) => scope(asked),
    }
}

fn scope(asked: &Asked) -> Scope {
    match asked {
        Asked::Logs(pod) | Asked::Followed(pod) => Scope::Pod(pod.clone()),
        Asked::AllLogs | Asked::Watches | Asked::Lists | Asked::All => Scope::All,
    }
}
