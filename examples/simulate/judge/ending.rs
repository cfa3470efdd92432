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
    troubles::{Nature, Trouble, troubles},
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
    let bound = Bounds::new(story).after(ended?.into_iter().max()? + DRAIN);
    let latest = match new.iter().map(|(named, _)| *named).min() {
        // It had to end before that.
        Some(next) if next > bound => bound,
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
        // A pod that is gone counts as it was seen last.
        true if gone().any(|pod| is_unseen(story, pod)) => vec![ExitCode::Done, ExitCode::NotComplete],
        true => vec![ExitCode::Done],
        false => vec![ExitCode::NotComplete],
    };
    Some(Expected { codes, latest })
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
            None => ended.filter(|_| !follows),
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
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, container, story},
        script::Logs,
        story::Written,
    };

    fn kinds(story: &Story) -> Vec<&'static str> {
        judge(story).into_iter().map(|problem| problem.kind).collect()
    }

    fn ended(code: ExitCode, time: f64) -> Story {
        Story { code: Ok(code), ended: at(time), signalled: None, ..story() }
    }

    /// The container of a pod that the apiserver names later than it was made, or never.
    fn made(pod: &str, created: f64, named: Option<f64>) -> Container {
        let mut made = Container { created: at(created), ..container(pod) };
        made.instances[0].known = named.map(at);
        made
    }

    #[test]
    fn a_signal_ends_a_run_soon_with_its_code() {
        let signalled = |code, time| Story { signalled: Some(at(10.0)), ..ended(code, time) };
        assert_eq!(kinds(&signalled(ExitCode::Terminated, 11.0)), [""; 0]);
        assert_eq!(kinds(&signalled(ExitCode::Done, 11.0)), ["a wrong exit code"]);
        assert_eq!(kinds(&signalled(ExitCode::Terminated, 13.0)), ["a late end"]);
    }

    #[test]
    fn a_run_that_follows_goes_on() {
        assert_eq!(kinds(&ended(ExitCode::Done, 11.0)), ["an end by itself"]);
        let refused = Err("it did not end".to_owned());
        assert_eq!(kinds(&Story { code: refused, ..story() }), ["no end"]);
    }

    #[test]
    fn a_refusal_of_the_list_may_end_the_start() {
        let mut refused = ended(ExitCode::Failed, 2.0);
        assert_eq!(kinds(&refused), ["odd last words", "an end by itself"]);
        refused.lists(1.5).answered = Some((at(1.5), 403));
        assert_eq!(kinds(&refused), ["odd last words"]);
        refused.stderr = vec![Written { at: at(2.0), bytes: b"stern-rs: no\n".to_vec() }];
        assert_eq!(kinds(&refused), [""; 0]);
        // Not long before, nor for a reason that passes.
        refused.ended = at(4.0);
        assert_eq!(kinds(&refused), ["an end by itself"]);
        refused.ended = at(2.0);
        refused.requests[0].answered = Some((at(1.5), 500));
        assert_eq!(kinds(&refused), ["an end by itself"]);
        refused.script.setting.until = Some(refused.clock);
        assert_eq!(kinds(&refused), [""; 0], "nothing is followed");
        refused.script.setting.until = None;
        // It is watched again once it was watched.
        refused.requests.clear();
        refused.watches(0.9);
        refused.lists(1.5).answered = Some((at(1.5), 403));
        assert_eq!(kinds(&refused), ["an end by itself"]);
    }

    #[test]
    fn a_run_that_does_not_follow_ends_soon() {
        let once = |time| {
            let mut story = ended(ExitCode::Done, time);
            story.script.setting.logs = Logs::Once;
            story
        };
        assert_eq!(kinds(&once(4.0)), [""; 0]);
        assert_eq!(kinds(&once(10.0)), ["a late end"]);
        let mut troubled = once(90.0);
        troubled.fails(1.0, Fault::KubeletAway("node-1".to_owned(), at(30.0)));
        assert_eq!(kinds(&troubled), [""; 0]);
    }

    #[test]
    fn a_timeout_ends_a_run() {
        let timed = |code, time| {
            let mut story = ended(code, time);
            story.script.setting.ending = Ending::After(at(20.0));
            story
        };
        assert_eq!(kinds(&timed(ExitCode::Done, 20.0)), [""; 0]);
        assert_eq!(kinds(&timed(ExitCode::Done, 24.0)), ["a late end"]);
        assert_eq!(kinds(&timed(ExitCode::NoMatch, 20.0)), ["odd last words", "a wrong exit code"]);
        assert_eq!(kinds(&timed(ExitCode::Done, 19.0)), ["an end by itself"]);
    }

    #[test]
    fn a_timeout_ends_a_run_as_unread_only_if_its_output_takes_nothing() {
        let timed = |said: &str| {
            let mut story = ended(ExitCode::Unread, 22.0);
            story.script.setting.ending = Ending::After(at(20.0));
            story.stderr = vec![Written { at: at(22.0), bytes: format!("{said}\n").into_bytes() }];
            kinds(&story)
        };
        assert_eq!(timed(str::from_utf8(BLOCKED).unwrap()), [""; 0]);
        assert_eq!(timed("! default web-0 › app: 403 Forbidden"), ["a wrong exit code"]);
    }

    #[test]
    fn a_run_that_does_not_follow_fails_only_right_after_a_request_for_pods_did() {
        let failed = |fault, time| {
            let mut story = ended(ExitCode::Failed, time);
            story.script.setting.logs = Logs::Once;
            story.stderr = vec![Written { at: at(time), bytes: b"stern-rs: no\n".to_vec() }];
            story.fails(1.0, fault);
            story
        };
        assert_eq!(kinds(&failed(Fault::ServerAway(at(5.0)), 3.0)), [""; 0]);
        assert_eq!(kinds(&failed(Fault::ServerAway(at(1.0)), 4.0)), ["a wrong exit code"]);
        assert_eq!(kinds(&failed(Fault::ConnectionsReset, 1.1)), [""; 0]);
        assert_eq!(kinds(&failed(Fault::GoAway, 1.1)), ["a wrong exit code"]);
        let mut refused = failed(Fault::GoAway, 1.1);
        refused.lists(1.0).answered = Some((at(1.0), 500));
        assert_eq!(kinds(&refused), [""; 0]);
    }

    #[test]
    fn completion_decides_the_code() {
        let completed = |exit, code| {
            let mut story = ended(code, 20.0);
            story.script.setting.ending = Ending::Completed;
            story.stderr = vec![Written { at: at(2.0), bytes: b"stern-rs: 1 of 1 pods failed\n".to_vec() }];
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(18.0)), Some(exit));
            story
        };
        assert_eq!(kinds(&completed(0, ExitCode::Done)), [""; 0]);
        assert_eq!(kinds(&completed(1, ExitCode::Done)), ["a wrong exit code"]);
        assert_eq!(kinds(&completed(1, ExitCode::NotComplete)), [""; 0]);
    }

    #[test]
    fn a_pod_that_is_gone_counts_as_it_was_seen_last() {
        let gone = |exit, code| {
            let mut story = ended(code, 20.0);
            story.script.setting.ending = Ending::Completed;
            story.stderr = vec![Written { at: at(2.0), bytes: b"stern-rs: 1 of 1 pods failed\n".to_vec() }];
            let (name, namespace, node) = ("web-0".to_owned(), "default".to_owned(), "node-1".to_owned());
            let (deleting, deleted) = (Some(at(17.0)), Some(at(18.0)));
            story.pods.push(Pod { name, namespace, node, deleting, deleted, ready: Vec::new() });
            story.containers[0].deleted = deleted;
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(10.0)), Some(exit));
            story
        };
        assert_eq!(kinds(&gone(0, ExitCode::Done)), [""; 0]);
        assert_eq!(kinds(&gone(0, ExitCode::NotComplete)), ["a wrong exit code"]);
        assert_eq!(kinds(&gone(143, ExitCode::Done)), ["a wrong exit code"]);
        let mut unseen = gone(0, ExitCode::NotComplete);
        unseen.fails(9.0, Fault::ServerAway(at(8.0)));
        assert_eq!(kinds(&unseen), [""; 0]);
    }

    #[test]
    fn a_pod_that_is_new_may_be_unknown_when_all_others_have_completed() {
        let with_new = |created, time| {
            let mut story = ended(ExitCode::Done, time);
            story.script.setting.ending = Ending::Completed;
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(18.0)), Some(0));
            story.containers.push(made("web-1", created, Some(created)));
            story
        };
        assert_eq!(kinds(&with_new(19.5, 20.0)), [""; 0]);
        assert_eq!(kinds(&with_new(18.5, 20.0)), ["an end by itself"]);
        assert_eq!(kinds(&with_new(59.5, 60.0)), ["a late end"]);
        let mut held = with_new(17.0, 20.0);
        held.fails(16.0, Fault::WatchHeld { delay: at(5.0), lasting: at(3.0) });
        assert_eq!(kinds(&held), [""; 0]);
    }

    #[test]
    fn a_pod_is_unknown_until_its_first_status_though_it_was_made_before_others() {
        let with_late = |named| {
            let mut story = ended(ExitCode::NotComplete, 20.0);
            story.script.setting.ending = Ending::Completed;
            story.stderr = vec![Written { at: at(2.0), bytes: b"stern-rs: 1 of 1 pods failed\n".to_vec() }];
            story.containers = vec![made("web-0", 6.0, Some(6.0)), made("web-1", 5.0, named)];
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(18.0)), Some(1));
            kinds(&story)
        };
        assert_eq!(with_late(None), [""; 0]);
        assert_eq!(with_late(Some(19.5)), [""; 0]);
        assert_eq!(with_late(Some(10.0)), ["an end by itself"]);
    }

    #[test]
    fn a_pod_that_is_gone_before_its_first_status_fails_nothing() {
        let gone = |named| {
            let mut story = ended(ExitCode::Done, 20.0);
            story.script.setting.ending = Ending::Completed;
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(18.0)), Some(0));
            let (name, namespace, node) = ("web-1".to_owned(), "default".to_owned(), "node-1".to_owned());
            let (deleting, deleted) = (Some(at(8.0)), Some(at(8.0)));
            story.pods.push(Pod { name, namespace, node, deleting, deleted, ready: Vec::new() });
            let mut late = Container { deleted, ..made("web-1", 5.0, named) };
            (late.instances[0].ended, late.instances[0].exit) = (deleted, Some(137));
            story.containers.push(late);
            kinds(&story)
        };
        assert_eq!(gone(None), [""; 0]);
        assert_eq!(gone(Some(6.0)), ["a wrong exit code"]);
    }

    #[test]
    fn pods_that_were_gone_before_the_first_list_complete_nothing() {
        let listed = |time| {
            let mut story = Story { signalled: Some(at(100.0)), ..ended(ExitCode::Terminated, 100.0) };
            story.script.setting.ending = Ending::Completed;
            story.containers[0].deleted = Some(at(18.0));
            let last = &mut story.containers[0].instances[0];
            (last.ended, last.exit) = (Some(at(10.0)), Some(0));
            story.lists(time);
            kinds(&story)
        };
        assert_eq!(listed(17.0), ["a late end"]);
        assert_eq!(listed(20.0), [""; 0]);
    }

    #[test]
    fn a_pod_whose_init_container_runs_is_not_complete() {
        let mut story = Story { signalled: Some(at(100.0)), ..ended(ExitCode::Terminated, 100.0) };
        story.script.setting.ending = Ending::Completed;
        let last = &mut story.containers[0].instances[0];
        (last.ended, last.exit) = (Some(at(18.0)), Some(0));
        assert_eq!(kinds(&story), ["a late end"]);
        story.containers.push(Container { kind: Kind::Init, ..made("web-1", 10.0, Some(10.0)) });
        assert_eq!(kinds(&story), [""; 0]);
    }

    #[test]
    fn a_range_may_be_refused_only_if_it_is_empty() {
        let refused = |since, tail| {
            let mut story = ended(ExitCode::Usage, 12.0);
            let setting = &mut story.script.setting;
            (setting.until, setting.since, setting.tail) = (Some(story.clock + at(10.0)), since, tail);
            story
        };
        assert_eq!(kinds(&refused(Some(3), None)), [""; 0]);
        assert_eq!(kinds(&refused(None, Some(0))), [""; 0]);
        assert_eq!(kinds(&refused(Some(60), Some(0))), [""; 0]);
        assert_eq!(kinds(&refused(Some(60), None)), ["a wrong exit code"]);
        assert_eq!(kinds(&refused(None, Some(1))), ["a wrong exit code"]);
    }

    #[test]
    fn half_a_line_is_no_last_word() {
        let mut story = story();
        story.stderr = vec![Written { at: at(2.0), bytes: b"stern-rs: no".to_vec() }];
        assert_eq!(kinds(&story), ["odd last words"]);
    }
}
