//! The terminal that the process shares with others: its settings, and whether it may be used.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Settings, kind, leave, may_ask};
#[cfg(windows)]
pub use windows::{Settings, kind, leave, may_ask};
