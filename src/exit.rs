//! Exit codes; scripts depend on them.

use std::process;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Success, or the reader closed the output.
    Done = 0,
    /// Failure: no cluster, no permission, or no log could be read.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Finished, but some lines were not read; standard error lists them.
    Unread = 3,
    /// `--until-match`: the end came before a line that matches.
    NoMatch = 4,
    /// `--exit-on-complete`: not all of it succeeded, or not before the end.
    NotComplete = 5,
    /// SIGHUP: the terminal went away.
    HungUp = 129,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGQUIT: Ctrl-\.
    Quit = 131,
    /// SIGTERM.
    Terminated = 143,
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
