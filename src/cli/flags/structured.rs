//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Flag, Group, List, Scope, flag};

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of these levels: one and all above it.
    pub static LEVEL: Flag<List> = flag("level", "LEVEL")
        .help("Show only records of this level or above");

    /// Show only records whose fields meet a condition; repeatable: all of them must hold. The literal decides what is
    /// compared: numbers, durations, sizes, levels, times, and else text. A comparison with a field that is missing is false,
    /// and `!=` is the exact negation of `=`. Lines that continue a record, as a stack trace, follow it. A line without
    /// fields is a `msg`. [reading.md](reading.md#conditions) has the grammar.
    /// `--where 'status>=500 and path~"^/cart"'` `--where 'duration>250ms, !exists(trace_id)'` `--where 'level>=warn'`
    pub static WHERE: Flag<List> = flag("where", "EXPR")
        .help("Show only records that meet a condition");
}
