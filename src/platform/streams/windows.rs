//! Handles: of a console, which takes Unicode only, or of anything else, which takes bytes.

#![expect(clippy::disallowed_methods, reason = "`io` takes the streams from here")]

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    os::windows::io::{AsHandle, BorrowedHandle},
    time::Duration,
};

use winapi_util::console;

/// The most bytes that a pipe takes atomically; unused, since no more is known of a pipe.
pub const ATOMIC: usize = 4096;

/// A copy of a standard stream.
pub enum Stream {
    Console(Console),
    File(File),
}

/// The standard library translates between its text and UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    Input,
    Output,
    Error,
}

impl Stream {
    pub fn stdin() -> io::Result<Stream> {
        Stream::of(io::stdin().as_handle(), Console::Input)
    }

    /// Err: nothing can be written to it.
    pub fn stdout() -> io::Result<Stream> {
        Stream::of(io::stdout().as_handle(), Console::Output)
    }

    pub fn stderr() -> io::Result<Stream> {
        Stream::of(io::stderr().as_handle(), Console::Error)
    }

    fn of(handle: BorrowedHandle<'_>, console: Console) -> io::Result<Stream> {
        let file = File::from(handle.try_clone_to_owned()?);
        Ok(if console::mode(&file).is_ok() { Stream::Console(console) } else { Stream::File(file) })
    }

    #[cfg(test)]
    pub fn of_pipe(writer: io::PipeWriter) -> Stream {
        Stream::File(std::os::windows::io::OwnedHandle::from(writer).into())
    }

    /// Also a terminal of MSYS or Cygwin, which is a pipe.
    pub fn is_terminal(&self) -> bool {
        match self {
            Stream::Console(_) => true,
            Stream::File(file) => file.is_terminal(),
        }
    }

    /// Only other systems have that.
    pub fn non_blocking(&self) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// No read gives `WouldBlock`.
    pub fn wait_to_read(&self) {}

    /// No write gives `WouldBlock`.
    pub fn wait_to_write(&self, _: Option<Duration>) -> bool {
        true
    }

    /// A pipe does not tell.
    pub fn pipe_capacity(&self) -> Option<usize> {
        None
    }

    /// A pipe does not tell.
    pub fn is_empty_pipe(&self) -> bool {
        false
    }

    /// A pipe does not tell: the next write does.
    pub fn has_no_reader(&self) -> bool {
        false
    }
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Console(_) => io::stdin().read(buffer),
            Stream::File(file) => (&*file).read(buffer),
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Console(Console::Error) => write_text(io::stderr(), bytes),
            Stream::Console(_) => write_text(io::stdout(), bytes),
            Stream::File(file) => (&*file).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Console(_) => Ok(()),
            Stream::File(file) => (&*file).flush(),
        }
    }
}

/// Writes the characters at the start that are whole. Bytes that are none are replaced, since a console refuses them.
fn write_text(mut console: impl Write, bytes: &[u8]) -> io::Result<usize> {
    let (text, used) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), bytes.len()),
        Err(error) => match error.valid_up_to() {
            0 => {
                let length = error.error_len().unwrap_or(bytes.len());
                (String::from_utf8_lossy(&bytes[..length]), length)
            }
            whole => (String::from_utf8_lossy(&bytes[..whole]), whole),
        },
    };
    console.write_all(text.as_bytes())?;
    console.flush()?;
    Ok(used)
}
