//! Several instances of a container.

use apiserver::{Ended, Kind as Asks};

use super::{super::align::PIECE, Tale, ends::unchecked, seconds, stamp};
use crate::{
    script::{Event, Fault, What},
    story::Story,
};

fn twice() -> Tale {
    Tale::new().follows(2.2).writes(3.0, "a").writes(4.0, "b").restarts(5.0).writes(6.0, "c").follows(5.5)
}

#[test]
fn the_lines_of_both_instances_are_shown_in_order() {
    twice().shows(3.0, "a").shows(4.0, "b").shows(6.0, "c").passes();
    twice().shows(3.0, "a").shows(6.0, "c").is(&["missing"]);
    twice().shows(3.0, "a").shows(6.0, "c").shows_at(6.1, 4.0, "b").is(&["out of order"]);
}

#[test]
fn lines_of_the_next_instance_may_come_first_if_that_is_said() {
    let tale = |since: f64| {
        let since = stamp(since);
        let marker =
            format!("── shop web › app restarted; the lines above from {since} on were written after it ──");
        twice().shows(3.0, "a").shows(6.0, "c").shows_at(6.1, 4.0, "b").says_line(6.2, &marker)
    };
    tale(6.0).passes();
    tale(7.0).is(&["out of order"]);
}

#[test]
fn lines_of_a_pod_that_was_made_again_may_come_before_the_last_ones_of_the_pod_before() {
    let tale = Tale::new().reads(2.2, 5.0, Ended::Complete).writes(3.0, "a").writes(4.0, "b");
    let tale = tale.recreates(5.0).writes(6.0, "c").follows(5.5);
    tale.shows(3.0, "a").shows(6.0, "c").shows_at(6.1, 4.0, "b").passes();
}

/// No status shows the restart before the end of the run, so that no tail of the next instance begins and reports it.
#[test]
fn lines_of_the_next_instance_may_come_first_if_the_run_ends_before_anything_told_of_it() {
    let tale = |known| {
        let tale = twice().shows(3.0, "a").shows(6.0, "c").shows_at(6.1, 4.0, "b");
        tale.with(|story| story.containers[0].instances[1].known = Some(seconds(known)))
    };
    tale(301.0).passes();
    tale(299.0).is(&["out of order"]);
}

#[test]
fn lines_of_an_instance_may_come_behind_later_ones_that_were_shown_too_early_if_that_is_said() {
    let tale = |since: f64| {
        let since = stamp(since);
        let marker =
            format!("── shop web › app restarted; the lines above from {since} on were written after it ──");
        let tale = twice().writes(7.0, "d").shows(3.0, "a").shows(4.0, "b").shows(7.0, "d");
        tale.says_line(7.1, &marker).shows_at(7.2, 6.0, "c")
    };
    tale(7.0).passes();
    tale(6.0).is(&["out of order"]);
}

#[test]
fn lines_of_the_instant_of_the_first_that_was_shown_too_early_may_come_behind_it() {
    let marker = format!(
        "── shop web › app restarted; the lines above from {} on were written after it ──",
        stamp(6.0)
    );
    let tale = twice().writes(6.0, "d").shows(3.0, "a").shows(4.0, "b").shows(6.0, "d");
    tale.says_line(6.1, &marker).shows_at(6.2, 6.0, "c").passes();
}

#[test]
fn the_end_of_an_instance_and_a_gap_before_the_next_are_one() {
    let between = format!("lines may be missing between {} and {}", stamp(3.0), stamp(6.0));
    twice().shows(3.0, "a").shows(6.0, "c").says(6.1, &between).passes();
}

