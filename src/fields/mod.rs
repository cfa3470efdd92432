//! Fields: what a message says in a form that programs read, such as JSON, logfmt, klog, or the head of a text log.
//!
//! A message is scanned into a [`Tape`], which is used again for the next one, so that nothing is allocated for a line.
//! Everything that is shown of a field is a slice of the message, byte for byte.

mod found;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod json;
mod keys;
mod level;
mod logfmt;
mod path;
mod scan;
mod strip;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod unescape;

use std::borrow::Cow;

use found::Found;
pub use keys::{Vocabulary, Words};
pub use level::Level;
pub use time::Time;
use unescape::{unescape, unescape_to};

/// How a message is written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object, which text may precede.
    Json,
    /// `key=value` pairs, which text may precede; klog and console formats too.
    Logfmt,
    /// A text with a head that is known: time, level, and the like.
    Headed,
    /// Anything else.
    #[default]
    Text,
}

/// What a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Time,
    Level,
    Message,
    Logger,
    Caller,
    Error,
    Stack,
    Trace,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Number,
    /// In quotes, with JSON's escapes or without.
    String {
        escaped: bool,
    },
    /// Without quotes, as in logfmt and in text.
    Bare,
    Object,
    Array,
}

/// Bytes of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Lines are shorter than 1 GiB.
    fn of(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    fn of_message(self, message: &[u8]) -> &[u8] {
        message.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// In the message, without quotes.
    Written { span: Span, escaped: bool },
    /// Of a part of a text that has no name there, such as `thread`.
    Named(&'static str),
    /// An item of an array.
    Item,
}

/// A field, in the order of the message; those within it follow.
#[derive(Debug, Clone, Copy)]
struct Node {
    key: Key,
    /// Of a string, without its quotes.
    value: Span,
    kind: Kind,
    /// The index behind the last field within it.
    end: u32,
}

/// What was scanned of one message.
#[derive(Debug, Default)]
struct Tape {
    form: Form,
    found: Found,
    nodes: Vec<Node>,
}

/// Reads messages.
#[derive(Debug, Default)]
pub struct Reader {
    vocabulary: Vocabulary,
    tape: Tape,
    open: Vec<json::Open>,
    plain: strip::Plain,
}

/// A message and its fields.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r, 'm> {
    message: &'m [u8],
    tape: &'r Tape,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field<'r, 'm> {
    record: Record<'r, 'm>,
    index: u32,
    node: &'r Node,
}

impl<'r, 'm> Record<'r, 'm> {
    /// All of it, as it was written.
    pub fn message(&self) -> &'m [u8] {
        self.message
    }

    pub fn form(&self) -> Form {
        self.tape.form
    }

    pub fn level(&self) -> Option<Level> {
        self.tape.found.level
    }

    pub fn role(&self, role: Role) -> Option<Field<'r, 'm>> {
        self.field(self.tape.found.roles[role as usize]?)
    }

    /// The text of the message: of its field, or all of a text without a known head.
    pub fn text(&self) -> Cow<'m, [u8]> {
        match self.role(Role::Message) {
            Some(template) if template.has_key(b"@mt") => {
                Cow::Owned(template::filled(self, &template.text()))
            }
            Some(message) => message.text(),
            None => Cow::Borrowed(self.message),
        }
    }

    /// The time that the record gives itself, as far as it can be understood.
    pub fn time(&self) -> Option<Time> {
        time::of_field(&self.role(Role::Time)?)
    }

    /// The fields that are in no other, in the order of the message, those with a role too.
    pub fn fields(&self) -> impl Iterator<Item = Field<'r, 'm>> + Clone + use<'r, 'm> {
        self.within(0, self.tape.nodes.len() as u32)
    }

    fn within(self, first: u32, end: u32) -> impl Iterator<Item = Field<'r, 'm>> + Clone + use<'r, 'm> {
        let mut next = first;
        std::iter::from_fn(move || {
            let field = (next < end).then(|| self.field(next)).flatten()?;
            next = field.node.end;
            Some(field)
        })
    }

    fn field(self, index: u32) -> Option<Field<'r, 'm>> {
        let node = self.tape.nodes.get(index as usize)?;
        Some(Field { record: self, index, node })
    }

    fn bytes(&self, span: Span) -> &'m [u8] {
        span.of_message(self.message)
    }
}

impl<'r, 'm> Field<'r, 'm> {
    pub fn kind(&self) -> Kind {
        self.node.kind
    }

    /// Empty for an item of an array.
    pub fn key(&self) -> Cow<'m, [u8]> {
        match self.node.key {
            Key::Written { span, escaped: true } => Cow::Owned(unescape(self.record.bytes(span))),
            Key::Written { span, escaped: false } => Cow::Borrowed(self.record.bytes(span)),
            Key::Named(name) => Cow::Borrowed(name.as_bytes()),
            Key::Item => Cow::Borrowed(&[]),
        }
    }

    pub fn has_key(&self, key: &[u8]) -> bool {
        match self.node.key {
            Key::Written { escaped: true, .. } => *self.key() == *key,
            Key::Written { span, escaped: false } => self.record.bytes(span) == key,
            Key::Named(name) => name.as_bytes() == key,
            Key::Item => false,
        }
    }

    /// The value as it is written; of a string, without its quotes.
    pub fn raw(&self) -> &'m [u8] {
        self.record.bytes(self.node.value)
    }

    /// The value, with the escapes of a string resolved. Bytes that are not UTF-8 stay.
    pub fn text(&self) -> Cow<'m, [u8]> {
        match self.node.kind {
            Kind::String { escaped: true } => Cow::Owned(unescape(self.raw())),
            _ => Cow::Borrowed(self.raw()),
        }
    }

    /// The same without an allocation, if there is room.
    pub fn text_in<'b>(&self, room: &'b mut Vec<u8>) -> &'b [u8]
    where
        'm: 'b,
    {
        if !matches!(self.node.kind, Kind::String { escaped: true }) {
            return self.raw();
        }
        room.clear();
        unescape_to(self.raw(), room);
        room
    }

    /// Whether both are the same field of the same record.
    pub fn is_same(&self, other: &Field<'_, '_>) -> bool {
        self.index == other.index
    }

    /// Whether it is the field with this role, or holds that.
    pub fn holds(&self, role: Role) -> bool {
        let index = self.record.tape.found.roles[role as usize];
        index.is_some_and(|index| (self.index..self.node.end).contains(&index))
    }

    /// The fields of an object, or the items of an array.
    pub fn fields(&self) -> impl Iterator<Item = Field<'r, 'm>> + Clone + use<'r, 'm> {
        self.record.within(self.index + 1, self.node.end)
    }

    /// Whether it is a part of the message, which has it too.
    pub fn is_in_message(&self) -> bool {
        let message = self.record.role(Role::Message).filter(|message| message.kind() == Kind::Bare);
        message.is_some_and(|message| {
            let (inner, outer) = (self.node.value, message.node.value);
            !self.is_same(&message) && outer.start <= inner.start && inner.end <= outer.end
        })
    }

    /// Whether it is the field with this role.
    pub fn is(&self, role: Role) -> bool {
        self.record.tape.found.roles[role as usize] == Some(self.index)
    }
}
