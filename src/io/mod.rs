//! The three standard streams of a process, or replacements. Another program that shares them may have set them
//! non-blocking, which affects all processes; reads and writes then wait.

#![expect(clippy::disallowed_methods, reason = "all others take the streams from here")]

mod pipe;
mod terminal;

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{OFlags, fcntl_getfl},
};

use pipe::WholeLines;
use terminal::Terminal;

pub struct Io {
    pub stdin: Box<dyn Read + Send>,
    /// Err: nothing can be written to it, as is known from the start.
    pub stdout: io::Result<Box<dyn Write + Send>>,
    pub stderr: Box<dyn Write + Send>,
}

impl Io {
    /// The streams of this process, unbuffered: callers buffer themselves.
    pub fn process() -> Self {
        let stdin: Box<dyn Read + Send> = match copy(io::stdin().as_fd()) {
            _ if closedfds::stdin_was_closed() => Box::new(Closed),
            Ok(stdin) => Box::new(Patient(stdin)),
            Err(_) => Box::new(io::stdin()),
        };
        Self { stdin, stdout: stdout(), stderr: Self::process_stderr() }
    }

    /// Standard output of this process, to ask whether it is still read.
    pub fn process_stdout() -> io::Result<OwnedFd> {
        io::stdout().as_fd().try_clone_to_owned()
    }

    /// Standard error of this process, to be written ahead of all waiting output.
    pub fn process_stderr() -> Box<dyn Write + Send> {
        match copy(io::stderr().as_fd()) {
            Ok(stderr) => writer(stderr),
            Err(_) => Box::new(io::stderr()),
        }
    }
}

fn stdout() -> io::Result<Box<dyn Write + Send>> {
    if closedfds::stdout_was_closed() {
        return Err(io::Error::other(CLOSED));
    }
    let stdout = copy(io::stdout().as_fd())?;
    if fcntl_getfl(&stdout)? & OFlags::RWMODE == OFlags::RDONLY {
        return Err(io::Error::other("it is not open for writing"));
    }
    Ok(writer(stdout))
}

fn writer(file: File) -> Box<dyn Write + Send> {
    if file.is_terminal() { Box::new(Terminal::new(file)) } else { Box::new(WholeLines::new(file)) }
}

const CLOSED: &str = "it is closed";

/// A stream that was closed before the process started.
struct Closed;

impl Read for Closed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(CLOSED))
    }
}

fn copy(stream: BorrowedFd<'_>) -> io::Result<File> {
    stream.try_clone_to_owned().map(File::from)
}

/// Waits until the file can be read or written, or its other end is closed; the next read or write shows which. May
/// block for ever: call it only on threads that can be abandoned.
fn wait(file: &File, what: PollFlags) {
    // If interrupted, the caller waits again.
    let _ = poll(&mut [PollFd::new(file, what)], None);
}

struct Patient(File);

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(&self.0, PollFlags::IN),
                result => return result,
            }
        }
    }
}
