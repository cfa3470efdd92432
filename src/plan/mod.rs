//! The plan of a run: the command line checked and typed, with every default filled in. Each file reads the flags of
//! its part.

mod colors;
pub mod condition;
mod connect;
mod display;
mod duration;
mod ending;
mod files;
mod filter;
#[cfg(fuzzing)]
pub mod fuzz;
mod level;
mod limits;
mod logs;
mod moment;
pub mod name;
mod pager;
mod pattern;
mod pretty;
mod query;
mod range;
mod read;
pub mod redact;
mod rewrites;
mod selection;
mod selector;
mod size;
mod sort;
mod summary;

use std::time::Duration;

use crate::{
    cli::{
        Args,
        flags::{self, connection, selection::PROMPT},
    },
    environment::Environment,
    lines::LineLimit,
    machine::Machine,
    records::{Gathering, WAIT},
    usage_error::UsageError,
};
use read::{error, given, none_of, wrong};

pub use self::{
    connect::Connect,
    display::{Display, Format, Outputs, Template, TemplateErrors, Timestamps},
    ending::Ending,
    files::FilesPlan,
    filter::{ContextPlan, FilterPlan},
    level::LevelPlan,
    limits::{Limits, LogRequests},
    logs::LogPlan,
    pager::PagerPlan,
    pattern::{LinePattern, SIZE_LIMIT},
    pretty::{Keys, Part, PrettyPlan},
    query::{Kind, Query},
    range::{ClockOf, RangePlan, Since},
    rewrites::{JqPlan, Rewrites},
    selection::{ContainerStates, Namespaces, Selection},
    sort::OrderPlan,
    summary::{SummaryFormat, SummaryPlan},
};

pub(crate) use query::{Selects, kind_of};
#[cfg(test)]
pub use selection::Condition;

/// Everything that one run does.
#[derive(Debug)]
pub struct Plan {
    pub machine: Machine,
    pub source: Source,
    pub lines: LineLimit,
    pub filter: FilterPlan,
    pub order: OrderPlan,
    pub ending: Ending,
    pub rewrites: Rewrites,
    /// How records of several lines are held until they are whole; None: each line goes on at once.
    pub gathering: Option<Gathering>,
    pub display: Display,
    pub outputs: Outputs,
    pub files: Option<FilesPlan>,
    /// No lines are printed: they are in files or counted only.
    pub quiet: bool,
    pub pager: Option<PagerPlan>,
    /// `--verbosity`: from 6 on, requests to the apiserver are shown on standard error.
    pub verbosity: u8,
    /// The format of the report at the end; None: no report.
    pub stats: Option<StatsFormat>,
    /// The report of what was read; None: no report.
    pub summary: Option<SummaryPlan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    Text,
    Json,
}

/// The source of the lines.
#[derive(Debug)]
pub enum Source {
    Stdin,
    Cluster(Box<ClusterPlan>),
}

#[derive(Debug)]
pub struct ClusterPlan {
    pub connect: Connect,
    pub selection: Selection,
    /// The user chooses an instance first.
    pub prompt: bool,
    /// Only list the containers to tail.
    pub dry_run: bool,
    /// As they were asked for, without the range.
    pub asked: LogPlan,
    pub range: RangePlan,
    /// The logs of the range by the clock of this machine, until the apiserver's is known.
    pub logs: LogPlan,
    pub limits: Limits,
}

impl Plan {
    pub fn new(args: &Args, env: &Environment) -> Result<Plan, UsageError> {
        Plan::check(args, env).map_err(|error| args.places.blame(error))
    }

