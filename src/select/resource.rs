//! Finds the pods of a workload or service: its `spec.selector`, as a label selector.

use std::time::Duration;

use kube::api::{ApiResource, ListParams};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::{Selected, border, complete::Job, failure::FailureReport};
use crate::{
    cluster::{Cluster, Error, Objects},
    notice::Scope as About,
    plan::{Kind, Namespaces},
};

/// Pause between requests for a resource that does not exist yet.
const AGAIN: Duration = Duration::from_secs(2);

/// The label by which the Job controller marks the pods of a Job.
const JOB_NAME: &str = "job-name";

/// Most rounds over all namespaces when some fail temporarily and another has the resource.
const MOST_ROUNDS: usize = 5;

/// The namespace of a resource and the label selector for its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub namespace: String,
    pub selector: String,
    /// Whether it was created while stern-rs waited for it.
    pub fresh: bool,
    /// Itself, if it is a Job that can be read.
    pub job: Option<Job>,
}

/// How long to wait for a resource that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Never,
    /// None: for ever.
    Until(Option<Instant>),
}

impl Wait {
    /// A pause before the next question; false if there is none before the time is over.
    async fn pause(self) -> bool {
        let next = Instant::now() + AGAIN;
        let end = match self {
            Wait::Never => return false,
            Wait::Until(end) => end.filter(|end| *end < next),
        };
        sleep_until(end.unwrap_or(next)).await;
        end.is_none()
    }
}

/// Finds the resource `name` in these namespaces. Unless `wait` forbids it, waits until at least one has it; none has
/// it once the time is over.
pub async fn find_in(
    cluster: &Cluster,
    (kind, name): (Kind, &str),
    namespaces: &Namespaces,
    wait: Wait,
    on_complete: bool,
    report: impl AsyncFn(Selected),
) -> Result<Vec<Found>, Error> {
    let default = cluster.default_namespace();
    let missing =
        format!("{} \"{name}\" not found in {}", api_resource(kind).plural, namespaces.described(default));
    let ask = async |namespace: Option<&str>| match (find(cluster, kind, name, namespace).await, namespace) {
        // A pipeline may be allowed to read pods only.
        (Err(error), Some(namespace)) if on_complete && kind == Kind::Job && error.is_forbidden() => {
            let text = format!(
                "{error}; its pods are found by the label {JOB_NAME}, and decide whether it succeeded"
            );
            report(Selected::Notice(About::Cluster.warning(text))).await;
            let (namespace, selector) = (namespace.to_owned(), format!("{JOB_NAME}={name}"));
            Ok(vec![Found { namespace, selector, fresh: false, job: None }])
        }
        (found, _) => found,
    };
    let found = until_found(&namespaces.each(default), wait, &missing, ask, &report).await?;
    // A new service may select existing pods.
    let old = |found| Found { fresh: false, ..found };
    Ok(if kind == Kind::Service { found.into_iter().map(old).collect() } else { found })
}

