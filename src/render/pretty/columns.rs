//! One record in columns: time, level, logger, message, fields, caller; then the lines that do not fit into one.

use super::{
    look::Look,
    pairs::Pairs,
    placed::{Caller, Placed},
    stack::Stack,
    time::{self, Moment, Zone},
    values::write_text,
};
use crate::{
    event::Instant,
    fields::{self, Field, Kind, Level, Record},
    plan::{Display, Part},
    render::{highlight::Highlight, markers, timestamp::Clock},
};

/// Before lines that belong to the record above; as wide as a level and its blank.
const INDENT: &[u8] = b"    ";

/// How far the word of a level can stand in a text.
const HEAD: usize = 256;

pub struct Columns {
    look: Look,
    /// For `--timestamps`.
    clock: Option<Clock>,
    zone: Zone,
    pairs: Pairs,
    highlight: Option<Highlight>,
    on_terminal: bool,
    /// The text of the message, if it has escapes.
    message: Vec<u8>,
    /// The text of another field.
    text: Vec<u8>,
}

/// The time of a record.
#[derive(Clone, Copy)]
pub struct Time {
    pub moment: Option<Moment>,
    /// Whether it takes the place of the record's own.
    replaces: bool,
    /// Whether the date stands before it: elsewhere than on a terminal, it always does.
    pub has_date: bool,
}

impl Columns {
    pub fn new(display: &Display) -> Columns {
        Columns {
            look: Look::new(display),
            clock: Clock::new(display),
            zone: Zone::new(display.timezone.clone()),
            pairs: Pairs::new(&display.pretty),
            highlight: if display.color_stdout { Highlight::new(&display.highlight) } else { None },
            on_terminal: display.pretty.on_terminal,
            message: Vec::new(),
            text: Vec::new(),
        }
    }

    pub fn unmarked(&mut self) -> bool {
        self.highlight.as_mut().is_some_and(Highlight::took_too_much)
    }

    /// The time to show for a record that the kubelet stamped.
    pub fn time(&mut self, record: &Record<'_, '_>, stamp: Option<Instant>) -> Time {
        if self.clock.is_some() && stamp.is_some() {
            return Time { moment: None, replaces: true, has_date: false };
        }
        let own = record.time().map(|time| self.zone.show(time));
        let mut stamped = || Some(self.zone.show(fields::Time::Instant(stamp?)));
        let moment = match own {
            None => stamped(),
            // On a terminal the day has a line of its own.
            Some(own) if own.day.is_none() && !self.on_terminal => {
                Some(stamped().map_or(own, |stamp| own.near(stamp)))
            }
            Some(own) => Some(own),
        };
        Time { moment, replaces: own.is_some(), has_date: !self.on_terminal }
    }

    /// Writes a line that is no record.
    pub fn text(
        &mut self,
        record: &Record<'_, '_>,
        message: &[u8],
        stamp: Option<Instant>,
        out: &mut Vec<u8>,
    ) {
        self.stamp(stamp, out);
        let start = out.len();
        match record.level().and_then(|level| Some((level, level_word(level, message)?))) {
            Some((level, [before, word, after])) => {
                out.extend_from_slice(before);
                self.look.paint(part(level), word, out);
                out.extend_from_slice(after);
            }
            None => out.extend_from_slice(message),
        }
        self.end_line(start, out);
    }

    /// Writes a line that continues a record.
    pub fn continued(&mut self, message: &[u8], stack: &mut Stack, out: &mut Vec<u8>) {
        let start = out.len();
        let part = if message.contains(&0x1b) { Part::Value } else { stack.part(message) };
        let line = self.indent(message, out);
        self.look.paint(part, line, out);
        self.end_line(start, out);
    }

    /// Writes a record.
    pub fn record(&mut self, record: &Record<'_, '_>, stamp: Option<Instant>, time: Time, out: &mut Vec<u8>) {
        let placed = Placed::new(record, time.replaces, self.on_terminal, &mut self.pairs);
        self.stamp(stamp, out);
        let start = out.len();
        self.time_and_level(record, &placed, time, out);
        if let Some(logger) = placed.logger {
            let style = self.look.of(Part::Logger);
            out.extend_from_slice(style.open.as_bytes());
            write_text(logger.text_in(&mut self.text), self.look.of(Part::Escape), out);
            out.push(b':');
            out.extend_from_slice(style.close.as_bytes());
            out.push(b' ');
        }
        let mut room = std::mem::take(&mut self.message);
        let rest = self.message(record, &placed, &mut room, out);
        self.pairs.write(&self.look, record, &placed, out);
        if let Some(caller) = &placed.caller {
            self.caller(caller, out);
        }
        out.truncate(out.len() - usize::from(out.len() > start && out.ends_with(b" ")));
        self.end_line(start, out);
        for line in rest.into_iter().flat_map(lines) {
            self.part_of_text(line, Part::Value, out);
        }
        self.message = room;
        if let Some(stack) = placed.stack {
            self.stack(&stack, out);
        }
    }

    fn stamp(&mut self, stamp: Option<Instant>, out: &mut Vec<u8>) {
        if let (Some(clock), Some(stamp)) = (&mut self.clock, stamp) {
            clock.write(stamp, out);
            out.push(b' ');
        }
    }

    fn time_and_level(
        &mut self,
        record: &Record<'_, '_>,
        placed: &Placed<'_, '_>,
        time: Time,
        out: &mut Vec<u8>,
    ) {
        let has_time = self.clock.is_some() || time.moment.is_some() && !placed.hides_time;
        if let Some(moment) = time.moment.filter(|_| !placed.hides_time) {
            let style = self.look.of(Part::Time);
            out.extend_from_slice(style.open.as_bytes());
            match time.has_date {
                false => moment.write(out),
                true => moment.write_with_date(out),
            }
            out.extend_from_slice(style.close.as_bytes());
            out.push(b' ');
        }
        match record.level().filter(|_| !placed.hides_level) {
            Some(level) => {
                self.look.paint(part(level), abbreviation(level), out);
                out.push(b' ');
            }
            // So that messages stand below each other.
            None if has_time => out.extend_from_slice(INDENT),
            None => {}
        }
    }

