//! What to say to a flag that does not exist: it may be kubectl's, stern's, or a slip of the finger.

use clap::{
    Command,
    error::{ContextKind, ContextValue},
};

use super::UsageError;

pub fn unknown_long(table: &Command, name: &str) -> UsageError {
    let hint = match name {
        "follow" => not_needed("--follow"),
        "all-containers" => "--all-containers is not needed: all are shown; -c and -E narrow that".to_owned(),
        _ => match nearest(table, name) {
            Some(near) => format!("unknown flag: --{name}; did you mean {near}?"),
            None => format!("unknown flag: --{name}; --help lists them all"),
        },
    };
    UsageError::new(hint)
}

fn not_needed(follow: &str) -> String {
    format!("{follow} is not needed: following is the default; --no-follow ends when all is shown")
}

/// `group` is the whole argument in which the shorthand stood, without the dash.
pub fn unknown_short(table: &Command, short: char, group: &str) -> UsageError {
    let name = group.split('=').next().unwrap_or_default();
    let hint = match short {
        'f' => not_needed("-f"),
        _ if table.get_arguments().any(|flag| name.len() > 1 && flag.get_long() == Some(name)) => {
            format!("unknown shorthand: -{short} in -{group}; long flags have two dashes: --{group}")
        }
        _ => format!("unknown shorthand: -{short} in -{group}; --help lists them all"),
    };
    UsageError::new(hint)
}

/// clap knows how to find it.
pub fn nearest(table: &Command, name: &str) -> Option<String> {
    let error = table.clone().try_get_matches_from(["", &format!("--{name}")]).err()?;
    match error.get(ContextKind::SuggestedArg)? {
        ContextValue::String(flag) => Some(flag.clone()),
        _ => None,
    }
}
