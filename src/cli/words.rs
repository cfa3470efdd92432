//! The words of a command line: flags, and those that are not.

use std::{ffi::OsString, fmt};

use super::flags::Entry;

/// A flag on the command line or in the config file.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    pub flag: &'static Entry,
    /// None: the flag stands alone, which has a meaning of its own.
    pub value: Option<OsString>,
}

/// A value may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.flag.name)
    }
}

impl Given {
    /// `--name=value`, or `--name` alone.
    pub(super) fn word(&self) -> OsString {
        let mut word = OsString::from(format!("--{}", self.flag.name));
        if let Some(value) = &self.value {
            word.push("=");
            word.push(value);
        }
        word
    }
}

/// A word that is not a flag.
#[derive(Debug, PartialEq, Eq)]
pub struct Positional {
    pub value: OsString,
    /// The flag before it, if that flag takes a value only with `=`, or is a long flag with one dash: the word may be
    /// meant as its value.
    pub after: Option<String>,
}
