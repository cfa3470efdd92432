//! No template and no line makes a template panic or run away: `cargo +nightly fuzz run template`. What precedes the
//! first zero byte is the template, the rest is the line.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use stern_rs::{
    batch::{Batch, Item, Line},
    plan::{Display, FilterPlan, Format, Template},
    render::Renderer,
    select::Target,
};

fuzz_target!(|input: &[u8]| {
    let (template, line) = match input.iter().position(|&byte| byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &b"{\"level\":\"info\",\"ts\":1.5,\"list\":[1,null,{\"a\":\"b\"}]}"[..]),
    };
    let Ok(template) = std::str::from_utf8(template) else { return };
    let display = Display {
        format: Format::Default,
        template: Some(Template::Text(template.to_owned())),
        color_stdout: true,
        color_stderr: false,
        timestamps: None,
        timezone: TimeZone::UTC,
        diff_container: false,
        only_log_lines: false,
        gaps: false,
        colors: None,
        namespace_in_prefix: false,
        namespace_in_extjson: false,
    };
    let Ok(mut renderer) = Renderer::new(&display, &FilterPlan::default(), true) else { return };
    let items = vec![Item::Line(Line { time: None, start: 0, end: line.len() as u32 })];
    let batch = Batch { target: Arc::new(Target::default()), data: Bytes::copy_from_slice(line), items, rest: None };
    let mut out = Vec::new();
    renderer.batch(&batch, &mut out);
    assert!(out.len() <= 64 << 20, "a line made {} bytes", out.len());
});
