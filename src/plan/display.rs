//! The look of lines and notices.

use std::{path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

use super::{
    FilterPlan, LinePattern, Namespaces, PrettyPlan, colors, duration,
    pattern::Room,
    read::{each, error, given, none_of, parsed, split, wrong},
};
use crate::{
    cli::{
        Args,
        flags::{
            lines::HIGHLIGHT,
            logs::STDIN,
            output as flags,
            structured::{JQ, MULTILINE},
        },
    },
    environment::Environment,
    shown::{Escapes, Passes},
    usage_error::UsageError,
};

/// The bytes that may pass to standard output and standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    pub stdout: Passes,
    pub stderr: Passes,
}

impl Outputs {
    pub(super) fn new(args: &Args, display: &Display, env: &Environment) -> Outputs {
        match args.get(&flags::UNSAFE_TERMINAL) {
            true => Outputs { stdout: Passes::All, stderr: Passes::All },
            false => {
                let outputs = Outputs::clean(env, display.color_stdout, display.color_stderr);
                match outputs.stdout {
                    Passes::Text(_) if is_json(display.format, display.template.as_ref()) => {
                        Outputs { stdout: Passes::Text(Escapes::Json), ..outputs }
                    }
                    _ => outputs,
                }
            }
        }
    }

    /// For text that is shown before there is a plan.
    pub fn without_plan(env: &Environment) -> Outputs {
        Outputs::clean(env, env.wants_color(true), env.wants_color(true))
    }

    fn clean(env: &Environment, color_stdout: bool, color_stderr: bool) -> Outputs {
        let passes = |is_terminal, color| match (is_terminal, color) {
            (true, true) => Passes::Text(Escapes::Dim),
            (true, false) => Passes::Text(Escapes::Plain),
            (false, _) => Passes::All,
        };
        Outputs {
            stdout: passes(env.stdout_is_terminal, color_stdout),
            stderr: passes(env.stderr_is_terminal, color_stderr),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Display {
    pub format: Format,
    /// Replaces `format`.
    pub template: Option<Template>,
    pub template_errors: TemplateErrors,
    pub pretty: PrettyPlan,
    /// Matches to mark: of `--include` and `--highlight`.
    pub highlight: Vec<LinePattern>,
    pub color_stdout: bool,
    pub color_stderr: bool,
    pub timestamps: Option<Timestamps>,
    /// The shortest pause between lines that is marked.
    pub markers: Option<Duration>,
    pub timezone: TimeZone,
    /// The zone of the machine, which templates know.
    pub local: TimeZone,
    pub diff_container: bool,
    pub only_log_lines: bool,
    /// Whether a message may have several lines.
    pub joined: bool,
    /// Whether missing lines are reported among the lines too: in `json` only.
    pub gaps: bool,
    /// Pairs of SGR sequences (`"38;5;9"`) for pod and container; None: the built-in palette.
    pub colors: Option<Vec<(String, String)>>,
    /// Whether the namespace is part of the prefix and of notices: with `-A` or several namespaces.
    pub namespace_in_prefix: bool,
    /// Whether the namespace is part of extjson and ppextjson: with `-A` only, as in stern.
    pub namespace_in_extjson: bool,
}

/// The template of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// `--template`
    Text(String),
    /// `--template-file`
    File(PathBuf),
}

/// What becomes of a line on which the template fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateErrors {
    /// It is shown as it is.
    Raw,
    Drop,
    /// It is left out and does not count, as in stern: the default for standard input.
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Default,
    /// A line for each record, in columns.
    Pretty,
    Raw,
    Json,
    Extjson,
    Ppextjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamps {
    /// `2006-01-02T15:04:05.000000000Z07:00`
    Default,
    /// `01-02 15:04:05`
    Short,
}

impl Display {
    pub(super) fn new(
        args: &Args,
        filter: &FilterPlan,
        namespaces: &Namespaces,
        env: &Environment,
    ) -> Result<Display, UsageError> {
        let (color_stdout, color_stderr) = colored(args, env)?;
        let (format, template) = (format(args)?, template(args, env)?);
        let has_markers = env.stdout_is_terminal && !is_json(format, template.as_ref());
        let markers = markers(args)?.filter(|_| has_markers);
        let gaps = args.get(&flags::GAPS);
        if gaps && (template.is_some() || format != Format::Json) {
            return Err(error(
                "--gaps works only with -o json; add that, or remove --gaps: standard error reports gaps anyway",
            ));
        }
        let pretty = PrettyPlan::new(args, template.is_none().then_some(format), &filter.vocabulary, env)?;
        let mut highlight = filter.include.clone();
        let room = Room::beside(filter.patterns());
        highlight.extend(each(args, &HIGHLIGHT, |pattern| room.pattern(pattern))?);
        if highlight.len() > 1 {
            // They become one.
            highlight = highlight.into_iter().map(LinePattern::without_regex).collect();
        }
        let all = *namespaces == Namespaces::All;
        Ok(Display {
            format,
            template,
            template_errors: template_errors(args)?,
            pretty,
            highlight,
            color_stdout,
            color_stderr,
            timestamps: timestamps(args)?,
            markers,
            timezone: timezone(args, env)?,
            local: env.local.clone(),
            diff_container: args.get(&flags::DIFF_CONTAINER),
            only_log_lines: args.get(&flags::ONLY_LOG_LINES),
            // So is what --jq makes of a record.
            joined: args.get(&MULTILINE) || given(args, &JQ).is_some(),
            gaps,
            colors: colors::pairs(split(args, &flags::POD_COLORS), split(args, &flags::CONTAINER_COLORS))?,
            namespace_in_prefix: all || matches!(namespaces, Namespaces::Some(names) if names.len() > 1),
            namespace_in_extjson: all,
        })
    }

    /// The same for files, which have no colours, no markers, and a line for each record.
    pub fn for_files(&self) -> Display {
        let pretty = PrettyPlan { on_terminal: false, ..self.pretty.clone() };
        Display { color_stdout: false, markers: None, pretty, ..self.clone() }
    }

    /// Whether people read the lines as text, and not programs: another line of words may stand among them.
    pub fn is_text(&self) -> bool {
        self.template.is_none() && matches!(self.format, Format::Default | Format::Pretty | Format::Raw)
    }

    /// Whether an output shows the annotations of pods.
    pub fn shows_annotations(&self) -> bool {
        self.format == Format::Json || self.template.is_some()
    }

    /// Whether a line must be in memory to be printed. `raw` copies it.
    pub fn looks_into_lines(&self) -> bool {
        self.format != Format::Raw || self.template.is_some() || !self.highlight.is_empty()
    }
}

/// Whether standard output and standard error have colours.
fn colored(args: &Args, env: &Environment) -> Result<(bool, bool), UsageError> {
    match args.get(&flags::COLOR) {
        None | Some("auto") => {
            Ok((env.wants_color(env.stdout_is_terminal), env.wants_color(env.stderr_is_terminal)))
        }
        Some("always") => Ok((true, true)),
        Some("never") => Ok((false, false)),
        Some(other) => Err(none_of(&flags::COLOR, other, flags::COLOR_MODES)),
    }
}

fn format(args: &Args) -> Result<Format, UsageError> {
    Ok(match args.get(&flags::OUTPUT) {
        None | Some("default") => Format::Default,
        Some("pretty") => Format::Pretty,
        Some("raw") => Format::Raw,
        Some("json") => Format::Json,
        Some("extjson") => Format::Extjson,
        Some("ppextjson") => Format::Ppextjson,
        Some(other) => return Err(none_of(&flags::OUTPUT, other, flags::FORMATS)),
    })
}

/// As in stern, a file takes precedence over a text.
fn template(args: &Args, env: &Environment) -> Result<Option<Template>, UsageError> {
    match args.get(&flags::TEMPLATE_FILE).filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = env.expand(path).map_err(|reason| error(format!("--template-file: {reason}")))?;
            Ok(Some(Template::File(path)))
        }
        None => Ok(given(args, &flags::TEMPLATE).map(|text| Template::Text(text.to_owned()))),
    }
}

