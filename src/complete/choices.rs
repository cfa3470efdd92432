//! What may be said where there is no cluster to ask: the words that flags and queries are made of.

use clap::Arg;

use super::{beginning_with, in_list};
use crate::plan::CONDITIONS;

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
/// For whoever has typed the whole of one.
const SHORT_KINDS: [&str; 7] = ["po", "rc", "svc", "ds", "deploy", "rs", "sts"];

/// The values of `flag` that begin with `typed`; None where they are not fixed.
pub fn fixed(flag: &Arg, typed: &str) -> Option<Vec<String>> {
    let words: &[&str] = match flag.get_id().as_str() {
        "output" => &["default", "raw", "json", "extjson", "ppextjson"],
        "color" => &["auto", "always", "never"],
        "timestamps" => &["default", "short"],
        "stats" => &["text", "json"],
        "completion" => &["bash", "zsh", "fish", "powershell"],
        "container-state" => {
            let states = ["running", "waiting", "terminated", "all"].map(str::to_owned);
            return Some(in_list(typed, states.to_vec()));
        }
        "condition" => return Some(conditions(typed)),
        "timezone" => return Some(zones(typed)),
        // Every other flag that takes its value only so is a switch.
        _ if flag.is_require_equals_set() => &["true", "false"],
        _ => return None,
    };
    Some(words.iter().filter(|word| word.starts_with(typed)).map(ToString::to_string).collect())
}

pub fn kinds(typed: &str) -> Vec<String> {
    let of = |kinds: &[&str]| -> Vec<String> {
        kinds.iter().filter(|kind| kind.starts_with(typed)).map(|kind| format!("{kind}/")).collect()
    };
    let kinds = of(&KINDS);
    if kinds.is_empty() { of(&SHORT_KINDS) } else { kinds }
}

/// They are taken in any case: what is typed stays as it is.
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
        cli::{self, Command},
        plan::{Environment, Plan},
    };

    fn is_accepted(words: &[&str]) -> bool {
        let argv = ["stern-rs"].iter().chain(words).map(OsString::from);
        match cli::parse(argv, &Environment::bare()).unwrap() {
            Command::Run(args) => Plan::new(*args, &Environment::bare()).is_ok(),
            Command::Print(_) | Command::Complete(_) => true,
        }
    }

    #[test]
    fn every_choice_is_accepted() {
        let table = cli::table();
        let zones = |flag: &Arg| flag.get_id().as_str() == "timezone";
        // Asking needs a terminal.
        let prompt = |flag: &Arg| flag.get_id().as_str() == "prompt";
        for flag in table.get_arguments().filter(|flag| !zones(flag) && !prompt(flag)) {
            for value in fixed(flag, "").into_iter().flatten() {
                let flag = format!("--{}={value}", flag.get_id());
                // It goes with JSON only.
                let json = if flag.starts_with("--gaps") { "--output=json" } else { "--output=raw" };
                assert!(is_accepted(&[json, &flag, "web"]), "{flag}");
            }
        }
        for kind in kinds("").iter().map(String::as_str).chain(SHORT_KINDS.map(|kind| kind)) {
            assert!(is_accepted(&[&format!("{}/x", kind.trim_end_matches('/'))]), "{kind}");
        }
    }
}
