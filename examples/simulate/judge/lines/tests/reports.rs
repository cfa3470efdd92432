//! Reports of logs, and of instances, that were not read: each has a reason.

use apiserver::Ended;

use super::{Tale, clock, seconds, stamp};

const FORBIDDEN: &str = "the apiserver answered 403 Forbidden: “no”";

#[test]
fn a_log_that_is_followed_is_given_up_only_if_it_is_refused_for_good() {
    Tale::new().refuses(2.2, 403).says(2.3, FORBIDDEN).passes();
    Tale::new().refuses(2.2, 500).says(2.3, FORBIDDEN).is(&["false gap"]);
    let over = |tale: Tale| tale.asking(|setting| setting.until = Some(clock() + seconds(2.25)));
    over(Tale::new().refuses(2.2, 500)).says(2.3, FORBIDDEN).passes();
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
