//! From the command line to [`Args`]: what was said, not yet checked. [`crate::plan`] says what it means.

mod config;
mod flags;
mod help;
mod hints;
mod pflag;
mod scripts;

use std::{error::Error, ffi::OsString, path::Path};

use clap::{ArgMatches, parser::ValueSource};
use config::Origins;

use crate::plan::Environment;

pub(crate) use flags::table;
pub use pflag::Word;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Run(Box<Args>),
    /// Print this on standard output and end well.
    Print(String),
    /// Say what the command line that is being typed may go on with.
    Complete(Box<Typed>),
}

/// A command line that is being typed.
#[derive(Debug)]
pub struct Typed {
    /// What was said so far of the cluster and the selection, the rest being absent. None where that is wrong.
    pub args: Option<Args>,
    pub word: Word,
}

/// One line that says what is wrong with the command line, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// Line breaks, which come from what the user typed, are shown escaped.
    pub fn new(text: impl AsRef<str>) -> UsageError {
        let mut line = String::new();
        for c in text.as_ref().chars() {
            if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
        }
        UsageError(line)
    }
}

/// What was said. An absent flag is `None`, empty or, for a switch, its default.
#[derive(Debug)]
pub struct Args {
    pub query: Option<String>,

    pub namespace: Vec<String>,
    pub all_namespaces: bool,
    pub selector: Option<String>,
    pub field_selector: Option<String>,
    pub node: Option<String>,
    pub exclude_pod: Vec<String>,
    pub container: Option<String>,
    pub exclude_container: Vec<String>,
    pub container_state: Vec<String>,
    pub condition: Option<String>,
    pub init_containers: bool,
    pub ephemeral_containers: bool,
    pub prompt: bool,

    pub since: Option<String>,
    pub since_time: Option<String>,
    pub tail: Option<i64>,
    pub limit_bytes: Option<i64>,
    pub no_follow: bool,
    pub idle_check: Option<String>,
    pub confirm: bool,
    pub previous: bool,
    pub stdin: bool,

    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub highlight: Vec<String>,
    pub max_line: Option<String>,

    pub output: Option<String>,
    pub template: Option<String>,
    pub template_file: Option<OsString>,
    pub timestamps: Option<String>,
    pub timezone: Option<String>,
    pub color: Option<String>,
    pub diff_container: bool,
    pub pod_colors: Vec<String>,
    pub container_colors: Vec<String>,
    pub only_log_lines: bool,
    pub gaps: bool,

    pub max_log_requests: Option<i64>,
    pub max_streams_per_node: Option<i64>,
    pub qps: Option<f64>,
    pub burst: Option<i64>,
    pub dry_run: bool,
    pub stats: Option<String>,
    pub max_bandwidth: Option<String>,
    pub latency: Option<String>,

    pub kubeconfig: Option<OsString>,
    pub context: Option<String>,
    pub verbosity: Option<i64>,
    pub as_user: Option<String>,
    pub as_group: Vec<String>,
    pub as_uid: Option<String>,
    pub as_user_extra: Vec<String>,
    pub token: Option<String>,
    pub server: Option<String>,
    pub certificate_authority: Option<OsString>,
    pub client_certificate: Option<OsString>,
    pub client_key: Option<OsString>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub insecure_skip_tls_verify: bool,
    pub tls_server_name: Option<String>,
    pub request_timeout: Option<String>,
    pub http1: bool,

    /// What of this the config file says.
    pub origins: Origins,
    /// To be said on standard error.
    pub warnings: Vec<String>,
}

