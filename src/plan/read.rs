//! Reads values of flags, and names the flag in the error.

use crate::{
    cli::{
        Args,
        flags::{Flag, List, Text},
    },
    usage_error::UsageError,
};

pub fn error(text: impl AsRef<str>) -> UsageError {
    UsageError::new(text)
}

/// An error in the value of one flag.
pub fn wrong<V>(flag: &Flag<V>, reason: impl AsRef<str>) -> UsageError {
    error(format!("--{}: {}", flag.entry.name, reason.as_ref()))
}

/// `value` is not one of the `words`, at least two.
pub fn none_of<V>(flag: &Flag<V>, value: &str, words: &[&str]) -> UsageError {
    wrong(
        flag,
        match words {
            [one, other] => format!("\"{value}\" is neither {one} nor {other}"),
            [words @ .., last] => format!("\"{value}\" is none of {} or {last}", words.join(", ")),
            [] => format!("\"{value}\" is unknown"),
        },
    )
}

/// As in stern and kubectl, an empty value is an absent flag.
pub fn given<'a>(args: &'a Args, flag: &Flag<Text>) -> Option<&'a str> {
    args.get(flag).filter(|value| !value.is_empty())
}

/// The value of a flag, if given. The error of `parse` is the rest of a sentence that begins with the flag's name.
pub fn parsed<T>(
    args: &Args,
    flag: &Flag<Text>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, UsageError> {
    given(args, flag).map(parse).transpose().map_err(|reason| wrong(flag, reason))
}

/// The values of a flag that may be repeated. The error of `parse` is the rest of a sentence that begins with its name.
pub fn each<T>(
    args: &Args,
    flag: &Flag<List>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, UsageError> {
    args.get(flag).into_iter().map(parse).collect::<Result<_, _>>().map_err(|reason| wrong(flag, reason))
}

/// The values of a flag that may be repeated and whose values are lists with commas.
pub fn split<'a>(args: &'a Args, flag: &Flag<List>) -> impl Iterator<Item = &'a str> {
    let lists = args.get(flag).into_iter().filter(|list| !list.is_empty());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}
