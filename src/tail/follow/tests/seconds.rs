//! Statuses have whole seconds, so that lines of one instance may seem to be another's.

use super::*;

/// The lines are from the second in which the instance ended, which a later one could have written too.
#[tokio::test(start_paused = true)]
async fn a_previous_log_of_the_instance_before_is_not_its_own() {
    let old = log([(-1.0, "a"), (5.1, "last words")]);
    let new = log([(6.1, "b")]);
    let container = Container::new([(-60.0, Some(5.2), old.clone()), (5.5, None, new.clone())]);
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (7.0.., true) => old.answer(request),
        (7.0.., false) => new.answer(request),
        _ => container.answer(request),
    });
    story.pass(7.0).await;
    story.restarts(5.5);
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(6.0)), ..Ending::default() }));
    story.pass(40.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words", "-", "restarted 1", "b", "-"]);
}

/// The bytes that are wanted end before the last words of the first instance.
#[tokio::test(start_paused = true)]
async fn a_previous_log_of_an_instance_that_was_not_read_to_its_end_is_not_the_next_ones() {
    let (old, new, mut current) = (log([(-1.0, "a"), (5.1, "last words")]), log([(6.1, "b")]), 0);
    let plan = LogPlan { limit_bytes: Some(2), ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| match request.previous {
        true => old.answer(request),
        false => {
            current += 1;
            if current == 1 { old.answer(request) } else { new.answer(request) }
        }
    });
    story.pass(7.0).await;
    story.restarts(5.5);
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(6.0)), ..Ending::default() }));
    story.pass(40.0).await;
    assert_eq!(outline(&story), ["+", "a", "-", "restarted 1", "b", "-"]);
}

/// The answer with its log was cut, and looked complete.
#[tokio::test(start_paused = true)]
async fn a_previous_log_whose_end_was_not_confirmed_is_not_the_next_ones() {
    let (old, new, mut current) =
        (log([(-1.0, "a"), (5.51, "last words")]), log([(6.0, "b"), (9.0, "c")]), 0);
    let plan = LogPlan { confirm: false, ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| match request.previous {
        true if request.tail_lines.is_none() => Reply::of(line(-1.0, "a")),
        true => old.answer(request),
        false => {
            current += 1;
            if current == 1 {
                Reply::of(line(-1.0, "a")).silent(5.7)
            } else {
                new.answer(request).silent(2.0)
            }
        }
    });
    story.pass(5.6).await;
    story.restarts(5.55);
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "a", "-", "restarted 1", "b", "c"]);
}

/// Two restarts follow, which the status reports at once.
#[tokio::test(start_paused = true)]
async fn lines_of_a_stream_that_was_open_before_a_restart_are_not_the_next_instances() {
    let container = Container::new([
        (-60.0, Some(5.4), log([(5.2, "a")])),
        (5.5, Some(5.6), log([])),
        (5.7, None, log([(9.0, "c")])),
    ]);
    let mut story = Story::follow(move |request| container.answer(request));
    story.pass(5.75).await;
    story.restarts_so_often(2, 5.7);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "-", "restarted 2", "c"]);
}

#[tokio::test(start_paused = true)]
async fn lines_that_a_rotation_took_away_before_a_restart_stay_the_instances_own() {
    let old = log([(5.1, "a"), (5.2, "lost"), (5.3, "last words")]);
    let container = Container::new([(-60.0, Some(5.35), old), (5.5, None, log([(8.0, "b")]))]);
    let mut asked = 0;
    let mut story = Story::follow(move |request| {
        asked += 1;
        match container.now() {
            _ if asked == 1 => Reply::of(line(5.1, "a")).after(5.12).broken(),
            ..5.5 => Reply::refusal(500, "dial tcp: connection refused"),
            now if request.previous => log([(5.3, "last words")]).answer_at(now, None, request),
            _ => container.answer(request),
        }
    });
    story.pass(5.6).await;
    story.restarts(5.5);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Between", "last words", "-", "restarted 1", "b"]);
}

