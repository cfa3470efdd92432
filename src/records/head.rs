//! The first line of a record, as far as it decides what may follow.

use memchr::memmem;

use super::line::{self, Line};

/// Where times, levels and process numbers stand.
const LENGTH: usize = 160;

/// The begin of the first line. It is judged only if a line comes that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    bytes: [u8; LENGTH],
    length: u8,
}

impl Default for Head {
    fn default() -> Head {
        Head { bytes: [0; LENGTH], length: 0 }
    }
}

impl Head {
    pub fn of(line: &Line<'_>) -> Head {
        let length = line.text.len().min(LENGTH);
        let mut head = Head { length: length as u8, ..Head::default() };
        head.bytes[..length].copy_from_slice(&line.text[..length]);
        head
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length.into()]
    }

    pub fn has_level(&self) -> bool {
        self.rank().is_some() || self.is_of_jul()
    }

    /// Whether its level is a warning or worse.
    pub fn is_serious(&self) -> bool {
        self.rank() == Some(true)
    }

    fn rank(&self) -> Option<bool> {
        let text = self.text();
        if line::is_klog(text) || text.get(1..4) == Some(b", [") {
            return Some(!matches!(text.first(), Some(b'I' | b'D')));
        }
        let is_part = |byte: &u8| !byte.is_ascii_alphabetic();
        let words = text.split(is_part).filter(|word| !word.is_empty());
        let written = words.clone().find_map(line::rank);
        written.or_else(|| lower_case(text))
    }

    /// Whether a line with a head of its own belongs to this one.
    pub fn takes(&self, line: &Line<'_>, is_second: bool) -> bool {
        match line.text.first() {
            Some(b'0'..=b'9') => is_detail(line.text) && same_process(self.text(), line.text),
            Some(b'A'..=b'Z') => is_second && is_message_of_jul(line.text) && self.is_of_jul(),
            _ => false,
        }
    }

    /// `Jan 31, 2026 12:00:00 PM org.example.Main run`
    fn is_of_jul(&self) -> bool {
        let text = self.text();
        line::is_date_in_words(text)
            && (memmem::find(text, b"AM ").is_some() || memmem::find(text, b"PM ").is_some())
    }
}

/// `level=error`, `[error]`, `error: `, `| error |`
fn lower_case(text: &[u8]) -> Option<bool> {
    let after = |end: usize| text.get(end).is_none_or(|next| b"] |:\t\"".contains(next));
    let before = |start: usize| start == 0 || text.get(start - 1).is_some_and(|it| b"[=|. \t\"".contains(it));
    let is_marked = |start: usize, end: usize| {
        let marks = [start.checked_sub(1).and_then(|at| text.get(at)), text.get(end)];
        marks.into_iter().flatten().any(|mark| b"[=:]|\"".contains(mark))
    };
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(u8::is_ascii_lowercase).map(|found| at + found) {
        let end = text[start..]
            .iter()
            .position(|byte| !byte.is_ascii_lowercase())
            .map_or(text.len(), |it| start + it);
        let word = text[start..end].to_ascii_uppercase();
        let rank = match &word[..] {
            b"FAIL" => Some(true),
            b"TRCE" | b"DBUG" => Some(false),
            word => line::rank(word),
        };
        if rank.is_some() && before(start) && after(end) && is_marked(start, end) {
            return rank;
        }
        at = end;
    }
    None
}

/// The second line of java.util.logging: `SEVERE: message`.
fn is_message_of_jul(text: &[u8]) -> bool {
    const LEVELS: [&[u8]; 7] =
        [b"SEVERE: ", b"WARNING: ", b"INFO: ", b"CONFIG: ", b"FINE: ", b"FINER: ", b"FINEST: "];
    LEVELS.iter().any(|level| text.starts_with(level))
}

/// A line of postgres that belongs to the one before: `2026-01-31 12:00:00.000 UTC [1] DETAIL:  …`
fn is_detail(text: &[u8]) -> bool {
    const DETAILS: [&[u8]; 6] = [b"DETAIL", b"HINT", b"CONTEXT", b"STATEMENT", b"QUERY", b"LOCATION"];
    let text = &text[..text.len().min(LENGTH)];
    let Some(end) = memmem::find(text, b":  ") else { return false };
    DETAILS.iter().any(|word| text[..end].ends_with(word))
}

/// Whether both have the same process number: `[1]`.
fn same_process(head: &[u8], line: &[u8]) -> bool {
    let process = |text: &[u8]| {
        let start = memchr::memchr(b'[', text)?;
        let end = start + memchr::memchr(b']', &text[start..])?;
        Some(start..end)
    };
    match (process(head), process(line)) {
        (Some(of_head), Some(of_line)) => head[of_head] == line[of_line],
        _ => false,
    }
}
