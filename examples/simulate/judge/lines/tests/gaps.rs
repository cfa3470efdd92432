//! Lines that are missing are reported, and reports have a reason.

use apiserver::Ended;

use super::{Tale, clock, ends::behind, seconds, stamp};
use crate::script::{Asked, Broken, Event, Fault, Followers, What};

/// `b` is rotated away while the stream is broken.
fn rotated() -> Tale {
    let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").rotates(4.5);
    tale.writes(5.0, "c").follows(5.5).shows(3.0, "a").shows_at(5.6, 5.0, "c")
}

pub fn between(after: f64, before: f64) -> String {
    format!("lines may be missing between {} and {}", stamp(after), stamp(before))
}

#[test]
fn a_line_that_was_rotated_away_is_reported() {
    rotated().is(&["missing"]);
    rotated().says(5.6, &between(3.0, 5.0)).passes();
}

#[test]
fn a_report_is_about_the_lines_at_which_they_are_missing() {
    rotated().says(5.6, &between(3.0, 4.9)).is(&["missing", "false gap"]);
    rotated().says(5.6, &between(2.0, 5.0)).is(&["missing", "false gap"]);
    let other = rotated().says_line(5.6, &format!("! shop web › other: {}", between(3.0, 5.0)));
    other.is(&["missing"]);
}

#[test]
fn a_report_between_lines_of_one_file_is_false() {
    let tale = || Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").follows(3.6).writes(4.0, "b");
    let tale = || tale().shows(3.0, "a").shows(4.0, "b");
    tale().says(4.1, &between(3.0, 4.0)).is(&["false gap"]);
}

#[test]
fn a_report_between_files_that_follow_each_other_is_fine() {
    let tale = Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").rotates(3.6).writes(4.0, "b");
    tale.follows(4.1).shows(3.0, "a").shows(4.0, "b").says(4.2, &between(3.0, 4.0)).passes();
}

/// The last line before `--since` was looked at, and the place is behind it.
#[test]
fn a_report_behind_the_last_line_before_those_that_are_asked_for_is_fine() {
    let tale = |after| {
        let tale = Tale::new().asking(|asked| asked.since = Some(1)).writes(0.1, "a").reads(
            6.0,
            6.0,
            Ended::Complete,
        );
        let tale = tale.writes(6.5, "b").rotates(6.6).writes(7.0, "c").follows(7.5);
        tale.shows_at(7.6, 7.0, "c").says(7.6, &between(after, 7.0))
    };
    tale(0.1).passes();
    tale(0.2).is(&["false gap"]);
}

#[test]
fn of_equal_lines_it_does_not_matter_which_one_is_missing() {
    let tale = || {
        let tale = Tale::new()
            .reads(2.2, 3.1, Ended::Broken)
            .writes(3.0, "a")
            .writes(3.5, "=")
            .rotates(3.5)
            .writes(3.5, "=");
        tale.writes(4.0, "b").follows(3.6).shows(3.0, "a").shows_at(3.7, 3.5, "=").shows(4.0, "b")
    };
    tale().is(&["missing"]);
    tale().says(3.7, &between(3.0, 3.5)).passes();
}

#[test]
fn what_was_rotated_away_before_the_log_was_opened_cannot_be_known() {
    let tale = |opened| {
        let tale = Tale::new().with(|story| story.containers[0].created = seconds(3.0)).with(|story| {
            let life = &mut story.containers[0].instances[0];
            (life.started, life.known) = (seconds(3.0), Some(seconds(3.0)));
        });
        let tale = tale.writes(3.1, "a").rotates(3.2).writes(3.3, "b").follows(opened);
        tale.shows_at(3.5, 3.3, "b")
    };
    tale(3.25).passes();
    tale(3.15).is(&["missing"]);
}

/// It is looked at once it was silent for 30 s.
#[test]
fn what_was_rotated_away_while_the_only_stream_was_silent_cannot_be_known() {
    let tale = |silenced, rotated| {
        let tale = Tale::new().reads(2.2, 50.0, Ended::Abandoned).writes(3.0, "a").rotates(rotated);
        let tale = tale.writes(rotated + 0.1, "b").follows(50.0).shows_at(50.1, rotated + 0.1, "b");
        tale.with(|story| story.containers[0].instances[0].silenced.push(seconds(silenced)))
    };
    tale(2.5, 20.0).passes();
    tale(2.0, 20.0).is(&["missing"]);
    tale(3.5, 20.0).is(&["missing"]);
    tale(2.5, 40.0).is(&["missing"]);
}

/// A look at it would come at 33 s.
#[test]
fn what_was_rotated_away_before_a_silent_stream_could_be_looked_at_cannot_be_known() {
    let tale = |lasting, rotated| {
        let tale = Tale::new().reads(2.2, 90.0, Ended::Abandoned).writes(3.0, "a").rotates(rotated);
        let tale = tale.writes(rotated + 0.1, "b").follows(90.0).shows_at(90.1, rotated + 0.1, "b");
        tale.with(|story| {
            story.containers[0].instances[0].silenced.push(seconds(2.5));
            let what = What::Fault(Fault::BlackHole(seconds(lasting)));
            story.script.events.push(Event { at: seconds(20.0), what });
        })
    };
    tale(20.0, 39.0).passes();
    tale(20.0, 69.0).passes();
    tale(20.0, 71.0).is(&["missing"]);
    tale(10.0, 39.0).is(&["missing"]);
}

