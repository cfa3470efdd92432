//! Answers to a flag that does not exist or is misused: it may be kubectl's, or a typing error. Every suggestion works
//! as it is printed.

use super::flags;
use crate::usage_error::UsageError;

const SHOWS_ALL: &str = "all are shown; -c and -E select some";
const FOLLOWS: &str = "following is the default; --no-follow exits after printing the existing logs";

/// Flags that other programs have under another name, or that are not needed here.
fn known(name: &str) -> Option<String> {
    let not_needed = |why: &str| format!("--{name} is not needed: {why}");
    let other = |flag: &str| format!("unknown flag: --{name}; did you mean {flag}?");
    Some(match name {
        "follow" | "watch" => not_needed(FOLLOWS),
        "all-containers" | "all-pods" => not_needed(SHOWS_ALL),
        "prefix" => not_needed("each line begins with its pod and container; -o raw leaves them out"),
        "ignore-errors" => not_needed("a log that breaks off is resumed"),
        "ns" => other("--namespace"),
        "label" | "labels" => other("--selector"),
        "grep" | "regex" => other("--include"),
        "context-before" => other("--before-context"),
        "context-after" => other("--after-context"),
        "no-color" | "no-colour" => other("--color never"),
        "v" | "verbose" => other("--verbosity"),
        "kubecontext" | "kube-context" => other("--context"),
        "pod" | "pods" | "pod-name" => {
            format!("unknown flag: --{name}; the query selects pods: pod/NAME, or a pattern")
        }
        "log-level" | "loglevel" | "levels" => other("--level"),
        // It is about the kubelet's certificate, so the similar flag for the apiserver is no answer.
        "insecure-skip-tls-verify-backend" => format!("unknown flag: --{name}; --help lists them all"),
        _ => return None,
    })
}

pub fn unknown_long(name: &str) -> UsageError {
    UsageError::new(known(name).unwrap_or_else(|| match nearest(name) {
        Some(near) => format!("unknown flag: --{name}; did you mean --{near}?"),
        None => format!("unknown flag: --{name}; --help lists them all"),
    }))
}

/// `group` is the whole argument with the shorthand, without the dash.
pub fn unknown_short(short: char, group: &str) -> UsageError {
    if let Some(level) = level_of_kubectl(group) {
        return level;
    }
    let name = group.split('=').next().unwrap_or_default();
    let hint = match short {
        _ if name.len() > 1 && flags::long(name).is_some() => {
            format!("unknown shorthand: -{short} in -{group}; {}", two_dashes(group))
        }
        'B' => "-B is --before-context here, and -C shows lines before and after".to_owned(),
        'f' | 'w' => format!("-{short} is not needed: {FOLLOWS}"),
        _ => format!("unknown shorthand: -{short} in -{group}; --help lists them all"),
    };
    UsageError::new(hint)
}

/// `-v=6` and `-v6` have another meaning in kubectl.
pub fn level_of_kubectl(group: &str) -> Option<UsageError> {
    let level = group.strip_prefix('v')?;
    let level: u8 = level.strip_prefix('=').unwrap_or(level).parse().ok().filter(|level| *level > 1)?;
    Some(UsageError::new(format!("kubectl's -v is --verbosity here: --verbosity {level}")))
}

fn two_dashes(name: &str) -> String {
    format!("long flags have two dashes: --{name}")
}

/// How to give `flag` a value, where the word after it was read as a query.
pub fn misused(flag: &str) -> String {
    let long = flag.strip_prefix("--").and_then(flags::long);
    let bare = long.filter(|flag| !flag.value.is_empty()).and_then(|flag| flag.bare);
    match (flag, bare) {
        ("-t" | "--timestamps", _) => format!("{flag} takes its value with =, as in {flag}=short"),
        (_, Some(bare)) => format!("{flag} takes its value with =, as in {flag}={bare}"),
        _ if !flag.starts_with("--") && flag.len() > 2 => two_dashes(&flag[1..]),
        _ => format!("{flag} takes no value"),
    }
}

/// The flag that `name` is a typing error away from, or that has more words or fewer.
pub fn nearest(name: &str) -> Option<&'static str> {
    let flags = || flags::all().map(|flag| flag.name);
    let slips = match name.chars().count() {
        0..3 => return None,
        3 => 0,
        4..6 => 1,
        _ => 2,
    };
    let near = flags().map(|flag| (distance(name, flag), flag)).min()?;
    if near.0 <= slips {
        return Some(near.1);
    }
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('-'));
    let mut longer = flags().filter(|flag| begins(flag, name));
    match (longer.next(), longer.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) => None,
        (None, _) => flags().filter(|flag| begins(name, flag)).max_by_key(|flag| flag.len()),
    }
}

/// The number of letters to add, remove, replace or swap with their neighbour to turn one into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = match i > 1 && j > 1 && a[i - 2] == b[j - 1] && a[i - 1] == b[j - 2] {
                    true => table[i - 2][j - 2] + 1,
                    false => replaced,
                };
                replaced.min(swapped).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1)
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_corrected_and_nothing_else_guessed() {
        for (name, near) in [
            ("namespce", Some("namespace")),
            ("sinc", Some("since")),
            ("tial", Some("tail")),
            ("since-tme", Some("since-time")),
            ("no-follw", Some("no-follow")),
            ("nofollow", Some("no-follow")),
            ("colour", Some("color")),
            ("containers", Some("container")),
            ("container-name", Some("container")),
            ("config-file", Some("config")),
            ("limit", Some("limit-bytes")),
            ("all", Some("all-namespaces")),
            ("max", None),
            ("u", None),
            ("filter", None),
            ("server-side", Some("server")),
            ("zzzzzz", None),
            ("levell", Some("level")),
        ] {
            assert_eq!(nearest(name), near, "{name}");
        }
    }

    /// Every flag that a hint names is one.
    #[test]
    fn hints_name_flags_that_exist() {
        let names = "follow watch all-containers all-pods prefix ignore-errors ns label labels grep regex no-color \
                     v verbose kubecontext kube-context pod pods loglevel log-level";
        for name in names.split_whitespace() {
            assert!(flags::long(name).is_none(), "{name}");
            let hint = known(name).expect(name);
            let (_, offered) = hint.split_once([';', ':']).expect("a hint follows");
            let flags = offered.split_whitespace().filter_map(|word| word.strip_prefix("--"));
            for flag in flags.map(|flag| flag.trim_end_matches([';', '?'])).filter(|flag| *flag != name) {
                assert!(flags::long(flag).is_some(), "{hint}");
            }
        }
    }
}
