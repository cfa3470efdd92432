//! A pod is deleted, and its node removes the logs soon.

use super::*;
use crate::{origin::PodInfo, schedule::Scheduler, tail::stream::DRAIN};

/// A lost node ends no stream, so that its end is not known.
#[tokio::test(start_paused = true)]
async fn a_stream_of_a_deleted_pod_is_heard_out_for_a_while() {
    let story = Story::begin(plan(), Life::Running, |_| {
        Reply::of(line(-1.0, "a")).silent(5.0).then(line(5.0, "b")).silent(1e6)
    });
    story.pass(1.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(5.0).await;
    assert_eq!(story.said(), ["+", "a", "b"]);
    story.pass(11.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "! Unchecked", "-"]);
}

/// Its follower was silent since a rotation, and ends with the kubelet.
#[tokio::test(start_paused = true)]
async fn a_stream_that_outlives_its_container_and_its_pod_is_no_end() {
    let mut asked = 0;
    let story = Story::begin(plan(), Life::Running, move |request| {
        asked += usize::from(request.follow);
        match asked {
            1 if request.follow => Reply::of(line(-1.0, "a")).silent(8.0),
            1 => Reply::of(line(-1.0, "a")),
            _ => Reply::refusal(404, "pods \"web-1\" not found"),
        }
    });
    story.pass(1.0).await;
    story.life.send_replace(stopped());
    story.pass(0.5).await;
    story.life.send_replace(Life::Deleted);
    story.pass(12.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-"]);
}

/// The node does not even answer.
#[tokio::test(start_paused = true)]
async fn a_request_for_the_log_of_a_deleted_pod_is_waited_for_no_longer() {
    let story = Story::begin(plan(), Life::Running, |_| Reply::of("").after(1e6));
    story.pass(1.0).await;
    story.life.send_replace(Life::Deleted);
    let began = Instant::now();
    let (ended, said, _) = story.end().await;
    assert_eq!(
        (ended.reason, said),
        (Reason::Deleted, vec!["! the log was removed before it could be read".to_owned()])
    );
    assert!(began.elapsed() <= DRAIN, "{:?}", began.elapsed());
}

/// All of it is from the second in which its instance ended, and until another one starts, the kubelet serves it as the
/// previous log too.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_read_to_its_end_is_not_asked_for_once_more_as_its_deletion_is_reported() {
    let (written, began) = (log([(0.1, "a"), (0.2, "b")]), Instant::now());
    let ended =
        |deleting| Life::Terminated(Ending { finished: Some(at(0.0)), deleting, ..Ending::default() });
    let story = Story::follow(move |request| match began.elapsed().as_secs_f64() {
        ..5.0 => written.answer(request),
        _ => Reply::refusal(404, "pods \"web-1\" not found"),
    });
    story.pass(4.0).await;
    story.life.send_replace(ended(false));
    story.pass(2.0).await;
    story.apiserver_knows(NO_POD);
    story.life.send_replace(ended(true));
    story.pass(1.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(5.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "-"]);
}

/// Its container writes on, and there is one place only.
#[tokio::test(start_paused = true)]
async fn a_stream_that_outlives_its_pod_keeps_no_place_that_others_need() {
    let (scheduler, mut follows) = (Scheduler::new(1, 100), 0);
    let setup = Setup { scheduler: scheduler.clone(), ..Setup::new(plan()) };
    let story = setup.begin(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => (0..100).fold(Reply::of(line(0.0, "x")), |reply, n| {
                reply.silent(5.0).then(line(f64::from(n) * 5.0, "x"))
            }),
            _ => Reply::refusal(404, "pods \"web-1\" not found"),
        }
    });
    story.pass(0.5).await;
    story.life.send_replace(Life::Deleted);
    let other = scheduler.seat(&Arc::new(PodInfo::default()));
    let granted = timeout(Duration::from_secs(120), other.request(Mode::Follow, Purpose::Open)).await;
    assert!(granted.is_ok() && story.said().len() > 10, "{:?}", story.said());
}

/// It has ended, so that there is no other stream to go on with.
#[tokio::test(start_paused = true)]
async fn a_busy_stream_that_has_ended_is_not_left() {
    for goes_on in [false, true] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            let busy = Reply::of(line(-1.0, "a")).busy();
            match (request.follow, follows) {
                (true, 1) if goes_on => busy.silent(10.0),
                (true, 1) => busy,
                _ => Reply::refusal(404, "pods \"web-1\" not found"),
            }
        });
        story.pass(0.5).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        let gap: &[&str] = if goes_on { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat(), "{goes_on}");
    }
}

