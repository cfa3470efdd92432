//! Reads YAML as client-go reads it, into JSON.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options, options};

/// The first YAML document as JSON. As in client-go, the last of equal keys counts, and what comes after the first
/// document is ignored. The error is a position.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    // The parser's message may quote the text.
    let placed = |error: serde_saphyr::Error| {
        error
            .location()
            .map_or_else(String::new, |at| format!(" near line {}, column {}", at.line(), at.column()))
    };
    let mut reader = text;
    let first = serde_saphyr::read_with_options(&mut reader, settings()).next();
    let mut value: Value = first.unwrap_or(Ok(Value::Null)).map_err(placed)?;
    if has_null(&value) {
        let mut named = Ok(());
        // The error outside of the closure is that of the documents after the first.
        let _ = serde_saphyr::with_deserializer_from_reader_with_options(text, settings(), |document| {
            named = Unlost(&mut value).deserialize(document);
            Ok(())
        });
        named.map_err(placed)?;
    }
    Ok(value)
}

fn settings() -> Options {
    options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        // JSON has no such numbers: they become null.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // As in YAML 1.1: `yes` is true, and `"yes"` is text.
        strict_booleans: false,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

/// Reads the document a second time, beside its value, for what became null and is not: a token such as `12e3456` looks
/// like a number that is too large, and is text in Go.
struct Unlost<'a>(&'a mut Value);

impl<'de> DeserializeSeed<'de> for Unlost<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        match self.0 {
            Value::Null => {
                if let Some(text) = Option::<String>::deserialize(document)? {
                    let is_number = [".inf", ".nan"].contains(&&*unsigned(&text).to_ascii_lowercase());
                    // Any number will do: it is refused where text or a boolean must be.
                    *self.0 = if is_number { Value::from(0) } else { Value::String(text) };
                }
                Ok(())
            }
            Value::Array(_) if has_null(self.0) => document.deserialize_seq(self),
            Value::Object(_) if has_null(self.0) => document.deserialize_map(self),
            _ => IgnoredAny::deserialize(document).map(|_| ()),
        }
    }
}

impl<'de> Visitor<'de> for Unlost<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("the same document as before")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for item in self.0.as_array_mut().into_iter().flatten() {
            items.next_element_seed(Unlost(item))?;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            match self.0.get_mut(&key) {
                Some(value) => fields.next_value_seed(Unlost(value))?,
                None => fields.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}

fn unsigned(number: &str) -> &str {
    number.strip_prefix(['+', '-']).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_encoding_is_known_by_its_mark() {
        let utf16: Vec<u8> = "\u{feff}a: x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&utf16).unwrap()["a"], "x");
    }

    #[test]
    fn a_number_that_is_too_large_is_text() {
        let text = "a: 1e999\nb: [~, -9e9999, {c: 0.1e400, d: null}]\ne: 123e45678\n--- [\n";
        let expected =
            json!({"a": "1e999", "b": [null, "-9e9999", {"c": "0.1e400", "d": null}], "e": "123e45678"});
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
        assert_eq!(parse(b"b: &b {a: 1e999}\nc: {<<: *b}\n").unwrap()["c"]["a"], "1e999");
        assert_eq!(parse(b"a: ~\na: 1e999\nb:\n").unwrap(), json!({"a": "1e999", "b": null}));
    }

    #[test]
    fn what_is_no_number_in_json_is_not_null() {
        for text in [".nan", ".inf", "-.Inf", "+.INF", ".NaN"] {
            assert_eq!(parse(text.as_bytes()).unwrap(), 0, "{text}");
        }
        assert_eq!(parse(b"'.nan'").unwrap(), ".nan");
    }
}
