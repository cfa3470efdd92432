//! The times of records, as far as they are known: an instant, or a time of day without a zone, perhaps with a date.

mod stamp;

use jiff::civil::Date;

use super::{Field, Kind};
use crate::event::Instant;
pub(super) use stamp::stamp;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Instant(Instant),
    /// Without a zone that is known.
    Clock {
        /// Since 1970-01-01; None without a year.
        day: Option<i64>,
        /// Of the day.
        nanos: i64,
    },
}

impl Time {
    /// With an offset in seconds east, if one is known. None: it is out of range.
    fn new(day: Option<i64>, nanos: i64, offset: Option<i64>) -> Option<Time> {
        // Without a date, an offset tells nothing.
        let (Some(date), Some(offset)) = (day, offset) else { return Some(Time::Clock { day, nanos }) };
        instant(date, nanos, offset).map(Time::Instant)
    }

    /// For an order: a time without a zone counts as UTC. None without a date.
    pub fn instant(self) -> Option<Instant> {
        match self {
            Time::Instant(instant) => Some(instant),
            Time::Clock { day, nanos } => instant(day?, nanos, 0),
        }
    }
}

fn instant(day: i64, nanos: i64, offset: i64) -> Option<Instant> {
    let seconds = day.checked_mul(DAY)?.checked_sub(offset)?;
    Some(Instant(seconds.checked_mul(SECOND)?.checked_add(nanos)?))
}

/// The time in a field; None: it cannot be understood.
pub(super) fn of_field(field: &Field<'_, '_>) -> Option<Time> {
    match field.kind() {
        Kind::Number => number(field.raw()),
        Kind::String { .. } | Kind::Bare => {
            let value = field.text();
            text(&value).or_else(|| number(&value))
        }
        Kind::Object => of_object(field),
        Kind::Null | Kind::Bool | Kind::Array => None,
    }
}

/// log4j's `{"epochSecond":1,"nanoOfSecond":0}`, MongoDB's `{"$date":…}`
fn of_object(field: &Field<'_, '_>) -> Option<Time> {
    let within = |key: &[u8]| field.fields().find(|field| *field.key() == *key);
    if let Some(date) = within(b"$date") {
        return of_field(&date);
    }
    let seconds = integer(within(b"epochSecond")?.raw())?;
    let nanos = within(b"nanoOfSecond").map_or(Some(0), |nanos| integer(nanos.raw()))?;
    Some(Time::Instant(Instant(seconds.checked_mul(SECOND)?.checked_add(nanos)?)))
}

fn integer(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// Since 1970, in seconds, milliseconds, microseconds or nanoseconds: its size tells. Exact, not by floating point.
fn number(text: &[u8]) -> Option<Time> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[..0]),
    };
    if whole.is_empty() || !text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let whole = integer(whole)?;
    let unit = match whole {
        // Since the start of the program, as a terminal of logrus shows it.
        ..100_000_000 => return None,
        100_000_000..100_000_000_000 => SECOND,
        100_000_000_000..100_000_000_000_000 => SECOND / 1000,
        100_000_000_000_000..100_000_000_000_000_000 => SECOND / 1_000_000,
        100_000_000_000_000_000.. => 1,
    };
    let (nanos, digits) = fraction_of(fraction, unit);
    if digits < fraction.len() {
        return None;
    }
    Some(Time::Instant(Instant(whole.checked_mul(unit)?.checked_add(nanos)?)))
}

/// The digits of a fraction as a part of `unit`, and how many there are.
fn fraction_of(digits: &[u8], unit: i64) -> (i64, usize) {
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut part = unit;
    let nanos = digits[..count].iter().fold(0, |nanos, digit| {
        part /= 10;
        nanos + i64::from(digit - b'0') * part
    });
    (nanos, count)
}

/// A date and a time, or the latter alone, in the forms of loggers.
fn text(text: &[u8]) -> Option<Time> {
    iso(text).or_else(|| in_parts(text.trim_ascii()))
}

