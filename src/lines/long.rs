//! Limits the memory of a long line: further bytes are cut, or kept in a file.

use std::{
    env,
    fs::File,
    io::{self, Write},
};

use crate::{event::Spool, without_number};

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
    let mark = mark((message.len() - kept) as u64, BY_LIMIT);
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

/// The reasons for a cut, as its mark names them.
const BY_LIMIT: &str = "by --max-line";
const WITHOUT_ROOM: &str = "for want of room on disk";

fn mark(cut: u64, reason: &str) -> String {
    format!(" … [{cut} bytes cut {reason}]")
}

/// Whether a message has the mark of a cut.
pub fn is_cut(message: &[u8]) -> bool {
    uncut(message).len() < message.len()
}

/// A message without the mark of a cut.
pub fn uncut(message: &[u8]) -> &[u8] {
    let marked = || {
        let marked = message.strip_suffix(b"]")?;
        let number = [BY_LIMIT, WITHOUT_ROOM]
            .iter()
            .find_map(|reason| marked.strip_suffix(reason.as_bytes())?.strip_suffix(b" bytes cut "))?;
        let digits = number.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        number[..number.len() - digits].strip_suffix(" … [".as_bytes())
    };
    marked().unwrap_or(message)
}

/// The length of a message before it was cut, as its mark says.
pub fn length(message: &[u8]) -> u64 {
    let kept = uncut(message).len();
    let digits = message[kept..].iter().filter(|byte| byte.is_ascii_digit());
    let cut = digits.fold(0_u64, |n, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    cut.saturating_add(kept as u64)
}

/// The part of a long line behind its head.
#[derive(Debug, Default)]
pub enum Rest {
    /// There is none, or it was cut on purpose.
    #[default]
    Nothing,
    Kept(Spool),
    /// The line should be whole, and this prevents it.
    Lost(io::Error),
}

impl Rest {
    /// The report of a rest that is lost.
    pub fn loss(&self) -> Option<String> {
        let Rest::Lost(error) = self else { return None };
        let (directory, reason) = (env::temp_dir(), without_number(error));
        let directory = directory.display();
        Some(format!(
            "a line is cut: there is no room for it in the temporary directory {directory}: {reason}"
        ))
    }

    pub fn kept(self) -> Option<Spool> {
        match self {
            Rest::Kept(spool) => Some(spool),
            Rest::Nothing | Rest::Lost(_) => None,
        }
    }
}

/// A line longer than the limit, while more of it arrives.
pub struct LongLine {
    limit: LineLimit,
    head: Vec<u8>,
    /// Bytes beyond the head.
    beyond: u64,
    store: Store,
}

/// The place of the bytes beyond the head.
enum Store {
    Nowhere,
    File(File),
    Failed(io::Error),
}

impl LongLine {
    pub fn new(limit: LineLimit) -> Self {
        let store = match limit.spool {
            true => tempfile::tempfile().map_or_else(Store::Failed, Store::File),
            false => Store::Nowhere,
        };
        Self { limit, head: Vec::new(), beyond: 0, store }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.limit.bytes.saturating_sub(self.head.len()).min(bytes.len());
        let (head, beyond) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        if let Store::File(file) = &mut self.store
            && let Err(error) = file.write_all(beyond)
        {
            self.store = Store::Failed(error);
        }
        self.beyond += beyond.len() as u64;
    }

    /// Takes only so many bytes for wanted.
    pub fn shorten(&mut self, bytes: u64) {
        self.beyond = self.beyond.min(bytes.saturating_sub(self.head.len() as u64));
    }

    /// Number of bytes received.
    pub fn length(&self) -> u64 {
        self.head.len() as u64 + self.beyond
    }

    /// The complete message: the part in memory, with a mark if it was cut, and the rest.
    pub fn end(mut self) -> (Vec<u8>, Rest) {
        let (reason, rest) = match self.store {
            Store::File(file) => return (self.head, Rest::Kept(Spool::new(file))),
            Store::Nowhere => (BY_LIMIT, Rest::Nothing),
            Store::Failed(error) => (WITHOUT_ROOM, Rest::Lost(error)),
        };
        let kept = whole(&self.head);
        let cut = self.beyond + (self.head.len() - kept) as u64;
        self.head.truncate(kept);
        self.head.extend_from_slice(mark(cut, reason).as_bytes());
        (self.head, rest)
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
        let (head, rest) = line.end();
        let rest = rest.kept().map(|spool| io::read_to_string(spool.reader()).expect("text"));
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
    fn a_rest_that_cannot_be_stored_is_named_in_the_mark() {
        let mut line = LongLine::new(LineLimit { spool: true, ..CUT });
        line.push(b"abcdefg");
        line.store =
            Store::File(File::open(crate::platform::files::NULL).expect("a file that cannot be written"));
        line.push(b"hi");
        let (head, rest) = line.end();
        assert_eq!(String::from_utf8_lossy(&head), "abcde … [4 bytes cut for want of room on disk]");
        assert!(is_cut(&head));
        assert_eq!(uncut(&head), b"abcde");
        assert_eq!(uncut(b"a [4 bytes cut by --max-line]"), b"a [4 bytes cut by --max-line]");
        let loss = rest.loss().expect("a report");
        assert!(loss.starts_with("a line is cut: ") && !loss.contains("os error"), "{loss}");
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
