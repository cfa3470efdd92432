//! Values of keys that ask for secrecy, as `password=…`, `"password":"…"`, `--password …`, `Authorization: …`,
//! `<password>…`.

use std::ops::Range;

use super::{
    beside,
    context::{ends_value, is_name, name},
    mask,
    nothing::is_nothing,
    view::View,
    words::{Secret, secret},
};
use crate::plan::redact::{Kind, Kinds};

/// Most blanks around a sign, and the longest key.
const BLANKS: usize = 8;
const LONGEST: usize = 64;

/// The longest attributes of an element.
const ATTRIBUTES: usize = 256;

/// Keys of the value of a secret that is an object.
const INNER: [&str; 7] = ["value", "plain", "plaintext", "raw", "text", "current", "new"];

/// Most values in a list.
const ITEMS: usize = 100;

/// Words before a key that make it the subject of a message, as in `unexpected token: }`.
const BEFORE: [&str; 9] =
    ["unexpected", "invalid", "illegal", "unknown", "expected", "bad", "unrecognized", "wrong", "next"];

/// Schemes of `Authorization`, which stay.
const SCHEMES: [&str; 11] = [
    "bearer",
    "basic",
    "token",
    "digest",
    "negotiate",
    "apikey",
    "aws4-hmac-sha256",
    "hawk",
    "oauth",
    "ntlm",
    "jwt",
];

/// The value of a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    pub place: Range<usize>,
    pub kind: Kind,
    /// Where it ends in the line, if it is in quotes: with all its backslashes.
    pub end: Option<usize>,
    /// It stands in JSON without quotes; here is the quote that ends its key.
    pub bare: Option<usize>,
}

/// What stands before a value.
pub struct Key {
    kind: Kind,
    pub secret: Secret,
    /// Whether a colon and a blank part it from its value, as in a sentence.
    pub is_loose: bool,
    /// The quote behind the name, if it is one of JSON.
    json: Option<usize>,
    pub is_exactly_secret: bool,
    /// Whether a short number is no secret, as in `token: 5`.
    pub counts: bool,
}

/// Gives the values of the key with the sign at `at`. No key before `done` is read again.
pub fn find(view: &View<'_>, at: usize, kinds: Kinds, done: &mut usize, mut found: impl FnMut(Value)) {
    let Some(range) = new_name(view.text(), at, done) else { return };
    if let Some((key, value)) = key(view, range).filter(|(key, _)| kinds.has(key.kind)) {
        values(view, &key, value, &mut found);
    }
}

/// The start of the value of the key with the sign at `at`, and the key.
pub fn personal<'v>(view: &'v View<'_>, at: usize, done: &mut usize) -> Option<(&'v [u8], usize)> {
    let text = view.text();
    let named = named(text, new_name(text, at, done)?)?;
    Some((named.word, named.value + usize::from(matches!(text.get(named.value), Some(b'"' | b'\'')))))
}

/// The name around the sign at `at`, unless it was read before.
fn new_name(text: &[u8], at: usize, done: &mut usize) -> Option<Range<usize>> {
    let start = at - name(text, at).len();
    let length = text[at..].iter().take(LONGEST).take_while(|byte| is_name(**byte)).count();
    let end = at + length;
    let is_new = end > *done && length < LONGEST;
    *done = end.max(*done);
    is_new.then_some(start..end)
}

/// The password in quotes behind `IDENTIFIED BY`, of which the words at `at` are the end.
pub fn of_sql(view: &View<'_>, at: usize) -> Option<Range<usize>> {
    let place = quoted(view, blanks(view.text(), at + "FIED BY".len()), view.text().len())?;
    (!place.is_empty() && mask::length(&view.text()[place.clone()]).is_none()).then_some(place)
}

/// A name, and the sign that makes it a key.
struct Named<'t> {
    word: &'t [u8],
    /// The quote behind the name.
    quote: Option<usize>,
    sign: usize,
    value: usize,
    is_loose: bool,
}

