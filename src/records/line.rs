//! A line without its colours, and whether it has a head of its own: a time or a level.

/// The longest sequence of colours that is skipped.
const COLOR: usize = 24;

#[derive(Debug, Clone, Copy)]
pub struct Line<'l> {
    /// Without indentation, colours around it, and a carriage return.
    pub text: &'l [u8],
    pub is_indented: bool,
}

impl<'l> Line<'l> {
    pub fn new(message: &'l [u8]) -> Line<'l> {
        let (mut text, mut is_indented) = (message, false);
        loop {
            match text {
                [b' ' | b'\t', rest @ ..] => (text, is_indented) = (rest, true),
                [b'\x1b', b'[', rest @ ..] => match rest.iter().take(COLOR).position(|byte| *byte == b'm') {
                    Some(end) => text = &rest[end + 1..],
                    None => break,
                },
                _ => break,
            }
        }
        Line { text: without_end(text), is_indented }
    }

    /// Only brackets that close something.
    pub fn is_closing(&self) -> bool {
        self.text.len() <= 4
            && matches!(self.text.first(), Some(b'}' | b']' | b')'))
            && self.text.iter().all(|byte| b"}]),;\"".contains(byte))
    }

    /// Whether it begins with a time or a level, so that it begins a record.
    pub fn has_head(&self) -> bool {
        match self.text {
            [b'0'..=b'9', ..] => is_time(self.text),
            [b'[' | b'<', inner @ ..] => {
                is_time(inner) || inner.first().is_some_and(u8::is_ascii_uppercase) && level(inner).is_some()
            }
            [b'A'..=b'Z', ..] => {
                is_klog(self.text)
                    || matches!(self.text, [b'D' | b'I' | b'W' | b'E' | b'F' | b'A', b',', b' ', b'[', ..])
                    || is_date_in_words(self.text)
                    || level(self.text).is_some_and(|rest| !self.is_indented || rest.first() != Some(&b':'))
            }
            [b'a'..=b'z', ..] if !self.is_indented => {
                [&b"time="[..], b"level=", b"ts=", b"lvl="].iter().any(|key| self.text.starts_with(key))
                    || DOTNET.iter().any(|level| self.text.starts_with(level))
            }
            _ => false,
        }
    }
}

impl Line<'_> {
    /// Whether an indented line begins with a level that a text could have as well: `error: failed`, `[info] started`,
    /// `level=error …`
    pub fn has_level(&self) -> bool {
        let is_level = |word: &[u8]| word.len() <= 9 && rank(&word.to_ascii_uppercase()).is_some();
        let until =
            |text: &[u8]| text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
        match self.text {
            [b'[', inner @ ..] => {
                let end = until(inner);
                inner.get(end) == Some(&b']') && is_level(&inner[..end])
            }
            [b'a'..=b'z' | b'A'..=b'Z', ..] => {
                let (word, rest) = self.text.split_at(until(self.text));
                match rest {
                    // A value of a list of settings is a number, or has quotes.
                    [b':', b' ', next @ ..] => {
                        next.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic) && is_level(word)
                    }
                    [b'=', value @ ..] if matches!(word, b"level" | b"lvl" | b"severity") => {
                        let value = value.strip_prefix(b"\"").unwrap_or(value);
                        is_level(&value[..until(value)])
                    }
                    [b'=', value @ ..] if matches!(word, b"time" | b"ts") => {
                        is_time(value.strip_prefix(b"\"").unwrap_or(value))
                    }
                    [b' ', ..] => rest.trim_ascii_start().starts_with(b"- ") && is_level(word),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// The levels of .NET's console, which begin a line.
const DOTNET: [&[u8]; 6] = [b"trce: ", b"dbug: ", b"info: ", b"warn: ", b"fail: ", b"crit: "];

fn without_end(mut text: &[u8]) -> &[u8] {
    loop {
        match text {
            [rest @ .., b'\r'] => text = rest,
            [.., b'm'] => {
                let near = text.len().saturating_sub(COLOR);
                let Some(start) = text[near..].iter().rposition(|byte| *byte == b'\x1b') else { return text };
                let is_color = |byte: &u8| byte.is_ascii_digit() || b";[".contains(byte);
                match &text[near + start + 1..] {
                    [inner @ .., _] if inner.iter().all(is_color) => text = &text[..near + start],
                    _ => return text,
                }
            }
            _ => return text,
        }
    }
}

/// What follows an upper-case level word that `text` begins with.
pub fn level(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take(9).position(|byte| !byte.is_ascii_uppercase()).unwrap_or(text.len().min(9));
    let (word, rest) = text.split_at(end);
    (rank(word).is_some() && rest.first().is_none_or(|next| b" :]|\t,-)>[".contains(next))).then_some(rest)
}

/// Whether a level in upper case is a warning or worse; None: it is no level.
pub fn rank(word: &[u8]) -> Option<bool> {
    match word {
        b"TRACE" | b"TRC" | b"VERBOSE" | b"VRB" | b"DEBUG" | b"DBG" | b"FINE" | b"FINER" | b"FINEST"
        | b"CONFIG" | b"INFO" | b"INF" | b"NOTICE" | b"LOG" => Some(false),
        b"WARN" | b"WARNING" | b"WRN" | b"ERROR" | b"ERR" | b"SEVERE" | b"FATAL" | b"FTL" | b"CRITICAL"
        | b"CRIT" | b"ALERT" | b"EMERG" | b"EMERGENCY" | b"PANIC" | b"DPANIC" => Some(true),
        _ => None,
    }
}

/// `E0131 12:00:00.000000`
pub fn is_klog(text: &[u8]) -> bool {
    let digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    matches!(text, [b'I' | b'W' | b'E' | b'F', date @ .., ] if date.len() > 6
        && digits(&date[..4]) && date[4] == b' ' && date[5].is_ascii_digit())
}

/// A date or a time in digits.
fn is_time(text: &[u8]) -> bool {
    let mut shape = [0; 12];
    for (to, from) in shape.iter_mut().zip(text) {
        *to = if from.is_ascii_digit() { b'0' } else { *from };
    }
    match &shape {
        [b'0', b'0', b'0', b'0', b'-' | b'/' | b'.', b'0', b'0', b'-' | b'/' | b'.', b'0', b'0', ..]
        | [b'0', b'0', b':', b'0', b'0', b':', b'0', b'0', ..]
        | [b'0', b'0', b'-' | b'/' | b'.' | b' ', b'0', b'0', b'-' | b'/' | b'.' | b' ', b'0', b'0', ..]
        | [b'0', b':', b'0', b'0', b'A' | b'P', b'M', ..]
        | [b'0', b'0', b':', b'0', b'0', b'A' | b'P', b'M', ..]
        | [b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'T' | b' ', b'0', b'0', ..]
        | [b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'.' | b'0', b'0'] => true,
        // `31/Jan/2026`, `31-Jan-2026`, `31 Jan 2026`
        [b'0', b'0', b'-' | b'/' | b' ', month @ ..] => is_month(month),
        _ => false,
    }
}

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
const DAYS: &[u8] = b"MonTueWedThuFriSatSun";

fn is_month(text: &[u8]) -> bool {
    is_one_of(MONTHS, text)
}

fn is_one_of(names: &[u8], text: &[u8]) -> bool {
    text.get(..3).is_some_and(|name| names.chunks(3).any(|one| one == name))
}

/// `Jan 31`, `Sat Jan 31`
pub fn is_date_in_words(text: &[u8]) -> bool {
    let text = match text.get(3..) {
        Some([b' ', rest @ ..]) if is_one_of(DAYS, text) => rest,
        _ => text,
    };
    is_month(text) && matches!(text.get(3..), Some([b' ', b'0'..=b'9' | b' ', b'0'..=b'9' | b' ' | b',', ..]))
}
