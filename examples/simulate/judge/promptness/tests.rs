//! A line in time and a line that is late.

use std::time::Duration;

use super::judge;
use crate::{
    judge::{
        limits::View,
        lines::{book::Book, output::Shown},
        testing::{at, container, story},
    },
    script::{Asked, Broken, Event, Fault, Logs, Lost, Refusal, Restart, What},
    story::{Container, Story},
};

/// Whether the last line of a story is late if it is shown then, and the others at once.
fn is_late(story: &Story, shown: f64) -> bool {
    is_line_late(story, story.containers[0].instances[0].lines.len() - 1, shown)
}

/// The same of the line of this number.
fn is_line_late(story: &Story, late: usize, shown: f64) -> bool {
    let container = &story.containers[0];
    let lines = &container.instances[0].lines;
    let shown = lines.iter().enumerate().map(|(n, line)| {
        let at = if n == late { at(shown) } else { line.at };
        Shown { at, stamp: Some(line.stamp), text: &line.text }
    });
    let mut book = Book::new(("default", "web-0", "app"), &[container], story, shown.collect(), Vec::new());
    book.lives[0].shown = (0..lines.len()).map(Some).collect();
    let mut problems = Vec::new();
    judge(&View::new(story), &book, &mut problems);
    !problems.is_empty()
}

fn bound(story: &Story) -> f64 {
    let seconds = (0..1000).find(|seconds| is_late(story, f64::from(*seconds)));
    f64::from(seconds.unwrap())
}

fn one_line(time: f64) -> Story {
    let mut story = story();
    story.writes("web-0", [time]);
    story
}

#[test]
fn a_line_comes_within_some_seconds_while_nothing_fails() {
    assert_eq!(bound(&one_line(50.0)), 56.0);
}

/// Lines of other containers share the rate.
#[test]
fn lines_that_are_written_during_a_fault_are_read_at_the_allowed_rate_too() {
    let tale = |written: f64| {
        let mut story = one_line(50.0);
        story.script.setting.max_bandwidth = Some(1000);
        story.fails(49.0, Fault::Breaks(Asked::AllLogs, Broken::Cut));
        let mut other = container("web-1");
        other.node = "node-2".to_owned();
        story.containers.push(other);
        story.writes("web-1", [written]);
        story.containers[1].instances[0].lines[0].text = vec![b'x'; 10_000];
        bound(&story)
    };
    let late = tale(200.0);
    assert_eq!(tale(100.0), late + 30.0);
}

#[test]
fn a_line_comes_within_a_minute_after_the_last_fault() {
    let mut story = one_line(50.0);
    story.fails(
        49.0,
        Fault::Refused { asked: Asked::AllLogs, times: 3, how: Refusal::Status(500), lasting: at(10.0) },
    );
    assert_eq!(bound(&story), 125.0);
    story.fails(100.0, Fault::Breaks(Asked::AllLogs, Broken::Cut));
    assert_eq!(bound(&story), 166.0);
}

#[test]
fn a_pause_that_one_request_is_told_holds_for_all() {
    let mut story = one_line(50.0);
    let (asked, how) = (Asked::Logs("web-7".to_owned()), Refusal::RetryAfter(429, 100));
    story.fails(40.0, Fault::Refused { asked, times: 1, how, lasting: at(1.0) });
    assert_eq!(bound(&story), 207.0);
}

#[test]
fn a_log_that_is_not_followed_waits_for_the_requests_of_all() {
    let mut story = one_line(50.0);
    story.script.setting.logs = Logs::Once;
    story.script.setting.qps = Some(1);
    let few = bound(&story);
    story.containers.extend((1..5).map(|n| container(&format!("web-{n}"))));
    let wait = bound(&story) - few;
    assert!(wait >= 12.0, "{wait}");
    (story.script.setting.qps, story.script.setting.max_log_requests) = (Some(100), Some(1));
    story.script.setting.server.round_trip = at(2.0);
    assert!(bound(&story) > 100.0);
}

