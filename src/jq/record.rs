//! Records as values of jq.

use jaq_json::{Map, Rc, Val, read};

use super::{deep, is_deep};
use crate::{
    fields::{Field, Form, Kind, Level, Reader},
    lines::is_cut,
};

/// The value of a record: a JSON object as it is, and else the object of its fields. A text is a `msg`. Lines behind
/// the first one are the `stack`, if there is none. Err: the reason why it has no value.
pub fn value(message: &[u8], reader: &mut Reader) -> Result<Val, String> {
    if is_deep(message) {
        return Err(deep());
    }
    if let Some(object) = object(message) {
        return Ok(Val::obj(object));
    }
    if message.trim_ascii_start().first() == Some(&b'{') && is_cut(message) {
        return Err("the line is cut; raise --max-line".to_owned());
    }
    let (head, lines) = match memchr::memchr(b'\n', message) {
        Some(end) => (&message[..end], Some(&message[end + 1..])),
        None => (message, None),
    };
    let mut map = match lines.and_then(|_| object(head)) {
        Some(object) => object,
        None => {
            let record = reader.read(head);
            if record.form() == Form::Text {
                return Ok(Val::obj(text_of(message, record.level())));
            }
            record.fields().map(|field| (key(&field), of_field(&field))).collect()
        }
    };
    if let Some(lines) = lines {
        map.entry(Val::utf8_str("stack")).or_insert_with(|| Val::utf8_str(lines.to_vec()));
    }
    Ok(Val::obj(map))
}

fn object(text: &[u8]) -> Option<Map> {
    let text = text.trim_ascii();
    let value = (text.first() == Some(&b'{')).then(|| read::parse_single(text).ok())??;
    match value {
        Val::Obj(map) => Some(Rc::unwrap_or_clone(map)),
        _ => None,
    }
}

fn text_of(message: &[u8], level: Option<Level>) -> Map {
    let mut map = Map::default();
    map.insert(Val::utf8_str("msg"), Val::utf8_str(message.to_vec()));
    if let Some(level) = level {
        map.insert(Val::utf8_str("level"), Val::utf8_str(level.name()));
    }
    map
}

fn key(field: &Field) -> Val {
    Val::utf8_str(field.key().into_owned())
}

fn of_field(field: &Field) -> Val {
    match field.kind() {
        Kind::Null => Val::Null,
        Kind::Bool => Val::Bool(field.raw() == b"true"),
        Kind::Number => number(field.raw()).unwrap_or_else(|| text(field)),
        Kind::Bare => bare(field.raw()).unwrap_or_else(|| text(field)),
        Kind::String { .. } => text(field),
        Kind::Object => Val::obj(field.fields().map(|field| (key(&field), of_field(&field))).collect()),
        Kind::Array => field.fields().map(|field| of_field(&field)).collect(),
    }
}

fn text(field: &Field) -> Val {
    Val::utf8_str(field.text().into_owned())
}

/// A word without quotes is what JSON takes for a number or a constant; else it is text: `007` and `+1` may be names.
fn bare(word: &[u8]) -> Option<Val> {
    match word {
        b"true" => Some(Val::Bool(true)),
        b"false" => Some(Val::Bool(false)),
        b"null" => Some(Val::Null),
        word => number(word),
    }
}

fn number(word: &[u8]) -> Option<Val> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let is_plain = match digits {
        [b'0', b'0'..=b'9', ..] => false,
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    is_plain.then(|| read::parse_single_num(word)).flatten().map(Val::Num)
}
