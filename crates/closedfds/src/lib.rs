//! Tells which standard streams were closed when the process started, as by `>&-` in a shell.
//!
//! Before `main`, the runtime of Rust opens `/dev/null` in place of a closed stream, so that a file that is opened later
//! does not take its place. From then on a program cannot tell whether its output goes nowhere by intent. On Unix this
//! crate looks before that, in a function that the loader calls; if it does not know the loader, no stream counts as
//! closed. On Windows nothing takes the place of a closed stream.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod platform;

/// Whether standard input was closed when the process started.
pub fn stdin_was_closed() -> bool {
    platform::stdin_was_closed()
}

/// Whether standard output was closed when the process started.
pub fn stdout_was_closed() -> bool {
    platform::stdout_was_closed()
}
