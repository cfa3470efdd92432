//! A tail on a paused clock: what lasts longer than a test may.

use super::*;
use crate::{
    cluster::LogRequest,
    instance::Ending,
    tail::{
        stream::DRAIN,
        testing::{Reply, Story, Written, as_it_is, at, line, plan},
    },
};

/// Whether it only looks at the last line of a log.
fn is_look(request: &LogRequest) -> bool {
    request.tail_lines == Some(1) && !request.follow && request.since.is_none()
}

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_is_shown_and_confirmed() {
    let log = Written::numbered([-9.0, -5.0]);
    let story = Story::begin(as_it_is(), Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "-"]);
    assert!(ended.complete && asked.len() == 2, "{asked:?}");
}

/// A load balancer answers in the apiserver's place for a minute, or permissions and credentials are gone.
#[tokio::test(start_paused = true)]
async fn whatever_refuses_a_log_that_could_be_read_is_asked_again() {
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

/// A node that is lost ends no stream.
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
    assert_eq!(story.said(), ["+", "a", "b", "-"]);
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
        (EndReason::Deleted, vec!["! gone before its log could be read".to_owned()])
    );
    assert!(began.elapsed() <= DRAIN, "{:?}", began.elapsed());
}

/// The apiserver waits for half a minute for a node that is down.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_slowly_is_given_up_after_the_same_tries_and_told() {
    let story =
        Story::begin(as_it_is(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    let (ended, said, asked) = story.end().await;
    assert_eq!((ended.reason, asked.len()), (EndReason::Failed, TRIES + 1));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].ends_with("dial tcp: i/o timeout; trying again"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_that_is_refused_slowly_is_told_once_and_asked_for_again() {
    let story =
        Story::begin(plan(), Life::Running, |_| Reply::refusal(500, "dial tcp: i/o timeout").after(30.0));
    story.pass(600.0).await;
    assert_eq!(story.said().len(), 1, "{:?}", story.said());
    let last = story.asked().last().map(|(seconds, _)| *seconds);
    assert!(last > Some(540.0), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_polled_log_whose_polls_fail_is_told() {
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
    let told = story.said().iter().filter(|said| said.ends_with("i/o timeout; trying again")).count();
    assert_eq!(told, 1, "{:?}", story.said());
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

/// A container that writes so many lines a second, read from so many seconds away; it began ten seconds ago.
fn busy(plan: LogPlan, rate: f64, round_trip: f64) -> Story {
    let log = Written::numbered((0..(60.0 * rate) as usize).map(|n| n as f64 / rate - 10.0));
    let began = Instant::now();
    Story::begin(plan, Life::Running, move |request| {
        log.until(began.elapsed().as_secs_f64() + round_trip / 2.0).answer(request).after(round_trip)
    })
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_of_a_log_that_is_being_written_are_as_many_as_were_asked_for() {
    for (rate, round_trip) in [(500.0, 0.0), (500.0, 0.05), (500.0, 0.6), (1.0, 0.6), (0.2, 5.0)] {
        let story = busy(LogPlan { tail: Some(2), ..as_it_is() }, rate, round_trip);
        let (ended, said, asked) = story.end().await;
        assert_eq!(said.len(), 4, "{rate} a second, {round_trip} s away: {said:?}");
        assert!(ended.complete && asked.len() == 1, "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_being_written_is_shown_as_it_was_when_it_was_opened() {
    for (rate, round_trip) in [(500.0, 0.05), (500.0, 0.6), (1.0, 0.6), (0.2, 5.0)] {
        let (ended, said, asked) = busy(as_it_is(), rate, round_trip).end().await;
        let opened = 10.0 + round_trip / 2.0;
        let shown = (said.len() - 2) as f64;
        let (least, most) = ((opened * rate).floor(), (opened + 1.0) * rate + 1.0);
        assert!((least..=most).contains(&shown), "{rate} a second, {round_trip} s away: {shown} lines");
        assert!(ended.complete && asked.len() <= 3, "{asked:?}");
        assert!(!said.iter().any(|said| said.starts_with('!')), "{said:?}");
    }
}

/// What an answer was cut off from is found out, though the log goes on.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_is_read_on_to_where_the_log_was_opened() {
    for ahead in [0.0, 30.0, -30.0] {
        let log = Written::numbered((0..6000).map(|n| f64::from(n) / 100.0 - 10.0 + ahead));
        let (began, mut asked) = (Instant::now(), 0);
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            let now = began.elapsed().as_secs_f64() + 0.3;
            let reached = if asked == 1 { -5.0 } else { now };
            log.until(reached + ahead).answer(request).after(0.6)
        });
        let (ended, said, asked) = story.end().await;
        let shown = said.len() - 2;
        assert!(shown >= 1030, "{ahead} s ahead: {shown} lines");
        // A clock that is behind cannot be told from a log that nobody has written to for a while.
        assert!(shown <= if ahead < 0.0 { 1200 } else { 1300 }, "{ahead} s ahead: {shown} lines");
        assert!(ended.complete && asked.len() <= 3, "{ahead} s ahead: {asked:?}");
    }
}

/// Writes more than the network can carry: some kubelets give all that comes while they send.
#[tokio::test(start_paused = true)]
async fn an_answer_that_goes_on_with_its_log_is_left() {
    let log = Written::numbered((0..6000).map(|n| f64::from(n) / 10.0 - 10.0));
    let began = Instant::now();
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        if is_look(request) {
            return log.until(began.elapsed().as_secs_f64()).answer(request);
        }
        let mut reply = Reply::of("");
        for second in -10..500 {
            let instants = (0..10).map(|n| f64::from(second) + f64::from(n) / 10.0);
            let lines: String = instants.map(|at| line(at, "x")).collect();
            reply = reply.then(lines).silent(if second < 0 { 0.0 } else { 1.0 });
        }
        reply
    });
    let (ended, said, _) = story.end().await;
    assert!((110..=210).contains(&said.len()), "{}", said.len());
    assert!(ended.complete);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_reached_is_told() {
    let log = Written::numbered((0..10).map(|n| f64::from(n) - 20.0));
    let story = Story::begin(as_it_is(), Life::Running, move |request| match is_look(request) {
        true => log.answer(request),
        false => log.until(-15.0).answer(request),
    });
    let (ended, said, asked) = story.end().await;
    assert!(said[said.len() - 2].starts_with("! "), "{said:?}");
    assert!(!ended.complete && asked.len() <= 6, "{asked:?}");
}

/// With each timestamp and newline, a line of one digit has 33 bytes.
#[tokio::test(start_paused = true)]
async fn a_bound_on_bytes_holds_over_answers_that_break() {
    for (limit, shown) in [(33 * 3, 3), (33 * 3 + 10, 3), (33 * 3 + 32, 4), (33 * 100, 10)] {
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

#[tokio::test(start_paused = true)]
async fn a_bound_on_bytes_does_not_end_a_followed_log_before_it_is_reached() {
    let log = Written::numbered([-5.0, -4.0, 0.5, 1.5, 2.5, 3.5]);
    let began = Instant::now();
    let plan = LogPlan { limit_bytes: Some(33 * 5), ..plan() };
    let story = Story::begin(plan, Life::Running, move |request| {
        // A server that ends each answer as soon as it can.
        log.until(began.elapsed().as_secs_f64()).answer(request)
    });
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "2", "3", "4", "-"]);
    assert!(ended.complete);
}

/// The words that a kubelet has for a log that it removed, in place of a line.
const REMOVED: &str = "unable to retrieve container logs for containerd://1";

fn stopped() -> Life {
    Life::Terminated(Ending {
        reason: "Completed".into(),
        exit_code: Some(0),
        deleting: true,
        ..Ending::default()
    })
}

/// The limiter and `--stats` go by it.
#[tokio::test(start_paused = true)]
async fn a_request_says_whether_its_log_is_resumed_and_whether_it_will_be_gone() {
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

/// A pod that is deleted with a grace period: its container says its last words and ends, and soon there is no log.
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
                    _ if asked > removed => refusal(),
                    _ => log.answer(request),
                }
            });
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

/// Somebody removed the file of a container that goes on.
#[tokio::test(start_paused = true)]
async fn a_log_without_its_file_is_told_once_while_its_container_runs() {
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
        story.said().iter().filter(|said| said.starts_with("! failed to open")).count(),
        1,
        "{:?}",
        story.said()
    );
}

/// Its node cannot be reached when its container ends.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_removed_before_its_end_could_be_checked_is_told() {
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
    let last = batch::Instant::from(at(-1.0));
    assert_eq!(said[said.len() - 2], format!("! {:?}", Gap::Unchecked(Some(last))), "{said:?}");
    assert!(!ended.complete);
}

