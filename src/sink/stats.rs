//! Writes to standard error ahead of all waiting output: `--stats`, and the last words of a run.

use std::{
    io::Write,
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{io::Io, plan::StatsFormat, shown::Passes, stats::Stats};

/// Reports the cost.
pub fn report(stats: &Stats, format: StatsFormat, passes: Passes) -> Receiver<()> {
    let text = match format {
        StatsFormat::Text => stats.to_string().into_bytes(),
        StatsFormat::Json => format!("{}\n", stats.to_json()).into_bytes(),
    };
    write_ahead(text, passes)
}

/// Writes to standard error on a thread of its own, since it may be blocked. The receiver gets a value once it is
/// written. Without room for a thread nothing is written.
pub fn write_ahead(text: Vec<u8>, passes: Passes) -> Receiver<()> {
    let (done, written) = channel();
    let _ = thread::Builder::new().spawn(move || {
        // A closed standard error cannot be reported.
        let _ = passes.to(Io::process_stderr()).write_all(&text);
        let _ = done.send(());
    });
    written
}
