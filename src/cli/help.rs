//! The help texts: the table of flags in groups, formatted for a terminal of 80 columns.

use super::flags::{Entry, GROUPS};

const WIDTH: usize = 80;
/// The texts begin in this column.
const COLUMN: usize = 34;

pub fn help(program: &str) -> String {
    let intro = format!(
        "Tails the logs of every container that matches, live, in one coloured stream.

Usage: {program} [flags] QUERY

QUERY is a regular expression for pod names, or KIND/NAME such as deploy/web.
KIND is one of pod, rc, svc, ds, deploy, rs, sts, job. QUERY is optional with
-l, --field-selector, --node, --prompt or --stdin.
"
    );
    format!("{intro}{}\n{program} --show-hidden-options lists more options, as in kubectl.\n", groups(false))
}

pub fn hidden(program: &str) -> String {
    format!("{program} accepts these options too, with kubectl's meaning.\n{}", groups(true))
}

/// `stern-rs 0.1.0 (COMMIT DATE)`, as far as the build knew them.
pub fn version() -> String {
    let build = option_env!("STERN_RS_BUILD").map_or(String::new(), |build| format!(" ({build})"));
    format!("stern-rs {}{build}\n", env!("CARGO_PKG_VERSION"))
}

/// The manual page, in roff.
pub fn man() -> &'static str {
    include_str!("../../docs/stern-rs.1")
}

fn groups(hidden: bool) -> String {
    let mut out = String::new();
    for group in GROUPS.iter().filter(|group| group.hidden == hidden) {
        out += &format!("\n{}:\n", group.title);
        for entry in group.entries {
            line(&mut out, entry);
        }
    }
    out
}

fn line(out: &mut String, entry: &Entry) {
    // Shorthands have a column of their own.
    let indent = if entry.short.is_some() { "  " } else { "      " };
    let flag = format!("{indent}{}", entry.synopsis());
    let mut used = flag.chars().count();
    out.push_str(&flag);
    if used + 2 > COLUMN {
        out.push('\n');
        used = 0;
    }
    out.extend(std::iter::repeat_n(' ', COLUMN - used));
    wrap(out, entry.help, COLUMN, WIDTH);
    out.push('\n');
}

/// Appends the words of `text` where the last line has reached the column `indent`, and breaks lines before `width`.
pub(super) fn wrap(out: &mut String, text: &str, indent: usize, width: usize) {
    let mut used = out.lines().last().map_or(0, |line| line.chars().count());
    for (i, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if i > 0 && used + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        } else if i > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::{Flag, Text, flag};

    #[test]
    fn no_line_is_wider_than_80_columns() {
        for line in (help("kubectl stern-rs") + &hidden("kubectl stern-rs")).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn a_flag_is_in_one_of_the_two_lists() {
        let (help, hidden) = (help(""), hidden(""));
        for group in GROUPS {
            for synopsis in group.entries.iter().map(|entry| entry.synopsis()) {
                assert_eq!(hidden.contains(&synopsis), group.hidden, "{synopsis}");
                assert_eq!(help.contains(&synopsis), !group.hidden, "{synopsis}");
            }
        }
    }

    #[test]
    fn a_long_text_goes_on_below_itself() {
        let long: Flag<Text> =
            flag("x", "").help("word word word word word word word word word word word word");
        let mut out = String::new();
        line(&mut out, &long.entry);
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.find("word") == Some(COLUMN)), "{out}");
    }

    #[test]
    fn a_long_flag_has_a_line_of_its_own() {
        let name = "a-name-that-is-longer-than-the-column";
        let long: Flag<Text> = flag(name, "").help("word");
        let mut out = String::new();
        line(&mut out, &long.entry);
        assert_eq!(out, format!("      --{name}\n{:34}word\n", ""));
    }
}
