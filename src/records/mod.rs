//! Records: which lines of a log belong together, as a stack trace to its first line.
//!
//! A line that is joined falsely does more harm than one that is missed: what is joined may be hidden with its head.

#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gather;
mod head;
mod languages;
mod line;
mod trace;

#[cfg(test)]
mod tests;

use crate::event::Instant;
pub use gather::{Gather, Gathering, WAIT};
use head::Head;
use line::Line;
use trace::{Joins, Trace};

/// A program writes the lines of a record at once.
const TOGETHER: u64 = 50_000_000;

/// The lines of one log, in order.
#[derive(Debug, Default, Clone)]
pub struct Records {
    /// The time of the line before; the outer None: there was none.
    last: Option<Option<Instant>>,
    head: Head,
    trace: Trace,
    /// Whether the line before was the first of its record.
    is_second: bool,
    /// Whether a line of the record ended with a bracket that no line closed.
    is_open: bool,
}

impl Records {
    /// Whether the next line belongs to the record of the line before.
    #[inline]
    pub fn continues(&mut self, time: Option<Instant>, message: &[u8]) -> bool {
        let before = self.last.replace(time);
        if let [b'{', _, ..] = message {
            *self = Records { last: self.last, ..Records::default() };
            return false;
        }
        self.judge(is_together(before, time), &Line::new(message))
    }

    /// Whether a line written at that time or later may still belong to the record of the line before.
    pub fn may_continue(&self, time: Instant) -> bool {
        matches!(self.last, Some(Some(last)) if time.0 <= last.0.saturating_add_unsigned(TOGETHER))
    }

    fn judge(&mut self, is_together: bool, line: &Line<'_>) -> bool {
        let continued = if is_together { self.continued(line) } else { None };
        match continued {
            Some(trace) => self.trace = trace,
            None => {
                self.is_open = false;
                self.trace = Trace::begun_by(line);
                self.head = Head::of(line);
            }
        }
        self.is_second = continued.is_none();
        match line.text.last() {
            Some(b'{' | b'[' | b'(') => self.is_open = true,
            _ if !line.is_indented && line.is_closing() => self.is_open = false,
            _ => {}
        }
        continued.is_some()
    }

    /// The state after a line that continues the record; None: it begins another one.
    fn continued(&self, line: &Line<'_>) -> Option<Trace> {
        if self.head.takes(line, self.is_second) {
            return Some(self.trace);
        }
        if line.has_head() {
            return None;
        }
        if line.is_indented {
            return self.indented(line);
        }
        // Loggers may set an empty line between the head and its trace.
        if line.text.is_empty() && self.trace == Trace::None && self.head.has_level() {
            return Some(Trace::Blank);
        }
        let within =
            if self.is_open && line.is_closing() { Some(self.trace) } else { self.trace.after(line) };
        within.or_else(|| self.opened(line))
    }

    fn indented(&self, line: &Line<'_>) -> Option<Trace> {
        if self.is_before_trace() {
            // Frames of Python may stand without the line that opens a traceback.
            if Trace::opened_by(line).is_some() {
                return self.opened(line);
            }
            if !self.is_open && line.has_level() {
                return None;
            }
        }
        // JSON is a record, unless it is a value in one of several lines.
        let is_json = line.text.starts_with(b"{\"") && line.text.ends_with(b"}");
        (self.is_open || !is_json).then(|| self.trace.indented(line))
    }

    fn is_before_trace(&self) -> bool {
        matches!(self.trace, Trace::None | Trace::Blank)
    }

    /// The state after a line that opens a trace and belongs to the head; a record has one trace.
    fn opened(&self, line: &Line<'_>) -> Option<Trace> {
        let (trace, joins) = Trace::opened_by(line).filter(|_| self.is_before_trace())?;
        let belongs = match joins {
            Joins::No => false,
            Joins::Serious => self.head.is_serious(),
            Joins::Tabbed => self.head.is_serious_and_tabbed(),
            Joins::AnyLevel => self.head.has_level(),
        };
        belongs.then_some(trace)
    }
}

fn is_together(before: Option<Option<Instant>>, time: Option<Instant>) -> bool {
    match (before, time) {
        (None, _) => false,
        (Some(Some(before)), Some(time)) => time.0.abs_diff(before.0) <= TOGETHER,
        // Lines of standard input have no time.
        (Some(_), _) => true,
    }
}
