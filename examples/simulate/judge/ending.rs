//! The end of a run: when it comes, its exit code, and its last words.

use std::{collections::BTreeSet, time::Duration};

use apiserver::Ended;
use stern_rs::ExitCode;

use super::{
    Problem,
    limits::View,
    lines::output::Text,
    promptness::{AFTER_FAULT, Bounds},
    reading,
    troubles::{AWAITED, Nature, Trouble, troubles},
};
use crate::{
    script::{Ending, Event, Fault, Kind, Setting, What},
    story::{Container, Pod, Request, Story},
};

/// The most that an end takes after a signal: the whole process has a second (src/grace.rs), and the last words one
/// more.
const AFTER_SIGNAL: Duration = Duration::from_secs(2);

/// The same once the time of `--timeout` is over (`PATIENCE` in src/deadline.rs), and a second for the last words.
const AFTER_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest from a request, as it is sent, to its arrival: its connection takes some round trips.
const CONNECTING: Duration = Duration::from_secs(3);

/// How much later than `--until` the program may take it, since it knows the clock of the apiserver in whole seconds.
const CLOCKS: Duration = Duration::from_secs(2);

/// The longest silence of a log whose pod has completed (`DRAIN` in src/tail/stream.rs): the node may still end
/// containers of it.
const DRAIN: Duration = Duration::from_secs(10);

/// Timers have milliseconds.
const TIMERS: Duration = Duration::from_millis(2);

/// The beginning of the words of a run whose output took nothing at its end (src/run.rs).
const BLOCKED: &[u8] =
    b"stern-rs: the time of --timeout is over, and lines that were read could not be shown";

/// The time of an end in which the last lines are shown.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub fn judge(story: &Story) -> Vec<Problem> {
    let problem = |kind, text| Problem { kind, container: String::new(), at: story.ended, text };
    let code = match &story.code {
        Ok(code) => *code,
        Err(error) => return vec![problem("no end", error.clone())],
    };
    let mut problems =
        last_words(story, code).map(|text| problem("odd last words", text)).into_iter().collect::<Vec<_>>();
    let signalled = story.signalled.filter(|at| *at <= story.ended);
    let by_signal =
        signalled.map(|at| Expected { codes: vec![ExitCode::Terminated], latest: at + AFTER_SIGNAL });
    let mut expected: Vec<_> = by_itself(story).into_iter().chain(by_signal).collect();
    if expected.is_empty() {
        problems.push(problem("an end by itself", format!("{code:?}, though logs are followed")));
    }
    // Whichever comes first ends it, and close to each other either may.
    expected.retain(|expected| expected.codes.contains(&code) || expected.latest < story.ended);
    if let Some(late) = expected.iter().find(|expected| story.ended > expected.latest) {
        problems.push(problem(
            "a late end",
            format!("{code:?}, expected until {:.3} s", late.latest.as_secs_f64()),
        ));
    } else if expected.is_empty() && problems.iter().all(|problem| problem.kind != "an end by itself") {
        let others = by_itself(story).into_iter().flat_map(|expected| expected.codes);
        let others: Vec<_> = others.collect();
        problems.push(problem("a wrong exit code", format!("{code:?} in place of one of {others:?}")));
    }
    problems
}

/// A way in which a run may end.
struct Expected {
    codes: Vec<ExitCode>,
    latest: Duration,
}

/// The ways in which it ends without a signal.
fn by_itself(story: &Story) -> Vec<Expected> {
    let setting = &story.script.setting;
    let mut ways = Vec::new();
    if let Ending::After(time) = setting.ending
        && setting.start + time <= story.ended + TIMERS
    {
        ways.push(Expected {
            codes: vec![if is_blocked(story) { ExitCode::Unread } else { ExitCode::Done }],
            latest: setting.start + time + AFTER_TIMEOUT,
        });
    }
    if setting.ending == Ending::Completed {
        ways.extend(completed(story));
    } else if !setting.logs.follows() {
        ways.push(Expected { codes: reading::codes(story), latest: Bounds::new(story).of_run() });
    }
    if let Some(until) = View::new(story).until() {
        let codes = match setting.ending {
            Ending::Completed => vec![ExitCode::NotComplete],
            _ => reading::codes(story),
        };
        ways.push(Expected { codes, latest: Bounds::new(story).of_run_until(until + CLOCKS) });
    }
    if is_empty_range(story) {
        ways.push(Expected { codes: vec![ExitCode::Usage], latest: Duration::MAX });
    }
    // It may end by that, and need not.
    if let Some(refused) = refused(story).filter(|refused| story.ended <= *refused + LAST_WORDS) {
        ways.push(Expected { codes: vec![ExitCode::Failed], latest: refused + LAST_WORDS });
    }
    ways
}

