//! Shared helpers for the tests of the formats.

use std::sync::Arc;

use jiff::tz::TimeZone;

#[cfg(test)]
use super::Renderer;
#[cfg(test)]
use crate::plan::LinePattern;
use crate::{
    event::{Batch, Instant, Item, Line},
    origin::{Origin, PodInfo},
    plan::{Display, Format, PrettyPlan, TemplateErrors},
};

/// Black and white, all options off.
pub fn display() -> Display {
    Display {
        format: Format::Default,
        template: None,
        template_errors: TemplateErrors::Raw,
        pretty: PrettyPlan::default(),
        highlight: Vec::new(),
        color_stdout: false,
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

pub fn origin(namespace: &str, pod: &str, container: &str) -> Arc<Origin> {
    let pod = PodInfo { namespace: namespace.into(), name: pod.into(), ..PodInfo::default() };
    Arc::new(Origin { pod: Arc::new(pod), container: container.into(), ..Origin::default() })
}

/// Lines one second apart, the first at 2026-05-31T22:03:20Z; without times for an origin without names (standard
/// input).
pub fn batch(origin: &Arc<Origin>, lines: &[&[u8]]) -> Batch {
    let mut data = Vec::new();
    let mut items = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let start = data.len() as u32;
        data.extend_from_slice(line);
        let time = Instant((1_780_265_000 + i as i64) * 1_000_000_000);
        let time = origin.is_named().then_some(time);
        items.push(Item::Line(Line { time, start, end: data.len() as u32 }));
        data.push(b'\n');
    }
    Batch { origin: Arc::clone(origin), data: data.into(), items, rest: None }
}

/// The output for `lines` of `origin`; standard input has none.
#[cfg(test)]
pub fn rendered(
    display: &Display,
    highlight: &[&str],
    origin: Option<&Arc<Origin>>,
    lines: &[&[u8]],
) -> String {
    let highlight = highlight.iter().map(|pattern| LinePattern::new(pattern).unwrap()).collect();
    let display = Display { highlight, ..display.clone() };
    let mut out = Vec::new();
    let batch = batch(origin.unwrap_or(&Arc::new(Origin::stdin())), lines);
    Renderer::new(&display).unwrap().batch(&batch, &mut out);
    String::from_utf8(out).unwrap()
}
