//! Writes to a pipe without leaving half a line in it, even if the process is killed.

use std::io::{self, Write};

use crate::platform::streams::{ATOMIC, Stream};

/// Writes whole lines. Into a pipe it writes only as much as fits without waiting, so that no write stops halfway;
/// other files are written directly. Waits for room, also on non-blocking files.
pub struct WholeLines {
    stream: Stream,
    /// Capacity of the empty pipe, in bytes; None: not a pipe, or one of which no more is known.
    pipe: Option<usize>,
}

impl WholeLines {
    pub fn new(stream: Stream) -> Self {
        let pipe = stream.pipe_capacity();
        Self { stream, pipe }
    }

    /// Waits until the pipe has room, and gives the bytes that fit.
    fn room(&self, capacity: usize) -> usize {
        if self.stream.is_empty_pipe() {
            return capacity;
        }
        // Ready means that a write of so many bytes is atomic.
        self.stream.wait_to_write(None);
        ATOMIC
    }

    fn attempt(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(capacity) = self.pipe else { return (&self.stream).write(bytes) };
        let fits = &bytes[..bytes.len().min(self.room(capacity))];
        // A line longer than the room cannot be kept whole.
        let whole = memchr::memrchr(b'\n', fits).map_or(fits.len(), |newline| newline + 1);
        (&self.stream).write(&fits[..whole])
    }
}

impl Write for WholeLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.attempt(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stream.wait_to_write(None);
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.stream).flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{PipeReader, Read},
        thread,
    };

    use super::*;

    fn pipe() -> (PipeReader, WholeLines) {
        let (reader, writer) = io::pipe().expect("a pipe");
        (reader, WholeLines::new(Stream::of_pipe(writer)))
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

    #[cfg(unix)]
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
