//! `--jq`: what a program makes of each record.

use crate::harness::*;

const SLOW: &str = r#"{"level":"error","msg":"charge failed","http":{"status":502}}"#;
const FAST: &str = r#"{"level":"info","msg":"charge accepted","http":{"status":200}}"#;

fn made(program: &str, lines: &str) -> String {
    let ran = stern_rs("--stdin -o raw --jq").arg(program).input(lines).run().stderr("").exit(0);
    ran.out()
}

#[test]
fn strings_are_shown_as_they_are_and_other_values_as_json() {
    let lines = format!("{SLOW}\n{FAST}\na text\n");
    assert_eq!(made(".msg", &lines), "charge failed\ncharge accepted\na text\n");
    assert_eq!(made(".http", &lines), "{\"status\":502}\n{\"status\":200}\nnull\n");
    assert_eq!(made("select(.http.status? >= 500) | .level, .msg", &lines), "error\ncharge failed\n");
}

#[test]
fn a_result_of_several_lines_has_a_prefix_before_each() {
    let world = World::web([r#"{"a":"x\ny"}"#]);
    world
        .stern_rs(". --no-follow --jq")
        .arg(".a, 1")
        .run()
        .stdout("web-1 app x\nweb-1 app y\nweb-1 app 1\n")
        .exit(0);
}

#[test]
fn variables_name_the_origin_and_the_time() {
    let world = World::web(["x"]);
    let program = r#""\($pod) \($namespace) \($container) \($context) \($node | type) \($time[0:2])""#;
    let ran = world.stern_rs(". -o raw --no-follow --jq").arg(program).run().exit(0);
    assert_eq!(ran.out(), "web-1 default app double string 20\n");
    assert_eq!(made("[$pod, $context, $time]", "x\n"), "[null,null,null]\n");
}

#[test]
fn in_json_the_result_is_the_message() {
    let ran =
        stern_rs("--stdin -o json --jq").arg(".http, \"a\\nb\"").input(format!("{SLOW}\n")).run().exit(0);
    let messages: Vec<_> =
        ran.out().lines().map(|line| line.split(",\"nodeName").next().unwrap().to_owned()).collect();
    assert_eq!(messages, [r#"{"message":"{\"status\":502}""#, r#"{"message":"a\nb""#]);
    let ran = stern_rs("--stdin --template {{.Message}}! --jq .msg").input(format!("{SLOW}\n")).run();
    ran.stdout("charge failed!").exit(0);
}

#[test]
fn filters_see_records_as_they_were_written() {
    let ran = stern_rs("--stdin -o raw --where http.status>=500 -i failed --jq .level");
    ran.input(format!("{SLOW}\n{FAST}\n")).run().stdout("error\n").exit(0);
}

#[test]
fn a_stack_trace_is_part_of_its_record() {
    assert_eq!(made("[.msg]", "x\n\tat a\n\tat b\nnext\n"), "[\"x\\n\\tat a\\n\\tat b\"]\n[\"next\"]\n");
}

#[test]
fn records_on_which_the_program_fails_are_reported_once_and_counted() {
    let ran = stern_rs("--stdin -o raw --jq .msg.x").input(format!("{SLOW}\n{FAST}\n{{}}\n")).run();
    ran.stdout("null\n")
        .stderr(
            "! --jq failed: cannot index \"charge failed\" with \"x\"; such records are not shown\n\
             ! --jq failed on 2 records, which are not shown\n",
        )
        .exit(3);
}

#[test]
fn a_program_without_end_fails_on_its_record_and_the_run_goes_on() {
    let program = "if .a then last(repeat(1)) else .b end";
    let ran = stern_rs("--stdin -o raw --jq").arg(program).input("{\"a\":1}\n{\"b\":2}\n").run();
    ran.stdout("2\n")
        .stderr("! --jq failed: the program has no end within 2000000 steps; such records are not shown\n")
        .exit(3);
}

#[test]
fn a_program_that_cannot_be_understood_is_refused() {
    stern_rs("--stdin --jq").arg(".a | foo").run().fails(2, "--jq: undefined filter foo/0, at column 6: foo");
}