/// `argv` begins with the program's name, which the usage repeats.
pub fn parse(argv: impl IntoIterator<Item = OsString>, env: &Environment) -> Result<Command, UsageError> {
    let mut argv = argv.into_iter().peekable();
    let argv0 = argv.next();
    if file_stem(argv0.as_ref()) == Some(KUBECTL_COMPLETE) || argv.next_if(|word| word == COMPLETE).is_some()
    {
        return Ok(Command::Complete(Box::new(typed(argv.collect(), env))));
    }
    let program = program(argv0.as_ref());
    let table = table();
    let pflag::Canonical { flags, positionals } = pflag::canonical(&table, argv)?;
    let query = query(positionals)?;
    let mut said = Said::new(&table, &flags)?;
    if let Some(shell) = said.one::<String>("completion").filter(|shell| !shell.is_empty()) {
        return scripts::script(&shell).map(|script| Command::Print(script.to_owned()));
    }
    Ok(if said.switch("help") {
        Command::Print(help::help(&table, &program))
    } else if said.switch("version") {
        Command::Print(help::version())
    } else if said.switch("show-hidden-options") {
        Command::Print(help::hidden(&table, &program))
    } else {
        Command::Run(Box::new(settle(&table, query, flags, env, |_| true)?))
    })
}

/// What the flags say, and of the config file those of which `part` holds.
fn settle(
    table: &clap::Command,
    query: Option<String>,
    flags: Vec<OsString>,
    env: &Environment,
    part: impl Fn(&OsString) -> bool,
) -> Result<Args, UsageError> {
    let mut said = Said::new(table, &flags)?;
    let named: Option<OsString> = said.one("config");
    let defaults = config::defaults(table, named.as_deref(), env, |name| said.has(name))?;
    let flags: Vec<_> = defaults.flags.iter().filter(|flag| part(flag)).cloned().chain(flags).collect();
    let settled = Said::new(table, &flags).map_err(|error| defaults.origins.blame(error))?;
    let config::Defaults { origins, mut warnings, .. } = defaults;
    let args = args(query, settled);
    if args.stdin {
        warnings.extend(ignored(table, args.query.as_deref(), |name| said.has(name)));
    }
    Ok(Args { origins, warnings, ..args })
}

/// The part of the command line that has no effect with `--stdin`, if any.
fn ignored(table: &clap::Command, query: Option<&str>, said: impl Fn(&str) -> bool) -> Option<String> {
    let flags = table.get_arguments().filter(|flag| flags::is_of_clusters(flag));
    let flags = flags.filter_map(|flag| flag.get_long()).filter(|name| said(name));
    let query = query.filter(|query| !query.is_empty()).map(|query| format!("the query \"{query}\""));
    let ignored: Vec<_> = query.into_iter().chain(flags.map(|name| format!("--{name}"))).collect();
    let told = format!("ignored with --stdin, which asks no cluster: {}", ignored.join(", "));
    (!ignored.is_empty()).then(|| UsageError::new(told).to_string())
}

/// The first word with which the scripts of the shells ask what may follow, as in programs made with Go's cobra.
const COMPLETE: &str = "__complete";
/// The name by which kubectl asks the same of its plugin `stern-rs`.
const KUBECTL_COMPLETE: &str = "kubectl_complete-stern_rs";

/// `words` as far as they are typed; the last one is being typed.
fn typed(words: Vec<OsString>, env: &Environment) -> Typed {
    let table = table();
    let (found, word) = pflag::unfinished(&table, words);
    // What has no part in what is asked cannot hinder it, though it be wrong.
    let part = |flag: &OsString| {
        let name = flag.to_str().and_then(|flag| flag.trim_start_matches('-').split('=').next());
        let known = table.get_arguments().find(|arg| arg.get_long() == name);
        let heading = known.and_then(|arg| arg.get_help_heading());
        name == Some("config")
            || matches!(heading, Some(flags::CONNECTION | flags::SELECTION)) && name != Some("prompt")
    };
    let flags = found.flags.into_iter().filter(part).collect();
    let args = query(found.positionals).and_then(|query| settle(&table, query, flags, env, part));
    Typed { args: args.ok(), word }
}

