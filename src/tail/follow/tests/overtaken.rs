//! The log that is served is another instance's, and no status reports it in time.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_empty_log_of_an_instance_that_wrote_before_is_the_next_ones() {
    let story = Story::begin(plan(), stopped(), |request| match request.previous {
        true => log([(-3.0, "a"), (-2.0, "b")]).answer(request),
        false => Reply::of(""),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "a", "b", "-"]);
    assert!(ended.complete);
}

/// Its stream breaks, and its node refuses its log until another instance is there, which writes nothing.
#[tokio::test(start_paused = true)]
async fn an_empty_stream_behind_a_refusal_is_no_end_of_a_log() {
    let mut story = Story::follow(|request| match request.previous {
        true => Reply::refusal(400, NO_PREVIOUS),
        false => Reply::refusal(500, "dial tcp: connection refused"),
    });
    story.pass(3.0).await;
    story.restarts_so_often(2, 2.0);
    story.pass(5.0).await;
    assert!(outline(&story).contains(&"! the log was removed before it could be read".to_owned()));
}

/// Its stream was the third instance's, and the previous log, perhaps the second one's, does not come before the status.
#[tokio::test(start_paused = true)]
async fn the_end_of_another_log_is_no_end_of_one_that_was_never_read() {
    let began = Container::new([]);
    let mut story = Story::follow(move |request| match (began.now(), request.previous) {
        (..5.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, false) => Reply::of(line(2.7, "c")),
        (_, true) if request.tail_lines.is_some() => Reply::of(line(2.2, "b")),
        (_, true) => Reply::of(line(2.2, "b")).after(3.0),
    });
    while story.asked().iter().all(|(_, asked)| !asked.previous || asked.tail_lines.is_some()) {
        story.pass(0.1).await;
    }
    story.restarts_so_often(2, 2.5);
    story.pass(10.0).await;
    assert_eq!(outline(&story)[..5], ["+", "c", "! Unchecked", "-", "restarted 2 since 2.7"]);
}

/// The log of the first instance was found, so that its lines are not the second one's, which writes none.
#[tokio::test(start_paused = true)]
async fn a_tail_of_an_instance_without_lines_shows_none_of_the_one_before() {
    let old = log([(-0.9, "a"), (-0.8, "b")]);
    let container = Container::new([(-60.0, Some(0.5), old.clone()), (0.6, None, log([]))]);
    let plan = LogPlan { tail: Some(1), ..plan() };
    let mut story =
        Story::begin(plan, Life::Running, move |request| match (container.now(), request.previous) {
            (2.0.., true) => old.answer(request),
            (2.0.., false) => Reply::of(""),
            (0.5.., false) => Reply::of("").silent(2.0 - container.now()),
            _ => container.answer(request),
        });
    story.pass(1.0).await;
    // Its clock is ahead: as far as the status shows, the next instance may have written all lines.
    story.restarts(-1.0);
    story.pass(1.2).await;
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(2.0)), ..Ending::default() }));
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "b", "-", "restarted 1", "-"]);
}

/// None of its lines was requested, and the last one is of the second in which the next one started.
#[tokio::test(start_paused = true)]
async fn a_tail_of_an_instance_without_lines_shows_no_old_line_of_the_one_before() {
    let old = log([(-0.9, "a"), (-0.8, "b")]);
    let container = Container::new([(-60.0, Some(-0.7), old.clone()), (-0.6, Some(-0.5), log([]))]);
    let plan = LogPlan { tail: Some(0), ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| match request.previous {
        // The next one waits for no restart.
        true => old.answer_at(container.now(), None, request),
        false => container.answer(request),
    });
    story.apiserver_knows(1);
    story.pass(1.0).await;
    story.restarts(-1.0);
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(0.0)), ..Ending::default() }));
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "-", "restarted 1", "-"]);
}

