//! Records of several lines: a stack trace and the line that logs it.

use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    harness::{World, stern_rs},
    sorting::start,
};

const TRACE: [&str; 5] = [
    "12:00:00 ERROR failed",
    "java.lang.IllegalStateException: y",
    "\tat a.B(C.java:1)",
    "Caused by: z",
    "12:00:01 INFO next",
];

fn messages(out: &str) -> Vec<String> {
    let message = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("each line is JSON");
        line["message"].as_str().unwrap_or_default().to_owned()
    };
    out.lines().map(message).collect()
}

#[test]
fn a_trace_is_one_message_in_json() {
    let ran = World::web(TRACE).run("web --no-follow --multiline -o json");
    assert_eq!(messages(&ran.out()), [TRACE[..4].join("\n"), TRACE[4].to_owned()]);
}

/// As Spring Boot writes it.
#[test]
fn an_empty_line_before_a_trace_separates_nothing() {
    const LINES: [&str; 8] = [
        "2026-01-31T12:00:00.000Z ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed",
        "",
        "java.lang.IllegalStateException: no",
        "\tat a.B.c(B.java:1)",
        "",
        "2026-01-31T12:00:00.001Z  INFO 1 --- [main] a.B : bye",
        "",
        "plain",
    ];
    let world = World::web(LINES);
    let ran = world.run("web --no-follow --multiline -o json");
    assert_eq!(messages(&ran.out()), [&LINES[..5].join("\n"), LINES[5], "", LINES[7]]);
    let shown = |flags: &str| world.run(&format!("web --no-follow -o raw {flags}")).out();
    assert_eq!(shown("--level error"), LINES[..5].join("\n") + "\n");
    assert_eq!(shown("--level info,none --multiline -e no"), LINES[5..].join("\n") + "\n");
    for flags in ["", "--multiline", "--sort", "--sort --multiline"] {
        assert_eq!(shown(flags), LINES.join("\n") + "\n", "{flags}");
    }
}

#[test]
fn text_has_each_line_with_its_prefix_as_without_the_flag() {
    let world = World::web(TRACE);
    for flags in ["", "-o raw", "-o raw -t", "-t=short"] {
        let shown = |more: &str| world.run(&format!("web --no-follow {flags} {more}")).out();
        assert_eq!(shown("--multiline").lines().count(), TRACE.len());
        if !flags.contains("-t") {
            assert_eq!(shown("--multiline"), shown(""));
        }
    }
}

#[test]
fn filters_see_all_lines_of_a_record() {
    let world = World::web(TRACE);
    let shown = |flags: &str| world.run(&format!("web --no-follow -o raw --multiline {flags}")).out();
    assert_eq!(shown("-i Caused"), format!("{}\n", TRACE[..4].join("\n")));
    assert_eq!(shown("-e C.java"), "12:00:01 INFO next\n");
    assert_eq!(shown("-i (?s)failed.*Caused"), format!("{}\n", TRACE[..4].join("\n")));
    assert_eq!(shown("-i ^Caused"), "", "the message begins with its first line");
    assert_eq!(shown("-i (?m)^Caused"), format!("{}\n", TRACE[..4].join("\n")));
    assert_eq!(shown("-i z$"), format!("{}\n", TRACE[..4].join("\n")));
}

#[test]
fn traces_of_two_containers_are_not_mixed() {
    let world = World::new();
    world.pods(["web-1", "web-2"]);
    let start = start(&world);
    for (n, line) in TRACE.iter().enumerate() {
        for pod in ["web-1", "web-2"] {
            world.log(&format!("{pod}/app")).push_at(start + SignedDuration::from_millis(n as i64), *line);
        }
    }
    let ran = world.run("web --no-follow --sort --multiline");
    let of = |pod: &str, lines: &[&str]| {
        lines.iter().map(|line| format!("{pod} app {line}\n")).collect::<String>()
    };
    let expected = ["web-1", "web-2"].map(|pod| of(pod, &TRACE[..4])).concat()
        + &["web-1", "web-2"].map(|pod| of(pod, &TRACE[4..])).concat();
    ran.stdout(&expected);
}

#[test]
fn a_record_that_is_followed_is_shown_without_its_next_line() {
    let world = World::web([]);
    let mut tail = world.start("web --multiline -o raw");
    tail.reported("+ web-1 › app");
    world.log("web-1/app").push(TRACE[0]).push("\tat a");
    tail.expect(TRACE[0]);
    tail.expect("\tat a");
    tail.interrupt().exit(130);
}

#[test]
fn lines_of_standard_input_are_joined_by_their_text() {
    let input = TRACE.join("\n") + "\n";
    let ran = stern_rs("--stdin --multiline -o json").input(input).run();
    assert_eq!(messages(&ran.out()), [TRACE[..4].join("\n"), TRACE[4].to_owned()]);
}

#[test]
fn a_time_that_is_over_loses_no_line() {
    let world = World::web(TRACE);
    let ran = world.run("web --multiline -o raw --timeout 1s");
    ran.stdout(&(TRACE.join("\n") + "\n"));
}

/// Also where a filter hides its first line.
#[test]
fn a_trace_is_sorted_with_its_first_line() {
    let world = World::new();
    world.pods(["web-1", "web-2"]);
    let at = |milliseconds| start(&world) + SignedDuration::from_millis(milliseconds);
    let (web, other) = (world.log("web-1/app"), world.log("web-2/app"));
    web.push_at(at(1), "ERROR x").push_at(at(3), "\tat a").push_at(at(5), "\tat b").push_at(at(7), "INFO y");
    other.push_at(at(2), "two").push_at(at(4), "four").push_at(at(6), "six");
    let shown = |flags: &str| world.run(&format!("web --no-follow -o raw --sort {flags}")).out();
    assert_eq!(shown(""), "ERROR x\n\tat a\n\tat b\ntwo\nfour\nsix\nINFO y\n");
    assert_eq!(shown("-i (at|two|six)"), "\tat a\n\tat b\ntwo\nsix\n");
    assert_eq!(shown("-i INFO --before-context 1"), "ERROR x\n\tat a\n\tat b\nINFO y\n");
    assert_eq!(shown("--multiline -i (at|six)"), "ERROR x\n\tat a\n\tat b\nsix\n");
}

#[test]
fn what_is_held_is_shown_before_the_line_that_ends_the_run() {
    let input = "held\n\tline\n{\"msg\":\"done\"}\nnext\n";
    let ran = stern_rs("--stdin --multiline -o raw --until-match done").input(input).run();
    ran.stdout("held\n\tline\n{\"msg\":\"done\"}\n").exit(0);
    let world = World::new();
    world.pods(["web-1", "web-2"]);
    let tail = world.start("web --multiline -o raw --until-match done");
    tail.reported("+ web-1 › app");
    tail.reported("+ web-2 › app");
    world.log("web-1/app").push("{\"a\":1}").push("held");
    tail.shown("{\"a\":1}", 1);
    world.log("web-2/app").push("{\"msg\":\"done\"}");
    tail.finish().stdout("{\"a\":1}\nheld\n{\"msg\":\"done\"}\n").exit(0);
}

#[test]
fn an_interrupt_loses_no_line_that_was_read() {
    // They come in one read.
    let world = World::web(["{\"a\":1}", "held", "\tline"]);
    let tail = world.start("web --multiline -o raw");
    tail.shown("{\"a\":1}", 1);
    tail.interrupt().stdout("{\"a\":1}\nheld\n\tline\n").exit(130);
}
