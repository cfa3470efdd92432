//! The system's limit on open files.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{ADVICE, is_exhausted, most_open_files, open_files, raise};
#[cfg(windows)]
pub use windows::{ADVICE, is_exhausted, most_open_files, open_files, raise};
