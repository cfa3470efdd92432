//! Commands without output, and flags within the text: the program accepts them.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path};

use regex::Regex;

use super::{page::Page, unrun};
use crate::harness::{World, stern_rs};

/// Programs in whose company a command may be run; all of these do nothing here, but start stern-rs as a plugin.
const KUBECTL: &str = "case $1 in stern-rs) shift; exec stern-rs \"$@\";; logs) ;; *) exit 127;; esac";
const STERN_RS: &str =
    "\"$STERN_RS\" \"$@\"; code=$?; [ $code -ne 2 ] || echo \"stern-rs $*\" >> \"$HOME/wrong\"; exit $code";
const READER: &str = "cat > /dev/null";

/// Spans of the text that are not run, each with the reason.
const UNRUN: &[(&str, &str)] = &[
    ("-A web", "shows that a word behind a switch is the query"),
    ("stern-rs -p -A | grep error", "needs a terminal"),
    ("stern-rs --man | man -l -", "needs man"),
    ("source <(stern-rs --completion zsh)", "is for zsh"),
    ("stern-rs --completion powershell | Out-String | Invoke-Expression", "is for PowerShell"),
];

struct Machine(World);

impl Machine {
    fn new() -> Machine {
        let world = World::new();
        for (name, script) in [("kubectl", KUBECTL), ("stern-rs", STERN_RS), ("jq", READER), ("man", READER)]
        {
            let path = world.home.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be made a program");
        }
        for file in ["app.log", ".config/fish/completions/stern-rs.fish"] {
            world.home.write(file, "");
        }
        Machine(world)
    }

    /// Why the command would not run on a user's machine; None if it would. There is no cluster here.
    fn refuses(&self, command: &str) -> Option<String> {
        let path = format!("{}:{}", self.0.home.path("bin").display(), env::var("PATH").unwrap_or_default());
        let shell = self
            .0
            .program("sh", "-c")
            .arg(&format!("exec 2>&1; {command}"))
            .env("PATH", &path)
            .env("KUBECONFIG", "none");
        let ran = shell.env("STERN_RS", env!("CARGO_BIN_EXE_stern-rs")).run();
        let wrong = self.0.home.read("wrong");
        self.0.home.write("wrong", "");
        let refused = !wrong.is_empty() || [2, 126, 127].contains(&ran.code());
        refused.then(|| format!("{command}\n{}", ran.out()))
    }
}

fn place(page: &Page, line: usize) -> String {
    format!("{}:{line}", page.name)
}

/// The commands of a block, without comments; a backslash continues one.
fn commands(code: &str) -> Vec<String> {
    let code = code.replace("\\\n", " ");
    let lines = code.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_command_is_accepted_or_has_a_reason_not_to_be_run() {
    let machine = Machine::new();
    let mut wrong = Vec::new();
    for page in Page::all().iter().filter(|page| !unrun::PAGES.iter().any(|(name, _)| page.name == *name)) {
        for block in page.blocks().iter().filter(|block| block.language == "sh") {
            for command in commands(page.code(block)) {
                let known = ["stern-rs ", "kubectl stern-rs ", "kubectl logs ", "head "];
                if unrun::reason(&command).is_some() {
                } else if !known.iter().any(|start| command.starts_with(start)) {
                    wrong.push(format!("{}: unrun.rs has no reason: {command}", place(page, block.line)));
                } else if let Some(refused) = machine.refuses(&command) {
                    wrong.push(format!("{}: {refused}", place(page, block.line)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_and_flag_in_the_text_is_accepted() {
    let machine = Machine::new();
    let span = Regex::new("`([^`\n]+)`").expect("the pattern is valid");
    let flag = Regex::new("^-{1,2}[A-Za-z]").expect("the pattern is valid");
    // `- `-n, --namespace NAME,…`` begins the paragraph of a flag.
    let synopsis = Regex::new("(?m)^- `-[^`]*`").expect("the pattern is valid");
    let mut wrong = Vec::new();
    for page in Page::all() {
        let prose = page.prose();
        let prose = synopsis.replace_all(&prose, "");
        // In a table, a backslash stands before the sign.
        for text in span.captures_iter(&prose).map(|found| found[1].replace("\\|", "|")) {
            let is_command = text.starts_with("stern-rs ") || text.starts_with("kubectl stern-rs ");
            let is_flag = page.name == "docs/usage.md" && flag.is_match(&text);
            if !(is_command || is_flag) || UNRUN.iter().any(|(known, _)| text == *known) {
                continue;
            }
            let command = if is_flag { format!("stern-rs . {text}") } else { text.clone() };
            // The name of a flag stands for itself.
            let is_name = is_flag && !text.contains([' ', '=']);
            let refused = machine.refuses(&command).filter(|words| !is_name || words.contains("unknown"));
            wrong.extend(refused.map(|refused| format!("{}: {refused}", page.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_config_file_is_accepted() {
    for name in ["docs/usage.md", "docs/reading.md"] {
        let page = Page::read(name);
        let files = page.blocks();
        let mut files = files.iter().filter(|block| block.language == "yaml").peekable();
        assert!(files.peek().is_some(), "{name} has one");
        for block in files {
            let home = tempfile::tempdir().expect("a temporary directory");
            let path = home.path().join("config.yaml");
            fs::write(&path, page.code(block)).expect("a file in the directory");
            let config = Path::new(&path).display();
            stern_rs(&format!("--stdin --config {config}")).run().stderr("").exit(0);
        }
    }
}
