//! `--where`: records whose fields meet a condition.

use crate::harness::*;

/// The lines that this condition keeps of standard input.
fn kept(condition: &str, lines: &str) -> String {
    let ran = stern_rs("--stdin -o raw --where").arg(condition).input(lines).run().exit(0);
    ran.out()
}

#[test]
fn a_line_without_fields_is_a_message() {
    assert_eq!(kept("msg~timeout or msg contains 'b c'", "a timeout\nb\nb c\n"), "a timeout\nb c\n");
    assert_eq!(kept("!msg", "a\n"), "");
}

#[test]
fn a_condition_that_cannot_be_understood_is_an_error_with_its_column() {
    let refused = |condition: &str, words: &str| {
        stern_rs("--stdin --where").arg(condition).run().fails(2, words);
    };
    refused("status>", "--where: after \">\" a value is expected, at column 8, the end");
    refused(
        "a msg~=x",
        "--where: after a condition \"and\", \"or\" or the end is expected, at column 3: msg~=x",
    );
}

#[test]
fn lines_that_continue_a_record_follow_it() {
    let lines = "one\n\tat a\ntwo\n\tat b\n";
    assert_eq!(kept("msg~^two", lines), "two\n\tat b\n");
}

#[test]
fn every_condition_must_hold() {
    let ran = stern_rs("--stdin -o raw --where msg~a --where msg~b").input("a\nb\nab\n").run();
    ran.stdout("ab\n").exit(0);
}

#[test]
fn lines_around_those_of_a_condition_are_shown() {
    let ran = stern_rs("--stdin -o raw --where msg=c -C 1").input("a\nb\nc\nd\ne\n").run();
    ran.stdout("b\nc\nd\n").exit(0);
}

#[test]
fn a_name_is_one_of_the_origin() {
    let world = World::web(["a", "b"]);
    let shown = |condition: &str| world.stern_rs(". -o raw --no-follow --where").arg(condition).run().out();
    assert_eq!(shown("pod=web-1 and container~. and namespace=default"), "a\nb\n");
    assert_eq!(shown("pod=api"), "");
}

#[test]
fn fields_are_compared_by_the_form_of_the_literal() {
    let fast = r#"{"http":{"status":200,"path":"/cart/1"},"duration_ms":12,"level":"info"}"#;
    let slow = r#"{"http":{"status":502,"path":"/cart/2"},"duration_ms":812,"level":"error","trace_id":"t"}"#;
    let lines = format!("{fast}\n{slow}\n");
    let kept = |condition: &str| kept(condition, &lines);
    assert_eq!(kept("http.status>=500 && http.path~\"^/cart\""), format!("{slow}\n"));
    assert_eq!(kept("duration_ms>250ms"), format!("{slow}\n"));
    assert_eq!(kept("!exists(trace_id)"), format!("{fast}\n"));
    assert_eq!(kept("level>=warn, http.status in (500, 502)"), format!("{slow}\n"));
}

#[test]
fn a_field_that_no_record_has_is_reported() {
    let ran =
        stern_rs("--stdin -o raw --where duration>1s").input("{\"duration_ms\":1}\n{\"dur\":2}\n").run();
    ran.stdout("")
        .stderr("· --where: duration was never there in 2 records; there are duration_ms, dur\n")
        .exit(0);
}

#[test]
fn a_level_and_a_condition_must_both_hold() {
    let lines = "{\"level\":\"warn\",\"a\":1}\n{\"level\":\"warn\",\"a\":2}\n{\"level\":\"info\",\"a\":1}\n";
    let ran = stern_rs("--stdin -o raw --level warn --where a=1").input(lines).run();
    ran.stdout("{\"level\":\"warn\",\"a\":1}\n").exit(0);
}

#[test]
fn the_lines_that_continue_a_record_are_a_part_of_its_message() {
    let lines = "one\n\tat a\n\tat b\ntwo\n\tat c\n";
    assert_eq!(kept("msg~'at b'", lines), "one\n\tat a\n\tat b\n");
    assert_eq!(kept("msg!~'at b'", lines), "two\n\tat c\n");
}

#[test]
fn joined_lines_do_not_hide_the_fields_of_the_first_one() {
    let lines = "{\"level\":\"warn\",\"a\":1}\n\tat d\n{\"level\":\"info\",\"a\":1}\n";
    let ran = stern_rs("--stdin -o raw --multiline --level warn --where a=1").input(lines).run();
    ran.stdout("{\"level\":\"warn\",\"a\":1}\n\tat d\n").exit(0);
}
