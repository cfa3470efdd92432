//! Private keys, in one line or over several, of which filters and orders may show any.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    ops::Range,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose};
use memchr::memmem;

use super::{
    body::{self, Frame},
    view::View,
};
use crate::origin::Origin;

pub const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The longest name of a key.
const LONGEST_NAME: usize = 48;

/// How much base64 is read to tell whether it holds a key.
const ENCODED: usize = 96;

/// Most lines of a key.
const LINES: u32 = 100;

/// Most lines that are remembered.
const REMEMBERED: usize = if cfg!(test) { 8 } else { 64 << 10 };

/// The private key whose beginning stands at `at`; and whether its end is here too.
pub fn find(text: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    if let Some(place) = encoded(text, at) {
        return Some((place, true));
    }
    let begun = at + begin(&text[at..])?;
    if let Some(end) = memmem::find(&text[begun..], END) {
        return Some((at..end_of_name(text, begun + end), true));
    }
    // It was cut, or the next lines have the rest.
    Some((at..body::end(text, begun), false))
}

/// A key that is base64 once more, as in a Secret.
fn encoded(text: &[u8], at: usize) -> Option<Range<usize>> {
    let word = body::word(&text[at..]);
    let head = &text[at..at + word.min(ENCODED)];
    let head = general_purpose::STANDARD.decode(&head[..head.len() / 4 * 4]).ok()?;
    let is_bounded = at == 0 || !text[at - 1].is_ascii_alphanumeric();
    (is_bounded && begin(&head).is_some()).then_some(at..at + word)
}

/// The length of `-----BEGIN RSA PRIVATE KEY-----` at the start.
fn begin(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(BEGIN)?;
    let name = memmem::find(&rest[..rest.len().min(LONGEST_NAME)], DASHES)?;
    is_private(&rest[..name]).then_some(BEGIN.len() + name + DASHES.len())
}

/// The end of `-----END RSA PRIVATE KEY-----`, which may be cut.
fn end_of_name(text: &[u8], at: usize) -> usize {
    let name = at + END.len();
    let rest = &text[name..];
    let closed = memmem::find(&rest[..rest.len().min(LONGEST_NAME)], DASHES);
    let is_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ';
    name + match closed {
        Some(closed) => closed + DASHES.len(),
        None => rest.iter().take(LONGEST_NAME).take_while(is_name).count(),
    }
}

fn is_private(name: &[u8]) -> bool {
    name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK")
}

/// The lines of keys, remembered from when they were read until they are shown.
#[derive(Default)]
pub struct Lines {
    logs: HashMap<usize, Log>,
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

/// How far a log was read.
struct Log {
    _origin: Arc<Origin>,
    at: At,
}

enum At {
    /// At its beginning, or behind a gap, which may be the middle of a key. A line that is one only if the end of a key
    /// follows, with its place.
    Start(Option<(Vec<u8>, Range<usize>)>),
    Key(Open),
    /// The last line belonged to no key.
    Outside,
}

/// A key whose end has not come.
struct Open {
    lines: u32,
    /// How the line before has its piece, if it was one of the key.
    within: Option<Frame>,
    /// Its first line was read.
    is_begun: bool,
}

impl Lines {
    /// Whether the next line may be one of a key that began before it.
    pub fn is_open(&mut self, origin: &Arc<Origin>) -> bool {
        let start = || Log { _origin: origin.clone(), at: At::Start(None) };
        !matches!(self.logs.entry(address(origin)).or_insert_with(start).at, At::Outside)
    }

    fn set(&mut self, origin: &Arc<Origin>, at: At) {
        self.logs.insert(address(origin), Log { _origin: origin.clone(), at });
    }

    /// A key began in a line of this origin and did not end there.
    pub fn begin(&mut self, origin: &Arc<Origin>) {
        let open = Open { lines: LINES, within: Some(Frame::default()), is_begun: true };
        self.set(origin, At::Key(open));
    }

    /// Lines may be missing, as the first one of a key.
    pub fn gap(&mut self, origin: &Arc<Origin>) {
        self.set(origin, At::Start(None));
    }

