//! A restart of which the kubelet, the apiserver and the watch know one after the other.

use super::*;

/// The watch is late: the tail has to ask the apiserver.
#[tokio::test(start_paused = true)]
async fn a_restart_that_only_the_apiserver_knows_of_is_not_taken_for_a_rotation() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (..16.0, true) => Reply::refusal(400, "the kubelet is not to be asked"),
        _ => container.answer(request),
    });
    story.pass(6.0).await;
    story.apiserver_knows(1);
    story.pass(11.0).await;
    assert_eq!(outline(&story), ["+", "a"]);
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// A pod of the same name took its place, which the watch reports late.
#[tokio::test(start_paused = true)]
async fn the_first_lines_of_a_log_that_is_opened_again_may_be_another_pods() {
    for breaks in [0, 2] {
        let container = Container::new([(-60.0, None, log([(5.0, "b")]))]);
        let story = Story::follow(move |request| match container.now() {
            ..1.0 => container.answer(request).cut_after(1.0).broken(),
            _ => container.answer(request),
        });
        story.apiserver_knows(1);
        story.questions_break(breaks);
        story.pass(8.0).await;
        story.life.send_replace(Life::Deleted);
        let (_, said, _) = story.end().await;
        assert!(!said.contains(&"b".to_owned()), "{said:?}");
    }
}

/// The last line that was read is not in the log.
#[tokio::test(start_paused = true)]
async fn a_log_that_another_pod_took_ends_if_pods_are_watched_no_longer() {
    let mut asked = 0;
    let mut story = Story::follow(move |request| {
        asked += usize::from(!request.previous);
        match (asked, request.previous) {
            (_, true) => Reply::refusal(400, NO_PREVIOUS),
            (1, _) => Reply::of(line(-1.0, "a")),
            _ => Reply::of(line(1.0, "b")),
        }
    });
    story.apiserver_knows(OTHER_POD);
    story.life = watch::Sender::new(Life::Running);
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "a", "-"]);
    assert!(story.asked().len() < 10, "{} requests", story.asked().len());
}

/// The node still has the log of a pod that the apiserver has forgotten.
#[tokio::test(start_paused = true)]
async fn the_first_lines_of_a_log_that_is_opened_again_are_shown_though_its_pod_is_gone() {
    let container = Container::new([(-60.0, Some(6.0), log([(5.0, "b")]))]);
    let story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(1.0).broken(),
        _ => container.answer(request),
    });
    story.apiserver_knows(NO_POD);
    story.pass(5.5).await;
    assert_eq!(outline(&story), ["+", "b"]);
}

/// The node keeps no log of an instance that ended, and the status is late.
#[tokio::test(start_paused = true)]
async fn a_restart_that_is_reported_late_by_a_node_that_keeps_nothing_repeats_nothing() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (_, true) => Reply::refusal(400, NO_PREVIOUS),
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Between", "b", "! Behind", "-", "restarted 1 since 7.5", "c"]);
}

/// Only the kubelet knew of the restart while the rest was read.
#[tokio::test(start_paused = true)]
async fn an_end_that_the_status_reports_late_is_waited_for() {
    let container = restarting();
    let story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(2.0).broken(),
        1.0..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(18.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words"]);
    let ending = Ending { reason: "Error".into(), ..Ending::default() };
    story.life.send_replace(Life::Terminated(ending.clone()));
    let (ended, ..) = story.end().await;
    assert_eq!((ended.reason, ended.complete), (Reason::Terminated(ending), true));
}

/// The kubelet does not know of it, and the apiserver knows of the restart just before the lines would be shown.
#[tokio::test(start_paused = true)]
async fn a_restart_that_is_known_before_a_gap_is_shown_makes_it_none() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (_, true) => Reply::refusal(400, NO_PREVIOUS),
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request).after(2.0),
    });
    let opened = |story: &Story| story.asked().iter().filter(|(at, asked)| *at > 7.8 && asked.follow).count();
    while opened(&story) < 2 {
        story.pass(0.1).await;
    }
    story.apiserver_knows(1);
    story.pass(4.0).await;
    story.restarts(6.0);
    story.pass(40.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Behind", "-", "restarted 1", "b", "c"]);
}

