//! Lines of the next instance that were shown before its status came.

use super::*;

/// The first instance has ended before its log was opened, and the second one ends too.
fn two_that_ended() -> Container {
    let first = log([(0.5, "a"), (1.5, "b")]);
    Container::new([(-60.0, Some(2.0), first), (2.5, Some(9.0), log([(3.0, "c")]))])
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_before_any_status_is_compared_with_the_previous_log() {
    let container = two_that_ended();
    let story = Story::follow(move |request| match (container.now(), request.previous) {
        (..4.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) => log([(0.5, "a"), (1.5, "b")]).answer(request),
        _ => container.answer(request),
    });
    story.pass(20.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(1.0).await;
    assert_eq!(outline(&story), ["+", "c", "a", "b", "restarted 1 since 3", "! Unchecked", "-"]);
}

/// The second instance ends too once the log of the first was read, and waits: the node has only the second one's log.
#[tokio::test(start_paused = true)]
async fn lines_that_were_handed_over_are_not_read_as_the_previous_log() {
    let (first, second) = (log([(-5.0, "a"), (-4.0, "b")]), log([(-1.0, "c")]));
    let mut asked = 0;
    let story = Story::follow(move |request| {
        asked += usize::from(request.previous);
        match request.previous && asked <= 2 {
            true => first.answer(request),
            false => second.answer(request),
        }
    });
    story.pass(10.0).await;
    assert_eq!(outline(&story), ["+", "c", "a", "b"]);
}

/// The second instance was replaced too before the log of the first was read: its lines are in the previous log.
#[tokio::test(start_paused = true)]
async fn lines_that_were_handed_over_are_not_repeated_once_their_log_is_the_previous_one() {
    let container = Container::new([
        (-60.0, Some(5.0), log([(-1.0, "a")])),
        (6.0, Some(20.0), log([(7.5, "x"), (19.0, "y")])),
        (21.0, None, log([(30.0, "b")])),
    ]);
    let mut opened = false;
    let mut story = Story::follow(move |request| match (container.now(), request.follow) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) if !std::mem::replace(&mut opened, true) => container.answer(request).cut_after(0.1),
        (..21.5, false) if !is_look(request) => Reply::refusal(500, "dial tcp: connection refused"),
        _ => container.answer(request),
    });
    story.pass(40.0).await;
    assert_eq!(outline(&story), ["+", "x"]);
    story.restarts_so_often(2, 21.0);
    story.pass(10.0).await;
    assert_eq!(outline(&story), ["+", "x", "! Unchecked", "-", "restarted 2 since 7.5", "! Between", "b"]);
}

/// They were shown before any status. Later instances came and went without a line that was read.
#[tokio::test(start_paused = true)]
async fn lines_that_were_shown_too_early_are_those_of_one_instance_only() {
    let unseen = "! had restarted before it was seen; what it wrote earlier was not read";
    let removed = "! the log was removed before it could be read";
    let claimed = vec!["restarted 1 since 3", "-", unseen, removed, "restarted 4", "e"];
    let skipped = vec![unseen, removed, "restarted 5 since 3", "e"];
    for (is_seen, expected) in [(true, claimed), (false, skipped)] {
        let container = two_that_ended();
        let mut story = Story::follow(move |request| match (container.now(), request.previous) {
            (..4.0, _) => Reply::refusal(500, "dial tcp: connection refused"),
            (..20.0, true) => log([(0.5, "a"), (1.5, "b")]).answer(request),
            (..20.0, false) => container.answer(request),
            (_, true) => Reply::of(REMOVED),
            (_, false) => log([(16.0, "e")]).answer(request).silent(if request.follow { 1e6 } else { 0.0 }),
        });
        story.pass(20.0).await;
        if is_seen {
            story.restarts(2.5);
        }
        story.restarts_so_often(if is_seen { 2 } else { 3 }, 10.0);
        story.restarts_so_often(2, 15.0);
        story.pass(5.0).await;
        let said = outline(&story);
        assert_eq!(said[..5], ["+", "c", "a", "b", "-"], "{said:?}");
        assert_eq!(said[5..], expected, "{said:?}");
    }
}

