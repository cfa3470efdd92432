//! `--redact`: personal data and secrets leave the program in no output.

use apiserver::Pod;

use crate::harness::{World, stern_rs};

const KEY: [&str; 4] = [
    "-----BEGIN PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    "Ab3dEf==",
    "-----END PRIVATE KEY-----",
];

/// The output with the same digits in each pseudonym.
fn shape(out: &str) -> String {
    regex::Regex::new("‹([a-z]+):[0-9a-f]{8}›").unwrap().replace_all(out, "‹$1›").into_owned()
}

#[test]
fn filters_see_lines_as_they_were_and_outputs_never() {
    let world = World::web(["mail alice@example.com", "mail bob@example.com", "card 4111 1111 1111 1111"]);
    let ran = world.run("web --no-follow --redact -i alice -o raw").exit(0).reported("· redacted: 1 email");
    assert_eq!(shape(&ran.out()), "mail ‹email›\n");
    let ran = world.run("web --no-follow --redact -o json --output-dir logs").exit(0).never_reported("alice");
    for text in [ran.out(), world.home.read("logs/default/web-1/app.log")] {
        assert!(!text.contains("example.com") && !text.contains("4111"), "{text}");
        assert_eq!(shape(&text).matches("‹email›").count(), 2, "{text}");
    }
}

#[test]
fn a_line_that_hides_nothing_is_shown_byte_for_byte() {
    let line = b"\xff caf\xc3\xa9 \x00 2026-01-31T12:00:00Z 47223179-9330-4259-b66c-f2db26efb20c\n";
    let ran = stern_rs("--stdin -o raw --redact").input(line).run().exit(0).reported("· redacted: nothing");
    assert_eq!(ran.out_bytes(), line);
}

#[test]
fn no_filter_parts_a_private_key_from_its_first_line() {
    let world = World::web(KEY);
    for flags in ["-i MII", "-i Ab3", "-e BEGIN", "--sort", "--sort -e BEGIN"] {
        let ran = world.run(&format!("web --no-follow --redact -o raw {flags}")).exit(0);
        assert!(ran.out().lines().all(|line| line == "‹secret›"), "{flags}: {}", ran.out());
    }
}

#[test]
fn keys_of_two_containers_do_not_disturb_each_other() {
    let world = World::new();
    world.pod("web-1", KEY);
    world.pod("web-2", ["GET /health 200", "Ab3dEf==", "done"]);
    let ran = world.run("web --no-follow --redact -o raw --sort").exit(0);
    let mut lines: Vec<_> = ran.out().lines().map(str::to_owned).collect();
    lines.retain(|line| line != "‹secret›");
    lines.sort();
    assert_eq!(lines, ["Ab3dEf==", "GET /health 200", "done"]);
}

#[test]
fn pseudonyms_are_the_same_in_runs_with_the_same_key() {
    let world = World::web(["alice@example.com"]);
    world.home.write("key", &"k".repeat(32));
    let run = |flags: &str| world.run(&format!("web --no-follow -o raw --redact {flags}")).exit(0).out();
    assert_eq!(run("--redact-key key"), run("--redact-key key"));
    assert_ne!(run(""), run(""));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_without_its_bytes() {
    let world = World::web([]);
    world.home.write("short", "hunter2");
    let ran = world.run("web --redact --redact-key short").exit(2).never_reported("hunter2");
    ran.fails(2, "--redact-key: short has 7 bytes, and a key needs at least 32; make one with head -c 32 /dev/urandom > FILE");
    world.run("web --redact --redact-key missing").fails_with(2, &["--redact-key: cannot read missing"]);
    world.run("web --redact-key short").fails(2, "--redact-key works only with --redact; add that");
}

#[test]
fn patterns_of_the_user_are_masked_by_their_first_group() {
    let input = "order A-17 of alice@example.com\n";
    let masked = |flags: &str| shape(&stern_rs(flags).input(input).run().exit(0).out());
    assert_eq!(
        masked("--stdin -o raw --redact-pattern order=order.(A-[0-9]+)"),
        "order ‹order› of ‹email›\n"
    );
    assert_eq!(
        masked("--stdin -o raw --redact=none --redact-pattern order=A-[0-9]+"),
        "order ‹order› of alice@example.com\n"
    );
}

#[test]
fn an_unknown_kind_is_refused_with_those_that_exist() {
    stern_rs("--stdin --redact=mail").run().fails_with(2, &["\"mail\" is no kind", "email", "!"]);
    stern_rs("--stdin --redact-pattern Order=x").run().fails_with(2, &["\"Order\" is no name"]);
    stern_rs("--stdin --redact-pattern email=x").run().fails_with(2, &["\"email\" is the name of a kind"]);
    stern_rs("--stdin --redact-pattern order").run().fails_with(2, &["has no name"]);
    stern_rs("--stdin --redact-pattern order=").run().fails_with(2, &["has no pattern"]);
}

#[test]
fn a_config_file_can_turn_it_on_and_the_command_line_off() {
    let world = World::web(["alice@example.com"]);
    world.home.write(".config/stern-rs/config.yaml", "redact: true\n");
    assert_eq!(shape(&world.run("web --no-follow -o raw").exit(0).out()), "‹email›\n");
    assert_eq!(world.run("web --no-follow -o raw --redact=false").exit(0).out(), "alice@example.com\n");
    world.home.write(".config/stern-rs/config.yaml", "redact: [ip, '!ip']\n");
    assert_eq!(world.run("web --no-follow -o raw").exit(0).out(), "alice@example.com\n");
}

#[test]
fn nothing_within_a_mask_is_highlighted() {
    let world = World::web(["mail alice@example.com"]);
    let ran = world.run("web --no-follow -o raw --color always --redact -i '[a-z]+'").exit(0);
    assert_eq!(shape(&ran.out()), "\u{1b}[31;1mmail\u{1b}[0;22m ‹email›\n");
}

#[test]
fn a_long_line_is_redacted_whole() {
    let line = format!("{} alice@example.com {}\n", "x".repeat(300_000), "4111111111111111 ".repeat(20_000));
    let world = World::new();
    world.add_pod(Pod::new("web-1"));
    world.log("web-1/app").push(line.trim_end());
    for out in [
        stern_rs("--stdin -o raw --redact").input(&line).run().exit(0).out(),
        world.run("web --no-follow -o raw --redact").exit(0).out(),
    ] {
        assert!(!out.contains("example.com") && !out.contains("4111111111111111"));
        assert_eq!(out.matches("‹card:").count(), 20_000);
    }
}
