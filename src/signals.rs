//! The signals that end a run.

use std::future::pending;

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::ExitCode;

/// Waits for Ctrl-C or SIGTERM.
pub async fn ended() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers, signals end the process by default.
        return pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::Interrupted,
        _ = terminate.recv() => ExitCode::Terminated,
    }
}
