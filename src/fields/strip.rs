//! Lines without their colours.

use std::borrow::Cow;

use super::{Key, Span, Tape};

/// A line without the colours in it, and where its parts were.
#[derive(Debug, Default)]
pub(super) struct Plain {
    text: Vec<u8>,
    /// Of each piece: its place in the text, and in the line.
    pieces: Vec<(u32, u32)>,
}

impl Plain {
    /// The line without colours; None if it has none.
    pub(super) fn strip(&mut self, line: &[u8]) -> Option<&[u8]> {
        memchr::memchr(b'\x1b', line)?;
        self.text.clear();
        self.pieces.clear();
        let mut at = 0;
        while at < line.len() {
            let end = memchr::memchr(b'\x1b', &line[at..]).map_or(line.len(), |length| at + length);
            if end > at {
                self.pieces.push((self.text.len() as u32, at as u32));
                self.text.extend_from_slice(&line[at..end]);
            }
            at = end;
            if at < line.len() {
                match color(&line[at..]) {
                    Some(length) => at += length,
                    None => {
                        self.pieces.push((self.text.len() as u32, at as u32));
                        self.text.push(b'\x1b');
                        at += 1;
                    }
                }
            }
        }
        Some(&self.text)
    }

    /// Finds the parts in the line with its colours.
    pub(super) fn restore(&self, tape: &mut Tape) {
        for node in &mut tape.nodes {
            node.value = self.place(node.value);
            if let Key::Written { span, .. } = &mut node.key {
                *span = self.place(*span);
            }
        }
    }

    fn place(&self, span: Span) -> Span {
        let start = self.at(span.start);
        let end = if span.end > span.start { self.at(span.end - 1) + 1 } else { start };
        Span { start, end }
    }

    fn at(&self, place: u32) -> u32 {
        let piece = self.pieces.partition_point(|(text, _)| *text <= place).saturating_sub(1);
        self.pieces.get(piece).map_or(place, |(text, line)| line + (place - text))
    }
}

/// A text without its colours.
pub(super) fn without_colors(text: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Plain::default();
    match plain.strip(text) {
        Some(_) => Cow::Owned(plain.text),
        None => Cow::Borrowed(text),
    }
}

const LONGEST_COLOR: usize = 32;

/// The length of the colour that a text begins with.
pub(super) fn color(text: &[u8]) -> Option<usize> {
    let parameters = text.strip_prefix(b"\x1b[")?;
    let is_parameter = |byte: &&u8| matches!(byte, b'0'..=b'9' | b';' | b':' | b'?');
    let length = parameters.iter().take(LONGEST_COLOR).take_while(is_parameter).count();
    parameters.get(length).is_some_and(|byte| matches!(byte, b'm' | b'K')).then_some(length + 3)
}
