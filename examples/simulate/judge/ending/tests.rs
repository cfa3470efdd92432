//! When a run may end, and with which exit code.

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
    // It waits to be started again.
    let mut waits = completed(0, ExitCode::NotComplete);
    assert_eq!(kinds(&waits), ["a wrong exit code"]);
    waits.containers[0].instances[0].waits = Some(at(18.5));
    assert_eq!(kinds(&waits), [""; 0]);
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

/// The logs of the others are read to their ends meanwhile.
#[test]
fn a_pod_that_is_made_once_nothing_is_watched_any_more_is_unknown() {
    let with_new = |left, time| {
        let mut story = ended(ExitCode::Done, time);
        story.script.setting.ending = Ending::Completed;
        let last = &mut story.containers[0].instances[0];
        (last.ended, last.exit) = (Some(at(18.0)), Some(0));
        story.containers.push(made("web-1", 19.0, Some(19.0)));
        story.watches(2.0).ended = Some((at(left), Ended::Abandoned));
        kinds(&story)
    };
    assert_eq!(with_new(18.1, 22.0), [""; 0]);
    assert_eq!(with_new(18.1, 120.0), ["a late end"]);
    assert_eq!(with_new(17.9, 22.0), ["an end by itself"]);
    assert_eq!(with_new(19.1, 22.0), ["an end by itself"]);
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

/// Without following; the program ends, and the request with it.
#[test]
fn a_list_that_is_never_answered_may_end_a_run_after_a_minute() {
    let awaited = |seconds| {
        let mut story = ended(ExitCode::Failed, 1.0 + seconds);
        story.script.setting.logs = Logs::Once;
        story.requests.retain(|request| !request.path.ends_with("/pods"));
        let list = story.lists(1.0);
        (list.answered, list.ended) = (None, None);
        story.stderr = vec![Written { at: story.ended, bytes: b"stern-rs: no answer\n".to_vec() }];
        // Other logs may take longer.
        story.fails(1.0, Fault::KubeletAway("node-1".to_owned(), at(90.0)));
        kinds(&story)
    };
    assert_eq!(awaited(60.0), [""; 0]);
    assert_eq!(awaited(50.0), ["a wrong exit code"]);
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
