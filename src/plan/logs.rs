//! Which part of each log to show.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    duration,
    range::{ClockOf, Range, Since},
    read::{error, parsed, wrong},
    sort::OrderPlan,
};
use crate::{
    cli::{Args, flags::logs as flags},
    usage_error::UsageError,
};

const IDLE_CHECK: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct LogPlan {
    pub follow: bool,
    /// Whether a log that is followed is first read to its end.
    pub history_first: bool,
    pub previous: bool,
    pub since: Option<Since>,
    /// The zone for the report of a log that begins later; None: the user gave no start.
    pub late: Option<TimeZone>,
    /// Lines from this instant on are not shown.
    pub until: Option<Timestamp>,
    /// Lines from the end of the log; None: all.
    pub tail: Option<u64>,
    /// Bytes of each log; None: all.
    pub limit_bytes: Option<u64>,
    /// The longest silence of a followed log without a check; None: no checks.
    pub idle_check: Option<Duration>,
    /// Whether one more request verifies that a finished log is complete.
    pub confirm: bool,
}

impl LogPlan {
    pub(super) fn new(args: &Args, order: OrderPlan) -> Result<LogPlan, UsageError> {
        let previous = args.get(&flags::PREVIOUS);
        let follow = !args.get(&flags::NO_FOLLOW) && !previous;
        if previous && args.get(&flags::WITH_PREVIOUS) {
            return Err(error("--previous and --with-previous cannot be combined; remove one"));
        }
        let tail = tail(args)?;
        if tail == Some(0) && !follow {
            let flag = if previous { "--previous" } else { "--no-follow" };
            return Err(error(format!("{flag} with --tail=0 shows nothing; remove one")));
        }
        Ok(LogPlan {
            follow,
            history_first: follow && order.is_by_time(),
            previous,
            since: None,
            late: None,
            until: None,
            tail,
            limit_bytes: limit_bytes(args)?,
            idle_check: idle_check(args)?,
            confirm: args.get(&flags::CONFIRM),
        })
    }

    /// The plan for this range: what is past now is not followed.
    pub fn within(mut self, range: Range, now: Timestamp, clock: ClockOf) -> Result<LogPlan, UsageError> {
        (self.since, self.until) = (range.since, range.until);
        let past = self.until.map(|until| now.duration_since(until)).filter(|past| !past.is_negative());
        if let Some(past) = past {
            self.follow = false;
            match self.tail {
                // By another clock it may not be past.
                _ if past < clock.may_be_wrong_by() => {}
                Some(0) => return Err(error("--until in the past with --tail=0 shows nothing; remove one")),
                Some(lines) if lines > MOST_LINES_BEFORE => {
                    let reason = format!(
                        "with --until in the past, at most {MOST_LINES_BEFORE} lines of a log are found"
                    );
                    return Err(wrong(&flags::TAIL, reason));
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

/// With `--until` in the past, the last lines before it are found by remembering when each of as many was written.
const MOST_LINES_BEFORE: u64 = 1_000_000;

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
