//! Each limit is kept in one story and broken in another.

use std::time::Duration;

use apiserver::Ended;

use super::{View, judge};
use crate::{
    judge::testing::{at, container, story},
    script::{Fault, Logs},
    story::{Story, Taken},
};

fn kinds(story: &Story) -> Vec<&'static str> {
    judge(&View::new(story)).into_iter().map(|problem| problem.kind).collect()
}

/// Both stories differ in one number.
fn is_broken_by(make: impl Fn(f64) -> Story, fine: f64, broken: f64, kind: &str) {
    assert_eq!(kinds(&make(fine)), [""; 0], "with {fine}");
    assert_eq!(kinds(&make(broken)), [kind], "with {broken}");
}

const FOLLOW: &str = "follow=true";
const POLL: &str = "sinceTime=2026-03-01T12:00:00Z&tailLines=20";
const CHECK: &str = "tailLines=1";

#[test]
fn requests_come_at_the_rate_behind_the_burst() {
    let every = |pause: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(5), Some(3));
        for _ in 0..3 {
            story.lists(1.0);
        }
        for n in 1..40 {
            story.lists(1.0 + pause * f64::from(n));
        }
        story
    };
    is_broken_by(every, 0.2, 0.19, "too many requests");
}

#[test]
fn what_was_held_up_on_the_way_may_come_together() {
    let together = |lasting: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(5), Some(3));
        story.fails(10.0, Fault::ServerAway(at(lasting)));
        for _ in 0..20 {
            story.lists(20.0);
        }
        story
    };
    is_broken_by(together, 10.0, 9.0, "too many requests");
}

#[test]
fn what_was_held_up_waits_until_a_probe_was_answered() {
    let behind = |at_end: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(5), Some(3));
        story.script.setting.server.round_trip = at(0.1);
        story.fails(10.0, Fault::ServerAway(at(10.0)));
        for _ in 0..20 {
            story.lists(20.0 + at_end);
        }
        story
    };
    is_broken_by(behind, 0.36, 0.4, "too many requests");
}

#[test]
fn what_was_held_up_waits_for_one_connection_after_the_other() {
    let sharing = |streams: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(5), Some(3));
        story.script.setting.server.round_trip = at(0.1);
        story.script.setting.server.max_streams = Some(streams as u32);
        story.containers.extend((1..20).map(|n| container(&format!("web-{n}"))));
        story.fails(10.0, Fault::ServerAway(at(10.0)));
        for _ in 0..20 {
            story.lists(20.5);
        }
        story
    };
    is_broken_by(sharing, 8.0, 20.0, "too many requests");
}

#[test]
fn what_waits_for_a_new_connection_waits_for_the_turns_of_the_others() {
    let together = |connection: f64, bandwidth: Option<u32>| {
        let mut story = story();
        story.script.setting.idle_check = Some(0);
        (story.script.setting.qps, story.script.setting.burst) = (Some(10), Some(1));
        story.script.setting.max_bandwidth = bandwidth;
        for n in 0..20 {
            story.reads("web-0", 1.0 + 0.1 * f64::from(n), FOLLOW, None);
        }
        for _ in 0..3 {
            story.reads("web-0", 3.2, FOLLOW, None).connection = connection as u64;
        }
        story
    };
    is_broken_by(|connection| together(connection, Some(1_000_000)), 2.0, 1.0, "too many requests");
    assert_eq!(kinds(&together(2.0, None)), ["too many requests"]);
}

#[test]
fn polls_and_checks_have_half_of_the_rate() {
    let every = |pause: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(4), Some(2));
        story.containers.extend((1..9).map(|n| container(&format!("web-{n}"))));
        for n in 0..40 {
            let query = if n % 2 == 0 { POLL } else { CHECK };
            let time = 1.0 + pause * f64::from(n);
            story.reads(&format!("web-{}", n % 9), time, query, Some(time));
        }
        story
    };
    is_broken_by(every, 0.5, 0.48, "too many polls");
}

