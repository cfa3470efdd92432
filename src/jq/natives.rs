//! The functions of jq that are replaced: those that would end or disturb this program, that compile a regular
//! expression at each call, or that take as long as they like.

use std::collections::HashMap;

use jaq_core::{
    Cv, Error, Exn, RunPtr, ValX, ValXs,
    native::{self, Filter, Fun, bome, v},
};
use jaq_json::{Map, Num, Val, read};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::{json, paths, program::Kind};

/// Compiled expressions that are kept: a program has a few.
const KEPT: usize = 100;
/// As everywhere, the bytes that an expression may take.
const SIZE_LIMIT: usize = 16 << 20;
/// Deeper texts are not read: the interpreter reads by recursion, and a log line is a foreign text.
const DEEPEST: usize = 128;
/// Most bytes of a string, elements of a collection, and bits of a number.
const LARGEST: usize = 64 << 20;
const MOST_ITEMS: usize = 4 << 20;
const MOST_BITS: u64 = 1 << 16;
/// Greater floats are not always the integer that they show.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// All functions, the replaced ones in place of the interpreter's.
pub fn natives() -> impl Iterator<Item = Fun<Kind>> {
    let own = [replaced(), unavailable()].map(<[_]>::into_vec).into_iter().flatten();
    let own: Vec<Filter<RunPtr<Kind>>> = own.collect();
    let names: Vec<_> = own.iter().map(|(name, ..)| *name).collect();
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(move |(name, ..)| !names.contains(name))
        .chain(own.into_iter().map(native::run::<Kind>))
}

fn unavailable() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("halt", v(1), |_| refused("halt")),
        ("env", v(0), |_| refused("env")),
        ("stderr_empty", v(0), |_| refused("stderr")),
        ("debug_empty", v(0), |_| refused("debug")),
    ])
}

fn refused<'a>(name: &str) -> ValXs<'a, Val> {
    bome(Err(Error::str(format_args!("{name} is not available here"))))
}

fn replaced() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("range", v(3), |cv| range(cv)),
        ("fromjson", v(0), |cv| fromjson(&cv.1)),
        ("tojson", v(0), |cv| bome(json_text(&cv.1))),
        ("__setpath", v(2), |mut cv| {
            let (new, path) = (cv.0.pop_var(), cv.0.pop_var());
            let Val::Arr(path) = path else { return bome(Err(Error::typ(path, "array"))) };
            bome(paths::set(&mut cv.1, &path, new).map(|()| cv.1))
        }),
        ("__delpaths", v(1), |mut cv| {
            let gone = cv.0.pop_var();
            bome(paths::delete(&mut cv.1, &gone).map(|()| cv.1))
        }),
        ("__text", v(0), |cv| bome(as_text(cv.1))),
        ("__key", v(0), |cv| bome(as_key(cv.1))),
        ("__sized", v(0), |cv| bome(sized(cv.1))),
        ("__whole", v(0), |cv| bome(Ok(whole(cv.1)))),
        ("__times", v(2), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            bome(times(left, right))
        }),
        ("matches", v(2), |cv| bome(matched(cv, Parts::Matches))),
        ("split_matches", v(2), |cv| bome(matched(cv, Parts::Both))),
        ("split_", v(2), |cv| bome(matched(cv, Parts::Rests))),
    ])
}

/// As the interpreter's, but each number is a step.
fn range<'a>(mut cv: Cv<'a, Kind>) -> ValXs<'a, Val> {
    let by = cv.0.pop_var();
    let to = cv.0.pop_var();
    let mut from: ValX<Val> = Ok(cv.0.pop_var());
    let state = cv.0.data().state();
    let zero = Val::from(0_usize);
    Box::new(std::iter::from_fn(move || {
        state.step();
        let here = match from.clone() {
            Ok(here) => here,
            Err(error) => {
                from = Ok(to.clone());
                return Some(Err(error));
            }
        };
        let goes_on = match by.cmp(&zero) {
            std::cmp::Ordering::Greater => here < to,
            std::cmp::Ordering::Less => here > to,
            std::cmp::Ordering::Equal => here != to,
        };
        goes_on.then(|| std::mem::replace(&mut from, (here + by.clone()).map_err(Exn::from)))
    }))
}

