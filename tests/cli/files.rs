//! `--output-dir`: a file for the lines of each container.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

use apiserver::{Match, Pod};
use flate2::read::MultiGzDecoder;

use crate::harness::{World, native, stern_rs, words};

#[cfg(unix)]
mod unix;

const APP: &str = "logs/default/web-1/app.log";

/// The lines of a compressed file, which is whole.
fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Waits until the file has this text.
#[track_caller]
fn has(world: &World, name: &str, wanted: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while world.home.read(name) != wanted {
        assert!(Instant::now() < until, "{name} is {:?}, not {wanted:?}", world.home.read(name));
        std::thread::yield_now();
    }
}

#[test]
fn each_container_has_a_file_beside_standard_output() {
    let world = World::web(["a", "b"]);
    world.add_pod(Pod::new("web-2").namespace("shop").container("app").container("side"));
    world.log("shop/web-2/side").push("c");
    let ran = world.run("web -n default,shop --no-follow --output-dir logs").exit(0);
    ran.lines(["default web-1 app a", "default web-1 app b", "shop web-2 side c"]);
    assert_eq!(world.home.read(APP), "default web-1 app a\ndefault web-1 app b\n");
    assert_eq!(world.home.read("logs/shop/web-2/side.log"), "shop web-2 side c\n");
    assert!(!world.home.path("logs/shop/web-2/app.log").exists(), "it has no line");
}

#[test]
fn a_line_is_in_its_file_at_once() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --output-dir logs");
    tail.expect("web-1 app a");
    has(&world, APP, "web-1 app a\n");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    has(&world, APP, "web-1 app a\nweb-1 app b\n");
    tail.interrupt().exit(130);
}

#[test]
fn without_lines_nothing_is_made() {
    let world = World::web([]);
    world.run("web --no-follow --output-dir logs").exit(0);
    world.run("web --dry-run --output-dir logs").exit(0);
    assert!(!world.home.path("logs").exists());
}

#[test]
fn quiet_prints_no_line_and_still_reports() {
    let world = World::web(["a"]);
    let ran = world.run("web --no-follow --output-dir logs --quiet").exit(0);
    ran.stdout("").stderr("+ web-1 › app\n- web-1 › app\n");
    assert_eq!(world.home.read(APP), "web-1 app a\n");
    world.run("web --dry-run --output-dir logs --quiet").reported("").out().contains("web-1");
}

#[test]
fn files_have_the_format_of_the_output_without_colours() {
    for (args, line) in [
        ("", "web-1 app a\n"),
        ("-o raw -H a", "a\n"),
        ("--template '{{.PodName}}: {{color .PodColor .Message}}{{\"\\n\"}}'", "web-1: a\n"),
    ] {
        let world = World::web(["a"]);
        let ran = world.run(&format!("web --no-follow --color always --output-dir logs {args}")).exit(0);
        assert!(ran.out().contains('\x1b'), "{args}: {}", ran.out());
        assert_eq!(world.home.read(APP), line, "{args}");
    }
    let world = World::web(["a"]);
    let ran = world.run("web --no-follow --output-dir logs -o json").exit(0);
    assert_eq!(world.home.read(APP), ran.out());
}

#[test]
fn only_lines_that_pass_the_filters_are_in_files() {
    let world = World::web(["a", "b", "c"]);
    world.run("web --no-follow --output-dir logs -e b --quiet").exit(0);
    assert_eq!(world.home.read(APP), "web-1 app a\nweb-1 app c\n");
}

#[test]
fn templates_that_fail_are_reported_in_a_quiet_run() {
    let world = World::web(["a", "b"]);
    let ran =
        world.run("web --no-follow --output-dir logs --quiet --template '{{index .Message 99}}'").exit(3);
    ran.reported("! web-1 › app: expanding template failed: ")
        .reported("expanding template failed on 2 lines");
    assert_eq!(world.home.read(APP), "a\nb\n");
}

#[test]
fn a_second_run_appends() {
    let world = World::web(["a"]);
    for _ in 0..2 {
        world.run("web --no-follow -o raw --output-dir logs").exit(0);
    }
    assert_eq!(world.home.read(APP), "a\na\n");
}

#[test]
fn a_line_that_a_crash_cut_gets_its_end() {
    let world = World::web(["a"]);
    world.home.write(APP, "whole\nha");
    world.run("web --no-follow -o raw --output-dir logs").exit(0);
    assert_eq!(world.home.read(APP), "whole\nha\na\n");
}