/// It ends soon, and its log is gone then.
#[tokio::test(start_paused = true)]
async fn a_busy_stream_of_a_pod_that_is_being_deleted_is_not_left() {
    for (life, rest) in [(Life::Running, "! Unchecked"), (Life::Terminating, "b")] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (true, 1) => Reply::of(line(-1.0, "a")).busy().after(1.0).silent(2.0).then(line(2.0, "b")),
                _ => Reply::refusal(404, "pods \"web-1\" not found"),
            }
        });
        story.pass(0.5).await;
        story.life.send_replace(life);
        story.pass(1.5).await;
        story.life.send_replace(Life::Deleted);
        story.pass(2.0).await;
        assert_eq!(outline(&story), ["+", "a", rest, "-"]);
    }
}

/// Its stream ended early and looked complete, and the node answers no more.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_asked_for_again_in_vain_until_its_pod_was_gone_is_reported() {
    let mut follows = 0;
    let story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (false, _) => Reply::refusal(400, NO_PREVIOUS),
            (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
            (true, _) => Reply::of("").after(1e6),
        }
    });
    story.pass(6.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(11.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-"]);
}

/// Its stream ended early and looked complete, and the log was not found from then on, though its pod was there, or
/// since that was gone; a pod that is being deleted is gone before many refusals.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_not_found_while_its_pod_was_there_is_reported() {
    for (life, seconds, is_gone) in [
        (Life::Running, 6.0, false),
        (Life::Running, 6.0, true),
        (Life::Terminating, 2.0, false),
        (Life::Terminating, 2.0, true),
    ] {
        let mut follows = 0;
        let story = Story::begin(plan(), life, move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, _) => Reply::refusal(404, "pods \"web-1\" not found"),
            }
        });
        if is_gone {
            story.apiserver_knows(NO_POD);
        }
        story.pass(seconds).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        let gap: &[&str] = if is_gone { &[] } else { &["! Unchecked"] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat());
    }
}

/// The words in place of the rest are reported once, and the log is gone when it is requested again.
#[tokio::test(start_paused = true)]
async fn a_log_that_ended_with_the_same_words_again_until_its_pod_was_gone_is_reported() {
    for words in [REMOVED, "rpc error: code = Unavailable desc = transport is closing"] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0).then(words),
                (true, 2) => Reply::of(line(-1.0, "a") + &line(0.5, "b")).silent(0.5).then(words),
                (true, _) => Reply::refusal(404, "pods \"web-1\" not found"),
            }
        });
        story.pass(6.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        let reported = format!("! the kubelet reports in place of lines: “{words}”");
        assert_eq!(outline(&story), ["+", "a", &reported, "b", "! Unchecked", "-"]);
    }
}

/// The last answer brings no new line before them: another stream's, or that of the log of a container that has ended.
#[tokio::test(start_paused = true)]
async fn the_same_words_again_behind_known_lines_are_no_end() {
    let words = "rpc error: code = Unavailable desc = EOF";
    for has_ended in [false, true] {
        let (mut follows, known) = (0, line(-1.0, "a") + &line(0.5, "b"));
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) if request.previous => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0).then(words),
                (true, 2) => Reply::of(known.clone()).silent(0.5).then(words),
                (true, 3) | (false, _) if !is_look(request) => Reply::of(known.clone() + words),
                _ => Reply::refusal(404, "pods \"web-1\" not found"),
            }
        });
        story.pass(1.7).await;
        if has_ended {
            story.life.send_replace(stopped());
        }
        story.pass(6.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(1.0).await;
        let reported = format!("! the kubelet reports in place of lines: “{words}”");
        let gap = if has_ended { "! Behind" } else { "! Unchecked" };
        assert_eq!(outline(&story), ["+", "a", &reported, "b", gap, "-"], "{has_ended}");
    }
}

/// The limiter and `--stats` depend on it.
#[tokio::test(start_paused = true)]
async fn a_request_has_whether_its_log_is_resumed_and_whether_it_will_be_gone() {
    use Purpose::*;
    let log = Written::numbered([-9.0, -5.0]);
    for (life, wanted) in [(Life::Running, &[Open, Remainder, Confirm][..]), (stopped(), &[Ending, Confirm])]
    {
        let log = log.clone();
        let story = Story::begin(plan(), life, move |request| match request.follow {
            true => log.answer(request).silent(5.0).broken(),
            false => log.answer(request),
        });
        story.pass(1.0).await;
        story.life.send_replace(stopped());
        let (_, _, asked) = story.end().await;
        let purposes: Vec<_> = asked.iter().map(|(_, request)| request.purpose).collect();
        assert_eq!(purposes, wanted);
    }
}

