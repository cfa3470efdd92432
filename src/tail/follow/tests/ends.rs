//! A log that is not followed, or whose container has ended, is read to its end.

use super::*;
use crate::plan::Since;

#[tokio::test(start_paused = true)]
async fn a_log_that_ends_is_shown_and_confirmed() {
    let log = Written::numbered([-9.0, -5.0]);
    let story = Story::begin(as_it_is(), Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "-"]);
    assert!(ended.complete && asked.len() == 2, "{asked:?}");
}

/// Such an answer has no line, but its log has.
#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_within_its_first_timestamp_is_no_empty_log() {
    let log = Written::numbered([-9.0, -5.0]);
    let mut asked = 0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        asked += 1;
        if asked <= 2 { Reply::of(&line(-9.0, "0")[..11]) } else { log.answer(request) }
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ 0 1 -", true));
}

/// It does not show whether the log has more lines.
#[tokio::test(start_paused = true)]
async fn a_look_at_the_last_line_that_ends_within_its_timestamp_is_repeated() {
    let log = Written::numbered([-9.0, -5.0]);
    let mut asked = 0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        asked += 1;
        match asked {
            1 => log.until(-8.0).answer(request),
            2 | 3 => Reply::of(&line(-5.0, "1")[..11]),
            _ => log.answer(request),
        }
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ 0 1 -", true));
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

/// The tail finds the missing part of a truncated answer, although the log grows.
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
        // A clock that is behind looks like a log without new lines for a while.
        assert!(shown <= if ahead < 0.0 { 1200 } else { 1300 }, "{ahead} s ahead: {shown} lines");
        assert!(ended.complete && asked.len() <= 3, "{ahead} s ahead: {asked:?}");
    }
}

/// The container writes more than the network can carry: some kubelets send all lines that are written meanwhile.
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

/// Its last line has no newline, and two restarts follow before the rest is read.
#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_within_a_line_is_not_read_to_its_end() {
    let mut asked = 0;
    let mut story = Story::follow(move |_| {
        asked += 1;
        match asked {
            1 => Reply::of(line(-2.0, "a")).then(line(-1.0, "half").trim_end()),
            _ => Reply::refusal(400, "container \"app\" in pod \"web-1\" is waiting to start"),
        }
    });
    story.pass(1.0).await;
    story.restarts_so_often(2, 1.0);
    story.pass(3.0).await;
    assert_eq!(outline(&story)[..4], ["+", "a", "! Unchecked", "-"]);
}

