//! The program that shows the output page by page.

use std::ffi::{OsStr, OsString};

use super::{Ending, Source, read::error};
use crate::{
    cli::{Args, flags::output as flags},
    environment::Environment,
    platform::programs,
    usage_error::UsageError,
};

/// Options of less as git has them: end with a short text, let colours through, and leave the screen as it is.
const LESS: &str = "FRX";

/// A text with one of these is for a shell, as in git.
const FOR_A_SHELL: &[u8] = b"|&;<>()$`\\\"' \t\n*?[#~=%";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerPlan {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// The value of `$LESS` for it; None: the user's.
    pub less: Option<&'static str>,
    /// Whether standard error is shown on the terminal too, where words would be drawn over the page.
    pub holds_words: bool,
}

impl PagerPlan {
    /// None: the output needs no pager. The config file wants one wherever that is possible.
    pub(super) fn new(
        args: &Args,
        env: &Environment,
        source: &Source,
        ending: &Ending,
        quiet: bool,
    ) -> Result<Option<PagerPlan>, UsageError> {
        if !args.get(&flags::PAGER) {
            return Ok(None);
        }
        match check(env, source, ending, quiet) {
            Err(_) if args.is_default(&flags::PAGER.entry) => Ok(None),
            Err(reason) => Err(reason),
            Ok(()) => Ok(PagerPlan::of(env)),
        }
    }

    fn of(env: &Environment) -> Option<PagerPlan> {
        let (program, args) = command(env.pager.as_deref())?;
        let less = (!env.has_less).then_some(LESS);
        Some(PagerPlan { program, args, less, holds_words: env.stderr_is_terminal })
    }
}

fn check(env: &Environment, source: &Source, ending: &Ending, quiet: bool) -> Result<(), UsageError> {
    if let Source::Cluster(cluster) = source
        && cluster.logs.follow
        && !cluster.dry_run
    {
        return Err(error(
            "--pager needs --no-follow, --previous or an --until in the past: a log that is followed has no end",
        ));
    }
    if !env.stdout_is_terminal {
        return Err(error("--pager needs a terminal, and standard output is none; remove --pager"));
    }
    let others = [("--quiet", quiet), ("--timeout", ending.timeout.is_some())];
    if let Some((other, _)) = others.iter().find(|(_, is_given)| *is_given) {
        return Err(error(format!("{other} and --pager cannot be combined; remove one")));
    }
    Ok(())
}

fn command(pager: Option<&OsStr>) -> Option<(OsString, Vec<OsString>)> {
    match pager {
        None => Some(("less".into(), vec!["-R".into()])),
        Some(pager) if matches!(pager.as_encoded_bytes().trim_ascii(), b"" | b"cat") => None,
        Some(pager) if pager.as_encoded_bytes().iter().any(|byte| FOR_A_SHELL.contains(byte)) => {
            Some(programs::shell(pager))
        }
        Some(pager) => Some((pager.to_owned(), Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pager: &str) -> Option<Vec<String>> {
        let (program, args) = command(Some(pager.as_ref()))?;
        Some([program].into_iter().chain(args).filter_map(|word| word.into_string().ok()).collect())
    }

    #[test]
    fn a_pager_is_run_as_git_runs_it() {
        assert_eq!(words("more"), Some(vec!["more".to_owned()]));
        let shell = if cfg!(windows) { ["cmd.exe", "/C"] } else { ["sh", "-c"] };
        assert_eq!(words("less -S"), Some([shell[0], shell[1], "less -S"].map(str::to_owned).to_vec()));
        for none in ["", " ", " \t\n", "cat", " cat "] {
            assert_eq!(words(none), None, "{none:?}");
        }
        assert_eq!(command(None), Some(("less".into(), vec!["-R".into()])));
    }
}
