//! `--jq`: programs of jq on records, in this process and within bounds.
//!
//! The interpreter is jaq. What a log line, or a program that does not end, could do with it is bounded: its steps, its
//! stack, the number and the size of its results, the size of a value, the depth of what is parsed.

mod json;
mod natives;
mod paths;
mod program;
mod record;
mod syntax;
#[cfg(test)]
mod tests;

use std::{io, sync::mpsc, thread};

pub use natives::{deep, is_deep};
use program::STACK;
pub use program::{Program, State};
pub use record::value;

/// Runs work where a program has room.
pub fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("jq".to_owned()).stack_size(STACK).spawn(work).map(drop)
}

/// Checks a program. The error is the rest of a sentence that begins with the flag's name.
pub fn check(code: &str) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    let text = code.to_owned();
    spawn(move || {
        let _ = sender.send(Program::compile(&text).map(drop));
    })
    .map_err(|error| error.to_string())?;
    match receiver.recv() {
        Ok(checked) => checked.map_err(|fault| fault.in_text(code)),
        Err(_) => Err("the program cannot be compiled".to_owned()),
    }
}