/// Its last lines have one instant, so that it is read again, and that answer is cut.
#[tokio::test(start_paused = true)]
async fn a_second_answer_that_is_short_is_no_loss_if_the_last_line_was_read() {
    let mut reads = 0;
    let story = Story::begin(plan(), stopped(), move |request| {
        let (a, b) = (line(-1.0, "a"), line(-1.0, "b"));
        reads += usize::from(!is_look(request));
        match (is_look(request), reads) {
            (true, _) => Reply::of(b),
            (false, 2) => Reply::of(a),
            (false, _) => Reply::of(a + &b),
        }
    });
    let (_, said, _) = story.end().await;
    assert_eq!(said, ["+", "a", "b", "-"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_reached_is_reported() {
    let log = Written::numbered((0..10).map(|n| f64::from(n) - 20.0));
    let story = Story::begin(as_it_is(), Life::Running, move |request| match is_look(request) {
        true => log.answer(request),
        false => log.until(-15.0).answer(request),
    });
    let (ended, said, asked) = story.end().await;
    assert!(said[said.len() - 2].starts_with("! "), "{said:?}");
    assert!(!ended.complete && asked.len() <= 6, "{asked:?}");
}

/// The kubelet restarts while a log is read: the answer ends as if it were complete, and for some seconds it knows no
/// pods.
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
async fn an_end_that_cannot_be_confirmed_is_reported() {
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

/// An answer that ends with two lines of one instant is read again. Meanwhile the node has started the next instance,
/// which has written nothing; or the log itself is empty, behind that of another instance.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_log_that_is_the_previous_one_by_now_is_read_there() {
    for (is_own, expected) in [(true, "+ a a a -"), (false, "+ a a ! -")] {
        let old = log([(-1.0, "a"), (-1.0, "a"), (-1.0, "a")]);
        let mut asked = 0;
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            match (asked, request.previous) {
                (1, _) => log([(-1.0, "a"), (-1.0, "a")]).answer(request),
                (2, _) => old.answer(request),
                (_, true) if is_own => old.answer(request),
                (_, true) => log([(-70.0, "z")]).answer(request),
                (_, false) => Reply::of(""),
            }
        });
        let (ended, said, _) = story.end().await;
        let said: Vec<_> = said.iter().map(|said| said.split(' ').next().unwrap_or_default()).collect();
        assert_eq!((said.join(" ").as_str(), ended.complete), (expected, is_own));
    }
}

/// The runtime keeps its last line in pieces, and a request for one line brings the last piece, which may be an earlier
/// line's.
#[tokio::test(start_paused = true)]
async fn a_log_that_is_the_previous_one_by_now_is_found_by_the_last_piece_of_its_last_line() {
    let long = "x".repeat(5000);
    for (piece, is_own) in [(-1.0, true), (-0.9, true), (-1.1, false)] {
        let old = log([(-2.0, "a"), (-1.0, &long)]);
        let mut asked = 0;
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            match request.previous {
                _ if asked == 1 => old.answer(request),
                true if is_look(request) => Reply::of(line(piece, "xx")),
                true => old.answer(request),
                false => Reply::of(""),
            }
        });
        let (ended, said, _) = story.end().await;
        assert_eq!(
            (&said[..3], ended.complete),
            (&["+", "a", &long].map(str::to_owned)[..], is_own),
            "{piece}"
        );
    }
}

/// Its answer is cut, and the next instance has written nothing by the time of the look; no status reports that one
/// yet.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_log_that_ended_is_read_as_the_previous_one_if_the_current_one_is_empty() {
    let finished = Some(at(-4.0));
    let ended = Life::Terminated(Ending { finished, ..Ending::default() });
    for (last, expected) in [(-5.0, "+ a b -"), (-70.0, "+ a -"), (5.0, "+ a -")] {
        let story = Story::begin(plan(), ended.clone(), move |request| match request.previous {
            true => log([(-9.0, "a"), (last, "b")]).answer(request),
            false if is_look(request) => Reply::of(""),
            false => log([(-9.0, "a")]).answer(request),
        });
        let (_, said, _) = story.end().await;
        assert_eq!(said.join(" "), expected, "{last}");
    }
}

/// The container restarts while its log is asked for: the answer is the next instance's, which has written nothing yet.
#[tokio::test(start_paused = true)]
async fn a_log_that_seemed_empty_is_the_previous_one_if_the_container_restarted() {
    for (current, expected) in [(1, "+ a b -"), (0, "+ c -")] {
        let (old, new) = (log([(-9.0, "a"), (-5.0, "b")]), log([(-1.0, "c")]));
        let mut asked = 0;
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            match request.previous {
                true => old.answer(request),
                false if asked == 1 => Reply::of(""),
                false => new.answer(request),
            }
        });
        story.apiserver_knows(current);
        let (ended, said, _) = story.end().await;
        assert_eq!((said.join(" ").as_str(), ended.complete), (expected, true));
    }
}

/// The container restarts between a complete answer and the verification of its end.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_log_that_is_the_previous_one_by_now_is_verified_there() {
    let finished = Some(at(-4.0));
    for life in [Life::Running, Life::Terminated(Ending { finished, ..Ending::default() })] {
        let (old, new) = (log([(-9.0, "a"), (-5.0, "b")]), log([(-1.0, "c")]));
        let mut asked = 0;
        let mut story = Story::begin(as_it_is(), life, move |request| {
            asked += 1;
            if asked == 1 || request.previous { old.answer(request) } else { new.answer(request) }
        });
        story.apiserver_knows(1);
        // The pods are not watched.
        story.life = watch::Sender::new(Life::Running);
        let (ended, said, _) = story.end().await;
        assert_eq!((said.join(" ").as_str(), ended.complete), ("+ a b -", true));
    }
}

