//! The table of flags. A flag is one entry in the file of its group: its name, value, help and completions, with the
//! paragraph of the manual as its doc comment. Parsing, help, completion and `docs/usage.md` derive from the table.
//!
//! To add a flag, add its entry, read it in [`crate::plan`] by [`Args::get`](super::Args::get), and write the manual
//! with `UPDATE=1 cargo test --lib manual`.

/// Declares the flags of a file and its `GROUP`. A doc comment is a paragraph of the manual.
macro_rules! flags {
    (
        $group:expr;
        $($(#[doc = $line:literal])+ pub static $name:ident: Flag<$value:ty> = $flag:expr;)+
    ) => {
        $($(#[doc = $line])+ pub static $name: Flag<$value> = $flag;)+

        pub static GROUP: Group = Group {
            entries: &[$(&$name.entry),+],
            #[cfg(test)]
            manual: super::Manual { file: file!(), paragraphs: &[$(concat!($($line),+)),+] },
            ..$group
        };
    };
}

pub mod connection;
pub mod ending;
pub mod kubectl;
pub mod limits;
pub mod lines;
pub mod logs;
pub mod other;
pub mod output;
pub mod selection;
pub mod structured;
mod value;

use std::{
    ffi::{OsStr, OsString},
    fmt,
    marker::PhantomData,
};

use clap::{
    Arg, ArgAction, Command,
    builder::{OsStringValueParser, TypedValueParser},
};

use crate::usage_error::UsageError;

pub use value::{File, Integer, List, Number, Switch, Text, Value};

/// All flags, in the order of the help and the manual.
pub static GROUPS: [&Group; 10] = [
    &selection::GROUP,
    &logs::GROUP,
    &lines::GROUP,
    &structured::GROUP,
    &ending::GROUP,
    &output::GROUP,
    &limits::GROUP,
    &connection::GROUP,
    &kubectl::GROUP,
    &other::GROUP,
];

/// Flags under one heading.
#[derive(Debug)]
pub struct Group {
    pub title: &'static str,
    pub scope: Scope,
    /// `--help` leaves it out, and `--show-hidden-options` prints it.
    pub hidden: bool,
    pub entries: &'static [&'static Entry],
    #[cfg(test)]
    pub manual: Manual,
}

/// The section of the manual.
#[cfg(test)]
#[derive(Debug)]
pub struct Manual {
    /// The source file, from the root of the repository.
    pub file: &'static str,
    /// One for each entry, in Markdown.
    pub paragraphs: &'static [&'static str],
}

/// The things that a flag affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Which cluster and which pods. Completion follows it; with `--stdin` it has no effect.
    Selection,
    /// Other requests to the cluster. With `--stdin` it has no effect.
    Cluster,
    /// Lines of any source, or the program itself.
    Any,
}

/// A flag whose values are read as `V`.
pub struct Flag<V> {
    pub entry: Entry,
    value: PhantomData<V>,
}

/// A flag in the table.
pub struct Entry {
    /// After the two dashes.
    pub name: &'static str,
    pub short: Option<char>,
    /// The placeholder of the value in the help; empty where none is shown.
    pub value: &'static str,
    pub help: &'static str,
    pub completes: Complete,
    /// The value of the flag without one. Such a flag takes another value only with `=`.
    pub bare: Option<&'static str>,
    /// The value of a flag that is not given.
    pub absent: Option<&'static str>,
    /// All values count, not only the last.
    pub repeats: bool,
    /// In place of the group's.
    scope: Option<Scope>,
    check: fn(&OsStr) -> Result<(), String>,
}

/// How a value is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    Nothing,
    Words(&'static [&'static str]),
    /// The same, for a list with commas.
    WordList(&'static [&'static str]),
    Conditions,
    Zones,
    Files,
    Namespaces,
    Nodes,
    Containers,
    Contexts,
    Clusters,
    Users,
}

impl Group {
    const fn new(title: &'static str, scope: Scope) -> Group {
        Group {
            title,
            scope,
            hidden: false,
            entries: &[],
            #[cfg(test)]
            manual: Manual { file: "", paragraphs: &[] },
        }
    }

