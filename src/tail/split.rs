//! Cuts what was read into lines, wherever the reads happen to end.

use bytes::{Bytes, BytesMut};
use memchr::memchr_iter;

use super::timestamp::TimestampParser;
use crate::batch::Line;

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
        let data = self.pending.split_to(end).freeze();
        // A guess that seldom has to grow: most log lines are longer than this.
        let mut pieces = Vec::with_capacity(data.len() / 100 + 1);
        let mut start = 0;
        for end in memchr_iter(b'\n', &data) {
            pieces.push(self.piece(&data, start, end));
            start = end + 1;
        }
        Some((data, pieces))
    }

    /// The line that was not ended by a newline, for when no more comes.
    pub fn rest(&mut self) -> Option<(Bytes, Vec<Piece>)> {
        if self.pending.is_empty() {
            return None;
        }
        self.searched = 0;
        let data = self.pending.split().freeze();
        let piece = self.piece(&data, 0, data.len());
        Some((data, vec![piece]))
    }

    fn piece(&mut self, data: &[u8], start: usize, end: usize) -> Piece {
        match self.timestamps.parse(&data[start..end]) {
            Some((time, length)) => {
                Piece::Line(Line { time: Some(time), start: (start + length) as u32, end: end as u32 })
            }
            None => Piece::Untimed { start: start as u32, end: end as u32 },
        }
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
