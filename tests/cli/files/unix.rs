//! Files where links, pipes with names, limits of the system and signals are.

use std::{fs, os::unix::fs::symlink};

use apiserver::{ApiServer, Pod};

use super::{APP, unzipped};
use crate::harness::{Ran, World};

/// Runs it where no file may be larger than this many blocks of 512 bytes.
fn bounded(world: &World, blocks: usize, args: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_stern-rs");
    world.program("sh", "-c").arg(&format!("ulimit -f {blocks}; exec {program} {args}")).run()
}

#[test]
fn compressed_files_are_whole_at_every_end_and_appended() {
    let world = World::web(["a", "b"]);
    world.run("web --no-follow -o raw --output-dir logs --compress").exit(0);
    let mut tail = world.start("web -o raw --output-dir logs --compress");
    tail.expect_all(["a", "b"]);
    tail.terminate().exit(143);
    assert_eq!(unzipped(&world.home.path("logs/default/web-1/app.log.gz")), "a\nb\na\nb\n");
}

#[test]
fn a_signal_leaves_the_lines_that_were_shown_in_a_compressed_file() {
    for signal in ["INT", "TERM"] {
        let world = World::new();
        let program = env!("CARGO_BIN_EXE_stern-rs");
        let script = format!(
            "mkfifo in; (seq 1 80000; exec sleep 100) > in & feed=$!; \
             {program} --stdin -o raw --output-dir logs --compress < in > out & run=$!; \
             until tail -n 1 out 2> none | grep -qx 80000; do :; done; kill -{signal} $run; wait $run; kill $feed"
        );
        world.program("sh", "-c").arg(&script).run().stderr("");
        assert!(unzipped(&world.home.path("logs/stdin.log.gz")) == world.home.read("out"), "{signal}");
    }
}

#[test]
fn lines_that_a_signal_leaves_no_time_for_are_counted() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_stern-rs");
    let long = 500 << 20;
    let script = format!(
        "mkfifo in; (head -c {long} /dev/urandom | tr '\\n' x; echo; exec sleep 100) > in & feed=$!; \
         {program} --stdin -o raw --quiet --output-dir logs --compress < in & run=$!; \
         until [ -s logs/stdin.log.gz ]; do :; done; kill -INT $run; wait $run; kill $feed"
    );
    let ran = world.program("sh", "-c").arg(&script).run();
    ran.reported("! files of --output-dir lack 1 line: a signal ended the run before they were written\n");
    assert!(!world.home.path("logs/stdin.log.gz").exists(), "it has no member");
}

#[test]
fn a_lacking_file_is_reported_though_nothing_is_read_any_more() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..50_000).map(|n| format!("{n:0100}")));
    world.home.write("logs", "a file");
    let program = env!("CARGO_BIN_EXE_stern-rs");
    for (to, code) in [("| head -n 1", 3), ("> /dev/full", 1)] {
        let run = format!("{{ {program} web -o raw --no-follow --output-dir logs; echo $? > code; }} {to}");
        let ran = world.program("sh", "-c").arg(&run).run();
        ran.reported("! logs/default/web-1/app.log lacks ");
        assert_eq!(world.home.read("code"), format!("{code}\n"), "{to}");
    }
}

#[test]
fn quiet_needs_no_standard_output() {
    let world = World::web(["a"]);
    let program = env!("CARGO_BIN_EXE_stern-rs");
    let run = format!("{program} web --no-follow --quiet --output-dir logs >&-");
    world.program("sh", "-c").arg(&run).run().exit(0);
    assert_eq!(world.home.read(APP), "web-1 app a\n");
}

#[test]
fn a_link_to_nothing_is_named() {
    let world = World::web(["a"]);
    symlink("nowhere", world.home.path("logs")).unwrap();
    let ran = world.run("web --no-follow --output-dir logs/all").exit(3);
    ran.reported(
        "! cannot write logs/all/default/web-1/app.log: logs is a symbolic link to nothing; lines for it",
    );
}

