//! What is read, and what is said of the rest.

use super::{of as parsed, *};
use crate::fields::Level;

/// As it was understood, with every parenthesis.
fn understood(text: &str) -> String {
    let condition = parsed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    written(&condition.root, &condition.paths)
}

fn written(expr: &Expr<LinePattern>, paths: &[Path]) -> String {
    let joined = |parts: &[Expr<LinePattern>], by: &str| {
        let parts: Vec<_> = parts.iter().map(|part| written(part, paths)).collect();
        format!("({})", parts.join(by))
    };
    match expr {
        Expr::All(parts) => joined(parts, " and "),
        Expr::Any(parts) => joined(parts, " or "),
        Expr::Not(part) => format!("not {}", written(part, paths)),
        Expr::Test(Test { path, check }) => {
            let path = &paths[*path].typed;
            match check {
                Check::Present => path.clone(),
                Check::Equals(literal) => format!("{path}={}", shown(literal)),
                Check::OneOf(literals) => {
                    format!("{path} in {}", literals.iter().map(shown).collect::<Vec<_>>().join("|"))
                }
                Check::Ordered(relation, literal) => format!("{path} {relation:?} {}", shown(literal)),
                Check::Contains(literal) => format!("{path} contains {}", shown(literal)),
                Check::Matches(pattern) => format!("{path}~/{}/", pattern.typed()),
            }
        }
    }
}

fn shown(literal: &Literal) -> String {
    match literal.value {
        Value::Text => format!("{:?}", literal.text),
        Value::Null => "null".to_owned(),
        Value::Number => literal.text.clone(),
        Value::Quantity(quantity) => format!("{}{:?}", quantity.billionths, quantity.measure),
        Value::Level(level) => level.name().to_owned(),
        Value::Time(time) => format!("@{}", time.0 / 1_000_000_000),
    }
}

#[test]
fn not_binds_closer_than_and_and_that_closer_than_or() {
    assert_eq!(understood("a=1 or b=2 and not c=3"), "(a=1 or (b=2 and not c=3))");
    assert_eq!(understood("a=1||b=2&&!c=3"), "(a=1 or (b=2 and not c=3))");
    assert_eq!(understood("(a=1 or b=2), c"), "((a=1 or b=2) and c)");
    assert_eq!(understood("NOT (a Or b)"), "not (a or b)");
    assert_eq!(understood("! ! a"), "not not a");
}

