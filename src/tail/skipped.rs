//! Notices that a kubelet skipped a file.
//!
//! A kubelet's follower that was blocked during two rotations goes on in the newest file, and opens it once more for
//! the second one. So a file that is sent twice comes behind one that was not sent.

use crate::{
    event::{Gap, Instant},
    lines::Seen,
};

/// Lines that come closer together than this are in one file, in nanoseconds. A skipped file took longer to fill.
const CLOSE: i64 = 100_000_000;

/// The most pauses to remember. A skipped file leaves one of the longest.
const REMEMBERED: usize = 16;

/// Pauses are forgotten after this many nanoseconds: the newest file was begun later.
const OLD: i64 = 3_600_000_000_000;

/// The most bytes of the end of a line to compare.
const END: usize = 16;

/// The longest of the last pauses between lines of one stream.
#[derive(Debug, Default)]
pub struct Pauses(Vec<Pause>);

/// A line, by its time and its end: enough to tell most lines apart, and cheaper than a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub time: Instant,
    end: [u8; END],
    /// Of its end.
    length: usize,
}

#[derive(Debug)]
struct Pause {
    before: Edge,
    /// The line behind it.
    behind: Seen,
}

impl Pauses {
    /// Records that the line `behind` followed.
    pub fn passes(&mut self, before: Edge, behind: Instant, text: &[u8]) {
        if behind.0.saturating_sub(before.time.0) >= CLOSE {
            self.keep(Pause { before, behind: Seen::new(behind, text) });
        }
    }

    fn keep(&mut self, pause: Pause) {
        let now = pause.behind.time().0;
        self.0.retain(|old| now.saturating_sub(old.behind.time().0) < OLD);
        if self.0.len() == REMEMBERED {
            let shortest = self.0.iter().enumerate().min_by_key(|(_, pause)| pause.length());
            match shortest {
                Some((at, shortest)) if shortest.length() <= pause.length() => self.0.swap_remove(at),
                _ => return,
            };
        }
        self.0.push(pause);
    }

    /// The lines that the kubelet skipped if this one begins the file that it sends again.
    pub fn skipped(&self, time: Instant, text: &[u8]) -> Option<Gap> {
        let again = Seen::new(time, text);
        let pause = self.0.iter().find(|pause| pause.behind == again || pause.splits(time, text))?;
        Some(Gap::Between(Some(pause.before.time), Some(time)))
    }
}

impl Pause {
    fn length(&self) -> i64 {
        self.behind.time().0 - self.before.time.0
    }

    /// Whether this is the rest of a line that two files share: the line before the pause ended with it, of which the
    /// file before had the beginning.
    fn splits(&self, time: Instant, text: &[u8]) -> bool {
        let is_within = self.before.time < time && time <= self.behind.time();
        let rest = Edge::of(time, text);
        is_within && rest.length > 0 && self.before.end().ends_with(rest.end())
    }
}

impl Edge {
    pub fn of(time: Instant, text: &[u8]) -> Self {
        let length = text.len().min(END);
        let mut end = [0; END];
        end[..length].copy_from_slice(&text[text.len() - length..]);
        Self { time, end, length }
    }

    fn end(&self) -> &[u8] {
        &self.end[..self.length]
    }
}
