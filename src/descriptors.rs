//! The limit on open files: raised at the start, and named where it is reached.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// Files that any run needs: five of the runtime, a list, a log, and one to read.
const NEEDED: usize = 8;

/// Files that are not for logs in a longer run: those of the runtime, watches, a name server, a plugin, a long line.
const RESERVED: usize = 10;

/// Room for the files of `--output-dir`, if there are any.
static FOR_FILES: AtomicUsize = AtomicUsize::new(0);

/// Directories that are open while one of them is opened.
const DIRECTORIES: usize = 2;

/// Files that are open at the start.
static OPEN_AT_START: OnceLock<usize> = OnceLock::new();

/// Raises the limit as far as the system allows: every stream may need a connection, and some systems allow only 256 files
/// by default. An error if there is no room for a run; without that room the runtime would panic.
pub fn prepare() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If refused, the current limit stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let spare: io::Result<Vec<File>> = (0..NEEDED).map(|_| File::open("/dev/null")).collect();
    let spare =
        spare.map_err(|error| if is_exhausted(&error) { io::Error::other(described()) } else { error })?;
    // A new file gets the lowest number that is free.
    let first = spare.first().and_then(|file| usize::try_from(file.as_raw_fd()).ok());
    OPEN_AT_START.get_or_init(|| first.unwrap_or_default());
    Ok(())
}

/// Whether an operation failed since no more files can be opened.
pub fn is_exhausted(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::MFILE | Errno::NFILE))
}

/// `too many open files: the limit is 64; raise it with "ulimit -n"`
pub fn described() -> String {
    format!("too many open files: the limit is {}; raise it with \"ulimit -n\"", limit())
}

/// The most open files; usually the limit of this process.
pub fn limit() -> String {
    getrlimit(Resource::Nofile).current.map_or("that of the system".to_owned(), |limit| limit.to_string())
}

/// The number of connections for logs that the limit allows.
pub fn room() -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    let others = OPEN_AT_START.get().unwrap_or(&0) + RESERVED + FOR_FILES.load(Ordering::Relaxed);
    limit.unwrap_or(usize::MAX).saturating_sub(others).max(1)
}

/// The most logs to read at a time, so that connections leave room for the files of `--output-dir`. Without files,
/// connections learn of the limit by reaching it.
pub fn most_logs() -> usize {
    match FOR_FILES.load(Ordering::Relaxed) {
        0 => usize::MAX,
        _ => room(),
    }
}

/// Keeps room for files beside connections. Returns how many of them may be open at a time: `most`, or less where the limit
/// is low.
pub fn keep_for_files(most: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    let files = limit.map_or(most, |limit| (limit / 8).clamp(1, most));
    FOR_FILES.store(files + DIRECTORIES, Ordering::Relaxed);
    files
}
