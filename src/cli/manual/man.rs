//! The manual page: `docs/usage.md` as man(7), with a head and an end of its own.
//!
//! It is made of the whole usage, whose flags come from the table: each fact stands once, and who reads `man stern-rs`
//! misses nothing.

use super::roff;

const NAME: &str = env!("CARGO_PKG_NAME");
const DOCUMENTS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");

/// Headings that manual pages have for what the usage calls otherwise.
const HEADINGS: [(&str, &str); 4] = [
    ("How flags are read", "OPTIONS"),
    ("The config file", "CONFIG FILE"),
    ("Messages on standard error", "DIAGNOSTICS"),
    ("Exit codes", "EXIT STATUS"),
];

/// Lines of code fit a terminal of 80 columns.
const CODE: usize = 65;
/// Longer spans of code may be broken.
const SPAN: usize = 30;
/// The lines of the source.
const WIDTH: usize = 110;

/// The page for the text of `docs/usage.md`; `day` is when it changed.
pub fn page(usage: &str, day: &str) -> String {
    let mut sections = usage.split("\n## ");
    let head: Vec<_> = sections.next().unwrap().splitn(3, "```").collect();
    let [before, synopsis, description] = head[..] else {
        panic!("docs/usage.md begins with a synopsis in a block of code")
    };
    assert!(before.starts_with("# "), "docs/usage.md begins with a heading");
    let name = roff::escape(NAME);
    let about = roff::escape(&env!("CARGO_PKG_DESCRIPTION").replacen("Tails", "tail", 1));
    let mut out = format!(
        ".\\\" Made of docs/usage.md by UPDATE=1 cargo test --lib manual
.TH {} 1 {day} \"{name} {}\" \"User Commands\"
.nr HY 0
.nh
.ad l
.SH NAME
{name} \\- {about}
.SH SYNOPSIS
{}
.SH DESCRIPTION
",
        name.to_uppercase(),
        roff::escape(env!("CARGO_PKG_VERSION")),
        synopsis.trim().lines().map(command).collect::<Vec<_>>().join("\n.br\n"),
    );
    blocks(&mut out, &description.lines().collect::<Vec<_>>());
    for section in sections {
        let (title, text) = section.split_once('\n').unwrap();
        let name = HEADINGS.iter().find(|(usual, _)| *usual == title).map_or(title, |(_, name)| name);
        out += &match text.contains("<!-- Flags of ") {
            true => format!(".SS {}\n", roff::escape(title)),
            false => format!(".SH {}\n", roff::escape(&name.to_uppercase())),
        };
        blocks(&mut out, &text.lines().collect::<Vec<_>>());
    }
    out + &end()
}