async fn until_found(
    namespaces: &[Option<&str>],
    wait: Wait,
    missing: &str,
    ask: impl AsyncFn(Option<&str>) -> Result<Vec<Found>, Error>,
    report: impl AsyncFn(Selected),
) -> Result<Vec<Found>, Error> {
    let follow = wait != Wait::Never;
    let (mut waited, mut failure, mut rounds) = (false, FailureReport::default(), 0);
    loop {
        rounds += 1;
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for namespace in namespaces {
            match ask(*namespace).await {
                Ok(some) => found.extend(some),
                Err(error) => errors.push(error),
            }
        }
        // For example an apiserver that is starting. Resources that were found do not wait for it for ever.
        let patient = follow && (found.is_empty() || rounds < MOST_ROUNDS);
        if let Some(error) = errors.iter().find(|error| patient && error.is_retryable()) {
            if let Some(notice) = failure.failed(error) {
                report(Selected::Notice(notice)).await;
            }
            if wait.pause().await {
                continue;
            }
            return Err(errors.swap_remove(0));
        }
        let answers = !errors.iter().any(Error::is_retryable);
        if let Some(text) = failure.works("the apiserver answers").filter(|_| answers) {
            report(Selected::Notice(About::Cluster.info(text))).await;
        }
        let is_missing = errors.is_empty() || errors.iter().any(Error::is_not_found);
        if found.is_empty() && !(follow && is_missing) {
            return Err(errors.into_iter().next().unwrap_or_else(|| Error::invalid(missing)));
        }
        // With several namespaces, a missing resource in one of them is normal.
        for error in errors.into_iter().filter(|error| !error.is_not_found() && !waited) {
            report(Selected::LeftOut(About::Cluster.warning(error.to_string()))).await;
        }
        if !found.is_empty() {
            return Ok(found.into_iter().map(|found| Found { fresh: waited, ..found }).collect());
        }
        if !waited {
            report(Selected::Notice(About::Cluster.info(format!("{missing}; waiting for it")))).await;
        }
        waited = true;
        if !wait.pause().await {
            return Ok(Vec::new());
        }
    }
}

/// Reads the resource `name` in `namespace`, or in every namespace that has one.
async fn find(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    namespace: Option<&str>,
) -> Result<Vec<Found>, Error> {
    let resource = api_resource(kind);
    let wanted = Objects { name: Some(name.to_owned()), ..Objects::new(resource.clone(), namespace) };
    let objects: Vec<Value> = match namespace {
        Some(_) => vec![cluster.get(&wanted, name).await?],
        None => {
            let one = ListParams::default().fields(&format!("metadata.name={name}"));
            cluster.list(&wanted, &one).await?.items
        }
    };
    objects.into_iter().map(|object| found(&resource, name, namespace, object)).collect()
}

/// `asked`: the namespace that was searched.
fn found(resource: &ApiResource, name: &str, asked: Option<&str>, object: Value) -> Result<Found, Error> {
    let namespace = asked.or_else(|| object["metadata"]["namespace"].as_str()).unwrap_or_default().to_owned();
    if !border::is_possible(&namespace) {
        let namespace = border::quoted(&namespace);
        return Err(Error::invalid(format!(
            "the namespace of {} \"{name}\" has an impossible name: {namespace}",
            resource.plural
        )));
    }
    let selector = selector(&object["spec"]).ok_or_else(|| {
        Error::invalid(format!(
            "{} \"{name}\" in namespace \"{namespace}\" selects no pods: it has no spec.selector",
            resource.plural
        ))
    })?;
    let job = (resource.kind == "Job").then(|| Job::new(&namespace, name, &object));
    Ok(Found { namespace, selector, fresh: false, job })
}

