//! Exec plugins over the time of a run: what the user sees of them, and how often they run.

use std::process::Command;

use apiserver::{Answer, ApiServer, Match};
use portable_pty::CommandBuilder;

use crate::{
    connection::shown,
    harness::{World, timed},
    terminal::Terminal,
};

/// A world with the pod `web-1`, and a kubeconfig whose plugin runs this script in the home directory, after it added a
/// line to `runs`.
fn world(script: &str) -> World {
    let world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    world.home.write("token", "sesame");
    let path = world.home.write("plugin", &format!("echo run >> runs\n{script}"));
    let exec = format!("{{apiVersion: {V1}, command: sh, args: [{path}], interactiveMode: IfAvailable}}");
    let config = world.kubeconfig();
    let (before, _) = config.split_once("    token:").expect("the server demands a token");
    world.home.write("kubeconfig", &format!("{before}    exec: {exec}\n"));
    world
}

const V1: &str = "client.authentication.k8s.io/v1";

/// Prints the token in the file `token`, with further fields of the status.
fn prints(more: &str) -> String {
    format!(
        "printf '{{\"apiVersion\":\"{V1}\",\"kind\":\"ExecCredential\",\"status\":{{{more}\"token\":\"%s\"}}}}' \
         \"$(cat token)\"\n"
    )
}

fn runs(world: &World) -> usize {
    world.home.read("runs").lines().count()
}

#[test]
fn the_words_of_a_plugin_are_seen_while_it_waits() {
    let wait =
        "echo \"open https://login/$(wc -l < runs)\" >&2\nuntil [ -e go ]; do sleep 0.1; done\nrm go\n";
    let world = world(&format!("{wait}{}", prints("")));
    let mut tail = world.start("web");
    tail.reported("open https://login/1\n");
    tail.reported("· waiting for the credential plugin \"sh\"\n");
    world.home.write("go", "");
    tail.expect("web-1 app a");
    // In the midst of a run, too.
    world.home.write("token", "second");
    world.set_token(Some("second"));
    world.pod("web-2", ["b"]);
    tail.reported("open https://login/2\n");
    world.home.write("go", "");
    tail.expect("web-2 app b");
    tail.interrupt().exit(130);
}

#[test]
fn a_plugin_may_ask_on_a_terminal() {
    let world =
        world(&format!("printf 'password: ' >&2\nread -r token\necho $token > token\n{}", prints("")));
    world.home.write("token", "");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stern-rs"));
    command.args(["web", "--no-follow", "--kubeconfig", "kubeconfig"]);
    command.cwd(world.home.dir());
    let mut terminal = Terminal::start(command);
    terminal.shows("password: ");
    terminal.send("sesame\r");
    terminal.shows("web-1 app a");
}

/// Runs the program on a terminal, below a shell. The shell says `all ended` once nothing that the plugin started has
/// the pipe `held` open, and `same terminal` if it is as before.
fn on_terminal(world: &World, args: &str) -> Terminal {
    let script = format!(
        "trap : INT; mkfifo held; cat held & stty > before
        sh -c 'echo $$ > pid; exec \"$0\" {args}' {}
        echo code=$?
        stty > after; cmp before after && echo same terminal
        wait; echo all ended",
        env!("CARGO_BIN_EXE_stern-rs")
    );
    let mut shell = CommandBuilder::new("sh");
    shell.args(["-c", &script]);
    shell.cwd(world.home.dir());
    shell.env("KUBECONFIG", world.home.path("kubeconfig"));
    Terminal::start(shell)
}

/// A child of the plugin that Ctrl-C does not end.
const CHILD: &str = "exec 3>held\nsleep 1000 &\necho 'open https://login' >&2\n";

#[test]
fn ctrl_c_on_a_terminal_ends_what_a_plugin_started() {
    let world = world(&format!("{CHILD}sleep 1000\n"));
    let mut terminal = on_terminal(&world, "web");
    terminal.shows("open https://login");
    terminal.send("\x03");
    terminal.shows("code=130");
    terminal.shows("all ended");
}