/// The watch reports that the pod is gone while the words that its log is gone arrive.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_removed_as_its_pod_goes_is_no_alarm() {
    let story = Story::begin(plan(), Life::Running, |request| match request.follow {
        true => Reply::of(line(-1.0, "a")).silent(1.0),
        false => Reply::of("").silent(2.0).then(REMOVED),
    });
    story.pass(0.5).await;
    story.life.send_replace(stopped());
    story.pass(1.5).await;
    story.life.send_replace(Life::Deleted);
    let (_, said, _) = story.end().await;
    assert_eq!(said, ["+", "a", "-"]);
}

/// All of its life is one second, so that its lines may be written after its end as far as the status says.
#[tokio::test(start_paused = true)]
async fn words_in_place_of_the_previous_log_are_no_proof_of_a_restart() {
    let mut asked = 0;
    let story = Story::begin(plan(), Life::Running, move |request| match request.follow {
        true => Reply::of(line(-0.3, "a")).silent(0.1).then(line(-0.2, "b")),
        false if asked == 0 && !request.previous => {
            asked += 1;
            Reply::of([line(-0.3, "a"), line(-0.2, "b")].concat())
        }
        false => Reply::of(REMOVED),
    });
    story.pass(0.05).await;
    story.life.send_replace(Life::Terminated(Ending {
        finished: Some(at(-1.0)),
        deleting: true,
        ..Ending::default()
    }));
    story.pass(60.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "-"]);
}

/// A pod that is deleted with a grace period: its container writes its last lines and ends, and its log is soon
/// removed.
#[tokio::test(start_paused = true)]
async fn a_pod_that_is_deleted_with_a_grace_period_is_no_alarm() {
    let refusals: [fn() -> Reply; 5] = [
        || Reply::refusal(404, "pods \"web-1\" not found"),
        || Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
        || Reply::of(REMOVED),
        || Reply::of(format!("{REMOVED}\n")),
        || {
            Reply::of(
                "failed to try resolving symlinks in path \"/0.log\": lstat /0.log: no such file or directory",
            )
        },
    ];
    for refusal in refusals {
        for removed in [1, 2, 3] {
            let (log, mut asked) = (Written::numbered([-1.0, 1.0]), 0);
            let story = Story::begin(plan(), Life::Running, move |request| {
                asked += 1;
                match asked {
                    1 => Reply::of(line(-1.0, "0")).silent(1.0).then(line(1.0, "1")),
                    _ if request.previous => Reply::refusal(400, NO_PREVIOUS),
                    _ if asked > removed => refusal(),
                    _ => log.answer(request),
                }
            });
            story.apiserver_knows(NO_POD);
            story.pass(0.5).await;
            story.life.send_replace(Life::Terminating);
            story.pass(20.0).await;
            story.life.send_replace(stopped());
            story.pass(1.0).await;
            story.life.send_replace(Life::Deleted);
            let (ended, said, _) = story.end().await;
            assert_eq!(said, ["+", "0", "1", "-"], "removed after {removed}");
            assert!(ended.complete);
        }
    }
}

/// Its stream ended early and looked complete while its pod was being deleted, and the next request is refused for a
/// moment.
#[tokio::test(start_paused = true)]
async fn a_log_of_a_pod_that_is_being_deleted_is_asked_for_again_soon() {
    for code in [400, 404] {
        let (container, mut follows) = (Container::writing([-1.0, 2.0]), 0);
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (true, 1) => Reply::of(line(-1.0, "0")).silent(1.0),
                (true, 2) => Reply::refusal(code, "the node knows no such pod"),
                _ => container.answer(request),
            }
        });
        story.pass(0.5).await;
        story.life.send_replace(Life::Terminating);
        story.pass(5.0).await;
        assert_eq!(story.said(), ["+", "0", "1"], "{code}");
    }
}

/// Its node cannot be reached when its container ends.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_removed_before_its_end_could_be_checked_is_reported() {
    let mut asked = 0;
    let story = Story::begin(plan(), Life::Running, move |_| {
        asked += 1;
        match asked {
            1 => Reply::of(line(-1.0, "0")).silent(1.0),
            _ => Reply::refusal(500, "dial tcp: connect: connection refused"),
        }
    });
    story.pass(30.0).await;
    story.life.send_replace(Life::Deleted);
    let (ended, said, _) = story.end().await;
    let last = event::Instant::from(at(-1.0));
    assert_eq!(said[said.len() - 2], format!("! {:?}", Gap::Unchecked(Some(last))), "{said:?}");
    assert!(!ended.complete);
}

