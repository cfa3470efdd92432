//! Ends that are in doubt: they could not be verified, or they look like those of another instance.

use apiserver::{Ended, Kind as Asks};

use super::{
    Tale,
    ends::{LOG, behind, lives_for_a_second, unchecked},
    gaps::between,
    seconds, stamp,
};
use crate::{
    script::{Asked, Broken, Event, Fault, Logs, Restart, What},
    story::{Instance, Pod},
};

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

/// Nothing told of the two instances before it as its lines were read.
#[test]
fn lines_that_are_sorted_may_have_been_read_before_a_status_that_comes_before_they_are_shown() {
    let tale = |sort| {
        let tale = Tale::new().asking(|setting| setting.sort = sort).reads(2.2, 3.5, Ended::Complete);
        let tale = tale.writes(3.0, "a").restarts(3.5).writes(3.6, "b").restarts(3.7).writes(4.0, "c");
        let tale = tale.follows(3.8).shows(3.0, "a").says(4.2, &between(3.0, 4.0)).shows_at(4.2, 4.0, "c");
        tale.says(4.2, &unchecked(4.0)).with(|story| {
            let known = |instance: &mut Instance| instance.known = Some(seconds(4.1));
            story.containers[0].instances[1..].iter_mut().for_each(known);
        })
    };
    tale(true).passes();
    tale(false).is(&["false gap"]);
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

/// The end of a stream is no proof, and its container might write more behind the poll.
#[test]
fn a_poll_behind_the_end_of_a_stream_leaves_that_in_doubt_until_it_is_reported() {
    let tale = |deleting: f64, status: u16| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let poll = [("container", "app"), ("sinceTime", "x"), ("tailLines", "20")];
        let tale = tale.asks(Asks::Log, 5.0, LOG, &poll).says(8.1, &unchecked(3.0));
        let restart = Restart { exit: 1, last: None, waits: seconds(0.0), late: seconds(10.0) };
        tale.with(|story| {
            let asked = story.requests.last_mut().expect("one was added");
            asked.answered = Some((seconds(5.0), status));
            asked.ended = Some((seconds(5.0), Ended::Complete));
            let container = &mut story.containers[0];
            (container.instances[0].ended, container.deleted) = (Some(seconds(4.0)), Some(seconds(8.0)));
            let what = What::Restarts(container.place.clone(), restart);
            story.script.events.push(Event { at: seconds(4.0), what });
            let (name, namespace, node) = ("web".to_owned(), "shop".to_owned(), "node-1".to_owned());
            let (deleting, deleted) = (Some(seconds(deleting)), Some(seconds(8.0)));
            story.pods.push(Pod { name, namespace, node, deleting, deleted, ready: Vec::new() });
        })
    };
    tale(6.0, 200).passes();
    tale(4.5, 200).is(&["false gap"]);
    tale(6.0, 404).is(&["false gap"]);
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

/// Statuses have whole seconds.
#[test]
fn an_instance_to_which_the_last_lines_of_the_one_before_seem_to_belong_is_reported_behind_them() {
    let tale = |restarted: f64, says: bool| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").restarts(restarted);
        let since = format!("the lines above from {} on were written after it", stamp(3.0));
        let words = if says { format!("; {since}") } else { String::new() };
        let tale = tale.writes(4.5, "b").says_line(5.2, &format!("── shop web › app restarted{words} ──"));
        tale.says(5.5, &unchecked(3.0)).with(|story| story.containers[0].deleted = Some(seconds(5.0)))
    };
    tale(3.5, true).passes();
    tale(3.5, false).is(&["missing"]);
    tale(4.0, true).is(&["missing"]);
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

/// The second one was seen, and its log asked for once the third one's was in its place.
#[test]
fn a_previous_log_of_the_second_in_which_its_instance_started_looks_like_that_of_the_one_before() {
    let tale = |last: f64, asked: f64, known: f64| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").restarts(4.0).writes(5.0, "b");
        let tale = tale.restarts(6.1).writes(6.2, "c").writes(last, "d").restarts(7.2).writes(9.0, "e");
        let query = [("container", "app"), ("previous", "true")];
        let tale = tale.asks(Asks::Log, asked, LOG, &query).follows(8.5);
        let tale = tale.shows_at(8.1, 6.2, "c").shows_at(8.1, last, "d").shows(9.0, "e");
        tale.with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[0].removed, instances[1].removed) = (Some(seconds(6.1)), Some(seconds(7.2)));
            instances[3].known = Some(seconds(known));
        })
    };
    tale(6.9, 8.0, 8.2).passes();
    tale(7.1, 8.0, 8.2).is(&["missing"]);
    tale(6.9, 6.5, 8.2).is(&["missing"]);
    tale(6.9, 8.0, 7.2).is(&["missing"]);
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
            story.script.events.push(Event { at: seconds(10.2), what });
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
    // The line was on its way in a black hole.
    broken(10.15).with(|story| story.script.events[0].at = seconds(10.05)).passes();
    // One more instance.
    let four = || tale(12.0, 1.0).restarts(20.5).writes(20.6, "c");
    four().says(21.5, &unchecked(20.0)).passes();
    four().shows(20.6, "c").is(&["missing"]);
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

