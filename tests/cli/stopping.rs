//! A run stops by itself: `--timeout` and `--until-match`.

use std::io::pipe;

use apiserver::{Match, Pod};

use crate::harness::{World, stern_rs, timed};

#[cfg(unix)]
mod unix;

#[test]
fn after_its_time_a_run_ends_in_order() {
    let world = World::web(["a"]);
    let ran = timed(|time| world.run(&format!("web --stats {time}")), |ran| !ran.out().is_empty());
    let ran = ran.stdout("web-1 app a\n").reported("+ web-1 › app\n").reported("of 1 containers in ");
    ran.never_reported("of 1 containers in 0.").exit(0);
    world.wait_for(|account| account.open_connections == 0);
}

#[test]
fn the_time_includes_a_server_that_does_not_answer() {
    let world = World::new();
    let _gate = world.hold(Match::any());
    world.run("web --timeout 300ms").stdout("").exit(0);
}

#[test]
fn the_time_ends_an_input_that_does_not_end() {
    let (reader, writer) = pipe().unwrap();
    stern_rs("--stdin --timeout 300ms").stdin(reader).run().stdout("").stderr("").exit(0);
    drop(writer);
}

#[test]
fn a_line_that_matches_is_the_last() {
    let world = World::web(["starting", "ready to serve", "more"]);
    world.pod("web-2", []);
    let tail = world.start("web-1 --until-match 'ready.*serve'");
    tail.finish().stdout("web-1 app starting\nweb-1 app ready to serve\n").stderr("+ web-1 › app\n").exit(0);
    world.wait_for(|account| account.open_connections == 0);
}

#[test]
fn a_line_that_comes_later_ends_it_at_once() {
    let world = World::web(["starting"]);
    let tail = world.start("web -o json --until-match '^ready$' --until-match never");
    tail.shown("starting", 1);
    world.log("web-1/app").push("ready");
    tail.shown("\"message\":\"ready\"", 1);
    tail.finish().exit(0);
}

#[test]
fn only_lines_that_are_shown_can_match() {
    let world = World::web(["debug ready", "ready", "after"]);
    let ran = world.run("web -o raw --exclude debug --until-match ready --no-follow");
    ran.stdout("ready\n").exit(0);
}

/// Each end before a match is an exit code of its own, with one line about it.
#[test]
fn an_end_before_a_match_is_an_exit_code_of_its_own() {
    let world = World::web(["a"]);
    let missed = "no line matched --until-match";
    world.run("web -o raw --no-follow --until-match b").reported(missed).stdout("a\n").exit(4);
    world.run("web -o raw --no-follow --tail 1 --until-match b").reported(missed).exit(4);
    world.run("none --no-follow --until-match b").reported(missed).stdout("").exit(4);
    world.run("web --timeout 300ms --until-match b").reported(missed).exit(4);
    stern_rs("--stdin --until-match b").input("a\n").run().reported(missed).stdout("a\n").exit(4);
}

/// Standard error reports what the file or the template lacks.
#[test]
fn a_match_decides_although_a_part_is_not_shown() {
    let world = World::web(["a"]);
    world.home.write("logs/default/web-1", "not a directory");
    let ran = world.run("web -o raw --output-dir logs --until-match a").stdout("a\n").exit(0);
    ran.reported("lacks 1 line");
    let ran = world.run("web --template '{{index .Message 99}}' --until-match a").exit(0);
    ran.reported("expanding template failed");
}

#[test]
fn a_dry_run_waits_for_no_match() {
    let world = World::web(["a"]);
    world.run("web --dry-run --until-match a --exit-on-complete").stderr("").exit(0);
}

#[test]
fn the_previous_instance_can_match_too() {
    let world = World::web(["boom", "late"]);
    world.restart_container("web-1/app");
    world.run("web --previous -o raw --until-match boom").stdout("boom\n").exit(0);
}

#[test]
fn a_cluster_that_cannot_be_read_is_no_missing_match() {
    let world = World::new();
    world.forbid("list", "pods", "default");
    world.add_pod(Pod::new("web-1"));
    world.run("web --until-match a").exit(1);
}

/// Without `--until-match` such a line would pass through a file.
#[test]
fn a_long_line_is_searched() {
    let line = format!("{}ready\n", "x".repeat(500_000));
    stern_rs("--stdin -o raw --until-match ready$").input(&line).run().stdout(&line).exit(0);
}
