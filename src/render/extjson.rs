//! `-o extjson`: one object for each line; a JSON message is embedded as JSON.

use super::{Format, Frame, color::Palette};
use crate::{
    event::Instant,
    json::{Validator, write_string},
    origin::Origin,
    plan::Display,
};

pub struct ExtJson {
    palette: Palette,
    namespace: bool,
    validator: Validator,
}

impl ExtJson {
    pub fn new(display: &Display, palette: Palette) -> ExtJson {
        ExtJson { palette, namespace: display.namespace_in_extjson, validator: Validator::default() }
    }

    /// The members before the message, separated by `separator`. As in stern, names are coloured inside their quotes.
    /// They need no escapes: Kubernetes' names contain no characters that JSON escapes.
    pub fn members(&self, origin: &Origin, separator: &str) -> Vec<u8> {
        let (pod, container) = self.palette.of_origin(origin);
        let namespace = self.namespace.then_some(("namespace", pod, &origin.pod.namespace));
        let mut out = Vec::new();
        for (key, style, value) in namespace
            .into_iter()
            .chain([("pod", pod, &origin.pod.name), ("container", container, &origin.container)])
        {
            out.extend_from_slice(format!("\"{key}\": \"").as_bytes());
            style.paint(value, &mut out);
            out.push(b'"');
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(b"\"message\": ");
        out
    }
}

impl Format for ExtJson {
    fn frame(&self, origin: &Origin) -> Frame {
        let head = [b"{".to_vec(), self.members(origin, ", ")].concat();
        Frame { head, tail: b"}\n".to_vec() }
    }

    #[inline]
    fn body(&mut self, _: Option<Instant>, message: &[u8], out: &mut Vec<u8>) {
        if self.validator.is_valid(message) {
            out.extend_from_slice(message);
        } else {
            write_string(message, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Format as Name, Timestamps},
        render::testing::{display, origin, rendered},
    };

    fn extjson() -> Display {
        Display { format: Name::Extjson, timestamps: Some(Timestamps::Default), ..display() }
    }

    fn line(display: &Display, message: &[u8]) -> String {
        rendered(display, &["b"], Some(&origin("default", "web-7d9c5b8f6-abcde", "app")), &[message])
    }

    #[test]
    fn a_message_that_is_json_stays_json() {
        for (message, expected) in [
            (&br#"{"a": [1, "<b>"]}"#[..], r#"{"a": [1, "<b>"]}"#),
            (b"12", "12"),
            (b"", r#""""#),
            (b"{\"broken\": ", r#""{\"broken\": ""#),
            (b"<plain> text", r#""\u003cplain\u003e text""#),
        ] {
            let expected = format!(
                "{{\"pod\": \"web-7d9c5b8f6-abcde\", \"container\": \"app\", \"message\": {expected}}}\n"
            );
            assert_eq!(line(&extjson(), message), expected);
        }
    }

    #[test]
    fn names_are_coloured_and_nothing_is_marked() {
        let display = Display { color_stdout: true, namespace_in_extjson: true, ..extjson() };
        let expected = "{\"namespace\": \"\x1b[96mdefault\x1b[0m\", \
                        \"pod\": \"\x1b[96mweb-7d9c5b8f6-abcde\x1b[0m\", \
                        \"container\": \"\x1b[36mapp\x1b[0m\", \"message\": \"abc\"}\n";
        assert_eq!(line(&display, b"abc"), expected);
    }

    #[test]
    fn standard_input_is_painted_in_reset() {
        let display = Display { color_stdout: true, ..extjson() };
        let expected =
            "{\"pod\": \"\x1b[0m\x1b[0m\", \"container\": \"\x1b[0m\x1b[0m\", \"message\": [1,2,3]}\n";
        assert_eq!(rendered(&display, &[], None, &[b"[1,2,3]"]), expected);
    }
}
