//! Jobs: a process that is started belongs to the job of the one that starts it.

use std::{
    os::windows::io::AsRawHandle,
    process::{self, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::process::{Child, Command};
use win32job::{ExtendedLimitInfo, Job};

/// `CREATE_NEW_PROCESS_GROUP`: Ctrl-C is not for it.
const GROUP: u32 = 0x0000_0200;

/// No signal ends a program here.
pub fn ended_by(_: ExitStatus) -> Option<String> {
    None
}

/// A program before its start.
pub struct Starting;

impl Starting {
    pub fn group(command: &mut Command) -> Starting {
        command.creation_flags(GROUP);
        Starting
    }

    pub fn on_terminal() -> Starting {
        Starting
    }

    /// Ends the program, and all that it has started. None: it has ended by itself, or cannot be followed.
    pub fn killer(self, child: &Child) -> Option<impl FnOnce() + Send + use<>> {
        let job = Tree::of(child.raw_handle()? as isize)?;
        Some(move || job.kill())
    }
}

/// A program that runs, with the others of its pipeline.
pub struct Pipeline(Option<Tree>);

impl Pipeline {
    pub fn of(child: &process::Child) -> Pipeline {
        Pipeline(Tree::of(child.as_raw_handle() as isize))
    }

    pub fn members(&self) -> Members<'_> {
        Members(self.0.as_ref())
    }
}

pub struct Members<'p>(Option<&'p Tree>);

impl Members<'_> {
    /// There is no way to ask them.
    pub fn terminate(&self) {}

    pub fn kill(&self) {
        if let Some(tree) = self.0 {
            tree.kill();
        }
    }

    pub fn have_ended(&mut self) -> bool {
        self.0.is_none_or(Tree::has_ended)
    }
}

/// A process and its children. None once it is killed.
struct Tree(Mutex<Option<Job>>);

impl Tree {
    fn of(process: isize) -> Option<Tree> {
        let job = Job::create().ok()?;
        job.assign_process(process).ok()?;
        Some(Tree(Mutex::new(Some(job))))
    }

    /// The end of a job ends its processes only if it has this limit: an agent may outlive the program that started it.
    fn kill(&self) {
        if let Some(job) = self.job().take() {
            let mut limits = ExtendedLimitInfo::new();
            limits.limit_kill_on_job_close();
            let _ = job.set_extended_limit_info(&limits);
        }
    }

    fn has_ended(&self) -> bool {
        let job = self.job();
        job.as_ref().is_none_or(|job| job.query_process_id_list().is_ok_and(|ids| ids.is_empty()))
    }

    fn job(&self) -> MutexGuard<'_, Option<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
