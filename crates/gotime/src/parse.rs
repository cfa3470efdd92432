//! Parses a time with a layout, like Go's `time.Parse`.

use super::{
    Time, Zone, civil,
    layout::{self, Element, MONTHS, Shape, WEEKDAYS},
};

/// The parts read so far. Absent parts are zero, or one if zero is invalid.
#[derive(Default)]
struct Parts {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    /// PM, if given.
    pm: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    abbreviation: String,
}

/// None if the text does not match the layout. `local`: the zone whose abbreviations and offsets are known.
pub fn parse(mut layout: &[u8], text: &[u8], local: &Zone) -> Option<Time> {
    let mut parts = Parts::default();
    let mut text = Text(text);
    loop {
        let (before, element, after) = layout::next(layout);
        text.skip(before)?;
        let Some(element) = element else { break };
        layout = after;
        read(&mut text, element, layout, &mut parts)?;
    }
    if !text.0.is_empty() {
        return None;
    }
    parts.time(local)
}

/// Parses one element; `after` is the rest of the layout.
fn read(text: &mut Text, element: Element, after: &[u8], parts: &mut Parts) -> Option<()> {
    match element {
        Element::LongYear => parts.year = text.digits(4)?,
        Element::Year => {
            let year = text.digits(2)?;
            parts.year = if year >= 69 { 1900 + year } else { 2000 + year };
        }
        Element::LongMonth => parts.month = Some(text.word(MONTHS)?),
        Element::Month => parts.month = Some(text.word(MONTHS.map(|name| &name[..3]))?),
        Element::NumMonth => parts.month = Some(text.number(1..13)?),
        Element::ZeroMonth => parts.month = Some(text.two(1..13)?),
        Element::LongWeekday => _ = text.word(WEEKDAYS)?,
        Element::Weekday => _ = text.word(WEEKDAYS.map(|name| &name[..3]))?,
        Element::Day => parts.day = Some(text.number(0..100)?),
        Element::UnderDay => {
            text.0 = text.0.strip_prefix(b" ").unwrap_or(text.0);
            parts.day = Some(text.number(0..100)?);
        }
        Element::ZeroDay => parts.day = Some(text.two(0..100)?),
        Element::Hour => parts.hour = text.number(0..24)?,
        Element::Hour12 => parts.hour = text.number(0..13)?,
        Element::ZeroHour12 => parts.hour = text.two(0..13)?,
        Element::Minute => parts.minute = text.number(0..60)?,
        Element::ZeroMinute => parts.minute = text.two(0..60)?,
        Element::Second | Element::ZeroSecond => {
            parts.second = match element {
                Element::Second => text.number(0..60)?,
                _ => text.two(0..60)?,
            };
            // A fraction may follow the seconds, whether the layout has one or not.
            if !matches!(layout::next(after).1, Some(Element::Fraction { .. }))
                && let Some(nanos) = text.fraction()
            {
                parts.nanos = nanos;
            }
        }
        Element::UpperPm => parts.pm = Some(text.either(b"PM", b"AM")?),
        Element::LowerPm => parts.pm = Some(text.either(b"pm", b"am")?),
        Element::Abbreviation => {
            if let Some(rest) = text.0.strip_prefix(b"UTC") {
                text.0 = rest;
                parts.utc = true;
            } else {
                let name = text.take(abbreviation(text.0)?)?;
                parts.abbreviation = String::from_utf8_lossy(name).into_owned();
            }
        }
        Element::Iso(_) if text.0.starts_with(b"Z") => {
            text.0 = &text.0[1..];
            parts.utc = true;
        }
        Element::Iso(shape) | Element::Offset(shape) => parts.offset = Some(text.offset(shape)?),
        Element::Fraction { trim: true, .. } => parts.nanos = text.fraction().unwrap_or(parts.nanos),
        Element::Fraction { digits, .. } => {
            let all = text.take(1 + digits)?;
            parts.nanos = Text(all).fraction().filter(|_| all[1..].iter().all(u8::is_ascii_digit))?;
        }
        // Only users' layouts have these, and they are not used for parsing.
        Element::UnderYearDay | Element::ZeroYearDay => return None,
    }
    Some(())
}

