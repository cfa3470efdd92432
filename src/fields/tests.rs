//! Golden cases: what the fields of a message are.

use serde_json::Value;

use super::{keys::Words, *};

fn level(message: &str) -> Option<Level> {
    let mut reader = Reader::default();
    let level = reader.read(message.as_bytes()).level();
    assert_eq!(reader.level(message.as_bytes()), level, "{message}");
    level
}

fn levels<const N: usize>(cases: [(&str, Option<Level>); N]) {
    for (message, expected) in cases {
        assert_eq!(level(message), expected, "{message}");
    }
}

#[test]
fn the_level_of_a_record_comes_from_its_keys() {
    use Level::*;
    levels([
        (r#"{"level":30,"msg":"x"}"#, Some(Info)),
        (r#"{"levelno":30,"levelname":"WARNING","message":"x"}"#, Some(Warn)),
        (r#"{"levelno":30}"#, Some(Warn)),
        (r#"{"level":35,"msg":"x"}"#, Some(Info)),
        (r#"{"level":"ERROR+2"}"#, Some(Error)),
        (r#"{"@t":"2026","@mt":"Hi {N}","N":1}"#, Some(Info)),
        (r#"{"@t":"2026","@mt":"Hi {N}","@l":"ERR"}"#, Some(Error)),
        (r#"{"severity":"NOTICE"}"#, Some(Notice)),
        (r#"{"severity":"DEFAULT"}"#, None),
        (r#"{"log":{"level":"WARN"}}"#, Some(Warn)),
        (r#"{"log.level":"WARN"}"#, Some(Warn)),
        (r#"{"Level":{"Name":"WARNING","No":30}}"#, Some(Warn)),
        (r#"{"record":{"level":{"name":"WARNING","no":30}}}"#, Some(Warn)),
        (r#"{"t":{"$date":"2026"},"s":"W","c":"NETWORK","msg":"x"}"#, Some(Warn)),
        (r#"{"s":"W"}"#, None),
        (r#"{"ts":1580306777042.1,"v":4,"msg":"x"}"#, Some(Trace)),
        (r#"{"ts":1580306777042.1,"v":0,"msg":"x"}"#, Some(Info)),
        (r#"{"ts":1580306777042.1,"msg":"x","err":"e"}"#, Some(Error)),
        (r#"{"short_message":"x","level":3,"version":"1.1"}"#, Some(Error)),
        (r#"{"level":3,"short_message":"x","version":"1.1"}"#, Some(Error)),
        (r#"{"level":3,"msg":"x"}"#, None),
        (r#"{"level":300,"level_name":"WARNING","message":"x"}"#, Some(Warn)),
        (r#"{"err":null,"msg":"applied"}"#, None),
        (r#"{"error":"","type":"response"}"#, None),
        (r#"{"status":200,"referer":"…detected_level=error"}"#, None),
        (r#"{"severityNumber":17,"body":{"stringValue":"x"}}"#, Some(Error)),
        (r#"{"level":2,"source":"eventlog"}"#, None),
        (r#"{"PRIORITY":"3","MESSAGE":"x"}"#, Some(Error)),
        (r#"{"message":"ERROR: x"}"#, None),
        ("\x1b[32m{\"level\":\"error\"}\x1b[0m", Some(Error)),
    ]);
}

#[test]
fn the_first_key_in_rank_decides_and_of_the_same_keys_the_first() {
    levels([
        (r#"{"severity":"INFO","level":"error"}"#, Some(Level::Error)),
        (r#"{"level":"unknown","severity":"INFO"}"#, Some(Level::Info)),
        (r#"{"level":"error","level":"info"}"#, Some(Level::Error)),
        (r#"{"level":{"x":1},"lvl":"info"}"#, Some(Level::Info)),
    ]);
}

#[test]
fn words_of_a_house_are_levels_and_its_keys_come_first() {
    let words = Words {
        levels: vec![("FEHLER".to_owned(), Level::Error), ("7".to_owned(), Level::Debug)],
        fields: vec![(Role::Level, vec!["sev".to_owned(), "a.b".to_owned()])],
    };
    let mut reader = Reader::new(Vocabulary::new(&words));
    for (message, expected) in [
        (r#"{"level":"info","sev":"fehler"}"#, Some(Level::Error)),
        (r#"{"level":"info","sev":7}"#, Some(Level::Info)),
        (r#"{"sev":7}"#, Some(Level::Debug)),
        (r#"{"level":"fehler"}"#, Some(Level::Error)),
        (r#"{"level":"info","a":{"b":"warn"}}"#, Some(Level::Warn)),
        (r#"{"a.b":"warn","sev":"error"}"#, Some(Level::Error)),
    ] {
        assert_eq!(reader.read(message.as_bytes()).level(), expected, "{message}");
        assert_eq!(reader.level(message.as_bytes()), expected, "{message}");
    }
}

#[test]
fn fields_are_slices_in_the_order_of_the_message() {
    let message = br#" {"a" : 1.10,"b":{"c":[1,"x\n",{}],"d":null},"a":true,"e":"\u00e9 \ud83e\udd80"} "#;
    let mut reader = Reader::default();
    let record = reader.read(message);
    assert_eq!(record.form(), Form::Json);
    let all: Vec<_> = record.fields().map(|field| (field.key(), field.kind(), field.raw())).collect();
    let key = |key: &'static str| Cow::Borrowed(key.as_bytes());
    assert_eq!(
        all,
        [
            (key("a"), Kind::Number, &b"1.10"[..]),
            (key("b"), Kind::Object, br#"{"c":[1,"x\n",{}],"d":null}"#),
            (key("a"), Kind::Bool, b"true"),
            (key("e"), Kind::String { escaped: true }, br"\u00e9 \ud83e\udd80"),
        ]
    );
    assert_eq!(record.find(b"e").map(|field| field.text()), Some("é 🦀".as_bytes().into()));
    let items: Vec<_> = record.find(b"b.c").unwrap().fields().map(|item| item.raw()).collect();
    assert_eq!(items, [&b"1"[..], br"x\n", b"{}"]);
    assert_eq!(record.find(b"b.d").map(|field| field.kind()), Some(Kind::Null));
    assert!(record.find(b"b.x").is_none() && record.find(b"c").is_none());
}

#[test]
fn other_text_is_no_record() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    for message in [
        "",
        "{",
        "{a:1}",
        r#"{"a":1} tail"#,
        r#"{"a":1"#,
        r#"{"a":"x}"#,
        r#"{"a":1,}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":[1}]"#,
        r#"{"a":["#,
        "payload={\"a\":1}",
        "[1]",
        &deep,
    ] {
        assert_eq!(Reader::default().read(message.as_bytes()).form(), Form::Text, "{message}");
    }
}

#[test]
fn roles_are_found() {
    let mut reader = Reader::default();
    let message = br#"{"level":"error","ts":"2026-01-31T12:00:00.123Z","logger":"checkout","caller":"pay/charge.go:88","msg":"charge failed","order_id":"A-17","http":{"status":502},"err":"upstream: reset","stack":"main.charge\n\t/src/pay/charge.go:88","trace_id":"x"}"#;
    let record = reader.read(message);
    let roles = [
        (Role::Time, "2026-01-31T12:00:00.123Z"),
        (Role::Level, "error"),
        (Role::Message, "charge failed"),
        (Role::Logger, "checkout"),
        (Role::Caller, "pay/charge.go:88"),
        (Role::Error, "upstream: reset"),
        (Role::Stack, "main.charge\n\t/src/pay/charge.go:88"),
        (Role::Trace, "x"),
    ];
    for (role, text) in roles {
        assert_eq!(record.role(role).map(|field| field.text()), Some(text.as_bytes().into()), "{role:?}");
    }
}

/// All that is read, as serde_json has it.
fn value(field: &Field<'_, '_>) -> Value {
    match field.kind() {
        Kind::Object => object(field.fields()),
        Kind::Array => field.fields().map(|item| value(&item)).collect(),
        Kind::String { .. } => String::from_utf8(field.text().into_owned()).unwrap().into(),
        _ => serde_json::from_slice(field.raw()).unwrap(),
    }
}

fn object<'r, 'm>(fields: impl Iterator<Item = Field<'r, 'm>>) -> Value {
    let pairs = fields.map(|field| (String::from_utf8(field.key().into_owned()).unwrap(), value(&field)));
    Value::Object(pairs.collect())
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let key = || prop_oneof!["[a-e]", "(level|msg|s|t|ts|v|err|@t|@mt|log|log.level)", "(?s).{0,4}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(?s).{0,8}|info|WARN|[\"\\\\\n\u{1}🦀]{0,5}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        });
        prop::collection::vec((key(), value), 0..8)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_record_is_what_a_json_library_reads(expected in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) };
            let text = text.unwrap();
            let mut reader = Reader::default();
            let record = reader.read(text.as_bytes());
            prop_assert_eq!(record.form(), Form::Json);
            prop_assert_eq!(object(record.fields()), serde_json::from_str::<Value>(&text).unwrap());
            let level = record.level();
            prop_assert_eq!(reader.level(text.as_bytes()), level);
        }

        #[test]
        fn any_bytes_are_read(message: Vec<u8>, text in r#"(\{|\}|"|\\|:|,|\[|\]|=| |a|1|level|error|\x1b\[0m){0,40}"#) {
            let mut reader = Reader::default();
            for message in [&message[..], text.as_bytes()] {
                let record = reader.read(message);
                record.fields().for_each(|field| { field.key(); field.text(); });
                reader.level(message);
            }
        }
    }
}
