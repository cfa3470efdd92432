//! Splits a command line into flags and other words as Go's pflag does, since aliases and scripts for stern depend on it.

use std::ffi::{OsStr, OsString};

use super::{
    flags::{self, Entry},
    hints,
    words::{Given, Positional},
};
use crate::usage_error::UsageError;

/// The parts of a command line, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub flags: Vec<Given>,
    pub positionals: Vec<Positional>,
}

/// `args` without the name of the program.
pub fn walk(args: impl IntoIterator<Item = OsString>) -> Result<Found, UsageError> {
    let mut walk = Walk::new(args.into_iter());
    walk.run()?;
    Ok(walk.found)
}

/// The word that is being typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// The beginning of a flag.
    Flag(String),
    /// The beginning of a value of this flag. `glued` is the text before the value in the same word, such as `-n` in
    /// `-nshop`; it is empty if an `=` stands between.
    Value { flag: &'static Entry, glued: String, typed: String },
    /// The beginning of the query.
    Query(String),
}

/// A command line whose last word is being typed, and that word. Wrong words before it are left out.
pub fn unfinished(mut args: Vec<OsString>) -> (Found, Word) {
    let last = args.pop().unwrap_or_default().to_string_lossy().into_owned();
    let mut walk = Walk::new(args.into_iter());
    while walk.run().is_err() {}
    let word = match walk.wants {
        Some(flag) => Word::Value { flag, glued: String::new(), typed: last },
        None if walk.ended || !last.starts_with('-') => Word::Query(last),
        None => flag_or_value(last),
    };
    (walk.found, word)
}

fn flag_or_value(last: String) -> Word {
    let mut walk = Walk::new(std::iter::once(last.clone().into()));
    // The name may be incomplete, which is no error yet.
    let _ = walk.run();
    let Some(Given { flag, value: Some(value) }) = walk.found.flags.pop() else { return Word::Flag(last) };
    let value = value.to_string_lossy();
    // `-n=`: something will follow.
    let typed = if value == "=" { "" } else { &value };
    let glued = last.strip_suffix(typed).filter(|glued| !glued.contains('=')).unwrap_or_default();
    Word::Value { flag, glued: glued.to_owned(), typed: typed.to_owned() }
}

struct Walk<I> {
    rest: I,
    found: Found,
    /// The last argument, if it was a flag without a value or a long flag with one dash.
    bare: Option<String>,
    /// The flag whose value is missing at the end.
    wants: Option<&'static Entry>,
    /// Whether `--` has ended the flags.
    ended: bool,
}

impl<I: Iterator<Item = OsString>> Walk<I> {
    fn new(rest: I) -> Self {
        Walk { rest, found: Found::default(), bare: None, wants: None, ended: false }
    }

