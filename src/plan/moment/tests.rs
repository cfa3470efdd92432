//! Golden cases of the grammar, days on which clocks are changed, and properties of all texts.

use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

fn zoned(time: &str, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap();
    time.parse::<DateTime>().unwrap().to_zoned(zone).unwrap()
}

/// A Sunday, soon after midnight.
fn seoul() -> Zoned {
    zoned("2026-02-01 00:10", "Asia/Seoul")
}

/// The instant as the clock of `now` shows it.
fn shown(text: &str, now: &Zoned, edge: Edge) -> String {
    let moment = Moment::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let time = moment.at(now, edge).unwrap_or_else(|| panic!("{text} is out of range"));
    let time = time.to_zoned(now.time_zone().clone());
    let shown = time.strftime("%Y-%m-%d %H:%M:%S%.f%:z").to_string();
    shown.trim_end_matches("+09:00").to_owned()
}

fn since(text: &str) -> String {
    shown(text, &seoul(), Edge::Since)
}

#[test]
fn a_text_is_the_time_that_people_mean() {
    for (text, time) in [
        ("5m", "2026-02-01 00:05:00"),
        ("-5m", "2026-02-01 00:05:00"),
        ("+5m", "2026-02-01 00:05:00"),
        ("5m ago", "2026-02-01 00:05:00"),
        ("2h30m", "2026-01-31 21:40:00"),
        ("1.5h", "2026-01-31 22:40:00"),
        ("3d", "2026-01-29 00:10:00"),
        ("1w", "2026-01-25 00:10:00"),
        ("90d", "2025-11-03 00:10:00"),
        ("250ms", "2026-02-01 00:09:59.75"),
        ("now", "2026-02-01 00:10:00"),
        ("NOW", "2026-02-01 00:10:00"),
        ("14:05", "2026-01-31 14:05:00"),
        ("00:05", "2026-02-01 00:05:00"),
        ("0:05", "2026-02-01 00:05:00"),
        ("00:10", "2026-02-01 00:10:00"),
        ("00:10:00.000000001", "2026-01-31 00:10:00.000000001"),
        ("14:05:10", "2026-01-31 14:05:10"),
        ("14:05:10.5", "2026-01-31 14:05:10.5"),
        ("14:05Z", "2026-01-31 23:05:00"),
        ("14:05 UTC", "2026-01-31 23:05:00"),
        ("14:05+01:00", "2026-01-31 22:05:00"),
        ("14:05 [Europe/Berlin]", "2026-01-31 22:05:00"),
        ("yesterday", "2026-01-31 00:00:00"),
        ("Yesterday", "2026-01-31 00:00:00"),
        ("yesterday 14:05", "2026-01-31 14:05:00"),
        ("yesterday 14:05 UTC", "2026-01-30 23:05:00"),
        ("yesterday UTC", "2026-01-30 09:00:00"),
        ("today", "2026-02-01 00:00:00"),
        ("today 00:01", "2026-02-01 00:01:00"),
        ("monday", "2026-01-26 00:00:00"),
        ("Mon", "2026-01-26 00:00:00"),
        ("monday 09:00", "2026-01-26 09:00:00"),
        ("sat", "2026-01-31 00:00:00"),
        // It is Sunday.
        ("sun", "2026-01-25 00:00:00"),
        ("2026-01-31", "2026-01-31 00:00:00"),
        ("2026-01-31 14:05", "2026-01-31 14:05:00"),
        ("2026-01-31 14:05:10", "2026-01-31 14:05:10"),
        ("2026-01-31  14:05:10.25", "2026-01-31 14:05:10.25"),
        (" 2026-01-31T14:05:10 ", "2026-01-31 14:05:10"),
        ("2026-01-31t14:05:10z", "2026-01-31 23:05:10"),
        ("2026-01-31 12:00Z", "2026-01-31 21:00:00"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31 20:00:00"),
        ("2026-01-31T12:00:00.123456789+01:00", "2026-01-31 20:00:00.123456789"),
        ("2026-01-31 12:00 +0100", "2026-01-31 20:00:00"),
        ("2026-01-31 12:00-03", "2026-02-01 00:00:00"),
        ("2026-01-31T12:00+01:00[Europe/Berlin]", "2026-01-31 20:00:00"),
        ("2026-01-31 12:00 [europe/berlin]", "2026-01-31 20:00:00"),
        ("2026-01-31 [Europe/Berlin]", "2026-01-31 08:00:00"),
        ("2026-01-31Z", "2026-01-31 09:00:00"),
        ("1769785200", "2026-01-31 00:00:00"),
        ("@1769785200", "2026-01-31 00:00:00"),
        ("1769785200.5", "2026-01-31 00:00:00.5"),
        ("@1769785200.123456789", "2026-01-31 00:00:00.123456789"),
        ("@5", "1970-01-01 09:00:05"),
    ] {
        assert_eq!(since(text), time, "{text}");
    }
}

#[test]
fn what_would_be_a_guess_is_refused_with_a_hint() {
    for (text, hint) in [
        ("", "such as 5m"),
        ("xxx", "such as 5m"),
        ("5", "a unit is missing: 5m is minutes, @5 Unix seconds"),
        ("1705", "a unit is missing"),
        ("1h30", "its last number has no unit"),
        ("1M", "1m is minutes, and a month is 30d"),
        ("1mo", "a month is 30d"),
        ("2 months ago", "a month is 30d"),
        ("1y", "a year is 365d"),
        ("5min", "write 5m"),
        ("5 minutes ago", "write 5m"),
        ("2 hours", "write 2h"),
        ("5 m", "write 5m"),
        ("3 days", "write 3d"),
        ("2wks", "such as 5m"),
        ("-5m ago", "such as 5m"),
        ("20260131", "a date is 2026-01-31"),
        ("1769785200123", "these milliseconds are @1769785200.123"),
        ("1769785200123456789", "in seconds it is @1769785200.123456789"),
        ("@x", "@ and Unix seconds"),
        ("@", "@ and Unix seconds"),
        ("@1769785200.", "@ and Unix seconds"),
        ("12:00 KST", "zone that is not unique"),
        ("12:00 Asia/Seoul", "write it in brackets: [Asia/Seoul]"),
        ("12:00 [Mars]", "no time zone in its brackets"),
        ("2:05pm", "hours from 00 to 23"),
        ("2pm", "hours are 00:00 to 23:59"),
        ("24:00", "no clock shows"),
        ("14:60", "no clock shows"),
        ("14:05:61", "no clock shows"),
        ("14:5", "no clock shows"),
        ("14:05:10,5", "no clock shows"),
        ("14:05 noon", "zone that is not unique"),
        ("12:00+25:00", "nor an offset"),
        ("2562048h", "is longer than 292 years"),
        ("-300000d", "is longer than 292 years"),
        ("300000d ago", "is longer than 292 years"),
        ("2026-02-30", "no calendar"),
        ("2026-13-01", "no calendar"),
        ("2026-05", "a date is year-month-day"),
        ("05/31/2026", "a date is year-month-day"),
        ("31.05.2026 14:05", "a date is year-month-day"),
        ("2026-05-31 14", "ends with \"14\""),
        ("2026-01-31T12:00+02:00[Europe/Berlin]", "offset that its zone does not have"),
        ("yesterday 12:00+01:00[Europe/Berlin]", "both an offset and a zone"),
        ("last monday", "monday alone is the last one before today"),
        ("tomorrow", "a day to come is a date"),
        ("noon", "such as 5m"),
        ("12:00\u{200b}", "ends with"),
        ("५m", "such as 5m"),
    ] {
        let error = Moment::parse(text).expect_err(text);
        assert!(error.contains(hint), "{text}: {error}");
        assert!(!error.contains('\n') || text.contains('\n'), "{error}");
    }
}

/// Clocks are put forward at 2:00 and back at 3:00 in Berlin, at midnight in São Paulo, and never in Seoul.
#[test]
fn a_range_takes_the_longer_way_over_a_change_of_clocks() {
    let [spring, autumn] = ["2026-03-29 12:00", "2026-10-25 12:00"].map(|now| zoned(now, "Europe/Berlin"));
    for (text, now, since, until) in [
        ("02:30", &spring, "2026-03-29 01:30:00+01:00", "2026-03-29 03:30:00+02:00"),
        ("2026-03-29 02:30", &spring, "2026-03-29 01:30:00+01:00", "2026-03-29 03:30:00+02:00"),
        ("02:30", &autumn, "2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"),
        ("today 02:30", &autumn, "2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"),
        // A duration is a duration, a day is a day.
        ("1d", &spring, "2026-03-28 11:00:00+01:00", "2026-03-28 11:00:00+01:00"),
        ("yesterday 12:00", &spring, "2026-03-28 12:00:00+01:00", "2026-03-28 12:00:00+01:00"),
    ] {
        assert_eq!(
            (shown(text, now, Edge::Since), shown(text, now, Edge::Until)),
            (since.into(), until.into()),
            "{text}"
        );
    }
    // Midnight did not exist.
    let now = zoned("2018-11-05 12:00", "America/Sao_Paulo");
    assert_eq!(shown("yesterday", &now, Edge::Since), "2018-11-04 01:00:00-02:00");
    assert_eq!(shown("2018-11-04", &now, Edge::Until), "2018-11-04 01:00:00-02:00");
}

/// The first 2:30 is past, and the second is not.
#[test]
fn between_two_equal_times_of_day_the_first_one_is_the_last_one_past() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let now = "2026-10-25T02:45:00+02:00".parse::<Timestamp>().unwrap().to_zoned(zone);
    for edge in [Edge::Since, Edge::Until] {
        assert_eq!(shown("02:30", &now, edge), "2026-10-25 02:30:00+02:00");
    }
}

