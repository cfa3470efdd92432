//! Private keys, in one line or over several, of which filters and orders may show any.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    ops::Range,
    sync::Arc,
};

use memchr::memmem;

use crate::origin::Origin;

pub const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The longest name of a key.
const LONGEST_NAME: usize = 48;

/// Most lines of a key.
const LINES: u32 = 100;

/// The shortest piece that begins a key's text, where it stands alone and behind other text.
const PIECE: usize = 24;

/// Most lines that are remembered.
const REMEMBERED: usize = if cfg!(test) { 8 } else { 64 << 10 };

/// The private key whose beginning stands at `at`; and whether its end is here too.
pub fn find(text: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let begun = at + begin(&text[at..])?;
    if let Some(end) = memmem::find(&text[begun..], END) {
        let name = begun + end + END.len();
        let rest = &text[name..];
        let closed = memmem::find(&rest[..rest.len().min(LONGEST_NAME)], DASHES);
        return Some((at..name + closed.map_or(0, |closed| closed + DASHES.len()), true));
    }
    // It was cut, or the next lines have the rest.
    let is_part = |byte: &u8| !matches!(byte, b'"' | b'\'' | b'<' | b'`');
    let length = text[begun..].iter().take_while(|byte| is_part(byte)).count();
    Some((at..begun + length, false))
}

/// The length of `-----BEGIN RSA PRIVATE KEY-----` at the start.
fn begin(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(BEGIN)?;
    let name = memmem::find(&rest[..rest.len().min(LONGEST_NAME)], DASHES)?;
    let is_private = rest[..name].ends_with(b"PRIVATE KEY") || rest[..name].ends_with(b"PRIVATE KEY BLOCK");
    is_private.then_some(BEGIN.len() + name + DASHES.len())
}

/// The lines of keys, remembered from when they were read until they are shown.
#[derive(Default)]
pub struct Lines {
    open: HashMap<usize, Open>,
    /// The place of a key in a line, by the line's hash.
    places: HashMap<u64, (u32, u32)>,
    /// In the order in which they came.
    order: VecDeque<u64>,
    /// The lengths of those lines, modulo 64: most other lines need not be hashed.
    lengths: u64,
    hash: RandomState,
    /// Lines were forgotten.
    overflowed: bool,
}

/// A key whose end has not come.
struct Open {
    _origin: Arc<Origin>,
    lines: u32,
    /// Whether the line before was one of the key.
    within: bool,
}

impl Lines {
    /// Whether a line may be one of a key that began before it.
    pub fn is_open(&self, origin: &Arc<Origin>) -> bool {
        !self.open.is_empty() && self.open.contains_key(&address(origin))
    }

    /// A key began in a line of this origin and did not end there.
    pub fn begin(&mut self, origin: &Arc<Origin>) {
        let open = Open { _origin: origin.clone(), lines: LINES, within: true };
        self.open.insert(address(origin), open);
    }

    /// Looks at the line behind; remembers it if it is one of the key.
    pub fn look(&mut self, origin: &Arc<Origin>, line: &[u8]) {
        let Some(open) = self.open.get_mut(&address(origin)) else { return };
        open.lines -= 1;
        let (place, ends) = match memmem::find(line, END) {
            Some(end) => {
                let rest = &line[end + END.len()..];
                let closed = memmem::find(rest, DASHES).map_or(rest.len(), |closed| closed + DASHES.len());
                (Some(piece_before(line, end)..end + END.len() + closed), true)
            }
            None => (piece(line, open.within), false),
        };
        // A line that is none may stand between, as of another thread.
        open.within = place.is_some() || open.within && line.iter().all(u8::is_ascii_whitespace);
        if ends || open.lines == 0 {
            self.open.remove(&address(origin));
        }
        if let Some(place) = place {
            self.remember(origin, line, place);
        }
    }

