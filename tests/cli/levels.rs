//! `--level`: records by their level.

use crate::harness::{World, stern_rs};

const HIDDEN: &str = "· lines without a level are hidden; --level warn,none shows them\n";

#[test]
fn records_of_a_level_and_above_are_shown() {
    let input = "{\"level\":\"info\",\"msg\":\"a\"}\n{\"msg\":\"b\",\"level\":\"error\"}\n{\"level\":40}\n";
    let ran = stern_rs("--stdin --level warn").input(input).run();
    ran.stdout("{\"msg\":\"b\",\"level\":\"error\"}\n{\"level\":40}\n").stderr("").exit(0);
}

#[test]
fn lines_without_a_level_are_hidden_and_counted() {
    let input = "hello\n{\"level\":\"warn\"}\nworld\n";
    let ran = stern_rs("--stdin --level warn").input(input).run();
    let stderr = format!("{HIDDEN}· 2 lines had no level\n");
    ran.stdout("{\"level\":\"warn\"}\n").stderr(&stderr).exit(0);
    stern_rs("--stdin --level warn,none").input(input).run().stdout(input).stderr("").exit(0);
    stern_rs("--stdin --level warn -i level").input(input).run().stderr("").exit(0);
}

#[test]
fn a_stack_trace_follows_its_record() {
    let input = "{\"level\":\"error\"}\n\tat a\n{\"level\":\"info\"}\n\tat b\n";
    stern_rs("--stdin --level warn").input(input).run().stdout("{\"level\":\"error\"}\n\tat a\n").stderr("");
}

#[test]
fn the_level_of_java_util_logging_stands_in_its_second_line() {
    let head = "Jan 31, 2026 12:00:00 PM com.x.Y method";
    let input = format!("{head}\nINFO: a\n{head}\nSEVERE: b\njava.lang.Error: c\n\tat d\n{head}\nFINE: e\n");
    let shown = format!("{head}\nSEVERE: b\njava.lang.Error: c\n\tat d\n");
    stern_rs("--stdin --level error").input(input).run().stdout(&shown).stderr("").exit(0);
}

#[test]
fn lines_around_records_of_a_level_can_be_shown() {
    let lines = ["a", "b", "{\"level\":\"error\"}", "c", "d"];
    let ran = World::web(lines).run("web --no-follow -o raw --level error -C 1");
    ran.stdout("b\n{\"level\":\"error\"}\nc\n").exit(0);
}

#[test]
fn a_config_file_can_name_levels_and_keys() {
    let world = World::new();
    let config =
        world.home.write("config.yaml", "levels: {FEHLER: error, 7: debug}\nfields: {level: [sev]}\n");
    let input = "{\"sev\":\"Fehler\"}\n{\"sev\":7}\n{\"sev\":\"info\",\"level\":\"error\"}\n";
    let ran = world.stern_rs(&format!("--stdin --level error --config {config}")).input(input).run();
    ran.stdout("{\"sev\":\"Fehler\"}\n").stderr("").exit(0);
    let refused = |text: &str, words: &str| {
        let config = world.home.write("config.yaml", text);
        world.stern_rs(&format!("--stdin --config {config}")).run().fails(2, &format!("{config}:{words}"));
    };
    let names = "trace, debug, info, notice, warn, error or fatal";
    refused("tail: 1\nlevels:\n  A: info\n  B: loud\n", &format!("4: levels: \"loud\" is none of {names}"));
    refused("levels: [a]\n", "1: levels: it takes words and their levels, such as {FEHLER: error}");
    refused("levels: {A: }\n", "1: levels: A needs one level, such as A: error");
    let roles = "level, message, time, error, stack, logger, caller or trace";
    refused("fields: {lvl: x}\n", &format!("1: fields: \"lvl\" is none of {roles}"));
    refused("fields: {level: []}\n", "1: fields: level needs a key or a list of keys");
}

#[test]
fn the_levels_of_a_house_are_known_to_every_flag() {
    let world = World::new();
    let config = world.home.write("config.yaml", "levels: {FEHLER: error, HINWEIS: notice, info: debug}\n");
    let input = "FEHLER a\nlevel=hinweis msg=b\nlevel=info msg=c\n";
    let shown = |[flag, value]: [&str; 2], wanted: &str| {
        let command = world.stern_rs(&format!("--stdin -o raw --config {config}")).arg(flag).arg(value);
        command.input(input).run().stdout(wanted).stderr("").exit(0);
    };
    shown(["--level", "Fehler"], "FEHLER a\n");
    shown(["--level", "hinweis..fehler"], "FEHLER a\nlevel=hinweis msg=b\n");
    shown(["--where", "level=HINWEIS"], "level=hinweis msg=b\n");
    // A level's own name always means that level.
    shown(["--level", "info..notice"], "level=hinweis msg=b\n");
    shown(["--jq", ".message // .msg"], "a\nb\nc\n");
}

#[test]
fn a_level_that_does_not_exist_is_refused() {
    let words = "--level: \"wran\" is none of trace, debug, info, notice, warn, error, fatal or none";
    stern_rs("--stdin --level info,wran").run().fails(2, words);
    stern_rs("--stdin --level error..warn")
        .run()
        .fails(2, "--level: \"error..warn\" is empty; the lower level comes first");
}
