//! Parts of logs: `--tail`, `--since`, `--limit-bytes`, `--previous`, `--with-previous`, `--no-follow`.

use apiserver::{Ended, Kind as Asks};

use super::{super::align::PIECE, Tale, instance, seconds, stamp};
use crate::script::{Event, Fault, Logs, Setting, What};

fn old(change: impl FnOnce(&mut Setting)) -> Tale {
    Tale::new()
        .asking(change)
        .writes(0.1, "a")
        .writes(0.2, "b")
        .writes(0.3, "c")
        .follows(2.2)
        .writes(3.0, "d")
}

#[test]
fn the_last_lines_are_as_many_as_were_asked_for() {
    old(|asked| asked.tail = Some(2))
        .shows_at(2.3, 0.2, "b")
        .shows_at(2.3, 0.3, "c")
        .shows(3.0, "d")
        .passes();
    old(|asked| asked.tail = Some(2)).shows_at(2.3, 0.3, "c").shows(3.0, "d").is(&["missing"]);
    let all = old(|asked| asked.tail = Some(2))
        .shows_at(2.3, 0.1, "a")
        .shows_at(2.3, 0.2, "b")
        .shows_at(2.3, 0.3, "c");
    all.shows(3.0, "d").is(&["unwanted"]);
    old(|asked| asked.tail = Some(0)).shows(3.0, "d").passes();
}

/// The log is opened while the last one is written.
#[test]
fn the_pieces_of_a_line_that_is_being_written_are_among_the_last_lines() {
    for (written, kinds) in [(2.205, &[][..]), (2.3, &["missing"])] {
        let line = format!("c{}", ".".repeat(PIECE));
        let tale = Tale::new().asking(|asked| asked.tail = Some(2)).writes(0.1, "a").writes(0.2, "b");
        let tale = tale.follows(2.2).writes(written, &line).shows_at(2.204, 0.2, "b");
        tale.shows(written, &line).is(kinds);
    }
}

/// The apiserver gives times in whole seconds.
#[test]
fn none_of_the_last_lines_is_shown_but_those_of_the_second_in_which_the_log_was_opened_if_it_is_opened_again()
{
    let new = || Tale::new().asking(|asked| asked.tail = Some(0)).writes(0.9, "a").writes(2.1, "b");
    let again = || new().reads(2.2, 3.0, Ended::Broken).follows(3.1).writes(4.0, "c");
    again().shows(4.0, "c").passes();
    again().shows_at(3.2, 2.1, "b").shows(4.0, "c").passes();
    again().shows_at(3.2, 0.9, "a").shows_at(3.2, 2.1, "b").shows(4.0, "c").is(&["unwanted"]);
    let once = || new().follows(2.2).writes(4.0, "c");
    once().shows_at(3.2, 2.1, "b").shows(4.0, "c").is(&["unwanted"]);
}

#[test]
fn the_last_lines_before_a_time_are_counted_from_it() {
    let until = || {
        old(|asked| {
            asked.logs = Logs::Once;
            asked.tail = Some(1);
            asked.until = stamp(0.25).parse().ok();
        })
    };
    until().shows_at(2.3, 0.2, "b").passes();
    until().shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b").is(&["unwanted"]);
    until().is(&["missing"]);
}

#[test]
fn the_last_lines_before_a_time_that_is_over_when_the_run_begins_may_be_counted_from_it() {
    let past = |until| old(|asked| (asked.tail, asked.until) = (Some(1), stamp(until).parse().ok()));
    past(0.25).shows_at(2.3, 0.2, "b").passes();
    past(0.25).shows_at(2.3, 0.1, "a").is(&["unwanted"]);
    past(10.0).shows_at(2.3, 0.2, "b").shows(3.0, "d").is(&["unwanted", "missing"]);
}

#[test]
fn lines_of_a_span_are_shown() {
    let old = || {
        Tale::new().asking(|asked| asked.since = Some(60)).writes(0.1, "a").follows(100.0).writes(101.0, "b")
    };
    old().shows(101.0, "b").passes();
    old().shows_at(100.1, 0.1, "a").shows(101.0, "b").is(&["unwanted"]);
    let young = || {
        Tale::new().asking(|asked| asked.since = Some(60)).writes(50.0, "a").follows(100.0).writes(101.0, "b")
    };
    young().shows(101.0, "b").is(&["missing"]);
}

