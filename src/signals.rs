//! Hears the signals that end a run, on a thread of its own: the end comes whatever the run computes or reads.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    cleanup,
    exit::ExitCode,
    platform::signals::{Listener, Signal, spare_large_files},
};

/// The time in which a run may end in order, with its last words. People take a tenth of a second for at once.
const IN_ORDER: Duration = Duration::from_millis(40);

/// The time for what must be undone, and for the report of `--stats`, if the run has not ended.
const LAST: Duration = Duration::from_millis(20);

/// `timeout` and some shells send a signal to the process and again to its group; a user takes longer for a second one.
const ECHO: Duration = Duration::from_millis(20);

/// What ends by a signal, and is asked by SIGUSR1. Clones are the same.
#[derive(Clone)]
pub struct Signals(Arc<Shared>);

struct Shared {
    code: watch::Sender<Option<ExitCode>>,
    report: Mutex<Option<Report>>,
    /// Whether Ctrl-C is for another program on the terminal.
    spares: AtomicBool,
}

/// The reports of `--stats` and `--summary`.
pub struct Report {
    /// Begins to write them; the receiver gets a value once they are written.
    pub write: Box<dyn Fn(Occasion) -> Receiver<()> + Send>,
    /// Whether the end of the run is reported too.
    pub at_end: bool,
}

/// When reports are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// On SIGUSR1.
    Asked,
    End,
}

impl Signals {
    /// Without room for a thread or for its files, signals end the process by default.
    pub fn listen() -> Signals {
        spare_large_files();
        let shared = Shared {
            code: watch::Sender::new(None),
            report: Mutex::default(),
            spares: AtomicBool::new(false),
        };
        let signals = Signals(Arc::new(shared));
        let (ready, is_ready) = channel();
        let heard = signals.clone();
        // The thread first: a signal that has a handler and no thread would be lost.
        let listen = move || {
            let listener = Listener::new();
            let _ = ready.send(());
            if let Ok(listener) = listener {
                heard.listen_to(listener);
            }
        };
        if thread::Builder::new().name("signals".into()).spawn(listen).is_ok() {
            let _ = is_ready.recv();
        }
        signals
    }

    /// Waits for Ctrl-C, Ctrl-\, SIGTERM, or the end of the terminal. The caller has [`IN_ORDER`] from then on.
    pub async fn ended(&self) -> ExitCode {
        let mut code = self.0.code.subscribe();
        let code = code.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        // It cannot be closed: this is one of its senders.
        code.unwrap_or(ExitCode::Interrupted)
    }

    /// Err: a signal came first.
    pub async fn or_ended<T>(&self, work: impl Future<Output = T>) -> Result<T, ExitCode> {
        tokio::select! {
            done = work => Ok(done),
            code = self.ended() => Err(code),
        }
    }

    /// From now on SIGUSR1 is answered, on the thread of signals.
    pub fn answer_with(&self, report: Report) {
        *self.report() = Some(report);
    }

    /// Whether Ctrl-C ends nothing from now on: it is for another program that has the terminal.
    pub fn spare_interrupt(&self, spares: bool) {
        self.0.spares.store(spares, Ordering::Relaxed);
    }

    /// Begins the report of the end, once.
    pub fn report_end(&self) -> Option<Receiver<()>> {
        let report = self.report().take()?;
        report.at_end.then(|| (report.write)(Occasion::End))
    }

    fn report(&self) -> MutexGuard<'_, Option<Report>> {
        self.0.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen_to(&self, mut listener: Listener) {
        let mut ending: Option<Ending> = None;
        loop {
            let left = ending.as_ref().map(|ending| ending.due.saturating_duration_since(Instant::now()));
            if let Some(Ending { code, .. }) = ending
                && left == Some(Duration::ZERO)
            {
                self.end(code);
            }
            for signal in listener.wait(left) {
                if signal == Signal::Interrupt && self.0.spares.load(Ordering::Relaxed) {
                    continue;
                }
                match (code(signal), &mut ending) {
                    (None, _) => drop(self.report().as_ref().map(|report| (report.write)(Occasion::Asked))),
                    (Some(code), None) => ending = Some(self.begin_end(code)),
                    // A second signal ends the wait for the run.
                    (Some(_), Some(ending)) => ending.due = ending.due.min(ending.since + ECHO),
                }
            }
        }
    }

    fn begin_end(&self, code: ExitCode) -> Ending {
        let since = Instant::now();
        // Before and behind a run there is none that could end in order.
        let due = if self.0.code.receiver_count() > 0 { since + IN_ORDER } else { since };
        self.0.code.send_replace(Some(code));
        Ending { code, since, due }
    }

    /// Ends the process in place of the run.
    fn end(&self, code: ExitCode) -> ! {
        let (done, is_done) = channel();
        let signals = self.clone();
        let last = move || {
            cleanup::all();
            if let Some(written) = signals.report_end() {
                let _ = written.recv_timeout(LAST);
            }
            let _ = done.send(());
        };
        // On a thread again: a terminal may be stopped.
        if thread::Builder::new().spawn(last).is_ok() {
            let _ = is_done.recv_timeout(LAST);
        }
        std::process::exit(code as i32)
    }
}

/// An end that has begun.
struct Ending {
    code: ExitCode,
    since: Instant,
    /// When it no longer waits for the run.
    due: Instant,
}

/// None: it asks for a report.
fn code(signal: Signal) -> Option<ExitCode> {
    match signal {
        Signal::Interrupt => Some(ExitCode::Interrupted),
        Signal::Terminate => Some(ExitCode::Terminated),
        Signal::HangUp => Some(ExitCode::HungUp),
        Signal::Quit => Some(ExitCode::Quit),
        Signal::Report => None,
    }
}
