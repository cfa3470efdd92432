//! The config file: flags, by their long names, that apply unless the command line gives them.

mod words;

use std::{
    ffi::OsStr,
    fmt, io,
    path::{MAIN_SEPARATOR_STR, Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Spanned, UserMessageFormatter};

use super::{
    args::Args,
    flags::{self, Entry, logs, other, output},
    hints,
    places::Places,
    words::Given,
};
use crate::{environment::Environment, fields::Words, small_file, usage_error::UsageError, without_number};

/// In the home directory; the first that exists is read.
const PATHS: [&str; 2] = [".config/stern-rs/config.yaml", ".config/stern/config.yaml"];

/// Flags that exclude each other; one of them on the command line overrides all in the file.
static ALTERNATIVES: [&[&Entry]; 2] = [
    &[&logs::SINCE.entry, &logs::SINCE_TIME.entry],
    &[&output::OUTPUT.entry, &output::TEMPLATE.entry, &output::TEMPLATE_FILE.entry],
];

/// The flags that a config file adds to a command line.
#[derive(Debug, Default)]
pub struct Defaults {
    pub flags: Vec<Given>,
    /// For standard error.
    pub warnings: Vec<String>,
    pub places: Places,
    /// Levels and keys in logs.
    pub words: Words,
}

/// Reads the file named by `$STERNCONFIG`, else by `--config`, else one of the default files if it exists. Flags that
/// `args` have are left out.
pub fn defaults(args: &Args, env: &Environment) -> Result<Defaults, UsageError> {
    if let Some((path, text)) = explicit(args.get(&other::CONFIG), env)? {
        return read(path, &text, args);
    }
    match usual(env) {
        Ok(Some((path, text))) => read(path, &text, args),
        Ok(None) => Ok(Defaults::default()),
        // The user did not name this file, and the home directory may be another user's.
        Err(warning) => Ok(Defaults { warnings: vec![warning], ..Defaults::default() }),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    let reason = without_number(error);
    let (first, rest) = reason.split_at(reason.chars().next().map_or(0, char::len_utf8));
    format!("cannot read {}: {}{rest}", path.display(), first.to_lowercase())
}

/// As in stern, the variable takes precedence over the flag.
fn explicit(named: Option<&OsStr>, env: &Environment) -> Result<Option<(PathBuf, Vec<u8>)>, UsageError> {
    let variable = env.stern_config.as_deref().filter(|path| !path.is_empty());
    let flag = named.filter(|path| !path.is_empty());
    let variable = variable.map(|path| ("STERNCONFIG", path));
    let Some((source, path)) = variable.or(flag.map(|path| ("--config", path))) else { return Ok(None) };
    let wrong = |reason: String| UsageError::new(format!("{source}: {reason}"));
    let path = env.expand(path).map_err(wrong)?;
    let text = small_file::read(&path).map_err(|error| wrong(cannot_read(&path, &error)))?;
    Ok(Some((path, text)))
}

/// The error is a warning.
fn usual(env: &Environment) -> Result<Option<(PathBuf, Vec<u8>)>, String> {
    let Some(home) = &env.home else { return Ok(None) };
    for path in PATHS.map(|path| home.join(path.replace('/', MAIN_SEPARATOR_STR))) {
        match small_file::read(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(format!("{}; continuing without it", cannot_read(&path, &error))),
        }
    }
    Ok(None)
}

/// An error in this line, counted from one; 0 is the whole file.
fn wrong(path: &Path, line: u64, reason: &str) -> UsageError {
    let line = if line > 0 { format!(":{line}") } else { String::new() };
    UsageError::new(format!("{}{line}: {reason}", path.display()))
}

fn entries(path: &Path, text: &[u8]) -> Result<Entries, UsageError> {
    // As in YAML 1.2 and in Go, `no` is a word.
    let options = serde_saphyr::options! { strict_booleans: true };
    let entries: Option<Entries> = serde_saphyr::from_slice_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let words = error.without_snippet().render_with_formatter(&UserMessageFormatter);
        let words = words.lines().next().unwrap_or_default();
        let words = words.split(" at line ").next().unwrap_or_default();
        wrong(path, line, &format!("{words}; a config file is YAML such as tail: 10"))
    })?;
    Ok(entries.unwrap_or(Entries(Vec::new())))
}

pub(super) fn read(path: PathBuf, text: &[u8], args: &Args) -> Result<Defaults, UsageError> {
    let wrong = |line: u64, reason: &str| wrong(&path, line, reason);
    let mut defaults = Defaults::default();
    for (key, value) in entries(&path, text)?.0 {
        let (name, line) = (key.value, key.defined.line());
        if words::is_key(&name, &value) {
            let taken = words::take(&name, line, value, &mut defaults.words);
            taken.map_err(|(line, reason)| wrong(line, &reason))?;
            continue;
        }
        let known = flags::long(&name);
        let Some(flag) = known.filter(|flag| !flag.is_in(&other::GROUP)) else {
            let hint = match hints::nearest(&name) {
                _ if known.is_some() => "only the command line can give it".to_owned(),
                Some(near) => format!("did you mean {near}?"),
                None => "keys are the long names of flags".to_owned(),
            };
            defaults.warnings.push(wrong(line, &format!("{name} is ignored; {hint}")).to_string());
            continue;
        };
        let alternatives = ALTERNATIVES.into_iter().find(|flags| flags.contains(&flag)).unwrap_or_default();
        if args.has(flag) || alternatives.iter().any(|other| args.has(other)) {
            continue;
        }
        let values = match value {
            Value::Absent => continue,
            Value::One(value) => vec![value],
            Value::Many(values) if flag.repeats => values,
            Value::Many(_) => return Err(wrong(line, &format!("{name}: it takes one value, not a list"))),
            Value::Nested(_) => {
                return Err(wrong(line, &format!("{name}: it takes a value or a list of values")));
            }
        };
        let given = |value: String| Given { flag, value: Some(value.into()) };
        defaults.flags.extend(values.into_iter().map(given));
        defaults.places.lines.push((name, line));
    }
    defaults.places.path = path;
    Ok(defaults)
}

/// The content of the file, in its order.
struct Entries(Vec<(Spanned<String>, Value)>);

enum Value {
    /// Nothing after the colon.
    Absent,
    One(String),
    Many(Vec<String>),
    Nested(Nested),
}

/// More than a list of values.
enum Nested {
    Map(Vec<(Spanned<String>, Value)>),
    List,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("flags and their values, such as tail: 10")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

/// Numbers and booleans are formatted as Go does.
impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::One(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::One(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::One(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::One(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::One(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Some(Vec::new());
        while let Some(item) = items.next_element()? {
            match item {
                Value::One(value) => values.iter_mut().for_each(|values| values.push(value.clone())),
                Value::Absent => {}
                Value::Many(_) | Value::Nested(_) => values = None,
            }
        }
        Ok(values.map_or(Value::Nested(Nested::List), Value::Many))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Nested(Nested::Map(entries)))
    }
}

#[cfg(test)]
mod tests;
