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
    grace::{self, Grace, LOOK},
    platform::signals::{Listener, Signal, spare_large_files},
};

/// `timeout` and some shells send a signal to the process and again to its group; a user takes longer for a second one.
const ECHO: Duration = Duration::from_millis(100);

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
    fn silent() -> Signals {
        Signals(Arc::new(Shared {
            code: watch::Sender::new(None),
            report: Mutex::default(),
            spares: AtomicBool::new(false),
        }))
    }

    /// Those of a simulation: one comes after `end`.
    pub fn simulated(end: impl Future<Output = ExitCode> + Send + 'static) -> Signals {
        let signals = Signals::silent();
        let code = signals.0.code.clone();
        tokio::spawn(async move { code.send_replace(Some(end.await)) });
        signals
    }

    /// Without room for a thread or for its files, signals end the process by default.
    pub fn listen() -> Signals {
        spare_large_files();
        let signals = Signals::silent();
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

    /// Waits for Ctrl-C, Ctrl-\, SIGTERM, or the end of the terminal. The caller has a [`Grace`] from then on.
    pub async fn ended(&self) -> ExitCode {
        let mut code = self.0.code.subscribe();
        let code = code.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        grace::step();
        // It cannot be closed: this is one of its senders.
        code.unwrap_or(ExitCode::Interrupted)
    }

    /// Err: a signal came first.
    pub async fn or_ended<T>(&self, work: impl Future<Output = T>) -> Result<T, ExitCode> {
        tokio::select! {
            biased;
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
            for signal in listener.wait(ending.as_ref().map(|_| LOOK)) {
                if signal == Signal::Interrupt && self.0.spares.load(Ordering::Relaxed) {
                    continue;
                }
                match (code(signal), &mut ending) {
                    (None, _) => drop(self.report().as_ref().map(|report| (report.write)(Occasion::Asked))),
                    (Some(code), None) => ending = Some(self.begin_end(code)),
                    // A second signal ends the wait for the run.
                    (Some(_), Some(ending)) if ending.since.elapsed() >= ECHO => self.end(ending.code),
                    (Some(_), Some(_)) => {}
                }
            }
            if let Some(ending) = &mut ending
                && ending.grace.is_over()
            {
                self.end(ending.code);
            }
        }
    }

    fn begin_end(&self, code: ExitCode) -> Ending {
        // Before and behind a run there is none that could end in order.
        if self.0.code.receiver_count() == 0 {
            self.end(code);
        }
        self.0.code.send_replace(Some(code));
        Ending { code, since: Instant::now(), grace: Grace::of_run() }
    }

    /// Ends the process in place of the run.
    fn end(&self, code: ExitCode) -> ! {
        let (done, is_done) = channel();
        let signals = self.clone();
        let last = move || {
            cleanup::all();
            if let Some(written) = signals.report_end() {
                Grace::of_part().wait_for(&written);
            }
            let _ = done.send(());
        };
        // On a thread again: a terminal may be stopped.
        if thread::Builder::new().spawn(last).is_ok() {
            Grace::of_run().wait_for(&is_done);
        }
        std::process::exit(code as i32)
    }
}

/// An end that has begun.
struct Ending {
    code: ExitCode,
    since: Instant,
    /// For how long it waits for the run.
    grace: Grace<'static>,
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
