//! A container restarts: the rest of its log comes before the next one's.

use super::*;

/// All containers of a pod are restarted in place, and no log of them is kept.
#[tokio::test(start_paused = true)]
async fn an_instance_that_was_read_to_its_end_is_no_alarm_where_nothing_is_kept_of_it() {
    let story =
        Story::begin(plan(), Life::Running, move |request| match (request.follow, request.previous) {
            (true, _) if request.since.is_none() => {
                Reply::of(line(-1.0, "0")).silent(1.0).then(line(1.0, "1"))
            }
            (_, true) => Reply::refusal(400, "previous terminated container \"app\" not found"),
            _ => Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
        });
    story.pass(1.5).await;
    let replaced = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(2.0)) };
    let began = Instant::now();
    story.life.send_replace(replaced);
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "-"]);
    assert!(ended.complete && began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

/// The apiserver knows that it runs before the node serves its log.
#[tokio::test(start_paused = true)]
async fn a_log_that_a_node_does_not_serve_yet_is_asked_for_again_soon() {
    let began = Instant::now();
    let story =
        Story::begin(plan(), Life::Running, move |_| match began.elapsed() < Duration::from_secs(2) {
            true => Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
            false => Reply::of(line(1.0, "0")).silent(1e6),
        });
    story.pass(2.3).await;
    assert_eq!(story.said(), ["+", "0"]);
}

/// Its kubelet does not report the previous log's instance; lines that may be another instance's wait for that.
#[tokio::test(start_paused = true)]
async fn a_log_of_an_unknown_instance_is_shown_after_a_gap() {
    for code in [400, 500] {
        let mut follows = 0;
        let story = Story::begin(plan(), Life::Running, move |request| {
            follows += usize::from(request.follow);
            match (request.previous, follows) {
                (true, _) => Reply::refusal(code, "the log is busy"),
                (false, 1) => Reply::of(line(-1.0, "0")).broken(),
                (false, _) => Reply::of(line(5.0, "1")).silent(1e6),
            }
        });
        story.pass(60.0).await;
        let said = story.said();
        assert!(
            said.iter().any(|said| said.contains("Between")) && said.contains(&"1".to_owned()),
            "{said:?}"
        );
        let asked = story.asked().len();
        assert!(asked < 20, "{asked} requests");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_an_instance_comes_before_the_next_one() {
    for reported in [6.0, 7.0, 8.0, 12.0] {
        let container = restarting();
        let mut story = Story::follow(move |request| container.answer(request));
        story.pass(reported).await;
        story.restarts(6.0);
        story.pass(40.0).await;
        assert_eq!(story.said(), IN_ORDER, "reported at {reported} s");
    }
}

/// Its stream breaks before the last lines, and the log is refused until the next instance runs.
#[tokio::test(start_paused = true)]
async fn the_rest_after_a_broken_stream_is_read_from_the_previous_log() {
    for reported in [6.0, 7.0, 8.0, 12.0] {
        let container = restarting();
        let mut story = Story::follow(move |request| match container.now() {
            ..1.0 => container.answer(request).cut_after(2.0).broken(),
            1.0..7.8 => Reply::refusal(500, "dial tcp: connection refused"),
            _ => container.answer(request),
        });
        story.pass(reported).await;
        story.restarts(6.0);
        story.pass(30.0).await;
        assert_eq!(outline(&story), IN_ORDER, "reported at {reported} s");
    }
}

/// The next instance has crashed as well: until there is another, its log is the previous one too. It may be read
/// before it is recognized.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_out_of_reach_between_two_crashes_is_reported() {
    let unread = ["+", "a", "! Unchecked", "-", "restarted 1", "b", "-", "restarted 1", "c"].as_slice();
    let too_early =
        ["+", "a", "! Between", "b", "! Unchecked", "-", "restarted 1 since 3", "-", "restarted 1", "c"]
            .as_slice();
    for (reported, expected) in [(4.5, unread), (20.0, too_early)] {
        let container = Container::new([
            (-60.0, Some(1.0), log([(-1.0, "a"), (0.5, "lost")])),
            (2.0, Some(4.0), log([(3.0, "b")])),
            (30.0, None, log([(30.5, "c")])),
        ]);
        let mut story = Story::follow(move |request| match container.now() {
            ..0.1 => container.answer(request).cut_after(0.1).broken(),
            ..5.0 => Reply::refusal(500, "dial tcp: connection refused"),
            _ => container.answer(request),
        });
        story.pass(reported).await;
        story.restarts(2.0);
        story.life.send_replace(Life::Terminated(Ending { finished: Some(at(4.0)), ..Ending::default() }));
        story.pass(31.0 - reported).await;
        story.restarts(30.0);
        story.pass(10.0).await;
        assert_eq!(outline(&story), expected, "reported at {reported} s");
    }
}

/// The log that is served as the previous one is a later instance's: its last line is the current log's too, or was
/// written long after the later instance started.
#[tokio::test(start_paused = true)]
async fn a_previous_log_of_a_later_instance_is_not_read() {
    let crashed = vec![(2.0, Some(2.5), log([(2.3, "b")]))];
    let restarted = vec![(2.0, Some(4.0), log([(3.5, "b")])), (5.0, None, log([(5.5, "c")]))];
    for later in [crashed, restarted] {
        let first = (-60.0, Some(1.0), log([(-1.0, "a"), (0.5, "lost")]));
        let container = Container::new([first].into_iter().chain(later));
        let story = Story::follow(move |request| match container.now() {
            ..0.1 => container.answer(request).cut_after(0.1).broken(),
            ..6.0 => Reply::refusal(500, "dial tcp: connection refused"),
            _ => container.answer(request),
        });
        story.pass(4.5).await;
        let replaced = Life::Replaced { ending: Ending::default(), restart_count: 1, started: Some(at(2.0)) };
        story.life.send_replace(replaced);
        story.pass(60.0).await;
        assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-"]);
    }
}

/// Its runtime takes some seconds until it names the old log.
#[tokio::test(start_paused = true)]
async fn a_previous_log_that_is_not_there_yet_is_waited_for() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..8.7, true) => Reply::refusal(400, NO_PREVIOUS),
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..6.0, _) => container.answer(request).after(6.0),
        _ => container.answer(request),
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(30.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// More than one instance started meanwhile: the previous log is not the old one's.
#[tokio::test(start_paused = true)]
async fn a_log_of_the_instance_before_the_previous_one_is_out_of_reach() {
    let mut asked = 0;
    let story = Story::follow(move |_| {
        asked += 1;
        match asked {
            1 => Reply::of(line(-1.0, "a")).broken(),
            _ => Reply::refusal(500, "dial tcp: connection refused"),
        }
    });
    story.pass(5.0).await;
    let requests = story.asked().len();
    let replaced = Life::Replaced { ending: Ending::default(), restart_count: 2, started: Some(at(4.0)) };
    story.life.send_replace(replaced);
    let (ended, said, asked) = story.end().await;
    assert!(!ended.complete && said[said.len() - 2].contains("Unchecked"), "{said:?}");
    assert!(asked[requests..].iter().all(|(_, request)| !request.previous));
}

/// The container restarts after the log request, and the status reports it before the answer arrives.
#[tokio::test(start_paused = true)]
async fn an_answer_during_which_the_container_restarted_is_not_read() {
    let container = restarting();
    let mut story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).after(7.6),
        _ => container.answer(request),
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(40.0).await;
    assert_eq!(story.said(), IN_ORDER);
}

