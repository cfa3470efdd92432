//! Reads the text of a [`Moment`].

use std::time::Duration;

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::{Offset, TimeZone},
};

use super::{super::duration, Day, Moment};

const EXAMPLES: &str = "such as 5m, 14:05, yesterday, monday, 2026-05-31 or 2026-05-31T14:05:10Z";

/// Fewer digits than those of Unix seconds since 1973 are no point in time.
const UNIX_DIGITS: std::ops::RangeInclusive<usize> = 9..=11;

pub fn moment(text: &str) -> Result<Moment, String> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    if lower == "now" {
        return Ok(Moment::Ago(Duration::ZERO));
    }
    if let Some(unix) = trimmed.strip_prefix('@') {
        return unix_seconds(unix).ok_or_else(|| format!("\"{text}\" is not @ and Unix seconds"));
    }
    if let Some(moment) = civil(&lower).map_err(|reason| format!("\"{text}\" {reason}"))? {
        return Ok(moment);
    }
    if trimmed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && has_unix_digits(trimmed) {
        return unix_seconds(trimmed).ok_or_else(|| refused(text, &lower));
    }
    match back(trimmed) {
        Some(back) if duration::is_too_long(back) => Err(format!("\"{text}\" is longer than 292 years")),
        back => back
            .and_then(|back| duration::parse(back).ok())
            .map(Moment::Ago)
            .ok_or_else(|| refused(text, &lower)),
    }
}

/// The duration of `5m`, `-5m` and `5m ago`.
fn back(text: &str) -> Option<&str> {
    match (text.strip_suffix(" ago"), text.strip_prefix('-')) {
        (Some(_), Some(_)) => None,
        (Some(rest), None) => Some(rest.trim_end()),
        (None, Some(rest)) => Some(rest),
        (None, None) => Some(text),
    }
}

fn has_unix_digits(text: &str) -> bool {
    UNIX_DIGITS.contains(&text.split('.').next().unwrap_or_default().len())
}

/// Seconds and their fraction.
fn unix_seconds(text: &str) -> Option<Moment> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = all_digits(seconds).then(|| seconds.parse().ok())??;
    let nanoseconds = match text.contains('.') {
        true => nanoseconds(fraction)?,
        false => 0,
    };
    Timestamp::new(seconds, nanoseconds).ok().map(Moment::At)
}

/// The digits behind the point of a second.
fn nanoseconds(fraction: &str) -> Option<i32> {
    let usual = all_digits(fraction) && fraction.len() <= 9;
    usual.then(|| format!("{fraction:0<9}").parse().ok())?
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A day, a time of day, or both, and a zone. None if it begins with neither; the error is the rest of a sentence that
/// begins with the text.
fn civil(text: &str) -> Result<Option<Moment>, String> {
    let (day, rest) = match day(text)? {
        Some((day, rest)) => (Some(day), rest),
        None => (None, text),
    };
    let (time, rest) = match time(rest)? {
        Some((time, rest)) => (Some(time), rest),
        None => (None, rest),
    };
    if day.is_none() && time.is_none() {
        return Ok(None);
    }
    let day = day.unwrap_or(Day::Latest);
    let (offset, zone) = zone(rest.trim_start())?;
    match (offset, day, time) {
        (None, ..) => Ok(Some(Moment::Civil { day, time, zone })),
        (Some(offset), Day::Date(date), Some(time)) => {
            let instant = offset.to_timestamp(date.to_datetime(time));
            let instant = instant.unwrap_or(Timestamp::MAX);
            // As RFC 9557 has it, both must agree.
            match zone.is_none_or(|zone| zone.to_offset(instant) == offset) {
                true => Ok(Some(Moment::At(instant))),
                false => Err("has an offset that its zone does not have then; remove one".to_owned()),
            }
        }
        (Some(_), ..) if zone.is_some() => Err("has both an offset and a zone; remove one".to_owned()),
        (Some(offset), ..) => Ok(Some(Moment::Civil { day, time, zone: Some(offset.to_time_zone()) })),
    }
}

/// A day at the start, and what follows it.
fn day(text: &str) -> Result<Option<(Day, &str)>, String> {
    let (word, rest) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()));
    if !word.is_empty() {
        return Ok(named(word)
            .filter(|_| rest.is_empty() || rest.starts_with(' '))
            .map(|day| (day, rest.trim_start())));
    }
    let Some((year, [month, day], rest)) = shaped(text, '-', 4) else { return Ok(None) };
    let date = Date::new(year as i16, month as i8, day as i8);
    let date = date.map_err(|_| "has a date that no calendar has".to_owned())?;
    let time = rest.strip_prefix('t').filter(|time| time.starts_with(|c: char| c.is_ascii_digit()));
    Ok(Some((Day::Date(date), time.unwrap_or(rest.trim_start()))))
}

