//! The standard streams as files of the system, unbuffered.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{ATOMIC, Stream};
#[cfg(windows)]
pub use windows::{ATOMIC, Stream};
