//! The language as a whole. The expected outputs were recorded from Go; see its `text/template`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// `{"a": 1, "list": ["x", null, 2.5], "map": {"k": "v"}, "nil": null, "num": 3}`
fn data() -> Value<'static> {
    let map = |entries: Vec<(&'static str, Value<'static>)>| {
        let mut entries: Vec<Entry<'static>> =
            entries.into_iter().map(|(key, value)| (Str::Borrowed(key.as_bytes()), value)).collect();
        entries.sort_by(|a, b| (*a.0).cmp(&b.0));
        Value::Map(Map::Values(Some(entries.into())))
    };
    map(vec![
        ("a", Value::int(1)),
        ("list", Value::List([Value::text("x"), Value::Nil, Value::Float(2.5)].into())),
        ("map", map(vec![("k", Value::text("v"))])),
        ("nil", Value::Nil),
        ("num", Value::Number(Str::Borrowed(b"3"))),
    ])
}

fn made(text: &str) -> Result<String, String> {
    let template = Template::parse("t", text.as_bytes(), Functions::new())?;
    let mut out = Vec::new();
    template.run(data(), &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let made = made(text).unwrap_or_else(|error| error);
        assert_eq!(&made, expected, "{text}");
    }
}

#[test]
fn actions_show_values() {
    check(&[
        (
            "{{1}} {{-2}} {{0x1F}} {{1e3}} {{'a'}} {{1.5}} {{true}} {{\"s\\t\"}} {{`r\\n`}}",
            "1 -2 31 1000 97 1.5 true s\t r\\n",
        ),
        (
            "{{.a}} {{.list}} {{.map}} {{.nope}} {{.nil}} {{.num}}",
            "1 [x <nil> 2.5] map[k:v] <no value> <no value> 3",
        ),
        ("{{.map.k}} {{(index .list 0)}} {{$.map.k}} {{(.map).k}}", "v x v v"),
        ("a {{- /* c */ -}} b\n{{- 1 -}}\n", "ab1"),
    ]);
}

#[test]
fn variables_are_scoped() {
    check(&[
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "32"),
        ("{{with $x := .a}}{{$x}}{{.}}{{end}}", "11"),
        ("{{if $x := 0}}{{else}}{{$x}}{{end}}", "0"),
        ("{{$x := 1}}{{range .map}}{{$x := 2}}{{end}}{{$x}}", "1"),
        ("{{$x}}", "template: t:1: undefined variable \"$x\""),
    ]);
}

#[test]
fn branches_follow_truth() {
    check(&[
        ("{{if 0}}a{{else if \"\"}}b{{else}}c{{end}}", "c"),
        ("{{with .nil}}a{{else with .a}}b{{.}}{{else}}c{{end}}", "b1"),
        ("{{with .nil}}a{{else}}{{.a}}{{end}}", "1"),
        ("{{not .list}} {{and 1 0 2}} {{or 0 .nope \"x\"}} {{or .nope 0}}", "false 0 x 0"),
        ("{{and false (index .list 9)}}", "false"),
    ]);
}

#[test]
fn ranges_go_over_lists_maps_and_numbers() {
    check(&[
        ("{{range .list}}[{{.}}]{{end}}", "[x][<no value>][2.5]"),
        ("{{range $k, $v := .}}{{$k}} {{end}}", "a list map nil num "),
        ("{{range $i, $v := .list}}{{$i}}={{$v}} {{end}}", "0=x 1=<no value> 2=2.5 "),
        ("{{range 3}}{{.}}{{end}}{{range 0}}a{{else}}none{{end}}", "012none"),
        ("{{range .nope}}a{{else}}none{{end}}", "none"),
        ("{{range 9}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}", "013"),
        ("{{range $i := 2}}{{range $j := 2}}{{if $j}}{{break}}{{end}}{{$i}}{{$j}} {{end}}{{end}}", "00 10 "),
        (
            "{{range \"abc\"}}{{end}}",
            "template: t:1:8: executing \"t\" at <\"abc\">: range can't iterate over abc",
        ),
    ]);
}

