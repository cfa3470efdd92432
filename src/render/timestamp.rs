//! `--timestamps`: instants as text in the user's time zone.

use std::io::Write;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    plan::{Display, Timestamps},
    tail::Instant,
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Where the fraction's nine digits stand in `2006-01-02T15:04:05.000000000Z07:00`. Nanoseconds in an `i64` reach
/// from 1677 to 2262, so the year always has four digits.
const FRACTION: std::ops::Range<usize> = 20..29;

/// Writes instants. Lines come many to a second, so the text of the last second is kept and only the fraction is
/// written anew.
pub struct Clock {
    layout: Timestamps,
    zone: TimeZone,
    second: Option<i64>,
    text: Vec<u8>,
}

impl Clock {
    /// None without `--timestamps`.
    pub fn new(display: &Display) -> Option<Clock> {
        let layout = display.timestamps?;
        Some(Clock { layout, zone: display.timezone.clone(), second: None, text: Vec::new() })
    }

    #[inline]
    pub fn write(&mut self, time: Instant, out: &mut Vec<u8>) {
        let second = time.0.div_euclid(NANOS_PER_SECOND);
        if self.second != Some(second) {
            self.turn_to(second);
        }
        if self.layout == Timestamps::Default {
            let mut fraction = time.0.rem_euclid(NANOS_PER_SECOND) as u32;
            for digit in self.text[FRACTION].iter_mut().rev() {
                *digit = b'0' + (fraction % 10) as u8;
                fraction /= 10;
            }
        }
        out.extend_from_slice(&self.text);
    }

    #[cold]
    fn turn_to(&mut self, second: i64) {
        // Cannot fail: jiff knows the years from -9999 to 9999.
        let time = Timestamp::from_second(second).unwrap_or_default();
        let offset = self.zone.to_offset(time);
        let t = offset.to_datetime(time);
        let (month, day, hour, minute, sec) = (t.month(), t.day(), t.hour(), t.minute(), t.second());
        self.second = Some(second);
        self.text.clear();
        let text = &mut self.text;
        // Writing to a Vec cannot fail.
        let _ = match self.layout {
            Timestamps::Short => write!(text, "{month:02}-{day:02} {hour:02}:{minute:02}:{sec:02}"),
            Timestamps::Default => {
                let year = t.year();
                let _ =
                    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{sec:02}.000000000");
                match offset.seconds() {
                    0 => write!(text, "Z"),
                    seconds => {
                        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                        write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
                    }
                }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::testing::display;

    fn clock(layout: Timestamps, zone: &str) -> Clock {
        let timezone = TimeZone::get(zone).unwrap();
        Clock::new(&Display { timestamps: Some(layout), timezone, ..display() }).unwrap()
    }

    fn text(clock: &mut Clock, nanos: i64) -> String {
        let mut out = Vec::new();
        clock.write(Instant(nanos), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// 2026-05-31T22:03:27Z
    const SECOND: i64 = 1_780_265_007 * NANOS_PER_SECOND;

    #[test]
    fn default_layout_has_nine_digits_and_the_offset() {
        for (zone, expected) in [
            ("UTC", "2026-05-31T22:03:27.123456789Z"),
            ("America/New_York", "2026-05-31T18:03:27.123456789-04:00"),
            ("Asia/Kolkata", "2026-06-01T03:33:27.123456789+05:30"),
        ] {
            assert_eq!(text(&mut clock(Timestamps::Default, zone), SECOND + 123_456_789), expected);
        }
    }

    #[test]
    fn short_layout_has_neither_year_nor_fraction() {
        assert_eq!(text(&mut clock(Timestamps::Short, "Asia/Seoul"), SECOND + 5), "06-01 07:03:27");
    }

    #[test]
    fn the_fraction_is_written_anew_within_a_second() {
        let mut clock = clock(Timestamps::Default, "UTC");
        assert_eq!(text(&mut clock, SECOND + 999_999_999), "2026-05-31T22:03:27.999999999Z");
        assert_eq!(text(&mut clock, SECOND), "2026-05-31T22:03:27.000000000Z");
        assert_eq!(text(&mut clock, SECOND - 1), "2026-05-31T22:03:26.999999999Z");
    }

    #[test]
    fn summer_time_begins_between_two_seconds() {
        let mut clock = clock(Timestamps::Default, "Europe/Berlin");
        let begins = 1_774_746_000 * NANOS_PER_SECOND;
        assert_eq!(text(&mut clock, begins - 1), "2026-03-29T01:59:59.999999999+01:00");
        assert_eq!(text(&mut clock, begins), "2026-03-29T03:00:00.000000000+02:00");
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(nanos: i64) {
            let time = Timestamp::from_nanosecond(nanos.into()).unwrap();
            prop_assert_eq!(text(&mut clock(Timestamps::Default, "UTC"), nanos), format!("{time:.9}"));
        }
    }
}
