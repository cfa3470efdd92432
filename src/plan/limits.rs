//! The load that a run may put on the cluster.

use std::time::Duration;

use super::{
    duration,
    read::{given, parsed, wrong},
    size,
};
use crate::{
    cli::{
        Args,
        flags::{Flag, Integer, limits as flags},
    },
    usage_error::UsageError,
};

/// As in stern.
const MAX_LOG_REQUESTS: usize = 50;
/// As in stern; but if the apiserver is far away, up to as many as are followed.
const MAX_LOG_REQUESTS_NO_FOLLOW: usize = 5;
/// Each takes an inotify instance, and many nodes have 128 for all programs.
const MAX_STREAMS_PER_NODE: usize = 100;
/// With client-go's 5 and 10, it takes 16 seconds until 90 pods are shown.
const QPS: f64 = 50.0;
const BURST: u32 = 100;
const LATENCY: Duration = Duration::from_millis(5);

const LONGEST_LATENCY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests a second; None: no limit.
    pub qps: Option<f64>,
    pub burst: u32,
    /// Concurrent log requests, at least 1.
    pub log_requests: LogRequests,
    /// Concurrent followed logs of one node, at least 1.
    pub max_streams_per_node: usize,
    /// Bytes a second over all logs; None: no limit.
    pub max_bandwidth: Option<u64>,
    /// How long a line of a busy log may wait to be read together with others.
    pub latency: Duration,
}

/// How many logs are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRequests {
    /// If the apiserver is near.
    pub nearby: usize,
    /// At any distance.
    pub most: usize,
}

impl LogRequests {
    pub fn fixed(count: usize) -> Self {
        Self { nearby: count, most: count }
    }

    fn new(args: &Args, follow: bool) -> Result<Self, UsageError> {
        match args.get(&flags::MAX_LOG_REQUESTS) {
            None | Some(-1) if follow => Ok(Self::fixed(MAX_LOG_REQUESTS)),
            None | Some(-1) => Ok(Self { nearby: MAX_LOG_REQUESTS_NO_FOLLOW, most: MAX_LOG_REQUESTS }),
            Some(count) => at_least_1(&flags::MAX_LOG_REQUESTS, count).map(Self::fixed),
        }
    }

    /// The number at this round-trip time to the apiserver. A request spends most of its time on the way, so with more
    /// requests under way, the limit on requests is still what binds.
    pub fn at(self, round_trip: Option<Duration>) -> usize {
        /// Each millisecond of round trip adds a quarter of a log.
        const MILLIS_A_LOG: u128 = 4;
        let more = round_trip.unwrap_or_default().as_millis() / MILLIS_A_LOG;
        usize::try_from(more).unwrap_or(usize::MAX).saturating_add(self.nearby).min(self.most)
    }
}

impl Limits {
    pub(super) fn new(args: &Args, follow: bool) -> Result<Limits, UsageError> {
        let streams = args.get(&flags::MAX_STREAMS_PER_NODE);
        let streams = streams.map(|count| at_least_1(&flags::MAX_STREAMS_PER_NODE, count)).transpose()?;
        Ok(Limits {
            qps: qps(args)?,
            burst: burst(args)?,
            log_requests: LogRequests::new(args, follow)?,
            max_streams_per_node: streams.unwrap_or(MAX_STREAMS_PER_NODE),
            max_bandwidth: max_bandwidth(args)?,
            latency: parsed(args, &flags::LATENCY, latency)?.unwrap_or(LATENCY),
        })
    }
}

fn at_least_1(flag: &Flag<Integer>, count: i64) -> Result<usize, UsageError> {
    let too_small = || wrong(flag, format!("{count} is less than 1; remove the flag for the default"));
    usize::try_from(count).ok().filter(|&count| count > 0).ok_or_else(too_small)
}

fn qps(args: &Args) -> Result<Option<f64>, UsageError> {
    match args.get(&flags::QPS) {
        None | Some(0.0) => Ok(Some(QPS)),
        Some(qps) if qps > 0.0 => Ok(Some(qps)),
        Some(-1.0) => Ok(None),
        Some(qps) => {
            Err(wrong(&flags::QPS, format!("{qps} is negative; use -1 for no limit, 0 for the default")))
        }
    }
}

fn burst(args: &Args) -> Result<u32, UsageError> {
    match args.get(&flags::BURST) {
        None | Some(0) => Ok(BURST),
        Some(burst) => u32::try_from(burst).map_err(|_| {
            wrong(&flags::BURST, format!("{burst} is not between 1 and {} (0 = default)", u32::MAX))
        }),
    }
}

fn max_bandwidth(args: &Args) -> Result<Option<u64>, UsageError> {
    if given(args, &flags::MAX_BANDWIDTH) == Some("-1") {
        return Ok(None);
    }
    match parsed(args, &flags::MAX_BANDWIDTH, size::parse)? {
        Some(0) => Err(wrong(&flags::MAX_BANDWIDTH, "0 would read nothing; use -1 for no limit")),
        bytes => Ok(bytes),
    }
}

fn latency(text: &str) -> Result<Duration, String> {
    let latency = duration::parse(text)?;
    match latency > LONGEST_LATENCY {
        true => Err(format!("{latency:?} is longer than 1s; a few milliseconds are enough")),
        false => Ok(latency),
    }
}
