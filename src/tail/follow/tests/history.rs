//! With `--sort` a log is read to its end before it is followed.

use super::*;
use crate::plan::Since;

fn history_first() -> LogPlan {
    LogPlan { history_first: true, ..plan() }
}

/// A log that is written on, each answer with what was written by then.
fn begin(plan: LogPlan, instants: impl IntoIterator<Item = f64>) -> Story {
    let (log, began) = (Written::numbered(instants), Instant::now());
    Story::begin(plan, Life::Running, move |request| {
        let now = began.elapsed().as_secs_f64();
        if request.follow { log.answer(request) } else { log.until(now).answer(request) }
    })
}

fn follows(asked: &[(f64, LogRequest)]) -> Vec<bool> {
    asked.iter().map(|(_, request)| request.follow).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_read_first_and_then_the_log_is_followed_from_there() {
    let story = begin(history_first(), [-9.0, -5.0, 0.5, 0.7]);
    story.pass(0.2).await;
    assert_eq!(story.said(), ["+", "0", "1", "2", "3"]);
    let asked = story.asked();
    assert_eq!(follows(&asked[..2]), [false, true]);
    assert_eq!((asked[0].1.since, asked[1].1.since), (None, Some(Since::Time(at(-6.0)))));
    assert_eq!(story.reached()[..1], [0.0], "nothing older comes");
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_are_those_of_the_history() {
    let story = begin(LogPlan { tail: Some(2), ..history_first() }, [-9.0, -5.0, -4.0, 0.5]);
    story.pass(0.2).await;
    assert_eq!(story.said(), ["+", "1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn without_last_lines_the_log_is_followed_from_its_end() {
    let story = begin(LogPlan { tail: Some(0), ..history_first() }, [-9.0, -5.0, 0.5]);
    story.pass(0.2).await;
    assert_eq!(story.said(), ["+", "2"]);
}

/// The look at the end of the log was that of the next instance, of which a status reports later. It has all its lines.
#[tokio::test(start_paused = true)]
async fn lines_behind_a_look_may_be_those_of_the_next_instance() {
    let lines =
        |lines: &[(f64, &str)]| Written::lines(lines.iter().map(|(at, text)| (*at, (*text).to_owned())));
    let container = Container::new([
        (-60.0, Some(-1.5), lines(&[(-2.0, "a")])),
        (-1.5, None, lines(&[(-0.9, "b"), (-0.5, "c"), (0.5, "d"), (3.0, "e"), (5.5, "f"), (8.0, "g")])),
    ]);
    let plan = LogPlan { tail: Some(0), ..history_first() };
    let mut story = Story::begin(plan, Life::Running, move |request| container.answer(request));
    story.pass(6.0).await;
    assert_eq!(story.said(), ["+", "d", "e", "f"]);
    story.restarts(-1.5);
    story.pass(5.0).await;
    let shown: Vec<_> = story.said().into_iter().filter(|said| said.len() == 1).collect();
    assert_eq!(shown, ["+", "d", "e", "f", "-", "b", "c", "g"], "{:?}", story.said());
}

#[tokio::test(start_paused = true)]
async fn history_that_breaks_is_read_on() {
    let (log, began, mut asked) = (Written::numbered([-9.0, -5.0, -4.0, 60.0]), Instant::now(), 0);
    let story = Story::begin(history_first(), Life::Running, move |request| {
        asked += 1;
        let now = began.elapsed().as_secs_f64();
        match asked {
            1 => log.until(-8.0).answer(request).broken(),
            _ => log.until(now).answer(request),
        }
    });
    story.pass(5.0).await;
    assert_eq!(story.said(), ["+", "0", "1", "2"]);
    assert_eq!(follows(&story.asked()[..3]), [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ends_while_its_history_is_read_is_read_to_its_end() {
    let log = Written::numbered([-9.0, -5.0]);
    let story = Story::begin(history_first(), Life::Running, move |request| log.answer(request).after(1.0));
    story.pass(0.5).await;
    story.life.send_replace(stopped());
    let (ended, said, asked) = story.end().await;
    assert_eq!(said, ["+", "0", "1", "-"]);
    assert!(ended.complete && matches!(ended.reason, Reason::Terminated(_)));
    assert!(!asked.iter().any(|(_, request)| request.follow), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_started_meanwhile_is_followed_at_once() {
    let log = Written::numbered([0.5]);
    let setup = Setup { fresh: true, ..Setup::new(history_first()) };
    let story = setup.begin(move |request| log.answer(request));
    story.pass(1.0).await;
    assert_eq!(follows(&story.asked()[..1]), [true]);
}
