//! The formats of lines, and the filters.

use apiserver::{Match, Pod};
use serde_json::{Value, json};

use crate::harness::{TEMPORARY, World, stern_rs};

/// A pod with labels and one line, which has a fixed timestamp.
fn at_midnight(line: &str) -> World {
    let world = World::new();
    world.add_pod(Pod::new("web-1").label("app", "web").annotation("note", "x").node("node-a"));
    world.log("web-1/app").push_at("2026-01-31T00:00:00.123456789Z", line);
    world
}

const ALL: &str = "web --no-follow --since 0";

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn raw_is_the_line_alone() {
    World::web(["a", "  b"]).run("web --no-follow -o raw").stdout("a\n  b\n");
}

#[test]
fn json_is_an_object_a_line() {
    let ran = at_midnight(r#"say "hi" <now>"#).run(&format!("{ALL} -o json"));
    let wanted = json!({
        "message": "say \"hi\" <now>", "nodeName": "node-a", "namespace": "default", "podName": "web-1",
        "containerName": "app", "labels": {"app": "web"}, "annotations": {"note": "x"},
    });
    assert_eq!(json_lines(&ran.out()), [wanted]);
}

#[test]
fn json_stays_json_whatever_is_in_a_line() {
    let world = World::new();
    world.pods(["web-1"]);
    let log = world.log("web-1/app");
    log.push(b"\xff\xfe broken \x00 \x1b[31m red").push("tab\tand \u{2028} and \\ and \"").push("");
    let ran = world.run("web --no-follow -o json");
    let messages: Vec<_> = json_lines(&ran.out()).iter().map(|line| line["message"].clone()).collect();
    assert_eq!(
        messages,
        ["\u{fffd}\u{fffd} broken \0 \u{1b}[31m red", "tab\tand \u{2028} and \\ and \"", ""]
    );
}

#[test]
fn extjson_leaves_json_as_it_is() {
    let world = World::web([r#"{"level":"info"}"#, "plain"]);
    let wanted = "{\"pod\": \"web-1\", \"container\": \"app\", \"message\": {\"level\":\"info\"}}\n\
                  {\"pod\": \"web-1\", \"container\": \"app\", \"message\": \"plain\"}\n";
    world.run("web --no-follow -o extjson").stdout(wanted);
}

#[test]
fn ppextjson_takes_several_lines() {
    let ran = World::web([r#"{"level":"info"}"#]).run("web --no-follow -o ppextjson");
    let object: Value = serde_json::from_str(&ran.out()).expect("one object");
    assert_eq!(object, json!({"pod": "web-1", "container": "app", "message": {"level": "info"}}));
    assert!(ran.out().lines().count() > 3);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_they_are() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").push(b"\xff\xfe\x00");
    assert_eq!(world.run("web --no-follow -o raw").out_bytes(), b"\xff\xfe\x00\n");
}

#[test]
fn a_very_long_line_is_one_line() {
    let world = World::new();
    world.pods(["web-1"]);
    let line = "x".repeat(1_000_000);
    world.log("web-1/app").push(&line);
    let ran = world.run("web --no-follow");
    assert!(ran.out() == format!("web-1 app {line}\n"), "{} bytes", ran.out().len());
}

#[test]
fn timestamps_stand_between_names_and_line() {
    let world = at_midnight("a");
    for flag in ["-t", "--timestamps", "-t=default"] {
        world.run(&format!("{ALL} {flag}")).stdout("web-1 app 2026-01-31T00:00:00.123456789Z a\n");
    }
}

#[test]
fn timestamps_may_be_short() {
    at_midnight("a").run(&format!("{ALL} -t=short")).stdout("web-1 app 01-31 00:00:00 a\n");
}

#[test]
fn timestamps_are_in_the_zone_that_was_asked_for() {
    let ran = at_midnight("a").run(&format!("{ALL} -t --timezone Asia/Seoul"));
    ran.stdout("web-1 app 2026-01-31T09:00:00.123456789+09:00 a\n");
}

#[test]
fn timestamps_are_in_the_zone_of_the_environment() {
    let world = at_midnight("a");
    let ran = world.stern_rs(&format!("{ALL} -t=short")).env("TZ", "America/New_York").run();
    ran.stdout("web-1 app 01-30 19:00:00 a\n");
}

#[test]
fn json_with_timestamps_has_them_as_a_member() {
    let ran = at_midnight("a").run(&format!("{ALL} -t -o json"));
    assert_eq!(json_lines(&ran.out())[0]["timestamp"], "2026-01-31T00:00:00.123456789Z");
}

#[test]
fn a_pipe_is_not_coloured() {
    let ran = World::web(["a"]).run("web --no-follow");
    ran.stdout("web-1 app a\n").stderr("+ web-1 › app\n- web-1 › app\n");
}

/// A pod's color depends on its name.
const COLOURED: &str = "\x1b[96mweb-1\x1b[0m \x1b[36mapp\x1b[0m a\n";

#[test]
fn colours_can_be_had_always() {
    let ran = World::web(["a"]).run("web --no-follow --color always --pod-colors 96 --container-colors 36");
    let ran = ran.stdout(COLOURED);
    ran.reported("\x1b[92;1m+\x1b[0;22m \x1b[96mweb-1\x1b[0m › \x1b[36mapp\x1b[0m\n");
}

#[test]
fn the_environment_may_force_colours() {
    let world = World::web(["a"]);
    let args = "web --no-follow --pod-colors 96 --container-colors 36";
    world.stern_rs(args).env("CLICOLOR_FORCE", "1").run().stdout(COLOURED);
}

#[test]
fn no_color_goes_before_what_the_environment_forces() {
    let world = World::web(["a"]);
    let command = world.stern_rs("web --no-follow").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    command.run().stdout("web-1 app a\n");
}

#[test]
fn the_flag_goes_before_the_environment() {
    let world = World::web(["a"]);
    let args = "web --no-follow --pod-colors 96 --container-colors 36 --color always";
    world.stern_rs(args).env("NO_COLOR", "1").run().stdout(COLOURED);
    let never = world.stern_rs("web --no-follow --color never").env("CLICOLOR_FORCE", "1");
    never.run().stdout("web-1 app a\n");
}

#[test]
fn the_containers_of_a_pod_have_its_colour_or_each_their_own() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("app").container("proxy"));
    world.log("web-1/app").push("a");
    world.log("web-1/proxy").push("a");
    let colours = |args: &str| {
        let out = world.run(&format!("web --no-follow --color always --pod-colors 91,92,93,94 {args}")).out();
        // For example `ESC[91mweb-1ESC[0m ESC[91mapp`.
        let colour = |line: &'_ str| line.split(['[', 'm']).nth(5).map(str::to_owned);
        out.lines().map(colour).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((colours(""), colours("--diff-container")), (1, 2));
}

#[test]
fn notices_of_what_comes_and_goes_can_be_left_out() {
    World::web(["a"]).run("web --no-follow --only-log-lines").stdout("web-1 app a\n").stderr("");
}

#[test]
fn problems_are_reported_all_the_same() {
    let world = World::web(["a"]);
    world.forbid("get", "pods/log", "*");
    world.run("web --no-follow --only-log-lines").reported("not allowed to get pods/log");
}

#[test]
fn only_lines_that_are_included_are_shown() {
    let world = World::web(["error one", "fine", "warning two"]);
    world.run("web --no-follow -i error -i warn").stdout("web-1 app error one\nweb-1 app warning two\n");
}

#[test]
fn lines_that_are_excluded_are_not_shown() {
    let world = World::web(["a, b", "-foo", "c"]);
    world.run("web --no-follow -e -foo -e a,").stdout("web-1 app c\n");
}

#[test]
fn an_exclusion_goes_before_an_inclusion() {
    let world = World::web(["error one", "error two"]);
    world.run("web --no-follow -i error -e two").stdout("web-1 app error one\n");
}

#[test]
fn included_and_highlighted_text_is_marked() {
    let world = World::web(["an error here"]);
    for flag in ["-i", "-H"] {
        let ran = world.run(&format!("web --no-follow -o raw --color always {flag} error"));
        ran.stdout("an \x1b[31;1merror\x1b[0;22m here\n");
    }
}

#[test]
fn words_of_the_kubelet_are_no_lines() {
    let world = World::web(["a"]);
    world.log("web-1/app").push_kubelet_error("failed to watch file: no such file");
    let ran = world.run("web --no-follow").stdout("web-1 app a\n");
    ran.reported(
        "! web-1 › app: the kubelet reports in place of lines: “failed to watch file: no such file”\n",
    )
    .exit(3);
}

#[test]
fn standard_input_needs_no_cluster_and_has_no_names() {
    stern_rs("--stdin").input("a\nb\n").run().stdout("a\nb\n").stderr("").exit(0);
}

/// They change nothing, as in stern, but they are reported.
#[test]
fn flags_without_effect_on_standard_input_are_named() {
    let ran = stern_rs("--stdin web -n shop --tail 1 --since 1h -t --gaps -o json --qps 5 --context c -i a");
    let names = "the query \"web\", --namespace, --since, --tail, --timestamps, --gaps, --qps, --context";
    ran.input("a\nb\n")
        .run()
        .stderr(&format!("stern-rs: ignored with --stdin, which asks no cluster: {names}\n"));
    let quiet = stern_rs("--stdin --no-follow --stats=false --only-log-lines -i a -H a --color never");
    quiet.input("a\nb\n").run().stdout("a\n").stderr("").exit(0);
}

#[test]
fn flags_of_a_config_file_about_clusters_are_ignored_silently() {
    let world = World::new();
    let config = world.home.write("config.yaml", "tail: 5\nnamespace: [shop]\nstdin: true\n");
    world.stern_rs(&format!("--config {config}")).input("a\n").run().stdout("a\n").stderr("").exit(0);
    let tail = world.stern_rs(&format!("--config {config} --tail 1")).input("a\n").run();
    tail.stdout("a\n").reported("ignored with --stdin, which asks no cluster: --tail\n");
}

#[test]
fn standard_input_passes_the_same_filters() {
    let ran = stern_rs("--stdin -i error -e two --color always").input("error one\nerror two\nfine\n").run();
    ran.stdout("\x1b[31;1merror\x1b[0;22m one\n");
}

#[test]
fn standard_input_passes_the_same_outputs() {
    let ran = stern_rs("--stdin -o json").input("a\n{\"b\":1}").run();
    let messages: Vec<_> = json_lines(&ran.out()).iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["a", "{\"b\":1}"]);
}

#[test]
fn standard_input_is_shown_as_it_comes() {
    use std::io::Write;
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut tail = stern_rs("--stdin").stdin(reader).start();
    for line in ["a", "b"] {
        writeln!(writer, "{line}").unwrap();
        tail.expect(line);
    }
    drop(writer);
    tail.finish().exit(0);
}

#[test]
fn standard_input_reads_no_kubeconfig() {
    let command = stern_rs("--stdin").env("KUBECONFIG", "/nowhere").env("TZ", "UTC");
    command.input("a\n").run().stdout("a\n").stderr("").exit(0);
}

#[test]
fn a_line_that_is_too_long_is_cut_with_a_mark() {
    let long = "x".repeat(3 << 20);
    let world = World::web(["before", &long, "after"]);
    let cut = |kept: usize| format!("{} … [{} bytes cut by --max-line]", &long[..kept], long.len() - kept);
    let ran = world.run("web --no-follow").exit(0);
    assert!(ran.out() == format!("web-1 app before\nweb-1 app {}\nweb-1 app after\n", cut(1 << 20)));
    world.run("web --no-follow -o raw --max-line 10").stdout(&format!("before\n{}\nafter\n", cut(10)));
}

#[test]
fn a_line_of_any_length_is_shown_whole_where_nothing_looks_into_it() {
    let long = "x".repeat(3 << 20);
    let text = format!("before\n{long}\nafter\n");
    let world = World::web(["before", &long, "after"]);
    assert!(world.run("web --no-follow -o raw").exit(0).out() == text);
    assert!(world.run("web --no-follow -o raw -H after --max-line 0").exit(0).out() == text);
    assert!(stern_rs("--stdin -o raw").input(&text).run().out() == text);
}

#[test]
fn standard_input_has_long_lines_too() {
    let long = "x".repeat(1 << 20);
    let text = format!("before\n{long}\nafter\n{long}");
    let cut = format!("xxx … [{} bytes cut by --max-line]", long.len() - 3);
    stern_rs("--stdin --max-line 3").input(&text).run().stdout(&format!("before\n{cut}\nafter\n{cut}\n"));
}

#[test]
fn json_reports_lines_that_may_be_missing_on_request() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").push_at("2026-01-31T00:00:00Z", "a");
    let tail = world.start("web -o json --gaps --since 0");
    tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 0));
    let gate = world.hold(Match::logs());
    world.cut(Match::logs());
    tail.until(|account| account.requests.logs().len() == 2);
    world.log("web-1/app").rotate().push_at("2026-01-31T00:00:10.5Z", "b");
    gate.release();
    tail.reported("! web-1 › app: lines may be missing between ");
    let lines = json_lines(&tail.interrupt().out());
    assert_eq!(
        lines[1]["gap"],
        json!({"after": "2026-01-31T00:00:00.000000000Z", "before": "2026-01-31T00:00:10.500000000Z"})
    );
    assert_eq!((&lines[1]["podName"], lines[1].get("message")), (&json!("web-1"), None));
    assert_eq!(lines[2]["message"], "b");
}

#[test]
fn a_line_for_which_there_is_no_temporary_file_is_reported() {
    let long = "x".repeat(3 << 20);
    let world = World::web([&long]);
    let mark = "bytes cut for want of room on disk";
    let cut = format!("{} … [{} {mark}]\n", &long[..1 << 20], 2 << 20);
    let lost = "a line is cut: there is no room for it in the temporary directory ";
    let ran = world.stern_rs("web --no-follow -o raw").env(TEMPORARY, "/nonexistent").run();
    assert!(ran.reported(&format!("! web-1 › app: {lost}")).exit(3).out() == cut);
    let ran = stern_rs("--stdin -o raw").input(&long).env(TEMPORARY, "/nonexistent").run();
    assert!(ran.reported(&format!("! {lost}")).exit(3).out() == cut);
}

#[test]
fn a_time_zone_that_is_not_one_is_reported_where_times_are_shown() {
    let world = World::web(["a"]);
    let run = |flags: &str| world.stern_rs(&format!("web --no-follow {flags}")).env("TZ", "Mars/Base").run();
    let warning = "$TZ \"Mars/Base\" is not a time zone, so times are in UTC";
    run("-t").reported(warning).exit(0);
    run("--template {{.Message}}").reported(warning);
    for flags in ["", "-t --timezone Asia/Seoul"] {
        run(flags).never_reported("time zone");
    }
}
