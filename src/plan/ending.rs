//! When a run ends by itself.

use std::time::Duration;

use super::{
    Display, FilterPlan, LinePattern, duration,
    pattern::Room,
    read::{each, parsed},
};
use crate::{
    cli::{
        Args,
        flags::{ending as flags, limits::DRY_RUN},
    },
    usage_error::UsageError,
};

#[derive(Debug, Default)]
pub struct Ending {
    /// None: no limit.
    pub timeout: Option<Duration>,
    /// A line that matches any of them is the last.
    pub until_match: Vec<LinePattern>,
}

impl Ending {
    pub(super) fn new(args: &Args, filter: &FilterPlan, display: &Display) -> Result<Ending, UsageError> {
        let timeout = parsed(args, &flags::TIMEOUT, duration::parse)?.filter(|time| !time.is_zero());
        // Those to include are highlighted too.
        let highlight = &display.highlight[filter.include.len()..];
        let room = Room::beside(filter.patterns().into_iter().chain(highlight));
        let mut until_match = each(args, &flags::UNTIL_MATCH, |pattern| room.pattern(pattern))?;
        if args.get(&DRY_RUN) {
            // No line is read.
            until_match.clear();
        }
        Ok(Ending { timeout, until_match })
    }

    /// Whether a line must be in memory to decide about the end.
    pub fn looks_into_lines(&self) -> bool {
        !self.until_match.is_empty()
    }
}
