//! The bytes that reach a terminal, whatever logs, names and servers say.

use std::fmt::Write;

use apiserver::{Answer, Match, Pod};
use portable_pty::CommandBuilder;
use serde_json::json;

use crate::{harness::World, terminal::Terminal};

/// Lines that would change the terminal or what it shows, each followed by a harmless one.
const HOSTILE: [&[u8]; 24] = [
    b"clipboard \x1b]52;c;cHduZWQ=\x07",
    b"title \x1b]0;owned\x07 \x1b]2;owned\x1b\\",
    b"link \x1b]8;;http://x\x1b\\y\x1b]8;;\x1b\\",
    b"screen \x1b[?1049h",
    b"reset \x1bc",
    b"charset \x1b(0 \x0e",
    b"string \x1bP+q544e\x1b\\ \x1b_apc\x1b\\ \x1b^pm\x1b\\ \x1bXsos\x1b\\",
    b"erase \x1b[2K\x1b[1A\x1b[2J\x1b[H",
    b"answer \x1b[6n\x1b[c\x1b]10;?\x07\x05",
    b"keys \x1b[>4;2m \x1b[?4m \x1b[>1u",
    b"real\rfake",
    b"windows\r",
    b"abc\x08\x08\x08xyz\x7f\x00\x07\x0b\x0c",
    b"raw C1 \x9b2J\x9d0;owned\x9c\x90q\x84",
    "C1 \u{9b}2J\u{9d}0;owned\u{9c}\u{90}q\u{85}".as_bytes(),
    "turned \u{202e}gpj.exe\u{202c} \u{2066}x\u{2069} \u{200f}".as_bytes(),
    "invisible \u{200b}\u{200d}\u{feff}\u{ad}\u{61c}\u{2060}\u{e0041} \u{2028}\u{2029}".as_bytes(),
    b"colour \x1b[31mred \x1b[1;48;5;4mnever ended",
    b"colour with a bell \x1b[31mred\x07 red",
    b"not UTF-8 \xff\xfe\xe2\x82 \xc0\x80 \xed\xa0\x80",
    b"unended \x1b[31",
    b"unended \x1b]0;",
    b"unended \x1b",
    "plain 유니코드 ✓\tx".as_bytes(),
];

/// Runs this script for a shell on a terminal, and gives all that the terminal got.
fn script(world: &World, script: &str) -> Vec<u8> {
    start(world, script).output()
}

/// Runs this script for a shell on a terminal.
pub fn start(world: &World, script: &str) -> Terminal {
    let mut shell = CommandBuilder::new("sh");
    // Newlines stay as they are written.
    shell.args(["-c", &format!("stty -opost; {script}")]);
    shell.cwd(world.home.dir());
    shell.env_clear();
    shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    shell.env("HOME", world.home.dir());
    shell.env("TERM", "xterm-256color");
    shell.env("KUBECONFIG", world.home.path("kubeconfig"));
    shell.env("STERN_RS", env!("CARGO_BIN_EXE_stern-rs"));
    Terminal::start(shell)
}

/// Runs the program on a terminal.
fn run(world: &World, args: &str) -> Vec<u8> {
    script(world, &format!("\"$STERN_RS\" {args}"))
}

/// A pod whose log has these lines.
fn hostile() -> World {
    let world = World::new();
    world.add_pod(Pod::new("web-1"));
    for line in HOSTILE {
        world.log("web-1/app").push(line);
    }
    world
}

/// Fails if the bytes are more than printable text and complete colours that end with their line.
#[track_caller]
fn harmless(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("not UTF-8: {}", bytes.escape_ascii()));
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let mut parts = line.split('\x1b');
        plain.push_str(parts.next().unwrap());
        let mut last = "0";
        for part in parts {
            let color = part.strip_prefix('[').and_then(|part| part.split_once('m'));
            let (parameters, rest) = color.unwrap_or_else(|| panic!("no colour: {line:?}"));
            assert!(parameters.bytes().all(|byte| matches!(byte, b'0'..=b';')), "no colour: {line:?}");
            last = parameters;
            plain.push_str(rest);
        }
        assert!(
            last.is_empty() || last.starts_with('0') || last == "22",
            "a colour outlives its line: {line:?}"
        );
    }
    let is_hidden = |c: char| c.is_control() && c != '\n' && c != '\t' || INVISIBLE.contains(c);
    let found: String = plain.chars().filter(|c| is_hidden(*c)).fold(String::new(), |mut all, c| {
        let _ = write!(all, "{c:?} ");
        all
    });
    assert!(found.is_empty(), "{found}in {plain:?}");
    plain
}

