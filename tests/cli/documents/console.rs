//! Runs the sessions of a page.

use std::{env, path::Path};

use apiserver::Pod;
use portable_pty::CommandBuilder;

use super::{
    page::Page,
    unrun,
    worlds::{self, Then},
};
use crate::{harness::World, terminal::Terminal};

/// The page with the output of its commands.
pub fn renewed(page: &Page, world: &World) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for block in page.blocks().iter().filter(|block| block.language == "console") {
        out += &page.text[at..block.range.start];
        out += &session(page, world, page.code(block), block.line);
        at = block.range.end;
    }
    out + &page.text[at..]
}

/// A block with the output of its commands.
fn session(page: &Page, world: &World, block: &str, line: usize) -> String {
    let block = format!("\n{block}");
    let mut commands = block.split("\n$ ");
    let before = commands.next().unwrap_or_default();
    assert!(before.is_empty(), "{}:{line}: a session begins with a command", page.name);
    let (mut out, mut code) = (String::new(), 0);
    for example in commands {
        let (command, output) = split(example);
        out += &format!("$ {command}\n");
        let file = command.strip_prefix("cat ").filter(|file| !world.home.path(file).exists());
        let lines = |text: &str| {
            if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end_matches('\n')) }
        };
        if let Some(file) = file {
            define(world, file, &lines(output));
            out += &lines(output);
        } else if unrun::reason(command).is_some() {
            out += &lines(output);
        } else {
            let (shown, exit) = run(page, world, command, code);
            code = exit;
            out += &similar(output, &shown);
        }
    }
    out
}

/// A command, which a backslash continues on the next line, and its output.
fn split(example: &str) -> (&str, &str) {
    let mut end = 0;
    loop {
        let length = example[end..].find('\n').unwrap_or(example.len() - end);
        let continues = example[end..end + length].ends_with('\\');
        end += length;
        if !continues || end == example.len() {
            return (&example[..end], example[end..].strip_prefix('\n').unwrap_or_default());
        }
        end += 1;
    }
}

/// `$ cat shop.log` gives the log of the container `app` in the pod `shop-0`, and a file of this name.
fn define(world: &World, file: &str, text: &str) {
    world.home.write(file, text);
    if let Some(name) = file.strip_suffix(".log") {
        let name = format!("{name}-0");
        world.add_pod(Pod::new(&name));
        world.log(&format!("{name}/app")).extend(text.lines());
    }
}

/// What the command shows, and its exit code. `code`: that of the command before it.
fn run(page: &Page, world: &World, command: &str, code: i32) -> (String, i32) {
    let program = Path::new(env!("CARGO_BIN_EXE_stern-rs"));
    let dir = program.parent().expect("a program is in a directory").display();
    let path = format!("{dir}:{}", env::var("PATH").unwrap_or_default());
    let shell = |script: &str| world.program("sh", "-c").arg(script).env("PATH", &path);
    if worlds::on_terminal(command) {
        let mut shell = CommandBuilder::new("sh");
        shell.args(["-c", &format!("stty -opost; {command}")]);
        shell.cwd(world.home.dir());
        shell.env_clear();
        for (name, value) in [("PATH", &*path), ("TZ", "UTC"), ("TERM", "dumb")] {
            shell.env(name, value);
        }
        shell.env("HOME", world.home.dir());
        shell.env("KUBECONFIG", world.home.path("kubeconfig"));
        let shown = Terminal::start(shell).output();
        return (String::from_utf8_lossy(&shown).into_owned(), 0);
    }
    let Some(play) = worlds::scene(&page.name, command) else {
        let ran = shell(&format!("exec 2>&1; (exit {code}); {command}")).run();
        return (ran.out(), ran.code());
    };
    let tail = shell(&format!("exec 2>&1; exec {command}")).start();
    let (ran, end) = match play(world, &tail) {
        Then::Ends => (tail.finish(), ""),
        Then::CtrlC => (tail.interrupt(), "^C\n"),
    };
    (ran.out() + end, ran.code())
}

/// The output as the page has it, if it differs only in the order of neighbouring notices of containers: their logs are
/// opened at the same time.
fn similar(expected: &str, found: &str) -> String {
    let is_notice = |line: &str| ["+ ", "- "].iter().any(|sign| line.starts_with(sign));
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for run in lines.chunk_by_mut(|a, b| is_notice(a) && is_notice(b)) {
            run.sort();
        }
        lines
    };
    let expected = format!("{}\n", expected.trim_end_matches('\n'));
    if sorted(&expected) == sorted(found) { expected } else { found.to_owned() }
}
