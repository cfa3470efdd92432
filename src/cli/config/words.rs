//! `levels:` and `fields:` of the config file: a house's own words for levels, and its own keys.

use super::{Nested, Value};
use crate::fields::{Level, Role, Words};

/// The names of the roles.
const ROLES: [(&str, Role); 8] = [
    ("level", Role::Level),
    ("message", Role::Message),
    ("time", Role::Time),
    ("error", Role::Error),
    ("stack", Role::Stack),
    ("logger", Role::Logger),
    ("caller", Role::Caller),
    ("trace", Role::Trace),
];

/// An error in a line, counted from one.
pub(super) type Wrong = (u64, String);

/// Whether a key of the file holds such words; a list in `fields` is the flag.
pub(super) fn is_key(name: &str, value: &Value) -> bool {
    name == "levels" || name == "fields" && matches!(value, Value::Nested(_))
}

/// Takes the value of such a key that stands in this line.
pub(super) fn take(name: &str, line: u64, value: Value, words: &mut Words) -> Result<(), Wrong> {
    let entries = match value {
        Value::Absent => return Ok(()),
        Value::Nested(Nested::Map(entries)) => entries,
        _ if name == "levels" => {
            return Err((
                line,
                "levels: it takes words and their levels, such as {FEHLER: error}".to_owned(),
            ));
        }
        _ => return Err((line, "fields: it takes roles and their keys, such as {level: sev}".to_owned())),
    };
    for (key, value) in entries {
        let (key, line) = (key.value, key.defined.line());
        let wrong = |reason: String| (line, format!("{name}: {reason}"));
        match name {
            "levels" => {
                let level = level(&key, value).map_err(wrong)?;
                check(&key, &words.levels).map_err(wrong)?;
                words.levels.push((key.clone(), level));
            }
            _ => words.fields.push(field(&key, value).map_err(wrong)?),
        }
    }
    Ok(())
}

/// Whether a message can have this word as its level.
fn check(word: &str, others: &[(String, Level)]) -> Result<(), String> {
    let is_number = word.parse::<f64>().is_ok();
    if is_number && !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{word} is no whole number; levels are words, or numbers such as 35"));
    }
    let lower = word.to_lowercase();
    match others.iter().find(|(other, _)| other.to_lowercase() == lower) {
        Some((other, _)) => Err(format!("{other} and {word} are the same word; levels ignore case")),
        None => Ok(()),
    }
}

fn level(word: &str, value: Value) -> Result<Level, String> {
    let Value::One(name) = value else {
        return Err(format!("{word} needs one level, such as {word}: error"));
    };
    Level::of(name.as_bytes()).ok_or_else(|| none_of(&name, &Level::ALL.map(Level::name)))
}

fn field(name: &str, value: Value) -> Result<(Role, Vec<String>), String> {
    let role = ROLES.iter().find(|(known, _)| *known == name);
    let (_, role) = role.ok_or_else(|| none_of(name, &ROLES.map(|(name, _)| name)))?;
    let keys = match value {
        Value::One(key) => vec![key],
        Value::Many(keys) => keys,
        Value::Absent | Value::Nested(_) => Vec::new(),
    };
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(format!("{name} needs a key or a list of keys"));
    }
    // A path may begin with a dot, as it does in a condition.
    let keys: Vec<_> = keys.iter().map(|key| key.strip_prefix('.').unwrap_or(key).to_owned()).collect();
    if let Some(key) = keys.iter().find(|key| key.is_empty() || key.ends_with(']') && key.contains('[')) {
        return Err(format!("\"{key}\" is no key; an item of a list has none"));
    }
    Ok((*role, keys))
}

fn none_of(word: &str, words: &[&str]) -> String {
    let (last, others) = words.split_last().unwrap_or((&"", &[]));
    format!("\"{word}\" is none of {} or {last}", others.join(", "))
}
