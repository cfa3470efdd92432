//! `-o raw`: `[timestamp ]message`.

use super::{Format, Frame, highlight::Highlight, timestamp::Clock};
use crate::{event::Instant, origin::Origin, plan::Display};

pub struct Raw {
    clock: Option<Clock>,
    highlight: Option<Highlight>,
}

impl Raw {
    pub fn new(display: &Display) -> Raw {
        Raw {
            clock: Clock::new(display),
            highlight: if display.color_stdout { Highlight::new(&display.highlight) } else { None },
        }
    }
}

impl Format for Raw {
    fn frame(&self, _: &Origin) -> Frame {
        Frame::default()
    }

    #[inline]
    fn body(&mut self, time: Option<Instant>, message: &[u8], out: &mut Vec<u8>) {
        if let (Some(clock), Some(time)) = (&mut self.clock, time) {
            clock.write(time, out);
            out.push(b' ');
        }
        let start = out.len();
        out.extend_from_slice(message);
        out.push(b'\n');
        if let Some(highlight) = &mut self.highlight {
            highlight.paint(start, out);
        }
    }

    fn separator(&self, frame: &Frame, out: &mut Vec<u8>) {
        out.extend_from_slice(&frame.head);
        out.extend_from_slice(b"--\n");
    }

    fn unmarked(&mut self) -> bool {
        self.highlight.as_mut().is_some_and(Highlight::took_too_much)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Format as Name, Timestamps},
        render::testing::{display, origin, rendered},
    };

    fn raw() -> Display {
        Display { format: Name::Raw, color_stdout: true, ..display() }
    }

    #[test]
    fn lines_stay_as_they_are() {
        let web = origin("default", "web", "app");
        for origin in [None, Some(&web)] {
            assert_eq!(rendered(&raw(), &[], origin, &[b"a\r", b"", b"\tb "]), "a\r\n\n\tb \n");
        }
    }

    #[test]
    fn time_comes_first() {
        let display = Display { timestamps: Some(Timestamps::Default), ..raw() };
        let web = origin("default", "web", "app");
        let expected = "2026-05-31T22:03:20.000000000Z a\n2026-05-31T22:03:21.000000000Z b\n";
        assert_eq!(rendered(&display, &[], Some(&web), &[b"a", b"b"]), expected);
    }

    #[test]
    fn standard_input_has_no_time() {
        let display = Display { timestamps: Some(Timestamps::Default), ..raw() };
        assert_eq!(rendered(&display, &[], None, &[b"a"]), "a\n");
    }

    #[test]
    fn matches_are_marked_only_in_colour() {
        assert_eq!(rendered(&raw(), &["b"], None, &[b"abc"]), "a\x1b[31;1mb\x1b[0;22mc\n");
        let plain = Display { color_stdout: false, ..raw() };
        assert_eq!(rendered(&plain, &["b"], None, &[b"abc"]), "abc\n");
    }
}
