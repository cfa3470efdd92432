//! Checks what was said, piece by piece, and fills in the defaults.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    ClusterPlan, Condition, Connect, ContainerStates, Display, Environment, FilterPlan, Format, Limits,
    LinePattern, LogPlan, LogRequests, Namespaces, Plan, Selection, Since, Source, StatsFormat, Template,
    Timestamps, colors, duration, name, pattern, query, selector, size,
};
use crate::{
    cli::{Args, UsageError},
    lines::LineLimit,
};

type Result<T, E = UsageError> = std::result::Result<T, E>;

/// As far back as stern looks.
const SINCE: Duration = Duration::from_secs(48 * 60 * 60);
const IDLE_CHECK: Duration = Duration::from_secs(30);
/// As stern.
const MAX_LOG_REQUESTS: usize = 50;
/// As stern; but where the apiserver is far away, up to as many as are followed.
const MAX_LOG_REQUESTS_NO_FOLLOW: usize = 5;
/// Each takes an inotify instance, of which many systems have 128 for all who follow there.
const MAX_STREAMS_PER_NODE: usize = 100;
/// With client-go's 5 and 10 it takes 16 seconds until 90 pods are shown.
const QPS: f64 = 50.0;
const BURST: u32 = 100;
const LATENCY: Duration = Duration::from_millis(5);

const LONGEST_LATENCY: Duration = Duration::from_secs(1);
const MAX_LINE: usize = 1 << 20;
/// Lines that are held are told by offsets of 32 bits.
const LONGEST_LINE: usize = 1 << 30;

/// As the apiserver spells them.
pub const CONDITIONS: [&str; 6] = [
    "ContainersReady",
    "Initialized",
    "Ready",
    "PodScheduled",
    "DisruptionTarget",
    "PodReadyToStartContainers",
];

impl Plan {
    pub fn new(args: Args, env: &Environment) -> Result<Plan> {
        let origins = args.origins.clone();
        Plan::check(args, env).map_err(|error| origins.blame(error))
    }

    fn check(args: Args, env: &Environment) -> Result<Plan> {
        // Everything is checked with --stdin too: a wrong flag is wrong even where it does not matter.
        let args = &args;
        let connect = connect(args)?;
        let selection = selection(args)?;
        let logs = logs(args)?;
        let limits = limits(args, logs.follow)?;
        let filter = FilterPlan {
            include: regexes("--include", &args.include, LinePattern::new)?,
            exclude: regexes("--exclude", &args.exclude, LinePattern::new)?,
            highlight: regexes("--highlight", &args.highlight, LinePattern::new)?,
        };
        let display = display(args, &selection.namespaces, env)?;
        let verbosity = u8::try_from(args.verbosity.unwrap_or(0))
            .map_err(|_| error("--verbosity: it is a number from 0 to 255; from 6 on requests are shown"))?;
        let source = if args.stdin {
            if args.dry_run {
                return Err(error("--dry-run asks the cluster, and --stdin reads none; leave one out"));
            }
            Source::Stdin
        } else {
            wants_something(args)?;
            let prompt = prompt(args, env)?;
            Source::Cluster(Box::new(ClusterPlan {
                connect,
                selection,
                prompt,
                dry_run: args.dry_run,
                logs,
                limits,
            }))
        };
        let lines = line_limit(args, &display)?;
        Ok(Plan { source, lines, filter, display, verbosity, stats: stats(args)? })
    }
}

fn error(text: impl AsRef<str>) -> UsageError {
    UsageError::new(text)
}

/// stern and kubectl take an empty value for an absent flag.
fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

/// The values of a flag that may be repeated and whose values may hold several, with commas between.
fn split(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().filter(|value| !value.is_empty()).flat_map(|value| value.split(',')).map(str::trim)
}

fn wants_something(args: &Args) -> Result<()> {
    let asked = [&args.query, &args.selector, &args.field_selector, &args.node];
    if args.prompt || asked.into_iter().any(|flag| given(flag).is_some()) {
        return Ok(());
    }
    Err(error(
        "which pods? Say a pattern ('.' is all), KIND/NAME, -l, --field-selector, --node or -p; or --stdin",
    ))
}

