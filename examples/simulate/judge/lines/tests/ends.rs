//! The end of a log, and of the run.

use apiserver::{Ended, Kind as Asks};

use super::{Tale, seconds, stamp};
use crate::{
    script::{Asked, Broken, Event, Fault, Logs, Restart, What},
    story::{Pod, Story},
};

const LOG: &str = "/api/v1/namespaces/shop/pods/web/log";

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

/// The log is not found behind that end, and a question shows whether its pod is there.
#[test]
fn an_end_behind_which_the_log_was_not_found_is_in_doubt_if_its_pod_was_there() {
    let tale = |asked: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.reads(4.5, 4.5, Ended::Complete).with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(5.0));
            story.requests.last_mut().expect("one was added").answered = Some((seconds(4.5), 404));
        });
        let named = [("fieldSelector", "metadata.name=web")];
        tale.asks(Asks::List, asked, "/api/v1/namespaces/shop/pods", &named).says(5.2, &unchecked(3.0))
    };
    tale(4.6).passes();
    tale(4.4).is(&["false gap"]);
    tale(5.1).is(&["false gap"]);
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
    let tale =
        || Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").shows(3.0, "a");
    tale().says(5.0, "403 Forbidden: no").passes();
    tale().says(5.0, "403 Forbidden: no; trying again").is(&["missing"]);
    tale().says(2.5, "403 Forbidden: no").is(&["missing"]);
}

/// The lines wait for those of other logs.
#[test]
fn a_log_that_was_given_up_before_its_lines_were_sorted_is_reported() {
    let tale = |sort, given_up| {
        let tale = Tale::new().asking(|setting| setting.sort = sort).reads(2.2, 3.5, Ended::Broken);
        let tale = tale.writes(3.0, "a").writes(4.0, "b").shows_at(6.0, 3.0, "a");
        tale.says(given_up, "403 Forbidden: no")
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
    tale("node-2", 14.0).is(&["missing"]);
    let asked = |at: f64, path: &str| {
        let tale = tale("node-1", 14.0).asks(Asks::Log, at, path, &[("container", "other")]);
        tale.with(|story| story.requests[3].answered = Some((seconds(at), 500)))
    };
    asked(4.5, LOG).is(&["missing"]);
    asked(8.0, LOG).passes();
    asked(4.5, "/api/v1/namespaces/shop/pods/other/log").passes();
}

#[test]
fn an_answer_that_a_fault_cuts_behind_the_end_is_not_the_end() {
    let tale = |bytes| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).reads(4.5, 4.6, Ended::Complete);
        let tale = tale.writes(3.0, "a").writes(4.0, "b").shows(3.0, "a");
        let how = Broken::Ends;
        let (asked, lasting, times) = (Asked::Logs("web".to_owned()), seconds(1.0), 1);
        let cut = What::Fault(Fault::WillBreak { asked, times, how, bytes, chunks: None, lasting });
        tale.with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(5.0));
            story.script.events.extend((bytes > 0).then_some(Event { at: seconds(4.1), what: cut }));
        })
    };
    tale(20).passes();
    tale(0).is(&["missing"]);
}

#[test]
fn a_stream_that_is_left_as_its_end_comes_was_not_read_to_its_end() {
    let tale = |again| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.with(|story| story.containers[0].deleted = Some(seconds(4.1)));
        tale.follows(again).with(|story| story.requests[3].answered = Some((seconds(again), 404)))
    };
    tale(4.102).says(4.3, &unchecked(3.0)).passes();
    tale(4.104).says(4.3, &unchecked(3.0)).is(&["false gap"]);
    tale(4.104).says(4.101, &unchecked(3.0)).passes();
    // A busy stream, for a connection of its own.
    let moved = |again| tale(again).with(|story| story.requests[3].connection = 2);
    moved(4.104).says(4.3, &unchecked(3.0)).passes();
    moved(4.106).says(4.3, &unchecked(3.0)).is(&["false gap"]);
}

