//! Flags that choose logs.

use apiserver::Kind as Asks;

use super::{Tale, seconds};
use crate::script::Logs;

#[test]
fn the_log_of_the_instance_before_is_requested_if_it_is_asked_for() {
    let tale = |logs, previous: bool| {
        let tale =
            Tale::new().writes(0.5, "a").restarts(1.0).writes(1.5, "b").asking(|asked| asked.logs = logs);
        let query = [("container", "app"), ("previous", "true")];
        let tale = match previous {
            true => tale
                .asks(Asks::Log, 2.15, "/api/v1/namespaces/shop/pods/web/log", &query)
                .shows_at(2.16, 0.5, "a"),
            false => tale,
        };
        tale.follows(2.2).shows_at(2.21, 1.5, "b")
    };
    tale(Logs::FollowWithPrevious, true).passes();
    tale(Logs::FollowWithPrevious, false).is(&["no previous log"]);
    tale(Logs::Follow, false).passes();
}

#[test]
fn no_line_is_shown_of_a_pod_that_does_not_meet_the_condition() {
    let tale = |written: f64, again: f64| {
        let tale = Tale::new().follows(2.2).writes(written, "a").shows_at(written + 0.1, written, "a");
        let meets = vec![(seconds(0.0), true), (seconds(5.0), false), (seconds(again), true)];
        tale.with(|story| story.containers[0].meets = meets)
    };
    tale(4.0, 20.0).passes();
    tale(5.5, 20.0).passes();
    tale(7.0, 20.0).is(&["unwanted"]);
    tale(7.0, 7.05).passes();
}
