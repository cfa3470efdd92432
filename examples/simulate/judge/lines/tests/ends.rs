//! The end of a log, and of the run.

use apiserver::{Ended, Kind as Asks};

use super::{super::align::PIECE, Tale, seconds, stamp};
use crate::{
    script::{Asked, Broken, Event, Fault, What},
    story::Story,
};

pub(super) const LOG: &str = "/api/v1/namespaces/shop/pods/web/log";

/// The stream breaks before `b`, and then the pod is gone.
pub(super) fn gone() -> Tale {
    let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").shows(3.0, "a");
    tale.with(|story| story.containers[0].deleted = Some(seconds(4.1)))
}

pub(super) fn unchecked(last: f64) -> String {
    format!(
        "the node removed this log before its end could be checked; the last line shown is from {}",
        stamp(last)
    )
}

pub(super) fn behind(last: f64) -> String {
    format!("lines may be missing after {}: the rest of the log could not be read", stamp(last))
}

#[test]
fn the_end_of_a_log_that_is_gone_is_reported() {
    gone().is(&["missing"]);
    gone().says(4.3, &unchecked(3.0)).passes();
    gone().says(4.3, &behind(3.0)).passes();
    gone().says(4.3, &unchecked(2.9)).is(&["missing", "false gap"]);
}

/// With `--tail=0` the program looks for the last line, which is not shown, and goes on behind it.
#[test]
fn the_end_of_a_log_of_which_no_line_was_wanted_is_reported_by_the_last_line_before() {
    let tale = |tail, last| {
        let tale = Tale::new().asking(|asked| asked.tail = Some(tail)).writes(0.5, "a").writes(1.0, "b");
        let tale = tale.asks(Asks::Log, 2.2, LOG, &[("container", "app"), ("tailLines", "1")]);
        let tale = tale.reads(2.3, 2.5, Ended::Broken).writes(3.0, "c");
        tale.with(|story| story.containers[0].deleted = Some(seconds(4.1))).says(4.3, &behind(last))
    };
    tale(0, 1.0).passes();
    tale(0, 0.5).is(&["false gap"]);
    tale(0, 3.0).is(&["false gap"]);
    tale(5, 1.0).is(&["missing", "false gap"]);
}

/// A file that was rotated behind that line is not served any more: as far as a client knows, it had more lines.
#[test]
fn a_rotation_behind_a_line_that_was_only_looked_at_leaves_its_end_open() {
    let tale = |rotated| {
        let tale = Tale::new().asking(|asked| asked.tail = Some(0)).writes(0.5, "a").writes(1.0, "b");
        let tale = tale.asks(Asks::Log, 2.2, LOG, &[("container", "app"), ("tailLines", "1")]);
        let answered = Some((seconds(2.2), Ended::Complete));
        let tale = tale.with(|story| story.requests.last_mut().expect("one was added").ended = answered);
        let tale = tale.reads(2.3, 4.0, Ended::Complete).rotates(rotated);
        tale.with(|story| story.containers[0].deleted = Some(seconds(4.1))).says(4.3, &behind(1.0))
    };
    tale(3.0).passes();
    tale(4.4).is(&["false gap"]);
}

/// `--tail` leaves out the first piece, and the last one has a stamp of its own.
#[test]
fn the_end_of_a_log_is_reported_by_the_stamp_of_the_piece_that_was_shown_last() {
    let tale = |last| {
        let long = format!("{}rest", "x".repeat(PIECE));
        let tale = Tale::new().asking(|asked| asked.tail = Some(1)).writes(1.0, &long);
        let tale = tale.reads(2.2, 3.5, Ended::Broken).shows_at(2.3, 1.5, "rest");
        tale.with(|story| story.containers[0].deleted = Some(seconds(4.1))).says(4.3, &unchecked(last))
    };
    tale(1.5).passes();
    tale(1.0).is(&["false gap"]);
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
fn a_look_at_the_last_lines_of_the_previous_log_does_not_read_it_to_its_end() {
    let tale = |lines, tail| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").shows(3.0, "a").restarts(4.0);
        let query = [("container", "app"), ("previous", "true"), ("tailLines", lines)];
        let tale = tale.asking(|setting| setting.tail = tail).asks(Asks::Log, 4.5, LOG, &query);
        tale.with(|story| story.requests[3].ended = Some((seconds(4.5), Ended::Complete)))
            .says(5.0, &unchecked(3.0))
    };
    tale("2", None).passes();
    tale("2", Some(2)).is(&["false gap"]);
    tale("3", None).is(&["false gap"]);
}

