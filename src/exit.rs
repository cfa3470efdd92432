//! The exit codes, which scripts depend on.

use std::process;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// It did what it was asked to, or its reader had enough.
    Done = 0,
    /// It could not: no cluster, no permission, not a single log to be read.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// It came to its end, but some lines were not read; standard error says which.
    Unread = 3,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
