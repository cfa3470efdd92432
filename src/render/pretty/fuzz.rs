//! Records of any bytes in columns.

use jiff::tz::TimeZone;

use crate::{
    fuzz::two,
    plan::{Display, Format, PrettyPlan},
    render::{
        Renderer,
        testing::{batch, display, origin},
    },
    shown::is_hidden,
};

/// In a pipe each line is one line, on a terminal at least one; and of a record of JSON no byte steers a terminal.
pub fn pretty(input: &[u8]) {
    let (one, other) = two(input);
    let lines =
        [one, other].map(|line| line.iter().copied().filter(|&byte| byte != b'\n').collect::<Vec<u8>>());
    let lines = lines.each_ref().map(Vec::as_slice);
    let breaks = |out: &[u8]| memchr::memchr_iter(b'\n', out).count();
    let piped = shown(false, &lines);
    assert_eq!(breaks(&piped), lines.len(), "{}", String::from_utf8_lossy(&piped));
    assert!(breaks(&shown(true, &lines)) >= lines.len());
    for line in lines {
        let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line);
        let is_record = object.is_ok_and(|object| !object.is_empty());
        let piped = String::from_utf8_lossy(&shown(false, &[line])).into_owned();
        let odd =
            piped.trim_end_matches('\n').chars().find(|&c| c != '\t' && (c.is_control() || is_hidden(c)));
        assert!(!is_record || odd.is_none(), "{odd:?} in {piped}");
    }
}

fn shown(on_terminal: bool, lines: &[&[u8]]) -> Vec<u8> {
    let pretty = PrettyPlan { on_terminal, ..PrettyPlan::default() };
    let display = Display { format: Format::Pretty, pretty, timezone: TimeZone::UTC, ..display() };
    let mut out = Vec::new();
    if let Ok(mut renderer) = Renderer::new(&display) {
        renderer.batch(&batch(&origin("shop", "web", "app"), lines), &mut out);
    }
    out
}
