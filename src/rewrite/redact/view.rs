//! A line as a person reads it: without escape sequences, and with the escapes of JSON and URLs resolved, so that a
//! value is found however it is written.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr3};

use crate::shown::Sequences;

/// The text, and the place in the line of each of its parts.
pub struct View<'l> {
    line: &'l [u8],
    text: Cow<'l, [u8]>,
    /// None: the text is the line.
    parts: Vec<Part>,
}

/// From here on, each byte of the text is a byte of the line, or one escape is as long as the part.
#[derive(Debug, Clone, Copy)]
struct Part {
    text: u32,
    line: u32,
    /// The length in the line of each character; 0: one byte each.
    width: u32,
}

impl<'l> View<'l> {
    pub fn new(line: &'l [u8]) -> View<'l> {
        let Some(first) = memchr3(b'\\', b'%', 0x1b, line) else {
            return View { line, text: Cow::Borrowed(line), parts: Vec::new() };
        };
        let mut text = Vec::with_capacity(line.len());
        text.extend_from_slice(&line[..first]);
        let mut building = Building { text, parts: vec![Part { text: 0, line: 0, width: 0 }] };
        building.resolve(line, first);
        let Building { text, parts } = building;
        let (text, parts) = without_sequences(text, parts);
        View { line, text: Cow::Owned(text), parts }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the text is the line, byte for byte.
    pub fn is_line(&self) -> bool {
        self.parts.is_empty()
    }

    /// The bytes of the line that this range of the text stands for.
    pub fn line(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let at = self.byte(range.start).start;
            return at..at;
        }
        self.byte(range.start).start..self.byte(range.end - 1).end
    }

    /// The bytes of the line that one byte of the text stands for.
    pub fn byte(&self, at: usize) -> Range<usize> {
        let next = self.parts.partition_point(|part| part.text as usize <= at);
        let Some(part) = next.checked_sub(1).and_then(|index| self.parts.get(index)) else {
            return at..at + 1;
        };
        match part.width as usize {
            0 => {
                let at = at - part.text as usize + part.line as usize;
                at..at + 1
            }
            width => part.line as usize..part.line as usize + width,
        }
    }

    /// The bytes of the line in this range.
    pub fn written(&self, range: Range<usize>) -> &'l [u8] {
        self.line.get(range).unwrap_or_default()
    }

    /// The number of backslashes before a quote. It tells whether another quote ends the same string.
    pub fn backslashes(&self, at: usize) -> usize {
        self.written(self.byte(at)).iter().take_while(|byte| **byte == b'\\').count()
    }

    /// The place in the line where a string ends whose opening quote had this many backslashes, and whose last quote is
    /// at `quote`: more backslashes belong to its content.
    pub fn end_of_string(&self, opened: usize, quote: usize) -> usize {
        let (place, here) = (self.byte(quote), self.backslashes(quote));
        place.start + here.saturating_sub(opened)
    }

    /// Whether a quote at `at` ends a string whose opening quote had this many backslashes: one within it has more, and
    /// one around it less.
    pub fn ends_string(&self, opened: usize, at: usize) -> bool {
        let here = self.backslashes(at);
        here < opened || (here - opened).is_multiple_of(2 * (opened + 1))
    }
}

struct Building {
    text: Vec<u8>,
    parts: Vec<Part>,
}

impl Building {
    fn resolve(&mut self, line: &[u8], first: usize) {
        let mut at = first;
        while let Some(&byte) = line.get(at) {
            let resolved = match byte {
                b'\\' => backslash(&line[at..]),
                b'%' => percent(&line[at..]),
                _ => None,
            };
            match resolved {
                Some((width, character)) => {
                    let mut utf8 = [0; 4];
                    let bytes: &[u8] = match character {
                        Character::Byte(byte) => {
                            utf8[0] = byte;
                            &utf8[..1]
                        }
                        Character::Char(char) => char.encode_utf8(&mut utf8).as_bytes(),
                    };
                    self.part(at, width);
                    self.text.extend_from_slice(bytes);
                    at += width;
                    self.part(at, 0);
                }
                None => {
                    let rest = &line[at + 1..];
                    let next = memchr::memchr2(b'\\', b'%', rest).unwrap_or(rest.len());
                    self.text.extend_from_slice(&line[at..at + 1 + next]);
                    at += 1 + next;
                }
            }
        }
    }

    fn part(&mut self, line: usize, width: usize) {
        let part = Part { text: self.text.len() as u32, line: line as u32, width: width as u32 };
        match self.parts.last_mut() {
            Some(last) if last.text == part.text => *last = part,
            _ => self.parts.push(part),
        }
    }
}

enum Character {
    Byte(u8),
    Char(char),
}

