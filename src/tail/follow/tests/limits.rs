//! The limits of a log: the part that is wanted, and the part that is held.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{polling::two_newer, *};
use crate::{plan::Since, schedule::Scheduler};

#[tokio::test(start_paused = true)]
async fn the_last_lines_of_a_log_that_is_being_written_are_as_many_as_were_asked_for() {
    for (rate, round_trip) in [(500.0, 0.0), (500.0, 0.05), (500.0, 0.6), (1.0, 0.6), (0.2, 5.0)] {
        let story = busy(LogPlan { tail: Some(2), ..as_it_is() }, rate, round_trip);
        let (ended, said, asked) = story.end().await;
        assert_eq!(said.len(), 4, "{rate} a second, {round_trip} s away: {said:?}");
        assert!(ended.complete && asked.len() == 1, "{asked:?}");
    }
}

/// With its newline, a line of one digit has 2 bytes.
#[tokio::test(start_paused = true)]
async fn a_bound_on_bytes_holds_over_answers_that_break() {
    for (limit, shown) in [(2 * 3, 3), (2 * 3 + 1, 4), (2 * 100, 10)] {
        let log = Written::numbered((0..10).map(|n| f64::from(n) - 20.0));
        let mut asked = 0;
        let plan = LogPlan { limit_bytes: Some(limit), ..as_it_is() };
        let story = Story::begin(plan, Life::Running, move |request| {
            asked += 1;
            let reply = log.until(if asked == 1 { -18.5 } else { 0.0 }).answer(request);
            if asked == 1 { reply.broken() } else { reply }
        });
        let (ended, said, _) = story.end().await;
        let lines: Vec<String> = (0..shown).map(|n| n.to_string()).collect();
        assert_eq!(said[1..said.len() - 1], lines, "{limit} bytes");
        assert!(ended.complete);
    }
}

/// All lines are of one instant, and the first answer broke behind one.
#[tokio::test(start_paused = true)]
async fn last_lines_that_may_be_others_like_them_are_reported() {
    for (first, shown, is_lost) in [("same", ["same", "a", "b"], true), ("x", ["same", "c", "d"], false)] {
        let log = log([first, "a", "b", "same", "c", "d"].map(|message| (-5.0, message)));
        let mut asked = 0;
        let plan = LogPlan { tail: Some(3), ..as_it_is() };
        let story = Story::begin(plan, Life::Running, move |request| {
            asked += 1;
            if asked == 1 { Reply::of(line(-5.0, "same")).broken() } else { log.answer(request) }
        });
        let (ended, said, _) = story.end().await;
        assert_eq!(said[1..4], shown);
        assert_eq!(said.iter().any(|said| said.starts_with("! Behind")), is_lost, "{said:?}");
        assert_eq!(ended.complete, !is_lost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_on_bytes_does_not_end_a_followed_log_before_it_is_reached() {
    let log = Written::numbered([-5.0, -4.0, 0.5, 1.5, 2.5, 3.5]);
    let began = Instant::now();
    let plan = LogPlan { limit_bytes: Some(2 * 5), ..plan() };
    let story = Story::begin(plan, Life::Running, move |request| {
        // A server that ends each answer as soon as it can.
        log.until(began.elapsed().as_secs_f64()).answer(request)
    });
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "2", "3", "4", "-"]);
    assert!(ended.complete);
}

/// The restart is known only after the line of the next instance was shown.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_cut_where_the_bytes_end_is_not_shown_again() {
    let log = log([(-5.0, "too long")]);
    let mut story = Story::begin(LogPlan { limit_bytes: Some(3), ..plan() }, Life::Running, move |request| {
        log.answer(request)
    });
    story.pass(1.0).await;
    story.restarts(-6.0);
    story.pass(1.0).await;
    let unread = "! the log was removed before it could be read";
    assert_eq!(story.said(), ["+", "too", "-", "restarted 1", unread, "-"]);
}

