//! Finds the instance whose log the kubelet serves as the previous one.

use super::Tail;
use crate::{
    cluster::Error,
    event::Instant,
    lines::BACK,
    purpose::Purpose,
    tail::{check::Last, logs::Logs, whereabouts::Log},
};

const SECOND: i64 = 1_000_000_000;

/// The instance of the previous log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Previous {
    /// This instance's, with the instant of its last line.
    Own(Option<Instant>),
    /// Of one or the other: it ends in the second in which this instance started, or it was removed.
    Open,
    /// The log of the instance before, if any: the current one is this instance's.
    Other,
}

impl Previous {
    /// The instant of its last line, if it is this instance's.
    pub(super) fn last(self) -> Option<Instant> {
        match self {
            Self::Own(last) => last,
            Self::Open | Self::Other => None,
        }
    }

    /// Whether `line` was written after the end of this instance's log, and so is another's.
    pub(super) fn ends_before(self, line: Option<Instant>) -> bool {
        match self {
            Self::Own(last) => line.map(|line| Instant(line.0 - BACK)) > last,
            Self::Open | Self::Other => false,
        }
    }

    /// The same, if a last line shows it: an empty log may be one that was rotated.
    pub(super) fn shows_an_end_before(self, line: Option<Instant>) -> bool {
        matches!(self, Self::Own(Some(_))) && self.ends_before(line)
    }
}

impl<L: Logs> Tail<L> {
    /// Finds the instance whose log the kubelet serves as the previous one; an error if the question is to be repeated.
    ///
    /// The kubelet knows of a restart before the apiserver does. Between an end and a restart it serves the same log as
    /// the previous and as the current one.
    pub(super) async fn previous(&self) -> Result<Previous, Error> {
        let restart_count = self.instance.restart_count;
        let last = match self.last_whole_line(Log::Previous, Purpose::Confirm).await {
            // Words of the kubelet in place of a log are no line of any instance.
            Ok(Last { line: None, half: None, is_empty: false, .. }) => return Ok(Previous::Open),
            // It ends with a line that was read as this instance's.
            Ok(Last { line: Some(line), .. }) if self.progress.position.has(line) => {
                return Ok(Previous::Own(Some(line.time())));
            }
            // It ends with a line that the tail of another instance showed.
            Ok(Last { line: Some(line), .. }) if self.progress.early.has(line) => return Ok(Previous::Other),
            Ok(last) => last.line.or(last.half).map(|line| line.time()),
            Err(error) if !error.is_without_previous() && self.may_retry(&error) => return Err(error),
            Err(_) => return Ok(Previous::Other),
        };
        // The lines of this instance are not older than that. Statuses have whole seconds: an instance whose last line
        // is not known may have ended in the second in which this one started.
        let before = self.shown_before.as_ref();
        let is_known =
            before.is_some_and(|shown| shown.is_end_known && shown.restart_count + 1 == restart_count);
        let slack = if is_known { 0 } else { SECOND };
        let birth = self.birth.map(|birth| Instant(birth.0 + slack));
        let floor = self.progress.latest_own().or(birth);
        let own = restart_count == 0 || last.is_some() && last >= floor;
        Ok(match own {
            true => Previous::Own(last),
            false if self.birth.is_some() && last >= self.birth => Previous::Open,
            false => Previous::Other,
        })
    }
}
