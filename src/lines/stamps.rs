//! The timestamps of each source's lines, and the pieces into which its lines are turned.

use super::timestamp::TimestampParser;
use crate::event::{Instant, Item, Line};

/// The timestamps of a source. Each source has its own type of piece; the splitter only finds the lines.
pub trait Stamps {
    type Piece;

    /// Makes a piece of the line `start..end` of `data`, without its newline.
    fn piece(&mut self, data: &[u8], start: usize, end: usize) -> Self::Piece;

    /// The line of a piece; None if the piece is not a line.
    fn line(piece: &mut Self::Piece) -> Option<&mut Line>;

    /// The instant at the start of `bytes`, and the length of its text; None if there is none.
    fn stamp(&mut self, bytes: &[u8]) -> Option<(Instant, usize)>;
}

/// A log line, or a line without the timestamp that every line should have: the kubelet writes its own errors into
/// the body of a `200 OK` answer.
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

/// Each line is a message without a timestamp.
pub struct Unstamped;

impl Stamps for Unstamped {
    type Piece = Item;

    fn piece(&mut self, _: &[u8], start: usize, end: usize) -> Item {
        Item::Line(Line { time: None, start: start as u32, end: end as u32 })
    }

    fn line(item: &mut Item) -> Option<&mut Line> {
        match item {
            Item::Line(line) => Some(line),
            Item::Gap(_) | Item::Separator => None,
        }
    }

    fn stamp(&mut self, _: &[u8]) -> Option<(Instant, usize)> {
        None
    }
}
