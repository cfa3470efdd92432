//! Cuts what was read into lines, wherever the reads happen to end.

use bytes::{Bytes, BytesMut};
use memchr::memchr_iter;

use super::timestamp::TimestampParser;
use crate::batch::Line;

/// Container runtimes keep a long line in pieces of some multiple of this many bytes.
const PIECE_UNIT: usize = 1 << 10;

/// No runtime cuts a line that is shorter.
const SHORTEST_CUT: usize = 4 * PIECE_UNIT;

/// A line of the log, or a line that bears no timestamp: the kubelet writes its own errors into the stream
/// of a `200 OK` answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Line(Line),
    /// Where in the data it lies.
    Untimed {
        start: u32,
        end: u32,
    },
}

/// Collects what is read until lines are whole.
#[derive(Default)]
pub struct Splitter {
    pending: BytesMut,
    /// How much of `pending` is known to hold no newline.
    searched: usize,
    timestamps: TimestampParser,
}

impl Splitter {
    pub fn push(&mut self, chunk: &[u8]) {
        self.pending.extend_from_slice(chunk);
    }

    /// Bytes that wait, whole lines and the beginning of one.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The whole lines so far, each without its newline; None where there is none.
    pub fn lines(&mut self) -> Option<(Bytes, Vec<Piece>)> {
        let last = memchr::memrchr(b'\n', &self.pending[self.searched..]);
        let Some(end) = last.map(|at| self.searched + at + 1) else {
            self.searched = self.pending.len();
            return None;
        };
        self.searched = 0;
        let mut data = self.pending.split_to(end);
        // A guess that seldom has to grow: most log lines are longer than this.
        let mut pieces = Vec::with_capacity(data.len() / 100 + 1);
        let mut start = 0;
        for end in memchr_iter(b'\n', &data) {
            pieces.push(self.piece(&data, start, end));
            start = end + 1;
        }
        self.join(&mut data, &mut pieces);
        Some((data.freeze(), pieces))
    }

    /// The line that was not ended by a newline, for when no more comes.
    pub fn rest(&mut self) -> Option<(Bytes, Vec<Piece>)> {
        if self.pending.is_empty() {
            return None;
        }
        self.searched = 0;
        let mut data = self.pending.split();
        let mut pieces = vec![self.piece(&data, 0, data.len())];
        self.join(&mut data, &mut pieces);
        Some((data.freeze(), pieces))
    }

    fn piece(&mut self, data: &[u8], start: usize, end: usize) -> Piece {
        match self.timestamps.parse(&data[start..end]) {
            Some((time, length)) => {
                Piece::Line(Line { time: Some(time), start: (start + length) as u32, end: end as u32 })
            }
            None => Piece::Untimed { start: start as u32, end: end as u32 },
        }
    }

    /// Takes the timestamps out that older kubelets put inside a line that the container runtime keeps in pieces: one
    /// before each (kubernetes/kubernetes#77603).
    fn join(&mut self, data: &mut [u8], pieces: &mut [Piece]) {
        for piece in pieces {
            if let Piece::Line(line) = piece
                && (line.end - line.start) as usize > SHORTEST_CUT
            {
                self.join_line(data, line);
            }
        }
    }

    fn join_line(&mut self, data: &mut [u8], line: &mut Line) {
        let (start, end) = (line.start as usize, line.end as usize);
        // What a program writes of times is from before the runtime took the line, and hardly at such a place.
        let mut stamp = |at: usize, data: &[u8]| {
            let (time, length) = self.timestamps.parse(&data[at..end])?;
            (Some(time) >= line.time).then_some(length)
        };
        let mut cuts = (start + SHORTEST_CUT..end).step_by(PIECE_UNIT);
        let Some(cut) = cuts.find(|cut| stamp(*cut, data).is_some()) else { return };
        let (size, mut from, mut to) = (cut - start, cut, cut);
        while let Some(length) = stamp(from, data) {
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

    fn texts(data: &Bytes, pieces: &[Piece]) -> Vec<String> {
        let text =
            |start: u32, end: u32| String::from_utf8_lossy(&data[start as usize..end as usize]).into_owned();
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Line(line) => text(line.start, line.end),
                Piece::Untimed { start, end } => format!("untimed {}", text(*start, *end)),
            })
            .collect()
    }

    /// All lines of `input` when it is read in pieces that end at `cuts`.
    fn split(input: &[u8], cuts: &[usize]) -> Vec<String> {
        let (mut splitter, mut lines, mut from) = (Splitter::default(), Vec::new(), 0);
        for &cut in cuts.iter().chain([&input.len()]) {
            splitter.push(&input[from..cut.max(from)]);
            from = cut.max(from);
            if let Some((data, pieces)) = splitter.lines() {
                lines.extend(texts(&data, &pieces));
            }
        }
        if let Some((data, pieces)) = splitter.rest() {
            lines.extend(texts(&data, &pieces));
        }
        lines
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
    fn a_line_waits_for_its_newline() {
        let mut splitter = Splitter::default();
        splitter.push(b"2026-05-31T23:59:59Z half");
        assert_eq!(splitter.lines(), None);
        splitter.push(b" and whole\n");
        let (data, pieces) = splitter.lines().expect("a whole line");
        assert_eq!(texts(&data, &pieces), ["half and whole"]);
        assert_eq!(splitter.rest(), None);
    }

    /// A line as a kubelet shows it that stamps every piece, and its message.
    fn cut_line(length: usize, size: usize) -> (String, String) {
        let message: String = (0..length).map(|at| char::from(b'a' + (at / 100 % 26) as u8)).collect();
        let stamp = |at: usize| format!("2026-05-31T23:59:{:02}.000000001Z ", at);
        let cut: String =
            (0..=length / size).map(|n| stamp(n) + &message[n * size..length.min((n + 1) * size)]).collect();
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
    fn what_a_long_line_says_of_times_before_it_is_kept() {
        let message = "x".repeat(16 << 10) + "2026-05-31T23:59:59Z and more";
        let line = format!("2026-05-31T23:59:59.5Z {message}");
        assert!(split(line.as_bytes(), &[]) == [message]);
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
