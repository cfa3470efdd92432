//! The range of time to show: `--since`, `--since-time` and `--until`.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

use super::{
    moment::{Edge, Moment},
    read::{error, given, parsed, wrong},
};
use crate::{
    cli::{Args, flags::logs as flags},
    usage_error::UsageError,
};

/// The default of stern.
const DEFAULT: Duration = Duration::from_secs(48 * 60 * 60);

const UNTIL: &str = flags::UNTIL.entry.name;

/// Clocks of machines are wrong by less, time zones included.
const WRONG: SignedDuration = SignedDuration::from_hours(24);

/// A range as it was asked for. Only the apiserver's clock tells which instants are meant.
#[derive(Debug)]
pub struct RangePlan {
    since: Option<Moment>,
    /// The flag that gave `since`.
    flag: Option<&'static str>,
    until: Option<Moment>,
    zone: TimeZone,
}

/// The instants of a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    pub since: Option<Since>,
    /// Lines from this instant on are not shown.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Before the server's now.
    Ago(Duration),
    Time(Timestamp),
}

/// Whose clock says how late it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockOf {
    /// It may be wrong: an error that another clock might not make is none.
    Machine,
    Apiserver,
}

impl ClockOf {
    /// The most, for what is refused.
    pub fn may_be_wrong_by(self) -> SignedDuration {
        match self {
            Self::Machine => WRONG,
            Self::Apiserver => SignedDuration::ZERO,
        }
    }
}

impl RangePlan {
    pub(super) fn new(args: &Args, zone: TimeZone) -> Result<RangePlan, UsageError> {
        let (since, flag) = since(args)?;
        let until = parsed(args, &flags::UNTIL, until)?;
        Ok(RangePlan { since, flag, until, zone })
    }

    /// The zone of its start, if the user gave that.
    pub fn zone_of_start(&self) -> Option<TimeZone> {
        self.flag.map(|_| self.zone.clone())
    }

    /// Whether its instants depend on how late it is. A plain duration does not: the server counts it itself.
    pub fn needs_clock(&self) -> bool {
        self.until.is_some() || self.since.as_ref().is_some_and(|since| !matches!(since, Moment::Ago(_)))
    }

    /// The range at this time.
    pub fn at(&self, now: Timestamp, clock: ClockOf) -> Result<Range, UsageError> {
        let now = now.to_zoned(self.zone.clone());
        let start = self.since.as_ref().map(|since| self.instant(since, &now, Edge::Since)).transpose()?;
        let until = self.until.as_ref().map(|until| self.end(until, start, &now)).transpose()?;
        self.check(start, until, &now, clock)?;
        let since = match (&self.since, start) {
            (Some(Moment::Ago(ago)), _) => Some(Since::Ago(*ago)),
            (_, start) => start.map(Since::Time),
        };
        Ok(Range { since, until })
    }

    fn instant(&self, moment: &Moment, now: &Zoned, edge: Edge) -> Result<Timestamp, UsageError> {
        let flag = self.flag.filter(|_| edge == Edge::Since).unwrap_or(UNTIL);
        moment.at(now, edge).ok_or_else(|| wrong_of(flag, "the time is beyond the years of the calendar"))
    }

    /// Of a time of day that was before the range begins, the next one is meant.
    fn end(&self, until: &Moment, start: Option<Timestamp>, now: &Zoned) -> Result<Timestamp, UsageError> {
        let end = self.instant(until, now, Edge::Until)?;
        let next = start.filter(|start| end <= *start).and_then(|start| until.next_after(start, now));
        Ok(next.unwrap_or(end))
    }

    fn check(
        &self,
        start: Option<Timestamp>,
        until: Option<Timestamp>,
        now: &Zoned,
        clock: ClockOf,
    ) -> Result<(), UsageError> {
        let slack = clock.may_be_wrong_by();
        let Some(start) = start else { return Ok(()) };
        let flag = self.flag.unwrap_or(UNTIL);
        if start.duration_since(now.timestamp()) > slack {
            return Err(wrong_of(flag, format!("{} is in the future", self.shown(&self.since, start))));
        }
        let Some(until) = until else { return Ok(()) };
        // No clock changes the order of two durations, and of two instants.
        let is_ago = |moment: &Option<Moment>| moment.as_ref().is_some_and(Moment::is_ago);
        let is_fixed = |moment: &Option<Moment>| moment.as_ref().is_some_and(Moment::is_fixed);
        let slack = match is_ago(&self.since) && is_ago(&self.until)
            || is_fixed(&self.since) && is_fixed(&self.until)
        {
            true => SignedDuration::ZERO,
            false => slack,
        };
        if start.duration_since(until) < slack || start < until {
            return Ok(());
        }
        let (start, until) = (self.shown(&self.since, start), self.shown(&self.until, until));
        Err(match self.flag {
            Some(flag) => wrong_of(flag, format!("{start} is not before --until, {until}")),
            None => {
                let ended =
                    format!("{until} is before the last 48 hours, which are the default; give --since too");
                wrong_of(UNTIL, ended)
            }
        })
    }