/// The log of the next instance was served before anything told of that one: it was asked for as that of the first.
#[test]
fn lines_of_a_span_are_counted_from_the_first_request_whosever_log_was_served() {
    let tale = |opened: f64| {
        let next = opened + 0.8;
        let marker = format!(
            "── shop web › app restarted; the lines above from {} on were written after it ──",
            stamp(next)
        );
        let tale = Tale::new().asking(|asked| asked.since = Some(1)).writes(1.5, "a").restarts(1.9);
        let mut tale = tale.follows(opened).writes(next, "b").shows(next, "b");
        tale.current().known = Some(seconds(9.0));
        let query = [("container", "app"), ("previous", "true")];
        let mut tale = tale.asks(Asks::Log, 9.1, "/api/v1/namespaces/shop/pods/web/log", &query);
        tale.0.requests.last_mut().expect("one was added").ended = Some((seconds(9.1), Ended::Complete));
        tale.shows_at(9.2, 1.5, "a").says_line(9.3, &marker)
    };
    tale(2.2).passes();
    tale(6.2).is(&["unwanted"]);
}

#[test]
fn as_many_bytes_are_shown_as_were_asked_for() {
    let limited = || old(|asked| asked.limit_bytes = Some(4));
    limited().shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b").passes();
    limited().shows_at(2.3, 0.1, "a").is(&["missing"]);
    let more = limited().shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b").shows_at(2.3, 0.3, "c");
    more.is(&["unwanted"]);
}

/// Which of several lines was cut is open then.
#[test]
fn a_cut_line_of_a_container_that_appeared_later_is_its_first_one_whatever_tail_says() {
    let mut tale = Tale::new().asking(|asked| (asked.tail, asked.limit_bytes) = (Some(1), Some(1)));
    tale.container().created = seconds(5.0);
    tale.container().instances = vec![instance(0, 5.0)];
    let tale = tale.writes(5.0, "ab").writes(5.0, "ac").writes(5.0, "ad").follows(5.1);
    tale.shows_at(5.2, 5.0, "a").passes();
}

#[test]
fn bytes_of_a_line_that_is_cut_to_the_longest_count() {
    let cut = "x".repeat(100);
    let limited = |bytes| {
        let tale = Tale::new().asking(|asked| (asked.limit_bytes, asked.max_line) = (Some(bytes), Some(10)));
        tale.writes(3.0, &cut)
            .writes(4.0, "b")
            .follows(2.2)
            .shows(3.0, "xxxxxxxxxx … [90 bytes cut by --max-line]")
    };
    limited(80).passes();
    limited(120).is(&["missing"]);
}

/// Its lines look like those of the instance before, and are shown before the restart is reported.
#[test]
fn a_line_that_is_shown_before_its_restart_is_reported_may_be_cut_by_the_bytes_of_the_one_before() {
    let tale = |reported: f64| {
        let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).follows(2.2).writes(3.0, "a");
        let tale = tale.shows(3.0, "a").restarts(4.0).writes(5.0, "long").shows_at(5.1, 5.0, "lon");
        tale.says_line(reported, "── shop web › app restarted: Error, exit 1, ran 3s ──")
    };
    tale(5.2).passes();
    // In one instant, the report comes behind the line.
    tale(5.1).passes();
    tale(5.0).is(&["cut"]);
}

/// The same where lines are missing behind it.
#[test]
fn no_line_is_missing_behind_the_bytes_that_were_shown_before_a_restart_is_reported() {
    let tale = |reported: f64| {
        let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).follows(2.2).writes(3.0, "a");
        let tale =
            tale.shows(3.0, "a").restarts(4.0).writes(5.0, "so").shows_at(5.1, 5.0, "so").writes(5.0, "more");
        tale.says_line(reported, "── shop web › app restarted: Error, exit 1, ran 3s ──")
    };
    tale(5.1).passes();
    tale(5.0).is(&["missing"]);
}

/// Its status comes in the instant in which it is shown: for the program it may be of the instance before.
#[test]
fn a_line_that_is_shown_with_the_status_of_its_instance_may_be_cut_by_the_bytes_of_the_one_before() {
    let tale = |known| {
        let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).follows(2.2).writes(3.0, "a");
        let tale = tale.shows(3.0, "a").restarts(4.0).writes(5.0, "long");
        tale.shows_at(5.0, 5.0, "lon").with(|story| {
            story.containers[0].instances[1].known = Some(seconds(known));
        })
    };
    tale(5.0).passes();
    tale(4.0).is(&["cut"]);
}