/// It waits for another start, of which nothing is known, as its pod goes.
#[test]
fn an_instance_that_was_to_come_as_its_pod_went_is_in_doubt_if_the_previous_log_showed_it() {
    let tale = |previous, watched: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let query = [("container", "app"), ("previous", previous), ("tailLines", "2")];
        let tale = tale.asks(Asks::Log, 4.5, LOG, &query).with(|story| {
            story.requests[1].ended = Some((seconds(3.5), Ended::Broken));
            story.requests.last_mut().expect("one was added").ended = Some((seconds(4.5), Ended::Complete));
            let container = &mut story.containers[0];
            container.deleted = Some(seconds(5.0));
            (container.instances[0].ended, container.instances[0].waits) =
                (Some(seconds(4.0)), Some(seconds(4.0)));
        });
        tale.asks(Asks::Watch, watched, "/api/v1/pods", &[]).says(5.2, &unchecked(3.0))
    };
    tale("true", 7.0).passes();
    tale("true", 4.6).is(&["false gap"]);
    tale("false", 7.0).is(&["false gap"]);
}

/// The request behind that end waits for its turn until the pod is gone.
#[test]
fn an_end_behind_which_the_log_was_asked_for_too_late_is_in_doubt() {
    let tale = |qps, asked: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.asking(|setting| setting.qps = qps).reads(asked, asked, Ended::Complete);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            story.requests.last_mut().expect("one was added").answered = Some((seconds(asked), 404));
        });
        tale.says(asked + 0.2, &unchecked(3.0))
    };
    tale(Some(1), 7.2).passes();
    tale(Some(1), 7.0).is(&["false gap"]);
    tale(None, 7.2).is(&["false gap"]);
}

/// The log is not found or refused behind that end, and a question shows whether its pod is there.
#[test]
fn an_end_behind_which_the_log_was_not_found_is_in_doubt_if_its_pod_was_there() {
    let tale = |asked: f64, status| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.reads(4.5, 4.5, Ended::Complete).with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(5.0));
            story.requests.last_mut().expect("one was added").answered = Some((seconds(4.5), status));
        });
        let named = [("fieldSelector", "metadata.name=web")];
        tale.asks(Asks::List, asked, "/api/v1/namespaces/shop/pods", &named).says(5.2, &unchecked(3.0))
    };
    for status in [400, 404] {
        tale(4.6, status).passes();
        tale(4.4, status).is(&["false gap"]);
        tale(5.1, status).is(&["false gap"]);
    }
}

/// The same until another instance has its place.
#[test]
fn an_end_behind_which_the_log_of_the_next_instance_was_there_is_in_doubt_if_it_was_asked_for_too_late() {
    let tale = |qps, asked: f64| {
        let tale =
            Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a").restarts(4.0);
        let tale = tale.asking(|setting| setting.qps = qps).reads(asked, asked, Ended::Complete);
        tale.says(asked + 0.2, &unchecked(3.0))
    };
    tale(Some(1), 7.2).passes();
    tale(Some(1), 6.8).is(&["false gap"]);
    tale(None, 7.2).is(&["false gap"]);
}

/// Its stream breaks, and a watch tells of it before its pod is gone, or behind that.
#[test]
fn the_end_of_an_instance_is_in_doubt_if_nothing_told_of_it_before_it_was_gone() {
    let tale = |watched: f64| {
        let tale = Tale::new().writes(3.0, "a").reads(2.2, 4.0, Ended::Complete).restarts(4.0);
        let tale = tale.shows(3.0, "a").reads(4.5, 5.0, Ended::Complete).with(|story| {
            story.requests[1].ended = Some((seconds(3.5), Ended::Broken));
            story.containers[0].deleted = Some(seconds(6.0));
        });
        tale.asks(Asks::Watch, watched, "/api/v1/pods", &[]).says(7.1, &unchecked(3.0))
    };
    tale(7.0).passes();
    tale(5.5).is(&["false gap"]);
}

