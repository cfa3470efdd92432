//! Templates and data never cause a panic or an endless run: `cargo +nightly fuzz run template`. The template ends at
//! the first zero byte; the rest is its data.
#![no_main]

use std::collections::BTreeMap;

use gotemplate::{Functions, MAX_OUTPUT, Map, Str, Template, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (text, data) = match input.iter().position(|&byte| byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &b"info 1.5 \xff <a&b>"[..]),
    };
    let Ok(template) = Template::parse("fuzz", text, Functions::new()) else { return };

    let labels = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
    let words = data.split(|&byte| byte == b' ').map(|word| Value::Str(Str::Borrowed(word)));
    let entry = |key: &'static str, value| (Str::Borrowed(key.as_bytes()), value);
    let data = Value::Map(Map::Values(Some(
        [
            entry("float", Value::Float(data.len() as f64 / 3.0)),
            entry("int", Value::int(data.len())),
            entry("labels", Value::Map(Map::Strings(Some(&labels)))),
            entry("null", Value::Nil),
            entry("number", Value::Number(Str::Borrowed(data))),
            entry("text", Value::Str(Str::Borrowed(data))),
            entry("words", Value::List(words.collect())),
        ]
        .into(),
    )));

    let mut out = Vec::new();
    let _ = template.run(data, &mut out);
    assert!(out.len() <= MAX_OUTPUT, "the template made {} bytes", out.len());
});
