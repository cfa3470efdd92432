//! Exec plugins over the time of a run: what the user sees of them, and how often they run.

use apiserver::{Answer, ApiServer, Match};
use portable_pty::CommandBuilder;

use crate::{connection::shown, harness::World, terminal::Terminal};

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
