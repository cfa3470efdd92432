//! The first line of a record, as far as it decides what may follow.

use memchr::memmem;

use super::{
    languages,
    line::{self, Line},
};

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
        // Nothing belongs to JSON in one line.
        if text.starts_with(b"{\"") {
            return None;
        }
        if line::is_klog(text) || text.get(1..4) == Some(b", [") {
            return Some(!matches!(text.first(), Some(b'I' | b'D')));
        }
        if let Some(is_serious) = tabbed(text) {
            return Some(is_serious);
        }
        let is_part = |byte: &u8| !byte.is_ascii_alphabetic();
        let words = text.split(is_part).filter(|word| !word.is_empty());
        // A colour ends with an `m`.
        let rank = |word: &[u8]| line::rank(word).or_else(|| line::rank(word.strip_prefix(b"m")?));
        let written = words.clone().find_map(rank);
        written.or_else(|| lower_case(text))
    }

    /// Whether it is a warning or worse of a logger that sets tabs between the parts, as zap does.
    pub fn is_serious_and_tabbed(&self) -> bool {
        tabbed(self.text()) == Some(true)
    }

    /// Whether a line with a head of its own belongs to this one.
    pub fn takes(&self, line: &Line<'_>, is_second: bool) -> bool {
        match line.text.first() {
            Some(b'0'..=b'9') => is_detail(self.text(), line.text),
            Some(b'[') => is_frame_of_xdebug(self.text(), line.text),
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

/// The level in a column of its own: `2026-01-31T12:00:00Z\tERROR\tmessage`
fn tabbed(text: &[u8]) -> Option<bool> {
    let columns = text.split(|byte| *byte == b'\t').skip(1).take(2);
    columns.map(|column| Line::new(column).text).find_map(|word| match word.len() {
        ..=9 => line::rank(&word.to_ascii_uppercase()),
        _ => None,
    })
}

/// The begin of a line of postgres: `2026-01-31 12:00:00.000 UTC [1] user@db ERROR:  …`
struct Postgres<'t> {
    process: &'t [u8],
    /// The rest of its prefix.
    prefix: &'t [u8],
    word: &'t [u8],
}

impl<'t> Postgres<'t> {
    fn of(text: &'t [u8]) -> Option<Postgres<'t>> {
        let text = &text[..text.len().min(LENGTH)];
        let inner = &text[memchr::memchr(b'[', text)? + 1..];
        let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (process, rest) = inner.split_at(digits);
        let rest = rest.strip_prefix(b"]").filter(|_| digits > 0)?;
        let before = &rest[..memmem::find(rest, b":  ")?];
        let is_word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let start = before.iter().rposition(|byte| !is_word(byte))? + 1;
        Some(Postgres { process, prefix: &before[..start], word: &before[start..] })
    }

    /// The prefix may count lines.
    fn has_prefix_of(&self, other: &Postgres<'_>) -> bool {
        let is_kept = |byte: &&u8| !byte.is_ascii_digit();
        self.prefix.iter().filter(is_kept).eq(other.prefix.iter().filter(is_kept))
    }
}

/// Whether a line of postgres explains the one before, which the same process wrote.
fn is_detail(head: &[u8], text: &[u8]) -> bool {
    const DETAILS: [&[u8]; 6] = [b"DETAIL", b"HINT", b"CONTEXT", b"STATEMENT", b"QUERY", b"LOCATION"];
    let Some(detail) = Postgres::of(text).filter(|detail| DETAILS.contains(&detail.word)) else {
        return false;
    };
    Postgres::of(head).is_some_and(|head| {
        let level = head.word.strip_suffix(b"1").unwrap_or(head.word);
        line::rank(level).is_some() && head.process == detail.process && detail.has_prefix_of(&head)
    })
}

/// `[31-Jan-2026 12:00:00 UTC] PHP   1. {main}() /a.php:0`, behind a head of PHP of the same time.
fn is_frame_of_xdebug(head: &[u8], text: &[u8]) -> bool {
    let near = &text[..text.len().min(64)];
    memchr::memchr(b']', near).is_some_and(|end| {
        let (time, rest) = text.split_at(end);
        languages::trace_of_xdebug(rest.strip_prefix(b"] ").unwrap_or_default())
            && head.strip_prefix(time).is_some_and(|rest| rest.starts_with(b"] PHP "))
    })
}