/// The watch reports its end while its last lines are on their way.
#[tokio::test(start_paused = true)]
async fn a_log_of_a_deleted_pod_is_read_to_its_end() {
    let container = Container::new([(-60.0, Some(8.0), Written::numbered([-1.0, 2.0, 4.0, 7.5]))]);
    let story = Story::follow(move |request| container.answer(request));
    story.pass(1.0).await;
    story.life.send_replace(Life::Terminating);
    story.pass(2.0).await;
    story.life.send_replace(Life::Deleted);
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "2", "3", "-"]);
    assert!(ended.complete && ended.reason == Reason::Deleted, "{ended:?}");
}

/// Without following, no watch reports its end: the tail asks the apiserver.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_found_of_a_pod_that_is_gone_is_not_asked_for_again() {
    let mut asked = 0;
    let story = Story::begin(as_it_is(), Life::Running, move |_| {
        asked += 1;
        match asked {
            1 => Reply::refusal(404, "pods \"web-1\" not found"),
            _ => Reply::of(line(-1.0, "0")),
        }
    });
    story.apiserver_knows(1);
    let (ended, said, asked) = story.end().await;
    assert_eq!((ended.reason, asked.len()), (Reason::Deleted, 1));
    assert_eq!(said, ["! the log was removed before it could be read"]);
}

/// The first instance was read to its end. The next one, which no status reported, wrote its first line as the pod went.
#[tokio::test(start_paused = true)]
async fn a_line_of_the_next_instance_that_came_as_its_pod_went_is_reported() {
    let (first, mut follows) = (log([(-1.0, "a")]), 0);
    let story = Story::follow(move |request| {
        follows += usize::from(request.follow);
        match (request.follow, follows) {
            (true, 1) => first.answer(request).silent(12.0),
            (true, _) => Reply::of("").silent(1.0).then(line(12.9, "b")),
            (false, _) => first.answer(request),
        }
    });
    story.apiserver_knows(NO_POD);
    story.pass(18.0).await;
    assert_eq!(outline(&story), ["+", "a"]);
    story.life.send_replace(Life::Deleted);
    story.pass(1.0).await;
    assert_eq!(outline(&story), ["+", "a", "! Unchecked", "-"]);
}

/// The same, and its pod goes before its log is opened: only the previous log shows that there was one.
#[tokio::test(start_paused = true)]
async fn an_instance_of_which_nothing_was_read_as_its_pod_went_is_reported() {
    for restarts in [true, false] {
        // The end of a log with two lines of one instant cannot be compared.
        for last in [-0.5, -1.0] {
            let (first, mut follows) = (log([(-1.0, "a"), (last, "b")]), 0);
            let story = Story::follow(move |request| {
                follows += usize::from(request.follow);
                match (request.previous, follows) {
                    (false, 1) if request.follow => first.answer(request).silent(2.0),
                    (true, _) if restarts => first.answer(request),
                    (true, _) => Reply::refusal(400, NO_PREVIOUS),
                    (false, _) => Reply::refusal(404, "pods \"web-1\" not found"),
                }
            });
            story.apiserver_knows(NO_POD);
            story.pass(2.3).await;
            story.life.send_replace(Life::Deleted);
            story.pass(1.0).await;
            let gap: &[&str] = if restarts { &["! Unchecked"] } else { &[] };
            assert_eq!(outline(&story), [&["+", "a", "b"][..], gap, &["-"]].concat(), "{last}");
        }
    }
}

/// According to the status, its container runs.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_removed_too_early_is_reported() {
    let story = Story::follow(|_| Reply::of(REMOVED));
    story.pass(60.0).await;
    let reported = format!("! the kubelet reports in place of lines: “{REMOVED}”");
    assert_eq!(story.said(), ["+".to_owned(), reported]);
    story.life.send_replace(Life::Deleted);
    assert!(!story.end().await.0.complete);
}

/// It was never opened, and its pod is deleted while it is refused.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_never_read_is_reported_if_its_pod_is_gone() {
    let story = Story::follow(|_| Reply::refusal(400, "container \"app\" is waiting to start"));
    story.pass(2.0).await;
    story.life.send_replace(Life::Deleted);
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["! the log was removed before it could be read"]);
    assert!(!ended.complete);
}

