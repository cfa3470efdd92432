//! From the command line and the config file to [`Args`], the flags as given. [`crate::plan`] interprets them.

mod args;
mod config;
pub mod flags;
#[cfg(fuzzing)]
pub mod fuzz;
mod help;
mod hints;
#[cfg(test)]
mod manual;
mod pflag;
mod places;
mod scripts;
mod words;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    time::{Duration, Instant},
};

use crate::{environment::Environment, small_file, usage_error::UsageError};
use flags::{Scope, logs, other};

pub use args::Args;
pub use hints::misused;
pub use pflag::Word;
pub use words::Positional;

/// The request of a command line.
#[derive(Debug)]
pub enum Command {
    Run(Box<Args>),
    /// Print this on standard output and exit.
    Print(String),
    /// Complete the unfinished command line.
    Complete(Box<Unfinished>),
}

/// A command line that is being typed.
#[derive(Debug)]
pub struct Unfinished {
    /// The flags typed so far that select the cluster and the pods. None if one of them is wrong.
    pub args: Option<Args>,
    pub word: Word,
    /// When its completions must be there.
    pub due: Instant,
}

/// `argv` begins with the program's name, which the usage repeats.
pub fn parse(argv: impl IntoIterator<Item = OsString>, env: &Environment) -> Result<Command, UsageError> {
    let mut argv = argv.into_iter().peekable();
    let argv0 = argv.next();
    if file_stem(argv0.as_ref()) == Some(KUBECTL_COMPLETE) || argv.next_if(|word| word == COMPLETE).is_some()
    {
        return Ok(Command::Complete(Box::new(unfinished(argv.collect(), env))));
    }
    let program = program(argv0.as_ref());
    let pflag::Found { flags, positionals } = pflag::walk(argv)?;
    if !is_at_most_one_query(&positionals) {
        // An error whatever the flags are, even with --help. The plan, which knows queries, words it.
        return Ok(Command::Run(Box::new(Args::new(positionals, &[])?)));
    }
    let args = Args::new(positionals, &flags)?;
    if let Some(shell) = args.get(&other::COMPLETION).filter(|shell| !shell.is_empty()) {
        return scripts::script(shell).map(|script| Command::Print(script.to_owned()));
    }
    Ok(if args.get(&other::HELP) {
        Command::Print(help::help(&program))
    } else if args.get(&other::VERSION) {
        Command::Print(help::version())
    } else if args.get(&other::SHOW_HIDDEN_OPTIONS) {
        Command::Print(help::hidden(&program))
    } else if args.get(&other::MAN) {
        Command::Print(help::man().to_owned())
    } else {
        Command::Run(Box::new(with_config(args, env, |_| true)?))
    })
}

fn is_at_most_one_query(positionals: &[Positional]) -> bool {
    positionals.len() <= 1 && positionals.iter().all(|word| word.value.to_str().is_some())
}

/// Adds the flags of the config file that are `wanted`.
fn with_config(
    args: Args,
    env: &Environment,
    wanted: impl Fn(&flags::Entry) -> bool,
) -> Result<Args, UsageError> {
    let without_effect = args.without_effect_on_stdin();
    let config::Defaults { mut flags, places, mut warnings, words } = config::defaults(&args, env)?;
    flags.retain(|given| wanted(given.flag));
    let mut args = args.with_defaults(flags).map_err(|error| places.blame(error))?;
    warnings.extend(without_effect.filter(|_| args.get(&logs::STDIN)));
    warnings.extend(env.unknown_tz.as_deref().filter(|_| args.shows_local_times()).map(unknown_tz));
    (args.places, args.warnings, args.words) = (places, warnings, words);
    Ok(args)
}

fn unknown_tz(tz: &OsStr) -> String {
    let tz = tz.to_string_lossy();
    let text =
        format!("$TZ {tz:?} is not a time zone, so times are in UTC; set it to a name such as Asia/Seoul");
    UsageError::new(text).to_string()
}

/// The first word with which the scripts of the shells ask for completions, as in programs made with Go's cobra.
const COMPLETE: &str = "__complete";
/// The name by which kubectl asks for completions of its plugin `stern-rs`.
const KUBECTL_COMPLETE: &str = "kubectl_complete-stern_rs";