    /// Writes the message. Returns the lines of it that are still to be shown.
    fn message<'r>(
        &self,
        record: &Record<'_, 'r>,
        placed: &Placed<'_, 'r>,
        room: &'r mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Option<&'r [u8]> {
        let field = placed.message?;
        let is_template = field.has_key(b"@mt");
        let text = if is_template {
            room.clear();
            room.extend_from_slice(&record.text());
            &room[..]
        } else {
            field.text_in(room)
        };
        // Docker keeps the newline of a line.
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let (first, rest) = match memchr::memchr(b'\n', text) {
            Some(end) if self.on_terminal => {
                let first = &text[..end];
                (first.strip_suffix(b"\r").unwrap_or(first), Some(&text[end + 1..]))
            }
            _ => (text, None),
        };
        let is_serious = record.level().is_some_and(|level| level >= Level::Warn);
        let style = self.look.of(if is_serious { Part::Message } else { Part::Value });
        out.extend_from_slice(style.open.as_bytes());
        if field.kind() == Kind::Bare {
            // A part of a text keeps its colours, as the text does elsewhere.
            out.extend_from_slice(first);
            if self.on_terminal && first.contains(&0x1b) {
                out.extend_from_slice(b"\x1b[0m");
            }
        } else {
            write_text(first, self.look.of(Part::Escape), out);
        }
        out.extend_from_slice(style.close.as_bytes());
        if !first.is_empty() {
            out.push(b' ');
        }
        rest
    }

    fn caller(&mut self, caller: &Caller<'_, '_>, out: &mut Vec<u8>) {
        let style = self.look.of(Part::Caller);
        out.extend_from_slice(style.open.as_bytes());
        out.extend_from_slice("‹".as_bytes());
        write_text(caller.file.text_in(&mut self.text), self.look.of(Part::Escape), out);
        if let Some(line) = caller.line {
            out.push(b':');
            write_text(line.text_in(&mut self.text), self.look.of(Part::Escape), out);
        }
        out.extend_from_slice("›".as_bytes());
        out.extend_from_slice(style.close.as_bytes());
    }

    /// Writes a stack in lines of its own.
    fn stack(&mut self, field: &Field<'_, '_>, out: &mut Vec<u8>) {
        let (mut stack, mut room) = (Stack::default(), std::mem::take(&mut self.text));
        if field.kind() == Kind::Array {
            for item in field.fields() {
                self.stack_of(item.text_in(&mut room), &mut stack, out);
            }
        } else {
            self.stack_of(field.text_in(&mut room), &mut stack, out);
        }
        self.text = room;
    }

    fn stack_of(&mut self, text: &[u8], stack: &mut Stack, out: &mut Vec<u8>) {
        for line in lines(text) {
            self.part_of_text(line, stack.part(line), out);
        }
    }

    /// Writes a line of a field's text below the record.
    fn part_of_text(&mut self, line: &[u8], part: Part, out: &mut Vec<u8>) {
        let start = out.len();
        let line = self.indent(line, out);
        let style = self.look.of(part);
        out.extend_from_slice(style.open.as_bytes());
        write_text(line, self.look.of(Part::Escape), out);
        out.extend_from_slice(style.close.as_bytes());
        self.end_line(start, out);
    }

    /// Begins a line below the record. Returns the rest of it.
    fn indent<'l>(&self, mut line: &'l [u8], out: &mut Vec<u8>) -> &'l [u8] {
        out.extend_from_slice(INDENT);
        // Behind a prefix, tabs would end at any column.
        while self.on_terminal
            && let [b'\t', rest @ ..] = line
        {
            out.extend_from_slice(INDENT);
            line = rest;
        }
        line
    }

    pub fn date(&self, day: i64, out: &mut Vec<u8>) {
        markers::date(time::date(day), self.look.of(Part::Time), out);
    }

    fn end_line(&mut self, start: usize, out: &mut Vec<u8>) {
        out.push(b'\n');
        if let Some(highlight) = &mut self.highlight {
            highlight.paint(start, out);
        }
    }
}

/// The lines of a text, of which a last newline begins none.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The word in a text that gave its level, with what stands before and behind it; None if the text has colours.
fn level_word(level: Level, message: &[u8]) -> Option<[&[u8]; 3]> {
    if message.contains(&0x1b) {
        return None;
    }
    let head = &message[..message.len().min(HEAD)];
    let words = head.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic());
    let mut at = 0;
    for word in words {
        if Level::of(word) == Some(level) {
            return Some([&message[..at], word, &message[at + word.len()..]]);
        }
        at += word.len();
    }
    None
}

fn part(level: Level) -> Part {
    match level {
        Level::Trace => Part::Trace,
        Level::Debug => Part::Debug,
        Level::Info => Part::Info,
        Level::Notice => Part::Notice,
        Level::Warn => Part::Warn,
        Level::Error => Part::Error,
        Level::Fatal => Part::Fatal,
    }
}

fn abbreviation(level: Level) -> &'static [u8] {
    match level {
        Level::Trace => b"TRC",
        Level::Debug => b"DBG",
        Level::Info => b"INF",
        Level::Notice => b"NTC",
        Level::Warn => b"WRN",
        Level::Error => b"ERR",
        Level::Fatal => b"FTL",
    }
}
