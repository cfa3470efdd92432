//! The new lines of one batch: those to show, and those that an earlier tail showed.

use crate::event::{Item, Line};

pub struct Chosen {
    pub items: Vec<Item>,
    /// All of them, if some were shown before.
    pub read: Vec<Line>,
}

impl Chosen {
    pub fn of(lines: usize) -> Self {
        Self { items: Vec::with_capacity(lines), read: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.read.is_empty()
    }

    /// A line that was not read before.
    pub fn show(&mut self, line: Line) {
        self.items.push(Item::Line(line));
        if !self.read.is_empty() {
            self.read.push(line);
        }
    }

    /// A line that an earlier tail showed.
    pub fn leave_out(&mut self, line: Line) {
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
