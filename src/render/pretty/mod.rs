//! `-o pretty`: a record a line, in columns for people; stack traces in lines below it on a terminal.

mod columns;
#[cfg(fuzzing)]
pub mod fuzz;
mod look;
mod pairs;
mod placed;
mod stack;
#[cfg(test)]
mod tests;
mod time;
mod values;

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{Format, Frame, address, color::Palette, default::Prefixed};
use crate::{
    event::{Instant, Item, Stretch},
    fields::{Form, Reader},
    origin::Origin,
    plan::Display,
    records::Records,
};
use columns::Columns;
use stack::Stack;

pub struct Pretty {
    prefix: Prefixed,
    reader: Reader,
    columns: Columns,
    on_terminal: bool,
    /// The last date that was shown, in days since 1970-01-01.
    day: Option<i64>,
    /// By the origin's address, which is not reused while the origin is kept.
    states: HashMap<usize, State, FixedState>,
    /// The origin of the line that was written last, unless something else was written since.
    last: Option<usize>,
}

/// What is kept of one origin.
#[derive(Default)]
struct State {
    records: Records,
    stack: Stack,
    /// The day of its last record.
    day: Option<i64>,
}

impl Pretty {
    pub fn new(display: &Display, palette: Palette) -> Pretty {
        let on_terminal = display.pretty.on_terminal;
        Pretty {
            prefix: Prefixed::new(display, palette),
            reader: Reader::new(display.pretty.vocabulary.clone()),
            columns: Columns::new(display),
            on_terminal,
            day: display.pretty.today,
            states: HashMap::default(),
            last: None,
        }
    }
}

impl Format for Pretty {
    fn frame(&self, origin: &Origin) -> Frame {
        self.prefix.frame(origin)
    }

    /// Unused: whether a line continues a record depends on the lines before it.
    fn body(&mut self, _: Option<Instant>, _: &[u8], _: &mut Vec<u8>) {}

    fn lines(&mut self, frame: &Frame, stretch: Stretch<'_>, out: &mut Vec<u8>) {
        let origin = address(stretch.origin);
        let Pretty { prefix, reader, columns, on_terminal, day, states, last } = self;
        let state = states.entry(origin).or_default();
        for item in stretch.items {
            let line = match item {
                Item::Line(line) => line,
                Item::Gap(_) => continue,
                Item::Separator => {
                    prefix.separator(frame, out);
                    *last = None;
                    continue;
                }
            };
            let message = stretch.message(line);
            if state.records.continues(line.time, message) {
                if !*on_terminal || *last != Some(origin) {
                    out.extend_from_slice(&frame.head);
                }
                columns.continued(message, &mut state.stack, out);
            } else {
                state.stack = Stack::default();
                let record = reader.read(message);
                if record.form() == Form::Text || record.fields().next().is_none() {
                    out.extend_from_slice(&frame.head);
                    columns.text(&record, message, line.time, out);
                } else {
                    let mut time = columns.time(&record, line.time);
                    if let Some(next) = time.moment.and_then(|moment| moment.day)
                        && *on_terminal
                    {
                        match Date::of(next, day, &mut state.day) {
                            Date::Known => {}
                            Date::Line => columns.date(next, out),
                            Date::Beside => time.has_date = true,
                        }
                    }
                    out.extend_from_slice(&frame.head);
                    columns.record(&record, line.time, time, out);
                }
            }
            *last = Some(origin);
        }
    }

    fn interrupted(&mut self) {
        self.last = None;
    }

    fn forget(&mut self, origin: &Origin) {
        self.states.remove(&address(origin));
    }

    fn unmarked(&mut self) -> bool {
        self.columns.unmarked()
    }
}

/// Where the date of a record is shown.
enum Date {
    /// It is the one shown last.
    Known,
    /// In a line of its own.
    Line,
    /// Before its time: origins of which one is behind midnight draw no line each time.
    Beside,
}

impl Date {
    fn of(day: i64, shown: &mut Option<i64>, own: &mut Option<i64>) -> Date {
        let is_new = own.replace(day) != Some(day);
        match shown {
            Some(shown) if *shown == day => Date::Known,
            Some(_) if !is_new => Date::Beside,
            _ => shown.replace(day).map_or(Date::Known, |_| Date::Line),
        }
    }
}