#[test]
fn the_first_poll_of_a_pod_that_is_ready_again_does_not_repeat() {
    let again = |ready: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(4), Some(3));
        story.containers[0].meets = vec![(at(0.0), true), (at(1.0), false), (at(ready), true)];
        for time in [0.5, 5.0, 5.01] {
            story.reads("web-0", time, POLL, Some(time));
        }
        story
    };
    is_broken_by(again, 2.0, 9.0, "too many polls");
}

#[test]
fn the_first_poll_of_each_log_has_the_whole_rate() {
    let of_logs = |count: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(4), Some(2));
        story.containers.extend((1..40).map(|n| container(&format!("web-{n}"))));
        for n in 0..40 {
            let time = 1.0 + 0.3 * f64::from(n);
            story.reads(&format!("web-{}", n % count as u32), time, POLL, Some(time));
        }
        story
    };
    is_broken_by(of_logs, 40.0, 10.0, "too many polls");
}

#[test]
fn the_first_request_with_a_tail_of_one_line_is_no_check() {
    let of_logs = |count: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(4), Some(2));
        story.script.setting.tail = Some(1);
        story.containers.extend((1..40).map(|n| container(&format!("web-{n}"))));
        for n in 0..40 {
            let time = 1.0 + 0.3 * f64::from(n);
            story.reads(&format!("web-{}", n % count as u32), time, CHECK, Some(time));
        }
        story
    };
    is_broken_by(of_logs, 40.0, 10.0, "too many polls");
}

#[test]
fn the_rest_of_a_log_without_lines_is_no_poll() {
    let ends = |ended: f64| {
        let mut story = story();
        (story.script.setting.qps, story.script.setting.burst) = (Some(4), Some(2));
        story.script.setting.tail = Some(50);
        story.containers.push(container("web-1"));
        story.containers[1].instances[0].ended = Some(at(ended));
        for (pod, time) in [("web-0", 1.0), ("web-1", 2.0), ("web-0", 40.0), ("web-1", 40.1)] {
            story.reads(pod, time, "sinceTime=2026-02-27T12:00:00Z&tailLines=50", Some(time));
        }
        story
    };
    is_broken_by(ends, 40.05, 100.0, "too many polls");
}

#[test]
fn so_many_logs_are_open_at_once() {
    let until = |ended: f64| {
        let mut story = story();
        story.script.setting.idle_check = Some(0);
        story.script.setting.max_log_requests = Some(2);
        story.reads("web-0", 1.0, FOLLOW, None);
        story.reads("web-0", 1.0, FOLLOW, Some(ended));
        story.reads("web-0", 5.0, FOLLOW, None);
        story
    };
    is_broken_by(until, 5.0, 6.0, "too many logs at once");
}

#[test]
fn without_following_fewer_are_open_but_more_over_a_distance() {
    let far = |round_trip: f64| {
        let mut story = story();
        story.script.setting.logs = Logs::Once;
        story.script.setting.server.round_trip = at(round_trip);
        for _ in 0..8 {
            story.reads("web-0", 1.0, "", Some(2.0));
        }
        story
    };
    is_broken_by(far, 0.012, 0.0, "too many logs at once");
}

#[test]
fn so_many_logs_of_a_node_are_followed() {
    let of_node = |node: f64| {
        let mut story = story();
        story.script.setting.idle_check = Some(0);
        story.script.setting.max_streams_per_node = Some(2);
        story.containers.extend((1..3).map(|n| container(&format!("web-{n}"))));
        story.containers[2].node = format!("node-{node}");
        for n in 0..3 {
            story.reads(&format!("web-{n}"), 1.0, FOLLOW, None);
        }
        story
    };
    is_broken_by(of_node, 2.0, 1.0, "too many streams of a node");
}