#[tokio::test(start_paused = true)]
async fn lines_that_were_rotated_away_before_a_restart_are_reported() {
    let old = log([(-1.0, "a"), (3.0, "rotated away"), (4.9, "last words")]);
    let container = Container::new([(-60.0, Some(5.0), old), (6.0, None, log([(7.5, "b")]))]);
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..6.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (now, true) => log([(4.9, "last words")]).answer_at(now, Some(5.0), request),
        _ => container.answer(request),
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Between", "last words", "-", "restarted 1", "b"]);
}

/// All of its log is new, though it was not read before.
#[tokio::test(start_paused = true)]
async fn a_new_pod_that_meets_the_condition_again_is_new() {
    let setup = Setup { fresh: true, ..Setup::new(LogPlan { tail: Some(1), ..plan() }) };
    let container = Container::writing([1.0, 2.0, 3.0]);
    let mut story = setup.begin(move |request| match container.now() {
        ..4.0 => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(2.0).await;
    story.life.send_replace(Life::Dropped);
    story.pass(3.0).await;
    story.comes_back();
    story.pass(2.0).await;
    assert_eq!(outline(&story), ["+", "0", "1", "2"]);
}

/// A pod stops meeting `--condition`, meets it again soon or at once, and its log grows meanwhile.
#[tokio::test(start_paused = true)]
async fn a_pod_that_meets_the_condition_again_goes_on_where_it_was() {
    for away in [0.0, 3.0] {
        let container = Container::writing([-2.0, -1.0, 1.0, 2.5, 6.0]);
        let mut story = Story::follow(move |request| container.answer(request));
        story.pass(2.0).await;
        story.life.send_replace(Life::Dropped);
        story.pass(away).await;
        story.comes_back();
        story.pass(10.0).await;
        assert_eq!(story.said(), ["+", "0", "1", "2", "-", "+", "3", "4"], "{away} s away");
    }
}

/// Two restarts followed by then.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_gone_once_its_pod_meets_the_condition_again_was_read() {
    let container = Container::writing([-2.0, -1.0, 1.0]);
    let mut story = Story::follow(move |request| match container.now() {
        ..3.0 => container.answer(request),
        _ => Reply::refusal(500, "dial tcp: connection refused"),
    });
    story.pass(2.0).await;
    story.life.send_replace(Life::Dropped);
    story.pass(2.0).await;
    story.comes_back();
    story.pass(0.1).await;
    story.restarts_so_often(2, 3.0);
    story.pass(0.1).await;
    assert_eq!(outline(&story), ["+", "0", "1", "2", "-", "! Unchecked"]);
}

/// The node had started the next instance, and its pod stops meeting `--condition` before a status reports that.
#[tokio::test(start_paused = true)]
async fn lines_of_the_next_instance_do_not_come_again_once_its_pod_meets_the_condition_again() {
    let next = Written::numbered((-5..9).map(f64::from));
    let container = Container::new([(-60.0, Some(-7.0), log([])), (-6.0, None, next)]);
    let mut story = Story::follow(move |request| container.answer(request));
    story.pass(4.5).await;
    story.life.send_replace(Life::Dropped);
    story.pass(2.0).await;
    story.restarts(-6.0);
    story.pass(10.0).await;
    let (before, behind): (Vec<_>, Vec<_>) = (0..14).map(|n: u32| n.to_string()).partition(|n| n.len() < 2);
    let said = [&["+".to_owned()], &*before, &["-".to_owned(), "restarted 1".to_owned()], &*behind].concat();
    assert_eq!(story.said(), said);
}

/// The status has whole seconds, so that the last line of the first instance seems to be written after the second
/// started.
#[tokio::test(start_paused = true)]
async fn a_rotation_after_a_quick_restart_is_not_taken_for_another_restart() {
    let old = log([(-1.0, "a"), (5.9, "last words")]);
    let new = log([(8.5, "b"), (10.0, "lost")]);
    let container = Container::new([(-60.0, Some(5.92), old), (5.95, None, new)]);
    let mut story = Story::follow(move |request| match container.now() {
        5.94..8.9 if request.follow => container.answer(request).cut_after(9.0 - container.now()).broken(),
        8.9..12.0 if !request.previous => Reply::refusal(500, "dial tcp: connection refused"),
        now @ 12.0.. if !request.previous => log([(11.5, "c")]).answer_at(now, None, request),
        _ => container.answer(request),
    });
    story.pass(6.0).await;
    story.restarts(5.95);
    story.pass(40.0).await;
    assert_eq!(outline(&story), ["+", "a", "last words", "-", "restarted 1", "b", "! Between", "c"]);
}

/// The next instance writes in the second in which it started, which could be the end of the old one's log.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_with_the_report_of_a_restart_is_not_taken_for_the_old_log() {
    let old = log([(-1.0, "a"), (4.9, "last words")]);
    let container = Container::new([(-60.0, Some(5.0), old), (6.0, None, log([(6.3, "b")]))]);
    let mut asked = 0;
    let mut story = Story::follow(move |request| {
        asked += 1;
        match asked {
            1 => Reply::of(line(6.3, "b")).after(7.0),
            _ => container.answer(request),
        }
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(20.0).await;
    assert_eq!(story.said(), ["+", "a", "last words", "-", "restarted 1", "b"]);
}

/// Permissions and kubelets can be late for the next instance as they can for the same one.
#[tokio::test(start_paused = true)]
async fn a_refusal_right_after_a_restart_ends_no_tail() {
    let container = restarting();
    let mut story = Story::follow(move |request| match (container.now(), request.previous) {
        (5.5..20.0, false) => Reply::refusal(403, "no"),
        _ => container.answer(request),
    });
    story.pass(6.5).await;
    story.restarts(6.0);
    story.pass(60.0).await;
    assert_eq!(outline(&story), IN_ORDER);
}

/// The watch is late: the lines behind the end of a stream are the next instance's by the words of the apiserver.
#[tokio::test(start_paused = true)]
async fn lines_of_a_later_instance_do_not_contradict_the_end_of_a_stream() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(-1.0, "a")])),
        (1.5, Some(3.5), log([(3.0, "b")])),
        (4.0, None, log([(4.5, "c")])),
    ]);
    let mut story = Story::follow(move |request| container.answer(request));
    story.pass(2.0).await;
    story.apiserver_knows(1);
    story.pass(4.0).await;
    story.restarts(1.5);
    story.pass(1.0).await;
    assert_eq!(outline(&story)[..4], ["+", "a", "-", "restarted 1"]);
}

