//! Every message that a test sees is explained in docs/troubleshooting.md.

use std::sync::LazyLock;

use regex::Regex;

#[path = "../../documented/mod.rs"]
mod page;

#[cfg(unix)]
pub use page::explains as is_explained;

static COLOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("\x1b\\[[0-9;]*m").expect("the pattern is valid"));

/// The lines of standard error that are messages and that the page does not explain.
pub fn unexplained(err: &str) -> Vec<String> {
    let plain = COLOUR.replace_all(err, "");
    let signs = ["stern-rs: ", "! ", "· "];
    let messages = plain.lines().filter_map(|line| signs.iter().find_map(|sign| line.strip_prefix(sign)));
    messages.filter(|message| !page::explains(message)).map(str::to_owned).collect()
}