/// The second instance was seen, and had been replaced too before a status reported it.
#[tokio::test(start_paused = true)]
async fn lines_that_were_left_to_the_next_instance_and_never_came_are_reported() {
    let container = Container::new([
        (-60.0, Some(1.1), log([(-1.0, "a")])),
        (1.2, Some(29.0), log([(1.5, "b")])),
        (30.0, None, log([(30.2, "c")])),
    ]);
    let mut story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(1.0),
        _ => container.answer(request),
    });
    story.apiserver_knows(1);
    story.pass(30.5).await;
    story.restarts_so_often(2, 30.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-", "restarted 2", "! Between", "c"]);
}

/// It was found there as the log of the first one was sought, and the node has started the third one by then.
#[tokio::test(start_paused = true)]
async fn an_instance_whose_log_was_found_as_the_previous_one_is_read_there() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(0.5, "a")])),
        (2.0, Some(9.0), log([(4.5, "b"), (8.5, "c")])),
        (9.5, None, log([(10.5, "d"), (28.0, "e")])),
    ]);
    let mut story = Story::follow(move |request| match container.now() {
        ..9.8 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(5.0).await;
    story.restarts(2.0);
    story.pass(20.0).await;
    story.restarts(9.0);
    story.pass(10.0).await;
    let expected = ["+", "! Unchecked", "-", "restarted 1", "b", "c", "-", "restarted 1", "d", "e"];
    assert_eq!(outline(&story), expected);
}

/// By then it had been replaced as well: the previous log was that of the next one, as the statuses report later.
#[tokio::test(start_paused = true)]
async fn lines_from_after_the_end_of_an_instance_are_left_to_their_own() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(0.5, "a")])),
        (2.0, Some(9.0), log([(4.5, "lost")])),
        (9.2, Some(15.0), log([(9.5, "b"), (14.0, "c")])),
        (15.5, None, log([(16.5, "d"), (45.0, "e")])),
    ]);
    let mut story = Story::follow(move |request| match container.now() {
        ..15.8 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(5.0).await;
    story.restarts(2.0);
    story.pass(25.0).await;
    assert_eq!(outline(&story), ["+", "! Unchecked", "-", "restarted 1", "b", "c"]);
    story.restarts(9.0);
    story.restarts(15.0);
    story.pass(20.0).await;
    let expected = ["! Unchecked", "-", "restarted 1 since 9.5", "-", "restarted 1", "d", "e"];
    assert_eq!(outline(&story)[6..], expected);
}

/// The same, and the third one was found first: its lines were shown before those of the second one.
#[tokio::test(start_paused = true)]
async fn lines_of_two_later_instances_are_left_to_their_own() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(0.5, "lost")])),
        (2.0, Some(9.0), log([(4.5, "a"), (8.5, "b")])),
        (9.2, Some(10.0), log([(9.5, "c")])),
    ]);
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..10.2, _) => Reply::refusal(500, "dial tcp: connection refused"),
        // The fourth one does not start.
        (_, true) => log([(4.5, "a"), (8.5, "b")]).answer(request),
        (_, false) => container.answer(request),
    });
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "c", "a", "b"]);
    story.restarts(2.0);
    story.restarts(9.0);
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(10.0)), ..Ending::default() }));
    story.pass(20.0).await;
    let expected = ["! Unchecked", "-", "restarted 1 since 4.5", "-", "restarted 1 since 9.5", "-"];
    assert_eq!(outline(&story)[4..], expected);
}