/// `2026-01-31T12:00:00.123Z`, and its relatives: the usual form, read at once.
fn iso(text: &[u8]) -> Option<Time> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, d1, m1, m2, d2, n1, n2, sep, h1, h2, c1, i1, i2, c2, s1, s2] = *head;
    let digits = [y1, y2, y3, y4, m1, m2, n1, n2, h1, h2, i1, i2, s1, s2];
    if !digits.iter().all(u8::is_ascii_digit) || c1 != b':' || c2 != b':' || d1 != d2 {
        return None;
    }
    if !matches!(d1, b'-' | b'/') || !matches!(sep, b'T' | b't' | b' ' | b'_') {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let year = two(y1, y2) * 100 + two(y3, y4);
    let day = day(year as i16, two(m1, m2) as i8, two(n1, n2) as i8)?;
    let (nanos, rest) = fraction(rest);
    clock(two(h1, h2), two(i1, i2), two(s1, s2), nanos).and_then(|nanos| with_zone(Some(day), nanos, rest))
}

/// A fraction of a second, in nanoseconds, if there is one, and the rest.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    match text {
        [b'.' | b',', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
            let (nanos, count) = fraction_of(digits, SECOND);
            (nanos, &digits[count..])
        }
        _ => (0, text),
    }
}

fn clock(hour: i64, minute: i64, second: i64, nanos: i64) -> Option<i64> {
    // 60 is a leap second.
    (hour < 24 && minute < 60 && second <= 60)
        .then_some((hour * 3600 + minute * 60 + second) * SECOND + nanos)
}

/// The number of a day since 1970-01-01, by the proleptic Gregorian calendar. None: there is no such day.
fn day(year: i16, month: i8, of_month: i8) -> Option<i64> {
    Date::new(year, month, of_month).ok()?;
    let (year, month, of_month) = (i64::from(year), i64::from(month), i64::from(of_month));
    // March is the first month, so that a leap day is the last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * month + 2) / 5 + of_month - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A date and time of day with what stands behind: an offset, the name of a zone, or nothing.
fn with_zone(day: Option<i64>, nanos: i64, rest: &[u8]) -> Option<Time> {
    let zone = rest.trim_ascii();
    // Java adds the name of the zone: `+09:00[Asia/Seoul]`.
    let zone = memchr::memchr(b'[', zone).map_or(zone, |end| &zone[..end]);
    let pair = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let offset = match *zone {
        [] => None,
        [b'Z' | b'z'] | [b'U', b'T', b'C'] | [b'G', b'M', b'T'] => Some(0),
        [sign @ (b'+' | b'-'), ref digits @ ..] => {
            let (hours, minutes) = match *digits {
                [h1, h2] => (pair(h1, h2)?, 0),
                [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (pair(h1, h2)?, pair(m1, m2)?),
                _ => return None,
            };
            let seconds = (hours * 60 + minutes) * 60;
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        // The name of a zone, such as KST: many mean several.
        _ if zone.iter().all(u8::is_ascii_uppercase) && zone.len() <= 5 => None,
        _ => return None,
    };
    Time::new(day, nanos, offset)
}

/// `15/Nov/2024:23:13:12 +0900`, `Sat Jan 31 12:00:00 2026 KST`; of glog `20260131 12:00:00.5`, of klog `0131
/// 12:00:00.5`
fn in_parts(text: &[u8]) -> Option<Time> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if matches!(digits, 4 | 8)
        && let Some(clock) = text[digits..].strip_prefix(b" ")
    {
        let stamp = stamp(clock).filter(|stamp| stamp.length == clock.len())?;
        let Time::Clock { day: None, nanos } = stamp.time()? else { return None };
        let date = integer(&text[..digits])?;
        let (year, month, of_month) = (date / 10_000, (date / 100 % 100) as i8, (date % 100) as i8);
        let day = if digits == 8 { Some(day(year as i16, month, of_month)?) } else { None };
        return Some(Time::Clock { day, nanos });
    }
    let stamp = stamp(text)?;
    let rest = &text[stamp.length..];
    let time = stamp.time()?;
    match time {
        Time::Clock { day, nanos } => with_zone(day, nanos, rest),
        // The name of a zone behind its offset.
        Time::Instant(_) => with_zone(None, 0, rest).map(|_| time),
    }
}

#[cfg(test)]
mod tests;
