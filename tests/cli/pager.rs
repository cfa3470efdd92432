//! `--pager`: the output in another program, which has the terminal meanwhile.

use apiserver::Pod;

use crate::{
    harness::{World, stern_rs},
    terminals::start,
};

/// All that the terminal got, with this pager and these arguments, and then the exit code.
fn paged(world: &World, pager: &str, args: &str) -> String {
    let run = format!("\"$STERN_RS\" web --no-follow --color never --pager {args}; echo \"exit $?\"");
    let bytes = start(world, &format!("export PAGER='{pager}'; {run}")).output();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn the_pager_shows_the_output() {
    let world = World::web(["a", "b"]);
    let shown = paged(&world, "sed s/^/page:/", "--only-log-lines");
    assert_eq!(shown, "page:web-1 app a\npage:web-1 app b\nexit 0\n");
    let shown = paged(&world, "sed s/^/page:/", "--dry-run");
    assert!(shown.contains("page:default "), "{shown}");
    let script = "PAGER='sed s/^/page:/' \"$STERN_RS\" web --until 1s --pager; echo \"exit $?\"";
    assert!(String::from_utf8_lossy(&start(&world, script).output()).ends_with("exit 0\n"));
}

#[test]
fn words_wait_until_the_pager_has_ended() {
    let world = World::web(["a"]);
    let shown = paged(&world, "cat; echo ended", "");
    assert_eq!(shown, "+ web-1 › app\nweb-1 app a\nended\n- web-1 › app\nexit 0\n");
}

#[test]
fn of_many_words_the_last_ones_are_shown() {
    let world = World::new();
    world.add_pods((0..900).map(|n| Pod::new(format!("web-{n:03}-{}", "x".repeat(200)))));
    for n in 0..900 {
        world.log(&format!("web-{n:03}-{}/app", "x".repeat(200))).push("a");
    }
    let shown = paged(&world, "cat >/dev/null; echo ended", "--qps -1 --confirm=false");
    let (_, after) = shown.split_once("ended\n").unwrap();
    assert!(
        after.starts_with("! earlier messages are left out: too many came while the pager ran\n"),
        "{after:.200}"
    );
    assert!(after.len() < 70_000 && after.ends_with(" › app\nexit 0\n"), "{}", after.len());
}

#[test]
fn to_quit_the_pager_is_a_success_that_ends_a_run_at_once() {
    let world = World::new();
    let script = "mkfifo in; exec 3<>in; echo a >&3; PAGER='head -n 1' \"$STERN_RS\" --stdin --pager <&3; echo \"exit $?\"";
    let bytes = start(&world, script).output();
    assert_eq!(String::from_utf8_lossy(&bytes), "a\nexit 0\n");
}

#[test]
fn to_quit_the_pager_within_a_long_output_is_quiet() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..50_000).map(|n| format!("{n} {}", "x".repeat(100))));
    let shown = paged(&world, "head -n 1", "-o raw --only-log-lines");
    assert!(shown.starts_with("0 xx") && shown.ends_with("x\nexit 0\n"), "{shown}");
    assert_eq!(shown.lines().count(), 2);
}

#[test]
fn less_gets_the_options_of_git_unless_it_has_some() {
    let world = World::web(["a"]);
    let pager = "echo \"LESS=$LESS\"; exec cat";
    assert!(paged(&world, pager, "").contains("LESS=FRX\n"));
    let script = "export LESS=S PAGER='echo \"LESS=$LESS\"; exec cat'; \"$STERN_RS\" web --no-follow --pager";
    let bytes = start(&world, script).output();
    assert!(String::from_utf8_lossy(&bytes).contains("LESS=S\n"));
}

#[test]
fn without_a_pager_the_output_is_printed() {
    let world = World::web(["a"]);
    for pager in ["", "cat"] {
        assert_eq!(paged(&world, pager, "--only-log-lines"), "web-1 app a\nexit 0\n", "{pager}");
    }
}

#[test]
fn the_pager_gets_colours_and_no_other_control_sequences() {
    let world = World::web(["\x1b]0;owned\x07 \x1b[31mred"]);
    let script = "PAGER='cat -v' \"$STERN_RS\" web --no-follow -o raw --only-log-lines --pager";
    let bytes = start(&world, script).output();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(shown.contains("^[[31mred^[[0m") && shown.contains("^[[2m\\x1b]^[[0m0;owned"), "{shown}");
    assert!(!shown.contains("^[]"), "{shown}");
}

#[test]
fn a_pager_that_is_missing_is_an_error_before_any_request() {
    let world = World::web(["a"]);
    let shown = paged(&world, "no-such-pager", "");
    let error =
        "stern-rs: --pager: cannot find the program no-such-pager; install it, or set $PAGER to another";
    assert_eq!(shown, format!("{error}\nexit 1\n"));
    assert!(world.requests().is_empty());
}

#[test]
fn a_pager_that_a_shell_cannot_run_is_an_error() {
    let shown = paged(&World::web(["a"]), "no-such-pager -x", "--only-log-lines");
    let error =
        "stern-rs: --pager: no-such-pager -x could not be run (exit code 127); correct $PAGER\nexit 1\n";
    assert!(shown.ends_with(error), "{shown}");
}

