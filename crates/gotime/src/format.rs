//! Writes a time in a layout.

use std::io::Write;

use super::{
    Time,
    civil::Civil,
    layout::{self, Element, MONTHS, Shape, WEEKDAYS},
};

pub fn format(time: &Time, mut layout: &[u8], out: &mut Vec<u8>) {
    let offset = time.zone.offset(time.seconds);
    let civil = Civil::of(time.seconds.wrapping_add(offset.into()));
    loop {
        let (before, element, after) = layout::next(layout);
        out.extend_from_slice(before);
        match element {
            Some(element) => write(time, &civil, offset, element, out),
            None => return,
        }
        layout = after;
    }
}

fn write(time: &Time, civil: &Civil, zone: i32, element: Element, out: &mut Vec<u8>) {
    let hour12 = (civil.hour + 11) % 12 + 1;
    // Writing to a Vec cannot fail.
    let _ = match element {
        Element::LongYear if civil.year < 0 => write!(out, "-{:04}", -civil.year),
        Element::LongYear => write!(out, "{:04}", civil.year),
        Element::Year => write!(out, "{:02}", civil.year.abs() % 100),
        Element::LongMonth => out.write_all(MONTHS[civil.month - 1].as_bytes()),
        Element::Month => out.write_all(&MONTHS[civil.month - 1].as_bytes()[..3]),
        Element::NumMonth => write!(out, "{}", civil.month),
        Element::ZeroMonth => write!(out, "{:02}", civil.month),
        Element::LongWeekday => out.write_all(WEEKDAYS[civil.weekday].as_bytes()),
        Element::Weekday => out.write_all(&WEEKDAYS[civil.weekday].as_bytes()[..3]),
        Element::Day => write!(out, "{}", civil.day),
        Element::UnderDay => write!(out, "{:2}", civil.day),
        Element::ZeroDay => write!(out, "{:02}", civil.day),
        Element::UnderYearDay => write!(out, "{:3}", civil.year_day),
        Element::ZeroYearDay => write!(out, "{:03}", civil.year_day),
        Element::Hour => write!(out, "{:02}", civil.hour),
        Element::Hour12 => write!(out, "{hour12}"),
        Element::ZeroHour12 => write!(out, "{hour12:02}"),
        Element::Minute => write!(out, "{}", civil.minute),
        Element::ZeroMinute => write!(out, "{:02}", civil.minute),
        Element::Second => write!(out, "{}", civil.second),
        Element::ZeroSecond => write!(out, "{:02}", civil.second),
        Element::UpperPm => out.write_all(if civil.hour >= 12 { b"PM" } else { b"AM" }),
        Element::LowerPm => out.write_all(if civil.hour >= 12 { b"pm" } else { b"am" }),
        Element::Abbreviation => time.zone.abbreviation(time.seconds, |name| match name {
            "" => offset(zone, Shape::Minutes, out),
            name => out.write_all(name.as_bytes()),
        }),
        Element::Iso(_) if zone == 0 => out.write_all(b"Z"),
        Element::Iso(shape) | Element::Offset(shape) => offset(zone, shape, out),
        Element::Fraction { digits, trim, separator } => fraction(time.nanos, digits, trim, separator, out),
    };
}

fn offset(zone: i32, shape: Shape, out: &mut Vec<u8>) -> std::io::Result<()> {
    // As in Go, less than a minute west of UTC gets a plus.
    let sign = if zone <= -60 { '-' } else { '+' };
    let zone = zone.abs();
    let (hour, minute, second) = (zone / 3600, zone / 60 % 60, zone % 60);
    match shape {
        Shape::Hours => write!(out, "{sign}{hour:02}"),
        Shape::Minutes => write!(out, "{sign}{hour:02}{minute:02}"),
        Shape::ColonMinutes => write!(out, "{sign}{hour:02}:{minute:02}"),
        Shape::Seconds => write!(out, "{sign}{hour:02}{minute:02}{second:02}"),
        Shape::ColonSeconds => write!(out, "{sign}{hour:02}:{minute:02}:{second:02}"),
    }
}