fn file_stem(path: Option<&OsString>) -> Option<&str> {
    path.and_then(|path| Path::new(path).file_stem()).and_then(|stem| stem.to_str())
}

/// As the user calls it: kubectl runs `kubectl-stern_rs` for `kubectl stern-rs`.
fn program(argv0: Option<&OsString>) -> String {
    match file_stem(argv0).and_then(|stem| stem.strip_prefix("kubectl-")) {
        Some(plugin) => format!("kubectl {}", plugin.replace('_', "-")),
        None => "stern-rs".to_owned(),
    }
}

fn query(positionals: Vec<pflag::Positional>) -> Result<Option<String>, UsageError> {
    let mut words = Vec::new();
    for positional in &positionals {
        let word = positional.value.to_str();
        words.push(word.ok_or_else(|| {
            UsageError::new(format!("the query {} is not UTF-8", positional.value.to_string_lossy()))
        })?);
    }
    let [first, second, ..] = words[..] else { return Ok(words.first().map(|word| word.to_string())) };
    let after = positionals.iter().find_map(|positional| positional.after.as_deref());
    Err(hints::two_queries(first, second, after))
}

/// The table's value parsers word their errors for the user; whatever else clap says has its point in the first line.
fn reason(error: &clap::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

fn args(query: Option<String>, mut said: Said) -> Args {
    Args {
        query,
        namespace: said.list("namespace"),
        all_namespaces: said.switch("all-namespaces"),
        selector: said.one("selector"),
        field_selector: said.one("field-selector"),
        node: said.one("node"),
        exclude_pod: said.list("exclude-pod"),
        container: said.one("container"),
        exclude_container: said.list("exclude-container"),
        container_state: said.list("container-state"),
        condition: said.one("condition"),
        init_containers: said.one("init-containers").unwrap_or(true),
        ephemeral_containers: said.one("ephemeral-containers").unwrap_or(true),
        prompt: said.switch("prompt"),
        since: said.one("since"),
        since_time: said.one("since-time"),
        tail: said.one("tail"),
        limit_bytes: said.one("limit-bytes"),
        no_follow: said.switch("no-follow"),
        idle_check: said.one("idle-check"),
        confirm: said.one("confirm").unwrap_or(true),
        previous: said.switch("previous"),
        stdin: said.switch("stdin"),
        include: said.list("include"),
        exclude: said.list("exclude"),
        highlight: said.list("highlight"),
        max_line: said.one("max-line"),
        output: said.one("output"),
        template: said.one("template"),
        template_file: said.one("template-file"),
        timestamps: said.one("timestamps"),
        timezone: said.one("timezone"),
        color: said.one("color"),
        diff_container: said.switch("diff-container"),
        pod_colors: said.list("pod-colors"),
        container_colors: said.list("container-colors"),
        only_log_lines: said.switch("only-log-lines"),
        gaps: said.switch("gaps"),
        max_log_requests: said.one("max-log-requests"),
        max_streams_per_node: said.one("max-streams-per-node"),
        qps: said.one("qps"),
        burst: said.one("burst"),
        dry_run: said.switch("dry-run"),
        stats: said.one("stats"),
        max_bandwidth: said.one("max-bandwidth"),
        latency: said.one("latency"),
        kubeconfig: said.one("kubeconfig"),
        context: said.one("context"),
        verbosity: said.one("verbosity"),
        as_user: said.one("as"),
        as_group: said.list("as-group"),
        as_uid: said.one("as-uid"),
        as_user_extra: said.list("as-user-extra"),
        token: said.one("token"),
        server: said.one("server"),
        certificate_authority: said.one("certificate-authority"),
        client_certificate: said.one("client-certificate"),
        client_key: said.one("client-key"),
        cluster: said.one("cluster"),
        user: said.one("user"),
        insecure_skip_tls_verify: said.switch("insecure-skip-tls-verify"),
        tls_server_name: said.one("tls-server-name"),
        request_timeout: said.one("request-timeout"),
        http1: said.switch("http1"),
        origins: Origins::default(),
        warnings: Vec::new(),
    }
}

struct Said(ArgMatches);

impl Said {
    fn new(table: &clap::Command, flags: &[OsString]) -> Result<Said, UsageError> {
        let matches = table.clone().no_binary_name(true).try_get_matches_from(flags);
        matches.map(Said).map_err(|error| UsageError::new(reason(&error)))
    }

    fn has(&self, name: &str) -> bool {
        self.0.try_contains_id(name).is_ok() && self.0.value_source(name) == Some(ValueSource::CommandLine)
    }

    fn one<T: Clone + Send + Sync + 'static>(&mut self, name: &str) -> Option<T> {
        self.0.remove_one(name)
    }

    fn list(&mut self, name: &str) -> Vec<String> {
        self.0.remove_many(name).map(Iterator::collect).unwrap_or_default()
    }

    fn switch(&mut self, name: &str) -> bool {
        self.one(name).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{Environment, Plan};

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
        assert_eq!(said(&["--tail=5", "--tail", "7"]).tail, Some(7));
        assert!(!said(&["--no-follow", "--no-follow=false"]).no_follow);
        assert_eq!(said(&["-t", "-t=short"]).timestamps.as_deref(), Some("short"));
    }

    #[test]
    fn a_repeated_list_keeps_all() {
        assert_eq!(said(&["-i", "a,b", "-i", "c"]).include, ["a,b", "c"]);
    }

    #[test]
    fn switches_take_gos_words_for_true_and_false() {
        for word in ["1", "t", "T", "TRUE", "true", "True"] {
            assert!(said(&[&format!("--no-follow={word}")]).no_follow, "{word}");
        }
        for word in ["0", "f", "F", "FALSE", "false", "False"] {
            assert!(!said(&[&format!("--init-containers={word}")]).init_containers, "{word}");
        }
    }

    #[test]
    fn what_is_not_said_is_absent() {
        let args = said(&["web"]);
        assert_eq!(args.query.as_deref(), Some("web"));
        assert!(args.init_containers && args.ephemeral_containers && !args.no_follow);
        assert!(args.since.is_none() && args.tail.is_none() && args.timestamps.is_none());
    }

    #[test]
    fn an_empty_value_is_not_an_absent_one() {
        assert_eq!(said(&["--timestamps="]).timestamps.as_deref(), Some(""));
        assert_eq!(said(&["-i", ""]).include, [""]);
        assert_eq!(said(&["--kubeconfig", ""]).kubeconfig, Some(OsString::new()));
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
                .ends_with("--show-hidden-options lists more, as kubectl has them.")
        );
    }

    #[test]
    fn version_is_printed() {
        let version = printed(&["stern-rs", "-v"]);
        assert!(version.starts_with("stern-rs 0.1.0") && version.ends_with('\n'), "{version}");
        assert_eq!(printed(&["stern-rs", "web", "--version"]), version);
    }

    #[test]
    fn hidden_options_are_listed_on_demand() {
        assert!(printed(&["stern-rs", "--show-hidden-options"]).contains("--as-user-extra KEY=VALUE"));
    }

    #[test]
    fn completion_prints_the_script_of_a_shell() {
        assert!(printed(&["stern-rs", "--completion", "zsh"]).starts_with("#compdef stern-rs\n"));
        let error = parse_words(&["--completion=ksh"]).unwrap_err();
        assert!(error.contains("\"ksh\" is none of bash, zsh, fish or powershell"), "{error}");
    }

    #[test]
    fn a_line_being_typed_is_known_by_its_first_word_or_by_the_name_of_the_program() {
        for argv in
            [&["stern-rs", "__complete", "-n", "sh"][..], &["/bin/kubectl_complete-stern_rs", "-n", "sh"]]
        {
            let Ok(Command::Complete(typed)) = parse(argv.iter().map(OsString::from), &Environment::bare())
            else {
                panic!("{argv:?}")
            };
            assert!(matches!(typed.word, Word::Value { flag, .. } if flag == "namespace"), "{argv:?}");
        }
    }

    #[test]
    fn only_what_says_where_to_look_has_a_part_in_completion() {
        let words = ["--context", "c", "--tail", "x", "-p", "-l", "a=b", "web", "-c", ""];
        let args = typed(words.map(OsString::from).to_vec(), &Environment::bare()).args.unwrap();
        assert_eq!((args.context.as_deref(), args.query.as_deref()), (Some("c"), Some("web")));
        assert_eq!((args.selector.as_deref(), args.prompt, args.tail), (Some("a=b"), false, None));
    }

    #[test]
    fn says_what_is_wrong() {
        for (words, expected) in [
            (&["--tail", "x"][..], "--tail: \"x\" is not a whole number, such as --tail=10"),
            (&["--tail="], "--tail: \"\" is not a whole number"),
            (&["--tail=99999999999999999999"], "--tail: \"99999999999999999999\" is not a whole number"),
            (&["--qps=nan"], "--qps: \"nan\" is not a number"),
            (&["--qps=fast"], "--qps: \"fast\" is not a number"),
            (
                &["--no-follow=maybe"],
                "--no-follow: \"maybe\" is neither true nor false, as in --no-follow=false",
            ),
            (&["-A=x"], "--all-namespaces: \"x\" is neither true nor false"),
            (&["-A", "kube-system", "web"], "not \"kube-system\" and \"web\"; -A takes no value"),
            (&["web", "-t", "short"], "-t takes its value with =, as in -t=short"),
            (&["web", "api"], "one pattern can match both: 'web|api'"),
            (&["deploy", "web"], "a kind and a name are one word: 'deploy/web'"),
            (&["pod/a", "pod/b"], "one pattern can match both: 'pod/a|b'"),
            (&["web", "pod/b"], "one pattern can match both: 'web|^b$'"),
            (&["deploy/a", "deploy/b"], "say one pattern that matches both, or -l"),
            (&["a", "b'c"], "say one pattern that matches both"),
            (&["logs", "web"], "'logs' is kubectl's; leave it out"),
            (&["web", "-since", "5m"], "long flags have two dashes: --since"),
        ] {
            let error = parse_words(words).unwrap_err();
            assert!(error.contains(expected), "{words:?}: {error}");
        }
    }

    #[test]
    fn an_error_is_one_line_whatever_was_typed() {
        assert_eq!(UsageError::new("a\nb\u{1b}").to_string(), r"a\nb\u{1b}");
    }

    #[cfg(unix)]
    #[test]
    fn only_paths_may_be_other_than_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(b"a\xff".to_vec());
        let parse = |argv: &[OsString]| parse(argv.iter().cloned(), &Environment::bare());
        assert!(parse(&["x".into(), "--kubeconfig".into(), odd()]).is_ok());
        assert!(parse(&["x".into(), "--include".into(), odd()]).is_err());
        assert!(parse(&["x".into(), odd()]).is_err());
    }

    proptest! {
        #[test]
        fn no_command_line_panics(words in proptest::collection::vec("(-[a-zA-Z]{1,2}|--[a-z-]{2,8}|--(since|tail|selector|field-selector|timezone|qps|pod-colors|condition)=)?[ -~é\n]{0,6}", 0..5)) {
            let argv = ["stern-rs".to_owned()].into_iter().chain(words).map(OsString::from);
            let planned = parse(argv, &Environment::bare()).and_then(|command| match command {
                Command::Run(args) => Plan::new(*args, &Environment::bare()).map(|_| ()),
                Command::Print(_) | Command::Complete(_) => Ok(()),
            });
            if let Err(error) = planned {
                prop_assert_eq!(error.to_string().lines().count(), 1);
            }
        }
    }
}
