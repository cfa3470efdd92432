//! Hears the requests to end or to report: signals, or the events of a console.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Listener, spare_large_files};
#[cfg(windows)]
pub use windows::{Listener, spare_large_files};

/// A request to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C
    Interrupt,
    Terminate,
    /// The terminal is gone.
    HangUp,
    /// Ctrl-\, or Ctrl-Break
    Quit,
    /// SIGUSR1
    #[cfg_attr(windows, expect(dead_code, reason = "no console asks for it"))]
    Report,
}