    fn check(args: &Args, env: &Environment) -> Result<Plan, UsageError> {
        // Everything is checked with --stdin too: a wrong flag is an error even where it has no effect.
        let connect = Connect::new(args, &env.machine)?;
        let query = query::text(args)?;
        let selection = Selection::new(args, query)?;
        let order = OrderPlan::new(args)?;
        let (asked, logs, range) = logs(args, order, env)?;
        let limits = Limits::new(args, logs.follow)?;
        let filter = FilterPlan::new(args, env)?;
        let display = Display::new(args, &filter, &selection.namespaces, env)?;
        let ending = Ending::new(args, &filter, &display)?;
        let rewrites = Rewrites::new(args, &filter, &display, &ending, &connect.context_in_use)?;
        let gathering = gathering(args, &filter, &rewrites);
        let files = FilesPlan::new(args, env)?;
        let verbosity = verbosity(args)?;
        let dry_run = args.get(&flags::limits::DRY_RUN);
        let source = if args.get(&flags::logs::STDIN) {
            if dry_run {
                return Err(error("--dry-run and --stdin cannot be combined; remove one"));
            }
            Source::Stdin
        } else {
            selects_something(args, query)?;
            let prompt = prompt(args, query, env)?;
            Source::Cluster(Box::new(ClusterPlan {
                connect,
                selection,
                prompt,
                dry_run,
                asked,
                range,
                logs,
                limits,
            }))
        };
        let lines = filter::line_limit(args, &filter, &rewrites, gathering, &display, &ending, order)?;
        let outputs = Outputs::new(args, &display, env);
        let stats = stats(args)?;
        let summary = SummaryPlan::new(args, &filter, env)?;
        let quiet = files::quiet(args, files.as_ref(), summary.as_ref())?;
        let pager = PagerPlan::new(args, env, &source, &ending, quiet)?;
        Ok(Plan {
            machine: env.machine.clone(),
            source,
            lines,
            filter,
            order,
            ending,
            rewrites,
            gathering,
            display,
            outputs,
            files,
            quiet,
            pager,
            verbosity,
            stats,
            summary,
        })
    }

    /// How long a record that is held waits for its next line. What is read is delayed by the latency.
    pub fn record_wait(&self) -> Duration {
        match &self.source {
            Source::Cluster(cluster) => WAIT.max(2 * cluster.limits.latency),
            Source::Stdin => WAIT,
        }
    }
}

/// The logs as they are asked for, and those of the range by the clock of this machine.
fn logs(
    args: &Args,
    order: OrderPlan,
    env: &Environment,
) -> Result<(LogPlan, LogPlan, RangePlan), UsageError> {
    let range = RangePlan::new(args, display::timezone(args, env)?)?;
    let now = env.machine.now();
    let asked = LogPlan { late: range.zone_of_start(), ..LogPlan::new(args, order)? };
    let logs = asked.clone().within(range.at(now, ClockOf::Machine)?, now, ClockOf::Machine)?;
    Ok((asked, logs, range))
}

fn gathering(args: &Args, filter: &FilterPlan, rewrites: &Rewrites) -> Option<Gathering> {
    if args.get(&flags::structured::MULTILINE) || rewrites.needs_whole_records() {
        return Some(Gathering::Joined);
    }
    filter.needs_whole_records().then_some(Gathering::Whole)
}

fn selects_something(args: &Args, query: &str) -> Result<(), UsageError> {
    use flags::selection::{FIELD_SELECTOR, NODE, SELECTOR};
    let is_given = |flag| given(args, flag).is_some();
    if args.get(&PROMPT) || !query.is_empty() || [&SELECTOR, &FIELD_SELECTOR, &NODE].into_iter().any(is_given)
    {
        return Ok(());
    }
    Err(error(
        "no pods selected: give a name pattern ('.' matches all), KIND/NAME, -l, --field-selector, --node or -p; or use \
         --stdin",
    ))
}

fn prompt(args: &Args, query: &str, env: &Environment) -> Result<bool, UsageError> {
    if !args.get(&PROMPT) {
        return Ok(false);
    }
    if query.contains('/') {
        return Err(error("--prompt and a KIND/NAME query cannot be combined; remove one"));
    }
    match env.stdin_is_terminal && env.stderr_is_terminal {
        true => Ok(true),
        false => Err(error(
            "--prompt needs a terminal; without one, use -l app.kubernetes.io/instance=NAME (kubectl's -p is --previous)",
        )),
    }
}

fn verbosity(args: &Args) -> Result<u8, UsageError> {
    let level = args.get(&connection::VERBOSITY).unwrap_or(0);
    let out_of_range = |_| format!("{level} is not between 0 and 255; from 6 on it shows requests");
    u8::try_from(level).map_err(out_of_range).map_err(|reason| wrong(&connection::VERBOSITY, reason))
}

fn stats(args: &Args) -> Result<Option<StatsFormat>, UsageError> {
    use flags::limits::{STATS, STATS_FORMATS};
    match given(args, &STATS) {
        None | Some("false") => Ok(None),
        // A config file gives the flag without a format as `true`.
        Some("text" | "true") => Ok(Some(StatsFormat::Text)),
        Some("json") => Ok(Some(StatsFormat::Json)),
        Some(other) => Err(none_of(&STATS, other, STATS_FORMATS)),
    }
}

#[cfg(test)]
mod tests;
