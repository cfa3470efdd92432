//! The merge against a sort of everything, and the window on a clock that is passed.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;
use crate::{
    event::{Closed, Instant as Stamp, Line, Reason, Restart},
    origin::Origin,
    origin::PodInfo,
};

const MS: i64 = 1_000_000;

/// A line of an origin: its time in milliseconds, and its message.
type Written = (Option<i64>, String);

fn origin(name: &str) -> Arc<Origin> {
    let pod = PodInfo { name: name.to_owned(), node: format!("node-of-{name}"), ..PodInfo::default() };
    Arc::new(Origin { pod: pod.into(), container: "app".into(), ..Origin::default() })
}

fn batch(origin: &Arc<Origin>, lines: &[Written]) -> Event {
    let (mut data, mut items) = (Vec::new(), Vec::new());
    for (time, message) in lines {
        let start = data.len() as u32;
        data.extend_from_slice(message.as_bytes());
        let time = time.map(|time| Stamp(time * MS));
        items.push(Item::Line(Line { time, start, end: data.len() as u32 }));
    }
    Event::Batch(Batch { origin: origin.clone(), data: data.into(), items, rest: None })
}

fn closed(origin: &Arc<Origin>) -> Event {
    let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
    Event::Closed(origin.clone(), closed)
}

/// An order, and what it showed.
struct Sorted {
    order: ByTime,
    start: Instant,
    /// Milliseconds since the start; the wall clock shows the same.
    now: u64,
    late: stats::Stats,
    shown: Vec<String>,
}

impl Sorted {
    fn new(window: u64, follow: bool) -> Sorted {
        let (late, start) = (stats::Stats::default(), Instant::now());
        let settings =
            Settings { window: Duration::from_millis(window), follow, now: Stamp(0), late: late.late() };
        Sorted { order: ByTime::new(settings, start), start, now: 0, late, shown: Vec::new() }
    }

    /// All live, in milliseconds after the start.
    fn live<const N: usize>(window: u64, origins: [&Arc<Origin>; N]) -> Sorted {
        let mut sorted = Sorted::new(window, true);
        for origin in origins {
            sorted.push(Event::Expected(origin.clone()));
        }
        sorted.push(Event::Listed);
        for origin in origins {
            sorted.push(Event::CaughtUp(origin.clone()));
        }
        sorted
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn push(&mut self, event: Event) {
        self.order.push(event.into(), self.now());
        self.flow();
    }

    /// As the flow does.
    fn flow(&mut self) {
        loop {
            while let Some(event) = self.order.pop(self.now()) {
                self.show(event);
            }
            if !self.order.work(self.now()) {
                return;
            }
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Merged(merged) => {
                for stretch in merged.stretches() {
                    for item in stretch.items {
                        self.shown.push(match item {
                            Item::Line(line) => String::from_utf8_lossy(stretch.message(line)).into_owned(),
                            Item::Gap(gap) => format!("{gap:?}"),
                            Item::Separator => "--".to_owned(),
                        });
                    }
                }
            }
            Event::Closed(origin, _) => self.shown.push(format!("- {}", origin.pod.name)),
            Event::Opened(origin, None) => self.shown.push(format!("+ {}", origin.pod.name)),
            Event::Opened(_, Some(_)) => self.shown.push("restarted".to_owned()),
            Event::Notice(notice) => self.shown.push(format!("! {}", notice.text)),
            event => panic!("{event:?}"),
        }
    }

    /// A line of this origin arrives.
    fn line(&mut self, origin: &Arc<Origin>, time: i64, message: &str) {
        self.push(batch(origin, &[(Some(time), message.to_owned())]));
    }

    /// Time passes until then.
    fn pass(&mut self, until: u64) {
        while let Some(due) = self.order.due()
            && due <= self.start + Duration::from_millis(until)
        {
            let due = due.saturating_duration_since(self.start).as_micros().div_ceil(1000) as u64;
            assert!(self.now < due, "it is due at once again");
            self.now = due;
            self.flow();
        }
        self.now = until;
        self.flow();
    }

    fn close(&mut self) {
        self.order.close();
        self.flow();
    }

    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shown)
    }

    fn late(&self) -> u64 {
        self.late.to_json()["late_lines"].as_u64().expect("a number")
    }
}

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the cuts, the order of arrival and the room in memory: the order is that of a sort of everything.
    #[test]
    fn the_merge_is_a_sort_of_everything(
        logs in vec(log(), 1..7),
        picks in vec((0..7_usize, 1..9_usize), 300),
        listed_after in 0..7_usize,
        budget in prop_oneof![Just(0_usize), 100..2000_usize, Just(BUDGET)],
        broken in 0..4_usize,
    ) {
        let origins: Vec<_> = (0..logs.len()).map(|n| origin(&format!("pod-{n}"))).collect();
        let logs: Vec<Vec<Written>> = logs.into_iter().enumerate().map(|(of, lines)| {
            let text = |(n, (time, length)): (usize, (_, usize))| (time, format!("{of}.{n}{}", "x".repeat(length)));
            lines.into_iter().enumerate().map(text).collect()
        }).collect();
        let mut wanted = Vec::new();
        for (of, lines) in logs.iter().enumerate() {
            let mut key = i64::MIN;
            for (time, message) in lines {
                key = key.max(time.unwrap_or(key));
                wanted.push((key, of, message.clone()));
            }
        }
        wanted.sort_by_key(|(key, of, _)| (*key, *of));
        let wanted: Vec<String> = wanted.into_iter().map(|(.., message)| message).collect();

        let mut sorted = Sorted::new(200, false);
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
                let of_one: Vec<&String> = shown.iter().filter(|line| line.starts_with(&format!("{of}."))).collect();
                let in_order: Vec<&String> = lines.iter().map(|(_, message)| message).collect();
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
fn a_line_passes_once_all_others_are_beyond_it() {
    let (a, b) = (origin("a"), origin("b"));
    let mut sorted = Sorted::live(200, [&a, &b]);
    sorted.now = 1000;
    sorted.line(&a, 990, "a990");
    assert_eq!(sorted.take(), [""; 0]);
    sorted.line(&b, 995, "b995");
    assert_eq!(sorted.take(), ["a990"]);
    sorted.push(Event::Reached(a.clone(), Stamp(996 * MS)));
    assert_eq!(sorted.take(), ["b995"]);
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
fn a_clock_that_is_ahead_disturbs_only_its_own_lines() {
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
    assert!(sorted.late() < 10, "{}", sorted.late());
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
    let words = "most are of b › app; perhaps the clock of node node-of-b is behind by about 3.0 s, or its lines take as long";
    assert!(reports[0].ends_with(words), "{}", reports[0]);
}

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