#[test]
fn restarts_and_pods_of_the_same_name_share_a_file() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --output-dir logs");
    tail.expect("a");
    world.terminate_container("web-1/app", 1, "Error");
    world.restart_container("web-1/app");
    world.log("web-1/app").push("b");
    tail.expect("b");
    world.delete_pod("web-1");
    tail.reported("- web-1 › app\n");
    world.pod("web-1", ["c"]);
    tail.expect("c");
    tail.interrupt();
    let lines =
        regex::Regex::new("ran [0-9]+s").unwrap().replace(&world.home.read(APP), "ran …").into_owned();
    assert_eq!(lines, "a\n── restarted: Error, exit 1, ran … ──\nb\nc\n");
}

#[test]
fn standard_input_has_a_file() {
    let ran = stern_rs("--stdin --output-dir .").input("a\nb\n");
    let world = World::new();
    let ran = ran.run().exit(0);
    ran.stdout("a\nb\n");
    fs::write(world.home.path("in"), "a\nb\n").unwrap();
    let stdin = File::open(world.home.path("in")).unwrap();
    world.stern_rs("--stdin --output-dir logs --quiet").stdin(stdin).run().stdout("").exit(0);
    assert_eq!(world.home.read("logs/stdin.log"), "a\nb\n");
}

#[test]
fn two_runs_do_not_share_a_file() {
    let world = World::web(["a"]);
    let mut first = world.start("web -o raw --output-dir logs");
    first.expect("a");
    has(&world, APP, "a\n");
    let second = world.run("web -o json --no-follow --output-dir logs").exit(0);
    let others = "! logs/default/web-1/app.log is being written by another run, so this run writes \
                  logs/default/web-1/app.2.log; other files may have such names too\n";
    let second = second.reported(&native(others));
    assert_eq!(world.home.read("logs/default/web-1/app.2.log"), second.out());
    world.log("web-1/app").push("b");
    first.expect("b");
    first.interrupt();
    assert_eq!(world.home.read(APP), "a\nb\n");
    world.run("web -o raw --no-follow --output-dir logs").exit(0);
    assert_eq!(world.home.read(APP), "a\nb\na\nb\n", "it is free again");
}

#[test]
fn a_compressed_file_that_was_cut_is_not_continued() {
    let world = World::web(["a"]);
    let run = "web --no-follow -o raw --output-dir logs --compress";
    world.run(run).exit(0);
    let path = world.home.path("logs/default/web-1/app.log.gz");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &whole[..whole.len() - 3]].concat()).unwrap();
    let words = "! logs/default/web-1/app.log.gz is cut at its end, and nothing behind that could be decompressed, so \
                 this run writes logs/default/web-1/app.2.log.gz; other files may have such names too\n";
    for lines in ["a\n", "a\na\n"] {
        world.run(run).exit(0).reported(&native(words));
        assert_eq!(unzipped(&world.home.path("logs/default/web-1/app.2.log.gz")), lines);
    }
}

#[test]
fn lines_without_an_end_get_none_from_a_second_run() {
    let world = World::web(["a"]);
    for _ in 0..2 {
        world.run("web --no-follow --output-dir logs --template {{.Message}}").exit(0);
    }
    assert_eq!(world.home.read(APP), "aa");
}

#[test]
fn a_template_that_prints_nothing_makes_no_file() {
    let world = World::web(["a"]);
    world.run("web --no-follow --output-dir logs --template {{\"\"}}").exit(0);
    assert!(!world.home.path("logs").exists());
}

#[test]
fn the_home_directory_may_be_abbreviated() {
    let world = World::web(["a"]);
    world.run("web --no-follow --output-dir=~/logs").exit(0);
    assert_eq!(world.home.read(APP), "web-1 app a\n");
}