#[test]
fn no_link_leads_out_of_the_directory() {
    for (link, to) in [(APP, "outside/file"), ("logs/default/web-1", "outside"), ("logs/default", "outside")]
    {
        let world = World::web(["a"]);
        fs::create_dir_all(world.home.path("outside")).unwrap();
        fs::create_dir_all(world.home.path(link).parent().unwrap()).unwrap();
        symlink(world.home.path(to), world.home.path(link)).unwrap();
        let ran = world.run("web --no-follow --output-dir logs").exit(3);
        ran.reported(
            "! cannot write logs/default/web-1/app.log: a symbolic link is in its path, and is not followed; lines for it are missing until it can be written",
        );
        assert_eq!(fs::read_dir(world.home.path("outside")).unwrap().count(), 0, "{link}");
    }
}

#[test]
fn the_directory_itself_may_be_a_link() {
    let world = World::web(["a"]);
    fs::create_dir_all(world.home.path("elsewhere")).unwrap();
    symlink(world.home.path("elsewhere"), world.home.path("logs")).unwrap();
    world.run("web --no-follow --output-dir logs").exit(0);
    assert_eq!(world.home.read("elsewhere/default/web-1/app.log"), "web-1 app a\n");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused() {
    let world = World::web(["a"]);
    fs::create_dir_all(world.home.path("logs/default/web-1")).unwrap();
    world.home.fifo(APP);
    let ran = world.run("web --no-follow --output-dir logs").exit(3);
    ran.reported("! cannot write logs/default/web-1/app.log: it is not a regular file; lines for it are missing until it can be written\n");
}

#[test]
fn a_file_without_room_has_whole_lines_only() {
    let world = World::new();
    world.pods(["web-1", "web-2"]);
    let lines: Vec<String> = (0..3_000).map(|n| format!("{n:0100}")).collect();
    world.log("web-1/app").extend(&lines);
    world.log("web-2/app").push("small");
    let ran = bounded(&world, 200, "web -o raw --no-follow --output-dir logs").exit(3);
    assert_eq!(ran.out().lines().count(), 3_001);
    ran.reported("! cannot write logs/default/web-1/app.log: File too large; lines for it are missing until it can be written\n");
    let kept = world.home.read(APP);
    assert!(kept.is_empty() || kept.ends_with('\n') && kept.lines().all(|line| line.len() == 100), "{kept}");
    assert_eq!(world.home.read("logs/default/web-2/app.log"), "small\n");
    bounded(&world, 1, "web -o raw --no-follow --output-dir z --compress").exit(3);
    let path = world.home.path("z/default/web-1/app.log.gz");
    assert_eq!(if path.exists() { unzipped(&path) } else { String::new() }, "", "no member is cut");
}

#[test]
fn files_and_logs_share_a_low_limit_on_open_files() {
    let world = World::of(ApiServer::builder().http1());
    world.add_pods((0..60).map(|n| Pod::new(format!("web-{n:02}"))));
    for n in 0..60 {
        world.log(&format!("web-{n:02}/app")).push("a");
    }
    let program = env!("CARGO_BIN_EXE_stern-rs");
    let args = "web -o raw --no-follow --quiet --output-dir logs --qps -1 --max-log-requests 100";
    world.program("sh", "-c").arg(&format!("ulimit -n 24; exec {program} {args}")).run().exit(0);
    for n in 0..60 {
        assert_eq!(world.home.read(&format!("logs/default/web-{n:02}/app.log")), "a\n");
    }
}

#[test]
fn a_reader_that_goes_away_leaves_whole_files() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..50_000).map(|n| format!("{n:0100}")));
    let program = env!("CARGO_BIN_EXE_stern-rs");
    let script = format!("{program} web -o raw --no-follow --output-dir logs | head -n 1 > head; cat head");
    world.program("sh", "-c").arg(&script).run().exit(0);
    let text = world.home.read(APP);
    assert!(text.ends_with('\n') && text.lines().all(|line| line.len() == 100));
}

#[test]
fn a_name_that_is_too_long_for_a_file_is_reported() {
    let world = World::new();
    let long = "a".repeat(252);
    world.add_pod(Pod::new("web-1").container("app").container(&long));
    world.log(&format!("web-1/{long}")).push("a");
    world.log("web-1/app").push("b");
    let ran = world.run("web --no-follow --output-dir logs").exit(3);
    ran.reported("a.log: File name too long; lines for it are missing until it can be written\n")
        .reported("a.log lacks 1 line: File name too long\n");
    assert_eq!(world.home.read(APP), "web-1 app b\n");
}