#[test]
fn the_requests_for_a_log_that_is_not_followed_come_one_after_the_other() {
    let mut story = one_line(50.0);
    story.script.setting.logs = Logs::Once;
    let near = bound(&story);
    story.script.setting.server.round_trip = at(1.0);
    let far = bound(&story) - near;
    assert!((6.0..8.0).contains(&far), "{far}");
}

#[test]
fn a_line_of_a_silent_stream_that_nobody_looks_at_is_not_due() {
    let silent = |idle_check| {
        let mut story = one_line(50.0);
        story.script.setting.idle_check = idle_check;
        let what = What::FallsSilent(story.containers[0].place.clone());
        story.script.events.push(Event { at: at(40.0), what });
        story
    };
    assert!(!is_late(&silent(Some(0)), 900.0) && is_late(&silent(None), 900.0));
}

#[test]
fn a_fault_that_is_over_for_long_or_concerns_others_excuses_nothing() {
    let mut story = one_line(150.0);
    story.fails(20.0, Fault::Breaks(Asked::AllLogs, Broken::Cut));
    story.fails(149.0, Fault::Breaks(Asked::Logs("web-7".to_owned()), Broken::Cut));
    story.fails(149.0, Fault::KubeletAway("node-7".to_owned(), at(30.0)));
    assert_eq!(bound(&story), 156.0);
}

#[test]
fn a_container_that_is_polled_has_its_turn() {
    let mut story = one_line(50.0);
    story.reads("web-0", 40.0, "sinceTime=2026-03-01T12:00:00Z&tailLines=20", Some(40.0));
    assert_eq!(bound(&story), 117.0);
    story.containers[0].instances[0].lines.clear();
    story.writes("web-0", [49.0, 50.0]);
    assert_eq!(bound(&story), 59.0);
}

#[test]
fn a_poll_that_a_lost_node_never_answers_is_awaited_first() {
    let polled = |is_answered: bool, ended: f64| {
        let mut story = one_line(40.0);
        let (node, how) = ("node-1".to_owned(), Lost::Silent);
        story.fails(39.0, Fault::NodeLost { node, how, comes_back: true, lasting: at(6.0) });
        let poll = story.reads("web-0", 40.0, "sinceTime=2026-03-01T12:00:00Z&tailLines=20", Some(ended));
        poll.answered = poll.answered.filter(|_| is_answered);
        bound(&story)
    };
    let due = polled(true, 90.0);
    assert_eq!([polled(false, 90.0), polled(false, 150.0)], [due + 45.0, due + 55.0]);
}

#[test]
fn a_line_from_before_the_range_may_come_late() {
    let is_late_if_asked = |range: &str| {
        let mut story = one_line(50.0);
        story.reads("web-0", 54.0, &format!("follow=true&{range}"), None);
        is_late(&story, 150.0)
    };
    assert!(!is_late_if_asked("sinceSeconds=3"));
    assert!(is_late_if_asked("sinceSeconds=5"));
    assert!(!is_late_if_asked("tailLines=0"));
}

#[test]
fn a_line_that_the_tail_leaves_out_may_come_late() {
    let mut story = story();
    story.writes("web-0", [50.0, 50.0]);
    story.reads("web-0", 54.0, "follow=true&tailLines=1", None);
    let lines = &mut story.containers[0].instances[0].lines;
    (lines[0].text, lines[1].text) = (b"a".to_vec(), b"b".to_vec());
    assert!(!is_line_late(&story, 0, 150.0));
    assert!(is_line_late(&story, 1, 150.0));
    let lines = &mut story.containers[0].instances[0].lines;
    (lines[1].stamp, lines[1].text) = (lines[0].stamp, lines[0].text.clone());
    assert!(!is_line_late(&story, 1, 150.0), "it may be the first one");
}

