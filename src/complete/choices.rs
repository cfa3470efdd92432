//! Completions that need no cluster: the fixed words of flags and queries.

use super::{beginning_with, in_list};
use crate::cli::flags::{Complete, selection::CONDITIONS};

/// As stern names them.
const KINDS: [&str; 8] = [
    "pod",
    "replicationcontroller",
    "service",
    "daemonset",
    "deployment",
    "replicaset",
    "statefulset",
    "job",
];
/// Offered where no long name begins so.
const SHORT_KINDS: [&str; 7] = ["po", "rc", "svc", "ds", "deploy", "rs", "sts"];

/// The values that begin with `typed`; None where they are not fixed.
pub fn fixed(completes: Complete, typed: &str) -> Option<Vec<String>> {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    match completes {
        Complete::Words(words) => {
            Some(owned(words).into_iter().filter(|word| word.starts_with(typed)).collect())
        }
        Complete::WordList(words) => Some(in_list(typed, owned(words))),
        Complete::Conditions => Some(conditions(typed)),
        Complete::Zones => Some(zones(typed)),
        _ => None,
    }
}

pub fn kinds(typed: &str) -> Vec<String> {
    let of = |kinds: &[&str]| -> Vec<String> {
        kinds.iter().filter(|kind| kind.starts_with(typed)).map(|kind| format!("{kind}/")).collect()
    };
    let kinds = of(&KINDS);
    if kinds.is_empty() { of(&SHORT_KINDS) } else { kinds }
}

/// Conditions may be in any case; the typed part stays as it is.
fn conditions(typed: &str) -> Vec<String> {
    let begins = |word: &str, typed: &str| {
        word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
    };
    match typed.split_once('=') {
        None => {
            let names = CONDITIONS.iter().filter(|name| begins(name, typed));
            names.map(|name| format!("{typed}{}", &name[typed.len()..])).collect()
        }
        Some((name, status)) => {
            let statuses = ["true", "false", "unknown"].into_iter().filter(|word| begins(word, status));
            statuses.map(|word| format!("{name}={status}{}", &word[status.len()..])).collect()
        }
    }
}

fn zones(typed: &str) -> Vec<String> {
    let known = jiff::tz::db().available().map(|name| name.to_string());
    beginning_with(typed, known.chain(["Local".to_owned()]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{
        cli::{self, Command, flags},
        environment::Environment,
        plan::Plan,
    };

    fn is_accepted(words: &[&str]) -> bool {
        let argv = ["stern-rs"].iter().chain(words).map(OsString::from);
        match cli::parse(argv, &Environment::bare()).unwrap() {
            Command::Run(args) => Plan::new(&args, &Environment::bare()).is_ok(),
            Command::Print(_) | Command::Complete(_) => true,
        }
    }

    #[test]
    fn every_choice_is_accepted() {
        // These need a terminal.
        let skipped = [&flags::selection::PROMPT.entry, &flags::output::PAGER.entry];
        let checked = |flag: &flags::Entry| flag.completes != Complete::Zones && !skipped.contains(&flag);
        for flag in flags::all().filter(|flag| checked(flag)) {
            for value in fixed(flag.completes, "").into_iter().flatten() {
                // Some work only with one format.
                let format = match flag.name {
                    "gaps" => "--output=json",
                    "theme" => "--output=pretty",
                    _ => "--output=raw",
                };
                let flag = format!("--{}={value}", flag.name);
                // --quiet and --compress need a directory.
                assert!(is_accepted(&[format, "--output-dir=logs", &flag, "web"]), "{flag}");
            }
        }
        for kind in kinds("").iter().map(String::as_str).chain(SHORT_KINDS.map(|kind| kind)) {
            assert!(is_accepted(&[&format!("{}/x", kind.trim_end_matches('/'))]), "{kind}");
        }
    }
}