/// The log is rotated, and the kubelet's follower stays with the old file. The new one begins so many seconds later.
async fn silent_after_a_rotation(later: f64) -> Vec<String> {
    let new = Written::numbered((0..100).map(|n| 1.9 + later + f64::from(n) / 10.0));
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
    let said = silent_after_a_rotation(0.1).await;
    assert!(said.len() > 40 && !said.iter().any(|said| said.starts_with('!')), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_begins_later_than_lines_follow_each_other_is_told() {
    let said = silent_after_a_rotation(0.5).await;
    assert_eq!(said.iter().filter(|said| said.contains("Between")).count(), 1, "{said:?}");
}

/// Its kubelet does not say what the log before was, for which lines that may be another instance's wait.
#[tokio::test(start_paused = true)]
async fn a_log_that_went_on_elsewhere_is_shown_though_nobody_can_say_whose_it_is() {
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

/// All containers of a pod are restarted in place, and nothing is kept of them.
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
    assert!(ended.complete && began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
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

/// The kubelet restarts while a log is read: the answer ends as if it were whole, and for some seconds it knows no pods.
#[tokio::test(start_paused = true)]
async fn an_end_is_confirmed_though_the_kubelet_restarts_meanwhile() {
    for code in [400, 404, 500] {
        let log = Written::numbered((0..100).map(|n| f64::from(n) / 10.0 - 20.0));
        let (began, mut asked) = (Instant::now(), 0);
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            match began.elapsed() < Duration::from_secs(3) {
                true if asked == 1 => log.until(-15.0).answer(request),
                true => Reply::refusal(code, "the node knows no such pod"),
                false => log.answer(request),
            }
        });
        let (ended, said, _) = story.end().await;
        assert!(ended.complete && said.len() == 102, "{code}: {} {:?}", said.len(), said.last());
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_nobody_can_confirm_is_told() {
    let refusals: [fn() -> Reply; 5] = [
        || Reply::refusal(400, "no"),
        || Reply::refusal(403, "no"),
        || Reply::refusal(404, "no"),
        || Reply::refusal(500, "no"),
        || Reply::of(""),
    ];
    for refusal in refusals {
        let story = Story::begin(as_it_is(), Life::Running, move |request| match is_look(request) {
            true => refusal(),
            false => Reply::of(line(-5.0, "0")),
        });
        let (ended, said, asked) = story.end().await;
        assert!(!ended.complete && said[said.len() - 2].contains("Behind"), "{said:?}");
        assert!(asked.len() < 30, "{} requests", asked.len());
    }
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

/// Between an answer that held all and the confirmation of its end the log is rotated.
#[tokio::test(start_paused = true)]
async fn a_rotation_while_the_end_is_confirmed_is_no_alarm() {
    let old = Written::numbered((0..100).map(|n| f64::from(n) / 10.0 - 9.7));
    let new = Written::lines((0..5).map(|n| (0.4 + f64::from(n) / 10.0, "new".to_owned())));
    let mut asked = 0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        asked += 1;
        if asked == 1 { old.answer(request) } else { new.answer(request) }
    });
    let (ended, said, _) = story.end().await;
    assert!(ended.complete && !said.iter().any(|said| said.starts_with('!')), "{said:?}");
    assert_eq!(said.len(), 102);
}

/// A polled log is removed between its last poll and its end.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_removed_behind_a_poll_is_told_in_one_line() {
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
    let (ended, said, _) = story.end().await;
    assert!(!ended.complete, "{said:?}");
    let told: Vec<_> = said.iter().filter(|said| said.starts_with('!')).collect();
    assert!(told.len() == 1 && told[0].contains("Unchecked"), "{told:?}");
}