/// Its newline would be one byte too many.
#[tokio::test(start_paused = true)]
async fn a_line_at_whose_end_the_bound_on_bytes_is_reached_is_shown() {
    let log = Written::numbered([-5.0, -4.0, -3.0]);
    let plan = LogPlan { limit_bytes: Some(2 + 1), ..plan() };
    let story = Story::begin(plan, Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete, asked.len()), ("+ 0 1 -", true, 1));
}

/// Its pod did not meet the condition for a while.
#[tokio::test(start_paused = true)]
async fn the_bytes_of_an_instance_that_comes_back_are_counted_on() {
    let container = Container::writing([-2.0, -1.0, 1.0, 2.5, 6.0, 7.0]);
    let plan = LogPlan { limit_bytes: Some(2 * 4), ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| container.answer(request));
    story.pass(2.0).await;
    story.life.send_replace(Life::Dropped);
    story.pass(0.1).await;
    story.comes_back();
    story.pass(10.0).await;
    assert_eq!(story.said(), ["+", "0", "1", "2", "-", "+", "3", "-"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_of_a_followed_log_and_what_follows_are_shown_over_breaks() {
    for cut in [0.5, 2.0, 6.5] {
        let container = Container::writing((0..200).map(|n| f64::from(n) / 10.0 - 10.0));
        let story =
            Story::begin(LogPlan { tail: Some(2), ..plan() }, Life::Running, move |request| match container
                .now()
            {
                ..0.5 => container.answer(request).cut_after(cut).broken(),
                _ => container.answer(request),
            });
        story.pass(40.0).await;
        let lines: Vec<String> = (99..200).map(|n| n.to_string()).collect();
        assert_eq!(story.said()[1..], lines, "cut after {cut} s");
    }
}

/// A span of time counts back from when the log was opened first.
#[tokio::test(start_paused = true)]
async fn lines_since_a_while_ago_are_the_same_ones_however_often_the_log_is_opened() {
    let container = Container::writing([-20.0, -4.0, 30.0]);
    let plan = LogPlan { since: Some(Since::Ago(Duration::from_secs(10))), ..plan() };
    let story = Story::begin(plan, Life::Running, move |request| match container.now() {
        ..20.0 => Reply::of("").broken(),
        _ => container.answer(request),
    });
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "1", "2"]);
}

/// No line that exists when it is opened first, and all that are written later.
#[tokio::test(start_paused = true)]
async fn new_lines_are_shown_though_the_first_stream_broke_before_a_line() {
    let container = Container::writing([-5.0, 2.0, 30.0]);
    let story = Story::begin(LogPlan { tail: Some(0), ..plan() }, Life::Running, move |request| {
        match container.now() {
            ..1.0 => container.answer(request).cut_after(1.0).broken(),
            1.0..5.0 => Reply::refusal(500, "no"),
            _ => container.answer(request),
        }
    });
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "1", "2"]);
}

/// The container writes more than may wait in memory, and goes on.
fn eight_megabytes() -> impl Iterator<Item = (f64, String)> {
    (0..8000).map(|n| (f64::from(n) / 1000.0 - 10.0, format!("{n} {}", "x".repeat(1000))))
}

fn numbers(story: &Story) -> Vec<u32> {
    let first_word = |said: String| said.split(' ').next().and_then(|word| word.parse().ok());
    story.said().into_iter().filter_map(first_word).collect()
}

/// The streams behind a blocked output are held back, and may break meanwhile.
#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_for_a_while_loses_nothing() {
    for breaks in [false, true] {
        let log = Written::lines(eight_megabytes());
        let (taken, mut asked) = (Arc::new(AtomicUsize::new(0)), 0);
        let seen = taken.clone();
        let setup = Setup { unread: true, ..Setup::new(plan()) };
        let story = setup.begin(move |request| {
            asked += 1;
            let reply = log.answer(request).counted(&seen);
            if breaks && asked == 1 { reply.broken() } else { reply.silent(1e6) }
        });
        story.pass(60.0).await;
        let held = taken.load(Relaxed);
        assert!(held < 5 << 20, "{held} bytes were read");
        story.take();
        story.pass(60.0).await;
        assert!(numbers(&story).into_iter().eq(0..8000), "{:?}", story.notices());
    }
}

