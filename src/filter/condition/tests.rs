//! Which records conditions hold for: golden cases, and a slow model.

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::*;
use crate::{fields::Reader, plan::condition};

fn conditions(text: &str) -> Conditions {
    let condition = condition::of(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Conditions::new(&[condition]).unwrap()
}

fn holds_at(text: &str, line: &str, time: Option<Instant>) -> bool {
    let mut reader = Reader::default();
    let record = reader.read(line.as_bytes());
    conditions(text).hold(Seen { record, origin: &Origin::stdin(), time })
}

fn holds(text: &str, line: &str) -> bool {
    holds_at(text, line, None)
}

#[track_caller]
fn all(line: &str, cases: &[(&str, bool)]) {
    for (text, wanted) in cases {
        assert_eq!(holds(text, line), *wanted, "{text} on {line}");
        assert_eq!(holds(&format!("not ({text})"), line), !wanted, "the negation of {text} on {line}");
    }
}

#[test]
fn golden_cases() {
    let line = r#"{"status":502,"dur":"1.5s","dur_ms":12,"u":{"id":null},"tags":["eu"],"level":"warn"}"#;
    all(
        line,
        &[
            ("status>=500", true),
            ("status=\"502\"", true),
            ("status=502", true),
            ("dur>1s", true),
            ("dur_ms>10ms", true),
            ("dur_ms<1s", true),
            ("dur_ms=0.012s", true),
            ("dur>1", false),
            ("x!=1", true),
            ("x=1", false),
            ("x", false),
            ("!x", true),
            ("exists(status)", true),
            ("u.id", true),
            ("u.id=null", true),
            ("u.id=\"null\"", false),
            ("u.id~.", false),
            ("tags[*]=eu", true),
            ("tags[0]=eu", true),
            ("tags[1]", false),
            ("tags contains eu", true),
            ("tags contains e", false),
            ("dur contains '.5'", true),
            ("level>info and not status<500", true),
            ("level in (warn, error)", true),
            ("level~^w", true),
            (".level=warn", true),
            ("a=1 or status=502 and level=warn", true),
            ("status in (500, 502)", true),
            ("status notin (500, 502)", false),
            ("x not in (1)", true),
        ],
    );
}

#[test]
fn numbers_are_compared_as_decimals() {
    all(
        r#"{"n":12345678901234567890123,"f":1.10,"s":"7","e":1e3,"t":"7 "}"#,
        &[
            ("n=12345678901234567890123", true),
            ("n>12345678901234567890122", true),
            ("n=12345678901234567890124", false),
            ("f=1.1", true),
            ("f=\"1.1\"", false),
            ("s>6", true),
            ("e=1000", true),
            ("t=7", false),
        ],
    );
}

#[test]
fn sizes_and_durations_have_units_in_the_value_or_in_the_key() {
    all(
        r#"{"size":"20MB","body_bytes":2048,"n":5000,"iso":"PT2S","elapsedSeconds":1.5,"took":"15 ms"}"#,
        &[
            ("size>19M", true),
            ("size=20000k", true),
            ("size>1s", false),
            ("body_bytes=2Ki", true),
            ("body_bytes>1ms", false),
            ("n>1k", false),
            ("n>1s", false),
            ("iso>=2s", true),
            ("elapsedSeconds=1500ms", true),
            ("took<1s", true),
            ("body_bytes>1000", true),
        ],
    );
}

#[test]
fn a_key_with_points_comes_before_keys_within() {
    all(
        r#"{"a.b":1,"a":{"b":2,"c.d":3,"c":{"d":4,"e":5}},"k\u0065y":6,"d":7,"d":8}"#,
        &[
            ("a.b=1", true),
            ("a.b=2", false),
            ("a.c.d=3", true),
            ("a.c.e=5", true),
            ("a['b']=1", true),
            ("key=6", true),
            ("d=8", true),
            ("d=7", false),
            ("a.x.e", false),
            ("a.b.c", false),
        ],
    );
}

#[test]
fn strings_are_compared_without_their_escapes() {
    all(
        r#"{"p":"a\"\u00e9\n","ok":true,"o":{"a":[1,{"b":"x"}]}}"#,
        &[
            (r#"p="a\"é\n""#, true),
            ("p~'é$'", false),
            ("p~'é\\n$'", true),
            ("ok=true", true),
            ("ok=false", false),
            ("o.a[*].b=x", true),
            ("o.a[*]>0", true),
            ("o.a[*].c", false),
            ("o contains 'b'", true),
        ],
    );
}

#[test]
fn the_time_is_that_of_the_line() {
    let at = |text: &str| holds_at(text, "x", Some(Instant(1_769_860_800_000_000_000)));
    assert!(at("time=2026-01-31T12:00:00Z and time<12:00:01 and time>=12:00"));
    assert!(!at("time>12:00"));
    assert!(holds("time!=12:00 and !time", "x"));
    assert!(at("time=2026-01-31T12:00:00Z and time!=2020-01-01T00:00:00Z"));
    assert!(holds("time=2026-01-31T12:00:00Z", r#"{"ts":"2026-01-31T21:00:00+09:00"}"#), "the record's own");
    assert!(holds("time=2026-01-31T12:00:00Z", "time=\"2026-01-31 12:00:00\""), "UTC without a zone");
    assert!(holds("!time", r#"{"ts":"12:00:00"}"#), "there is no date");
}

#[test]
fn a_field_that_was_never_there_is_reported_with_names_like_it() {
    let mut conditions = conditions("duration>1s and status=1 or !x");
    let mut reader = Reader::default();
    for _ in 0..1204 {
        let record = reader.read(br#"{"dur":1,"duration_ms":2,"status":1,"http":{"duration":1},"z":1}"#);
        assert!(conditions.hold(Seen { record, origin: &Origin::stdin(), time: None }));
    }
    let texts: Vec<_> = conditions.last_words().into_iter().map(|notice| notice.text).collect();
    let wanted =
        "--where: duration was never there in 1,204 records; there are http.duration, duration_ms, dur";
    assert_eq!(texts, [wanted], "status was not looked at, and !x does not compare");
}

#[test]
fn names_of_other_fields_are_reported_where_none_is_alike() {
    let words = |line: &str| {
        let mut conditions = conditions("level=warn and verbosity=1");
        let mut reader = Reader::default();
        let record = reader.read(line.as_bytes());
        conditions.hold(Seen { record, origin: &Origin::stdin(), time: None });
        conditions.last_words().pop().map(|notice| notice.text)
    };
    let there = words(r#"{"level":"warn","a":1,"b":1,"c":1,"d":1}"#);
    let wanted = "--where: verbosity was never there in 1 record; there are a, b, c, d, …";
    assert_eq!(there.as_deref(), Some(wanted));
    let text = words("x");
    assert_eq!(text.as_deref(), Some("--where: level was never there in 1 record; they have no fields"));
}

/// A condition as the model knows it.
#[derive(Debug, Clone)]
enum Model {
    All(Vec<Model>),
    Any(Vec<Model>),
    Not(Box<Model>),
    /// The path, `[*]` behind it, the operator, and a literal as it is written.
    Test(&'static str, bool, &'static str, &'static str),
    Present(&'static str),
}

impl Model {
    fn text(&self) -> String {
        let join = |parts: &[Model], by: &str| {
            let parts: Vec<_> = parts.iter().map(Model::text).collect();
            format!("({})", parts.join(by))
        };
        match self {
            Model::All(parts) => join(parts, " and "),
            Model::Any(parts) => join(parts, "||"),
            Model::Not(part) => format!("!{}", part.text()),
            Model::Test(path, each, operator, literal) => {
                let each = if *each { "[*]" } else { "" };
                format!("{path}{each} {operator} {literal}")
            }
            Model::Present(path) => format!("exists({path})"),
        }
    }

    fn holds(&self, record: &Json) -> bool {
        match self {
            Model::All(parts) => parts.iter().all(|part| part.holds(record)),
            Model::Any(parts) => parts.iter().any(|part| part.holds(record)),
            Model::Not(part) => !part.holds(record),
            Model::Present(path) => at(record, path).is_some(),
            Model::Test(path, each, operator, literal) => {
                let positive = match *operator {
                    "!=" => return !Model::Test(path, *each, "=", literal).holds(record),
                    "!~" => return !Model::Test(path, *each, "~", literal).holds(record),
                    operator => operator,
                };
                let values: Vec<&Json> = match at(record, path) {
                    None => Vec::new(),
                    Some(Json::Array(items)) if *each => items.iter().collect(),
                    Some(_) if *each => Vec::new(),
                    Some(value) => vec![value],
                };
                values.into_iter().any(|value| passes_model(value, positive, literal, path))
            }
        }
    }
}

/// The value at a path, by all paths there are: that with the longest first keys.
fn at<'j>(record: &'j Json, path: &str) -> Option<&'j Json> {
    fn walk<'j>(value: &'j Json, above: &[&'j str], all: &mut Vec<(Vec<&'j str>, &'j Json)>) {
        let Json::Object(object) = value else { return };
        for (key, inner) in object {
            let keys = [above, &[key.as_str()]].concat();
            all.push((keys.clone(), inner));
            walk(inner, &keys, all);
        }
    }
    let mut all = Vec::new();
    walk(record, &[], &mut all);
    let fits = all.into_iter().filter(|(keys, _)| keys.join(".") == path);
    fits.max_by_key(|(keys, _)| keys.iter().map(|key| key.len()).collect::<Vec<_>>()).map(|(_, value)| value)
}

fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn milliseconds(text: &str) -> Option<f64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
    match unit {
        "ms" => Some(number),
        "s" => Some(number * 1000.0),
        _ => None,
    }
}

fn passes_model(value: &Json, operator: &str, literal: &str, path: &str) -> bool {
    if operator == "~" {
        return text_of(value).is_some_and(|text| text.contains(literal.trim_matches('"')));
    }
    let scalar = match value {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.clone()),
        _ => None,
    };
    let number = scalar.as_ref().and_then(|text| text.parse::<f64>().ok());
    let order = if literal == "null" {
        return value.is_null();
    } else if let Ok(wanted) = literal.parse::<f64>() {
        number.and_then(|number| number.partial_cmp(&wanted))
    } else if let Some(wanted) = milliseconds(literal) {
        let written = scalar.as_deref().and_then(milliseconds);
        let written = written.or(number.filter(|_| path.ends_with("_ms")));
        written.and_then(|written| written.partial_cmp(&wanted))
    } else {
        return text_of(value).is_some_and(|text| text == literal.trim_matches('"'));
    };
    order.is_some_and(|order| match operator {
        "=" => order.is_eq(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        other => panic!("{other}"),
    })
}

const PATHS: [&str; 6] = ["a", "b", "a.b", "a.b.c", "c_ms", "a.c_ms"];

fn model() -> impl Strategy<Value = Model> {
    let path = || prop::sample::select(&PATHS[..]);
    const ORDERED: [&str; 7] = ["0", "1.5", "12", "502", "1e3", "1.5s", "12ms"];
    const OTHERS: [&str; 5] = ["null", "\"12\"", "x", "true", "\"1.5s\""];
    let leaf = prop_oneof![
        path().prop_map(Model::Present),
        (
            path(),
            any::<bool>(),
            prop::sample::select(vec!["=", "!=", "<", ">="]),
            prop::sample::select(&ORDERED[..])
        )
            .prop_map(|(path, each, operator, literal)| Model::Test(path, each, operator, literal)),
        (path(), any::<bool>(), prop::sample::select(vec!["=", "!="]), prop::sample::select(&OTHERS[..]))
            .prop_map(|(path, each, operator, literal)| Model::Test(path, each, operator, literal)),
        (
            path(),
            any::<bool>(),
            prop::sample::select(vec!["~", "!~"]),
            prop::sample::select(vec!["x", "\"2\""])
        )
            .prop_map(|(path, each, operator, literal)| Model::Test(path, each, operator, literal)),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Model::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Model::Any),
            inner.prop_map(|inner| Model::Not(Box::new(inner))),
        ]
    })
}

fn record() -> impl Strategy<Value = Json> {
    let numbers = ["0", "1.5", "12", "502", "1000", "12.0"].map(|text| serde_json::from_str(text).unwrap());
    let strings = ["12", "x", "1.5s", "12ms", "0.012s", "", "true", "null"].map(Json::from);
    let others = [Json::Null, Json::Bool(true)];
    let leaf = prop::sample::select([&numbers[..], &strings, &others].concat());
    let keys = prop::sample::select(vec!["a", "b", "c", "a.b", "b.c", "c_ms", "a.c_ms"]);
    let object = move |value: BoxedStrategy<Json>| {
        prop::collection::vec((keys.clone(), value), 0..5).prop_map(|fields| {
            Json::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
            )
        })
    };
    let inner = leaf.clone().prop_recursive(3, 12, 4, {
        let object = object.clone();
        move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::Array),
                object(inner.boxed()),
            ]
        }
    });
    object(prop_oneof![leaf, inner].boxed())
}

proptest! {
    #[test]
    fn conditions_hold_as_in_a_slow_model(model in model(), record in record()) {
        let (text, line) = (model.text(), record.to_string());
        prop_assert_eq!(holds(&text, &line), model.holds(&record), "{} on {}", text, line);
    }
}
