//! Lines that a tail read and showed before it was known that they are those of a later instance.

use super::*;

/// The log of the next instance is opened before it is recognized, and no line of the first was read.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_are_not_repeated() {
    let container = restarting();
    let mut story = Story::follow(move |request| match container.now() {
        ..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "b"]);
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "b", "a", "last words", "-", "restarted 1 since 7.5", "c"]);
}

/// Its pod stops meeting the condition before its own tail begins, and meets it again later.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_are_marked_though_their_instance_is_not_wanted_any_more() {
    let container = restarting();
    let mut story = Story::follow(move |request| match container.now() {
        ..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.restarts(6.0);
    story.life.send_replace(Life::Dropped);
    story.pass(20.0).await;
    let first = ["+", "b", "a", "last words", "-", "restarted 1 since 7.5", "-"];
    assert_eq!(outline(&story), first);
    story.comes_back();
    story.pass(5.0).await;
    assert_eq!(outline(&story), [&first[..], &["+", "c"]].concat());
}

/// Its pod stops meeting the condition with the status that reports the restart.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_are_marked_though_no_tail_of_their_instance_begins() {
    let container = restarting();
    let story = Story::follow(move |request| match container.now() {
        ..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
        ..20.0 => container.answer(request).cut_after(20.0 - container.now()),
        _ => container.answer(request),
    });
    story.pass(24.0).await;
    assert_eq!(outline(&story), ["+", "b", "a", "last words"]);
    story.life.send_replace(Life::Dropped);
    story.pass(1.0).await;
    assert_eq!(outline(&story), ["+", "b", "a", "last words", "restarted 1 since 7.5", "-"]);
}

/// The stream with them seemed to come to its end, and their own log cannot be had before the pod is gone.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_have_no_end_if_their_own_log_is_refused() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (now @ 7.8..20.0, false) => container.answer(request).cut_after(20.0 - now),
        (_, false) => Reply::refusal(503, "the server is too busy"),
        (_, true) => container.answer(request),
    });
    story.pass(24.0).await;
    story.restarts(6.0);
    story.pass(5.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(1.0).await;
    assert_eq!(outline(&story)[4..7], ["-", "restarted 1 since 7.5", "! Unchecked"]);
}

/// The status reports only the end of the old instance, while the stream is the next one's; then the restart. Gives
/// all that was reported by the first, and by the second.
async fn ended_and_restarted(container: Container) -> [Vec<String>; 2] {
    let mut story = Story::follow(move |request| match container.now() {
        ..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
        ..20.0 => container.answer(request).cut_after(20.0 - container.now()),
        _ => container.answer(request),
    });
    story.pass(19.0).await;
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(5.0)), ..Ending::default() }));
    story.pass(4.0).await;
    let ended = outline(&story);
    story.restarts(6.0);
    story.pass(20.0).await;
    [ended, outline(&story)]
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_reported_while_the_next_instance_writes_shows_each_line_once() {
    let [ended, restarted] = ended_and_restarted(restarting()).await;
    let shown = ["+", "b", "a", "last words", "-"];
    assert_eq!(ended, shown);
    assert_eq!(restarted, [&shown[..], &["restarted 1 since 7.5", "c"]].concat());
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_wrote_nothing_has_none_of_the_next_ones_lines() {
    let next = (6.0, None, log([(7.5, "b"), (29.5, "c")]));
    let [_, restarted] = ended_and_restarted(Container::new([(-60.0, Some(5.0), log([])), next])).await;
    assert_eq!(restarted, ["+", "b", "-", "restarted 1 since 7.5", "c"]);
}

/// Its log is empty, until that of the next one, which has ended too, is in its place: it was rotated, and no status
/// reports its end yet.
#[tokio::test(start_paused = true)]
async fn the_previous_log_that_was_empty_has_the_next_ones_lines_once_that_has_ended() {
    let (rest, mut empty) = (log([(9.0, "c"), (14.0, "d")]), 0);
    let container = Container::new([]);
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (..20.0, false) if request.follow => Reply::of(line(7.5, "b")).silent(1e6),
        (_, true) if empty < 3 => {
            empty += 1;
            Reply::of("")
        }
        _ => rest.answer(request),
    });
    story.pass(20.0).await;
    story.restarts(6.0);
    story.pass(20.0).await;
    let shown = ["+", "b", "! Unchecked", "-", "restarted 1 since 7.5", "! Between", "c", "d"];
    assert_eq!(outline(&story), shown);
}

