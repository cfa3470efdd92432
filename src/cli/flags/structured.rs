//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Flag, Group, List, Scope, Switch, flag};

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of these levels: one and all above it.
    pub static LEVEL: Flag<List> = flag("level", "LEVEL")
        .help("Show only records of this level or above");

    /// Show the lines of a record as one message, as a stack trace with the line that logs it: filters, `--until-match`, JSON
    /// formats, templates and files see them together. In patterns `^` and `$` are the ends of the whole message, and `(?s).`
    /// is also the end of a line. A text format shows each line with its prefix, as without the flag. A line waits 100 ms for
    /// one that continues its record; at most 500 lines or 256 KiB are one message. JSON of several lines is one if it begins
    /// with a line that is `{` or `[`.
    /// `--multiline -i '(?s)IllegalState.*OrderService'`
    pub static MULTILINE: Flag<Switch> = flag("multiline", "")
        .help("Show the lines of a record as one message");
}
