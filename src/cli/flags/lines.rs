//! Flags that select, mark and cut lines.

use super::{Flag, Group, Integer, List, Scope, Text, flag};

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

    /// Show N lines of the same container before and after each line that `--include`, `--level` or `--where` selects, as grep does, with `--` where
    /// lines are left out (in JSON formats and templates without it). A stack trace and its first line count as one line.
    /// Lines that `--exclude` hides stay hidden. Of very long lines, or very many, fewer are
    /// shown, so that memory is bounded. With `--sort`, the lines before one that is followed are shown when it comes, and may
    /// then stand behind newer lines of other containers.
    /// Default: 0. `-i 'status=5..' -C 3`
    pub static CONTEXT_LINES: Flag<Integer> = flag("context-lines", "N")
        .short('C')
        .help("Show N lines before and after the selected ones");

    /// Show N lines before each selected line (grep's `-B`); 0 is none. Default: as
    /// `--context-lines`
    pub static BEFORE_CONTEXT: Flag<Integer> = flag("before-context", "N")
        .help("Show N lines before the selected ones");

    /// Show N lines after each selected line (grep's `-A`); 0 is none. Default: as
    /// `--context-lines`
    pub static AFTER_CONTEXT: Flag<Integer> = flag("after-context", "N")
        .help("Show N lines after the selected ones");

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
