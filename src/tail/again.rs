//! Recognizes a file that a kubelet sends twice in one stream: a follower that was blocked during two rotations opens
//! the newest file once for each of them.

use super::{
    progress::Progress,
    skipped::{Edge, Pauses},
};
use crate::{
    event::{Gap, Instant, Item, Line},
    lines::{BACK, Piece, Position, Seen},
};

const SECOND: i64 = 1_000_000_000;

/// The lines of about one instant that have to come again, at least, and the most that are compared: a container may
/// well write a few lines twice.
const FEWEST: usize = 4;
const COMPARED: usize = 8;

/// The new lines of a followed answer.
#[derive(Debug, Default)]
pub struct Again {
    /// The last one, and the first one of its instant.
    last: Option<Edge>,
    first: Option<Edge>,
    pauses: Pauses,
}

/// The lines of a batch before and behind one.
pub struct Around<'a> {
    pub data: &'a [u8],
    pub before: &'a [Item],
    pub behind: &'a [Piece],
}

impl Again {
    /// Whether a line that seems to be new came before, or is so old that it may have come.
    pub fn comes(&self, line: Line, around: &Around<'_>, progress: &mut Progress) -> bool {
        let (Some(last), Some(time)) = (self.last, line.time) else { return false };
        let back = last.time.0.saturating_sub(time.0);
        if !(0..=SECOND).contains(&back) {
            return back > SECOND;
        }
        let came = match back {
            // Many lines may have this instant: a file begins with its first one.
            0 => self.first == Some(Edge::of(time, text(around.data, line))),
            _ => progress.position.had(around.seen(time, line), BACK) || around.has(time, line),
        };
        if !came || back > BACK {
            return came;
        }
        // In order, a line of the same time and text is another one, unless those behind it come again as well. Then
        // only another answer shows whether the container wrote them twice.
        let seen = around.seen(time, line);
        let seems_again = progress.may_come_again() && around.repeats(seen, &progress.position);
        if seems_again {
            progress.comes_again(seen);
        }
        seems_again
    }

    /// Notes a new line.
    pub fn pass(&mut self, data: &[u8], line: Line, progress: &mut Progress) {
        let Some(time) = line.time else { return };
        let text = text(data, line);
        match self.last {
            Some(last) => self.pauses.passes(last, time, text),
            None => progress.goes_on_with(Seen::new(time, text)),
        }
        let edge = Edge::of(time, text);
        if self.last.is_none_or(|last| last.time != time) {
            self.first = Some(edge);
        }
        self.last = Some(edge);
    }

    /// The lines that the kubelet skipped, if it sends a file again that begins with this line. In order, the container
    /// may have written it twice.
    pub fn skipped(&self, data: &[u8], line: Line) -> Option<Gap> {
        let (last, time) = (self.last?, line.time?);
        let goes_back = last.time.0.saturating_sub(time.0) > BACK;
        goes_back.then(|| self.pauses.skipped(time, text(data, line))).flatten()
    }
}

impl Around<'_> {
    fn seen(&self, time: Instant, line: Line) -> Seen {
        Seen::new(time, text(self.data, line))
    }

    /// Whether a line before is the same.
    fn has(&self, time: Instant, line: Line) -> bool {
        let text = |line| text(self.data, line);
        let mut before = self.before.iter();
        before.any(|item| matches!(*item, Item::Line(other) if other.time == Some(time) && text(other) == text(line)))
    }

    /// Whether the lines since the one before that is the same as this one come again.
    fn repeats(&self, line: Seen, position: &Position) -> bool {
        let mut behind = self.behind.iter().map_while(|piece| match *piece {
            Piece::Line(line) => Some(self.seen(line.time?, line)),
            Piece::Untimed { .. } => None,
        });
        // One line over and over.
        let Some(next) = behind.next().filter(|next| *next != line) else { return false };
        let again: Vec<Seen> = [line, next].into_iter().chain(behind).take(COMPARED).collect();
        let mut shown = position.since_about(line.time(), BACK);
        shown.extend(self.before.iter().filter_map(|item| match *item {
            Item::Line(line) => Some(self.seen(line.time?, line)),
            Item::Gap(_) | Item::Separator => None,
        }));
        let file = shown.iter().position(|shown| *shown == line).map_or(&[][..], |start| &shown[start..]);
        let compared = again.len().min(file.len());
        compared >= FEWEST && again[..compared] == file[..compared]
    }
}

/// The message of a line.
pub fn text(data: &[u8], line: Line) -> &[u8] {
    &data[line.start as usize..line.end as usize]
}
