//! The limit on open files: raised at the start, and named where it is reached.

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::platform::limits::{ADVICE, most_open_files, open_files, raise};

pub use crate::platform::limits::is_exhausted;

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

/// Raises the limit as far as the system allows: every stream may need a connection, and some systems allow only 256
/// files by default. An error if there is no room for a run; without that room the runtime would panic.
pub fn prepare() -> io::Result<()> {
    raise();
    let open = open_files(NEEDED)
        .map_err(|error| if is_exhausted(&error) { io::Error::other(described()) } else { error })?;
    OPEN_AT_START.get_or_init(|| open);
    Ok(())
}

/// `too many open files: the limit is 64; raise it with "ulimit -n"`
pub fn described() -> String {
    format!("too many open files: the limit is {}; {ADVICE}", limit())
}

/// The most open files; usually the limit of this process.
pub fn limit() -> String {
    most_open_files().map_or("that of the system".to_owned(), |limit| limit.to_string())
}

/// The number of connections for logs that the limit allows.
pub fn room() -> usize {
    let others = OPEN_AT_START.get().unwrap_or(&0) + RESERVED + FOR_FILES.load(Ordering::Relaxed);
    most_open_files().unwrap_or(usize::MAX).saturating_sub(others).max(1)
}

/// The most logs to read at a time, so that connections leave room for the files of `--output-dir`. Without files,
/// connections learn of the limit by reaching it.
pub fn most_logs() -> usize {
    match FOR_FILES.load(Ordering::Relaxed) {
        0 => usize::MAX,
        _ => room(),
    }
}

/// Keeps room for files beside connections. Returns how many of them may be open at a time: `most`, or less where the
/// limit is low.
pub fn keep_for_files(most: usize) -> usize {
    let files = most_open_files().map_or(most, |limit| (limit / 8).clamp(1, most));
    FOR_FILES.store(files + DIRECTORIES, Ordering::Relaxed);
    files
}
