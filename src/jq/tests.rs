//! What programs make of records, and what bounds them.

use jaq_json::Val;

use super::*;
use crate::fields::Reader;

/// The results, and the error behind them. As everywhere, the program runs where it has room.
fn run(code: &str, message: &str) -> (Vec<String>, Option<String>) {
    let (sender, receiver) = mpsc::channel();
    let (code, message) = (code.to_owned(), message.to_owned());
    spawn(move || {
        let program = Program::compile(&code).unwrap_or_else(|fault| panic!("{code}: {fault:?}"));
        let variables = std::array::from_fn(|_| Val::Null);
        let mut results = Vec::new();
        let push = |result: &[u8]| results.push(String::from_utf8(result.to_vec()).unwrap());
        let state = State::default();
        let error = value(message.as_bytes(), &mut Reader::default())
            .and_then(|value| program.run(&state, variables, value, push))
            .err();
        sender.send((results, error)).unwrap();
    })
    .unwrap();
    receiver.recv().expect("the program ends")
}

#[track_caller]
fn makes(code: &str, message: &str, wanted: &[&str]) {
    assert_eq!(run(code, message), (wanted.iter().map(|&line| line.to_owned()).collect(), None), "{code}");
}

#[track_caller]
fn fails(code: &str, message: &str, wanted: &str) {
    assert_eq!(run(code, message).1.as_deref(), Some(wanted), "{code}");
}

