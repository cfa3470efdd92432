//! Another output may differ in what it is for, and in nothing else.

use super::*;
use crate::{
    judge::testing::{at, container, story},
    story::Written,
};

const TAIL: &str = r#""namespace":"default","podName":"web-0","containerName":"app"}"#;
const GAP: &str =
    "! default web-0 › app: lines may be missing between 2026-03-01T12:00:02Z and 2026-03-01T12:00:03Z\n";

/// A line of the container `app` with the time of this second.
fn line(second: u32, text: &str) -> String {
    format!("default web-0 app 2026-03-01T12:00:{second:02}.000000000Z {text}\n")
}

fn json(second: u32, text: &str) -> String {
    format!("{{\"message\":{text:?},\"timestamp\":\"2026-03-01T12:00:{second:02}.000000000Z\",{TAIL}\n")
}

/// All that is written in the tenth second.
fn writes(text: &str) -> Vec<Written> {
    vec![Written { at: at(10.0), bytes: text.as_bytes().to_vec() }]
}

fn run(lines: &[String]) -> Story {
    Story { stdout: writes(&lines.concat()), ..story() }
}

fn plain() -> Output {
    Output { select: Select::All, form: Form::Text, files: false, until: None }
}

fn including(pattern: Pattern, context: usize) -> Output {
    Output { select: Select::Matching { include: Some(pattern), context, exclude: None }, ..plain() }
}

fn kinds(output: &Output, before: &Story, story: &Story) -> Vec<&'static str> {
    judge(output, before, story).into_iter().map(|problem| problem.kind).collect()
}

/// Of these lines, those with such numbers were shown by the other output.
fn showing(output: &Output, lines: &[&str], shown: &[usize]) -> Vec<&'static str> {
    let lines: Vec<_> = (0..).zip(lines).map(|(second, text)| line(second, text)).collect();
    let shown: Vec<_> = shown.iter().map(|number| lines[*number].clone()).collect();
    kinds(output, &run(&lines), &run(&shown))
}

const LINES: [&str; 5] = ["a 1", "b 2", "c 9", "d 9", "e 9"];

#[test]
fn the_lines_that_match_are_shown_and_no_others() {
    let output = including(Pattern::EndsWith(1), 0);
    assert_eq!(showing(&output, &LINES, &[0]), [""; 0]);
    assert_eq!(showing(&output, &LINES, &[]), ["another output shows less"]);
    assert_eq!(showing(&output, &LINES, &[0, 1]), ["another output shows more"]);
    let hiding = Select::Matching { include: None, context: 0, exclude: Some(Pattern::EndsWith(1)) };
    let output = Output { select: hiding, ..plain() };
    assert_eq!(showing(&output, &LINES, &[1, 2, 3, 4]), [""; 0]);
    assert_eq!(showing(&output, &LINES, &[2, 1, 3, 4]), ["another output shows less"]);
}

#[test]
fn lines_around_those_that_match_are_shown() {
    let output = including(Pattern::Contains("b"), 1);
    assert_eq!(showing(&output, &LINES, &[0, 1, 2]), [""; 0]);
    assert_eq!(showing(&output, &LINES, &[0, 1]), ["another output shows less"]);
    assert_eq!(showing(&output, &LINES, &[0, 1, 2, 3]), ["another output shows more"]);
}

/// The context of the first may end at the report behind it; all lines behind that have one time.
#[test]
fn a_line_that_may_be_shown_is_not_taken_for_a_later_one_like_it() {
    let output = including(Pattern::EndsWith(1), 1);
    let says = |lines: &[&str]| {
        let written = |seconds: f64, text: String| Written { at: at(seconds), bytes: text.into_bytes() };
        let behind = lines.iter().map(|text| line(2, text)).collect();
        let stdout = vec![written(9.0, line(1, "a 1")), written(11.0, behind)];
        Story { stdout, stderr: writes(GAP), ..story() }
    };
    let shown = |lines: &[&str]| kinds(&output, &says(&["same", "b", "same", "c 1"]), &says(lines));
    assert_eq!(shown(&["same", "c 1"]), [""; 0]);
    assert_eq!(shown(&["same", "same", "c 1"]), [""; 0]);
    assert_eq!(shown(&["same", "b", "same", "c 1"]), ["another output shows less"]);
    assert_eq!(shown(&["c 1"]), ["another output shows less"]);
}