#[test]
fn what_the_follower_of_the_node_skipped_cannot_be_known() {
    let tale = |followers, written| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").writes(written, "b");
        let tale = tale.rotates(3.15).writes(3.2, "c");
        let tale = tale.with(|story| story.containers[0].instances[0].files[0].followers = followers);
        tale.shows(3.0, "a").shows(3.2, "c")
    };
    tale(Followers::Skip, 3.15).passes();
    tale(Followers::GoOn, 3.15).is(&["missing"]);
    // It was written before the file was renamed.
    tale(Followers::Skip, 3.1).is(&["missing"]);
}

#[test]
fn words_in_place_of_lines_are_no_reason_if_the_log_goes_on() {
    let tale = |ended: bool, goes_on: bool| {
        let words = "the kubelet reports in place of lines: “unable to retrieve container logs”";
        let tale = Tale::new().reads(2.2, 3.5, Ended::Complete).writes(3.0, "a").writes(4.0, "b");
        let tale = tale.follows(3.6).shows(3.0, "a").says(3.5, words);
        let end = ended.then(|| seconds(6.0));
        let tale = tale.with(|story| story.containers[0].instances[0].ended = end);
        if goes_on { tale.writes(5.0, "c").shows(5.0, "c") } else { tale }
    };
    tale(true, false).passes();
    tale(false, false).is(&["missing"]);
    tale(true, true).is(&["missing"]);
}

#[test]
fn a_gap_is_reported_once() {
    let tale = |times: usize| (0..times).fold(rotated(), |tale, _| tale.says(5.6, &between(3.0, 5.0)));
    tale(1).passes();
    tale(2).is(&["a gap is reported twice"]);
}

#[test]
fn a_log_begins_late_only_if_it_was_rotated() {
    let tale =
        || Tale::new().writes(3.0, "a").rotates(4.0).writes(4.1, "b").follows(5.0).shows_at(5.1, 4.1, "b");
    let begins = "log starts at 2026-01-31 10:00:04 +00:00; perhaps older lines were rotated away";
    tale().says(5.2, begins).passes();
    tale().says(5.2, &begins.replace("04", "03")).is(&["false gap"]);
}

/// Its file and the next one were rotated while nothing could leave.
#[test]
fn what_a_blocked_follower_lost_over_two_rotations_cannot_be_known() {
    let tale = |lasting, second| {
        let tale = Tale::new().with(|story| {
            let asked = Asked::Logs("web".to_owned());
            let (how, lasting) = (Broken::Stalls, seconds(lasting));
            let fault = Fault::WillBreak { asked, times: 1, how, bytes: 9, chunks: None, lasting };
            story.script.events.push(Event { at: seconds(2.0), what: What::Fault(fault) });
        });
        let tale = tale.follows(2.2).writes(3.0, "a").writes(3.1, "b").rotates(3.2).writes(3.3, "c");
        tale.rotates(second).writes(8.0, "d").shows(3.0, "a").shows_at(5.0, 3.3, "c").shows(8.0, "d")
    };
    tale(3.0, 4.0).passes();
    tale(1.9, 4.0).is(&["missing"]);
    tale(3.0, 5.5).is(&["missing"]);
    let one_behind = tale(3.0, 4.0).with(|story| story.containers[0].instances[0].files[1].rotated = None);
    one_behind.is(&["missing"]);
}

#[test]
fn an_empty_file_does_not_tell_of_the_one_before() {
    let tale = || {
        Tale::new().reads(2.2, 3.5, Ended::Broken).writes(3.0, "a").writes(4.0, "b").rotates(4.5).follows(5.5)
    };
    tale().shows(3.0, "a").passes();
    tale().writes(6.0, "c").shows(3.0, "a").shows(6.0, "c").is(&["missing"]);
}

#[test]
fn an_unknown_notice_is_a_problem() {
    Tale::new().says(3.0, "the moon is full").is(&["unknown notice"]);
    Tale::new().refuses(2.9, 500).says(3.0, "500 Internal Server Error; trying again").passes();
}

#[test]
fn lines_that_are_missing_among_equal_ones_are_missing_together() {
    let texts = |tale: Tale, count| {
        (0..count).fold(tale, |tale, n| tale.writes(4.0, ["a", "b", "a", "c", "b"][n % 5]))
    };
    let tale = |from: usize, to: usize| {
        let tale = texts(Tale::new().follows(2.2).writes(3.0, "x"), 20).writes(5.0, "y").shows(3.0, "x");
        let shown = (0..20).filter(|n| !(from..to).contains(n));
        shown.fold(tale, |tale, n| tale.shows(4.0, ["a", "b", "a", "c", "b"][n % 5])).shows(5.0, "y")
    };
    tale(0, 0).passes();
    for (from, to) in [(0, 7), (3, 11), (9, 20), (19, 20)] {
        tale(from, to).is(&["missing"]);
    }
}

