//! The number of lines and bytes of a log that may still be shown.

use memchr::memchr;

use crate::{
    event::{Line, Spool},
    lines::{is_cut, length},
};

/// The most bytes of a line of the shortest message: a timestamp with an offset, a space, and the newline.
const LONGEST_STAMPED: u64 = "2006-01-02T15:04:05.999999999+07:00 \n".len() as u64;

/// `--tail` of a log that is read as it is, and `--limit-bytes`. By default there is no bound.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub lines: Option<u64>,
    /// With newlines, without timestamps, which the log does not have.
    pub bytes: Option<u64>,
}

impl Quota {
    pub fn is_used_up(&self) -> bool {
        self.lines == Some(0) || self.bytes == Some(0)
    }

    /// The bytes to request, which are enough for all that may be shown: the kubelet counts timestamps too.
    pub fn bytes_to_request(&self) -> Option<u64> {
        self.bytes.map(|bytes| bytes.saturating_mul(LONGEST_STAMPED).min(i64::MAX as u64))
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
        let room = *bytes;
        // A message that was cut to the longest line ends before its rest and its newline, which do not come with the
        // longest ones.
        let message = match memchr(b'\n', &data[end..]) {
            Some(newline) => (end + newline + 1 - start) as u64,
            None => {
                let shown = &data[start..end];
                length(shown).max((data.len() - start) as u64).saturating_add(is_cut(shown).into())
            }
        };
        *bytes = bytes.saturating_sub(message);
        if room < (end - start) as u64 {
            line.end = line.start + room as u32;
        }
        true
    }

    /// Takes the rest of the line that was taken last, and cuts it where the bytes end. None: no part of it may be
    /// shown.
    pub fn take_rest(&mut self, rest: Spool) -> Option<Spool> {
        let Some(bytes) = &mut self.bytes else { return Some(rest) };
        if *bytes == 0 {
            return None;
        }
        // A file that cannot be cut is shown whole.
        let kept = rest.cut(*bytes).unwrap_or(u64::MAX);
        *bytes = bytes.saturating_sub(kept.saturating_add(1));
        Some(rest)
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
    fn bytes_are_counted_with_newlines_and_without_timestamps() {
        let bytes = |bytes| shown(Quota { lines: None, bytes: Some(bytes) });
        assert_eq!(bytes(8), ["one", "two"]);
        assert_eq!(bytes(7), ["one", "two"]);
        assert_eq!(bytes(6), ["one", "tw"]);
        assert_eq!(bytes(4), ["one"]);
        assert_eq!(bytes(3), ["one"]);
        assert_eq!(bytes(1), ["o"]);
        assert_eq!(bytes(0), [""; 0]);
    }

    /// The longest lines come without their newlines.
    #[test]
    fn a_cut_line_is_counted_with_a_newline_that_does_not_come() {
        let data = "T1 one … [4 bytes cut by --max-line]";
        for (data, newline) in [(data, 1), (&data[..6], 0)] {
            let mut quota = Quota { lines: None, bytes: Some(100) };
            quota.take(data.as_bytes(), &mut Line { time: None, start: 3, end: data.len() as u32 });
            assert_eq!(quota.bytes, Some(100 - (data.len() as u64 - 3 + newline)));
        }
    }

    #[test]
    fn as_many_bytes_are_requested_as_timestamps_may_need() {
        let requested = |bytes| Quota { lines: None, bytes: Some(bytes) }.bytes_to_request();
        assert_eq!((requested(2), requested(u64::MAX)), (Some(74), Some(i64::MAX as u64)));
    }

    /// Their rest does not come either.
    #[test]
    fn a_long_line_counts_with_all_that_was_cut_of_it() {
        let data = "T1 one … [50 bytes cut by --max-line]";
        let mut quota = Quota { lines: None, bytes: Some(100) };
        assert!(quota.take(data.as_bytes(), &mut Line { time: None, start: 3, end: data.len() as u32 }));
        assert_eq!(quota.bytes, Some(100 - 3 - 50 - 1));
    }
}
