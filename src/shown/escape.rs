//! Escape sequences in a line: their places, and the graphic state that they leave in force.

use std::ops::Range;

use memchr::memchr2;

/// Escape sequences that text contains, in order. One that does not end reaches to the end of the text.
pub struct Sequences<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Sequences<'t> {
    pub fn new(text: &'t [u8]) -> Sequences<'t> {
        Sequences { text, at: 0 }
    }
}

impl Iterator for Sequences<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let start = self.at + memchr2(0x1b, 0xc2, self.text.get(self.at..)?)?;
            match sequence(&self.text[start..]) {
                Some(length) => {
                    self.at = start + length;
                    return Some(start..self.at);
                }
                None => self.at = start + 1,
            }
        }
    }
}

/// The length of the sequence (ECMA-48) at the start of `text`, if there is one.
fn sequence(text: &[u8]) -> Option<usize> {
    let (introduced, body) = match text {
        // The same in one character of UTF-8.
        [0xc2, control @ 0x80..=0x9f, body @ ..] => (control - 0x40, body),
        [0x1b, introduced, body @ ..] => (*introduced, body),
        [0x1b] => return Some(1),
        _ => return None,
    };
    let head = text.len() - body.len();
    let rest = match introduced {
        b'[' => final_byte(body, 0x20..=0x3f, 0x40..=0x7e),
        b']' | b'P' | b'X' | b'^' | b'_' => string_end(body),
        0x20..=0x2f => final_byte(body, 0x20..=0x2f, 0x30..=0x7e),
        0x30..=0x7e => 0,
        // Not a sequence, or one that was given up: the byte stays text.
        _ => return Some(head - 1),
    };
    Some(head + rest)
}

/// The length up to and including the byte that ends a sequence, or of what is left of it.
fn final_byte(
    body: &[u8],
    parameters: std::ops::RangeInclusive<u8>,
    finals: std::ops::RangeInclusive<u8>,
) -> usize {
    let length = body.iter().take_while(|byte| parameters.contains(byte)).count();
    length + usize::from(body.get(length).is_some_and(|byte| finals.contains(byte)))
}

/// The length of a control string with its terminator: BEL, `ESC \` or U+009C.
fn string_end(body: &[u8]) -> usize {
    let ends = |at: usize| match body[at..] {
        [0x07, ..] => Some(at + 1),
        [0x1b, b'\\', ..] | [0xc2, 0x9c, ..] => Some(at + 2),
        _ => None,
    };
    (0..body.len()).find_map(ends).unwrap_or(body.len())
}

/// The longest parameter that is kept, such as `38;2;255;255;255`.
const LONGEST: usize = 32;

/// Colours and attributes that are in force.
#[derive(Default)]
pub struct Graphics {
    /// Each as the SGR parameter that set it. Empty: the default.
    set: [Vec<u8>; 12],
    /// Whether something else may be in force: terminals differ in how they read a parameter that is odd.
    odd: bool,
    /// Whether any of this is not the default.
    any: bool,
}

impl Graphics {
    pub fn reset(&mut self) {
        if std::mem::take(&mut self.any) {
            self.set.iter_mut().for_each(Vec::clear);
            self.odd = false;
        }
    }

    /// Whether a colour or an attribute may be in force.
    pub fn in_force(&self) -> bool {
        self.any && (self.odd || self.set.iter().any(|parameter| !parameter.is_empty()))
    }

    /// Takes a sequence; only SGR changes something. Whether it did.
    pub fn apply(&mut self, sequence: &[u8]) -> bool {
        let body = sequence.strip_prefix(b"\x1b[").or_else(|| sequence.strip_prefix("\u{9b}".as_bytes()));
        let Some(parameters) = body.and_then(|body| body.strip_suffix(b"m")) else { return false };
        if !parameters.iter().all(|byte| matches!(byte, b'0'..=b';')) {
            return false;
        }
        let (mut rest, mut odd) = (Some(parameters), false);
        while let Some(parameters) = rest {
            let (first, after) = parameter(parameters);
            odd |= !self.set(code(first), first);
            rest = after;
        }
        self.odd |= odd;
        self.any |= odd;
        true
    }

