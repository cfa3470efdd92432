//! Finds in a record what a path names.

use std::borrow::Cow;

use super::Seen;
use crate::{
    event::Instant,
    fields::{Field, Form, Kind, Level, Record, Role},
    plan::condition::{Keys, Name, Path, Step, Subject},
};

/// A value at a path.
#[derive(Clone, Copy)]
pub enum Found<'s> {
    Field(Field<'s, 's>),
    /// An item of an array that has a key, which names the unit of its items too.
    Item {
        item: Field<'s, 's>,
        array: Field<'s, 's>,
    },
    Level(Level),
    Time(Instant),
    /// A message without fields, or a name.
    Text(&'s [u8]),
}

impl<'s> Found<'s> {
    pub fn field(&self) -> Option<Field<'s, 's>> {
        match self {
            Found::Field(field) | Found::Item { item: field, .. } => Some(*field),
            Found::Level(_) | Found::Time(_) | Found::Text(_) => None,
        }
    }

    /// Without quotes and escapes; None: null, which is no text.
    pub fn text(&self) -> Option<Cow<'s, [u8]>> {
        match self {
            Found::Field(field) | Found::Item { item: field, .. } => {
                (field.kind() != Kind::Null).then(|| field.text())
            }
            Found::Level(level) => Some(Cow::Borrowed(level.name().as_bytes())),
            Found::Time(time) => Some(Cow::Owned(written(*time))),
            Found::Text(text) => Some(Cow::Borrowed(text)),
        }
    }
}

fn written(time: Instant) -> Vec<u8> {
    let time = jiff::Timestamp::from_nanosecond(time.0.into()).unwrap_or_default();
    time.to_string().into_bytes()
}

/// Whether any value at this path passes; None: there is no value.
pub fn resolve<'s>(path: &Path, seen: Seen<'s>, passes: &mut dyn FnMut(Found<'s>) -> bool) -> Option<bool> {
    let Seen { record, origin, time } = seen;
    let known = match path.subject {
        Subject::Field => None,
        Subject::Level => record.level().map(Found::Level),
        Subject::Time => time.or_else(|| record.time()?.instant()).map(Found::Time),
        Subject::Role(role) => match record.role(role) {
            None if role == Role::Message && is_text(record) => Some(Found::Text(record.message())),
            field => field.map(Found::Field),
        },
        Subject::Origin(_) if !origin.is_named() => None,
        Subject::Origin(name) => Some(Found::Text(match name {
            Name::Pod => origin.pod.name.as_bytes(),
            Name::Container => origin.container.as_bytes(),
            Name::Namespace => origin.pod.namespace.as_bytes(),
            Name::Node => origin.pod.node.as_bytes(),
        })),
    };
    match (known, path.subject) {
        (Some(known), _) => Some(passes(known)),
        // A value that is no level, or no time, is never compared as one.
        (None, Subject::Level | Subject::Time) => None,
        (None, _) => follow(Place::Top(record), &path.steps, passes),
    }
}

/// The message of a line without fields is the line.
fn is_text(record: Record) -> bool {
    match record.form() {
        Form::Text | Form::Headed => true,
        Form::Json | Form::Logfmt => false,
    }
}

#[derive(Clone, Copy)]
enum Place<'s> {
    Top(Record<'s, 's>),
    In(Field<'s, 's>),
    Item { item: Field<'s, 's>, array: Field<'s, 's> },
}

impl<'s> Place<'s> {
    fn found(self) -> Option<Found<'s>> {
        match self {
            Place::Top(_) => None,
            Place::In(field) => Some(Found::Field(field)),
            Place::Item { item, array } => Some(Found::Item { item, array }),
        }
    }

    /// An item of the array that is here.
    fn item(self, item: Field<'s, 's>) -> Option<Place<'s>> {
        match self {
            Place::Top(_) => None,
            Place::In(array) | Place::Item { array, .. } => Some(Place::Item { item, array }),
        }
    }

    fn field(self) -> Option<Field<'s, 's>> {
        match self {
            Place::Top(_) => None,
            Place::In(field) | Place::Item { item: field, .. } => Some(field),
        }
    }
}

fn follow<'s>(place: Place<'s>, steps: &[Step], passes: &mut dyn FnMut(Found<'s>) -> bool) -> Option<bool> {
    let array = place.field().filter(|field| field.kind() == Kind::Array);
    match (steps, array) {
        ([], _) => place.found().map(passes),
        ([Step::Keys(keys), rest @ ..], _) => keyed(place, keys, 0, rest, passes),
        ([Step::Item(index), rest @ ..], Some(array)) => {
            follow(place.item(array.fields().nth(*index)?)?, rest, passes)
        }
        ([Step::Each, rest @ ..], Some(array)) => {
            array.fields().filter_map(|item| place.item(item)).fold(None, |any, item| {
                match (any, follow(item, rest, passes)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (any, this) => any.or(this),
                }
            })
        }
        _ => None,
    }
}

/// Follows the keys from `at` on. A key that has points itself is tried first.
fn keyed<'s>(
    place: Place<'s>,
    keys: &Keys,
    at: usize,
    rest: &[Step],
    passes: &mut dyn FnMut(Found<'s>) -> bool,
) -> Option<bool> {
    if at == keys.len() {
        return follow(place, rest, passes);
    }
    (at + 1..=keys.len()).rev().find_map(|to| {
        let field = find(place, keys.join(at, to))?;
        keyed(Place::In(field), keys, to, rest, passes)
    })
}

/// The last field with this key, as in any reader of JSON.
fn find<'s>(place: Place<'s>, key: &[u8]) -> Option<Field<'s, 's>> {
    match place {
        Place::Top(record) => record.fields().filter(|field| field.has_key(key)).last(),
        Place::In(field) | Place::Item { item: field, .. } if field.kind() == Kind::Object => {
            field.fields().filter(|field| field.has_key(key)).last()
        }
        Place::In(_) | Place::Item { .. } => None,
    }
}