/// The stream of an instance with this log ends before its last second. The apiserver knows of the next instance, and
/// the status of the one behind it.
async fn replaced_twice(first: Written) -> Vec<String> {
    let container = Container::new([
        (-60.0, Some(2.0), first),
        (2.0, Some(5.0), log([(3.5, "b")])),
        (5.2, None, log([(8.0, "c")])),
    ]);
    let mut story = Story::follow(move |request| match (container.now(), request.follow) {
        (..0.9, true) => container.answer(request).cut_after(1.0),
        (..2.5, true) => Reply::refusal(400, "container \"app\" in pod \"web-1\" is waiting to start"),
        _ => container.answer(request),
    });
    story.pass(3.0).await;
    story.apiserver_knows(1);
    story.pass(3.0).await;
    story.restarts_so_often(2, 5.2);
    story.pass(5.0).await;
    outline(&story)
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_log_that_is_gone_before_a_status_reports_a_restart_is_in_doubt() {
    let said = replaced_twice(log([(-1.0, "a"), (1.5, "lost")])).await;
    assert_eq!(said[..5], ["+", "a", "! Unchecked", "-", "restarted 2"]);
}

/// The previous log shows it while it is there.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_log_is_compared_before_a_status_reports_a_restart() {
    let said = replaced_twice(log([(-1.0, "a")])).await;
    assert_eq!(said[..4], ["+", "a", "-", "restarted 2"]);
}

/// The second stream ended too early and looked complete. A line was found that was not read, and the previous log is
/// not there any more.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_found_before_a_status_reports_a_restart_and_is_gone_then_is_reported() {
    let cases = [
        (log([(0.8, "a")]), &["+", "a", "-"][..]),
        (log([(0.8, "a"), (1.5, "b")]), &["+", "a", "! Behind", "-"]),
    ];
    for (old, wanted) in cases {
        let (next, mut follows) = (log([(2.6, "c")]), 0);
        let mut story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.previous, request.follow) {
                (true, _) if request.tail_lines == Some(1) => old.answer(request),
                (true, _) => Reply::refusal(400, NO_PREVIOUS),
                (false, true) if follows == 1 => Reply::of(""),
                (false, true) if follows == 2 => old.until(1.0).answer_at(0.0, Some(1.0), request),
                (false, _) => next.answer(request).silent(1e6).after(2.0),
            }
        });
        story.pass(2.0).await;
        story.apiserver_knows(1);
        story.pass(6.0).await;
        story.restarts(2.0);
        story.pass(60.0).await;
        assert_eq!(outline(&story), [wanted, &["restarted 1", "c"]].concat());
    }
}

/// Its last line has no newline.
#[tokio::test(start_paused = true)]
async fn a_log_that_ends_within_a_line_shows_the_restart_that_the_status_does_not() {
    let container = restarting();
    let old = format!("{}{}", line(-1.0, "a"), line(4.9, "last words").trim_end());
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) if request.tail_lines == Some(1) => Reply::of(line(4.9, "last words").trim_end()),
        (_, true) => Reply::of(old.clone()),
        (_, false) => container.answer(request),
    });
    story.pass(18.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words"]);
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// The first instance wrote nothing that was read, and the second, which waits for its restart, wrote nothing.
#[tokio::test(start_paused = true)]
async fn an_empty_log_of_an_instance_that_waits_is_not_the_one_before() {
    let container = Container::new([(-60.0, Some(5.0), log([(4.5, "a")])), (6.0, Some(7.0), log([]))]);
    let mut story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(1.0),
        1.0..8.0 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(6.0).await;
    story.restarts(6.0);
    story.apiserver_knows_that_it_waits();
    story.pass(20.0).await;
    assert_eq!(outline(&story)[..3], ["+", "! Unchecked", "-"]);
}

/// The log is read on after a gap, since nothing showed that it is another instance's.
#[tokio::test(start_paused = true)]
async fn a_line_that_comes_behind_the_status_of_the_next_instance_is_left_to_it() {
    let (mut follows, began) = (0, Instant::now());
    let mut story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (follows, request.previous) {
            (_, true) if began.elapsed().as_secs() < 8 => Reply::of(line(4.0, "y")),
            (_, true) => Reply::refusal(400, NO_PREVIOUS),
            (1, _) => Reply::of(line(-1.0, "a")).silent(5.0).broken(),
            (2, _) => Reply::of(line(3.3, "x")),
            (3, _) => Reply::of("").silent(3.2).then(line(8.2, "b")).silent(1e6),
            _ => log([(8.2, "b")]).answer(request).silent(1e6),
        }
    });
    story.pass(8.0).await;
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Behind", "-", "restarted 1", "b"]);
}