    fn run(&mut self) -> Result<(), UsageError> {
        while let Some(arg) = self.rest.next() {
            let after = self.bare.take();
            if arg == "--" {
                self.ended = true;
                let rest = self.rest.by_ref().map(|value| Positional { value, after: None });
                self.found.positionals.extend(rest);
            } else if arg.len() < 2 || !arg.as_encoded_bytes().starts_with(b"-") {
                self.found.positionals.push(Positional { value: arg, after });
            } else {
                let Some(text) = arg.to_str() else {
                    let shown = arg.to_string_lossy();
                    // The value may be a secret.
                    let shown = shown.split('=').next().unwrap_or_default();
                    return Err(UsageError::new(format!(
                        "{shown} is not UTF-8; pass such a value in an argument of its own"
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
        let flag = flags::long(name).ok_or_else(|| hints::unknown_long(name))?;
        match value {
            None if flag.bare.is_some() => self.bare(flag, format!("--{name}")),
            None => self.next_as_value(flag, &format!("--{name}"))?,
            Some(value) => self.value(flag, value),
        }
        Ok(())
    }

    /// A group of shorthands: the first that needs a value takes the rest of the group, or else the next argument.
    fn shorts(&mut self, group: &str) -> Result<(), UsageError> {
        let mut rest = group;
        while let Some(short) = rest.chars().next() {
            rest = &rest[short.len_utf8()..];
            let flag = flags::short(short).ok_or_else(|| hints::unknown_short(short, group))?;
            // pflag reads a lone `=` at the end as part of the group, or as the value itself.
            let equals = rest.strip_prefix('=').filter(|value| !value.is_empty());
            match equals {
                Some(value) => {
                    if let Some(level) = hints::level_of_kubectl(group) {
                        return Err(level);
                    }
                    self.value(flag, value);
                    return Ok(());
                }
                None if flag.bare.is_some() => self.bare(flag, format!("-{short}")),
                None if rest.is_empty() => return self.next_as_value(flag, &format!("-{short}")),
                None => {
                    self.value(flag, rest);
                    self.bare = flags::long(group).map(|_| format!("-{group}"));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, flag: &'static Entry, value: impl AsRef<OsStr>) {
        self.found.flags.push(Given { flag, value: Some(value.as_ref().to_owned()) });
    }

    /// `name` is the flag as given, long or short.
    fn bare(&mut self, flag: &'static Entry, name: String) {
        self.found.flags.push(Given { flag, value: None });
        self.bare = Some(name);
    }

    /// The next argument is the value, with a leading dash or not.
    fn next_as_value(&mut self, flag: &'static Entry, name: &str) -> Result<(), UsageError> {
        let Some(value) = self.rest.next() else {
            self.wants = Some(flag);
            return Err(UsageError::new(format!("{name} needs a value: {name} {}", flag.value)));
        };
        self.value(flag, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(args: &[&str]) -> Result<Found, String> {
        super::walk(args.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    /// The flags found and, after a blank, the positionals.
    fn found(args: &[&str]) -> String {
        let found = walk(args).unwrap();
        let positionals = found.positionals.into_iter().map(|positional| positional.value);
        let all: Vec<_> = found.flags.into_iter().map(|given| given.word()).chain(positionals).collect();
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

    /// The last of `args`, as `flag NAME`, `value GLUED|TYPED of NAME` or `query TEXT`.
    fn typing(args: &[&str]) -> String {
        match unfinished(args.iter().map(OsString::from).collect()).1 {
            Word::Flag(flag) => format!("flag {flag}"),
            Word::Value { flag, glued, typed } => format!("value {glued}|{typed} of {}", flag.name),
            Word::Query(query) => format!("query {query}"),
        }
    }

    #[test]
    fn the_word_being_typed_is_what_the_words_before_leave_it() {
        assert_eq!(typing(&["we"]), "query we");
        assert_eq!(typing(&["-A", ""]), "query ");
        assert_eq!(typing(&["--", "-x"]), "query -x");
        assert_eq!(typing(&["-"]), "flag -");
        assert_eq!(typing(&["web", "--na"]), "flag --na");
        assert_eq!(typing(&["-n"]), "flag -n");
        assert_eq!(typing(&["-tA"]), "flag -tA");
        assert_eq!(typing(&["--nope=1"]), "flag --nope=1");
    }

    #[test]
    fn a_value_being_typed_stands_alone_or_in_the_word_of_its_flag() {
        assert_eq!(typing(&["-n", "sh"]), "value |sh of namespace");
        assert_eq!(typing(&["-tAn", "sh"]), "value |sh of namespace");
        assert_eq!(typing(&["--namespace", ""]), "value | of namespace");
        assert_eq!(typing(&["--namespace=sh"]), "value |sh of namespace");
        assert_eq!(typing(&["--namespace="]), "value | of namespace");
        assert_eq!(typing(&["-nsh"]), "value -n|sh of namespace");
        assert_eq!(typing(&["-tAnsh"]), "value -tAn|sh of namespace");
        assert_eq!(typing(&["-n=sh"]), "value |sh of namespace");
        assert_eq!(typing(&["-n="]), "value | of namespace");
        assert_eq!(typing(&["-t=s"]), "value |s of timestamps");
    }

    #[test]
    fn wrong_words_before_the_one_being_typed_are_left_out() {
        let args = ["--nope", "-x", "-A", "-n"].map(OsString::from).to_vec();
        let (found, word) = unfinished(args);
        let flags: Vec<_> = found.flags.into_iter().map(|given| given.word()).collect();
        assert_eq!((flags, word), (vec!["--all-namespaces".into()], Word::Flag("-n".into())));
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_needs_an_argument_of_its_own() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"a\xff".to_vec());
        let found = super::walk(["--kubeconfig".into(), odd.clone()]).unwrap();
        let mut expected = OsString::from("--kubeconfig=");
        expected.push(&odd);
        assert_eq!(found.flags.into_iter().map(|given| given.word()).collect::<Vec<_>>(), [expected.clone()]);
        let error = super::walk([expected]).unwrap_err().to_string();
        assert!(error.contains("is not UTF-8; pass such a value in an argument of its own"), "{error}");
    }

    #[test]
    fn errors_name_the_fault() {
        for (args, words) in [
            (&["--nope"][..], "unknown flag: --nope; did you mean --node?"),
            (&["--namespce", "x"], "unknown flag: --namespce; did you mean --namespace?"),
            (&["--zzzzzz=1"], "unknown flag: --zzzzzz; --help lists them all"),
            (&["--=x"], "bad flag syntax: --=x"),
            (&["---tail"], "bad flag syntax: ---tail"),
            (&["-x"], "unknown shorthand: -x in -x"),
            (&["-tx"], "unknown shorthand: -x in -tx"),
            (&["-tail=5"], "long flags have two dashes: --tail=5"),
            (
                &["-f"],
                "-f is not needed: following is the default; --no-follow exits after printing the existing logs",
            ),
            (&["-Af"], "-f is not needed"),
            (&["-v=6"], "kubectl's -v is --verbosity here: --verbosity 6"),
            (&["-v6"], "kubectl's -v is --verbosity here: --verbosity 6"),
            (&["--follow"], "--follow is not needed"),
            (&["--all-containers"], "all are shown"),
            (&["--tail"], "--tail needs a value: --tail N"),
            (&["-An"], "-n needs a value: -n NAME,…"),
        ] {
            let error = walk(args).unwrap_err();
            assert!(error.contains(words), "{args:?}: {error}");
        }
    }
}