#[test]
fn bytes_of_logs_come_at_the_rate() {
    let bytes = |bytes: f64| {
        let mut story = story();
        story.script.setting.max_bandwidth = Some(10_000);
        story.reads("web-0", 1.0, "", Some(1.0));
        let taken = |n| Taken { at: at(f64::from(n)), connection: 1, bytes: bytes as usize };
        story.taken = (1..50).map(taken).collect();
        let others = |n| Taken { connection: 2, ..taken(n) };
        story.taken.extend((50..60).map(others));
        story
    };
    is_broken_by(bytes, 4_000.0, 11_000.0, "too many bytes");
}

#[test]
fn an_end_that_waits_to_be_read_counts_as_open() {
    let second_round = |time: f64| {
        let mut story = story();
        story.script.setting.idle_check = Some(0);
        story.script.setting.max_bandwidth = Some(10_000);
        story.script.setting.server.max_streams = Some(2);
        for connection in 1..9 {
            story.reads("web-0", 1.0, FOLLOW, Some(2.0)).connection = connection;
            story.reads("web-0", 1.0, FOLLOW, None).connection = connection;
        }
        for connection in [9, 9, 10, 10, 11, 11] {
            story.reads("web-0", time, FOLLOW, None).connection = connection;
        }
        story
    };
    is_broken_by(second_round, 2.5, 3.5, "too many connections");
}

#[test]
fn a_connection_may_be_made_while_the_others_still_look_full() {
    let more = |time: f64| {
        let mut story = story();
        story.script.setting.idle_check = Some(0);
        story.script.setting.server.max_streams = Some(2);
        for connection in [1, 1, 2, 2] {
            story.reads("web-0", 1.0, FOLLOW, Some(1.002)).connection = connection;
        }
        for connection in 3..9 {
            story.reads("web-0", time, FOLLOW, None).connection = connection;
        }
        story
    };
    is_broken_by(more, 1.01, 2.0, "too many connections");
}

#[test]
fn nothing_is_requested_while_the_server_asks_to_wait() {
    let again = |time: f64| {
        let mut story = story();
        let first = story.lists(1.0);
        first.answered = Some((at(1.0), 429));
        first.retry_after = Some("7".to_owned());
        story.lists(time);
        story
    };
    is_broken_by(again, 8.1, 7.0, "Retry-After not obeyed");
}

#[test]
fn an_answer_to_a_log_request_may_rest_before_it_is_read() {
    let again = |latency: f64| {
        let mut story = story();
        story.script.setting.latency = Some(latency as u32);
        let first = story.reads("web-0", 1.0, FOLLOW, Some(1.0));
        (first.answered, first.retry_after) = (Some((at(1.0), 429)), Some("7".to_owned()));
        story.lists(1.8);
        story
    };
    is_broken_by(again, 1000.0, 500.0, "Retry-After not obeyed");
}

#[test]
fn the_time_to_wait_may_be_a_date_by_the_servers_clock() {
    let again = |time: f64| {
        let mut story = story();
        story.script.setting.clocks.server = 100;
        let first = story.lists(1.0);
        first.answered = Some((at(1.0), 503));
        first.retry_after = Some("Sun, 01 Mar 2026 12:01:49 GMT".to_owned());
        story.lists(time);
        story
    };
    is_broken_by(again, 9.1, 7.0, "Retry-After not obeyed");
}

#[test]
fn an_answer_that_did_not_arrive_asks_for_nothing() {
    let mut story = story();
    let first = story.lists(1.0);
    (first.answered, first.retry_after) = (Some((at(1.0), 429)), Some("7".to_owned()));
    first.ended = Some((at(1.0), Ended::Broken));
    story.lists(2.0);
    assert_eq!(kinds(&story), [""; 0]);
}

/// A look beside a stream is told to wait, and the next request does not. The round trip is 0.6 s.
fn looks_beside(ended: Option<f64>) -> Story {
    let mut story = story();
    story.script.setting.idle_check = Some(0);
    story.script.setting.server.round_trip = at(0.6);
    story.reads("web-0", 1.0, FOLLOW, ended);
    let look = story.reads("web-0", 40.0, CHECK, Some(40.0));
    (look.answered, look.retry_after) = (Some((at(40.0), 429)), Some("7".to_owned()));
    story.lists(43.0);
    story
}

