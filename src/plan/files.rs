//! The files that lines are written to.

use std::path::PathBuf;

use super::read::error;
use crate::{
    cli::{Args, flags::output as flags},
    environment::Environment,
    usage_error::UsageError,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesPlan {
    pub dir: PathBuf,
    /// Whether the lines are in the files only.
    pub quiet: bool,
    /// Whether the files are compressed.
    pub compress: bool,
}

impl FilesPlan {
    /// None without `--output-dir`.
    pub(super) fn new(args: &Args, env: &Environment) -> Result<Option<FilesPlan>, UsageError> {
        let dir = args.get(&flags::OUTPUT_DIR).filter(|dir| !dir.is_empty());
        let (quiet, compress) = (args.get(&flags::QUIET), args.get(&flags::COMPRESS));
        match dir {
            Some(dir) => {
                let dir = env.expand(dir).map_err(|reason| error(format!("--output-dir: {reason}")))?;
                Ok(Some(FilesPlan { dir, quiet, compress }))
            }
            // The config file may have it for the runs that write files.
            None if quiet && !args.is_default(&flags::QUIET.entry) => {
                Err(error("--quiet needs --output-dir: without files the lines would be nowhere"))
            }
            None if compress && !args.is_default(&flags::COMPRESS.entry) => {
                Err(error("--compress needs --output-dir: it compresses those files"))
            }
            None => Ok(None),
        }
    }
}