fn named(word: &str) -> Option<Day> {
    Some(match word {
        "today" => Day::Today,
        "yesterday" => Day::Yesterday,
        "monday" | "mon" => Day::Last(Weekday::Monday),
        "tuesday" | "tue" => Day::Last(Weekday::Tuesday),
        "wednesday" | "wed" => Day::Last(Weekday::Wednesday),
        "thursday" | "thu" => Day::Last(Weekday::Thursday),
        "friday" | "fri" => Day::Last(Weekday::Friday),
        "saturday" | "sat" => Day::Last(Weekday::Saturday),
        "sunday" | "sun" => Day::Last(Weekday::Sunday),
        _ => return None,
    })
}

/// A time of day at the start, and what follows it.
fn time(text: &str) -> Result<Option<(Time, &str)>, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let none = || "has a time that no clock shows; write it as 14:05 or 14:05:10".to_owned();
    if !text[digits..].starts_with(':') || !(1..=2).contains(&digits) {
        return Ok(None);
    }
    let two = |text: &str| text.get(..2).filter(|two| all_digits(two)).and_then(|two| two.parse::<i8>().ok());
    let hour: i8 = text[..digits].parse().map_err(|_| none())?;
    let rest = &text[digits + 1..];
    let minute = two(rest).ok_or_else(none)?;
    let (mut rest, mut second, mut nanosecond) = (&rest[2..], 0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        second = two(after).ok_or_else(none)?;
        rest = &after[2..];
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            nanosecond = nanoseconds(&after[..digits]).ok_or_else(none)?;
            rest = &after[digits..];
        }
    }
    if rest.starts_with(|c: char| c.is_ascii_digit() || ":.,".contains(c)) {
        return Err(none());
    }
    let time = Time::new(hour, minute, second, nanosecond).map_err(|_| none())?;
    Ok(Some((time, rest)))
}

/// `YYYY-MM-DD` at the start: the first number, which has `digits` digits, the two others, and what follows.
fn shaped(text: &str, between: char, digits: usize) -> Option<(u32, [u32; 2], &str)> {
    let number = |text: &str| all_digits(text).then(|| text.parse().ok())?;
    let first = number(text.get(..digits)?)?;
    let second = text.get(digits..)?.strip_prefix(between)?;
    let third = second.get(2..)?.strip_prefix(between)?;
    let rest = third.get(2..)?;
    let whole = !rest.starts_with(|c: char| c.is_ascii_digit());
    whole.then_some((first, [number(second.get(..2)?)?, number(third.get(..2)?)?], rest))
}

/// An offset, a zone in brackets, or both: all that may follow a day and a time.
fn zone(text: &str) -> Result<(Option<Offset>, Option<TimeZone>), String> {
    let (offset, name) = match text.split_once('[') {
        Some((offset, name)) => (offset.trim_end(), Some(name)),
        None => (text, None),
    };
    let offset = match offset {
        "" => None,
        "z" | "utc" => Some(Offset::UTC),
        offset => Some(numeric(offset).ok_or_else(|| unclear(offset))?),
    };
    let zone = name.map(|name| {
        let known = name.strip_suffix(']').and_then(|name| TimeZone::get(name).ok());
        known.ok_or_else(|| "names no time zone in its brackets; one is [Asia/Seoul]".to_owned())
    });
    Ok((offset, zone.transpose()?))
}

