//! The elements of Go's layouts: the spellings of each part of `Mon Jan 2 15:04:05 MST 2006`.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    LongYear,
    Year,
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    UpperPm,
    LowerPm,
    Abbreviation,
    /// The offset from UTC, always as a number.
    Offset(Shape),
    /// The offset from UTC, with `Z` for UTC.
    Iso(Shape),
    Fraction {
        digits: usize,
        /// Written with nines: without trailing zeros.
        trim: bool,
        separator: u8,
    },
}

/// The parts of an offset that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

/// The text before the first element, the element, and the text after it.
pub fn next(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
    for start in 0..layout.len() {
        if let Some((element, length)) = element(&layout[start..]) {
            return (&layout[..start], Some(element), &layout[start + length..]);
        }
    }
    (layout, None, &[])
}

/// The element at the start of `text`, and its length; `text` must not be empty.
fn element(text: &[u8]) -> Option<(Element, usize)> {
    if matches!(text[0], b'.' | b',') {
        return fraction(text);
    }
    let (spelling, element) =
        spellings(text[0]).iter().find(|(spelling, _)| text.starts_with(spelling.as_bytes()))?;
    let next = text.get(spelling.len());
    match element {
        // `Month` is not a weekday.
        Element::Month | Element::Weekday if next.is_some_and(u8::is_ascii_lowercase) => None,
        // An underscore and a year.
        Element::UnderDay if text.starts_with(b"_2006") => None,
        _ => Some((*element, spelling.len())),
    }
}

fn fraction(text: &[u8]) -> Option<(Element, usize)> {
    let digit = *text.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
    let digits = text[1..].iter().take_while(|&&next| next == digit).count();
    let ends = !text.get(1 + digits).is_some_and(u8::is_ascii_digit);
    ends.then_some((Element::Fraction { digits, trim: digit == b'9', separator: text[0] }, 1 + digits))
}

/// The elements that begin with a byte, in Go's order.
fn spellings(first: u8) -> &'static [(&'static str, Element)] {
    use Element::*;
    use Shape::*;
    match first {
        b'J' => &[("January", LongMonth), ("Jan", Month)],
        b'M' => &[("Monday", LongWeekday), ("Mon", Weekday), ("MST", Abbreviation)],
        b'0' => &[
            ("01", ZeroMonth),
            ("02", ZeroDay),
            ("03", ZeroHour12),
            ("04", ZeroMinute),
            ("05", ZeroSecond),
            ("06", Year),
            ("002", ZeroYearDay),
        ],
        b'1' => &[("15", Hour), ("1", NumMonth)],
        b'2' => &[("2006", LongYear), ("2", Day)],
        b'3' => &[("3", Hour12)],
        b'4' => &[("4", Minute)],
        b'5' => &[("5", Second)],
        b'_' => &[("_2", UnderDay), ("__2", UnderYearDay)],
        b'P' => &[("PM", UpperPm)],
        b'p' => &[("pm", LowerPm)],
        b'-' => &[
            ("-070000", Offset(Seconds)),
            ("-07:00:00", Offset(ColonSeconds)),
            ("-0700", Offset(Minutes)),
            ("-07:00", Offset(ColonMinutes)),
            ("-07", Offset(Hours)),
        ],
        b'Z' => &[
            ("Z070000", Iso(Seconds)),
            ("Z07:00:00", Iso(ColonSeconds)),
            ("Z0700", Iso(Minutes)),
            ("Z07:00", Iso(ColonMinutes)),
            ("Z07", Iso(Hours)),
        ],
        _ => &[],
    }
}

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
