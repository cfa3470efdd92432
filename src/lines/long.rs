//! Limits the memory of a long line: further bytes are cut, or kept in a file.

use std::{fs::File, io::Write};

use crate::event::Spool;

/// Bytes of a line that are kept in memory in any case; few where lines come from a fuzzer, whose inputs are short.
const HELD: usize = if cfg!(fuzzing) { 5 << 10 } else { 64 << 10 };

/// Room for the mark of a cut, so that cutting never makes a line longer.
const MARK: usize = 64;

/// Limits on the length of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineLimit {
    /// Bytes of a message.
    pub bytes: usize,
    /// Whether bytes beyond the limit are kept in a file until the line is complete, instead of being cut.
    pub spool: bool,
}

/// Most bytes to hold of an incomplete line, including its timestamp.
pub fn held(limit: LineLimit) -> usize {
    limit.bytes.max(HELD) + 2 * MARK
}

/// Cuts a complete message in place, and gives its length with the mark.
pub fn cut(message: &mut [u8], limit: LineLimit) -> usize {
    if limit.spool || message.len() <= limit.bytes + MARK {
        return message.len();
    }
    let kept = whole(&message[..limit.bytes]);
    let mark = mark((message.len() - kept) as u64);
    message[kept..kept + mark.len()].copy_from_slice(mark.as_bytes());
    kept + mark.len()
}

/// The length of `bytes` without an incomplete character at the end.
fn whole(bytes: &[u8]) -> usize {
    let length = bytes.len();
    for back in 1..=length.min(3) {
        let wanted = match bytes[length - back] {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        return if wanted > back { length - back } else { length };
    }
    length
}

fn mark(cut: u64) -> String {
    format!(" … [{cut} bytes cut by --max-line]")
}

/// Whether a message has the mark of a cut.
pub fn is_cut(message: &[u8]) -> bool {
    message.ends_with(b" bytes cut by --max-line]")
}

/// A line longer than the limit, while more of it arrives.
pub struct LongLine {
    limit: LineLimit,
    head: Vec<u8>,
    /// Bytes beyond the head.
    beyond: u64,
    spool: Option<File>,
}

impl LongLine {
    pub fn new(limit: LineLimit) -> Self {
        // If no file can be created, the line is cut.
        let spool = if limit.spool { tempfile::tempfile().ok() } else { None };
        Self { limit, head: Vec::new(), beyond: 0, spool }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.limit.bytes.saturating_sub(self.head.len()).min(bytes.len());
        let (head, beyond) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        let written = self.spool.as_mut().map(|file| file.write_all(beyond));
        if matches!(written, Some(Err(_))) {
            self.spool = None;
        }
        self.beyond += beyond.len() as u64;
    }

    /// Number of bytes received.
    pub fn length(&self) -> u64 {
        self.head.len() as u64 + self.beyond
    }

    /// The complete message: the part in memory, and the rest if it was kept.
    pub fn end(mut self) -> (Vec<u8>, Option<Spool>) {
        match self.spool {
            Some(file) => (self.head, Some(Spool::new(file))),
            None => {
                let kept = whole(&self.head);
                let cut = self.beyond + (self.head.len() - kept) as u64;
                self.head.truncate(kept);
                self.head.extend_from_slice(mark(cut).as_bytes());
                (self.head, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUT: LineLimit = LineLimit { bytes: 5, spool: false };

    fn cut_text(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let left = cut(&mut bytes, CUT);
        String::from_utf8_lossy(&bytes[..left]).into_owned()
    }

    fn ended(parts: &[&str], limit: LineLimit) -> (String, Option<String>) {
        let mut line = LongLine::new(limit);
        parts.iter().for_each(|part| line.push(part.as_bytes()));
        let (head, spool) = line.end();
        let rest = spool.map(|spool| std::io::read_to_string(spool.reader().expect("a file")).expect("text"));
        (String::from_utf8_lossy(&head).into_owned(), rest)
    }

    #[test]
    fn the_mark_of_a_cut_has_the_missing_length() {
        assert_eq!(cut_text(&"x".repeat(1000)), "xxxxx … [995 bytes cut by --max-line]");
        assert_eq!(ended(&["xx", "xxxx", "xxx"], CUT).0, "xxxxx … [4 bytes cut by --max-line]");
    }

    #[test]
    fn a_line_that_a_mark_would_make_longer_is_left_whole() {
        let text = "x".repeat(5 + MARK);
        assert_eq!(cut_text(&text), text);
    }

    #[test]
    fn no_character_is_cut_in_two() {
        assert_eq!(cut_text(&("xxx".to_owned() + &"한".repeat(100))), "xxx … [300 bytes cut by --max-line]");
        assert_eq!(ended(&["xxxx한한"], CUT).0, "xxxx … [6 bytes cut by --max-line]");
        assert_eq!(ended(&["xx한한"], CUT).0, "xx한 … [3 bytes cut by --max-line]");
    }

    #[test]
    fn bytes_beyond_the_limit_are_kept_in_a_file() {
        let kept = ended(&["abc", "defg", "h"], LineLimit { spool: true, ..CUT });
        assert_eq!(kept, ("abcde".to_owned(), Some("fgh".to_owned())));
    }
}