/// Recorded from jq 1.6 with `-rc`.
#[test]
fn programs_make_the_same_as_in_jq() {
    let mut lines = include_str!("golden.jsonl").lines();
    let input = lines.next().unwrap();
    let mut different = Vec::new();
    for line in lines {
        let [code, wanted]: [String; 2] = serde_json::from_str(line).unwrap();
        let (results, error) = run(&code, input);
        let made = (results.join("\n"), error);
        if made != (wanted.trim_end_matches('\n').to_owned(), None) {
            different.push(format!("DIFF {code}: {made:?} in place of {wanted:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn numbers_and_the_order_of_keys_stay_as_they_are_written() {
    let line = r#"{"z":12345678901234567890123,"a":1.10,"b":1e1000}"#;
    makes(".", line, &[line]);
    makes(".z", line, &["12345678901234567890123"]);
}

#[test]
fn other_forms_are_objects_of_their_fields() {
    makes(".", "a text", &[r#"{"msg":"a text"}"#]);
    makes("{msg}", "two\n\tat lines", &[r#"{"msg":"two\n\tat lines"}"#]);
    makes(".", "42", &[r#"{"msg":"42"}"#]);
}

#[test]
fn lines_behind_a_json_object_are_its_stack() {
    makes(".", "{\"a\":1}\n\tat x\n\tat y", &[r#"{"a":1,"stack":"\tat x\n\tat y"}"#]);
    makes(".", "{\"a\":1,\"stack\":\"own\"}\n\tat x", &[r#"{"a":1,"stack":"own"}"#]);
    makes(".", "{\n\"a\":1\n}", &[r#"{"a":1}"#]);
}

#[test]
fn an_error_ends_the_record() {
    assert_eq!(run(".a, error(\"x\"), .b", r#"{"a":1,"b":2}"#), (vec!["1".to_owned()], Some("x".to_owned())));
    fails(".a.b", r#"{"a":1}"#, "cannot index 1 with \"b\"");
    fails("error({a: 1})", "{}", "{\"a\":1}");
}

#[test]
fn functions_that_would_leave_the_program_are_refused() {
    for name in ["halt", "halt_error", "env", "debug", "stderr"] {
        let error = run(name, "{}").1.unwrap();
        assert!(error.ends_with(" is not available here"), "{name}: {error}");
    }
    fails("input", "{}", "input is not available: --jq gets one record at a time");
    fails("[inputs]", "{}", "input is not available: --jq gets one record at a time");
}

#[test]
fn a_program_without_end_fails() {
    let steps = "the program has no end within 2000000 steps";
    for code in [
        "[range(1000000000000)] | length",
        "[range(infinite)]",
        "last(repeat(1))",
        "def f: f; f",
        "while(true; .)|empty",
        "[recurse(.)]",
        "until(false; .)",
        "reduce range(1e9) as $i (0; [.])",
        "label $out | foreach range(infinite) as $i (0; . + $i; empty)",
    ] {
        fails(code, "{}", steps);
    }
    for code in ["def f: f | f; f", "def f: 1 + f; f", "def f: [f]; f", "def f($x): f($x + 1) + 1; f(0)"] {
        fails(code, "{}", "the program recurses too deeply");
    }
    fails("repeat(1)", "{}", "more than 10000 results come of one record");
    fails("reduce range(60) as $i (1; [., .])", "{}", "more than 16 MiB come of one record");
}

#[test]
fn a_value_that_is_nested_deeply_is_no_harm() {
    makes("reduce range(250000) as $i (0; [.]) | length", "{}", &["1"]);
}

#[test]
fn deep_texts_are_not_read() {
    let deep_text = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    makes("length", &deep_text(127), &["1"]);
    fails(".", &deep_text(128), "it is nested deeper than 128");
    fails(".", &"[".repeat(1 << 20), "it is nested deeper than 128");
    let text = format!("{{\"m\":\"{}\"}}", "[".repeat(100_000));
    fails(".m | fromjson", &text, "it is nested deeper than 128");
    makes(".m | length", &text, &["100000"]);
}

#[test]
fn regular_expressions_know_unicode_and_are_linear() {
    makes(r#"[.m | scan("\\p{L}+")] | length"#, r#"{"m":"é ü x"}"#, &["3"]);
    makes(r#".m | [match("b"; "g").offset]"#, r#"{"m":"éb b"}"#, &["[1,3]"]);
    makes(r#".m | test("(a*)*b")"#, &format!("{{\"m\":\"{}\"}}", "a".repeat(100_000)), &["false"]);
    fails(r#".m | test("(")"#, r#"{"m":""}"#, "invalid regex: unclosed group");
    fails(r#".m | test("a"; "q")"#, r#"{"m":""}"#, "invalid regex flag: q");
}

#[test]
fn bytes_that_are_not_utf_8_stay() {
    let (sender, receiver) = mpsc::channel();
    spawn(move || {
        let program = Program::compile(".m").unwrap();
        let input = value(b"{\"m\":\"\xE9\"}", &mut Reader::default()).unwrap();
        let variables = std::array::from_fn(|_| Val::Null);
        let mut results = Vec::new();
        let push = |result: &[u8]| results.push(result.to_vec());
        let _ = program.run(&State::default(), variables, input, push);
        let _ = sender.send(results);
    })
    .unwrap();
    assert_eq!(receiver.recv().unwrap(), [b"\xE9"]);
}

#[test]
fn a_program_that_cannot_be_understood_is_refused_with_its_column() {
    for (code, reason) in [
        ("[.a", "expected closing bracket, at column 4, the end"),
        (".\"é\" | foo(1) | .b", "undefined filter foo/1, at column 8: foo(1) | .b"),
        (".a | $x", "undefined variable $x, at column 6: $x"),
        ("if .a then 1", "expected else or end, at column 13, the end"),
        (".a §", "expected token, at column 4: §"),
    ] {
        assert_eq!(check(code), Err(reason.to_owned()), "{code}");
    }
    assert!(check(&"(".repeat(100_000)).is_err());
    assert_eq!(check("# a comment\n.a"), Ok(()));
}

#[test]
fn a_text_that_is_no_json_is_an_error_that_can_be_caught() {
    fails(".a | tonumber", r#"{"a":"12ms"}"#, "cannot parse \"12ms\" as JSON: byte offset 2: value expected");
    makes("[.a | tonumber?, fromjson?]", r#"{"a":"12ms"}"#, &["[]"]);
    makes("try (.a | fromjson) catch 0", r#"{"a":"{x"}"#, &["0"]);
}

#[test]
fn values_have_a_largest_size() {
    for code in [
        "reduce range(40) as $i (\"x\"; . + .) | length",
        "reduce range(40) as $i (\"x\"; \"\\(.)\\(.)\") | length",
        "reduce range(40) as $i ([1]; . + .) | length",
        "reduce range(40) as $i ([1]; [.[], .[]]) | length",
        "reduce range(40) as $i (3; . * .)",
        "\"x\" * 1000000000000 | length",
        "{a: \"x\"} | .a *= 1000000000 | length",
        "[limit(1000; repeat(\"x\" * 1000000))] | add | length",
    ] {
        fails(code, "{}", "a value becomes too large");
    }
    fails(".a[9000000] = 1", "{}", "the array index 9000000 is too large");
}

#[test]
fn impossible_assignments_and_keys_are_errors() {
    fails(".a.b = 1", r#"{"a":1}"#, "cannot index 1 with \"b\"");
    fails(".a[-1] = 1", "{}", "out of bounds negative array index");
    fails(".a[\"x\"] = 1", r#"{"a":[1]}"#, "cannot index [1] with \"x\"");
    fails("del(.a.b.c)", r#"{"a":{"b":1}}"#, "cannot index 1 with \"c\"");
    fails("{(.a): 1}", r#"{"a":1}"#, "cannot use 1 as an object key");
    fails("[{value: 1}] | from_entries", "{}", "cannot use null as an object key");
    makes("[{k: \"a\", v: 1}, {K: \"b\", V: 2}] | from_entries", "{}", &[r#"{"a":1,"b":2}"#]);
}

#[test]
fn an_update_without_a_result_deletes() {
    makes(".a[] |= empty", r#"{"a":[1,2,3]}"#, &[r#"{"a":[]}"#]);
    makes("(.a[] | select(. > 1)) |= empty", r#"{"a":[1,2,3]}"#, &[r#"{"a":[1]}"#]);
    makes(".a |= empty", r#"{"b":1,"a":2,"c":3}"#, &[r#"{"b":1,"c":3}"#]);
}

#[test]
fn a_json_line_that_is_cut_is_an_error() {
    let cut = "the line is cut; raise --max-line";
    fails(".", "{\"a\":\"x … [99 bytes cut by --max-line]", cut);
    makes(
        ".",
        "a text … [99 bytes cut by --max-line]",
        &[r#"{"msg":"a text … [99 bytes cut by --max-line]"}"#],
    );
}

#[test]
fn a_blank_program_is_the_identity() {
    for code in ["", " ", "# only a comment"] {
        makes(code, r#"{"a":1}"#, &[r#"{"a":1}"#]);
    }
}