pub fn api_resource(kind: Kind) -> ApiResource {
    let (group, kind, plural) = match kind {
        Kind::ReplicationController => ("", "ReplicationController", "replicationcontrollers"),
        Kind::Service => ("", "Service", "services"),
        Kind::DaemonSet => ("apps", "DaemonSet", "daemonsets"),
        Kind::Deployment => ("apps", "Deployment", "deployments"),
        Kind::ReplicaSet => ("apps", "ReplicaSet", "replicasets"),
        Kind::StatefulSet => ("apps", "StatefulSet", "statefulsets"),
        Kind::Job => ("batch", "Job", "jobs"),
    };
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// The label selector of a `spec`; None if it selects nothing.
///
/// Services and replication controllers have a plain map, the others a `LabelSelector`. A replication controller
/// without one gets the labels of its template as the apiserver's default.
pub(super) fn selector(spec: &Value) -> Option<String> {
    let selector = &spec["selector"];
    let requirements = if selector["matchLabels"].is_object() || selector["matchExpressions"].is_array() {
        let mut requirements = equals(&selector["matchLabels"]);
        requirements
            .extend(selector["matchExpressions"].as_array().into_iter().flatten().filter_map(expression));
        requirements
    } else if selector.is_object() {
        equals(selector)
    } else {
        equals(&spec["template"]["metadata"]["labels"])
    };
    (!requirements.is_empty()).then(|| requirements.join(","))
}

fn equals(labels: &Value) -> Vec<String> {
    let labels = labels.as_object().into_iter().flatten();
    labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect()
}

fn expression(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values = || {
        let values = expression["values"].as_array().into_iter().flatten();
        values.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    match expression["operator"].as_str()? {
        "In" => Some(format!("{key} in ({})", values())),
        "NotIn" => Some(format!("{key} notin ({})", values())),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::cluster::refused;
    use serde_json::json;

    /// Asks two namespaces that answer like this; gives the outcome, the notices and the time taken.
    async fn ask(
        follow: bool,
        answer: impl Fn(&str, usize) -> Result<Vec<Found>, Error>,
    ) -> (Result<Vec<Found>, String>, Vec<String>, Duration) {
        ask_while(if follow { Wait::Until(None) } else { Wait::Never }, answer).await
    }

    async fn ask_while(
        wait: Wait,
        answer: impl Fn(&str, usize) -> Result<Vec<Found>, Error>,
    ) -> (Result<Vec<Found>, String>, Vec<String>, Duration) {
        let (asked, reported, began) = (Cell::new(0_usize), RefCell::new(Vec::new()), Instant::now());
        let ask = async |namespace: Option<&str>| {
            asked.update(|asked| asked + 1);
            answer(namespace.unwrap_or_default(), asked.get().div_ceil(2))
        };
        let report = async |what| match what {
            Selected::Notice(notice) | Selected::LeftOut(notice) => reported.borrow_mut().push(notice.text),
            what => panic!("{what:?}"),
        };
        let found = until_found(&[Some("a"), Some("b")], wait, "jobs \"x\" not found", ask, report).await;
        (found.map_err(|error| error.to_string()), reported.take(), began.elapsed())
    }

    #[test]
    fn an_object_whose_namespace_is_impossible_is_refused() {
        let object = json!({"metadata": {"namespace": "a\u{1b}[2J/b"}, "spec": {"selector": {"matchLabels": {"a": "b"}}}});
        let error = found(&api_resource(Kind::Deployment), "web", None, object).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the namespace of deployments \"web\" has an impossible name: \"a [2J/b\""
        );
    }

    fn in_namespace(name: &str, fresh: bool) -> Found {
        Found { namespace: name.to_owned(), selector: "job=x".to_owned(), fresh, job: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_workload_that_does_not_exist_yet_is_asked_for_every_two_seconds() {
        let (found, reported, time) = ask(true, |namespace, round| match (namespace, round) {
            ("b", 5) => Ok(vec![in_namespace("b", false)]),
            _ => Err(refused(404, "not found")),
        })
        .await;
        assert_eq!(found, Ok(vec![in_namespace("b", true)]));
        assert_eq!(reported, ["jobs \"x\" not found; waiting for it"]);
        assert_eq!(time, AGAIN * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn no_workload_is_waited_for_once_the_time_is_over() {
        let limit = AGAIN * 3 / 2;
        let wait = || Wait::Until(Some(Instant::now() + limit));
        let (found, reported, time) = ask_while(wait(), |_, _| Err(refused(404, "not found"))).await;
        assert_eq!((found, time), (Ok(Vec::new()), limit));
        assert_eq!(reported, ["jobs \"x\" not found; waiting for it"]);
        let (found, _, time) = ask_while(wait(), |_, _| Err(refused(503, ""))).await;
        assert!(found.is_err() && time == limit);
    }

    #[tokio::test(start_paused = true)]
    async fn one_namespace_that_has_the_workload_is_enough() {
        let answer = |namespace: &str, _| match namespace {
            "a" => Ok(vec![in_namespace("a", false)]),
            _ => Err(refused(404, "not found")),
        };
        let (found, reported, time) = ask(true, answer).await;
        assert_eq!((found, time), (Ok(vec![in_namespace("a", false)]), Duration::ZERO));
        assert!(reported.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_apiserver_that_fails_for_a_while_is_asked_again_and_reported_once() {
        let (found, reported, time) = ask(true, |namespace, round| match (namespace, round) {
            (_, ..=2) => Err(refused(503, "")),
            ("a", _) => Ok(vec![in_namespace("a", false)]),
            _ => Err(refused(404, "not found")),
        })
        .await;
        assert_eq!((found, time), (Ok(vec![in_namespace("a", false)]), AGAIN * 2));
        assert!(
            reported[0].contains("; trying again") && reported[1].contains("the apiserver answers"),
            "{reported:?}"
        );
        assert_eq!(reported.len(), 2, "{reported:?}");
        let (found, _, time) = ask(false, |_, _| Err(refused(503, ""))).await;
        assert!(found.is_err() && time.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_that_never_answers_does_not_stop_another_for_long() {
        let answer = |namespace: &str, _| match namespace {
            "a" => Ok(vec![in_namespace("a", false)]),
            _ => Err(refused(500, "gone mad")),
        };
        let (found, reported, time) = ask(true, answer).await;
        assert_eq!((found, time), (Ok(vec![in_namespace("a", false)]), AGAIN * 4));
        assert!(reported[0].ends_with("gone mad”; trying again") && reported.len() == 2, "{reported:?}");
        assert!(reported[1].ends_with("gone mad”"), "it is left out: {reported:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hidden_or_unfollowed_workload_is_not_waited_for() {
        let forbidden = |_: &str, _| Err(refused(403, "no"));
        assert!(ask(true, forbidden).await.0.unwrap_err().contains("403"));
        let missing = |_: &str, _| Err(refused(404, "not found"));
        assert!(ask(false, missing).await.0.unwrap_err().contains("not found"));
        assert_eq!(ask(false, |_, _| Ok(vec![])).await.0.unwrap_err(), "jobs \"x\" not found");
    }

    /// The failure is reported once, and the other namespace is retried.
    #[tokio::test(start_paused = true)]
    async fn a_namespace_that_cannot_be_seen_does_not_stop_the_wait_for_another() {
        let (found, reported, _) = ask(true, |namespace, round| match (namespace, round) {
            ("a", _) => Err(refused(403, "no")),
            ("b", 3) => Ok(vec![in_namespace("b", false)]),
            _ => Err(refused(404, "not found")),
        })
        .await;
        assert!(found.is_ok());
        assert_eq!(reported.len(), 2, "{reported:?}");
    }

    #[test]
    fn match_labels_and_expressions_are_joined() {
        let spec = json!({"selector": {
        "matchLabels": {"app": "web", "tier": "front"},
        "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["a", "b"]},
            {"key": "old", "operator": "NotIn", "values": ["yes"]},
            {"key": "track", "operator": "Exists"},
            {"key": "canary", "operator": "DoesNotExist"},
        ]}});
        assert_eq!(
            selector(&spec).as_deref(),
            Some("app=web,tier=front,env in (a,b),old notin (yes),track,!canary")
        );
    }

    #[test]
    fn a_service_selects_by_a_plain_map() {
        assert_eq!(selector(&json!({"selector": {"app": "web"}})).as_deref(), Some("app=web"));
    }

    #[test]
    fn a_replication_controller_without_a_selector_selects_by_its_template() {
        let spec = json!({"template": {"metadata": {"labels": {"app": "web"}}}});
        assert_eq!(selector(&spec).as_deref(), Some("app=web"));
    }

    #[test]
    fn an_empty_selector_is_none() {
        assert_eq!(selector(&json!({"type": "ExternalName"})), None);
        assert_eq!(selector(&json!({"selector": {}})), None);
    }
}
