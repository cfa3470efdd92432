//! The help texts: the table of flags in groups, fit for a terminal of 80 columns.

use std::fmt::Write;

use clap::{Arg, Command};

const WIDTH: usize = 80;
/// Where the texts beside the flags begin.
const COLUMN: usize = 34;

pub fn help(table: &Command, program: &str) -> String {
    let intro = format!(
        "Tails the logs of every container that matches, live, in one coloured stream.

Usage: {program} [flags] QUERY

QUERY is a regular expression on pod names, or KIND/NAME such as deploy/web with
KIND one of pod, rc, svc, ds, deploy, rs, sts, job. It may be left out beside
-l, --field-selector, --node, --prompt or --stdin.
"
    );
    let groups = groups(table, false);
    format!("{intro}{groups}\n{program} --show-hidden-options lists more, as kubectl has them.\n")
}

pub fn hidden(table: &Command, program: &str) -> String {
    format!("{program} takes these too, as kubectl does:\n{}", groups(table, true))
}

/// `stern-rs 0.1.0 (COMMIT DATE)`, as far as the build knew them.
pub fn version() -> String {
    let build = option_env!("STERN_RS_BUILD").map_or(String::new(), |build| format!(" ({build})"));
    format!("stern-rs {}{build}\n", env!("CARGO_PKG_VERSION"))
}

fn groups(table: &Command, hidden: bool) -> String {
    let mut out = String::new();
    let mut heading = None;
    for flag in table.get_arguments().filter(|flag| flag.get_long().is_some() && flag.is_hide_set() == hidden)
    {
        if heading != flag.get_help_heading() {
            heading = flag.get_help_heading();
            out += &format!("\n{}:\n", heading.unwrap_or_default());
        }
        line(&mut out, flag);
    }
    out
}

fn line(out: &mut String, flag: &Arg) {
    let name = synopsis(flag);
    let mut used = name.chars().count();
    out.push_str(&name);
    if used + 2 > COLUMN {
        out.push('\n');
        used = 0;
    }
    // Padding to two short of the column, since every word brings a space before it.
    let _ = write!(out, "{:1$}", "", COLUMN - 1 - used);
    used = COLUMN - 1;
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    for word in help.split(' ') {
        let length = word.chars().count() + 1;
        if used + length > WIDTH {
            let _ = write!(out, "\n{:1$}", "", COLUMN - 1);
            used = COLUMN - 1;
        }
        let _ = write!(out, " {word}");
        used += length;
    }
    out.push('\n');
}

/// `  -t, --timestamps[=FORMAT]`
fn synopsis(flag: &Arg) -> String {
    let short = flag.get_short().map_or("    ".to_owned(), |short| format!("-{short}, "));
    let long = flag.get_long().unwrap_or_default();
    let value = flag.get_value_names().unwrap_or_default().join(" ");
    match (value.is_empty(), flag.is_require_equals_set()) {
        (true, _) => format!("  {short}--{long}"),
        (false, true) => format!("  {short}--{long}[={value}]"),
        (false, false) => format!("  {short}--{long} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags;

    #[test]
    fn no_line_is_wider_than_80_columns() {
        let table = flags::table();
        for line in (help(&table, "kubectl stern-rs") + &hidden(&table, "kubectl stern-rs")).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_flag_is_in_one_of_the_two_lists() {
        let table = flags::table();
        let (help, hidden) = (help(&table, ""), hidden(&table, ""));
        for flag in table.get_arguments() {
            let synopsis = synopsis(flag);
            assert_eq!(hidden.contains(&synopsis), flag.is_hide_set(), "{synopsis}");
            assert_eq!(help.contains(&synopsis), !flag.is_hide_set(), "{synopsis}");
        }
    }

    #[test]
    fn a_long_text_goes_on_below_itself() {
        let flag = Arg::new("x").long("x").help("word ".repeat(20).trim().to_owned());
        let mut out = String::new();
        line(&mut out, &flag);
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.find("word") == Some(COLUMN)), "{out}");
    }

    #[test]
    fn a_long_flag_has_a_line_of_its_own() {
        let flag = Arg::new("x").long("x".repeat(40)).help("word");
        let mut out = String::new();
        line(&mut out, &flag);
        assert_eq!(out, format!("      --{}\n{:34}word\n", "x".repeat(40), ""));
    }

    #[test]
    fn usage_documents_every_flag() {
        let usage = include_str!("../../docs/usage.md");
        for flag in flags::table().get_arguments() {
            let short = flag.get_short().map_or(String::new(), |short| format!("-{short}, "));
            let name = format!("`{short}--{}", flag.get_long().unwrap());
            let documented = |end| usage.contains(&format!("{name}{end}"));
            assert!(documented("`") || documented(" ") || documented("["), "{name}");
        }
    }
}
