//! Checks that the sections of flags in `docs/usage.md` are those of the table.

use std::{env, fs, path::Path};

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

#[test]
fn the_manual_has_the_flags_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/usage.md");
    let manual = fs::read_to_string(&path).unwrap();
    let renewed = renewed(&manual);
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, renewed).unwrap();
    } else {
        assert!(manual == renewed, "docs/usage.md is out of date: run UPDATE=1 cargo test --lib manual");
    }
}
