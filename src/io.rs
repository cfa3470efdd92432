//! The three streams of a process, or of whoever stands in for one. They may be shared with a program that set them
//! not to block, for itself and so for everybody; then they are waited for.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd},
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::sink::WholeLines;

pub struct Io {
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
}

impl Io {
    /// The streams of this process, unbuffered: whoever writes has gathered enough. Of one that is closed std makes what
    /// is as good as anything.
    pub fn process() -> Self {
        let stdin: Box<dyn Read + Send> = match copy(io::stdin().as_fd()) {
            Ok(stdin) => Box::new(Patient(stdin)),
            Err(_) => Box::new(io::stdin()),
        };
        let stdout: Box<dyn Write + Send> = match copy(io::stdout().as_fd()) {
            Ok(stdout) => Box::new(WholeLines::new(stdout)),
            Err(_) => Box::new(io::stdout()),
        };
        Self { stdin, stdout, stderr: Self::process_stderr() }
    }

    /// Standard error of this process, to be written past all that waits to be shown.
    pub fn process_stderr() -> Box<dyn Write + Send> {
        match copy(io::stderr().as_fd()) {
            Ok(stderr) => Box::new(WholeLines::new(stderr)),
            Err(_) => Box::new(io::stderr()),
        }
    }
}

fn copy(stream: BorrowedFd<'_>) -> io::Result<File> {
    stream.try_clone_to_owned().map(File::from)
}

/// Waits until there is something to read or room to write, or nobody at the other end any more; then the next read or
/// write says which. Only a thread that may be left behind can wait so long.
pub(crate) fn wait(file: &File, what: PollFlags) {
    // Interrupted, it is waited for again.
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
