//! Signals of the kernel.

use std::{fs, io, os::unix::net::UnixStream, sync::Arc, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGXFSZ},
    iterator::{backend::SignalDelivery, exfiltrator::SignalOnly},
};

use super::Signal;

pub struct Listener(SignalDelivery<UnixStream, SignalOnly>);

impl Listener {
    /// From now on these signals do not end the process.
    pub fn new() -> io::Result<Listener> {
        let (read, write) = UnixStream::pair()?;
        let unless_ignored = [SIGHUP, SIGQUIT].into_iter().filter(|signal| hears(*signal));
        let signals = [SIGINT, SIGTERM, SIGUSR1].into_iter().chain(unless_ignored);
        Ok(Listener(SignalDelivery::with_pipe(read, write, SignalOnly, signals)?))
    }

    /// Waits for the next signals, at most this long. There may be none.
    pub fn wait(&mut self, at_most: Option<Duration>) -> Vec<Signal> {
        let at_most = at_most.and_then(|at_most| Timespec::try_from(at_most).ok());
        // If interrupted, the caller waits again.
        let _ = poll(&mut [PollFd::new(self.0.get_read(), PollFlags::IN)], at_most.as_ref());
        self.0.pending().filter_map(signal).collect()
    }
}

fn signal(number: i32) -> Option<Signal> {
    match number {
        SIGINT => Some(Signal::Interrupt),
        SIGTERM => Some(Signal::Terminate),
        SIGHUP => Some(Signal::HangUp),
        SIGQUIT => Some(Signal::Quit),
        SIGUSR1 => Some(Signal::Report),
        _ => None,
    }
}

/// Not if it is ignored, as `nohup` has SIGHUP: a handler would end the run. Only Linux tells; elsewhere SIGHUP ends
/// the process by default, unless it is ignored.
fn hears(signal: i32) -> bool {
    if cfg!(not(target_os = "linux")) {
        return signal != SIGHUP;
    }
    let ignored = || {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(ignored.trim(), 16).ok()
    };
    // The first signal is the lowest bit.
    ignored().is_some_and(|ignored| ignored & 1 << (signal - 1) == 0)
}

/// A file that reaches `ulimit -f` is an error of writing, and not the end of the process.
pub fn spare_large_files() {
    // Handled, and for nothing.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
