//! Flags that limit how much of each log is read, and when reading ends.

use super::{Complete, Flag, Group, Integer, Scope, Switch, Text, flag};

flags! {
    Group::new("How much of each log", Scope::Cluster);

    /// Show lines since this time: a duration before now (`5m`, `2h30m`, `3d`), a time of day (`14:05`, the last one past), a
    /// day (`today`, `yesterday`, `monday`, `2026-05-31`), which begins at 00:00, a day and a time (`yesterday 14:05`,
    /// `2026-05-31 14:05:10`), RFC 3339 or Unix seconds; in `--timezone`, by the clock of the apiserver. `0` is no limit.
    /// Default: 48h, but no limit with `--previous`, `--with-previous` or `--since-time`. `--since 14:05 --until 14:10`.
    /// (kubectl's `-s` is `--server` here.)
    pub static SINCE: Flag<Text> = flag("since", "TIME")
        .short('s')
        .help("Show lines since 5m, 14:05, monday (default 48h)")
        .completes(Complete::Words(&["5m", "1h", "today", "yesterday", "monday"]));

    /// Show lines since this RFC 3339 time, as kubectl does; not with `--since`. `--since-time 2026-01-31T12:00:00Z`
    pub static SINCE_TIME: Flag<Text> = flag("since-time", "TIME")
        .help("Show lines since an RFC 3339 time");

    /// Show lines before this time, given as for `--since`. If it is past, logs are read up to there and not followed; otherwise
    /// they are followed until then. A time of day that was before `--since` is the next one after it:
    /// `--since 23:50 --until 00:10`. `--tail` counts back from a time in the past. Default: no limit
    pub static UNTIL: Flag<Text> = flag("until", "TIME")
        .help("Show lines before 5m (ago), 14:10, yesterday")
        .completes(Complete::Words(&["now", "today", "yesterday"]));

    /// Show the last N lines of each log; 0 shows new lines only. (The container runtime stores a line longer than 8 or
    /// 16 KiB in pieces, and the kubelet counts each piece as a line.) Default: -1, all
    pub static TAIL: Flag<Integer> = flag("tail", "N")
        .help("Show the last N lines (default -1, all)");

    /// Show at most N bytes of each log, newlines included, as kubectl does. A followed log ends at the limit. Default: 0, all
    pub static LIMIT_BYTES: Flag<Integer> = flag("limit-bytes", "N")
        .help("Show at most N bytes a log (default 0, all)");

    /// Exit after printing the existing logs: each log up to the moment it was opened, by the apiserver's clock, to the
    /// second. Default: false
    pub static NO_FOLLOW: Flag<Switch> = flag("no-follow", "")
        .help("Exit after printing the existing logs")
        .scope(Scope::Any);

    /// Show the logs of the last terminated instance of each container, then exit; implies `--no-follow`. Default: false
    pub static PREVIOUS: Flag<Switch> = flag("previous", "")
        .help("Show logs of the previous container instance, then exit");

    /// Show the log of the last terminated instance of each container first, if there is one, and then the current log. A
    /// line marks the restart between them. `--tail` and `--limit-bytes` apply to each of the two. If the node has no
    /// log of that instance any more, a notice says so. Not with `--previous`. Default: false
    pub static WITH_PREVIOUS: Flag<Switch> = flag("with-previous", "")
        .help("Show the previous instance of each container first");

    /// Check a followed log that has been quiet for 50 times its usual interval, at the latest after this long: one small
    /// request compares it with the log on the node. While no line is missing, the checks become less frequent, down to one in
    /// 15 minutes. 0 turns the checks off. Default: 30s
    pub static IDLE_CHECK: Flag<Text> = flag("idle-check", "DURATION")
        .help("Check a stream that has been quiet this long (default 30s, 0 = off)");

    /// Verify with one more small request that a finished log is complete. This doubles the requests for many small
    /// logs that are not followed. A log that returned as many lines as `--tail` asked for needs no check. Default: true
    pub static CONFIRM: Flag<Switch> = flag("confirm", "BOOL")
        .help("Verify that a finished log is complete (default true)")
        .absent("true");

    /// Read lines from standard input instead of a cluster, with the same filters and outputs. The query and the flags
    /// for pods, logs, limits and connections have no effect then; a warning on standard error names them.
    /// Default: false. `stern-rs --stdin -i error < app.log`
    pub static STDIN: Flag<Switch> = flag("stdin", "")
        .help("Read lines from standard input, not a cluster")
        .scope(Scope::Any);
}