fn prompt(args: &Args, env: &Environment) -> Result<bool> {
    if !args.prompt {
        return Ok(false);
    }
    if args.query.as_ref().is_some_and(|query| query.contains('/')) {
        return Err(error("--prompt and a KIND/NAME query cannot go together; leave one out"));
    }
    match env.stdin_is_terminal && env.stderr_is_terminal {
        true => Ok(true),
        false => Err(error(
            "--prompt needs a terminal to ask on; without one say -l app.kubernetes.io/instance=NAME \
             (kubectl's -p is --previous)",
        )),
    }
}

fn connect(args: &Args) -> Result<Connect> {
    let text = |value: &Option<String>| given(value).map(str::to_owned);
    let path = |value: &Option<OsString>| value.as_ref().filter(|path| !path.is_empty()).map(PathBuf::from);
    if args.insecure_skip_tls_verify && path(&args.certificate_authority).is_some() {
        return Err(error(
            "--insecure-skip-tls-verify and --certificate-authority contradict each other; leave one out",
        ));
    }
    Ok(Connect {
        kubeconfig: path(&args.kubeconfig),
        context: text(&args.context),
        cluster: text(&args.cluster),
        user: text(&args.user),
        server: text(&args.server),
        token: text(&args.token),
        certificate_authority: path(&args.certificate_authority),
        client_certificate: path(&args.client_certificate),
        client_key: path(&args.client_key),
        insecure_skip_tls_verify: args.insecure_skip_tls_verify,
        tls_server_name: text(&args.tls_server_name),
        as_user: text(&args.as_user),
        as_groups: args.as_group.iter().filter(|group| !group.is_empty()).cloned().collect(),
        as_uid: text(&args.as_uid),
        as_user_extra: args.as_user_extra.iter().map(|pair| key_value(pair)).collect::<Result<_>>()?,
        request_timeout: request_timeout(args)?,
        http1: args.http1,
    })
}

fn key_value(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(error(format!("--as-user-extra: \"{pair}\" is not KEY=VALUE"))),
    }
}

/// A plain number means seconds, as for kubectl.
fn request_timeout(args: &Args) -> Result<Option<Duration>> {
    let Some(text) = given(&args.request_timeout) else { return Ok(None) };
    let timeout = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => duration::parse(text).map_err(|reason| error(format!("--request-timeout: {reason}")))?,
    };
    Ok(Some(timeout).filter(|timeout| !timeout.is_zero()))
}

fn selection(args: &Args) -> Result<Selection> {
    let query = query::parse(args.query.as_deref().unwrap_or_default()).map_err(error)?;
    let label_selector = given(&args.selector);
    if let Some(selector) = label_selector {
        selector::check_labels(selector).map_err(|reason| error(format!("--selector: {reason}")))?;
        if args.query.as_ref().is_some_and(|query| query.contains('/')) {
            return Err(error("--selector and a KIND/NAME query cannot go together; leave one out"));
        }
    }
    Ok(Selection {
        namespaces: namespaces(args)?,
        query,
        label_selector: label_selector.map(str::to_owned),
        field_selector: field_selector(args)?,
        exclude_pod: regexes("--exclude-pod", &args.exclude_pod, pattern::name)?,
        container: regex("--container", args.container.as_deref().unwrap_or_default(), pattern::name)?,
        exclude_container: regexes("--exclude-container", &args.exclude_container, pattern::name)?,
        states: states(args)?,
        condition: given(&args.condition).map(condition).transpose()?,
        init_containers: args.init_containers,
        ephemeral_containers: args.ephemeral_containers,
    })
}

