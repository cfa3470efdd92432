//! One file of a log: the entries that a container wrote between two rotations.

use jiff::Timestamp;

/// `2026-01-31T10:00:00.000000000Z `
const STAMP: usize = 31;

#[derive(Default)]
pub(crate) struct File {
    /// Its place among the files of the log.
    pub number: u64,
    /// Followers go on to it by themselves once they have read the file before.
    pub follows: bool,
    /// The entries that it had when the next file was created, since when followers that wait read no more of it.
    pub frozen: Option<usize>,
    /// All entries as they are sent with `timestamps=true`.
    data: Vec<u8>,
    entries: Vec<Entry>,
    second: (i64, String),
}

/// One write of the container, normally a line.
struct Entry {
    start: usize,
    /// Nanoseconds since the Unix epoch; None for a message that is not from the container.
    time: Option<i64>,
    /// Length of the leading timestamp in bytes; 0 if the entry has none.
    stamp: u8,
}

fn instant(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).expect("every i64 of nanoseconds is an instant")
}

/// Nanoseconds since the Unix epoch, clamped to the range of `i64`.
pub(crate) fn nanoseconds(at: Timestamp) -> i64 {
    let at = at.as_nanosecond();
    i64::try_from(at).unwrap_or(if at < 0 { i64::MIN } else { i64::MAX })
}

impl File {
    pub fn new(number: u64, follows: bool) -> Self {
        File { number, follows, ..File::default() }
    }

    /// The number of its entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bytes of an entry, without its timestamp unless that is wanted, and whether it is not older than `since`.
    pub fn entry(&self, at: usize, stamped: bool, since: Option<i64>) -> (&[u8], bool) {
        let entry = &self.entries[at];
        let end = self.entries.get(at + 1).map_or(self.data.len(), |next| next.start);
        let is_old = since.is_some_and(|since| entry.time.is_some_and(|time| time < since));
        let skip = if stamped { 0 } else { usize::from(entry.stamp) };
        (&self.data[entry.start + skip..end], !is_old)
    }

    /// Adds lines; the first is stamped `start`, the others follow in steps of `step` nanoseconds.
    pub fn lines<L: AsRef<[u8]>>(&mut self, start: Timestamp, step: i64, lines: impl IntoIterator<Item = L>) {
        let start = nanoseconds(start);
        for (n, line) in lines.into_iter().enumerate() {
            self.line(instant(start + n as i64 * step), line.as_ref());
        }
    }

    pub fn line(&mut self, at: Timestamp, line: &[u8]) {
        self.piece(at, line);
        self.data.push(b'\n');
    }

    /// Adds bytes, which the next piece or line may continue.
    pub fn piece(&mut self, at: Timestamp, bytes: &[u8]) {
        self.begin(Some(nanoseconds(at)), STAMP as u8);
        self.stamp(at);
        self.data.extend_from_slice(bytes);
    }

    /// Adds a message of the kubelet.
    pub fn message(&mut self, text: &[u8]) {
        self.begin(None, 0);
        self.data.extend_from_slice(text);
        self.data.push(b'\n');
    }

    fn begin(&mut self, time: Option<i64>, stamp: u8) {
        self.entries.push(Entry { start: self.data.len(), time, stamp });
    }

    fn stamp(&mut self, at: Timestamp) {
        // Formatting a date costs more than the rest of a line, and the second seldom changes.
        let mut nanosecond = at.subsec_nanosecond();
        let mut second = at.as_second();
        if nanosecond < 0 {
            nanosecond += 1_000_000_000;
            second -= 1;
        }
        if self.second.0 != second || self.second.1.is_empty() {
            self.second = (second, at.strftime("%Y-%m-%dT%H:%M:%S.").to_string());
        }
        self.data.extend_from_slice(self.second.1.as_bytes());
        let mut digits = *b"000000000Z ";
        for digit in digits[..9].iter_mut().rev() {
            *digit = b'0' + (nanosecond % 10) as u8;
            nanosecond /= 10;
        }
        self.data.extend_from_slice(&digits);
    }
}
