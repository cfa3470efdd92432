//! JSON as values of a template, and Go's words for what is no JSON.

use std::rc::Rc;

use gotemplate::{Entry, Map, Str, Value};

/// How deep arrays and objects may nest: whatever walks them recurses as deep. Go allows 10000.
const MAX_DEPTH: usize = 500;

/// What numbers become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// `json.Number`, as they were written.
    Kept,
    /// `float64`
    Floats,
}

type Result<T> = std::result::Result<T, String>;

/// All of `text` as a map; JSON's null is a nil map.
pub fn parse_object<'v>(text: &Str<'v>, numbers: Numbers) -> Result<Value<'v>> {
    with(text, numbers, |parser| {
        let value = parser.value()?;
        parser.space();
        match parser.rest().first() {
            Some(&byte) => Err(unexpected(byte, "after top-level value")),
            None => parser.map(value),
        }
    })
}

/// The map that `text` begins with, whatever comes after; none where it begins with none.
pub fn parse_first<'v>(text: &Str<'v>, numbers: Numbers) -> Option<Value<'v>> {
    with(text, numbers, |parser| {
        let value = parser.value()?;
        parser.map(value)
    })
    .ok()
}

/// Strings are borrowed where `text` is.
fn with<'v>(
    text: &Str<'v>,
    numbers: Numbers,
    parse: impl for<'t> FnOnce(&mut Parser<'t, 'v>) -> Result<Value<'v>>,
) -> Result<Value<'v>> {
    let borrowed = match text {
        Str::Borrowed(text) => Some(*text),
        Str::Owned(_) => None,
    };
    parse(&mut Parser { text, borrowed, numbers, at: 0, depth: 0, out_of_range: None })
}

struct Parser<'t, 'v> {
    text: &'t [u8],
    /// The same text, where values may borrow it.
    borrowed: Option<&'v [u8]>,
    numbers: Numbers,
    at: usize,
    depth: usize,
    /// The first number that is no float.
    out_of_range: Option<String>,
}

