//! `--sort`: lines of all containers by the time at which they were written.

use std::time::Duration;

use apiserver::{Account, Answer, Gate, Match, Pod};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{TEMPORARY, World};

/// The beginning of all logs here.
pub fn start(world: &World) -> Timestamp {
    world.now() - SignedDuration::from_hours(1)
}

/// Pods whose lines alternate: line `n` is written by pod `n % pods`, a millisecond after the one before.
pub fn alternating(pods: usize, lines: usize) -> (World, Vec<String>) {
    let world = World::new();
    world.add_pods((0..pods).map(|n| Pod::new(format!("web-{n}"))));
    let start = start(&world);
    let line = |n: usize| format!("line {n}");
    for n in 0..lines {
        let at = start + SignedDuration::from_millis(n as i64);
        world.log(&format!("web-{}/app", n % pods)).push_at(at, line(n));
    }
    (world, (0..lines).map(line).collect())
}

pub fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn without_following_all_lines_are_in_order() {
    let (world, lines) = alternating(3, 300);
    world.run("web --no-follow --sort -o raw").stdout(&text(&lines)).exit(0);
}

#[test]
fn more_containers_than_places_are_in_order_too() {
    let (world, lines) = alternating(20, 400);
    world.run("web --no-follow --sort -o raw --max-log-requests 2").stdout(&text(&lines)).exit(0);
    assert!(world.account().peak_log_streams <= 2);
}

#[test]
fn two_runs_agree_on_lines_of_the_same_instant() {
    let world = World::new();
    world.add_pods((0..8).map(|n| Pod::new(format!("web-{n}"))));
    let start = start(&world);
    for n in 0..200 {
        for pod in (0..8).filter(|pod| (n + pod) % 3 > 0) {
            world
                .log(&format!("web-{pod}/app"))
                .push_at(start + SignedDuration::from_secs(n / 10), n.to_string());
        }
    }
    let run = |places| {
        world.run(&format!("web --no-follow --sort --max-log-requests {places}")).out_bytes().to_vec()
    };
    let first = run(8);
    assert_eq!((run(3), run(8)), (first.clone(), first));
}

#[test]
fn an_order_of_instants_is_one_across_zones() {
    let world = World::web([]);
    world.pods(["web-2"]);
    world.log("web-1/app").push_at("2026-01-31T12:00:00+09:00", "first");
    world
        .log("web-2/app")
        .push_at("2026-01-31T04:00:00+01:00", "first too")
        .push_at("2026-01-31T03:00:01Z", "last");
    world.log("web-1/app").push_at("2026-01-31T12:00:02+09:00", "behind it");
    world.run("web --no-follow --sort -o raw -s 0").stdout("first\nfirst too\nlast\nbehind it\n");
}

#[test]
fn lines_of_one_container_keep_their_order_though_its_clock_steps_back() {
    let world = World::web([]);
    world.pod("web-2", []);
    let start = start(&world);
    let at = |seconds| start + SignedDuration::from_secs(seconds);
    world.log("web-1/app").push_at(at(10), "a").push_at(at(2), "b").push_at(at(11), "c");
    world.log("web-2/app").push_at(at(5), "d").push_at(at(12), "e");
    world.run("web --no-follow --sort -o raw").stdout("d\na\nb\nc\ne\n");
}

#[test]
fn history_is_shown_in_order_and_then_what_is_written() {
    let (world, lines) = alternating(3, 30);
    let mut tail = world.start("web --sort -o raw");
    lines.iter().for_each(|line| tail.expect(line));
    tail.until(|account| account.open_log_streams == 3);
    for n in 0..5 {
        for pod in 0..3 {
            world.log(&format!("web-{pod}/app")).push(format!("{n}.{pod}"));
        }
    }
    for n in 0..5 {
        (0..3).for_each(|pod| tail.expect(&format!("{n}.{pod}")));
    }
    let histories = world.requests().logs().filter(|log| log.query("follow").is_none());
    assert_eq!(histories.len(), 3, "each log was read once before it was followed");
    tail.interrupt();
}

#[test]
fn the_last_lines_are_the_history_where_they_were_asked_for() {
    let (world, lines) = alternating(3, 30);
    let mut tail = world.start("web --sort -o raw --tail 2");
    lines[24..].iter().for_each(|line| tail.expect(line));
    world.log("web-0/app").push("news");
    tail.expect("news");
    tail.interrupt();
}

#[test]
fn without_history_only_news_are_shown() {
    let (world, _) = alternating(3, 30);
    let mut tail = world.start("web --sort -o raw --tail 0");
    tail.until(|account| account.open_log_streams == 3);
    world.log("web-0/app").push("news");
    tail.expect("news");
    tail.interrupt();
}

#[test]
fn history_of_polled_containers_is_in_order_too_and_their_delay_is_reported() {
    let (world, lines) = alternating(6, 60);
    let mut tail = world.start("web --sort -o raw --max-log-requests 2");
    lines.iter().for_each(|line| tail.expect(line));
    tail.reported("; with --sort their lines are shown late, up to so long\n");
    world.log("web-0/app").push("late or not");
    tail.expect("late or not");
    assert!(world.account().peak_log_streams <= 2);
    tail.interrupt();
}

