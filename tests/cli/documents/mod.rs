//! The pages that people read: each example prints what the page says, each command is one that the program accepts, each
//! link leads somewhere, and each message has its explanation.
//!
//! A block ```` ```console ```` is a session: lines with `$ ` are commands, the others are their output, standard error too.
//! `UPDATE=1 cargo test --test cli documents` writes the output. `$ cat NAME` of a file that is not there makes it; if it
//! is a log, it is also that of a container. `worlds.rs` has the cluster of each page and what happens while a command
//! runs, `unrun.rs` the commands that cannot run here, each with the reason.

mod accepted;
mod console;
mod links;
mod messages;
mod page;
mod unrun;
mod worlds;

use std::{env, fs};

use page::Page;

/// The languages of blocks that are no session.
const OTHERS: [&str; 5] = ["sh", "yaml", "gotmpl", "dockerfile", "powershell"];

#[track_caller]
fn examples(name: &str) {
    let page = Page::read(name);
    let renewed = console::renewed(&page, &worlds::of(name));
    if env::var_os("UPDATE").is_some() {
        fs::write(Page::path(name), &renewed).expect("the page can be written");
        return;
    }
    for ((expected, found), number) in page.text.lines().zip(renewed.lines()).zip(1..) {
        assert_eq!(expected, found, "{name}:{number}: UPDATE=1 cargo test --test cli documents writes it");
    }
    assert_eq!(page.text.len(), renewed.len(), "{name}: UPDATE=1 cargo test --test cli documents writes it");
}

#[test]
fn the_examples_of_the_readme_print_what_it_says() {
    examples("README.md");
}

#[test]
fn the_examples_of_the_manual_print_what_it_says() {
    examples("docs/usage.md");
}

#[test]
fn the_examples_of_structured_logs_print_what_the_page_says() {
    examples("docs/reading.md");
}

#[test]
fn the_examples_for_korean_readers_print_what_the_page_says() {
    examples("docs/ko.md");
}

/// A session in another page would never run.
#[test]
fn every_session_is_run_and_every_block_is_known() {
    for page in Page::all() {
        for block in page.blocks() {
            let place = format!("{}:{}", page.name, block.line);
            let session = page.code(&block).lines().any(|line| line.trim_start().starts_with("$ "));
            match block.language.as_str() {
                "console" => assert!(worlds::PAGES.contains(&&*page.name), "{place}: the page has no world"),
                "" => assert!(!session, "{place}: a session is a block ```console"),
                language => assert!(OTHERS.contains(&language), "{place}: {language}"),
            }
        }
    }
}