fn fromjson<'a>(value: &Val) -> ValXs<'a, Val> {
    let Val::TStr(text) = value else {
        return bome(Err(Error::typ(value.clone(), "string")));
    };
    if is_deep(text) {
        return bome(Err(Error::str(deep())));
    }
    let fail = |error| Error::str(format_args!("cannot parse {value} as JSON: {error}"));
    #[allow(clippy::needless_collect, reason = "the results live longer than the text")]
    let values: Result<Vec<Val>, Exn<Val>> =
        read::parse_many(text).map(|value| value.map_err(fail).map_err(Exn::from)).collect();
    // Behind an error the reader would give it again and again.
    match values {
        Ok(values) => Box::new(values.into_iter().map(Ok)),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

fn json_text(value: &Val) -> Result<Val, Error<Val>> {
    let mut text = Vec::new();
    json::append(value, &mut text).map_err(|_| too_large())?;
    Ok(Val::utf8_str(text))
}

fn as_text(value: Val) -> Result<Val, Error<Val>> {
    match value {
        Val::TStr(_) => Ok(value),
        Val::BStr(bytes) => Ok(Val::utf8_str(bytes.to_vec())),
        value => json_text(&value),
    }
}

fn as_key(value: Val) -> Result<Val, Error<Val>> {
    match value {
        Val::TStr(_) => Ok(value),
        value => Err(Error::str(format_args!("cannot use {value} as an object key"))),
    }
}

fn too_large() -> Error<Val> {
    Error::str("a value becomes too large")
}

/// A value that may double at each step has a bound.
fn sized(value: Val) -> Result<Val, Error<Val>> {
    let is_small = match &value {
        Val::TStr(text) | Val::BStr(text) => text.len() <= LARGEST,
        Val::Arr(items) => items.len() <= MOST_ITEMS,
        Val::Obj(map) => map.len() <= MOST_ITEMS,
        _ => true,
    };
    if is_small { Ok(value) } else { Err(too_large()) }
}

fn times(left: Val, right: Val) -> Result<Val, Error<Val>> {
    let digits = |value: &Val| match value {
        Val::Num(Num::BigInt(number)) => number.bits(),
        _ => 0,
    };
    if digits(&left) + digits(&right) > MOST_BITS {
        return Err(too_large());
    }
    if let (Val::TStr(text) | Val::BStr(text), Val::Num(number))
    | (Val::Num(number), Val::TStr(text) | Val::BStr(text)) = (&left, &right)
    {
        let times = match number {
            Num::BigInt(_) => usize::MAX,
            number => number.as_isize().map_or(0, |times| usize::try_from(times).unwrap_or_default()),
        };
        if text.len().saturating_mul(times) > LARGEST {
            return Err(too_large());
        }
    }
    (left * right).and_then(sized)
}

/// A float without a fraction is an integer.
fn whole(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(number)) if number.fract() == 0.0 && number.abs() < EXACT => {
            Val::Num(Num::Int(number as isize))
        }
        value => value,
    }
}

pub fn deep() -> String {
    format!("it is nested deeper than {DEEPEST}")
}

