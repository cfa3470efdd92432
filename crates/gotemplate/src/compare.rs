//! Go's `eq`, `ne`, `lt`, `le`, `gt` and `ge`.

use std::cmp::Ordering;

use super::value::{Object, Value};

type Result<T> = std::result::Result<T, String>;

const BAD_TYPE: &str = "invalid type for comparison";

/// The basic kinds; each is comparable only with itself.
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
}

fn basic<'a>(value: &'a Value<'_>) -> Option<Basic<'a>> {
    match value {
        Value::Bool(bool) => Some(Basic::Bool(*bool)),
        Value::Float(float) => Some(Basic::Float(*float)),
        Value::Str(text) | Value::Number(text) => Some(Basic::Text(text)),
        value => value.as_int().map(Basic::Int),
    }
}

fn incompatible<T>(a: &Value<'_>, b: &Value<'_>) -> Result<T> {
    Err(format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()))
}

/// Whether the first argument equals any of the others.
pub fn eq(args: &[Value<'_>]) -> Result<bool> {
    let [first, others @ ..] = args else { return Ok(false) };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
    let absent = |value: &Value<'_>| matches!(value, Value::Missing | Value::Nil);
    match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => Ok(a == b),
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => Ok(a == b),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => Ok(a == b),
        (Some(Basic::Text(a)), Some(Basic::Text(b))) => Ok(a == b),
        (None, None) => composite(a, b),
        _ if absent(a) || absent(b) => Ok(false),
        _ => incompatible(a, b),
    }
}

fn composite(a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
    let is_nil = |value: &Value<'_>| match value {
        Value::Missing | Value::Nil => true,
        Value::Map(map) => map.is_nil(),
        _ => false,
    };
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    let shown = |verb: &[u8], value: &Value<'_>| {
        let mut text = Vec::new();
        super::printf(verb, std::slice::from_ref(value), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    match (a, b) {
        (Value::Object(Object::Borrowed(a)), Value::Object(Object::Borrowed(b))) => Ok(a.equals(*b)),
        (Value::Object(a), Value::Object(b)) => Ok(a.equals(&**b)),
        (_, Value::List(_) | Value::Map(_)) if std::mem::discriminant(a) == std::mem::discriminant(b) => {
            Err(format!("non-comparable type {}: {}", shown(b"%s", b), b.type_name()))
        }
        _ => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(b"%s", a),
            a.type_name(),
            b.type_name(),
            shown(b"%v", b)
        )),
    }
}

/// Whether the first is less than the second.
pub fn lt(a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
    let (Some(first), Some(second)) = (basic(a), basic(b)) else { return Err(BAD_TYPE.to_owned()) };
    match (first, second) {
        (Basic::Bool(_), Basic::Bool(_)) => Err(BAD_TYPE.to_owned()),
        (Basic::Int(a), Basic::Int(b)) => Ok(a < b),
        (Basic::Float(a), Basic::Float(b)) => Ok(a.partial_cmp(&b) == Some(Ordering::Less)),
        (Basic::Text(a), Basic::Text(b)) => Ok(a < b),
        _ => incompatible(a, b),
    }
}

/// Less or equal.
pub fn le(a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
    Ok(lt(a, b)? || equal(a, b)?)
}