#[test]
fn ctrl_c_belongs_to_the_pager() {
    let world = World::web(["a"]);
    let pager = "PAGER=\"trap : INT; echo up; until read go < /dev/tty; do :; done; cat\"";
    let run = "\"$STERN_RS\" web --no-follow --only-log-lines --color never --pager; echo \"exit $?\"";
    let mut terminal = start(&world, &format!("trap : INT; export {pager}; {run}"));
    terminal.shows("up");
    terminal.send("\x03");
    terminal.shows("^C");
    terminal.send("go\n");
    terminal.shows("web-1 app a");
    assert!(String::from_utf8_lossy(&terminal.output()).ends_with("exit 0\n"));
}

#[test]
fn a_signal_ends_both_and_restores_the_terminal() {
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let world = World::web(["a"]);
        // It hears no signal but the last.
        let pager = "PAGER=\"trap '' TERM HUP; stty -echo -icanon < /dev/tty; echo up $$; exec sleep 1000\"";
        let run = "\"$STERN_RS\" web --no-follow --only-log-lines --pager & run=$!; read go < /dev/tty";
        let end = format!(
            "kill -{signal} $run; wait $run; echo \"exit $?\"; stty -a < /dev/tty | tr ' ;' '\\n\\n'"
        );
        let mut terminal = start(&world, &format!("export {pager}; {run}; {end}"));
        terminal.shows("up");
        terminal.send("\n");
        let bytes = terminal.output();
        let shown = String::from_utf8_lossy(&bytes);
        assert!(shown.contains(&format!("exit {code}\n")), "{shown}");
        for setting in ["echo", "icanon"] {
            assert!(shown.lines().any(|line| line == setting), "{setting}: {shown}");
        }
    }
}

#[test]
fn a_quit_from_the_keyboard_ends_both() {
    let world = World::web(["a"]);
    let pager = "PAGER=\"trap '' QUIT; stty -echo < /dev/tty; echo up; exec sleep 1000\"";
    let run = "\"$STERN_RS\" web --no-follow --only-log-lines --pager; echo \"exit $?\"; stty -a < /dev/tty";
    let mut terminal = start(&world, &format!("trap : QUIT; export {pager}; {run}"));
    terminal.shows("up");
    terminal.send("\x1c");
    let shown = String::from_utf8_lossy(&terminal.output()).into_owned();
    assert!(shown.contains("exit 131\n") && shown.contains(" echo "), "{shown}");
}

#[test]
fn a_signal_ends_all_programs_of_the_pager() {
    let world = World::web(["a"]);
    let pager =
        "PAGER=\"sh -c 'trap : TERM; echo up \\$\\$ > pids; while :; do sleep 1; done' | sleep 1000\"";
    let run =
        "\"$STERN_RS\" web --no-follow --only-log-lines --pager & run=$!; while ! [ -s pids ]; do :; done";
    let end = "kill $run; wait $run; echo \"exit $?\"; read up pid < pids; \
               case \"$(cat /proc/$pid/stat 2> /dev/null)\" in ''|*') Z '*) echo gone;; esac";
    let bytes = start(&world, &format!("export {pager}; {run}; {end}")).output();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(shown.contains("exit 143\n") && shown.ends_with("gone\n"), "{shown}");
}

#[test]
fn a_pager_that_fails_before_the_end_is_reported() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..50_000).map(|n| format!("{n} {}", "x".repeat(100))));
    for (pager, end, code) in [
        ("head -n 1; exit 7", "ended with exit code 7; not all lines were shown", 3),
        ("head -n 1; kill -9 $$", "was ended by signal 9; not all lines were shown", 3),
        ("cat > all; kill -9 $$", "was ended by signal 9; perhaps not all lines were shown", 0),
    ] {
        let shown = paged(&world, pager, "-o raw --only-log-lines");
        let wanted = format!("stern-rs: --pager: {pager} {end}\nexit {code}\n");
        assert!(shown.ends_with(&wanted), "{shown:.300}");
    }
    assert_eq!(paged(&world, "cat > all; exit 7", "-o raw --only-log-lines"), "exit 0\n");
}

#[test]
fn a_pager_needs_a_terminal_and_an_output_that_ends() {
    let no_terminal = "--pager needs a terminal, and standard output is none; remove --pager";
    stern_rs("web --no-follow --pager").run().fails(2, no_terminal);
    stern_rs("web --pager")
        .run()
        .fails_with(2, &["--pager needs --no-follow, --previous or an --until in the past"]);
    let world = World::web(["a"]);
    for (args, other) in [("--quiet --output-dir logs", "--quiet"), ("--timeout 5s", "--timeout")] {
        let wanted = format!("stern-rs: {other} and --pager cannot be combined; remove one\nexit 2\n");
        assert_eq!(paged(&world, "cat", args), wanted);
    }
}

#[test]
fn a_config_file_has_a_pager_for_the_runs_that_can_use_one() {
    let world = World::web(["a"]);
    let config = world.home.write("config.yaml", "pager: true\nquiet: true\ncompress: true\n");
    world.run(&format!("web -o raw --no-follow --config {config}")).stdout("a\n").exit(0);
    world.run(&format!("web -o raw --until-match a --config {config}")).stdout("a\n").exit(0);
    let script = format!(
        "PAGER='sed s/^/page:/' \"$STERN_RS\" web -o raw --only-log-lines --no-follow --config {config}"
    );
    assert_eq!(String::from_utf8_lossy(&start(&world, &script).output()), "page:a\n");
}
