//! Flags that read structured logs: JSON, logfmt, and the heads of text logs.

use super::{Complete, Flag, Group, List, Scope, Text, flag};

pub const SUMMARY_FORMATS: &[&str] = &["text", "json"];

const LEVELS: Complete =
    Complete::WordList(&["trace", "debug", "info", "notice", "warn", "error", "fatal", "none"]);

flags! {
    Group::new("Structured logs", Scope::Any);

    /// Show only records of this level (trace, debug, info, notice, warn, error, fatal) or above; repeatable, and a list with
    /// commas adds up. `warn..error` is a range with both ends, `error..error` one level, `!info` takes one level away.
    /// Lines without a level follow the record that they continue, as a stack trace; others are hidden, unless `none`
    /// is in the list. The level is read from the keys of JSON and logfmt (words and numbers of the usual loggers), or from
    /// the head of a text line, never from words in a message; `levels:` and `fields:` in the config file add others.
    /// `--level warn,none`
    pub static LEVEL: Flag<List> = flag("level", "LEVEL")
        .completes(LEVELS)
        .help("Show only records of this level or above");

    /// Show only records whose fields meet a condition; repeatable: all of them must hold. The literal decides what is
    /// compared: numbers, durations, sizes, levels, times, and else text. A comparison with a field that is missing is false,
    /// and `!=` is the exact negation of `=`. Lines that continue a record, as a stack trace, follow it. A line without
    /// fields is a `msg`. [reading.md](reading.md#conditions) has the grammar.
    /// `--where 'status>=500 and path~"^/cart"'` `--where 'duration>250ms, !exists(trace_id)'` `--where 'level>=warn'`
    pub static WHERE: Flag<List> = flag("where", "EXPR")
        .help("Show only records that meet a condition");

    /// Report in numbers on standard error, at the end, what was shown: lines by level of each owner of pods and container,
    /// errors a minute, the most frequent messages with their numbers taken out, and when they came first and last. With
    /// names of fields also the percentiles of their values: the latency, the statuses. Numbers and durations count. A stack
    /// trace counts as lines of its level, and as one error. Memory is bounded: beyond 1,000 different messages the rarest
    /// are forgotten, beyond 1,000 different values percentiles are right within one percent. The signal SIGUSR1 prints the
    /// report at once. With `--quiet` no lines are printed. Default: no report.
    /// `--summary`, `--summary=duration,http.status`
    pub static SUMMARY: Flag<Text> = flag("summary", "FIELD,…")
        .bare("true")
        .help("Report lines by level, frequent messages, percentiles");

    /// Write the report of `--summary` as `text`, for people, or as `json`, one object on one line. Default: `text`
    pub static SUMMARY_FORMAT: Flag<Text> = flag("summary-format", "FORMAT")
        .help("Write the report of --summary as text or json")
        .completes(Complete::Words(SUMMARY_FORMATS));
}
