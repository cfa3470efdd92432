use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use proptest::prelude::*;

use super::*;

fn read(time: &[u8]) -> Option<Time> {
    text(time).or_else(|| number(time))
}

#[test]
fn a_time_with_a_zone_is_an_instant() {
    let instant: Timestamp = "2026-01-31T12:00:00.123Z".parse().unwrap();
    for time in [
        "2026-01-31T12:00:00.123Z",
        "2026-01-31T21:00:00.123+09:00",
        "2026-01-31 21:00:00.123+0900",
        "2026-01-31 21:00:00,123 +09",
        "2026-01-31 10:30:00.123 -0130",
        "2026/01/31 12:00:00.123 UTC",
        "2026-01-31T12:00:00.123+00:00[UTC]",
        "2026-01-31T21:00:00.123+09:00[Asia/Seoul]",
        "31/Jan/2026:21:00:00.123 +0900",
        "Sat, 31 Jan 2026 12:00:00.123 GMT",
        "Sat, 31 Jan 2026 21:00:00.123 +0900",
        "1769860800.123",
        "1769860800123",
        "1769860800123.0",
        "1769860800123000",
        "1769860800123000000",
    ] {
        assert_eq!(read(time.as_bytes()), Some(Time::Instant(instant.into())), "{time}");
    }
}

#[test]
fn a_time_without_a_zone_is_what_a_clock_shows() {
    let day = Some(20_484);
    let noon = 12 * 3600 * SECOND;
    let millis = SECOND / 1000;
    for (time, day, nanos) in [
        ("2026-01-31T12:00:00", day, noon),
        ("2026-01-31 12:00:00,123", day, noon + 123 * millis),
        ("2026/01/31 - 12:00:00", day, noon),
        ("2026.01.31 12:00:00", day, noon),
        ("Sat Jan 31 12:00:00.5 2026", day, noon + 500 * millis),
        ("31 Jan 2026 12:00:00.123", day, noon + 123 * millis),
        ("31-Jan-2026 12:00:00", day, noon),
        ("Jan 31, 2026 12:00:00 PM", day, noon),
        ("20260131 12:00:00.123", day, noon + 123 * millis),
        ("2026-01-31 12:00:00.000 KST", day, noon),
        ("0131 12:00:00.123", None, noon + 123 * millis),
        ("Jan 31 12:00:00", None, noon),
        ("12:00:00.123", None, noon + 123 * millis),
        ("12:00:00 +09:00", None, noon),
        ("2:28PM", None, (14 * 60 + 28) * 60 * SECOND),
        ("12:05 AM", None, 5 * 60 * SECOND),
    ] {
        assert_eq!(read(time.as_bytes()), Some(Time::Clock { day, nanos }), "{time}");
    }
}

#[test]
fn a_time_without_a_zone_counts_as_utc_where_an_order_is_needed() {
    let instant = |time: &str| read(time.as_bytes()).and_then(Time::instant);
    assert_eq!(instant("2026-01-31 12:00:00"), instant("2026-01-31T12:00:00Z"));
    assert_eq!(instant("12:00:00"), None);
    assert_eq!(instant("Jan 31 12:00:00"), None);
}

#[test]
fn a_text_that_is_no_time_is_none() {
    for time in [
        "",
        "soon",
        "12",
        "2026-01-31",
        "2026-13-01T00:00:00Z",
        "2026-02-29T12:00:00Z",
        "20260230 12:00:00",
        "25:00:00",
        "1.2.3",
        "-5",
        "12:00:00 x y",
        "12:00:00 Zulu",
        "0131 0131 12:00:00",
        "99999999",
    ] {
        assert_eq!(read(time.as_bytes()), None, "{time}");
    }
}

proptest! {
    #[test]
    fn agrees_with_jiff(second in -9_000_000_000_i64..9_000_000_000, nanos in 0..SECOND) {
        let time = Timestamp::new(second, 0).unwrap() + jiff::SignedDuration::from_nanos(nanos);
        let instant = Some(Time::Instant(time.into()));
        prop_assert_eq!(text(format!("{time:.9}").as_bytes()), instant);
        let local = time.to_zoned(TimeZone::fixed(Offset::constant(-9)));
        for form in ["%Y-%m-%dT%H:%M:%S.%9f%:z", "%d/%b/%Y:%H:%M:%S.%9f %:z"] {
            prop_assert_eq!(text(local.strftime(form).to_string().as_bytes()), instant);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(any: Vec<u8>, digits in "[0-9T:., /+A-Za-z-]{0,30}") {
        let _ = read(&any).and_then(Time::instant);
        let _ = read(digits.as_bytes()).and_then(Time::instant);
    }
}