/// The output is read again after that status.
#[test]
fn a_line_that_was_read_before_the_status_of_its_instance_may_be_cut_by_the_bytes_of_the_one_before() {
    let tale = |from: f64| {
        let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).follows(2.2).writes(3.0, "a");
        let tale = tale.shows(3.0, "a").restarts(4.0).writes(4.5, "long").shows_at(7.0, 4.5, "lon");
        tale.with(|story| {
            story.containers[0].instances[1].known = Some(seconds(5.0));
            let slow = What::Fault(Fault::SlowReader(0, seconds(1.0)));
            story.script.events.push(Event { at: seconds(from), what: slow });
        })
    };
    tale(6.0).passes();
    tale(8.0).is(&["cut"]);
}

#[test]
fn of_equal_lines_among_the_last_ones_the_last_were_shown_and_the_first_of_the_bytes() {
    let tale = |texts: [&'static str; 5], tail, bytes| {
        let tale = Tale::new().asking(|asked| (asked.tail, asked.limit_bytes) = (Some(tail), Some(bytes)));
        let lines = texts.into_iter().fold(tale, |tale, text| tale.writes(0.1, text));
        lines.follows(2.2)
    };
    let last = tale(["a", "b", "a", "a", "c"], 3, 100);
    last.shows_at(2.3, 0.1, "a").shows_at(2.3, 0.1, "a").shows_at(2.3, 0.1, "c").passes();
    let first = tale(["z", "b", "a", "c", "a"], 4, 4);
    first.shows_at(2.3, 0.1, "b").shows_at(2.3, 0.1, "a").passes();
    tale(["z", "b", "c", "a", "a"], 1, 100).shows_at(2.3, 0.1, "a").passes();
    let one = tale(["z", "b", "a", "c", "a"], 3, 2);
    one.shows_at(2.3, 0.1, "a").passes();
}

#[test]
fn the_last_line_is_cut_where_the_bytes_end() {
    let long = |text: &str| {
        Tale::new()
            .asking(|asked| asked.limit_bytes = Some(5))
            .writes(0.1, "a")
            .writes(0.2, "long")
            .follows(2.2)
            .shows_at(2.3, 0.1, "a")
            .shows_at(2.3, 0.2, text)
    };
    long("lon").passes();
    long("lo").is(&["cut"]);
}

#[test]
fn bytes_that_are_cut_from_a_long_line_count_as_those_of_its_log() {
    let long = "x".repeat(100);
    let tale = Tale::new().writes(0.1, &long).writes(0.2, "long").follows(2.2).asking(|asked| {
        (asked.max_line, asked.limit_bytes) = (Some(10), Some(104));
    });
    let shown = tale.shows_at(2.3, 0.1, "xxxxxxxxxx … [90 bytes cut by --max-line]");
    shown.shows_at(2.3, 0.2, "lon").passes();
}

#[test]
fn the_mark_of_a_cut_may_leave_out_the_bytes_that_were_not_asked_for() {
    let long = "x".repeat(100);
    let shown = |text: &str| {
        let tale = Tale::new().asking(|asked| (asked.limit_bytes, asked.max_line) = (Some(90), Some(10)));
        tale.writes(0.1, &long).follows(2.2).shows_at(2.3, 0.1, text)
    };
    shown("xxxxxxxxxx … [80 bytes cut by --max-line]").passes();
    shown("xxxxxxxxxx … [81 bytes cut by --max-line]").is(&["cut"]);
}

#[test]
fn the_last_piece_of_a_line_is_whole_though_more_of_the_same_comes_before_it() {
    let (long, piece) = (format!("n=1 {}", "x".repeat(2 * PIECE + 5)), "x".repeat(9));
    let tale = Tale::new().writes(0.1, &long).writes(3.0, "b").follows(2.2).asking(|asked| {
        (asked.tail, asked.limit_bytes) = (Some(1), Some(1000));
    });
    tale.shows_at(2.3, 0.1, &piece).shows(3.0, "b").passes();
}

