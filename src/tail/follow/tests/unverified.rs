//! A log is gone before its end could be verified.

use super::*;

/// A kubelet or an apiserver that goes away ends its streams as if they were complete. What an outage held back comes
/// as it ends.
#[tokio::test(start_paused = true)]
async fn an_end_before_an_outage_that_could_not_be_verified_is_reported() {
    let ends = [(0.0, 0.5, false), (0.0, 1.5, true), (0.0, 2.2, true), (1.8, 1.5, false)];
    for (opens, out, is_in_doubt) in ends {
        let mut opened = false;
        let mut story = Story::follow(move |_| match std::mem::replace(&mut opened, true) {
            false => Reply::of(line(-1.0, "0")).after(opens).silent(2.0 - opens),
            true => Reply::refusal(400, "container \"app\" in pod \"web-1\" is terminated"),
        });
        story.pass(out).await;
        story.apiserver_fails();
        story.pass(2.5 - out).await;
        story.restarts_so_often(2, 2.0);
        story.pass(1.0).await;
        let is_reported = story.said().iter().any(|said| said.contains("Unchecked"));
        assert_eq!(is_reported, is_in_doubt, "{:?}", story.said());
    }
}

/// Its stream ended early and looked complete, and its server asked to wait until its log was gone, or the request
/// waited for its turn.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_put_off_until_it_was_gone_is_reported() {
    for (is_put_off, is_late) in [(true, false), (false, true), (false, false)] {
        let mut follows = 0;
        let mut story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, 2) if is_put_off => Reply::of("").after(20.0).put_off(),
                (true, 2) if is_late => Reply::of("").after(20.0).late(),
                (true, 2) => Reply::of("").after(20.0),
                (true, _) => Reply::of(line(9.0, "c")).silent(1e6),
            }
        });
        story.pass(8.0).await;
        story.restarts_so_often(2, 7.0);
        story.pass(25.0).await;
        let gap: &[&str] = if is_put_off || is_late { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-", "restarted 2", "c"]].concat());
    }
}

/// The same, and its pod is gone by then.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_put_off_until_its_pod_was_gone_is_reported() {
    for is_put_off in [true, false] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            let gone = Reply::refusal(404, "pods \"web-1\" not found").after(8.0);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, _) if is_put_off => gone.put_off(),
                (true, _) => gone,
            }
        });
        story.pass(5.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(15.0).await;
        let gap: &[&str] = if is_put_off { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat());
    }
}

/// The request behind the end of its stream waited for its turn, and a question whose log that was had found no pod
/// before.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_asked_for_too_late_is_not_reported_if_its_pod_was_gone_in_time() {
    const GONE: &str = "pods \"web-1\" not found";
    for (code, message, is_in_doubt) in [(404, GONE, false), (400, NO_PREVIOUS, true)] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (true, 1) => Reply::of("").silent(1.0),
                (true, _) => Reply::refusal(404, GONE).after(8.0).late(),
                (false, _) => Reply::refusal(code, message),
            }
        });
        story.pass(5.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(15.0).await;
        let gap: &[&str] = if is_in_doubt { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+"][..], gap, &["-"]].concat(), "{code}");
    }
}

/// The question whose log the stream was found no pod, at once or behind a pause for which its server had asked.
#[tokio::test(start_paused = true)]
async fn a_log_is_reported_if_the_question_about_its_end_was_put_off_until_its_pod_was_gone() {
    const GONE: &str = "pods \"web-1\" not found";
    for (seconds, is_put_off) in [(2.0, false), (2.0, true), (4.0, false), (4.0, true)] {
        let story = Story::follow(move |request| {
            let gone = Reply::refusal(404, GONE).after(seconds);
            match request.follow {
                true => Reply::of("").silent(1.0),
                false if is_put_off => gone.put_off(),
                false => gone,
            }
        });
        story.pass(2.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(15.0).await;
        let gap: &[&str] = if is_put_off { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+"][..], gap, &["-"]].concat(), "{seconds}");
    }
}

/// The request behind the end of its stream waited for its turn until its pod was gone; no status reported its end.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_asked_for_too_late_is_reported_unless_its_end_is_known() {
    for (is_late, is_told, is_in_doubt) in [(true, false, true), (true, true, false), (false, false, false)] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            let gone = Reply::refusal(404, "pods \"web-1\" not found").after(8.0);
            match (request.follow, follows) {
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, _) if is_late => gone.late(),
                (true, _) => gone,
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
            }
        });
        story.pass(4.0).await;
        if is_told {
            story.life.send_replace(Life::Terminated(Ending::default()));
        }
        story.pass(1.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(15.0).await;
        let gap: &[&str] = if is_in_doubt { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat(), "{is_late}, {is_told}");
    }
}

/// The request behind the end of its stream waited for its turn, and brought the log of another pod of its name before
/// a status reported that.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_asked_for_too_late_is_reported_if_another_pod_has_its_name() {
    for is_late in [true, false] {
        let mut follows = 0;
        let story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            let others = Reply::of(line(3.5, "c")).silent(1e6).after(4.0);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(400, NO_PREVIOUS),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, _) if is_late => others.late(),
                (true, _) => others,
            }
        });
        story.apiserver_knows(OTHER_POD);
        story.pass(10.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(5.0).await;
        let gap: &[&str] = if is_late { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat(), "{is_late}");
    }
}

