//! Lines that a filter takes away count: no other waits for what has come.

use super::*;

/// An order of live origins behind a filter for lines that begin with `E`.
fn errors<const N: usize>(window: u64, origins: [&Arc<Origin>; N]) -> Sorted {
    Sorted { wants: |message| message.starts_with('E'), ..Sorted::live(window, origins) }
}

#[test]
fn filtered_history_is_not_waited_for() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.wants = |message| message.starts_with('E');
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    sorted.line(&a, 5, "E5");
    assert_eq!(sorted.take(), [""; 0]);
    sorted.line(&b, 6, "info");
    assert_eq!(sorted.take(), ["E5"]);
}

#[test]
fn a_live_line_passes_once_filtered_ones_are_beyond_it() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = errors(200, [&a, &b]);
    sorted.now = 1000;
    sorted.line(&a, 990, "E990");
    sorted.line(&b, 989, "info");
    assert_eq!(sorted.take(), [""; 0]);
    sorted.line(&b, 991, "info");
    assert_eq!(sorted.take(), ["E990"]);
}

#[test]
fn the_delay_of_filtered_lines_is_known() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = errors(200, [&a, &b]);
    for n in 0..20 {
        sorted.pass(1000 + n * 50);
        sorted.line(&a, 970 + n as i64 * 50, "info");
        sorted.line(&b, 970 + n as i64 * 50, "info");
    }
    sorted.pass(2500);
    sorted.line(&a, 2498, "E");
    sorted.pass(2527);
    assert_eq!(sorted.take(), [""; 0]);
    sorted.pass(2528);
    assert_eq!(sorted.take(), ["E"]);
}

/// Of two that are within one batch or not, the same.
#[test]
fn a_line_behind_a_younger_one_that_is_filtered_stands_at_its_place() {
    for cut in [false, true] {
        let (a, b) = (origin("a"), origin("b"));
        let mut sorted = Sorted::new(200, false);
        sorted.wants = |message| message.starts_with('E');
        sorted.push(Event::Expected(a.clone()));
        sorted.push(Event::Expected(b.clone()));
        sorted.push(Event::Listed);
        let lines = [(Some(9), "info".to_owned()), (Some(5), "E5".to_owned())];
        match cut {
            true => lines.iter().for_each(|line| sorted.push(batch(&a, std::slice::from_ref(line)))),
            false => sorted.push(batch(&a, &lines)),
        }
        sorted.line(&b, 7, "E7");
        sorted.push(closed(&a));
        sorted.push(closed(&b));
        assert_eq!(sorted.take(), ["E7", "- b", "E5", "- a"]);
    }
}

/// Lines that the filter holds back come as the context of a later one.
fn context(of: &Arc<Origin>, sorted: &mut Sorted, before: (i64, &str), time: i64, message: &str) {
    let Event::Batch(fresh) = batch(of, &[(Some(time), message.to_owned())]) else { return };
    sorted.order.look(&fresh, sorted.now());
    let both = [(Some(before.0), before.1.to_owned()), (Some(time), message.to_owned())];
    sorted.order.push(batch(of, &both).into(), sorted.now());
    sorted.flow();
}

#[test]
fn a_line_that_the_filter_holds_back_is_waited_for() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.wants = |message| message.starts_with('E');
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    sorted.line(&b, 6, "E6");
    let Event::Batch(mut held) = batch(&a, &[(Some(4), "info".to_owned()), (Some(8), "info".to_owned())])
    else {
        return;
    };
    sorted.order.look(&held, sorted.now());
    sorted.order.hold_back(Stamp(4 * MS));
    held.items.clear();
    sorted.order.push(Event::Batch(held).into(), sorted.now());
    sorted.flow();
    assert_eq!(sorted.take(), [""; 0]);
    context(&a, &mut sorted, (4, "around"), 9, "E9");
    sorted.push(closed(&b));
    assert_eq!(sorted.take(), ["around", "E6", "- b", "E9"]);
}

#[test]
fn a_live_line_that_was_held_back_stands_before_its_match_and_is_not_late() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = errors(200, [&a, &b]);
    sorted.pass(5000);
    sorted.line(&b, 4999, "Eb");
    sorted.pass(6000);
    assert_eq!(sorted.take(), ["Eb"]);
    context(&a, &mut sorted, (1000, "around"), 6000, "Ea");
    sorted.line(&b, 5999, "Eb");
    sorted.pass(6200);
    assert_eq!((sorted.take(), sorted.late()), (["Eb", "around", "Ea"].map(str::to_owned).to_vec(), 0));
}

#[test]
fn a_trace_that_the_filter_held_back_is_not_torn() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    for origin in [&a, &b] {
        sorted.push(Event::Expected(origin.clone()));
    }
    sorted.push(Event::Listed);
    let fresh = [(Some(9), "E9".to_owned())];
    let held = [(Some(3), "head".to_owned()), (Some(5), "\tframe".to_owned())];
    let Event::Batch(seen) = batch(&a, &fresh) else { return };
    sorted.order.look(&seen, sorted.now());
    // The held lines stand behind the data of the batch, and before its line.
    let Event::Batch(mut both) = batch(&a, &[&fresh[..], &held].concat()) else { return };
    both.items.rotate_left(1);
    sorted.order.push(Event::Batch(both).into(), sorted.now());
    sorted.line(&b, 4, "b4");
    sorted.push(closed(&a));
    sorted.push(closed(&b));
    assert_eq!(sorted.take(), ["head", "\tframe", "b4", "- b", "E9", "- a"]);
}

#[test]
fn a_frame_whose_head_is_filtered_stands_where_the_head_was() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.wants = |message| message != "head";
    for origin in [&a, &b] {
        sorted.push(Event::Expected(origin.clone()));
    }
    sorted.push(Event::Listed);
    sorted.push(batch(&a, &[(Some(3), "head".to_owned()), (Some(5), "\tframe".to_owned())]));
    sorted.line(&b, 4, "b4");
    sorted.push(closed(&a));
    sorted.push(closed(&b));
    assert_eq!(sorted.take(), ["\tframe", "- a", "b4", "- b"]);
}