/// Nothing else is answered meanwhile, so that the apiserver seems to be out of reach.
#[test]
fn a_request_that_is_answered_late_leaves_an_end_in_doubt() {
    let tale = |late: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.asks(Asks::Log, 4.0, "/api/v1/namespaces/shop/pods/other/log", &[]);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            story.requests.last_mut().expect("one was added").answered = Some((seconds(4.0 + late), 200));
        });
        tale.says(7.0, &unchecked(3.0))
    };
    tale(2.5).passes();
    tale(1.5).is(&["false gap"]);
}

/// Of a container that is polled.
#[test]
fn a_log_that_was_read_before_anything_told_of_its_end_was_not_read_to_its_end() {
    let tale = |late: f64| {
        let tale = Tale::new().writes(3.0, "a").asks(Asks::Log, 5.0, LOG, &[("container", "app")]);
        let restart = Restart { exit: 1, last: None, waits: seconds(0.0), late: seconds(late) };
        let tale = tale.shows_at(5.1, 3.0, "a").with(|story| {
            story.requests[2].ended = Some((seconds(5.0), Ended::Complete));
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.containers[0].deleted = Some(seconds(8.0));
            let what = What::Restarts(story.containers[0].place.clone(), restart);
            story.script.events.push(Event { at: seconds(4.0), what });
        });
        tale.says(8.1, &unchecked(3.0))
    };
    tale(2.0).passes();
    tale(0.5).is(&["false gap"]);
}

#[test]
fn lines_of_the_second_in_which_the_next_instance_started_may_be_taken_for_its_own() {
    let tale = |restarted: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").writes(4.1, "b");
        let tale = tale.shows(3.0, "a").shows(4.1, "b").restarts(restarted);
        let tale = tale.with(|story| story.containers[0].instances[0].removed = Some(seconds(restarted)));
        tale.says(5.5, &unchecked(3.0))
    };
    tale(4.5).passes();
    tale(5.1).is(&["false gap"]);
}

/// The last line by then is of an instance that nothing told of: the end of the one before is missing.
#[test]
fn the_last_line_of_an_instance_may_be_one_of_the_next_that_nothing_told_of() {
    let tale = |known: f64| {
        let tale = Tale::new().follows(2.2).restarts(3.0).writes(3.1, "a").restarts(4.0).writes(5.0, "b");
        let tale = tale.writes(6.0, "c").shows(5.0, "b").shows(6.0, "c");
        let tale = tale.with(|story| story.containers[0].instances[2].known = Some(seconds(known)));
        tale.says(5.5, &unchecked(5.0)).says(7.0, "the log was removed before it could be read")
    };
    tale(5.4).passes();
    tale(4.0).is(&["false gap"]);
}

#[test]
fn an_instance_of_which_nothing_told_while_its_log_was_there_is_reported_with_the_one_before() {
    let tale = |watched| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").restarts(4.0).writes(4.5, "b");
        tale.says(5.5, &unchecked(3.0)).with(|story| {
            story.containers[0].deleted = Some(seconds(5.0));
            story.requests[1].ended = Some((seconds(watched), Ended::Broken));
        })
    };
    tale(3.5).passes();
    tale(5.0).is(&["missing"]);
}

#[test]
fn two_instances_of_which_nothing_told_are_reported_with_the_one_before_them() {
    let tale = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").restarts(4.0).writes(4.2, "b");
    let tale = tale.restarts(4.4).writes(4.5, "c").says(5.5, &unchecked(3.0)).with(|story| {
        story.containers[0].deleted = Some(seconds(5.0));
        story.requests[1].ended = Some((seconds(3.5), Ended::Broken));
    });
    tale.passes();
}

