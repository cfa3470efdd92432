//! The window for lines that are being written.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;

#[test]
fn a_line_passes_once_all_others_are_beyond_it() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    sorted.now = 1000;
    sorted.line(&a, 990, "a990");
    assert_eq!(sorted.take(), [""; 0]);
    sorted.line(&b, 995, "b995");
    assert_eq!(sorted.take(), ["a990"]);
    sorted.push(Event::Reached(a.clone(), Stamp(1040 * MS)));
    assert_eq!(sorted.take(), [""; 0], "it may go on with the record of a990");
    sorted.push(Event::Reached(a.clone(), Stamp(1041 * MS)));
    assert_eq!(sorted.take(), ["b995"]);
}

#[test]
fn a_trace_stands_with_its_head_and_is_not_late() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    for n in 0..20 {
        sorted.pass(1000 + n * 50);
        sorted.line(&b, 990 + n as i64 * 50, "b");
        sorted.line(&a, 970 + n as i64 * 50, "a");
        sorted.line(&a, 975 + n as i64 * 50, "\ta");
    }
    sorted.pass(3000);
    assert_eq!(sorted.take(), ["a", "\ta", "b"].repeat(20));
    assert_eq!(sorted.late(), 0);
}

/// The delay of a trace counts from its first line.
#[test]
fn a_trace_that_arrives_in_parts_is_waited_for() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    let at = |sorted: &mut Sorted, now: u64| {
        for (delay, of, time, line) in
            [(1, &a, 0, "a"), (3, &b, 1, "b"), (21, &a, 20, "\ta"), (41, &a, 40, "\ta"), (45, &b, 44, "b2")]
        {
            sorted.pass(now + delay);
            sorted.line(of, now as i64 + time, line);
        }
    };
    for now in [1000, 2000, 3000] {
        at(&mut sorted, now);
    }
    sorted.pass(4000);
    let shown = sorted.take();
    assert_eq!(shown[shown.len() - 5..], ["a", "\ta", "\ta", "b", "b2"]);
}

#[test]
fn a_line_waits_no_longer_than_the_window() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    sorted.now = 100;
    sorted.line(&a, 90, "a90");
    sorted.pass(299);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.pass(300);
    assert_eq!(sorted.take(), ["a90"]);
}

#[test]
fn a_line_waits_no_longer_than_lines_are_late() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    // The others are 30 ms late.
    for n in 0..20 {
        sorted.pass(1000 + n * 50);
        sorted.line(&b, 970 + n as i64 * 50, "b");
    }
    sorted.pass(2500);
    sorted.take();
    sorted.line(&a, 2498, "a2498");
    sorted.pass(2527);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.line(&b, 2497, "b2497");
    sorted.pass(2528);
    assert_eq!(sorted.take(), ["b2497", "a2498"]);
    assert_eq!(sorted.late(), 0);
}

#[test]
fn the_wait_becomes_shorter_with_the_lag() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    for n in 0..400 {
        sorted.pass(1000 + n * 50);
        // Late for five seconds only.
        let delay = if n < 100 { 150 } else { 5 };
        sorted.line(&b, (1000 + n * 50) as i64 - delay, "b");
    }
    sorted.pass(21_500);
    sorted.take();
    sorted.line(&a, 21_500, "a");
    sorted.pass(21_504);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.pass(21_505);
    assert_eq!(sorted.take(), ["a"]);
}

#[test]
fn a_line_that_is_too_late_is_shown_at_once_and_counted() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    for n in 0..20 {
        sorted.pass(1000 + n * 50);
        sorted.line(&a, 1000 + n as i64 * 50, "a");
    }
    sorted.pass(2500);
    assert_eq!((sorted.take().len(), sorted.late()), (20, 0));
    sorted.line(&b, 1500, "b1500");
    assert_eq!((sorted.take(), sorted.late()), (vec!["b1500".to_owned()], 1));
}