/// The kubelet does not report the log's instance in time. Later the rest of the old one is read, so that none of it is
/// missing.
#[tokio::test(start_paused = true)]
async fn lines_of_the_next_instance_behind_a_gap_are_handed_over_to_its_tail() {
    for (last_words, first) in [(4.9, 7.5), (5.4, 6.2)] {
        let old = log([(-1.0, "a"), (last_words, "last words")]);
        let container = Container::new([(-60.0, Some(5.5), old), (6.0, None, log([(first, "b")]))]);
        let story = Story::follow(move |request| match (container.now(), request.previous) {
            (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
            (1.0..7.8, _) | (..85.0, true) => Reply::refusal(500, "dial tcp: connection refused"),
            _ => container.answer(request),
        });
        story.pass(90.0).await;
        assert_eq!(outline(&story), ["+", "a", "! Between", "b"]);
        let replaced = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(6.0)) };
        story.life.send_replace(replaced);
        story.pass(20.0).await;
        assert_eq!(outline(&story), ["+", "a", "! Between", "b", "last words", "-"]);
        assert!(story.end().await.0.complete);
    }
}

/// Two restarts, of which the status reports nothing while the lines of the third instance are read.
fn restarting_twice() -> Container {
    Container::new([
        (-60.0, Some(5.0), log([(-1.0, "a")])),
        (6.0, Some(7.8), log([(7.5, "x")])),
        (8.0, None, log([(8.5, "b"), (29.5, "c")])),
    ])
}

#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_are_handed_on_to_the_instance_whose_they_are() {
    let container = restarting_twice();
    let mut story = Story::follow(move |request| match container.now() {
        ..8.6 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "b"]);
    story.restarts(6.0);
    story.restarts(8.0);
    story.pass(20.0).await;
    let end = ["! Unchecked", "-", "restarted 1 since 8.5", "x", "-", "restarted 1 since 8.5", "c"];
    assert_eq!(outline(&story), [&["+", "b"][..], &end].concat());
}

/// The log of the instance before, which has lines, is read last.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_have_no_end_if_the_pod_is_gone_before_their_instance_is_known() {
    let container = restarting_twice();
    let mut story = Story::follow(move |request| match container.now() {
        ..8.6 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.restarts(6.0);
    story.pass(5.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(1.0).await;
    let end = ["! Unchecked", "-", "restarted 1 since 8.5", "x", "! Unchecked", "! Unchecked", "-"];
    assert_eq!(outline(&story), [&["+", "b"][..], &end].concat());
}

#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_are_not_repeated_after_several_restarts_at_once() {
    let container = restarting_twice();
    let mut story = Story::follow(move |request| match container.now() {
        ..8.6 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.restarts_so_often(2, 8.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "b", "! Unchecked", "-", "restarted 2 since 8.5", "c"]);
}

/// They are those of an instance between, and the answer with them looked complete.
#[tokio::test(start_paused = true)]
async fn lines_behind_those_that_were_read_too_early_of_an_instance_between_are_reported() {
    for is_cut in [true, false] {
        let second = if is_cut { log([(7.5, "x"), (19.0, "y")]) } else { log([(7.5, "x")]) };
        let container = Container::new([
            (-60.0, Some(5.0), log([(-1.0, "a")])),
            (6.0, Some(20.0), second),
            (21.0, None, log([(22.0, "b")])),
        ]);
        let mut opened = false;
        let mut story = Story::follow(move |request| match (container.now(), request.follow) {
            (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) if !std::mem::replace(&mut opened, true) => container.answer(request).cut_after(0.1),
            _ => container.answer(request),
        });
        story.pass(22.5).await;
        story.restarts_so_often(2, 21.0);
        story.pass(10.0).await;
        let gap: &[&str] = if is_cut { &["! Between"] } else { &[] };
        let shown = ["+", "x", "a", "-", "restarted 2 since 7.5"];
        assert_eq!(outline(&story), [&shown[..], gap, &["b"]].concat());
    }
}

/// The log of the second instance was the previous one as the third one's was read, and no status reports either yet.
#[tokio::test(start_paused = true)]
async fn none_is_missing_between_lines_that_were_read_too_early_of_two_instances() {
    let began = Instant::now();
    let (second, third) = (log([(-2.9, "b"), (-2.8, "c")]), log([(-2.0, "x"), (-1.9, "y")]));
    let mut story = Story::follow(move |request| match began.elapsed() < Duration::from_secs(1) {
        true if request.previous => second.answer(request),
        _ => third.answer(request),
    });
    story.pass(2.0).await;
    assert_eq!(outline(&story), ["+", "x", "y", "b", "c"]);
    story.restarts_so_often(2, -2.5);
    story.pass(10.0).await;
    let end = ["! Unchecked", "-", "restarted 2 since -2.9"];
    assert_eq!(outline(&story)[5..], end);
}

/// The stream with them came to its end as the kubelet went away, and their own log is gone before it is asked for.
#[tokio::test(start_paused = true)]
async fn lines_that_were_read_too_early_have_no_end_if_the_kubelet_was_away_behind_them() {
    let dial =
        "Get \"https://node-1:10250/containerLogs/default/web-1/app\": dial tcp: connect: connection refused";
    for (message, is_away) in [(dial, true), ("etcdserver: leader changed", false)] {
        let container = Container::new([
            (-60.0, Some(-6.0), log([(-9.0, "a")])),
            (-5.5, Some(-5.0), log([])),
            (-4.0, Some(20.0), log([(7.5, "x"), (19.0, "lost")])),
            (21.0, Some(22.0), log([])),
            (23.0, None, log([(40.0, "c")])),
        ]);
        let mut story = Story::follow(move |request| match container.now() {
            ..7.8 => container.answer(request).cut_after(8.0),
            ..24.0 => Reply::refusal(500, message),
            _ => container.answer(request),
        });
        story.pass(24.0).await;
        story.restarts_so_often(2, -4.0);
        story.restarts_so_often(2, 23.0);
        story.pass(30.0).await;
        let said: Vec<_> = outline(&story).into_iter().filter(|said| !said.ends_with("again")).collect();
        let gap: &[&str] = if is_away { &["! Unchecked"] } else { &[] };
        let shown = ["+", "x", "! Unchecked", "-", "restarted 2 since 7.5"];
        assert_eq!(said, [&shown[..], gap, &["-", "restarted 2", "c"]].concat(), "{message}");
    }
}

/// The line behind them is from the second in which the next instance starts, so that it may be that one's.
#[tokio::test(start_paused = true)]
async fn lines_behind_those_that_were_read_too_early_are_reported_for_one_instance_only() {
    let container = Container::new([
        (-60.0, Some(5.0), log([(-1.0, "a")])),
        (6.0, Some(20.0), log([(7.5, "x"), (19.0, "y")])),
        (21.0, Some(24.5), log([(24.2, "b")])),
        (24.7, None, log([(26.0, "c")])),
    ]);
    let mut opened = false;
    let mut story = Story::follow(move |request| match (container.now(), request.follow) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) if !std::mem::replace(&mut opened, true) => container.answer(request).cut_after(0.1),
        _ => container.answer(request),
    });
    story.pass(24.3).await;
    story.restarts_so_often(2, 21.0);
    story.pass(0.45).await;
    story.restarts(24.7);
    story.pass(10.0).await;
    let shown = ["+", "x", "a", "-", "restarted 2 since 7.5", "! Between", "b", "-", "restarted 1", "c"];
    assert_eq!(outline(&story), shown);
}