/// Five bytes were asked for. The line `a` is that of an instance which ended in the second in which it started, and
/// the node keeps no previous log: lines from this time on are said to be the next one's.
fn gives_to_the_next(since: f64) -> Tale {
    let since = stamp(since);
    let marker =
        format!("── shop web › app restarted; the lines above from {since} on were written after it ──");
    let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).follows(2.2).writes(3.0, "a");
    tale.shows(3.0, "a").restarts(4.0).says_line(4.5, &marker)
}

#[test]
fn lines_that_were_said_to_be_those_of_the_next_instance_count_as_its_bytes() {
    let tale = |since| gives_to_the_next(since).writes(5.0, "long").shows_at(5.0, 5.0, "lon");
    tale(3.0).passes();
    tale(3.5).is(&["cut"]);
}

/// The bytes end with a whole line.
#[test]
fn no_line_is_missing_behind_the_bytes_of_those_that_were_said_to_be_of_the_next_instance() {
    let tale = |since| gives_to_the_next(since).writes(5.0, "so").shows(5.0, "so").writes(5.1, "more");
    tale(3.0).passes();
    tale(3.5).is(&["missing"]);
}

/// The kubelet serves the log of another instance as the previous one, and no status tells of it.
#[test]
fn the_bytes_of_an_instance_of_which_no_status_tells_count_as_those_of_the_one_before() {
    let unknown = |known: f64| {
        let tale = Tale::new().asking(|asked| asked.limit_bytes = Some(5)).writes(0.1, "a").follows(2.2);
        let tale = tale.restarts(3.0).writes(3.1, "long").restarts(4.0).writes(4.1, "b");
        let tale = tale.with(|story| story.containers[0].instances[1].known = Some(seconds(known)));
        tale.shows_at(2.3, 0.1, "a").shows_at(5.0, 3.1, "lon").shows_at(9.0, 4.1, "b")
    };
    unknown(8.0).passes();
    unknown(3.0).is(&["cut"]);
}

#[test]
fn a_log_that_is_not_followed_is_shown_as_it_was() {
    let once = || old(|asked| asked.logs = Logs::Once).shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b");
    once().shows_at(2.3, 0.3, "c").passes();
    once().is(&["missing"]);
    let later = || {
        old(|asked| asked.logs = Logs::Once).writes(30.0, "e").shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b")
    };
    later().shows_at(2.3, 0.3, "c").shows_at(2.3, 3.0, "d").shows(30.0, "e").is(&["unwanted"]);
}

fn restarted(logs: Logs) -> Tale {
    let tale = Tale::new().asking(|asked| asked.logs = logs).writes(0.1, "a").restarts(1.0).writes(1.1, "b");
    let query = [("container", "app"), ("previous", "true")];
    tale.asks(Asks::Log, 2.2, "/api/v1/namespaces/shop/pods/web/log", &query).follows(2.3)
}

#[test]
fn the_instance_before_is_shown_if_it_is_asked_for() {
    restarted(Logs::Follow).shows_at(2.4, 1.1, "b").passes();
    restarted(Logs::Follow).shows_at(2.4, 0.1, "a").shows_at(2.4, 1.1, "b").is(&["unwanted"]);
    restarted(Logs::FollowWithPrevious).shows_at(2.4, 0.1, "a").shows_at(2.4, 1.1, "b").passes();
    restarted(Logs::FollowWithPrevious).shows_at(2.4, 1.1, "b").is(&["missing"]);
    restarted(Logs::Previous).shows_at(2.4, 0.1, "a").passes();
    restarted(Logs::Previous).shows_at(2.4, 1.1, "b").is(&["unwanted", "missing"]);
}

/// The kubelet serves its log as the previous one before the next one starts.
#[test]
fn an_instance_whose_container_waits_may_be_the_one_before() {
    let tale = |waits: Option<f64>| {
        let tale = Tale::new().asking(|asked| asked.logs = Logs::Previous).writes(0.1, "a").restarts(1.0);
        let tale = tale.writes(1.1, "b").restarts(3.0).with(|story| {
            let instances = &mut story.containers[0].instances;
            instances[0].removed = waits.map(seconds);
            (instances[1].ended, instances[1].waits) = (Some(seconds(1.5)), waits.map(seconds));
        });
        let query = [("container", "app"), ("previous", "true")];
        let tale = tale.asks(Asks::Log, 2.2, "/api/v1/namespaces/shop/pods/web/log", &query);
        tale.shows_at(2.3, 1.1, "b")
    };
    tale(Some(1.8)).passes();
    tale(None).is(&["unwanted"]);
}