/// The next instance has written nothing yet; the status reports only the end of the old one.
#[tokio::test(start_paused = true)]
async fn an_empty_log_of_the_next_instance_is_not_taken_for_a_loss() {
    for known in [0, 1] {
        let next = (1.5, None, log([(20.0, "b")]));
        let container = Container::new([(-60.0, Some(1.0), log([(-1.0, "a")])), next]);
        let mut story = Story::follow(move |request| container.answer(request));
        story.pass(3.0).await;
        story.apiserver_knows(known);
        let ending = Ending { finished: Some(at(1.0)), ..Ending::default() };
        story.life.send_replace(Life::Terminated(ending));
        story.pass(5.0).await;
        story.restarts(1.5);
        story.pass(30.0).await;
        assert_eq!(outline(&story), ["+", "a", "-", "restarted 1", "b"], "{known} is known");
    }
}

/// It has ended as well, of which the watch does not know yet.
#[tokio::test(start_paused = true)]
async fn an_empty_previous_log_of_a_later_instance_is_not_taken_for_a_loss() {
    let container = Container::new([
        (-60.0, Some(1.0), log([(-1.0, "a")])),
        (1.5, Some(3.0), log([])),
        (3.2, None, log([(20.0, "c")])),
    ]);
    let mut story = Story::follow(move |request| container.answer(request));
    story.pass(4.0).await;
    story.restarts(1.5);
    story.apiserver_knows(2);
    story.pass(1.0).await;
    assert_eq!(outline(&story)[..4], ["+", "a", "-", "restarted 1"]);
}

