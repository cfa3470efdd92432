//! Reads files that the user or a kubeconfig names: bounded in size and in time, whatever they are.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    io::Io,
    platform::files::is_pipe,
    shown::{Escapes, Passes},
};

/// No honest file is larger.
const LARGEST: u64 = 16 << 20;

/// The longest wait for a file: one on a server that hangs, or a pipe without a writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest wait for a program that writes into a pipe, as in `--kubeconfig <(program)`: it may ask the user.
const PROGRAM: Duration = Duration::from_secs(10 * 60);

/// A wait of a moment, where others wait meanwhile.
const MOMENT: Duration = Duration::from_millis(200);

/// A wait that is reported.
const LONG: Duration = Duration::from_secs(2);

thread_local! {
    /// When this thread no longer waits for any file.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Bounds the wait of this thread for all files together, and reports none: a completion must come soon and be silent.
pub fn read_all_until(deadline: Instant) {
    DEADLINE.set(Some(deadline));
}

/// What the thread that reads reports.
enum Step {
    /// It is a pipe, and somebody writes into it.
    Piped,
    Read(io::Result<Vec<u8>>),
}

/// Threads that were given up, by their file: the next to read it waits for the same thread.
static WAITING: Mutex<BTreeMap<PathBuf, Receiver<Step>>> = Mutex::new(BTreeMap::new());

/// The bytes of a file. Waits for them, and reports a long wait; a pipe is read to its end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, PATIENCE, read_any, report_wait)
}

/// The same, in text, and the caller reports the wait.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_within(path, PATIENCE, read_any, |_| ())?)
        .map_err(|_| io::Error::other("it is not text in UTF-8"))
}

/// The bytes of a regular file that answers at once.
pub fn read_again(path: &Path) -> io::Result<Vec<u8>> {
    let read = |path: &Path, steps: &Sender<Step>| match path.metadata()?.is_file() {
        true => read_any(path, steps),
        false => Err(invalid("it is not a regular file")),
    };
    read_within(path, MOMENT, read, |_| ())
}

fn report_wait(path: &Path) {
    let passes = match is_stderr_terminal() {
        true => Passes::Text(Escapes::Plain),
        false => Passes::All,
    };
    // If standard error is closed, the wait cannot be reported.
    let _ = writeln!(passes.to(Io::process_stderr()), "stern-rs: waiting for the file {}", path.display());
}

#[expect(clippy::disallowed_methods, reason = "it only asks whether it is a terminal")]
fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}

fn read_within(
    path: &Path,
    mut patience: Duration,
    read: impl FnOnce(&Path, &Sender<Step>) -> io::Result<Vec<u8>> + Send + 'static,
    report: impl FnOnce(&Path),
) -> io::Result<Vec<u8>> {
    let earlier = waiting().remove(path);
    let step = match earlier {
        Some(step) => step,
        None => {
            let (steps, step) = channel();
            let path = path.to_owned();
            thread::Builder::new().spawn(move || {
                let bytes = read(&path, &steps);
                // The reader may have given up.
                let _ = steps.send(Step::Read(bytes));
            })?;
            step
        }
    };
    let begun = Instant::now();
    let mut since = begun;
    let mut report = Some(report).filter(|_| DEADLINE.get().is_none());
    loop {
        let due = DEADLINE.get().map_or(since + patience, |deadline| deadline.min(since + patience));
        let next = if report.is_some() { due.min(begun + LONG) } else { due };
        match step.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Step::Piped) => (since, patience) = (Instant::now(), PROGRAM),
            Ok(Step::Read(bytes)) => return bytes,
            Err(RecvTimeoutError::Timeout) if next < due => {
                if let Some(report) = report.take() {
                    report(path);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                waiting().insert(path.to_owned(), step);
                let reason = format!("no data within {patience:?}");
                return Err(invalid(reason));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("reading it failed")),
        }
    }
}

fn waiting() -> MutexGuard<'static, BTreeMap<PathBuf, Receiver<Step>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_any(path: &Path, steps: &Sender<Step>) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if is_pipe(&file.metadata()?) {
        let _ = steps.send(Step::Piped);
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(invalid(format!("it is larger than {} MiB", LARGEST >> 20))),
        false => Ok(bytes),
    }
}

/// A file that must not be read.
fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn fifo() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        (dir, path)
    }

    #[test]
    fn a_pipe_without_a_writer_is_given_up() {
        let (_dir, path) = fifo();
        let error = read_within(&path, MOMENT, read_any, |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no data within 200ms");
        // The next one waits on, and does not open it again.
        let mut writer = File::options().write(true).open(&path).unwrap();
        writer.write_all(b"late").unwrap();
        drop(writer);
        assert_eq!(read(&path).unwrap(), b"late");
    }

    #[test]
    fn a_program_that_writes_into_a_pipe_has_more_time() {
        let (_dir, path) = fifo();
        let reading = thread::spawn({
            let path = path.clone();
            move || read_within(&path, MOMENT, read_any, |_| ())
        });
        let mut writer = File::options().write(true).open(&path).unwrap();
        thread::sleep(2 * MOMENT);
        writer.write_all(b"slow").unwrap();
        drop(writer);
        assert_eq!(reading.join().unwrap().unwrap(), b"slow");
    }

    #[test]
    fn a_deadline_holds_for_a_program_that_writes_too() {
        let (_dir, path) = fifo();
        let writer = thread::spawn({
            let path = path.clone();
            move || File::options().write(true).open(path)
        });
        read_all_until(Instant::now() + MOMENT);
        assert!(read(&path).is_err());
        drop(writer.join());
    }

    #[test]
    fn a_file_without_an_end_is_too_large() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 16 MiB");
    }
}