/// The runtime did not answer for a moment.
#[tokio::test(start_paused = true)]
async fn a_log_that_comes_again_was_not_removed() {
    let mut asked = 0;
    let story = Story::follow(move |_| {
        asked += 1;
        match asked {
            1 => Reply::of(line(-1.0, "0")),
            2 => Reply::of(REMOVED),
            _ => Reply::of(line(-1.0, "0") + &line(0.0, "1")),
        }
    });
    story.pass(30.0).await;
    story.life.send_replace(Life::Terminated(Ending::default()));
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ 0 1 -", true));
}

/// A kubelet that does not find the container for a moment.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_served_again_was_not_removed() {
    let mut answers = 0;
    let story = Story::begin(plan(), Life::Running, move |request| {
        answers += usize::from(!is_look(request));
        match answers {
            1 => Reply::of(line(-1.0, "a")).silent(1.0),
            2 => Reply::of(line(-1.0, "a")).then(REMOVED),
            3 => Reply::of(line(-1.0, "a")).silent(1.0).broken(),
            _ => Reply::of(line(-1.0, "a")),
        }
    });
    story.pass(1.5).await;
    story.life.send_replace(stopped());
    story.pass(5.0).await;
    assert_eq!(outline(&story), ["+", "a", "-"]);
}

/// The watch of the pods does not report that for long.
#[tokio::test(start_paused = true)]
async fn a_pod_that_the_apiserver_does_not_know_any_more_is_not_asked_for_over_and_over() {
    let story = Story::follow(|_| Reply::refusal(404, "pods \"web-1\" not found"));
    story.apiserver_knows(NO_POD);
    story.pass(20.0).await;
    assert_eq!(story.asked().len(), 4);
    let (ended, said, _) = story.end().await;
    assert_eq!(ended.reason, Reason::Deleted);
    assert_eq!(said, ["! the log was removed before it could be read"]);
}

/// A pod that was evicted stays for weeks, and its kubelet serves none of its logs.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_lost_with_its_container_is_asked_for_no_more() {
    let (whole, broken) = (&["+", "a", "-"][..], &["+", "a", "! Unchecked", "-"][..]);
    for (breaks, is, wanted) in
        [(false, "terminated", whole), (true, "terminated", broken), (true, "not available", broken)]
    {
        let mut asked = 0;
        let story = Story::follow(move |_| {
            asked += 1;
            match asked {
                1 if breaks => Reply::of(line(-1.0, "a")).silent(1.0).broken(),
                1 => Reply::of(line(-1.0, "a")).silent(1.0),
                _ => Reply::refusal(400, &format!("container \"app\" in pod \"web-1\" is {is}")),
            }
        });
        story.pass(0.5).await;
        story.life.send_replace(Life::Terminated(Ending::default()));
        story.pass(60.0).await;
        assert_eq!(outline(&story), wanted);
        assert!(story.asked().len() < 40, "{}", story.asked().len());
    }
}

/// A kubelet that was away refuses a log that is there, once.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_refused_as_lost_behind_an_outage_is_asked_for_again() {
    let mut asked = 0;
    let story = Story::follow(move |request| {
        asked += usize::from(!request.previous);
        match asked {
            1 => Reply::of(line(-1.0, "a")).silent(1.0).broken(),
            2..40 => Reply::refusal(500, "dial tcp: connection refused"),
            40 => Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
            _ => Reply::of(format!("{}{}", line(-1.0, "a"), line(0.0, "b"))),
        }
    });
    story.pass(0.5).await;
    story.life.send_replace(Life::Terminated(Ending::default()));
    story.pass(600.0).await;
    assert_eq!(outline(&story), ["+", "a", "b", "-"]);
}

/// All pods have completed, and so their watch ended.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_removed_with_its_pod_ends_if_pods_are_watched_no_longer() {
    for known in [NO_POD, OTHER_POD] {
        let mut asked = 0;
        let mut story = Story::follow(move |_| {
            asked += 1;
            match asked {
                1 => Reply::of(line(-1.0, "a")).silent(1.0),
                _ => Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
            }
        });
        story.pass(0.5).await;
        story.life.send_replace(Life::Terminating);
        story.pass(5.0).await;
        story.apiserver_knows(known);
        story.life.send_replace(stopped());
        story.life = watch::Sender::new(Life::Running);
        let began = Instant::now();
        let (ended, said, _) = story.end().await;
        assert_eq!((ended.reason, ended.complete), (Reason::Deleted, true));
        assert_eq!(said, ["+", "a", "-"]);
        assert!(began.elapsed() < STATUS_DELAY, "{:?}", began.elapsed());
    }
}
