//! The query, the one positional argument: a regular expression for pod names, or KIND/NAME.

use regex::Regex;

use super::{moment::Moment, name, pattern, read::error};
use crate::{
    cli::{self, Args},
    usage_error::UsageError,
};

#[derive(Debug, Clone)]
pub enum Query {
    /// Pods whose names match.
    Regex(Regex),
    /// The one pod of this name.
    Pod(String),
    /// The pods that a workload or service selects.
    Resource { kind: Kind, name: String },
}

/// A kind that selects pods by its `spec.selector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ReplicationController,
    Service,
    DaemonSet,
    Deployment,
    ReplicaSet,
    StatefulSet,
    Job,
}

const KINDS: &str = "pod, replicationcontroller (rc), service (svc), daemonset (ds), deployment (deploy), \
                     replicaset (rs), statefulset (sts) or job";

/// The query of the command line; empty if there is none.
pub fn text(args: &Args) -> Result<&str, UsageError> {
    let mut words = Vec::new();
    for word in args.positionals.iter().map(|positional| positional.value.as_os_str()) {
        let invalid = || error(format!("the query {} is not UTF-8", word.to_string_lossy()));
        words.push(word.to_str().ok_or_else(invalid)?);
    }
    // No pod has such a name.
    if let Some(time) = words.iter().find(|word| Moment::is_time_of_day(word)) {
        return Err(error(format!(
            "\"{time}\" is a time, and no query; a day and a time are one word in quotes: '2026-05-31 {time}'"
        )));
    }
    let [first, second, ..] = words[..] else { return Ok(words.first().copied().unwrap_or_default()) };
    let after = args.positionals.iter().find_map(|positional| positional.after.as_deref());
    Err(several(first, second, after))
}

/// `after` is the flag right before one of the words, if the word may be meant as its value.
fn several(first: &str, second: &str, after: Option<&str>) -> UsageError {
    let hint = match after {
        Some(flag) => cli::misused(flag),
        None if matches!(first, "log" | "logs") => format!("'{first}' is a command of kubectl; remove it"),
        None if kind_of(first).is_some() && !second.contains('/') => {
            format!("write kind and name as one word: '{first}/{second}'")
        }
        None => match either(&[first, second]) {
            Some(both) => format!("one pattern can match both: '{both}'"),
            None => "use one pattern that matches both, or -l with a label that both have".to_owned(),
        },
    };
    error(format!("only one query is allowed, not \"{first}\" and \"{second}\"; {hint}"))
}

/// The error is a whole sentence.
pub fn parse(query: &str) -> Result<Query, String> {
    let Some((kind, name)) = query.split_once('/') else {
        return pattern::name(query).map(Query::Regex).map_err(|reason| format!("the query {reason}"));
    };
    if name.contains('/') {
        let several = either(&query.split('|').collect::<Vec<_>>());
        let hint = several.map(|several| format!(", and several pods as '{several}'")).unwrap_or_default();
        return Err(format!("{query}: resource must be specified in the form \"<resource>/<name>\"{hint}"));
    }
    let Some(selects) = kind_of(kind) else {
        return Err(unknown_kind(query, kind));
    };
    if name.is_empty() {
        return Err(format!("{query}: a name is missing after the slash"));
    }
    match selects {
        Selects::Itself if name::is_subdomain(name) => Ok(Query::Pod(name.to_owned())),
        Selects::Itself => pattern::whole_name(name)
            .map(Query::Regex)
            .map_err(|reason| format!("the query {query}: {reason}")),
        Selects::Pods(kind) if name::is_subdomain(name) => {
            Ok(Query::Resource { kind, name: name.to_owned() })
        }
        Selects::Pods(_) => {
            Err(format!("{query}: \"{name}\" cannot be a name; for a pattern of pod names, remove {kind}/"))
        }
    }
}

/// One query for the pods of all of these, to be typed between single quotes, if there is one.
fn either(queries: &[&str]) -> Option<String> {
    let names: Vec<_> = queries.iter().filter_map(|query| query.strip_prefix("pod/")).collect();
    let both = if names.len() == queries.len() {
        format!("pod/{}", names.join("|"))
    } else {
        let whole =
            |query: &&str| query.strip_prefix("pod/").map_or(query.to_string(), |name| format!("^{name}$"));
        queries.iter().map(whole).collect::<Vec<_>>().join("|")
    };
    let can_be_one = queries.len() > 1 && !both.trim_start_matches("pod/").contains(['/', '\'']);
    (can_be_one && parse(&both).is_ok()).then_some(both)
}

/// The pods of an object of some kind.
pub enum Selects {
    Itself,
    Pods(Kind),
}