/// `e` is shown before `d`, and a gap before it.
#[test]
fn a_gap_before_lines_that_were_shown_too_early_is_about_the_instances_before_them() {
    let between = format!("lines may be missing between {} and {}", stamp(4.0), stamp(10.0));
    let marker = format!(
        "── shop web › app restarted; the lines above from {} on were written after it ──",
        stamp(10.0)
    );
    let tale = || {
        let tale = twice().restarts(7.0).writes(8.0, "d").restarts(9.0).writes(10.0, "e");
        tale.shows(3.0, "a").shows(4.0, "b")
    };
    let early = || tale().shows(10.0, "e").shows_at(10.2, 8.0, "d").says_line(10.3, &marker);
    early().is(&["missing"]);
    early().says(10.1, &between).passes();
    tale().shows(8.0, "d").shows(10.0, "e").says(10.1, &between).is(&["missing", "false gap"]);
}

#[test]
fn instances_that_were_not_seen_are_reported() {
    let tale = || twice().restarts(7.0).writes(8.0, "d").shows(3.0, "a").shows(4.0, "b").shows(8.0, "d");
    tale().is(&["missing"]);
    tale().says_line(8.0, "── shop web › app restarted; 1 instance in between is not shown ──").passes();
    let first = || twice().with(|story| story.requests[0].at = seconds(1.0)).shows(6.0, "c");
    first().is(&["missing"]);
    first().says(6.0, "had restarted before it was seen; what it wrote earlier was not read").passes();
}

/// A line of the second one was shown as one of the first, whose log was gone by then.
#[test]
fn an_instance_is_reported_behind_the_lines_of_a_later_one_that_seemed_to_be_its_own() {
    let begins = |story: &mut Story| {
        let container = &mut story.containers[0];
        container.created = seconds(2.5);
        (container.instances[0].started, container.instances[0].known) = (seconds(2.5), Some(seconds(2.5)));
    };
    let tale = |known: f64| {
        let tale = Tale::new().with(begins).writes(3.0, "a").restarts(3.1).writes(3.2, "b");
        let tale = tale.reads(4.0, 4.1, Ended::Complete).shows_at(4.1, 3.2, "b");
        tale.says(6.1, &unchecked(3.2)).follows(6.2).with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[0].removed, instances[1].known) = (Some(seconds(3.5)), Some(seconds(known)));
        })
    };
    tale(6.0).passes();
    tale(3.1).is(&["missing", "false gap"]);
}

/// Its last line was shown as that of the one before, of which `--tail` asks for no more.
#[test]
fn the_begin_of_an_instance_of_which_nothing_told_is_missing_unless_it_is_among_those_said_to_be_not_shown() {
    let tale = |tail, known, says: bool| {
        let tale = Tale::new().asking(|setting| setting.tail = tail).writes(2.1, "a").restarts(3.0);
        let tale =
            tale.writes(4.0, "b").writes(4.5, "c").reads(5.0, 6.0, Ended::Complete).shows_at(5.1, 4.5, "c");
        let tale = tale.restarts(6.0).follows(6.5).writes(7.0, "d").shows(7.0, "d").with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[1].known, instances[1].removed) = (known, Some(seconds(6.0)));
        });
        let marker = "── shop web › app restarted; 1 instance in between is not shown ──";
        if says { tale.says_line(7.0, marker) } else { tale }
    };
    tale(Some(1), None, true).passes();
    tale(Some(1), None, false).is(&["missing"]);
    tale(Some(2), None, true).is(&["missing"]);
    tale(Some(1), Some(seconds(4.0)), true).is(&["missing"]);
}

#[test]
fn instances_that_are_said_to_be_unseen_exist() {
    let unseen = "had restarted before it was seen; what it wrote earlier was not read";
    Tale::new().follows(2.2).writes(3.0, "a").shows(3.0, "a").says(3.1, unseen).is(&["false gap"]);
}

/// Its lines count as those of the one before.
#[test]
fn an_instance_may_be_said_to_be_unseen_if_it_was_shown_behind_a_gap() {
    let unseen = "had restarted before it was seen; what it wrote earlier was not read";
    let between = format!("lines may be missing between {} and {}", stamp(3.0), stamp(6.0));
    let tale = || twice().shows(3.0, "a").shows(6.0, "c").restarts(7.0).says(8.0, unseen);
    tale().says(6.1, &between).passes();
    tale().is(&["missing", "false gap"]);
}

