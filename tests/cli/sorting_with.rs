//! `--sort` together with filters, the lives of a container, files and an end.

use std::io::{Read, pipe};

use apiserver::{Answer, Match};
use jiff::{SignedDuration, Timestamp};

use crate::{
    harness::World,
    sorting::{alternating, start, text},
};

/// Far longer than a test waits: what is shown did not wait for it.
const NEVER: &str = "web --sort=5m -o raw";

fn at(world: &World, seconds: i64) -> Timestamp {
    start(world) + SignedDuration::from_secs(seconds)
}

/// Lines of two containers by the second in which they were written, each with the one that wrote it.
fn two(lines: &[(i64, usize, &str)]) -> World {
    let world = World::new();
    world.pods(["web-0", "web-1"]);
    for (second, pod, line) in lines {
        world.log(&format!("web-{pod}/app")).push_at(at(&world, *second), *line);
    }
    world
}

#[test]
fn a_container_whose_lines_are_filtered_keeps_no_other_waiting() {
    let (world, _) = alternating(2, 10);
    let mut tail = world.start(&format!("{NEVER} -i ERROR -i 'line 0'"));
    tail.expect("line 0");
    tail.until(|account| account.open_log_streams == 2);
    world.log("web-0/app").push("ERROR");
    world.log("web-1/app").push_at(world.now() + SignedDuration::from_secs(1), "beyond it");
    tail.expect("ERROR");
    tail.interrupt();
}

#[test]
fn a_late_line_does_not_wait_for_the_window() {
    let world = two(&[(9, 0, "a9"), (5, 1, "b5")]);
    let mut tail = world.start(&format!("{NEVER} --stats=json"));
    tail.expect("b5");
    tail.expect("a9");
    tail.until(|account| account.open_log_streams == 2);
    world.log("web-1/app").push_at(at(&world, 7), "b7");
    tail.expect("b7");
    tail.interrupt().reported("\"late_lines\":1");
}

/// A signal leaves the line before it, which waits for the other container.
#[test]
fn an_interrupt_shows_no_record_behind_a_line_that_waits() {
    let (world, mut lines) = alternating(2, 10);
    let mut tail = world.start(&format!("{NEVER} --multiline"));
    lines.iter().for_each(|line| tail.expect(line));
    tail.until(|account| account.open_log_streams == 2);
    let at = |seconds| world.now() + SignedDuration::from_secs(seconds);
    world.log("web-1/app").push_at(at(20), "{\"other\":1}");
    let log = world.log("web-0/app");
    log.push_at(at(10), "{\"a\":1}").lines_at(at(30), 1, ["{\"b\":1}", "held"]);
    let shown = ["{\"a\":1}", "{\"other\":1}"];
    shown.iter().for_each(|line| tail.expect(line));
    lines.extend(shown.map(str::to_owned));
    tail.interrupt().stdout(&text(&lines)).exit(130);
}

/// The only test that takes so long: the time for which a container is waited for is fixed.
#[test]
fn a_container_that_hangs_is_left_behind_after_ten_seconds() {
    let (world, lines) = alternating(2, 10);
    world.on(Match::logs().path("/web-1/")).always(Answer::never());
    let began = std::time::Instant::now();
    let mut tail = world.start("web --sort -o raw");
    lines.iter().step_by(2).for_each(|line| tail.expect(line));
    assert!(began.elapsed() >= std::time::Duration::from_secs(10));
    tail.interrupt().reported("! --sort goes on without a container that cannot be read yet: web-1 › app\n");
}