#[test]
fn without_a_window_nothing_waits() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(0, [&a, &b]);
    sorted.pass(1000);
    sorted.line(&a, 1000, "a");
    assert_eq!(sorted.take(), ["a"]);
    sorted.line(&b, 999, "b");
    assert_eq!((sorted.take(), sorted.late()), (vec!["b".to_owned()], 1));
}

#[test]
fn a_clock_that_is_ahead_makes_only_its_own_lines_late() {
    let (a, b, ahead) = (origin("a"), origin("b"), origin("ahead"));
    let mut sorted = Sorted::live(200, [&a, &b, &ahead]);
    for n in 0..100 {
        let now = 1000 + n * 50;
        sorted.pass(now);
        sorted.line(&ahead, now as i64 + 3_600_000, "ahead");
        sorted.line(&a, now as i64, &format!("a{n}"));
        sorted.pass(now + 10);
        sorted.line(&b, now as i64 - 1, &format!("b{n}"));
    }
    sorted.pass(10_000);
    let shown: Vec<_> = sorted.take().into_iter().filter(|line| line != "ahead").collect();
    let wanted: Vec<_> = (0..100).flat_map(|n| [format!("b{n}"), format!("a{n}")]).collect();
    // The first ones are shown before the delays are known.
    assert_eq!(shown[20..], wanted[20..]);
    // Its own lines are out of order, as far as that is known.
    assert!((80..110).contains(&sorted.late()), "{}", sorted.late());
}

#[test]
fn many_late_lines_are_reported_once_with_a_guess() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    for n in 0..600 {
        sorted.pass(1000 + n * 50);
        sorted.line(&a, 1000 + n as i64 * 50, "a");
        sorted.line(&b, 1000 + n as i64 * 50 - 3000, "b");
    }
    let reports: Vec<_> = sorted.take().into_iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let words = "most are of b › app; perhaps the clock of node node-of-b is behind by about 3.0 s, or its lines take as long, \
                 as those of a polled container";
    assert!(reports[0].ends_with(words), "{}", reports[0]);
}

#[test]
fn a_clock_that_is_ahead_is_named() {
    let (a, b, c) = (origin("a"), origin("b"), origin("c"));
    let mut sorted = Sorted::live(200, [&a, &b, &c]);
    for n in 0..400 {
        sorted.pass(1000 + n * 50);
        sorted.line(&a, 1000 + n as i64 * 50, "a");
        sorted.line(&c, 1000 + n as i64 * 50, "c");
        sorted.line(&b, 1000 + n as i64 * 50 + 5000, "b");
    }
    let reports: Vec<_> = sorted.take().into_iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let words = "most are of b › app; perhaps the clock of node node-of-b is ahead by about 5.0 s";
    assert!(reports[0].ends_with(words), "{}", reports[0]);
}

#[test]
fn lines_that_a_new_container_wrote_before_it_was_seen_are_not_late() {
    let (a, new) = (origin("a"), origin("new"));
    let mut sorted = Sorted::live(200, [&a]);
    sorted.pass(1000);
    sorted.line(&a, 1000, "a");
    sorted.push(Event::Expected(new.clone()));
    sorted.line(&new, 900, "before");
    sorted.push(Event::CaughtUp(new.clone()));
    sorted.line(&new, 950, "late");
    assert_eq!((sorted.take(), sorted.late()), (["a", "before", "late"].map(str::to_owned).to_vec(), 1));
}

#[test]
fn what_a_new_container_wrote_before_its_log_was_opened_is_not_late() {
    let (a, new) = (origin("a"), origin("new"));
    let mut sorted = Sorted::live(200, [&a]);
    for n in 0..20 {
        sorted.pass(1000 + n * 50);
        sorted.line(&a, 1000 + n as i64 * 50, "a");
    }
    sorted.push(Event::Expected(new.clone()));
    sorted.push(Event::CaughtUp(new.clone()));
    sorted.push(Event::Opened(new.clone(), None));
    sorted.line(&new, 1200, "before");
    sorted.pass(2000);
    assert_eq!(sorted.late(), 0);
    sorted.line(&a, 2000, "a");
    sorted.pass(2300);
    sorted.line(&new, 1990, "late");
    sorted.pass(3000);
    assert_eq!(sorted.late(), 1);
}

