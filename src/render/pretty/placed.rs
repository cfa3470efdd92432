//! The fields of a record that are shown in a place of their own, and not among the others.

use super::pairs::Pairs;
use crate::fields::{Field, Form, Kind, Record, Role};

/// At most seven of them, which are compared with each field.
pub struct Placed<'r, 'm> {
    pub logger: Option<Field<'r, 'm>>,
    pub message: Option<Field<'r, 'm>>,
    pub caller: Option<Caller<'r, 'm>>,
    /// Only if it is shown in lines of its own.
    pub stack: Option<Field<'r, 'm>>,
    /// The process of klog: always 1 in a container.
    process: Option<Field<'r, 'm>>,
    pub hides_time: bool,
    pub hides_level: bool,
    /// Whether the time of the record is not shown as a field.
    has_time: bool,
}

/// The place in the source.
#[derive(Clone, Copy)]
pub struct Caller<'r, 'm> {
    pub file: Field<'r, 'm>,
    pub line: Option<Field<'r, 'm>>,
}

impl<'r, 'm> Placed<'r, 'm> {
    pub fn new(
        record: &Record<'r, 'm>,
        has_time: bool,
        on_terminal: bool,
        pairs: &mut Pairs,
    ) -> Placed<'r, 'm> {
        let hidden = pairs.hidden(record);
        let role = |role: Role| record.role(role).filter(|_| !hidden.contains(&Some(role)));
        let is_lines = |stack: &Field<'_, '_>| match stack.kind() {
            Kind::String { .. } | Kind::Bare => true,
            Kind::Array => {
                stack.fields().all(|item| matches!(item.kind(), Kind::String { .. } | Kind::Object))
            }
            _ => false,
        };
        Placed {
            logger: role(Role::Logger),
            message: role(Role::Message),
            caller: role(Role::Caller).and_then(|field| Caller::new(record, field)),
            stack: role(Role::Stack).filter(|stack| on_terminal && is_lines(stack)),
            process: process_of_klog(record),
            hides_time: hidden.contains(&Some(Role::Time)),
            hides_level: hidden.contains(&Some(Role::Level)),
            has_time,
        }
    }

    /// Whether a field is shown in its place.
    #[inline]
    pub fn has(&self, field: &Field<'_, '_>) -> bool {
        field.is(Role::Message) && self.message.is_some()
            || field.is(Role::Level)
            || field.is(Role::Time) && self.has_time
            || self.process.is_some_and(|process| field.is_same(&process))
            || field.is(Role::Logger) && self.logger.is_some()
            || field.is(Role::Stack) && self.stack.is_some()
            || self.caller.is_some_and(|caller| caller.has(field))
    }
}

impl<'r, 'm> Caller<'r, 'm> {
    /// From a text such as `main.go:12`, an object with a file and a line, or a file beside a line.
    fn new(record: &Record<'r, 'm>, field: Field<'r, 'm>) -> Option<Caller<'r, 'm>> {
        match field.kind() {
            Kind::Object => {
                let file = named(field.fields(), &["file", "filename", "file.name"]);
                let file = file.or_else(|| field.find(b"file.name"))?;
                let line = named(field.fields(), &["line", "lineno", "linenumber", "file.line"]);
                Some(Caller { file, line: line.or_else(|| field.find(b"file.line")) })
            }
            _ if field.has_key(b"file") || field.has_key(b"filename") || field.has_key(b"File") => {
                let line = named(record.fields(), &["line", "lineno", "linenumber"]);
                Some(Caller { file: field, line })
            }
            _ => Some(Caller { file: field, line: None }),
        }
    }

    fn has(&self, field: &Field<'_, '_>) -> bool {
        field.is_same(&self.file) || self.line.is_some_and(|line| field.is_same(&line))
    }
}

/// klog writes its process where other loggers of this form write a thread, and its level as a letter.
fn process_of_klog<'r, 'm>(record: &Record<'r, 'm>) -> Option<Field<'r, 'm>> {
    if record.form() == Form::Json || record.role(Role::Level)?.raw().len() != 1 {
        return None;
    }
    record.fields().find(|field| field.has_key(b"thread") && field.raw() == b"1")
}

/// The first value with one of these keys, in any case.
fn named<'r, 'm>(mut fields: impl Iterator<Item = Field<'r, 'm>>, names: &[&str]) -> Option<Field<'r, 'm>> {
    fields.find(|field| {
        let key = field.key();
        is_scalar(field) && names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&key))
    })
}

fn is_scalar(field: &Field<'_, '_>) -> bool {
    !matches!(field.kind(), Kind::Object | Kind::Array | Kind::Null)
}
