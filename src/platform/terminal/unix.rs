//! Settings of termios.

#![expect(clippy::disallowed_methods, reason = "it reads and sets the settings only")]

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{IsTerminal, stdin, stdout},
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    process::getpgrp,
    stdio::dup2_stdin,
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use crate::platform::files::NULL;

/// The settings of a terminal at a moment.
#[derive(Debug)]
pub struct Settings {
    terminal: OwnedFd,
    found: Termios,
}

impl Settings {
    /// None: standard input is no terminal.
    pub fn of_stdin() -> Option<Settings> {
        Settings::of(stdin())
    }

    /// None: standard output is no terminal.
    pub fn of_stdout() -> Option<Settings> {
        Settings::of(stdout())
    }

    fn of(stream: impl AsFd) -> Option<Settings> {
        let terminal = stream.as_fd().try_clone_to_owned().ok()?;
        let found = tcgetattr(&terminal).ok()?;
        Some(Settings { terminal, found })
    }

    /// Sets them again, unless the process is in the background, where it would be stopped.
    pub fn restore(&self) {
        if tcgetpgrp(&self.terminal).is_ok_and(|group| group == getpgrp()) {
            // An error means that the terminal is gone.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.found);
        }
    }
}

/// `$TERM`
pub fn kind() -> Option<OsString> {
    env::var_os("TERM")
}

/// Whether a program that this one starts may ask the user on standard input.
pub fn may_ask() -> bool {
    stdin().is_terminal()
}

/// Leaves standard input to others from now on. Without it there is no more to read.
pub fn leave() {
    let _ = File::open(NULL).map(dup2_stdin);
}
