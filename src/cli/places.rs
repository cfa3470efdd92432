//! The places of flags in the config file, so that errors can name them.

use std::path::PathBuf;

use crate::usage_error::UsageError;

/// The file, and the lines that set flags.
#[derive(Debug, Default, Clone)]
pub struct Places {
    pub(super) path: PathBuf,
    pub(super) lines: Vec<(String, u64)>,
}

impl Places {
    /// Names the file in an error about a flag that the file sets.
    pub fn blame(&self, error: UsageError) -> UsageError {
        let text = error.to_string();
        let path = self.path.display();
        for (name, line) in &self.lines {
            if let Some(reason) = text.strip_prefix(&format!("--{name}: ")) {
                return UsageError::new(format!("{path}:{line}: {name}: {reason}"));
            }
        }
        for (name, line) in &self.lines {
            let flag = format!("--{name}");
            let ends = |at: usize| !text[at..].starts_with(|c: char| c == '-' || c.is_alphanumeric());
            if text.match_indices(&flag).any(|(at, _)| ends(at + flag.len())) {
                return UsageError::new(format!("{text} ({path}:{line} sets {name})"));
            }
        }
        error
    }
}
