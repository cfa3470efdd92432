//! A place in a line.

use crate::fields::Span;

/// How long a part in brackets may be.
const LONGEST_PART: usize = 200;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'l> {
    pub(super) line: &'l [u8],
    pub(super) at: usize,
}

impl<'l> Cursor<'l> {
    pub(super) fn new(line: &'l [u8], at: usize) -> Cursor<'l> {
        Cursor { line, at: at.min(line.len()) }
    }

    pub(super) fn rest(&self) -> &'l [u8] {
        &self.line[self.at..]
    }

    /// What follows a part and its bracket.
    pub(super) fn line_after(&self, part: Span) -> &'l [u8] {
        self.line.get(part.end as usize + 1..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let eats = self.rest().starts_with(text);
        self.at += if eats { text.len() } else { 0 };
        eats
    }

    pub(super) fn count_spaces(&self) -> usize {
        self.rest().iter().take_while(|byte| b" \t".contains(byte)).count()
    }

    /// Takes spaces and tabs. Their number.
    pub(super) fn spaces(&mut self) -> usize {
        let count = self.count_spaces();
        self.at += count;
        count
    }

    pub(super) fn word_of(&mut self, is_part: impl Fn(u8) -> bool) -> Span {
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| is_part(**byte)).count();
        Span::of(start, self.at)
    }

    /// Takes what is before the next space.
    pub(super) fn word(&mut self) -> Span {
        self.word_of(|byte| !b" \t".contains(&byte))
    }

    /// Takes digits, at least one.
    pub(super) fn digits(&mut self) -> Option<Span> {
        let before = self.at;
        let digits = self.word_of(|byte| byte.is_ascii_digit());
        self.at = if digits.is_empty() { before } else { self.at };
        (!digits.is_empty()).then_some(digits)
    }

    /// Takes a part between two brackets. The part within.
    pub(super) fn enclosed(&mut self, open: u8, close: u8) -> Option<Span> {
        let text = self.rest();
        if *text.first()? != open {
            return None;
        }
        let end = memchr::memchr(close, &text[..text.len().min(LONGEST_PART)])?;
        let inside = Span::of(self.at + 1, self.at + end);
        self.at += end + 1;
        Some(inside)
    }

    /// Takes what is before a text and the text too.
    pub(super) fn until(&mut self, end: &[u8]) -> Option<Span> {
        let text = self.rest();
        let text = &text[..text.len().min(LONGEST_PART)];
        let length = memchr::memmem::find(text, end)?;
        let before = Span::of(self.at, self.at + length);
        self.at += length + end.len();
        Some(before)
    }
}
