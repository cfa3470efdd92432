//! The new lines of one batch: those to show, and those that an earlier tail showed.

use crate::event::{Item, Line};

pub struct Chosen {
    pub items: Vec<Item>,
    /// All of them as they were read, if some were shown before or only in part.
    pub read: Vec<Line>,
}

impl Chosen {
    pub fn of(lines: usize) -> Self {
        Self { items: Vec::with_capacity(lines), read: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.read.is_empty()
    }

    /// A line that was not read before, and the part of it that is shown.
    pub fn show(&mut self, line: Line, shown: Line) {
        if line != shown || !self.read.is_empty() {
            self.read(line);
        }
        self.items.push(Item::Line(shown));
    }

    /// A line counts as read, though less of it is shown, or nothing: an earlier tail showed it.
    pub fn read(&mut self, line: Line) {
        if self.read.is_empty() {
            let lines = self.items.iter().filter_map(|item| match item {
                Item::Line(line) => Some(*line),
                Item::Gap(_) | Item::Separator => None,
            });
            self.read.extend(lines);
        }
        self.read.push(line);
    }
}