/// The watch breaks, the next instance waits for another start, and its log is read before a watch tells of it.
#[test]
fn an_end_is_in_doubt_if_its_log_was_gone_before_that_of_an_instance_was_read_that_nothing_told_of() {
    let tale = |gone: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.restarts(4.0).reads(6.0, 6.0, Ended::Complete).with(|story| {
            story.requests[1].ended = Some((seconds(3.5), Ended::Broken));
            story.containers[0].instances[0].removed = Some(seconds(gone));
        });
        tale.asks(Asks::Watch, 7.0, "/api/v1/pods", &[]).says(7.1, &unchecked(3.0))
    };
    tale(5.9).passes();
    tale(6.1).is(&["false gap"]);
}

/// Nobody can tell what was sent while no packet arrived from what was sent right behind that.
#[test]
fn an_end_that_comes_right_behind_an_outage_is_in_doubt() {
    let tale = |lasting: f64| {
        let tale = Tale::new().reads(2.2, 6.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(6.0));
            let what = What::Fault(Fault::BlackHole(seconds(lasting)));
            story.script.events.push(Event { at: seconds(3.5), what });
        });
        tale.says(6.2, &unchecked(3.0))
    };
    tale(2.0).passes();
    tale(1.0).is(&["false gap"]);
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

/// The watch ends, and a question for the one pod says only that its instance was replaced.
#[test]
fn one_report_is_about_all_instances_of_which_nothing_told() {
    let tale = |watched| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").restarts(4.0).writes(5.0, "b");
        let tale = tale.asks(Asks::List, 5.5, "/api/v1/pods", &[("fieldSelector", "metadata.name=web")]);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(6.0));
            story.requests[1].ended = Some((seconds(watched), Ended::Broken));
        });
        tale.says(6.2, "lines may be missing: the log was removed before it could be read")
    };
    tale(3.5).passes();
    tale(5.9).is(&["missing"]);
}

#[test]
fn a_log_that_was_given_up_is_reported() {
    let tale = || {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b");
        tale.refuses(2.4, 403).shows(3.0, "a").refuses(4.9, 403)
    };
    tale().says(5.0, "403 Forbidden: no").passes();
    tale().says(5.0, "403 Forbidden: no; trying again").is(&["missing"]);
    tale().says(2.5, "403 Forbidden: no").is(&["missing"]);
}

/// One report is about the last instance, another about the one before, of which nothing was read.
#[test]
fn a_log_that_was_given_up_needs_no_other_report() {
    let tale = || {
        let tale = Tale::new().restarts(2.5).writes(3.0, "a").refuses(3.1, 500).restarts(4.0);
        let tale = tale.with(|story| story.containers[0].instances[1].removed = Some(seconds(4.0)));
        tale.writes(5.0, "b").refuses(5.9, 403).says(6.0, "403 Forbidden: no")
    };
    tale().is(&["missing"]);
    tale().says(4.2, "the log was removed before it could be read").passes();
}

/// The lines wait for those of other logs.
#[test]
fn a_log_that_was_given_up_before_its_lines_were_sorted_is_reported() {
    let tale = |sort, given_up| {
        let tale = Tale::new().asking(|setting| setting.sort = sort).reads(2.2, 3.5, Ended::Broken);
        let tale = tale.writes(3.0, "a").writes(4.0, "b").shows_at(6.0, 3.0, "a");
        tale.refuses(2.4, 403).refuses(4.9, 403).says(given_up, "403 Forbidden: no")
    };
    tale(true, 5.0).passes();
    tale(true, 2.5).is(&["missing"]);
    tale(false, 5.0).is(&["missing"]);
}

