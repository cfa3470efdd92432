//! Time zones, as Go's `time.Location`.

use jiff::{Timestamp, tz::TimeZone};

/// 400 years, after which the calendar, and so the rules of summer time, repeat.
const CYCLE: i64 = 146_097 * 86_400;
/// 2400-01-01, after which only today's rules remain.
const SETTLED: i64 = 13_569_465_600;

/// A zone of a time.
#[derive(Debug, Clone)]
pub enum Zone {
    /// UTC.
    Utc,
    /// A zone as it was written in a time.
    Fixed {
        /// Its abbreviation, which may be empty.
        name: String,
        /// Seconds east of UTC.
        offset: i32,
    },
    /// A zone of the time zone database.
    Region(TimeZone),
}

/// Like Go's `time.LoadLocation`, with its errors. `local`: the zone for "Local".
pub fn load_location(name: &str, local: &Zone) -> Result<Zone, String> {
    match name {
        "" | "UTC" => Ok(Zone::Utc),
        "Local" => Ok(local.clone()),
        // Go looks for a file of this name, and rejects names that lead elsewhere.
        _ if name.contains("..") || name.starts_with(['/', '\\']) => {
            Err("time: invalid location name".to_owned())
        }
        _ => TimeZone::get(name).map(Zone::from).map_err(|_| format!("unknown time zone {name}")),
    }
}

impl From<TimeZone> for Zone {
    /// An unknown system zone becomes UTC, as in Go.
    fn from(zone: TimeZone) -> Zone {
        if zone == TimeZone::UTC || zone.is_unknown() { Zone::Utc } else { Zone::Region(zone) }
    }
}

impl Zone {
    /// Seconds east of UTC at this Unix second.
    pub(super) fn offset(&self, seconds: i64) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Fixed { offset, .. } => *offset,
            Zone::Region(zone) => zone.to_offset(known(seconds)).seconds(),
        }
    }

    /// Calls `with` with the abbreviation in use at this Unix second.
    pub(super) fn abbreviation<T>(&self, seconds: i64, with: impl FnOnce(&str) -> T) -> T {
        match self {
            Zone::Utc => with("UTC"),
            Zone::Fixed { name, .. } => with(name),
            Zone::Region(zone) => with(zone.to_offset_info(known(seconds)).abbreviation()),
        }
    }

    /// The offset of an abbreviation: the one in use at this Unix second, interpreted as local time, or else the
    /// first in history.
    pub(super) fn offset_of(&self, abbreviation: &str, seconds: i64) -> Option<i32> {
        let mut offsets: Vec<i32> = Vec::new();
        match self {
            Zone::Utc if abbreviation == "UTC" => offsets.push(0),
            Zone::Fixed { name, offset } if abbreviation == name => offsets.push(*offset),
            Zone::Utc | Zone::Fixed { .. } => {}
            Zone::Region(zone) => {
                let first = zone.to_offset_info(Timestamp::MIN);
                if first.abbreviation() == abbreviation {
                    offsets.push(first.offset().seconds());
                }
                let changes = zone.following(Timestamp::MIN);
                for change in changes.take_while(|change| change.timestamp().as_second() < SETTLED) {
                    if change.abbreviation() == abbreviation && !offsets.contains(&change.offset().seconds())
                    {
                        offsets.push(change.offset().seconds());
                    }
                }
            }
        }
        let in_use = |offset: &&i32| {
            self.abbreviation(seconds.wrapping_sub((**offset).into()), |name| name == abbreviation)
        };
        offsets.iter().find(in_use).or(offsets.first()).copied()
    }
}

/// A second within jiff's range at which the same rules hold.
fn known(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_else(|_| match seconds {
        ..0 => Timestamp::MIN,
        _ => Timestamp::from_second(SETTLED + (seconds - SETTLED) % CYCLE).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Zone {
        load_location(name, &Zone::Utc).unwrap()
    }

    #[test]
    fn names_are_those_of_load_location() {
        assert!(matches!(region(""), Zone::Utc));
        assert!(matches!(region("UTC"), Zone::Utc));
        assert_eq!(load_location("Local", &region("Asia/Seoul")).unwrap().offset(0), 9 * 3600);
        assert_eq!(load_location("Nowhere/Bad", &Zone::Utc).unwrap_err(), "unknown time zone Nowhere/Bad");
        assert_eq!(load_location("../x", &Zone::Utc).unwrap_err(), "time: invalid location name");
    }

    #[test]
    fn summer_time_goes_on_beyond_the_year_9999() {
        let berlin = region("Europe/Berlin");
        // 20260-07-01 and 20260-12-31
        assert_eq!(berlin.offset(577_192_348_800), 7200);
        assert_eq!(berlin.offset(577_208_160_000), 3600);
        assert_eq!(berlin.offset(i64::MIN), 3208);
        assert_eq!(berlin.offset(i64::MAX) % 3600, 0);
    }

    #[test]
    fn an_abbreviation_means_the_offset_in_use_then() {
        let london = region("Europe/London");
        assert_eq!(london.offset_of("BST", 1_700_000_000), Some(3600));
        assert_eq!(london.offset_of("GMT", 1_700_000_000), Some(0));
        assert_eq!(london.offset_of("EST", 1_700_000_000), None);
    }
}
