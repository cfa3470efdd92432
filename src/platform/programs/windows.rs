//! A program has one of the endings in `%PATHEXT%`, which its name may leave out.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The endings where the variable is missing.
const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// The program that runs a line of a shell, and its arguments.
pub fn shell(line: &OsStr) -> (OsString, Vec<OsString>) {
    ("cmd.exe".into(), vec!["/C".into(), line.to_owned()])
}

/// The name itself, if it has an ending, then with each that it may have left out.
pub fn candidates(path: PathBuf) -> Vec<PathBuf> {
    let itself = path.extension().map(|_| path.clone());
    let completed = endings().into_iter().map(|ending| {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    });
    itself.into_iter().chain(completed).collect()
}

pub fn is_executable(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default().to_string_lossy().into_owned();
    endings().iter().any(|known| known.trim_start_matches('.').eq_ignore_ascii_case(&ending))
}

fn endings() -> Vec<String> {
    let listed = env::var("PATHEXT").unwrap_or_else(|_| ENDINGS.into());
    listed.split(';').filter(|ending| ending.starts_with('.')).map(str::to_owned).collect()
}