    /// Whether all terminals understand the parameter in the same way.
    fn set(&mut self, code: u32, parameter: &[u8]) -> bool {
        let ended: &[usize] = match code {
            0 => {
                self.reset();
                return parameter.iter().all(|byte| *byte == b'0');
            }
            22 => &[0, 1],
            23 => &[2],
            24 => &[3],
            25 => &[4],
            27 => &[5],
            28 => &[6],
            29 => &[7],
            39 => &[9],
            49 => &[10],
            55 => &[8],
            59 => &[11],
            _ => &[],
        };
        for &ended in ended {
            self.set[ended].clear();
        }
        let slot = match code {
            1..=3 => code as usize - 1,
            4 | 21 => 3,
            5 | 6 => 4,
            7..=9 => code as usize - 2,
            53 => 8,
            30..=38 | 90..=97 => 9,
            40..=48 | 100..=107 => 10,
            58 => 11,
            _ => return !ended.is_empty(),
        };
        self.set[slot].clear();
        // No underline.
        if parameter == b"4:0" {
            return true;
        }
        self.any = true;
        if parameter.len() > LONGEST {
            return false;
        }
        self.set[slot].extend_from_slice(parameter);
        // An incomplete colour takes the parameters behind it with it, or not.
        !matches!(code, 38 | 48 | 58) || parameter.iter().any(|byte| matches!(byte, b';' | b':'))
    }

    /// Appends the sequence that brings this state back after a reset; nothing for the default.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut set = self.set.iter().filter(|parameter| !parameter.is_empty());
        let Some(first) = set.next() else { return };
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(first);
        for parameter in set {
            out.push(b';');
            out.extend_from_slice(parameter);
        }
        out.push(b'm');
    }
}

/// The first parameter, with its colour if it is `38;5;N` or `38;2;R;G;B`, and the rest behind it.
fn parameter(parameters: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut fields = parameters.split(|byte| *byte == b';');
    // `38:5:N` is a parameter of its own.
    let number = |field: Option<&[u8]>| field.filter(|field| !field.contains(&b':')).map(code);
    let more = match (number(fields.next()), number(fields.next())) {
        (Some(38 | 48 | 58), Some(5)) => 2,
        (Some(38 | 48 | 58), Some(2)) => 4,
        _ => 0,
    };
    let mut separators = memchr::memchr_iter(b';', parameters);
    match separators.nth(more) {
        Some(end) => (&parameters[..end], Some(&parameters[end + 1..])),
        None => (parameters, None),
    }
}

/// The number that a parameter begins with: 0 if there is none, too large if it does not fit.
fn code(parameter: &[u8]) -> u32 {
    let digits = parameter.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u32, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_found_with_their_ends() {
        for (text, found) in [
            ("a\x1b[31mb", vec!["\x1b[31m"]),
            ("\x1b[1;31m\x1b[m", vec!["\x1b[1;31m", "\x1b[m"]),
            ("\x1b]8;;https://a\x1b\\b\x1b]0;c\x07d", vec!["\x1b]8;;https://a\x1b\\", "\x1b]0;c\x07"]),
            ("\x1b(Ba\x1b7b", vec!["\x1b(B", "\x1b7"]),
            ("é\u{9b}31mb Â", vec!["\u{9b}31m"]),
            ("a\x1b[31", vec!["\x1b[31"]),
            ("a\x1b[3\x1b[1mb", vec!["\x1b[3", "\x1b[1m"]),
            ("a\x1b]0;unended", vec!["\x1b]0;unended"]),
            ("a\x1b", vec!["\x1b"]),
            ("a\x1b\x01b", vec!["\x1b"]),
            ("plain", vec![]),
        ] {
            let sequences = Sequences::new(text.as_bytes()).map(|range| &text[range]);
            assert_eq!(sequences.collect::<Vec<_>>(), found, "{text:?}");
        }
    }

    fn after(sequences: &[&str]) -> String {
        let mut graphics = Graphics::default();
        for sequence in sequences {
            graphics.apply(sequence.as_bytes());
        }
        let mut out = Vec::new();
        graphics.write(&mut out);
        String::from_utf8(out).unwrap().replace('\x1b', "")
    }

    #[test]
    fn the_state_in_force_is_kept_by_attribute() {
        for (sequences, state) in [
            (vec!["\x1b[31m"], "[31m"),
            (vec!["\x1b[31m", "\x1b[1;32m"], "[1;32m"),
            (vec!["\x1b[31;44;4m", "\x1b[39m"], "[4;44m"),
            (vec!["\x1b[1;2;31m", "\x1b[22m"], "[31m"),
            (vec!["\x1b[31m", "\x1b[m"], ""),
            (vec!["\x1b[31m", "\x1b[0;1m"], "[1m"),
            (vec!["\x1b[38;5;208;48;2;1;2;3;3m"], "[3;38;5;208;48;2;1;2;3m"),
            (vec!["\x1b[038;05;196m"], "[038;05;196m"),
            (vec!["\x1b[38:2::1:2:3m", "\x1b[4:3m"], "[4:3;38:2::1:2:3m"),
            (vec!["\x1b[4m", "\x1b[4:0m"], ""),
            (vec!["\x1b[31m", "\x1b[2K", "\x1b[?25l", "\x1b[>4m"], "[31m"),
            (vec!["\x1b[38;5m", "\x1b[99999999999m"], "[38;5m"),
        ] {
            assert_eq!(after(&sequences), state, "{sequences:?}");
        }
    }
}
