//! A tail on a paused clock: what lasts longer than a test may.

use super::*;
use crate::{
    cluster::LogRequest,
    tail::testing::{Reply, Story, Written, as_it_is, line, plan},
};

/// Whether it only looks at the last line of a log.
fn is_look(request: &LogRequest) -> bool {
    request.tail_lines == Some(1) && !request.follow && request.since.is_none()
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_is_shown_and_confirmed() {
    let log = Written::numbered([-9.0, -5.0]);
    let story = Story::begin(as_it_is(), Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "-"]);
    assert!(ended.complete && asked.len() == 2, "{asked:?}");
}

/// A node that is lost ends no stream.
#[tokio::test(start_paused = true)]
async fn a_stream_of_a_deleted_pod_is_heard_out_for_a_while() {
    let story = Story::begin(plan(), Life::Running, |_| {
        Reply::of(line(-1.0, "a")).silent(5.0).then(line(5.0, "b")).silent(1e6)
    });
    story.pass(1.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(5.0).await;
    assert_eq!(story.said(), ["+", "a", "b"]);
    story.pass(11.0).await;
    assert_eq!(story.said(), ["+", "a", "b", "-"]);
}

/// The apiserver waits for half a minute for a node that is down.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_slowly_is_given_up_after_the_same_tries_and_told() {
    let story =
        Story::begin(as_it_is(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    let (ended, said, asked) = story.end().await;
    assert_eq!((ended.reason, asked.len()), (EndReason::Failed, TRIES + 1));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].ends_with("dial tcp: i/o timeout; trying again"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_that_is_refused_slowly_is_told_once_and_asked_for_again() {
    let story =
        Story::begin(plan(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    story.pass(600.0).await;
    assert_eq!(story.said().len(), 1, "{:?}", story.said());
    let last = story.asked().last().map(|(seconds, _)| *seconds);
    assert!(last > Some(540.0), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_polled_log_whose_polls_fail_is_told() {
    let mut polls = 0;
    let story = Story::begin(plan(), Life::Running, move |request| {
        polls += 1;
        match (request.follow, polls) {
            (true, _) => Reply::of("failed to create fsnotify watcher: too many open files"),
            (false, 2..10) => Reply::of(line(-9.0, "a")),
            (false, _) => Reply::refusal(500, "dial tcp: i/o timeout"),
        }
    });
    story.pass(1200.0).await;
    let told = story.said().iter().filter(|said| said.ends_with("i/o timeout; trying again")).count();
    assert_eq!(told, 1, "{:?}", story.said());
}

/// Some links break every few seconds.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_over_and_over_is_read_on_as_long_as_it_brings_lines() {
    let log = Written::numbered((0..21).map(|n| f64::from(n) - 60.0));
    let mut reached = -60.0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        if is_look(request) {
            return log.answer(request);
        }
        reached += 2.0;
        let reply = log.until(reached).answer(request).silent(5.0);
        if reached < -40.0 { reply.broken() } else { reply }
    });
    let (ended, said, asked) = story.end().await;
    assert_eq!(said.len(), 23, "{said:?}");
    assert!(ended.complete && asked.len() > TRIES + 2, "{ended:?}");
}