    pub fn scope_of(&self, entry: &Entry) -> Scope {
        entry.scope.unwrap_or(self.scope)
    }
}

/// A flag of this name; `value` is the placeholder of its value.
pub(super) const fn flag<V: Value>(name: &'static str, value: &'static str) -> Flag<V> {
    let entry = Entry {
        name,
        short: None,
        value,
        help: "",
        completes: V::COMPLETES,
        bare: V::BARE,
        absent: None,
        repeats: V::REPEATS,
        scope: None,
        check: V::check,
    };
    Flag { entry, value: PhantomData }
}

impl<V> Flag<V> {
    const fn short(mut self, short: char) -> Self {
        self.entry.short = Some(short);
        self
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.entry.help = help;
        self
    }

    const fn completes(mut self, completes: Complete) -> Self {
        self.entry.completes = completes;
        self
    }

    const fn bare(mut self, bare: &'static str) -> Self {
        self.entry.bare = Some(bare);
        self
    }

    const fn absent(mut self, absent: &'static str) -> Self {
        self.entry.absent = Some(absent);
        self
    }

    const fn scope(mut self, scope: Scope) -> Self {
        self.entry.scope = Some(scope);
        self
    }
}

impl Entry {
    pub fn is_in(&self, group: &Group) -> bool {
        group.entries.contains(&self)
    }

    pub fn check(&self, value: &OsStr) -> Result<(), UsageError> {
        (self.check)(value).map_err(|reason| UsageError::new(format!("--{}: {reason}", self.name)))
    }

    fn arg(&'static self) -> Arg {
        let action = if self.repeats { ArgAction::Append } else { ArgAction::Set };
        let check = |value: OsString| self.check(&value).map(|()| value);
        let parser = OsStringValueParser::new().try_map(check);
        let arg = Arg::new(self.name).long(self.name).action(action).value_parser(parser);
        match self.bare {
            Some(bare) => arg.num_args(0..=1).require_equals(true).default_missing_value(bare),
            None => arg,
        }
    }

    /// `-t, --timestamps[=FORMAT]`
    pub fn synopsis(&self) -> String {
        let short = self.short.map_or(String::new(), |short| format!("-{short}, "));
        let value = match (self.value, self.bare) {
            ("", _) => String::new(),
            (value, Some(_)) => format!("[={value}]"),
            (value, None) => format!(" {value}"),
        };
        format!("{short}--{}{value}", self.name)
    }
}

/// Names are unique.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.name == other.name
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.name)
    }
}

/// The table as clap parses it: words such as `--tail=5`, without the name of the program.
pub(super) fn command() -> Command {
    Command::new("stern-rs")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        // The last of a repeated flag counts, so that an alias can be overruled.
        .args_override_self(true)
        .args(all().map(Entry::arg))
}

pub fn all() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|group| group.entries.iter().copied())
}

pub fn long(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name)
}

pub fn short(letter: char) -> Option<&'static Entry> {
    all().find(|entry| entry.short == Some(letter))
}

/// The flags with one of these scopes.
pub fn within(scopes: &[Scope]) -> impl Iterator<Item = &'static Entry> {
    let of = |group: &'static Group| group.entries.iter().map(move |&entry| (group.scope_of(entry), entry));
    GROUPS
        .iter()
        .flat_map(move |group| of(group))
        .filter(|(scope, _)| scopes.contains(scope))
        .map(|(_, entry)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_shorthands_are_unique() {
        for entry in all() {
            assert_eq!(all().filter(|other| *other == entry).count(), 1, "{entry:?}");
            let twins = all().filter(|other| other.short.is_some() && other.short == entry.short);
            assert!(twins.count() <= 1, "{entry:?}");
        }
    }

    #[test]
    fn help_texts_begin_with_a_verb_and_have_no_full_stop() {
        for entry in all() {
            let first = entry.help.split(' ').next().unwrap();
            assert!(
                first.starts_with(char::is_uppercase) && !first.ends_with('s'),
                "{entry:?}: {}",
                entry.help
            );
            assert!(!entry.help.ends_with('.'), "{entry:?}: {}", entry.help);
        }
    }
}
