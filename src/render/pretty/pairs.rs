//! The fields of a record as `key=value`, in the order of the record, the error last.

use super::{
    look::Look,
    placed::Placed,
    values::{is_plain, write_compact, write_value},
};
use crate::{
    fields::{Field, Kind, Record, Role},
    plan::{Keys, Part, PrettyPlan},
    render::color::Style,
};

/// Most parts of a key; objects beyond are shown as JSON.
const DEEPEST: usize = 4;

/// The roles whose fields are shown in a place of their own.
const PLACED: [Role; 6] = [Role::Time, Role::Level, Role::Logger, Role::Message, Role::Caller, Role::Stack];

pub struct Pairs {
    /// Empty: all.
    fields: Keys,
    hide: Keys,
    /// The key of the field, with the keys of the objects around it.
    path: Vec<u8>,
    /// The text of a string with escapes.
    text: Vec<u8>,
}

/// The places where a field is shown.
#[derive(Clone, Copy)]
struct Place<'a, 'r, 'm> {
    placed: &'a Placed<'r, 'm>,
    /// Whether it is the error.
    is_failure: bool,
}

impl Pairs {
    pub fn new(plan: &PrettyPlan) -> Pairs {
        Pairs { fields: plan.fields.clone(), hide: plan.hide.clone(), path: Vec::new(), text: Vec::new() }
    }

    /// The roles whose fields the user hides.
    pub fn hidden(&mut self, record: &Record<'_, '_>) -> [Option<Role>; PLACED.len()] {
        let mut hidden = [None; PLACED.len()];
        if !self.hide.is_empty() {
            self.path.clear();
            record.fields().for_each(|field| self.find_hidden(&field, &mut hidden));
        }
        hidden
    }

    fn find_hidden(&mut self, field: &Field<'_, '_>, hidden: &mut [Option<Role>; PLACED.len()]) {
        let before = self.path.len();
        self.path.extend_from_slice(&field.key());
        for (role, hidden) in PLACED.into_iter().zip(&mut *hidden) {
            if field.is(role) && self.hide.have(&self.path) {
                *hidden = Some(role);
            }
        }
        if field.kind() == Kind::Object {
            self.path.push(b'.');
            field.fields().for_each(|field| self.find_hidden(&field, hidden));
        }
        self.path.truncate(before);
    }

    /// Writes all fields that have no other place, each with a blank behind it.
    pub fn write(
        &mut self,
        look: &Look,
        record: &Record<'_, '_>,
        placed: &Placed<'_, '_>,
        out: &mut Vec<u8>,
    ) {
        self.path.clear();
        let mut last = [None; 2];
        for field in record.fields() {
            if field.is_in_message() {
                continue;
            }
            if field.holds(Role::Error) {
                last[0] = Some(field);
            } else if field.is(Role::Stack) {
                last[1] = Some(field);
            } else {
                self.field(look, &field, Place { placed, is_failure: false }, 1, out);
            }
        }
        for field in last.into_iter().flatten() {
            let is_failure = field.holds(Role::Error);
            self.field(look, &field, Place { placed, is_failure }, 1, out);
        }
    }

    fn field(
        &mut self,
        look: &Look,
        field: &Field<'_, '_>,
        place: Place<'_, '_, '_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) {
        if place.placed.has(field) {
            return;
        }
        let before = self.path.len();
        self.path.extend_from_slice(&field.key());
        let is_open = field.kind() == Kind::Object && depth < DEEPEST && field.fields().next().is_some();
        if is_open {
            self.path.push(b'.');
            for field in field.fields() {
                self.field(look, &field, place, depth + 1, out);
            }
        } else if self.shows(field) {
            self.pair(look, field, place.is_failure, out);
        }
        self.path.truncate(before);
    }

    fn shows(&self, field: &Field<'_, '_>) -> bool {
        let is_wanted = self.fields.is_empty()
            || field.is(Role::Error)
            || field.is(Role::Stack)
            || self.fields.have(&self.path);
        is_wanted && (self.hide.is_empty() || !self.hide.have(&self.path))
    }

    #[inline]
    fn pair(&mut self, look: &Look, field: &Field<'_, '_>, is_failure: bool, out: &mut Vec<u8>) {
        let escape = look.of(Part::Escape);
        let key = look.of(if is_failure { Part::Failure } else { Part::Key });
        out.extend_from_slice(key.open.as_bytes());
        if is_plain(&self.path) {
            out.extend_from_slice(&self.path);
        } else {
            write_value(&self.path, escape, out);
        }
        out.push(b'=');
        out.extend_from_slice(key.close.as_bytes());
        let style = look.of(if is_failure { Part::Failure } else { status(&self.path, field.raw()) });
        out.extend_from_slice(style.open.as_bytes());
        match field.kind() {
            Kind::Null | Kind::Bool | Kind::Number => out.extend_from_slice(field.raw()),
            Kind::String { .. } | Kind::Bare => write_value(field.text_in(&mut self.text), escape, out),
            Kind::Array if field.fields().all(|item| !matches!(item.kind(), Kind::Object | Kind::Array)) => {
                self.list(field, escape, out);
            }
            Kind::Object | Kind::Array => write_compact(field.raw(), escape, out),
        }
        out.extend_from_slice(style.close.as_bytes());
        out.push(b' ');
    }

    /// `[a,b]`
    fn list(&mut self, field: &Field<'_, '_>, escape: &Style, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, item) in field.fields().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_value(item.text_in(&mut self.text), escape, out);
        }
        out.push(b']');
    }
}

/// The colour of the status of an HTTP answer.
fn status(key: &[u8], value: &[u8]) -> Part {
    let [class @ (b'4' | b'5'), b'0'..=b'9', b'0'..=b'9'] = value else { return Part::Value };
    let name = key.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    match name {
        b"status" | b"status_code" | b"statusCode" | b"StatusCode" | b"http_status" if *class == b'4' => {
            Part::ClientError
        }
        b"status" | b"status_code" | b"statusCode" | b"StatusCode" | b"http_status" => Part::ServerError,
        _ => Part::Value,
    }
}
