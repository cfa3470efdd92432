//! Lines formatted by templates, including the examples of the documentation.

use std::sync::Arc;

use proptest::prelude::*;

use crate::{
    event::{Batch, Closed, Reason},
    origin::{Origin, PodInfo},
    plan::{Display, LinePattern, Template, TemplateErrors},
    render::{
        Renderer,
        testing::{batch, display},
    },
};

fn web() -> Arc<Origin> {
    let labels = [("app", "web"), ("app.kubernetes.io/name", "shop")];
    let pod = PodInfo {
        namespace: "default".into(),
        name: "web-0".into(),
        node: "node-a".into(),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
        ..PodInfo::default()
    };
    Arc::new(Origin { pod: pod.into(), container: "app".into(), ..Origin::default() })
}

fn with_template(template: &str) -> Display {
    Display { template: Some(Template::Text(template.to_owned())), ..display() }
}

/// The lines shown, and the notices about the others.
fn shown(display: &Display, batch: &Batch) -> Result<(String, Vec<String>), String> {
    let mut renderer = Renderer::new(display)?;
    let mut out = Vec::new();
    let failed = renderer.batch(batch, &mut out).into_iter().map(|notice| notice.text);
    Ok((String::from_utf8_lossy(&out).into_owned(), failed.collect()))
}

fn made(template: &str, line: &str) -> String {
    let display = Display { template_errors: TemplateErrors::Drop, ..with_template(template) };
    match shown(&display, &batch(&web(), &[line.as_bytes()])) {
        Ok((out, failed)) => out + failed.concat().trim_end_matches("; such lines are dropped"),
        Err(reason) => reason,
    }
}

fn colored(template: &str, line: &str) -> String {
    let display = Display { color_stdout: true, ..with_template(template) };
    let (out, _) = shown(&display, &batch(&web(), &[line.as_bytes()])).unwrap();
    out.replace('\x1b', "^")
}

