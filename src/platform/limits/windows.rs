//! Handles, of which a process may have millions.

use std::io;

/// The way to open more files.
pub const ADVICE: &str = "close other programs";

/// `ERROR_TOO_MANY_OPEN_FILES` and `WSAEMFILE`
const EXHAUSTED: [i32; 2] = [4, 10024];

/// There is nothing to raise.
pub fn raise() {}

/// None: there is no limit, or one of the system only.
pub fn most_open_files() -> Option<usize> {
    None
}

/// Not counted.
pub fn open_files(_: usize) -> io::Result<usize> {
    Ok(0)
}

/// Whether an operation failed since no more files can be opened.
pub fn is_exhausted(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| EXHAUSTED.contains(&code))
}