fn named(text: &[u8], range: Range<usize>) -> Option<Named<'_>> {
    // A name may begin with the dashes of a flag.
    let dashes = dashes(&text[range.clone()]);
    let word = trim_dots(&text[range.start + dashes..range.end]);
    let quote =
        text.get(range.end).is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`')).then_some(range.end);
    let end = quote.map_or(range.end, |quote| quote + 1);
    let end = bracket(text, range.start, end);
    let sign = blanks(text, end);
    if let Some(value) = element(text, range.start, range.end) {
        return Some(Named { word, quote, sign: value - 1, value, is_loose: false });
    }
    let (signs, is_loose) = match &text[sign..] {
        [b'=', b'>' | b'=', ..] | [b':', b'=', ..] => (2, false),
        [b':', b':', ..] => return None,
        [b'=', ..] => (1, false),
        [b':', after, ..] => (1, quote.is_none() && *after == b' '),
        // `--password hunter2`
        [_, ..] if dashes == 2 && quote.is_none() && sign > range.end => (0, false),
        // `ALTER USER x PASSWORD 'y'`
        [b'\'', ..] if sign > range.end && quote.is_none() && word.eq_ignore_ascii_case(b"password") => {
            (0, false)
        }
        _ => return None,
    };
    Some(Named { word, quote, sign, value: blanks(text, sign + signs), is_loose })
}

/// The end of a bracket that a name stands in or that follows it: `user[password]=`, `password[0]=`.
fn bracket(text: &[u8], start: usize, end: usize) -> usize {
    let opened = matches!(text[..start], [.., b'['] | [.., b'[', b'"' | b'\'']);
    if opened && text.get(end) == Some(&b']') {
        return end + 1;
    }
    let Some(rest) = text[end..].strip_prefix(b"[") else { return end };
    let digits = rest.iter().take(BLANKS).take_while(|byte| byte.is_ascii_digit()).count();
    if rest.get(digits) == Some(&b']') { end + digits + 2 } else { end }
}

/// The start of the text of an element with this name: `<password>`, `<a:Password type="x">`.
fn element(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let before = &text[..start];
    let space = before
        .strip_suffix(b":")
        .map_or(before, |before| &before[..before.len() - name(before, before.len()).len()]);
    let rest = &text[end..];
    let close = rest.iter().take(ATTRIBUTES).position(|byte| matches!(byte, b'<' | b'>'))?;
    let is_open = rest[close] == b'>' && !rest[..close].ends_with(b"/") && (close == 0 || rest[0] == b' ');
    (is_open && space.ends_with(b"<") && !space.ends_with(b"=<")).then_some(end + close + 1)
}

/// The key in this range, and the start of its value.
fn key(view: &View<'_>, range: Range<usize>) -> Option<(Key, usize)> {
    let text = view.text();
    let start = range.start;
    let Some(Named { word, quote, sign, value, is_loose }) = named(text, range.clone()) else {
        return key_beside(view, range);
    };
    let secret = secret(word)?;
    let is_parameter = start > 0 && matches!(text[start - 1], b'?' | b'&') && text[sign] == b'=';
    if secret == Secret::Parameter && !is_parameter {
        return None;
    }
    if word.windows(3).any(mask::is_bracket) || is_loose && is_subject(text, start) {
        return None;
    }
    let json = quote.filter(|quote| text[*quote] == b'"' && text[sign] == b':');
    Some((Key::new(word, secret, is_loose, json), value))
}

/// The same for a key that is the value of another one, as in `"name":"DB_PASSWORD","value":"…"`.
fn key_beside(view: &View<'_>, range: Range<usize>) -> Option<(Key, usize)> {
    let text = view.text();
    let dashes = dashes(&text[range.clone()]);
    let word = trim_dots(&text[range.start + dashes..range.end]);
    let secret = secret(word).filter(|secret| *secret != Secret::Parameter)?;
    let beside = beside::find(view, range, dashes)?;
    let json = beside.quote.filter(|quote| text[*quote] == b'"');
    Some((Key::new(word, secret, false, json), beside.value))
}

impl Key {
    fn new(word: &[u8], secret: Secret, is_loose: bool, json: Option<usize>) -> Key {
        let is_header = matches!(secret, Secret::Authorization | Secret::Cookie | Secret::Parameter);
        let is_exactly_secret = word.eq_ignore_ascii_case(b"secret");
        Key {
            kind: if is_header { Kind::Auth } else { Kind::Password },
            secret,
            is_loose,
            json,
            is_exactly_secret,
            counts: ends_with(word, b"token")
                || word.eq_ignore_ascii_case(b"pass")
                || ends_with(word, b"secret"),
        }
    }
}

fn values(view: &View<'_>, key: &Key, at: usize, found: &mut impl FnMut(Value)) {
    let text = view.text();
    match text.get(at) {
        None => {}
        Some(b'{') if key.json.is_some() => object(view, key, at, found),
        Some(b'{' | b'<') => enclosed(view, key, at, found),
        Some(b'[') => {
            let mut next = at + 1;
            for _ in 0..ITEMS {
                let item = blanks(text, next);
                match text.get(item) {
                    Some(b',') => next = item + 1,
                    None | Some(b']') => break,
                    Some(_) => next = value(view, key, item, found).max(item + 1),
                }
            }
        }
        Some(_) => {
            value(view, key, at, found);
        }
    }
}

/// Gives the values of an object, as in `"password":{"value":"…"}`.
fn object(view: &View<'_>, key: &Key, at: usize, found: &mut impl FnMut(Value)) {
    let text = view.text();
    let mut next = blanks(text, at + 1);
    for _ in 0..ITEMS {
        let Some(inner) = quoted_name(text, next) else { return };
        let sign = blanks(text, inner.end + 1);
        if text.get(sign) != Some(&b':') {
            return;
        }
        let start = blanks(text, sign + 1);
        if matches!(text.get(start), None | Some(b'{' | b'[')) {
            return;
        }
        let is_value = INNER.iter().any(|name| text[inner.clone()].eq_ignore_ascii_case(name.as_bytes()));
        let key = Key { json: Some(inner.end), ..*key };
        let end = value(view, &key, start, &mut |value| {
            if is_value {
                found(value);
            }
        });
        let end = blanks(text, end);
        if text.get(end) != Some(&b',') {
            return;
        }
        next = blanks(text, end + 1);
    }
}

/// A name in quotes.
fn quoted_name(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?.strip_prefix(b"\"")?;
    let length = rest.iter().take(LONGEST).take_while(|byte| is_name(**byte)).count();
    (rest.get(length) == Some(&b'"')).then_some(at + 1..at + 1 + length)
}

/// Gives the value between `{` and `}` or `<` and `>`, unless it is an object, an element, or stands for a value.
fn enclosed(view: &View<'_>, key: &Key, at: usize, found: &mut impl FnMut(Value)) {
    let text = view.text();
    let close = if text[at] == b'{' { b'}' } else { b'>' };
    let inner = &text[at + 1..];
    let is_inner = |byte: &u8| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b':' | b'=' | b'{' | b'<' | b'/')
    };
    let length = inner.iter().take(ATTRIBUTES).take_while(|byte| **byte != close && is_inner(byte)).count();
    let is_closed = length > 0 && inner.get(length) == Some(&close) && !text[..at].ends_with(b">");
    if is_closed && secret(&inner[..length]).is_none() && !is_nothing(key, &inner[..length], true) {
        found(Value { place: at + 1..at + 1 + length, kind: key.kind, end: None, bare: None });
    }
}

/// Gives the value that begins here; its end.
fn value(view: &View<'_>, key: &Key, at: usize, found: &mut impl FnMut(Value)) -> usize {
    let text = view.text();
    let quoted = quoted(view, at, text.len());
    let (mut place, end) = match &quoted {
        Some(inner) => (inner.clone(), inner.end + 1),
        None => {
            let start = at + usize::from(matches!(text[at], b'"' | b'\'' | b'`'));
            let end = bare_end(text, start);
            (start..end, end)
        }
    };
    if key.secret == Secret::Authorization {
        place.start += scheme(&text[place.clone()], &text[place.start..]);
        if quoted.is_none() && place.start >= place.end {
            place.end = bare_end(text, place.start);
        }
    }
    if quoted.is_none() && matches!(key.secret, Secret::Authorization | Secret::Cookie) {
        place.end = all_parts(text, place.end).max(parameters(text, place.start));
    }
    if quoted.is_none() && text[..at].ends_with(b">") && !text[..at].ends_with(b"=>") {
        // The text of an element may have blanks.
        let length = memchr::memchr2(b'<', b'\n', &text[at..text.len().min(at + ATTRIBUTES)]);
        let length = length.filter(|length| text[at + length..].starts_with(b"</"));
        place.end = length.map_or(place.end, |length| place.end.max(at + length));
    }
    let bare = key.json.filter(|_| quoted.is_none() && text[at] != b'"' && ends_value(text, place.end));
    if !place.is_empty() && !is_nothing(key, &text[place.clone()], quoted.is_some()) {
        let closed = quoted.as_ref().map(|inner| inner.end).filter(|end| *end < text.len());
        let end = closed.map(|quote| view.end_of_string(view.backslashes(at), quote));
        found(Value { place: place.clone(), kind: key.kind, end, bare });
    }
    place.end.max(end)
}