/// The status reports the end while the last lines are on their way, and then the log is gone.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_on_its_way_when_its_container_ends_is_read() {
    let mut asked = 0;
    let story = Story::follow(move |request| {
        asked += 1;
        match asked {
            1 => log([(-1.0, "a"), (-0.5, "b")]).answer(request).after(1.0),
            _ => Reply::refusal(404, "pods \"web-1\" not found"),
        }
    });
    story.pass(0.5).await;
    story.life.send_replace(stopped());
    story.pass(2.0).await;
    assert_eq!(outline(&story)[..3], ["+", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_for_another_reason_does_not_prove_that_there_is_no_previous_log() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(1.0).broken(),
        (1.0..7.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (7.0..9.0, true) => Reply::refusal(400, "the server is too busy"),
        _ => container.answer(request),
    });
    story.pass(7.0).await;
    story.restarts(6.0);
    story.pass(30.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// Requests for the log itself failed before, so that its retries are used up.
#[tokio::test(start_paused = true)]
async fn a_question_whose_log_was_read_is_repeated_though_the_log_was_refused_often() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(1.0).broken(),
        (1.0..40.0, false) | (..60.0, true) => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(90.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words"]);
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// Two instances started in one second, and the line that was read may be that of a third one.
#[tokio::test(start_paused = true)]
async fn a_line_from_long_after_the_end_of_an_instance_is_not_its_own() {
    let ends = [(Some(4.9), "! Unchecked(Some"), (Some(2.0), "! Unchecked(None"), (None, "! Unchecked(None")];
    for (finished, last) in ends {
        let mut story = Story::follow(|request| match request.follow {
            true => log([(5.0, "c")]).answer(request).silent(1e6),
            false => Reply::of(REMOVED),
        });
        story.restarts(1.0);
        story.pass(6.0).await;
        let ending = Ending { finished: finished.map(at), ..Ending::default() };
        story.life.send_replace(Life::Replaced { ending, restart_count: 3, started: Some(at(1.0)) });
        story.pass(5.0).await;
        let said = story.said();
        assert!(said[said.len() - 2].starts_with(last), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_for_the_previous_log_keeps_no_line_waiting() {
    let container = Container::writing([-1.0, 2.0, 8.0]);
    let story = Story::follow(move |request| match (request.previous, container.now()) {
        (true, _) => Reply::of("").after(1e6),
        (false, ..1.0) => container.answer(request).cut_after(1.0),
        (false, _) => container.answer(request),
    });
    story.pass(6.0).await;
    assert_eq!(outline(&story), ["+", "0", "1"]);
}

/// The second instance has ended too, and waits: its log is the previous one, and the first one's is gone. The status
/// tells of the second one, or only of an end.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_gone_as_the_next_instance_waits_is_reported() {
    for (restarts, rest) in [(true, &["restarted 1 since 7.5", "y"][..]), (false, &[])] {
        let container = Container::new([
            (-60.0, Some(5.0), log([(-1.0, "a")])),
            (6.0, Some(20.0), log([(7.5, "x"), (19.0, "y")])),
        ]);
        let mut opened = false;
        let mut story = Story::follow(move |request| match (container.now(), request.follow) {
            (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) if !std::mem::replace(&mut opened, true) => container.answer(request).cut_after(0.1),
            (..21.5, false) if !is_look(request) => Reply::refusal(500, "dial tcp: connection refused"),
            _ => container.answer(request),
        });
        story.pass(40.0).await;
        assert_eq!(outline(&story), ["+", "x"]);
        match restarts {
            true => story.restarts(6.0),
            false => drop(story.life.send_replace(Life::Terminated(Ending::default()))),
        }
        story.pass(10.0).await;
        assert_eq!(outline(&story), [&["+", "x", "! Unchecked", "-"][..], rest].concat());
    }
}

/// Its stream broke, and the node has started another instance, which writes nothing, as the pod goes.
#[tokio::test(start_paused = true)]
async fn a_previous_log_that_ends_with_what_was_read_is_an_end() {
    for (last, wanted) in [(0.5, &["+", "a", "b", "-"][..]), (2.0, &["+", "a", "! Unchecked", "-"])] {
        let first = log([(-1.0, "a"), (last, "b")]);
        let container = Container::new([(-60.0, Some(3.0), first), (3.0, None, log([]))]);
        let story = Story::follow(move |request| match (container.now(), request.follow) {
            (..1.0, _) => container.answer(request).cut_after(1.0).broken(),
            (1.0..4.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) => Reply::of(""),
            (_, false) => container.answer(request),
        });
        story.pass(20.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        assert_eq!(outline(&story), wanted);
    }
}

/// Its stream ended too early and looked complete.
#[tokio::test(start_paused = true)]
async fn a_line_of_the_previous_log_that_was_not_read_contradicts_the_end_of_a_stream() {
    for (last, wanted) in [(0.5, &["+", "a", "b", "-"][..]), (2.0, &["+", "a", "! Unchecked", "-"])] {
        let first = log([(-1.0, "a"), (last, "b")]);
        let container = Container::new([(-60.0, Some(3.0), first), (3.0, None, log([]))]);
        let mut opened = false;
        let story = Story::follow(move |request| match request.follow {
            true if !std::mem::replace(&mut opened, true) => {
                container.answer(request).cut_after(1.0).silent(2.5)
            }
            true => Reply::of(""),
            false => container.answer(request),
        });
        story.pass(10.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        assert_eq!(outline(&story), wanted);
    }
}

/// The answer took so long that a status reports by then, or soon, the next instance, and another one behind it.
#[tokio::test(start_paused = true)]
async fn a_line_of_the_next_instance_does_not_contradict_the_end_of_a_stream() {
    let (whole, unchecked) = (&["+", "a", "-"][..], &["+", "a", "! Unchecked", "-"][..]);
    // A line from before the start of the next one is this instance's own, or of one that no status reported.
    let cases = [(4.5, 3.0, whole), (4.5, 4.0, unchecked), (6.5, 3.0, whole), (6.5, 4.0, unchecked)];
    for (reported, started, wanted) in cases {
        let container = Container::new([(-60.0, Some(3.0), log([(-1.0, "a")]))]);
        let next = log([(3.6, "b")]);
        let story = Story::follow(move |request| match request.previous {
            true => next.answer(request).after(1.25),
            false => container.answer(request),
        });
        story.pass(reported).await;
        let (ending, started) = (Ending::default(), Some(at(started)));
        story.life.send_replace(Life::Replaced { ending, restart_count: 2, started });
        story.pass(5.0).await;
        assert_eq!(outline(&story), wanted);
    }
}

/// Its stream ended too early and looked complete. The previous log is its own until a further restart takes it away,
/// and all of them started in one second.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_seen_before_a_further_restart_took_its_log_away_is_reported() {
    let container = Container::new([
        (-60.0, Some(3.5), log([(3.1, "a"), (3.4, "lost")])),
        (3.5, Some(3.7), log([(3.6, "b")])),
        (3.7, None, log([(9.0, "c")])),
    ]);
    let mut opened = false;
    let mut story = Story::follow(move |request| match std::mem::replace(&mut opened, true) {
        false => container.answer(request).cut_after(3.3).silent(0.25),
        true => container.answer(request).after(0.25),
    });
    story.pass(3.9).await;
    story.restarts_so_often(2, 3.7);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "-", "restarted 2", "! Between", "c"]);
}

/// Its stream lost its file, and came to its end as the kubelet went away: two statuses too late for another look.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_unchecked_if_the_kubelet_was_away_behind_two_restarts() {
    let dial =
        "Get \"https://node-1:10250/containerLogs/default/web-1/app\": dial tcp: connect: connection refused";
    for (message, is_away) in [(dial, true), ("etcdserver: leader changed", false)] {
        let container = Container::new([
            (-60.0, Some(2.5), log([(-1.0, "a"), (2.0, "lost")])),
            (2.6, Some(2.9), log([(2.7, "b")])),
            (3.0, None, log([(9.0, "c")])),
        ]);
        let mut story = Story::follow(move |request| match container.now() {
            ..1.0 => container.answer(request).cut_after(1.0).silent(3.0),
            ..6.0 => Reply::refusal(500, message),
            _ => container.answer(request),
        });
        story.pass(3.8).await;
        story.restarts_so_often(2, 3.0);
        story.pass(20.0).await;
        let gap: &[&str] = if is_away { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"], gap, &["-", "restarted 2", "c"]].concat(), "{message}");
    }
}

/// Its tail waited for the one before, and meanwhile the node has started another one.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_read_at_once_is_compared_if_its_status_is_old() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(-1.0, "a")])),
        (2.0, Some(4.0), log([(3.5, "b")])),
        (5.0, None, log([(6.0, "c"), (6.1, "d")])),
    ]);
    let (plan, mut opened) = (LogPlan { limit_bytes: Some(2 * 2), ..plan() }, false);
    let mut story =
        Story::begin(plan, Life::Running, move |request| match (container.now(), request.previous) {
            (..0.5, _) => container.answer(request).cut_after(0.5).broken(),
            (..7.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) if !opened => Reply::refusal(400, NO_PREVIOUS),
            (_, previous) => {
                opened |= !previous;
                container.answer(request)
            }
        });
    story.pass(2.5).await;
    story.restarts(2.0);
    story.pass(30.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Behind", "-", "restarted 1", "c", "d", "b"]);
}

/// A line of the third instance was seen in place of the first one's, and then the fourth one had started. Of each
/// there is a report.
#[tokio::test(start_paused = true)]
async fn a_line_of_an_instance_that_is_said_to_be_skipped_is_not_reported_once_more() {
    for (started, gap) in [(5.0, None), (4.0, Some("! Between"))] {
        let (began, mut asked) = (Instant::now(), 0);
        let mut story = Story::follow(move |request| {
            let now = began.elapsed().as_secs_f64();
            asked += usize::from(now >= 5.0 && request.previous);
            match (now, request.previous) {
                (..5.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
                (_, true) if asked > 2 => Reply::refusal(400, NO_PREVIOUS),
                (_, true) => log([(4.5, "c")]).answer(request),
                (..8.2, false) => Reply::of("").silent(if request.follow { 1e6 } else { 0.0 }),
                (_, false) => Reply::of("").silent(11.0).then(line(19.5, "d")).silent(1e6),
            }
        });
        story.pass(5.0).await;
        story.restarts(2.0);
        story.pass(3.0).await;
        story.restarts_so_often(2, started);
        story.pass(15.0).await;
        let mut expected = vec!["+", "! Unchecked", "-", "restarted 1", "! Unchecked", "-", "restarted 2"];
        expected.extend(gap);
        expected.push("d");
        assert_eq!(outline(&story), expected);
    }
}

/// The first instance wrote nothing. The stream brought a line of the second, whose log was rotated before its tail
/// opened it.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_left_to_the_next_instance_and_rotated_away_is_reported_though_none_was_read_before()
{
    let mut follows = 0;
    let mut story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.previous, follows) {
            (true, _) => Reply::refusal(400, NO_PREVIOUS),
            (_, 1) => Reply::of("").silent(5.2).then(line(5.1, "c")).silent(1e6),
            _ => log([(5.15, "d")]).answer(request).silent(1e6),
        }
    });
    story.pass(5.0).await;
    story.restarts(4.0);
    story.pass(20.0).await;
    let said = outline(&story);
    assert_eq!(said[said.len() - 3..], ["restarted 1", "! Between", "d"], "{said:?}");
}

