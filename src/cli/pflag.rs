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
        if name.is_empty() || name.starts_with('-') {
            return Err(UsageError::new(format!("bad flag syntax: --{text}; a name follows the two dashes")));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags;

    fn walk(args: &[&str]) -> Result<Canonical, String> {
        canonical(&flags::table(), args.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    /// The flags found and, after a blank, the positionals.
    fn found(args: &[&str]) -> String {
        let found = walk(args).unwrap();
        let positionals = found.positionals.into_iter().map(|positional| positional.value);
        let all: Vec<_> = found.flags.into_iter().chain(positionals).collect();
        all.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn a_long_flag_takes_its_value_with_equals_or_from_the_next_argument() {
        assert_eq!(found(&["--tail=5"]), "--tail=5");
        assert_eq!(found(&["--tail", "5"]), "--tail=5");
        assert_eq!(found(&["--selector=a=b"]), "--selector=a=b");
        assert_eq!(found(&["--selector="]), "--selector=");
        assert_eq!(found(&["--selector", ""]), "--selector=");
    }

    #[test]
    fn a_shorthand_takes_its_value_in_three_ways() {
        assert_eq!(found(&["-nfoo"]), "--namespace=foo");
        assert_eq!(found(&["-n=foo"]), "--namespace=foo");
        assert_eq!(found(&["-n", "foo"]), "--namespace=foo");
    }

    #[test]
    fn an_equals_with_nothing_after_it_is_the_value_of_a_shorthand() {
        assert_eq!(found(&["-n="]), "--namespace==");
    }

    #[test]
    fn shorthands_go_in_groups() {
        assert_eq!(found(&["-tA"]), "--timestamps --all-namespaces");
        assert_eq!(found(&["-tAnfoo"]), "--timestamps --all-namespaces --namespace=foo");
        assert_eq!(found(&["-At=short"]), "--all-namespaces --timestamps=short");
        assert_eq!(found(&["-dn", "foo"]), "--diff-container --namespace=foo");
    }

    #[test]
    fn a_value_may_begin_with_a_dash() {
        assert_eq!(found(&["-e", "-foo"]), "--exclude=-foo");
        assert_eq!(found(&["--tail", "-1"]), "--tail=-1");
        assert_eq!(found(&["-e", "--"]), "--exclude=--");
        assert_eq!(found(&["-e--no-follow"]), "--exclude=--no-follow");
    }

    #[test]
    fn switches_and_timestamps_take_a_value_only_with_equals() {
        assert_eq!(found(&["--no-follow", "false"]), "--no-follow false");
        assert_eq!(found(&["--no-follow=false"]), "--no-follow=false");
        assert_eq!(found(&["-t", "short"]), "--timestamps short");
        assert_eq!(found(&["-t=short"]), "--timestamps=short");
        assert_eq!(found(&["--timestamps="]), "--timestamps=");
    }

    #[test]
    fn positionals_stand_anywhere_and_two_dashes_end_the_flags() {
        assert_eq!(found(&["web", "--tail", "5"]), "--tail=5 web");
        assert_eq!(found(&["-A", "--", "-web", "--", "-t"]), "--all-namespaces -web -- -t");
        assert_eq!(found(&["-"]), "-");
        assert_eq!(found(&[""]), "");
    }

    #[test]
    fn a_positional_knows_the_flag_that_may_have_wanted_it() {
        let after = |args: &[&str]| walk(args).unwrap().positionals.remove(0).after;
        assert_eq!(after(&["-A", "web"]), Some("-A".to_owned()));
        assert_eq!(after(&["-dt", "short"]), Some("-t".to_owned()));
        assert_eq!(after(&["--no-follow", "web"]), Some("--no-follow".to_owned()));
        assert_eq!(after(&["--no-follow=true", "web"]), None);
        assert_eq!(after(&["-n", "a", "web"]), None);
        assert_eq!(after(&["-A", "--", "web"]), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf8_passes_as_a_value_of_its_own() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"a\xff".to_vec());
        let found = canonical(&flags::table(), ["--kubeconfig".into(), odd.clone()]).unwrap();
        let mut expected = OsString::from("--kubeconfig=");
        expected.push(&odd);
        assert_eq!(found.flags, [expected.clone()]);
        let error = canonical(&flags::table(), [expected]).unwrap_err().to_string();
        assert!(
            error.contains("is not UTF-8; a value that is not goes in an argument of its own"),
            "{error}"
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (args, words) in [
            (&["--nope"][..], "unknown flag: --nope; did you mean --node?"),
            (&["--namespce", "x"], "unknown flag: --namespce; did you mean --namespace?"),
            (&["--zzzzzz=1"], "unknown flag: --zzzzzz; --help lists them all"),
            (&["--=x"], "bad flag syntax: --=x"),
            (&["---tail"], "bad flag syntax: ---tail"),
            (&["-x"], "unknown shorthand: -x in -x"),
            (&["-tx"], "unknown shorthand: -x in -tx"),
            (&["-tail=5"], "long flags have two dashes: --tail=5"),
            (&["-f"], "-f is not needed: following is the default; --no-follow ends when all is shown"),
            (&["-Af"], "-f is not needed"),
            (&["--follow"], "--follow is not needed"),
            (&["--all-containers"], "all are shown"),
            (&["-p"], "for kubectl's -p say --previous"),
            (&["--completion=zsh"], "--completion is not available yet"),
            (&["--prompt"], "--prompt is not available yet"),
            (&["--tail"], "--tail needs a value: --tail N"),
            (&["-An"], "-n needs a value: -n NAME,…"),
        ] {
            let error = walk(args).unwrap_err();
            assert!(error.contains(words), "{args:?}: {error}");
        }
    }
}