#[test]
fn the_next_time_of_day_may_be_tomorrow() {
    let now = seoul();
    let next = |text: &str, start: &str| {
        let start = shown_instant(start);
        let next = Moment::parse(text).unwrap().next_after(start, &now);
        next.map(|next| next.to_zoned(now.time_zone().clone()).strftime("%m-%d %H:%M").to_string())
    };
    assert_eq!(next("00:05", "2026-01-31T23:50:00+09:00").as_deref(), Some("02-01 00:05"));
    assert_eq!(next("23:55", "2026-01-31T23:50:00+09:00").as_deref(), Some("01-31 23:55"));
    assert_eq!(next("23:50", "2026-01-31T23:50:00+09:00").as_deref(), Some("02-01 23:50"));
    assert_eq!(next("yesterday 14:05", "2026-01-01T00:00:00Z"), None);
    assert_eq!(next("5m", "2026-01-01T00:00:00Z"), None);
}

fn shown_instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        if let Ok(moment) = Moment::parse(&text) {
            let _ = moment.at(&seoul(), Edge::Since);
        }
    }

    #[test]
    fn nor_does_one_of_the_letters_of_times(text in "[-+@ 0-9:.TtZz\\[\\]a-dhmnosy/]{0,24}") {
        if let Ok(moment) = Moment::parse(&text) {
            let _ = moment.at(&seoul(), Edge::Until);
        }
    }

    /// Whatever the day and the zone, a time of day is the last one past, at most a day and a change of clocks ago.
    #[test]
    fn a_time_of_day_is_past(
        now in 0_i64..4_000_000_000,
        hour in 0_i8..24,
        minute in 0_i8..60,
        zone in prop::sample::select(vec!["Europe/Berlin", "America/Sao_Paulo", "Asia/Seoul", "Australia/Lord_Howe", "UTC"]),
    ) {
        let now = Timestamp::from_second(now).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        let moment = Moment::parse(&format!("{hour:02}:{minute:02}")).unwrap();
        for edge in [Edge::Since, Edge::Until] {
            let time = moment.at(&now, edge).unwrap();
            prop_assert!(time <= now.timestamp());
            prop_assert!(now.timestamp().duration_since(time).as_hours() < 26);
        }
        prop_assert!(moment.at(&now, Edge::Since) <= moment.at(&now, Edge::Until));
    }

    /// Days named by words begin before now, and a date is read as it is written.
    #[test]
    fn a_day_begins_before_now(
        now in 0_i64..4_000_000_000,
        word in prop::sample::select(vec!["today", "yesterday", "monday", "tue", "wed", "thu", "fri", "sat", "sunday", "now", "7m"]),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/Sao_Paulo", "Asia/Seoul"]),
    ) {
        let now = Timestamp::from_second(now).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        let time = Moment::parse(word).unwrap().at(&now, Edge::Since).unwrap();
        prop_assert!(time <= now.timestamp());
        prop_assert!(now.timestamp().duration_since(time).as_hours() <= 8 * 24);
        let date = now.date().to_string();
        prop_assert_eq!(Moment::parse(&date).unwrap().at(&now, Edge::Since), Moment::parse("today").unwrap().at(&now, Edge::Since));
    }
}