/// An escape of JSON, or of JSON in a string of JSON: its length, and its character.
fn backslash(text: &[u8]) -> Option<(usize, Character)> {
    let count = text.iter().take_while(|byte| **byte == b'\\').count();
    let escaped = text.get(count..)?;
    let hex = |digits: &[u8]| u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match escaped {
        [quote @ (b'"' | b'\'' | b'/'), ..] => Some((count + 1, Character::Byte(*quote))),
        [b'n' | b'r', ..] => Some((count + 1, Character::Byte(b'\n'))),
        [b't', ..] => Some((count + 1, Character::Byte(b'\t'))),
        [b'u', digits @ ..] => {
            let digits = digits.get(..4).filter(|digits| is_hex(digits))?;
            Some((count + 5, Character::Char(char::from_u32(hex(digits)?)?)))
        }
        [b'x', digits @ ..] => {
            let digits = digits.get(..2).filter(|digits| is_hex(digits))?;
            Some((count + 3, Character::Byte(hex(digits)? as u8)))
        }
        _ => None,
    }
}

/// `%40`, or `%2540` of a URL in a URL: its length, and its character.
fn percent(text: &[u8]) -> Option<(usize, Character)> {
    let again = text[1..].chunks_exact(2).take_while(|digits| *digits == b"25").count();
    let at = 1 + 2 * again;
    let digits = text.get(at..at + 2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    let byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    (matches!(byte, b'\n' | b'\r' | b'\t') || byte >= b' ').then_some((at + 2, Character::Byte(byte)))
}

/// Drops the escape sequences of a text that was resolved.
fn without_sequences(text: Vec<u8>, parts: Vec<Part>) -> (Vec<u8>, Vec<Part>) {
    if memchr(0x1b, &text).is_none() {
        return (text, parts);
    }
    let (mut kept, mut moved) = (Vec::with_capacity(text.len()), Vec::with_capacity(parts.len()));
    let mut keep = |range: Range<usize>, next: &mut usize| {
        if range.is_empty() {
            return;
        }
        // The part that the range begins in, and those within it.
        while parts.get(*next + 1).is_some_and(|part| part.text as usize <= range.start) {
            *next += 1;
        }
        while let Some(part) = parts.get(*next).filter(|part| (part.text as usize) < range.end) {
            let skipped = range.start.saturating_sub(part.text as usize);
            let within = (part.text as usize).max(range.start) - range.start;
            let line = if part.width == 0 { part.line + skipped as u32 } else { part.line };
            moved.push(Part { text: (kept.len() + within) as u32, line, width: part.width });
            *next += 1;
        }
        *next = next.saturating_sub(1);
        kept.extend_from_slice(&text[range]);
    };
    let (mut at, mut next) = (0, 0);
    for sequence in Sequences::new(&text).filter(|sequence| text[sequence.start] == 0x1b) {
        keep(at..sequence.start, &mut next);
        at = sequence.end;
    }
    keep(at..text.len(), &mut next);
    (kept, moved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> String {
        String::from_utf8(View::new(line.as_bytes()).text().to_vec()).unwrap()
    }

    #[test]
    fn escapes_are_resolved() {
        for (line, text) in [
            ("plain", "plain"),
            (r#"{"m":"a\u0040b \"q\" \\\"r\\\""}"#, r#"{"m":"a@b "q" "r""}"#),
            ("a%40b%2540c%4", "a@b@c%4"),
            ("al\u{1b}[1;31mice\u{1b}[0m@b", "alice@b"),
            (r"al\u001b[31mice%40b", "alice@b"),
            (r"C:\dir\user", r"C:\dir\user"),
            (r"a\nb\tc", "a\nb\tc"),
        ] {
            assert_eq!(read(line), text, "{line}");
        }
    }

    #[test]
    fn each_part_has_its_place_in_the_line() {
        let line = "x\u{1b}[31m al\\u0069ce%40b\u{1b}[0m.co y";
        let view = View::new(line.as_bytes());
        let place = |part: &str| {
            let start = str::from_utf8(view.text()).unwrap().find(part).unwrap();
            &line[view.line(start..start + part.len())]
        };
        assert_eq!(place("alice@b.co"), "al\\u0069ce%40b\u{1b}[0m.co");
        assert_eq!(
            (place("i"), place("@"), place("b"), place("x"), place("y")),
            ("\\u0069", "%40", "b", "x", "y")
        );
    }

    #[test]
    fn a_quote_ends_the_string_that_was_opened_like_it() {
        let line = r#"{"a":"b\\","c":"{\"d\":\"e\\\"f\\\\\"}"}"#;
        let view = View::new(line.as_bytes());
        let quotes: Vec<_> = (0..view.text().len()).filter(|at| view.text()[*at] == b'"').collect();
        let ends = |from: usize| {
            let opened = view.backslashes(quotes[from]);
            (from + 1..quotes.len()).find(|at| view.ends_string(opened, quotes[*at])).unwrap()
        };
        assert_eq!((ends(2), view.backslashes(quotes[9])), (3, 1));
        assert_eq!(ends(9), 11, "{quotes:?}");
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_cover_no_more_than_the_line(line in "([a%\\\\u0-9\"]|\u{1b}\\[3m|%40|\\\\u0040|é){0,40}") {
            let view = View::new(line.as_bytes());
            let mut end = 0;
            for at in 0..view.text().len() {
                let place = view.byte(at);
                prop_assert!(place.start >= end || place.end == end, "{place:?} behind {end}");
                end = place.end;
                prop_assert!(end <= line.len());
                if place.len() == 1 {
                    prop_assert_eq!(line.as_bytes()[place.start], view.text()[at]);
                }
            }
        }
    }
}
