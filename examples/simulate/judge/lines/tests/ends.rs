//! The end of a log, and of the run.

use apiserver::{Ended, Kind as Asks};

use super::{Tale, seconds, stamp};
use crate::story::Story;

/// The stream breaks before `b`, and then the pod is gone.
fn gone() -> Tale {
    let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").shows(3.0, "a");
    tale.with(|story| story.containers[0].deleted = Some(seconds(4.1)))
}

fn unchecked(last: f64) -> String {
    format!(
        "the node removed this log before its end could be checked; the last line shown is from {}",
        stamp(last)
    )
}

fn behind(last: f64) -> String {
    format!("lines may be missing after {}: the rest of the log could not be read", stamp(last))
}

#[test]
fn the_end_of_a_log_that_is_gone_is_reported() {
    gone().is(&["missing"]);
    gone().says(4.3, &unchecked(3.0)).passes();
    gone().says(4.3, &behind(3.0)).passes();
    gone().says(4.3, &unchecked(2.9)).is(&["missing", "false gap"]);
}

#[test]
fn a_log_that_was_read_to_its_end_is_not_reported() {
    let tale = |ended| {
        let tale = Tale::new().reads(2.2, 4.1, ended).writes(3.0, "a").shows(3.0, "a");
        tale.with(|story| story.containers[0].deleted = Some(seconds(4.1))).says(4.3, &unchecked(3.0))
    };
    tale(Ended::Complete).is(&["false gap"]);
    tale(Ended::Broken).passes();
}

#[test]
fn a_rest_that_could_be_read_is_not_reported() {
    let tale =
        |ended| Tale::new().reads(2.2, 4.1, ended).writes(3.0, "a").shows(3.0, "a").says(4.3, &behind(3.0));
    tale(Ended::Complete).is(&["false gap"]);
    tale(Ended::Broken).passes();
}

#[test]
fn a_log_of_which_nothing_was_read_is_reported() {
    let tale = || {
        let tale = Tale::new().writes(3.0, "a");
        tale.with(|story| story.containers[0].deleted = Some(seconds(3.1))).follows(2.2)
    };
    let removed = "the log was removed before it could be read";
    tale().is(&["missing"]);
    tale().says(3.2, removed).passes();
    let still_there = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").says(3.2, removed);
    still_there.is(&["false gap"]);
}

#[test]
fn a_log_that_was_given_up_is_reported() {
    let tale =
        || Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").shows(3.0, "a");
    tale().says(5.0, "403 Forbidden: no").passes();
    tale().says(5.0, "403 Forbidden: no; trying again").is(&["missing"]);
    tale().says(2.5, "403 Forbidden: no").is(&["missing"]);
}

#[test]
fn a_line_that_is_not_due_may_be_missing() {
    let tale = |written| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(written, "b").shows(3.0, "a");
        tale.with(|story| story.ended = seconds(100.0))
    };
    tale(96.0).passes();
    tale(94.0).is(&["missing"]);
    tale(94.0).with(|story| story.calm = seconds(50.0)).passes();
}

/// The rest of the one before it comes first, once anything tells of it.
#[test]
fn lines_of_an_instance_that_nothing_told_of_yet_may_be_shown_before_the_rest_of_the_last_one() {
    let tale = |watched| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(98.0, "b").restarts(98.5);
        let tale = tale.writes(99.0, "c").shows(3.0, "a").shows(99.0, "c");
        tale.with(|story| {
            story.ended = seconds(100.0);
            story.requests[0].ended = Some((seconds(2.0), Ended::Complete));
            story.requests[1].ended = Some((seconds(watched), Ended::Broken));
        })
    };
    tale(98.2).passes();
    tale(98.7).is(&["missing"]);
}

#[test]
fn an_empty_log_of_an_instance_that_nothing_told_of_looks_like_a_rotated_one() {
    let tale = |known: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.restarts(4.0).restarts(5.0).with(|story| {
            story.containers[0].instances[2].known = Some(seconds(known));
        });
        let query = [("container", "app"), ("previous", "true")];
        tale.asks(Asks::Log, 5.1, "/api/v1/namespaces/shop/pods/web/log", &query)
            .with(|story| story.requests[3].ended = Some((seconds(5.1), Ended::Complete)))
            .says(5.2, &behind(3.0))
    };
    tale(6.0).passes();
    tale(5.0).is(&["false gap"]);
}

/// The pod comes and goes behind the first list.
fn lives_for_a_second(story: &mut Story) {
    let container = &mut story.containers[0];
    (container.created, container.deleted) = (seconds(10.0), Some(seconds(11.0)));
    (container.instances[0].started, container.instances[0].known) = (seconds(10.0), Some(seconds(10.0)));
    story.requests[0].ended = Some((seconds(2.0), Ended::Complete));
}

#[test]
fn a_pod_that_nothing_told_of_cannot_be_known() {
    let tale = |watched| {
        let tale = Tale::new().with(|story| {
            lives_for_a_second(story);
            story.requests[1].ended = Some((seconds(watched), Ended::Complete));
        });
        tale.writes(10.5, "a")
    };
    tale(9.0).passes();
    tale(12.0).is(&["missing"]);
}

/// Only another pod was asked for while it was there.
#[test]
fn a_list_of_another_pod_tells_nothing() {
    let tale = |name: &str| {
        let tale = Tale::new().with(|story| {
            lives_for_a_second(story);
            story.requests[1].ended = Some((seconds(9.0), Ended::Complete));
        });
        let named = [("fieldSelector", name)];
        tale.asks(Asks::List, 10.6, "/api/v1/namespaces/shop/pods", &named).writes(10.5, "a")
    };
    tale("metadata.name=api").passes();
    tale("metadata.name=web").is(&["missing"]);
}