/// Nothing told that it had ended.
#[test]
fn an_empty_log_of_an_instance_that_waits_looks_like_an_empty_one() {
    let tale = |late: f64, lines: &[(&'static str, &'static str)]| {
        let tale = Tale::new().with(lives_for_a_second).writes(10.1, "a").restarts(10.2);
        let query = [&[("container", "app"), ("previous", "true")], lines].concat();
        let restart = Restart { exit: 1, last: None, waits: seconds(9.0), late: seconds(late) };
        tale.asks(Asks::Log, 10.8, LOG, &query).with(|story| {
            let container = &mut story.containers[0];
            container.deleted = None;
            container.instances[0].removed = Some(seconds(10.5));
            container.instances[1].ended = Some(seconds(10.4));
            let what = What::Restarts(container.place.clone(), restart);
            story.script.events.push(Event { at: seconds(10.4), what });
        })
    };
    tale(1.0, &[]).passes();
    tale(0.0, &[]).is(&["missing"]);
    // With `--tail=1`.
    tale(1.0, &[("sinceTime", "x"), ("tailLines", "1")]).passes();
    tale(1.0, &[("tailLines", "1")]).is(&["missing"]);
}

/// The first one was gone when its log was asked for, the second one wrote nothing.
#[test]
fn lines_of_the_last_of_three_instances_look_like_those_of_the_first_if_nothing_told_of_more() {
    let tale = |removed: f64, hole: f64| {
        let tale = Tale::new().with(lives_for_a_second).writes(10.1, "a").restarts(10.2).restarts(19.0);
        let tale = tale.writes(20.0, "b").follows(19.5).shows(20.0, "b");
        tale.with(|story| {
            story.requests[1].ended = Some((seconds(10.1), Ended::Broken));
            let container = &mut story.containers[0];
            (container.deleted, container.instances[0].removed) =
                (Some(seconds(21.0)), Some(seconds(removed)));
            let what = What::Fault(Fault::BlackHole(seconds(hole)));
            story.script.events.push(Event { at: seconds(10.1), what });
        })
    };
    tale(12.0, 1.0).passes();
    tale(18.0, 1.0).is(&["missing"]);
    tale(18.0, 5.0).passes();
    // A stream of its log broke before its first line, or behind it.
    let broken = |at| {
        let tale = tale(12.0, 1.0).reads(10.02, at, Ended::Broken);
        tale.with(|story| story.requests.sort_by_key(|request| request.at))
    };
    broken(10.05).passes();
    broken(10.15).is(&["missing"]);
}

/// The container ends while the program waits.
#[test]
fn a_poll_that_was_told_to_wait_does_not_read_a_log_to_its_end() {
    let tale = |waits: Option<&str>| {
        let tale = Tale::new().asks(Asks::Log, 3.5, LOG, &[("container", "app")]).writes(3.0, "a");
        let tale = tale.with(|story| {
            let refused = story.requests.last_mut().expect("one was added");
            refused.answered = Some((seconds(3.5), 503));
            refused.ended = Some((seconds(3.5), Ended::Complete));
            refused.retry_after = waits.map(str::to_owned);
        });
        let tale = tale.asks(Asks::Log, 4.5, LOG, &[("container", "app")]).shows_at(4.5, 3.0, "a");
        tale.says(5.5, &unchecked(3.0)).with(|story| {
            story.requests.last_mut().expect("one was added").ended = Some((seconds(4.5), Ended::Complete));
            let container = &mut story.containers[0];
            (container.instances[0].ended, container.deleted) = (Some(seconds(4.0)), Some(seconds(5.0)));
        })
    };
    tale(Some("1")).passes();
    tale(None).is(&["false gap"]);
}

/// Other requests come first, and the container ends meanwhile.
#[test]
fn a_poll_that_waited_for_its_turn_does_not_read_a_log_to_its_end() {
    let tale = |qps: Option<i32>| {
        let tale = Tale::new().asking(|setting| setting.qps = qps).writes(3.0, "a");
        let others = |tale: Tale, at| {
            tale.asks(Asks::Log, at, "/api/v1/namespaces/shop/pods/other/log", &[("container", "app")])
        };
        let tale = [3.5, 4.0].into_iter().fold(tale, others);
        let tale = tale.asks(Asks::Log, 4.5, LOG, &[("container", "app")]).shows_at(4.5, 3.0, "a");
        tale.says(5.5, &unchecked(3.0)).with(|story| {
            story.requests.last_mut().expect("one was added").ended = Some((seconds(4.5), Ended::Complete));
            let container = &mut story.containers[0];
            (container.instances[0].ended, container.deleted) = (Some(seconds(3.9)), Some(seconds(5.0)));
        })
    };
    tale(Some(2)).passes();
    tale(Some(9)).is(&["false gap"]);
    tale(None).is(&["false gap"]);
}

