//! Lines in every format, and templates, which users write for lines that they do not.

use std::sync::Arc;

use gotemplate::MAX_OUTPUT;
use gotime::Time;
use jiff::tz::TimeZone;
use serde_json::Value;

pub use super::pretty::fuzz::pretty;
use super::{
    Renderer,
    testing::{batch, display, origin},
};
use crate::{
    fuzz::{assert_one_line, two},
    json::Validator,
    origin::Origin,
    plan::{Display, Format, LinePattern, Template, Timestamps},
    search::Matcher,
};

fn rendered(display: &Display, origin: &Arc<Origin>, line: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut renderer = Renderer::new(display).ok()?;
    if let Some(notice) = renderer.batch(&batch(origin, &[line]), &mut out) {
        assert_one_line(&notice.text);
    }
    Some(out)
}

/// A line can be read back from every format, and from each of them its origin, too.
pub fn render(input: &[u8]) {
    let (name, line) = two(input);
    let line: Vec<u8> = line.iter().copied().filter(|&byte| byte != b'\n').collect();
    let name = String::from_utf8_lossy(name);
    let origin = origin(&name, &name, &name);
    let display = Display { timestamps: Some(Timestamps::Default), namespace_in_extjson: true, ..display() };
    let of = |format| rendered(&Display { format, ..display.clone() }, &origin, &line).unwrap_or_default();

    let raw = of(Format::Raw);
    assert!(raw.strip_suffix(b"\n").is_some_and(|raw| raw.ends_with(&line)));
    assert!(of(Format::Default).strip_suffix(b"\n").is_some_and(|shown| shown.ends_with(&line)));
    let mut wanted = String::new();
    for chunk in line.utf8_chunks() {
        wanted.push_str(chunk.valid());
        wanted.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    let json = of(Format::Json);
    let value: Value = serde_json::from_slice(&json).unwrap_or_default();
    assert_eq!(value["message"], *wanted, "{}", String::from_utf8_lossy(&json));
    assert_eq!(value["podName"], *name);
    assert_eq!(json.iter().filter(|&&byte| byte == b'\n').count(), 1);
    // The message is JSON itself, or becomes a string. Numbers and depth have limits in serde_json.
    let is_json = Validator::default().is_valid(&line);
    let message = serde_json::from_str(&wanted).ok().or_else(|| (!is_json).then(|| Value::from(&*wanted)));
    for format in [Format::Extjson, Format::Ppextjson] {
        let shown = of(format);
        assert!(Validator::default().is_valid(&shown));
        if let Some(message) = &message
            && let Ok(value) = serde_json::from_slice::<Value>(&shown)
        {
            assert_eq!(value["message"], *message);
        }
    }
}

/// Without its marks, a line is as it was.
pub fn highlight(input: &[u8]) {
    let (pattern, line) = two(input);
    let Ok(pattern) = std::str::from_utf8(pattern) else { return };
    let line: Vec<u8> = line.iter().copied().filter(|&byte| byte != b'\n').collect();
    let translated = goregex::translate(pattern).map(|pattern| pattern.text).unwrap_or_default();
    if regex::bytes::RegexBuilder::new(&translated).size_limit(1 << 20).build().is_err() {
        return;
    }
    let Ok(pattern) = LinePattern::new(pattern) else { return };
    let is_match = Matcher::new(&pattern).is_match(&[&line, &b"\n"[..]].concat()) == Ok(true);
    let display = Display { highlight: vec![pattern], color_stdout: true, format: Format::Raw, ..display() };
    let shown = rendered(&display, &origin("shop", "web", "app"), &line).unwrap_or_default();
    let shown = shown.strip_suffix(b"\n").unwrap_or_default();
    if !is_match {
        assert_eq!(shown, line);
    }
    // Bytes are added, and none is lost or moved.
    let mut rest = shown.iter();
    assert!(line.iter().all(|byte| rest.any(|shown| shown == byte)));
    if !line.contains(&0x1b) && !line.contains(&0xc2) {
        let unmarked = regex::bytes::Regex::new("\x1b\\[[0-9;]*m")
            .map(|marks| marks.replace_all(shown, b"").into_owned());
        assert_eq!(unmarked.as_deref(), Ok(&line[..]));
    }
}

/// A template never causes a panic, an endless run or an endless line. It ends at the first zero byte; the rest is the
/// line.
pub fn template(input: &[u8]) {
    let (template, line) = two(input);
    let Ok(template) = std::str::from_utf8(template) else { return };
    let display = Display {
        template: Some(Template::Text(template.to_owned())),
        color_stdout: input.len().is_multiple_of(2),
        timestamps: Some(Timestamps::Short),
        local: TimeZone::UTC,
        ..display()
    };
    match Renderer::new(&display) {
        Ok(_) => {
            let out = rendered(&display, &origin("shop", "web", "app"), line).unwrap_or_default();
            assert!(out.len() <= MAX_OUTPUT + line.len() + 1, "the template made {} bytes", out.len());
        }
        Err(reason) => drop(reason),
    }
}

/// A time is the same when it is written in Go's form and read again.
pub fn time(input: &[u8]) {
    let (text, layout) = two(input);
    let Ok(time) = gotime::from_text(text, &gotime::Zone::Utc) else { return };
    let mut out = Vec::new();
    time.format(layout, &mut out);
    time.format(gotime::RFC3339_NANO, &mut out);
    let mut written = Vec::new();
    let zone = std::str::from_utf8(layout)
        .ok()
        .and_then(|name| gotime::load_location(name, &gotime::Zone::Utc).ok());
    let time: Time = time.in_zone(zone.unwrap_or(gotime::Zone::Utc));
    time.format(gotime::RFC3339_NANO, &mut written);
    let shown = String::from_utf8_lossy(&written).into_owned();
    // Zones of former times have seconds, which this form does not show.
    if let Ok(read) = shown.parse::<jiff::Timestamp>()
        && (0..253_000_000_000).contains(&time.since_epoch().0)
    {
        let (seconds, nanos) = time.since_epoch();
        assert_eq!((read.as_second(), read.subsec_nanosecond()), (seconds, nanos as i32), "{shown}");
    }
}