/// All that was shown of the second one was shown as lines of the first; then a status tells of it, and its log is gone.
#[test]
fn an_instance_of_which_lines_were_shown_as_those_of_another_is_reported_as_not_read() {
    let tale = |known: f64, end: &[(f64, &str)]| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").restarts(4.0);
        let mut tale = tale.writes(6.0, "b").writes(7.0, "c").shows(6.0, "b");
        for (at, text) in end {
            tale = tale.shows(*at, text);
        }
        let tale = tale.with(|story| {
            story.containers[0].instances[1].known = Some(seconds(known));
            story.containers[0].deleted = Some(seconds(8.0));
        });
        tale.says(8.1, &unchecked(6.0)).says(8.6, "the log was removed before it could be read")
    };
    tale(7.5, &[]).passes();
    tale(5.0, &[]).is(&["false gap"]);
    tale(7.5, &[(7.0, "c")]).is(&["false gap", "false gap"]);
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

/// All of the first one was shown, in that second. Its log was the previous one for the program until a status told of
/// both.
#[test]
fn lines_in_doubt_are_left_to_an_instance_that_was_over_before_anything_told_of_it() {
    let tale = |known: f64| {
        let tale = Tale::new().follows(2.2).writes(4.4, "a").shows(4.4, "a").restarts(4.5);
        let tale = tale.writes(5.6, "b").writes(6.7, "c").restarts(7.0).with(|story| {
            story.containers[0].instances[0].removed = Some(seconds(7.0));
            story.containers[0].instances[1].known = Some(seconds(known));
        });
        let tale = tale.says(8.5, "lines may be missing: the log was removed before it could be read");
        let between = format!("lines may be missing between {} and {}", stamp(4.4), stamp(5.6));
        tale.shows(5.6, "b").shows(6.7, "c").says(8.6, &between)
    };
    tale(8.0).passes();
    tale(6.0).is(&["false gap"]);
}

/// All of the first one was shown, and its node keeps no previous log: a stream that was just opened may be that of the
/// next one.
#[test]
fn lines_in_doubt_are_left_to_an_instance_if_there_is_no_log_to_compare() {
    let tale = |opened: f64, removed: f64, ahead: i64| {
        let tale =
            Tale::new().reads(opened, 6.5, Ended::Complete).writes(6.4, "a").shows(6.4, "a").restarts(6.5);
        let tale = tale.with(|story| {
            story.containers[0].instances[0].removed = Some(seconds(removed));
            story.script.setting.clocks.nodes.push(("node-1".to_owned(), ahead));
        });
        tale.says(6.6, "lines may be missing: the log was removed before it could be read")
    };
    tale(5.6, 6.5, 0).passes();
    tale(4.0, 6.5, 0).is(&["false gap"]);
    tale(4.0, 6.5, -1000).passes();
    tale(4.0, 6.5, 1000).is(&["false gap"]);
    tale(5.6, 6.56, 0).is(&["false gap"]);
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