#[test]
fn a_black_hole_keeps_back_what_a_watch_tells() {
    let tale = |hole: f64| {
        let tale = Tale::new().with(|story| {
            lives_for_a_second(story);
            story.requests[1].ended = Some((seconds(12.0), Ended::Broken));
            let what = What::Fault(Fault::BlackHole(seconds(hole)));
            story.script.events.push(Event { at: seconds(9.0), what });
        });
        tale.writes(10.5, "a")
    };
    tale(10.0).passes();
    tale(0.5).is(&["missing"]);
}

#[test]
fn a_silent_stream_of_a_pod_that_is_gone_before_a_check_cannot_be_known() {
    let tale = |gone: f64| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(6.0, "b").shows(3.0, "a");
        tale.with(|story| {
            story.containers[0].deleted = Some(seconds(gone));
            story.containers[0].instances[0].silenced.push(seconds(5.0));
        })
    };
    tale(35.0).passes();
    tale(37.0).is(&["missing"]);
    let deleted = |at: f64| {
        tale(35.0).with(|story| {
            let (name, namespace, node) = ("web".to_owned(), "shop".to_owned(), "node-1".to_owned());
            let (deleting, deleted) = (Some(seconds(at)), Some(seconds(35.0)));
            story.pods.push(Pod { name, namespace, node, deleting, deleted, ready: Vec::new() });
        })
    };
    deleted(35.0).passes();
    deleted(30.0).is(&["missing"]);
}

#[test]
fn a_silent_stream_of_a_pod_that_stops_meeting_its_condition_before_a_check_cannot_be_known() {
    let tale = |meets: &[(f64, bool)]| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(6.0, "b").shows(3.0, "a");
        tale.with(|story| {
            story.containers[0].meets = meets.iter().map(|(at, meets)| (seconds(*at), *meets)).collect();
            story.containers[0].instances[0].silenced.push(seconds(5.0));
        })
    };
    let left = |at| tale(&[(0.0, true), (at, false)]);
    left(35.0).passes();
    left(37.0).is(&["missing"]);
    tale(&[(0.0, true), (35.0, false), (40.0, true)]).is(&["missing"]);
    left(35.0).follows(20.0).is(&["missing"]);
    // Its end was told before.
    let ends = |at| left(35.0).with(|story| story.containers[0].instances[0].ended = Some(seconds(at)));
    ends(35.0).passes();
    ends(34.0).is(&["missing"]);
    left(35.0).with(|story| story.containers[0].instances[0].silenced.clear()).is(&["missing"]);
}

/// Both looks at the end show the same half line.
#[test]
fn half_a_line_is_reported_if_two_answers_end_in_it() {
    let tale = |reads: &[f64]| {
        let tale = Tale::new().asking(|asked| asked.logs = Logs::Once).writes(0.5, "long");
        let tale = reads.iter().fold(tale, |tale, at| tale.reads(*at, *at, Ended::Complete));
        let asked = Asked::AllLogs;
        let (times, how, bytes, chunks, lasting) = (9, Broken::Ends, 20, None, seconds(9.0));
        let what = What::Fault(Fault::WillBreak { asked, times, how, bytes, chunks, lasting });
        tale.with(|story| story.script.events.push(Event { at: seconds(2.0), what })).shows_at(2.6, 0.5, "lo")
    };
    tale(&[2.2, 2.3]).says(2.7, &behind(0.5)).passes();
    tale(&[2.2, 2.3]).is(&["cut"]);
    tale(&[2.2]).says(2.7, &behind(0.5)).is(&["false gap"]);
}

