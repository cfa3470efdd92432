//! Writes to standard error ahead of all waiting output: `--stats`, and the last words of a run.

use std::{
    convert::Infallible,
    io::Write,
    sync::mpsc::{Receiver, channel},
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{io::Io, plan::StatsFormat, shown::Passes, stats::Stats};

/// Reports the cost so far on each SIGUSR1.
pub async fn report_whenever_asked(stats: &Stats, format: StatsFormat, passes: Passes) -> Infallible {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else { return std::future::pending().await };
    while asked.recv().await.is_some() {
        report(stats, format, passes);
    }
    std::future::pending().await
}

/// Reports the cost.
pub fn report(stats: &Stats, format: StatsFormat, passes: Passes) -> Receiver<()> {
    let text = match format {
        StatsFormat::Text => stats.to_string().into_bytes(),
        StatsFormat::Json => format!("{}\n", stats.to_json()).into_bytes(),
    };
    write_ahead(text, passes)
}

/// Writes to standard error on a thread of its own, since it may be blocked. The receiver gets a value once it is
/// written.
pub fn write_ahead(text: Vec<u8>, passes: Passes) -> Receiver<()> {
    let (done, written) = channel();
    thread::spawn(move || {
        // A closed standard error cannot be reported.
        let _ = passes.to(Io::process_stderr()).write_all(&text);
        let _ = done.send(());
    });
    written
}