/// The stream ends early, and its file is rotated before the restart, of which a status reports at once.
#[tokio::test(start_paused = true)]
async fn lines_that_were_rotated_away_with_nothing_behind_are_reported_though_the_next_log_is_empty_too() {
    for next in [2.5, 20.0] {
        let container = Container::new([(-60.0, Some(1.0), log([])), (1.0, None, log([(next, "b")]))]);
        let mut story = Story::follow(move |request| match container.now() {
            ..1.0 => log([(-1.0, "a")]).answer(request).silent(1.0),
            _ => container.answer(request).after(0.1),
        });
        story.pass(1.05).await;
        story.restarts(1.0);
        story.pass(30.0).await;
        assert_eq!(outline(&story), ["+", "a", "! Behind", "-", "restarted 1", "b"], "{next}");
    }
}

/// The kubelet seems to have started another instance, but no status reports it: the log is followed after all.
#[tokio::test(start_paused = true)]
async fn a_wait_for_a_status_takes_no_place_and_the_log_is_followed_as_usual_afterwards() {
    let (mut follows, scheduler) = (0, crate::schedule::Scheduler::new(1, 100));
    let setup = Setup { scheduler: scheduler.clone(), ..Setup::new(plan()) };
    let story = setup.begin(move |request| {
        follows += usize::from(request.follow);
        match (request.previous, follows) {
            (false, 1) => Reply::of(line(-1.0, "0")).broken(),
            (true, _) => Reply::of(line(-1.0, "0")),
            (false, _) => Reply::of(line(5.0, "1")).silent(1e6),
        }
    });
    story.pass(20.0).await;
    assert!(scheduler.try_spare().is_some());
    story.pass(30.0).await;
    assert!(story.said().contains(&"1".to_owned()), "{:?}", story.said());
    assert_eq!(scheduler.load().borrow().following, 1);
}

