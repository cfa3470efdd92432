//! Instances that ended before they were seen, or before their logs could be read.

use super::*;
use crate::plan::Since;

#[tokio::test(start_paused = true)]
async fn an_instance_that_ended_before_it_was_seen_is_reported() {
    let setup = Setup { restart_count: 1, fresh: true, ..Setup::new(plan()) };
    let story = setup.begin(|_| Reply::of(line(-1.0, "b")).silent(1e6));
    story.pass(5.0).await;
    let told = "! had restarted before it was seen; what it wrote earlier was not read";
    assert_eq!(story.said(), ["+", told, "b"]);
    story.life.send_replace(Life::Deleted);
    assert!(!story.end().await.0.complete);
}

/// Neither the log of the first instance nor that of the second could be read in time.
#[tokio::test(start_paused = true)]
async fn instances_between_one_that_was_not_read_and_the_next_are_reported() {
    let began = Instant::now();
    let setup = Setup { fresh: true, ..Setup::new(plan()) };
    let mut story = setup.begin(move |_| match began.elapsed() < Duration::from_secs(4) {
        true => Reply::refusal(500, "dial tcp: connection refused"),
        false => Reply::of(line(3.5, "c")).silent(1e6),
    });
    story.pass(3.0).await;
    story.restarts_so_often(2, 3.0);
    story.pass(10.0).await;
    let told = "! had restarted before it was seen; what it wrote earlier was not read";
    assert_eq!(outline(&story), ["! the log was removed before it could be read", "+", told, "c"]);
}

/// The first instance ran before the program did. A line of the second came in place of its lines, and then the third
/// had started.
#[tokio::test(start_paused = true)]
async fn a_line_of_a_skipped_instance_is_not_reported_once_more_behind_one_that_ran_before_the_program() {
    let mut follows = 0;
    let mut story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (false, _) => Reply::refusal(400, NO_PREVIOUS),
            (true, 1) => Reply::of("").silent(1.0).broken(),
            (true, 2) => Reply::of("").silent(5.2).then(line(5.1, "b")).silent(1e6),
            (true, _) => log([(9.1, "c")]).answer(request).silent(1e6),
        }
    });
    story.pass(2.0).await;
    story.apiserver_knows(1);
    story.pass(6.0).await;
    story.restarts_so_often(2, 9.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "! Unchecked", "-", "restarted 2", "c"]);
}

#[tokio::test(start_paused = true)]
async fn instances_before_one_that_could_not_be_read_are_reported() {
    let mut story = Story::follow(|request| match request.since {
        None => Reply::of(line(-1.0, "a")).silent(3.0),
        Some(_) => Reply::refusal(500, "dial tcp: connection refused"),
    });
    story.pass(2.0).await;
    story.restarts_so_often(2, 3.0);
    story.life.send_replace(Life::Deleted);
    let (_, said, _) = story.end().await;
    let told = "! had restarted before it was seen; what it wrote earlier was not read";
    assert_eq!(said[said.len() - 2..], [told, "! the log was removed before it could be read"]);
}

/// The node has the log of a later instance in its place.
#[tokio::test(start_paused = true)]
async fn an_instance_that_ended_before_it_was_seen_and_whose_log_is_gone_is_reported_by_the_next() {
    let life = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(-9.0)) };
    let setup = Setup { life, fresh: true, ..Setup::new(plan()) };
    let mut story = setup.begin(|request| match request.previous {
        true => Reply::of(line(-3.0, "b")),
        false => Reply::of(line(-1.0, "c")).silent(if request.follow { 1e6 } else { 0.0 }),
    });
    story.restarts(-9.0);
    story.pass(5.0).await;
    let told = "! had restarted before it was seen; what it wrote earlier was not read";
    // The previous log is that of the next one.
    assert_eq!(outline(&story), ["+", "-", "+", told, "b"]);
}

/// The container restarts again while lines from the second of its last restart are compared.
#[tokio::test(start_paused = true)]
async fn lines_of_an_instance_before_that_are_gone_when_they_are_requested_again_are_reported() {
    for again in [Reply::of(line(-1.0, "b")), Reply::refusal(400, NO_PREVIOUS)] {
        let life = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(-3.0)) };
        let (mut opened, mut looks, mut again) = (0, 0, Some(again));
        let story = Setup { life, ..Setup::new(as_it_is()) }.begin(move |request| {
            let is_look = is_look(request);
            looks += usize::from(is_look && request.previous);
            opened += usize::from(!is_look);
            match (request.previous, is_look) {
                (false, _) => Reply::of(""),
                (true, true) if looks == 1 => Reply::of(line(-2.9, "a")),
                (true, false) if opened == 1 => Reply::of(line(-2.9, "a")),
                (true, false) if opened == 2 => again.take().expect("one request"),
                (true, _) => Reply::of(line(-1.0, "b")),
            }
        });
        story.apiserver_knows(1);
        let (ended, said, _) = story.end().await;
        assert_eq!(said, ["+", "! Unchecked(None)", "-"]);
        assert!(!ended.complete);
    }
}

