//! The times of records as they are shown: in the user's zone, or as they are written if their own is not known.

use std::io::Write;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::fields::Time;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A time as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970-01-01.
    pub day: Option<i64>,
    /// Of the day.
    nanos: i64,
}

/// Shows instants in a time zone.
pub struct Zone {
    zone: TimeZone,
    /// The last minute, and how far the zone is ahead of UTC in it, in seconds.
    minute: Option<(i64, i64)>,
}

impl Zone {
    pub fn new(zone: TimeZone) -> Zone {
        Zone { zone, minute: None }
    }

    pub fn show(&mut self, time: Time) -> Moment {
        match time {
            Time::Clock { day, nanos } => Moment { day, nanos },
            Time::Instant(instant) => {
                let second = instant.0.div_euclid(SECOND) + self.offset(instant.0.div_euclid(60 * SECOND));
                let nanos = second.rem_euclid(DAY) * SECOND + instant.0.rem_euclid(SECOND);
                Moment { day: Some(second.div_euclid(DAY)), nanos }
            }
        }
    }

    fn offset(&mut self, minute: i64) -> i64 {
        match self.minute {
            Some((last, offset)) if last == minute => offset,
            _ => {
                let time = Timestamp::from_second(minute * 60).unwrap_or_default();
                let offset = self.zone.to_offset(time).seconds().into();
                self.minute = Some((minute, offset));
                offset
            }
        }
    }
}

impl Moment {
    /// With the date on which the time of day is nearest to another moment, if it has none itself: the zones of both
    /// may differ by some hours.
    pub fn near(self, other: Moment) -> Moment {
        let day = self.day.or_else(|| {
            let ahead = self.nanos - other.nanos;
            let half = DAY * SECOND / 2;
            Some(other.day? - i64::from(ahead > half) + i64::from(ahead < -half))
        });
        Moment { day, ..self }
    }

    /// `2026-01-31 12:00:00.123`, or without a date as below.
    pub fn write_with_date(self, out: &mut Vec<u8>) {
        if let Some(day) = self.day {
            let _ = write!(out, "{} ", date(day));
        }
        self.write(out);
    }

    /// `12:00:00.123`
    pub fn write(self, out: &mut Vec<u8>) {
        let millis = self.nanos / (SECOND / 1000);
        let seconds = millis / 1000;
        let mut text = *b"00:00:00.000";
        for (at, number) in
            [(0, seconds / 3600), (3, seconds / 60 % 60), (6, seconds % 60), (10, millis % 100)]
        {
            text[at] += (number / 10) as u8;
            text[at + 1] += (number % 10) as u8;
        }
        text[9] += (millis % 1000 / 100) as u8;
        out.extend_from_slice(&text);
    }
}

/// The date of a day since 1970-01-01.
pub fn date(day: i64) -> Date {
    let time = Timestamp::from_second(day.saturating_mul(DAY)).unwrap_or_default();
    TimeZone::UTC.to_datetime(time).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Instant;

    fn shown(moment: Moment) -> String {
        let mut out = Vec::new();
        moment.write_with_date(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn in_zone(name: &str, time: &str) -> Moment {
        let time: Timestamp = time.parse().unwrap();
        Zone::new(TimeZone::get(name).unwrap()).show(Time::Instant(time.into()))
    }

    #[test]
    fn an_instant_is_shown_in_the_users_zone() {
        let time = "2026-01-31T23:00:00.123456789Z";
        assert_eq!(shown(in_zone("America/New_York", time)), "2026-01-31 18:00:00.123");
        assert_eq!(shown(in_zone("Asia/Seoul", time)), "2026-02-01 08:00:00.123");
    }

    #[test]
    fn a_time_without_a_zone_is_shown_as_it_is() {
        let mut zone = Zone::new(TimeZone::get("Asia/Seoul").unwrap());
        assert_eq!(shown(zone.show(Time::Clock { day: Some(0), nanos: SECOND })), "1970-01-01 00:00:01.000");
        assert_eq!(shown(zone.show(Time::Clock { day: None, nanos: SECOND })), "00:00:01.000");
    }

    #[test]
    fn a_time_of_day_has_the_nearest_date() {
        let clock = |hour: i64| Moment { day: None, nanos: hour * 3600 * SECOND };
        let late = in_zone("UTC", "2026-01-31T23:00:00Z");
        assert_eq!(shown(clock(22).near(late)), "2026-01-31 22:00:00.000");
        assert_eq!(shown(clock(8).near(late)), "2026-02-01 08:00:00.000");
        let early = in_zone("UTC", "2026-02-01T01:00:00Z");
        assert_eq!(shown(clock(23).near(early)), "2026-01-31 23:00:00.000");
        assert_eq!(shown(late.near(early)), "2026-01-31 23:00:00.000");
    }

    #[test]
    fn summer_time_begins_between_two_minutes() {
        let mut zone = Zone::new(TimeZone::get("Europe/Berlin").unwrap());
        for (second, hour) in [(1_774_745_999, 1), (1_774_746_000, 3), (1_774_745_999, 1)] {
            assert_eq!(zone.show(Time::Instant(Instant(second * SECOND))).nanos / SECOND / 3600, hour);
        }
    }
}
