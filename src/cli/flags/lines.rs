//! Flags that select, mark and cut lines.

use super::{Flag, Group, List, Scope, Text, flag};

flags! {
    Group::new("Which lines", Scope::Any);

    /// Show only lines that match at least one of these; repeatable. Matches are highlighted.
    pub static INCLUDE: Flag<List> = flag("include", "REGEX")
        .short('i')
        .help("Show only lines that match");

    /// Hide lines that match; repeatable.
    pub static EXCLUDE: Flag<List> = flag("exclude", "REGEX")
        .short('e')
        .help("Hide lines that match");

    /// Highlight matches and show all lines; repeatable.
    pub static HIGHLIGHT: Flag<List> = flag("highlight", "REGEX")
        .short('H')
        .help("Highlight matches");

    /// Cut longer lines and mark how much was cut; filters see the rest. 0 shows lines whole, and takes as much memory
    /// as the longest needs. Default: 1MiB; but `-o raw` without filters and highlights shows lines of any length,
    /// by way of a temporary file
    pub static MAX_LINE: Flag<Text> = flag("max-line", "SIZE")
        .help("Cut longer lines (default 1MiB, 0 = never)");
}