impl Parts {
    fn time(self, local: &Zone) -> Option<Time> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let last = match month {
            2 => 28 + i64::from(civil::is_leap(self.year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !(1..=last).contains(&day) {
            return None;
        }
        let wall = civil::midnight(self.year, month, day) + hour * 3600 + self.minute * 60 + self.second;
        let at = |offset: i32, zone| Some(Time::unix(wall - i64::from(offset), self.nanos, zone));
        let name = self.abbreviation;
        match self.offset {
            _ if self.utc => at(0, Zone::Utc),
            Some(offset) => {
                let seconds = wall - i64::from(offset);
                let is_local = local.offset(seconds) == offset
                    && (name.is_empty() || local.abbreviation(seconds, |local| local == name));
                at(offset, if is_local { local.clone() } else { Zone::Fixed { name, offset } })
            }
            None if name.is_empty() => at(0, Zone::Utc),
            None => match local.offset_of(&name, wall) {
                Some(offset) => at(offset, local.clone()),
                None => {
                    // The offset is unknown, or relative to GMT; Go uses it as the zone's name and keeps the instant.
                    let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse().ok());
                    let offset = hours.map_or(0, |hours: i32| hours * 3600);
                    Some(Time::unix(wall, self.nanos, Zone::Fixed { name, offset }))
                }
            },
        }
    }
}

/// The unread text.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Skips text of the layout; blanks match any number of blanks.
    fn skip(&mut self, mut expected: &[u8]) -> Option<()> {
        while let Some((&first, rest)) = expected.split_first() {
            if first == b' ' {
                if self.0.first().is_some_and(|&found| found != b' ') {
                    return None;
                }
                (expected, self.0) = (trim_blanks(expected), trim_blanks(self.0));
            } else {
                self.0 = self.0.strip_prefix(&[first])?;
                expected = rest;
            }
        }
        Some(())
    }

    /// Exactly this many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.take(count)?;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    fn two(&mut self, range: std::ops::Range<i64>) -> Option<i64> {
        self.digits(2).filter(|number| range.contains(number))
    }

    /// One or two digits.
    fn number(&mut self, range: std::ops::Range<i64>) -> Option<i64> {
        let two = self.0.get(1).is_some_and(u8::is_ascii_digit);
        self.digits(if two { 2 } else { 1 }).filter(|number| range.contains(number))
    }

    /// The number of the word, from one, ignoring case.
    fn word<const N: usize>(&mut self, words: [&str; N]) -> Option<i64> {
        let starts = |word: &&str| {
            self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        let found = words.iter().position(starts)?;
        self.0 = &self.0[words[found].len()..];
        Some(found as i64 + 1)
    }

    fn either(&mut self, yes: &[u8], no: &[u8]) -> Option<bool> {
        let word = self.take(2)?;
        if word == yes { Some(true) } else { (word == no).then_some(false) }
    }

    /// `.` or `,` and digits, of which nine are used.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.strip_prefix(b".").or(self.0.strip_prefix(b","))?;
        let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let nanos = Text(digits).digits(count.min(9)).filter(|_| count > 0)?;
        self.0 = &digits[count..];
        Some(nanos * 10_i64.pow(9 - count.min(9) as u32))
    }

    fn offset(&mut self, shape: Shape) -> Option<i32> {
        let negative = match self.take(1)? {
            b"+" => false,
            b"-" => true,
            _ => return None,
        };
        let (colon, parts) = match shape {
            Shape::Hours => (false, 1),
            Shape::Minutes => (false, 2),
            Shape::ColonMinutes => (true, 2),
            Shape::Seconds => (false, 3),
            Shape::ColonSeconds => (true, 3),
        };
        let mut seconds = 0;
        // Go accepts 24 hours and 60 minutes, since some programs write them.
        for (index, (limit, unit)) in [(24, 3600), (60, 60), (60, 1)].into_iter().take(parts).enumerate() {
            if colon && index > 0 {
                self.skip(b":")?;
            }
            seconds += self.two(0..limit + 1)? as i32 * unit;
        }
        Some(if negative { -seconds } else { seconds })
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|&&byte| byte == b' ').count();
    &text[blanks..]
}

/// The length of text that looks like a zone's abbreviation.
fn abbreviation(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest).unwrap_or(0));
    }
    if text.len() >= 3 && matches!(text[0], b'+' | b'-') {
        return signed_hours(text);
    }
    let capitals = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let fits = match capitals {
        3 => true,
        4 => text[3] == b'T' || text.starts_with(b"WITA"),
        5 => text[4] == b'T',
        _ => false,
    };
    fits.then_some(capitals)
}

/// The length of a sign and a number of hours up to 23.
fn signed_hours(text: &[u8]) -> Option<usize> {
    if !matches!(text.first()?, b'+' | b'-') {
        return None;
    }
    let digits = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours: u64 = std::str::from_utf8(&text[1..=digits]).ok()?.parse().ok()?;
    (hours <= 23).then_some(1 + digits)
}
