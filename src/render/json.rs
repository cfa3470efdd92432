//! `-o json`: one object for each line, as Go's `json.Marshal` writes stern's.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Format, Frame, timestamp::Clock};
use crate::{event::Instant, json::write_string, origin::Origin, plan::Display};

pub struct Json {
    clock: Option<Clock>,
    gaps: bool,
}

impl Json {
    pub fn new(display: &Display) -> Json {
        Json { clock: Clock::new(display), gaps: display.gaps }
    }
}

impl Format for Json {
    fn frame(&self, origin: &Origin) -> Frame {
        let pod = &origin.pod;
        let mut tail = Vec::new();
        for (key, value) in [
            ("nodeName", &pod.node),
            ("namespace", &pod.namespace),
            ("podName", &pod.name),
            ("containerName", &origin.container),
        ] {
            key_to(key, &mut tail);
            write_string(value.as_bytes(), &mut tail);
        }
        for (key, map) in [("labels", &pod.labels), ("annotations", &pod.annotations)] {
            key_to(key, &mut tail);
            write_map(map.as_ref(), &mut tail);
        }
        tail.extend_from_slice(b"}\n");
        Frame { head: b"{\"message\":".to_vec(), tail }
    }

    fn gap(&self, frame: &Frame, gap: [Option<Instant>; 2], out: &mut Vec<u8>) {
        if !self.gaps {
            return;
        }
        let [after, before] =
            gap.map(|time| match time.and_then(|time| Timestamp::from_nanosecond(time.0.into()).ok()) {
                Some(time) => format!("\"{time:.9}\""),
                None => "null".to_owned(),
            });
        out.extend_from_slice(format!("{{\"gap\":{{\"after\":{after},\"before\":{before}}}").as_bytes());
        out.extend_from_slice(&frame.tail);
    }

    #[inline]
    fn body(&mut self, time: Option<Instant>, message: &[u8], out: &mut Vec<u8>) {
        write_string(message, out);
        if let (Some(clock), Some(time)) = (&mut self.clock, time) {
            out.extend_from_slice(b",\"timestamp\":\"");
            clock.write(time, out);
            out.push(b'"');
        }
    }
}

/// `,"key":`
fn key_to(key: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_string(key.as_bytes(), out);
    out.push(b':');
}

/// `null` if the pod has no such map.
fn write_map(map: Option<&BTreeMap<String, String>>, out: &mut Vec<u8>) {
    let Some(map) = map else {
        return out.extend_from_slice(b"null");
    };
    out.push(b'{');
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(key.as_bytes(), out);
        out.push(b':');
        write_string(value.as_bytes(), out);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        origin::PodInfo,
        plan::{Format as Name, Timestamps},
        render::testing::{display, rendered},
    };

    fn json() -> Display {
        Display { format: Name::Json, color_stdout: true, ..display() }
    }

    fn web() -> Arc<Origin> {
        let map =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let pod = PodInfo {
            namespace: "default".into(),
            name: "web".into(),
            node: "node-a".into(),
            labels: Some(map(&[("tier", "front"), ("app", "web")])),
            annotations: Some(map(&[("note", "a \"quoted\" <note>")])),
            ..PodInfo::default()
        };
        Arc::new(Origin { pod: pod.into(), container: "app".into(), ..Origin::default() })
    }

    const TAIL: &str = r#""nodeName":"node-a","namespace":"default","podName":"web","containerName":"app","labels":{"app":"web","tier":"front"},"annotations":{"note":"a \"quoted\" \u003cnote\u003e"}}"#;

    #[test]
    fn an_object_a_line_in_sterns_order() {
        let expected = format!("{{\"message\":\"a\\tb\",{TAIL}\n{{\"message\":\"\",{TAIL}\n");
        assert_eq!(rendered(&json(), &[], Some(&web()), &[b"a\tb", b""]), expected);
    }

    #[test]
    fn time_follows_the_message() {
        let display = Display { timestamps: Some(Timestamps::Short), ..json() };
        let expected = format!("{{\"message\":\"a\",\"timestamp\":\"05-31 22:03:20\",{TAIL}\n");
        assert_eq!(rendered(&display, &[], Some(&web()), &[b"a"]), expected);
    }

    #[test]
    fn standard_input_has_neither_names_nor_time() {
        let display = Display { timestamps: Some(Timestamps::Default), ..json() };
        let expected = "{\"message\":\"a\",\"nodeName\":\"\",\"namespace\":\"\",\"podName\":\"\",\
                        \"containerName\":\"\",\"labels\":null,\"annotations\":null}\n";
        assert_eq!(rendered(&display, &[], None, &[b"a"]), expected);
    }

    #[test]
    fn an_empty_map_is_not_null() {
        let pod = PodInfo { labels: Some(BTreeMap::new()), ..PodInfo::default() };
        let origin = Arc::new(Origin { pod: pod.into(), ..Origin::default() });
        let line = rendered(&json(), &[], Some(&origin), &[b"a"]);
        assert!(line.ends_with(",\"labels\":{},\"annotations\":null}\n"), "{line}");
    }

    #[test]
    fn nothing_is_marked() {
        let expected = format!("{{\"message\":\"a\",{TAIL}\n");
        assert_eq!(rendered(&json(), &["a"], Some(&web()), &[b"a"]), expected);
    }
}
