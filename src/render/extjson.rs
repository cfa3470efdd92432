//! `-o extjson`: one object for each line; a JSON message is embedded as JSON, whatever its bytes.

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
    pub fn members(&self, origin: &Origin, separator: &str) -> Vec<u8> {
        let (pod, container) = self.palette.of_origin(origin);
        let namespace = self.namespace.then_some(("namespace", pod, &origin.pod.namespace));
        let mut out = Vec::new();
        for (key, style, value) in namespace
            .into_iter()
            .chain([("pod", pod, &origin.pod.name), ("container", container, &origin.container)])
        {
            out.extend_from_slice(format!("\"{key}\": \"").as_bytes());
            let mut quoted = Vec::new();
            write_string(value.as_bytes(), &mut quoted);
            style.paint(&quoted[1..quoted.len() - 1], &mut out);
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
            write_utf8(message, out);
        } else {
            write_string(message, out);
        }
    }
}

/// Appends JSON. Go takes bytes that are not UTF-8 within strings, but most readers of JSON do not.
fn write_utf8(json: &[u8], out: &mut Vec<u8>) {
    // Most lines are ASCII, which costs less to find out.
    if json.is_ascii() || str::from_utf8(json).is_ok() {
        return out.extend_from_slice(json);
    }
    for chunk in json.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
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
    fn a_byte_that_is_not_utf8_is_replaced_within_json_too() {
        let expected = |message: &str| {
            format!("{{\"pod\": \"web-7d9c5b8f6-abcde\", \"container\": \"app\", \"message\": {message}}}\n")
        };
        assert_eq!(
            line(&extjson(), b"{\"a\": \"\xff\xed\xa0b\"}"),
            expected(r#"{"a": "\ufffd\ufffd\ufffdb"}"#)
        );
        assert_eq!(line(&extjson(), b"{\"a\": \xff}"), expected(r#""{\"a\": \ufffd}""#));
    }

    /// For each byte, alone, in a string, and after a backslash in a string.
    #[test]
    fn every_byte_makes_valid_json() {
        for byte in 0..=u8::MAX {
            for message in
                [vec![byte], vec![b'"', byte, b'"'], vec![b'"', b'\\', byte, b'"'], vec![b'1', byte]]
            {
                let line = line(&extjson(), &message);
                let read = serde_json::from_str::<serde_json::Value>(&line);
                assert!(byte == b'\n' || read.is_ok(), "{message:?}: {line}");
            }
        }
    }

    #[test]
    fn a_name_cannot_forge_a_member() {
        let name = "a\", \"message\": \"forged";
        let line = rendered(&extjson(), &["b"], Some(&origin("default", name, "app")), &[b"true"]);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["pod"], &read["message"]), (&name.into(), &true.into()));
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
