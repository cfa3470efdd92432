//! Parses JSON into template values.

use std::{ops::Range, rc::Rc};

use gotemplate::{Entry, Map, Str, Value};

use super::{
    scan::{Error, Scalar, Scanner},
    string::unescape,
};

/// Maximum nesting of arrays and objects: code that walks them recurses that deep. Go allows 10000.
const MAX_DEPTH: usize = 500;

/// How numbers are represented.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// `json.Number`: the original text.
    Kept,
    /// `float64`
    Floats,
}

/// Parses all of `text` as a map; JSON's null is a nil map. Err: Go's message.
pub fn parse_object<'v>(text: &Str<'v>, numbers: Numbers) -> Result<Value<'v>, String> {
    let mut parser = Parser::new(text, numbers);
    let value = parser.value().map_err(|error| error.to_string())?;
    match parser.scanner.next() {
        Ok(byte) => Err(Error::Byte(byte, "after top-level value").to_string()),
        Err(_) => parser.map(value),
    }
}

/// Parses the map at the start of `text` and ignores the rest; None if there is no map.
pub fn parse_first<'v>(text: &Str<'v>, numbers: Numbers) -> Option<Value<'v>> {
    let mut parser = Parser::new(text, numbers);
    let value = parser.value().ok()?;
    parser.map(value).ok()
}

struct Parser<'t, 'v> {
    scanner: Scanner<'t>,
    /// The same text, if values may borrow it.
    borrowed: Option<&'v [u8]>,
    numbers: Numbers,
    depth: usize,
    /// The first number that does not fit a float.
    out_of_range: Option<String>,
}

impl<'t, 'v> Parser<'t, 'v> {
    /// Strings are borrowed if `text` is.
    fn new(text: &'t Str<'v>, numbers: Numbers) -> Parser<'t, 'v> {
        let borrowed = match text {
            Str::Borrowed(text) => Some(*text),
            Str::Owned(_) => None,
        };
        Parser { scanner: Scanner::new(text), borrowed, numbers, depth: 0, out_of_range: None }
    }

