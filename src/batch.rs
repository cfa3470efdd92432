//! What one read gave for one origin, in order.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{instance::Ending, lines::Spool, origin::Origin};

/// Nanoseconds since the Unix epoch, as the container runtime stamped a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl From<Timestamp> for Instant {
    /// Instants beyond the year 2262 become the last that can be told.
    fn from(time: Timestamp) -> Self {
        Self(time.as_nanosecond().try_into().unwrap_or(i64::MAX))
    }
}

/// One log line: when it was written and where in [`Batch::data`] its message lies (without its newline).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Absent on standard input, whose lines carry no time.
    pub time: Option<Instant>,
    pub start: u32,
    pub end: u32,
}

/// Why no more lines come from a origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub reason: EndReason,
    /// Whether everything that the node kept was read.
    pub complete: bool,
    /// How often the container had restarted before.
    pub restart_count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// All there was to show was shown (`--no-follow`, `--previous`, end of standard input).
    Finished,
    /// The container terminated.
    Terminated(Ending),
    /// The pod was deleted.
    Deleted,
    /// The pod no longer meets `--condition`.
    Dropped,
    /// It could not be read; the reason was told in a notice.
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Line(Line),
    Gap(Gap),
    Ended(Ended),
}

/// Lines that may not have been read. Instants are those of the lines around; None: there is none, or it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Between two lines.
    Between(Option<Instant>, Option<Instant>),
    /// Behind this line: the log has more than could be read.
    Behind(Option<Instant>),
    /// Behind this line, if there was any more: nobody can tell, since the log was removed.
    Unchecked(Option<Instant>),
}

impl Gap {
    /// After and before which line.
    pub fn bounds(self) -> [Option<Instant>; 2] {
        match self {
            Self::Between(after, before) => [after, before],
            Self::Behind(after) | Self::Unchecked(after) => [after, None],
        }
    }
}

/// The lines of one read of one origin.
#[derive(Debug, Clone)]
pub struct Batch {
    pub origin: Arc<Origin>,
    pub data: Bytes,
    pub items: Vec<Item>,
    /// What follows the data of the one line that is in it, where that is too long to be held.
    pub rest: Option<Spool>,
}

impl Batch {
    /// The bytes of a line's message.
    pub fn message(&self, line: &Line) -> &[u8] {
        &self.data[line.start as usize..line.end as usize]
    }
}
