//! logfmt: pairs of a key and a value, as a whole line or behind a text.

use super::{
    Form, Key, Kind, Node, Role, Span, Tape,
    json::Wanted,
    keys::{Known, Table},
};

/// Keys that make a line logfmt alone.
const TELLING: [&[u8]; 6] = [b"level", b"lvl", b"msg", b"ts", b"time", b"severity"];

/// Of words between pairs.
const TEXT: Key = Key::Named("text");

#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) key: Span,
    pub(super) value: Span,
    pub(super) kind: Kind,
    /// The place behind it.
    pub(super) end: usize,
}

/// Reads a line that is logfmt: pairs, at least two or a telling one, and at least half of the bytes. Text may come
/// before the first pair, and a value without quotes may have spaces.
pub(super) fn read(line: &[u8], known: &Known, tape: &mut Tape) -> bool {
    let Some((from, to)) = extent(line) else { return false };
    let text = Span::of(0, from).trimmed(line);
    if !text.is_empty() {
        tape.named(Some(Role::Message), "message", text);
    }
    let mut at = from;
    while at < to {
        let before = at;
        match pair(line, at) {
            Some(pair) => {
                tape.pair(line, pair, known);
                at = pair.end;
            }
            None => {
                at = word_end(line, at);
                tape.more_text(Span::of(before, at));
            }
        }
        at += spaces(line, at);
    }
    tape.text_as_message();
    tape.form = Form::Logfmt;
    true
}

/// The first pair and the end, if the line is logfmt.
fn extent(line: &[u8]) -> Option<(usize, usize)> {
    let (mut pairs, mut bytes, mut is_telling, mut first) = (0, 0, false, None);
    let (mut has_part, mut ends_with_text, mut begins_telling) = (false, false, false);
    let mut at = 0;
    while at < line.len() {
        match pair(line, at) {
            Some(pair) => {
                let is_part = pair.is_part(line);
                has_part |= is_part;
                is_telling |= !is_part && TELLING.contains(&pair.key.of_message(line));
                ends_with_text = false;
                begins_telling |= is_telling && at == 0;
                first = first.or(Some(at));
                bytes += pair.end - at;
                pairs += 1;
                at = pair.end;
            }
            None => {
                ends_with_text = true;
                at = word_end(line, at);
            }
        }
        at += spaces(line, at);
    }
    // Text that has pairs, such as a list, or a value of a program.
    if !is_telling && (has_part || ends_with_text) {
        return None;
    }
    let enough = (pairs >= 2 || pairs == 1 && is_telling) && (begins_telling || bytes * 2 >= line.len());
    first.filter(|_| enough).map(|first| (first, line.len()))
}

/// The place from which on a text consists only of pairs; the end if it does not end with some.
pub(super) fn tail(line: &[u8], from: usize) -> usize {
    let mut first = None;
    let mut at = from;
    let mut before = from;
    while at < line.len() {
        match pair(line, at) {
            // A comma before it, or behind it, makes it a part of a sentence.
            Some(found)
                if line[found.end - 1] != b',' && line[..at].trim_ascii_end().last() != Some(&b',') =>
            {
                first = first.or(Some(at));
                at = found.end;
            }
            Some(found) => {
                first = None;
                at = found.end;
            }
            None => {
                first = None;
                at = word_end(line, at);
            }
        }
        before = at;
        at += spaces(line, at);
    }
    first.unwrap_or(before.max(from))
}

/// The pair at this place.
pub(super) fn pair(line: &[u8], at: usize) -> Option<Pair> {
    let rest = &line[at..];
    let length = rest.iter().take_while(|byte| is_key(**byte)).count();
    if length == 0
        || rest.get(length) != Some(&b'=')
        || !(rest[0].is_ascii_alphanumeric() || b"_@".contains(&rest[0]))
    {
        return None;
    }
    let key = Span::of(at, at + length);
    let start = at + length + 1;
    let (value, kind, end) = match line.get(start) {
        Some(quote @ (b'"' | b'\'')) => {
            let (end, escaped) = quoted(line, start + 1, *quote)?;
            (Span::of(start + 1, end), Kind::String { escaped }, end + 1)
        }
        Some(b'=' | b'>') => return None,
        _ => {
            let end = word_end(line, start);
            (Span::of(start, end), Kind::Bare, end)
        }
    };
    let ends = line.get(end).is_none_or(|byte| b" \t".contains(byte));
    ends.then_some(Pair { key, value, kind, end })
}