fn template_errors(args: &Args) -> Result<TemplateErrors, UsageError> {
    match args.get(&flags::TEMPLATE_ERRORS) {
        None if args.get(&STDIN) => Ok(TemplateErrors::Ignore),
        None | Some("raw") => Ok(TemplateErrors::Raw),
        Some("drop") => Ok(TemplateErrors::Drop),
        Some(other) => Err(none_of(&flags::TEMPLATE_ERRORS, other, flags::TEMPLATE_ERROR_MODES)),
    }
}

fn timestamps(args: &Args) -> Result<Option<Timestamps>, UsageError> {
    match given(args, &flags::TIMESTAMPS) {
        None => Ok(None),
        Some("default") => Ok(Some(Timestamps::Default)),
        Some("short") => Ok(Some(Timestamps::Short)),
        Some(other) => Err(none_of(&flags::TIMESTAMPS, other, flags::TIMESTAMP_FORMATS)),
    }
}

/// 0 is no markers.
fn markers(args: &Args) -> Result<Option<Duration>, UsageError> {
    Ok(parsed(args, &flags::MARKERS, duration::parse)?.filter(|pause| !pause.is_zero()))
}

fn is_json(format: Format, template: Option<&Template>) -> bool {
    template.is_none() && matches!(format, Format::Json | Format::Extjson | Format::Ppextjson)
}

pub(super) fn timezone(args: &Args, env: &Environment) -> Result<TimeZone, UsageError> {
    match args.get(&flags::TIMEZONE) {
        None | Some("Local") => Ok(env.local.clone()),
        // As Go's time.LoadLocation.
        Some("" | "UTC") => Ok(TimeZone::UTC),
        Some(zone) => TimeZone::get(zone).map_err(|_| {
            let reason =
                format!("\"{zone}\" is not a time zone; use Local, UTC or a name such as Asia/Seoul");
            wrong(&flags::TIMEZONE, reason)
        }),
    }
}
