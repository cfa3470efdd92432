//! Parts of logs: `--tail`, `--since`, `--limit-bytes`, `--previous`, `--with-previous`, `--no-follow`.

use apiserver::Kind as Asks;

use super::{Tale, seconds};
use crate::script::{Logs, Setting};

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

#[test]
fn as_many_bytes_are_shown_as_were_asked_for() {
    let limited = || old(|asked| asked.limit_bytes = Some(4));
    limited().shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b").passes();
    limited().shows_at(2.3, 0.1, "a").is(&["missing"]);
    let more = limited().shows_at(2.3, 0.1, "a").shows_at(2.3, 0.2, "b").shows_at(2.3, 0.3, "c");
    more.is(&["unwanted"]);
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
