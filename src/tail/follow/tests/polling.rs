//! Containers that cannot be followed are polled.

use super::*;
use crate::{origin::PodInfo, schedule::Scheduler};

#[tokio::test(start_paused = true)]
async fn a_polled_log_whose_polls_fail_is_reported() {
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
    let told = story.said().iter().filter(|said| said.ends_with("i/o timeout”; trying again")).count();
    assert_eq!(told, 1, "{:?}", story.said());
}

/// A polled log is removed between its last poll and its end.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_removed_behind_a_poll_is_reported_in_one_line() {
    let mut asked = 0;
    let story = Story::begin(plan(), Life::Running, move |request| {
        asked += 1;
        match (request.follow, asked) {
            (true, _) => Reply::of("failed to create fsnotify watcher: too many open files"),
            (false, 2) => Reply::of(line(-1.0, "0")),
            (false, _) => Reply::of(REMOVED),
        }
    });
    story.pass(0.5).await;
    story.life.send_replace(stopped());
    let (ended, said, asked) = story.end().await;
    assert!(!ended.complete, "{said:?}");
    let told: Vec<_> = said.iter().filter(|said| said.starts_with('!')).collect();
    assert!(told.len() == 1 && told[0].contains("Unchecked"), "{told:?}");
    assert!(!asked.iter().any(|(_, request)| is_look(request)), "{asked:?}");
}

const OUT_OF_INOTIFY: &str = "failed to create fsnotify watcher: too many open files";

#[tokio::test(start_paused = true)]
async fn a_node_that_can_follow_no_more_is_read_over_and_over() {
    let container = Container::writing((0..200).map(|n| f64::from(n) / 2.0 - 1.0));
    let story = Story::follow(move |request| match request.follow {
        true => Reply::of(OUT_OF_INOTIFY),
        false => container.answer(request),
    });
    story.pass(120.0).await;
    let lines: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    assert_eq!(story.asked().iter().filter(|(_, request)| request.follow).count(), 1);
}

/// Its container goes on writing, and its pod is gone before the first poll.
#[tokio::test(start_paused = true)]
async fn the_answer_of_a_node_that_can_follow_no_more_is_no_end() {
    for lines in [line(-1.0, "a"), String::new()] {
        let shown: &[&str] = if lines.is_empty() { &[] } else { &["a"] };
        let said = [&["+"][..], shown, &["! Unchecked", "-"]].concat();
        let story = Story::follow(move |request| match request.follow {
            true => Reply::of(lines.clone() + OUT_OF_INOTIFY),
            false => Reply::refusal(404, "pods \"web-1\" not found"),
        });
        story.pass(0.3).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        assert_eq!(outline(&story), said);
    }
}

/// Two newer containers that are followed.
pub(super) fn two_newer(scheduler: &Scheduler) -> Vec<Seat> {
    let newer = |n: u32| {
        let pod = PodInfo { created: Some(at(n.into())), ..PodInfo::default() };
        let seat = scheduler.seat(&Arc::new(pod));
        seat.announce(Mode::Follow);
        seat
    };
    (0..2).map(newer).collect()
}

/// There is room for two log requests, and enough newer containers that one is polled.
fn crowded(plan: LogPlan, script: impl FnMut(&LogRequest) -> Reply + Send + 'static) -> (Story, Vec<Seat>) {
    let scheduler = Scheduler::new(2, 100);
    let others = two_newer(&scheduler);
    (Setup { scheduler, ..Setup::new(plan) }.begin(script), others)
}

#[tokio::test(start_paused = true)]
async fn a_container_for_which_there_is_no_stream_is_shown_once_and_in_order() {
    let container = Container::writing((0..200).map(|n| f64::from(n) / 2.0 - 1.0));
    let (story, _others) = crowded(plan(), move |request| container.answer(request));
    story.pass(120.0).await;
    let lines: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    assert!(story.asked().iter().all(|(_, request)| !request.follow));
}

/// A poll found its log without a line, so that `--tail` leaves none out any more.
#[tokio::test(start_paused = true)]
async fn all_lines_of_a_burst_are_shown_though_fewer_last_ones_were_asked_for() {
    let burst = (0..100).map(|n| 30.0 + f64::from(n) / 1000.0);
    let container = Container::writing(burst);
    let plan = LogPlan { tail: Some(10), ..plan() };
    let (story, _others) = crowded(plan, move |request| container.answer(request));
    story.pass(120.0).await;
    let lines: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
}

