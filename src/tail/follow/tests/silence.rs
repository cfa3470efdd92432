//! A stream is silent.

use std::ops::Range;

use super::*;
use crate::{event, event::Gap, origin::PodInfo, plan::Since, schedule::Scheduler};

/// The log is rotated, and the kubelet's follower stays with the old file. The new one begins this many seconds later,
/// with lines that are so far apart.
async fn silent_after_a_rotation(later: f64, apart: f64) -> Vec<String> {
    let new = Written::numbered((0..100).map(|n| 1.9 + later + f64::from(n) * apart));
    let (began, mut follows) = (Instant::now(), 0);
    let story = Story::begin(plan(), Life::Running, move |request| {
        let now = began.elapsed().as_secs_f64();
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => {
                let begin = Reply::of("").silent(0.1);
                (0..20)
                    .fold(begin, |reply, n| reply.then(line(f64::from(n) / 10.0, "old")).silent(0.1))
                    .silent(1e6)
            }
            (true, _) => new.until(now).answer(request).silent(1e6),
            (false, _) if request.previous => {
                Reply::refusal(400, "previous terminated container \"app\" not found")
            }
            (false, _) => new.until(now).answer(request),
        }
    });
    story.pass(60.0).await;
    story.said()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_goes_on_where_a_silent_follower_ended_is_no_alarm() {
    let said = silent_after_a_rotation(0.1, 0.1).await;
    assert!(said.len() > 40 && !said.iter().any(|said| said.starts_with('!')), "{said:?}");
}

