//! The built-in functions.

use super::{
    Body, Function, Functions, compare, escape, fmt,
    value::{Answer, Kind, Map, Signature, Str, Type, Value, Width},
};

type Result<T> = std::result::Result<T, String>;

const VALUE: &[Type] = &[Type::Reflect];
const TWO: &[Type] = &[Type::Reflect, Type::Reflect];
const MANY: Option<Type> = Some(Type::Reflect);

pub fn functions() -> Functions {
    let short = |body| Function { signature: Signature { params: VALUE, rest: MANY }, body };
    Functions::from([
        ("and", short(Body::And)),
        ("or", short(Body::Or)),
        ("call", short(Body::Call)),
        ("not", Function::new(VALUE, None, |args, _| truth(!args[0].is_true()))),
        ("len", Function::new(VALUE, None, |args, _| Ok(Answer::Value(Value::int(len(&args[0])?))))),
        ("index", Function::new(VALUE, MANY, |args, _| index(args).map(Answer::Value))),
        ("slice", Function::new(VALUE, MANY, |args, _| slice(args).map(Answer::Value))),
        ("print", text(&[], fmt::print)),
        ("println", text(&[], fmt::println)),
        (
            "printf",
            text(&[Type::String], |args, out| {
                fmt::printf(args[0].as_text().unwrap_or_default(), &args[1..], out);
            }),
        ),
        ("html", text(&[], |args, out| escape::html(&joined(args), out))),
        ("js", text(&[], |args, out| escape::js(&joined(args), out))),
        ("urlquery", text(&[], |args, out| escape::url_query(&joined(args), out))),
        ("eq", Function::new(VALUE, MANY, |args, _| truth(compare::eq(args)?))),
        ("ne", Function::new(TWO, None, |args, _| truth(!compare::eq(args)?))),
        ("lt", Function::new(TWO, None, |args, _| truth(compare::lt(&args[0], &args[1])?))),
        ("le", Function::new(TWO, None, |args, _| truth(compare::le(&args[0], &args[1])?))),
        ("gt", Function::new(TWO, None, |args, _| truth(!compare::le(&args[0], &args[1])?))),
        ("ge", Function::new(TWO, None, |args, _| truth(!compare::lt(&args[0], &args[1])?))),
    ])
}

fn truth<'v>(bool: bool) -> Result<Answer<'v>> {
    Ok(Answer::Value(Value::Bool(bool)))
}

/// A function that takes anything, returns text and cannot fail.
fn text(
    params: &'static [Type],
    write: impl Fn(&[Value<'_>], &mut Vec<u8>) + Send + Sync + 'static,
) -> Function {
    Function::new(params, Some(Type::Any), move |args, out| {
        write(args, out);
        Ok(Answer::Text)
    })
}

/// The arguments as `print` shows them.
fn joined(args: &[Value<'_>]) -> Vec<u8> {
    let is_string =
        |value: &Value<'_>| matches!(value, Value::Str(_) | Value::Number(_) | Value::Nil | Value::Missing);
    let mut text = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 && !is_string(arg) && !is_string(&args[i - 1]) {
            text.push(b' ');
        }
        fmt::print_value(if let Value::Nil = arg { &Value::Missing } else { arg }, &mut text);
    }
    text
}

fn len(value: &Value<'_>) -> Result<usize> {
    match value {
        Value::Str(text) | Value::Number(text) => Ok(text.len()),
        Value::List(items) => Ok(items.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Nil => Err("len of nil pointer".to_owned()),
        Value::Missing => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        value => Err(format!("len of type {}", value.type_name().trim_start_matches('*'))),
    }
}

/// An index into `len` elements; the caller must handle an index equal to `len`.
fn place(index: &Value<'_>, len: usize) -> Result<usize> {
    let index = match index {
        Value::Missing | Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        value => value
            .as_int()
            .ok_or_else(|| format!("cannot index slice/array with type {}", value.type_name()))?,
    };
    usize::try_from(index)
        .ok()
        .filter(|&index| index <= len)
        .ok_or_else(|| format!("index out of range: {index}"))
}

fn index<'v>(args: &[Value<'v>]) -> Result<Value<'v>> {
    let [item, indexes @ ..] = args else { return Ok(Value::Missing) };
    if matches!(item, Value::Missing | Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    indexes.iter().try_fold(item.clone(), |item, index| match &item {
        Value::Missing | Value::Nil => Err("index of nil pointer".to_owned()),
        Value::Str(text) | Value::Number(text) => text
            .get(place(index, text.len())?)
            .map(|&byte| Value::Int(Width::Byte, byte.into()))
            .ok_or_else(|| "reflect: string index out of range".to_owned()),
        Value::List(items) => items
            .get(place(index, items.len())?)
            .cloned()
            .ok_or_else(|| "reflect: slice index out of range".to_owned()),
        Value::Map(map) => entry(map, index),
        item => Err(format!("can't index item of type {}", item.type_name().trim_start_matches('*'))),
    })
}

/// A missing key gives the zero value of the map's type.
fn entry<'v>(map: &Map<'v>, key: &Value<'v>) -> Result<Value<'v>> {
    let absent = match map {
        Map::Values(_) => Value::Nil,
        Map::Strings(_) => Value::text(""),
    };
    match key {
        Value::Str(key) => Ok(map.get(key).unwrap_or(absent)),
        Value::Missing | Value::Nil => Err("value is nil; should be of type string".to_owned()),
        key => Err(format!("value has type {}; should be string", key.type_name())),
    }
}

fn slice<'v>(args: &[Value<'v>]) -> Result<Value<'v>> {
    let [item, indexes @ ..] = args else { return Ok(Value::Missing) };
    let len = match item {
        Value::Missing | Value::Nil => return Err("slice of untyped nil".to_owned()),
        _ if indexes.len() > 3 => return Err(format!("too many slice indexes: {}", indexes.len())),
        Value::Str(_) | Value::Number(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Str(text) | Value::Number(text) => text.len(),
        Value::List(items) => items.len(),
        item => return Err(format!("can't slice item of type {}", item.type_name())),
    };
    let mut at = [0, len, len];
    for (at, index) in at.iter_mut().zip(indexes) {
        *at = place(index, len)?;
    }
    let [from, to, cap] = at;
    for (low, high) in [(from, to), (to, cap)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    let cut = |text: &Str<'v>| match text {
        Str::Borrowed(text) => Str::Borrowed(&text[from..to]),
        Str::Owned(text) => Str::Owned(text[from..to].into()),
    };
    Ok(match item {
        Value::Str(text) => Value::Str(cut(text)),
        Value::Number(text) => Value::Number(cut(text)),
        Value::List(items) => Value::List(items[from..to].into()),
        item => item.clone(),
    })
}

/// Go's error of `call` for a value that is not a function of the host; Ok: it is one.
pub fn callable(function: &Value<'_>, expression: &str) -> Result<()> {
    match function {
        Value::Missing | Value::Nil => Err("call of nil".to_owned()),
        Value::Object(object) if object.kind() == Kind::Func => Ok(()),
        value => Err(format!("non-function {expression} of type {}", value.type_name())),
    }
}
