//! Process groups, and the parents of processes.

use std::{
    collections::HashSet,
    os::unix::process::ExitStatusExt,
    process::{self, ExitStatus},
};

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};
use tokio::process::{Child, Command};

use super::descendants;

/// A process may start others while they are looked for.
const ROUNDS: usize = 4;

/// The signal that ended a program, in words.
pub fn ended_by(status: ExitStatus) -> Option<String> {
    status.signal().map(|signal| format!("signal {signal}"))
}

/// A program before its start, since what it starts will have to be found.
pub enum Starting {
    /// A group of its own, which a terminal calls the background.
    Group,
    /// The group of this process, so that the program may ask on the terminal. Orphans become children of this process,
    /// so that they can be found; only Linux knows both that and `/proc`. Elsewhere only the program itself is ended.
    OnTerminal {
        /// Children that were there before: agents of earlier programs.
        others: HashSet<Pid>,
    },
}

impl Starting {
    pub fn group(command: &mut Command) -> Starting {
        command.process_group(0);
        Starting::Group
    }

    pub fn on_terminal() -> Starting {
        #[cfg(target_os = "linux")]
        // If refused, orphans are not found.
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
        Starting::OnTerminal { others: descendants::of(getpid()).into_iter().collect() }
    }

    /// Ends the program, and all that it has started. None: it has ended by itself.
    pub fn killer(self, child: &Child) -> Option<impl FnOnce() + Send + use<>> {
        let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?))?;
        Some(move || match self {
            // In all of these an error means that it has ended by itself.
            Starting::Group => drop(kill_process_group(id, Signal::KILL)),
            Starting::OnTerminal { others } => {
                let _ = kill_process(id, Signal::KILL);
                kill_children_but(&others);
            }
        })
    }
}

fn kill_children_but(others: &HashSet<Pid>) {
    for _ in 0..ROUNDS {
        let found: Vec<_> = descendants::of(getpid()).into_iter().filter(|id| !others.contains(id)).collect();
        if found.is_empty() {
            return;
        }
        for id in found {
            let _ = kill_process(id, Signal::KILL);
        }
    }
}

/// A program that runs, with the others of its pipeline.
pub struct Pipeline(Option<Pid>);

impl Pipeline {
    pub fn of(child: &process::Child) -> Pipeline {
        Pipeline(child.id().try_into().ok().and_then(Pid::from_raw))
    }

    /// Those that run now. Children lose their parent with the first signal, so they are looked for once.
    pub fn members(&self) -> Members {
        let all = self.0.into_iter().chain(self.0.into_iter().flat_map(descendants::of));
        Members(all.collect())
    }
}

pub struct Members(Vec<Pid>);

impl Members {
    /// Asks them to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        for id in &self.0 {
            // An error means that it has ended by itself.
            let _ = kill_process(*id, signal);
        }
    }

    pub fn have_ended(&mut self) -> bool {
        self.0.retain(|id| descendants::runs(*id));
        self.0.is_empty()
    }
}
