//! Finds programs as a shell of the platform does.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf, is_separator},
};

#[cfg(unix)]
use unix::{candidates, is_executable};
#[cfg(windows)]
use windows::{candidates, is_executable};

#[cfg(unix)]
pub use unix::shell;
#[cfg(windows)]
pub use windows::shell;

/// The place of a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    At(PathBuf),
    /// There is such a file, and it cannot be run.
    NotExecutable(PathBuf),
    Nowhere,
}

/// Whether a name is a path, and not to be found in `$PATH`.
pub fn is_path(name: &OsStr) -> bool {
    name.to_string_lossy().contains(is_separator)
}

/// A program by its path, or by its name in `$PATH`.
pub fn find(name: &OsStr) -> Found {
    if is_path(name) {
        return first([Path::new(name).to_owned()]);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    first(env::split_paths(&path).map(|dir| dir.join(name)))
}

fn first(paths: impl IntoIterator<Item = PathBuf>) -> Found {
    let mut found = Found::Nowhere;
    for file in paths.into_iter().flat_map(candidates).filter(|file| file.is_file()) {
        if is_executable(&file) {
            return Found::At(file);
        }
        if found == Found::Nowhere {
            found = Found::NotExecutable(file);
        }
    }
    found
}