    fn slice(&self, range: Range<usize>) -> Str<'v> {
        match self.borrowed {
            Some(text) => Str::Borrowed(&text[range]),
            None => Str::Owned(self.scanner.text()[range].into()),
        }
    }

    /// Only objects and null can be parsed into a map.
    fn map(self, value: Value<'v>) -> Result<Value<'v>, String> {
        let found = match value {
            Value::Map(_) => match self.out_of_range {
                Some(number) => {
                    let target = "Go value of type float64";
                    return Err(format!("json: cannot unmarshal number {number} into {target}"));
                }
                None => return Ok(value),
            },
            Value::Nil | Value::Missing => return Ok(Value::Map(Map::Values(None))),
            Value::List(_) => "array",
            Value::Str(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        Err(format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"))
    }

    fn value(&mut self) -> Result<Value<'v>, Error> {
        match self.scanner.next()? {
            b'{' => self.nested(b'{', Self::object),
            b'[' => self.nested(b'[', Self::array),
            first => {
                let start = self.scanner.at() - 1;
                Ok(match self.scanner.scalar(first)? {
                    Scalar::Null => Value::Nil,
                    Scalar::Bool(bool) => Value::Bool(bool),
                    Scalar::Number => self.number(start..self.scanner.at()),
                    Scalar::String { escaped } => Value::Str(self.string(start + 1, escaped)),
                })
            }
        }
    }

    fn nested(
        &mut self,
        bracket: u8,
        parse: fn(&mut Self) -> Result<Value<'v>, Error>,
    ) -> Result<Value<'v>, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::Byte(bracket, "exceeded max depth"));
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value<'v>, Error> {
        let mut entries: Vec<Entry<'v>> = Vec::new();
        loop {
            match self.scanner.next()? {
                b'"' => {}
                b'}' if entries.is_empty() => break,
                byte => return Err(Error::Byte(byte, "looking for beginning of object key string")),
            }
            let start = self.scanner.at();
            let escaped = self.scanner.string()?;
            let key = self.string(start, escaped);
            match self.scanner.next()? {
                b':' => {}
                byte => return Err(Error::Byte(byte, "after object key")),
            }
            entries.push((key, self.value()?));
            match self.scanner.next()? {
                b',' => {}
                b'}' => break,
                byte => return Err(Error::Byte(byte, "after object key:value pair")),
            }
        }
        // The last of several equal keys wins.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| (**a).cmp(b));
        entries.dedup_by(|(a, _), (b, _)| **a == **b);
        Ok(Value::Map(Map::Values(Some(entries.into()))))
    }

    fn array(&mut self) -> Result<Value<'v>, Error> {
        if self.scanner.next()? == b']' {
            return Ok(Value::List(Rc::new([])));
        }
        self.scanner.back();
        let mut items = Vec::new();
        loop {
            items.push(self.value()?);
            match self.scanner.next()? {
                b',' => {}
                b']' => return Ok(Value::List(items.into())),
                byte => return Err(Error::Byte(byte, "after array element")),
            }
        }
    }

    fn number(&mut self, range: Range<usize>) -> Value<'v> {
        if self.numbers == Numbers::Kept {
            return Value::Number(self.slice(range));
        }
        // JSON numbers are ASCII, and Rust parses all of them as floats.
        let text = String::from_utf8_lossy(&self.scanner.text()[range]);
        let float = text.parse().unwrap_or(f64::INFINITY);
        if float.is_infinite() {
            self.out_of_range.get_or_insert(text.into_owned());
        }
        Value::Float(float)
    }

    /// The string just scanned, which begins at `start`, after its quote.
    fn string(&self, start: usize, escaped: bool) -> Str<'v> {
        let range = start..self.scanner.at() - 1;
        let inner = &self.scanner.text()[range.clone()];
        if !escaped && std::str::from_utf8(inner).is_ok() {
            return self.slice(range);
        }
        Str::Owned(unescape(inner).into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use gotemplate::print_value;

    use super::*;

    fn parsed(text: &str) -> String {
        match parse_object(&Str::Borrowed(text.as_bytes()), Numbers::Floats) {
            Ok(value) => {
                let mut out = Vec::new();
                print_value(&value, &mut out);
                String::from_utf8(out).unwrap()
            }
            Err(error) => error,
        }
    }

    #[test]
    fn objects_become_maps() {
        let text =
            r#" {"b": [1, 2.5e3, {"c": null}], "a": "x\n\u00e9\ud83d\ude00\ud800", "t": true, "a": "last"} "#;
        assert_eq!(parsed(text), "map[a:last b:[1 2500 map[c:<nil>]] t:true]");
        assert_eq!(parsed(r#"{"a": "\u00e9\ud83d\ude00\ud800!"}"#), "map[a:é😀\u{fffd}!]");
        assert_eq!(parsed("null"), "map[]");
    }

    #[test]
    fn errors_are_gos() {
        for (text, expected) in [
            ("", "unexpected end of JSON input"),
            ("{\"broken\": ", "unexpected end of JSON input"),
            ("not json", "invalid character 'o' in literal null (expecting 'u')"),
            ("tru", "invalid character ' ' in literal true (expecting 'e')"),
            ("hello", "invalid character 'h' looking for beginning of value"),
            ("{a}", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.", "invalid character ' ' after decimal point in numeric literal"),
            ("1e+'", "invalid character '\\'' in exponent of numeric literal"),
            ("\"\\q\"", "invalid character 'q' in string escape code"),
            ("\"\\u12\"", "invalid character '\"' in \\u hexadecimal character escape"),
            ("\"a\tb\"", "invalid character '\\t' in string literal"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
            ("[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
            ("\"s\"", "json: cannot unmarshal string into Go value of type map[string]interface {}"),
            ("{\"a\":1e999}", "json: cannot unmarshal number 1e999 into Go value of type float64"),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_object_may_be_followed_by_anything() {
        let first = |text: &'static str| parse_first(&Str::Borrowed(text.as_bytes()), Numbers::Kept);
        assert!(matches!(first("{\"a\":1} tail"), Some(Value::Map(map)) if map.len() == 1));
        assert!(first("[1]").is_none() && first("{").is_none());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(parsed(&deep(MAX_DEPTH - 1)).starts_with("map[a:[["));
        assert_eq!(parsed(&deep(MAX_DEPTH)), "invalid character '[' exceeded max depth");
    }
}