    /// The instants that words of the calendar meant, for people; None if there were no such words.
    pub fn described(&self, now: Timestamp, range: &Range) -> Option<String> {
        let is_civil = |moment: &Option<Moment>| matches!(moment, Some(Moment::Civil { .. }));
        if !is_civil(&self.since) && !is_civil(&self.until) {
            return None;
        }
        let start = match range.since {
            Some(Since::Ago(ago)) => now.checked_sub(ago).ok(),
            Some(Since::Time(time)) => Some(time),
            None => None,
        };
        let since = start.map(|start| format!("since {}", self.shown(&self.since, start)));
        let until = range.until.map(|until| format!("until {}", self.shown(&self.until, until)));
        Some([since, until].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    /// The instant of the moment as `--timezone` has it, with the fraction that was asked for.
    fn shown(&self, moment: &Option<Moment>, time: Timestamp) -> String {
        let format = match moment {
            _ if time == Timestamp::MAX => return "the end of the year 9999".to_owned(),
            Some(Moment::Ago(ago)) if ago.subsec_nanos() > 0 => "%Y-%m-%d %H:%M:%S%.3f %:z",
            Some(Moment::Ago(_)) => "%Y-%m-%d %H:%M:%S %:z",
            _ => "%Y-%m-%d %H:%M:%S%.f %:z",
        };
        time.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}

fn wrong_of(flag: &str, reason: impl fmt::Display) -> UsageError {
    error(format!("--{flag}: {reason}"))
}

fn until(text: &str) -> Result<Moment, String> {
    if let Some(after) = text.strip_prefix('+') {
        // A plus means the past in Go's durations, and the time to come in other programs.
        return Err(format!(
            "\"{text}\" has a sign; {text} from now is --timeout, and {after} is before now"
        ));
    }
    let until = Moment::parse(text)?;
    match is_zero(text, &until) {
        // Of --since it is no limit.
        true => Err(format!("\"{text}\" is not clear; give now, or remove --until for no limit")),
        false => Ok(until),
    }
}

/// Whether it is a duration of nothing.
fn is_zero(text: &str, moment: &Moment) -> bool {
    *moment == Moment::Ago(Duration::ZERO) && !text.trim().eq_ignore_ascii_case("now")
}

fn since(args: &Args) -> Result<(Option<Moment>, Option<&'static str>), UsageError> {
    match (given(args, &flags::SINCE), given(args, &flags::SINCE_TIME)) {
        (Some(_), Some(_)) => Err(error("--since and --since-time cannot be combined; remove one")),
        (Some(text), None) => {
            let hint = if text.contains("://") { " (kubectl's -s is --server here)" } else { "" };
            let since =
                Moment::parse(text).map_err(|reason| wrong(&flags::SINCE, format!("{reason}{hint}")))?;
            // As for kubectl, 0 is no limit.
            let unlimited = is_zero(text, &since);
            Ok((Some(since).filter(|_| !unlimited), Some(flags::SINCE.entry.name).filter(|_| !unlimited)))
        }
        (None, Some(text)) => {
            let time = Moment::parse(text).ok();
            // Not @ and Unix seconds, nor digits alone.
            let time = time.filter(|time| matches!(time, Moment::At(_)) && text.contains('-'));
            let time = time.ok_or_else(|| {
                let reason = format!("\"{text}\" is not an RFC 3339 time such as 2026-01-31T12:00:00Z");
                wrong(&flags::SINCE_TIME, reason)
            })?;
            Ok((Some(time), Some(flags::SINCE_TIME.entry.name)))
        }
        // The previous instance may have ended long ago.
        (None, None) if args.get(&flags::PREVIOUS) || args.get(&flags::WITH_PREVIOUS) => Ok((None, None)),
        (None, None) => Ok((Some(Moment::Ago(DEFAULT)), None)),
    }
}
