//! Messages of any bytes.

use super::{Field, Form, Key, Reader, Role, Span};

const ROLES: [Role; 8] = [
    Role::Time,
    Role::Level,
    Role::Message,
    Role::Logger,
    Role::Caller,
    Role::Error,
    Role::Stack,
    Role::Trace,
];

/// All that is read of a message lies within it, fields lie within those that hold them, and JSON is as serde_json
/// reads it.
pub fn fields(message: &[u8]) {
    let mut reader = Reader::default();
    let record = reader.read(message);
    let within = |span: Span| assert!(span.start <= span.end && span.end as usize <= message.len());
    let nodes = &record.tape.nodes;
    for (index, node) in nodes.iter().enumerate() {
        within(node.value);
        if let Key::Written { span, .. } = node.key {
            within(span);
        }
        assert!(index < node.end as usize && node.end as usize <= nodes.len());
    }
    record.fields().for_each(|field| walk(&field));
    for field in ROLES.into_iter().filter_map(|role| record.role(role)) {
        assert!(nodes.len() > field.index as usize);
    }
    let _ = (record.text(), record.time().and_then(super::Time::instant), record.find(b"a.b"));
    let is_record = record.form() == Form::Json && message.trim_ascii().starts_with(b"{");
    let is_valid = str::from_utf8(message).is_ok()
        && serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(message).is_ok();
    assert!(is_record || !is_valid, "every object is a record");
    let level = record.level();
    if is_valid {
        assert_eq!(reader.level(message), level);
    }
}

fn walk(field: &Field<'_, '_>) {
    let _ = (field.key(), field.text(), field.kind());
    field.fields().for_each(|inner| walk(&inner));
}