#[test]
fn a_container_that_starts_while_following_is_merged() {
    let (world, lines) = alternating(2, 10);
    let mut tail = world.start("web --sort -o raw");
    lines.iter().for_each(|line| tail.expect(line));
    world.pod("web-9", ["one", "two"]);
    tail.expect("one");
    tail.expect("two");
    tail.interrupt();
}

#[test]
fn a_restart_is_shown_in_order() {
    let (world, lines) = alternating(1, 5);
    let mut tail = world.start("web --sort -o raw");
    lines.iter().for_each(|line| tail.expect(line));
    world.log("web-0/app").push("last words");
    world.restart_container("web-0/app");
    world.log("web-0/app").push("again");
    tail.expect("last words");
    tail.expect("again");
    tail.interrupt().never_reported("may be missing");
}

#[test]
fn a_line_that_comes_too_late_is_shown_and_counted() {
    let (world, lines) = alternating(2, 10);
    let mut tail = world.start("web --sort -o raw --stats=json");
    lines.iter().for_each(|line| tail.expect(line));
    tail.until(|account| account.open_log_streams == 2);
    world.log("web-0/app").push("news");
    tail.expect("news");
    world.log("web-1/app").push_at(start(&world) + SignedDuration::from_mins(1), "old");
    tail.expect("old");
    tail.interrupt().reported("\"late_lines\":1");
}

#[test]
fn a_log_that_is_not_answered_does_not_keep_the_others_for_ever() {
    let (world, lines) = alternating(2, 10);
    world.on(Match::logs().path("/web-1/")).always(Answer::never());
    let ran = world.run("web --no-follow --sort -o raw --request-timeout 1s");
    let readable: Vec<String> = lines.into_iter().step_by(2).collect();
    ran.stdout(&text(&readable)).exit(3);
}

#[test]
fn a_signal_ends_it_while_history_is_read() {
    let (world, _) = alternating(2, 10);
    let gate = Gate::new();
    world.on(Match::logs().path("/web-1/")).always(Answer::ok().hold(&gate));
    let tail = world.start("web --sort");
    tail.reported("+ web-0 › app\n");
    tail.until(|account| account.requests.logs().path("/web-1/").len() == 1);
    tail.asleep();
    tail.interrupt().stdout("").exit(130);
}

/// More than fits in memory.
fn large() -> World {
    let world = World::new();
    world.pods(["web-0", "web-1"]);
    let start = start(&world);
    let line = "x".repeat(20_000);
    for n in 0..2 {
        let at = start + SignedDuration::from_micros(n);
        let lines = (0..4000).map(|at| format!("{at} {line}"));
        world.log(&format!("web-{n}/app")).lines_at(at, 2_000, lines);
    }
    world
}

#[test]
fn what_does_not_fit_in_memory_waits_in_files_without_names() {
    let world = large();
    let temporary = world.home.path("tmp");
    std::fs::create_dir(&temporary).expect("a new directory");
    let run = world.stern_rs("web --no-follow --sort --max-log-requests 1");
    let ran = run.env(TEMPORARY, &temporary.display().to_string()).run().exit(0).never_reported("--sort");
    let out = String::from_utf8(ran.out_bytes().to_vec()).expect("text");
    let heads: Vec<_> =
        out.lines().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
    let wanted: Vec<_> =
        (0..4000).flat_map(|at| [format!("web-0 app {at}"), format!("web-1 app {at}")]).collect();
    assert_eq!(heads, wanted);
    assert_eq!(std::fs::read_dir(&temporary).expect("the directory").count(), 0);
}

#[test]
fn without_room_for_files_no_line_is_lost() {
    let world = large();
    let run = world.stern_rs("web --no-follow --sort --max-log-requests 1 --stats=json");
    let ran = run.env(TEMPORARY, "/nonexistent").run().exit(0);
    let out = ran.out_bytes().to_vec();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 8000);
    let ran = ran
        .reported("--sort shows lines before their turn: there is no room for more of them in the temporary");
    ran.never_reported("\"late_lines\":0");
}

#[test]
fn a_window_is_short() {
    let world = World::web(["a"]);
    world.run("web --sort=false --no-follow").stdout("web-1 app a\n");
    world.run("web --sort=true --no-follow").stdout("web-1 app a\n");
    world.run("web --sort=0 --no-follow").stdout("web-1 app a\n");
    let message = "--sort: \"6m\" is longer than 5m, and no line is shown before that";
    world.run("web --sort=6m").fails(2, message);
}

/// `nothing` is written before it, so that nobody is ahead of a quiet container.
#[test]
fn lines_come_soon_though_other_containers_are_quiet() {
    let (world, lines) = alternating(3, 6);
    let mut tail = world.start("web --sort -o raw");
    lines.iter().for_each(|line| tail.expect(line));
    tail.until(|account: &Account| account.open_log_streams == 3);
    let began = std::time::Instant::now();
    world.log("web-0/app").push("one");
    tail.expect("one");
    let took = began.elapsed();
    // Not only after the ten seconds for which a container is waited for.
    assert!(took < Duration::from_secs(8), "{took:?}");
    tail.interrupt();
}