/// Its pod is not selected for a while, in which all lines come.
#[tokio::test(start_paused = true)]
async fn a_log_that_had_no_line_is_shown_whole_once_its_pod_is_selected_again() {
    let container = Container::writing((0..100).map(|n| 40.0 + f64::from(n) / 1000.0));
    let mut story = Story::begin(LogPlan { tail: Some(10), ..plan() }, Life::Running, move |request| {
        container.answer(request)
    });
    story.pass(35.0).await;
    story.life.send_replace(Life::Dropped);
    story.pass(10.0).await;
    story.comes_back();
    story.pass(10.0).await;
    let lines: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(
        story.said().into_iter().filter(|said| said.parse::<u32>().is_ok()).collect::<Vec<_>>(),
        lines
    );
}

#[tokio::test(start_paused = true)]
async fn each_poll_reports_up_to_when_no_line_is_missing() {
    let container = Container::writing((0..60).map(|n| f64::from(n) + 0.5));
    let (story, _others) = crowded(plan(), move |request| container.answer(request));
    story.pass(60.0).await;
    let asked = story.asked();
    let polls = asked.iter().filter(|(_, request)| !is_look(request)).map(|(seconds, _)| seconds.floor());
    let polls: Vec<f64> = polls.collect();
    assert_eq!(story.reached(), polls);
    assert!(polls.len() > 10, "{polls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_for_which_there_is_a_stream_again_is_followed_on() {
    let container = Container::writing((0..200).map(|n| f64::from(n) / 2.0 - 1.0));
    let (story, others) = crowded(plan(), move |request| container.answer(request));
    story.pass(20.0).await;
    drop(others);
    story.pass(100.0).await;
    let lines: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    assert_eq!(story.asked().iter().filter(|(_, request)| request.follow).count(), 1);
}

/// Its place is given to another while the apiserver is asked whose the first line is. Then the log is rotated, and goes
/// on at the same instant.
#[tokio::test(start_paused = true)]
async fn a_first_line_that_was_seen_and_is_rotated_away_is_reported() {
    for (first, gap) in [("a", &["! Between"][..]), ("b", &[])] {
        let scheduler = Scheduler::new(2, 100);
        let setup = Setup { scheduler: scheduler.clone(), ..Setup::new(plan()) };
        let began = Container::new([]);
        let story = setup.begin(move |request| match (began.now(), request.follow) {
            (..15.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) => Reply::of(line(15.0, first)).silent(1e6),
            (_, false) => Reply::of(line(15.0, "b")),
        });
        story.pass(14.0).await;
        story.apiserver_takes(3.0);
        while story.asked().last().is_none_or(|(at, _)| *at < 15.0) {
            story.pass(0.1).await;
        }
        let _others = two_newer(&scheduler);
        story.pass(20.0).await;
        assert_eq!(outline(&story), [&["+"], gap, &["b"]].concat());
    }
}

/// A burst has more lines than a poll requests.
#[tokio::test(start_paused = true)]
async fn a_poll_asks_for_few_lines_and_for_more_until_it_has_found_its_place() {
    let burst = (0..100).map(|n| 10.0 + f64::from(n) / 1000.0);
    let container = Container::writing([-1.0].into_iter().chain(burst).chain([200.0]));
    let (story, _others) = crowded(plan(), move |request| container.answer(request));
    story.pass(300.0).await;
    let lines: Vec<String> = (0..102).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    let mut asked: Vec<_> = story.asked().iter().map(|(_, request)| request.tail_lines).collect();
    assert_eq!(asked[0], None);
    asked.dedup();
    assert!(asked.windows(3).any(|asked| asked == [Some(20), Some(80), Some(320)]), "{asked:?}");
    assert!(asked.last().is_some_and(|lines| *lines < Some(160)), "{asked:?}");
}

/// It runs until its grace period is over.
#[tokio::test(start_paused = true)]
async fn a_poll_of_a_pod_that_is_being_deleted_asks_for_more_lines_too() {
    let burst = (0..100).map(|n| 10.0 + f64::from(n) / 1000.0);
    let container = Container::writing([-1.0].into_iter().chain(burst));
    let (story, _others) = crowded(plan(), move |request| container.answer(request));
    story.pass(9.0).await;
    story.life.send_replace(Life::Terminating);
    story.pass(3.0).await;
    let lines: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(story.said()[1..], lines);
    assert!(!story.asked().iter().any(|(_, request)| request.previous));
}

/// Polls after the first share half of the rate.
#[tokio::test(start_paused = true)]
async fn a_log_whose_history_was_read_has_no_first_poll_though_it_is_empty() {
    let container = Container::writing([100.0]);
    let plan = LogPlan { history_first: true, ..plan() };
    let (story, _others) = crowded(plan, move |request| container.answer(request));
    story.pass(20.0).await;
    let asked = story.asked();
    let polls = asked[1..].iter().filter(|(_, request)| !is_look(request));
    let purposes: Vec<Purpose> = polls.map(|(_, request)| request.purpose).collect();
    assert!(purposes.len() > 2 && purposes.iter().all(|purpose| *purpose == Purpose::Poll), "{purposes:?}");
}

/// The turn comes late.
#[tokio::test(start_paused = true)]
async fn the_first_lines_of_a_poll_may_be_those_of_another_pod_if_they_are_young() {
    for (written, is_shown) in [(-1.0, false), (-30.0, true)] {
        let container = Container::writing([written]);
        let (story, _others) = crowded(plan(), move |request| match container.now() {
            ..15.0 => Reply::refusal(500, "dial tcp: i/o timeout"),
            _ => container.answer(request),
        });
        story.apiserver_knows(1);
        story.pass(60.0).await;
        assert_eq!(story.said().contains(&"0".to_owned()), is_shown, "{:?}", story.said());
    }
}

/// The polls are refused, break off or are never answered.
#[tokio::test(start_paused = true)]
async fn polls_that_fail_do_not_end_polling() {
    let ways: [fn(Reply) -> Reply; 4] = [
        |_| Reply::refusal(500, "dial tcp: i/o timeout"),
        |_| Reply::lost(),
        |_| Reply::refusal(504, "timeout").after(30.0),
        |reply| reply.broken(),
    ];
    for (n, fail) in ways.into_iter().enumerate() {
        let container = Container::writing((0..50).map(|n| f64::from(n) * 2.0 - 1.0));
        let (story, _others) = crowded(plan(), move |request| match container.now() {
            10.0..60.0 => fail(container.answer(request)),
            _ => container.answer(request),
        });
        story.pass(250.0).await;
        let lines: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(outline(&story)[1..], lines, "way {n}");
        assert!(story.notices().len() <= 1, "{:?}", story.notices());
    }
}

/// The node keeps the last ten lines.
#[tokio::test(start_paused = true)]
async fn lines_that_are_gone_before_their_turn_are_reported() {
    let instants: Vec<f64> =
        (0..100).map(|n| if n < 20 { f64::from(n) - 21.0 } else { f64::from(n) / 8.0 + 5.0 }).collect();
    let container = Container::writing([]);
    let lines = Written::numbered(instants);
    let (story, _others) = crowded(plan(), move |request| match request.previous {
        true => Reply::refusal(400, NO_PREVIOUS),
        false => lines.until(container.now()).last(10).answer(request),
    });
    story.pass(120.0).await;
    let said = outline(&story);
    assert!(said.iter().any(|said| said == "! Between"), "{said:?}");
    let shown: Vec<u32> = said.iter().filter_map(|said| said.parse().ok()).collect();
    assert!(shown.is_sorted() && shown.ends_with(&[98, 99]) && shown.len() < 100, "{shown:?}");
}

/// Its last line was rotated away while it was silent, so that the next one is in doubt.
#[tokio::test(start_paused = true)]
async fn a_poll_that_finds_lines_in_doubt_is_repeated_soon() {
    let container = Container::writing([]);
    let lines = Written::numbered([-1.0, 70.0]);
    let (story, _others) = crowded(plan(), move |request| match request.previous {
        true => Reply::refusal(400, NO_PREVIOUS),
        false => lines.until(container.now()).last(1).answer(request),
    });
    let polls = || story.asked().iter().filter(|(_, request)| !request.previous).count();
    story.pass(70.0).await;
    let before = polls();
    while polls() == before {
        story.pass(1.0).await;
    }
    story.pass(3.0).await;
    assert_eq!(outline(&story), ["+", "0", "! Between", "1"]);
}

/// Its node removes the log as soon as it has ended.
#[tokio::test(start_paused = true)]
async fn a_polled_container_of_a_pod_that_is_being_deleted_is_polled_twice_a_second() {
    let container = Container::writing([-1.0]);
    let (story, _others) = crowded(plan(), move |request| container.answer(request));
    story.pass(300.0).await;
    let before = story.asked().len();
    assert!(before < 30, "{before} polls");
    story.life.send_replace(Life::Terminating);
    story.pass(10.0).await;
    let polls = story.asked().len() - before;
    assert!((15..=21).contains(&polls), "{polls} polls");
}

/// It writes behind its only poll, and no status tells of its end.
#[tokio::test(start_paused = true)]
async fn a_first_poll_without_a_line_is_no_end_though_the_pod_is_being_deleted() {
    let container = Container::writing([]);
    let (story, _others) = crowded(plan(), move |request| match container.now() {
        ..0.2 => container.answer(request),
        _ => Reply::refusal(404, "pods \"web-1\" not found"),
    });
    story.life.send_replace(Life::Terminating);
    story.pass(1.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(2.0).await;
    assert_eq!(outline(&story), ["+", "! Unchecked", "-"]);
}

/// No existing line is wanted: each poll would make the kubelet read all of them again.
#[tokio::test(start_paused = true)]
async fn a_poll_without_a_line_to_go_on_from_finds_its_place() {
    let container = Container::writing([-9.0, -5.0, 100.0]);
    let (story, _others) =
        crowded(LogPlan { tail: Some(0), ..plan() }, move |request| container.answer(request));
    story.pass(200.0).await;
    assert_eq!(story.said(), ["+", "2"]);
    let asked = story.asked();
    assert!(is_look(&asked[0].1), "{asked:?}");
    assert!(asked[1..].iter().all(|(_, request)| request.tail_lines.is_some()), "{asked:?}");
}

/// Two containers share the only place: the newer one is followed in it and lends it.
#[tokio::test(start_paused = true)]
async fn the_only_place_is_lent_to_logs_that_are_not_followed() {
    let scheduler = Scheduler::new(1, 100);
    let begin = |created| {
        let container = Container::writing((0..100).map(|n| f64::from(n) - 1.0));
        let setup = Setup { created, scheduler: scheduler.clone(), ..Setup::new(plan()) };
        setup.begin(move |request| container.answer(request))
    };
    let stories = [begin(-60.0), begin(-30.0)];
    stories[0].pass(200.0).await;
    let lines: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    for story in &stories {
        assert_eq!(story.said()[1..], lines);
    }
    let is_followed = |story: &Story| story.asked().last().is_some_and(|(_, request)| request.follow);
    assert!(!is_followed(&stories[0]) && stories[1].asked().iter().any(|(_, request)| request.follow));
}

/// Of the first line of a stream that is opened late it is asked whose it is.
#[tokio::test(start_paused = true)]
async fn the_only_place_is_kept_until_it_is_known_whose_the_first_line_is() {
    let scheduler = Scheduler::new(1, 100);
    let begin = |created, container: Container| {
        let setup = Setup { created, scheduler: scheduler.clone(), ..Setup::new(plan()) };
        setup.begin(move |request| container.answer(request))
    };
    let _other = begin(-60.0, Container::writing((0..100).map(f64::from)));
    let story = begin(-30.0, Container::writing([30.0, 31.0]));
    story.apiserver_takes(1.5);
    story.pass(60.0).await;
    assert_eq!(story.said(), ["+", "0", "1"]);
}

/// Two containers in the only place, of which the newer one's log is rotated after 40 seconds. Each answer takes this
/// long.
fn one_of_two_rotated(answer: f64) -> [Story; 2] {
    let scheduler = Scheduler::new(1, 100);
    let begin = |created, rotation: f64| {
        let (clock, mut begins) = (Container::writing([]), None);
        let setup = Setup { created, scheduler: scheduler.clone(), ..Setup::new(plan()) };
        setup.begin(move |request| {
            let (now, log) = (clock.now(), Written::numbered((0..100).map(|n| f64::from(n) - 0.5)));
            let begins = if now < rotation { -1.0 } else { *begins.get_or_insert(now) };
            let file = log.from(begins);
            if request.previous { clock.answer(request) } else { file.answer_at(now, None, request) }
                .after(answer)
        })
    };
    [begin(-60.0, 1000.0), begin(-30.0, 40.0)]
}

/// Each question about the new file takes longer than the place is kept.
#[tokio::test(start_paused = true)]
async fn in_the_only_place_a_log_is_read_on_after_a_rotation_though_answers_come_late() {
    let stories = one_of_two_rotated(2.0);
    stories[0].pass(200.0).await;
    let said = stories[1].said();
    let gap = said.iter().position(|said| said.starts_with("! Between")).expect("a rotation");
    let first: usize = said[gap + 1].parse().unwrap();
    let lines: Vec<String> = (first..100).map(|n| n.to_string()).collect();
    assert_eq!(said[gap + 1..], lines);
}

/// The questions are answered while the place is kept, and the answer behind them comes after that, in each turn.
#[tokio::test(start_paused = true)]
async fn in_the_only_place_a_log_that_was_found_to_be_rotated_is_read_on_in_the_next_turn() {
    let stories = one_of_two_rotated(0.6);
    stories[0].pass(60.0).await;
    let said = stories[1].said();
    let gap = said.iter().position(|said| said.starts_with("! Between")).expect("a rotation");
    assert!(said.len() > gap + 10, "{said:?}");
}

/// Its requests are refused again and again, and the pauses between them are long.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_keeps_no_place_from_others() {
    let scheduler = Scheduler::new(1, 100);
    let refused = Setup { scheduler: scheduler.clone(), ..Setup::new(plan()) };
    let refused = refused.begin(|_| Reply::refusal(500, "no"));
    refused.pass(5.0).await;
    let story = Setup { scheduler, ..Setup::new(as_it_is()) }.begin(|_| Reply::of(line(-1.0, "0")));
    story.pass(30.0).await;
    assert_eq!(story.said(), ["+", "0", "-"]);
}

/// The looks at its last line are refused in the same way.
#[tokio::test(start_paused = true)]
async fn a_look_at_the_last_line_is_repeated_in_a_place() {
    let scheduler = Scheduler::new(1, 100);
    let setup = || Setup { scheduler: scheduler.clone(), ..Setup::new(as_it_is()) };
    let log = log([(-1.0, "a")]);
    let refused = setup().begin(move |request| match request.purpose {
        Purpose::Confirm => Reply::refusal(500, "no"),
        _ => log.answer(request),
    });
    refused.pass(1.0).await;
    let story = setup().begin(|_| Reply::of(line(-1.0, "0")).silent(20.0));
    story.pass(100.0).await;
    assert_eq!(story.said(), ["+", "0", "-"]);
    // The other one began a second later.
    let began = 1.0 + story.asked()[0].0;
    let asked = refused.asked();
    let meanwhile = asked.iter().filter(|(at, _)| (began + 0.1..began + 20.0).contains(at)).count();
    assert_eq!(meanwhile, 0);
}

/// A request names whole seconds.
#[tokio::test(start_paused = true)]
async fn a_polled_log_has_no_line_of_the_second_before_its_end_was_asked_for() {
    let container = Container::writing([-0.3, -0.2, -0.1, 0.4, 1.5, 9.0]);
    let plan = LogPlan { tail: Some(0), ..plan() };
    let (story, _others) = crowded(plan, move |request| container.answer(request));
    story.pass(60.0).await;
    assert_eq!(story.said(), ["+", "3", "4", "5"]);
}

/// The last of the few lines that were read, and the first of those that a poll asks for, are alike and of one instant.
#[tokio::test(start_paused = true)]
async fn a_poll_that_begins_with_a_line_like_the_last_one_asks_for_more() {
    let numbers = |range: std::ops::Range<u32>| range.map(|n| n.to_string());
    let read = ["a", "same", "b", "same"].map(str::to_owned).into_iter();
    let all: Vec<String> =
        read.chain(numbers(0..30)).chain(["same".to_owned()]).chain(numbers(30..49)).collect();
    let stamped = |(n, text): (usize, String)| (if n == 0 { -1.0 } else { -0.5 }, text);
    let log = |count: usize| Written::lines(all[..count].iter().cloned().enumerate().map(stamped));
    let (few, whole, began) = (log(4), log(all.len()), Instant::now());
    let (story, _others) = crowded(plan(), move |request| match began.elapsed().as_secs() {
        ..10 => few.answer(request),
        _ => whole.answer(request),
    });
    story.pass(120.0).await;
    assert_eq!(story.said()[1..], all);
}

/// Its node is asked whose the lines are, while others wait for a place.
#[tokio::test(start_paused = true)]
async fn a_question_behind_a_poll_keeps_its_place() {
    let scheduler = Scheduler::new(2, 100);
    let _others = two_newer(&scheduler);
    let (places, free, mut polls) = (scheduler.clone(), Arc::new(std::sync::Mutex::new(Vec::new())), 0);
    let seen = free.clone();
    let story = Setup { scheduler, ..Setup::new(plan()) }.begin(move |request| {
        if request.previous {
            let spare = [places.try_spare(), places.try_spare()];
            seen.lock().unwrap().push(spare.iter().flatten().count());
            return Reply::refusal(400, NO_PREVIOUS);
        }
        polls += 1;
        Reply::of(line(if polls == 1 { -1.0 } else { 5.0 }, "x"))
    });
    story.pass(30.0).await;
    let free = free.lock().unwrap();
    assert!(!free.is_empty() && free.iter().all(|free| *free == 1), "{free:?}");
}
