//! What only Unix has: signals, and a shell that redirects streams.

use std::{
    fs, io,
    os::unix::{fs::symlink, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{self, Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Command, Home, PATIENCE, Ran, Tail, World};

/// The file that is always empty.
pub const NOTHING: &str = "/dev/null";

/// The variable with the directory of temporary files.
pub const TEMPORARY: &str = "TMPDIR";

/// The variables of this machine that a program needs.
pub const NEEDED: [&str; 1] = ["PATH"];

/// The variable with the home directory.
pub const HOME: &str = "HOME";

pub fn start(process: &mut process::Command) -> io::Result<Child> {
    process.spawn()
}

/// The signal that ended the process.
pub fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Gives a program one more name.
pub fn link(program: &str, name: &Path) -> io::Result<()> {
    symlink(program, name)
}

impl Home {
    /// Makes a pipe with this name.
    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let made = process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo makes {}", path.display());
        path
    }
}

impl Ran {
    /// The exit code, as a shell shows it.
    pub fn code(&self) -> i32 {
        let signal = || self.status.signal().map_or(-1, |signal| 128 + signal);
        self.status.code().unwrap_or_else(signal)
    }
}

impl World {
    /// `stern-rs`, started by a shell that redirects its streams: `>&-`.
    pub fn redirected(&self, args: &str, redirects: &str) -> Command<'_> {
        let program = env!("CARGO_BIN_EXE_stern-rs");
        self.program("sh", &format!("-c 'exec \"$0\" \"$@\" {redirects}' {program} {args}"))
    }
}

impl Tail<'_> {
    #[track_caller]
    pub fn interrupt(self) -> Ran {
        self.send(Signal::INT);
        self.finish()
    }

    #[track_caller]
    pub fn terminate(self) -> Ran {
        self.send(Signal::TERM);
        self.finish()
    }

    #[track_caller]
    pub fn hang_up(self) -> Ran {
        self.send(Signal::HUP);
        self.finish()
    }

    /// Sends the signal and waits for the end, which comes within two seconds also on a busy machine.
    #[track_caller]
    pub fn ends_soon(self, signal: Signal) -> Ran {
        let sent = Instant::now();
        self.send(signal);
        let ran = self.finish();
        let took = sent.elapsed();
        assert!(took < Duration::from_secs(2), "{signal:?} ended it after {took:?}");
        ran
    }

    /// Waits until the program hears signals, and its main thread waits for something. Only Linux tells: elsewhere this
    /// does not wait.
    #[track_caller]
    pub fn asleep(&self) {
        if !cfg!(target_os = "linux") {
            return;
        }
        let id = self.child.id();
        let sleeps =
            || fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| stat.contains(") S "));
        // It has handlers, also for the last signal that it takes care of.
        let listens = || {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let sets = status
                .lines()
                .filter_map(|line| line.strip_prefix("SigCgt:").or(line.strip_prefix("SigIgn:")));
            let sets = sets.filter_map(|set| u64::from_str_radix(set.trim(), 16).ok());
            sets.fold(0, |all, set| all | set) & 1 << (Signal::QUIT.as_raw() - 1) != 0
        };
        let (began, mut since) = (Instant::now(), Instant::now());
        while since.elapsed() < Duration::from_millis(50) {
            if !(listens() && sleeps()) {
                since = Instant::now();
            }
            assert!(began.elapsed() < PATIENCE, "timeout: it does not wait for anything");
            thread::yield_now();
        }
    }

    /// Sends a signal that should do nothing.
    #[track_caller]
    pub fn ignore_hang_up(&self) {
        self.send(Signal::HUP);
    }

    #[track_caller]
    pub fn send(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("the process was not waited for yet");
    }
}
