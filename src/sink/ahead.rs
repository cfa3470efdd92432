//! Writes to standard error ahead of all waiting output: reports, and the last words of a run.

use std::{
    io::Write,
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{machine::Machine, shown::Passes};

/// Writes to standard error on a thread of its own, since it may be blocked. The receiver gets a value once it is
/// written. Without room for a thread nothing is written.
pub fn write_ahead(text: Vec<u8>, passes: Passes, machine: &Machine) -> Receiver<()> {
    let (done, written) = channel();
    let stderr = machine.stderr();
    let write = move || {
        // A closed standard error cannot be reported.
        let _ = passes.to(stderr).write_all(&text);
        let _ = done.send(());
    };
    match machine.simulation() {
        Some(_) => write(),
        None => drop(thread::Builder::new().spawn(write)),
    }
    written
}
