//! Writes `--stats` to standard error, past all that waits to be shown.

use std::{
    convert::Infallible,
    io::Write,
    sync::mpsc::{Receiver, channel},
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{io::Io, plan::StatsFormat, stats::Stats};

/// Reports what the run cost so far, whenever SIGUSR1 asks for it.
pub async fn report_whenever_asked(stats: &Stats, format: StatsFormat) -> Infallible {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else { return std::future::pending().await };
    while asked.recv().await.is_some() {
        report(stats, format);
    }
    std::future::pending().await
}

/// Reports what the run cost, on a thread of its own, since nobody may read standard error. Something is received once it
/// is written.
pub fn report(stats: &Stats, format: StatsFormat) -> Receiver<()> {
    let text = match format {
        StatsFormat::Text => stats.to_string(),
        StatsFormat::Json => format!("{}\n", stats.to_json()),
    };
    let (done, written) = channel();
    thread::spawn(move || {
        // Where standard error is closed, there is no other place for it.
        let _ = Io::process_stderr().write_all(text.as_bytes());
        let _ = done.send(());
    });
    written
}
