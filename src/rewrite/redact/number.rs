//! Numbers written in digits: cards, and the numbers of residents, businesses and phones of Korea and of Americans.

use std::ops::Range;

use super::{
    check,
    context::Context,
    words::{Asked, asks, is_ordinary},
};
use crate::plan::redact::{Kind, Kinds};

/// Most groups of digits that are looked at together.
const GROUPS: usize = 256;

/// The longest number.
const LONGEST: usize = 19;

/// A number of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Number {
    pub place: Range<usize>,
    pub kind: Kind,
    /// It is a number of JSON; here is the quote that ends its key.
    pub number: Option<usize>,
}

/// Groups of digits with one separator between them.
pub struct Run<'t> {
    text: &'t [u8],
    groups: Vec<Range<usize>>,
}

impl<'t> Run<'t> {
    /// The run around the digit at `at`, which begins no earlier than `from`.
    pub fn around(text: &'t [u8], at: usize, from: usize) -> Run<'t> {
        let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        let mut start = at;
        while start > from
            && (is_digit(start - 1)
                || start >= from + 2 && is_separator(text[start - 1]) && is_digit(start - 2))
        {
            start -= 1;
        }
        let (mut groups, mut at) = (Vec::new(), start);
        while is_digit(at) && groups.len() < GROUPS {
            let length = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            groups.push(at..at + length);
            at += length;
            if text.get(at).is_some_and(|byte| is_separator(*byte)) {
                at += 1;
            }
        }
        Run { text, groups }
    }

    pub fn end(&self) -> usize {
        self.groups.last().map_or(0, |group| group.end)
    }

    /// Gives the numbers among the groups.
    pub fn numbers(&self, kinds: Kinds, mut found: impl FnMut(Number)) {
        let mut at = 0;
        while at < self.groups.len() {
            at += match self.number(at, kinds) {
                Some((number, groups)) => {
                    found(number);
                    groups
                }
                None => 1,
            };
        }
    }

    /// The number that begins with a group, and its groups.
    fn number(&self, at: usize, kinds: Kinds) -> Option<(Number, usize)> {
        let start = self.groups[at].start;
        if let Some(place) = self.bracketed(at) {
            return Some((Number { place, kind: Kind::Phone, number: None }, 2))
                .filter(|_| kinds.has(Kind::Phone));
        }
        if !self.is_free_before(start) {
            return None;
        }
        [Run::card, Run::resident, Run::nine_or_ten, Run::mobile, Run::landline, Run::keyed]
            .into_iter()
            .find_map(|read| {
                let (kind, count) = read(self, at)?;
                let end = self.groups[at + count - 1].end;
                if !kinds.has(kind) || !self.is_free_behind(end) {
                    return None;
                }
                let context = Context::new(self.text, start, end);
                let is_asked = asked(kind).is_some_and(|kind| asks(context.key, kind));
                let is_plain = count == 1;
                let is_ordinary = is_ordinary(context.key) && (is_plain || kind == Kind::Resident);
                let needs_key = context.number.is_some() || self.needs_key(kind, at, count);
                let number = Number { place: start..end, kind, number: context.number };
                (is_asked || !needs_key && !is_ordinary).then_some((number, count))
            })
    }

    /// Whether this spelling is so common that only a key tells what it is.
    fn needs_key(&self, kind: Kind, at: usize, count: usize) -> bool {
        let group = &self.groups[at];
        match kind {
            Kind::Card if count == 1 => {
                // Those of UnionPay are common, others of this length are not.
                let is_union_pay = self.text[group.clone()].starts_with(b"62");
                matches!(group.len(), 13 | 17..=19) && !is_union_pay
            }
            Kind::Resident => count == 1 || self.separator(at) != Some(b'-'),
            Kind::Licence => true,
            Kind::Ssn => count == 1,
            Kind::Phone => {
                let whole = self.mobile(at).or_else(|| self.landline(at));
                whole.is_none_or(|(_, groups)| groups != count)
            }
            _ => false,
        }
    }

    fn card(&self, at: usize) -> Option<(Kind, usize)> {
        let count = match self.sizes::<5>(at) {
            [13..=LONGEST, ..] => 1,
            [4, 4, 4, 4, 3] if self.is_free_behind_group(at + 4) => 5,
            [4, 4, 4, 4, _] => 4,
            [4, 6, 4 | 5, ..] => 3,
            _ => return None,
        };
        let separator = self.separator(at);
        let is_even = (at..at + count - 1).all(|at| self.separator(at) == separator);
        (is_even && separator != Some(b'.') && check::is_card(&self.digits(at, count)))
            .then_some((Kind::Card, count))
    }

    fn resident(&self, at: usize) -> Option<(Kind, usize)> {
        let count = match self.sizes::<2>(at) {
            [13, _] => 1,
            [6, 7] if matches!(self.separator(at), Some(b'-' | b' ' | b'+')) => 2,
            _ => return None,
        };
        check::is_resident(&self.digits(at, count)).then_some((Kind::Resident, count))
    }

    /// Those of Americans, of businesses and of drivers.
    fn nine_or_ten(&self, at: usize) -> Option<(Kind, usize)> {
        let is_dashed = |count| (at..at + count - 1).all(|at| self.separator(at) == Some(b'-'));
        match self.sizes::<4>(at) {
            [3, 2, 4, _] if is_dashed(3) => check::is_ssn(&self.digits(at, 3)).then_some((Kind::Ssn, 3)),
            [9, ..] => check::is_ssn(&self.digits(at, 1)).then_some((Kind::Ssn, 1)),
            [3, 2, 5, _] if is_dashed(3) => {
                check::is_business(&self.digits(at, 3)).then_some((Kind::Business, 3))
            }
            [2, 2, 6, 2] if is_dashed(4) => Some((Kind::Licence, 4)),
            _ => None,
        }
    }

    /// `010-1234-5678`, `01012345678`
    fn mobile(&self, at: usize) -> Option<(Kind, usize)> {
        let first = self.text.get(self.groups[at].clone())?;
        match (first, self.sizes::<3>(at)) {
            ([b'0', b'1', b'0', ..], [11, ..]) => Some((Kind::Phone, 1)),
            (first, [3, 3 | 4, 4]) if is_mobile(first) => Some((Kind::Phone, 3)),
            _ => self.abroad(at),
        }
    }

    /// `0082-10-1234-5678`, `82-10-1234-5678`
    fn abroad(&self, at: usize) -> Option<(Kind, usize)> {
        let first = self.text.get(self.groups[at].clone())?;
        if first.starts_with(b"008210") && first.len() == 14 {
            return Some((Kind::Phone, 1));
        }
        let second = self.text.get(self.groups.get(at + 1)?.clone())?;
        let local = [b"0", second.strip_prefix(b"0").unwrap_or(second)].concat();
        let is_dashed = (at..at + 3).all(|at| self.separator(at) == Some(b'-'));
        let is_number = matches!(self.sizes::<5>(at), [_, _, 3 | 4, 4, 0]) && is_dashed;
        (matches!(first, b"0082" | b"82") && is_number && (is_mobile(&local) || is_area(&local)))
            .then_some((Kind::Phone, 4))
    }

    /// `(010) 1234-5678`: the groups behind the bracket are here.
    fn bracketed(&self, at: usize) -> Option<Range<usize>> {
        let [3 | 4, 4] = self.sizes::<2>(at) else { return None };
        let (start, end) = (self.groups[at].start, self.groups[at + 1].end);
        let before = &self.text[..start];
        let before = before.strip_suffix(b" ").or_else(|| before.strip_suffix(b"+")).unwrap_or(before);
        let before = before.strip_suffix(b")")?;
        let digits = before.iter().rev().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        let (before, area) = before.split_at(before.len() - digits);
        let is_number = before.ends_with(b"(") && (is_mobile(area) || is_area(area));
        (is_number && self.is_free_behind(end)).then(|| before.len() - 1..end)
    }

    /// `02-123-4567`, `070-1234-5678`
    fn landline(&self, at: usize) -> Option<(Kind, usize)> {
        let is_area = is_area(self.text.get(self.groups[at].clone())?);
        let is_dashed = self.separator(at) == Some(b'-') && self.separator(at + 1) == Some(b'-');
        let is_number = matches!(self.sizes::<3>(at), [_, 3 | 4, 4]);
        (is_area && is_dashed && is_number).then_some((Kind::Phone, 3))
    }

    /// A phone number of any country, if a key asks for one.
    fn keyed(&self, at: usize) -> Option<(Kind, usize)> {
        let mut digits = 0;
        let mut count = 0;
        while let Some(group) = self.groups.get(at + count).filter(|group| digits + group.len() <= 15) {
            digits += group.len();
            count += 1;
        }
        ((7..=15).contains(&digits)).then_some((Kind::Phone, count))
    }

    /// The lengths of the next groups; 0 behind the last.
    fn sizes<const N: usize>(&self, at: usize) -> [usize; N] {
        std::array::from_fn(|next| self.groups.get(at + next).map_or(0, Range::len))
    }

    /// The byte behind a group that joins it to the next one.
    fn separator(&self, at: usize) -> Option<u8> {
        self.groups.get(at + 1)?;
        self.text.get(self.groups[at].end).copied()
    }

    fn digits(&self, at: usize, count: usize) -> Vec<u8> {
        self.groups[at..at + count].iter().flat_map(|group| &self.text[group.clone()]).copied().collect()
    }

    fn is_free_before(&self, start: usize) -> bool {
        is_free_before(self.text, start)
    }

    fn is_free_behind(&self, end: usize) -> bool {
        is_free_behind(self.text, end)
    }

    fn is_free_behind_group(&self, at: usize) -> bool {
        self.groups.get(at).is_some_and(|group| self.is_free_behind(group.end))
    }
}

fn is_mobile(first: &[u8]) -> bool {
    matches!(first, [b'0', b'1', b'0' | b'1' | b'6'..=b'9'])
}

fn is_area(first: &[u8]) -> bool {
    match first {
        b"02" | b"070" | b"080" => true,
        [b'0', b'3', last] => matches!(last, b'1'..=b'3'),
        [b'0', b'4', last] => matches!(last, b'1'..=b'4'),
        [b'0', b'5', last] => matches!(last, b'0'..=b'5'),
        [b'0', b'6', last] => matches!(last, b'1'..=b'4'),
        [b'0', b'5', b'0', last] => matches!(last, b'2'..=b'8'),
        _ => false,
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b' ' | b'.' | b'+')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a number may begin here: not within a word, a UUID or a decimal.
pub fn is_free_before(text: &[u8], start: usize) -> bool {
    match text[..start] {
        [] => true,
        [.., before, b'-' | b'.'] => !is_word(before),
        [.., before] => !is_word(before),
    }
}

pub fn is_free_behind(text: &[u8], end: usize) -> bool {
    match text[end..] {
        [] => true,
        [b'-', after, ..] => !is_word(after),
        [b'.', after, ..] => !after.is_ascii_digit(),
        [after, ..] => !is_word(after),
    }
}

/// The passport number of Korea that begins here: `M12345678`, `M123A4567`.
pub fn passport(text: &[u8], start: usize) -> Option<Range<usize>> {
    let number = text.get(start..start + 9)?;
    let is_number = matches!(number[0], b'M' | b'S' | b'R' | b'O' | b'D')
        && number
            .iter()
            .enumerate()
            .skip(1)
            .all(|(at, byte)| byte.is_ascii_digit() || at == 4 && byte.is_ascii_uppercase());
    (is_number && is_free_behind(text, start + 9)).then_some(start..start + 9)
}

fn asked(kind: Kind) -> Option<Asked> {
    Some(match kind {
        Kind::Card => Asked::Card,
        Kind::Resident => Asked::Resident,
        Kind::Licence => Asked::Licence,
        Kind::Ssn => Asked::Ssn,
        Kind::Phone => Asked::Phone,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Kind)> {
        let mut found = Vec::new();
        let (mut at, text_bytes) = (0, text.as_bytes());
        while let Some(next) = text_bytes[at..].iter().position(u8::is_ascii_digit) {
            let run = Run::around(text_bytes, at + next, at);
            run.numbers(Kinds::usual(), |number| found.push((&text[number.place], number.kind)));
            at = run.end();
        }
        found
    }

    #[test]
    fn numbers_of_people_are_found() {
        for (text, number, kind) in [
            ("card 4111 1111 1111 1111", "4111 1111 1111 1111", Kind::Card),
            ("3782-822463-10005", "3782-822463-10005", Kind::Card),
            ("카드4111111111111111로", "4111111111111111", Kind::Card),
            ("card=4222222222222", "4222222222222", Kind::Card),
            (r#"{"card":4111111111111111}"#, "4111111111111111", Kind::Card),
            ("1 960121-1021413 2", "960121-1021413", Kind::Resident),
            ("960121-1234567", "960121-1234567", Kind::Resident),
            ("911124-5678906", "911124-5678906", Kind::Resident),
            (r#""rrn":"9601211234567""#, "9601211234567", Kind::Resident),
            ("call 010-1234-5678 now", "010-1234-5678", Kind::Phone),
            ("01012345678", "01012345678", Kind::Phone),
            ("02-123-4567", "02-123-4567", Kind::Phone),
            ("0505-123-4567", "0505-123-4567", Kind::Phone),
            (r#""phone":"415-555-2671""#, "415-555-2671", Kind::Phone),
            ("ssn 536-22-1234", "536-22-1234", Kind::Ssn),
            ("12:00:00 4111-1111-1111-1111", "4111-1111-1111-1111", Kind::Card),
        ] {
            assert_eq!(found(text), [(number, kind)], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left() {
        for text in [
            "4111111111111112",
            "1548138160707",
            "47223179-9330-4259-b66c-f2db26efb20c",
            "2018678836144587",
            "translate(-0.5309136012499991%)",
            "9601211234567",
            "001332-1234567",
            "v1.2.3.4",
            "order_id=4111111111111111",
            r#"{"n":4111111111111111}"#,
            "078-05-1120",
            "000-12-3456",
            "2026-01-31 12:00:00",
            "x4111111111111111",
            "1588-1234",
            "backup-960121-1234567.tar",
            "4111111111111111.50",
            "order #4111111111111111",
            "20260131-120000-1234",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
