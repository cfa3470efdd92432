//! From the command line to [`Args`]: what was said, not yet checked. [`crate::plan`] says what it means.

mod flags;
mod help;
mod hints;
mod pflag;

use std::{error::Error, ffi::OsString, path::Path};

use clap::ArgMatches;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Run(Box<Args>),
    /// Print this on standard output and end well.
    Print(String),
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

    pub since: Option<String>,
    pub since_time: Option<String>,
    pub tail: Option<i64>,
    pub limit_bytes: Option<i64>,
    pub no_follow: bool,
    pub previous: bool,
    pub stdin: bool,

    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub highlight: Vec<String>,

    pub output: Option<String>,
    pub timestamps: Option<String>,
    pub timezone: Option<String>,
    pub color: Option<String>,
    pub diff_container: bool,
    pub pod_colors: Vec<String>,
    pub container_colors: Vec<String>,
    pub only_log_lines: bool,

    pub max_log_requests: Option<i64>,
    pub qps: Option<f64>,
    pub burst: Option<i64>,

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
    pub disable_compression: bool,
}

/// `argv` begins with the program's name, which the usage repeats.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut argv = argv.into_iter();
    let program = program(argv.next());
    let table = flags::table();
    let pflag::Canonical { flags, positionals } = pflag::canonical(&table, argv)?;
    let query = query(positionals)?;
    let matches = table
        .clone()
        .no_binary_name(true)
        .try_get_matches_from(flags)
        .map_err(|error| UsageError::new(reason(&error)))?;
    let mut said = Said(matches);
    Ok(if said.switch("help") {
        Command::Print(help::help(&table, &program))
    } else if said.switch("version") {
        Command::Print(help::version())
    } else if said.switch("show-hidden-options") {
        Command::Print(help::hidden(&table, &program))
    } else {
        Command::Run(Box::new(args(query, said)))
    })
}

/// As the user calls it: kubectl runs `kubectl-stern_rs` for `kubectl stern-rs`.
fn program(argv0: Option<OsString>) -> String {
    let stem = argv0.as_ref().and_then(|path| Path::new(path).file_stem()).and_then(|stem| stem.to_str());
    match stem.and_then(|stem| stem.strip_prefix("kubectl-")) {
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
    let hint = match positionals.iter().find_map(|positional| positional.after.as_deref()) {
        Some(flag @ ("-t" | "--timestamps")) => format!("{flag} takes its value with =, as in {flag}=short"),
        Some(flag) => format!("{flag} takes no value"),
        None => format!("one pattern can match both: '{first}|{second}'"),
    };
    Err(UsageError::new(format!("one query at most, not \"{first}\" and \"{second}\"; {hint}")))
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
        since: said.one("since"),
        since_time: said.one("since-time"),
        tail: said.one("tail"),
        limit_bytes: said.one("limit-bytes"),
        no_follow: said.switch("no-follow"),
        previous: said.switch("previous"),
        stdin: said.switch("stdin"),
        include: said.list("include"),
        exclude: said.list("exclude"),
        highlight: said.list("highlight"),
        output: said.one("output"),
        timestamps: said.one("timestamps"),
        timezone: said.one("timezone"),
        color: said.one("color"),
        diff_container: said.switch("diff-container"),
        pod_colors: said.list("pod-colors"),
        container_colors: said.list("container-colors"),
        only_log_lines: said.switch("only-log-lines"),
        max_log_requests: said.one("max-log-requests"),
        qps: said.one("qps"),
        burst: said.one("burst"),
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
        disable_compression: said.switch("disable-compression"),
    }
}

struct Said(ArgMatches);

impl Said {
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
