//! The cost of turning lines into bytes: `cargo bench --bench render`. A batch has 1000 lines, so microseconds read
//! as nanoseconds a line. Allocations are counted; there are none once the buffer has its final size.

use std::sync::Arc;

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use jiff::tz::TimeZone;
use stern_rs::bench::{
    Batch, Display, Filter, FilterPlan, Format, Instant, Item, Line, LinePattern, Origin, PodInfo,
    PrettyPlan, Renderer, TemplateErrors, Timestamps,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const LINES: usize = 1000;

fn main() {
    divan::main();
}

/// 128 bytes each, but records 300.
#[derive(Debug, Clone, Copy)]
enum Text {
    Plain,
    /// A JSON log line: many quotes to escape.
    Json,
    Korean,
    /// A JSON log line with the fields of a service.
    Record,
}

impl Text {
    fn line(self, i: usize) -> Vec<u8> {
        let line = match self {
            Text::Plain => format!(
                "2024/05/06 07:08:09 GET /api/v1/items/{i:04}/reviews?page=2 200 1532B in 3.2ms from 10.42.0.17 \
                 upstream=backend-7d9c5b8f6 trace=4bf92f"
            ),
            Text::Json => format!(
                r#"{{"level":"info","ts":1700000000.5,"msg":"request done","caller":"main.go:12","n":{i:04},"ok":true,"path":"/api/v1/items/4bf92f"}}"#
            ),
            Text::Korean => {
                format!(
                    "요청 {i:04} 처리 완료: 주문 서비스에서 결제 승인 응답을 받았습니다 (상태 정상, 지연 3밀리초) ✓"
                )
            }
            Text::Record => {
                return format!(
                    r#"{{"ts":"2026-01-31T12:00:00.{:03}Z","level":"info","logger":"checkout.payment","caller":"pay/charge.go:{i}","msg":"charge accepted for order","order_id":"A-{i}","amount":56.92,"http":{{"status":200,"path":"/cart/items/{i}","method":"POST"}},"duration_ms":{i},"trace_id":"c2ce6f447ed4d57b1e2feb89414c343c","pad":""}}"#,
                    i % 1000
                )
                .into_bytes();
            }
        };
        let mut line = line.into_bytes();
        line.resize(128, b'.');
        line
    }
}

/// `per_second` lines a second.
fn batch(text: Text, lines: usize, per_second: i64) -> Batch {
    let mut data = Vec::new();
    let mut items = Vec::new();
    for i in 0..lines {
        // As from a tail: a timestamp before each line.
        data.extend_from_slice(b"2026-05-31T22:03:20.123456789Z ");
        let start = data.len() as u32;
        data.extend_from_slice(&text.line(i));
        let time = Some(Instant(1_780_265_000_000_000_000 + i as i64 * (1_000_000_000 / per_second)));
        items.push(Item::Line(Line { time, start, end: data.len() as u32 }));
        data.push(b'\n');
    }
    let pod = PodInfo {
        namespace: "default".into(),
        name: "web-7d9c5b8f6-abcde".into(),
        node: "node-a".into(),
        labels: Some([("app".into(), "web".into()), ("pod-template-hash".into(), "7d9c5b8f6".into())].into()),
        ..PodInfo::default()
    };
    let origin = Origin { pod: Arc::new(pod), container: "app".into(), ..Origin::default() };
    Batch { origin: Arc::new(origin), data: data.into(), items, rest: None }
}

fn display(format: Format) -> Display {
    Display {
        format,
        template: None,
        template_errors: TemplateErrors::Raw,
        pretty: PrettyPlan::default(),
        highlight: Vec::new(),
        color_stdout: true,
        color_stderr: false,
        timestamps: None,
        markers: None,
        timezone: TimeZone::UTC,
        local: TimeZone::UTC,
        diff_container: false,
        only_log_lines: false,
        joined: false,
        gaps: false,
        colors: None,
        namespace_in_prefix: false,
        namespace_in_extjson: false,
    }
}

fn patterns(patterns: &[&str]) -> Vec<LinePattern> {
    patterns.iter().filter_map(|pattern| LinePattern::new(pattern).ok()).collect()
}

fn render(bencher: Bencher, display: Display, highlight: &[&str], batches: &[Batch]) {
    let display = Display { highlight: patterns(highlight), ..display };
    let Ok(mut renderer) = Renderer::new(&display) else { return };
    let mut out = Vec::with_capacity(LINES * 1024);
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        out.clear();
        for batch in batches {
            renderer.batch(divan::black_box(batch), &mut out);
        }
        divan::black_box(out.len())
    });
}

#[divan::bench]
fn default_color(bencher: Bencher) {
    render(bencher, display(Format::Default), &[], &[batch(Text::Plain, LINES, 1000)]);
}

/// Followed lines, each in its own batch.
#[divan::bench]
fn default_color_followed(bencher: Bencher) {
    let batches = vec![batch(Text::Plain, 1, 1000); LINES];
    render(bencher, display(Format::Default), &[], &batches);
}

#[divan::bench(args = [1000, 1])]
fn default_color_timestamps(bencher: Bencher, per_second: i64) {
    let timezone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let display = Display { timestamps: Some(Timestamps::Default), timezone, ..display(Format::Default) };
    render(bencher, display, &[], &[batch(Text::Plain, LINES, per_second)]);
}

#[divan::bench]
fn raw(bencher: Bencher) {
    render(bencher, display(Format::Raw), &[], &[batch(Text::Plain, LINES, 1000)]);
}

#[divan::bench(args = [Text::Plain, Text::Json, Text::Korean])]
fn json(bencher: Bencher, text: Text) {
    render(bencher, display(Format::Json), &[], &[batch(text, LINES, 1000)]);
}

#[divan::bench(args = [Text::Plain, Text::Json])]
fn extjson(bencher: Bencher, text: Text) {
    render(bencher, display(Format::Extjson), &[], &[batch(text, LINES, 1000)]);
}

#[divan::bench(args = [Text::Plain, Text::Record])]
fn pretty(bencher: Bencher, text: Text) {
    render(bencher, display(Format::Pretty), &[], &[batch(text, LINES, 1000)]);
}

/// Patterns that match nowhere, in one place, in three places.
#[divan::bench(args = [&["error"][..], &["reviews"], &["error", "warn"], &["GET", r"\d+ms", "trace"]])]
fn highlight(bencher: Bencher, patterns: &[&str]) {
    render(bencher, display(Format::Default), patterns, &[batch(Text::Plain, LINES, 1000)]);
}

/// Patterns that match no line, so that all are tried.
#[divan::bench(args = [&["error"][..], &["error", "warn"], &["error", "warn", "(?i)panic", r"\b5\d\d\b"]])]
fn filter(bencher: Bencher, exclude: &[&str]) {
    let mut filter = Filter::new(&FilterPlan { exclude: patterns(exclude), ..FilterPlan::default() });
    let batch = batch(Text::Plain, LINES, 1000);
    bencher.counter(ItemsCount::new(LINES)).with_inputs(|| batch.clone()).bench_local_values(|mut batch| {
        filter.select(&mut batch);
        batch
    });
}