#[test]
fn a_look_that_is_dropped_at_the_end_of_its_stream_asks_for_nothing() {
    let ends = |ended: f64| looks_beside(Some(ended));
    is_broken_by(ends, 39.5, 39.3, "Retry-After not obeyed");
    is_broken_by(ends, 40.0, 40.1, "Retry-After not obeyed");
}

#[test]
fn a_look_that_is_dropped_at_a_line_of_its_stream_asks_for_nothing() {
    let writes = |time: f64| {
        let mut story = looks_beside(None);
        story.writes("web-0", [time]);
        story
    };
    is_broken_by(writes, 39.5, 39.3, "Retry-After not obeyed");
    is_broken_by(writes, 40.0, 40.1, "Retry-After not obeyed");
}

#[test]
fn an_answer_to_the_look_at_another_log_asks_to_wait() {
    let mut story = looks_beside(Some(39.5));
    story.requests[0].path = "/api/v1/namespaces/default/pods/web-1/log".to_owned();
    assert_eq!(kinds(&story), ["Retry-After not obeyed"]);
}

#[test]
fn a_log_is_not_requested_over_and_over() {
    let every = |pause: f64| {
        let mut story = story();
        for n in 0..50 {
            story.reads("web-0", 30.0 + f64::from(n) * pause, FOLLOW, Some(30.0 + f64::from(n) * pause));
        }
        story
    };
    is_broken_by(every, 0.3, 0.1, "a hot loop");
}

#[test]
fn a_silent_stream_is_looked_at() {
    let checked = |time: f64| {
        let mut story = story();
        story.writes("web-0", (1..20).map(f64::from));
        story.reads("web-0", 0.5, FOLLOW, None);
        story.reads("web-0", time, CHECK, Some(time));
        story
    };
    is_broken_by(checked, 49.0, 60.0, "a silent stream is not looked at");
}

#[test]
fn a_stream_whose_bytes_wait_for_their_turn_is_not_silent() {
    let taken_by = |connection: f64| {
        let mut story = story();
        story.script.setting.max_bandwidth = Some(1_000);
        story.writes("web-0", [1.0]);
        story.reads("web-0", 0.5, FOLLOW, None);
        let turn = |n| Taken { at: at(f64::from(n)), connection: connection as u64, bytes: 100 };
        story.taken = (1..180).map(turn).collect();
        story
    };
    is_broken_by(taken_by, 1.0, 2.0, "a silent stream is not looked at");
}

#[test]
fn the_answer_to_a_look_need_not_be_looked_at() {
    let looks = |time: f64| {
        let mut story = story();
        story.script.setting.max_bandwidth = Some(1_000);
        story.writes("web-0", [1.0]);
        story.reads("web-0", 0.5, FOLLOW, None);
        story.reads("web-0", time, CHECK, Some(time + 0.01));
        story.taken = vec![Taken { at: at(time + 0.02), connection: 1, bytes: 100 }];
        story
    };
    is_broken_by(looks, 31.0, 60.0, "a silent stream is not looked at");
}

#[test]
fn a_stream_that_is_troubled_need_not_be_looked_at() {
    let mut story = story();
    story.writes("web-0", [1.0]);
    story.reads("web-0", 0.5, FOLLOW, None);
    story.fails(0.0, Fault::ServerAway(Duration::from_secs(170)));
    assert_eq!(kinds(&story), [""; 0]);
}

#[test]
fn an_answer_whose_connection_breaks_as_it_comes_asks_for_nothing() {
    let breaks = |time: f64| {
        let mut story = story();
        let first = story.lists(1.0);
        (first.answered, first.retry_after) = (Some((at(1.0), 429)), Some("7".to_owned()));
        story.lists(1.0).ended = Some((at(time), Ended::Broken));
        story.lists(2.0).connection = 2;
        story
    };
    is_broken_by(breaks, 1.0, 1.5, "Retry-After not obeyed");
}
