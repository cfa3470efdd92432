//! Which lines to show, and up to which length.

use super::{
    Display, LinePattern,
    pattern::Room,
    read::{each, parsed},
    size,
    sort::OrderPlan,
};
use crate::{
    cli::{Args, flags::lines as flags},
    lines::LineLimit,
    usage_error::UsageError,
};

const MAX_LINE: usize = 1 << 20;
/// Offsets of held lines have 32 bits.
const LONGEST_LINE: usize = 1 << 30;

#[derive(Debug, Default)]
pub struct FilterPlan {
    pub include: Vec<LinePattern>,
    pub exclude: Vec<LinePattern>,
}

impl FilterPlan {
    pub(super) fn new(args: &Args) -> Result<FilterPlan, UsageError> {
        let room = Room::beside([]);
        let pattern = |pattern: &str| room.pattern(pattern);
        Ok(FilterPlan {
            include: each(args, &flags::INCLUDE, pattern)?,
            exclude: each(args, &flags::EXCLUDE, pattern)?,
        })
    }

    /// Whether a line must be in memory to decide about it.
    pub fn looks_into_lines(&self) -> bool {
        // A new filter does not compile until it has its answer here.
        let FilterPlan { include, exclude } = self;
        !include.is_empty() || !exclude.is_empty()
    }
}

pub fn line_limit(
    args: &Args,
    filter: &FilterPlan,
    display: &Display,
    order: OrderPlan,
) -> Result<LineLimit, UsageError> {
    // Sorted lines must be in memory too.
    let spool = !filter.looks_into_lines() && !display.looks_into_lines() && !order.is_by_time();
    Ok(match parsed(args, &flags::MAX_LINE, size::parse)? {
        None => LineLimit { bytes: MAX_LINE, spool },
        Some(0) => LineLimit { bytes: LONGEST_LINE, spool: false },
        Some(bytes) => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(LONGEST_LINE);
            LineLimit { bytes, spool: false }
        }
    })
}
