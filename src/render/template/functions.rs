//! stern's template functions.

use gotemplate::{Answer, Function, Functions, Map, Str, Type, Value, print, print_value, printf};
use gotime::Zone;

use super::{color, time};
use crate::{
    json::{self, Numbers},
    render::color::Style,
};

const ANY: &[Type] = &[Type::Any];
const TEXT: &[Type] = &[Type::String];

/// All functions. Colours are applied if `color`; Unix seconds are shown in `local`.
pub fn functions(color: bool, local: &Zone) -> Functions {
    let mut functions = Functions::from([
        ("json", Function::new(ANY, None, |args, out| json::write(&args[0], out).map(|()| Answer::Text))),
        ("prettyJSON", text(ANY, None, |args, out| pretty(&args[0], out))),
        ("extjson", text(TEXT, None, |args, out| extjson(&args[0], out))),
        (
            "parseJSON",
            Function::new(TEXT, None, |args, _| {
                json::parse_object(&message(&args[0]), Numbers::Floats).map(Answer::Value)
            }),
        ),
        (
            "tryParseJSON",
            Function::new(TEXT, None, |args, _| {
                let parsed = json::parse_first(&message(&args[0]), Numbers::Kept);
                Ok(Answer::Value(parsed.unwrap_or(Value::Map(Map::Values(None)))))
            }),
        ),
        (
            "extractJSONParts",
            Function::new(TEXT, Some(Type::String), |args, out| {
                let object = json::parse_object(&message(&args[0]), Numbers::Floats)?;
                parts(&object, &args[1..], out);
                Ok(Answer::Text)
            }),
        ),
        (
            "tryExtractJSONParts",
            text(TEXT, Some(Type::String), |args, out| {
                match json::parse_object(&message(&args[0]), Numbers::Floats) {
                    Ok(object) => parts(&object, &args[1..], out),
                    Err(_) => print_value(&args[0], out),
                }
            }),
        ),
        (
            "color",
            Function::new(&[Type::Host("color.Color"), Type::String], None, |args, out| match args {
                // The colour knows whether it is applied.
                [Value::Object(color), text @ ..] => color.call("Sprint", text, out),
                _ => Ok(Answer::Text),
            }),
        ),
        (
            "colorCustom",
            text(TEXT, Some(Type::Int("color.Attribute")), move |args, out| {
                let codes: Vec<i64> = args[1..].iter().filter_map(Value::as_int).collect();
                color::paint(&Style::of(&codes), color, out, |out| print_value(&args[0], out));
            }),
        ),
        ("levelColor", text(ANY, None, move |args, out| level(&args[0], color, out))),
        ("bunyanLevelColor", text(ANY, None, move |args, out| bunyan_level(&args[0], color, out))),
    ]);
    let names = [
        "colorBlack",
        "colorRed",
        "colorGreen",
        "colorYellow",
        "colorBlue",
        "colorMagenta",
        "colorCyan",
        "colorWhite",
    ];
    for (name, code) in names.into_iter().zip(30..) {
        let style = Style::of(&[code]);
        functions
            .insert(name, text(TEXT, Some(Type::Any), move |args, out| formatted(&style, color, args, out)));
    }
    functions.extend(time::functions(local));
    functions
}

/// A function that gives text and cannot fail.
fn text(
    params: &'static [Type],
    rest: Option<Type>,
    write: impl Fn(&[Value<'_>], &mut Vec<u8>) + Send + Sync + 'static,
) -> Function {
    Function::new(params, rest, move |args, out| {
        write(args, out);
        Ok(Answer::Text)
    })
}

/// The text of an argument, guaranteed by its type.
fn message<'v>(value: &Value<'v>) -> Str<'v> {
    match value {
        Value::Str(text) => text.clone(),
        _ => Str::Borrowed(b""),
    }
}

/// `colorRed format args`: if there are arguments, the first is a format.
fn formatted(style: &Style, color: bool, args: &[Value<'_>], out: &mut Vec<u8>) {
    color::paint(style, color, out, |out| match args {
        [text] => print_value(text, out),
        [format, args @ ..] => printf(format.as_text().unwrap_or_default(), args, out),
        [] => {}
    });
}

fn pretty(value: &Value<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let written = match value {
        Value::Str(text) => {
            json::parse_object(text, Numbers::Floats).and_then(|value| json::write_indented(&value, out))
        }
        Value::Map(Map::Values(_)) => json::write_indented(value, out),
        _ => Err(String::new()),
    };
    if written.is_err() {
        out.truncate(start);
        print(std::slice::from_ref(value), out);
    }
}

fn extjson(value: &Value<'_>, out: &mut Vec<u8>) {
    let text = value.as_text().unwrap_or_default();
    if json::Validator::default().is_valid(text) {
        out.extend_from_slice(text.strip_suffix(b"\n").unwrap_or(text));
    } else {
        json::write_string(text, out);
    }
}

/// The values of `keys`, separated by commas.
fn parts(object: &Value<'_>, keys: &[Value<'_>], out: &mut Vec<u8>) {
    let Value::Map(map) = object else { return };
    for (i, key) in keys.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        let value = map.get(key.as_text().unwrap_or_default()).unwrap_or(Value::Nil);
        print(&[value], out);
    }
}

fn level(value: &Value<'_>, color: bool, out: &mut Vec<u8>) {
    let Some(text) = value.as_text() else { return };
    let code = match &*String::from_utf8_lossy(text).to_lowercase() {
        "debug" => 35,
        "info" => 34,
        "warn" | "warning" => 33,
        "error" | "dpanic" | "panic" => 31,
        "fatal" | "critical" => 36,
        _ => return out.extend_from_slice(text),
    };
    color::paint(&Style::of(&[code]), color, out, |out| out.extend_from_slice(text));
}

fn bunyan_level(value: &Value<'_>, color: bool, out: &mut Vec<u8>) {
    let level = match value {
        Value::Number(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        // A number outside the integer range becomes the smallest integer, as on most machines in Go.
        Value::Float(level) => Some(if level.abs() < 2f64.powi(63) { *level as i64 } else { i64::MIN }),
        _ => None,
    };
    let Some(level): Option<i64> = level else { return };
    let text = level.to_string();
    let code = match level {
        ..30 => 35,
        30..40 => 34,
        40..50 => 33,
        50..60 => 31,
        60..100 => 36,
        100.. => return out.extend_from_slice(text.as_bytes()),
    };
    color::paint(&Style::of(&[code]), color, out, |out| out.extend_from_slice(text.as_bytes()));
}