/// The log is rotated between a complete answer and the verification of its end.
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

#[tokio::test(start_paused = true)]
async fn an_end_is_believed_without_confirmation() {
    let log = Written::numbered([-9.0, -5.0]);
    let plan = LogPlan { confirm: false, ..as_it_is() };
    let story = Story::begin(plan, Life::Running, move |request| log.answer(request));
    let (ended, said, asked) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete, asked.len()), ("+ 0 1 -", true, 1));
}

/// The container ended while it was followed: its log is read again to its end, once.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_container_that_ended_is_read_and_confirmed() {
    let container = Container::new([(-60.0, Some(5.0), Written::numbered([-1.0, 2.0, 4.9]))]);
    let story = Story::follow(move |request| match container.now() {
        ..1.0 => container.answer(request).cut_after(3.0),
        _ => container.answer(request),
    });
    story.pass(3.0).await;
    story.pass(2.5).await;
    let ending = Ending { finished: Some(at(5.0)), ..Ending::default() };
    story.life.send_replace(Life::Terminated(ending.clone()));
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "2", "-"]);
    assert_eq!((ended.reason, ended.complete), (Reason::Terminated(ending), true));
    assert!(asked.last().is_some_and(|(_, request)| is_look(request)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn the_log_of_the_previous_instance_is_shown_where_it_is_asked_for() {
    let plan = LogPlan { previous: true, ..as_it_is() };
    let log = Written::numbered([-9.0, -5.0]);
    let story = Story::begin(plan, Life::Running, move |request| {
        assert!(request.previous);
        log.answer(request)
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ 0 1 -", true));
}

#[tokio::test(start_paused = true)]
async fn a_container_without_a_previous_instance_is_left_out() {
    let plan = LogPlan { previous: true, ..as_it_is() };
    let story = Story::begin(plan, Life::Running, |_| Reply::refusal(400, NO_PREVIOUS));
    let (ended, said, asked) = story.end().await;
    assert_eq!((said.join(" ").as_str(), asked.len()), ("! no previous instance; skipped", 1));
    assert!(ended.complete, "{ended:?}");
}

/// The first answer is cut cleanly behind a line that the runtime keeps in pieces.
#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_behind_a_long_line_is_read_on() {
    let long = "x".repeat(5000);
    let written = Written::lines([(-5.0, long.clone()), (-4.0, "after".to_owned())]);
    let mut first = true;
    let story = Story::begin(as_it_is(), Life::Running, move |request| match std::mem::take(&mut first) {
        true => written.until(-5.0).answer(request),
        false => written.answer(request),
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said, ended.complete), (["+", &long, "after", "-"].map(str::to_owned).to_vec(), true));
}

/// The first answer is cut cleanly within a line; the log itself has no newline at its end.
#[tokio::test(start_paused = true)]
async fn half_a_line_is_shown_only_if_the_log_ends_with_it() {
    let log = format!("{}{}", line(-5.0, "one"), line(-4.0, "two and no more").trim_end());
    for cut in 0..log.len() {
        let (log, mut first) = (log.clone(), true);
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            let cut = if std::mem::take(&mut first) { cut } else { log.len() };
            match request.tail_lines {
                Some(_) => Reply::of(line(-4.0, "two and no more").trim_end()),
                None => Reply::of(&log[..cut]),
            }
        });
        let (ended, said, _) = story.end().await;
        let shown: Vec<_> = said.iter().filter(|said| said.len() > 1).collect();
        assert_eq!(shown, ["one", "two and no more"], "{cut}: {said:?}");
        assert!(ended.complete, "{cut}");
    }
}

/// It is evidence that costs nothing, and bytes that are bounded may end elsewhere.
#[tokio::test(start_paused = true)]
async fn half_a_line_is_read_again_though_ends_are_not_verified_or_bytes_are_bounded() {
    for plan in [LogPlan { confirm: false, ..as_it_is() }, LogPlan { limit_bytes: Some(100), ..as_it_is() }] {
        let log = Written::lines([(-5.0, "one".to_owned()), (-4.0, "two and three".to_owned())]);
        let (half, mut first) = ([line(-5.0, "one"), line(-4.0, "two")].concat(), true);
        let story = Story::begin(plan, Life::Running, move |request| match std::mem::take(&mut first) {
            true => Reply::of(half.trim_end()),
            false => log.answer(request),
        });
        let (ended, said, _) = story.end().await;
        assert_eq!((said.join(" ").as_str(), ended.complete), ("+ one two and three -", true));
    }
}

/// The first two answers are cut cleanly at the same byte of a line.
#[tokio::test(start_paused = true)]
async fn the_same_half_of_a_line_in_two_answers_is_no_end_of_the_log() {
    let log = Written::lines([(-5.0, "one".to_owned()), (-4.0, "two and three".to_owned())]);
    let (text, mut answers) = ([line(-5.0, "one"), line(-4.0, "two")].concat(), 0);
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        answers += usize::from(!is_look(request));
        match is_look(request) || answers > 2 {
            true => log.answer(request),
            false => Reply::of(text.trim_end()),
        }
    });
    let (ended, said, _) = story.end().await;
    assert_eq!(
        (&said[..], ended.complete),
        (&["+", "one", "two and three", "-"].map(str::to_owned)[..], true)
    );
}