/// Whether a JSON text is nested too deeply to be read.
pub fn is_deep(text: &[u8]) -> bool {
    if text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() <= DEEPEST {
        return false;
    }
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    text.iter().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Compiled expressions by their flags and text.
#[derive(Default)]
pub struct Regexes(HashMap<(String, String), Regex>);

impl Regexes {
    fn get(&mut self, expression: &str, flags: &str) -> Result<Regex, Error<Val>> {
        let key = (flags.to_owned(), expression.to_owned());
        if let Some(regex) = self.0.get(&key) {
            return Ok(regex.clone());
        }
        let has = |flag| flags.contains(flag);
        let regex = RegexBuilder::new(expression)
            .case_insensitive(has('i'))
            .multi_line(has('m') || has('p'))
            .dot_matches_new_line(has('s') || has('p'))
            .swap_greed(has('l'))
            .ignore_whitespace(has('x'))
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                Error::str(format_args!("invalid regex: {}", last.trim_start_matches("error: ")))
            })?;
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(key, regex.clone());
        Ok(regex)
    }
}

/// The parts of a text that are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    Matches,
    /// What stands between matches.
    Rests,
    Both,
}

fn matched(mut cv: Cv<Kind>, parts: Parts) -> Result<Val, Error<Val>> {
    let (flags, expression) = (cv.0.pop_var(), cv.0.pop_var());
    let flags = text(&flags).map_or(if matches!(flags, Val::Null) { Ok("") } else { Err(()) }, Ok);
    let flags = flags.map_err(|()| Error::str("the flags of a regex are a string"))?;
    if let Some(flag) = flags.chars().find(|flag| !"gnimslxp".contains(*flag)) {
        return Err(Error::str(format_args!("invalid regex flag: {flag}")));
    }
    let expression = text(&expression).ok_or_else(|| Error::typ(expression.clone(), "string"))?;
    let regex = cv.0.data().state().regexes.borrow_mut().get(expression, flags)?;
    let Val::TStr(input) = &cv.1 else { return Err(Error::typ(cv.1.clone(), "string")) };
    let slice = |start: usize, end: usize| Val::utf8_str(input.slice(start..end));
    let mut characters = Characters::default();
    let (mut out, mut last) = (Vec::new(), 0);
    for captures in regex.captures_iter(input) {
        let Some(whole) = captures.get(0) else { continue };
        if flags.contains('n') && whole.is_empty() {
            continue;
        }
        if parts != Parts::Matches {
            out.push(slice(last, whole.start()));
            last = whole.end();
        }
        if parts != Parts::Rests {
            out.push(groups(&regex, &captures, input, &mut characters, &slice));
        }
        if !flags.contains('g') {
            break;
        }
    }
    if parts != Parts::Matches {
        out.push(slice(last, input.len()));
    }
    Ok(out.into_iter().collect())
}

fn text(value: &Val) -> Option<&str> {
    match value {
        Val::TStr(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// A match and its groups, as the interpreter's definitions expect them.
fn groups(
    regex: &Regex,
    captures: &Captures,
    input: &[u8],
    characters: &mut Characters,
    slice: &impl Fn(usize, usize) -> Val,
) -> Val {
    let start = characters.before(input, captures.get(0).map_or(0, |whole| whole.start()));
    let offset = captures.get(0).map_or(0, |whole| whole.start());
    let group = |(group, name): (Option<regex::bytes::Match>, Option<&str>)| {
        let group = group?;
        let skipped = count(&input[offset.min(group.start())..group.start()]);
        let mut map = Map::default();
        let mut set = |key: &str, value: Val| map.insert(Val::from(key.to_owned()), value);
        set("offset", Val::from(start + skipped));
        set("length", Val::from(count(group.as_bytes())));
        set("string", slice(group.start(), group.end()));
        if let Some(name) = name {
            set("name", Val::from(name.to_owned()));
        }
        Some(Val::obj(map))
    };
    captures.iter().zip(regex.capture_names()).filter_map(group).collect()
}

/// Counts the characters of a text from its start on, each once.
#[derive(Default)]
struct Characters {
    at: usize,
    count: usize,
}

impl Characters {
    fn before(&mut self, text: &[u8], at: usize) -> usize {
        self.count += count(&text[self.at.min(at)..at]);
        self.at = at;
        self.count
    }
}

/// The number of characters.
fn count(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}
