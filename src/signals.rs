//! The signals that end a run.

use std::{fs, future::pending};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::ExitCode;

/// Waits for Ctrl-C, SIGTERM, or the end of the terminal.
pub async fn ended() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers, signals end the process by default.
        return pending().await;
    };
    let mut hangup = hangup();
    let hung_up = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::Interrupted,
        _ = terminate.recv() => ExitCode::Terminated,
        _ = hung_up => ExitCode::HungUp,
    }
}

/// None if SIGHUP is ignored, as `nohup` has it, or if that is not known: a handler would end the run.
fn hangup() -> Option<Signal> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    // The first signal is the lowest bit.
    let bit = 1 << (SignalKind::hangup().as_raw_value() - 1);
    (ignored & bit == 0).then(|| signal(SignalKind::hangup()).ok())?
}