/// They were read behind a gap, and the node keeps no log of an instance that was replaced.
#[tokio::test(start_paused = true)]
async fn lines_of_the_next_instance_are_not_named_as_the_last_ones_of_a_removed_log() {
    let mut asked = 0;
    let story = Story::follow(move |request| {
        asked += usize::from(!request.previous && !is_look(request));
        match (asked, request.previous) {
            (_, true) => Reply::of(REMOVED),
            (1, _) => Reply::of(line(-1.0, "a")),
            _ => Reply::of(line(0.5, "b")).silent(60.0),
        }
    });
    story.pass(5.0).await;
    let ending = Ending { deleting: true, ..Ending::default() };
    story.life.send_replace(Life::Replaced { ending, restart_count: 1, started: Some(at(0.0)) });
    let (_, said, _) = story.end().await;
    assert_eq!(said[4..], [format!("! {:?}", Gap::Unchecked(Some(at(-1.0).into()))), "-".to_owned()]);
}

/// No request finds it until it is given up, and by then the next instance's was rotated.
#[tokio::test(start_paused = true)]
async fn lines_that_may_be_the_next_ones_are_left_to_it_by_a_log_that_is_given_up() {
    let first = (-60.0, Some(1.0), log([(-1.0, "a")]));
    let container = Container::new([first, (1.0, None, log([(2.0, "b")]))]);
    let mut story = Story::follow(move |request| match container.now() {
        ..2.0 => Reply::refusal(500, "dial tcp: connection refused"),
        now @ 2.0..6.0 => container.answer(request).cut_after(6.0 - now).broken(),
        6.0..14.0 => Reply::refusal(404, "pods \"web-1\" not found"),
        now => log([(11.0, "c")]).answer_at(now, None, request),
    });
    story.pass(6.5).await;
    story.restarts(1.0);
    story.pass(20.0).await;
    let said = outline(&story);
    assert_eq!(said[said.len() - 3..], ["restarted 1 since 2", "! Between", "c"], "{said:?}");
}
