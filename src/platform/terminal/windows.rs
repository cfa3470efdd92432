//! Modes of a console.

use std::{
    env,
    ffi::OsString,
    io::{IsTerminal, stdin},
    sync::atomic::{AtomicBool, Ordering},
};

use winapi_util::{
    HandleRef,
    console::{Console, mode, set_mode},
};

static LEFT: AtomicBool = AtomicBool::new(false);

/// The mode of a console at a moment.
#[derive(Debug)]
pub enum Settings {
    Input(u32),
    Output(u32),
}

impl Settings {
    /// None: standard input is no console.
    pub fn of_stdin() -> Option<Settings> {
        mode(HandleRef::stdin()).ok().map(Settings::Input)
    }

    /// None: standard output is no console.
    pub fn of_stdout() -> Option<Settings> {
        mode(HandleRef::stdout()).ok().map(Settings::Output)
    }

    /// Sets it again. An error means that the console is gone.
    pub fn restore(&self) {
        let _ = match *self {
            Settings::Input(found) => set_mode(HandleRef::stdin(), found),
            Settings::Output(found) => set_mode(HandleRef::stdout(), found),
        };
    }
}

/// `$TERM`, or `dumb` if the console shows escape sequences as text. From now on it does not, if it is able to.
pub fn kind() -> Option<OsString> {
    let enables = |console: std::io::Result<Console>| {
        console.map_or(true, |mut console| console.set_virtual_terminal_processing(true).is_ok())
    };
    // Both, since each may be another console.
    let able = [Console::stdout(), Console::stderr()].map(enables);
    if able == [true; 2] { env::var_os("TERM") } else { Some("dumb".into()) }
}

/// Whether a program that this one starts may ask the user on standard input.
pub fn may_ask() -> bool {
    !LEFT.load(Ordering::Relaxed) && stdin().is_terminal()
}

/// Leaves standard input to others from now on.
pub fn leave() {
    LEFT.store(true, Ordering::Relaxed);
}
