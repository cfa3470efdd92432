//! Writes to a pipe without leaving half a line in it, even if the process is killed.

use std::{
    fs::File,
    io::{self, Write},
};

use rustix::{event::PollFlags, fs::FileType};

use super::wait;

/// The most bytes that a pipe takes atomically (`PIPE_BUF` on Linux).
const ATOMIC: usize = 4096;

/// Writes whole lines. Into a pipe it writes only as much as fits without waiting, so that no write stops halfway;
/// other files are written directly. Waits for room, also on non-blocking files.
pub struct WholeLines {
    file: File,
    /// Capacity of the empty pipe, in bytes; None: not a pipe.
    pipe: Option<usize>,
}

impl WholeLines {
    pub fn new(file: File) -> Self {
        let fifo = rustix::fs::fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_fifo());
        let pipe = fifo.then(|| capacity(&file));
        Self { file, pipe }
    }

    /// Waits until the pipe has room, and gives the bytes that fit.
    fn room(&self, capacity: usize) -> io::Result<usize> {
        if rustix::io::ioctl_fionread(&self.file)? == 0 {
            return Ok(capacity);
        }
        // Ready means that a page is free, and a write of one page is atomic.
        wait(&self.file, PollFlags::OUT);
        Ok(ATOMIC)
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

impl WholeLines {
    fn attempt(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(capacity) = self.pipe else { return self.file.write(bytes) };
        // If the pipe's fill level is unknown, a small write is still atomic.
        let room = self.room(capacity).unwrap_or(ATOMIC);
        let fits = &bytes[..bytes.len().min(room)];
        // A line longer than the room cannot be kept whole.
        let whole = memchr::memrchr(b'\n', fits).map_or(fits.len(), |newline| newline + 1);
        self.file.write(&fits[..whole])
    }
}

impl Write for WholeLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.attempt(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(&self.file, PollFlags::OUT),
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, thread};

    use super::*;

    fn pipe() -> (File, WholeLines) {
        let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
        (File::from(reader), WholeLines::new(File::from(writer)))
    }

    fn lines(count: usize) -> Vec<u8> {
        (0..count).flat_map(|n| format!("line {n} {}\n", "x".repeat(n % 200)).into_bytes()).collect()
    }

    /// All of the text comes out of a pipe that is being read.
    fn arrives(text: Vec<u8>) {
        let (mut reader, mut writer) = pipe();
        let sent = text.clone();
        let writing = thread::spawn(move || writer.write_all(&sent));
        let mut got = Vec::new();
        reader.read_to_end(&mut got).expect("readable");
        writing.join().expect("no panic").expect("written");
        assert!(got == text);
    }

    #[test]
    fn everything_arrives() {
        arrives(lines(5_000));
    }

    #[test]
    fn a_pipe_that_is_full_holds_whole_lines_only() {
        let (mut reader, mut writer) = pipe();
        let text = lines(5_000);
        thread::spawn(move || {
            // It waits for room for ever: nothing reads.
            let _ = writer.write_all(&text);
        });
        // Once nothing more arrives, the writer waits; the pipe's content must end with a line.
        let mut before = 0;
        loop {
            thread::yield_now();
            let held = rustix::io::ioctl_fionread(&reader).expect("a pipe");
            if held > 60_000 && held == before {
                let mut got = vec![0; held as usize];
                reader.read_exact(&mut got).expect("readable");
                assert_eq!(got.last(), Some(&b'\n'));
                return;
            }
            before = held;
        }
    }

    #[test]
    fn a_line_longer_than_the_pipe_passes() {
        arrives(vec![b'x'; 300_000]);
    }
}