#[test]
fn a_restart_stands_between_the_lives_and_among_the_lines_of_others() {
    let world = two(&[(0, 0, "old 0"), (5, 1, "other 5"), (10, 0, "old 10"), (15, 1, "other 15")]);
    world.restart_container("web-0/app");
    world.log("web-0/app").push_at(at(&world, 20), "new 20");
    world.log("web-1/app").push_at(at(&world, 25), "other 25");
    let (mut both, writer) = pipe().unwrap();
    let command = world.stern_rs("web --no-follow --sort -o raw --with-previous");
    command.stdout(writer.try_clone().unwrap()).stderr(writer).run().exit(0);
    let mut out = String::new();
    both.read_to_string(&mut out).unwrap();
    let shown: Vec<&str> = out.lines().filter(|line| !line.starts_with(['+', '-'])).collect();
    let marker = shown.iter().position(|line| line.starts_with("── web-0 › app restarted: Error, exit 1"));
    assert!(marker.is_some_and(|at| at == 3 || at == 4), "between both lives: {shown:?}");
    let lines: Vec<&str> = shown.into_iter().filter(|line| !line.starts_with('─')).collect();
    assert_eq!(lines, ["old 0", "other 5", "old 10", "other 15", "new 20", "other 25"]);
}

#[test]
fn the_line_that_ends_it_is_the_first_by_time_and_the_last_that_is_shown() {
    let world = two(&[(0, 0, "a"), (3, 0, "ready late"), (1, 1, "b"), (2, 1, "ready"), (4, 1, "c")]);
    world.run("web --no-follow --sort -o raw --until-match ready").stdout("a\nb\nready\n").exit(0);
    world.run("web --sort -o raw --until-match ready").stdout("a\nb\nready\n").exit(0);
}

#[test]
fn a_line_that_is_written_later_ends_it() {
    let (world, lines) = alternating(2, 10);
    let mut tail = world.start("web --sort -o raw --until-match ready");
    lines.iter().for_each(|line| tail.expect(line));
    tail.until(|account| account.open_log_streams == 2);
    world.log("web-1/app").push("ready");
    tail.expect("ready");
    tail.finish().exit(0);
}

#[test]
fn files_are_in_order_as_standard_output_is() {
    let (world, lines) = alternating(3, 300);
    world.run("web --no-follow --sort -o raw --output-dir logs").stdout(&text(&lines)).exit(0);
    for pod in 0..3 {
        let own: Vec<String> = lines.iter().skip(pod).step_by(3).cloned().collect();
        assert_eq!(world.home.read(&format!("logs/default/web-{pod}/app.log")), text(&own));
    }
}

#[test]
fn lines_around_stand_at_their_times_with_separators_before_their_own() {
    let world = two(&[
        (0, 0, "a0"),
        (1, 1, "b1 ERROR"),
        (2, 0, "a2 ERROR"),
        (3, 1, "b3"),
        (4, 0, "a4"),
        (5, 1, "b5"),
        (6, 0, "a6"),
        (7, 1, "b7"),
        (8, 0, "a8"),
        (9, 1, "b9 ERROR"),
        (10, 0, "a10 ERROR"),
    ]);
    let ran = world.run("web --no-follow --sort -i ERROR -C 1 -o raw").exit(0);
    let wanted = ["a0", "b1 ERROR", "a2 ERROR", "b3", "a4", "--", "b7", "--", "a8", "b9 ERROR", "a10 ERROR"];
    assert_eq!(ran.out().lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn lines_around_a_live_one_stand_before_it() {
    let world = two(&[(0, 0, "a0"), (1, 1, "b1"), (2, 0, "a2"), (3, 1, "b3 ERROR")]);
    let mut tail = world.start("web --sort -o raw -i ERROR --before-context 1 --stats=json");
    ["b1", "b3 ERROR"].iter().for_each(|line| tail.expect(line));
    tail.until(|account| account.open_log_streams == 2);
    world.log("web-0/app").push("a ERROR");
    tail.expect("a2");
    tail.expect("a ERROR");
    tail.interrupt().reported("\"late_lines\":0");
}

#[test]
fn the_notice_of_polled_containers_says_that_they_are_late() {
    let (world, lines) = alternating(6, 60);
    let mut tail = world.start("web --sort -o raw --max-log-requests 2");
    lines.iter().for_each(|line| tail.expect(line));
    tail.reported("· following 1 of 6 containers, polling 5 ");
    let err = tail.interrupt().err();
    let notice = regex::Regex::new(
        r"(?m)^· following 1 of 6 containers, polling 5 .*; with --sort their lines are shown late, up to so long$",
    );
    assert!(notice.expect("the pattern is valid").is_match(&err), "{err}");
}
