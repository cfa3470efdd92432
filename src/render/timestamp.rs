//! `--timestamps`: prints instants in the user's time zone.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

use crate::{
    event::Instant,
    plan::{Display, Timestamps},
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The text before digits are filled in. Nanoseconds in an `i64` reach from 1677 to 2262: a year has four digits.
const DEFAULT: &[u8] = b"0000-00-00T00:00:00.000000000";
const FRACTION: std::ops::Range<usize> = 20..29;
const SHORT: &[u8] = b"00-00 00:00:00";

/// Writes instants. Many lines share a second, so the text of the last second is kept and only the fraction is
/// written again.
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
            put(&mut self.text[FRACTION], time.0.rem_euclid(NANOS_PER_SECOND) as u32);
        }
        out.extend_from_slice(&self.text);
    }

    fn turn_to(&mut self, second: i64) {
        // Cannot fail: jiff supports the years from -9999 to 9999.
        let time = Timestamp::from_second(second).unwrap_or_default();
        let offset = self.zone.to_offset(time);
        let local = offset.to_datetime(time);
        self.second = Some(second);
        self.text.clear();
        let clock = match self.layout {
            Timestamps::Short => {
                self.text.extend_from_slice(SHORT);
                &mut self.text[..]
            }
            Timestamps::Default => {
                self.text.extend_from_slice(DEFAULT);
                put_offset(offset, &mut self.text);
                put(&mut self.text[..4], local.year().unsigned_abs().into());
                &mut self.text[5..]
            }
        };
        let parts = [local.month(), local.day(), local.hour(), local.minute(), local.second()];
        for (digits, part) in clock.chunks_mut(3).zip(parts) {
            put(&mut digits[..2], part.unsigned_abs().into());
        }
    }
}

/// Go's `Z07:00`
fn put_offset(offset: Offset, text: &mut Vec<u8>) {
    if offset == Offset::UTC {
        return text.push(b'Z');
    }
    let minutes = offset.seconds().unsigned_abs() / 60;
    text.extend_from_slice(if offset.is_negative() { b"-00:00" } else { b"+00:00" });
    let start = text.len() - 5;
    put(&mut text[start..start + 2], minutes / 60);
    put(&mut text[start + 3..], minutes % 60);
}

/// Fills `digits` with those of `value`.
#[inline]
fn put(digits: &mut [u8], mut value: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
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
            let local = time.to_zoned(TimeZone::get("America/St_Johns").unwrap());
            let expected = local.strftime("%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(text(&mut clock(Timestamps::Short, "America/St_Johns"), nanos), expected);
        }
    }
}
