//! The text of a private key between its first and last line: base64, with whatever else a line has.

use std::ops::Range;

/// The shortest piece that is known without what stands around it.
const PIECE: usize = 16;

/// The lengths of the lines of a key, all but its last.
const WIDTHS: [usize; 2] = [64, 76];

/// How much of what stands around a piece is compared.
const AROUND: usize = 4;

/// What stands around a piece: by this a short last line is known, which has the same. Nothing: it stands alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame {
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl Frame {
    pub fn new(text: &[u8], place: &Range<usize>) -> Frame {
        // Digits change with the time or the number of a line.
        let even = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte };
        let (before, behind) = (text[..place.start].trim_ascii_start(), text[place.end..].trim_ascii_end());
        Frame {
            before: before[before.len().saturating_sub(AROUND)..].iter().map(even).collect(),
            behind: behind.iter().take(AROUND).map(even).collect(),
        }
    }
}

/// The piece of a key in a line: the longest that looks like base64, or a shorter one with this frame.
pub fn piece(text: &[u8], frame: Option<&Frame>) -> Option<Range<usize>> {
    let longest = runs(text).filter(|run| is_piece(&text[run.clone()])).max_by_key(Range::len);
    longest.or_else(|| {
        let frame = frame?;
        let is_alone = *frame == Frame::default();
        runs(text).find(|run| Frame::new(text, run) == *frame || is_alone && stands_alone(text, run))
    })
}

/// The piece of a line that is one even where no first line was seen: as long as the lines of keys are.
pub fn whole(text: &[u8]) -> Option<Range<usize>> {
    let place = piece(text, None)?;
    let run = &text[place.clone()];
    let is_line = |line: &[u8]| WIDTHS.contains(&line.len()) && line.iter().any(u8::is_ascii_digit);
    run.split(|byte| *byte == b'\n').next().is_some_and(is_line).then_some(place)
}

/// The start of the text of a key that ends at `end`.
pub fn start_before(text: &[u8], end: usize) -> usize {
    let breaks = text[..end].iter().rev().take_while(|byte| **byte == b'\n').count();
    let padding = text[..end - breaks].iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let filled = end - breaks - padding;
    let start = filled - text[..filled].iter().rev().take_while(|byte| is_part(byte)).count();
    let start = start + text[start..end].iter().take_while(|byte| **byte == b'\n').count();
    // A key of logfmt may stand before.
    if breaks > 0 || is_piece(&text[start..end]) { start } else { end }
}

/// The end of the text of a key that was cut, and begins at `at`.
pub fn end(text: &[u8], at: usize) -> usize {
    let (mut end, mut last) = (at, 0);
    loop {
        let blanks = text[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let next = end + blanks;
        let rest = &text[next..];
        let length = word(rest);
        let run = &rest[..length];
        let is_line = text[end..next].contains(&b'\n')
            && rest.get(length).is_none_or(|byte| matches!(byte, b'\n' | b'"' | b'\'' | b'`'));
        if length > 0 && (is_piece(run) || is_line || WIDTHS.contains(&last)) {
            (end, last) = (next + length, length);
        } else if let Some(length) = header(rest) {
            (end, last) = (next + length, 0);
        } else {
            return end;
        }
    }
}

/// The length of a line such as `Proc-Type: 4,ENCRYPTED`.
fn header(text: &[u8]) -> Option<usize> {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    let is_header = name > 0 && text[name..].starts_with(b": ");
    is_header.then(|| memchr::memchr(b'\n', text)).flatten()
}

/// Runs of base64, which may go on behind the ends of lines.
fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().position(is_base64)?;
        let run = &text[at..];
        let length = run.iter().take_while(|byte| is_part(byte)).count();
        let length = length + padding(&run[length..]);
        let breaks = run[..length].iter().rev().take_while(|byte| **byte == b'\n').count();
        let start = at;
        at += length;
        Some(start..at - breaks)
    })
}

/// Whether a run is no word, path or hash.
fn is_piece(run: &[u8]) -> bool {
    run.len() >= PIECE && run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase)
}

/// Whether nothing but an indentation and a few signs stand around.
fn stands_alone(text: &[u8], run: &Range<usize>) -> bool {
    let (before, behind) = (&text[..run.start], &text[run.end..]);
    behind.len() <= AROUND
        && !behind.iter().any(u8::is_ascii_alphanumeric)
        && before.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'|' | b'>'))
}

/// The length of the base64 at the start.
pub fn word(text: &[u8]) -> usize {
    let length = text.iter().take_while(|byte| is_base64(byte)).count();
    length + padding(&text[length..])
}

/// The length of the signs that fill the end up.
fn padding(text: &[u8]) -> usize {
    text.iter().take(2).take_while(|byte| **byte == b'=').count()
}

fn is_part(byte: &u8) -> bool {
    is_base64(byte) || *byte == b'\n'
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7+/3ab9XyZ01=";

    #[test]
    fn a_piece_is_found_wherever_it_stands() {
        for line in [
            LINE.to_owned(),
            format!(r#"{{"message":"{LINE}","level":"INFO","logger":"x"}}"#),
            format!("level=info msg={LINE} caller=x.go:12"),
            format!("12:00:00 INFO {LINE} (main.go:12)"),
            format!("2026-01-31\tINFO\t{LINE}\t{{\"user\": 1}}"),
            format!("1,{LINE},x"),
            format!("<key>{LINE}</key>"),
            format!("  \"{LINE}\\n\" +"),
        ] {
            assert_eq!(whole(line.as_bytes()).map(|place| &line[place]), Some(LINE), "{line}");
        }
    }

    #[test]
    fn a_short_last_line_has_what_stood_around_the_others() {
        let (line, last) = (format!(r#"{{"n":12,"m":"{LINE}","l":"i"}}"#), r#"{"n":13,"m":"Ab3=","l":"i"}"#);
        let frame = Frame::new(line.as_bytes(), &piece(line.as_bytes(), None).unwrap());
        assert_eq!(piece(last.as_bytes(), Some(&frame)).map(|place| &last[place]), Some("Ab3="));
    }

    #[test]
    fn paths_hashes_and_words_are_none() {
        for line in [
            "GET /api/v1/namespaces/default/pods 200",
            "3f2504e04f8964b4a1d2c3e4f5a6b7c8d9e0f1a23f2504e04f8964b4a1d2c3e4",
            "retrying",
            "INTERNALSERVERERROR",
        ] {
            assert_eq!(piece(line.as_bytes(), None), None, "{line}");
        }
    }
}