/// Half of it came, and the log that is asked for next is a later one.
#[tokio::test(start_paused = true)]
async fn a_first_line_within_which_an_answer_broke_off_is_reported_if_the_log_begins_later() {
    let half = || Reply::of(line(-1.0, "a").trim_end());
    for half in [half().broken(), half()] {
        let mut half = Some(half);
        let story =
            Story::follow(move |_| half.take().unwrap_or_else(|| Reply::of(line(2.5, "b")).silent(1e6)));
        story.pass(10.0).await;
        assert_eq!(outline(&story), ["+", "! Between", "b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_line_within_which_an_answer_broke_off_is_not_missing_if_it_comes_again() {
    let mut half = true;
    let story = Story::follow(move |_| match std::mem::take(&mut half) {
        true => Reply::of(line(-1.0, "a").trim_end()).broken(),
        false => Reply::of(line(-1.0, "a and more") + &line(2.5, "b")).silent(1e6),
    });
    story.pass(10.0).await;
    assert_eq!(outline(&story), ["+", "a and more", "b"]);
}

/// It is behind the range, before it, or not among the last lines any more.
#[tokio::test(start_paused = true)]
async fn a_first_line_that_was_not_asked_for_is_not_missed() {
    let since = Some(Since::Time(at(-0.5)));
    let plans = [
        (LogPlan { until: Some(at(-2.0)), ..plan() }, false),
        (LogPlan { since, ..plan() }, true),
        (LogPlan { tail: Some(1), ..plan() }, true),
    ];
    for (plan, is_shown) in plans {
        let mut half = true;
        let story = Story::begin(plan, Life::Running, move |request| match std::mem::take(&mut half) {
            true => Reply::of(line(-1.0, "a").trim_end()).broken(),
            false => Reply::of(line(0.5, "b")).silent(if request.follow { 1e6 } else { 0.0 }),
        });
        story.pass(10.0).await;
        assert_eq!(story.notices(), [""; 0]);
        assert_eq!(story.said().contains(&"b".to_owned()), is_shown, "{:?}", story.said());
    }
}

/// What is there by then is empty.
#[tokio::test(start_paused = true)]
async fn a_first_line_within_which_an_answer_broke_off_is_reported_if_no_line_comes() {
    let mut half = true;
    let story = Story::begin(as_it_is(), Life::Running, move |_| match std::mem::take(&mut half) {
        true => Reply::of(line(-1.0, "a").trim_end()).broken(),
        false => Reply::of(""),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said, ended.complete), (["+", "! Unchecked(None)", "-"].map(str::to_owned).to_vec(), false));
}

/// The container restarts behind the list of its pod.
#[tokio::test(start_paused = true)]
async fn the_log_of_an_instance_is_read_though_it_is_the_previous_one_before_it_is_asked_for() {
    let life = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(-3.0)) };
    let (first, second) = (log([(-9.0, "a"), (-2.9, "b")]), log([(-2.0, "c"), (-1.0, "d")]));
    let mut opened = false;
    let mut story = Setup { life, ..Setup::new(as_it_is()) }.begin(move |request| match request.previous {
        true if !std::mem::replace(&mut opened, true) => first.answer(request),
        true => second.answer(request),
        false => Reply::of(""),
    });
    story.restarts(-3.0);
    story.pass(5.0).await;
    let expected = ["+", "a", "! Unchecked", "-", "restarted 1", "! Between", "c", "d", "-"];
    assert_eq!(outline(&story), expected);
}

/// The first answer takes long, and the container restarts meanwhile; the next instance writes nothing.
#[tokio::test(start_paused = true)]
async fn the_log_of_an_instance_is_read_though_an_empty_one_came_late_in_its_place() {
    for (known, expected) in [(1, &["+", "a", "b", "-"][..]), (0, &["+", "-"])] {
        let old = log([(-9.0, "a"), (-1.0, "b")]);
        let story = Story::begin(as_it_is(), Life::Running, move |request| match request.previous {
            true => old.answer(request),
            false if is_look(request) => Reply::of(""),
            false => Reply::of("").after(2.0),
        });
        story.apiserver_knows(known);
        let (_, said, _) = story.end().await;
        assert_eq!(said, expected, "{known}");
    }
}

/// The container restarts behind the list of its pod, and then writes.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_left_to_the_instance_is_read_though_the_next_one_writes_before_it_is_asked_for() {
    let gone = "! the log of the previous instance is not there any more; the current one follows";
    // The apiserver knows of that restart, or does not yet; the log may be gone by then.
    let cases = [(2, true, &["c", "d"][..]), (1, true, &["! Between", "e"]), (2, false, &[])];
    for (known, is_kept, shown) in cases {
        let life = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(-3.0)) };
        let (second, third) = (log([(-2.0, "c"), (-1.0, "d")]), log([(-0.5, "e")]));
        let mut requests = 0;
        let mut story = Setup { life, ..Setup::new(as_it_is()) }.begin(move |request| {
            requests += usize::from(request.previous);
            match request.previous {
                true if is_kept || requests <= 2 => second.answer(request),
                true => Reply::refusal(400, NO_PREVIOUS),
                false => third.answer(request),
            }
        });
        story.had_restarted(-3.0);
        story.apiserver_knows(known);
        story.pass(20.0).await;
        let removed = "! the log was removed before it could be read";
        let expected: Vec<_> = match is_kept {
            true => ["+", gone, "-", "+"].into_iter().chain(shown.iter().copied()).chain(["-"]).collect(),
            false => vec!["+", gone, "-", removed],
        };
        assert_eq!(outline(&story), expected, "{known} {is_kept}");
    }
}