/// No status ever reports the second instance, which has ended as well.
#[tokio::test(start_paused = true)]
async fn a_log_whose_place_was_given_up_is_shown_once() {
    let container = restarting();
    let (old, new) = (log([(-1.0, "a"), (4.9, "last words")]), log([(7.5, "b")]));
    let story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) => old.answer(request),
        (_, false) => new.answer(request),
    });
    story.pass(120.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words", "! Between", "b"]);
}

/// The same, if it was taken for the first one before.
#[tokio::test(start_paused = true)]
async fn lines_that_were_handed_over_are_taken_back_if_no_status_comes() {
    let (old, new) = (log([(-5.0, "a"), (-4.0, "b")]), log([(-1.0, "c")]));
    let story = Story::follow(move |request| match request.previous {
        true => old.answer(request),
        false => new.answer(request),
    });
    story.pass(100.0).await;
    assert_eq!(outline(&story), ["+", "c", "a", "b"]);
}

/// Its log was the previous one, and read to its end there; no status reports the other instance before the pod is gone.
#[tokio::test(start_paused = true)]
async fn another_instance_is_reported_as_not_read_if_its_pod_is_gone_before_any_status_comes() {
    let own = log([(-1.0, "a"), (0.5, "b")]);
    let container = Container::new([(-60.0, Some(1.0), own), (1.0, None, log([(8.0, "c")]))]);
    let story = Story::follow(move |request| match (container.now(), request.previous) {
        (..2.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (2.0..7.0, false) => container.answer(request).cut_after(0.1),
        (2.0..7.0, true) => container.answer(request),
        _ => Reply::refusal(404, "pods \"web-1\" not found"),
    });
    story.pass(10.0).await;
    story.apiserver_knows(NO_POD);
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "! Unchecked", "-"]);
}

/// The first instance is asked for while there is no pod; the log of the second is opened when there is another one.
#[tokio::test(start_paused = true)]
async fn the_first_lines_of_a_log_of_which_no_pod_was_found_may_be_another_pods() {
    for is_next in [false, true] {
        let container = Container::new([(-60.0, None, log([(-1.0, "a"), (2.5, "b")]))]);
        let mut story = Story::follow(move |request| match container.now() {
            ..1.0 if is_next => container.answer(request).cut_after(1.0).broken(),
            ..3.0 => Reply::refusal(404, "pods \"web-1\" not found"),
            _ if request.previous => Reply::refusal(400, NO_PREVIOUS),
            now => log([(2.5, "b")]).answer_at(now, None, request),
        });
        story.pass(1.5).await;
        if is_next {
            story.restarts(1.0);
        }
        story.apiserver_knows(OTHER_POD);
        story.pass(6.0).await;
        story.life.send_replace(Life::Deleted);
        let (_, said, _) = story.end().await;
        assert!(!said.contains(&"b".to_owned()), "{said:?}");
    }
}

/// The log of the next instance is rotated too, before the status reports it.
#[tokio::test(start_paused = true)]
async fn lines_of_the_next_instance_before_and_behind_another_gap_are_handed_over() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (_, true) => Reply::refusal(400, NO_PREVIOUS),
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (now @ 7.8..15.0, _) => container.answer(request).cut_after(15.0 - now).broken(),
        (now, _) => log([(14.5, "x"), (49.5, "c")]).answer_at(now, None, request),
    });
    story.pass(30.0).await;
    story.restarts(6.0);
    story.pass(25.0).await;
    let first = ["+", "a", "! Between", "b", "! Between", "x"];
    assert_eq!(outline(&story), [&first[..], &["! Behind", "-", "restarted 1 since 7.5", "c"]].concat());
}
