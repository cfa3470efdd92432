//! What was written before is exact: the merge against a sort of everything.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Lines of one origin, mostly in order, some without a time, with a clock that steps back.
fn log() -> impl Strategy<Value = Vec<(Option<i64>, usize)>> {
    let step = prop_oneof![4 => 0..3_i64, 1 => -20..-1_i64, 1 => 10..50_i64];
    vec((prop::bool::weighted(0.9), step, 0..40_usize), 0..40).prop_map(|lines| {
        let mut time = 100;
        lines
            .into_iter()
            .map(|(timed, step, length)| {
                time += step;
                (timed.then_some(time), length)
            })
            .collect()
    })
}

/// A filter that lets about half of the lines of [`log`] pass.
fn wants(message: &str) -> bool {
    message.len().is_multiple_of(2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the cuts, the filter, the order of arrival and the room in memory: the order is that of a sort of
    /// everything.
    #[test]
    fn the_merge_is_a_sort_of_everything(
        logs in vec(log(), 1..7),
        picks in vec((0..7_usize, 1..9_usize), 300),
        listed_after in 0..7_usize,
        budget in prop_oneof![Just(0_usize), 100..2000_usize, Just(BUDGET)],
        broken in 0..4_usize,
        is_filtered: bool,
    ) {
        let origins: Vec<_> = (0..logs.len()).map(|n| origin(&format!("pod-{n}"))).collect();
        let logs: Vec<Vec<Written>> = logs.into_iter().enumerate().map(|(of, lines)| {
            let text = |(n, (time, length)): (usize, (_, usize))| {
                let indented = if length % 5 == 4 { "\t" } else { "" };
                (time, format!("{indented}{of}.{n}{}", "x".repeat(length)))
            };
            lines.into_iter().enumerate().map(text).collect()
        }).collect();
        let mut wanted = Vec::new();
        for (of, lines) in logs.iter().enumerate() {
            let (mut key, mut before) = (i64::MIN, None);
            for (time, message) in lines {
                let continues = message.starts_with('\t')
                    && before.is_some_and(|before: Option<i64>| {
                        before.zip(*time).is_none_or(|(before, time)| before.abs_diff(time) <= 50)
                            && time.is_none_or(|time| time.saturating_sub(key) <= 200)
                    });
                before = Some(*time);
                if !continues {
                    key = key.max(time.unwrap_or(key));
                }
                if !is_filtered || wants(message) {
                    wanted.push((key, of, message.clone()));
                }
            }
        }
        wanted.sort_by_key(|(key, of, _)| (*key, *of));
        let wanted: Vec<String> = wanted.into_iter().map(|(.., message)| message).collect();

        let mut sorted = Sorted::new(200, false);
        if is_filtered {
            sorted.wants = wants;
        }
        let spool = Spool::new(budget);
        sorted.order.spool = match broken {
            0 if budget > 0 => spool.full(),
            1 if budget > 0 => spool.without_directory(),
            _ => spool,
        };
        let may_be_late = budget < BUDGET && budget > 0 && broken < 2;
        origins.iter().for_each(|origin| sorted.push(Event::Expected(origin.clone())));
        let (mut at, mut rounds) = (vec![0; logs.len()], 0);
        let mut open: Vec<usize> = (0..logs.len()).collect();
        for (pick, count) in picks.into_iter().chain(std::iter::repeat((0, 100))) {
            if rounds == listed_after {
                sorted.push(Event::Listed);
            }
            rounds += 1;
            if open.is_empty() {
                break;
            }
            let which = pick % open.len();
            let of = open[which];
            let end = (at[of] + count).min(logs[of].len());
            sorted.push(batch(&origins[of], &logs[of][at[of]..end]));
            at[of] = end;
            if end == logs[of].len() {
                sorted.push(closed(&origins[of]));
                open.remove(which);
            }
        }
        sorted.close();
        let is_line = |text: &String| !text.starts_with(['-', '!']);
        let mut shown: Vec<String> = sorted.take().into_iter().filter(is_line).collect();
        let mut wanted = wanted;
        if may_be_late {
            // Nothing is lost, and the lines of one origin stay in order.
            for (of, lines) in logs.iter().enumerate() {
                let of_one: Vec<&String> = shown.iter().filter(|line| line.trim_start().starts_with(&format!("{of}."))).collect();
                let messages = lines.iter().map(|(_, message)| message);
                let in_order: Vec<&String> = messages.filter(|message| !is_filtered || wants(message)).collect();
                prop_assert_eq!(of_one, in_order);
            }
            shown.sort();
            wanted.sort();
        } else {
            prop_assert_eq!(sorted.late(), 0);
        }
        prop_assert_eq!(shown, wanted);
        prop_assert_eq!((sorted.order.held.memory, sorted.order.held.runs.len()), (0, 0));
        sorted.order.floor();
        prop_assert_eq!((sorted.order.asides.len(), sorted.order.held.lanes.iter().count()), (0, 0));
    }
}

#[test]
fn an_end_stands_behind_its_last_line_and_a_beginning_where_it_comes() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    sorted.push(Event::Opened(a.clone(), None));
    sorted.line(&a, 5, "a5");
    sorted.push(closed(&a));
    assert_eq!(sorted.take(), ["+ a"]);
    sorted.line(&b, 3, "b3");
    assert_eq!(sorted.take(), ["b3"]);
    sorted.line(&b, 9, "b9");
    assert_eq!(sorted.take(), ["a5", "- a", "b9"]);
}