/// By then the previous log is that of the second instance, of which no status reports the end, and whose last line has
/// no newline.
#[tokio::test(start_paused = true)]
async fn a_previous_log_that_ends_within_a_line_of_the_next_instance_is_not_its_own() {
    for newline in ["\n", ""] {
        let container = restarting_twice();
        let last = line(7.5, "x").trim_end().to_owned() + newline;
        let previous = line(6.5, "w") + &last;
        let mut story = Story::follow(move |request| match (container.now(), request.previous) {
            (..1.0, _) => container.answer(request).cut_after(1.0).broken(),
            (1.0..8.02, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) if request.tail_lines == Some(1) => Reply::of(last.clone()),
            (_, true) => Reply::of(previous.clone()),
            (_, false) => container.answer(request),
        });
        story.pass(8.05).await;
        story.restarts(6.0);
        story.pass(20.0).await;
        assert_eq!(outline(&story)[..4], ["+", "a", "! Unchecked", "-"], "{newline:?}");
    }
}

/// A line of the previous log is from the second in which the next instance started, and a further restart takes that log
/// away before it is compared.
#[tokio::test(start_paused = true)]
async fn a_gap_before_lines_that_were_read_too_early_does_not_name_them() {
    let container = Container::new([
        (-60.0, Some(-0.6), log([(-0.8, "a")])),
        (-0.55, Some(1.0), log([(-0.3, "b"), (0.3, "c"), (0.8, "d")])),
        (1.2, None, log([(2.0, "e")])),
    ]);
    let mut story = Story::follow(move |request| match request.previous && !is_look(request) {
        true => container.answer(request).after(1.0),
        false => container.answer(request),
    });
    story.pass(0.5).await;
    story.restarts(-0.55);
    story.pass(10.0).await;
    let gap = format!("! {:?}", Gap::Between(None, Some(at(-0.3).into())));
    let unread = "! Unchecked(None)";
    assert_eq!(story.said(), ["+", "b", "c", unread, "-", "restarted 1 since -0.3", &gap, "d"]);
}
