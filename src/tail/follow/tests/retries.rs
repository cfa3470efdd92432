//! Streams break and requests are refused, and both are retried.

use super::*;

/// A load balancer answers in the apiserver's place for a minute, or permissions and credentials are gone.
#[tokio::test(start_paused = true)]
async fn any_refusal_of_a_readable_log_is_retried() {
    for code in [302, 401, 403, 405, 418, 422, 501] {
        let (began, mut asked) = (Instant::now(), 0);
        let story = Story::begin(plan(), Life::Running, move |_| {
            asked += 1;
            match began.elapsed() < Duration::from_secs(60) {
                true if asked == 1 => Reply::of(line(-1.0, "0")).broken(),
                true => Reply::refusal(code, "welcome"),
                false => Reply::of(line(-1.0, "0") + &line(60.0, "1")).silent(1e6),
            }
        });
        story.pass(75.0).await;
        let said = story.said();
        assert_eq!((said.len(), said.last().map(String::as_str)), (4, Some("1")), "{code}: {said:?}");
    }
}

/// The apiserver waits for half a minute for a node that is down.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_slowly_is_given_up_after_the_same_tries_and_reported() {
    let story =
        Story::begin(as_it_is(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    let (ended, said, asked) = story.end().await;
    assert_eq!((ended.reason, asked.len()), (Reason::Failed, TRIES + 1));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].ends_with("dial tcp: i/o timeout”; trying again"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_that_is_refused_slowly_is_reported_once_and_asked_for_again() {
    let story =
        Story::begin(plan(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    story.pass(600.0).await;
    assert_eq!(story.said().len(), 1, "{:?}", story.said());
    let last = story.asked().last().map(|(seconds, _)| *seconds);
    assert!(last > Some(540.0), "{last:?}");
}

/// Some links break every few seconds.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_over_and_over_is_read_on_as_long_as_it_brings_lines() {
    let log = Written::numbered((0..21).map(|n| f64::from(n) - 60.0));
    let mut reached = -60.0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        if is_look(request) {
            return log.answer(request);
        }
        reached += 2.0;
        let reply = log.until(reached).answer(request).silent(5.0);
        if reached < -40.0 { reply.broken() } else { reply }
    });
    let (ended, said, asked) = story.end().await;
    assert_eq!(said.len(), 23, "{said:?}");
    assert!(ended.complete && asked.len() > TRIES + 2, "{ended:?}");
}

/// The file of a running container's log was removed.
#[tokio::test(start_paused = true)]
async fn a_log_without_its_file_is_reported_once_while_its_container_runs() {
    let mut asked = 0;
    let story = Story::begin(plan(), Life::Running, move |_| {
        asked += 1;
        match asked {
            1 => Reply::of(line(-1.0, "0")),
            _ => Reply::of("failed to open log file \"/0.log\": open /0.log: no such file or directory"),
        }
    });
    story.pass(60.0).await;
    assert_eq!(
        story.said().iter().filter(|said| said.contains("“failed to open")).count(),
        1,
        "{:?}",
        story.said()
    );
}

/// The kubelet is starting when a log is opened.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_found_while_its_pod_is_there_is_asked_for_again() {
    let began = Instant::now();
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        match began.elapsed() < Duration::from_secs(3) {
            true => Reply::refusal(404, "not found"),
            false => Written::numbered([-5.0]).answer(request),
        }
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said, ended.complete), (vec!["+".to_owned(), "0".to_owned(), "-".to_owned()], true));
}

/// Ends of each kind, after any number of bytes, and again.
#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_anywhere_goes_on_where_it_was() {
    let log = Written::numbered([-3.0, -2.5, -2.5, -2.0, -1.0]);
    for bytes in 0..5 * 33 {
        for breaks in [true, false] {
            let (log, mut asked) = (log.clone(), 0);
            let story = Story::follow(move |request| {
                asked += 1;
                let request = LogRequest { limit_bytes: (asked < 3).then_some(bytes), ..request.clone() };
                let reply = log.answer(&request);
                match asked {
                    ..3 if breaks => reply.broken(),
                    ..3 => reply,
                    _ => reply.silent(1e6),
                }
            });
            story.pass(30.0).await;
            assert_eq!(story.said(), ["+", "0", "1", "2", "3", "4"], "{bytes} bytes, broken: {breaks}");
        }
    }
}

