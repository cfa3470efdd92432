//! `-o default`: `[namespace ]pod container [timestamp ]message`, the names in colour.

use super::{Format, Frame, color::Palette, raw::Raw};
use crate::{event::Instant, origin::Origin, plan::Display};

pub struct Prefixed {
    palette: Palette,
    namespace: bool,
    line: Raw,
}

impl Prefixed {
    pub fn new(display: &Display, palette: Palette) -> Prefixed {
        Prefixed { palette, namespace: display.namespace_in_prefix, line: Raw::new(display) }
    }
}

impl Format for Prefixed {
    fn frame(&self, origin: &Origin) -> Frame {
        if !origin.is_named() {
            return Frame::default();
        }
        let (pod, container) = self.palette.of_origin(origin);
        let mut head = Vec::new();
        if self.namespace {
            pod.paint(&origin.pod.namespace, &mut head);
            head.push(b' ');
        }
        pod.paint(&origin.pod.name, &mut head);
        head.push(b' ');
        container.paint(&origin.container, &mut head);
        head.push(b' ');
        Frame { head, tail: Vec::new() }
    }

    #[inline]
    fn body(&mut self, time: Option<Instant>, message: &[u8], out: &mut Vec<u8>) {
        self.line.body(time, message, out);
    }

    fn separator(&self, frame: &Frame, out: &mut Vec<u8>) {
        self.line.separator(frame, out);
    }

    fn unmarked(&mut self) -> bool {
        self.line.unmarked()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        plan::Timestamps,
        render::testing::{display, origin, rendered},
    };

    fn line(display: &Display, highlight: &[&str], message: &str) -> String {
        let web = origin("default", "web-7d9c5b8f6-abcde", "app");
        rendered(display, highlight, Some(&web), &[message.as_bytes()])
    }

    #[test]
    fn names_come_before_the_message() {
        assert_eq!(line(&display(), &[], "  hello\tthere"), "web-7d9c5b8f6-abcde app   hello\tthere\n");
        let several = Display { namespace_in_prefix: true, ..display() };
        assert_eq!(line(&several, &[], ""), "default web-7d9c5b8f6-abcde app \n");
    }

    #[test]
    fn names_are_coloured_each_for_itself() {
        let display = Display { color_stdout: true, namespace_in_prefix: true, ..display() };
        let expected = "\x1b[96mdefault\x1b[0m \x1b[96mweb-7d9c5b8f6-abcde\x1b[0m \x1b[36mapp\x1b[0m hello\n";
        assert_eq!(line(&display, &[], "hello"), expected);
    }

    #[test]
    fn time_stands_between_names_and_message() {
        let timezone = TimeZone::get("Asia/Seoul").unwrap();
        let display = Display { timestamps: Some(Timestamps::Short), timezone, ..display() };
        assert_eq!(line(&display, &[], "hello"), "web-7d9c5b8f6-abcde app 06-01 07:03:20 hello\n");
    }

    #[test]
    fn only_the_message_is_searched_for_marks() {
        let timestamps = Some(Timestamps::Default);
        let display = Display { color_stdout: true, timestamps, ..display() };
        let expected = "\x1b[96mweb-7d9c5b8f6-abcde\x1b[0m \x1b[36mapp\x1b[0m \
                        2026-05-31T22:03:20.000000000Z \x1b[31;1mapp 20\x1b[0;22m 3\n";
        assert_eq!(line(&display, &["app( 20)?|web|20"], "app 20 3"), expected);
    }

    #[test]
    fn standard_input_has_no_names() {
        let display = Display { color_stdout: true, ..display() };
        assert_eq!(rendered(&display, &["b"], None, &[b"ab", b""]), "a\x1b[31;1mb\x1b[0;22m\n\n");
    }
}