/// No delay is known, and the floor of the third one is low.
#[test]
fn a_late_line_waits_for_nothing_while_others_that_arrived_with_it_do() {
    let (a, b, quiet) = (origin("a"), origin("b"), origin("quiet"));
    let mut sorted = Sorted::live(200, [&a, &b, &quiet]);
    sorted.line(&a, -10, "a-10");
    sorted.pass(200);
    assert_eq!(sorted.take(), ["a-10"]);
    sorted.pass(201);
    sorted.push(batch(&b, &[(Some(-11), "b-11".to_owned()), (Some(-10), "b-10".to_owned())]));
    assert_eq!((sorted.take(), sorted.late()), (vec!["b-11".to_owned()], 1));
    sorted.pass(400);
    assert_eq!(sorted.take(), [""; 0], "of the same instant, so it is not late");
    sorted.pass(401);
    assert_eq!((sorted.take(), sorted.late()), (vec!["b-10".to_owned()], 1));
}

#[test]
fn nothing_is_kept_of_those_that_came_and_went_while_another_is_quiet() {
    let quiet = origin("quiet");
    let mut sorted = Sorted::live(200, [&quiet]);
    for n in 0..1000 {
        let now = 1000 + n * 300;
        sorted.pass(now);
        let new = origin(&n.to_string());
        sorted.push(Event::Expected(new.clone()));
        sorted.push(Event::CaughtUp(new.clone()));
        sorted.line(&new, now as i64, "line");
        sorted.pass(now + 250);
        sorted.push(closed(&new));
    }
    sorted.pass(400_000);
    let (lanes, floors) = (sorted.order.held.lanes.iter().count(), sorted.order.floors.len());
    assert!(lanes < 2 * MANY_FLOORS && floors < 2 * MANY_FLOORS, "{lanes} lanes, {floors} floors");
    assert_eq!(sorted.take().len(), 2000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Live lines that come within the window are sorted, and no line waits longer.
    #[test]
    fn live_lines_within_the_window_are_sorted(
        arrivals in vec((0..4_usize, 0..30_u64, 0..100_u64), 1..200),
        budget in prop_oneof![Just(0_usize), Just(BUDGET)],
        quiet in subsequence(vec![0, 1, 2, 3], 0..4),
    ) {
        let origins: Vec<_> = (0..4).map(|n| origin(&format!("pod-{n}"))).collect();
        let mut sorted = Sorted::live(200, [&origins[0], &origins[1], &origins[2], &origins[3]]);
        sorted.order.spool = Spool::new(budget);
        // Delays are unknown at first: then the whole window is waited for.
        let (mut now, mut last, mut lines) = (1000, [0; 4], Vec::new());
        for (of, pause, delay) in arrivals {
            if quiet.contains(&of) {
                continue;
            }
            now += pause;
            let stamp = (now - delay).max(last[of]);
            last[of] = stamp;
            lines.push((now, stamp, of));
        }
        let mut shown = Vec::new();
        for (n, &(now, stamp, of)) in lines.iter().enumerate() {
            sorted.pass(now);
            shown.extend(sorted.take());
            for line in lines[..n].iter().enumerate().filter(|(_, line)| line.0 + 200 <= now).map(|(n, _)| n) {
                prop_assert!(shown.contains(&line.to_string()), "{} waits too long", line);
            }
            sorted.line(&origins[of], stamp as i64, &n.to_string());
        }
        sorted.pass(now + 1000);
        shown.extend(sorted.take());
        prop_assert_eq!(shown.len(), lines.len());
        let keys: Vec<_> = shown.iter().map(|n| lines[n.parse::<usize>().expect("a number")].1).collect();
        let disorder = keys.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64;
        prop_assert!(disorder <= sorted.late(), "{} {:?}", sorted.late(), keys);
    }
}