/// As kubectl reads kinds: in any case, short, singular or plural, and as `deployments.apps` or `deployments.v1.apps`.
pub fn kind_of(text: &str) -> Option<Selects> {
    let text = text.to_lowercase();
    let (word, group) = match text.split_once('.') {
        Some((word, group)) => {
            (word, Some(group.strip_prefix("v1").map_or(group, |rest| rest.trim_start_matches('.'))))
        }
        None => (text.as_str(), None),
    };
    let (kind, of) = match word {
        "pod" | "pods" | "po" => (Selects::Itself, ""),
        "replicationcontroller" | "replicationcontrollers" | "rc" => {
            (Selects::Pods(Kind::ReplicationController), "")
        }
        "service" | "services" | "svc" => (Selects::Pods(Kind::Service), ""),
        "daemonset" | "daemonsets" | "ds" => (Selects::Pods(Kind::DaemonSet), "apps"),
        "deployment" | "deployments" | "deploy" => (Selects::Pods(Kind::Deployment), "apps"),
        "replicaset" | "replicasets" | "rs" => (Selects::Pods(Kind::ReplicaSet), "apps"),
        "statefulset" | "statefulsets" | "sts" => (Selects::Pods(Kind::StatefulSet), "apps"),
        "job" | "jobs" => (Selects::Pods(Kind::Job), "batch"),
        _ => return None,
    };
    group.is_none_or(|group| group == of).then_some(kind)
}

fn unknown_kind(query: &str, kind: &str) -> String {
    match kind.to_lowercase().split('.').next() {
        Some("cronjob" | "cronjobs" | "cj") => {
            format!(
                "{query}: a cronjob selects no pods, its jobs do; use job/NAME, or a pattern that matches their pods"
            )
        }
        _ => format!("{query}: unknown kind \"{kind}\"; use one of {KINDS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(query: &str) -> Kind {
        match parse(query) {
            Ok(Query::Resource { kind, .. }) => kind,
            other => panic!("{query}: {other:?}"),
        }
    }

    fn regex(query: &str) -> String {
        match parse(query) {
            Ok(Query::Regex(regex)) => regex.to_string(),
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn without_a_slash_it_is_a_regex() {
        assert_eq!(regex(r"web-\d+"), "web-[0-9]+");
    }

    #[test]
    fn a_pod_with_a_valid_name_is_exact() {
        for query in ["pod/web-0", "po/web-0", "pods/web-0", "Pod/web-0", "pods.v1/web-0"] {
            assert!(matches!(parse(query), Ok(Query::Pod(name)) if name == "web-0"), "{query}");
        }
    }

    #[test]
    fn a_pod_with_another_name_is_an_anchored_regex() {
        let matches = |query: &str, pod: &str| match parse(query) {
            Ok(Query::Regex(regex)) => regex.is_match(pod),
            other => panic!("{query}: {other:?}"),
        };
        for (query, whole, part) in [
            ("pod/web-.*", "web-1", "my-web-1"),
            ("pod/a|b", "b", "abc"),
            ("pod/(?i)A|b", "B", "xb"),
            (r"pod/\Qa.b", "a.b", "a.bc"),
        ] {
            assert!(matches(query, whole) && !matches(query, part), "{query}");
        }
    }

    #[test]
    fn every_kind_has_its_names() {
        for (names, expected) in [
            ("rc replicationcontroller replicationcontrollers", Kind::ReplicationController),
            ("svc service services", Kind::Service),
            ("ds daemonset daemonsets daemonsets.apps", Kind::DaemonSet),
            (
                "deploy deployment deployments deployments.apps deployment.v1.apps Deployment",
                Kind::Deployment,
            ),
            ("rs replicaset replicasets", Kind::ReplicaSet),
            ("sts statefulset statefulsets STS", Kind::StatefulSet),
            ("job jobs jobs.batch jobs.v1.batch", Kind::Job),
        ] {
            for name in names.split(' ') {
                assert_eq!(kind(&format!("{name}/x")), expected, "{name}");
            }
        }
    }

    #[test]
    fn errors_name_the_fault() {
        for (query, words) in [
            ("(", "the query \"(\" is not a regular expression: missing closing )"),
            ("deploy/a/b", "resource must be specified in the form \"<resource>/<name>\""),
            ("pod/a|pod/b", "in the form \"<resource>/<name>\", and several pods as 'pod/a|b'"),
            ("deploy/", "a name is missing"),
            ("pod/", "a name is missing"),
            ("deploy/web.*", "\"web.*\" cannot be a name"),
            ("ingress/web", "unknown kind \"ingress\"; use one of pod, rep"),
            ("deployments.batch/web", "unknown kind"),
            ("/web", "unknown kind"),
            ("cj/web", "a cronjob selects no pods"),
            ("cronjobs.batch/web", "a cronjob selects no pods"),
            ("pod/(", "the query pod/(: \"(\" is not a regular expression: missing closing )"),
            ("pod/a)|(b", "\"a)|(b\" is not a regular expression: unexpected )"),
        ] {
            let error = parse(query).unwrap_err();
            assert!(error.contains(words), "{query}: {error}");
        }
    }
}