#[test]
fn every_operator_has_its_spellings() {
    assert_eq!(understood("a==1"), "a=1");
    assert_eq!(understood("a != 1"), "not a=1");
    assert_eq!(understood("a<1, a<=1, a>1, a>=1"), "(a Less 1 and a AtMost 1 and a More 1 and a AtLeast 1)");
    assert_eq!(understood(r#"path~"^/cart""#), "path~/^/cart/");
    assert_eq!(understood(r"path=~'^/\d' and msg !~ timeout"), r"(path~/^/\d/ and not msg~/timeout/)");
    assert_eq!(understood("a in (1, x,'y z')"), r#"a in 1|"x"|"y z""#);
    assert_eq!(understood("a not in (1) or a notin (2)"), "(not a in 1 or not a in 2)");
    assert_eq!(
        understood("a contains eu and a not contains us"),
        r#"(a contains "eu" and not a contains "us")"#
    );
    assert_eq!(understood("exists(trace_id) and !exists(x)"), "(trace_id and not x)");
    assert_eq!(understood("exists=1"), "exists=1");
}

#[test]
fn the_form_of_a_literal_decides_its_meaning() {
    assert_eq!(understood("a=12345678901234567890123"), "a=12345678901234567890123");
    assert_eq!(understood("a>-1.5e3"), "a More -1.5e3");
    assert_eq!(understood("a>250ms"), "a More 250000000Time");
    assert_eq!(understood("a>1.5Ki"), "a More 1536000000000Bytes");
    assert_eq!(understood("a=null or a=\"null\""), "(a=null or a=\"null\")");
    assert_eq!(understood("a=\"502\" or a=x-1 or a=true"), r#"(a="502" or a="x-1" or a="true")"#);
    assert_eq!(understood(r#"a="\"\u00e9\n""#), r#"a="\"é\n""#);
    assert_eq!(
        understood("level>=WARN or level in (info, 'debug')"),
        "(level AtLeast warn or level in info|debug)"
    );
    assert_eq!(understood("time>=2026-01-31T12:00:00Z"), "time AtLeast @1769860800");
    assert_eq!(understood("time<14:05"), "time Less @1769868300");
    assert_eq!(understood("time>5m"), "time More @1769871300");
    assert_eq!(understood(".time=5m"), ".time=300000000000Time");
}

#[test]
fn a_backslash_belongs_to_a_regular_expression() {
    assert_eq!(understood(r#"a~"\bx\"\d\\""#), r#"a~/\bx"\d\\/"#);
}

#[test]
fn a_path_has_keys_items_and_aliases() {
    let path = |text: &str| {
        let paths = parsed(text).unwrap().paths;
        (paths[0].subject, paths[0].steps.clone())
    };
    let keys = |names: &[&str]| {
        let mut keys = Keys::default();
        names.iter().for_each(|name| keys.push(name));
        Step::Keys(keys)
    };
    assert_eq!(path("http.status=1"), (Subject::Field, vec![keys(&["http", "status"])]));
    assert_eq!(path("x-request-id"), (Subject::Field, vec![keys(&["x-request-id"])]));
    assert_eq!(path("@t and $x"), (Subject::Field, vec![keys(&["@t"])]));
    assert_eq!(path(r#"a."b c"['d']"#), (Subject::Field, vec![keys(&["a", "b c", "d"])]));
    assert_eq!(
        path("a[*].b[12]"),
        (Subject::Field, vec![keys(&["a"]), Step::Each, keys(&["b"]), Step::Item(12)])
    );
    assert_eq!(path("level").0, Subject::Level);
    assert_eq!(path(".level"), (Subject::Field, vec![keys(&["level"])]));
    assert_eq!(path("error.code").0, Subject::Field);
    assert_eq!(path("pod=web").0, Subject::Origin(Name::Pod));
}

#[test]
fn a_path_is_kept_once() {
    assert_eq!(parsed("a=1 or a=2 or b=1 or .a=3").unwrap().paths.len(), 3);
}

#[test]
fn texts_of_several_lines_need_whole_records() {
    for (text, needs) in [("msg~x", true), ("a=1 and !error", true), (".msg~x", false), ("level=warn", false)]
    {
        assert_eq!(parsed(text).unwrap().needs_whole_records(), needs, "{text}");
    }
}

#[test]
fn errors_point_at_the_column() {
    for (text, error) in [
        ("", "a field is expected, such as status or http.status, at column 1, the end"),
        ("status>", "after \">\" a value is expected, at column 8, the end"),
        ("status>=  ", "after \">=\" a value is expected, at column 11, the end"),
        ("a=1 and or", "a field is expected, such as status or http.status, at column 9: or"),
        ("msg~=x", "\"~=\" is no operator; for a regular expression write =~, at column 4: ~=x"),
        ("a:1", "\":\" is no operator; write =, at column 2: :1"),
        ("a=>1", "\"=>\" is no operator; write >=, at column 2: =>1"),
        (
            "é>12mss and b",
            "\"12mss\" is neither number nor duration nor size; quote it to compare text, at column 3: 12mss and b",
        ),
        (
            "level>=3",
            "level is one of trace, debug, info, notice, warn, error, fatal, not \"3\"; .level is the field of that \
             name, at column 8: 3",
        ),
        ("a b", "after a condition \"and\", \"or\" or the end is expected, at column 3: b"),
        ("a=1)", "\")\" has no \"(\" before it, at column 4: )"),
        ("(a=1", "\")\" is expected, at column 5, the end"),
        ("a=\"x", "a quote is missing at the end of this text, at column 3: \"x"),
        (
            r#"a="\d""#,
            "this is no JSON string; between ' and ' every character is itself, at column 3: \"\\d\"",
        ),
        (
            "a<\"1\"",
            "\"<\" compares numbers, durations, sizes, levels and times; \"1\" is text, at column 3: \"1\"",
        ),
        ("a in 1", "after \"in\" values in parentheses are expected, at column 6: 1"),
        ("a in (1,)", "after \",\" a value is expected, at column 9: )"),
        ("a not b", "after \"not\" behind a field \"in\" or \"contains\" is expected, at column 7: b"),
        (
            "a[x]",
            "in brackets the number of an item, * for any, or a key in quotes is expected, at column 3: x]",
        ),
        ("a=and", "after \"=\" a value is expected; quote \"and\" if it is one, at column 3: and"),
        ("a~'('", "\"(\" is not a regular expression: missing closing ): `(`, at column 3: '('"),
    ] {
        assert_eq!(parsed(text).unwrap_err(), error, "{text}");
    }
    assert!(parsed("time>noon").unwrap_err().starts_with("\"noon\" is not a time such as 5m, 14:05"));
}

#[test]
fn a_long_rest_is_cut() {
    let error = parsed(&format!("a b{}", "x".repeat(100))).unwrap_err();
    assert!(error.ends_with(&format!(" at column 3: b{}…", "x".repeat(39))), "{error}");
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parsed(&nested(99)).is_ok());
    assert!(parsed(&nested(100)).unwrap_err().starts_with("more than 100 conditions"));
    assert!(parsed(&"!".repeat(100_000)).unwrap_err().starts_with("more than 100 conditions"));
    assert!(parsed(&"a or ".repeat(10_000)).unwrap_err().starts_with("a field is expected"));
    assert_eq!(parsed(&vec!["(a)"; 1000].join(" or ")).unwrap().paths.len(), 1);
}

#[test]
fn levels_are_all_there_are() {
    for level in Level::ALL {
        assert_eq!(understood(&format!("level={}", level.name())), format!("level={}", level.name()));
    }
}