/// `+09:00`, `+0900` and `+09`.
fn numeric(text: &str) -> Option<Offset> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = &text[1..];
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at(2),
        _ => digits.split_once(':')?,
    };
    let two = |text: &str| (text.len() == 2 && all_digits(text)).then(|| text.parse::<i32>().ok())?;
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
    if hours > 23 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Of something that follows a time, and is not understood.
fn unclear(text: &str) -> String {
    let zone = text.contains('/').then(|| TimeZone::get(text).ok()).flatten();
    match (text, zone) {
        ("am" | "pm", _) => "has am or pm; write hours from 00 to 23, such as 14:05".to_owned(),
        (_, Some(zone)) => {
            format!("names a zone; write it in brackets: [{}]", zone.iana_name().unwrap_or(text))
        }
        _ if text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            "ends with a zone that is not unique; write an offset such as +09:00, a zone such as [Asia/Seoul], or use --timezone"
                .to_owned()
        }
        _ => format!("ends with \"{text}\", which is neither a time such as 14:05 nor an offset such as +09:00"),
    }
}

/// The error for a text that is no moment, with the likely meaning.
fn refused(text: &str, lower: &str) -> String {
    let meant = meant(text.trim(), lower).map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("\"{text}\" is not a time {EXAMPLES}{meant}")
}

fn meant(text: &str, lower: &str) -> Option<String> {
    if all_digits(text) {
        return Some(match text.len() {
            8 => format!("a date is {}-{}-{}", &text[..4], &text[4..6], &text[6..]),
            13 => format!("these milliseconds are @{}.{}", &text[..10], &text[10..]),
            16 | 19 => format!("in seconds it is @{}.{}", &text[..10], &text[10..]),
            ..9 => format!("a unit is missing: {text}m is minutes, @{text} Unix seconds"),
            _ => "Unix seconds have 10 digits".to_owned(),
        });
    }
    let number = lower.trim_start_matches(['+', '-']);
    let (number, unit) =
        number.split_at(number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len()));
    let unit = unit.trim().trim_end_matches(" ago");
    if !number.is_empty() && !unit.contains(|c: char| c.is_ascii_digit()) {
        match unit {
            "m" | "mo" | "mos" | "mon" | "month" | "months" if text.contains('M') || unit != "m" => {
                return Some(format!("{number}m is minutes, and a month is 30d"));
            }
            "y" | "yr" | "yrs" | "year" | "years" => return Some("a year is 365d".to_owned()),
            "am" | "pm" => return Some("hours are 00:00 to 23:59".to_owned()),
            "" => {}
            _ => {
                let unit = unit.strip_suffix("s").unwrap_or(unit);
                let short =
                    [("s", "sec"), ("m", "min"), ("h", "hr"), ("h", "hour"), ("d", "day"), ("w", "week")];
                let short = short.iter().find(|(short, long)| unit == *short || unit.starts_with(long));
                return short.map(|(short, _)| format!("write {number}{short}"));
            }
        }
    }
    if lower.len() > number.len() + 1
        && lower.ends_with(|c: char| c.is_ascii_digit())
        && duration::parse(&format!("{lower}m")).is_ok()
    {
        return Some("its last number has no unit".to_owned());
    }
    let day = lower.strip_prefix("last ").or(lower.strip_prefix("next ")).or(lower.strip_prefix("this "));
    if let Some(day) = day.filter(|day| named(day).is_some()) {
        return Some(format!("{day} alone is the last one before today"));
    }
    if lower.starts_with("tomorrow") {
        return Some("a day to come is a date".to_owned());
    }
    let dated =
        lower.len() >= 5 && lower.bytes().all(|byte| byte.is_ascii_digit() || b"/.-: ".contains(&byte));
    dated.then(|| "a date is year-month-day".to_owned())
}
