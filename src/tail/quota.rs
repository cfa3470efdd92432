//! The number of lines and bytes of a log that may still be shown.

use memchr::{memchr, memrchr};

use crate::event::Line;

/// `--tail` of a log that is read as it is, and `--limit-bytes`. By default there is no bound.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub lines: Option<u64>,
    /// As the kubelet counts them: with timestamps and newlines.
    pub bytes: Option<u64>,
}

impl Quota {
    pub fn is_used_up(&self) -> bool {
        self.lines == Some(0) || self.bytes == Some(0)
    }

    /// Takes a line of `data` and cuts it where the bytes end. False: no part of it may be shown.
    pub fn take(&mut self, data: &[u8], line: &mut Line) -> bool {
        if self.is_used_up() {
            return false;
        }
        if let Some(lines) = &mut self.lines {
            *lines -= 1;
        }
        let Some(bytes) = &mut self.bytes else { return true };
        let (start, end) = (line.start as usize, line.end as usize);
        let stamp = start - memrchr(b'\n', &data[..start]).map_or(0, |newline| newline + 1);
        // A message that was cut to the longest line ends before its newline.
        let message = memchr(b'\n', &data[end..]).map_or(data.len(), |newline| end + newline + 1) - start;
        let room = bytes.saturating_sub(stamp as u64);
        *bytes = bytes.saturating_sub((stamp + message) as u64);
        if room < (end - start) as u64 {
            line.end = line.start + room as u32;
        }
        room > 0
    }

    /// Takes bytes that are not a line.
    pub fn take_bytes(&mut self, count: usize) {
        self.bytes = self.bytes.map(|bytes| bytes.saturating_sub(count as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &[u8] = b"T1 one\nT2 two\n";
    const LINES: [(u32, u32); 2] = [(3, 6), (10, 13)];

    /// The part of two lines that may be shown.
    fn shown(mut quota: Quota) -> Vec<&'static str> {
        let mut shown = Vec::new();
        for (start, end) in LINES {
            let mut line = Line { time: None, start, end };
            if quota.take(DATA, &mut line) {
                shown.push(std::str::from_utf8(&DATA[line.start as usize..line.end as usize]).unwrap());
            }
        }
        shown
    }

    #[test]
    fn without_bounds_all_is_shown() {
        assert_eq!(shown(Quota::default()), ["one", "two"]);
    }

    #[test]
    fn lines_are_counted() {
        assert_eq!(shown(Quota { lines: Some(1), bytes: None }), ["one"]);
    }

    #[test]
    fn bytes_are_counted_with_timestamps_and_newlines() {
        let bytes = |bytes| shown(Quota { lines: None, bytes: Some(bytes) });
        assert_eq!(bytes(14), ["one", "two"]);
        assert_eq!(bytes(12), ["one", "tw"]);
        assert_eq!(bytes(10), ["one"]);
        assert_eq!(bytes(7), ["one"]);
        assert_eq!(bytes(4), ["o"]);
        assert_eq!(bytes(0), [""; 0]);
    }
}
