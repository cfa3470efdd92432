//! Reads files that the user or a kubeconfig names: bounded in size and in time, whatever they are.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// No honest file is larger.
const LARGEST: u64 = 16 << 20;

/// The longest wait for a file: one on a server that hangs, or a pipe into which nobody writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest wait for a program that writes into a pipe, as in `--kubeconfig <(program)`: it may ask the user.
const PROGRAM: Duration = Duration::from_secs(10 * 60);

/// A wait of a moment, where others wait meanwhile.
const MOMENT: Duration = Duration::from_millis(200);

/// What the thread that reads reports.
enum Step {
    /// It is a pipe, and somebody writes into it.
    Piped,
    Read(io::Result<Vec<u8>>),
}

/// Threads that were given up, by their file: the next to read it waits for the same thread.
static WAITING: Mutex<BTreeMap<PathBuf, Receiver<Step>>> = Mutex::new(BTreeMap::new());

/// The bytes of a file. Waits for them; a pipe is read to its end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, PATIENCE, read_any)
}

/// The same, in text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::other("it is not text in UTF-8"))
}

/// The bytes of a regular file that answers at once.
pub fn read_again(path: &Path) -> io::Result<Vec<u8>> {
    read_within(path, MOMENT, |path, steps| match path.metadata()?.is_file() {
        true => read_any(path, steps),
        false => Err(invalid("it is not a regular file")),
    })
}

fn read_within(
    path: &Path,
    mut patience: Duration,
    read: impl FnOnce(&Path, &Sender<Step>) -> io::Result<Vec<u8>> + Send + 'static,
) -> io::Result<Vec<u8>> {
    let earlier = waiting().remove(path);
    let step = match earlier {
        Some(step) => step,
        None => {
            let (steps, step) = channel();
            let path = path.to_owned();
            thread::Builder::new().spawn(move || {
                let bytes = read(&path, &steps);
                // Nobody may wait any more.
                let _ = steps.send(Step::Read(bytes));
            })?;
            step
        }
    };
    loop {
        match step.recv_timeout(patience) {
            Ok(Step::Piped) => patience = PROGRAM,
            Ok(Step::Read(bytes)) => return bytes,
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
    if file.metadata()?.file_type().is_fifo() {
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
        let error = read_within(&path, MOMENT, read_any).unwrap_err();
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
            move || read_within(&path, MOMENT, read_any)
        });
        let mut writer = File::options().write(true).open(&path).unwrap();
        thread::sleep(2 * MOMENT);
        writer.write_all(b"slow").unwrap();
        drop(writer);
        assert_eq!(reading.join().unwrap().unwrap(), b"slow");
    }

    #[test]
    fn a_file_without_an_end_is_too_large() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 16 MiB");
    }
}
