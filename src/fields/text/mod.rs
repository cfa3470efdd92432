//! Text: lines with a head, such as a time and a level, that is followed by a message, by pairs, or by an object.

mod access;
mod crash;
mod cursor;
mod head;
mod shapes;
mod tiers;

use super::{
    Form, Kind, Level, Role, Span, Tape,
    json::{self, Open, Wanted},
    keys::Known,
    logfmt, time,
};
use cursor::Cursor;

/// Some programs write it before the first line.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How far a head may go.
const LONGEST_HEAD: usize = 512;
/// How many braces are tried as the beginning of an object.
const TRIES: usize = 4;

/// Where the message of a line is, after its head was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// From here to the end, with pairs or an object at the end.
    Message(usize),
    /// All is read.
    Done,
}

/// The level of a record whose second line tells it.
pub(super) fn level_of_two(first: &[u8], second: &[u8]) -> Option<Level> {
    shapes::util_logging_level(first, second).or_else(|| crash::level_of_two(first, second))
}

/// Reads a line that is no object.
pub(super) fn read(line: &[u8], known: &Known, open: &mut Vec<Open>, tape: &mut Tape) {
    let start = prefix(line, tape);
    let state = (tape.nodes.len(), tape.found);
    let mut attempt = |read: &dyn Fn(&mut Tape) -> Option<Rest>| {
        let found = read(tape);
        if found.is_none() {
            tape.nodes.truncate(state.0);
            tape.found = state.1;
        }
        found
    };
    let found = attempt(&|tape| shapes::read(line, start, tape))
        .or_else(|| attempt(&|tape| behind_others(line, start, tape)))
        .or_else(|| attempt(&|tape| head::read(line, start, known, tape)))
        .or_else(|| attempt(&|tape| access::read(line, start, tape)))
        .or_else(|| attempt(&|tape| head::without_level(line, start, known, tape)));
    match found {
        Some(Rest::Done) => tape.form = Form::Headed,
        Some(Rest::Message(at)) => {
            tape.form = Form::Headed;
            rest(line, at, known, open, tape);
        }
        None => without_head(line, start, known, open, tape),
    }
    if tape.found.level.is_none() && tape.form != Form::Json {
        let from = tape.found.roles[Role::Time as usize].and_then(|time| tape.nodes.get(time as usize));
        let from = from.map_or(start, |time| time.value.end as usize).max(start);
        tape.found.level = match tape.form {
            Form::Text | Form::Headed => {
                crash::level(&line[start..]).or_else(|| tiers::level(line, from, known))
            }
            Form::Json | Form::Logfmt => None,
        };
        if tape.form == Form::Text && start > 0 {
            tape.form = Form::Headed;
            tape.message(Span::of(start, line.len()).trimmed(line));
        }
    }
}

/// Reads a line with a shape of its own behind a time, or behind the names of a pod and its container.
fn behind_others(line: &[u8], start: usize, tape: &mut Tape) -> Option<Rest> {
    let mut cursor = Cursor::new(line, start);
    for _ in 0..3 {
        let begin = cursor.at;
        match time::stamp(cursor.rest()) {
            Some(stamp) => cursor.at += stamp.length,
            None => {
                cursor.word_of(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
                });
            }
        }
        if cursor.at == begin || !cursor.eat(b" ") {
            return None;
        }
        let before = tape.nodes.len();
        tape.named(None, "prefix", Span::of(start, cursor.at - 1));
        if let Some(rest) = shapes::read(line, cursor.at, tape) {
            return Some(rest);
        }
        tape.nodes.truncate(before);
    }
    None
}

fn without_head(line: &[u8], start: usize, known: &Known, open: &mut Vec<Open>, tape: &mut Tape) {
    let before = tape.nodes.len();
    if object(line, start, None, known, open, tape) {
        tape.form = Form::Json;
        tape.found.finish();
        return;
    }
    tape.nodes.truncate(before);
    if start == 0 && logfmt::read(line, known, tape) {
        tape.found.finish();
    } else if start > 0 {
        // A pod's name, or the like, before a line that is logfmt.
        let tail = logfmt::tail(line, start);
        if tail == start && tail < line.len() {
            tape.form = Form::Logfmt;
            pairs(line, tail, known, tape);
        }
    }
}

/// Reads what follows a head: the message, and behind it an object or pairs.
fn rest(line: &[u8], at: usize, known: &Known, open: &mut Vec<Open>, tape: &mut Tape) {
    let at = at + Cursor::new(line, at).count_spaces();
    if object(line, at, Some(Role::Message), known, open, tape) {
        tape.form = Form::Json;
    } else {
        let tail = logfmt::tail(line, at);
        if tail < line.len() {
            tape.form = Form::Logfmt;
        }
        // One pair at the end of a sentence is a part of it, and a field.
        let end = if tape.ends_in_text(line, tail) { line.len() } else { tail };
        tape.message(Span::of(at, end).trimmed(line));
        pairs(line, tail, known, tape);
    }
    tape.found.finish();
}