#[test]
fn templates_are_named() {
    check(&[
        ("{{define \"d\"}}<{{.}}>{{end}}{{template \"d\" .a}}{{template \"d\"}}", "<1><<no value>>"),
        ("{{block \"b\" .map}}{{.k}}{{end}}", "v"),
        ("{{define \"d\"}}{{$x := 1}}{{$}}{{end}}{{$x := 2}}{{template \"d\" 5}}{{$x}}", "52"),
        (
            "{{template \"x\"}}",
            "template: t:1:11: executing \"t\" at <{{template \"x\"}}>: template \"x\" not defined",
        ),
        (
            "{{define \"d\"}}{{.nope.x}}{{len 1}}{{end}}{{template \"d\" .}}",
            "template: t:1:27: executing \"d\" at <len 1>: error calling len: len of type int",
        ),
        (
            "{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}",
            "template: t:1: template: multiple definition of template \"a\"",
        ),
    ]);
}

#[test]
fn builtins_do_as_gos() {
    check(&[
        (
            "{{len .list}} {{len \"é\"}} {{index .map \"k\"}} {{index .map \"x\"}} {{index \"ab\" 1}}",
            "3 2 v <no value> 98",
        ),
        ("{{slice \"abc\" 1}} {{slice \"abc\" 1 2}} {{slice .list 0 1}}", "bc b [x]"),
        (
            "{{eq 1 2 1}} {{ne .a 1}} {{lt 1 2}} {{ge \"b\" \"a\"}} {{eq .nil nil}} {{eq .num \"3\"}}",
            "true false true true true true",
        ),
        ("{{print \"a\" 1 2 \"b\"}}|{{println 1 \"a\"}}", "a1 2b|1 a\n"),
        ("{{html \"<a>\"}} {{js \"'\"}} {{urlquery \"a b\"}}", "&lt;a&gt; \\' a+b"),
        ("{{\"x\" | printf \"%s-%s\" \"y\"}}", "y-x"),
        ("{{.num.Int64}} {{.num.Float64}} {{.num.String}}", "3 3 3"),
    ]);
}