/// `--exit-on-complete`: all pods that the program knows have ended, those with success. It knows none that was gone
/// before its first list, and none that the apiserver never named.
fn completed(story: &Story) -> Vec<Expected> {
    // The main containers of a pod start once its init containers have ended.
    let is_running =
        |container: &Container| container.instances.last().is_some_and(|last| last.ended.is_none());
    let counts = |container: &&Container| match container.kind {
        Kind::Main => true,
        Kind::Init => is_running(container),
        Kind::Sidecar | Kind::Ephemeral => false,
    };
    let is_listed = |container: &&Container| container.deleted.is_none_or(|deleted| deleted > listed(story));
    let mains = story.containers.iter().filter(counts).filter(is_listed);
    let mains: Vec<_> = mains
        .filter_map(|container| Some((named(story, &container.place.pod, container.deleted)?, container)))
        .collect();
    let times: BTreeSet<_> = mains.iter().map(|(named, _)| *named).collect();
    times.into_iter().filter_map(|last| completed_by(story, &mains, last)).collect()
}

/// When the apiserver first named a pod. A pod that was made earlier than others may be named later.
fn named(story: &Story, pod: &str, deleted: Option<Duration>) -> Option<Duration> {
    let of_it = story
        .containers
        .iter()
        .filter(|container| container.place.pod == pod && container.deleted == deleted);
    of_it.flat_map(|container| &container.instances).filter_map(|instance| instance.known).min()
}

/// When the first list of pods that was answered was asked for.
fn listed(story: &Story) -> Duration {
    let is_list = |request: &&Request| {
        let answered = request.answered.is_some_and(|(_, status)| status == 200);
        request.kind == apiserver::Kind::List && request.path.ends_with("/pods") && answered
    };
    story.requests.iter().find(is_list).map_or(Duration::ZERO, |request| request.at)
}

/// The same if it knows those that were named by then. None: it has to know others too.
fn completed_by(story: &Story, mains: &[(Duration, &Container)], last: Duration) -> Option<Expected> {
    let (known, new): (Vec<_>, Vec<_>) = mains.iter().partition(|(named, _)| *named <= last);
    let lasts = || known.iter().filter_map(|(_, container)| container.instances.last());
    let ended: Option<Vec<Duration>> = lasts().map(|last| last.ended).collect();
    let ended = ended?.into_iter().max()?;
    let bound = Bounds::new(story).after(ended + DRAIN);
    let latest = match new.iter().map(|(named, _)| *named).min() {
        // It had to end before that.
        Some(next) if next > bound || is_unwatched(story, ended, next) => bound,
        Some(_) if new.iter().all(|(named, container)| may_be_unknown(story, container, *named)) => {
            Duration::MAX
        }
        Some(_) => return None,
        None => bound,
    };
    let is_of = |of: &Container, pod: &Pod| of.place.pod == pod.name && of.deleted == pod.deleted;
    let is_new = |pod: &&Pod| new.iter().any(|(_, container)| is_of(container, pod));
    let is_gone = |pod: &Pod| pod.deleted.is_some_and(|deleted| deleted > listed(story));
    let is_named = |pod: &Pod| named(story, &pod.name, pod.deleted).is_some();
    let gone = || story.pods.iter().filter(|pod| is_gone(pod) && is_named(pod) && !is_new(pod));
    let started = |pod: &Pod| known.iter().any(|(_, container)| is_of(container, pod));
    let codes = match lasts().all(|last| last.exit == Some(0)) && gone().all(started) {
        // A pod that is gone counts as it was seen last. One that waits to be started again has not ended for good.
        true if gone().any(|pod| is_unseen(story, pod)) || lasts().any(|last| last.waits.is_some()) => {
            vec![ExitCode::Done, ExitCode::NotComplete]
        }
        true => vec![ExitCode::Done],
        false => vec![ExitCode::NotComplete],
    };
    Some(Expected { codes, latest })
}

/// Whether the program stopped watching in this time, since all pods that it knew had ended: it still reads their logs.
fn is_unwatched(story: &Story, ended: Duration, named: Duration) -> bool {
    let is_watch =
        |request: &&Request| request.kind == apiserver::Kind::Watch && request.path.ends_with("/pods");
    let last = story.requests.iter().rfind(is_watch).and_then(|request| request.ended);
    matches!(last, Some((left, Ended::Abandoned)) if (ended..named).contains(&left))
}

/// Whether the program may not have known of this container's pod when it ended: it was named just before, or a fault
/// kept it back.
fn may_be_unknown(story: &Story, container: &Container, named: Duration) -> bool {
    let Container { node, place, .. } = container;
    let troubles = troubles(story);
    let mut kept_back = troubles.iter().filter(|trouble| trouble.disturbs(node, &place.pod));
    named + LAST_WORDS >= story.ended || kept_back.any(|trouble| keeps_back(trouble, named, story.ended))
}

