//! Templates that fail while lines are shown.

use crate::harness::{World, stern_rs};

const TEMPLATE: &str = "--template '{{with $d := parseJSON .Message}}{{$d.m}}{{end}}{{\"\\n\"}}'";
const FAILED: &str = "expanding template failed: template: log:1:13: executing \"log\" at <parseJSON .Message>: error calling \
                      parseJSON: ";

fn world() -> World {
    let world = World::web(["{\"m\":1}", "plain", "[2", "{\"m\":3}"]);
    world.pod("web-2", ["{\"m\":4}"]);
    world
}

#[test]
fn a_line_on_which_a_template_fails_is_shown_raw_and_counts() {
    let ran = world().run(&format!("web-1 --no-follow {TEMPLATE}"));
    ran.stdout("1\nplain\n[2\n3\n")
        .reported(&format!("! web-1 › app: {FAILED}"))
        .reported("; such lines are shown raw\n")
        .reported("! web-1 › app: expanding template failed on 2 lines, which are shown raw\n- web-1 › app\n")
        .exit(3);
}

#[test]
fn a_line_on_which_a_template_fails_can_be_left_out() {
    let ran = world().run(&format!("web-1 --no-follow {TEMPLATE} --template-errors drop"));
    ran.stdout("1\n3\n")
        .reported("; such lines are dropped\n")
        .reported("failed on 2 lines, which are dropped\n")
        .exit(3);
}

#[test]
fn a_container_on_whose_lines_it_works_has_no_part_in_that() {
    let world = world();
    world.run(&format!("web --no-follow {TEMPLATE}")).never_reported("web-2 › app: expanding").exit(3);
    world.run(&format!("web-2 --no-follow {TEMPLATE}")).stdout("4\n").exit(0);
}

#[test]
fn the_count_is_reported_when_the_run_is_ended() {
    let world = world();
    let mut tail = world.start(&format!("web-1 {TEMPLATE}"));
    for line in ["1", "plain", "[2", "3"] {
        tail.expect(line);
    }
    tail.interrupt()
        .reported("! web-1 › app: expanding template failed on 2 lines, which are shown raw\n")
        .exit(130);
}

#[test]
fn standard_input_has_no_name_to_report() {
    for (flag, shown, became, code) in [
        // As in stern.
        ("", "1\n", "dropped", 0),
        ("--template-errors drop", "1\n", "dropped", 3),
        ("--template-errors raw", "a\nb\n1\n", "shown raw", 3),
    ] {
        let ran = stern_rs(&format!("--stdin {TEMPLATE} {flag}")).input("a\nb\n{\"m\":1}\n").run();
        ran.stdout(shown)
            .reported(&format!("! {FAILED}"))
            .reported(&format!("! expanding template failed on 2 lines, which are {became}\n"))
            .exit(code);
    }
}

#[test]
fn an_unknown_way_is_refused() {
    stern_rs("--stdin --template-errors hide").run().fails_with(2, &["--template-errors", "raw", "drop"]);
}