/// `b` is the last line that was shown, and the first one of the next file.
#[test]
fn a_file_that_begins_with_the_line_that_was_shown_last_looks_like_the_same() {
    let tale = |first| {
        let tale =
            Tale::new().reads(2.2, 3.0, Ended::Broken).writes(3.0, "a").writes(3.0, "b").writes(3.0, "c");
        let tale = tale.rotates(3.2).writes(3.0, first).writes(4.0, "d").follows(5.0);
        tale.shows(3.0, "a").shows(3.0, "b").shows_at(5.1, 4.0, "d")
    };
    tale("b").passes();
    tale("c").is(&["missing"]);
}

/// `a` is the first line of both files.
#[test]
fn a_file_that_is_opened_first_may_begin_like_the_one_that_was_rotated_away() {
    let tale = |opened| {
        let tale = Tale::new().reads(2.2, 2.5, Ended::Broken).writes(3.0, "a").writes(3.0, "b").rotates(3.1);
        let tale = tale.writes(3.0, "a").writes(3.0, "c").follows(opened);
        tale.shows_at(3.3, 3.0, "a").shows_at(3.3, 3.0, "c")
    };
    tale(3.2).passes();
    tale(2.8).is(&["missing"]);
}

#[test]
fn lines_that_are_shown_among_equal_ones_are_shown_together() {
    let tale = |tale: Tale, shown: &[&str]| {
        let tale = ["a", "a", "b", "c", "a", "b", "b"].iter().fold(tale, |tale, text| tale.writes(4.0, text));
        let tale = shown.iter().fold(tale.shows(3.0, "x"), |tale, text| tale.shows(4.0, text));
        tale.says(4.2, &between(3.0, 4.0)).asking(|asked| asked.limit_bytes = Some(6))
    };
    let begin = || Tale::new().follows(2.2).writes(3.0, "x");
    tale(begin(), &["a", "b"]).passes();
    tale(begin(), &["c", "b"]).is(&["missing"]);
}

/// An answer is cut behind `b`. Lines before the file count as missing for nobody.
#[test]
fn equal_lines_at_the_beginning_of_a_file_were_shown_if_its_rest_is_reported_as_missing() {
    let tale = || {
        let tale = Tale::new().writes(0.5, "x").rotates(1.0).reads(2.2, 3.0, Ended::Broken);
        let tale = ["a", "b", "c", "a", "b", "d"].iter().fold(tale, |tale, text| tale.writes(1.5, text));
        tale.shows_at(2.3, 1.5, "a").shows_at(2.3, 1.5, "b")
    };
    tale().says(4.0, &behind(1.5)).passes();
    tale().is(&["missing"]);
}

/// The program left it.
#[test]
fn lines_that_came_on_a_stream_were_not_rotated_away_before_the_log_was_opened() {
    let tale = |ended| {
        let tale = Tale::new().restarts(2.5).reads(2.6, 4.0, ended).writes(3.0, "a").rotates(3.5);
        tale.follows(4.1).writes(5.0, "b").shows(5.0, "b")
    };
    tale(Ended::Broken).passes();
    tale(Ended::Abandoned).is(&["missing"]);
}

/// Packets arrive again before the program leaves it, or behind that.
#[test]
fn lines_did_not_come_on_a_stream_that_was_left_while_no_packet_arrived() {
    let tale = |lasting| {
        let tale = Tale::new().restarts(2.5).reads(2.6, 8.0, Ended::Abandoned).writes(3.0, "a").rotates(3.5);
        let hole = What::Fault(Fault::BlackHole(seconds(lasting)));
        let tale = tale.with(|story| story.script.events.push(Event { at: seconds(2.8), what: hole }));
        tale.follows(8.1).writes(9.0, "b").shows(9.0, "b")
    };
    tale(5.3).passes();
    tale(1.0).is(&["missing"]);
}

/// The status that tells of the second instance comes behind that.
#[test]
fn a_watch_tells_nothing_once_the_time_of_until_is_over() {
    let tale = |known: f64| {
        let tale = Tale::new().asking(|setting| setting.until = Some(clock() + seconds(10.0)));
        let tale = tale.reads(2.2, 8.0, Ended::Complete).writes(3.0, "a").restarts(9.0).writes(9.5, "b");
        let tale = tale.with(|story| story.containers[0].instances[1].known = Some(seconds(known)));
        let tale = tale.reads(20.0, 20.0, Ended::Complete).shows(3.0, "a").shows_at(20.1, 9.5, "b");
        tale.says(20.1, &format!("lines may be missing between {} and {}", stamp(3.0), stamp(9.5)))
    };
    tale(16.0).passes();
    tale(14.0).is(&["false gap"]);
}
