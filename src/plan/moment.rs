//! Points in time as people write them: one grammar for `--since` and `--until`, which refuses what it would have to
//! guess.

mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// A point in time, as far as it is known without a clock.
#[derive(Debug, Clone, PartialEq)]
pub enum Moment {
    /// Back from now.
    Ago(Duration),
    At(Timestamp),
    /// By the calendar of a zone; None: the zone of `--timezone`.
    Civil {
        day: Day,
        /// None: the start of the day.
        time: Option<Time>,
        zone: Option<TimeZone>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// The last one on which the time has come.
    Latest,
    Today,
    Yesterday,
    /// The last one, never today.
    Last(Weekday),
    Date(Date),
}

/// The end of a range that a moment marks. Of a time that the clock shows twice, or skips, the range takes the longer
/// way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Since,
    Until,
}

impl Moment {
    /// The error is the rest of a sentence that begins with the flag's name.
    pub fn parse(text: &str) -> Result<Moment, String> {
        parse::moment(text)
    }

    pub fn is_time_of_day(text: &str) -> bool {
        matches!(Self::parse(text), Ok(Self::Civil { day: Day::Latest, .. }))
    }

    /// Whether it is the same instant at any time.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::At(_) | Self::Civil { day: Day::Date(_), .. })
    }

    /// Whether it is counted back from now, so that its fraction of a second has no meaning.
    pub fn is_ago(&self) -> bool {
        matches!(self, Self::Ago(_))
    }

    /// The instant, if the calendar has it; of its last day, which other zones do not have, the last instant. `now` is
    /// in the zone of `--timezone`.
    pub fn at(&self, now: &Zoned, edge: Edge) -> Option<Timestamp> {
        match self {
            Self::Civil { day: Day::Date(Date::MAX), .. } => Some(Timestamp::MAX),
            _ => self.on_calendar(now, edge),
        }
    }

    fn on_calendar(&self, now: &Zoned, edge: Edge) -> Option<Timestamp> {
        let (day, time, now) = match self {
            Self::Ago(ago) => return now.timestamp().checked_sub(*ago).ok(),
            Self::At(time) => return Some(*time),
            Self::Civil { day, time, zone } => (*day, *time, in_zone(now, zone.as_ref())),
        };
        let zone = now.time_zone();
        let date = match day {
            Day::Latest => return latest(&now, time?, edge),
            Day::Today => now.date(),
            Day::Yesterday => now.date().yesterday().ok()?,
            Day::Last(weekday) => now.date().nth_weekday(-1, weekday).ok()?,
            Day::Date(date) => date,
        };
        let Some(time) = time else { return date.to_zoned(zone.clone()).ok().map(|day| day.timestamp()) };
        let [earlier, later] = instants(date, time, zone)?;
        Some(if edge == Edge::Since { earlier } else { later })
    }

    /// The first instant after `start` at which a clock shows this time of day; None if it is more than that.
    pub fn next_after(&self, start: Timestamp, now: &Zoned) -> Option<Timestamp> {
        let Self::Civil { day: Day::Latest, time: Some(time), zone } = self else { return None };
        let zone = zone.as_ref().unwrap_or(now.time_zone());
        let start = start.to_zoned(zone.clone());
        (0..=2).find_map(|days| {
            let date = start.date().checked_add(days.days()).ok()?;
            let [_, later] = instants(date, *time, zone)?;
            (later > start.timestamp()).then_some(later)
        })
    }
}

/// The last instant at which the clock showed this time, at `now` or before.
fn latest(now: &Zoned, time: Time, edge: Edge) -> Option<Timestamp> {
    (0..=1).find_map(|days| {
        let date = now.date().checked_sub(days.days()).ok()?;
        let [earlier, later] = instants(date, time, now.time_zone())?;
        let past = |instant: &Timestamp| *instant <= now.timestamp();
        match edge {
            Edge::Since => Some(earlier).filter(past),
            Edge::Until => [later, earlier].into_iter().find(past),
        }
    })
}

/// The instants at which the clock shows this time: twice the same, unless it was put back, or over it, between them.
fn instants(date: Date, time: Time, zone: &TimeZone) -> Option<[Timestamp; 2]> {
    let shown = || zone.to_ambiguous_zoned(date.to_datetime(time));
    Some([shown().earlier().ok()?.timestamp(), shown().later().ok()?.timestamp()])
}

fn in_zone(now: &Zoned, zone: Option<&TimeZone>) -> Zoned {
    zone.map_or_else(|| now.clone(), |zone| now.with_time_zone(zone.clone()))
}