impl<'v> Parser<'_, 'v> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// The byte that is next, after space. Go reads the end as a space, which ends the text too early here.
    fn next(&mut self) -> Result<u8> {
        self.space();
        let byte = *self.rest().first().ok_or("unexpected end of JSON input")?;
        self.at += 1;
        Ok(byte)
    }

    /// The byte that is next, where the end reads as a space.
    fn next_raw(&mut self) -> u8 {
        let byte = self.peek();
        self.at = self.text.len().min(self.at + 1);
        byte
    }

    fn peek(&self) -> u8 {
        self.rest().first().copied().unwrap_or(b' ')
    }

    fn slice(&self, from: usize, to: usize) -> Str<'v> {
        match self.borrowed {
            Some(text) => Str::Borrowed(&text[from..to]),
            None => Str::Owned(self.text[from..to].into()),
        }
    }

    /// Only objects and null go into a map.
    fn map(&mut self, value: Value<'v>) -> Result<Value<'v>> {
        let found = match value {
            Value::Map(_) => match self.out_of_range.take() {
                Some(number) => {
                    let origin = "Go value of type float64";
                    return Err(format!("json: cannot unmarshal number {number} into {origin}"));
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

    fn value(&mut self) -> Result<Value<'v>> {
        let byte = self.next()?;
        match byte {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => Ok(Value::Str(self.string()?)),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            b'-' | b'0'..=b'9' => self.number(byte),
            byte => Err(unexpected(byte, "looking for beginning of value")),
        }
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Result<Value<'v>>) -> Result<Value<'v>> {
        if self.depth == MAX_DEPTH {
            return Err(unexpected(self.text[self.at - 1], "exceeded max depth"));
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value<'v>> {
        let mut entries: Vec<Entry<'v>> = Vec::new();
        loop {
            match self.next()? {
                b'"' => {}
                b'}' if entries.is_empty() => break,
                byte => return Err(unexpected(byte, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            match self.next()? {
                b':' => {}
                byte => return Err(unexpected(byte, "after object key")),
            }
            entries.push((key, self.value()?));
            match self.next()? {
                b',' => {}
                b'}' => break,
                byte => return Err(unexpected(byte, "after object key:value pair")),
            }
        }
        // Of keys that are the same, the last counts.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| (**a).cmp(b));
        entries.dedup_by(|(a, _), (b, _)| **a == **b);
        Ok(Value::Map(Map::Values(Some(entries.into()))))
    }

    fn array(&mut self) -> Result<Value<'v>> {
        let mut items = Vec::new();
        self.space();
        if self.rest().first() == Some(&b']') {
            self.at += 1;
            return Ok(Value::List(Rc::new([])));
        }
        loop {
            items.push(self.value()?);
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::List(items.into())),
                byte => return Err(unexpected(byte, "after array element")),
            }
        }
    }

    /// Its first letter was taken.
    fn literal(&mut self, word: &str, value: Value<'v>) -> Result<Value<'v>> {
        for expected in word.bytes().skip(1) {
            let byte = self.next_raw();
            if byte != expected {
                let context = format!("in literal {word} (expecting '{}')", char::from(expected));
                return Err(unexpected(byte, &context));
            }
        }
        Ok(value)
    }

    /// Its first byte was taken.
    fn number(&mut self, first: u8) -> Result<Value<'v>> {
        let from = self.at - 1;
        let digit = if first == b'-' { self.next_raw() } else { first };
        match digit {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            byte => return Err(unexpected(byte, "in numeric literal")),
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
        }
        if self.numbers == Numbers::Kept {
            return Ok(Value::Number(self.slice(from, self.at)));
        }
        // JSON's numbers are ASCII, and all are floats to Rust.
        let text = String::from_utf8_lossy(&self.text[from..self.at]);
        let float = text.parse().unwrap_or(f64::INFINITY);
        if float.is_infinite() {
            self.out_of_range.get_or_insert(text.into_owned());
        }
        Ok(Value::Float(float))
    }

    fn digit(&mut self, context: &str) -> Result<()> {
        match self.next_raw() {
            b'0'..=b'9' => {
                self.digits();
                Ok(())
            }
            byte => Err(unexpected(byte, context)),
        }
    }

    fn digits(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
    }

    /// Its opening quote was taken.
    fn string(&mut self) -> Result<Str<'v>> {
        let from = self.at;
        let mut plain = true;
        loop {
            let rest = self.rest();
            let end = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let end = end.ok_or("unexpected end of JSON input")?;
            let byte = rest[end];
            self.at += end + 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape()?,
                byte => return Err(unexpected(byte, "in string literal")),
            }
            plain = false;
        }
        let inner = &self.text[from..self.at - 1];
        if plain && std::str::from_utf8(inner).is_ok() {
            return Ok(self.slice(from, self.at - 1));
        }
        Ok(Str::Owned(unescape(inner).into_bytes().into()))
    }

    /// Checks what follows a backslash.
    fn escape(&mut self) -> Result<()> {
        match self.next_raw() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.next_raw() {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => Err(unexpected(byte, "in \\u hexadecimal character escape")),
            }),
            byte => Err(unexpected(byte, "in string escape code")),
        }
    }
}

/// What a string stands for whose escapes were checked; a replacement character for each byte that is not UTF-8.
fn unescape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        push_lossy(&rest[..at], &mut out);
        let escape = &rest[at + 1..];
        rest = escape.get(1..).unwrap_or_default();
        out.push(match escape.first() {
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let (char, len) = code_unit(rest);
                rest = &rest[len..];
                char
            }
            Some(&byte) => char::from(byte),
            None => char::REPLACEMENT_CHARACTER,
        });
    }
    push_lossy(rest, &mut out);
    out
}

/// The character that begins with these four digits, and how many bytes it takes: a pair of surrogates makes one.
fn code_unit(text: &[u8]) -> (char, usize) {
    let unit = |digits: Option<&[u8]>| u32::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok();
    let Some(first) = unit(text.get(..4)) else { return (char::REPLACEMENT_CHARACTER, text.len().min(4)) };
    let second = text.get(4..6).filter(|&escape| escape == b"\\u").and_then(|_| unit(text.get(6..10)));
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

fn push_lossy(text: &[u8], out: &mut String) {
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// Go's complaint about a byte, which it takes for a character.
fn unexpected(byte: u8, context: &str) -> String {
    let quoted = match char::from(byte) {
        '\'' => r"\'".to_owned(),
        '"' => "\"".to_owned(),
        '\\' => r"\\".to_owned(),
        '\x07' => r"\a".to_owned(),
        '\x08' => r"\b".to_owned(),
        '\x0c' => r"\f".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        '\x0b' => r"\v".to_owned(),
        '\0'..' ' | '\x7f' => format!(r"\x{byte:02x}"),
        '\u{80}'..='\u{a0}' | '\u{ad}' => format!(r"\u{byte:04x}"),
        char => char.to_string(),
    };
    format!("invalid character '{quoted}' {context}")
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
