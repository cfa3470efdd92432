//! `--prompt`, on a terminal and without one.

use std::process::Command;

use apiserver::Pod;
use portable_pty::CommandBuilder;

use crate::{
    harness::{World, stern_rs},
    terminal::Terminal,
};

const LABEL: &str = "app.kubernetes.io/instance";

/// A prompt on a terminal, with standard output in a file.
struct Prompt {
    world: World,
    terminal: Terminal,
}

impl Prompt {
    /// In a cluster with the instances `web` and `db`.
    fn start(args: &str) -> Prompt {
        let world = World::new();
        for (name, instance, tier) in
            [("web-1", "web", "front"), ("web-2", "web", "back"), ("db-1", "db", "back")]
        {
            world.add_pod(Pod::new(name).label(LABEL, instance).label("tier", tier));
            world.log(&format!("{name}/app")).push(format!("{name} speaks"));
        }
        Prompt::of(world, args)
    }

    fn of(world: World, args: &str) -> Prompt {
        let program = env!("CARGO_BIN_EXE_stern-rs");
        let script = format!(
            "stty > before
            sh -c 'echo $$ > pid; exec \"$0\" \"$@\"' {program} -p --kubeconfig kubeconfig --no-follow {args} > out
            echo code=$?
            stty > after; cmp before after && echo same terminal"
        );
        let mut shell = CommandBuilder::new("sh");
        shell.args(["-c", &script]);
        shell.cwd(world.home.dir());
        let terminal = Terminal::start(shell);
        Prompt { world, terminal }
    }

    /// The lines of standard output, sorted.
    fn out(&self) -> String {
        let out = self.world.home.read("out");
        let mut lines: Vec<_> = out.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }
}

#[test]
fn typing_narrows_the_choice() {
    let mut prompt = Prompt::start("");
    prompt.terminal.shows("> db");
    prompt.terminal.send("we");
    prompt.terminal.wait_for("web alone", |screen| !screen.contents().contains("db"));
    prompt.terminal.send("\r");
    prompt.terminal.shows("code=0");
    assert_eq!(prompt.out(), "web-1 app web-1 speaks\nweb-2 app web-2 speaks");
}

#[test]
fn a_selector_is_added_to() {
    let mut prompt = Prompt::start("-l tier=back");
    prompt.terminal.shows("> db");
    prompt.terminal.send("web\r");
    prompt.terminal.shows("code=0");
    assert_eq!(prompt.out(), "web-2 app web-2 speaks");
    let lists = prompt.world.requests().lists();
    let selectors: Vec<_> = lists.iter().filter_map(|list| list.query("labelSelector")).collect();
    assert_eq!(selectors, ["tier=back", "tier=back,app.kubernetes.io/instance=web"]);
}

#[test]
fn only_instances_of_pods_that_the_query_matches_can_be_picked() {
    let mut prompt = Prompt::start("^db");
    prompt.terminal.shows("> db");
    prompt.terminal.wait_for("no web", |screen| !screen.contents().contains("web"));
    prompt.terminal.send("\r");
    prompt.terminal.shows("code=0");
    assert_eq!(prompt.out(), "db-1 app db-1 speaks");
}

#[test]
fn escape_and_ctrl_c_end_quietly() {
    for key in ["\x1b", "\x03"] {
        let mut prompt = Prompt::start("");
        prompt.terminal.shows("> db");
        prompt.terminal.send(key);
        prompt.terminal.shows("code=130");
        prompt.terminal.wait_for("no word", |screen| !screen.contents().contains("stern-rs:"));
        assert_eq!(prompt.out(), "");
    }
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let prompt = Prompt::start("");
    prompt.terminal.shows("> db");
    assert!(Command::new("kill").arg(prompt.world.home.read("pid").trim()).status().unwrap().success());
    prompt.terminal.shows("code=143");
    prompt.terminal.shows("same terminal");
    prompt.terminal.wait_for("a cursor", |screen| !screen.hide_cursor() && !screen.bracketed_paste());
}

#[test]
fn pods_without_the_label_are_an_error() {
    let prompt = Prompt::of(World::web(["a"]), "");
    prompt.terminal.shows("no pod in namespace \"default\" has the label app.kubernetes.io/instance");
    prompt.terminal.shows("code=1");
}

#[test]
fn a_missing_terminal_is_an_error() {
    stern_rs("-p").run().fails_with(2, &["--prompt needs a terminal"]);
}
