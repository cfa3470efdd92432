//! What is shown in place of messages.

use super::{Display, Ending, FilterPlan, redact::RedactPlan};
use crate::{cli::Args, usage_error::UsageError};

#[derive(Debug, Default)]
pub struct Rewrites {
    /// None: nothing is redacted.
    pub redact: Option<RedactPlan>,
}

impl Rewrites {
    pub(super) fn new(
        args: &Args,
        filter: &FilterPlan,
        display: &Display,
        ending: &Ending,
    ) -> Result<Rewrites, UsageError> {
        // Those to include are highlighted too.
        let patterns = filter.exclude.iter().chain(&display.highlight).chain(&ending.until_match);
        Ok(Rewrites { redact: RedactPlan::new(args, patterns)? })
    }

    /// Whether a line must be in memory to be rewritten.
    pub fn looks_into_lines(&self) -> bool {
        let Rewrites { redact } = self;
        redact.is_some()
    }
}
