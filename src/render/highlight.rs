//! Marks the matches of `--include` and `--highlight`.

use std::{iter::Peekable, ops::Range};

use goregex::Replaced;

use super::color::Style;
use crate::{
    lines::uncut,
    plan::LinePattern,
    rewrite::masks,
    search::Finder,
    shown::{Graphics, Sequences},
};

/// All patterns in one: if several match at the same position, the longest pattern wins, as in stern.
pub struct Highlight {
    patterns: Finder,
    sees_invalid: bool,
    style: Style,
    /// The line that is being marked.
    plain: Vec<u8>,
    /// The colours of the line itself, which are given back after a mark.
    graphics: Graphics,
    /// Whether a line had too many matches, or took too long to be searched for all.
    unmarked: bool,
}

impl Highlight {
    /// None if there is nothing to mark.
    pub fn new(patterns: &[LinePattern]) -> Option<Highlight> {
        let mut patterns: Vec<&LinePattern> = patterns.iter().collect();
        if patterns.is_empty() {
            return None;
        }
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.typed().len()));
        let sees_invalid = patterns.iter().any(|pattern| pattern.sees_invalid());
        let patterns = Finder::new(&patterns)?;
        Some(Highlight {
            patterns,
            sees_invalid,
            style: Style::sgr("31;1"),
            plain: Vec::new(),
            graphics: Graphics::default(),
            unmarked: false,
        })
    }

    /// Marks the matches in the line that begins at `start` of `out`. Patterns see the newline too, so `two$` marks
    /// nothing, as in stern.
    #[inline]
    pub fn paint(&mut self, start: usize, out: &mut Vec<u8>) {
        let line = &out[start..];
        let replaced = if self.sees_invalid { Replaced::new(line) } else { None };
        let seen = replaced.as_ref().map_or(line, |replaced| replaced.text.as_bytes());
        if self.patterns.may_match(seen) {
            self.repaint(start, replaced.as_ref(), out);
        }
    }

    /// Whether some matches stayed unmarked since this was last asked.
    pub fn took_too_much(&mut self) -> bool {
        std::mem::take(&mut self.unmarked)
    }

    /// `replaced`: the text that the patterns see, if it differs from the line.
    fn repaint(&mut self, start: usize, replaced: Option<&Replaced>, out: &mut Vec<u8>) {
        self.plain.clear();
        self.plain.extend(out.drain(start..));
        let end = uncut(self.plain.strip_suffix(b"\n").unwrap_or(&self.plain)).len();
        let seen = replaced.map_or(&self.plain[..], |replaced| replaced.text.as_bytes());
        let original = |at| replaced.map_or(at, |replaced| replaced.original(at));
        self.graphics.reset();
        // A mask is whole, and no pattern can be meant for its digits.
        let masks: Vec<_> = masks(&self.plain[..end]).collect();
        let mut line = Painted {
            plain: &self.plain[..end],
            sequences: Sequences::new(&self.plain[..end]).peekable(),
            graphics: &mut self.graphics,
            style: &self.style,
            done: 0,
            out,
        };
        self.unmarked |= !self.patterns.find_all(seen, |found| {
            // The newline stays unmarked, so that the mark does not end on the next line, and so does what is said of a
            // cut.
            let (mut start, end) = (original(found.start), original(found.end).min(end));
            let first = masks.partition_point(|mask| mask.end <= start);
            for mask in masks[first..].iter().take_while(|mask| mask.start < end) {
                line.mark(start..mask.start);
                start = mask.end;
            }
            line.mark(start..end);
        });
        let done = line.done;
        out.extend_from_slice(&self.plain[done..]);
    }
}

/// A line of which the part before `done` is in `out`.
struct Painted<'l> {
    plain: &'l [u8],
    /// The escape sequences behind `done`.
    sequences: Peekable<Sequences<'l>>,
    graphics: &'l mut Graphics,
    style: &'l Style,
    done: usize,
    out: &'l mut Vec<u8>,
}

