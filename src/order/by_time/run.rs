//! Sorted records in a temporary file without a name, of which a block is in memory.

use std::{fs::File, io};

use super::record;
use crate::platform::files::{read_exact_at, write_all_at};

/// Bytes that are read and written at once.
const BLOCK: usize = 64 << 10;

/// Records in order.
#[derive(Debug)]
pub struct Run {
    file: Option<File>,
    /// The part of the file that is not in memory yet.
    from: u64,
    to: u64,
    /// Records behind those of the file, for which it had no room.
    tail: Vec<u8>,
    block: Vec<u8>,
    /// The position of the first record in the block.
    at: usize,
}

impl Run {
    /// The first record, and nothing if there are no more.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.block[self.at..]
    }

    /// Drops the first record, and makes the next one the first.
    pub fn advance(&mut self) -> io::Result<()> {
        self.at += record::size(self.bytes()).unwrap_or_default();
        self.fill()
    }

    /// Completes the first record.
    fn fill(&mut self) -> io::Result<()> {
        while record::size(self.bytes()).is_none_or(|size| size > self.bytes().len()) {
            if self.from == self.to {
                if self.tail.is_empty() {
                    return Ok(());
                }
                let tail = std::mem::take(&mut self.tail);
                self.block.drain(..self.at);
                self.at = 0;
                self.block.extend_from_slice(&tail);
                continue;
            }
            self.block.drain(..self.at);
            self.at = 0;
            let (held, more) = (self.block.len(), (self.to - self.from).min(BLOCK as u64));
            self.block.resize(held + more as usize, 0);
            if let Some(file) = &self.file
                && let Err(error) = read_exact_at(file, &mut self.block[held..], self.from)
            {
                self.block.truncate(held);
                return Err(error);
            }
            self.from += more;
        }
        Ok(())
    }
}

/// Writes a run. If that fails nothing is lost: what is not written stays in memory.
#[derive(Debug)]
pub struct Writer {
    file: Option<File>,
    written: u64,
    block: Vec<u8>,
}

impl Writer {
    pub fn new() -> io::Result<Writer> {
        Ok(Writer { file: Some(tempfile::tempfile()?), written: 0, block: Vec::with_capacity(BLOCK) })
    }

    /// Takes the bytes of a record in any case; an error says that no more should come.
    pub fn push(&mut self, record: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(record);
        if self.block.len() < BLOCK {
            return Ok(());
        }
        if let Some(file) = &self.file {
            write_all_at(file, &self.block, self.written)?;
        }
        self.written += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }

    pub fn finish(self) -> io::Result<Run> {
        let Writer { file, written, block } = self;
        let mut run = Run { file, from: 0, to: written, tail: block, block: Vec::new(), at: 0 };
        run.fill()?;
        Ok(run)
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    impl Writer {
        /// Every write to it fails.
        pub fn full() -> Writer {
            let file = File::open(crate::platform::files::NULL).expect("a file that cannot be written");
            Writer { file: Some(file), written: 0, block: Vec::new() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::{Content, Record},
        *,
    };
    use crate::platform::files::NULL;

    fn write(writer: &mut Writer, key: i64, length: usize) -> io::Result<()> {
        let (mut bytes, message) = (Vec::new(), vec![b'x'; length]);
        Record { key, lane: 0, content: Content::Line { time: None, message: &message } }.write(&mut bytes);
        writer.push(&bytes)
    }

    fn keys(mut run: Run) -> Vec<i64> {
        let mut keys = Vec::new();
        while let Some(record) = record::read(run.bytes()) {
            keys.push(record.key);
            run.advance().expect("it is readable");
        }
        keys
    }

    #[test]
    fn records_of_any_size_come_back_in_order() {
        let mut writer = Writer::new().expect("a file");
        let sizes = [0, 1, BLOCK - 24, BLOCK, 3 * BLOCK, 100, BLOCK - 1, 7];
        for (key, size) in (0..).zip(sizes) {
            write(&mut writer, key, size).expect("room");
        }
        assert_eq!(
            keys(writer.finish().expect("it is readable")),
            (0..sizes.len() as i64).collect::<Vec<_>>()
        );
        assert_eq!(keys(Writer::new().expect("a file").finish().expect("it is readable")), [0; 0]);
    }

    #[test]
    fn without_room_nothing_is_lost() {
        let mut writer = Writer::new().expect("a file");
        for key in 0..3 {
            write(&mut writer, key, BLOCK).expect("room");
        }
        // What was written is elsewhere.
        let Writer { file, written, .. } = writer;
        let mut writer = Writer { file: Writer::full().file, written: 0, block: Vec::new() };
        assert!(write(&mut writer, 3, BLOCK).is_err());
        let run = Run { file, from: 0, to: written, tail: writer.block, block: Vec::new(), at: 0 };
        let mut run = run;
        run.fill().expect("it is readable");
        assert_eq!(keys(run), [0, 1, 2, 3]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let file = File::options().write(true).open(NULL).expect("a file that cannot be read");
        let mut run = Run { file: Some(file), from: 0, to: 100, tail: Vec::new(), block: Vec::new(), at: 0 };
        assert!(run.fill().is_err());
    }
}
