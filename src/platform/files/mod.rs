//! Files by position, by identity, and below a directory.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Directory, Id, NULL, allowed, id_at, is_pipe, read_at, read_exact_at, write_all_at};
#[cfg(windows)]
pub use windows::{Directory, Id, allowed, id_at, is_pipe, read_at, read_exact_at, write_all_at};

#[cfg(all(windows, test))]
pub use windows::NULL;