impl Painted<'_> {
    /// Marks a match, except the part of an escape sequence at its start or end. The colours of the line are in force
    /// again behind it.
    fn mark(&mut self, found: Range<usize>) {
        while self.pass_sequence(found.start).is_some() {}
        let start = found.start.max(self.done);
        if start >= found.end {
            return;
        }
        self.copy(start);
        let opened = self.out.len();
        self.out.extend_from_slice(self.style.open.as_bytes());
        let painted = self.out.len();
        while self.sequences.peek().is_some_and(|sequence| sequence.end <= found.end) {
            // A colour of the line would end the mark.
            if self.pass_sequence(found.end) == Some(true) {
                self.out.extend_from_slice(self.style.open.as_bytes());
            }
        }
        let end = self.sequences.peek().map_or(found.end, |sequence| sequence.start.min(found.end));
        self.copy(end);
        if self.out.len() == painted {
            return self.out.truncate(opened);
        }
        self.out.extend_from_slice(self.style.close.as_bytes());
        self.graphics.write(self.out);
    }

    /// Copies the text up to the end of the next sequence, if it begins before `end`; gives whether it set colours.
    fn pass_sequence(&mut self, end: usize) -> Option<bool> {
        let sequence = self.sequences.next_if(|sequence| sequence.start < end)?;
        let colours = self.graphics.apply(&self.plain[sequence.clone()]);
        self.copy(sequence.end);
        Some(colours)
    }

    fn copy(&mut self, end: usize) {
        self.out.extend_from_slice(&self.plain[self.done..end]);
        self.done = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marked line, with `<` and `>` for the two sequences.
    fn painted(patterns: &[&str], line: &[u8]) -> String {
        let patterns: Vec<_> = patterns.iter().map(|p| LinePattern::new(p).unwrap()).collect();
        let mut highlight = Highlight::new(&patterns).unwrap();
        let mut out = b"before ".to_vec();
        out.extend_from_slice(line);
        out.push(b'\n');
        highlight.paint(7, &mut out);
        let text = String::from_utf8_lossy(&out).replace("\x1b[31;1m", "<").replace("\x1b[0;22m", ">");
        text.strip_prefix("before ").unwrap().strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn marks_every_match() {
        assert_eq!(painted(&["error"], b"[error] three error"), "[<error>] three <error>");
        assert_eq!(painted(&["(?i)ERROR|warn"], b"WARN error"), "<WARN> <error>");
        assert_eq!(painted(&["(a)(l)"], b"alpha"), "<al>pha");
        assert_eq!(painted(&["로그"], "유니코드 로그 ✓".as_bytes()), "유니코드 <로그> ✓");
    }

    #[test]
    fn the_longest_pattern_wins() {
        assert_eq!(painted(&["err", "error"], b"error err"), "<error> <err>");
    }

    #[test]
    fn patterns_keep_to_themselves() {
        assert_eq!(painted(&["(?i)a|b", "(?P<x>c)", "(?P<x>d)"], b"Ab C cd"), "<A><b> C <c><d>");
    }

    #[test]
    fn an_anchor_at_the_end_sees_the_newline() {
        assert_eq!(painted(&["two$"], b"WARN two"), "WARN two");
        assert_eq!(painted(&[r"\bone\b"], b"error one"), "error <one>");
    }

    #[test]
    fn an_anchor_at_the_start_sees_no_prefix() {
        assert_eq!(painted(&["^alpha"], b"alpha alpha"), "<alpha> alpha");
    }

    #[test]
    fn an_invalid_byte_is_a_character() {
        let line = b"a\xE9\xE9b \xE2\x82 c";
        assert_eq!(painted(&["a.+b", " . "], line), "<a\u{FFFD}\u{FFFD}b> \u{FFFD} c");
        assert_eq!(painted(&["[^a-z]c", "b"], line), "a\u{FFFD}\u{FFFD}<b> \u{FFFD}< c>");
    }

    /// The same, with `^` for the escape character of the line itself.
    fn on_colours(patterns: &[&str], line: &str) -> String {
        painted(patterns, line.replace('^', "\x1b").as_bytes()).replace('\x1b', "^")
    }

    #[test]
    fn the_colour_of_the_line_is_given_back() {
        assert_eq!(on_colours(&["error"], "^[36man error here^[0m"), "^[36man <error>^[36m here^[0m");
        assert_eq!(
            on_colours(&["b"], "^[1;31ma^[44mb b^[0mb"),
            "^[1;31ma^[44m<b>^[1;31;44m <b>^[1;31;44m^[0m<b>"
        );
    }

    #[test]
    fn a_mark_is_in_force_over_colours_of_the_line() {
        assert_eq!(on_colours(&["a.*d"], "a^[32mb^[0mcd e"), "<a^[32m<b^[0m<cd> e");
    }

    #[test]
    fn a_mark_never_begins_or_ends_within_a_sequence() {
        for (pattern, line, marked) in [
            ("3", "^[31m3^[0m", "^[31m<3>^[31m^[0m"),
            ("1ma", "^[31mab", "^[31m<a>^[31mb"),
            ("a.*3", "a^[32mb", "<a>^[32mb"),
            ("m", "^[31mx", "^[31mx"),
            ("32m", "^[32m", "^[32m"),
            ("a.c", "a^[Kc", "a^[Kc"),
            ("a.*c", "a^[Kc", "<a^[Kc>"),
            ("a", "^]8;;http://a^\\a", "^]8;;http://a^\\<a>"),
            ("a", "^]0;a", "^]0;a"),
        ] {
            assert_eq!(on_colours(&[pattern], line), marked, "{pattern}");
        }
    }

    #[test]
    fn what_is_said_of_a_cut_is_no_match() {
        let cut = "… [9 bytes cut by --max-line]";
        assert_eq!(painted(&["t.*"], format!("two {cut}").as_bytes()), format!("<two> {cut}"));
        assert_eq!(painted(&["."], format!("a {cut}").as_bytes()), format!("<a> {cut}"));
        assert_eq!(painted(&["max"], format!("a {cut}").as_bytes()), format!("a {cut}"));
    }

    #[test]
    fn nothing_within_a_mask_is_marked() {
        assert_eq!(painted(&["[a-f0-9]+"], "a ‹email:7f3a9c2e› 7f".as_bytes()), "<a> ‹email:7f3a9c2e› <7f>");
        assert_eq!(painted(&["to.*x"], "to ‹secret› x".as_bytes()), "<to >‹secret›< x>");
    }

    #[test]
    fn the_newline_stays_plain() {
        assert_eq!(painted(&[r"two\s"], b"WARN two"), "WARN <two>");
        assert_eq!(painted(&[r"(?s).+"], b"WARN two"), "<WARN two>");
    }

    #[test]
    fn empty_matches_show_nothing() {
        assert_eq!(painted(&["x*"], b"axxb"), "a<xx>b");
        assert_eq!(painted(&[""], b"ab"), "ab");
        assert_eq!(painted(&["", "x*"], b"\xff\xed\xa0"), String::from_utf8_lossy(b"\xff\xed\xa0"));
    }
}