#[test]
fn a_signal_on_a_terminal_ends_what_a_plugin_started() {
    let world = world(&format!("{CHILD}sleep 1000\n"));
    let terminal = on_terminal(&world, "web");
    terminal.shows("open https://login");
    assert!(Command::new("kill").arg(world.home.read("pid").trim()).status().unwrap().success());
    terminal.shows("code=143");
    terminal.shows("all ended");
}

#[test]
fn a_plugin_that_floods_its_output_on_a_terminal_ends_with_what_it_started() {
    let world = world(&format!("{CHILD}head -c 3000000 /dev/zero\n"));
    let terminal = on_terminal(&world, "web");
    terminal.shows("printed more than 1 MiB, and was ended");
    terminal.shows("all ended");
}

#[test]
fn a_completion_on_a_terminal_ends_a_plugin_that_waits_or_asks() {
    for waits in ["sleep 1000", "read -r password </dev/tty"] {
        let world = world(&format!("{CHILD}{waits}\n"));
        let terminal = on_terminal(&world, "__complete pod/");
        terminal.shows("code=0");
        terminal.shows("all ended");
    }
}

#[test]
fn ctrl_c_at_a_password_leaves_the_terminal_as_it_was() {
    let world = world("stty -echo\nprintf 'password: ' >&2\nread -r password\n");
    let mut terminal = on_terminal(&world, "web");
    terminal.shows("password: ");
    terminal.send("\x03");
    terminal.shows("code=130");
    terminal.shows("same terminal");
}

#[test]
fn a_plugin_that_an_interrupt_ends_first_is_not_blamed() {
    let world = world("(sleep 0.02; kill -INT $PPID) &\nkill -INT $$\n");
    world.run("web").exit(130).stderr("");
}

#[test]
fn an_interrupt_ends_a_plugin_that_waits() {
    let world = world("echo 'open https://login' >&2\nexec sleep 1000\n");
    let tail = world.start("web");
    tail.reported("open https://login\n");
    tail.interrupt().stdout("").exit(130);
}

/// Standard error, which both have open, ends with the last of them.
#[test]
fn the_end_of_the_terminal_ends_a_plugin_that_waits() {
    let world = world("echo 'open https://login' >&2\nexec sleep 1000\n");
    let tail = world.start("web");
    tail.reported("open https://login\n");
    tail.hang_up().stdout("").exit(129);
}

#[test]
fn a_token_that_seems_expired_is_used_until_it_is_refused() {
    let world = world(&prints("\"expirationTimestamp\":\"2020-01-01T00:00:00Z\","));
    for pod in 2..=30 {
        world.pod(&format!("web-{pod}"), ["a"]);
    }
    world.run("web --no-follow").exit(0);
    assert_eq!(runs(&world), 1);
}

#[test]
fn a_refusal_of_every_log_renews_the_token_once() {
    let world = world(&prints(""));
    for pod in 2..=30 {
        world.pod(&format!("web-{pod}"), ["a"]);
    }
    world.on(Match::logs()).always(Answer::unauthorized());
    world.run("web --no-follow").stdout("");
    assert_eq!(runs(&world), 2);
}

/// The kubelet's 401 is about the apiserver's own credentials.
#[test]
fn a_refusal_of_a_node_renews_nothing() {
    let world = world(&prints(""));
    for pod in 2..=40 {
        world.pod(&format!("web-{pod}"), ["a"]);
    }
    let words = "the server has asked for the client to provide credentials ( pods/log web-1)";
    world.on(Match::logs()).always(Answer::status(401, "Unauthorized", words));
    world.run("web --no-follow").stdout("");
    assert_eq!(runs(&world), 1);
}

#[test]
fn a_plugin_that_fails_runs_once_for_all_that_wait() {
    let world = world("echo no >&2\nexit 3\n");
    world.run("web -n a,b,c,d").exit(1).reported("no\n");
    assert_eq!(runs(&world), 1);
}

#[test]
fn the_time_of_a_run_includes_its_plugin_which_is_ended_too() {
    let world = world("echo $$ > id\nexec sleep 1000\n");
    let run = |time: &str| world.run(&format!("web {time}")).stdout("").exit(0);
    timed(run, |_| world.home.path("id").exists());
    let id = world.home.read("id");
    // Nobody may have waited for it yet.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "it still runs: {stat}");
}