#[test]
fn a_compressed_file_can_be_read_while_it_is_written() {
    let world = World::new();
    world.pods(["web-1"]);
    let line = "x".repeat(1_000);
    world.log("web-1/app").extend((0..2_000).map(|n| format!("{n} {line}")));
    let tail = world.start("web -o raw --output-dir logs --compress");
    tail.shown("1999 x", 1);
    world.log("web-1/app").push("last");
    let path = world.home.path("logs/default/web-1/app.log.gz");
    let until = Instant::now() + Duration::from_secs(60);
    while !path.exists() || !unzipped(&path).ends_with("last\n") {
        assert!(Instant::now() < until, "the last line is missing");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(unzipped(&path).lines().count(), 2_001);
    assert!(fs::metadata(&path).unwrap().len() < 200_000);
    // Kills it.
    drop(tail);
    assert_eq!(unzipped(&path).lines().count(), 2_001);
}

#[test]
fn a_line_that_is_too_long_for_memory_is_whole_in_files() {
    for args in ["", "--compress", "--quiet"] {
        let world = World::new();
        world.pods(["web-1"]);
        let long = "x".repeat(3 << 20);
        world.log("web-1/app").extend(["a", &long, "b"]);
        let ran = world.run(&format!("web -o raw --no-follow --output-dir logs {args}")).exit(0);
        let wanted = format!("a\n{long}\nb\n");
        assert!(args == "--quiet" || ran.out() == wanted, "{args}");
        let text = match args {
            "--compress" => unzipped(&world.home.path("logs/default/web-1/app.log.gz")),
            _ => world.home.read(APP),
        };
        assert!(text == wanted, "{args}: {} bytes", text.len());
    }
}

#[test]
fn a_file_that_cannot_be_written_stops_nothing_else() {
    let world = World::web(["a", "b"]);
    world.pod("web-2", ["c"]);
    fs::create_dir_all(world.home.path(APP)).unwrap();
    let ran = world.run("web --no-follow --output-dir logs").exit(3);
    let (path, reason) = (native(APP), words(File::options().append(true).open(world.home.path(APP))));
    let ran = ran.reported(&format!(
        "! cannot write {path}: {reason}; lines for it are missing until it can be written\n"
    ));
    let ran = ran.reported(&format!("! {path} lacks 2 lines: {reason}\n"));
    ran.lines(["web-1 app a", "web-1 app b", "web-2 app c"]);
    assert_eq!(world.home.read("logs/default/web-2/app.log"), "web-2 app c\n");
}

#[test]
fn a_reason_that_many_files_share_is_reported_once() {
    let world = World::new();
    world.add_pods((0..30).map(|n| Pod::new(format!("web-{n:02}"))));
    for n in 0..30 {
        world.log(&format!("web-{n:02}/app")).push("a");
    }
    world.home.write("logs", "a file");
    let ran = world.run("web --no-follow --output-dir logs").exit(3);
    assert_eq!(ran.out().lines().count(), 30);
    let reason = if cfg!(unix) { "Not a directory" } else { "not a directory" };
    let ran =
        ran.reported("! cannot write ").reported(&format!(": {reason}; lines for it are missing until"));
    let path = native("logs/default/web-09/app.log");
    ran.reported(&format!("! {path} lacks 1 line: {reason}\n")).reported("! 20 more files lack 20 lines\n");
}

#[test]
fn a_directory_that_was_removed_is_made_again() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --output-dir logs");
    tail.expect("a");
    has(&world, APP, "a\n");
    fs::remove_dir_all(world.home.path("logs")).unwrap();
    world.log("web-1/app").push("b");
    tail.expect("b");
    has(&world, APP, "b\n");
    tail.interrupt();
}

#[test]
fn a_file_that_was_renamed_by_a_rotation_is_left_alone() {
    let world = World::web(["a"]);
    let mut tail = world.start("web -o raw --output-dir logs");
    tail.expect("a");
    has(&world, APP, "a\n");
    fs::rename(world.home.path(APP), world.home.path("logs/rotated")).unwrap();
    world.log("web-1/app").push("b");
    tail.expect("b");
    has(&world, APP, "b\n");
    assert_eq!(world.home.read("logs/rotated"), "a\n");
    tail.interrupt();
}

#[test]
fn missing_lines_are_marked_among_those_of_text_only() {
    for (args, marks) in [("-o raw", 1), ("-o json", 0)] {
        let world = World::web([]);
        world.log("web-1/app").push_at("2026-01-31T00:00:00Z", "a");
        let tail = world.start(&format!("web --since 0 --output-dir logs {args}"));
        tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 0));
        let gate = world.hold(Match::logs());
        world.cut(Match::logs());
        tail.until(|account| account.requests.logs().len() == 2);
        world.log("web-1/app").rotate().push_at("2026-01-31T00:00:10.5Z", "b");
        gate.release();
        tail.reported("! web-1 › app: lines may be missing between ");
        tail.interrupt();
        let text = world.home.read(APP);
        let found = text.lines().filter(|line| line.starts_with("── ") && line.ends_with(" ──")).count();
        assert_eq!(found, marks, "{text}");
    }
}

#[test]
fn more_containers_than_open_files_lose_no_line() {
    let world = World::new();
    world.add_pods((0..150).map(|n| Pod::new(format!("web-{n:03}"))));
    let tail = world.start(
        "web -o raw --quiet --output-dir logs --max-log-requests 200 --max-streams-per-node 200 --qps -1",
    );
    tail.until(|account| account.open_log_streams == 150);
    for round in 0..3 {
        for n in 0..150 {
            world.log(&format!("web-{n:03}/app")).push(format!("{round}"));
        }
    }
    for n in 0..150 {
        has(&world, &format!("logs/default/web-{n:03}/app.log"), "0\n1\n2\n");
    }
    tail.interrupt().exit(130);
}

#[test]
fn flags_of_files_need_the_directory() {
    stern_rs("web --quiet").run().fails_with(2, &["--quiet needs --output-dir"]);
    stern_rs("web --compress").run().fails_with(2, &["--compress needs --output-dir"]);
}
