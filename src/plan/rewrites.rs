//! What is shown in place of messages.

use crate::{cli::Args, usage_error::UsageError};

#[derive(Debug, Default)]
pub struct Rewrites {}

impl Rewrites {
    pub(super) fn new(_: &Args) -> Result<Rewrites, UsageError> {
        Ok(Rewrites {})
    }

    /// Whether a line must be in memory to be rewritten.
    pub fn looks_into_lines(&self) -> bool {
        false
    }
}
