//! The resource limit of the process.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use rustix::{
    io::Errno,
    pipe::pipe,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// The way to open more files.
pub const ADVICE: &str = "raise it with \"ulimit -n\"";

/// The most that macOS takes for a limit that it calls unlimited (`OPEN_MAX`).
const OPEN_MAX: u64 = 10240;

/// Raises the limit as far as the system allows. If refused, the current limit stays.
pub fn raise() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        let current = Some(maximum.map_or(OPEN_MAX, |maximum| maximum.min(OPEN_MAX)));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }
}

/// None: there is no limit, or one of the system only.
pub fn most_open_files() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok())
}

/// The number of files that are open. An error if there is no room for `spare` more.
pub fn open_files(spare: usize) -> io::Result<usize> {
    // Pipes: an empty root has not even /dev/null.
    let spare: Vec<(OwnedFd, OwnedFd)> =
        (0..spare.div_ceil(2)).map(|_| pipe()).collect::<Result<_, Errno>>()?;
    // A new file gets the lowest number that is free.
    let first = spare.first().and_then(|(reader, _)| usize::try_from(reader.as_raw_fd()).ok());
    Ok(first.unwrap_or_default())
}

/// Whether an operation failed since no more files can be opened.
pub fn is_exhausted(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::MFILE | Errno::NFILE))
}