fn namespaces(args: &Args) -> Result<Namespaces> {
    let mut names: Vec<String> = Vec::new();
    for namespace in split(&args.namespace).filter(|namespace| !namespace.is_empty()) {
        if !name::is_label(namespace) {
            return Err(error(format!(
                "--namespace: \"{namespace}\" cannot be a namespace; name them in full, a,b, or say -A for all"
            )));
        }
        if !names.iter().any(|known| known == namespace) {
            names.push(namespace.to_owned());
        }
    }
    Ok(match names {
        _ if args.all_namespaces => Namespaces::All,
        names if names.is_empty() => Namespaces::Default,
        names => Namespaces::Some(names),
    })
}

fn field_selector(args: &Args) -> Result<Option<String>> {
    let mut terms = Vec::new();
    if let Some(selector) = given(&args.field_selector) {
        selector::check_fields(selector).map_err(|reason| error(format!("--field-selector: {reason}")))?;
        terms.push(selector.to_owned());
    }
    if let Some(node) = given(&args.node) {
        if !name::is_subdomain(node) {
            return Err(error(format!("--node: \"{node}\" cannot be a node's name; say one in full")));
        }
        terms.push(format!("spec.nodeName={node}"));
    }
    Ok(Some(terms.join(",")).filter(|selector| !selector.is_empty()))
}

fn states(args: &Args) -> Result<ContainerStates> {
    let all = ContainerStates { running: true, waiting: true, terminated: true };
    let none = ContainerStates { running: false, waiting: false, terminated: false };
    let mut states = none;
    for state in split(&args.container_state).filter(|state| !state.is_empty()) {
        match state {
            "running" => states.running = true,
            "waiting" => states.waiting = true,
            "terminated" => states.terminated = true,
            "all" => states = all,
            _ => {
                return Err(error(format!(
                    "--container-state: \"{state}\" is none of running, waiting, terminated or all"
                )));
            }
        }
    }
    Ok(if states == none { all } else { states })
}

fn condition(text: &str) -> Result<Condition> {
    const STATUSES: [&str; 3] = ["True", "False", "Unknown"];
    let (said, status) = text.split_once('=').unwrap_or((text, "True"));
    let name = CONDITIONS
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(said))
        .ok_or_else(|| error(format!("--condition: \"{said}\" is none of {}", CONDITIONS.join(", "))))?;
    let status = STATUSES.into_iter().find(|known| known.eq_ignore_ascii_case(status)).ok_or_else(|| {
        error(format!("--condition: \"{status}\" is none of true, false or unknown, as in {name}=false"))
    })?;
    Ok(Condition { name, status })
}

fn logs(args: &Args) -> Result<LogPlan> {
    let follow = !args.no_follow && !args.previous;
    let tail = match args.tail {
        None | Some(-1) => None,
        Some(lines) => Some(u64::try_from(lines).map_err(|_| {
            error(format!("--tail: {lines} is less than -1; say a number of lines, or -1 for all"))
        })?),
    };
    if tail == Some(0) && !follow {
        let flag = if args.previous { "--previous" } else { "--no-follow" };
        return Err(error(format!("{flag} with --tail=0 shows nothing; leave one out")));
    }
    let limit_bytes = u64::try_from(args.limit_bytes.unwrap_or(0))
        .map_err(|_| error("--limit-bytes: it is negative; say a number of bytes, or 0 for all"))?;
    Ok(LogPlan {
        follow,
        previous: args.previous,
        since: since(args)?,
        tail,
        limit_bytes: Some(limit_bytes).filter(|&bytes| bytes > 0),
        idle_check: idle_check(args)?,
        confirm: args.confirm,
    })
}

fn idle_check(args: &Args) -> Result<Option<Duration>> {
    let Some(said) = given(&args.idle_check) else { return Ok(Some(IDLE_CHECK)) };
    let limit = duration::parse(said).map_err(|reason| error(format!("--idle-check: {reason}")))?;
    Ok(Some(limit).filter(|limit| !limit.is_zero()))
}

