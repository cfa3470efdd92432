//! Reports of whole runs of lines.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::*;
use crate::{
    event::Batch,
    plan::SummaryFormat,
    render::testing::{batch, origin},
};

fn plan(fields: &[&str]) -> SummaryPlan {
    SummaryPlan {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        format: SummaryFormat::Text,
        timezone: TimeZone::UTC,
        from_stdin: false,
        vocabulary: crate::fields::Vocabulary::default(),
    }
}

fn summary(plan: &SummaryPlan, batches: impl IntoIterator<Item = Batch>) -> Summary {
    let summary = Summary::new(plan);
    batches.into_iter().for_each(|batch| summary.see(&Event::Batch(batch)));
    summary
}

fn web(lines: &[&str]) -> Batch {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    let mut batch = batch(&origin("shop", "web-0", "app"), &lines);
    // The second line is written with the first one.
    if let [Item::Line(first), Item::Line(second), ..] = &mut batch.items[..] {
        second.time = first.time;
    }
    batch
}

const LOG: [&str; 6] = [
    r#"{"level":"error","msg":"charge failed for order 17","duration":"120ms","status":502}"#,
    "\tat pay.Charge(charge.go:88)",
    r#"{"level":"info","msg":"charge accepted for order 18","duration":"8ms","status":200}"#,
    r#"{"level":"error","msg":"charge failed for order 19","duration":"2.5s","status":502}"#,
    r#"{"level":"info","msg":"charge accepted for order 20","duration":"9ms","status":200}"#,
    "plain",
];

#[test]
fn lines_are_counted_by_level_and_errors_once_for_each_record() {
    let report = summary(&plan(&[]), [web(&LOG)]).report();
    let lines: Vec<_> = report.lines().take(3).collect();
    let expected = [
        "· 6 lines from 2026-05-31 22:03:20 to 2026-05-31 22:03:25, 1.2 a second",
        "                      lines  none  error  info  errors/min",
        "  shop pod/web-0 app      6     1      3     2        24.0",
    ];
    assert_eq!(lines, expected, "{report}");
}

#[test]
fn messages_that_differ_in_numbers_are_one_and_errors_come_first() {
    let report = summary(&plan(&[]), [web(&LOG)]).report();
    let messages: Vec<_> = report.lines().filter(|line| line.contains('×')).collect();
    let expected = [
        "  2 × error  charge failed for order ‹n›  (22:03:20 to 22:03:23)",
        "  2 × info   charge accepted for order ‹n›  (22:03:22 to 22:03:24)",
        "  1 ×        plain  (22:03:25)",
    ];
    assert_eq!(messages, expected, "{report}");
}

#[test]
fn fields_have_percentiles_in_their_unit_and_their_values_if_these_are_few() {
    let report = summary(&plan(&["duration", "status", "nope"]), [web(&LOG)]).report();
    let fields: Vec<_> = report.lines().rev().take(3).collect();
    let expected = [
        "· nope: no record has this field",
        "· status: 4 values, p50 200, p90 502, p99 502, max 502; 2 × 200, 2 × 502",
        "· duration: 4 values, p50 9ms, p90 2.50s, p99 2.50s, max 2.50s; 1 × 8ms, 1 × 9ms, 1 × 120ms, 1 × 2.50s",
    ];
    assert_eq!(fields, expected, "{report}");
}

#[test]
fn many_values_have_percentiles_within_one_percent() {
    let lines: Vec<_> = (1..=5000).map(|n| format!("{{\"n\":{n}}}")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let json = SummaryPlan { format: SummaryFormat::Json, ..plan(&["n"]) };
    let report = summary(&json, [web(&lines)]).report();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    for (name, exact) in [("p50", 2500.0), ("p90", 4500.0), ("p99", 4950.0), ("max", 5000.0)] {
        let found = report["fields"]["n"][name].as_f64().unwrap();
        assert!((found - exact).abs() <= exact / 99.0, "{name} {found}");
    }
    assert_eq!(report["fields"]["n"]["count"], 5000);
}

#[test]
fn pods_of_a_deployment_share_a_row() {
    let pod = |name: &str| {
        let owner = crate::origin::Owner { kind: "ReplicaSet".into(), name: "web-7d9c5b8f6".into() };
        let labels = [("pod-template-hash".to_owned(), "7d9c5b8f6".to_owned())].into();
        let pod = crate::origin::PodInfo {
            namespace: "shop".into(),
            name: name.into(),
            owner: Some(owner),
            labels: Some(labels),
            ..Default::default()
        };
        let origin = Origin { pod: Arc::new(pod), container: "app".into(), ..Origin::default() };
        batch(&Arc::new(origin), &[b"a", b"b"])
    };
    let report = summary(&plan(&[]), [pod("web-7d9c5b8f6-aaaaa"), pod("web-7d9c5b8f6-bbbbb")]).report();
    assert!(report.contains("shop deployment/web app      4"), "{report}");
}

#[test]
fn the_rows_are_bounded() {
    let batches = (0..600).map(|n| batch(&origin("shop", &format!("web-{n}"), "app"), &[b"a"]));
    let report = summary(&plan(&[]), batches).report();
    assert!(report.contains("  others ") && report.contains("· 600 lines"), "{report}");
    assert_eq!(report.lines().filter(|line| line.contains("pod/web-")).count(), 500);
}