/// The first answers, whatever they are asked for, are cut cleanly at the same length.
#[tokio::test(start_paused = true)]
async fn answers_that_are_all_cut_at_one_length_are_no_end_of_the_log() {
    let log = Written::lines([(-9.0, "one".to_owned()), (-4.0, "two and three".to_owned())]);
    let (length, mut asked) = (line(-4.0, "two").len() as u64, 0);
    let plan = LogPlan { since: Some(Since::Ago(Duration::from_secs(5))), ..as_it_is() };
    let story = Story::begin(plan, Life::Running, move |request| {
        asked += 1;
        log.answer(&LogRequest { limit_bytes: (asked < 3).then_some(length), ..request.clone() })
    });
    let (ended, said, _) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ two and three -", true));
}

/// The last answer ends early and looks complete; the last line of the log was shown before.
#[tokio::test(start_paused = true)]
async fn a_log_whose_last_line_was_shown_is_whole() {
    let whole = log([(-1.0, "a"), (-0.9, "b")]);
    let story = Story::follow(move |request| match (request.follow, is_look(request)) {
        (true, _) => whole.answer(request).silent(3.0),
        (false, true) => whole.answer(request),
        (false, false) => Reply::of(line(-1.0, "a")),
    });
    story.pass(2.0).await;
    story.life.send_replace(Life::Terminated(Ending::default()));
    let (ended, said, _) = story.end().await;
    assert_eq!(said, ["+", "a", "b", "-"]);
    assert!(ended.complete);
}

/// The last line that was read is equal to the last one of the log, and written in the same instant.
#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_at_one_of_equal_lines_is_read_on() {
    let all = log([(-1.0, "a"), (-1.0, "b"), (-1.0, "a"), (-1.0, "c"), (-1.0, "a")]);
    let mut reads = 0;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        reads += usize::from(!is_look(request));
        if reads == 1 && !is_look(request) {
            Reply::of(line(-1.0, "a") + &line(-1.0, "b") + &line(-1.0, "a"))
        } else {
            all.answer(request)
        }
    });
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "a", "b", "a", "c", "a", "-"]);
    assert!(ended.complete && asked.len() == 3, "{asked:?}");
}

/// The last line of the log is equal to one that was read, and the answer that goes on is cut behind it too.
#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_behind_a_line_like_the_last_one_is_read_on() {
    for cut in [2, usize::MAX] {
        let lines = ["a", "b", "c", "d", "b"].map(|message| line(-1.0, message));
        let mut reads = 0;
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            reads += usize::from(!is_look(request));
            match (is_look(request), reads) {
                (true, _) => Reply::of(lines[4].clone()),
                (false, 1) => Reply::of(lines[0].clone()),
                (false, read) if read <= cut => Reply::of(lines[..3].concat()),
                (false, _) => Reply::of(lines.concat()),
            }
        });
        let (ended, said, _) = story.end().await;
        let shown = if cut == 2 { "+ a b c d b -" } else { "+ a b c ! Behind" };
        assert!(said.join(" ").starts_with(shown), "{said:?}");
        assert_eq!(ended.complete, cut == 2);
    }
}

