//! Walks a command line as Go's pflag does, since aliases and scripts written for stern depend on it.
//!
//! What it finds is rewritten into one form, `--name=value`, which leaves clap nothing to decide differently.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use super::{UsageError, hints};

/// A command line without ambiguity.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    /// `--name=value`, or `--name` where the flag has a value of its own for that.
    pub flags: Vec<OsString>,
    pub positionals: Vec<Positional>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Positional {
    pub value: OsString,
    /// The flag right before it, where that one takes a value only with `=`: perhaps this was meant for it.
    pub after: Option<String>,
}

/// `args` without the name of the program.
pub fn canonical(table: &Command, args: impl IntoIterator<Item = OsString>) -> Result<Canonical, UsageError> {
    let mut walk = Walk { table, rest: args.into_iter(), found: Canonical::default(), bare: None };
    walk.run()?;
    Ok(walk.found)
}

struct Walk<'a, I> {
    table: &'a Command,
    rest: I,
    found: Canonical,
    /// The last argument, if it was a flag without a value.
    bare: Option<String>,
}

impl<I: Iterator<Item = OsString>> Walk<'_, I> {
    fn run(&mut self) -> Result<(), UsageError> {
        while let Some(arg) = self.rest.next() {
            let after = self.bare.take();
            if arg == "--" {
                let rest = self.rest.by_ref().map(|value| Positional { value, after: None });
                self.found.positionals.extend(rest);
            } else if arg.len() < 2 || !arg.as_encoded_bytes().starts_with(b"-") {
                self.found.positionals.push(Positional { value: arg, after });
            } else {
                let Some(text) = arg.to_str() else {
                    let shown = arg.to_string_lossy();
                    return Err(UsageError::new(format!(
                        "{shown} is not UTF-8; a value that is not goes in an argument of its own"
                    )));
                };
                match text.strip_prefix("--") {
                    Some(long) => self.long(long)?,
                    None => self.shorts(&text[1..])?,
                }
            }
        }
        Ok(())
    }

    fn long(&mut self, text: &str) -> Result<(), UsageError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text, None),
        };
        let flag = self
            .table
            .get_arguments()
            .find(|flag| flag.get_long() == Some(name))
            .ok_or_else(|| hints::unknown_long(self.table, name))?;
        match value {
            None if takes_value_only_with_equals(flag) => self.bare(flag, format!("--{name}")),
            None => self.next_as_value(flag, &format!("--{name}"))?,
            Some(value) => self.found.flags.push(with_value(flag, &value)),
        }
        Ok(())
    }

    /// A group of shorthands: the first that needs a value takes the rest of the group, or else the next argument.
    fn shorts(&mut self, group: &str) -> Result<(), UsageError> {
        let mut rest = group;
        while let Some(short) = rest.chars().next() {
            rest = &rest[short.len_utf8()..];
            let flag = self
                .table
                .get_arguments()
                .find(|flag| flag.get_short() == Some(short))
                .ok_or_else(|| hints::unknown_short(self.table, short, group))?;
            // pflag takes a lone `=` at the end for part of the group, or for the value itself.
            let equals = rest.strip_prefix('=').filter(|value| !value.is_empty());
            match equals {
                Some(value) => {
                    self.found.flags.push(with_value(flag, OsStr::new(value)));
                    return Ok(());
                }
                None if takes_value_only_with_equals(flag) => self.bare(flag, format!("-{short}")),
                None if rest.is_empty() => return self.next_as_value(flag, &format!("-{short}")),
                None => {
                    self.found.flags.push(with_value(flag, OsStr::new(rest)));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn bare(&mut self, flag: &Arg, said: String) {
        self.found.flags.push(format!("--{}", long(flag)).into());
        self.bare = Some(said);
    }

    /// Whatever comes next is the value, a leading dash or not.
    fn next_as_value(&mut self, flag: &Arg, said: &str) -> Result<(), UsageError> {
        let value = self.rest.next().ok_or_else(|| {
            let placeholder = flag.get_value_names().unwrap_or_default().join(" ");
            UsageError::new(format!("{said} needs a value: {said} {placeholder}"))
        })?;
        self.found.flags.push(with_value(flag, &value));
        Ok(())
    }
}

fn takes_value_only_with_equals(flag: &Arg) -> bool {
    flag.is_require_equals_set()
}

fn with_value(flag: &Arg, value: &OsStr) -> OsString {
    let mut canonical = OsString::from(format!("--{}=", long(flag)));
    canonical.push(value);
    canonical
}

/// Every flag of the table has a long name.
fn long(flag: &Arg) -> &str {
    flag.get_long().unwrap_or_default()
}
