//! The places in a record that conditions name.

use crate::fields::Role;

/// A place in a record, as it was typed and as it is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub typed: String,
    pub subject: Subject,
    /// Of the field: also of an alias, where a record has no other value for that.
    pub steps: Vec<Step>,
}

/// The part of a record that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A field by its name.
    Field,
    /// The level of the record, however it is written.
    Level,
    /// The time of the record.
    Time,
    /// The field with this role.
    Role(Role),
    /// A name of the origin.
    Origin(Name),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Pod,
    Container,
    Namespace,
    Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Keys(Keys),
    /// An item of an array, counted from 0.
    Item(usize),
    /// Any item of an array.
    Each,
}

/// Keys of objects one within the other. Of `a.b`, a key `a.b` comes first, then a key `b` within `a`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    joined: String,
    /// The borders of each key in the text above.
    borders: Vec<(usize, usize)>,
}

impl Subject {
    /// The meaning of a name without a point.
    pub fn alias(name: &str) -> Option<Subject> {
        Some(match name {
            "level" => Subject::Level,
            "time" => Subject::Time,
            "msg" => Subject::Role(Role::Message),
            "logger" => Subject::Role(Role::Logger),
            "caller" => Subject::Role(Role::Caller),
            "error" => Subject::Role(Role::Error),
            "stack" => Subject::Role(Role::Stack),
            "trace" => Subject::Role(Role::Trace),
            "pod" => Subject::Origin(Name::Pod),
            "container" => Subject::Origin(Name::Container),
            "namespace" => Subject::Origin(Name::Namespace),
            "node" => Subject::Origin(Name::Node),
            _ => return None,
        })
    }

    /// Whether its text may continue in further lines.
    pub fn may_have_lines(self) -> bool {
        matches!(self, Subject::Role(Role::Message | Role::Error | Role::Stack))
    }
}

impl Keys {
    pub fn push(&mut self, key: &str) {
        if !self.borders.is_empty() {
            self.joined.push('.');
        }
        let start = self.joined.len();
        self.joined.push_str(key);
        self.borders.push((start, self.joined.len()));
    }

    pub fn len(&self) -> usize {
        self.borders.len()
    }

    /// The keys from `from` until before `to`, joined by points.
    pub fn join(&self, from: usize, to: usize) -> &[u8] {
        let (start, end) = (self.borders[from].0, self.borders[to - 1].1);
        &self.joined.as_bytes()[start..end]
    }
}
