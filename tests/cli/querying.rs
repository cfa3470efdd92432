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
    assert_eq!(kept("msg=two", lines), "two\n\tat b\n");
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
