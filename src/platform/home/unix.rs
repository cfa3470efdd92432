//! `$HOME`

use std::{env, ffi::OsString, path::PathBuf};

/// The variable that names it.
pub const VARIABLE: &str = "$HOME";

/// The directory that the variables name.
pub fn of(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The same of this process; without the variable, that of the user's account.
pub fn of_user() -> Option<PathBuf> {
    env::home_dir().filter(|home| !home.as_os_str().is_empty())
}
