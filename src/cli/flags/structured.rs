//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Flag, Group, List, Scope, flag};

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of these levels: one and all above it.
    pub static LEVEL: Flag<List> = flag("level", "LEVEL")
        .help("Show only records of this level or above");
}