fn since(args: &Args) -> Result<Option<Since>> {
    match (&args.since, given(&args.since_time)) {
        (Some(_), Some(_)) => Err(error("--since and --since-time cannot go together; leave one out")),
        (Some(ago), None) => {
            let ago = duration::parse(ago).map_err(|reason| match ago.contains("://") {
                true => error(format!("--since: {reason} (kubectl's -s is --server here)")),
                false => error(format!("--since: {reason}")),
            })?;
            // As kubectl has it: 0 is no bound.
            Ok(Some(Since::Ago(ago)).filter(|_| !ago.is_zero()))
        }
        (None, Some(time)) => {
            let time: Timestamp = time.parse().map_err(|_| {
                error(format!(
                    "--since-time: \"{time}\" is not an RFC 3339 time such as 2026-01-31T12:00:00Z"
                ))
            })?;
            Ok(Some(Since::Time(time)))
        }
        // What ran before may have ended long ago.
        (None, None) if args.previous => Ok(None),
        (None, None) => Ok(Some(Since::Ago(SINCE))),
    }
}

fn limits(args: &Args, follow: bool) -> Result<Limits> {
    let log_requests = match args.max_log_requests {
        None | Some(-1) if follow => LogRequests::fixed(MAX_LOG_REQUESTS),
        None | Some(-1) => LogRequests { nearby: MAX_LOG_REQUESTS_NO_FOLLOW, most: MAX_LOG_REQUESTS },
        Some(said) => {
            usize::try_from(said).ok().filter(|&max| max > 0).map(LogRequests::fixed).ok_or_else(|| {
                error(format!("--max-log-requests: {said} is less than 1; leave it out for the default"))
            })?
        }
    };
    let max_streams_per_node = match args.max_streams_per_node {
        None => MAX_STREAMS_PER_NODE,
        Some(said) => usize::try_from(said).ok().filter(|&max| max > 0).ok_or_else(|| {
            error(format!("--max-streams-per-node: {said} is less than 1; leave it out for the default"))
        })?,
    };
    let qps = match args.qps {
        None | Some(0.0) => Some(QPS),
        Some(qps) if qps > 0.0 => Some(qps),
        Some(-1.0) => None,
        Some(qps) => return Err(error(format!("--qps: {qps} is negative; -1 is no limit, 0 the default"))),
    };
    let burst = match args.burst {
        None | Some(0) => BURST,
        Some(burst) => u32::try_from(burst).map_err(|_| {
            error(format!("--burst: {burst} is not from 1 to {}; 0 is the default", u32::MAX))
        })?,
    };
    let max_bandwidth = match given(&args.max_bandwidth) {
        None | Some("-1") => None,
        Some(text) => {
            match size::parse(text).map_err(|reason| error(format!("--max-bandwidth: {reason}")))? {
                0 => return Err(error("--max-bandwidth: 0 bytes a second are none; -1 is no limit")),
                bytes => Some(bytes),
            }
        }
    };
    let latency = match given(&args.latency) {
        None => LATENCY,
        Some(text) => duration::parse(text).map_err(|reason| error(format!("--latency: {reason}")))?,
    };
    if latency > LONGEST_LATENCY {
        return Err(error(format!("--latency: {latency:?} is longer than 1s; some milliseconds are enough")));
    }
    Ok(Limits { qps, burst, log_requests, max_streams_per_node, max_bandwidth, latency })
}

fn display(args: &Args, namespaces: &Namespaces, env: &Environment) -> Result<Display> {
    let (color_stdout, color_stderr) = match args.color.as_deref() {
        None | Some("auto") => {
            (env.wants_color(env.stdout_is_terminal), env.wants_color(env.stderr_is_terminal))
        }
        Some("always") => (true, true),
        Some("never") => (false, false),
        Some(other) => return Err(error(format!("--color: \"{other}\" is none of auto, always or never"))),
    };
    let all = *namespaces == Namespaces::All;
    Ok(Display {
        format: format(args)?,
        template: template(args),
        color_stdout,
        color_stderr,
        timestamps: match args.timestamps.as_deref() {
            None | Some("") => None,
            Some("default") => Some(Timestamps::Default),
            Some("short") => Some(Timestamps::Short),
            Some(other) => {
                return Err(error(format!("--timestamps: \"{other}\" is neither default nor short")));
            }
        },
        timezone: timezone(args, env)?,
        diff_container: args.diff_container,
        only_log_lines: args.only_log_lines,
        gaps: gaps(args)?,
        colors: colors::pairs(split(&args.pod_colors), split(&args.container_colors))?,
        namespace_in_prefix: all || matches!(namespaces, Namespaces::Some(names) if names.len() > 1),
        namespace_in_extjson: all,
    })
}

