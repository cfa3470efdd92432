//! Completion in real shells on a terminal: `cargo test --features shells --test shells`.
//!
//! bash, zsh and fish have to be installed.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
#[path = "../terminal/mod.rs"]
#[expect(dead_code, reason = "the tests of the program use more of it")]
mod terminal;

use std::{env, fs, path::Path};

use apiserver::{ApiServer, Pod, Workload};
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use terminal::Terminal;

/// The line before Tab, and after it.
const LINES: &[(&str, &str)] = &[
    ("stern-rs --namesp", "stern-rs --namespace "),
    ("stern-rs -o js", "stern-rs -o json "),
    ("stern-rs -t=sh", "stern-rs -t=short "),
    ("stern-rs -n sh", "stern-rs -n shop "),
    ("stern-rs -nsh", "stern-rs -nshop "),
    ("stern-rs --namespace=sh", "stern-rs --namespace=shop "),
    ("stern-rs -n default,sh", "stern-rs -n default,shop "),
    ("stern-rs --namespace=default,sh", "stern-rs --namespace=default,shop "),
    ("stern-rs --context arn:aws:e", "stern-rs --context arn:aws:eks/shop "),
    ("stern-rs --context=arn:aws:e", "stern-rs --context=arn:aws:eks/shop "),
    ("stern-rs --condition ready=f", "stern-rs --condition ready=false "),
    ("stern-rs dep", "stern-rs deployment/"),
    ("stern-rs -n shop deploy/w", "stern-rs -n shop deploy/web "),
    ("stern-rs --context 'arn:aws:eks/shop' deploy/w", "stern-rs --context 'arn:aws:eks/shop' deploy/web "),
    ("stern-rs 'web' -n 'shop' -c ng", "stern-rs 'web' -n 'shop' -c nginx "),
    ("stern-rs --kubeconfig ./kubec", "stern-rs --kubeconfig ./kubeconfig "),
    ("stern-rs --kubeconfig=kubec", "stern-rs --kubeconfig=kubeconfig "),
    ("stern-rs --kubeconfig ~/kubeconfig -n sh", "stern-rs --kubeconfig ~/kubeconfig -n shop "),
];

/// Lines without completions: Tab leaves them as they are, and prints nothing.
const NOTHING: &[&str] = &["stern-rs -n nope", "stern-rs --tail ", "stern-rs --context nope -n d"];

/// A shell whose home directory has a kubeconfig, with the program on its PATH.
struct Shell {
    terminal: Terminal,
    _server: ApiServer,
    _home: TempDir,
}

impl Shell {
    fn start(program: &str, args: &[&str], setup: &str) -> Shell {
        let server = ApiServer::start();
        let web = Pod::new("web-1").namespace("shop").label("app", "web");
        server.add_pod(web.container("nginx").container("app"));
        server.add(Workload::deployment("web").namespace("shop").selects("app", "web"));

        let home = TempDir::new().unwrap();
        let contexts = "contexts:\n- name: arn:aws:eks/shop\n  context: {cluster: double, user: double-user, namespace: shop}\n";
        let kubeconfig = server.kubeconfig().replace("contexts:\n", contexts);
        fs::write(home.path().join("kubeconfig"), kubeconfig).unwrap();

        let mut shell = CommandBuilder::new(program);
        shell.args(args);
        shell.env("KUBECONFIG", home.path().join("kubeconfig"));
        let programs = Path::new(env!("CARGO_BIN_EXE_stern-rs")).parent().unwrap();
        let terminal = start(shell, home.path(), programs, setup);
        Shell { terminal, _server: server, _home: home }
    }

    fn completes(mut self) {
        for (typed, completed) in LINES {
            self.types(typed);
            self.terminal.send("\t");
            self.line(completed);
        }
        for typed in NOTHING {
            self.types(typed);
            self.terminal.send("\t!");
            self.line(&format!("{typed}!"));
        }
    }

    /// Clears the screen and types this.
    fn types(&mut self, typed: &str) {
        self.terminal.send("\x15\x0c");
        self.line("");
        self.terminal.send(typed);
        self.line(typed);
    }

    /// Waits until the line up to the cursor is this.
    #[track_caller]
    fn line(&self, expected: &str) {
        let expected = format!("$ {expected}");
        self.terminal.wait_for(&expected, |screen| {
            let (row, column) = screen.cursor_position();
            let line = screen.rows(0, column).nth(row.into()).unwrap_or_default();
            format!("{line:width$}", width = column.into()) == expected
        });
    }
}

/// Starts a shell in its home, with the programs of a directory, and waits until it is set up.
fn start(mut shell: CommandBuilder, home: &Path, programs: &Path, setup: &str) -> Terminal {
    shell.cwd(home);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs.into()].into_iter().chain(env::split_paths(&path))).unwrap();
    for (variable, value) in
        [("PATH", path), ("HOME", home.into()), ("TERM", "xterm".into()), ("LC_ALL", "C.UTF-8".into())]
    {
        shell.env(variable, value);
    }
    let mut terminal = Terminal::start(shell);
    // The quotes keep the typed line from matching.
    terminal.send(&format!("{setup}; echo re''ady\r"));
    terminal.shows("\nready");
    terminal
}

#[test]
fn bash_completes() {
    let setup = "PS1='$ '; bind 'set bell-style none'; source <(stern-rs --completion bash)";
    Shell::start("bash", &["--noprofile", "--norc"], setup).completes();
}

#[test]
fn zsh_completes() {
    let setup = "PS1='$ '; unsetopt zle_bracketed_paste; autoload -U compinit && compinit -u -D; \
                 source <(stern-rs --completion zsh)";
    Shell::start("zsh", &["-f", "-i"], setup).completes();
}

#[test]
fn zsh_completes_from_a_directory_of_functions() {
    let setup = "PS1='$ '; mkdir f; stern-rs --completion zsh > f/_stern-rs; fpath=($PWD/f $fpath); \
                 autoload -U compinit && compinit -u -D";
    Shell::start("zsh", &["-f", "-i"], setup).completes();
}

#[test]
fn fish_completes() {
    let setup = "function fish_prompt; echo -n '$ '; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0; \
                 mkdir -p .config/fish/completions; \
                 stern-rs --completion fish > .config/fish/completions/stern-rs.fish";
    Shell::start("fish", &["--private"], setup).completes();
}
