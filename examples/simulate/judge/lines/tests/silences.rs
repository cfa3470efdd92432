//! Ends behind which nothing came, streams that fell silent, and requests that were lost or came late.

use apiserver::{Ended, Kind as Asks};

use super::{
    Tale,
    ends::{LOG, lives_for_a_second, unchecked},
    seconds,
};
use crate::{
    script::{Event, Fault, Setting, What},
    story::{Pod, Taken},
};

/// Its log will soon be gone, and the request that opens it again waits for its turn.
#[test]
fn a_silent_stream_may_be_left_before_its_end_if_there_is_no_room_for_a_look() {
    let tale = |deleting: f64, last: f64, places, qps| {
        let asked = move |asked: &mut Setting| (asked.max_log_requests, asked.qps) = (places, qps);
        let tale =
            Tale::new().asking(asked).reads(2.2, 6.1, Ended::Complete).writes(last, "a").shows(last, "a");
        let tale = tale.asks(Asks::Log, 5.5, "/api/v1/namespaces/shop/pods/other/log", &[]).follows(7.0);
        let tale = tale.with(|story| {
            story.requests.last_mut().expect("one was added").answered = Some((seconds(7.0), 404));
            let (name, namespace, node) = ("web".to_owned(), "shop".to_owned(), "node-1".to_owned());
            let (deleting, deleted) = (Some(seconds(deleting)), Some(seconds(6.1)));
            story.containers[0].deleted = deleted;
            story.pods.push(Pod { name, namespace, node, deleting, deleted, ready: Vec::new() });
        });
        tale.says(7.2, &unchecked(last))
    };
    tale(5.0, 3.0, Some(3), Some(1)).passes();
    tale(6.1, 3.0, Some(3), Some(1)).is(&["false gap"]);
    tale(5.0, 5.5, Some(3), Some(1)).is(&["false gap"]);
    tale(5.0, 3.0, None, Some(1)).is(&["false gap"]);
    tale(5.0, 3.0, Some(3), None).is(&["false gap"]);
}

/// It was silent for so long that it was to be looked at. Its next request may wait for a new connection.
#[test]
fn a_stream_that_is_silent_for_long_may_be_left_before_its_end_if_there_is_no_room_for_a_look() {
    let tale = |last: f64, places, connection| {
        let asked = move |asked: &mut Setting| asked.max_log_requests = places;
        let tale = Tale::new().asking(asked).reads(2.2, 36.1, Ended::Complete).writes(last, "a");
        let tale = tale.shows(last, "a").follows(36.7).with(|story| {
            story.script.setting.server.round_trip = seconds(0.5);
            let next = story.requests.last_mut().expect("one was added");
            (next.http2, next.connection) = (false, connection);
            next.answered = Some((seconds(36.7), 404));
            story.containers[0].deleted = Some(seconds(36.1));
        });
        tale.says(37.2, &unchecked(last))
    };
    tale(3.0, Some(3), 9).passes();
    tale(7.0, Some(3), 9).is(&["false gap"]);
    tale(3.0, None, 9).is(&["false gap"]);
    tale(3.0, Some(3), 1).is(&["false gap"]);
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
    // Both ways count.
    let far = |late| {
        let what = What::Fault(Fault::Far { round_trip: seconds(0.6), lasting: seconds(5.0) });
        tale(late).with(|story| story.script.events.push(Event { at: seconds(3.5), what }))
    };
    far(1.5).passes();
    far(1.3).is(&["false gap"]);
}

/// Others were on their way, and one of them was answered.
#[test]
fn a_silence_that_begins_behind_an_answer_leaves_an_end_in_doubt() {
    let tale = |heard: &'static [f64]| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.asks(Asks::Log, 4.2, "/api/v1/namespaces/shop/pods/other/log", &[]);
        let tale = tale.asks(Asks::Log, 5.0, "/api/v1/namespaces/shop/pods/other/log", &[]);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            story.requests[3].answered = Some((seconds(7.1), 200));
            let taken = |at: &f64| Taken { at: seconds(*at), connection: 1, bytes: 1 };
            story.taken = heard.iter().map(taken).collect();
        });
        tale.says(8.0, &unchecked(3.0))
    };
    tale(&[4.1, 5.0, 7.1]).passes();
    tale(&[4.1, 5.0, 6.0, 7.1]).is(&["false gap"]);
}

/// It asks whose log it is before it reads on.
#[test]
fn an_end_that_a_reset_took_away_was_not_read() {
    let tale = |reset: f64, taken: f64| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows_at(4.105, 3.0, "a");
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            let what = What::Fault(Fault::ConnectionsReset);
            story.script.events.push(Event { at: seconds(reset), what });
            story.taken = vec![Taken { at: seconds(taken), connection: 1, bytes: 5 }];
        });
        tale.says(4.3, &unchecked(3.0))
    };
    tale(4.103, 3.0).passes();
    tale(4.103, 4.1).is(&["false gap"]);
    tale(4.2, 3.0).is(&["false gap"]);
}

/// It is asked for again, over a connection without another request, and all are reset before the server has that.
#[test]
fn an_end_behind_which_a_request_is_lost_on_its_way_is_in_doubt() {
    let tale = |reset: f64, is_idle: bool| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            story.requests.last_mut().expect("it reads").connection = if is_idle { 2 } else { 1 };
            let what = What::Fault(Fault::ConnectionsReset);
            story.script.events.push(Event { at: seconds(reset), what });
        });
        // The apiserver is there.
        tale.says(4.5, &unchecked(3.0)).asks(Asks::List, 5.0, "/api/v1/pods", &[])
    };
    tale(4.2, true).passes();
    tale(4.2, false).is(&["false gap"]);
    tale(4.6, true).is(&["false gap"]);
}