/// A line between both would be as far from each as lines of this log are.
#[tokio::test(start_paused = true)]
async fn a_file_that_begins_where_the_second_line_is_due_is_reported() {
    let said = silent_after_a_rotation(0.2, 0.1).await;
    assert_eq!(said.iter().filter(|said| said.contains("Between")).count(), 1, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_begins_later_than_lines_follow_each_other_is_reported() {
    let said = silent_after_a_rotation(0.5, 0.1).await;
    assert_eq!(said.iter().filter(|said| said.contains("Between")).count(), 1, "{said:?}");
}

/// The stream may have been silent for another reason, and the file before may end with lines of that instant.
#[tokio::test(start_paused = true)]
async fn a_file_that_begins_within_many_lines_at_once_is_reported() {
    for apart in [0.0, 0.001] {
        let said = silent_after_a_rotation(0.1, apart).await;
        assert_eq!(said.iter().filter(|said| said.contains("Between")).count(), 1, "{said:?}");
    }
}

/// A container that writes every second, whose first stream stops after ten.
fn stops_after_ten(container: &Container, request: &LogRequest, follows: &mut usize) -> Reply {
    *follows += usize::from(request.follow);
    match (request.follow, *follows) {
        (true, 1) => container.answer(request).cut_after(10.0).silent(1e6),
        _ => container.answer(request),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_while_lines_are_written_is_opened_again() {
    let (container, mut follows) = (Container::writing((0..100).map(|n| f64::from(n) + 0.5)), 0);
    let story = Story::follow(move |request| stops_after_ten(&container, request, &mut follows));
    story.pass(44.0).await;
    let lines: Vec<String> = (0..44).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    let asked = story.asked();
    assert!(asked.len() == 3 && is_look(&asked[1].1), "{asked:?}");
}

/// As many log requests are open as are allowed.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_opened_again_where_there_is_no_room_to_look() {
    let (container, mut follows) = (Container::writing((0..100).map(|n| f64::from(n) + 0.5)), 0);
    let setup = Setup { scheduler: Scheduler::new(1, 100), ..Setup::new(plan()) };
    let story = setup.begin(move |request| stops_after_ten(&container, request, &mut follows));
    story.pass(44.0).await;
    let lines: Vec<String> = (0..44).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    assert!(story.asked().iter().all(|(_, request)| request.follow), "{:?}", story.asked());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_misses_nothing_is_left_open_and_looked_at_ever_less_often() {
    let container = Container::writing([-9.0, -5.0, 7000.0]);
    let story = Story::follow(move |request| container.answer(request));
    story.pass(7200.0).await;
    assert_eq!(story.said(), ["+", "0", "1", "2"]);
    let asked = story.asked();
    assert_eq!(asked.iter().filter(|(_, request)| request.follow).count(), 1);
    let looks: Vec<u64> = asked[1..].iter().map(|(seconds, _)| *seconds as u64).collect();
    assert_eq!(looks[..7], [30, 60, 120, 240, 480, 960, 1860]);
    assert!(looks.len() <= 15, "{looks:?}");
    let reached: Vec<u64> = story.reached().iter().map(|seconds| *seconds as u64).collect();
    assert_eq!(reached, looks, "an order need not wait for older lines");
}

/// The look at its beginning finds no room for ten seconds, and the one at its end none either.
#[tokio::test(start_paused = true)]
async fn a_stream_is_silent_while_the_beginning_of_its_log_is_looked_at() {
    let container = Container::writing([-9.0]);
    let plan = LogPlan { since: Some(Since::Time(at(-60.0))), late: Some(jiff::tz::TimeZone::UTC), ..plan() };
    let setup = Setup { scheduler: Scheduler::new(1, 100), started: Some(-3600.0), ..Setup::new(plan) };
    let story = setup.begin(move |request| container.answer(request));
    story.pass(39.0).await;
    let follows: Vec<u64> = story.asked().iter().map(|(seconds, _)| *seconds as u64).collect();
    assert_eq!(follows, [0, 30]);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_is_no_reason_to_let_go_of_a_stream() {
    let container = Container::writing([-9.0, 500.0]);
    let story = Story::follow(move |request| match request.follow {
        true => container.answer(request),
        false => Reply::refusal(500, "no"),
    });
    story.pass(600.0).await;
    assert_eq!((story.said(), story.reached()), (["+", "0", "1"].map(str::to_owned).to_vec(), vec![]));
    assert_eq!(story.asked().iter().filter(|(_, request)| request.follow).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_not_answered_gives_its_place_to_a_tail_that_waits() {
    let (container, scheduler) = (Container::writing([-9.0]), Scheduler::new(2, 100));
    let setup = Setup { scheduler: scheduler.clone(), ..Setup::new(plan()) };
    let story = setup.begin(move |request| match request.follow {
        true => container.answer(request),
        false => Reply::of("").silent(1e6),
    });
    story.pass(40.0).await;
    assert!(is_look(&story.asked()[1].1) && scheduler.try_spare().is_none(), "{:?}", story.asked());
    let seat = scheduler.seat(&Arc::<PodInfo>::default());
    let request = seat.request(Mode::Read, Purpose::Open);
    timeout(Duration::from_secs(2), request).await.expect("a place");
    assert_eq!(story.asked().iter().filter(|(_, request)| request.follow).count(), 1);
}

/// Lines that are numbered from `first`, written at these instants, as a kubelet sends them.
fn sent(instants: &[f64], first: usize) -> String {
    instants.iter().zip(first..).map(|(at, n)| line(*at, &n.to_string())).collect()
}

/// A follower that was blocked during two rotations: the kubelet leaves out the file between them, with lines of these
/// numbers, and opens the newest file twice.
async fn sent_twice(instants: Vec<f64>, skipped: Range<usize>) -> Vec<String> {
    let (written, mut first) = (Written::numbered(instants.clone()), true);
    let Range { start, end } = skipped;
    let story = Story::begin(plan(), Life::Running, move |request| match std::mem::take(&mut first) {
        true => {
            let newest = sent(&instants[end..], end);
            Reply::of(sent(&instants[..start], 0)).then(newest.clone()).then(newest).silent(1e6)
        }
        false => written.last(instants.len() - end).answer(request).silent(1e6),
    });
    story.pass(5.0).await;
    story.said()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_a_kubelet_sends_twice_is_shown_once() {
    let numbers: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for (apart, file) in [(0.03, 10), (0.03, 2), (1.0, 10), (1.0, 3), (7.0, 2)] {
        let instants = (0..20).map(|n| f64::from(n) * apart - 200.0).collect();
        let said = sent_twice(instants, 20 - file..20 - file).await;
        let lines = said[1..].iter().filter(|said| !said.starts_with('!'));
        assert!(lines.eq(&numbers), "{file} lines, {apart} s apart: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_a_kubelet_skips_is_reported_when_the_next_one_is_sent_twice() {
    for apart in [0.05, 0.3] {
        let instants: Vec<f64> = (0..100).map(|n| f64::from(n) * apart - 200.0).collect();
        let said = sent_twice(instants.clone(), 40..70).await;
        let edge = |n: usize| Some(event::Instant::from(at(instants[n])));
        let gap = format!("! {:?}", Gap::Between(edge(39), edge(70)));
        let shown = (0..40).chain(70..100).map(|n| n.to_string());
        let expected: Vec<String> = shown.chain([gap]).collect();
        assert_eq!(said[1..], expected, "{apart} s apart");
    }
}

/// The runtime divides the line that it writes while it opens the next file.
#[tokio::test(start_paused = true)]
async fn a_file_that_a_kubelet_skips_is_reported_though_the_next_one_begins_within_a_line() {
    for apart in [0.1, 0.4] {
        let newest = |n: i32| (f64::from(n) * apart - 10.0, format!("n={n}"));
        let file =
            Written::lines([(newest(0).0, "the rest".to_owned())].into_iter().chain((1..20).map(newest)));
        let lines: String = (1..20).map(newest).map(|(at, text)| line(at, &text)).collect();
        let joined = line(-100.0, "a") + &line(-99.0, "the beginning and the rest") + &lines;
        let again = line(newest(0).0, "the rest") + &lines;
        let mut first = true;
        let story = Story::begin(plan(), Life::Running, move |request| match std::mem::take(&mut first) {
            true => Reply::of(joined.clone()).then(again.clone()).silent(1e6),
            false => file.answer(request).silent(1e6),
        });
        story.pass(5.0).await;
        let shown = ["+", "a", "the beginning and the rest"].map(str::to_owned).into_iter();
        let shown = shown.chain((1..20).map(|n| newest(n).1)).chain(["! Between".to_owned()]);
        assert_eq!(outline(&story), shown.collect::<Vec<_>>(), "{apart} s apart");
    }
}

/// The last lines have one instant, or a few that go back and forth.
#[tokio::test(start_paused = true)]
async fn a_file_of_one_instant_that_a_kubelet_sends_twice_is_shown_once() {
    let numbers: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for apart in [0.0, 0.000_5] {
        let file = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9].map(|n| f64::from(n) * apart - 100.0);
        let instants = (0..10).map(|n| f64::from(n) - 200.0).chain(file).collect();
        let said = sent_twice(instants, 10..10).await;
        let lines = said[1..].iter().filter(|said| !said.starts_with('!'));
        assert!(lines.eq(&numbers), "{apart} s apart: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lines_that_a_log_repeats_at_one_instant_cost_one_more_request() {
    let lines: Vec<_> = ["a", "b", "c", "d"].into_iter().cycle().take(20).map(str::to_owned).collect();
    let container =
        Container::new([(-60.0, None, Written::lines(lines.iter().cloned().map(|line| (-1.0, line))))]);
    let story = Story::follow(move |request| container.answer(request));
    story.pass(5.0).await;
    assert_eq!((&story.said()[1..], story.asked().len()), (&lines[..], 2));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_costs_no_line_though_the_stream_breaks() {
    let instants: Vec<f64> = (0..10).chain(-3600..-3590).map(|n| f64::from(n) - 20.0).collect();
    let (written, mut asked) = (Written::numbered(instants.clone()), 0);
    let story = Story::begin(plan(), Life::Running, move |request| {
        asked += 1;
        match asked {
            1 => Reply::of(sent(&instants[..15], 0)).broken(),
            _ => written.answer(request).silent(1e6),
        }
    });
    story.pass(5.0).await;
    let numbers: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], numbers);
}

/// The kubelet keeps the last line in pieces, and its last piece is all that a look gives.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_silent_behind_a_long_line_is_opened_again() {
    let long = "x".repeat(5000);
    let lines = [(0.5, long.clone()), (5.0, "after".to_owned())];
    let (container, mut follows) = (Container::new([(-60.0, None, Written::lines(lines))]), 0);
    let story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => container.answer(request).cut_after(1.0).silent(1e6),
            _ => container.answer(request),
        }
    });
    story.pass(44.0).await;
    assert_eq!(story.said(), ["+", &long, "after"]);
}

/// The stream of an instance does not end with it.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_silent_behind_the_end_of_its_instance_is_left() {
    let (container, mut first) = (restarting(), true);
    let mut story = Story::follow(move |request| match std::mem::take(&mut first) {
        true => container.answer(request).cut_after(2.0).silent(1e6),
        false => container.answer(request),
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(3.5).await;
    assert_eq!(outline(&story), IN_ORDER[..6]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_left_before_a_further_restart_takes_its_log_away() {
    let old = log([(-1.0, "a"), (4.9, "last words")]);
    let instances =
        [(-60.0, Some(5.0), old), (6.0, Some(7.0), log([(6.5, "b")])), (7.2, None, log([(8.0, "c")]))];
    let (container, mut first) = (Container::new(instances), true);
    let mut story = Story::follow(move |request| match std::mem::take(&mut first) {
        true => container.answer(request).cut_after(2.0).silent(1e6),
        false => container.answer(request),
    });
    for (pause, started) in [(6.1, 6.0), (1.2, 7.2)] {
        story.pass(pause).await;
        story.restarts(started);
    }
    story.pass(10.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words", "-", "restarted 1", "b", "-", "restarted 1", "c"]);
}

/// Its file was rotated, and the kubelet's follower stayed with the old one.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_looked_at_when_its_pod_is_being_deleted() {
    let (container, mut follows) = (Container::writing([0.5, 1.5, 2.5, 3.5, 4.5]), 0);
    let story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => container.answer(request).cut_after(2.0).silent(1e6),
            _ => container.answer(request),
        }
    });
    story.pass(5.0).await;
    assert_eq!(story.said(), ["+", "0", "1"]);
    story.life.send_replace(Life::Terminating);
    story.pass(1.5).await;
    assert_eq!(story.said(), ["+", "0", "1", "2", "3", "4"]);
}