/// At most nine digits, even if more are requested.
fn fraction(nanos: u32, digits: usize, trim: bool, separator: u8, out: &mut Vec<u8>) -> std::io::Result<()> {
    let all = format!("{nanos:09}");
    let mut shown = &all[..digits.min(9)];
    if trim {
        shown = shown.trim_end_matches('0');
        if shown.is_empty() {
            return Ok(());
        }
    }
    out.push(separator);
    out.write_all(shown.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{RFC3339_NANO, Zone, load_location};

    fn text(seconds: i64, nanos: i64, zone: &str, layout: &str) -> String {
        let mut out = Vec::new();
        Time::unix(seconds, nanos, load_location(zone, &Zone::Utc).unwrap()).format(layout, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// 2026-02-03T04:05:06.0708Z, a Tuesday.
    fn then(layout: &str) -> String {
        text(1_770_091_506, 70_800_000, "UTC", layout)
    }

    #[test]
    fn every_element_is_known() {
        for (layout, expected) in [
            ("2006 06", "2026 26"),
            ("January Jan 1 01", "February Feb 2 02"),
            ("Monday Mon", "Tuesday Tue"),
            ("2 _2 02|__2 002", "3  3 03| 34 034"),
            ("15 3 03 4 04 5 05", "04 4 04 5 05 6 06"),
            ("PM pm MST", "AM am UTC"),
            (".0 .000 ,000000 .999 .999999999 ,99", ".0 .070 ,070800 .07 .0708 ,07"),
            (".000000000000", ".070800000"),
            ("Z07 Z0700 Z07:00 Z070000 Z07:00:00", "Z Z Z Z Z"),
            ("-07 -0700 -07:00 -070000 -07:00:00", "+00 +0000 +00:00 +000000 +00:00:00"),
        ] {
            assert_eq!(then(layout), expected, "{layout}");
        }
    }

    #[test]
    fn text_that_is_no_element_stays() {
        for (layout, expected) in [
            ("Janet Monk M J P p é", "Janet Monk M J P p é"),
            ("_2006", "_2026"),
            (".001 .0x . ,", ".002 .0x . ,"),
            ("Z Z0 - -0 07 00", "Z Z0 - -0 07 00"),
            ("", ""),
        ] {
            assert_eq!(then(layout), expected, "{layout}");
        }
    }

    #[test]
    fn zones_shift_the_clock_and_the_day() {
        let layout = "Mon Jan _2 3:04:05PM 2006 MST Z07:00";
        assert_eq!(text(1_700_000_000, 0, "Asia/Seoul", layout), "Wed Nov 15 7:13:20AM 2023 KST +09:00");
        assert_eq!(text(1_700_000_000, 0, "America/St_Johns", "-0700 MST"), "-0330 NST");
        assert_eq!(text(1_700_000_000, 0, "America/Caracas", "MST"), "-04");
    }

    #[test]
    fn a_zone_without_a_name_shows_its_offset() {
        let zone = Zone::Fixed { name: String::new(), offset: 12_600 };
        assert_eq!(Time::unix(0, 0, zone).to_string(), "1970-01-01 03:30:00 +0330 +0330");
    }

    #[test]
    fn any_year_is_shown() {
        let tokyo = |seconds| text(seconds, 0, "Asia/Tokyo", RFC3339_NANO);
        assert_eq!(tokyo(1_700_000_000_123), "55840-11-09T07:15:23+09:00");
        assert_eq!(
            Time::zero().in_zone(load_location("Asia/Tokyo", &Zone::Utc).unwrap()).to_string(),
            "0001-01-01 09:18:59 +0918 LMT"
        );
        assert_eq!(text(-62_198_755_200, 0, "UTC", "2006 06"), "-0001 01");
        assert_eq!(text(i64::MAX, 0, "UTC", RFC3339_NANO), "292277026596-12-04T15:30:07Z");
    }

    proptest! {
        #[test]
        fn no_time_and_no_layout_panics(seconds: i64, nanos: i64, layout: Vec<u8>) {
            let zone = load_location("Europe/Dublin", &Zone::Utc).unwrap();
            Time::unix(seconds, nanos, zone).format(layout, &mut Vec::new());
        }
    }
}
