//! Which part of each log to show.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    duration,
    read::{error, given, parsed, wrong},
    sort::OrderPlan,
};
use crate::{
    cli::{Args, flags::logs as flags},
    usage_error::UsageError,
};

/// The default of stern.
const SINCE: Duration = Duration::from_secs(48 * 60 * 60);
const IDLE_CHECK: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct LogPlan {
    pub follow: bool,
    /// Whether a log that is followed is first read to its end.
    pub history_first: bool,
    pub previous: bool,
    pub since: Option<Since>,
    /// Lines from the end of the log; None: all.
    pub tail: Option<u64>,
    /// Bytes of each log; None: all.
    pub limit_bytes: Option<u64>,
    /// The longest silence of a followed log without a check; None: no checks.
    pub idle_check: Option<Duration>,
    /// Whether one more request verifies that a finished log is complete.
    pub confirm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Before the server's now.
    Ago(Duration),
    Time(Timestamp),
}

impl LogPlan {
    pub(super) fn new(args: &Args, order: OrderPlan) -> Result<LogPlan, UsageError> {
        let previous = args.get(&flags::PREVIOUS);
        let follow = !args.get(&flags::NO_FOLLOW) && !previous;
        let tail = tail(args)?;
        if tail == Some(0) && !follow {
            let flag = if previous { "--previous" } else { "--no-follow" };
            return Err(error(format!("{flag} with --tail=0 shows nothing; remove one")));
        }
        Ok(LogPlan {
            follow,
            history_first: follow && order.is_by_time(),
            previous,
            since: since(args)?,
            tail,
            limit_bytes: limit_bytes(args)?,
            idle_check: idle_check(args)?,
            confirm: args.get(&flags::CONFIRM),
        })
    }
}

fn tail(args: &Args) -> Result<Option<u64>, UsageError> {
    let Some(lines) = args.get(&flags::TAIL).filter(|&lines| lines != -1) else { return Ok(None) };
    let negative =
        |_| wrong(&flags::TAIL, format!("{lines} is less than -1; give a number of lines, or -1 for all"));
    u64::try_from(lines).map(Some).map_err(negative)
}

fn limit_bytes(args: &Args) -> Result<Option<u64>, UsageError> {
    let bytes = args.get(&flags::LIMIT_BYTES).unwrap_or(0);
    let negative =
        |_| wrong(&flags::LIMIT_BYTES, format!("{bytes} is negative; give a number of bytes, or 0 for all"));
    u64::try_from(bytes).map(|bytes| Some(bytes).filter(|&bytes| bytes > 0)).map_err(negative)
}

fn idle_check(args: &Args) -> Result<Option<Duration>, UsageError> {
    let silence = parsed(args, &flags::IDLE_CHECK, duration::parse)?.unwrap_or(IDLE_CHECK);
    Ok(Some(silence).filter(|silence| !silence.is_zero()))
}

fn since(args: &Args) -> Result<Option<Since>, UsageError> {
    match (args.get(&flags::SINCE), given(args, &flags::SINCE_TIME)) {
        (Some(_), Some(_)) => Err(error("--since and --since-time cannot be combined; remove one")),
        (Some(ago), None) => {
            let hint = if ago.contains("://") { " (kubectl's -s is --server here)" } else { "" };
            let ago =
                duration::parse(ago).map_err(|reason| wrong(&flags::SINCE, format!("{reason}{hint}")))?;
            // As for kubectl, 0 is no limit.
            Ok(Some(Since::Ago(ago)).filter(|_| !ago.is_zero()))
        }
        (None, Some(time)) => time.parse().map(|time| Some(Since::Time(time))).map_err(|_| {
            let reason = format!("\"{time}\" is not an RFC 3339 time such as 2026-01-31T12:00:00Z");
            wrong(&flags::SINCE_TIME, reason)
        }),
        // The previous instance may have ended long ago.
        (None, None) if args.get(&flags::PREVIOUS) => Ok(None),
        (None, None) => Ok(Some(Since::Ago(SINCE))),
    }
}
