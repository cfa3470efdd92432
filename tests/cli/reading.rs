//! Runs the examples of `docs/reading.md`: each command prints what the page says. `UPDATE=1` writes the page.

use std::{env, fs, path::Path};

use apiserver::Pod;

use crate::harness::World;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reading.md");
const BEGIN: &str = "```console\n";
const END: &str = "```";

/// `$ cat web.log` gives the log of the container `app` in the pod `web-0`, and a file of this name.
fn write_log(world: &World, file: &str, text: &str) {
    fs::write(world.home.path(file), text).expect("a file in the home directory");
    let name = format!("{}-0", file.trim_end_matches(".log"));
    world.add_pod(Pod::new(&name));
    world.log(&format!("{name}/app")).extend(text.lines());
}

fn run(world: &World, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_stern-rs"));
    let dir = program.parent().expect("a program is in a directory").display();
    let path = format!("{dir}:{}", env::var("PATH").unwrap_or_default());
    let shell = world.program("sh", "-c").arg(&format!("exec 2>&1; {command}")).env("PATH", &path);
    shell.run().out()
}

/// The block with the output of its commands.
fn renewed(world: &World, block: &str) -> String {
    let mut out = String::new();
    let mut commands = block.split("$ ").filter(|command| !command.is_empty()).peekable();
    assert!(commands.peek().is_some(), "a block without a command: {block}");
    for example in commands {
        let (command, output) = example.split_once('\n').unwrap_or((example, ""));
        out += &format!("$ {command}\n");
        match command.strip_prefix("cat ") {
            Some(file) => {
                write_log(world, file, output);
                out += output;
            }
            None => out += &run(world, command),
        }
    }
    out
}

#[test]
fn every_example_prints_what_the_page_says() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let world = World::new();
    fs::write(world.home.path("key"), [7; 32]).expect("a file in the home directory");
    let mut parts = page.split(BEGIN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (block, rest) = part.split_once(END).expect("a block has an end");
        out += &format!("{BEGIN}{}{END}{rest}", renewed(&world, block));
    }
    if env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &out).expect("the page can be written");
    } else {
        similar(&page, &out);
    }
}

#[track_caller]
fn similar(page: &str, out: &str) {
    for (expected, found) in page.lines().zip(out.lines()) {
        assert_eq!(expected, found, "docs/reading.md: UPDATE=1 cargo test --test cli reading writes it");
    }
    assert_eq!(page.len(), out.len(), "docs/reading.md: UPDATE=1 cargo test --test cli reading writes it");
}
