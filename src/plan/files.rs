//! The files that lines are written to.

use std::path::PathBuf;

use super::{SummaryPlan, read::error};
use crate::{
    cli::{Args, flags::output as flags},
    environment::Environment,
    usage_error::UsageError,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesPlan {
    pub dir: PathBuf,
    /// Whether the files are compressed.
    pub compress: bool,
}

/// Whether no lines are printed: they are in files or counted only.
pub fn quiet(
    args: &Args,
    files: Option<&FilesPlan>,
    summary: Option<&SummaryPlan>,
) -> Result<bool, UsageError> {
    let quiet = args.get(&flags::QUIET);
    if quiet && files.is_none() && summary.is_none() {
        // The config file may have it for the runs that write files.
        return match args.is_default(&flags::QUIET.entry) {
            true => Ok(false),
            false => {
                Err(error("--quiet needs --output-dir or --summary: without them the lines would be nowhere"))
            }
        };
    }
    Ok(quiet)
}

impl FilesPlan {
    /// None without `--output-dir`.
    pub(super) fn new(args: &Args, env: &Environment) -> Result<Option<FilesPlan>, UsageError> {
        let dir = args.get(&flags::OUTPUT_DIR).filter(|dir| !dir.is_empty());
        let compress = args.get(&flags::COMPRESS);
        match dir {
            Some(dir) => {
                let dir = env.expand(dir).map_err(|reason| error(format!("--output-dir: {reason}")))?;
                Ok(Some(FilesPlan { dir, compress }))
            }
            // The config file may have it for the runs that write files.
            None if compress && !args.is_default(&flags::COMPRESS.entry) => {
                Err(error("--compress needs --output-dir: it compresses those files"))
            }
            None => Ok(None),
        }
    }
}