    /// Looks at the line behind; remembers it if it is one of the key.
    pub fn look(&mut self, origin: &Arc<Origin>, line: &[u8]) {
        let Some(log) = self.logs.get_mut(&address(origin)) else { return };
        let at = std::mem::replace(&mut log.at, At::Outside);
        let view = View::new(line);
        let text = view.text();
        // The end of a key, and whether that is a private one.
        let end = memmem::find(text, END).map(|end| {
            let behind = end_of_name(text, end);
            let name = text[end..behind].strip_suffix(DASHES).unwrap_or_default();
            (body::start_before(text, end)..behind, is_private(name))
        });
        let place = match (at, end) {
            (At::Outside, _) => None,
            (At::Start(before), Some((place, is_key))) => {
                if let Some((line, place)) = before.filter(|_| is_key) {
                    self.remember(origin, &line, place);
                }
                is_key.then_some(place)
            }
            (At::Key(open), Some((place, is_key))) => (open.is_begun || is_key).then_some(place),
            (At::Start(Some(_)), None) => None,
            (At::Start(None), None) => match body::whole(text) {
                Some(place) => {
                    log.at = At::Key(Open {
                        lines: LINES,
                        within: Some(Frame::new(text, &place)),
                        is_begun: false,
                    });
                    Some(place)
                }
                None => {
                    // A short line may be the last one of a key.
                    let alone = body::piece(text, Some(&Frame::default()));
                    log.at =
                        alone.map_or(At::Outside, |place| At::Start(Some((line.to_vec(), view.line(place)))));
                    None
                }
            },
            (At::Key(mut open), None) => {
                let place = body::piece(text, open.within.as_ref());
                let is_blank = text.iter().all(u8::is_ascii_whitespace);
                // A line that is none may stand between, as of another thread.
                if !is_blank {
                    open.within = place.as_ref().map(|place| Frame::new(text, place));
                }
                open.lines -= 1;
                if open.lines > 0 && (open.is_begun || open.within.is_some()) {
                    log.at = At::Key(open);
                }
                place
            }
        };
        if let Some(place) = place.filter(|place| !place.is_empty()) {
            self.remember(origin, line, view.line(place));
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
            None if self.overflowed => {
                let view = View::new(line);
                body::piece(view.text(), None).map(|place| view.line(place))
            }
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
        self.logs.remove(&address(origin));
    }
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
            if *line == "|" {
                keys.gap(&origin);
            } else if keys.is_open(&origin) {
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
    fn a_key_is_found_between_what_a_logger_writes_around_it() {
        let around = [
            (r#"{"message":""#, r#"","level":"INFO","logger":"x"}"#),
            (r#"{"log":""#, r#"\n","stream":"stdout"}"#),
            ("level=info msg=", " caller=x.go:12"),
            ("", " (main.go:12)"),
            ("12:00:00\tINFO\tmain.go:12\t", "\t{\"user\": 1}"),
            ("1,", ",x"),
            ("<key>", "</key>"),
            ("  \"", "\\n\" +"),
            ("\u{1b}[32m", "\u{1b}[0m"),
            ("\u{1b}[32m[app]\u{1b}[0m ", "\u{1b}[K"),
        ];
        for (before, behind) in around {
            let lines = [BEGUN, LINE, "Ab3=", ENDED].map(|line| format!("{before}{line}{behind}"));
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            assert_eq!(masked(&lines), [None, Some(LINE), Some("Ab3="), Some(ENDED)], "{before}");
        }
        let slashes = format!(r#"{{"m":"{}\/ab","n":1}}"#, &LINE[..40]);
        assert_eq!(masked(&[BEGUN, &slashes])[1], Some(&slashes[6..slashes.len() - 8]));
    }

    #[test]
    fn a_first_line_hides_nothing_but_its_own_words() {
        for (behind, hidden) in [
            ("\t{\"user\": 1}", ""),
            (" caller=x.go:12", ""),
            (" is missing in the file", ""),
            ("\nMIIEvQIBADANBgkqhkiG\nMII", "\nMIIEvQIBADANBgkqhkiG\nMII"),
            (" MIIEvQIBADANBgkqhkiG x=1", " MIIEvQIBADANBgkqhkiG"),
            ("\nProc-Type: 4,ENCRYPTED\n\nMII\"", "\nProc-Type: 4,ENCRYPTED\n\nMII"),
        ] {
            let text = format!("{BEGUN}{behind}");
            let (place, ends) = find(text.as_bytes(), 0).unwrap();
            assert_eq!((&text[place], ends), (format!("{BEGUN}{hidden}").as_str(), false));
        }
    }

    #[test]
    fn a_key_without_its_first_line_is_known_by_the_length_of_its_lines() {
        let whole = &format!("{LINE}Ab3dEf+/Zz01");
        assert_eq!(whole.len(), 64);
        let json = &format!(r#"{{"log":"{whole}\n","stream":"stdout"}}"#);
        let all = [Some(whole.as_str()), Some("Ab3="), Some(ENDED), None];
        assert_eq!(masked(&[whole, "Ab3=", ENDED, "done"]), all);
        assert_eq!(masked(&["start", "|", whole, "Ab3=", ENDED, "done"])[2..], all);
        assert_eq!(masked(&[json, "next", json]), [Some(whole.as_str()), None, Some(whole.as_str())]);
        assert_eq!(masked(&["Ab3=", ENDED]), [Some("Ab3="), Some(ENDED)]);
        // Neither in the middle of a log, nor others.
        assert_eq!(masked(&["start", whole]), [None, None]);
        assert_eq!(masked(&["Ab3=", "-----END CERTIFICATE-----"]), [None, None]);
        let hash = &"3f2504e04f8964b4a1d2c3e4f5a6b7c8".repeat(2);
        assert_eq!(masked(&[hash, "done", LINE]), [None; 3]);
    }

    #[test]
    fn once_lines_were_forgotten_all_that_looks_like_one_is_masked() {
        let keys: Vec<String> = (0..12).map(|at| format!("{LINE}{}", "x".repeat(at))).collect();
        let mut lines = vec![BEGUN];
        lines.extend(keys.iter().map(String::as_str));
        assert!(masked(&lines)[1..].iter().all(Option::is_some));
    }

    #[test]
    fn a_key_that_is_encoded_again_is_found() {
        let encode =
            |name: &str| general_purpose::STANDARD.encode(format!("-----BEGIN {name}-----\n{LINE}\n"));
        for name in ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "CERTIFICATE"] {
            let text = format!("tls.key: {} x", encode(name));
            let found = find(text.as_bytes(), 9).map(|(place, _)| place);
            let expected = name.ends_with("KEY").then_some(9..text.len() - 2);
            assert_eq!(found, expected, "{name}");
        }
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
