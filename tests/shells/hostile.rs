//! Names that others chose, and that a shell would run if it read them as code.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::{start, terminal::Terminal};

/// Each would make the file `pwned`, or become another text, if it were not quoted.
const NAMES: &[&str] = &[
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "a'b\"c",
    "it's; touch pwned; 'x",
    "é'; touch pwned; '",
    "’; touch pwned; ‘",
    ":2+a[$(touch pwned)]",
    "a>pwned",
    "a<b",
    "a&b",
    "a|b",
    "'x",
    "\"x\"",
    "''",
    "!x!",
    "!'\"'!",
    "two words",
    "~",
    "*",
    "[x]",
    "{a,b}",
    "(a)",
    "$HOME",
    "#a",
    "%a",
    "^a^b",
    "=ls",
    "@x",
    "a\\b",
    "a\\",
    "-n",
    "--context=x",
    ":0",
    "é한",
];

/// Answers that must add nothing to the line but letters: control characters, no directive, no end.
const ODD: &[&str] = &[
    "a\x1b[2J$(touch pwned)\n:4\n",
    "a\x07\r$(touch pwned)\n:4\n",
    "$(touch pwned)\n:0+a[$(touch pwned)]\n",
    "$(touch pwned)\n:",
    ":4\n\n$(touch pwned)",
    "",
];

/// A shell in which `show` completes as `stern-rs` does, with whatever the file `answer` holds, and writes down its
/// last argument.
struct Shell {
    terminal: Terminal,
    home: TempDir,
}

impl Shell {
    fn start(program: &str, args: &[&str], setup: &str) -> Shell {
        let home = TempDir::new().unwrap();
        let script = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let real = env!("CARGO_BIN_EXE_stern-rs");
        script(
            "stern-rs",
            &format!("case $1 in __complete) cat \"$HOME/answer\" ;; *) exec {real} \"$@\" ;; esac"),
        );
        script(
            "show",
            "for last; do :; done; printf %s \"$last\" > \"$HOME/new\"; mv \"$HOME/new\" \"$HOME/shown\"",
        );
        let mut shell = CommandBuilder::new(program);
        shell.args(args);
        let terminal = start(shell, home.path(), home.path(), setup);
        Shell { terminal, home }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// The argument that `line` has after Tab and Enter.
    fn completed(&mut self, answer: &str, line: &str) -> String {
        fs::write(self.file("answer"), answer).unwrap();
        let _ = fs::remove_file(self.file("shown"));
        self.terminal.send("\x15\x0c");
        self.terminal.wait_for("an empty line", |screen| screen.cursor_position() == (0, 2));
        self.terminal.send(line);
        self.terminal.wait_for(line, |screen| screen.contents().trim_end().ends_with(line.trim_end()));
        // The second ends what waits for more, or follows the first at the next prompt.
        self.terminal.send("\t\r");
        let shown = wait(&self.file("shown"));
        assert!(!self.file("pwned").exists(), "{line} runs what {answer:?} says");
        shown
    }

    fn takes_names_as_text(mut self, quotes: &[&str], but: &[&str]) {
        for name in NAMES {
            for quote in quotes {
                let answer = format!("{name}\n:4\n");
                let completed = self.completed(&answer, &format!("show --context {quote}"));
                assert!(completed == *name || but.contains(name), "{name:?} after {quote}: {completed:?}");
                let completed = self.completed(&answer, &format!("show --context={quote}"));
                assert_eq!(completed, format!("--context={name}"), "after {quote}");
            }
        }
        for answer in ODD {
            let completed = self.completed(answer, "show --context x");
            assert_eq!(completed, "x", "{answer:?}");
        }
        let completed = self.completed("two\nlines $(touch pwned)\n:4\n", "show --context x");
        assert!(!completed.contains("pwned"), "{completed:?}");
    }
}

/// The content of a file that will be there soon.
#[track_caller]
fn wait(path: &Path) -> String {
    let start = Instant::now();
    loop {
        match fs::read_to_string(path) {
            Ok(text) => return text,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{}: {error}", path.display()),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn bash_runs_no_name() {
    let setup = "PS1='$ '; bind 'set bell-style none'; source <(stern-rs --completion bash); \
                 complete -o default -F _stern_rs show";
    Shell::start("bash", &["--noprofile", "--norc"], setup).takes_names_as_text(&["", "'", "\""], &[]);
}

#[test]
fn zsh_runs_no_name() {
    let setup = "PS1='$ '; unsetopt zle_bracketed_paste; autoload -U compinit && compinit -u -D; \
                 source <(stern-rs --completion zsh); compdef _stern-rs show";
    Shell::start("zsh", &["-f", "-i"], setup).takes_names_as_text(&["", "'", "\""], &[]);
}

#[test]
fn fish_runs_no_name() {
    let setup = "function fish_prompt; echo -n '$ '; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0; \
                 stern-rs --completion fish | source; complete -c show -f -a '(__stern_rs_complete)'";
    // fish leaves a tilde as it is.
    Shell::start("fish", &["--private"], setup).takes_names_as_text(&["", "'", "\""], &["~"]);
}
