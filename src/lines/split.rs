//! Splits bytes into lines, independent of the boundaries of reads.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr_iter;

use super::{
    long::{self, LineLimit, LongLine, Rest},
    stamps::{Piece, Stamps, Unstamped},
    timestamp::TimestampParser,
};
use crate::event::{Instant, Line};

/// Container runtimes split a long line into pieces whose size is a multiple of this.
const PIECE_UNIT: usize = 1 << 10;

/// No runtime splits a shorter line.
pub const SHORTEST_CUT: usize = 4 * PIECE_UNIT;

/// Longest timestamp, including the space after it.
const LONGEST_STAMP: usize = 40;

/// Complete lines, each without its newline.
#[derive(Debug, Default)]
pub struct Lines<P = Piece> {
    pub data: Bytes,
    pub pieces: Vec<P>,
    /// The part after the data of a single line that is too long for memory.
    pub rest: Rest,
}

/// Collects bytes until lines are complete.
pub struct Splitter<S = TimestampParser> {
    limit: LineLimit,
    pending: BytesMut,
    /// Number of bytes of `pending` that contain no newline.
    searched: usize,
    stamps: S,
    /// An incomplete line that is too long for memory; then nothing is pending.
    long: Option<Long>,
    /// A complete long line, which precedes the pending bytes.
    ended: Option<(BytesMut, Rest)>,
}

struct Long {
    /// The unparsed timestamp.
    stamp: BytesMut,
    line: LongLine,
    /// The position of the next stamp inside the line, which must be removed.
    joint: Option<Joint>,
    /// Bytes that may begin with such a stamp.
    unjoined: BytesMut,
}

/// Pieces of one line, each with a stamp.
#[derive(Clone, Copy)]
struct Joint {
    size: usize,
    /// Bytes before the next stamp.
    left: usize,
}

impl Splitter {
    /// For lines that the kubelet stamps.
    pub fn new(limit: LineLimit) -> Self {
        Self::with(TimestampParser::default(), limit)
    }
}

impl Splitter<Unstamped> {
    /// For lines without timestamps.
    pub fn unstamped(limit: LineLimit) -> Self {
        Self::with(Unstamped, limit)
    }
}

impl<S: Stamps> Splitter<S> {
    fn with(stamps: S, limit: LineLimit) -> Self {
        Self { limit, pending: BytesMut::new(), searched: 0, stamps, long: None, ended: None }
    }

    /// Number of bytes held of an incomplete line.
    pub fn held(&self) -> u64 {
        let long = self
            .long
            .as_ref()
            .map(|long| long.stamp.len() as u64 + long.line.length() + long.unjoined.len() as u64);
        long.unwrap_or(self.pending.len() as u64)
    }

    /// The instant of the incomplete line that is held, once there are no more complete ones.
    pub fn begun(&mut self) -> Option<Instant> {
        let held = self.long.as_ref().map_or(&self.pending, |long| &long.stamp);
        self.stamps.stamp(held).map(|(time, _)| time)
    }

    pub fn push(&mut self, chunk: &[u8]) {
        let mut chunk = chunk;
        if self.long.is_some() {
            let end = memchr::memchr(b'\n', chunk);
            self.lengthen(&chunk[..end.unwrap_or(chunk.len())]);
            let Some(end) = end else { return };
            self.end_long(u64::MAX);
            chunk = &chunk[end + 1..];
        }
        self.pending.extend_from_slice(chunk);
    }

    /// The next complete lines; None if there are no more. A long line comes alone.
    pub fn lines(&mut self) -> Option<Lines<S::Piece>> {
        if let Some(ended) = self.ended.take() {
            return Some(self.long_line(ended));
        }
        let last = memchr::memrchr(b'\n', &self.pending[self.searched..]);
        let Some(end) = last.map(|at| self.searched + at + 1) else {
            self.searched = self.pending.len();
            if self.pending.len() > long::held(self.limit) {
                self.begin_long();
            }
            return None;
        };
        self.searched = 0;
        let mut data = self.pending.split_to(end);
        // An estimate that rarely has to grow: most log lines are longer.
        let mut pieces = Vec::with_capacity(data.len() / 64 + 1);
        let mut start = 0;
        for end in memchr_iter(b'\n', &data) {
            pieces.push(self.stamps.piece(&data, start, end));
            start = end + 1;
        }
        self.join(&mut data, &mut pieces, u64::MAX);
        Some(Lines { data: data.freeze(), pieces, rest: Rest::Nothing })
    }