#[test]
fn a_container_that_was_not_asked_for_yet_waits_for_its_first_turn() {
    let first_asked = |time: f64| {
        let mut story = one_line(50.0);
        story.script.setting.max_log_requests = Some(1);
        story.script.setting.latency = Some(1000);
        story.containers.extend((1..5).map(|n| container(&format!("web-{n}"))));
        story.reads("web-0", time, "follow=true", None);
        bound(&story)
    };
    let wait = first_asked(51.0) - first_asked(49.0);
    assert!((25.0..30.0).contains(&wait), "{wait}");
}

#[test]
fn a_container_that_is_followed_in_the_only_place_lends_it() {
    let mut story = one_line(50.0);
    story.script.setting.latency = Some(1000);
    let alone = bound(&story);
    story.script.setting.max_log_requests = Some(1);
    let lent = bound(&story) - alone;
    assert!((6.0..8.0).contains(&lent), "{lent}");
}

#[test]
fn lines_that_are_sorted_and_not_followed_wait_for_a_log_that_is_not_answered() {
    let waits = |logs, sort| {
        let mut story = one_line(50.0);
        (story.script.setting.logs, story.script.setting.sort) = (logs, sort);
        let asked = Asked::Logs("web-7".to_owned());
        story.fails(49.0, Fault::Refused { asked, times: 1, how: Refusal::Never, lasting: at(5.0) });
        bound(&story)
    };
    assert!(waits(Logs::Once, true) > 170.0);
    assert!(waits(Logs::Once, false) < 70.0 && waits(Logs::Follow, true) < 70.0);
}

#[test]
fn lines_that_are_sorted_wait_for_such_a_log_if_the_range_is_over_at_the_start() {
    let waits = |until: f64, client| {
        let mut story = one_line(50.0);
        story.script.setting.sort = true;
        story.script.setting.start = at(45.0);
        story.script.setting.until = Some(story.clock + at(until));
        story.script.setting.clocks.client = client;
        let asked = Asked::Logs("web-7".to_owned());
        story.fails(49.0, Fault::Refused { asked, times: 1, how: Refusal::Never, lasting: at(5.0) });
        bound(&story)
    };
    assert!(waits(44.9, 0) > 170.0);
    assert!(waits(45.1, 0) < 70.0 && waits(44.9, -1) < 70.0);
}

#[test]
fn lines_that_are_sorted_wait_anew_as_one_is_left_that_could_not_be_read() {
    let waits = |sort, is_read| {
        let mut story = one_line(1.0);
        story.script.setting.sort = sort;
        for (pod, left) in [("web-1", 9.0), ("web-2", 18.0)] {
            let meets = vec![(at(0.0), true), (at(left), false)];
            story.containers.push(Container { meets, ..container(pod) });
        }
        if is_read {
            story.reads("web-1", 0.5, "follow=true", None);
        }
        bound(&story)
    };
    let is_read = waits(true, true);
    assert_eq!((waits(true, false) - is_read, is_read - waits(false, false)), (17.0, 10.0));
}

#[test]
fn only_the_first_line_of_a_stream_waits_for_a_request() {
    let streamed = |times: &[f64]| {
        let mut story = story();
        story.script.setting.qps = Some(1);
        story.writes("web-0", times.iter().copied());
        story.reads("web-0", 30.0, "follow=true", None);
        bound(&story)
    };
    assert!(streamed(&[50.0]) > 80.0);
    assert_eq!(streamed(&[40.0, 50.0]), 56.0);
}

#[test]
fn a_restart_whose_status_comes_at_once_adds_no_time() {
    let restarted = |late: f64| {
        let mut story = one_line(50.0);
        let place = story.containers[0].place.clone();
        let restart = Restart { exit: 1, last: None, waits: Duration::ZERO, late: at(late) };
        story.script.events.push(Event { at: at(49.0), what: What::Restarts(place, restart) });
        bound(&story)
    };
    assert_eq!(restarted(0.0), 56.0);
    assert_eq!(restarted(1.0), 126.0);
}
