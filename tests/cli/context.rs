//! Lines around the wanted ones.

use crate::harness::{World, stern_rs};

const LOG: [&str; 9] = ["one", "two", "an error", "three", "four", "five", "six", "another error", "seven"];

#[test]
fn lines_around_those_that_match_are_shown_with_separators_between_groups() {
    let wanted = "web-1 app two\nweb-1 app an error\nweb-1 app three\nweb-1 app --\nweb-1 app six\n\
                  web-1 app another error\nweb-1 app seven\n";
    World::web(LOG).run("web --no-follow -i error -C 1").stdout(wanted);
}

#[test]
fn lines_before_and_after_have_flags_of_their_own() {
    let world = World::web(LOG);
    let shown = |flags: &str| world.run(&format!("web --no-follow -o raw -i an.error {flags}")).out();
    assert_eq!(shown("--before-context 2"), "one\ntwo\nan error\n");
    assert_eq!(shown("--after-context 2"), "an error\nthree\nfour\n");
    assert_eq!(shown("-C 1 --before-context 0"), "an error\nthree\n");
}

#[test]
fn json_has_the_lines_around_without_separators() {
    let ran = World::web(LOG).run("web --no-follow -i error -C 1 -o json");
    let out = ran.out();
    let messages = out.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        line["message"].as_str().unwrap_or_default().to_owned()
    });
    let messages: Vec<_> = messages.collect();
    assert_eq!(messages, ["two", "an error", "three", "six", "another error", "seven"]);
}

#[test]
fn excluded_lines_are_not_shown_around_others() {
    let ran = World::web(LOG).run("web --no-follow -o raw -i an.error -e two -C 1");
    ran.stdout("one\nan error\nthree\n");
}

#[test]
fn each_container_has_its_own_lines_around() {
    let world = World::new();
    world.pods(["web-1", "web-2"]);
    world.log("web-1/app").push("a").push("error").push("b");
    world.log("web-2/app").push("A").push("B").push("C");
    world.run("web --no-follow -i error -C 1").stdout("web-1 app a\nweb-1 app error\nweb-1 app b\n");
}

#[test]
fn lines_that_were_read_earlier_are_shown_before_a_match_that_follows() {
    let world = World::web(["one", "two"]);
    let mut tail = world.start("web -i error -C 1 -o raw");
    tail.reported("+ web-1 › app");
    world.log("web-1/app").push("three").push("an error").push("four").push("five");
    for line in ["three", "an error", "four"] {
        tail.expect(line);
    }
    tail.interrupt().exit(130);
}

#[test]
fn a_stack_trace_counts_as_one_line() {
    let trace = ["start", "ERROR x", "\tat a", "\tat b", "shutdown", "end"];
    World::web(trace)
        .run("web --no-follow -o raw -i shutdown --before-context 1")
        .stdout("ERROR x\n\tat a\n\tat b\nshutdown\n");
    World::web(trace)
        .run("web --no-follow -o raw -i ERROR -C 0 --after-context 1")
        .stdout("ERROR x\n\tat a\n\tat b\nshutdown\n");
}

#[test]
fn standard_input_has_lines_around_too() {
    let flags = "--stdin -i c --before-context 1";
    stern_rs(flags).input("a\nb\nc\nd\ne\nf c\n").run().stdout("b\nc\n--\ne\nf c\n").exit(0);
}

#[test]
fn lines_around_need_lines_to_stand_around() {
    let refused = |flags: &str, words: &str| {
        stern_rs(flags).run().fails(2, words);
    };
    refused(
        "web -C 3",
        "--context-lines shows lines around those that a filter selects; add --include, --level or --where, or remove it",
    );
    refused(
        "web --after-context 1",
        "--after-context shows lines around those that a filter selects; add --include, --level or --where, or remove it",
    );
    refused("web -i x -C=-1", "--context-lines: -1 is negative; give a number of lines");
}

/// It is a default for the runs that have such lines.
#[test]
fn a_config_file_may_have_context_lines_for_other_runs() {
    let world = World::web(["a", "b"]);
    let config = world.home.write("config.yaml", "context-lines: 1\n");
    world.run(&format!("web -o raw --no-follow --config {config}")).stdout("a\nb\n").exit(0);
    world.run(&format!("web -o raw --no-follow -i b --config {config}")).stdout("a\nb\n").exit(0);
}