#[test]
fn a_gap_between_two_instances_has_a_reason() {
    let between = format!("lines may be missing between {} and {}", stamp(4.0), stamp(6.0));
    let tale = || twice().shows(3.0, "a").shows(4.0, "b").shows(6.0, "c").says(6.1, &between);
    tale().is(&["false gap"]);
    let known = |at| tale().with(|story| story.containers[0].instances[1].known = at);
    known(None).passes();
    known(Some(seconds(6.0))).is(&["false gap"]);
    let rotated =
        Tale::new().follows(2.2).writes(3.0, "a").rotates(4.5).restarts(5.0).writes(6.0, "c").follows(5.5);
    let between = format!("lines may be missing between {} and {}", stamp(3.0), stamp(6.0));
    rotated.shows(3.0, "a").shows(6.0, "c").says(6.1, &between).passes();
}

/// The log of the second instance is gone before anything told of it, and the third one wrote nothing.
#[test]
fn lines_from_the_second_in_which_the_next_instance_started_may_have_been_rotated_away_in_its_log() {
    let behind =
        |last| format!("lines may be missing after {}: the rest of the log could not be read", stamp(last));
    let tale = |written: f64, known| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).restarts(4.0).writes(written, "b");
        let tale = tale.reads(4.1, 6.2, Ended::Complete).restarts(6.2).with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[1].removed, instances[1].known) = (Some(seconds(6.2)), Some(seconds(known)));
        });
        tale.shows(written, "b").says(8.0, &behind(written))
    };
    tale(6.1, 7.0).passes();
    tale(5.9, 7.0).is(&["false gap"]);
    tale(6.1, 4.0).is(&["false gap"]);
}

/// Its stream, which was taken for that of the one before, fell silent.
#[test]
fn the_end_of_an_instance_that_is_said_to_be_not_shown_is_not_missing() {
    let skipped = "── shop web › app restarted; 1 instance in between is not shown ──";
    let tale = |known: f64, skipped: &str| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).restarts(4.0).writes(4.5, "b");
        let tale = tale.reads(4.2, 6.0, Ended::Complete).writes(5.0, "c").restarts(6.0);
        let tale = tale.with(|story| story.containers[0].instances[1].known = Some(seconds(known)));
        tale.shows(4.5, "b").says_line(8.0, skipped)
    };
    tale(7.0, skipped).passes();
    tale(4.3, skipped).is(&["missing"]);
    tale(7.0, "── shop web › app restarted ──").is(&["missing"]);
}

/// The line `b` is the last one of a log that was taken for that of the one before; one status tells of both restarts.
#[test]
fn the_begin_of_an_instance_that_is_said_to_be_not_shown_is_not_missing_if_tail_leaves_it_out() {
    let skipped = "── shop web › app restarted; 1 instance in between is not shown ──";
    let tale = |known: f64, skipped: &str| {
        let tale = Tale::new().asking(|setting| setting.tail = Some(1)).reads(2.2, 4.0, Ended::Complete);
        let tale = tale.restarts(4.0).writes(4.1, "a").writes(4.2, "b").reads(4.5, 6.0, Ended::Complete);
        let tale = tale.restarts(6.0).with(|story| {
            let instances = &mut story.containers[0].instances;
            (instances[1].known, instances[2].known) = (Some(seconds(known)), Some(seconds(7.0)));
        });
        tale.shows_at(4.6, 4.2, "b").says_line(8.0, skipped)
    };
    tale(7.0, skipped).passes();
    tale(5.0, skipped).is(&["missing"]);
    tale(7.0, "── shop web › app restarted ──").is(&["missing"]);
}