/// A line of the next instance was shown too early, and the log of this one was asked for in vain since.
#[test]
fn a_log_that_is_open_when_the_time_is_over_was_not_read_to_its_end() {
    let tale = || {
        let tale = Tale::new().with(|story| {
            story.containers[0].created = seconds(2.5);
            let life = &mut story.containers[0].instances[0];
            (life.started, life.known) = (seconds(2.5), Some(seconds(2.5)));
        });
        let tale = tale.writes(3.0, "a").restarts(3.2).writes(3.5, "b");
        let tale = tale.with(|story| story.containers[0].instances[1].known = Some(seconds(5.0)));
        tale.reads(3.3, 5.0, Ended::Abandoned).shows(3.5, "b")
    };
    let over = "not read to its end: the time of --timeout was over before";
    tale().is(&["missing"]);
    tale().says(6.0, over).passes();
    tale().says_line(5.5, "- shop web › app (Error, exit 1)").says(6.0, over).is(&["missing"]);
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

/// Lines that were shown before anything told of their instance say nothing of what is due behind that.
#[test]
fn the_rest_of_an_instance_is_due_before_the_lines_of_the_next_one_that_are_shown_once_that_is_known() {
    let tale = |known: f64, ended: f64| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(94.0, "b").restarts(94.5);
        let tale = tale.writes(95.0, "c").shows(3.0, "a").shows(95.0, "c");
        tale.with(|story| {
            story.containers[0].instances[1].known = Some(seconds(known));
            (story.calm, story.ended) = (seconds(50.0), seconds(ended));
        })
    };
    tale(96.0, 100.0).passes();
    tale(94.5, 100.0).is(&["missing"]);
    tale(96.0, 120.0).is(&["missing"]);
}

#[test]
fn an_empty_log_of_an_instance_that_nothing_told_of_looks_like_a_rotated_one() {
    let tale = |known: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.restarts(4.0).restarts(5.0).with(|story| {
            story.containers[0].instances[2].known = Some(seconds(known));
        });
        let query = [("container", "app"), ("previous", "true")];
        tale.asks(Asks::Log, 5.1, LOG, &query)
            .with(|story| story.requests[3].ended = Some((seconds(5.1), Ended::Complete)))
            .says(5.2, &behind(3.0))
    };
    tale(6.0).passes();
    tale(5.0).is(&["false gap"]);
}

/// The pod comes and goes behind the first list.
pub(super) fn lives_for_a_second(story: &mut Story) {
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

/// It was the only one while the pod was there, and was asked for one of its containers.
#[test]
fn a_question_about_another_pod_or_container_tells_nothing() {
    let tale = |name: &str, is_read| {
        let tale = Tale::new().with(|story| {
            lives_for_a_second(story);
            story.requests[1].ended = Some((seconds(9.0), Ended::Complete));
        });
        let named = [("fieldSelector", name)];
        let tale = tale.asks(Asks::List, 10.6, "/api/v1/namespaces/shop/pods", &named).writes(10.5, "a");
        if is_read { tale.refuses(10.55, 500) } else { tale }
    };
    tale("metadata.name=api", true).passes();
    tale("metadata.name=web", false).passes();
    tale("metadata.name=web", true).is(&["missing"]);
}

/// The only request that was answered while the second of three pods was there.
#[test]
fn a_question_for_a_pod_tells_nothing_of_the_next_one_of_its_name() {
    let tale = |query: &[(&str, &str)], report| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").recreates(4.0).writes(5.0, "b");
        let tale = tale.asks(Asks::List, 5.5, "/api/v1/pods", query).recreates(6.0);
        let tale = tale.with(|story| story.requests[1].ended = Some((seconds(2.5), Ended::Broken)));
        if report {
            tale.says(7.0, "lines may be missing: the log was removed before it could be read")
        } else {
            tale
        }
    };
    let named = [("fieldSelector", "metadata.name=web")];
    tale(&named, true).passes();
    tale(&named, false).is(&["missing"]);
    tale(&[], true).is(&["missing"]);
}

/// The only list that was asked for while the pod was there.
#[test]
fn a_list_that_is_answered_late_does_not_tell_of_a_pod_that_is_gone_by_then() {
    let tale = |answered: f64| {
        let tale = Tale::new().with(|story| {
            lives_for_a_second(story);
            story.requests[1].ended = Some((seconds(9.0), Ended::Complete));
        });
        let tale = tale.asks(Asks::List, 10.6, "/api/v1/pods", &[]).writes(10.5, "a");
        tale.with(|story| story.requests[2].answered = Some((seconds(answered), 200)))
    };
    tale(11.5).passes();
    tale(10.9).is(&["missing"]);
}

