//! History comes before what is written now.

use super::*;

#[test]
fn history_is_exact_however_long_it_takes() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, true);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    sorted.line(&a, -50, "a");
    sorted.push(Event::CaughtUp(a.clone()));
    for second in 0..60 {
        sorted.pass(second * 1000);
        sorted.line(&b, -10_000 + second as i64, "b");
    }
    sorted.push(Event::CaughtUp(b.clone()));
    assert_eq!(sorted.take(), ["b"; 60]);
    sorted.pass(59_200);
    assert_eq!(sorted.take(), ["a"]);
}

#[test]
fn a_log_that_goes_on_is_live_though_it_seemed_to_be_over() {
    let a = origin("a");
    let mut sorted = Sorted::new(200, false);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Listed);
    sorted.push(Event::CaughtUp(a.clone()));
    sorted.line(&a, 0, "a");
    sorted.pass(200);
    assert_eq!(sorted.take(), ["a"]);
}

#[test]
fn containers_that_make_no_progress_are_left_behind_and_named() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, true);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    sorted.line(&a, -50, "a");
    sorted.push(Event::CaughtUp(a.clone()));
    sorted.pass(9_999);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.pass(10_300);
    let wanted = "! --sort goes on without a container that cannot be read yet: b › app";
    assert_eq!(sorted.take(), [wanted, "a"]);
    sorted.line(&b, -60, "b");
    sorted.pass(10_600);
    assert_eq!((sorted.take(), sorted.late()), (vec!["b".to_owned()], 1));
}

/// A login or the prompt may take long.
#[test]
fn before_the_first_container_is_known_nothing_is_left_behind() {
    let a = origin("a");
    let mut sorted = Sorted::new(200, true);
    sorted.pass(60_000);
    sorted.push(Event::Expected(a));
    sorted.pass(69_000);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.pass(70_000);
    assert_eq!(sorted.take(), ["! --sort goes on without a container that cannot be read yet: a › app"]);
}

#[test]
fn a_restart_in_between_waits_for_nothing_twice() {
    let a = origin("a");
    let mut sorted = Sorted::new(200, true);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Listed);
    sorted.line(&a, -50, "old");
    sorted.push(Event::Expected(a.clone()));
    sorted.push(closed(&a));
    sorted.pass(200);
    assert_eq!(sorted.take(), ["old", "- a"]);
    sorted.push(Event::CaughtUp(a.clone()));
    sorted.push(Event::Opened(a.clone(), Some(Restart::default())));
    sorted.line(&a, 190, "new");
    sorted.pass(400);
    assert_eq!(sorted.take(), ["restarted", "new"]);
}