const INVISIBLE: &str = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\
                         \u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{e0041}";

#[test]
fn no_format_lets_a_log_steer_the_terminal() {
    let world = hostile();
    for args in [
        "",
        "-o raw",
        "-o json",
        "-o extjson",
        "-o ppextjson",
        "-t -H 'a|e|\\x1b'",
        "-o raw -i . -H .",
        "--color never",
        "--max-line 12",
        "--template '{{.PodName}} {{.Message}}{{\"\\n\"}}'",
        "--template '{{color .PodColor .Message}}{{\"\\n\"}}'",
        "--template '{{.Message}}'",
        "--template '{{.Labels}} {{index .NoSuch 5}}'",
    ] {
        let shown = harmless(&run(&world, &format!("web --no-follow --stats {args}")));
        assert!(shown.contains("clipboard"), "{args}: {shown}");
        assert!(
            shown.contains("+ web-1 › app\n") && shown.contains("\n· default web-1 › app: 24 lines"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_escaped_can_be_read() {
    let shown = harmless(&run(&hostile(), "web --no-follow -o raw --only-log-lines"));
    for line in [
        "clipboard \\x1b]52;c;cHduZWQ=\\x07",
        "screen \\x1b[?1049h",
        "real\\rfake",
        "windows",
        "raw C1 \\x9b2J\\x9d0;owned\\x9c\\x90q\\x84",
        "C1 \\u009b2J\\u009d0;owned\\u009c\\u0090q\\u0085",
        "turned \\u202egpj.exe\\u202c \\u2066x\\u2069 \\u200f",
        "not UTF-8 \\xff\\xfe\\xe2\\x82 \\xc0\\x80 \\xed\\xa0\\x80",
        "unended \\x1b[31",
        "plain 유니코드 ✓\tx",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line:?} is missing in {shown}");
    }
}

#[test]
fn escaped_bytes_are_dim_only_where_there_are_colours() {
    let world = World::web(["a\x07b"]);
    let run = |args: &str| String::from_utf8(run(&world, args)).unwrap();
    let quiet = "web --no-follow --only-log-lines -o raw";
    assert_eq!(run(quiet), "a\x1b[2m\\x07\x1b[0mb\n");
    assert_eq!(run(&format!("{quiet} --color never")), "a\\x07b\n");
    let env = format!("NO_COLOR=1 \"$STERN_RS\" {quiet}");
    assert_eq!(script(&world, &env), b"a\\x07b\n");
}

#[test]
fn json_on_a_terminal_stays_json_with_the_same_meaning() {
    let message = "{\"a\":\"\u{7f}\u{202e}\u{e0041}\u{9b}2J\"}";
    let world = World::web([message]);
    for args in ["-o json", "-o extjson --color never", "-o ppextjson --color never"] {
        let shown = harmless(&run(&world, &format!("web --no-follow --only-log-lines {args}")));
        let piped = world.run(&format!("web --no-follow --only-log-lines {args}")).exit(0).out();
        let [shown, piped] =
            [shown, piped].map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
        assert_eq!(shown, piped, "{args}");
    }
}

#[test]
fn no_colour_outlives_a_run_that_a_signal_ends() {
    let world = World::new();
    for args in ["", "--unsafe-terminal"] {
        for end in ["INT", "TERM", "HUP"] {
            // The line is longer than what a terminal holds: the signal comes within it.
            let flood = "yes \"$(printf '\\033[31;7m%060000d' 7)\"";
            let run = format!("\"$STERN_RS\" --stdin -o raw {args} <&3 & run=$!; read go < /dev/tty");
            let run = format!("{flood} | {{ exec 3<&0; {run}; kill -{end} $run; wait $run; }} 2> err");
            let mut terminal = start(&world, &run);
            terminal.shows("0000");
            terminal.send("\n");
            let bytes = terminal.output();
            let bytes = String::from_utf8_lossy(&bytes).into_owned();
            let last = bytes.rfind('\x1b').map(|at| &bytes[at..]);
            assert!(bytes.contains("\x1b[31;7m"), "{args} {end}");
            assert!(last.is_some_and(|last| last.starts_with("\x1b[0m")), "{args} {end}: {last:.40?}");
        }
    }
}

#[test]
fn pipes_files_and_unsafe_terminal_get_every_byte() {
    let world = hostile();
    let bytes: Vec<u8> = HOSTILE.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect();
    let args = "web --no-follow -o raw --only-log-lines";
    let reset = b"\x1b[0m";
    assert_eq!(run(&world, &format!("{args} --unsafe-terminal")), [&bytes[..], reset].concat());
    assert_eq!(world.run(args).out_bytes(), bytes);
    script(&world, &format!("\"$STERN_RS\" {args} > out 2> err"));
    assert_eq!(std::fs::read(world.home.path("out")).unwrap(), bytes);
    world.home.write("config.yaml", "unsafe-terminal: true\n");
    assert_eq!(run(&world, &format!("{args} --config config.yaml")), [&bytes[..], reset].concat());
}

#[test]
fn each_stream_is_cleaned_by_whether_it_is_a_terminal() {
    let world = hostile();
    let shown = script(&world, "\"$STERN_RS\" web --no-follow --template '{{nope}}' 2> err; cat err");
    harmless(&shown);
    script(&world, "\"$STERN_RS\" web --no-follow -o raw > out");
    assert!(std::fs::read(world.home.path("out")).unwrap().starts_with(HOSTILE[0]));
}

#[test]
fn standard_input_steers_no_terminal() {
    let world = hostile();
    let lines: Vec<u8> = HOSTILE.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect();
    std::fs::write(world.home.path("in"), lines).unwrap();
    for args in ["", "-o raw", "-o json", "-o extjson", "--template '{{.Message}}{{\"\\n\"}}'", "-i . -H e"] {
        let shown = harmless(&script(&world, &format!("\"$STERN_RS\" --stdin {args} < in")));
        assert!(shown.contains("clipboard"), "{args}: {shown}");
    }
}

#[test]
fn a_long_line_is_clean_wherever_it_is_cut() {
    let world = World::new();
    let long = "\x1b[31m유\x07\r\x1b]0;x\u{202e}".repeat(200_000);
    std::fs::write(world.home.path("in"), format!("{long}\r\n")).unwrap();
    let shown = harmless(&script(&world, "\"$STERN_RS\" --stdin -o raw < in"));
    assert_eq!(shown, "유\\x07\\r\\x1b]0;x\\u202e".repeat(200_000) + "\n");
}

#[test]
fn reasons_and_messages_of_the_cluster_steer_no_terminal() {
    let evil = "\x1b]0;owned\x07\n- web-9 › app \u{202e}\u{9b}2J\x1b[31m";
    let world = World::new();
    world.add_pod(Pod::new("web-1").waiting("CrashLoopBackOff", evil));
    world.add_pod(Pod::new("web-2").waiting(evil, evil));
    world.add_pod(Pod::new("web-3").unschedulable(evil, evil));
    world.add_pod(Pod::new("web-4").never_started(evil, evil));
    world.add_pod(Pod::new("web-5").terminated(1, evil));
    world.add_pod(Pod::new("web-6"));
    world.on(Match::logs().path("web-6")).always(Answer::internal_error(evil));
    let shown = harmless(&run(&world, "web --no-follow --stats --verbosity 8"));
    assert!(!shown.lines().any(|line| line.starts_with("- web-9")), "{shown}");
    assert!(shown.contains("waits: CrashLoopBackOff: ]0;owned - web-9 › app"), "{shown}");
}

#[test]
fn errors_steer_no_terminal() {
    let evil = "\x1b]0;owned\x07\u{202e}gpj\u{9b}2J";
    let world = World::new();
    world.on(Match::lists()).always(Answer::status(403, "Forbidden", evil));
    harmless(&run(&world, "web"));
    for args in
        ["--output 'a\u{202e}b'", "'\u{1b}[2J('", "--context '\u{9b}2J\u{200b}'", "--template '{{\u{202e}'"]
    {
        let shown = harmless(&run(&world, args));
        assert!(shown.starts_with("stern-rs: "), "{shown}");
    }
    world.home.write("config.yaml", "\"no\\u202esuch\\e[2J\": 1\n");
    harmless(&run(&world, "web --config config.yaml"));
}

#[test]
fn dry_run_shows_any_owner_in_a_bounded_table() {
    let world = World::new();
    let evil = "\x1b[31mRED\x1b[0m\x1b]0;pwn\x07/o\u{202e}gpj.exe\u{202c}\r\x1b[2K";
    world.add_pod(Pod::new("web-1").owner("K\n", evil));
    world.add_pod(Pod::new("web-2").owner("ReplicaSet", &"유".repeat(70_000)));
    let shown = harmless(&run(&world, "web --dry-run"));
    assert!(shown.contains("K/[31mRED [0m ]0;pwn /o\u{fffd}gpj.exe"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 350), "{shown}");
    let piped = world.run("web --dry-run").exit(0).out();
    assert!(!piped.contains(['\x1b', '\r', '\x07', '\u{202e}']), "{piped}");
}

#[test]
fn names_that_are_impossible_reach_nothing() {
    let world = World::web(["a"]);
    let mut list = world.pod_list("default");
    let mut evil = list["items"][0].clone();
    evil["metadata"]["name"] = json!("web-\x1b[31mRED\x1b[0m\x1b]0;pwn\x07\nFAKE LINE");
    let mut forger = list["items"][0].clone();
    forger["metadata"]["name"] = json!("web-2");
    forger["status"]["containerStatuses"][0]["name"] = json!("a\", \"message\": \"forged");
    list["items"].as_array_mut().unwrap().extend([evil, forger]);
    let list = Answer::text(200, &list.to_string()).header("content-type", "application/json");
    world.on(Match::lists()).always(list);
    for args in ["", "-o json", "-o extjson", "-o ppextjson", "--dry-run", "--stats=json", "--stats"] {
        let shown = harmless(&run(&world, &format!("web --no-follow {args}")));
        assert!(!shown.lines().any(|line| line.starts_with("FAKE")), "{args}: {shown}");
        let ran = world.run(&format!("web --no-follow {args}")).exit(3);
        ran.reported("! a pod cannot be read and is left out: its name is impossible: \"web- [31mRED");
    }
}

#[test]
fn a_prompt_offers_no_value_that_no_label_can_have() {
    let world = World::new();
    let label = "app.kubernetes.io/instance";
    for (name, value) in
        [("a", "web"), ("b", "in\x1b[31mRED\x1b]0;pwn\x07\r\nsecond"), ("c", "a,b!=\u{202e}")]
    {
        world.add_pod(Pod::new(name).label(label, value));
    }
    let mut shell = CommandBuilder::new(env!("CARGO_BIN_EXE_stern-rs"));
    shell.args(["-p", "--kubeconfig", "kubeconfig", "--no-follow"]);
    shell.cwd(world.home.dir());
    let mut terminal = Terminal::start(shell);
    terminal.shows("> web");
    terminal.send("\r");
    let bytes = terminal.output();
    let shown = String::from_utf8(bytes).unwrap();
    assert!(!shown.contains("pwn") && !shown.contains("RED") && !shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn markers_are_drawn_on_a_terminal_only() {
    let world = World::web([]);
    let log = world.log("web-1/app");
    log.push_at("2026-01-31T23:59:00Z", "a")
        .push_at("2026-01-31T23:59:29Z", "b")
        .push_at("2026-02-01T00:00:00Z", "c");
    let args = "web --no-follow --since 0 --markers 30s --only-log-lines --color never";
    let shown = String::from_utf8(run(&world, args)).unwrap();
    let markers = "── Sunday 2026-02-01 ──\n── 00:00:00 · 31s later ──\n";
    assert_eq!(shown, format!("web-1 app a\nweb-1 app b\n{markers}web-1 app c\n"));
    assert!(!String::from_utf8(run(&world, &format!("{args} -o json"))).unwrap().contains("──"));
    world.run(args).stdout("web-1 app a\nweb-1 app b\nweb-1 app c\n");
}