fn format(args: &Args) -> Result<Format> {
    Ok(match args.output.as_deref() {
        None | Some("default") => Format::Default,
        Some("raw") => Format::Raw,
        Some("json") => Format::Json,
        Some("extjson") => Format::Extjson,
        Some("ppextjson") => Format::Ppextjson,
        Some(other) => {
            return Err(error(format!(
                "--output: \"{other}\" is none of default, raw, json, extjson or ppextjson"
            )));
        }
    })
}

fn stats(args: &Args) -> Result<Option<StatsFormat>> {
    match given(&args.stats) {
        None | Some("false") => Ok(None),
        // A config file says it without a format.
        Some("text" | "true") => Ok(Some(StatsFormat::Text)),
        Some("json") => Ok(Some(StatsFormat::Json)),
        Some(other) => Err(error(format!("--stats: \"{other}\" is neither text nor json"))),
    }
}

fn gaps(args: &Args) -> Result<bool> {
    if args.gaps && (template(args).is_some() || format(args)? != Format::Json) {
        return Err(error(
            "--gaps has a place in JSON only; add -o json, or leave it out: standard error tells of gaps",
        ));
    }
    Ok(args.gaps)
}

/// As in stern a file goes before a text.
fn template(args: &Args) -> Option<Template> {
    let file = args.template_file.as_ref().filter(|path| !path.is_empty());
    match file {
        Some(path) => Some(Template::File(path.into())),
        None => given(&args.template).map(|text| Template::Text(text.to_owned())),
    }
}

fn timezone(args: &Args, env: &Environment) -> Result<TimeZone> {
    match args.timezone.as_deref() {
        None | Some("Local") => Ok(env.local.clone()),
        // As Go's time.LoadLocation.
        Some("" | "UTC") => Ok(TimeZone::UTC),
        Some(zone) => TimeZone::get(zone).map_err(|_| {
            error(format!(
                "--timezone: there is no time zone \"{zone}\"; say Local, UTC or one such as Asia/Seoul"
            ))
        }),
    }
}

/// `-o raw` needs no line whole, unless something is looked for in it.
fn line_limit(args: &Args, display: &Display) -> Result<LineLimit> {
    let whole = LineLimit { bytes: LONGEST_LINE, spool: false };
    let filters = [&args.include, &args.exclude, &args.highlight];
    let raw = display.format == Format::Raw && display.template.is_none();
    match given(&args.max_line) {
        None if raw && filters.iter().all(|patterns| patterns.is_empty()) => {
            Ok(LineLimit { bytes: MAX_LINE, spool: true })
        }
        None => Ok(LineLimit { bytes: MAX_LINE, spool: false }),
        Some(said) => match size::parse(said).map_err(|reason| error(format!("--max-line: {reason}")))? {
            0 => Ok(whole),
            bytes => Ok(LineLimit {
                bytes: usize::try_from(bytes).unwrap_or(usize::MAX).min(LONGEST_LINE),
                spool: false,
            }),
        },
    }
}

fn regex<R>(flag: &str, text: &str, compile: impl Fn(&str) -> Result<R, String>) -> Result<R> {
    compile(text).map_err(|reason| error(format!("{flag}: {reason}")))
}

fn regexes<R>(flag: &str, texts: &[String], compile: impl Fn(&str) -> Result<R, String>) -> Result<Vec<R>> {
    texts.iter().map(|text| regex(flag, text, &compile)).collect()
}

#[cfg(test)]
mod tests;
