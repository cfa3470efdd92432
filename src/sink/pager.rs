//! `--pager`: standard output goes to another program, which has the terminal until it ends.

use std::{
    collections::VecDeque,
    io::{self, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    cleanup::Cleanup,
    plan::PagerPlan,
    platform::{
        processes::{Members, Pipeline, ended_by},
        programs::{Found, find},
        terminal::Settings,
    },
    signals::Signals,
    without_number,
};

/// The time for the pager to leave the terminal as it was, if a signal ends the run.
const LAST: Duration = Duration::from_millis(10);

/// Interval of looks whether it has ended.
const LOOK: Duration = Duration::from_millis(1);

/// Most bytes of words that are held while the pager runs.
const HELD: usize = 64 << 10;

/// The exit codes of a shell that could not run a program.
const NOT_RUN: [i32; 2] = [126, 127];

/// Clones are the same.
#[derive(Clone)]
pub struct Pager(Arc<Shared>);

struct Shared {
    plan: PagerPlan,
    signals: Signals,
    state: Mutex<State>,
    changed: Condvar,
    /// True once it has ended.
    ended: watch::Sender<bool>,
    /// Whether it did not take all.
    is_cut: AtomicBool,
    /// Whether a signal ended the run, and so the pager.
    is_stopped: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is to be shown yet.
    Awaited,
    Runs,
    Ended(ExitStatus),
}

impl Pager {
    /// It is started with the first output. Err: it cannot be.
    pub fn find(plan: &PagerPlan, signals: &Signals) -> Result<Pager, String> {
        if !matches!(find(&plan.program), Found::At(_)) {
            let name = plan.program.display();
            return Err(format!(
                "--pager: cannot find the program {name}; install it, or set $PAGER to another"
            ));
        }
        Ok(Pager(Arc::new(Shared {
            plan: plan.clone(),
            signals: signals.clone(),
            state: Mutex::new(State::Awaited),
            changed: Condvar::new(),
            ended: watch::Sender::new(false),
            is_cut: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        })))
    }

    /// The way to its pages. Dropping it waits until the pager has ended.
    pub fn stdout(&self) -> impl Write + Send + use<> {
        Pages { pager: self.clone(), pipe: None, end: None }
    }

    /// `stderr`, which waits while the pager runs. A flush writes what waited.
    pub fn stderr(&self, stderr: Box<dyn Write + Send>) -> Box<dyn Write + Send> {
        match self.0.plan.holds_words {
            true => Box::new(Held {
                pager: self.clone(),
                stderr,
                words: VecDeque::new(),
                bytes: 0,
                left_out: false,
            }),
            false => stderr,
        }
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        // This is its sender.
        let _ = self.0.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// How it failed, if it did.
    pub fn failure(&self) -> Option<Failure> {
        let State::Ended(status) = *self.0.state() else { return None };
        if self.0.is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let PagerPlan { program, args, .. } = &self.0.plan;
        let name = args.last().filter(|_| program == "sh").unwrap_or(program).display();
        let is_cut = self.0.is_cut.load(Ordering::Relaxed);
        let (reason, lines) = match (status.code(), ended_by(status)) {
            (Some(code), _) if NOT_RUN.contains(&code) => {
                let reason = format!("--pager: {name} could not be run (exit code {code}); correct $PAGER");
                return Some(Failure { reason, lines: Lines::None });
            }
            (Some(1..), _) if !is_cut => return None,
            (Some(code @ 1..), _) => (format!("ended with exit code {code}"), Lines::InPart),
            (_, Some(signal)) if is_cut => (format!("was ended by {signal}"), Lines::InPart),
            (_, Some(signal)) => (format!("was ended by {signal}"), Lines::Taken),
            _ => return None,
        };
        let what = match lines {
            Lines::Taken => "perhaps not all lines were shown",
            Lines::None | Lines::InPart => "not all lines were shown",
        };
        Some(Failure { reason: format!("--pager: {name} {reason}; {what}"), lines })
    }
}

pub struct Failure {
    /// For the user.
    pub reason: String,
    pub lines: Lines,
}

/// The lines that a pager took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    None,
    InPart,
    /// Perhaps not all of them were shown.
    Taken,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it does not run, at most this long.
    fn wait(&self, at_most: Option<Duration>) -> bool {
        let state = self.state();
        let runs = |state: &mut State| *state == State::Runs;
        let state = match at_most {
            None => self.changed.wait_while(state, runs).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                self.changed.wait_timeout_while(state, limit, runs).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        *state != State::Runs
    }

    fn has_ended(&self, status: ExitStatus) {
        *self.state() = State::Ended(status);
        self.signals.spare_interrupt(false);
        self.changed.notify_all();
        self.ended.send_replace(true);
    }
}

/// The way to the pages.
struct Pages {
    pager: Pager,
    pipe: Option<ChildStdin>,
    /// Ends the pager, if the run ends before it.
    end: Option<Cleanup>,
}

impl Pages {
    fn start(&mut self) -> io::Result<&mut ChildStdin> {
        if self.pipe.is_none() {
            let shared = self.pager.0.clone();
            let mut command = Command::new(&shared.plan.program);
            command.args(&shared.plan.args).stdin(Stdio::piped());
            if let Some(less) = shared.plan.less {
                command.env("LESS", less);
            }
            let terminal = Settings::of_stdout().map(Arc::new);
            // The pager hears Ctrl-C too.
            shared.signals.spare_interrupt(true);
            *shared.state() = State::Runs;
            let mut child = command.spawn().inspect_err(|_| shared.has_ended(ExitStatus::default()))?;
            self.pipe = child.stdin.take();
            let pipeline = Pipeline::of(&child);
            let (killed, restored) = (shared.clone(), terminal.clone());
            self.end = Some(Cleanup::new(move || end(&killed, &pipeline, restored.as_deref())));
            let watched = shared.clone();
            thread::Builder::new()
                .name("pager".into())
                .spawn(move || watch_over(child, &watched, terminal))
                .inspect_err(|_| shared.has_ended(ExitStatus::default()))?;
        }
        self.pipe.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// Waits for the end of the pager.
fn watch_over(mut child: Child, shared: &Shared, terminal: Option<Arc<Settings>>) {
    let status = child.wait().unwrap_or_default();
    if let Some(terminal) = terminal {
        terminal.restore();
    }
    shared.has_ended(status);
}

/// Ends a pager that still runs, with the other programs of its pipeline.
fn end(shared: &Shared, pipeline: &Pipeline, terminal: Option<&Settings>) {
    if shared.wait(Some(Duration::ZERO)) {
        return;
    }
    shared.is_stopped.store(true, Ordering::Relaxed);
    let mut members = pipeline.members();
    for end in [Members::terminate, Members::kill] {
        end(&members);
        let begun = Instant::now();
        while begun.elapsed() < LAST && !(shared.wait(Some(LOOK)) && members.have_ended()) {
            thread::sleep(LOOK);
        }
    }
    if let Some(terminal) = terminal {
        terminal.restore();
    }
}

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let unstarted = |error: io::Error, pager: &Pager| {
            let (name, reason) = (pager.0.plan.program.display(), without_number(&error));
            io::Error::other(format!("the pager {name} cannot be started: {reason}"))
        };
        let pager = self.pager.clone();
        let written = self.start().map_err(|error| unstarted(error, &pager))?.write(bytes);
        if written.is_err() {
            pager.0.is_cut.store(true, Ordering::Relaxed);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if matches!(*self.pager.0.state(), State::Ended(_)) {
            self.pager.0.is_cut.store(true, Ordering::Relaxed);
        }
        // The pager sees the end of its input.
        drop(self.pipe.take());
        self.pager.0.wait(None);
        if let Some(end) = self.end.take() {
            end.forget();
        }
    }
}

/// Standard error, whose words would be drawn over the page.
struct Held {
    pager: Pager,
    stderr: Box<dyn Write + Send>,
    words: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether the oldest words were left out since too many were held.
    left_out: bool,
}

impl Held {
    fn hold(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.words.push_back(bytes.to_vec());
        while self.bytes > HELD
            && let Some(oldest) = self.words.pop_front()
        {
            self.bytes -= oldest.len();
            self.left_out = true;
        }
    }

    fn release(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.left_out) {
            self.stderr.write_all(
                "! earlier messages are left out: too many came while the pager ran\n".as_bytes(),
            )?;
        }
        self.bytes = 0;
        self.words.drain(..).try_for_each(|words| self.stderr.write_all(&words))
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if *self.pager.0.state() == State::Runs {
            self.hold(bytes);
            return Ok(bytes.len());
        }
        self.release()?;
        self.stderr.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.release()?;
        self.stderr.flush()
    }
}
