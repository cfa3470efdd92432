//! The command line, and above all its errors.

use crate::harness::{World, kubectl_plugin, stern_rs};

/// One line of error, exit code 2, and no request.
#[track_caller]
fn wrong(args: &str, parts: &[&str]) {
    stern_rs(args).run().fails_with(2, parts);
}

#[test]
fn a_query_is_needed() {
    wrong("", &["no pods selected", "KIND/NAME", "--stdin"]);
}

#[test]
fn one_query_is_enough() {
    wrong("-A web db", &["\"db\"", "-A"]);
}

/// Even beside flags that print something instead of a run, and beside flags that are wrong or without effect.
#[test]
fn two_queries_are_the_error_whatever_the_flags_are() {
    for flags in ["--help", "-v", "--completion zsh", "--show-hidden-options", "--man", "--stdin", "--gaps=x"]
    {
        wrong(&format!("web db {flags}"), &["only one query", "\"db\""]);
    }
}

#[test]
fn a_regex_that_is_wrong_is_named_with_its_flag() {
    wrong("we(b", &["we(b"]);
    for flag in
        ["--container", "--exclude-container", "--exclude-pod", "--include", "--exclude", "--highlight"]
    {
        wrong(&format!("web {flag} a(b"), &[flag, "a(b"]);
    }
}

#[test]
fn an_unknown_kind_is_reported_with_the_known_ones() {
    wrong("ingress/web", &["ingress", "deploy"]);
}

#[test]
fn values_that_cannot_be_are_named_with_their_flag() {
    for (flag, value) in [
        ("--since", "noon"),
        ("--since-time", "noon"),
        ("--timezone", "Mars/Olympus"),
        ("--pod-colors", "blue"),
        ("--condition", "happy"),
        ("--container-state", "sleeping"),
        ("--output", "xml"),
        ("--timestamps=", "long"),
        ("--color", "sometimes"),
        ("--max-log-requests", "0"),
        ("--tail", "many"),
        ("--qps", "fast"),
        ("--selector", "app=a=b"),
        ("--request-timeout", "soon"),
    ] {
        let space = if flag.ends_with('=') { "" } else { " " };
        wrong(&format!("web {flag}{space}{value}"), &[flag.trim_end_matches('='), value]);
    }
}

#[test]
fn an_unknown_flag_is_named() {
    wrong("web --colour never", &["--colour"]);
}

#[test]
fn a_flag_without_its_value_is_named() {
    wrong("web --since", &["--since"]);
}

#[test]
fn flags_with_another_meaning_in_kubectl_are_explained() {
    wrong("web -f", &["-f"]);
    // Without a terminal there is no prompt.
    wrong("web -p", &["--prompt needs a terminal", "kubectl's -p is --previous"]);
}

#[test]
fn flags_that_exclude_each_other_are_named() {
    wrong("web --since 1h --since-time 2026-01-01T00:00:00Z", &["--since", "--since-time"]);
    wrong("deploy/web -l app=web", &["--selector"]);
}

#[test]
fn errors_stay_on_one_line_for_any_input() {
    stern_rs("web --since").arg("1h\nstern-rs: \x1b[31mfine").run().fails_with(2, &["\\n", "\\u{1b}"]);
}

#[test]
fn the_last_of_a_repeated_flag_wins() {
    let world = World::web(["a", "b", "c"]);
    world.run("web --no-follow --tail 1 --tail 2").stdout("web-1 app b\nweb-1 app c\n");
}

#[test]
fn a_switch_may_be_taken_back() {
    let world = World::web(["a"]);
    let mut tail = world.start("web --no-follow --no-follow=false");
    tail.expect("web-1 app a");
    world.log("web-1/app").push("b");
    tail.expect("web-1 app b");
    tail.interrupt().exit(130);
}

#[test]
fn shorthands_are_joined_and_flags_follow_the_query() {
    let world = World::web(["a"]);
    world.run("-Ac app web --no-follow -oraw").stdout("a\n").exit(0);
}

#[test]
fn after_two_dashes_comes_the_query() {
    let world = World::new();
    world.pod("a-web-1", ["a"]);
    world.run("--no-follow -- -web").stdout("a-web-1 app a\n");
}

#[test]
fn the_version_is_printed() {
    let version = stern_rs("-v").run().stderr("").exit(0).out();
    // The commit and its date follow, if the build knew them.
    let rest =
        version.strip_prefix(concat!("stern-rs ", env!("CARGO_PKG_VERSION"))).expect("name and number");
    assert!(rest == "\n" || rest.starts_with(" (") && rest.ends_with(")\n"), "{version}");
    stern_rs("--version").run().stdout(&version).exit(0);
}

#[test]
fn the_help_is_printed() {
    let help = stern_rs("--help").run().stderr("").exit(0).out();
    assert!(help.contains("Usage: stern-rs [flags] QUERY"), "{help}");
    assert!(help.contains("--max-log-requests") && !help.contains("--as-group"), "{help}");
}

#[test]
fn hidden_options_are_printed_on_request() {
    let help = stern_rs("--show-hidden-options").run().stderr("").exit(0).out();
    assert!(help.contains("--as-group") && !help.contains("--max-log-requests"), "{help}");
}

#[test]
fn a_plugin_of_kubectl_is_called_as_kubectl_calls_it() {
    let help = kubectl_plugin("--help").run().stderr("").exit(0).out();
    assert!(help.contains("Usage: kubectl stern-rs [flags] QUERY"), "{help}");
}

#[test]
fn a_plugin_of_kubectl_does_the_same() {
    kubectl_plugin("--stdin").input("a\n").run().stdout("a\n").exit(0);
}