#[test]
fn an_answer_that_lacks_the_last_line_is_reported_if_ends_are_not_confirmed() {
    let tale = |unconfirmed| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let asked = Asked::AllLogs;
        let (times, how, bytes, chunks, lasting) = (9, Broken::Ends, 20, None, seconds(9.0));
        let what = What::Fault(Fault::WillBreak { asked, times, how, bytes, chunks, lasting });
        let tale = tale.reads(4.1, 4.1, Ended::Complete).says(4.2, &behind(3.0));
        tale.asking(|asked| asked.unconfirmed = unconfirmed).with(|story| {
            story.containers[0].instances[0].ended = Some(seconds(4.0));
            story.script.events.push(Event { at: seconds(4.05), what });
        })
    };
    tale(true).passes();
    tale(false).is(&["false gap"]);
}

/// All that was shown of the first one was written in the second in which the next one started.
#[test]
fn an_instance_of_which_only_lines_in_doubt_were_shown_is_reported_as_not_read() {
    let tale = |first: f64| {
        let tale =
            Tale::new().follows(2.2).writes(first, "a").writes(4.4, "b").shows(first, "a").restarts(4.5);
        let tale = tale.with(|story| story.containers[0].instances[0].removed = Some(seconds(5.0)));
        let tale = tale.says(5.5, "lines may be missing: the log was removed before it could be read");
        let between = format!("lines may be missing between {} and {}", stamp(first), stamp(5.6));
        tale.writes(5.6, "c").shows(5.6, "c").says(5.7, &between)
    };
    tale(4.1).passes();
    tale(3.1).is(&["false gap"]);
}

/// The server seems to go away behind the end of the stream: it closes the connections of all other requests.
#[test]
fn an_end_before_nothing_was_answered_is_in_doubt() {
    let tale = |answered: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.with(|story| story.containers[0].deleted = Some(seconds(4.1)));
        let tale = tale.asks(Asks::Watch, 5.0, "/api/v1/pods", &[]).with(|story| {
            let request = story.requests.last_mut().unwrap();
            (request.answered, request.ended) = (None, Some((seconds(5.0), Ended::Broken)));
        });
        tale.asks(Asks::List, answered, "/api/v1/pods", &[]).says(9.0, &unchecked(3.0))
    };
    tale(7.5).passes();
    tale(6.0).is(&["false gap"]);
}

/// Its status comes with the deletion of its pod.
#[test]
fn the_end_of_an_instance_that_was_read_as_the_one_before_is_in_doubt() {
    let tale = |known: f64| {
        let tale =
            Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a").restarts(4.0);
        let tale = tale.writes(4.5, "b").reads(4.2, 5.0, Ended::Complete).shows(4.5, "b");
        tale.says(6.5, &unchecked(4.5)).with(|story| {
            let container = &mut story.containers[0];
            (container.instances[1].ended, container.instances[1].known) =
                (Some(seconds(5.0)), Some(seconds(known)));
            container.deleted = Some(seconds(6.4));
        })
    };
    tale(6.3).passes();
    tale(4.1).is(&["false gap"]);
}

#[test]
fn the_end_of_a_log_that_is_there_is_unread_if_the_look_at_it_is_refused() {
    let tale = |status, logs| {
        let tale = Tale::new().asking(|asked| asked.logs = logs).reads(2.2, 2.2, Ended::Complete);
        let tale = tale.asks(Asks::Log, 2.3, LOG, &[("container", "app"), ("tailLines", "1")]);
        tale.with(|story| story.requests.last_mut().unwrap().answered = Some((seconds(2.3), status)))
    };
    let unread = |tale: Tale| tale.says(2.4, "lines may be missing: the end of the log could not be read");
    for status in [400, 404] {
        unread(tale(status, Logs::Once)).passes();
        unread(tale(status, Logs::Follow)).is(&["false gap"]);
        let again = tale(status, Logs::Once).reads(2.35, 2.35, Ended::Complete);
        unread(again).is(&["false gap"]);
    }
}
