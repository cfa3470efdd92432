//! A program has the right to be executed, and any name.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

/// The program that runs a line of a shell, and its arguments.
pub fn shell(line: &OsStr) -> (OsString, Vec<OsString>) {
    ("sh".into(), vec!["-c".into(), line.to_owned()])
}

pub fn candidates(path: PathBuf) -> [PathBuf; 1] {
    [path]
}

pub fn is_executable(file: &Path) -> bool {
    access(file, Access::EXEC_OK).is_ok()
}