/// The runtime stamps all that it reads at once alike.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_left_to_the_next_instance_is_missing_though_its_log_begins_at_that_instant() {
    let cases =
        [("c", 5.0, None), ("d", 5.0, Some("! Between")), ("c", 6.0, None), ("d", 6.0, Some("! Between"))];
    for (begins, reported, gap) in cases {
        let mut follows = 0;
        let mut story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.previous, follows) {
                (true, _) => Reply::refusal(400, NO_PREVIOUS),
                (_, 1) => Reply::of("").silent(1.0).broken(),
                (_, 2) => Reply::of("").silent(3.0).then(line(5.1, "c")).silent(1e6),
                _ => log([(5.1, begins), (5.1, "e")]).answer(request).silent(1e6),
            }
        });
        story.apiserver_knows(1);
        story.pass(reported).await;
        story.restarts(4.0);
        story.pass(20.0).await;
        let expected: Vec<_> = ["restarted 1"].into_iter().chain(gap).chain([begins, "e"]).collect();
        let said = outline(&story);
        assert_eq!(said[said.len() - expected.len()..], expected, "{said:?}");
    }
}

/// The log of the first instance was removed. In the second in which the next one started, both may have written the
/// line.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_left_to_the_next_instance_is_missing_from_it_though_the_log_before_was_removed() {
    for (started, gap) in [(4.0, Some("! Between")), (5.0, None)] {
        let mut follows = 0;
        let mut story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) => Reply::of(REMOVED),
                (true, 1) => log([(-1.0, "a")]).answer(request).silent(1.0),
                (true, 2) => Reply::of("").silent(5.2).then(line(5.1, "c")).silent(1e6),
                (true, _) => log([(5.15, "d")]).answer(request).silent(1e6),
            }
        });
        story.apiserver_knows(1);
        story.pass(12.0).await;
        story.restarts(started);
        story.pass(20.0).await;
        let removed = format!("! the kubelet reports in place of lines: “{REMOVED}”");
        let mut expected = vec!["+", "a", &removed, "-", "restarted 1"];
        expected.extend(gap);
        expected.push("d");
        assert_eq!(outline(&story), expected);
    }
}

