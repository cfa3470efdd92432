//! Checks whether bytes are JSON, by the rules of Go's `json.Valid`.

use super::scan::Scanner;

/// Maximum nesting of arrays and objects in Go.
const MAX_DEPTH: usize = 10_000;

/// Scans a text once, without recursion; keeps only the open brackets.
#[derive(Default)]
pub struct Validator {
    /// `[` and `{`; reused for all lines to avoid allocation.
    open: Vec<u8>,
}

/// The tokens allowed next.
#[derive(Clone, Copy)]
enum Next {
    Value,
    /// After `[`.
    ValueOrEnd,
    /// After `,` in an object.
    Key,
    /// After `{`.
    KeyOrEnd,
    /// After a value: `,` or the end of the enclosing array or object.
    End,
}

impl Validator {
    pub fn is_valid(&mut self, text: &[u8]) -> bool {
        self.open.clear();
        let mut scanner = Scanner::new(text);
        let mut next = Next::Value;
        while let Ok(byte) = scanner.next() {
            match self.step(next, byte, &mut scanner) {
                Some(step) => next = step,
                None => return false,
            }
        }
        matches!(next, Next::End) && self.open.is_empty()
    }

    /// Takes the token that begins with `byte`; None if it is not allowed here.
    fn step(&mut self, next: Next, byte: u8, scanner: &mut Scanner<'_>) -> Option<Next> {
        use Next::*;
        match (next, byte) {
            (Value | ValueOrEnd, b'{') => self.enter(byte, KeyOrEnd),
            (Value | ValueOrEnd, b'[') => self.enter(byte, ValueOrEnd),
            (ValueOrEnd | End, b']') => self.leave(b'['),
            (KeyOrEnd | End, b'}') => self.leave(b'{'),
            (Value | ValueOrEnd, _) => scanner.scalar(byte).ok().map(|_| End),
            (Key | KeyOrEnd, b'"') => {
                scanner.string().ok()?;
                (scanner.next() == Ok(b':')).then_some(Value)
            }
            (End, b',') => Some(if *self.open.last()? == b'{' { Key } else { Value }),
            _ => None,
        }
    }

    fn enter(&mut self, bracket: u8, next: Next) -> Option<Next> {
        self.open.push(bracket);
        (self.open.len() <= MAX_DEPTH).then_some(next)
    }

    fn leave(&mut self, bracket: u8) -> Option<Next> {
        (self.open.pop()? == bracket).then_some(Next::End)
    }
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
    fn almost_valid_json_is_invalid() {
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

        /// A changed document, or random text of JSON's own characters: sometimes valid.
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