/// The look at the end of so short a log is the same answer as the one before.
#[tokio::test(start_paused = true)]
async fn a_short_log_is_read_again_if_its_answers_are_cut_at_one_length() {
    let lines = [(-9.0, "one".to_owned()), (-4.0, "two and three".to_owned())];
    for (first, shown) in [(0, "+ one two and three -"), (1, "+ two and three -")] {
        let log = Written::lines(lines[first..].to_vec());
        let before: usize = lines[first..1].iter().map(|(at, text)| line(*at, text).len()).sum();
        let (length, mut asked) = ((before + line(-4.0, "two").len()) as u64, 0);
        let story = Story::begin(as_it_is(), Life::Running, move |request| {
            asked += 1;
            log.answer(&LogRequest { limit_bytes: (asked < 3).then_some(length), ..request.clone() })
        });
        let (ended, said, _) = story.end().await;
        assert_eq!((said.join(" ").as_str(), ended.complete), (shown, true));
    }
}

/// Each answer is cut cleanly within a line, and has one line more than the one before.
#[tokio::test(start_paused = true)]
async fn a_log_is_read_on_however_often_an_answer_with_new_lines_ends_within_a_line() {
    let log = Written::lines((0..9).map(|n| (f64::from(n) * 5.0 - 60.0, format!("line {n}"))));
    let length = line(-60.0, "line 0").len() as u64;
    let story = Story::begin(as_it_is(), Life::Running, move |request| {
        let limit_bytes = (!is_look(request)).then_some(3 * length - 3);
        log.answer(&LogRequest { limit_bytes, ..request.clone() })
    });
    let (ended, said, _) = story.end().await;
    let lines: Vec<_> = (0..9).map(|n| format!("line {n}")).collect();
    assert_eq!((&said[1..said.len() - 1], ended.complete), (&lines[..], true));
}

/// Its node counts a span of time back from another clock, so that a second request lacks the line.
#[tokio::test(start_paused = true)]
async fn a_log_of_one_line_without_a_newline_is_read_once() {
    let story = Story::begin(as_it_is(), Life::Running, |request| match request.since {
        None => Reply::of(line(-9.0, "one").trim_end()),
        Some(_) => Reply::of(""),
    });
    let (ended, said, asked) = story.end().await;
    assert_eq!((said.join(" ").as_str(), ended.complete), ("+ one -", true), "{asked:?}");
}

/// The first answer is held back; the container restarts meanwhile, and the next instance writes. If the file was only
/// rotated, nothing shows that there was no more in it.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_log_without_following_is_sought_in_the_previous_one_behind_a_restart() {
    for (known, is_kept) in [(1, true), (0, true), (0, false)] {
        let (old, new) = (log([(-1.0, "a")]), log([(7.0, "b")]));
        let mut held = Some(Reply::of("").silent(8.0).then(line(-1.0, "a")));
        let mut story = Story::begin(as_it_is(), Life::Running, move |request| match request.previous {
            false => held.take().unwrap_or_else(|| new.answer(request)),
            true if is_kept => old.answer(request),
            true => Reply::refusal(400, NO_PREVIOUS),
        });
        story.apiserver_knows(known);
        // The pods are not watched.
        story.life = watch::Sender::new(Life::Running);
        let (ended, said, asked) = story.end().await;
        let gaps = said.iter().filter(|said| said.starts_with("! Behind")).count();
        assert_eq!((gaps, ended.complete), (usize::from(!is_kept), is_kept), "{known} {said:?}");
        assert!(said.len() == 3 + gaps && asked.len() < 10, "{said:?} {asked:?}");
    }
}