/// The previous log ends with the lines that were shown too early: they are those of the instance in between.
#[tokio::test(start_paused = true)]
async fn behind_the_whole_log_of_an_instance_in_between_nothing_is_missing() {
    let container = Container::new([
        (-60.0, Some(5.0), log([(-1.0, "a")])),
        (5.2, Some(7.2), log([(7.0, "b")])),
        (7.3, None, log([(9.0, "c")])),
    ]);
    let mut story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(2.0).broken(),
        1.0..7.4 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.restarts_so_often(2, 7.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Between", "b", "! Unchecked", "-", "restarted 2 since 7", "c"]);
}

/// The runtime keeps the last line of the instance before in pieces, and a request for one line brings the last piece.
#[tokio::test(start_paused = true)]
async fn the_last_piece_of_a_line_of_the_instance_before_is_not_its_own() {
    let long = "x".repeat(4096);
    let old = log([(-1.0, "a"), (5.1, &long)]);
    let new = log([(6.0, "b"), (8.0, "c")]);
    let container = Container::new([(-60.0, Some(5.2), old), (5.3, None, new.clone())]);
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (5.3.., true) if request.tail_lines == Some(1) => Reply::of(line(5.15, "xx")),
        (5.3..7.0, _) if request.follow => {
            container.answer(request).cut_after(7.0 - container.now()).broken()
        }
        // It is rotated.
        (7.0.., false) => new.from(7.0).answer_at(container.now(), None, request),
        _ => container.answer(request),
    });
    story.pass(5.5).await;
    story.restarts(5.3);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", &long, "-", "restarted 1", "b", "! Between", "c"]);
}

/// The third instance is there before the first stream ends, and the status reports the second one.
#[tokio::test(start_paused = true)]
async fn lines_from_before_the_lines_of_the_previous_log_are_not_the_next_instances() {
    let container = Container::new([
        (-60.0, Some(0.221), log([(0.05, "a"), (0.22, "b")])),
        (0.222, Some(0.226), log([(0.225, "c")])),
        (0.228, None, log([(8.0, "d")])),
    ]);
    let mut asked = 0;
    let mut story = Story::follow(move |request| {
        asked += 1;
        match asked {
            1 => Reply::of(line(0.05, "a") + &line(0.22, "b")).after(0.23),
            _ => container.answer(request),
        }
    });
    story.pass(0.24).await;
    story.restarts(0.222);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "! Between", "c", "-", "restarted 1", "d"]);
}

/// Four instances started in one second, and the stream that was read goes on long behind that.
#[tokio::test(start_paused = true)]
async fn lines_that_go_on_long_after_the_end_of_an_instance_are_not_its_own() {
    let mut story = Story::follow(|request| match request.follow {
        true => log([(1.5, "b"), (5.0, "c")]).answer(request).silent(1e6),
        false => Reply::of(REMOVED),
    });
    story.restarts(1.0);
    story.pass(6.0).await;
    story.restarts_so_often(2, 1.0);
    story.pass(5.0).await;
    let said = story.said();
    assert!(
        said.ends_with(&["b", "c", "! Unchecked(None)", "-", "restarted 2 since 1.5"].map(String::from)),
        "{said:?}"
    );
}

/// The current log is empty, and the previous one ends in the second in which the instance started.
#[tokio::test(start_paused = true)]
async fn the_previous_log_is_that_of_an_instance_that_waits_or_is_replaced() {
    let (empty, whole) = (["+", "-"].as_slice(), ["+", "b", "-"].as_slice());
    for (current, waits, expected) in [(1, false, empty), (1, true, whole), (2, false, whole)] {
        let container = Container::new([(-8.0, Some(-7.5), log([(-7.7, "b")])), (-2.0, None, log([]))]);
        let life = Life::Terminated(Ending { finished: Some(at(-8.0)), ..Ending::default() });
        let setup = Setup { life, restart_count: 1, started: Some(-8.0), ..Setup::new(plan()) };
        let story = setup.begin(move |request| container.answer(request));
        story.apiserver_knows(current);
        if waits {
            story.apiserver_knows_that_it_waits();
        }
        let (_, said, _) = story.end().await;
        assert_eq!(said, expected, "{current} {waits}");
    }
}

/// The same, but the node has removed the previous log: perhaps as usual, since the pod is being deleted.
#[tokio::test(start_paused = true)]
async fn a_removed_log_of_an_instance_that_waits_or_is_replaced_is_reported() {
    let (empty, lost) = (["+", "-"].as_slice(), ["+", "!", "-"].as_slice());
    for (current, waits, expected) in [(1, false, empty), (1, true, lost), (2, false, lost)] {
        for deleting in [false, true] {
            let ending = Ending { finished: Some(at(-8.0)), deleting, ..Ending::default() };
            let life = Life::Terminated(ending);
            let setup = Setup { life, restart_count: 1, started: Some(-8.0), ..Setup::new(plan()) };
            let story = setup.begin(|request| Reply::of(if request.previous { REMOVED } else { "" }));
            story.apiserver_knows(current);
            if waits {
                story.apiserver_knows_that_it_waits();
            }
            story.pass(60.0).await;
            let said = outline(&story);
            let kinds: Vec<_> =
                said.iter().map(|said| if said.starts_with('!') { "!" } else { said }).collect();
            assert_eq!(kinds, expected, "{current} {waits} {deleting}: {said:?}");
        }
    }
}
