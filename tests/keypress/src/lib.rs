//! Presses Ctrl-C or Ctrl-Break in the console of another process, as its user would.
#![cfg(windows)]

use std::io;

use windows_sys::Win32::System::Console::{
    AttachConsole, CTRL_BREAK_EVENT, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent,
    SetConsoleCtrlHandler,
};

#[derive(Debug, Clone, Copy)]
pub enum Key {
    CtrlC,
    CtrlBreak,
}

/// Presses the key in the console of this process, for all that share it. The caller leaves its own console and ignores
/// Ctrl-C from then on, so it should be a process that is there only for this.
#[expect(unsafe_code, reason = "the functions of the system take numbers only, and any number is safe")]
pub fn press(key: Key, process: u32) -> io::Result<()> {
    let event = match key {
        Key::CtrlC => CTRL_C_EVENT,
        Key::CtrlBreak => CTRL_BREAK_EVENT,
    };
    let checked = |done| if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // There may be none.
    unsafe { FreeConsole() };
    checked(unsafe { AttachConsole(process) })?;
    checked(unsafe { SetConsoleCtrlHandler(None, 1) })?;
    // All groups of the console.
    checked(unsafe { GenerateConsoleCtrlEvent(event, 0) })
}
