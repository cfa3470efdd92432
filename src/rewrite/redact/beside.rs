//! Values that stand beside the name of their secret, as `{"name":"DB_PASSWORD","value":"…"}` and `["--password","…"]`.

use std::ops::Range;

use memchr::memrchr_iter;

use super::{
    context::is_name,
    pair::{bare_end, blanks, quoted},
    view::View,
};

/// Most members of an object between the name and its value.
const MEMBERS: usize = 8;

/// Most bytes from the name to its value.
const FAR: usize = 4096;

/// Most braces that might begin the object.
const BRACES: usize = 4;

/// Keys whose value is a name.
const NAMES: [&str; 9] =
    ["name", "key", "header", "field", "variable", "var", "param", "parameter", "property"];

/// A value that belongs to a name elsewhere.
pub struct Beside {
    pub value: usize,
    /// The quote behind its own key, if there is one.
    pub quote: Option<usize>,
}

/// The value of the name in this range, of which `dashes` begin it.
pub fn find(view: &View<'_>, range: Range<usize>, dashes: usize) -> Option<Beside> {
    let text = view.text();
    if dashes > 0 {
        return argument(text, range);
    }
    let quote = range.start.checked_sub(1).filter(|at| is_quote(text[*at]));
    let end = match quote {
        Some(quote) if text.get(range.end) != Some(&text[quote]) => return None,
        Some(_) => range.end + 1,
        None => range.end,
    };
    let key = key_before(text, quote.unwrap_or(range.start))?;
    behind(view, end).or_else(|| before(view, key))
}

/// Of a flag in a list: the next item, unless it is a flag too.
fn argument(text: &[u8], range: Range<usize>) -> Option<Beside> {
    let quote = text[range.start.checked_sub(1)?];
    if !is_quote(quote) || text.get(range.end) != Some(&quote) {
        return None;
    }
    let value = next(text, range.end + 1)?;
    let is_value = text.get(value) == Some(&quote) && text.get(value + 1) != Some(&b'-');
    is_value.then_some(Beside { value, quote: None })
}

/// The start of the key, as `"name":`, that stands before a value.
fn key_before(text: &[u8], value: usize) -> Option<usize> {
    let skip = |end: usize| {
        end - text[..end].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).take(8).count()
    };
    let sign = skip(value).checked_sub(1).filter(|at| matches!(text[*at], b':' | b'='))?;
    let end = skip(sign);
    let quote = end.checked_sub(1).filter(|at| is_quote(text[*at]));
    let end = quote.unwrap_or(end);
    let length = text[..end].iter().rev().take(16).take_while(|byte| is_name(**byte)).count();
    let key = &text[end - length..end];
    let is_key = NAMES.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()));
    is_key.then(|| end - length - usize::from(quote.is_some()))
}

/// The value that follows in the same object.
fn behind(view: &View<'_>, end: usize) -> Option<Beside> {
    let text = view.text();
    let limit = text.len().min(end + FAR);
    let mut at = next(text, end)?;
    for _ in 0..MEMBERS {
        let member = member(text, at)?;
        if member.is_value {
            return Some(member.beside);
        }
        at = next(text, end_of(view, member.beside.value, limit)?)?;
    }
    None
}

/// The value that stands before the key of the name in the same object.
fn before(view: &View<'_>, key: usize) -> Option<Beside> {
    let text = view.text();
    let first = key.saturating_sub(FAR);
    memrchr_iter(b'{', &text[first..key]).take(BRACES).find_map(|brace| {
        let mut found = None;
        let mut at = blanks(text, first + brace + 1);
        for _ in 0..MEMBERS {
            if at == key {
                return found;
            }
            let member = member(text, at).filter(|member| member.beside.value < key)?;
            at = next(text, end_of(view, member.beside.value, key)?)?;
            found = if member.is_value { Some(member.beside) } else { found };
        }
        None
    })
}

struct Member {
    is_value: bool,
    beside: Beside,
}

/// The member of an object that begins here: `"value":…`, `Value:…`, `value=…`
fn member(text: &[u8], at: usize) -> Option<Member> {
    let quote = text.get(at).copied().filter(|byte| is_quote(*byte));
    let start = at + usize::from(quote.is_some());
    let end = start + text[start..].iter().take(64).take_while(|byte| is_name(**byte)).count();
    let behind = match quote {
        Some(quote) if text.get(end) != Some(&quote) => return None,
        Some(_) => end + 1,
        None => end,
    };
    let sign = blanks(text, behind);
    let is_member = end > start && matches!(text.get(sign), Some(b':' | b'='));
    is_member.then(|| Member {
        is_value: text[start..end].eq_ignore_ascii_case(b"value"),
        beside: Beside { value: blanks(text, sign + 1), quote: quote.map(|_| end) },
    })
}

/// The end of the value that begins here. None: it has parts, or is longer than up to the limit.
fn end_of(view: &View<'_>, at: usize, limit: usize) -> Option<usize> {
    let text = view.text();
    match text.get(at)? {
        b'{' | b'[' => None,
        quote if is_quote(*quote) => {
            quoted(view, at, limit).filter(|inner| inner.end < limit).map(|inner| inner.end + 1)
        }
        _ => Some(bare_end(&text[..limit], at)),
    }
}

/// The start of the next member, behind a comma, blanks or a new line.
fn next(text: &[u8], end: usize) -> Option<usize> {
    let skip = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest.iter().take(64).take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let mut at = skip(end);
    if text.get(at) == Some(&b',') {
        at = skip(at + 1);
    }
    (at > end && at < text.len()).then_some(at)
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}
