use std::ffi::OsString;

use super::*;
use crate::cli::{self, Command};

fn environment() -> Environment {
    Environment {
        stdout_is_terminal: true,
        stderr_is_terminal: false,
        no_color: None,
        clicolor: None,
        clicolor_force: None,
        term: None,
        local: TimeZone::UTC,
    }
}

/// Of a command line as one would type it, apart from the program; words are split at blanks, `''` is empty.
fn try_plan(line: &str) -> Result<Plan, String> {
    let words = line.split_whitespace().map(|word| OsString::from(word.trim_matches('\'')));
    let command =
        cli::parse(std::iter::once("stern-rs".into()).chain(words)).map_err(|error| error.to_string())?;
    let Command::Run(args) = command else { panic!("{line} only prints") };
    Plan::new(*args, &environment()).map_err(|error| error.to_string())
}

fn plan(line: &str) -> Plan {
    try_plan(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn cluster(line: &str) -> ClusterPlan {
    match plan(line).source {
        Source::Cluster(cluster) => *cluster,
        Source::Stdin => panic!("{line} reads standard input"),
    }
}

#[track_caller]
fn fails(line: &str, words: &str) {
    let error = try_plan(line).expect_err(line);
    assert!(error.contains(words), "{line}: {error}");
    assert_eq!(error.lines().count(), 1, "{line}: {error}");
}