/// The first instance wrote nothing, the second one a line in the second in which the third started: it may be the
/// first of that one.
#[test]
fn a_gap_before_an_instance_may_be_that_of_a_line_from_the_second_of_its_start() {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let skipped = "── shop web › app restarted; 1 instance in between is not shown ──";
    let tale = |opened: f64, written: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).restarts(4.0).writes(written, "b");
        let tale = tale.reads(opened, opened.max(5.2), Ended::Complete).restarts(5.2).writes(8.0, "c");
        tale.follows(5.7).says_line(5.8, skipped).shows(8.0, "c").says(8.0, &between)
    };
    tale(4.1, 5.1).passes();
    tale(4.1, 4.9).is(&["false gap"]);
    tale(5.5, 5.1).is(&["false gap"]);
}

/// The same with a fourth instance, which is still the third for the program.
#[test]
fn a_gap_before_an_instance_that_is_another_for_the_program_may_be_that_of_a_line_from_the_second_of_its_start()
 {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let skipped = "── shop web › app restarted; 1 instance in between is not shown ──";
    let tale = |known: f64| {
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).restarts(4.0).writes(5.1, "b");
        let tale = tale.reads(4.1, 5.2, Ended::Complete).restarts(5.2).writes(5.3, "x");
        let tale = tale.restarts(5.5).writes(8.0, "c");
        let tale = tale.with(|story| story.containers[0].instances[3].known = Some(seconds(known)));
        tale.follows(5.7).says_line(5.8, skipped).shows(8.0, "c").says(8.0, &between)
    };
    tale(9.0).passes();
    tale(5.6).is(&["false gap"]);
}

/// The same if it came in the previous log.
#[test]
fn a_gap_before_an_instance_may_be_that_of_a_line_of_the_previous_log_from_the_second_of_its_start() {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let skipped = "── shop web › app restarted; 1 instance in between is not shown ──";
    let tale = |written: f64, lines: &[(&str, &str)]| {
        let query = [&[("container", "app"), ("previous", "true")], lines].concat();
        let tale = Tale::new().reads(2.2, 4.0, Ended::Complete).restarts(4.0).writes(written, "b");
        let tale = tale.restarts(5.2).writes(8.0, "c");
        let tale = tale.asks(Asks::Log, 5.5, "/api/v1/namespaces/shop/pods/web/log", &query);
        tale.follows(5.7).says_line(5.8, skipped).shows(8.0, "c").says(8.0, &between)
    };
    tale(5.1, &[]).passes();
    tale(4.9, &[]).is(&["false gap"]);
    tale(5.1, &[("tailLines", "1")]).is(&["false gap"]);
}

/// The second instance wrote nothing, and the first one a line in the second in which that one started. The third is
/// still the second for the program.
#[test]
fn a_gap_before_an_instance_may_be_that_of_a_line_from_the_second_in_which_a_silent_one_started() {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let tale = |written: f64| {
        let tale = Tale::new().writes(written, "a").reads(2.2, 4.2, Ended::Complete).restarts(4.2);
        let tale = tale.restarts(5.2).writes(8.0, "c").follows(5.7);
        let tale = tale.with(|story| story.containers[0].instances[2].known = Some(seconds(9.0)));
        tale.says_line(5.8, "── shop web › app restarted ──").shows(8.0, "c").says(8.0, &between)
    };
    tale(4.1).passes();
    tale(3.9).is(&["false gap"]);
}