    /// The last line, which has no newline, once all bytes are pushed.
    pub fn rest(&mut self) -> Option<Lines<S::Piece>> {
        self.rest_within(u64::MAX)
    }

    /// The same if only so many bytes of its message are wanted: a mark of a cut does not count the others.
    pub fn rest_within(&mut self, bytes: u64) -> Option<Lines<S::Piece>> {
        if self.long.is_some() {
            self.end_long(bytes);
        }
        if let Some(ended) = self.ended.take() {
            return Some(self.long_line(ended));
        }
        if self.pending.is_empty() {
            return None;
        }
        self.searched = 0;
        let mut data = self.pending.split();
        let mut pieces = vec![self.stamps.piece(&data, 0, data.len())];
        self.join(&mut data, &mut pieces, bytes);
        Some(Lines { data: data.freeze(), pieces, rest: Rest::Nothing })
    }

    fn begin_long(&mut self) {
        self.searched = 0;
        let mut read = self.pending.split();
        let (time, length) = self.stamps.stamp(&read).unzip();
        let stamp = read.split_to(length.unwrap_or(0));
        let joint = self.first_cut(&read, time).map(|size| Joint { size, left: size });
        let line = LongLine::new(self.limit);
        self.long = Some(Long { stamp, line, joint, unjoined: BytesMut::new() });
        self.lengthen(&read);
    }

    /// Adds more bytes to the long line, without the stamps inside.
    fn lengthen(&mut self, bytes: &[u8]) {
        let Some(long) = &mut self.long else { return };
        let Some(mut joint) = long.joint else { return long.line.push(bytes) };
        long.unjoined.extend_from_slice(bytes);
        loop {
            let piece = long.unjoined.split_to(joint.left.min(long.unjoined.len()));
            long.line.push(&piece);
            joint.left -= piece.len();
            if joint.left > 0 || long.unjoined.len() < LONGEST_STAMP {
                break;
            }
            let Some((_, length)) = self.stamps.stamp(&long.unjoined) else {
                long.line.push(&long.unjoined.split());
                long.joint = None;
                return;
            };
            long.unjoined.advance(length);
            joint.left = joint.size;
        }
        long.joint = Some(joint);
    }

    fn end_long(&mut self, bytes: u64) {
        let Some(mut long) = self.long.take() else { return };
        if long.joint.is_some_and(|joint| joint.left == 0)
            && let Some((_, length)) = self.stamps.stamp(&long.unjoined)
        {
            long.unjoined.advance(length);
        }
        long.line.push(&long.unjoined);
        long.line.shorten(bytes);
        let (head, rest) = long.line.end();
        long.stamp.extend_from_slice(&head);
        self.ended = Some((long.stamp, rest));
    }

    fn long_line(&mut self, (data, rest): (BytesMut, Rest)) -> Lines<S::Piece> {
        let pieces = vec![self.stamps.piece(&data, 0, data.len())];
        Lines { data: data.freeze(), pieces, rest }
    }

    /// Cuts long messages, and removes the timestamps inside them: older kubelets put one before each piece of a line
    /// that the container runtime split (kubernetes/kubernetes#77603).
    fn join(&mut self, data: &mut [u8], pieces: &mut [S::Piece], bytes: u64) {
        for piece in pieces {
            if let Some(line) = S::line(piece)
                && (line.end - line.start) as usize > SHORTEST_CUT.min(self.limit.bytes)
            {
                self.join_line(data, line);
                let end = u64::from(line.end).min(u64::from(line.start).saturating_add(bytes));
                let message = &mut data[line.start as usize..end as usize];
                line.end = line.start + long::cut(message, self.limit) as u32;
            }
        }
    }

    /// The position of the container runtime's first cut in a message, found by the stamp there.
    fn first_cut(&mut self, message: &[u8], time: Option<Instant>) -> Option<usize> {
        // Times in a program's message are earlier than the runtime's stamp, and rarely at such a position.
        let mut cuts = (SHORTEST_CUT..message.len()).step_by(PIECE_UNIT);
        cuts.find(|cut| self.stamps.stamp(&message[*cut..]).is_some_and(|(at, _)| Some(at) >= time))
    }