/// The pod was gone by the time at which the server could be asked again.
#[test]
fn an_end_behind_which_the_server_asked_to_wait_is_in_doubt() {
    let tale = |refused: f64, wait: &str| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.asks(Asks::Log, refused, "/api/v1/namespaces/shop/pods/other/log", &[]);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            let request = story.requests.last_mut().expect("one was added");
            request.answered = Some((seconds(refused), 429));
            request.ended = Some((seconds(refused), Ended::Complete));
            request.retry_after = Some(wait.to_owned());
        });
        tale.says(14.1, &unchecked(3.0))
    };
    tale(3.9, "400").passes();
    tale(3.9, "11").passes();
    tale(3.9, "10").is(&["false gap"]);
    tale(4.2, "400").is(&["false gap"]);
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

/// The empty file behind it looks like one of a container that is quiet.
#[test]
fn a_silent_stream_whose_file_is_rotated_away_before_a_check_cannot_be_known() {
    let tale = |rotated: f64, looked: f64, lines: &[(&'static str, &'static str)]| {
        let tale = Tale::new().reads(2.2, 40.0, Ended::Complete).writes(3.0, "a").writes(6.0, "b");
        let query = [&[("container", "app")], lines].concat();
        let tale = tale.rotates(rotated).shows(3.0, "a").asks(Asks::Log, looked, LOG, &query);
        tale.with(|story| {
            story.containers[0].deleted = Some(seconds(41.0));
            story.containers[0].instances[0].ended = Some(seconds(40.0));
            story.containers[0].instances[0].silenced.push(seconds(5.0));
        })
    };
    let look = [("tailLines", "1")];
    tale(7.0, 20.0, &look).passes();
    tale(20.1, 20.0, &look).is(&["missing"]);
    tale(37.0, 38.0, &look).is(&["missing"]);
    tale(7.0, 40.5, &look).is(&["missing"]);
    tale(7.0, 20.0, &[]).is(&["missing"]);
}

/// The first line is in a file that no stream could read, the second one behind the silence of the next stream.
#[test]
fn lines_that_were_rotated_away_before_a_stream_fell_silent_cannot_be_known_without_checks() {
    let tale = |opened, silenced| {
        let tale = Tale::new().asking(|asked| asked.idle_check = Some(0)).reads(2.2, 5.0, Ended::Broken);
        let tale = tale.writes(3.0, "x").shows(3.0, "x").rotates(6.0).writes(7.0, "a").rotates(8.0);
        let tale = tale.reads(opened, 90.0, Ended::Abandoned).writes(10.0, "b");
        tale.with(|story| story.containers[0].instances[0].silenced.push(seconds(silenced)))
    };
    tale(9.0, 9.5).passes();
    tale(9.0, 11.0).is(&["missing"]);
    tale(6.5, 9.5).is(&["missing"]);
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
    left(35.0).follows(31.0).passes();
    // Its end was told before.
    let ends = |at| left(35.0).with(|story| story.containers[0].instances[0].ended = Some(seconds(at)));
    ends(35.0).passes();
    ends(34.0).is(&["missing"]);
    left(35.0).with(|story| story.containers[0].instances[0].silenced.clear()).is(&["missing"]);
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

/// A request that is on its way over a connection that the server closes never comes to it.
#[test]
fn an_end_is_in_doubt_if_a_request_may_have_been_lost_and_nothing_was_answered_then() {
    let tale = |http2, closed: f64, answered: f64| {
        let tale = Tale::new().asks(Asks::List, 1.0, "/api/v1/pods", &[]);
        let tale = tale.reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a").with(|story| {
            story.script.setting.server.http2 = http2;
            story.containers[0].deleted = Some(seconds(4.1));
            story.fails(closed, Fault::GoAway);
            (story.requests[0].connection, story.requests[0].ended) =
                (2, Some((seconds(1.0), Ended::Complete)));
        });
        tale.asks(Asks::List, answered, "/api/v1/pods", &[]).says(9.0, &unchecked(3.0))
    };
    tale(false, 2.5, 4.6).passes();
    tale(false, 2.7, 4.6).is(&["false gap"]);
    tale(true, 2.5, 4.6).is(&["false gap"]);
    // Another request came over that connection later.
    tale(false, 2.5, 4.6).with(|story| story.requests[2].connection = 2).is(&["false gap"]);
}

/// It would be asked again, but its connection was being made, since the server had closed the one before.
#[test]
fn an_end_is_in_doubt_if_the_server_closes_a_connection_that_is_being_made() {
    let tale = |before: f64, closed: f64, connection: Option<u64>| {
        let tale = Tale::new().reads(2.2, 4.1, Ended::Complete).writes(3.0, "a").shows(3.0, "a");
        let tale = tale.asks(Asks::Log, 4.3, "/api/v1/namespaces/shop/pods/other/log", &[]);
        let tale = tale.with(|story| {
            story.containers[0].deleted = Some(seconds(4.1));
            let of_other = story.requests.last_mut().expect("one was added");
            of_other.connection = connection.unwrap_or(of_other.connection);
            story.fails(before, Fault::GoAway);
            story.fails(closed, Fault::GoAway);
        });
        tale.says(4.5, &unchecked(3.0)).asks(Asks::List, 5.0, "/api/v1/pods", &[])
    };
    tale(4.2, 4.4, None).passes();
    tale(4.2, 4.4, Some(9)).is(&["false gap"]);
    tale(4.2, 4.6, None).is(&["false gap"]);
}