/// Whether a fault may have kept back until then what the apiserver knew at that time.
fn keeps_back(trouble: &Trouble, since: Duration, until: Duration) -> bool {
    trouble.from <= until && trouble.until.saturating_add(AFTER_FAULT) >= since
}

/// Whether a pod may have gone before the program knew that it had succeeded: a fault kept its last states back.
fn is_unseen(story: &Story, pod: &Pod) -> bool {
    let of_it = |of: &&Container| of.place.pod == pod.name && of.deleted == pod.deleted;
    let lasts = story.containers.iter().filter(of_it).filter_map(|container| container.instances.last());
    // Of one that never started nothing is known.
    let ended = lasts.filter_map(|last| last.ended).max().unwrap_or(Duration::ZERO);
    let deleted = pod.deleted.unwrap_or(Duration::MAX);
    troubles(story).iter().any(|trouble| keeps_back(trouble, ended, deleted))
}

/// Whether there is nothing in the range that the command line asks for, by the clock of the apiserver when the run
/// ended.
fn is_empty_range(story: &Story) -> bool {
    let Setting { tail, since, .. } = story.script.setting;
    // `--tail=0` begins now, whatever `--since` says.
    let since = if tail == Some(0) { Some(0) } else { since }.map(Duration::from_secs);
    let until = View::new(story).until();
    since.zip(until).is_some_and(|(since, until)| until + since <= story.ended + CLOCKS)
}

/// Whether the output took none of the lines that were read once the time of `--timeout` was over.
fn is_blocked(story: &Story) -> bool {
    Text::new(&story.stderr).lines().any(|(_, line)| line.starts_with(BLOCKED))
}

/// When the last request for pods failed that may have ended the start: 401, 403 and others that do not pass by
/// themselves do, and without following any failure does.
fn refused(story: &Story) -> Option<Duration> {
    let setting = &story.script.setting;
    // If `--until` is past, nothing is followed.
    let is_past = View::new(story).until().is_some_and(|until| until <= setting.start + CLOCKS);
    let follows = setting.logs.follows() && !is_past;
    let of_pods = || story.requests.iter().filter(|request| request.path.ends_with("/pods"));
    let is_answered = |request: &&Request| {
        request.kind == apiserver::Kind::Watch && request.answered.is_some_and(|(_, status)| status == 200)
    };
    let begun = of_pods().find(is_answered).map_or(story.ended, |request| request.at);
    let failed = of_pods().filter(|request| request.at <= begun).filter_map(|request| {
        let ended = request.ended.map(|(at, _)| at);
        match request.answered {
            Some((at, 400..=409)) => Some(ended.unwrap_or(at)),
            Some((at, 400..)) => Some(ended.unwrap_or(at)).filter(|_| !follows),
            Some(_) => request.ended.filter(|(_, how)| !follows && *how != Ended::Complete).map(|(at, _)| at),
            // It was left with the program, once it had waited for long enough, with the time for its connection.
            None if ended.is_none() && request.at + AWAITED > story.ended + CONNECTING => None,
            None => Some(ended.unwrap_or(story.ended)).filter(|_| !follows),
        }
    });
    let view = View::new(story);
    // One that never arrived.
    let is_reset = |event: &&Event| matches!(event.what, What::Fault(Fault::ConnectionsReset));
    let resets = story.script.events.iter().filter(is_reset).map(|event| event.at);
    let away = view.troubles.iter().filter(|trouble| trouble.what == Nature::Away);
    let away =
        away.filter(|trouble| trouble.from <= story.ended).map(|trouble| trouble.until.min(story.ended));
    let lost = resets.chain(away).filter(|_| !follows);
    failed.chain(lost).filter(|at| *at <= story.ended + view.lag()).max().map(|at| at + view.lag())
}

/// What is wrong with the words beside an exit code.
fn last_words(story: &Story, code: ExitCode) -> Option<String> {
    let stderr: Vec<u8> = story.stderr.iter().flat_map(|written| written.bytes.iter().copied()).collect();
    let text = String::from_utf8_lossy(&stderr);
    if !text.is_empty() && !text.ends_with('\n') {
        return Some(format!("standard error ends within a line: {:?}", text.lines().last()));
    }
    if text.contains("panicked") {
        return Some("a panic".to_owned());
    }
    let explained = text.lines().any(|line| line.starts_with("! ") || line.starts_with("stern-rs: "));
    let needs_words =
        matches!(code, ExitCode::Failed | ExitCode::Unread | ExitCode::NotComplete | ExitCode::NoMatch);
    (needs_words && !explained).then(|| format!("{code:?} without a reason"))
}

#[cfg(test)]
mod tests;
