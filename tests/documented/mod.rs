//! Whether docs/troubleshooting.md explains each message that a test has seen.

use std::sync::LazyLock;

use regex::{Regex, escape};

/// The first column of its tables; `…` stands for any text.
static MESSAGES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let page = include_str!("../../docs/troubleshooting.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once("` |")).map(|(message, _)| message);
    let messages = cells.flat_map(|cell| cell.split("`, `"));
    let pattern = |message: &str| format!("^{}(; .*)?$", escape(message).replace('…', ".*"));
    messages.map(|message| Regex::new(&pattern(message)).expect("an escaped text is a pattern")).collect()
});

/// The pod and container at the start of a notice.
static SUBJECT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S+ )?\S+( › \S+)?: ").expect("the pattern is valid"));

/// Whether the page has a row for this message, with or without what comes before it and what follows a semicolon.
pub fn explains(message: &str) -> bool {
    let of_its_own = SUBJECT.find(message).map(|subject| &message[subject.end()..]);
    let texts = [Some(message), of_its_own];
    texts.into_iter().flatten().any(|text| MESSAGES.iter().any(|known| known.is_match(text)))
}
