//! Passes the commit and its date to the program, for `--version`.
//!
//! Packagers without a repository can set `STERN_RS_COMMIT` and `SOURCE_DATE_EPOCH`; otherwise the version has none.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["STERN_RS_COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    if is_repository() {
        // HEAD changes with the branch, its log with every commit.
        for file in ["HEAD", "logs/HEAD"] {
            if let Some(path) =
                git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists())
            {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
    let commit = variable("STERN_RS_COMMIT").or_else(|| repository(&["rev-parse", "--short=9", "HEAD"]));
    let date = variable("SOURCE_DATE_EPOCH")
        .and_then(|seconds| Some(civil(seconds.parse::<u64>().ok()? / 86_400)))
        .or_else(|| repository(&["log", "-1", "--format=%cs"]));
    let build: Vec<String> = commit.into_iter().chain(date).collect();
    if !build.is_empty() {
        println!("cargo::rustc-env=STERN_RS_BUILD={}", build.join(" "));
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn repository(args: &[&str]) -> Option<String> {
    if is_repository() { git(args) } else { None }
}

/// Whether the repository is this package's own, not a larger one that contains it.
fn is_repository() -> bool {
    let canonical = |path: PathBuf| path.canonicalize().ok();
    let root = git(&["rev-parse", "--show-toplevel"]).and_then(|root| canonical(root.into()));
    let here = env::var_os("CARGO_MANIFEST_DIR").and_then(|here| canonical(here.into()));
    root.is_some() && root == here
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The calendar date of a day counted from 1970-01-01; the calculation uses years that begin in March.
fn civil(days: u64) -> String {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month < 3);
    format!("{year:04}-{month:02}-{day:02}")
}
