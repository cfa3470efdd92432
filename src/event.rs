//! Events: all that travels from the sources to the sinks, each origin's in its own order.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{lines::Spool, notice::Notice, origin::Origin};

/// Of one origin there is first `Opened`, last `Closed`, once each for every instance that was read.
#[derive(Debug)]
pub enum Event {
    /// Lines of this origin follow.
    Opened(Arc<Origin>),
    Batch(Batch),
    /// No line of this origin that was written before that instant is still to come, as far as the clocks of its node and of
    /// the apiserver agree: an order that waits for it need wait no longer.
    Reached(Arc<Origin>, Instant),
    /// No more lines follow.
    Closed(Arc<Origin>, Closed),
    /// A message for the user, without a place among lines.
    Notice(Notice),
    /// Whole lines for standard output that come from no log.
    Text(String),
}

/// How an origin, or one instance of it, came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub reason: Reason,
    /// Whether everything that was there to read was read.
    pub complete: bool,
    /// How often the container had restarted before.
    pub restart_count: u32,
}

/// Why no more lines come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// All there was to show was shown (`--no-follow`, `--previous`, end of standard input).
    Finished,
    /// The container terminated.
    Terminated(Ending),
    /// The pod was deleted.
    Deleted,
    /// The pod no longer meets `--condition`.
    Dropped,
    /// It could not be read; a notice said why.
    Failed,
}

/// How an instance of a container ended, as far as it is known.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Such as `OOMKilled`; empty if unknown.
    pub reason: String,
    pub exit_code: Option<i32>,
    /// In whole seconds.
    pub finished: Option<Timestamp>,
    /// Whether its pod was being deleted.
    pub deleting: bool,
}

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Line(Line),
    Gap(Gap),
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
    /// Keeps only the items of these indices, which ascend.
    pub fn keep(&mut self, indices: &[u32]) {
        for (to, &from) in indices.iter().enumerate() {
            self.items[to] = self.items[from as usize];
        }
        self.items.truncate(indices.len());
    }
}