/// An answer that is cut in the instant in which the instance ends, and then the pod is gone.
#[test]
fn a_log_that_is_gone_before_it_is_asked_for_again_cannot_be_checked() {
    let tale = |gone: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").writes(4.0, "b");
        tale.shows(3.0, "a").with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(gone));
            let cuts = What::Fault(Fault::Breaks(Asked::AllLogs, Broken::Ends));
            story.script.events.push(Event { at: seconds(4.0), what: cuts });
        })
    };
    tale(14.0).passes();
    tale(14.0).with(|story| story.script.events.clear()).is(&["missing"]);
    tale(14.0).reads(8.0, 8.1, Ended::Complete).is(&["missing"]);
    let refused = tale(14.0).follows(8.0);
    refused.with(|story| story.requests[3].answered = Some((seconds(8.0), 503))).is(&["missing"]);
    let compared = |status| {
        let query = [("container", "app"), ("previous", "true"), ("tailLines", "2")];
        let tale = tale(14.0).asks(Asks::Log, 8.0, LOG, &query);
        tale.with(|story| story.requests[3].answered = Some((seconds(8.0), status)))
    };
    compared(400).passes();
    compared(500).is(&["missing"]);
    tale(20.0).is(&["missing"]);
    let away = Event { at: seconds(3.5), what: What::Fault(Fault::BlackHole(seconds(15.0))) };
    tale(20.0).with(|story| story.script.events.push(away)).passes();
}

/// All lines are of one instant, and the last ones are like those that were shown last: which ones are missing is open.
#[test]
fn of_a_log_that_is_gone_before_it_is_asked_for_again_the_missing_lines_are_the_last_ones() {
    let tale = || {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete);
        let tale = ["x", "a", "b", "y", "a", "b"].iter().fold(tale, |tale, text| tale.writes(3.0, text));
        tale.shows(3.0, "x").shows(3.0, "a").shows(3.0, "b").with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(6.0));
            let cuts = What::Fault(Fault::Breaks(Asked::AllLogs, Broken::Ends));
            story.script.events.push(Event { at: seconds(4.0), what: cuts });
        })
    };
    tale().passes();
    tale().with(|story| story.script.events.clear()).is(&["missing"]);
}

/// All lines are of one instant. A look at the last one shows the line that was read last.
#[test]
fn an_answer_that_is_cut_behind_a_line_like_the_last_one_looks_complete() {
    let tale = |last| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete);
        let tale = ["a", "b", "c", last].iter().fold(tale, |tale, text| tale.writes(3.0, text));
        tale.shows(3.0, "a").with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(3.5));
            let cuts = What::Fault(Fault::Breaks(Asked::AllLogs, Broken::Ends));
            story.script.events.push(Event { at: seconds(4.0), what: cuts });
        })
    };
    tale("a").passes();
    tale("d").is(&["missing"]);
    tale("a").with(|story| story.script.events.clear()).is(&["missing"]);
}

/// Its kubelet goes away, and ends its streams as if they were complete.
#[test]
fn a_log_that_a_kubelet_left_is_in_doubt_for_who_asks_its_node_meanwhile() {
    let tale = |node: &str, gone: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").writes(4.5, "b");
        tale.shows(3.0, "a").with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(5.0));
            story.containers[0].deleted = Some(seconds(gone));
            let away = What::Fault(Fault::KubeletAway(node.to_owned(), seconds(3.0)));
            story.script.events.push(Event { at: seconds(4.0), what: away });
        })
    };
    tale("node-1", 14.0).passes();
    tale("node-1", 20.0).is(&["missing"]);
    tale("node-1", 20.0).asking(|asked| asked.unconfirmed = true).passes();
    tale("node-2", 20.0).asking(|asked| asked.unconfirmed = true).is(&["missing"]);
    tale("node-2", 14.0).is(&["missing"]);
    let asked = |at: f64, path: &str| {
        let tale = tale("node-1", 14.0).asks(Asks::Log, at, path, &[("container", "other")]);
        tale.with(|story| story.requests[3].answered = Some((seconds(at), 500)))
    };
    asked(4.5, LOG).is(&["missing"]);
    asked(8.0, LOG).passes();
    asked(4.5, "/api/v1/namespaces/shop/pods/other/log").passes();
}
