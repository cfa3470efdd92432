//! The report of what was shown.

use crate::harness::{World, stern_rs};

const LOG: [&str; 3] = [
    r#"{"level":"error","msg":"charge failed for order 17","took":"120ms"}"#,
    r#"{"level":"info","msg":"charge accepted for order 18","took":"8ms"}"#,
    r#"{"level":"error","msg":"charge failed for order 19","took":"2.5s"}"#,
];

#[test]
fn lines_messages_and_fields_are_counted_at_the_end() {
    let ran = World::web(LOG).run("web --no-follow --summary=took");
    assert_eq!(ran.out().lines().count(), 3);
    for part in [
        "· 3 lines from ",
        "\n  default pod/web-1 app      3      2     1",
        "\n  2 × error  charge failed for order ‹n›",
        "\n· took: 3 values, p50 120ms, p90 2.50s, p99 2.50s, max 2.50s",
    ] {
        assert!(ran.err().contains(part), "{part}: {}", ran.err());
    }
}

#[test]
fn quiet_prints_no_lines_and_counts_them() {
    let ran = World::web(LOG).run("web --no-follow --quiet --summary");
    assert_eq!((ran.out().as_str(), ran.err().contains("· 3 lines from ")), ("", true), "{}", ran.err());
}

#[test]
fn only_lines_that_pass_the_filters_count() {
    let ran =
        stern_rs("--stdin -i accepted --summary --summary-format json --quiet").input(LOG.join("\n")).run();
    let report: serde_json::Value = serde_json::from_str(&ran.err()).expect("one object");
    assert_eq!((&report["lines"], &report["levels"]["info"]), (&1.into(), &1.into()));
}

#[test]
fn ctrl_c_ends_a_run_with_its_summary() {
    let world = World::web(LOG);
    let mut tail = world.start("web --summary");
    tail.expect_all(LOG.map(|line| format!("web-1 app {line}")).iter().map(String::as_str));
    let ran = tail.interrupt();
    assert!(ran.exit(130).err().contains("· 3 lines from "));
}
