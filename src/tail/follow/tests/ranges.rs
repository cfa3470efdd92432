//! `--until`: how the log of a range ends.

use super::*;

/// Followed until then.
fn until(seconds: f64) -> LogPlan {
    LogPlan { until: Some(at(seconds)), ..plan() }
}

/// A container that writes twice a second, from ten seconds ago on.
fn twice_a_second() -> Container {
    Container::writing((0..100).map(|n| f64::from(n) / 2.0 - 10.0))
}

/// The lines of [`twice_a_second`] before 5 s.
fn wanted() -> Vec<String> {
    (0..30).map(|n| n.to_string()).collect()
}

fn shown(said: &[String]) -> Vec<String> {
    said.iter().filter(|said| said.bytes().all(|byte| byte.is_ascii_digit())).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_ends_behind_its_range() {
    let container = twice_a_second();
    let began = Instant::now();
    let story = Story::begin(until(5.0), Life::Running, move |request| container.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!((shown(&said), ended.complete), (wanted(), true));
    assert!(asked.len() <= 2 && began.elapsed() < Duration::from_secs(8), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_quiet_log_is_confirmed_when_its_time_is_over() {
    let container = Container::writing([-1.0, 1.0]);
    let began = Instant::now();
    let story = Story::begin(until(5.0), Life::Running, move |request| container.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!((shown(&said).len(), ended.complete, asked.len()), (2, true, 2));
    assert!(is_look(&asked[1].1) && began.elapsed() < Duration::from_secs(8), "{asked:?}");
}

/// The stream delivers nothing from 2 s on.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_behind_when_its_time_is_over_is_read_on() {
    let container = twice_a_second();
    let story = Story::begin(until(5.0), Life::Running, move |request| {
        let answer = container.answer(request);
        if request.follow { answer.cut_after(2.0).silent(1000.0) } else { answer }
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((shown(&said), ended.complete), (wanted(), true));
}

#[tokio::test(start_paused = true)]
async fn a_polled_log_is_read_once_more_when_its_time_is_over() {
    let container = twice_a_second();
    let story = Story::begin(until(5.0), Life::Running, move |request| match request.follow {
        true => Reply::of("failed to create fsnotify watcher: too many open files"),
        false => container.answer(request),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((shown(&said), ended.complete), (wanted(), true));
}

/// Its next turn would come much later.
#[tokio::test(start_paused = true)]
async fn a_quiet_log_that_is_polled_does_not_delay_the_end() {
    let container = Container::writing([-1.0, 1.0, 99.0]);
    let began = Instant::now();
    let story = Story::begin(until(100.0), Life::Running, move |request| match request.follow {
        true => Reply::of("failed to create fsnotify watcher: too many open files"),
        false => container.answer(request),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((shown(&said).len(), ended.complete), (3, true));
    assert!(began.elapsed() < Duration::from_secs(103), "{:?}", began.elapsed());
}

/// A clock that is set back a little might bring more before the end.
#[tokio::test(start_paused = true)]
async fn a_line_just_behind_a_range_is_read_past_and_proves_the_end() {
    let log = Written::numbered([-20.0, -11.0, -9.5, -10.5, -9.0]);
    let plan = LogPlan { until: Some(at(-10.0)), ..as_it_is() };
    let story = Story::begin(plan, Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!((shown(&said).join(" ").as_str(), ended.complete, asked.len()), ("0 1 3", true, 1));
}

/// The line before it was rotated away; the clock of its node is ahead.
#[tokio::test(start_paused = true)]
async fn a_gap_before_the_line_behind_a_range_is_reported_once() {
    let mut asked = 0;
    let story = Story::begin(until(5.0), Life::Running, move |request| {
        asked += 1;
        let behind = || line(5.5, "b") + &line(5.6, "c");
        match (asked, is_look(request), request.follow) {
            (1, ..) => Reply::of(line(1.0, "a")).broken(),
            (_, true, _) => Reply::of(line(5.6, "c")),
            (_, _, true) => Reply::of(behind()).silent(1000.0),
            _ => Reply::of(behind()),
        }
    });
    let (ended, said, asked) = story.end().await;
    let gaps = said.iter().filter(|said| said.starts_with("! Between")).count();
    assert!(gaps == 1 && asked.len() > 3 && !ended.complete, "{said:?} {asked:?}");
}

/// The node cannot be reached from 3 s on.
#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_to_the_end_of_its_range_is_given_up_and_reported() {
    let container = twice_a_second();
    let began = Instant::now();
    let story = Story::begin(until(5.0), Life::Running, move |request| match container.now() {
        ..3.0 => container.answer(request).cut_after(3.0).broken(),
        _ => Reply::refusal(500, "dial tcp: connection refused"),
    });
    let (ended, said, _) = story.end().await;
    assert!(!ended.complete && shown(&said).len() < 30, "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

/// The answer breaks within the range and behind it.
#[tokio::test(start_paused = true)]
async fn a_range_in_the_past_is_complete_over_breaks() {
    for tail in [None, Some(3), Some(1000)] {
        let log = Written::numbered((0..40).map(|n| f64::from(n) - 40.0));
        let mut asked = 0;
        let plan = LogPlan { until: Some(at(-10.0)), tail, ..as_it_is() };
        let story = Story::begin(plan, Life::Running, move |request| {
            asked += 1;
            let reply = log.until(if asked % 2 == 1 { -25.0 } else { 0.0 }).answer(request);
            if asked % 2 == 1 { reply.broken() } else { reply }
        });
        let (ended, said, asked) = story.end().await;
        let first = 30_usize.saturating_sub(tail.unwrap_or(1000) as usize);
        let lines: Vec<String> = (first..30).map(|n| n.to_string()).collect();
        assert_eq!((shown(&said), ended.complete), (lines, true), "--tail {tail:?}: {asked:?}");
    }
}

/// They are counted from the end of an answer, which ends early and looks complete.
#[tokio::test(start_paused = true)]
async fn the_last_lines_of_a_range_are_not_those_of_an_answer_that_was_cut() {
    let log = Written::numbered((0..10).map(|n| f64::from(n) - 20.0));
    let mut first = true;
    let plan = LogPlan { until: Some(at(-9.0)), tail: Some(2), ..as_it_is() };
    let story = Story::begin(plan, Life::Running, move |request| match std::mem::take(&mut first) {
        true => log.until(-15.0).answer(request),
        false => log.answer(request),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ 8 9 -", true));
}

/// A container has ended before the range does, and its log takes its time.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_log_may_take_longer_than_its_range() {
    let log = Written::numbered([-3.0, -2.0, -1.0]);
    let story = Story::begin(until(1.0), stopped(), move |request| match is_look(request) {
        true => log.answer(request),
        false => Reply::of(line(-3.0, "0")).silent(20.0).then(line(-2.0, "1") + &line(-1.0, "2")),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((shown(&said).len(), ended.complete), (3, true), "{said:?}");
}

/// The watch, which would report the end of its pod, may be out of reach.
#[tokio::test(start_paused = true)]
async fn a_log_that_its_node_removed_ends_with_its_time_though_no_status_tells_of_it() {
    let (log, mut asked) = (Written::numbered([-9.0, -5.0]), 0);
    let story = Story::begin(until(5.0), Life::Terminating, move |request| {
        asked += 1;
        match asked {
            1 => log.answer(request),
            _ => Reply::refusal(404, "pods \"web-1\" not found"),
        }
    });
    story.apiserver_knows(1);
    let (ended, ..) = timeout(Duration::from_secs(60), story.end()).await.expect("an end");
    assert_eq!(ended.reason, Reason::Deleted);
}

/// A runtime keeps a long line in pieces, and `--tail` counts these. Each has its own stamp.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_line_that_was_shown_is_found_in_the_whole_line() {
    for later in [0.0, 0.1] {
        let plan = LogPlan { tail: Some(1), ..plan() };
        let story = Story::begin(plan, Life::Running, move |request| {
            match request.tail_lines.is_some() && request.since.is_none() {
                true => Reply::of(line(later - 1.0, "the end")).broken(),
                false => Reply::of(line(-1.0, "the beginning and the end") + &line(0.5, "b")).silent(1e6),
            }
        });
        story.pass(20.0).await;
        assert_eq!(outline(&story), ["+", "the end", "b"], "{later} s later");
    }
}

/// It was read by the tail of the one before, as its own.
#[tokio::test(start_paused = true)]
async fn the_first_line_of_an_instance_behind_the_range_is_not_missed() {
    let (old, new) = (log([(-1.0, "a"), (3.0, "b")]), log([(5.5, "c"), (5.55, "d")]));
    let mut asked = 0;
    let mut story = Story::begin(until(5.0), Life::Running, move |request| {
        asked += 1;
        match request.previous {
            true => old.answer(request),
            false if asked == 1 => Reply::of(line(-1.0, "a")).silent(5.6).broken(),
            false => new.answer(request).silent(if request.follow { 1e6 } else { 0.0 }),
        }
    });
    story.pass(5.0).await;
    story.apiserver_knows(1);
    story.pass(1.0).await;
    story.restarts(4.0);
    story.pass(10.0).await;
    assert_eq!(story.notices(), [""; 0]);
    assert!(story.said().contains(&"b".to_owned()), "{:?}", story.said());
}

/// Its node did not answer before, and the pods are watched no longer.
#[tokio::test(start_paused = true)]
async fn a_restart_before_a_log_is_opened_is_reported_though_its_time_is_over() {
    let unseen = "! had restarted before it was seen; what it wrote earlier was not read";
    // An instance that starts behind the range has no lines in it.
    for (started, said, complete) in [(5.0, &[unseen][..], false), (11.0, &[], true)] {
        let container = restarting();
        let setup = Setup { started: Some(started), ..Setup::new(until(10.0)) };
        let story = setup.begin(move |request| match container.now() {
            ..1.0 => Reply::refusal(500, "dial tcp: connection refused").after(15.0),
            _ => container.answer(request),
        });
        story.apiserver_knows_since(1, 6.0);
        let (ended, all, _) = story.end().await;
        assert_eq!(all, [&["+"], said, &["b", "-"]].concat());
        assert_eq!(ended.complete, complete);
    }
}

/// The same, and all that the other instance wrote is behind the range.
#[tokio::test(start_paused = true)]
async fn a_log_of_the_next_instance_behind_the_range_is_no_reason_for_a_report() {
    let container = restarting();
    let setup = Setup { started: Some(-60.0), ..Setup::new(until(7.0)) };
    let story = setup.begin(move |request| match container.now() {
        ..1.0 => Reply::refusal(500, "dial tcp: connection refused").after(15.0),
        _ => container.answer(request),
    });
    story.apiserver_knows_since(1, 6.0);
    assert_eq!(story.end().await.1, ["+", "a", "last words", "-"]);
}
