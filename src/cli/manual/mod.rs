//! Checks that the sections of flags in `docs/usage.md` are those of the table, and that `docs/stern-rs.1` is the same
//! manual. `UPDATE=1` writes both.

mod man;
mod roff;

use std::{
    env, fs,
    io::{Seek, Write},
    path::Path,
    process::{Command, Output},
};

use super::{
    flags::{GROUPS, Group},
    help,
};

const WIDTH: usize = 120;
/// Any text that no paragraph has.
const GLUE: &str = "\0";

/// The list of a group's flags, between two comments.
fn section(Group { manual, entries, .. }: &Group) -> String {
    let mut out = format!("<!-- Flags of {}: edit there -->\n", manual.file);
    for (entry, paragraph) in entries.iter().zip(manual.paragraphs) {
        out += &format!("- `{}` ", entry.synopsis());
        let parts = paragraph.split('`').enumerate();
        // A line does not break within a span of code.
        let glued = parts.map(|(i, part)| if i % 2 == 1 { part.replace(' ', GLUE) } else { part.to_owned() });
        help::wrap(&mut out, &glued.collect::<Vec<_>>().join("`"), 2, WIDTH);
        out += "\n";
    }
    out.replace(GLUE, " ") + "<!-- end of flags -->"
}

/// The manual with the sections of the table in place of those it has.
fn renewed(manual: &str) -> String {
    GROUPS.iter().fold(manual.to_owned(), |manual, group| {
        let section = section(group);
        let (begin, end) = (section.lines().next().unwrap(), section.lines().last().unwrap());
        let (before, rest) =
            manual.split_once(begin).unwrap_or_else(|| panic!("docs/usage.md needs the line {begin}"));
        let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("docs/usage.md needs the line {end}"));
        format!("{before}{section}{after}")
    })
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Writes the file if `UPDATE` says so.
#[track_caller]
fn is_current(file: &str, text: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), text).unwrap();
    } else {
        assert!(read(file) == text, "{file} is out of date: run UPDATE=1 cargo test --lib manual");
    }
}

/// The manual page for this usage. It keeps its date until it changes.
fn renewed_page(usage: &str) -> String {
    let page = read("docs/stern-rs.1");
    let title = page.lines().find(|line| line.starts_with(".TH "));
    let day = title.and_then(|title| title.split(' ').nth(3)).unwrap_or_default();
    let same = man::page(usage, day);
    if page == same { same } else { man::page(usage, &jiff::Zoned::now().date().to_string()) }
}

#[test]
fn the_manuals_have_the_flags_of_the_table() {
    let usage = renewed(&read("docs/usage.md"));
    is_current("docs/usage.md", &usage);
    is_current("docs/stern-rs.1", &renewed_page(&usage));
}

/// The program with this input; None, and a word about it, without the program.
fn run(program: &str, args: &[&str], input: &str) -> Option<Output> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    let ran = Command::new(program).args(args).stdin(file).output();
    ran.inspect_err(|error| eprintln!("not checked by {program}: {error}")).ok()
}

#[track_caller]
fn accepts_the_page(program: &str, args: &[&str]) {
    if let Some(out) = run(program, args, help::man()) {
        let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.is_empty(), "{program}: {said}");
    }
}

#[test]
fn mandoc_has_no_warning_for_the_page() {
    accepts_the_page("mandoc", &["-T", "lint", "-W", "warning"]);
}

#[test]
fn groff_has_no_warning_for_the_page() {
    accepts_the_page("groff", &["-man", "-ww", "-T", "utf8", "-z"]);
}

/// A hyphen within a flag would be copied with it.
#[test]
fn no_word_of_the_page_is_broken() {
    for (program, args) in
        [("groff", &["-man", "-T", "utf8", "-rLL=40n"][..]), ("mandoc", &["-T", "utf8", "-O", "width=40"])]
    {
        if let Some(out) = run(program, args, help::man()) {
            let text = String::from_utf8(out.stdout).unwrap();
            let broken: Vec<&str> = text.lines().filter(|line| line.ends_with('\u{2010}')).collect();
            assert!(broken.is_empty(), "{program}: {broken:?}");
        }
    }
}