/// Some hundred lines share each instant.
#[tokio::test(start_paused = true)]
async fn lines_that_share_an_instant_are_shown_once_over_breaks() {
    let log = Written::numbered((0..3000).map(|n| f64::from(n / 300) - 20.0));
    let mut asked = 0;
    let story = Story::follow(move |request| {
        asked += 1;
        let limit = (asked <= 5).then_some(asked * 12_345);
        let reply = log.answer(&LogRequest { limit_bytes: limit, ..request.clone() });
        if asked <= 5 { reply.broken() } else { reply.silent(1e6) }
    });
    story.pass(60.0).await;
    let lines: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    assert!(story.said()[1..] == lines, "{:?}", story.said());
}

/// Streams break at any time, requests are refused or take long, and the log is rotated after the last line read.
#[tokio::test(start_paused = true)]
async fn lines_written_while_everything_breaks_are_shown_once_and_in_order() {
    for seed in 0..30 {
        let log = Written::numbered((0..500).map(|n| f64::from(n) / 5.0 - 1.0));
        let (container, mut random) = (Container::writing([]), fastrand::Rng::with_seed(seed));
        let story = Story::follow(move |request| {
            let now = container.now();
            // A file is a third of it, and the kubelet keeps each for a minute more.
            let begins = (((now - 60.0) / 33.0).floor() * 33.0).max(-60.0);
            let reply = match request.previous {
                true => return Reply::refusal(400, NO_PREVIOUS),
                false => log.from(begins).answer_at(now, None, request),
            };
            match random.u8(0..if now < 95.0 { 6 } else { 1 }) {
                0 => reply,
                1 => reply.cut_after(random.f64() * 5.0).broken(),
                2 => reply.cut_after(random.f64() * 5.0),
                3 => reply.cut_after(random.f64()).broken().after(random.f64()),
                4 => Reply::lost(),
                _ => Reply::refusal(500, "dial tcp: connection refused"),
            }
        });
        story.pass(200.0).await;
        let lines: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        assert_eq!(outline(&story)[1..], lines, "seed {seed}");
    }
}

/// While it is refused, and once it is served again.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_in_any_way_is_opened_again() {
    let mut ways: Vec<fn() -> Reply> = vec![Reply::lost, || Reply::refusal(504, "timeout").after(30.0)];
    ways.extend([
        || Reply::refusal(400, "no"),
        || Reply::refusal(401, "no"),
        || Reply::refusal(403, "no"),
        || Reply::refusal(404, "no"),
        || Reply::refusal(429, "no"),
        || Reply::refusal(500, "no"),
        || Reply::refusal(502, "no"),
        || Reply::refusal(503, "no"),
    ] as [fn() -> Reply; 8]);
    for (n, refusal) in ways.into_iter().enumerate() {
        let container = Container::writing([-1.0, 1.0, 3.0, 100.0]);
        let story = Story::follow(move |request| match container.now() {
            ..1.0 => container.answer(request).cut_after(2.0).broken(),
            1.0..60.0 => refusal(),
            _ => container.answer(request),
        });
        story.pass(120.0).await;
        assert_eq!(outline(&story), ["+", "0", "1", "2", "3"], "way {n}");
        assert!(story.notices().len() <= 1, "{:?}", story.notices());
    }
}