    fn join_line(&mut self, data: &mut [u8], line: &mut Line) {
        let (start, end) = (line.start as usize, line.end as usize);
        let Some(size) = self.first_cut(&data[start..end], line.time) else { return };
        let (mut from, mut to) = (start + size, start + size);
        while let Some((time, length)) = self.stamps.stamp(&data[from..end])
            && Some(time) >= line.time
        {
            let piece = from + length..end.min(from + length + size);
            from = piece.end;
            data.copy_within(piece.clone(), to);
            to += piece.len();
        }
        data.copy_within(from..end, to);
        line.end = (to + end - from) as u32;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Item;

    trait Shown {
        fn shown(&self, data: &[u8]) -> String;
    }

    fn text(data: &[u8], start: u32, end: u32) -> String {
        String::from_utf8_lossy(&data[start as usize..end as usize]).into_owned()
    }

    impl Shown for Piece {
        fn shown(&self, data: &[u8]) -> String {
            match *self {
                Piece::Line(line) => text(data, line.start, line.end),
                Piece::Untimed { start, end } => format!("untimed {}", text(data, start, end)),
            }
        }
    }

    impl Shown for Item {
        fn shown(&self, data: &[u8]) -> String {
            match self {
                Item::Line(line) => text(data, line.start, line.end),
                other => format!("{other:?}"),
            }
        }
    }

    fn texts<P: Shown>(lines: &Lines<P>) -> Vec<String> {
        let mut texts: Vec<String> = lines.pieces.iter().map(|piece| piece.shown(&lines.data)).collect();
        if let Rest::Kept(rest) = &lines.rest {
            texts[0] += &std::io::read_to_string(rest.reader()).expect("text");
        }
        texts
    }

    /// All lines of `input` when reads end at `cuts`.
    fn split(input: &[u8], cuts: &[usize]) -> Vec<String> {
        split_within(WHOLE, input, cuts)
    }

    const WHOLE: LineLimit = LineLimit { bytes: 1 << 20, spool: false };

    fn split_within(limit: LineLimit, input: &[u8], cuts: &[usize]) -> Vec<String> {
        texts_of(Splitter::new(limit), input, cuts)
    }

    fn texts_of<S: Stamps<Piece: Shown>>(
        mut splitter: Splitter<S>,
        input: &[u8],
        cuts: &[usize],
    ) -> Vec<String> {
        let (mut shown, mut from) = (Vec::new(), 0);
        for &cut in cuts.iter().chain([&input.len()]) {
            splitter.push(&input[from..cut.max(from)]);
            from = cut.max(from);
            while let Some(lines) = splitter.lines() {
                shown.extend(texts(&lines));
            }
        }
        while let Some(lines) = splitter.rest() {
            shown.extend(texts(&lines));
        }
        shown
    }

    const LOG: &str = "2026-05-31T23:59:59.123456789Z one\n2026-05-31T23:59:59.2Z \nrpc error: x\n2026-05-31T23:59:59Z 로그";

    #[test]
    fn every_single_cut_gives_the_same_lines() {
        for cut in 0..=LOG.len() {
            assert_eq!(
                split(LOG.as_bytes(), &[cut]),
                ["one", "", "untimed rpc error: x", "로그"],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_mark_does_not_count_the_bytes_of_the_last_line_that_are_not_wanted() {
        for length in [200, 200_000] {
            let mut splitter = Splitter::new(LineLimit { bytes: 10, spool: false });
            splitter.push(format!("2026-05-31T23:59:59Z {}", "x".repeat(length)).as_bytes());
            assert!(splitter.lines().is_none());
            let rest = splitter.rest_within(100).expect("the line");
            assert_eq!(texts(&rest), ["xxxxxxxxxx … [90 bytes cut by --max-line]"]);
        }
    }

    #[test]
    fn the_instant_of_a_line_is_known_before_its_end_however_long_it_is() {
        let time = TimestampParser::default().parse(b"2026-05-31T23:59:59Z ").map(|(time, _)| time);
        for (text, expected) in [("", None), ("2026-05-31T23:59:59Z", None), ("2026-05-31T23:59:59Z x", time)]
        {
            for length in [0, 200_000] {
                let mut splitter = Splitter::new(LineLimit { bytes: 10, spool: false });
                splitter.push(format!("{text}{}", "x".repeat(length)).as_bytes());
                assert!(splitter.lines().is_none());
                assert_eq!(splitter.begun(), expected, "{text} {length}");
            }
        }
    }

    #[test]
    fn a_line_waits_for_its_newline() {
        let mut splitter = Splitter::new(WHOLE);
        splitter.push(b"2026-05-31T23:59:59Z half");
        assert!(splitter.lines().is_none());
        splitter.push(b" and whole\n");
        assert_eq!(texts(&splitter.lines().expect("a whole line")), ["half and whole"]);
        assert!(splitter.rest().is_none());
    }

    /// A line from a kubelet that stamps every piece, and its message.
    fn cut_line(length: usize, size: usize) -> (String, String) {
        let message: String = (0..length).map(|at| char::from(b'a' + (at / 100 % 26) as u8)).collect();
        let stamp = |at: usize| format!("2026-05-31T23:59:{at:02}.000000001Z ");
        let cut: String = (0..=length / size)
            .map(|n| stamp(n) + &message[n * size..length.min(size.saturating_mul(n + 1))])
            .collect();
        (cut, message)
    }

    #[test]
    fn stamps_inside_a_long_line_are_taken_out() {
        for size in [8 << 10, 16 << 10] {
            for length in [size + 1, 2 * size, 3 * size - 1, 3 * size, 3 * size + 5000] {
                let (cut, message) = cut_line(length, size);
                let lines = [cut.as_str(), "2026-05-31T23:59:59Z next"].join("\n");
                assert!(split(lines.as_bytes(), &[]) == [&message, "next"], "{length} by {size}");
                assert!(split(cut.as_bytes(), &[]) == [message], "{length} by {size} without a newline");
            }
        }
    }

    #[test]
    fn a_timestamp_within_a_long_line_is_kept() {
        let message = "x".repeat(16 << 10) + "2026-05-31T23:59:59Z and more";
        let line = format!("2026-05-31T23:59:59.5Z {message}");
        assert!(split(line.as_bytes(), &[]) == [message]);
    }

    const SPOOLED: LineLimit = LineLimit { bytes: 1000, spool: true };

    /// A line of 300 KiB from either kind of kubelet, between others, and its message.
    fn long_log(size: usize) -> (String, String) {
        let (line, message) = cut_line(300 << 10, size);
        (format!("2026-05-31T23:59:59Z before\n{line}\n2026-05-31T23:59:59Z next\n"), message)
    }

    #[test]
    fn a_line_of_any_length_is_whole_in_bounded_memory() {
        for size in [8 << 10, 16 << 10, usize::MAX] {
            let (log, message) = long_log(size);
            for read in [7, 1000, 70_000] {
                let cuts: Vec<usize> = (0..log.len()).step_by(read).collect();
                let shown = split_within(SPOOLED, log.as_bytes(), &cuts);
                assert!(shown == ["before", &message, "next"], "{size} by {read}: {} lines", shown.len());
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_wherever_the_reads_end() {
        let limit = LineLimit { spool: false, ..SPOOLED };
        for size in [16 << 10, usize::MAX] {
            let (log, message) = long_log(size);
            let cut = format!("{} … [{} bytes cut by --max-line]", &message[..1000], message.len() - 1000);
            for read in [1000, 70_000, log.len()] {
                let cuts: Vec<usize> = (0..log.len()).step_by(read).collect();
                assert_eq!(split_within(limit, log.as_bytes(), &cuts), ["before", &cut, "next"], "{read}");
            }
        }
    }

    #[test]
    fn without_stamps_a_line_is_its_message() {
        for size in [16 << 10, usize::MAX] {
            let (log, _) = long_log(size);
            let lines: Vec<&str> = log.lines().collect();
            for read in [1000, 70_000, log.len()] {
                let cuts: Vec<usize> = (0..log.len()).step_by(read).collect();
                let shown = texts_of(Splitter::unstamped(SPOOLED), log.as_bytes(), &cuts);
                assert!(shown == lines, "{size} by {read}: {} lines", shown.len());
            }
        }
    }

    #[test]
    fn little_is_held_of_a_long_line() {
        let mut splitter = Splitter::new(LineLimit { spool: false, ..SPOOLED });
        splitter.push(b"2026-05-31T23:59:59Z ");
        for _ in 0..1000 {
            splitter.push(&[b'x'; 1000]);
            assert!(splitter.lines().is_none());
            assert!(splitter.pending.len() < 70_000);
        }
        assert!(splitter.rest().is_some_and(|lines| lines.data.len() < 1100));
    }

    proptest! {
        #[test]
        fn any_cuts_give_the_same_lines(messages in prop::collection::vec("[^\n]{0,20}", 0..20), cuts in prop::collection::vec(0usize..1000, 0..20)) {
            let input: String = messages.iter().map(|m| format!("2026-05-31T23:59:59.5Z {m}\n")).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= input.len()).collect();
            cuts.sort_unstable();
            prop_assert_eq!(split(input.as_bytes(), &cuts), messages);
        }
    }
}