fn pairs(line: &[u8], from: usize, known: &Known, tape: &mut Tape) {
    let mut at = from;
    while let Some(pair) = logfmt::pair(line, at) {
        tape.pair(line, pair, known);
        at = pair.end;
        at += Cursor::new(line, at).count_spaces();
        if at >= line.len() {
            break;
        }
    }
}

/// Reads an object at the end of a line, and the text before it as the message.
///
/// Without the role the text is only then the message if the object has none.
fn object(
    line: &[u8],
    from: usize,
    role: Option<Role>,
    known: &Known,
    open: &mut Vec<Open>,
    tape: &mut Tape,
) -> bool {
    let text = &line[from..];
    let is_closed = matches!(text.last(), Some(b'}' | b')' | b']'));
    if !is_closed {
        return false;
    }
    let begins = |at: &usize| {
        *at == 0
            || b" \t".contains(&text[at - 1]) && text.get(at + 1).is_some_and(|next| b"\"{} ".contains(next))
    };
    for brace in memchr::memchr_iter(b'{', text).filter(begins).take(TRIES) {
        let (nodes, found) = (tape.nodes.len(), tape.found);
        let message = Span::of(from, from + brace).trimmed(line);
        let index = (!message.is_empty()).then(|| match role {
            Some(role) => tape.named(Some(role), "message", message),
            None => tape.named(None, "prefix", message),
        });
        // semantic_logger has two braces.
        let double = text[brace..].starts_with(b"{{");
        let start = from + brace + usize::from(double);
        if let Ok(end) = json::object(line, start, known, open, tape) {
            let is_end = match double {
                // Symfony's second list
                false => matches!(line[end..].trim_ascii(), b"" | b"[]"),
                true => line.get(end) == Some(&b'}') && metrics(line, end + 1, tape),
            };
            if is_end {
                if let Some(index) = index {
                    tape.found.set(Role::Message, index);
                }
                return true;
            }
        }
        tape.nodes.truncate(nodes);
        tape.found = found;
    }
    false
}

/// `[Metric: …] (0.270ms)` at the end of semantic_logger's lines.
fn metrics(line: &[u8], from: usize, tape: &mut Tape) -> bool {
    let mut cursor = Cursor::new(line, from);
    loop {
        cursor.spaces();
        if cursor.at == line.len() {
            return true;
        }
        if let Some(inside) = cursor.enclosed(b'[', b']') {
            tape.named(None, "metric", inside);
        } else if let Some(inside) = cursor.enclosed(b'(', b')') {
            tape.named(None, "duration", inside);
        } else {
            return false;
        }
    }
}

/// What another program put before the line: `web-1  | `, `[pod/web/app] `, `<14>`. The place behind it.
fn prefix(line: &[u8], tape: &mut Tape) -> usize {
    let mut cursor = Cursor::new(line, 0);
    if cursor.eat(BYTE_ORDER_MARK) {
        return cursor.at;
    }
    if let Some(inside) = cursor.enclosed(b'<', b'>') {
        let digits = inside.of_message(line);
        if let Some(number) = super::found::whole(digits).filter(|number| *number < 192) {
            if cursor.rest().starts_with(b"1 ") {
                cursor.at += 2;
            }
            let index = tape.named(Some(Role::Level), "priority", inside);
            tape.found.level = super::level::syslog(number % 8);
            tape.found.roles[Role::Level as usize] = Some(index);
            return cursor.at;
        }
        cursor.at = 0;
    }
    if line.starts_with(b"[pod/")
        && let Some(inside) = cursor.enclosed(b'[', b']')
    {
        tape.named(None, "prefix", inside);
        cursor.spaces();
        return cursor.at;
    }
    let name = cursor.word_of(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let padding = cursor.count_spaces();
    let is_service =
        name.of_message(line).iter().rposition(|byte| b"-_".contains(byte)).is_some_and(|dash| {
            let digits = &name.of_message(line)[dash + 1..];
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        });
    if is_service && padding > 0 && cursor.rest()[padding..].starts_with(b"| ") {
        tape.named(None, "prefix", name);
        return cursor.at + padding + 2;
    }
    0
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.start >= self.end
    }

    pub(super) fn trimmed(self, line: &[u8]) -> Span {
        let text = self.of_message(line);
        let start = self.start + (text.len() - text.trim_ascii_start().len()) as u32;
        Span { start, end: (start + text.trim_ascii().len() as u32).max(start) }
    }
}

impl Tape {
    /// Takes a part of a text.
    pub(super) fn named(&mut self, role: Option<Role>, name: &'static str, value: Span) -> u32 {
        let index =
            self.push(|| super::Node { key: super::Key::Named(name), value, kind: Kind::Bare, end: 0 });
        if let Some(role) = role {
            self.found.set(role, index);
        }
        index
    }

    /// The message, unless there is none.
    fn message(&mut self, span: Span) {
        if !span.is_empty() {
            self.named(Some(Role::Message), "message", span);
        }
    }
}
