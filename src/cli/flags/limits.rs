//! Flags that limit and report the load on the cluster.

use super::{Complete, Flag, Group, Integer, Number, Scope, Switch, Text, flag};

pub const STATS_FORMATS: &[&str] = &["text", "json"];

flags! {
    Group::new("Limits", Scope::Cluster);

    /// Read at most N logs at once, 1 or more. With more containers, the newest are followed and the others are polled in
    /// turn: every second if they write, down to every minute if they do not, but with no more than half of the requests
    /// that `--qps` allows; 5,000 containers take about three minutes a turn. The first turn may use all requests of
    /// `--qps` that nothing else needs. A tenth of N, at least one, is reserved for polls. If N is 1, the newest
    /// container is followed, and its log is closed for a moment, at most once a second, while others are polled.
    /// Without following, the others wait. Default: 50; with `--no-follow` or `--previous` 5, and one more for each 4 ms
    /// of round trip to the apiserver, up to 50. -1 is the default too, as in stern
    pub static MAX_LOG_REQUESTS: Flag<Integer> = flag("max-log-requests", "N")
        .help("Read at most N logs at once (default 50, or 5 to 50 without following)");

    /// Follow at most N containers of one node at once, 1 or more; the others are polled. Each followed container takes
    /// one of the node's inotify instances, and many nodes have 128 (`fs.inotify.max_user_instances`). If a node has none
    /// left, the containers that cannot be followed are polled, and a notice reports how many. Default: 100
    pub static MAX_STREAMS_PER_NODE: Flag<Integer> = flag("max-streams-per-node", "N")
        .help("Follow at most N logs a node (default 100)");

    /// Send at most N requests a second to the apiserver; -1 is no limit, 0 is the default, as in stern. Default: 50
    pub static QPS: Flag<Number> = flag("qps", "N")
        .help("Send at most N requests a second (default 50, -1 = no limit)");

    /// Allow N requests at once before `--qps` applies; 0 is the default, as in stern. Default: 100
    pub static BURST: Flag<Integer> = flag("burst", "N")
        .help("Allow bursts of N requests (default 100)");

    /// List on standard output the containers to tail, by owner and node, and their cost: streams, connections, requests,
    /// the time they take, and how often a polled container has its turn. No log is opened, so that `--until-match` and `--exit-on-complete` have no
    /// effect. Default: false
    pub static DRY_RUN: Flag<Switch> = flag("dry-run", "")
        .help("List the containers and the cost, then exit")
        // It is an error with --stdin.
        .scope(Scope::Any);

    /// Report the cost on standard error at the end: requests by kind and the time they waited, streams and connections,
    /// lines and bytes of each container. Of the containers that are gone, the last 10,000 have their own line, and one
    /// sum covers the rest. The waiting time is a sum over all containers. `text` is for people, `json` is one object on
    /// one line; `--stats` alone is `text`. The signal SIGUSR1 prints the report at once, also without this flag; one
    /// sum covers all containers that are gone then. Default: no report
    pub static STATS: Flag<Text> = flag("stats", "FORMAT")
        .bare("text")
        .help("Report the cost at the end: text or json")
        .completes(Complete::Words(STATS_FORMATS))
        .scope(Scope::Any);

    /// Read at most this many bytes of logs a second, over all connections; the apiserver has to wait. -1 is no limit.
    /// `10MiB`, `500k`. Default: -1
    pub static MAX_BANDWIDTH: Flag<Text> = flag("max-bandwidth", "SIZE")
        .help("Limit the bytes of logs a second: 10MiB, 500k");

    /// Delay a line of a busy log at most this long, to read it together with others; 0 is no delay. A line of a quiet log
    /// is shown at once. Default: 5ms
    pub static LATENCY: Flag<Text> = flag("latency", "DURATION")
        .help("Delay lines of a busy log at most this long (default 5ms)");
}
