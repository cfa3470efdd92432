//! Times that a text begins with, read part by part.

use super::{SECOND, Time, day, fraction_of};

/// A time at the beginning of a text, as far as it is written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// None without a year.
    date: Option<(i16, i8, i8)>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    /// In seconds east; None: not written.
    offset: Option<i32>,
    pub length: usize,
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

impl Stamp {
    /// None: it is not on the calendar.
    pub fn time(self) -> Option<Time> {
        let date = match self.date {
            Some((year, month, of_month)) => Some(day(year, month, of_month)?),
            None => None,
        };
        let Stamp { hour, minute, second, .. } = self;
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Time::new(date, seconds * SECOND + i64::from(self.nanosecond), self.offset.map(i64::from))
    }
}

/// The time that a text begins with.
pub fn stamp(text: &[u8]) -> Option<Stamp> {
    let mut parser = Parser { text, at: 0, stamp: Stamp::default() };
    match text.first()? {
        b'0'..=b'9' => parser.digits_first()?,
        b'A'..=b'Z' => parser.name_first()?,
        _ => return None,
    }
    // A longer word or number is none.
    if text.get(parser.at).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    Some(Stamp { length: parser.at, ..parser.stamp })
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    stamp: Stamp,
}

impl Parser<'_> {
    /// `2026-01-31T12:00:00Z`, `2026/01/31 12:00:00`, `31/Jan/2026:12:00:00 +0900`, `31 Jan 2026 12:00:00`, `12:00:00`,
    /// `2:28PM`
    fn digits_first(&mut self) -> Option<()> {
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let separator = *self.text.get(self.at + digits)?;
        match (digits, separator) {
            (4, b'-' | b'/' | b'.') => {
                let year = self.number(4)? as i16;
                self.one_of(b"-/.")?;
                let month = self.number(2)? as i8;
                self.one_of(b"-/.")?;
                let day = self.number(2)? as i8;
                self.stamp.date = Some((year, month, day));
                // gin: `2024/11/12 - 15:19:06`
                self.tag(b" - ").or_else(|| self.one_of(b"Tt ")).or_else(|| self.one_of(b"_"))?;
                self.clock()?;
            }
            // Spark: `24/05/01 12:00:00`; others may mean the day and the month, with the year behind.
            (1 | 2, b'/') if self.text.get(digits + 1).is_some_and(u8::is_ascii_digit) => {
                self.numbers(digits)?;
            }
            (1 | 2, b'/' | b' ' | b'-') => {
                let day = self.number(digits)? as i8;
                self.one_of(b"/ -")?;
                let month = self.month()?;
                self.one_of(b"/ -")?;
                let year = self.number(4)? as i16;
                self.stamp.date = Some((year, month, day));
                self.one_of(b": ")?;
                self.clock()?;
            }
            // glog and tornado: `240501 12:00:00`
            (6, b' ') => {
                let [year, month, day] = [self.number(2)?, self.number(2)?, self.number(2)?];
                self.short_date(year, month, day)?;
                self.one_of(b" ")?;
                self.clock()?;
            }
            (1 | 2, b':') => self.clock()?,
            _ => return None,
        }
        Some(())
    }

    /// `24/05/01 12:00:00`, `5/1/2024, 12:00:00 PM`
    fn numbers(&mut self, digits: usize) -> Option<()> {
        let first = self.number(digits)?;
        self.one_of(b"/")?;
        let second = self.number(2).or_else(|| self.number(1))?;
        self.one_of(b"/")?;
        if self.number(4).is_none() {
            let third = self.number(2)?;
            self.short_date(first, second, third)?;
        }
        self.tag(b", ").or_else(|| self.one_of(b" "))?;
        self.clock()
    }

    fn short_date(&mut self, year: i32, month: i32, day: i32) -> Option<()> {
        let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
        self.stamp.date = Some((2000 + year as i16, month as i8, day as i8));
        is_date.then_some(())
    }

    /// `Jan 31 12:00:00`, `Jan 31, 2026 12:00:00 PM`, `Wed Oct 11 14:32:52.123456 2000`,
    /// `Sat, 31 Jan 2026 12:00:00 GMT`
    fn name_first(&mut self) -> Option<()> {
        let is_weekday = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"]
            .iter()
            .any(|day| self.tag(*day).is_some());
        if is_weekday {
            self.one_of(b", ")?;
            let _ = self.one_of(b" ");
            if self.text.get(self.at)?.is_ascii_digit() {
                return self.digits_first();
            }
        }
        let month = self.month()?;
        self.one_of(b" ")?;
        let _ = self.one_of(b" ");
        let day = self.number(1)? as i8;
        let day = match self.number(1) {
            Some(digit) => day * 10 + digit as i8,
            None => day,
        };
        let year = match self.tag(b", ") {
            Some(()) => {
                let year = self.number(4)?;
                self.one_of(b" ")?;
                Some(year as i16)
            }
            None => {
                self.one_of(b" ")?;
                None
            }
        };
        self.clock()?;
        let year = year.or_else(|| {
            let before = self.at;
            let year = self.one_of(b" ").and_then(|_| self.number(4));
            let ends = !self.text.get(self.at).is_some_and(u8::is_ascii_alphanumeric);
            if year.is_none() || !is_weekday || !ends {
                self.at = before;
                return None;
            }
            year.map(|year| year as i16)
        });
        self.stamp.date = year.map(|year| (year, month, day));
        Some(())
    }

    fn clock(&mut self) -> Option<()> {
        let hour = self.number(1)? as i8;
        self.stamp.hour = match self.number(1) {
            Some(digit) => hour * 10 + digit as i8,
            None => hour,
        };
        self.one_of(b":")?;
        self.stamp.minute = self.number(2)? as i8;
        if self.one_of(b":").is_some() {
            self.stamp.second = self.number(2)? as i8;
            let before = self.at;
            if self.one_of(b".,").is_some() {
                let (nanosecond, digits) = fraction_of(&self.text[self.at..], SECOND);
                self.stamp.nanosecond = nanosecond as i32;
                self.at = if digits == 0 { before } else { self.at + digits };
            }
        } else if !matches!(
            self.text.get(self.at..),
            Some([b'A' | b'P', b'M', ..] | [b' ', b'A' | b'P', b'M', ..])
        ) {
            return None;
        }
        self.zone();
        let Stamp { hour, minute, second, .. } = self.stamp;
        (hour < 24 && minute < 60 && second <= 60).then_some(())
    }

    /// `PM`, `Z`, `+09:00`, ` +0900`, ` UTC`
    fn zone(&mut self) {
        let before = self.at;
        let _ = self.one_of(b" ");
        match self.text.get(self.at..).unwrap_or_default() {
            [half @ (b'A' | b'P'), b'M', ..] => {
                let hour = self.stamp.hour % 12;
                self.stamp.hour = if *half == b'P' { hour + 12 } else { hour };
                self.at += 2;
            }
            [b'Z' | b'z', ..] => self.utc(1),
            [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] => self.utc(3),
            [sign @ (b'+' | b'-'), b'0'..=b'9', b'0'..=b'9', ..] => {
                self.at += 1;
                let hours = self.number(2).unwrap_or(0);
                let colon = self.one_of(b":");
                let Some(minutes) = self.number(2) else {
                    self.at = if colon.is_some() { before } else { self.at };
                    self.stamp.offset = colon.is_none().then_some(hours * 3600);
                    return;
                };
                let seconds = hours * 3600 + minutes * 60;
                self.stamp.offset = Some(if *sign == b'-' { -seconds } else { seconds });
            }
            _ => self.at = before,
        }
        if self.text.get(self.at).is_some_and(u8::is_ascii_alphanumeric) {
            self.at = before;
            self.stamp.offset = None;
        }
    }

    fn utc(&mut self, length: usize) {
        self.stamp.offset = Some(0);
        self.at += length;
    }

    fn month(&mut self) -> Option<i8> {
        let name = self.text.get(self.at..self.at + 3)?;
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        self.at += 3;
        i8::try_from(month + 1).ok()
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let text = self.text.get(self.at..self.at + digits)?;
        let number = text
            .iter()
            .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0')))?;
        self.at += digits;
        Some(number)
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<()> {
        self.text.get(self.at).filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(())
    }

    fn tag(&mut self, tag: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(tag).then(|| self.at += tag.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_a_stamp() {
        for text in ["12:00:00", "2:28PM", "12:00:00.123", "Jan 31 12:00:00", "15:04:05 +09:00"] {
            assert_eq!(stamp(text.as_bytes()).map(|stamp| stamp.length), Some(text.len()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "12",
            "12:00",
            "1.2.3.4:80",
            "2026-01-31",
            "2026-13-45 x",
            "24:00:00",
            "Monday",
            "12:00:0",
            "10:00:00x",
            "+1",
        ] {
            assert_eq!(stamp(text.as_bytes()), None, "{text}");
        }
    }
}