#[test]
fn the_documentations_examples_hold() {
    let text = include_str!("../../../docs/templates.md");
    let line = text.lines().find_map(|line| line.strip_prefix("line: ")).unwrap();
    let mut template = "";
    let mut checked = 0;
    for text in text.lines() {
        let Some(expected) = text.strip_prefix("=> ") else {
            template = text;
            continue;
        };
        let made = made(template, line);
        let made = made.replace("--template: ", "error: ").replace("expanding template failed: ", "error: ");
        assert_eq!(made, expected, "{template}");
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn a_line_that_fails_is_reported_and_shown_raw_or_left_out() {
    let batch = batch(&web(), &[br#"{"a":1}"#, b"not json", br#"{"a":2}"#]);
    for (template_errors, shown_lines, became) in [
        (TemplateErrors::Raw, "A1B\nnot json\nA2B\n", "shown raw"),
        (TemplateErrors::Drop, "A1B\nA2B\n", "dropped"),
    ] {
        let display = Display { template_errors, ..with_template("A{{(parseJSON .Message).a}}B\n") };
        let (out, failed) = shown(&display, &batch).unwrap();
        assert_eq!(out, shown_lines);
        let reason = "expanding template failed: template: log:1:4: executing \"log\" at <parseJSON .Message>: error \
                      calling parseJSON: invalid character 'o' in literal null (expecting 'u')";
        assert_eq!(failed, [format!("{reason}; such lines are {became}")]);
    }
}

#[test]
fn lines_that_fail_are_reported_once_and_counted_when_their_container_ends() {
    let mut renderer = Renderer::new(&with_template("{{index .Message 99}}")).unwrap();
    let (web, mut out, mut words) = (web(), Vec::new(), Vec::new());
    let batch = batch(&web, &[b"a", b"b"]);
    let reported: Vec<bool> = (0..3).map(|_| renderer.batch(&batch, &mut out).is_some()).collect();
    assert_eq!((reported, renderer.is_whole()), (vec![true, false, false], false));
    let closed = Closed { reason: Reason::Finished, opened: true, complete: true, restart_count: 0 };
    renderer.closed(&web, &closed, &mut words);
    let count = "! web-0 › app: expanding template failed on 6 lines, which are shown raw\n";
    assert_eq!(String::from_utf8_lossy(&words), format!("{count}- web-0 › app\n"));
    assert_eq!(renderer.counts().len(), 0);
    renderer.batch(&batch, &mut out);
    let counts = renderer.counts();
    assert!(counts.len() == 1 && counts[0].text.contains("failed on 2 lines"), "{counts:?}");
}

#[test]
fn an_invalid_template_is_reported_with_its_flag() {
    assert_eq!(made("{{nope}}", ""), "--template: template: log:1: function \"nope\" not defined");
    let display = Display { template: Some(Template::File("no/such.tpl".into())), ..display() };
    let error = shown(&display, &batch(&web(), &[])).unwrap_err();
    assert!(error.starts_with("--template-file: no/such.tpl: "), "{error}");
}

#[test]
fn a_file_holds_a_template_as_well() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{{.PodName}}: {{.Message}}\n").unwrap();
    let display = Display { template: Some(Template::File(file.path().into())), ..display() };
    let (out, _) = shown(&display, &batch(&web(), &[b"hi \xff"])).unwrap();
    assert_eq!(out, "web-0: hi \u{fffd}\n");
}

#[test]
fn colours_are_those_of_stern() {
    for (template, expected) in [
        (
            "{{levelColor \"debug\"}}{{levelColor \"WARN\"}}{{levelColor \"x\"}}{{levelColor 1}}",
            "^[35mdebug^[0m^[33mWARN^[0mx",
        ),
        ("{{bunyanLevelColor (tryParseJSON .Message).n}}", "^[31m50^[0m"),
        ("{{bunyanLevelColor (parseJSON .Message).n}}{{bunyanLevelColor 50}}", "^[31m50^[0m"),
        ("{{colorCustom \"Hi\" 3 96}}{{colorCustom \"x\"}}", "^[3;96mHi^[23;0m^[mx^[m"),
        ("{{colorGreen \"a%\"}}{{colorGreen \"%d%%\" 5}}", "^[32ma%^[0m^[32m5%^[0m"),
        ("{{.PodColor.Sprint 1 2}}{{call .PodColor.SprintFunc \"a\"}}", "^[95m1 2^[0m^[95ma^[0m"),
        ("{{.PodColor}} {{print .PodColor}}", "{[95] <nil>} &{[95] <nil>}"),
    ] {
        assert_eq!(colored(template, r#"{"n":50}"#), expected, "{template}");
    }
    assert_eq!(made("{{colorRed \"a\"}}{{color .PodColor \"b\"}}{{.PodColor.Sprint \"c\"}}", ""), "abc");
}

#[test]
fn marks_are_set_in_all_that_is_made() {
    let highlight = vec![LinePattern::new("web|$").unwrap()];
    for (template, expected) in [
        ("{{.PodName}} {{.Message}}\n", "^[31;1mweb^[0;22m-0 a ^[31;1mweb^[0;22m\n"),
        ("", ""),
        ("web", "^[31;1mweb^[0;22m"),
    ] {
        let display = Display { color_stdout: true, highlight: highlight.clone(), ..with_template(template) };
        let (out, _) = shown(&display, &batch(&web(), &[b"a web"])).unwrap();
        assert_eq!(out.replace('\x1b', "^"), expected, "{template}");
    }
}

#[test]
fn times_are_values_with_methods() {
    for (template, expected) in [
        ("{{toUTC 0}}", "1970-01-01 00:00:00 +0000 UTC"),
        ("{{toUTC nil}} {{toRFC3339Nano \"garbage\"}}", "0001-01-01 00:00:00 +0000 UTC 0001-01-01T00:00:00Z"),
        (
            "{{$t := toUTC \"1700000000.5\"}}{{$t.Unix}} {{$t.UnixMilli}} {{$t.Month}} {{printf \"%d\" $t.Month}} {{$t.Weekday}} {{$t.Nanosecond}}",
            "1700000000 1700000000500 November 11 Tuesday 500000000",
        ),
        (
            "{{$t := toUTC 0}}{{$t.Before (toUTC 1)}} {{eq $t (toUTC 0)}} {{json $t}} {{$t.Format \"06\"}}",
            "true true \"1970-01-01T00:00:00Z\" 70",
        ),
        (
            "{{toTimestamp true \"15\"}}",
            "expanding template failed: template: log:1:2: executing \"log\" at <toTimestamp true \"15\">: error calling toTimestamp: unable to cast true of type bool to time.Time",
        ),
        (
            "{{toTimestamp 0 \"15\" \"No/Where\"}}",
            "expanding template failed: template: log:1:2: executing \"log\" at <toTimestamp 0 \"15\" \"No/Where\">: error calling toTimestamp: unknown time zone No/Where",
        ),
    ] {
        assert_eq!(made(template, ""), expected, "{template}");
    }
}

#[test]
fn times_of_lines_are_as_asked() {
    let display = Display {
        timestamps: Some(crate::plan::Timestamps::Short),
        ..with_template("{{.Timestamp}} {{.Message}}\n")
    };
    let (out, _) = shown(&display, &batch(&web(), &[b"a"])).unwrap();
    assert_eq!(out, "05-31 22:03:20 a\n");
}

const EVERY_FUNCTION: &str = r#"{{$d := tryParseJSON .Message}}{{json $d}}{{prettyJSON .Message}}{{extjson .Message}}{{$d}}{{range $k, $v := $d}}{{$k}}{{$v}}{{levelColor $v}}{{bunyanLevelColor $v}}{{toUTC $v}}{{toRFC3339Nano $v}}{{printf "%v %q %x %d" $v $v $v $v}}{{end}}{{tryExtractJSONParts .Message "a" "b"}}{{html .Message}}{{js .Message}}{{urlquery .Message}}{{printf "%q %x %.3s %5v %+q" .Message .Message .Message .Message .Message}}{{len .Message}}"#;

proptest! {
    #[test]
    fn no_line_makes_a_template_panic(line in prop_oneof![
        "[]\\[{}:,\"a-c\\\\u0-9eE+. -]{0,24}",
        "\\{\"a\":[]\\[{}:,\"a-c0-9eE+.-]{0,8}\\}",
        "(?s).{0,20}",
    ]) {
        made(EVERY_FUNCTION, &line);
    }
}