/// Users do not wait longer for a key.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last of `words` is being typed.
fn unfinished(words: Vec<OsString>, env: &Environment) -> Unfinished {
    let due = Instant::now() + PATIENCE;
    small_file::read_all_until(due);
    let (found, word) = pflag::unfinished(words);
    // An error in any other flag must not prevent completion.
    let selects = |flag: &flags::Entry| flags::within(&[Scope::Selection]).any(|known| known == flag);
    let is_needed = |flag: &flags::Entry| selects(flag) || *flag == other::CONFIG.entry;
    let flags: Vec<_> = found.flags.into_iter().filter(|given| is_needed(given.flag)).collect();
    let args = Args::new(found.positionals, &flags).and_then(|args| with_config(args, env, selects));
    Unfinished { args: args.ok(), word, due }
}

fn file_stem(path: Option<&OsString>) -> Option<&str> {
    path.and_then(|path| Path::new(path).file_stem()).and_then(|stem| stem.to_str())
}

/// The name that the user calls: kubectl runs `kubectl-stern_rs` for `kubectl stern-rs`.
fn program(argv0: Option<&OsString>) -> String {
    match file_stem(argv0).and_then(|stem| stem.strip_prefix("kubectl-")) {
        Some(plugin) => format!("kubectl {}", plugin.replace('_', "-")),
        None => "stern-rs".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::flags::{connection, lines, output, selection};
    use super::*;
    use crate::plan::Plan;

    fn parse_words(words: &[&str]) -> Result<Command, String> {
        parse(["stern-rs"].iter().chain(words).map(OsString::from), &Environment::bare())
            .map_err(|error| error.to_string())
    }

    fn said(words: &[&str]) -> Args {
        match parse_words(words) {
            Ok(Command::Run(args)) => *args,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    fn printed(argv: &[&str]) -> String {
        match parse(argv.iter().map(OsString::from), &Environment::bare()) {
            Ok(Command::Print(text)) => text,
            other => panic!("{argv:?}: {other:?}"),
        }
    }

    #[test]
    fn the_last_of_a_repeated_scalar_wins() {
        assert_eq!(said(&["--tail=5", "--tail", "7"]).get(&logs::TAIL), Some(7));
        assert!(!said(&["--no-follow", "--no-follow=false"]).get(&logs::NO_FOLLOW));
        assert_eq!(said(&["-t", "-t=short"]).get(&output::TIMESTAMPS), Some("short"));
    }

    #[test]
    fn a_repeated_list_keeps_all() {
        assert_eq!(said(&["-i", "a,b", "-i", "c"]).get(&lines::INCLUDE), ["a,b", "c"]);
    }

    #[test]
    fn switches_take_gos_words_for_true_and_false() {
        for word in ["1", "t", "T", "TRUE", "true", "True"] {
            assert!(said(&[&format!("--no-follow={word}")]).get(&logs::NO_FOLLOW), "{word}");
        }
        for word in ["0", "f", "F", "FALSE", "false", "False"] {
            assert!(
                !said(&[&format!("--init-containers={word}")]).get(&selection::INIT_CONTAINERS),
                "{word}"
            );
        }
    }

    #[test]
    fn flags_that_are_not_given_are_absent() {
        let args = said(&["web"]);
        assert_eq!(args.positionals[0].value, "web");
        assert!(args.get(&selection::INIT_CONTAINERS) && args.get(&selection::EPHEMERAL_CONTAINERS));
        assert!(!args.get(&logs::NO_FOLLOW));
        assert!(args.get(&logs::SINCE).is_none() && args.get(&logs::TAIL).is_none());
        assert!(args.get(&output::TIMESTAMPS).is_none());
    }

    #[test]
    fn an_empty_value_is_not_an_absent_one() {
        assert_eq!(said(&["--timestamps="]).get(&output::TIMESTAMPS), Some(""));
        assert_eq!(said(&["-i", ""]).get(&lines::INCLUDE), [""]);
        assert_eq!(said(&["--kubeconfig", ""]).get(&connection::KUBECONFIG), Some("".as_ref()));
    }

    #[test]
    fn help_names_the_program_as_it_was_called() {
        assert!(printed(&["/usr/bin/stern-rs", "-h"]).contains("Usage: stern-rs [flags] QUERY"));
        assert!(printed(&["kubectl-stern_rs", "--help"]).contains("Usage: kubectl stern-rs [flags] QUERY"));
    }

    #[test]
    fn help_ends_with_where_more_is() {
        assert!(
            printed(&["stern-rs", "--help"])
                .trim_end()
                .ends_with("--show-hidden-options lists more options, as in kubectl.")
        );
    }

    #[test]
    fn version_is_printed() {
        let version = printed(&["stern-rs", "-v"]);
        assert!(
            version.starts_with(concat!("stern-rs ", env!("CARGO_PKG_VERSION"))) && version.ends_with('\n'),
            "{version}"
        );
        assert_eq!(printed(&["stern-rs", "web", "--version"]), version);
    }

    #[test]
    fn hidden_options_are_listed_on_demand() {
        assert!(printed(&["stern-rs", "--show-hidden-options"]).contains("--as-user-extra KEY=VALUE"));
    }

    #[test]
    fn the_manual_page_is_printed_as_it_is_installed() {
        assert!(printed(&["stern-rs", "--man"]).contains("\n.SH NAME\nstern\\-rs \\- tail "));
    }

    #[test]
    fn completion_prints_the_script_of_a_shell() {
        assert!(printed(&["stern-rs", "--completion", "zsh"]).starts_with("#compdef stern-rs\n"));
        let error = parse_words(&["--completion=ksh"]).unwrap_err();
        assert!(error.contains("\"ksh\" is none of bash, zsh, fish or powershell"), "{error}");
    }

    #[test]
    fn a_completion_request_is_known_by_its_first_word_or_by_the_name_of_the_program() {
        for argv in
            [&["stern-rs", "__complete", "-n", "sh"][..], &["/bin/kubectl_complete-stern_rs", "-n", "sh"]]
        {
            let Ok(Command::Complete(unfinished)) =
                parse(argv.iter().map(OsString::from), &Environment::bare())
            else {
                panic!("{argv:?}")
            };
            assert!(
                matches!(unfinished.word, Word::Value { flag, .. } if *flag == selection::NAMESPACE.entry),
                "{argv:?}"
            );
        }
    }

    #[test]
    fn only_flags_that_select_a_cluster_matter_for_completion() {
        let words = ["--context", "c", "--tail", "x", "-p", "-l", "a=b", "web", "-c", ""];
        let args = unfinished(words.map(OsString::from).to_vec(), &Environment::bare()).args.unwrap();
        assert_eq!(args.get(&connection::CONTEXT), Some("c"));
        assert_eq!(args.positionals[0].value, "web");
        assert_eq!(args.get(&selection::SELECTOR), Some("a=b"));
        assert_eq!((args.get(&selection::PROMPT), args.get(&logs::TAIL)), (false, None));
    }

    #[test]
    fn errors_name_the_fault() {
        for (words, expected) in [
            (&["--tail", "x"][..], "--tail: \"x\" is not a whole number such as 10"),
            (&["--tail="], "--tail: \"\" is not a whole number"),
            (&["--tail=99999999999999999999"], "--tail: 99999999999999999999 is too large"),
            (&["--qps=nan"], "--qps: \"nan\" is not a number"),
            (&["--qps=fast"], "--qps: \"fast\" is not a number"),
            (&["--no-follow=maybe"], "--no-follow: \"maybe\" is neither true nor false"),
            (&["-A=x"], "--all-namespaces: \"x\" is neither true nor false"),
        ] {
            let error = parse_words(words).unwrap_err();
            assert!(error.contains(expected), "{words:?}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_paths_may_be_other_than_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(b"a\xff".to_vec());
        let parse = |argv: &[OsString]| {
            let env = Environment::bare();
            parse(argv.iter().cloned(), &env).and_then(|command| match command {
                Command::Run(args) => Plan::new(&args, &env),
                other => panic!("{other:?}"),
            })
        };
        assert!(parse(&["x".into(), "web".into(), "--kubeconfig".into(), odd()]).is_ok());
        assert!(parse(&["x".into(), "--include".into(), odd()]).is_err());
        assert!(parse(&["x".into(), odd()]).is_err());
    }

    proptest! {
        #[test]
        fn no_command_line_panics(words in proptest::collection::vec("(-[a-zA-Z]{1,2}|--[a-z-]{2,8}|--(since|tail|selector|field-selector|timezone|qps|pod-colors|condition)=)?[ -~é\n]{0,6}", 0..5)) {
            let argv = ["stern-rs".to_owned()].into_iter().chain(words).map(OsString::from);
            let planned = parse(argv, &Environment::bare()).and_then(|command| match command {
                Command::Run(args) => Plan::new(&args, &Environment::bare()).map(|_| ()),
                Command::Print(_) | Command::Complete(_) => Ok(()),
            });
            if let Err(error) = planned {
                prop_assert_eq!(error.to_string().lines().count(), 1);
            }
        }
    }
}