/// The second instance wrote a line and was replaced. The third is still the second for the program.
#[test]
fn a_gap_before_an_instance_may_be_that_of_a_line_of_another_that_is_the_same_for_the_program() {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let tale = |known: f64, left: f64, follow: &'static str| {
        let tale = Tale::new().reads(2.2, 3.9, Ended::Complete).restarts(4.0).writes(4.8, "b");
        let query = [("container", "app"), ("follow", follow)];
        let tale = tale.asks(Asks::Log, 4.2, "/api/v1/namespaces/shop/pods/web/log", &query).with(|story| {
            story.requests.last_mut().expect("one was added").ended = Some((seconds(left), Ended::Abandoned));
        });
        let tale = tale.restarts(5.2).writes(8.0, "c").follows(5.7);
        let tale = tale.with(|story| story.containers[0].instances[2].known = Some(seconds(known)));
        tale.says_line(5.8, "── shop web › app restarted ──").shows(8.0, "c").says(8.0, &between)
    };
    tale(9.0, 4.9, "true").passes();
    tale(5.2, 4.9, "true").is(&["false gap"]);
    tale(9.0, 4.7, "true").is(&["false gap"]);
    tale(9.0, 4.9, "false").is(&["false gap"]);
}

/// The second instance wrote a line, which may be the first one's for the program, and was replaced before a status
/// reported it.
#[test]
fn a_gap_before_an_instance_may_be_that_of_a_line_of_one_that_no_status_reported() {
    let between = format!("lines may be missing between an unknown time and {}", stamp(8.0));
    let tale = |known: f64, left: f64, says: bool| {
        let tale = Tale::new().reads(2.2, 3.9, Ended::Complete).restarts(4.0).writes(4.8, "b");
        let tale = tale.reads(4.2, left, Ended::Abandoned).restarts(5.2).writes(8.0, "c").follows(6.1);
        let tale = tale.with(|story| {
            story.containers[0].instances[1].known = Some(seconds(known));
            story.containers[0].instances[2].known = Some(seconds(6.0));
        });
        let removed = "lines may be missing: the log was removed before it could be read";
        let tale = if says { tale.says(6.1, removed) } else { tale };
        let marker = "── shop web › app restarted; 1 instance in between is not shown ──";
        tale.says_line(6.2, marker).shows(8.0, "c").says(8.0, &between)
    };
    tale(6.0, 4.9, false).passes();
    tale(4.5, 4.9, false).is(&["false gap"]);
    tale(6.0, 4.7, false).is(&["false gap"]);
    tale(6.0, 4.9, true).is(&["false gap"]);
}

/// Standard output was not read meanwhile, so that all comes at once.
#[test]
fn a_gap_before_lines_that_were_shown_too_early_has_a_reason_though_the_others_follow_at_once() {
    let between = format!("lines may be missing between {} and {}", stamp(3.0), stamp(6.0));
    let marker = format!(
        "── shop web › app restarted; the lines above from {} on were written after it ──",
        stamp(6.0)
    );
    let tale = || twice().shows(3.0, "a").says(9.0, &between);
    let early = tale().shows_at(9.0, 6.0, "c").shows_at(9.0, 4.0, "b");
    early.says_line(9.0, &marker).passes();
    tale().shows_at(9.0, 4.0, "b").shows_at(9.0, 6.0, "c").is(&["false gap"]);
}

#[test]
fn a_watch_that_is_held_tells_later() {
    let tale = |now| {
        let between = format!("lines may be missing between {} and {}", stamp(4.0), stamp(6.0));
        let tale = twice().shows(3.0, "a").shows(4.0, "b").shows(6.0, "c").says(now, &between);
        let held = Fault::WatchHeld { delay: seconds(2.0), lasting: seconds(10.0) };
        tale.with(|story| story.script.events.push(Event { at: seconds(4.5), what: What::Fault(held) }))
    };
    tale(6.1).passes();
    tale(9.1).is(&["false gap"]);
}

#[test]
fn a_last_line_in_pieces_is_not_known_again() {
    let tale = |length| {
        let (long, between) =
            ("x".repeat(length), format!("lines may be missing between {} and {}", stamp(4.0), stamp(6.0)));
        let tale = Tale::new().follows(2.2).writes(4.0, &long).restarts(5.0).writes(6.0, "c").follows(5.5);
        tale.shows(4.0, &long).shows(6.0, "c").says(6.1, &between)
    };
    tale(PIECE + 1).passes();
    tale(PIECE).is(&["false gap"]);
}
