//! Reports of logs, and of instances, that were not read: each has a reason.

use apiserver::Ended;

use super::{Tale, clock, seconds, stamp};
use crate::script::{Event, Fault, What};

const FORBIDDEN: &str = "the apiserver answered 403 Forbidden: “no”";

const BROKEN: &str = "the connection to http://apiserver broke: connection reset";

#[test]
fn a_log_that_is_followed_is_given_up_only_if_it_is_refused_for_good() {
    Tale::new().refuses(2.2, 403).says(2.3, FORBIDDEN).passes();
    Tale::new().refuses(2.2, 500).says(2.3, "500 Internal Server Error").is(&["false gap"]);
    let over = |tale: Tale| tale.asking(|setting| setting.until = Some(clock() + seconds(2.25)));
    over(Tale::new().refuses(2.2, 500)).says(2.3, "500 Internal Server Error").passes();
}

#[test]
fn a_log_is_given_up_right_after_a_request_failed_as_the_report_says() {
    let over = |tale: Tale| tale.asking(|setting| setting.until = Some(clock() + seconds(2.25)));
    let refused = || over(Tale::new().refuses(2.2, 500));
    refused().says(9.0, "500 Internal Server Error").is(&["false gap"]);
    refused().says(2.3, FORBIDDEN).is(&["false gap"]);
    refused().says(2.3, BROKEN).is(&["false gap"]);
    over(Tale::new().reads(2.2, 3.0, Ended::Broken)).says(3.1, BROKEN).passes();
    over(Tale::new().reads(2.2, 3.0, Ended::Complete)).says(3.1, BROKEN).is(&["false gap"]);
}

#[test]
fn a_log_is_asked_for_again_because_a_request_failed_as_the_report_says() {
    let refused = || Tale::new().refuses(2.2, 503).follows(3.0);
    refused().says(2.3, "503 Service Unavailable; trying again").passes();
    refused().says(2.3, "502 Bad Gateway; trying again").is(&["false gap"]);
    let late = || refused().says(9.0, "503 Service Unavailable; trying again");
    late().is(&["false gap"]);
    late().with(|story| story.fails(2.1, Fault::BlackHole(seconds(6.8)))).passes();
    let limited = |at| {
        let tale = refused().asking(|asked| asked.max_bandwidth = Some(1000));
        tale.says(at, "503 Service Unavailable; trying again")
    };
    limited(8.0).passes();
    limited(9.0).is(&["false gap"]);
}

#[test]
fn a_fault_is_a_reason_to_give_up_a_log_only_if_requests_may_not_arrive_then() {
    let failed = |fault: Fault, at| {
        let tale = Tale::new().asking(|setting| setting.until = Some(clock() + seconds(2.25)));
        let event = Event { at: seconds(10.0), what: What::Fault(fault) };
        tale.with(|story| story.script.events.push(event)).says(at, BROKEN)
    };
    let away = || Fault::ServerAway(seconds(10.0));
    failed(away(), 15.0).passes();
    failed(away(), 30.0).is(&["false gap"]);
    failed(Fault::ConnectionsReset, 10.2).passes();
    failed(Fault::ConnectionsReset, 30.0).is(&["false gap"]);
    failed(Fault::WatchExpired, 10.2).is(&["false gap"]);
    failed(Fault::KubeletAway("node-1".to_owned(), seconds(10.0)), 15.0).is(&["false gap"]);
}

/// The status of the third one tells of the second one too, or not.
#[test]
fn a_log_that_was_given_up_covers_all_instances_that_one_status_tells_of() {
    let tale = |known: f64| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.restarts(3.6).writes(4.0, "b").restarts(4.2).writes(4.4, "c");
        let tale = tale.with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[1].known, instances[2].known) = (Some(seconds(known)), Some(seconds(4.8)));
        });
        tale.refuses(5.0, 403).says(5.0, FORBIDDEN)
    };
    tale(4.8).passes();
    tale(4.1).is(&["missing"]);
}

/// The lines `a` and `b` of the first instance are missing in part, and the log of the second one is given up.
#[test]
fn a_log_that_was_given_up_covers_no_line_of_the_one_before() {
    let tale = |restarts: bool| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Complete).writes(3.0, "a").writes(3.2, "b");
        let tale = if restarts { tale.restarts(3.6).writes(4.0, "c") } else { tale };
        tale.shows(3.0, "a").refuses(5.0, 403).says(5.0, FORBIDDEN)
    };
    tale(false).passes();
    tale(true).is(&["missing"]);
}

