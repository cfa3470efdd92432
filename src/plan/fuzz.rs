//! Expressions of the command line and of the config file.

use goregex::NEST_LIMIT;
use regex::bytes::RegexBuilder;

use crate::search::Matcher;

use super::{LinePattern, colors, duration, name, pattern, query as queries, selector, size};
use crate::fuzz::{assert_one_line, two};

fn texts(input: &[u8]) -> Option<(&str, &str)> {
    let (one, other) = two(input);
    Some((std::str::from_utf8(one).ok()?, std::str::from_utf8(other).ok()?))
}

/// A pattern of Go is one of the regex crate as well, and means the same where both have the same syntax.
pub fn regex(input: &[u8]) {
    let Some((typed, line)) = texts(input) else { return };
    let Ok(translated) = goregex::translate(typed) else { return };
    // Larger ones are compiled too, which takes time.
    let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(1 << 20).nest_limit(NEST_LIMIT).build();
    let embedded = match build(&format!("(?:{})", translated.text)) {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => return,
        Err(error) => panic!("{} for {typed}: {error}", translated.text),
    };
    assert_eq!(embedded.captures_len(), 1, "it captures nothing");
    let pattern = LinePattern::new(typed);
    let matches = pattern.is_ok_and(|pattern| Matcher::new(&pattern).is_match(line.as_bytes()) == Ok(true));
    assert_eq!(matches, embedded.is_match(line.as_bytes()));
    assert_eq!(pattern::name(typed).is_ok_and(|pattern| pattern.is_match(line)), matches);
    let is_common = |byte: u8| byte.is_ascii_alphanumeric() || b"|()*+?^$. _/".contains(&byte);
    if typed.bytes().all(is_common)
        && !typed.contains("(?")
        && let Ok(regex) = build(typed)
    {
        assert_eq!(regex.is_match(line.as_bytes()), matches, "{typed} on {line:?}");
    }
}

/// What is read is the same when it is written and read again; what is refused is refused in one line.
pub fn expressions(input: &[u8]) {
    let Some((text, other)) = texts(input) else { return };
    selectors(text, other);
    query(text);
    if let Ok(read) = duration::parse(text) {
        assert!(read.as_nanos() <= i64::MAX as u128);
        assert_eq!(duration::parse(&format!("{}ns", read.as_nanos())), Ok(read));
    }
    if let Ok(read) = size::parse(text) {
        assert_eq!(size::parse(&read.to_string()), Ok(read));
    }
    if let Ok(Some(pairs)) =
        colors::pairs(text.split(','), other.split(',').filter(|color| !color.is_empty()))
    {
        let mut bytes =
            pairs.iter().flat_map(|(pod, container)| [pod, container]).flat_map(|sgr| sgr.bytes());
        assert!(bytes.all(|byte| byte.is_ascii_digit() || byte == b';'));
    }
    if name::is_label(text) {
        assert!(name::is_subdomain(text) && name::is_qualified(text) && name::is_label_value(text));
    }
    if name::is_subdomain(text) {
        assert!(text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')));
    }
}

/// A selector that is taken has only characters that stand in selectors, and can stand beside another.
fn selectors(one: &str, other: &str) {
    let is_fine = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'));
    if let Ok(labels) = selector::check_labels(one) {
        assert!(is_fine(&labels));
        assert!(one.trim().is_empty() || selector::check_labels(&format!(" {one} ,a=b")).is_ok());
    }
    if let (Ok(_), Ok(_)) = (selector::check_fields(one), selector::check_fields(other)) {
        assert!(selector::check_fields(&format!("{one},{other}")).is_ok());
    }
}

/// A query is taken or refused in one line; the name of an object is one that a request can hold.
fn query(text: &str) {
    match queries::parse(text) {
        Ok(queries::Query::Pod(name) | queries::Query::Resource { name, .. }) => {
            assert!(name::is_subdomain(&name));
        }
        Ok(queries::Query::Regex(_)) => {}
        Err(reason) => assert_one_line(&refused(reason)),
    }
}

/// The message for a wrong value.
pub fn refused(reason: String) -> String {
    super::error(reason).to_string()
}