    fn remember(&mut self, origin: &Arc<Origin>, line: &[u8], place: Range<usize>) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
            self.overflowed = true;
        }
        let hash = self.hash.hash_one((address(origin), line));
        self.lengths |= 1 << (line.len() % 64);
        if self.places.insert(hash, (place.start as u32, place.end as u32)).is_none() {
            self.order.push_back(hash);
        }
    }

    /// The part of a line that belongs to a key. Once lines were forgotten, all that looks like one does.
    fn place(&self, origin: &Arc<Origin>, line: &[u8]) -> Option<Range<usize>> {
        if self.lengths & 1 << (line.len() % 64) == 0 {
            return None;
        }
        let remembered = self.places.get(&self.hash.hash_one((address(origin), line)));
        match remembered {
            Some((start, end)) => Some(*start as usize..*end as usize),
            None if self.overflowed => piece(line, false),
            None => None,
        }
    }

    /// The same for a message of several lines.
    pub fn places(&self, origin: &Arc<Origin>, message: &[u8]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        let mut start = 0;
        for line in message.split(|byte| *byte == b'\n') {
            let place = self.place(origin, line);
            places.extend(place.map(|place| start + place.start..start + place.end));
            start += line.len() + 1;
        }
        places
    }

    /// Whether a line may be remembered.
    pub fn has_any(&self) -> bool {
        self.lengths != 0
    }

    /// No more lines of this origin, or of this instance of it, will come. Those that came may still be shown.
    pub fn forget(&mut self, origin: &Arc<Origin>) {
        self.open.remove(&address(origin));
    }
}

/// The text of a key at the end of a line, behind whatever else the line has.
fn piece(line: &[u8], within: bool) -> Option<Range<usize>> {
    let end = line.len() - line.iter().rev().take_while(|byte| !is_base64(byte)).count();
    // Quotes, commas and the like may end the line, as may `\n`.
    if line.len() - end > 4 {
        return None;
    }
    let start = piece_before(line, end);
    let is_piece = end - start >= PIECE || within && start < end && is_alone(&line[..start]);
    is_piece.then_some(start..end)
}

fn piece_before(line: &[u8], end: usize) -> usize {
    end - line[..end].iter().rev().take_while(|byte| is_base64(byte)).count()
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether nothing but an indentation stands before.
fn is_alone(before: &[u8]) -> bool {
    before.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'|' | b'>'))
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of each line that is masked.
    fn masked<'l>(lines: &[&'l str]) -> Vec<Option<&'l str>> {
        let origin = Arc::<Origin>::default();
        let mut keys = Lines::default();
        for line in lines {
            if keys.is_open(&origin) {
                keys.look(&origin, line.as_bytes());
            }
            let begun = memmem::find(line.as_bytes(), BEGIN).and_then(|at| find(line.as_bytes(), at));
            if begun.is_some_and(|(_, ends)| !ends) {
                keys.begin(&origin);
            }
        }
        lines.iter().map(|line| keys.place(&origin, line.as_bytes()).map(|place| &line[place])).collect()
    }

    const BEGUN: &str = "-----BEGIN PRIVATE KEY-----";
    const LINE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    const ENDED: &str = "-----END PRIVATE KEY-----";

    #[test]
    fn each_line_of_a_key_is_remembered() {
        assert_eq!(
            masked(&[BEGUN, LINE, "Ab3=", ENDED, "next"]),
            [None, Some(LINE), Some("Ab3="), Some(ENDED), None]
        );
    }

    #[test]
    fn other_lines_between_stay() {
        let (indented, prefixed) = (format!("    {LINE}"), format!("12:00:00 INFO {LINE}"));
        let lines = [
            BEGUN,
            &indented,
            "DEK-Info: AES-256-CBC,00",
            "",
            "GET /health 200",
            "done",
            &prefixed,
            ENDED,
            LINE,
        ];
        let expected = [None, Some(LINE), None, None, None, None, Some(LINE), Some(ENDED), None];
        assert_eq!(masked(&lines), expected);
    }

    #[test]
    fn a_key_that_never_ends_hides_no_other_lines() {
        let mut lines = vec![BEGUN];
        lines.extend(["is missing in the file", "retrying"]);
        assert_eq!(masked(&lines), [None; 3]);
    }

    #[test]
    fn once_lines_were_forgotten_all_that_looks_like_one_is_masked() {
        let keys: Vec<String> = (0..12).map(|at| format!("{LINE}{}", "x".repeat(at))).collect();
        let mut lines = vec![BEGUN];
        lines.extend(keys.iter().map(String::as_str));
        assert!(masked(&lines)[1..].iter().all(Option::is_some));
    }

    #[test]
    fn a_key_in_one_line_ends_there() {
        let text = format!("x {BEGUN}\n{LINE}\n{ENDED} y");
        let (place, ends) = find(text.as_bytes(), 2).unwrap();
        assert_eq!((&text[place], ends), (&text[2..text.len() - 2], true));
        assert_eq!(find(b"-----BEGIN PUBLIC KEY-----", 0), None);
        assert_eq!(find(b"-----BEGIN CERTIFICATE-----", 0), None);
    }
}
