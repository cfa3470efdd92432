//! Levels in text without a head that is known: of a word that stands before the first ordinary one.

use super::cursor::Cursor;
use crate::fields::{Level, Span, keys::Known, time};

use super::head::{is_cry, is_rare, strong};

/// How far a level is sought.
const SOUGHT: usize = 120;
/// How many names may come before the level, such as a pod and its container.
const MOST_NAMES: usize = 3;

/// The first level in what looks like a head.
pub(super) fn level(line: &[u8], from: usize, known: &Known) -> Option<Level> {
    let line = &line[..line.len().min(from + SOUGHT)];
    let mut scan = Scan {
        cursor: Cursor::new(line, from),
        known,
        names: 0,
        words: 0,
        has_time: from > 0,
        has_pod: false,
    };
    loop {
        scan.cursor.word_of(|byte| b" \t|,:-".contains(&byte));
        if scan.cursor.at >= line.len() {
            return None;
        }
        match scan.part() {
            Part::Level(level) => return Some(level),
            Part::Head => {}
            Part::Message => return None,
        }
    }
}

enum Part {
    Level(Level),
    Head,
    Message,
}

struct Scan<'l> {
    cursor: Cursor<'l>,
    known: &'l Known,
    names: usize,
    /// Names that could be words as well.
    words: usize,
    has_time: bool,
    has_pod: bool,
}

impl Scan<'_> {
    fn part(&mut self) -> Part {
        let line = self.cursor.line;
        if let Some(stamp) = time::stamp(self.cursor.rest()) {
            self.cursor.at += stamp.length;
            self.has_time = true;
            return Part::Head;
        }
        for (open, close) in [(b'[', b']'), (b'(', b')'), (b'<', b'>'), (b'{', b'}')] {
            if let Some(inside) = self.cursor.enclosed(open, close) {
                let level = self.bracketed(inside.of_message(line)).filter(|_| open != b'{');
                return match level {
                    Some(_) if self.words > 0 && !self.has_time => Part::Message,
                    Some(level) => Part::Level(level),
                    None => Part::Head,
                };
            }
        }
        let start = self.cursor.at;
        let letters = self.cursor.word_of(|byte| byte.is_ascii_alphabetic() || byte > 0x7f);
        if !letters.is_empty()
            && let Some(level) = self.word(letters)
        {
            return Part::Level(level);
        }
        self.cursor.at = start;
        let token = self.cursor.word().of_message(line);
        self.name(token)
    }

    /// `error`, ` E `, `core:error`
    fn bracketed(&self, text: &[u8]) -> Option<Level> {
        let text = text.trim_ascii();
        let last = text.rsplit(|byte| b":/".contains(byte)).next().unwrap_or_default();
        self.level_of(text).or_else(|| strong(last)).filter(|_| !text.last().is_some_and(u8::is_ascii_digit))
    }

    fn level_of(&self, word: &[u8]) -> Option<Level> {
        self.known.own(word).or_else(|| match word {
            [letter] => b"TDIWEFC".contains(letter).then(|| Level::of(word)).flatten(),
            _ => strong(word),
        })
    }

    /// A level that is a word: ` ERROR `, `WARN: x`, `error: x`
    fn word(&self, word: Span) -> Option<Level> {
        let line = self.cursor.line;
        let text = word.of_message(line);
        let rest = self.cursor.rest();
        let is_first = self.names == 0;
        let own = self.known.own(text);
        // Android: `I/Tag: x`
        if let [letter] = text {
            let is_tag = is_first && !self.has_time && rest.first() == Some(&b'/') && is_tag(&rest[1..]);
            return (is_tag && b"VDIWEF".contains(letter)).then(|| letter_of_android(*letter));
        }
        let level = own.or_else(|| strong(text))?;
        let is_upper = !text.iter().any(u8::is_ascii_lowercase);
        let space = |byte: Option<&u8>| byte.is_none_or(|byte| b" \t|".contains(byte));
        let has_colon = matches!(rest.first(), Some(b':' | b'|')) && space(rest.get(1));
        if !is_upper && own.is_none() {
            let is_title = text.first().is_some_and(u8::is_ascii_uppercase);
            let is_plain = self.names == 0 && has_colon && !(is_title && is_rare(text) && !self.has_time);
            return (is_plain || rest.first() == Some(&b'\t')).then_some(level);
        }
        let next = rest.trim_ascii_start();
        let arrow = [&b"==>"[..], b"=>", b"->"].iter().any(|arrow| next.starts_with(arrow));
        let marked = arrow || has_colon || [&b"|"[..], b"- "].iter().any(|mark| next.starts_with(mark));
        let ends = match rest.first() {
            None => true,
            Some(b':') => space(rest.get(1)),
            Some(byte) => b" \t])|/-,".contains(byte),
        };
        let is_pair = next.starts_with(b"=") && !arrow;
        let is_word = self.words > 0 && !marked && (!(self.has_time || self.has_pod) || is_rare(text))
            || !self.has_time && is_cry(text) && !marked && !rest.starts_with(b"  ");
        (ends && !is_pair && !is_word).then_some(level)
    }

    /// A name, such as that of a pod or a logger, or the first word of the message.
    fn name(&mut self, token: &[u8]) -> Part {
        let is_number = token.iter().any(u8::is_ascii_digit) && !token.iter().any(u8::is_ascii_alphabetic);
        if is_number && token.is_ascii() && !token.contains(&b'"') {
            return if self.words > 0 { Part::Message } else { Part::Head };
        }
        // `main:error message`
        if let Some(colon) = memchr::memchr(b':', token).filter(|_| self.names == 0 && !self.has_time) {
            let (name, word) = (&token[..colon], &token[colon + 1..]);
            let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric);
            if let Some(level) = strong(word).filter(|_| is_name && word.iter().all(u8::is_ascii_alphabetic))
            {
                return Part::Level(level);
            }
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-/:@$#*~".contains(byte);
        let name = token.strip_suffix(b":").unwrap_or(token);
        if !name.iter().all(is_part) || name.ends_with(b".") || self.names == MOST_NAMES {
            return Part::Message;
        }
        self.names += 1;
        let stands_out =
            name.len() < token.len() || name.iter().any(|byte| b"._-:/0123456789".contains(byte));
        let next = Cursor::new(self.cursor.line, self.cursor.at).rest().trim_ascii_start();
        let is_ended =
            next.starts_with(b"| ") || self.has_time && (next.starts_with(b"- ") || next.starts_with(b"["));
        // `web-0`: a pod, whose container follows.
        let ends_with_number = name.last().is_some_and(u8::is_ascii_digit) && name.contains(&b'-');
        self.has_pod |= self.names == 1 && ends_with_number;
        if !stands_out && !is_ended {
            self.words += 1;
        }
        if self.words > 1 { Part::Message } else { Part::Head }
    }
}

/// `Tag: x`, `Tag( 12): x`
fn is_tag(text: &[u8]) -> bool {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    let rest = text[length..].trim_ascii_start();
    length > 0 && (rest.starts_with(b": ") || rest.starts_with(b"("))
}

fn letter_of_android(letter: u8) -> Level {
    match letter {
        b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        _ => Level::Fatal,
    }
}