#[test]
fn a_pod_that_stops_meeting_its_condition_is_left() {
    let tale = |meets: Vec<_>| {
        Tale::new().follows(2.2).writes(3.0, "a").writes(30.0, "b").shows(3.0, "a").with(|story| {
            story.containers[0].meets = meets;
        })
    };
    tale(vec![(seconds(0.0), true), (seconds(20.0), false)]).passes();
    tale(vec![(seconds(0.0), true), (seconds(20.0), false), (seconds(29.0), true)]).is(&["missing"]);
}

#[test]
fn an_instance_that_is_known_once_its_pod_does_not_meet_the_condition_may_be_left_out() {
    let tale = |known| {
        let tale = Tale::new().follows(2.2).restarts(10.0).follows(10.1).writes(11.0, "a");
        tale.with(|story| {
            story.containers[0].meets = vec![(seconds(0.0), true), (seconds(20.0), false)];
            story.containers[0].instances[1].known = Some(seconds(known));
        })
    };
    tale(20.0).passes();
    tale(10.0).is(&["missing"]);
}

#[test]
fn a_line_that_a_fault_keeps_back_is_not_due_before_its_pod_stops_meeting_the_condition() {
    let tale = |node: &str| {
        let away = What::Fault(Fault::KubeletAway(node.to_owned(), seconds(15.0)));
        Tale::new().follows(2.2).writes(3.0, "a").with(|story| {
            story.containers[0].meets = vec![(seconds(0.0), true), (seconds(20.0), false)];
            story.script.events = vec![Event { at: seconds(2.5), what: away }];
        })
    };
    tale("node-1").passes();
    tale("node-7").is(&["missing"]);
}

#[test]
fn a_line_that_is_polled_is_due_later() {
    let tale = |tails: &[&'static str]| {
        let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(5.0, "b");
        let tale = tale.shows(3.0, "a").with(|story| {
            story.containers[0].meets = vec![(seconds(0.0), true), (seconds(20.0), false)];
        });
        tails.iter().fold(tale, |tale, tail| {
            let query = [("container", "app"), ("sinceTime", "x"), ("tailLines", *tail)];
            tale.asks(Asks::Log, 4.0, "/api/v1/namespaces/shop/pods/web/log", &query)
        })
    };
    tale(&["20"]).passes();
    tale(&[]).is(&["missing"]);
}

#[test]
fn of_lines_that_begin_alike_the_last_one_is_shown_if_it_is_asked_for() {
    let tale = Tale::new().asking(|asked| (asked.tail, asked.limit_bytes) = (Some(1), Some(3)));
    tale.writes(0.1, "n=18").writes(0.1, "n=19").follows(2.2).shows_at(2.3, 0.1, "n=1").passes();
}

#[test]
fn the_last_piece_of_a_line_may_have_the_mark_of_a_cut_and_end_where_the_bytes_end() {
    let long = "x".repeat(PIECE + 300);
    let shown = |text: &str| {
        let tale = Tale::new().asking(|asked| {
            (asked.tail, asked.limit_bytes, asked.max_line) = (Some(1), Some(209), Some(10));
        });
        tale.writes(0.1, &long).follows(2.2).shows_at(2.3, 0.1, text)
    };
    shown("xxxxxxxxxx … [199 bytes cut by --max-line]").passes();
    shown("xxxxxxxxxx … [198 bytes cut by --max-line]").is(&["cut"]);
}

/// The log that is opened first is that of the next instance, of which nothing told.
#[test]
fn lines_of_the_second_in_which_the_next_log_was_opened_may_be_shown() {
    let tale = |known: f64| {
        let tale =
            Tale::new().asking(|asked| asked.tail = Some(0)).writes(2.1, "a").writes(2.5, "b").restarts(2.6);
        let tale = tale.reads(2.7, 2.8, Ended::Broken).with(|story| {
            story.containers[0].instances[1].known = Some(seconds(known));
        });
        let query = [("container", "app"), ("previous", "true")];
        let tale = tale.asks(Asks::Log, 5.1, "/api/v1/namespaces/shop/pods/web/log", &query);
        tale.shows_at(5.2, 2.1, "a").shows_at(5.2, 2.5, "b")
    };
    tale(5.0).passes();
    tale(2.6).is(&["unwanted"]);
}