#[test]
fn printf_has_gos_verbs_and_complaints() {
    check(&[
        (
            r#"{{printf "%d|%5d|%-5d|%05d|%+d|%x|%X|%#x|%o|%b|%c|%U" 42 42 42 42 42 255 255 255 8 5 65 65}}"#,
            "42|   42|42   |00042|+42|ff|FF|0xff|10|101|A|U+0041",
        ),
        (
            r#"{{printf "%s|%q|%x|%.2s|%-4s|%4s|%v" "ab" "a\n" "ab" "abc" "é" "é" nil}}"#,
            "ab|\"a\\n\"|6162|ab|é   |   é|<nil>",
        ),
        (
            r#"{{printf "%e %g %.2f %8.3f %t %T %T" 1.5 1e21 3.14159 2.71828 true 1 .list}}"#,
            "1.500000e+00 1e+21 3.14    2.718 true int []interface {}",
        ),
        (r#"{{printf "%*d|%-*d|%.*f|%[2]d %[1]d" 5 42 3 7 1 2.55}}"#, "   42|7  |2.5|42 5"),
        (
            r#"{{printf "%d %s" "x" 1}} {{printf "%d"}} {{printf "a" 1 "b"}}"#,
            "%!d(string=x) %!s(int=1) %!d(MISSING) a%!(EXTRA int=1, string=b)",
        ),
        (
            r#"{{printf "%[9]d %%" 1}} {{printf "%"}} {{printf "%z" nil}}"#,
            "%!d(BADINDEX) % %!(NOVERB) %!z(<nil>)",
        ),
        (
            r#"{{printf "%v %+v %#v %d" .list .map .map .list}}"#,
            "[x <nil> 2.5] map[k:v] map[string]interface {}{\"k\":\"v\"} [%!d(string=x) <nil> %!d(float64=2.5)]",
        ),
    ]);
}

#[test]
fn errors_name_the_place_and_the_cause() {
    check(&[
        (
            "{{index \"\" 0}}",
            "template: t:1:2: executing \"t\" at <index \"\" 0>: error calling index: reflect: string index out of range",
        ),
        (
            "\n{{.a.b}}",
            "template: t:2:4: executing \"t\" at <.a.b>: can't evaluate field b in type interface {}",
        ),
        ("{{.nil.b}}", "template: t:1:6: executing \"t\" at <.nil.b>: nil pointer evaluating interface {}.b"),
        (
            "{{len 1 2}}",
            "template: t:1:2: executing \"t\" at <len>: wrong number of args for len: want 1 got 2",
        ),
        (
            "{{eq 1 \"1\"}}",
            "template: t:1:2: executing \"t\" at <eq 1 \"1\">: error calling eq: incompatible types for comparison: int and string",
        ),
        (
            "{{printf .a}}",
            "template: t:1:9: executing \"t\" at <.a>: wrong type for value; expected string; got int",
        ),
        ("{{1 2}}", "template: t:1:2: executing \"t\" at <1>: can't give argument to non-function 1"),
        ("{{nil}}", "template: t:1:2: executing \"t\" at <nil>: nil is not a command"),
    ]);
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let text = "a".repeat(MAX_TEXT);
    assert!(Template::parse("t", text.as_bytes(), Functions::new()).is_ok());
    let error = Template::parse("t", format!("{text}a").as_bytes(), Functions::new()).err();
    assert_eq!(error.as_deref(), Some("template: t: the text is longer than 1 MiB"));
}

#[test]
fn invalid_templates_are_refused() {
    check(&[
        ("{{nope 1}}", "template: t:1: function \"nope\" not defined"),
        ("{{.A", "template: t:1: unclosed action"),
        ("{{if 1}}\n", "template: t:2: unexpected EOF"),
        ("{{end}}", "template: t:1: unexpected {{end}}"),
        ("{{}}", "template: t:1: missing value for command"),
        ("{{.A ! }}", "template: t:1: unexpected \"!\" in operand"),
        ("{{1 | 2}}", "template: t:1: non executable command in pipeline stage 2"),
        ("{{break}}", "template: t:1: {{break}} outside {{range}}"),
        ("{{\n1\n\"a\n}}", "template: t:3: unterminated quoted string in action started at t:1"),
        ("{{range $a, $b, $c := 1}}{{end}}", "template: t:1: too many declarations in range"),
        ("{{1.A}}", "template: t:1: bad number syntax: \"1.A\""),
        ("{{true.A}}", "template: t:1: unexpected . after term \"true\""),
    ]);
}

#[test]
fn nothing_runs_away() {
    for (text, reason) in [
        (
            "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
            "exceeded maximum template depth (200)",
        ),
        ("{{range 9223372036854775807}}{{end}}", "stopped after 400000 steps"),
        ("{{$x := \"0123456789\"}}{{range 99}}{{$x = print $x $x}}{{end}}", "more than 16 MiB of text"),
        (
            "{{printf \"%1000000d%1000000d\" 1 2}}{{range 99}}{{printf \"%999999v\" 1}}{{end}}",
            "more than 16 MiB of text",
        ),
        (
            "{{define \"r\"}}{{if true}}{{range 1}}{{((template \"r\"))}}{{end}}{{end}}{{end}}",
            "unexpected <template>",
        ),
    ] {
        let error = made(text).expect_err(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
    let deep = |n: usize| format!("{}1{}", "{{if true}}".repeat(n), "{{end}}".repeat(n));
    assert_eq!(made(&deep(100)).as_deref(), Ok("1"));
    assert!(made(&deep(101)).is_err_and(|error| error.contains("nest deeper than 100")));
    let recursive = format!(
        "{{{{define \"r\"}}}}{}{{{{end}}}}{{{{template \"r\"}}}}",
        deep(60).replace('1', "{{template \"r\"}}")
    );
    assert!(made(&recursive).is_err_and(|error| error.contains("maximum template depth")));
}

#[test]
fn functions_of_the_host_take_the_declared_types() {
    let greet = Function::new(&[Type::String], Some(Type::Int("host.Number")), |args, out| {
        out.extend_from_slice(b"hi ");
        print(args, out);
        if args.len() > 2 { Err("too many".to_owned()) } else { Ok(Answer::Text) }
    });
    let run = |text: &str| {
        let functions = Functions::from([("greet", greet.clone())]);
        let template = Template::parse("t", text.as_bytes(), functions)?;
        let mut out = Vec::new();
        template.run(data(), &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(run("{{greet \"you\"}} {{greet \"you\" 2 | len}}").as_deref(), Ok("hi you 7"));
    for (text, reason) in [
        ("{{greet 1}}", "<1>: expected string; found 1"),
        ("{{greet .num}}", "<.num>: wrong type for value; expected string; got json.Number"),
        ("{{greet nil}}", "<nil>: cannot assign nil to string"),
        ("{{greet \"a\" .a}}", "<.a>: wrong type for value; expected host.Number; got int"),
        ("{{greet \"a\" 1 2}}", "<greet \"a\" 1 2>: error calling greet: too many"),
        ("{{greet}}", "<greet>: wrong number of args for greet: want at least 1 got 0"),
    ] {
        assert!(run(text).unwrap_err().ends_with(reason), "{text}: {:?}", run(text));
    }
}

/// Templates built from random pieces of the language, some of them valid.
fn soup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{{",
        "}}",
        "{{- ",
        " -}}",
        "if ",
        "else",
        "end",
        "with ",
        "range ",
        "define \"a\"",
        "template \"a\" .",
        ".",
        ".a",
        ".list",
        ".map.k",
        "$x",
        " := ",
        " = ",
        "|",
        "(",
        ")",
        "\"s\"",
        "`r`",
        "'c'",
        "1",
        "2.5",
        "nil",
        "true",
        "$",
        "len ",
        "index ",
        "print ",
        "printf \"%[2]*.3v%x\" ",
        " ",
        "\n",
        ",",
        "/*",
        "*/",
        "{{break}}",
        "é",
        "{{end}}",
        "{{range .list}}",
        "{{if .a}}",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_template_panics(text in soup()) {
        let _ = made(&text);
    }

    #[test]
    fn text_without_actions_is_itself(text in "[^{]{0,40}") {
        prop_assert_eq!(made(&text), Ok(text));
    }

    #[test]
    fn no_format_panics(format in "(%[-+# 0]{0,2}([0-9]{0,3}|\\*)(\\.([0-9]{0,3}|\\*))?(\\[[0-9]\\])?[a-zA-Z%]|.){0,5}", int: i64, float: f64, text: Vec<u8>) {
        let map = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let args = [
            Value::Int(Width::Int, int),
            Value::Float(float),
            Value::owned(&text),
            Value::Map(Map::Strings(Some(&map))),
            Value::Nil,
        ];
        for i in 0..args.len() {
            printf(format.as_bytes(), &args[i..], &mut Vec::new());
        }
    }

    #[test]
    fn quoted_text_comes_back(text: Vec<u8>) {
        let quoted = quote::quoted(&text);
        prop_assert_eq!(quote::unquote(quoted.as_bytes()), Some(text));
    }

    #[test]
    fn shown_floats_are_read_back(float: f64) {
        let mut out = Vec::new();
        print_value(&Value::Float(float), &mut out);
        let back: f64 = String::from_utf8(out).unwrap().replace("Inf", "inf").parse().unwrap();
        prop_assert!(back == float || float.is_nan() && back.is_nan());
    }
}