/// The log that is opened for it is that of a later one, which has written nothing.
#[tokio::test(start_paused = true)]
async fn the_end_of_an_instance_of_which_all_was_shown_too_early_is_reported_behind_that() {
    let container = Container::new([
        (-60.0, Some(5.0), log([(-1.0, "a")])),
        (6.0, Some(20.0), log([(7.5, "x"), (19.0, "lost")])),
        (20.5, Some(21.0), log([])),
        (21.5, None, log([(40.0, "c")])),
    ]);
    let mut opened = false;
    let mut story = Story::follow(move |request| match (container.now(), request.follow) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (_, true) if !std::mem::replace(&mut opened, true) => container.answer(request).cut_after(0.1),
        _ => container.answer(request),
    });
    story.pass(22.0).await;
    story.restarts(6.0);
    story.pass(3.0).await;
    story.restarts_so_often(2, 21.5);
    story.pass(20.0).await;
    let gap = format!("! {:?}", Gap::Unchecked(Some(at(7.5).into())));
    let expected = ["+", "x", "a", "-", "restarted 1 since 7.5", &gap, "-", "restarted 2", "c"];
    let said = story.said().into_iter().filter(|said| !said.ends_with("; trying again"));
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

/// An instance that wrote `x` and `y` by then, which were shown for lines of the one before. Its status comes at 12 s;
/// from then to 20 s its log is answered with `again`, and later as it is, or refused if that is None.
fn shown_too_early(again: String, rotated: Option<Written>) -> Story {
    let first = (-60.0, Some(5.0), log([(-1.0, "a")]));
    let container = Container::new([first, (6.0, None, log([(7.5, "x"), (8.5, "y")]))]);
    Story::follow(move |request| match (container.now(), &rotated) {
        (..7.8, _) => Reply::refusal(500, "dial tcp: connection refused"),
        (12.0..20.0, _) if request.follow => Reply::of(again.clone()).broken(),
        (..20.0, _) => container.answer(request),
        (_, Some(rotated)) => rotated.answer(request).silent(if request.follow { 1e6 } else { 0.0 }),
        (_, None) => Reply::refusal(500, "dial tcp: connection refused"),
    })
}

#[tokio::test(start_paused = true)]
async fn a_loss_is_behind_the_last_line_that_was_shown_though_it_did_not_come_again() {
    let mut story = shown_too_early(line(7.5, "x"), None);
    story.pass(12.0).await;
    story.restarts(6.0);
    story.pass(15.0).await;
    story.life.send_replace(Life::Deleted);
    story.pass(5.0).await;
    let gap = format!("! {:?}", Gap::Unchecked(Some(at(8.5).into())));
    let said = story.said();
    assert_eq!(said[said.len() - 2..], [&gap, "-"]);
}

/// Its file was rotated: it begins with a line that was shown, or with one that was not.
#[tokio::test(start_paused = true)]
async fn lines_are_missing_behind_the_last_one_that_was_shown_though_it_did_not_come_again() {
    for lines in [vec![(8.5, "y"), (15.0, "z")], vec![(15.0, "z")]] {
        let is_whole = lines.len() == 2;
        let rotated = Written::lines(lines.into_iter().map(|(at, text)| (at, text.to_owned())));
        let mut story = shown_too_early(line(7.5, "x"), Some(rotated));
        story.pass(12.0).await;
        story.restarts(6.0);
        story.pass(20.0).await;
        let gap = format!("! {:?}", Gap::Between(Some(at(8.5).into()), Some(at(15.0).into())));
        let said = story.said();
        assert_eq!(said.contains(&gap), !is_whole);
        assert_eq!(said.last().map(String::as_str), Some("z"));
    }
}
