//! Parses times as Go's spf13/cast does: Unix seconds with a fraction, or a date in one of many formats.

use super::{STRING, Time, Zone, parse::parse};

/// Tried in this order. With `true`, the zone in the text is ignored: its time of day is taken as UTC.
const FORMATS: [(&str, bool); 24] = [
    ("2006-01-02", true),
    ("2006-01-02T15:04:05Z07:00", false),
    ("2006-01-02T15:04:05", true),
    ("Mon, 02 Jan 2006 15:04:05 -0700", false),
    ("Mon, 02 Jan 2006 15:04:05 MST", true),
    ("02 Jan 06 15:04 -0700", false),
    ("02 Jan 06 15:04 MST", true),
    ("Monday, 02-Jan-06 15:04:05 MST", true),
    (STRING, false),
    ("2006-01-02T15:04:05-0700", false),
    ("2006-01-02 15:04:05Z0700", false),
    ("2006-01-02 15:04:05", true),
    ("Mon Jan _2 15:04:05 2006", true),
    ("Mon Jan _2 15:04:05 MST 2006", true),
    ("Mon Jan 02 15:04:05 -0700 2006", false),
    ("2006-01-02 15:04:05Z07:00", false),
    ("02 Jan 2006", true),
    ("2006-01-02 15:04:05 -07:00", false),
    ("2006-01-02 15:04:05 -0700", false),
    ("3:04PM", false),
    ("Jan _2 15:04:05", false),
    ("Jan _2 15:04:05.000", false),
    ("Jan _2 15:04:05.000000", false),
    ("Jan _2 15:04:05.000000000", false),
];

/// The time that a string represents; the error is Go's. Unix seconds are shown in `local`.
pub fn from_text(text: &[u8], local: &Zone) -> Result<Time, String> {
    if let Some(time) = from_decimal(text, local) {
        return Ok(time);
    }
    let read = |(format, in_utc): (&str, bool)| {
        let time = parse(format.as_bytes(), text, local)?;
        let offset = time.zone.offset(time.seconds);
        let wall = || Time { seconds: time.seconds + i64::from(offset), nanos: time.nanos, zone: Zone::Utc };
        Some(if in_utc { wall() } else { time.clone() })
    };
    FORMATS
        .into_iter()
        .find_map(read)
        .ok_or_else(|| format!("unable to parse date: {}", String::from_utf8_lossy(text)))
}

/// The time of a JSON number: Unix seconds, with a fraction but without an exponent.
pub fn from_decimal(text: &[u8], local: &Zone) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?;
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.contains('.') {
        return None;
    }
    let fraction = decimals.get(..9).unwrap_or(decimals);
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Time::unix(seconds.parse().ok()?, nanos, local.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::load_location;

    fn shown_in(zone: &str, text: &str) -> String {
        let local = load_location(zone, &Zone::Utc).unwrap();
        from_text(text.as_bytes(), &local).map_or_else(|error| error, |time| time.to_string())
    }

    fn shown(text: &str) -> String {
        shown_in("UTC", text)
    }

    #[test]
    fn decimals_are_unix_seconds() {
        assert_eq!(shown("1700000000"), "2023-11-14 22:13:20 +0000 UTC");
        assert_eq!(shown("1136171056.02"), "2006-01-02 03:04:16.02 +0000 UTC");
        assert_eq!(shown("-5.5"), "1969-12-31 23:59:55.5 +0000 UTC");
        assert_eq!(shown("1.1234567899"), "1970-01-01 00:00:01.123456789 +0000 UTC");
        assert_eq!(shown_in("Asia/Seoul", "0"), "1970-01-01 09:00:00 +0900 KST");
    }

    #[test]
    fn an_exponent_is_no_decimal() {
        assert_eq!(from_decimal(b"1e9", &Zone::Utc), None);
        assert_eq!(from_decimal(b"1.2.3", &Zone::Utc), None);
    }

    #[test]
    fn every_format_is_read() {
        for (text, expected) in [
            ("2024-01-02", "2024-01-02 00:00:00 +0000 UTC"),
            ("2024-01-02T03:04:05.5+09:00", "2024-01-02 03:04:05.5 +0900 +0900"),
            ("2024-01-02T03:04:05,123", "2024-01-02 03:04:05.123 +0000 UTC"),
            ("Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700 -0700"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "2006-01-02 15:04:05 +0000 UTC"),
            ("02 jan 06 15:04 -0700", "2006-01-02 15:04:00 -0700 -0700"),
            ("02 Jan 69 15:04 EST", "1969-01-02 15:04:00 +0000 UTC"),
            ("Monday, 02-Jan-06 15:04:05 MST", "2006-01-02 15:04:05 +0000 UTC"),
            ("2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999999999 -0700 MST"),
            ("2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700 -0700"),
            ("2006-01-02 15:04:05Z", "2006-01-02 15:04:05 +0000 UTC"),
            ("2006-01-02 5:04:05", "2006-01-02 05:04:05 +0000 UTC"),
            ("Mon Jan  2 15:04:05 2006", "2006-01-02 15:04:05 +0000 UTC"),
            ("Mon Jan 2 15:04:05 MST 2006", "2006-01-02 15:04:05 +0000 UTC"),
            ("Mon Jan 02 15:04:05 -0700 2006", "2006-01-02 15:04:05 -0700 -0700"),
            ("2006-01-02 15:04:05-05:00", "2006-01-02 15:04:05 -0500 -0500"),
            ("02 Jan 2006", "2006-01-02 00:00:00 +0000 UTC"),
            ("2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05 -0700 -0700"),
            ("2006-01-02 15:04:05 +2400", "2006-01-02 15:04:05 +2400 +2400"),
            ("12:04AM", "0000-01-01 00:04:00 +0000 UTC"),
            ("Jan  2 15:04:05.000", "0000-01-02 15:04:05 +0000 UTC"),
            ("2004-02-29", "2004-02-29 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_local_offset_is_the_local_zone() {
        assert_eq!(
            shown_in("America/New_York", "2006-07-02T15:04:05-04:00"),
            "2006-07-02 15:04:05 -0400 EDT"
        );
        assert_eq!(
            shown_in("America/New_York", "2006-07-02T15:04:05-05:00"),
            "2006-07-02 15:04:05 -0500 -0500"
        );
    }

    #[test]
    fn a_local_abbreviation_out_of_season_moves_the_clock() {
        let time = "Mon Jul 3 15:04:05 EST 2006";
        assert_eq!(shown_in("America/New_York", time), "2006-07-03 16:04:05 +0000 UTC");
        assert_eq!(shown(time), "2006-07-03 15:04:05 +0000 UTC");
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "garbage",
            "2006-02-29",
            "2006-13-01",
            "2006-01-02T15:04:60Z",
            "2006-01-02T15:04:05+25:00",
            "2006-01-02x",
        ] {
            assert_eq!(shown(text), format!("unable to parse date: {text}"));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9+:. ,TZJanMoPMGESD-]{0,40}", odd: Vec<u8>) {
            let local = load_location("America/New_York", &Zone::Utc).unwrap();
            let _ = from_text(text.as_bytes(), &local);
            let _ = from_text(&odd, &local);
        }
    }
}
