//! Tells whether bytes are JSON, by the rules of Go's `json.Valid`.

/// How deep Go lets arrays and objects nest.
const MAX_DEPTH: usize = 10_000;

/// Goes through a text once, without recursion, keeping nothing but the brackets that are open.
#[derive(Default)]
pub struct Validator {
    /// `[` and `{`; kept from line to line so as not to be allocated for each.
    open: Vec<u8>,
}

/// What may come next.
#[derive(Clone, Copy)]
enum Next {
    Value,
    /// After `[`.
    ValueOrEnd,
    /// After `,` in an object.
    Key,
    /// After `{`.
    KeyOrEnd,
    /// After a value: `,` or the end of what holds it.
    End,
}

impl Validator {
    pub fn is_valid(&mut self, text: &[u8]) -> bool {
        self.open.clear();
        let mut rest = text;
        let mut next = Next::Value;
        loop {
            rest = skip_space(rest);
            let Some((&byte, after)) = rest.split_first() else {
                return matches!(next, Next::End) && self.open.is_empty();
            };
            match self.step(next, byte, after) {
                Some(step) => (next, rest) = step,
                None => return false,
            }
        }
    }

    /// Takes the token that begins with `byte` and goes on in `after`; None: no such token may stand here.
    fn step<'a>(&mut self, next: Next, byte: u8, after: &'a [u8]) -> Option<(Next, &'a [u8])> {
        use Next::*;
        Some(match (next, byte) {
            (Value | ValueOrEnd, b'{') => (self.enter(byte, KeyOrEnd)?, after),
            (Value | ValueOrEnd, b'[') => (self.enter(byte, ValueOrEnd)?, after),
            (Value | ValueOrEnd, b'"') => (End, string(after)?),
            (Value | ValueOrEnd, b't') => (End, after.strip_prefix(b"rue")?),
            (Value | ValueOrEnd, b'f') => (End, after.strip_prefix(b"alse")?),
            (Value | ValueOrEnd, b'n') => (End, after.strip_prefix(b"ull")?),
            (Value | ValueOrEnd, b'-') => {
                let (&digit, after) = after.split_first()?;
                (End, number(digit, after)?)
            }
            (Value | ValueOrEnd, _) if byte != b']' => (End, number(byte, after)?),
            (ValueOrEnd | End, b']') => (self.leave(b'[')?, after),
            (KeyOrEnd | End, b'}') => (self.leave(b'{')?, after),
            (Key | KeyOrEnd, b'"') => (Value, skip_space(string(after)?).strip_prefix(b":")?),
            (End, b',') => (if *self.open.last()? == b'{' { Key } else { Value }, after),
            _ => return None,
        })
    }

    fn enter(&mut self, bracket: u8, next: Next) -> Option<Next> {
        self.open.push(bracket);
        (self.open.len() <= MAX_DEPTH).then_some(next)
    }

    fn leave(&mut self, bracket: u8) -> Option<Next> {
        (self.open.pop()? == bracket).then_some(Next::End)
    }
}

fn skip_space(text: &[u8]) -> &[u8] {
    let len = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    &text[len..]
}

/// What follows a string whose opening quote was taken. Any byte but a control character may be in it: Go does not
/// ask for UTF-8.
fn string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let end = text.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        let after = &text[end + 1..];
        match text[end] {
            b'"' => return Some(after),
            b'\\' => text = escape(after)?,
            _ => return None,
        }
    }
}

/// What follows an escape whose backslash was taken.
fn escape(text: &[u8]) -> Option<&[u8]> {
    match text.split_first()? {
        (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after) => Some(after),
        (b'u', after) => {
            let (digits, after) = after.split_at_checked(4)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(after)
        }
        _ => None,
    }
}

/// What follows a number whose first digit was taken.
fn number(first: u8, after: &[u8]) -> Option<&[u8]> {
    let mut rest = match first {
        b'0' => after,
        b'1'..=b'9' => skip_digits(after),
        _ => return None,
    };
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = digits(fraction)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            unsigned => unsigned,
        };
        rest = digits(unsigned)?;
    }
    Some(rest)
}

/// What follows one digit or more.
fn digits(text: &[u8]) -> Option<&[u8]> {
    text.first()?.is_ascii_digit().then(|| skip_digits(text))
}

fn skip_digits(text: &[u8]) -> &[u8] {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    &text[len..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn valid(text: impl AsRef<[u8]>) -> bool {
        Validator::default().is_valid(text.as_ref())
    }

    #[test]
    fn json_is_valid() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "12.50",
            "1e9",
            "1E-9",
            "-1.5e+07",
            "\"\"",
            "[]",
            "{}",
            "[[],{}]",
            r#"{"a":[1,2,{"b":"c"}],"d":null}"#,
            " \t\r\n[ 1 , 2 ] ",
            r#" { "a" : 1 , "b" : 2 } "#,
            r#""\" \\ \/ \b \f \n \r \t \u00e9 \uD800""#,
            "\"\u{7f}유니코드\"",
        ] {
            assert!(valid(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_quite_json_is_not() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "True",
            "01",
            "-",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "0x1",
            "NaN",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "}",
            "{]",
            "[}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            "{1:2}",
            "{,}",
            r#"{"a":1 "b":2}"#,
            r#"{"broken": "#,
            "1 2",
            "[] []",
            ",",
            ":",
            r#"""#,
            r#""\""#,
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u12"#,
            "\"\t\"",
            "not json at all",
            "'a'",
            "[]]",
            "1,",
            "\u{feff}1",
        ] {
            assert!(!valid(text), "{text}");
        }
    }

    #[test]
    fn strings_need_not_be_utf8() {
        assert!(valid(b"\"\xff\xed\xa0\x80\""));
        assert!(!valid(b"\xff"));
    }

    #[test]
    fn depth_is_bounded_as_in_go() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(valid(nested(10_000)));
        assert!(!valid(nested(10_001)));
        assert!(!valid("[".repeat(1_000_000)));
    }

    #[test]
    fn one_line_leaves_nothing_to_the_next() {
        let mut validator = Validator::default();
        assert!(!validator.is_valid(b"[[{"));
        assert!(validator.is_valid(b"[]"));
        assert!(!validator.is_valid(b"]]"));
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| map.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn documents_are_valid(document in document()) {
            prop_assert!(valid(document.to_string()));
            prop_assert!(valid(serde_json::to_string_pretty(&document).unwrap()));
        }

        /// A document with one place changed, or anything made of JSON's own characters: right now and then.
        #[test]
        fn agrees_with_serde(document in document(), at: prop::sample::Index, with in "[]\\[{}:,\"\\\\0-9eE+.tu -]{0,3}") {
            let mut text = document.to_string();
            let places: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
            let at = places[at.index(places.len())];
            let len = text[at..].chars().next().map_or(0, char::len_utf8);
            text.replace_range(at..at + len, &with);
            prop_assert_eq!(valid(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
        }

        #[test]
        fn agrees_with_serde_on_soup(text in "[]\\[{}:,\"0-9eE+.-]{0,8}") {
            prop_assert_eq!(valid(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
        }
    }
}
