//! How sources stamp their lines, and what a line becomes.

use super::timestamp::TimestampParser;
use crate::event::{Instant, Item, Line};

/// The timestamps of a source. Each source makes of its lines what it needs: the splitter knows only where lines are.
pub trait Stamps {
    type Piece;

    /// The piece of `start..end` of `data`, which is a line without its newline.
    fn piece(&mut self, data: &[u8], start: usize, end: usize) -> Self::Piece;

    /// The line of a piece. None: it is none.
    fn line(piece: &mut Self::Piece) -> Option<&mut Line>;

    /// The instant that `bytes` begin with, and the length of its text. None: there is none.
    fn stamp(&mut self, bytes: &[u8]) -> Option<(Instant, usize)>;
}

/// A line of the log, or a line without the timestamp that each line should have: the kubelet writes its own errors
/// into the stream of a `200 OK` answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Line(Line),
    /// `start..end` of the data.
    Untimed {
        start: u32,
        end: u32,
    },
}

/// The kubelet puts a timestamp before each line.
impl Stamps for TimestampParser {
    type Piece = Piece;

    fn piece(&mut self, data: &[u8], start: usize, end: usize) -> Piece {
        match self.parse(&data[start..end]) {
            Some((time, length)) => {
                Piece::Line(Line { time: Some(time), start: (start + length) as u32, end: end as u32 })
            }
            None => Piece::Untimed { start: start as u32, end: end as u32 },
        }
    }

    fn line(piece: &mut Piece) -> Option<&mut Line> {
        match piece {
            Piece::Line(line) => Some(line),
            Piece::Untimed { .. } => None,
        }
    }

    fn stamp(&mut self, bytes: &[u8]) -> Option<(Instant, usize)> {
        self.parse(bytes)
    }
}

/// Lines are a message each and nothing else.
pub struct Unstamped;

impl Stamps for Unstamped {
    type Piece = Item;

    fn piece(&mut self, _: &[u8], start: usize, end: usize) -> Item {
        Item::Line(Line { time: None, start: start as u32, end: end as u32 })
    }

    fn line(item: &mut Item) -> Option<&mut Line> {
        match item {
            Item::Line(line) => Some(line),
            Item::Gap(_) => None,
        }
    }

    fn stamp(&mut self, _: &[u8]) -> Option<(Instant, usize)> {
        None
    }
}
