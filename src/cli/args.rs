//! The command line as given: flags with their values, and the words that are not flags.

use std::ffi::{OsStr, OsString};

use super::{
    config::Origins,
    flags::{Entry, Flag, Scope, Value, within},
    pflag::Positional,
};
use crate::usage_error::UsageError;

/// Each value passes the check of its flag, apart from the others.
#[derive(Debug, Default)]
pub struct Args {
    /// The words that are not flags. One of them is the query; more are an error.
    pub positionals: Vec<Positional>,
    /// Those of the config file come first.
    flags: Vec<Given>,
    /// The places in the config file.
    pub origins: Origins,
    /// For standard error.
    pub warnings: Vec<String>,
}

/// A flag on the command line or in the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub flag: &'static Entry,
    /// None: the flag stands alone, which has a meaning of its own.
    pub value: Option<OsString>,
}

impl Given {
    fn value(&self) -> &OsStr {
        self.value.as_deref().unwrap_or(OsStr::new(self.flag.bare.unwrap_or_default()))
    }

    fn check(&self) -> Result<(), UsageError> {
        let wrong = |reason| UsageError::new(format!("--{}: {reason}", self.flag.name));
        self.flag.check(self.value()).map_err(wrong)
    }
}

impl Args {
    pub(super) fn new(positionals: Vec<Positional>, flags: Vec<Given>) -> Result<Args, UsageError> {
        flags.iter().try_for_each(Given::check)?;
        Ok(Args { positionals, flags, ..Args::default() })
    }

    /// Adds the flags of the config file, over which those of the command line take precedence.
    pub(super) fn with_defaults(self, mut flags: Vec<Given>) -> Result<Args, UsageError> {
        flags.iter().try_for_each(Given::check)?;
        flags.extend(self.flags);
        Ok(Args { flags, ..self })
    }

    /// The value of a flag, or what its kind of value reads where the flag is absent.
    pub fn get<V: Value>(&self, flag: &Flag<V>) -> V::Read<'_> {
        let absent = flag.entry.absent.filter(|_| !self.has(&flag.entry)).map(OsStr::new);
        V::read(absent.into_iter().chain(self.all(&flag.entry)))
    }

    pub fn has(&self, flag: &Entry) -> bool {
        self.all(flag).next().is_some()
    }

    fn all(&self, flag: &Entry) -> impl Iterator<Item = &OsStr> {
        self.flags.iter().filter(move |given| given.flag == flag).map(Given::value)
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
