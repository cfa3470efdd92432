//! Levels in text without a head: by how a word stands out, never by the word alone.

use crate::fields::{Level, keys::Known};

use super::head::strong;

/// How far a level is sought.
const SOUGHT: usize = 120;

/// Whether the word between these places stands out so.
type Tier = fn(&[u8], usize, usize) -> bool;

/// The level of the first tier that has one; none if it has two.
pub(super) fn level(line: &[u8], from: usize, known: &Known) -> Option<Level> {
    let text = &line[from.min(line.len())..];
    let text = &text[..text.len().min(SOUGHT)];
    let tiers: [Tier; 5] = [first, bracketed, tagged, quoted, upper];
    tiers.into_iter().find_map(|tier| {
        let mut levels = words(text).filter(|(start, end)| tier(text, *start, *end));
        let mut levels = levels.by_ref().filter_map(|(start, end)| level_of(&text[start..end], known));
        let level = levels.next()?;
        Some(levels.all(|other| other == level).then_some(level))
    })?
}

fn level_of(word: &[u8], known: &Known) -> Option<Level> {
    known.own(word).or_else(|| match word {
        [letter] => b"TDIWEFC".contains(letter).then(|| Level::of(word)).flatten(),
        _ => strong(word),
    })
}

/// The words of letters.
fn words(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let start = at;
        at += text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        (start < at).then_some((start, at))
    })
}

fn is_upper(word: &[u8]) -> bool {
    word.len() > 1 && word.iter().all(|byte| !byte.is_ascii_lowercase())
}

/// `WARN: x`, `error: x`, `INFO x`
fn first(text: &[u8], start: usize, end: usize) -> bool {
    let is_first = text[..start].iter().all(|byte| b" \t".contains(byte));
    let next = text.get(end);
    let upper = is_upper(&text[start..end]) && next.is_none_or(|byte| b" :\t|,]".contains(byte));
    is_first
        && (upper
            || end - start > 1
                && next.is_some_and(|byte| b":|\t".contains(byte))
                && is_space(text.get(end + 1)))
}

fn is_space(byte: Option<&u8>) -> bool {
    byte.is_none_or(|byte| b" \t|".contains(byte))
}

/// `[error]`, `[ E ]`
fn bracketed(text: &[u8], start: usize, end: usize) -> bool {
    let before = text[..start].trim_ascii_end().last();
    let after = text[end..].trim_ascii_start().first();
    before == Some(&b'[') && after == Some(&b']')
}

/// `main:error `
fn tagged(text: &[u8], start: usize, end: usize) -> bool {
    let before = text[..start].iter().rev();
    let mut before = before.skip_while(|byte| **byte == b':');
    end - start > 1
        && start > 0
        && text[start - 1] == b':'
        && before.next().is_some_and(u8::is_ascii_alphanumeric)
        && text.get(end).is_none_or(|byte| *byte == b' ')
}

/// `"ERROR"`
fn quoted(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    is_upper(&text[start..end]) && before == Some(&b'"') && text.get(end) == Some(&b'"')
}

/// ` ERROR `, ` ERROR: x`, ` ERROR/`, but not `ERRORS=0`, nor `"GET /ERROR"`
fn upper(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(end);
    is_upper(&text[start..end])
        && before.is_none_or(|byte| b" \t[(|".contains(byte))
        && after
            .is_none_or(|byte| b" \t])|/-,.;".contains(byte) || *byte == b':' && is_space(text.get(end + 1)))
        && text[end..].trim_ascii_start().first() != Some(&b'=')
}