#[test]
fn the_lines_of_a_record_have_its_level() {
    let output = Output { select: Select::Warnings, ..plain() };
    let shown = |texts: [(u32, &str); 3], shown: &[usize]| {
        let lines = texts.map(|(second, text)| line(second, text));
        let others: Vec<_> = shown.iter().map(|number| lines[*number].clone()).collect();
        kinds(&output, &run(&lines), &run(&others))
    };
    let (info, error, trace) =
        (r#"{"level":"info","msg":"a"}"#, r#"{"level":"error","msg":"b"}"#, "\tat a.b()");
    assert_eq!(shown([(1, info), (1, error), (1, trace)], &[1, 2]), [""; 0]);
    assert_eq!(shown([(1, info), (1, error), (1, trace)], &[1]), ["another output shows less"]);
    assert_eq!(shown([(1, info), (1, error), (2, trace)], &[1]), [""; 0]);
    assert_eq!(shown([(1, error), (1, info), (1, trace)], &[0, 2]), ["another output shows more"]);
    for cut in ["{", r#"{"level":"er"#, "\tat a."] {
        assert_eq!(shown([(1, error), (2, info), (3, cut)], &[0]), [""; 0]);
        assert_eq!(shown([(1, error), (2, info), (3, cut)], &[0, 2]), [""; 0]);
    }
}

#[test]
fn json_shows_the_same_lines_and_gaps() {
    let output = Output { form: Form::Json, ..plain() };
    let before = Story { stderr: writes(GAP), ..run(&[line(2, "a"), line(3, "b")]) };
    let gap = format!(
        "{{\"gap\":{{\"after\":\"2026-03-01T12:00:02.000000000Z\",\"before\":\"2026-03-01T12:00:03.000000000Z\"}},{TAIL}\n"
    );
    let with = |lines: &[String]| Story { stderr: writes(GAP), ..run(lines) };
    assert_eq!(kinds(&output, &before, &with(&[json(2, "a"), gap.clone(), json(3, "b")])), [""; 0]);
    assert_eq!(kinds(&output, &before, &with(&[json(2, "a"), json(3, "b")])), ["other gaps in JSON"]);
    assert_eq!(kinds(&output, &before, &with(&[json(2, "a"), gap])), ["another output shows less"]);
    let words = with(&[json(2, "a"), "words\n".to_owned(), json(3, "b")]);
    assert_eq!(kinds(&output, &before, &words), ["odd JSON", "other gaps in JSON"]);
}

/// `--limit-bytes` can cut a character.
#[test]
fn json_replaces_each_byte_of_half_a_character() {
    let output = Output { form: Form::Json, ..plain() };
    let bytes = [line(2, "→ ").trim_end_matches('\n').as_bytes(), b"\xe2\x9c\n"].concat();
    let before = Story { stdout: vec![Written { at: at(10.0), bytes }], ..story() };
    let shown = |text| kinds(&output, &before, &run(&[json(2, text)]));
    assert_eq!(shown("→ \u{fffd}\u{fffd}"), [""; 0]);
    assert_eq!(shown("→ \u{fffd}"), ["another output shows less"]);
    assert_eq!(kinds(&plain(), &before, &before), [""; 0]);
}

#[test]
fn only_a_record_is_one_message() {
    let output = Output { form: Form::JsonOfRecords, ..plain() };
    let before = run(&[line(2, "a"), line(2, "\tat b"), line(2, "c")]);
    assert_eq!(kinds(&output, &before, &run(&[json(2, "a\n\tat b"), json(2, "c")])), [""; 0]);
    assert_eq!(kinds(&output, &before, &run(&[json(2, "a\n\tat b\nc")])), ["two records are one"]);
    let cut = run(&[line(2, "a"), line(2, "\t")]);
    assert_eq!(kinds(&output, &cut, &run(&[json(2, "a\n\t")])), [""; 0]);
}

#[test]
fn the_lines_of_a_record_are_one_message_if_they_came_together() {
    let output = Output { form: Form::JsonOfRecords, ..plain() };
    let shown = |second| {
        let before = run(&[line(2, "ERROR a"), line(second, "\tat b")]);
        kinds(&output, &before, &run(&[json(2, "ERROR a"), json(second, "\tat b")]))
    };
    assert_eq!(shown(2), ["a record is torn"]);
    assert_eq!(shown(3), [""; 0]);
}

/// Its name is that of the pod before.
#[test]
fn a_record_need_not_come_before_the_lines_of_another_pod() {
    let output = Output { form: Form::JsonOfRecords, ..plain() };
    let shown = |again: bool| {
        let mut before = run(&[line(2, "ERROR a"), line(2, "\tat b"), line(20, "c")]);
        if again {
            before.containers.push(container("web-1"));
            before.writes("web-1", [20.0]);
            before.containers[1].place.pod = "web-0".to_owned();
        }
        kinds(&output, &before, &run(&[json(20, "c"), json(2, "ERROR a\n\tat b")]))
    };
    assert_eq!(shown(true), [""; 0]);
    assert_eq!(shown(false), ["another output shows less"]);
}

#[test]
fn a_line_that_ends_the_run_is_the_last_one() {
    let output = Output { until: Some(Pattern::EndsWith(2)), ..plain() };
    let before = run(&[line(1, "a"), line(2, "b 2"), line(3, "c")]);
    let ends = |lines: &[String], code, second| Story { code: Ok(code), ended: at(second), ..run(lines) };
    let found = [line(1, "a"), line(2, "b 2")];
    assert_eq!(kinds(&output, &before, &ends(&found, ExitCode::Done, 10.0)), [""; 0]);
    assert_eq!(
        kinds(&output, &before, &ends(&found, ExitCode::Done, 13.0)),
        ["another output ends otherwise"]
    );
    assert_eq!(
        kinds(&output, &before, &ends(&found, ExitCode::Unread, 10.0)),
        ["another output ends otherwise"]
    );
    let more = [line(1, "a"), line(2, "b 2"), line(3, "c")];
    assert_eq!(kinds(&output, &before, &ends(&more, ExitCode::Done, 10.0)), ["another output goes on"]);
    assert_eq!(
        kinds(&output, &before, &ends(&[line(2, "b 2")], ExitCode::Done, 10.0)),
        ["another output shows less"]
    );
}

/// A line of the context is shown with the match behind it.
#[test]
fn a_line_that_ends_the_run_may_wait_for_a_match() {
    let output = Output { until: Some(Pattern::EndsWith(2)), ..including(Pattern::EndsWith(1), 2) };
    let ends = |lines: &[(f64, &str)], ended| {
        let written = |(at_second, text): &(f64, &str)| Written {
            at: at(*at_second),
            bytes: line(*at_second as u32, text).into_bytes(),
        };
        let before = Story { stdout: lines.iter().map(written).collect(), ..story() };
        let last = lines.iter().position(|(_, text)| text.ends_with('2')).expect("it ends the run");
        let shown: Vec<_> = lines[..=last].iter().map(|(second, text)| line(*second as u32, text)).collect();
        kinds(&output, &before, &Story { code: Ok(ExitCode::Done), ended: at(ended), ..run(&shown) })
    };
    let behind = [(10.0, "a 2"), (14.0, "b"), (15.0, "c 1")];
    assert_eq!(ends(&behind, 15.0), [""; 0]);
    assert_eq!(ends(&behind, 18.0), ["another output ends otherwise"]);
    // It stands behind a match as well.
    let between = [(9.0, "z 1"), (10.0, "a 2"), (14.0, "b"), (15.0, "c 1")];
    assert_eq!(ends(&between, 10.0), [""; 0]);
    assert_eq!(ends(&between, 15.0), ["another output ends otherwise"]);
}

/// With the lines behind it, a line does not end as it does alone.
#[test]
fn a_line_that_may_be_the_head_of_a_message_need_not_end_the_run() {
    let of = |form| Output { form, until: Some(Pattern::EndsWith(2)), ..plain() };
    let goes_on = |form, next: &str| {
        let before = run(&[line(2, "ERROR 2"), line(2, next)]);
        let all = [json(2, "ERROR 2"), json(2, next)];
        kinds(&of(form), &before, &Story { code: Ok(ExitCode::Done), ended: at(20.0), ..run(&all) })
    };
    assert_eq!(goes_on(Form::JsonOfRecords, "\tat b"), [""; 0]);
    assert!(goes_on(Form::JsonOfRecords, "c").contains(&"another output ends otherwise"));
    assert!(goes_on(Form::Json, "\tat b").contains(&"another output ends otherwise"));
}

#[test]
fn files_hold_what_is_shown() {
    let output = Output { files: true, ..plain() };
    let before = Story { stderr: writes(GAP), ..run(&[line(2, "a"), line(3, "b")]) };
    let with = |text: &str| {
        let files = [("default/web-0/app.log".to_owned(), text.as_bytes().to_vec())];
        let story = Story { files: files.into(), stderr: writes(GAP), ..run(&[line(2, "a"), line(3, "b")]) };
        kinds(&output, &before, &story)
    };
    let (a, b, mark) = (line(2, "a"), line(3, "b"), "── lines may be missing between … and … ──\n");
    assert_eq!(with(&format!("{a}{mark}{b}")), [""; 0]);
    assert_eq!(with(&format!("{a}{b}")), ["gaps are not marked"]);
    assert_eq!(with(&format!("{a}{mark}")), ["another file"]);
    let none = Story { stderr: writes(GAP), ..run(&[line(2, "a"), line(3, "b")]) };
    assert_eq!(kinds(&output, &before, &none), ["no file"]);
}

#[test]
fn the_requests_and_the_words_are_the_same() {
    let (mut before, mut other) = (run(&[line(1, "a")]), run(&[line(1, "a")]));
    before.lists(1.0);
    assert_eq!(kinds(&plain(), &before, &other), ["another output asks otherwise"]);
    other.lists(1.0);
    assert_eq!(kinds(&plain(), &before, &other), [""; 0]);
    other.stderr = writes("! the moon is full\n");
    assert_eq!(kinds(&plain(), &before, &other), ["another output says otherwise"]);
}

#[test]
fn a_line_is_not_late() {
    let before = run(&[line(1, "a")]);
    let mut other = run(&[line(1, "a")]);
    other.stdout[0].at = at(10.2);
    assert_eq!(kinds(&plain(), &before, &other), ["another output is late"]);
}

#[test]
fn a_record_waits_for_its_next_line_since_the_last_one() {
    let output = Output { form: Form::JsonOfRecords, ..plain() };
    let written = |second, text: String| Written { at: at(second), bytes: text.into_bytes() };
    let with = |trace, shown: &[&str], until| {
        let lines = [(10.0, "ERROR a"), (trace, "\tat b"), (11.0, "INFO c")];
        let before = lines.map(|(second, text)| written(second, line(2, text)));
        let before = Story { stdout: before.into(), ..story() };
        let shown = shown.iter().map(|text| written(until, json(2, text)));
        let last = [written(11.0, json(2, "INFO c"))];
        kinds(&output, &before, &Story { stdout: shown.chain(last).collect(), ..story() })
    };
    assert_eq!(with(10.1, &["ERROR a\n\tat b"], 10.2), [""; 0]);
    assert_eq!(with(10.1, &["ERROR a\n\tat b"], 10.3), ["another output is late"]);
    assert_eq!(with(10.2, &["ERROR a\n\tat b"], 10.3), ["another output is late"]);
}