/// Its kubelet, or the apiserver, went away, as the question behind the end of its stream shows.
#[tokio::test(start_paused = true)]
async fn an_end_behind_which_the_kubelet_or_the_apiserver_was_away_is_reported_if_it_could_not_be_verified() {
    let dial =
        "Get \"https://node-1:10250/containerLogs/default/web-1/app\": dial tcp: connect: connection refused";
    let cases = [(500, dial, true), (500, "etcdserver: leader changed", false), (502, "Bad Gateway", true)];
    for (code, message, is_away) in cases {
        let mut follows = 0;
        let mut story = Story::follow(move |request| {
            follows += usize::from(request.follow);
            match (request.follow, follows) {
                (false, _) => Reply::refusal(code, message),
                (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                (true, 2) => Reply::of("").after(20.0),
                (true, _) => Reply::of(line(9.0, "c")).silent(1e6),
            }
        });
        story.pass(8.0).await;
        story.restarts_so_often(2, 7.0);
        story.pass(25.0).await;
        let gap: &[&str] = if is_away { &["! Unchecked"] } else { &[] };
        assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-", "restarted 2", "c"]].concat());
    }
}

/// The previous log showed that its stream had come to its end, or could not be compared with it; then all requests for
/// it are refused.
#[tokio::test(start_paused = true)]
async fn an_end_that_was_verified_stays_one_though_the_log_is_refused_later() {
    for (refused, is_in_doubt) in [(5.1, false), (6.5, false), (4.0, true)] {
        let container = restarting();
        let mut story = Story::follow(move |request| match container.now() {
            now if now < refused => container.answer(request),
            ..40.0 => Reply::refusal(400, "the server is too busy"),
            _ => container.answer(request),
        });
        story.pass(7.0).await;
        story.restarts(6.0);
        story.pass(60.0).await;
        let gap: &[&str] = if is_in_doubt { &["! Behind"] } else { &[] };
        let shown = [&["+", "a", "last words"][..], gap, &["-", "restarted 1", "b", "c"]].concat();
        assert_eq!(outline(&story), shown);
    }
}

/// No status reported it. Of its lines one was shown before those of the first instance, or none.
#[tokio::test(start_paused = true)]
async fn an_end_of_a_further_instance_is_reported_if_the_pod_is_gone_before_that_of_the_first_was_verified() {
    let early = (log([(3.0, "c")]), &["c", "a", "b", "restarted 1 since 3"][..]);
    for (second, shown) in [early, (log([]), &["a", "b"])] {
        let first = log([(0.5, "a"), (1.5, "b")]);
        let container = Container::new([(-60.0, Some(2.0), first.clone()), (2.5, Some(9.0), second)]);
        let story = Story::follow(move |request| match (container.now(), request.previous) {
            (..4.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (_, true) if request.tail_lines == Some(1) => {
                Reply::refusal(404, "pods \"web-1\" not found").after(2.0)
            }
            (_, true) => first.answer(request),
            _ => container.answer(request),
        });
        story.pass(10.0).await;
        story.life.send_replace(Life::Deleted);
        story.pass(5.0).await;
        let expected: Vec<_> = ["+"].iter().chain(shown).chain(&["! Unchecked", "-"]).copied().collect();
        assert_eq!(outline(&story), expected);
        assert!(!story.end().await.0.complete);
    }
}

/// Its stream ended early and looked complete, and the log was refused from then on though its pod was there; or that
/// was gone, or its node had removed the log.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_refused_behind_its_end_while_its_pod_was_there_is_reported() {
    const WAITING: &str = "container \"app\" in pod \"web-1\" is waiting to start: ContainerCreating";
    const TERMINATED: &str = "container \"app\" in pod \"web-1\" is terminated";
    let refusals = [(WAITING, false, true), (WAITING, true, false), (TERMINATED, false, false)];
    for life in [Life::Running, Life::Terminating] {
        for (message, is_gone, is_in_doubt) in refusals {
            let mut follows = 0;
            let story = Story::begin(plan(), life.clone(), move |request| {
                follows += usize::from(request.follow);
                match (request.follow, follows) {
                    (false, _) => Reply::refusal(400, NO_PREVIOUS),
                    (true, 1) => Reply::of(line(-1.0, "a")).silent(1.0),
                    (true, _) => Reply::refusal(400, message),
                }
            });
            if is_gone {
                story.apiserver_knows(NO_POD);
            }
            story.pass(6.0).await;
            story.life.send_replace(Life::Deleted);
            story.pass(1.0).await;
            let gap: &[&str] = if is_in_doubt { &["! Unchecked"] } else { &[] };
            assert_eq!(outline(&story), [&["+", "a"][..], gap, &["-"]].concat(), "{message}, {is_gone}");
        }
    }
}