/// The watch of the pods reports it.
#[tokio::test(start_paused = true)]
async fn a_tail_does_not_report_an_unreachable_apiserver() {
    let container = Container::writing([-1.0, 3.0]);
    let story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(2.0).broken(),
        1.0..300.0 => Reply::lost(),
        _ => container.answer(request),
    });
    story.pass(320.0).await;
    assert_eq!(story.said(), ["+", "0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_kubelet_is_reported_for_its_node() {
    let away = "Get \"https://10.0.0.1:10250/containerLogs/default/web-1/app\": dial tcp: i/o timeout";
    let container = Container::writing([-1.0, 3.0]);
    let story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(2.0).broken(),
        1.0..300.0 => Reply::refusal(500, away),
        _ => container.answer(request),
    });
    story.pass(320.0).await;
    let told = "!! cannot read logs of node node-1: “dial tcp: i/o timeout”; trying again";
    assert_eq!(story.said(), ["+", "0", told, "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_keeps_being_refused_is_asked_for_ever_less_often() {
    let story = Story::follow(|_| Reply::refusal(500, "no"));
    story.pass(600.0).await;
    let asked: Vec<f64> = story.asked().into_iter().map(|(seconds, _)| seconds).collect();
    assert!((60..=130).contains(&asked.len()), "{} requests", asked.len());
    let last = asked.windows(2).last().map(|pair| pair[1] - pair[0]);
    assert!(last.is_some_and(|pause| (5.0..=10.0).contains(&pause)), "{last:?}");
}

/// A stream that breaks at once has to wait.
#[tokio::test(start_paused = true)]
async fn a_stream_that_lived_for_a_while_is_opened_again_at_once() {
    for (lived, at_once) in [(15.0, true), (0.0, false)] {
        let story = Story::follow(move |_| Reply::of(line(-1.0, "0")).silent(lived).broken());
        story.pass(100.0).await;
        let asked: Vec<f64> = story.asked().into_iter().map(|(seconds, _)| seconds).collect();
        let pauses: Vec<f64> = asked.windows(2).map(|pair| pair[1] - pair[0] - lived).collect();
        assert!(pauses.len() >= 5, "{pauses:?}");
        assert_eq!(pauses.iter().all(|pause| *pause < 0.01), at_once, "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_rotated_while_a_stream_was_broken_is_reported() {
    let container = Container::writing([-1.0, 1.0, 3.0, 5.0, 9.0]);
    let story = Story::follow(move |request| match (container.now(), request.previous) {
        (_, true) => Reply::refusal(400, NO_PREVIOUS),
        (..1.0, _) => container.answer(request).cut_after(2.0).broken(),
        (1.0..6.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (now, _) => log([(5.0, "3"), (9.0, "4")]).answer_at(now, None, request),
    });
    story.pass(30.0).await;
    assert_eq!(outline(&story), ["+", "0", "1", "! Between", "3", "4"]);
}

/// Its first line, and the first one of the new file, are of nearly the same instant.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_rotated_behind_its_first_line_is_reported_though_only_a_part_of_it_was_asked_for() {
    let day = crate::plan::Since::Ago(Duration::from_secs(86_400));
    let setup = Setup { started: Some(-2.0), ..Setup::new(LogPlan { since: Some(day), ..plan() }) };
    let mut opened = 0;
    let story = setup.begin(move |request| {
        opened += u32::from(request.follow);
        match (request.previous, opened) {
            (true, _) => Reply::refusal(400, NO_PREVIOUS),
            (_, 1) => Reply::of(line(-1.0, "0")).silent(2.0).broken(),
            _ => log([(-0.99, "2")]).answer(request).silent(1e6),
        }
    });
    story.pass(30.0).await;
    assert_eq!(outline(&story), ["+", "0", "! Between", "2"]);
}

/// The log was never read before.
#[tokio::test(start_paused = true)]
async fn a_log_that_may_not_be_read_is_given_up_at_once_and_reported() {
    let story = Story::follow(|_| Reply::refusal(403, "no"));
    let (ended, said, asked) = story.end().await;
    assert_eq!((ended.reason, asked.len(), said.len()), (Reason::Failed, 1, 1), "{said:?}");
}

/// A permission is taken away for an hour.
#[tokio::test(start_paused = true)]
async fn a_permission_that_comes_and_goes_ends_no_tail() {
    let container = Container::writing([-1.0, 1.0, 1800.0, 3700.0]);
    let story = Story::follow(move |request| match container.now() {
        ..2.0 => container.answer(request).cut_after(2.0).broken(),
        2.0..3600.0 => Reply::refusal(403, "no"),
        _ => container.answer(request),
    });
    story.pass(3800.0).await;
    assert_eq!(outline(&story), ["+", "0", "1", "2", "3"]);
    assert_eq!(story.notices().len(), 1, "{:?}", story.notices());
}