/// The inside of the quotes that begin here, up to a limit.
pub fn quoted(view: &View<'_>, at: usize, limit: usize) -> Option<Range<usize>> {
    let text = &view.text()[..limit];
    let quote = *text.get(at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let opened = view.backslashes(at);
    let is_in_json = text.first() == Some(&b'{') && quote != b'"';
    for next in memchr::memchr2_iter(quote, b'"', &text[at + 1..]).map(|next| at + 1 + next) {
        if text[next] != quote {
            if is_in_json {
                return None;
            }
        } else if view.ends_string(opened, next) {
            return Some(at + 1..next);
        }
    }
    // A string that was cut has no end.
    (quote == b'"').then_some(at + 1..text.len())
}

/// The end of a value without quotes.
pub fn bare_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        let after = text.get(at + 1);
        let ends = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'<' | b'&' => true,
            // One within a word ends nothing.
            b'"' | b'\'' | b'`' => at == start || !after.is_some_and(u8::is_ascii_alphanumeric),
            b',' | b';' => {
                after.is_none_or(|after| after.is_ascii_whitespace() || matches!(after, b'"' | b'\'' | b'{'))
                    || is_key(&text[at + 1..])
            }
            b')' | b'}' | b']' => after.is_none_or(|after| {
                after.is_ascii_whitespace()
                    || matches!(
                        after,
                        b',' | b';' | b')' | b'}' | b']' | b'.' | b':' | b'"' | b'\'' | b'&' | b'<'
                    )
            }),
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

/// Whether another key begins here.
fn is_key(text: &[u8]) -> bool {
    let length = text.iter().take(LONGEST / 2).take_while(|byte| is_name(**byte)).count();
    length > 0 && matches!(text.get(length), Some(b'=' | b':'))
}

/// The end of a header's value, of which this is the end of the first part: parts are joined by `; ` or `, `.
fn all_parts(text: &[u8], mut end: usize) -> usize {
    while let [b';' | b',', b' ', next, ..] = text[end..] {
        if !next.is_ascii_alphanumeric() && next != b'_' {
            break;
        }
        let part = bare_end(text, end + 2);
        if part == end + 2 {
            break;
        }
        end = part;
    }
    end
}

/// The end of `username="x", response="…"`, which begins at `at`.
fn parameters(text: &[u8], mut at: usize) -> usize {
    let mut end = at;
    for _ in 0..ITEMS {
        let sign = at + text[at..].iter().take(LONGEST).take_while(|byte| is_name(**byte)).count();
        if sign == at || text.get(sign) != Some(&b'=') {
            break;
        }
        end = match text.get(sign + 1) {
            Some(b'"') => match memchr::memchr(b'"', &text[sign + 2..]) {
                Some(length) => sign + 2 + length + 1,
                None => break,
            },
            _ => bare_end(text, sign + 1),
        };
        if text.get(end) != Some(&b',') {
            break;
        }
        at = blanks(text, end + 1);
    }
    end
}

/// The length of the scheme that a value begins with, and of the blanks behind it.
fn scheme(value: &[u8], rest: &[u8]) -> usize {
    let word = value.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let is_scheme = SCHEMES.iter().any(|scheme| value[..word].eq_ignore_ascii_case(scheme.as_bytes()));
    let blanks = rest[word..].iter().take(BLANKS).take_while(|byte| matches!(byte, b' ' | b'+')).count();
    if is_scheme && blanks > 0 { word + blanks } else { 0 }
}

/// Whether the word before a key makes it the subject of a message.
fn is_subject(text: &[u8], start: usize) -> bool {
    // A type of Kubernetes, as in `list *v1.Secret: …`.
    if text[..start].ends_with(b"*") || text[start..].starts_with(b"v1.") {
        return true;
    }
    let before = text[..start].strip_suffix(b" ").unwrap_or_default();
    let word = name(before, before.len());
    BEFORE.iter().any(|subject| word.eq_ignore_ascii_case(subject.as_bytes()))
}

/// The place behind the blanks. A value without its end ends behind the text.
pub fn blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(BLANKS).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn dashes(word: &[u8]) -> usize {
    word.iter().take_while(|byte| **byte == b'-').count()
}

fn trim_dots(mut word: &[u8]) -> &[u8] {
    while let [b'.', rest @ ..] | [rest @ .., b'.'] = word {
        word = rest;
    }
    word
}

fn ends_with(word: &[u8], end: &[u8]) -> bool {
    word.len() >= end.len() && word[word.len() - end.len()..].eq_ignore_ascii_case(end)
}