/// `stern-rs [flags] QUERY`
fn command(line: &str) -> String {
    let words = line.split(' ').map(|word| match word {
        "QUERY" => "\\fIQUERY\\fR".to_owned(),
        "[flags]" => "[\\fIflags\\fR]".to_owned(),
        name => format!("\\fB{}\\fR", roff::escape(name)),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn end() -> String {
    let documents = [
        ("reading.md", "Structured logs, with the grammar of conditions"),
        ("templates.md", "Templates"),
        ("troubleshooting.md", "Every message, its meaning, and the way to react"),
        ("security.md", "Threats and promises"),
        ("from-stern.md", "Differences from stern"),
    ];
    let mut out = ".SH SEE ALSO\n.BR kubectl (1),\n.BR jq (1),\n.BR less (1)\n".to_owned();
    for (file, about) in documents {
        out +=
            &format!(".TP\n{about}: {}\n{}\n", roff::escape(file), address(&format!("{DOCUMENTS}/{file}")));
    }
    let issues = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");
    out + &format!(".SH REPORTING BUGS\n{}\n", address(issues))
}

/// It may be broken behind a slash.
fn address(url: &str) -> String {
    roff::escape(url).replace('/', "/\\:")
}

/// The kinds of blocks that the usage has.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Blank,
    Comment,
    Heading,
    Code,
    Item,
    Row,
    Text,
}

fn kind(line: &str) -> Kind {
    match line {
        "" => Kind::Blank,
        _ if line.starts_with("<!--") => Kind::Comment,
        _ if line.starts_with('#') => Kind::Heading,
        _ if line.starts_with("```") => Kind::Code,
        _ if line.starts_with("- ") => Kind::Item,
        _ if line.starts_with('|') => Kind::Row,
        _ => Kind::Text,
    }
}

/// Appends these lines of Markdown. The first paragraph belongs to what `out` ends with.
fn blocks(out: &mut String, mut lines: &[&str]) {
    let (mut is_first, mut are_flags) = (true, false);
    while let Some((first, rest)) = lines.split_first() {
        let kind = kind(first);
        let more = match kind {
            Kind::Blank | Kind::Comment | Kind::Heading => 0,
            Kind::Code => 1 + rest.iter().take_while(|line| self::kind(line) != kind).count(),
            Kind::Item => rest.iter().take_while(|line| line.is_empty() || line.starts_with("  ")).count(),
            Kind::Row | Kind::Text => rest.iter().take_while(|line| self::kind(line) == kind).count(),
        };
        let (block, after) = lines.split_at(1 + more);
        lines = after;
        match kind {
            Kind::Blank => continue,
            Kind::Comment => {
                are_flags = first.starts_with("<!-- Flags of ");
                continue;
            }
            Kind::Heading => {
                *out += &format!(".PP\n\\fB{}\\fR\n", roff::escape(first.trim_start_matches(['#', ' '])));
            }
            Kind::Code => code(out, &block[1..more]),
            Kind::Item => item(out, block, are_flags),
            // Behind the heads of the columns and a line of dashes.
            Kind::Row => block[2..].iter().for_each(|row| table_row(out, row)),
            Kind::Text => {
                *out += if is_first { "" } else { ".PP\n" };
                text(out, &block.join(" "));
            }
        }
        is_first = false;
    }
}

fn code(out: &mut String, lines: &[&str]) {
    *out += ".IP\n.EX\n";
    for line in lines {
        // A command goes on in the next line of a shell.
        let end = if line.starts_with("$ ") { " \\" } else { "" };
        for line in folded(line, end) {
            *out += &format!("{}\n", roff::line(&line));
        }
    }
    *out += ".EE\n";
}

/// The parts of a line of code; all but the last have this end.
fn folded(line: &str, end: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let part = parts.last_mut().unwrap();
        let is_full = (part.clone() + word.trim_end() + end).chars().count() > CODE;
        if is_full && !part.trim().is_empty() {
            *part = format!("{}{end}", part.trim_end());
            parts.push(format!("    {word}"));
        } else {
            part.push_str(word);
        }
    }
    parts
}

fn item(out: &mut String, block: &[&str], is_flag: bool) {
    let mut lines: Vec<_> = block.iter().map(|line| line.get(2..).unwrap_or_default()).collect();
    if is_flag {
        let (synopsis, help) = lines[0].strip_prefix('`').and_then(|line| line.split_once("` ")).unwrap();
        *out += &format!(".TP\n{}\n", flag(synopsis));
        lines[0] = help;
    } else {
        *out += ".IP \\(bu 2\n";
    }
    blocks(out, &lines);
}

/// `-t, --timestamps[=FORMAT]`: names are bold, and placeholders italic.
fn flag(synopsis: &str) -> String {
    let name_end = synopsis.find("--").and_then(|at| Some(at + synopsis[at..].find([' ', '['])?));
    let (names, value) = synopsis.split_at(name_end.unwrap_or(synopsis.len()));
    let mut out: Vec<_> = names.split(", ").map(|name| format!("\\fB{}\\fR", roff::escape(name))).collect();
    let last = out.last_mut().unwrap();
    let mut is_placeholder = false;
    for char in value.chars() {
        if char.is_ascii_uppercase() != is_placeholder {
            is_placeholder = !is_placeholder;
            *last += if is_placeholder { "\\fI" } else { "\\fR" };
        }
        *last += &roff::escape(char.encode_utf8(&mut [0; 4]));
    }
    *last += if is_placeholder { "\\fR" } else { "" };
    out.join(", ")
}

/// `| key | meaning |`
fn table_row(out: &mut String, row: &str) {
    let row = row.replace("\\|", "\0");
    let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('\0', "|"));
    let key = cells.next().unwrap_or_default();
    let key = if key.contains('`') { inline(&key) } else { format!("\\fB{}\\fR", inline(&key)) };
    *out += &format!(".TP\n{key}\n");
    text(out, &cells.collect::<Vec<_>>().join("; "));
}

/// A paragraph, in lines that are easy to compare.
fn text(out: &mut String, text: &str) {
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        // Without it, two blanks stand behind a sentence that ends a line, and one behind others.
        let word = line.trim_end_matches(')').trim_end_matches("\\fR");
        let end = if word.ends_with(['.', '?', '!']) { "\\&" } else { "" };
        *out += &format!("{guard}{}{end}\n", std::mem::take(line));
    };
    for word in inline(text).split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            flush(&mut line);
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    flush(&mut line);
}

/// Markdown within a paragraph: code, links, bold.
fn inline(text: &str) -> String {
    let Some(at) = text.find(['`', '[', '*']) else { return roff::escape(text) };
    let (before, rest) = text.split_at(at);
    let found = match rest.as_bytes()[0] {
        b'`' => rest[1..].split_once('`').map(|(code, rest)| (bold_code(code), rest)),
        b'[' => link(rest),
        _ => rest
            .strip_prefix("**")
            .and_then(|rest| rest.split_once("**"))
            .map(|(text, rest)| (bold(&inline(text)), rest)),
    };
    let (found, rest) = found.unwrap_or_else(|| (roff::escape(&rest[..1]), &rest[1..]));
    roff::escape(before) + &found + &inline(rest)
}

fn bold(text: &str) -> String {
    format!("\\fB{text}\\fR")
}

fn bold_code(code: &str) -> String {
    let text = roff::escape(code);
    bold(&if code.chars().count() <= SPAN { text.replace(' ', "\\~") } else { text })
}

/// `[text](target)`; the page names the other documents, and shows the addresses of the web.
fn link(text: &str) -> Option<(String, &str)> {
    let (shown, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (target, rest) = rest.split_once(')')?;
    let file = target.split('#').next().unwrap_or_default();
    let more = match target {
        _ if target.starts_with("http") => format!(" <{}>", address(target)),
        _ if file.is_empty() || file == shown => String::new(),
        _ => format!(" ({})", roff::escape(file)),
    };
    Some((inline(shown) + &more, rest))
}