impl Pair {
    /// Whether it is a part of a list or in brackets, such as `a=1,` and `b=2)`.
    fn is_part(&self, line: &[u8]) -> bool {
        let value = self.value.of_message(line);
        let count = |open: u8, close: u8| {
            let count = |wanted: u8| memchr::memchr_iter(wanted, value).count();
            count(open) != count(close)
        };
        self.kind == Kind::Bare
            && (value.ends_with(b",")
                || count(b'(', b')')
                || count(b'[', b']')
                || count(b'{', b'}')
                || count(b'<', b'>'))
    }
}

/// The end of a string, and whether it has escapes.
pub(super) fn quoted(line: &[u8], start: usize, quote: u8) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += memchr::memchr2(quote, b'\\', line.get(at..)?)?;
        if line[at] == quote {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-/@:$".contains(&byte) || byte >= 0x80
}

fn word_end(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    memchr::memchr2(b' ', b'\t', rest).map_or(line.len(), |length| at + length)
}

fn spaces(line: &[u8], at: usize) -> usize {
    line.get(at..).unwrap_or_default().iter().take_while(|byte| b" \t".contains(byte)).count()
}

impl Tape {
    pub(super) fn pair(&mut self, line: &[u8], pair: Pair, known: &Known) {
        let Pair { key, value, kind, .. } = pair;
        let node = Node { key: Key::Written { span: key, escaped: false }, value, kind, end: 0 };
        let index = self.push(|| node);
        if let Some(entry) = known.find(Table::ROOT, key.of_message(line)) {
            self.found.take(known, entry, kind, value.of_message(line), index);
        }
    }

    /// Words behind a pair: of its value, if that is the message and has no quotes.
    fn more_text(&mut self, words: Span) {
        let index = (self.nodes.len() as u32).checked_sub(1);
        let is_message = index.is_some() && self.found.roles[Role::Message as usize] == index;
        match self.nodes.last_mut() {
            Some(last)
                if last.key == TEXT
                    || is_message && last.kind == Kind::Bare && last.value.start < last.value.end =>
            {
                last.value.end = words.end;
            }
            _ => {
                self.push(|| Node { key: TEXT, value: words, kind: Kind::Bare, end: 0 });
            }
        }
    }

    /// Whether the pairs from there on are only one, at the end of a sentence: Rust's tracing and klog have fields
    /// there.
    pub(super) fn ends_in_text(&self, line: &[u8], tail: usize) -> bool {
        let role = |role: Role| {
            let node = self.nodes.get(self.found.roles[role as usize]? as usize)?;
            Some(node.value.of_message(line))
        };
        let is_structured = self.found.roles[Role::Message as usize].is_some()
            || self.nodes.iter().any(|node| node.key == Key::Named("span"))
            || role(Role::Logger).is_some_and(|logger| memchr::memmem::find(logger, b"::").is_some())
            || role(Role::Level).is_some_and(|level| level.len() == 3);
        let single = pair(line, tail).filter(|pair| pair.kind == Kind::Bare && pair.end == line.len());
        single.is_some() && !is_structured
    }

    /// Words between pairs are the message, if no pair is.
    fn text_as_message(&mut self) {
        if self.found.roles[Role::Message as usize].is_none()
            && let Some(index) = self.nodes.iter().position(|node| node.key == TEXT)
        {
            self.nodes[index].key = Key::Named("message");
            self.found.set(Role::Message, index as u32);
        }
    }
}