/// A first line from the second in which the next instance started is compared, and then that one was replaced too: its
/// log begins later.
#[tokio::test(start_paused = true)]
async fn a_first_line_that_was_left_to_an_instance_whose_log_begins_later_is_reported() {
    let gone = "! the log of the previous instance is not there any more; the current one follows";
    for (first, gap) in [("a", Some("! Between")), ("c", None)] {
        let at_first = if gap.is_some() { -2.9 } else { -2.0 };
        let life = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(-3.0)) };
        let (first, second) = (log([(at_first, first)]), log([(-2.0, "c"), (-1.5, "d")]));
        let mut requests = 0;
        let mut story = Setup { life, ..Setup::new(plan()) }.begin(move |request| {
            requests += usize::from(request.previous);
            match request.previous {
                true if requests <= 2 => first.answer(request),
                true => second.answer(request),
                false => log([(-0.5, "e")]).answer(request).silent(if request.follow { 1e6 } else { 0.0 }),
            }
        });
        story.had_restarted(-3.0);
        story.restarts(-0.6);
        story.pass(20.0).await;
        let expected =
            ["+", gone, "-", "+"].into_iter().chain(gap).chain(["c", "d", "-", "restarted 1", "e"]);
        assert_eq!(outline(&story), expected.collect::<Vec<_>>());
    }
}

/// The first instance was there before the program. A line of the second was seen in place of its log, and then the
/// third had started. Of each there is a report.
#[tokio::test(start_paused = true)]
async fn a_line_of_a_skipped_instance_behind_an_older_one_that_was_not_read_is_not_reported_once_more() {
    let began = Instant::now();
    let mut story = Story::follow(move |request| {
        let now = began.elapsed().as_secs_f64();
        match (now, request.previous) {
            (..11.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) => log([(1.0, "a")]).answer(request),
            (..40.0, false) => {
                log([(10.5, "b")]).answer(request).silent(if request.follow { 1e6 } else { 0.0 })
            }
            (_, false) => log([(42.0, "c")]).answer(request).silent(1e6),
        }
    });
    story.pass(5.0).await;
    story.apiserver_knows(1);
    story.pass(35.5).await;
    story.restarts_so_often(2, 41.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "! Unchecked", "-", "restarted 2", "c"]);
}

