//! The three standard streams of a process, or replacements. Another program that shares them may have set them
//! non-blocking, which affects all processes; reads and writes then wait.

#![expect(clippy::disallowed_methods, reason = "all others take the streams from here")]

mod pipe;
mod terminal;

use std::io::{self, Read, Write};

use crate::platform::streams::Stream;
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
        let stdin: Box<dyn Read + Send> = match Stream::stdin() {
            _ if closedfds::stdin_was_closed() => Box::new(Closed),
            Ok(stdin) => Box::new(Patient(stdin)),
            Err(_) => Box::new(io::stdin()),
        };
        Self { stdin, stdout: stdout(), stderr: Self::process_stderr() }
    }

    /// Standard output of this process, to ask whether it is still read.
    pub fn process_stdout() -> io::Result<Stream> {
        Stream::stdout()
    }

    /// Standard error of this process, to be written ahead of all waiting output.
    pub fn process_stderr() -> Box<dyn Write + Send> {
        match Stream::stderr() {
            Ok(stderr) => writer(stderr),
            Err(_) => Box::new(io::stderr()),
        }
    }
}

fn stdout() -> io::Result<Box<dyn Write + Send>> {
    if closedfds::stdout_was_closed() {
        return Err(io::Error::other(CLOSED));
    }
    Ok(writer(Stream::stdout()?))
}

fn writer(stream: Stream) -> Box<dyn Write + Send> {
    if stream.is_terminal() { Box::new(Terminal::new(stream)) } else { Box::new(WholeLines::new(stream)) }
}

const CLOSED: &str = "it is closed";

/// A stream that was closed before the process started.
struct Closed;

impl Read for Closed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(CLOSED))
    }
}

struct Patient(Stream);

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&self.0).read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.0.wait_to_read(),
                result => return result,
            }
        }
    }
}