#[test]
fn a_restart_stands_between_the_lines_of_both_instances() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    [&a, &a, &b].into_iter().for_each(|origin| sorted.push(Event::Expected(origin.clone())));
    sorted.push(Event::Listed);
    sorted.push(Event::Opened(a.clone(), None));
    sorted.line(&a, 5, "a5");
    sorted.push(closed(&a));
    sorted.push(Event::Opened(a.clone(), Some(Restart::default())));
    sorted.line(&a, 9, "a9");
    sorted.push(closed(&a));
    sorted.line(&b, 7, "b7");
    sorted.push(closed(&b));
    assert_eq!(sorted.take(), ["+ a", "a5", "- a", "restarted", "b7", "- b", "a9", "- a"]);
}

#[test]
fn runs_are_merged_in_passes_so_that_few_files_are_open() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.order.spool = Spool::new(0);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b.clone()));
    sorted.push(Event::Listed);
    let mut most = 0;
    for n in 0..1000 {
        sorted.line(&a, n, &n.to_string());
        most = most.max(sorted.order.held.runs.len());
    }
    assert_eq!(sorted.take(), [""; 0]);
    assert!(most <= 3 * 16, "{most} files are open");
    sorted.push(closed(&b));
    assert_eq!(
        sorted.take(),
        std::iter::once("- b".to_owned()).chain((0..1000).map(|n| n.to_string())).collect::<Vec<_>>()
    );
}

#[test]
fn without_room_for_files_lines_pass_before_their_turn_and_that_is_reported_once() {
    for directory in [true, false] {
        let (a, b) = (origin("a"), origin("b"));
        let mut sorted = Sorted::new(200, false);
        let spool = Spool::new(70_000);
        sorted.order.spool = if directory { spool.full() } else { spool.without_directory() };
        sorted.push(Event::Expected(a.clone()));
        sorted.push(Event::Expected(b.clone()));
        sorted.push(Event::Listed);
        sorted.now = 5000;
        for n in 10..1000 {
            sorted.line(&a, n, &format!("{n}{}", " ".repeat(1000)));
        }
        sorted.line(&b, 1, "b");
        sorted.push(closed(&b));
        sorted.push(closed(&a));
        let shown = sorted.take();
        let reports = shown.iter().filter(|text| text.starts_with("! --sort shows lines before")).count();
        assert_eq!((reports, shown.len()), (1, 990 + 1 + 2 + 1));
        assert_eq!(sorted.late(), 1);
    }
}

#[test]
fn of_the_same_instant_names_decide_by_namespace_pod_and_container() {
    let named = |namespace: &str, pod: &str, container: &str| {
        let pod = PodInfo { namespace: namespace.to_owned(), name: pod.to_owned(), ..PodInfo::default() };
        Arc::new(Origin { pod: pod.into(), container: container.into(), ..Origin::default() })
    };
    let names = [("a", "z", "z"), ("b", "a", "z"), ("b", "b", "a"), ("b", "b", "b")];
    let origins = names.map(|(namespace, pod, container)| named(namespace, pod, container));
    let mut sorted = Sorted::new(200, false);
    origins.iter().for_each(|origin| sorted.push(Event::Expected(origin.clone())));
    sorted.push(Event::Listed);
    for (n, origin) in origins.iter().enumerate().rev() {
        sorted.line(origin, 5, &n.to_string());
    }
    sorted.close();
    assert_eq!(sorted.take(), ["0", "1", "2", "3"]);
}

/// Of many runs some are merged, and come before those that are not.
#[test]
fn lines_of_one_instant_keep_their_order_over_runs_of_several_levels() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::new(200, false);
    sorted.order.spool = Spool::new(0);
    sorted.push(Event::Expected(a.clone()));
    sorted.push(Event::Expected(b));
    sorted.push(Event::Listed);
    (0..600).for_each(|n| sorted.line(&a, 5, &n.to_string()));
    sorted.close();
    assert_eq!(sorted.take(), (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
}
