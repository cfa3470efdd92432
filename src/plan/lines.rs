//! Which lines to show, and up to which length.

use super::{
    Display, LinePattern,
    read::{each, parsed},
    size,
};
use crate::{
    cli::{Args, flags::lines as flags},
    usage_error::UsageError,
};

const MAX_LINE: usize = 1 << 20;
/// Offsets of held lines have 32 bits.
const LONGEST_LINE: usize = 1 << 30;

/// Which lines to show.
#[derive(Debug, Default)]
pub struct FilterPlan {
    pub include: Vec<LinePattern>,
    pub exclude: Vec<LinePattern>,
}

/// The treatment of long lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineLimit {
    /// Bytes of a message.
    pub bytes: usize,
    /// The rest of a longer line is kept in a file until the line is complete, not cut.
    pub spool: bool,
}

impl FilterPlan {
    pub(super) fn new(args: &Args) -> Result<FilterPlan, UsageError> {
        Ok(FilterPlan {
            include: each(args, &flags::INCLUDE, LinePattern::new)?,
            exclude: each(args, &flags::EXCLUDE, LinePattern::new)?,
        })
    }

    /// Whether a line must be in memory to decide about it.
    pub fn looks_into_lines(&self) -> bool {
        !self.include.is_empty() || !self.exclude.is_empty()
    }
}

impl LineLimit {
    pub(super) fn new(args: &Args, filter: &FilterPlan, display: &Display) -> Result<LineLimit, UsageError> {
        Ok(match parsed(args, &flags::MAX_LINE, size::parse)? {
            None => LineLimit {
                bytes: MAX_LINE,
                spool: !filter.looks_into_lines() && !display.looks_into_lines(),
            },
            Some(0) => LineLimit { bytes: LONGEST_LINE, spool: false },
            Some(bytes) => LineLimit {
                bytes: usize::try_from(bytes).unwrap_or(usize::MAX).min(LONGEST_LINE),
                spool: false,
            },
        })
    }
}