#[test]
fn no_more_instances_are_said_to_be_not_shown_than_are() {
    let restarted = |skipped: u32| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Complete).writes(3.0, "a").restarts(3.5);
        let tale = tale.writes(3.6, "b").reads(3.5, 4.0, Ended::Complete).restarts(4.0);
        let tale = tale.writes(5.0, "c").follows(4.0).shows(3.0, "a").shows(3.6, "b").shows(5.0, "c");
        let skipped = match skipped {
            0 => String::new(),
            count => format!("; {count} instances in between are not shown"),
        };
        tale.says_line(4.1, &format!("── shop web › app restarted{skipped} ──"))
    };
    restarted(0).passes();
    restarted(1).is(&["false gap"]);
}

#[test]
fn lines_that_flags_leave_out_of_a_log_that_was_read_are_not_said_to_be_not_shown() {
    let tale = |follows: bool| {
        let tale = Tale::new().asking(|setting| setting.tail = Some(0)).writes(1.0, "a");
        let tale = if follows { tale.reads(2.2, 3.5, Ended::Complete) } else { tale };
        let tale = tale.restarts(3.5).writes(4.0, "b").follows(3.6).shows(4.0, "b");
        tale.says_line(4.0, "── shop web › app restarted; 1 instance in between is not shown ──")
    };
    tale(false).passes();
    tale(true).is(&["false gap"]);
}

#[test]
fn an_instance_that_was_not_read_is_reported() {
    let tale = |skipped: &str| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Complete).writes(3.0, "a").restarts(3.6).restarts(4.0);
        let tale = tale.writes(5.0, "c").follows(4.2).shows(3.0, "a").shows(5.0, "c");
        tale.says_line(4.2, &format!("── shop web › app restarted{skipped} ──"))
    };
    tale("; 1 instance in between is not shown").passes();
    tale("").is(&["an instance without a report"]);
    tale("").says(4.1, "the kubelet reports in place of lines: “unable to retrieve container logs”").passes();
}

#[test]
fn a_report_without_a_line_before_it_is_about_the_first_one_that_is_shown() {
    let tale = |after: &str| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").rotates(4.5);
        let tale = tale.writes(5.0, "c").follows(5.5).shows(3.0, "a").shows_at(5.6, 5.0, "c");
        tale.says(5.6, &format!("lines may be missing between {after} and {}", stamp(5.0)))
    };
    tale(&stamp(3.0)).passes();
    tale("an unknown time").is(&["false gap"]);
}

#[test]
fn an_answer_that_the_program_left_counts_as_failed_until_a_whole_one_came() {
    let behind = |again: bool| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Abandoned).writes(3.0, "a");
        let tale = if again { tale.reads(3.6, 4.0, Ended::Complete) } else { tale };
        let tale = tale.with(|story| story.containers[0].instances[0].ended = Some(seconds(4.0)));
        let tale = tale.shows(3.0, "a");
        tale.says(
            4.1,
            &format!("lines may be missing after {}: the rest of the log could not be read", stamp(3.0)),
        )
    };
    behind(false).passes();
    behind(true).is(&["false gap"]);
}

#[test]
fn with_tail_lines_from_before_the_start_need_not_be_shown() {
    let tale = |started: f64| {
        let tale = Tale::new().asking(|setting| setting.tail = Some(1)).restarts(started);
        let tale = tale.with(|story| story.containers[0].instances[1].known = Some(seconds(5.0)));
        tale.writes(started, "a").writes(3.0, "b").follows(2.2).shows(3.0, "b")
    };
    tale(1.5).passes();
    tale(2.5).is(&["missing"]);
}

/// The line `a` is shown behind the words that came with it.
#[test]
fn words_may_come_before_the_line_that_they_follow_while_the_output_is_slow() {
    let tale = |fault: Option<Fault>| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(3.2, "b").shows_at(3.6, 3.0, "a");
        let tale =
            tale.says(3.5, "the kubelet reports in place of lines: “unable to retrieve container logs”");
        tale.with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(3.4));
            let events = fault.map(|fault| Event { at: seconds(3.0), what: What::Fault(fault) });
            story.script.events.extend(events);
        })
    };
    tale(Some(Fault::SlowReader(10, seconds(2.0)))).passes();
    tale(None).is(&["missing"]);
}
