//! The command line as given: flags with their values, and the words that are not flags.

use std::{error::Error, ffi::OsStr, fmt};

use clap::ArgMatches;

use super::{
    flags::{
        self, Entry, Flag, Scope, Value,
        output::{OUTPUT, TEMPLATE, TEMPLATE_FILE, TIMESTAMPS, TIMEZONE},
        within,
    },
    places::Places,
    words::{Given, Positional},
};
use crate::{fields::Words, usage_error::UsageError};

/// Each value passes the check of its flag, apart from the others.
pub struct Args {
    /// The words that are not flags. One of them is the query; more are an error.
    pub positionals: Vec<Positional>,
    /// The flags of the command line.
    given: ArgMatches,
    /// The flags of the config file, for those that the command line does not have.
    defaults: Vec<Given>,
    /// The places in the config file.
    pub places: Places,
    /// For standard error.
    pub warnings: Vec<String>,
    /// Levels and keys in logs, from the config file.
    pub words: Words,
}

/// A value may be a secret: `--token`.
impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args").finish_non_exhaustive()
    }
}

impl Args {
    pub(super) fn new(positionals: Vec<Positional>, flags: &[Given]) -> Result<Args, UsageError> {
        let given = flags::command().try_get_matches_from(flags.iter().map(Given::word));
        // Only a check can fail: the flags are known, and each value stands in the word of its flag.
        let given = given.map_err(|error| match error.source() {
            Some(reason) => UsageError::new(reason.to_string()),
            None => UsageError::new(error.to_string()),
        })?;
        let (defaults, places, warnings) = (Vec::new(), Places::default(), Vec::new());
        Ok(Args { positionals, given, defaults, places, warnings, words: Words::default() })
    }

    /// Adds the flags of the config file, which the command line does not have.
    pub(super) fn with_defaults(self, defaults: Vec<Given>) -> Result<Args, UsageError> {
        defaults.iter().try_for_each(|given| given.flag.check(given.value.as_deref().unwrap_or_default()))?;
        Ok(Args { defaults, ..self })
    }

    /// The value of a flag, or what its kind of value reads where the flag is absent.
    pub fn get<V: Value>(&self, flag: &Flag<V>) -> V::Read<'_> {
        let absent = flag.entry.absent.filter(|_| !self.has(&flag.entry)).map(OsStr::new);
        V::read(absent.into_iter().chain(self.all(&flag.entry)))
    }

    pub fn has(&self, flag: &Entry) -> bool {
        self.all(flag).next().is_some()
    }

    /// Whether its value comes from the config file, which does not know the other flags of this run.
    pub fn is_default(&self, flag: &Entry) -> bool {
        self.defaults.iter().any(|given| given.flag == flag)
    }

    fn all(&self, flag: &Entry) -> impl Iterator<Item = &OsStr> {
        let defaults = self.defaults.iter().filter(move |given| given.flag == flag);
        let given = self.given.get_raw(flag.name).into_iter().flatten();
        given.chain(defaults.filter_map(|given| given.value.as_deref()))
    }

    /// Whether the output may show times in the local time zone.
    pub(super) fn shows_local_times(&self) -> bool {
        let has_times = self.has(&TIMESTAMPS.entry) || self.get(&OUTPUT) == Some("pretty");
        let shows = has_times && matches!(self.get(&TIMEZONE), None | Some("Local"));
        shows || self.has(&TEMPLATE.entry) || self.has(&TEMPLATE_FILE.entry)
    }

    /// A warning about the query and the flags that have no effect with `--stdin`, if there are any.
    pub(super) fn without_effect_on_stdin(&self) -> Option<String> {
        let query = self.positionals.iter().filter(|word| !word.value.is_empty());
        let query = query.map(|word| format!("the query \"{}\"", word.value.to_string_lossy()));
        let flags = within(&[Scope::Selection, Scope::Cluster]).filter(|flag| self.has(flag));
        let ignored: Vec<_> = query.chain(flags.map(|flag| format!("--{}", flag.name))).collect();
        let text = format!("ignored with --stdin, which asks no cluster: {}", ignored.join(", "));
        (!ignored.is_empty()).then(|| UsageError::new(text).to_string())
    }
}
