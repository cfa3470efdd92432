//! The kinds of values: how they are checked and read.

use std::{ffi::OsStr, num::IntErrorKind};

use super::Complete;

/// A kind of value.
pub trait Value {
    /// As the plan reads it.
    type Read<'a>;
    const BARE: Option<&'static str> = None;
    const REPEATS: bool = false;
    const COMPLETES: Complete = Complete::Nothing;

    /// The error is the rest of a sentence that begins with the flag's name.
    fn check(value: &OsStr) -> Result<(), String>;

    /// `values` are those given, in order, and pass the check.
    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Self::Read<'a>;
}

/// True or false.
pub struct Switch;
/// The last value counts.
pub struct Text;
/// All values count. Commas do not separate them.
pub struct List;
/// The path of a file, which need not be UTF-8.
pub struct File;
/// A whole number.
pub struct Integer;
pub struct Number;

impl Value for Switch {
    type Read<'a> = bool;
    const BARE: Option<&'static str> = Some("true");
    const COMPLETES: Complete = Complete::Words(&["true", "false"]);

    fn check(value: &OsStr) -> Result<(), String> {
        let text = text(value)?;
        go_bool(text).map(drop).ok_or_else(|| format!("\"{text}\" is neither true nor false"))
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> bool {
        last(values).and_then(go_bool).unwrap_or(false)
    }
}

impl Value for Text {
    type Read<'a> = Option<&'a str>;

    fn check(value: &OsStr) -> Result<(), String> {
        text(value).map(drop)
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Option<&'a str> {
        last(values)
    }
}

impl Value for List {
    type Read<'a> = Vec<&'a str>;
    const REPEATS: bool = true;

    fn check(value: &OsStr) -> Result<(), String> {
        text(value).map(drop)
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Vec<&'a str> {
        values.filter_map(OsStr::to_str).collect()
    }
}

impl Value for File {
    type Read<'a> = Option<&'a OsStr>;
    const COMPLETES: Complete = Complete::Files;

    fn check(_: &OsStr) -> Result<(), String> {
        Ok(())
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Option<&'a OsStr> {
        values.last()
    }
}

impl Value for Integer {
    type Read<'a> = Option<i64>;

    fn check(value: &OsStr) -> Result<(), String> {
        let text = text(value)?;
        text.parse::<i64>().map(drop).map_err(|error| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => format!("{text} is too large"),
            _ => format!("\"{text}\" is not a whole number such as 10"),
        })
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Option<i64> {
        last(values)?.parse().ok()
    }
}

impl Value for Number {
    type Read<'a> = Option<f64>;

    fn check(value: &OsStr) -> Result<(), String> {
        let text = text(value)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(drop).ok_or_else(|| format!("\"{text}\" is not a number such as 10 or 0.5"))
    }

    fn read<'a>(values: impl Iterator<Item = &'a OsStr>) -> Option<f64> {
        last(values)?.parse().ok()
    }
}

fn text(value: &OsStr) -> Result<&str, String> {
    // It may be a secret.
    value.to_str().ok_or_else(|| "the value is not UTF-8".to_owned())
}

fn last<'a>(values: impl Iterator<Item = &'a OsStr>) -> Option<&'a str> {
    values.last()?.to_str()
}

/// As Go's `strconv.ParseBool`.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