/// The log of the second one refused to open until the third was there. A look at it as the end of the first was sought
/// had shown a line.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_seen_beside_the_previous_log_and_never_came_is_reported() {
    let container = Container::new([
        (-60.0, Some(5.4), log([(-1.0, "a"), (5.1, "b"), (5.3, "c")])),
        (5.5, Some(9.0), log([(7.0, "x")])),
        (9.5, None, log([(10.0, "y")])),
    ]);
    let mut story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(5.2).broken(),
        ..9.6 if request.follow => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(7.2).await;
    story.restarts(5.0);
    story.pass(10.0).await;
    let gap = format!("! {:?}", Gap::Between(Some(at(5.3).into()), Some(at(10.0).into())));
    let said = story.said();
    println!("{said:#?}");
    assert_eq!(outline(&story), ["+", "a", "b", "c", "-", "restarted 1", "! Between", "y"]);
    assert!(said.contains(&gap), "{said:?}");
}

/// The node does not answer whose log it is, and then the file with the line is rotated away.
#[tokio::test(start_paused = true)]
async fn a_line_in_doubt_that_is_rotated_away_before_it_is_known_whose_it_is_is_reported() {
    let first = || (-60.0, Some(5.0), log([(-1.0, "a"), (4.0, "b")]));
    let container = Container::new([first(), (5.1, None, log([(7.0, "x"), (12.0, "y")]))]);
    let rotated = Container::new([first(), (5.1, None, log([(12.0, "y")]))]);
    let mut story = Story::follow(move |request| match container.now() {
        ..7.0 => container.answer(request),
        ..8.0 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => rotated.answer(request),
    });
    story.pass(10.0).await;
    story.restarts(5.0);
    story.pass(10.0).await;
    let gap = format!("! {:?}", Gap::Between(Some(at(4.0).into()), Some(at(12.0).into())));
    assert_eq!(outline(&story), ["+", "a", "b", "-", "restarted 1", "! Between", "y"]);
    assert!(story.said().contains(&gap), "{:?}", story.said());
}

/// The same, and what is left begins behind the range, whose time is over as it is read.
#[tokio::test(start_paused = true)]
async fn a_line_in_doubt_that_is_rotated_away_is_reported_once_if_the_log_goes_on_behind_the_range() {
    let first = || (-60.0, Some(5.0), log([(-1.0, "a"), (4.0, "b")]));
    let container = Container::new([first(), (5.1, None, log([(7.0, "x"), (12.0, "y")]))]);
    let rotated = Container::new([first(), (5.1, None, log([(12.0, "y")]))]);
    let plan = LogPlan { until: Some(at(11.0)), ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| match container.now() {
        ..7.0 => container.answer(request),
        ..8.0 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => rotated.answer(request),
    });
    story.pass(14.0).await;
    story.restarts(5.0);
    story.pass(10.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "-", "restarted 1", "! Between", "-"]);
}

/// Standard error is stamped a moment before standard output: the last line, which a look had shown, is older than the
/// first one.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_seen_beside_the_previous_log_is_not_missing_before_the_first_one_if_it_is_behind() {
    for (last, gap) in [(6.997, None), (6.998, Some("! Between"))] {
        let old = || (-60.0, Some(5.4), log([(-1.0, "a"), (5.1, "b"), (5.3, "c")]));
        let seen = Container::new([old(), (5.5, None, log([(7.0, "x"), (6.997, "y")]))]);
        let read = Container::new([old(), (5.5, None, log([(7.0, "x"), (last, "y")]))]);
        let mut story = Story::follow(move |request| match seen.now() {
            ..1.0 => seen.answer(request).cut_after(5.2).broken(),
            ..9.6 if request.follow => Reply::refusal(500, "dial tcp: connection refused"),
            ..9.6 => seen.answer(request),
            _ => read.answer(request),
        });
        story.pass(7.2).await;
        story.restarts(5.0);
        story.pass(10.0).await;
        let expected = ["+", "a", "b", "c", "-", "restarted 1"].into_iter().chain(gap).chain(["x", "y"]);
        assert_eq!(outline(&story), expected.collect::<Vec<_>>());
    }
}

/// Instances before this one were not read, and this one wrote nothing.
#[tokio::test(start_paused = true)]
async fn a_past_instance_without_lines_is_incomplete_if_instances_before_it_were_not_read() {
    for restart_count in [0, 2] {
        let started = Some(at(-3.0));
        let life = Life::Replaced { ending: Ending::default(), restart_count: restart_count + 1, started };
        let setup = Setup { life, restart_count, fresh: true, ..Setup::new(plan()) };
        let (ended, said, _) = setup.begin(|_| Reply::of("")).end().await;
        let is_reported = said.iter().any(|said| said.starts_with("! had restarted before it was seen"));
        assert_eq!((is_reported, ended.complete), (restart_count > 0, restart_count == 0), "{said:?}");
    }
}
