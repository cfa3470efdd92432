//! The cost of a template: `cargo bench --bench template`. A batch has 1000 lines, so microseconds read as
//! nanoseconds a line.

use std::sync::Arc;

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use jiff::tz::TimeZone;
use stern_rs::bench::{
    Batch, Display, Format, Item, Line, Origin, PodInfo, PrettyPlan, Renderer, Template, TemplateErrors,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const LINES: usize = 1000;

fn main() {
    divan::main();
}

const JSON: &str =
    r#"{"level":"info","ts":1700000000.5,"msg":"request done","caller":"main.go:12","n":12,"ok":true}"#;

fn batch(line: &str) -> Batch {
    let mut data = Vec::new();
    let mut items = Vec::new();
    for _ in 0..LINES {
        let start = data.len() as u32;
        data.extend_from_slice(line.as_bytes());
        items.push(Item::Line(Line { time: None, start, end: data.len() as u32 }));
        data.push(b'\n');
    }
    let pod = PodInfo {
        namespace: "default".into(),
        name: "web-7d9c5b8f6-abcde".into(),
        labels: Some([("app".into(), "web".into())].into()),
        ..PodInfo::default()
    };
    let origin = Origin { pod: Arc::new(pod), container: "app".into(), ..Origin::default() };
    Batch { origin: Arc::new(origin), data: data.into(), items, rest: None }
}

fn render(bencher: Bencher, template: &str) {
    let display = Display {
        format: Format::Default,
        template: Some(Template::Text(template.to_owned())),
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
    };
    let Ok(mut renderer) = Renderer::new(&display) else { return };
    let batch = batch(JSON);
    let mut out = Vec::with_capacity(LINES * 1024);
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        out.clear();
        renderer.batch(divan::black_box(&batch), &mut out);
        divan::black_box(out.len())
    });
}

/// The output of `-o default` as a template.
#[divan::bench]
fn default(bencher: Bencher) {
    render(
        bencher,
        r#"{{color .PodColor .PodName}} {{color .ContainerColor .ContainerName}} {{.Message}}{{"\n"}}"#,
    );
}

/// Only fields, which allocate nothing.
#[divan::bench]
fn fields(bencher: Bencher) {
    render(bencher, "{{.Namespace}}/{{.PodName}}/{{.ContainerName}} {{.Labels.app}} {{.Message}}\n");
}

#[divan::bench]
fn branches(bencher: Bencher) {
    render(bencher, r#"{{if eq .Labels.app "web"}}w{{else}}o{{end}}{{with .Message}}{{.}}{{end}}{{"\n"}}"#);
}

#[divan::bench]
fn formatted(bencher: Bencher) {
    render(bencher, r#"{{printf "%-24s %s" .PodName .Message}}{{"\n"}}"#);
}

/// A log of JSON lines, formatted for people.
#[divan::bench]
fn json(bencher: Bencher) {
    render(
        bencher,
        r#"{{with $d := tryParseJSON .Message}}[{{toRFC3339Nano $d.ts}}] {{levelColor $d.level}} {{$d.msg}}{{else}}{{.Message}}{{end}}{{"\n"}}"#,
    );
}
