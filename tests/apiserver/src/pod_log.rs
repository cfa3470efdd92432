//! The log that a request refers to, with the checks and messages of an apiserver and a kubelet.

use crate::{
    account::Request,
    answers::is_true,
    clock::Clock,
    containers::{Container, Kind, State},
    lifecycle::Outage,
    lock,
    log_file::nanoseconds,
    log_reader::{Options, Reader},
    logs::Place,
    pods::Pod,
    resources::Route,
    script::Answer,
    server::Inner,
};

pub(crate) struct PodLog {
    pub reader: Reader,
    pub limit: Option<u64>,
    pub node: String,
}

/// Status code, reason and message.
#[derive(Debug)]
pub(crate) struct Refusal(pub u16, pub &'static str, pub String);

fn bad_request(message: String) -> Refusal {
    Refusal(400, "BadRequest", message)
}

/// The log, or a text in its place: nothing for a pod without a node, and the error of a kubelet that has begun its
/// answer already.
pub(crate) enum Found {
    Log(PodLog),
    Text(String),
}

pub(crate) fn find(inner: &Inner, request: &Request, route: &Route) -> Result<Found, Refusal> {
    let name = route.name.clone().unwrap_or_default();
    let key = (route.namespace.clone().unwrap_or_default(), name);
    let mut world = lock(&inner.world);
    // The kubelet counts `sinceSeconds`.
    let node = world.pods.get(&key).and_then(|running| running.pod.node.clone());
    let clock = world.node_clock(&node.unwrap_or_default());
    let running = world
        .pods
        .get(&key)
        .ok_or_else(|| Refusal(404, "NotFound", format!("pods {:?} not found", key.1)))?;
    let pod = &running.pod;
    let (mut options, limit) = parse(&clock, request, &pod.name)?;
    options.timestamps &= !pod.untimed;
    let container = choose(pod, request.query("container").unwrap_or_default())?;
    let Some(node) = &pod.node else { return Ok(Found::Text(String::new())) };
    if lock(&inner.access).stopped.contains(node) {
        let url = format!("https://{node}:10250/containerLogs/{}/{}/{}", key.0, key.1, container.name);
        let message = format!("Get \"{url}\": dial tcp {node}:10250: connect: connection refused");
        return Err(Refusal(500, "", message));
    }
    let id = instance(pod, container, is_true(&request.query, "previous")).map_err(bad_request)?;
    let log = running.log(id).expect("every instance has a log");
    if log.place() == Place::Removed {
        return Ok(Found::Text(format!("unable to retrieve container logs for {id}")));
    }
    if log.place() == Place::Renamed {
        let (pod, number) = (format!("{}_{}_{}", key.0, key.1, pod.uid), container.restarts);
        let path = format!("/var/log/pods/{pod}/{}/{number}.log", container.name);
        let text = format!(
            "failed to try resolving symlinks in path {path:?}: lstat {path}: no such file or directory"
        );
        return Ok(Found::Text(text));
    }
    Ok(Found::Log(PodLog { reader: Reader::new(log.clone(), options), limit, node: node.clone() }))
}

/// The outage of the pod's node, if a log is requested.
pub(crate) fn outage(inner: &Inner, route: &Route) -> Option<(String, Outage)> {
    let key = (route.namespace.clone()?, route.name.clone().filter(|_| route.log)?);
    let node = lock(&inner.world).pods.get(&key)?.pod.node.clone()?;
    let outage = lock(&inner.access).outages.get(&node).copied()?;
    Some((node, outage))
}

/// The answer of an apiserver that does not reach the node.
pub(crate) async fn suffer((node, outage): (String, Outage)) -> Answer {
    let dial = |error: &str| {
        let message = format!("Get \"https://{node}:10250/containerLogs\": dial tcp {node}:10250: {error}");
        Answer::status(500, "", &message)
    };
    match outage {
        Outage::Refused => dial("connect: connection refused"),
        Outage::Unreachable(after) => {
            tokio::time::sleep(after).await;
            dial("i/o timeout")
        }
        Outage::TimedOut(after) => {
            tokio::time::sleep(after).await;
            Answer::gateway_timeout()
        }
        Outage::Silent => std::future::pending().await,
    }
}

fn parse(clock: &Clock, request: &Request, pod: &str) -> Result<(Options, Option<u64>), Refusal> {
    let invalid = |what: &str| Refusal(422, "Invalid", format!("PodLogOptions {pod:?} is invalid: {what}"));
    let number = |name: &str, least: i64, rule: &str| match request.query(name) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) if number >= least => Ok(Some(number as u64)),
            Ok(number) => Err(invalid(&format!("{name}: Invalid value: {number}: must be {rule}"))),
            Err(_) => Err(bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))),
        },
    };
    let since_seconds = number("sinceSeconds", 1, "greater than 0")?;
    let since_time = match request.query("sinceTime").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match text.parse::<jiff::Timestamp>() {
            // The request to the kubelet has whole seconds only.
            Ok(at) => Some(at.as_second().saturating_mul(1_000_000_000)),
            Err(_) => {
                let message = format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse");
                return Err(bad_request(message));
            }
        },
    };
    if since_seconds.is_some() && since_time.is_some() {
        return Err(invalid("[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    let since_seconds = since_seconds.map(|seconds| nanoseconds(clock.ago(seconds)));
    let options = Options {
        follow: is_true(&request.query, "follow"),
        timestamps: is_true(&request.query, "timestamps"),
        since: since_time.or(since_seconds),
        tail: number("tailLines", 0, "greater than or equal to 0")?,
    };
    Ok((options, number("limitBytes", 1, "greater than 0")?))
}

fn choose<'a>(pod: &'a Pod, name: &str) -> Result<&'a Container, Refusal> {
    if !name.is_empty() {
        return pod
            .find(name)
            .ok_or_else(|| bad_request(format!("container {name} is not valid for pod {}", pod.name)));
    }
    if let [only] = pod.names(Kind::Main)[..] {
        return Ok(pod.find(only).expect("it is a name of this pod"));
    }
    let names = [Kind::Init, Kind::Sidecar, Kind::Main, Kind::Ephemeral]
        .map(|kind| pod.names(kind))
        .concat()
        .join(" ");
    let name = &pod.name;
    Err(bad_request(format!("a container name must be specified for pod {name}, choose one of: [{names}]")))
}

/// The ID of the instance whose log is requested.
fn instance<'a>(pod: &Pod, container: &'a Container, previous: bool) -> Result<&'a str, String> {
    let Container { name, state, last, reported, .. } = container;
    let pod = &pod.name;
    if !reported {
        return Err(format!("container {name:?} in pod {pod:?} is not available"));
    }
    let before = last.as_ref().map(|last| last.id.as_str());
    if previous {
        return before
            .ok_or_else(|| format!("previous terminated container {name:?} in pod {pod:?} not found"));
    }
    let waiting = match state {
        State::Running { id, .. } => return Ok(id),
        State::Terminated(end) => return Ok(&end.id),
        State::Waiting { reason, .. } => match reason.as_str() {
            "ErrImagePull" => "image can't be pulled",
            "ImagePullBackOff" => "trying and failing to pull image",
            reason => reason,
        },
    };
    before.ok_or_else(|| format!("container {name:?} in pod {pod:?} is waiting to start: {waiting}"))
}
