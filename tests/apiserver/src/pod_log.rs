//! Which log a request means, decided as an apiserver and a kubelet do, in their words.

use crate::{
    account::Request,
    answers::is_true,
    lock,
    logs::{Options, Reader},
    pods::{Container, Kind, Pod, State},
    resources::Route,
    script::Answer,
    server::Inner,
};

pub(crate) struct PodLog {
    pub reader: Reader,
    pub limit: Option<u64>,
}

pub(crate) enum Found {
    Log(PodLog),
    /// The pod is on no node: an empty answer, and no error.
    Nothing,
    NoPod,
    Refused(Answer),
}

pub(crate) fn find(inner: &Inner, request: &Request, route: &Route) -> Found {
    let name = route.name.clone().unwrap_or_default();
    let key = (route.namespace.clone().unwrap_or_default(), name);
    let world = lock(&inner.world);
    let Some(running) = world.pods.get(&key) else { return Found::NoPod };
    let pod = &running.pod;
    let checked = parse(inner, request, &pod.name).and_then(|(options, limit)| {
        let container = choose(pod, request.query("container").unwrap_or_default())?;
        Ok((options, limit, container))
    });
    let (options, limit, container) = match checked {
        Ok(checked) => checked,
        Err(answer) => return Found::Refused(answer),
    };
    let Some(node) = &pod.node else { return Found::Nothing };
    if lock(&inner.access).stopped.contains(node) {
        let url = format!("https://{node}:10250/containerLogs/{}/{}/{}", key.0, key.1, container.name);
        let message = format!("Get \"{url}\": dial tcp {node}:10250: connect: connection refused");
        return Found::Refused(Answer::status(500, "", &message));
    }
    match instance(pod, container, is_true(&request.query, "previous")) {
        Err(message) => Found::Refused(Answer::status(400, "BadRequest", &message)),
        Ok(id) => {
            let log = running.log(id).expect("every instance has a log");
            Found::Log(PodLog { reader: Reader::new(log.clone(), options), limit })
        }
    }
}

fn parse(inner: &Inner, request: &Request, pod: &str) -> Result<(Options, Option<u64>), Answer> {
    let invalid =
        |what: &str| Answer::status(422, "Invalid", &format!("PodLogOptions {pod:?} is invalid: {what}"));
    let number = |name: &str, least: i64, rule: &str| match request.query(name) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) if number >= least => Ok(Some(number as u64)),
            Ok(number) => Err(invalid(&format!("{name}: Invalid value: {number}: must be {rule}"))),
            Err(_) => Err(Answer::status(
                400,
                "BadRequest",
                &format!("strconv.ParseInt: parsing {text:?}: invalid syntax"),
            )),
        },
    };
    let since_seconds = number("sinceSeconds", 1, "greater than 0")?;
    let since_time = match request.query("sinceTime").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match text.parse::<jiff::Timestamp>() {
            // On its way to the kubelet it loses what is not a whole second.
            Ok(at) => Some(at.as_second().saturating_mul(1_000_000_000)),
            Err(_) => {
                let message = format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse");
                return Err(Answer::status(400, "BadRequest", &message));
            }
        },
    };
    if since_seconds.is_some() && since_time.is_some() {
        return Err(invalid(
            "<nil>: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ));
    }
    let since_seconds = since_seconds.map(|seconds| inner.clock.ago(seconds).as_nanosecond() as i64);
    let options = Options {
        follow: is_true(&request.query, "follow"),
        timestamps: is_true(&request.query, "timestamps"),
        since: since_time.or(since_seconds),
        tail: number("tailLines", 0, "greater than or equal to 0")?,
    };
    Ok((options, number("limitBytes", 1, "greater than 0")?))
}

fn choose<'a>(pod: &'a Pod, name: &str) -> Result<&'a Container, Answer> {
    let bad = |message: String| Answer::status(400, "BadRequest", &message);
    if !name.is_empty() {
        return pod
            .find(name)
            .ok_or_else(|| bad(format!("container {name} is not valid for pod {}", pod.name)));
    }
    let main = pod.names(Kind::Main);
    if let [only] = main[..] {
        return Ok(pod.find(only).expect("it was named just now"));
    }
    let list = |names: &[&str]| format!("[{}]", names.join(" "));
    let mut message =
        format!("a container name must be specified for pod {}, choose one of: {}", pod.name, list(&main));
    for (kind, words) in [(Kind::Init, "init"), (Kind::Ephemeral, "ephemeral")] {
        let names = pod.names(kind);
        if !names.is_empty() {
            message += &format!(" or one of the {words} containers: {}", list(&names));
        }
    }
    Err(bad(message))
}

/// The ID of the instance whose log is meant.
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