/// While they wait for room, their pod stops meeting the condition, and meets it again; or newer containers take the
/// place for a while.
#[tokio::test(start_paused = true)]
async fn lines_that_were_left_before_they_were_shown_count_for_no_limit() {
    for drops in [true, false] {
        let bytes = eight_megabytes().take(6000).map(|(_, text)| text.len() as u64 + 1).sum();
        let plan = LogPlan { limit_bytes: Some(bytes), ..plan() };
        let (log, scheduler) = (Written::lines(eight_megabytes()), Scheduler::new(2, 100));
        let setup = Setup { unread: true, scheduler: scheduler.clone(), ..Setup::new(plan) };
        let mut story = setup.begin(move |request| log.answer(request));
        story.pass(60.0).await;
        if drops {
            story.life.send_replace(Life::Dropped);
            story.pass(1.0).await;
            story.comes_back();
        } else {
            let _others = two_newer(&scheduler);
            story.pass(1.0).await;
        }
        story.take();
        story.pass(60.0).await;
        assert!(numbers(&story).into_iter().eq(0..6000), "{drops}: {}", numbers(&story).len());
    }
}

/// The log was found without a line before its stream broke, and all lines came meanwhile.
#[tokio::test(start_paused = true)]
async fn all_lines_behind_a_silent_stream_are_shown_though_fewer_last_ones_were_asked_for() {
    let (container, mut follows) = (Container::writing((0..100).map(|n| 40.0 + f64::from(n) / 1000.0)), 0);
    let plan = LogPlan { tail: Some(10), ..plan() };
    let story = Story::begin(plan, Life::Running, move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => Reply::of("").silent(42.0).broken(),
            _ => container.answer(request),
        }
    });
    story.pass(60.0).await;
    assert!(numbers(&story).into_iter().eq(0..100), "{:?}", story.said());
}

/// The stream breaks too, so that it can be seen.
#[tokio::test(start_paused = true)]
async fn a_rotation_that_overtakes_a_stopped_reader_is_reported() {
    let (log, mut asked) = (Written::lines(eight_megabytes()), 0);
    let setup = Setup { unread: true, ..Setup::new(plan()) };
    let story = setup.begin(move |request| {
        asked += 1;
        match asked {
            _ if request.previous => Reply::refusal(400, NO_PREVIOUS),
            1 => log.until(-5.0).answer(request).broken(),
            _ => log.from(-3.0).answer(request).silent(1e6),
        }
    });
    story.pass(60.0).await;
    story.take();
    story.pass(60.0).await;
    assert_eq!(outline(&story).iter().filter(|said| *said == "! Between").count(), 1);
    assert_eq!(numbers(&story).len(), 6001);
}

/// They were rotated away since. Its container waits, so that its log is the previous one too.
#[tokio::test(start_paused = true)]
async fn no_byte_is_shown_of_an_instance_of_which_enough_were_shown_too_early() {
    let (first, second) = (log([(-5.0, "a")]), log([(0.5, "b"), (0.6, "c")]));
    let (rotated, began) = (log([(3.0, "d"), (3.1, "e")]), Instant::now());
    let plan = LogPlan { limit_bytes: Some(2 * 2), ..plan() };
    let mut story = Story::begin(plan, Life::Running, move |request| match began.elapsed().as_secs() {
        0 => second.answer(request).after(2.0),
        ..5 if request.previous => first.answer(request),
        _ => rotated.answer(request),
    });
    story.pass(5.0).await;
    story.restarts(0.0);
    story.life.send_replace(Life::Terminated(Ending { finished: Some(at(4.0)), ..Ending::default() }));
    story.pass(5.0).await;
    assert_eq!(outline(&story), ["+", "b", "c", "a", "-", "restarted 1 since 0.5", "-"]);
}
