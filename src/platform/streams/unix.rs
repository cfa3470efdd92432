//! File descriptors, which other processes may have set non-blocking.

#![expect(clippy::disallowed_methods, reason = "`io` takes the streams from here")]

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::OpenOptionsExt,
    },
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, OFlags, fcntl_getfl, fstat},
    io::{Errno, ioctl_fionread},
};

/// The most bytes that a pipe takes atomically.
pub const ATOMIC: usize = rustix::pipe::PIPE_BUF;

/// A copy of a standard stream.
pub struct Stream(File);

impl Stream {
    pub fn stdin() -> io::Result<Stream> {
        Stream::copy(io::stdin().as_fd())
    }

    /// Err: nothing can be written to it.
    pub fn stdout() -> io::Result<Stream> {
        let stdout = Stream::copy(io::stdout().as_fd())?;
        if fcntl_getfl(&stdout.0)? & OFlags::RWMODE == OFlags::RDONLY {
            return Err(io::Error::other("it is not open for writing"));
        }
        Ok(stdout)
    }

    pub fn stderr() -> io::Result<Stream> {
        Stream::copy(io::stderr().as_fd())
    }

    fn copy(stream: BorrowedFd<'_>) -> io::Result<Stream> {
        Ok(Stream(File::from(stream.try_clone_to_owned()?)))
    }

    #[cfg(test)]
    pub fn of_pipe(writer: io::PipeWriter) -> Stream {
        Stream(std::os::fd::OwnedFd::from(writer).into())
    }

    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// The same terminal, whose writes give `WouldBlock` where they would wait: opened a second time, since to make the
    /// first non-blocking would affect other processes. An error, as of another user behind `su`: only the first is
    /// there.
    pub fn non_blocking(&self) -> io::Result<Stream> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(self.path()?)?;
        Ok(Stream(file))
    }

    #[cfg(target_os = "linux")]
    fn path(&self) -> io::Result<String> {
        Ok(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&self.0)))
    }

    #[cfg(not(target_os = "linux"))]
    fn path(&self) -> io::Result<String> {
        let name = rustix::termios::ttyname(&self.0, Vec::new())?;
        name.into_string().map_err(io::Error::other)
    }

    /// Waits until it can be read, or its other end is closed; the next read shows which. May block for ever: call it
    /// only on threads that can be abandoned.
    pub fn wait_to_read(&self) {
        // If interrupted, the caller waits again.
        let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None);
    }

    /// The same for writing, at most this long. Returns whether it is worth a try.
    pub fn wait_to_write(&self, at_most: Option<Duration>) -> bool {
        let at_most = at_most.and_then(|at_most| Timespec::try_from(at_most).ok());
        let ready = poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], at_most.as_ref());
        matches!(ready, Ok(1..) | Err(Errno::INTR))
    }

    /// The bytes that the empty pipe takes; None: it is no pipe.
    pub fn pipe_capacity(&self) -> Option<usize> {
        let stat = fstat(&self.0).ok()?;
        FileType::from_raw_mode(stat.st_mode).is_fifo().then(|| capacity(&self.0))
    }

    /// Whether a pipe holds nothing.
    pub fn is_empty_pipe(&self) -> bool {
        ioctl_fionread(&self.0).is_ok_and(|held| held == 0)
    }

    /// Whether it is a pipe, a socket or a terminal whose other end is closed.
    pub fn has_no_reader(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        let ready = poll(&mut polled, Some(&Timespec::default()));
        ready.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }
}

#[cfg(target_os = "linux")]
fn capacity(pipe: &File) -> usize {
    rustix::pipe::fcntl_getpipe_size(pipe).unwrap_or(ATOMIC)
}

#[cfg(not(target_os = "linux"))]
fn capacity(_: &File) -> usize {
    ATOMIC
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }
}

impl Write for &Stream {
    /// A terminal that is gone gives `BrokenPipe`, as a pipe does: whether a write or a look notices it first must not
    /// change how the run ends.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::IO) if self.has_no_reader() => io::ErrorKind::BrokenPipe.into(),
            _ => error,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.0).flush()
    }
}