/// The only line of the first instance, whose file was rotated. Its second stream brings it after 20 s.
fn late_line(request: &LogRequest, follows: &mut usize) -> Reply {
    *follows += usize::from(request.follow);
    match (request.follow, *follows) {
        (true, 1) => Reply::of("").silent(1.0).broken(),
        (true, 2) => Reply::of("").silent(20.0).then(line(2.5, "a")).silent(1e6),
        (true, _) => Reply::of("").silent(10.0).then(line(33.0, "b")).silent(1e6),
        (false, _) => Reply::of(""),
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_from_before_the_start_of_the_next_instance_is_shown_though_it_comes_late() {
    let mut follows = 0;
    let mut story = Story::follow(move |request| late_line(request, &mut follows));
    story.pass(10.0).await;
    story.apiserver_knows_since(1, 9.0);
    story.pass(14.0).await;
    assert_eq!(outline(&story), ["+", "a"]);
    story.restarts(9.0);
    story.pass(30.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-", "restarted 1", "b"]);
}

/// The apiserver does not say when the next instance started before its status comes.
#[tokio::test(start_paused = true)]
async fn a_line_of_an_instance_that_was_left_to_the_next_one_is_missing_from_its_own_log() {
    let mut follows = 0;
    let mut story = Story::follow(move |request| late_line(request, &mut follows));
    story.pass(10.0).await;
    story.apiserver_knows(1);
    story.pass(14.0).await;
    story.restarts(9.0);
    story.pass(30.0).await;
    assert_eq!(outline(&story), ["+", "! Unchecked", "-", "restarted 1", "b"]);
}

/// The status of the next instance, or of one behind it, names the second of that line.
#[tokio::test(start_paused = true)]
async fn a_line_of_a_stream_that_was_open_before_the_next_instance_started_is_shown() {
    let cases = [(1, 10.0, &["+", "a"][..]), (1, 0.5, &["+"]), (5, 10.0, &["+", "a"]), (5, 0.5, &["+"])];
    for (restarts, silent, shown) in cases {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (true, 1) => Reply::of("").silent(1.0).broken(),
                (true, 2) => Reply::of("").silent(silent).then(line(12.5, "a")).silent(1e6),
                (true, _) => Reply::of("").silent(1e6),
                (false, _) => Reply::of(""),
            }
        });
        story.apiserver_knows_since(restarts, 12.0);
        story.pass(20.0).await;
        assert_eq!(outline(&story), shown, "{restarts} {silent}");
    }
}
